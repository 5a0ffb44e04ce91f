"""What a whole value may lack: a sign, a sum, a factor, a mask, a local gradient."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

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
    for word in words.upstream:
        yield Change("upstream", 1.45, product(node, word.node))
        yield Change("path", 2.3, total(node, word.node))
        yield Change("path", 2.4, ast.BinOp(node, ast.Sub(), word.node))
        for size in words.sizes:
            yield Change("path", 2.5, total(node, quotient(word.node, size.node)))
    yield from _locals(node, words, 2.0)
    yield from _matrices(node, words)
    yield from _penalties(node, words)


def means(node: ast.expr, words: Vocabulary, cost: float) -> Iterator[Change]:
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
    for word in words.values:
        if np.ndim(word.value):
            positive = ast.Compare(word.node, [ast.Gt()], [ast.Constant(0)])
            yield Change("mask", cost + 0.1, product(node, positive))
    if len(words.values) <= MOST_PAIRED:
        for one, other in itertools.permutations(words.values, 2):
            if np.shape(one.value) == np.shape(other.value):
                above = ast.Compare(one.node, [ast.Gt()], [other.node])
                yield Change("mask", cost + 0.35, product(node, above))


MOST_PAIRED = 10


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
        for shape, more in _SHAPES:
            yield Change("local", cost + more, product(node, shaped(shape, word)))


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
    for scalar in words.scalars:
        for word in words.values:
            if np.ndim(word.value):
                term = product(scalar.node, word.node)
                yield Change("regularisation", 1.6, total(node, term))
                yield Change("regularisation", 1.65, total(node, product(ast.Constant(2), term)))
