"""How a wrong value stands to the right one, where no change of the code was found."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from typing import Any

import numpy as np

from corrente.homework.truth import Truth, close


def sizes_of(truth: Truth) -> frozenset[int]:
    """Return the numbers of elements, along some axes, of the values of a forward pass."""
    shapes = {np.shape(value) for value in truth.values.values()}
    return frozenset(
        int(np.prod(part))
        for shape in shapes
        for size in range(1, len(shape) + 1)
        for part in itertools.combinations(shape, size)
    )


def relation(found: Any, true: Any, sizes: Collection[int] = ()) -> str | None:
    """Name the mistake that the numbers alone betray; None if they betray none.

    `sizes` are the numbers a mean may have been taken over.

    >>> relation(np.array([1.0, -2.0]), np.array([-1.0, 2.0]))
    'sign'
    """
    if found is None or true is None:
        return None
    a, b = np.asarray(found), np.asarray(true)
    if a.shape == b.shape:
        return _same_shape(a, b, sizes)
    if a.ndim == b.ndim == 2 and close(a.T, b, strict=True):
        return "transpose"
    if a.size == b.size and close(a.reshape(b.shape), b):
        return "keepdims"
    if a.ndim > b.ndim or a.size > b.size:
        return "sum"
    return None


def is_multiple(found: Any, true: Any, own: Any) -> bool:
    """Tell whether a gradient lacks, or has too much of, a multiple of its own value: a penalty.

    >>> is_multiple(np.array([1.0, 2.0]), np.array([1.5, 4.0]), np.array([1.0, 4.0]))
    True
    """
    shapes = {np.shape(found), np.shape(true), np.shape(own)}
    if found is None or true is None or own is None or len(shapes) > 1 or np.size(own) < 2:
        return False
    if _ratio(np.asarray(own), np.asarray(found)):
        return False  # all of it is a multiple of the value: then any wrong factor looks like this
    missing = np.asarray(true) - np.asarray(found)
    ratio = _ratio(np.asarray(own), missing)
    return ratio is not None and not close(found, true)


def _same_shape(a: Any, b: Any, sizes: Collection[int]) -> str | None:
    if close(-a, b):
        return "sign"
    if a.ndim == 2 and a.shape[0] == a.shape[1] and close(a.T, b):
        return "transpose"
    ratio = _ratio(a, b)
    if ratio is not None:
        if ratio in (2.0, 0.5):
            return "factor"
        return "mean" if round(max(ratio, 1 / ratio)) in sizes else "local"
    kept = b != 0
    if not kept.all() and close(np.where(kept, a, 0.0), b):
        return "mask"
    return None


def _ratio(a: Any, b: Any) -> float | None:
    """Return the one number that a is of b, rounded; None if there is none."""
    big = np.abs(b) > 1e-12 * np.max(np.abs(b), initial=0.0)
    if not big.any() or np.any(a[~big] != b[~big]):
        return None
    ratios = a[big] / b[big]
    first = float(ratios.flat[0])
    if first == 0 or not np.isfinite(ratios).all() or not np.allclose(ratios, first, rtol=1e-6):
        return None
    near = round(first) if abs(first) >= 1 else 1 / round(1 / first)
    return float(near) if abs(near - first) < 1e-6 * abs(first) else first
