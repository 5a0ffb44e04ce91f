"""Minimax polynomials: how the coefficients in `corrente/native` were made.

Least squares in 40 digits, with more and more weight where the error is large (Lawson's way to
the smallest largest error). The coefficients are rounded one after another, the lowest order
first, and the rest is fitted again each time, so that it makes up for the rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import mpmath as mp

Function = Callable[[Any], Any]


def fit(
    f: Function,
    weight: Function,
    low: Any,
    high: Any,
    degree: int,
    dtype: Any,
    fixed: Sequence[float] = (),
) -> tuple[list[float], float]:
    """Fit a polynomial to f; return its coefficients, rounded to dtype, and the largest error.

    The error is multiplied by `weight`; `fixed` gives the first coefficients, where they are not
    free.
    """
    mp.mp.dps = 40
    count = 14 * (degree + 2)
    middle, half = mp.mpf(high + low) / 2, mp.mpf(high - low) / 2
    points = [middle - half * mp.cos(mp.pi * (k + mp.mpf(0.5)) / count) for k in range(count)]
    values, weights = [f(x) for x in points], [weight(x) for x in points]
    known = [mp.mpf(c) for c in fixed]
    while len(known) <= degree:
        rest = _errors(known, points, values, [1] * count)
        powers = range(len(known), degree + 1)
        known.append(mp.mpf(float(dtype(float(_lawson(points, rest, weights, powers))))))
    return [float(c) for c in known], float(max(map(abs, _errors(known, points, values, weights))))


def _errors(known: list[Any], points: list[Any], values: list[Any], weights: list[Any]) -> list:
    rows = zip(points, values, weights, strict=True)
    return [w * (v - mp.fsum(c * x**k for k, c in enumerate(known))) for x, v, w in rows]


def _lawson(points: list[Any], values: list[Any], weights: list[Any], powers: range) -> Any:
    """Return the first coefficient of the fit with the given powers."""
    table = [[w * x**p for p in powers] for x, w in zip(points, weights, strict=True)]
    wanted = [w * v for v, w in zip(values, weights, strict=True)]
    emphasis = [mp.mpf(1)] * len(points)
    solved: Any = None
    for _ in range(7):
        columns = list(zip(*table, strict=True))
        scaled = [[e * t for e, t in zip(emphasis, column, strict=True)] for column in columns]
        matrix = [[mp.fdot(a, b) for b in columns] for a in scaled]
        solved = mp.lu_solve(mp.matrix(matrix), mp.matrix([mp.fdot(a, wanted) for a in scaled]))
        errors = [abs(v - mp.fdot(solved, row)) for v, row in zip(wanted, table, strict=True)]
        total = mp.fdot(emphasis, errors)
        emphasis = [e * error / total for e, error in zip(emphasis, errors, strict=True)]
    return solved[0]
