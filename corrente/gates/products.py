"""Products made of others: cross, Kronecker and chained products, powers, np.linalg's own names."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from corrente.errors import NotSupported
from corrente.gates.calls import axis_of, refuse
from corrente.gates.complexes import conjugated
from corrente.record import composed
from corrente.words import Says

# --- vectors ------------------------------------------------------------------------------------


def _to_the_end(x: Any, axis: int) -> Any:
    x = np.stack(x) if isinstance(x, list | tuple) else x
    return x if axis_of(axis, x) == np.ndim(x) - 1 else np.moveaxis(x, axis, -1)


@composed(np.cross)
def _cross(
    a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None
) -> Any:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _to_the_end(a, axisa), _to_the_end(b, axisb)
    if not np.shape(a)[-1] == np.shape(b)[-1] == 3:
        raise NotSupported(
            Says(
                "np.cross of vectors that do not have three elements each.",
                "np.cross de vetores que não têm três elementos cada um.",
            ),
            Says(
                "in the plane: x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0].",
                "no plano: x[..., 0] * y[..., 1] - x[..., 1] * y[..., 0].",
            ),
        )
    after, before = [1, 2, 0], [2, 0, 1]
    out = a[..., after] * b[..., before] - a[..., before] * b[..., after]
    return out if axis_of(axisc, out) == np.ndim(out) - 1 else np.moveaxis(out, -1, axisc)


@composed(np.linalg.cross)
def _cross_along(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    return np.cross(x1, x2, axis=axis)


@composed(np.vecdot, np.linalg.vecdot)
def _vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    x1, x2 = _to_the_end(x1, axis), _to_the_end(x2, axis)
    return np.einsum("...i,...i->...", conjugated(x1), x2)


def _matvec(x1: Any, x2: Any, /) -> Any:
    return np.einsum("...ij,...j->...i", x1, x2)


def _vecmat(x1: Any, x2: Any, /) -> Any:
    return np.einsum("...i,...ij->...j", conjugated(x1), x2)


if hasattr(np, "matvec"):  # NumPy 2.2 and later
    composed(np.matvec)(_matvec)
    composed(np.vecmat)(_vecmat)


# --- matrices -----------------------------------------------------------------------------------


@composed(np.kron)
def _kron(a: Any, b: Any) -> Any:
    ndim = max(np.ndim(a), np.ndim(b))
    if min(np.ndim(a), np.ndim(b)) == 0:
        return np.multiply(a, b)
    shapes = [(*(1,) * (ndim - np.ndim(x)), *np.shape(x)) for x in (a, b)]
    # the axes of the two take turns, so that each pair of neighbours becomes one
    outer = np.reshape(a, [n for size in shapes[0] for n in (size, 1)])
    inner = np.reshape(b, [n for size in shapes[1] for n in (1, size)])
    return np.reshape(outer * inner, [m * n for m, n in zip(*shapes, strict=True)])


@composed(np.linalg.matrix_power)
def _matrix_power(a: Any, n: Any) -> Any:
    n = operator.index(n)
    if n == 0:
        return np.zeros_like(a) + np.eye(np.shape(a)[-1], dtype=a.dtype)
    square, n = (np.linalg.inv(a), -n) if n < 0 else (a, n)
    if n == 3:
        return square @ square @ square
    result: Any = None
    while True:
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else result @ square
        if n == 0:
            return result
        square = square @ square


def _cheapest(sizes: Sequence[int]) -> Any:
    """Return where to part a chain of matrices, as a function of its first and last place.

    Matrix k has shape (sizes[k], sizes[k + 1]). T. H. Cormen, C. E. Leiserson, R. L. Rivest,
    C. Stein, "Introduction to Algorithms", matrix-chain multiplication.
    """

    @cache
    def best(first: int, last: int) -> tuple[int, int]:
        if first == last:
            return 0, first
        return min(
            (
                best(first, cut)[0]
                + best(cut + 1, last)[0]
                + sizes[first] * sizes[cut + 1] * sizes[last + 1],
                cut,
            )
            for cut in range(first, last)
        )

    return best


@composed(np.linalg.multi_dot)
def _multi_dot(arrays: Any, *, out: Any = None) -> Any:
    refuse("linalg.multi_dot", out=out)
    parts = list(arrays)
    # a vector in front is a row, one at the end a column
    lone = np.ndim(parts[0]) == 1, np.ndim(parts[-1]) == 1
    sizes = [1 if lone[0] else np.shape(parts[0])[0], *(np.shape(x)[0] for x in parts[1:])]
    sizes.append(1 if lone[1] else np.shape(parts[-1])[-1])
    best = _cheapest(sizes)

    def product(first: int, last: int) -> Any:
        if first == last:
            return parts[first]
        cut = best(first, last)[1]
        return np.dot(product(first, cut), product(cut + 1, last))

    return product(0, len(parts) - 1)


# --- np.linalg's own names ----------------------------------------------------------------------


@composed(np.linalg.matmul)
def _matmul(x1: Any, x2: Any, /) -> Any:
    return np.matmul(x1, x2)


@composed(np.linalg.matrix_transpose)
def _matrix_transpose(x: Any, /) -> Any:
    return np.swapaxes(x, -1, -2)


@composed(np.linalg.tensordot)
def _tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Any:
    return np.tensordot(x1, x2, axes)


@composed(np.linalg.outer)
def _outer(x1: Any, x2: Any, /) -> Any:
    return np.outer(x1, x2)


@composed(np.linalg.diagonal)
def _diagonal(x: Any, /, *, offset: int = 0) -> Any:
    return np.diagonal(x, offset, -2, -1)


@composed(np.linalg.trace)
def _trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    refuse("linalg.trace", dtype=dtype)
    return np.trace(x, offset, -2, -1)
