"""What a whole value may lack: a sign, a sum, a factor, a mask, a local gradient."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.instrumenting import reads_of
from corrente.homework.syntax import (
    matrix,
    negative,
    numpy_call,
    product,
    quotient,
    total,
    transposed,
)
from corrente.homework.vocabulary import Vocabulary, Word


class Change(NamedTuple):
    """One mistake mended in an expression; the cheaper, the likelier."""

    mistake: str
    cost: float
    node: ast.expr


def whole(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Mend what a whole value lacks: a sign, a sum, a factor, a mask, a local gradient."""
    yield Change("sign", 1.5, negative(node))
    yield Change("factor", 1.4, product(ast.Constant(2), node))
    yield Change("factor", 1.4, quotient(node, ast.Constant(2)))
    yield Change("transpose", 1.5, transposed(node))
    yield from means(node, words, 1.3)
    yield from sums(node, words, 1.25)
    yield from masks(node, words, 1.2)
    is_mask = isinstance(node, ast.Compare)
    forgotten = not is_mask and not _reads(node, words.upstream)
    for word in words.upstream:
        cost = 1.35 if forgotten else 2.05 if is_mask else 1.45
        yield Change("upstream", cost, product(node, word.node))
        yield Change("path", 1.9, total(node, word.node))
        yield Change("path", 2.4, ast.BinOp(node, ast.Sub(), word.node))
        for size in words.sizes:
            yield Change("path", 2.5, total(node, quotient(word.node, size.node)))
    yield from _locals(node, words, 2.0)
    yield from _shared(node, words)
    yield from _paths(node, words)
    yield from _matrices(node, words)
    yield from _penalties(node, words)


def _reads(node: ast.expr, words: Iterable[Word]) -> bool:
    return any(word.key in reads_of(node) for word in words)


def means(node: ast.expr, words: Vocabulary, cost: float) -> Iterator[Change]:
    cost += IN_LOOP if words.counters else 0.0
    for k, word in enumerate(words.sizes):
        yield Change("mean", cost + 0.01 * k, quotient(node, word.node))
        yield Change("mean", cost + 0.1 + 0.01 * k, product(node, word.node))


def axes_of(count: int) -> Iterator[tuple[int, ...]]:
    for size in range(1, count + 1):
        yield from itertools.combinations(range(count), size)


def axis_code(axes: tuple[int, ...]) -> ast.expr:
    if len(axes) == 1:
        return ast.Constant(axes[0])
    return ast.Tuple([ast.Constant(axis) for axis in axes], ast.Load())


def sums(node: ast.expr, words: Vocabulary, cost: float) -> Iterator[Change]:
    yield Change("sum", cost, numpy_call("sum", node))
    for axes in axes_of(words.axes):
        more = 0.01 * len(axes)
        yield Change("sum", cost + more, numpy_call("sum", node, axis=axis_code(axes)))
        kept = numpy_call("sum", node, axis=axis_code(axes), keepdims=ast.Constant(True))
        yield Change("sum", cost + more + 0.05, kept)


def masks(node: ast.expr, words: Vocabulary, cost: float) -> Iterator[Change]:
    for word in words.masks:
        yield Change("mask", cost, product(node, word.node))
        if np.asarray(word.value).dtype.kind == "b":
            inverted = ast.UnaryOp(ast.Invert(), word.node)
            yield Change("mask", cost + 0.1, product(node, inverted))
    for word in words.values:
        if np.ndim(word.value) and _parts(np.asarray(word.value) > 0):
            positive = ast.Compare(word.node, [ast.Gt()], [ast.Constant(0)])
            yield Change("mask", cost + 0.1, product(node, positive))
    if len(words.values) <= MOST_PAIRED:
        for one, other in itertools.permutations(words.values, 2):
            same = np.shape(one.value) == np.shape(other.value)
            if same and _parts(np.asarray(one.value) > np.asarray(other.value)):
                above = ast.Compare(one.node, [ast.Gt()], [other.node])
                yield Change("mask", cost + 0.35, product(node, above))


def _parts(mask: Any) -> bool:
    """Tell whether a mask lets some numbers through, and others not."""
    return bool(np.any(mask)) and not bool(np.all(mask))


MOST_PAIRED = 10
IN_LOOP = 0.4  # a penalty, or a mean, is seldom taken inside a loop


_SHAPES = (
    ("{0}", 0.0),
    ("1 - {0} ** 2", 0.1),
    ("{0} * (1 - {0})", 0.1),
    ("1 / {0}", 0.1),
    ("-1 / {0} ** 2", 0.1),
    ("1 / {0} ** 2", 0.2),
    ("2 * {0}", 0.15),
    ("np.cos({0})", 0.2),
    ("-np.sin({0})", 0.2),
    ("np.exp({0})", 0.2),
    ("np.exp(-{0})", 0.25),
    ("1 - {0}", 0.25),
    ("3 * {0} ** 2", 0.25),
    ("0.5 / {0}", 0.25),
    ("0.5 / np.sqrt({0})", 0.25),
    ("1 / np.sqrt({0})", 0.25),
    ("1 / np.cosh({0}) ** 2", 0.3),
    ("(1 - np.tanh({0}) ** 2)", 0.25),
    ("{0}[:, None]", 0.3),
)


def shaped(shape: str, word: Word) -> ast.expr:
    return ast.parse(shape.format(f"({ast.unparse(word.node)})"), mode="eval").body


def _locals(node: ast.expr, words: Vocabulary, cost: float) -> Iterator[Change]:
    for word in words.values:
        called = [(f"{name}({{0}})", 0.2) for name in words.helpers]
        for shape, more in (*_SHAPES, *called):
            yield Change("local", cost + more, product(node, shaped(shape, word)))


def _paths(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Add a path that was forgotten: a gradient from above times a local gradient or two."""
    above = [word for word in words.upstream if np.shape(word.value) == words.shape]
    values = [word for word in words.values if np.shape(word.value) == words.shape]
    for up, word in itertools.product(above, values):
        for shape in ("{0}", "1 - {0}"):
            yield Change("path", 2.6, total(node, product(up.node, shaped(shape, word))))
    if isinstance(node, ast.Name) and len(values) <= MOST_PAIRED:
        for up, one, other in itertools.product(above, values, values):
            if one is not other and up.key != node.id:
                slope = product(one.node, shaped("1 - {0} ** 2", other))
                yield Change("path", 2.7, total(node, product(up.node, slope)))


def _shared(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Take away what every entry of a softmax receives through the sum that all of them share."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        for weights, above in ((node.left, node.right), (node.right, node.left)):
            word = words.find(ast.unparse(weights))
            if word is not None and _adds_up(word.value):
                shared = numpy_call("sum", node, axis=ast.Constant(-1), keepdims=ast.Constant(True))
                made = product(weights, ast.BinOp(above, ast.Sub(), shared))
                yield Change("local", 1.9, made)


def _adds_up(value: Any) -> bool:
    """Tell whether the rows of an array are shares that add up to one."""
    array = np.asarray(value)
    return array.ndim > 0 and bool(np.all(array >= 0)) and np.allclose(array.sum(-1), 1.0)


def _matrices(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Mend a matrix product of which one operand is missing."""
    for mistake, found in (("upstream", words.upstream), ("local", words.values)):
        for word in found:
            if np.ndim(word.value) == 2:
                for other in (word.node, transposed(word.node)):
                    yield Change(mistake, 2.3, matrix(node, other))
                    yield Change(mistake, 2.3, matrix(other, node))
                    yield Change(mistake, 2.4, matrix(other, transposed(node)))
                    yield Change(mistake, 2.4, matrix(transposed(node), other))


def _penalties(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    later = IN_LOOP if words.counters else 0.0
    for scalar in words.scalars:
        for word in words.values:
            if np.ndim(word.value):
                term = product(scalar.node, word.node)
                twice = product(ast.Constant(2), term)
                yield Change("regularisation", 1.6 + later, total(node, term))
                yield Change("regularisation", 1.65 + later, total(node, twice))
                for up in words.upstream if word.key == words.own else ():
                    if not np.ndim(up.value):
                        scaled = product(up.node, term)
                        yield Change("regularisation", 1.7, total(node, scaled))
                        twice = product(ast.Constant(2), scaled)
                        yield Change("regularisation", 1.75, total(node, twice))
