"""What a name or an index may have been meant to be: another value, another place."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from corrente.homework.instrumenting import remade, swap
from corrente.homework.syntax import numpy_call, total, transposed
from corrente.homework.vocabulary import Vocabulary, Word, named
from corrente.homework.wholes import Change, shaped


def indexed(part: ast.Subscript, words: Vocabulary) -> Iterator[Change]:
    """Read or write at another place."""
    is_read = not isinstance(part.ctx, ast.Store)
    if isinstance(part.slice, ast.Constant):
        yield from _numbered(part)
    else:
        yield from _shifted(part, words)
    if isinstance(part.slice, ast.Constant | ast.UnaryOp) and is_read:
        for counter in words.counters:
            yield Change("cache", 1.5, remade(part, slice=ast.Name(counter, ast.Load())))
    if isinstance(part.slice, ast.Tuple):
        for k, j in itertools.combinations(range(len(part.slice.elts)), 2):
            elts = list(part.slice.elts)
            elts[k], elts[j] = elts[j], elts[k]
            yield Change("axis", 1.6, remade(part, slice=remade(part.slice, elts=elts)))
    if isinstance(part.slice, ast.Name | ast.Compare | ast.UnaryOp):
        inverted = ast.UnaryOp(ast.Invert(), part.slice)
        yield Change("mask", 1.1, remade(part, slice=inverted))
    if is_read:
        yield Change("index", 2.2, part.value)
    here = words.find(ast.unparse(part.value))
    if isinstance(part.slice, ast.Slice) and part.slice.step and here is not None:
        every = ast.Tuple([part.slice] * np.ndim(here.value), ast.Load())
        yield Change("axis", 1.5, remade(part, slice=every))  # turned along one axis alone


def _shifted(part: ast.Subscript, words: Vocabulary) -> Iterator[Change]:
    """Move one number or name of an index by one.

    A value of the forward pass that is read one step of a loop off is one kept too long.
    """
    here = words.find(ast.unparse(part))
    names = {inner.id for inner in ast.walk(part.slice) if isinstance(inner, ast.Name)}
    is_value = here is not None and here not in words.upstream
    looped = is_value and not names.isdisjoint(words.counters)
    tests = [test for test in ast.walk(part.slice) if isinstance(test, ast.Compare)]
    compared = {id(inner) for test in tests for inner in ast.walk(test)}
    for inner in ast.walk(part.slice):
        if id(inner) in compared:
            continue  # a threshold is no place
        if isinstance(inner, ast.Constant) and type(inner.value) is int:
            for step in (1, -1):
                moved = ast.copy_location(ast.Constant(inner.value + step), inner)
                yield Change("cache" if looped else "index", 1.35, swap(part, inner, moved))
        elif isinstance(inner, ast.Name) and not isinstance(part.ctx, ast.Store):
            for step in (1, -1):
                moved = total(inner, ast.Constant(step))
                yield Change("cache" if looped else "index", 1.9, swap(part, inner, moved))


def _numbered(part: ast.Subscript) -> Iterator[Change]:
    """Use another number as index."""
    assert isinstance(part.slice, ast.Constant)
    if type(part.slice.value) is not int:
        return
    is_size = isinstance(part.value, ast.Attribute) and part.value.attr == "shape"
    for index in range(4):
        other = remade(part, slice=ast.Constant(index))
        yield Change("mean", 1.2, other) if is_size else Change("index", 1.6, other)
    if not isinstance(part.ctx, ast.Store):
        summed = numpy_call("sum", part.value, axis=ast.Constant(0))
        yield Change("sum", 1.65, summed)


def replaced(part: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Use another value in place of this one."""
    key = ast.unparse(part) if isinstance(part, ast.Subscript) else named(part)
    if key is None or not isinstance(getattr(part, "ctx", None), ast.Load):
        return
    here = words.find(key)
    if here is None:
        yield from _sized(key, words)
        return
    yield from _others(here, words)
    yield from _completed(part, here, words)
    if np.ndim(here.value) == 1:
        column = ast.Tuple([ast.Slice(), ast.Constant(None)], ast.Load())
        yield Change("keepdims", 1.5, ast.Subscript(part, column, ast.Load()))
    if np.ndim(here.value) == 2:
        yield Change("transpose", 1.6, transposed(part))
        yield Change("axis", 2.1, flipped(part))
    if here in words.masks:
        inverted: Any = ast.UnaryOp(ast.Invert(), part)
        if np.asarray(here.value).dtype.kind != "b":
            inverted = ast.BinOp(ast.Constant(1), ast.Sub(), part)
        yield Change("mask", 1.0, inverted)
    if here not in words.upstream:
        for shape, cost in _DERIVED:
            yield Change("local", cost, shaped(shape, here._replace(node=part)))
        if np.ndim(here.value):
            yield Change("mask", 1.95, ast.Compare(part, [ast.Gt()], [ast.Constant(0)]))


def flipped(matrix: ast.expr) -> ast.expr:
    """Turn a matrix round along both axes, as kernels are on the way back."""
    backwards = ast.Slice(step=ast.UnaryOp(ast.USub(), ast.Constant(1)))
    return ast.Subscript(matrix, ast.Tuple([backwards, backwards], ast.Load()), ast.Load())


_DERIVED = (
    ("{0} ** 2", 1.4),
    ("1 - {0} ** 2", 1.8),
    ("np.sqrt({0})", 1.9),
    ("1 - {0}", 1.9),
    ("1 / {0}", 1.9),
)


def _others(here: Word, words: Vocabulary) -> Iterator[Change]:
    """Use another value of the same kind; for an upstream gradient, a value as well."""
    is_upstream = here in words.upstream
    for word in words.upstream if is_upstream else (*words.values, *words.masks):
        if word.key == here.key or bool(np.ndim(word.value)) != bool(np.ndim(here.value)):
            continue
        same = np.shape(word.value) == np.shape(here.value)
        cost = 1.75 if same else 2.1 if np.ndim(word.value) == np.ndim(here.value) else 2.3
        is_own = words.own in (here.key, here.base) and word.base not in words.below
        if is_own:  # x times dout, where it should be the other operand
            yield Change("swapped", 1.3, word.node)
        elif word in words.masks and here not in words.masks:
            yield Change("mask", cost, word.node)
        else:
            yield Change("upstream" if is_upstream else "cache", cost, word.node)
    for word in words.values if is_upstream else ():
        if np.shape(word.value) == np.shape(here.value):
            yield Change("cache", 2.2, word.node)


def _completed(part: ast.expr, here: Word, words: Vocabulary) -> Iterator[Change]:
    """Add or subtract a value that was forgotten."""
    for one in right_class(words) if not np.ndim(here.value) else ():
        yield Change("path", 2.3, ast.BinOp(part, ast.Sub(), one))
    for word in (*words.values, *words.upstream, *words.masks):
        if word.key != here.key and np.ndim(word.value) and np.ndim(here.value):
            for op in (ast.Sub(), ast.Add()):
                yield Change("path", 2.6, ast.BinOp(part, op, word.node))


def right_class(words: Vocabulary) -> Iterator[ast.expr]:
    """Give what is one for the right class and zero for the others: rows, or a test in a loop."""
    for word in words.masks:
        if np.asarray(word.value).dtype.kind == "f":
            yield word.node
    labels = [word.key for word in words.indices if np.ndim(word.value) == 1]
    for key, (one, other) in itertools.product(labels, itertools.permutations(words.counters, 2)):
        yield ast.parse(f"{one} == {key}[{other}]", mode="eval").body


def _sized(key: str, words: Vocabulary) -> Iterator[Change]:
    """Divide by another length, or index with other whole numbers."""
    if any(word.key == key for word in words.sizes):
        for word in words.sizes:
            if word.key != key:
                yield Change("mean", 1.6, word.node)
    for word in words.indices:
        if any(word.key == key for word in words.indices) and word.key != key:
            yield Change("index", 1.8, word.node)
