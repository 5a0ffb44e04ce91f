"""Characteristic values of waves in odd rooms: eigenvalues of small matrices, and so are slopes."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import special as sc

from corrente.gates.specials.forms import (
    composition,
    kept,
    public,
    scales_by,
    special,
)
from corrente.record import Call, Opaque, call, gate
from corrente.words import Says


class Matrix(NamedTuple):
    """A family of symmetric matrices, still + weight · moving, and which eigenvector is meant."""

    still: Any
    moving: Any
    place: Any


def _size(place: Any, weight: Any) -> int:
    """Return how many terms of the series are worth keeping: beyond them nothing is left."""
    size = int(np.max(place)) + 24
    while size * size < 4.0 * np.max(np.abs(weight)):
        size *= 2
    return size


def _banded(size: int, main: Any, off: Any) -> Any:
    """Return matrices of a diagonal and one band on either side, along the last two axes."""
    band = off[..., None] * np.eye(size, k=1)
    return main[..., None] * np.eye(size) + band + np.swapaxes(band, -1, -2)


def _modes(matrix: Matrix, weight: Any) -> tuple[Any, Any, Any]:
    """Return the eigenvalues, the eigenvectors, and which of them is meant."""
    weight = np.expand_dims(weight, (-1, -2))
    values, vectors = np.linalg.eigh(matrix.still + weight * matrix.moving)
    chosen = np.equal(np.expand_dims(matrix.place, -1), np.arange(np.shape(values)[-1]))
    return values, vectors, chosen


def _value_slope(matrix: Matrix, weight: Any) -> Any:
    """Return the slope of the eigenvalue meant: how much of the moving matrix its vector feels."""
    _, vectors, chosen = _modes(matrix, weight)
    vector = np.sum(vectors * np.expand_dims(chosen, -2), axis=-1, keepdims=True)
    return np.sum(vector * np.matmul(matrix.moving, vector), axis=(-1, -2))


# --- Mathieu: a drum that is an ellipse ---------------------------------------------------------


def _even(m: Any, q: Any, least: int = 0) -> Matrix:
    """Return the matrix of the cosines of the parity of m."""
    parity, place = np.expand_dims(m % 2, -1), m // 2
    size = max(_size(place, q), least)
    r = np.arange(size)
    still = _banded(size, np.square(2.0 * r + parity), np.zeros(size))
    first = np.where((r == 0) & (parity == 0), math.sqrt(2.0), 1.0)
    return Matrix(still, _banded(size, np.where(r == 0, 1.0 * parity, 0.0), first), place)


def _odd(m: Any, q: Any, least: int = 0) -> Matrix:
    """Return the matrix of the sines of the parity of m."""
    parity, place = np.expand_dims(m % 2, -1), (m - 1) // 2
    size = max(_size(place, q), least)
    r = np.arange(size)
    still = _banded(size, np.square(2.0 * r + 2.0 - parity), np.zeros(size))
    return Matrix(still, _banded(size, np.where(r == 0, -1.0 * parity, 0.0), np.ones(size)), place)


_FEELS = scales_by(
    "how much of the moving part of a matrix its eigenvector feels",
    "quanto o autovetor sente da parte móvel de uma matriz",
)


def _value(
    of: Callable[..., Any], slope: Callable[..., Any], orders: tuple[int, ...], *fixed: str
) -> Callable[..., Any]:
    """Record a characteristic value, computed in double precision: in single, SciPy may hang."""

    def value(*parameters: Any) -> Any:
        out = of(*(np.float64(x) for x in parameters))
        weak = all(type(x) in (int, float) for x in parameters)
        return float(out) if weak else kept(out, parameters[-1])

    value.__name__ = value.__qualname__ = of.__name__
    asking = public(value)
    special(
        asking,
        of,
        symbol="λ",
        partials=(*fixed, slope),
        does=Says(
            en=f"takes the characteristic value of the wave of order {{0}} at {{{len(fixed)}}}",
            pt=f"toma o valor característico da onda de ordem {{0}} em {{{len(fixed)}}}",
        ),
        teaches=_FEELS,
        domain=(*((0.0, 3.0),) * len(fixed), (0.5, 3.0)),
        example=lambda rng: call(*orders, rng.uniform(0.5, 3.0, size=(3, 4))),
    )
    return asking


mathieu_a = _value(sc.mathieu_a, lambda m, q, out: _value_slope(_even(m, q), q), (2,), "m")
mathieu_b = _value(sc.mathieu_b, lambda m, q, out: _value_slope(_odd(m, q), q), (2,), "m")

# --- Mathieu's Fourier series -------------------------------------------------------------------


def _series_slope(matrix: Matrix, scale: Any, q: Any, out: Any) -> Any:
    """Return the slope of the coefficients: the eigenvector turns towards all the others."""
    values, vectors, chosen = _modes(matrix, q)
    vector = np.sum(vectors * chosen, axis=-1)
    gap = np.sum(values * chosen) - values
    share = np.where(chosen, 0.0, np.matmul(np.matmul(matrix.moving, vector), vectors))
    turned = np.matmul(vectors, share / np.where(chosen, 1.0, gap))
    count = np.shape(out)[0]
    sign = np.sign(np.sum(vector[:count] * out))
    return sign * scale * turned[:count]


def _series(of: Callable[..., Any], symbol: str, rule: Callable[..., Matrix]) -> Any:
    """Record the Fourier coefficients of a Mathieu function, as many as SciPy gives."""
    name = of.__name__

    def coefficients(m: int, q: Any) -> Any:
        return kept(of(m, float(q)), q)

    def pull(g: Any, out: Any, q: Any, *, m: int) -> Any:
        count = np.shape(out)[0]
        constant = (np.arange(count) == 0) & (rule is _even and m % 2 == 0)
        # the constant's share of the norm is twice that of a wave
        scale = np.where(constant, math.sqrt(0.5), 1.0)
        return kept(np.sum(g * _series_slope(rule(m, q, count + 8), scale, q, out)), g)

    coefficients.__name__ = coefficients.__qualname__ = name
    coefficients.__doc__ = (
        f"Return `scipy.special.{name}(m, q)`: the Fourier coefficients, as many as matter.\n"
        "\n    `m` is a whole number, `q` a number ≥ 0, whose float dtype is kept; in `q` there is"
        "\n    a derivative. Source: DLMF §28.4.\n"
    )
    asking = public(coefficients)
    gate(
        asking,
        kind=Opaque(),
        takes=lambda m, q: Call((q,), {"m": operator.index(m)}),
        shape=None,
        pulls=(pull,),
        symbol=symbol,
        does=Says(
            en="takes the Fourier coefficients of a Mathieu function at {0}",
            pt="toma os coeficientes de Fourier de uma função de Mathieu em {0}",
        ),
        teaches=Says(
            en="adds up the gradients times how the series turns towards those of the other waves",
            pt="soma os gradientes vezes o quanto a série vira na direção das das outras ondas",
        ),
        example=lambda rng: Call((np.float64(rng.uniform(0.5, 3.0)),), {"m": 2}),
        domain=((0.5, 3.0),),
        name=name,
        forward=lambda q, *, m: asking(m, q),
        code=lambda names, params: f"special.{name}({params['m']}, {names[0]})",
    )
    return asking


mathieu_even_coef = _series(sc.mathieu_even_coef, "A", _even)
mathieu_odd_coef = _series(sc.mathieu_odd_coef, "B", _odd)

# --- spheroids ----------------------------------------------------------------------------------


def _spheroid(m: Any, n: Any, weight: Any) -> Matrix:
    """Return the matrix of x² between Legendre functions, beside their own eigenvalues."""
    place = (n - m) // 2
    size = _size(place, weight)
    order = np.expand_dims(m, -1)
    degree = order + np.expand_dims((n - m) % 2, -1) + 2.0 * np.arange(size)

    def step(degree: Any) -> Any:
        """Return the square of how much of the next degree x makes of one."""
        return (np.square(degree + 1.0) - np.square(order)) / (4.0 * np.square(degree + 1.0) - 1.0)

    still = _banded(size, degree * (degree + 1.0), np.zeros(size))
    off = np.sqrt(step(degree) * step(degree + 1.0))
    return Matrix(still, _banded(size, step(degree) + step(degree - 1.0), off), place)


def _by_length(sign: float) -> Callable[..., Any]:
    """Make the slope in c, of which the matrix holds the square."""

    def slope(m: Any, n: Any, c: Any, out: Any) -> Any:
        weight = sign * c * c
        return 2.0 * sign * c * _value_slope(_spheroid(m, n, weight), weight)

    return slope


pro_cv = _value(sc.pro_cv, _by_length(1.0), (1, 2), "m", "n")
obl_cv = _value(sc.obl_cv, _by_length(-1.0), (1, 2), "m", "n")


@composition
def pro_cv_seq(m: int, n: int, c: Any) -> Any:
    """Return the characteristic values of prolate spheroids of order m and degrees m to n.

    `m` ≤ `n` are whole numbers, `c` a real number. Source: `scipy.special.pro_cv_seq`.

    >>> from corrente import special
    >>> special.pro_cv_seq(0, 2, 0.0)
    array([0., 2., 6.])
    """
    return pro_cv(m, np.arange(m, n + 1), c)


@composition
def obl_cv_seq(m: int, n: int, c: Any) -> Any:
    """Return the characteristic values of oblate spheroids of order m and degrees m to n.

    `m` ≤ `n` are whole numbers, `c` a real number. Source: `scipy.special.obl_cv_seq`.

    >>> from corrente import special
    >>> special.obl_cv_seq(0, 2, 0.0)
    array([0., 2., 6.])
    """
    return obl_cv(m, np.arange(m, n + 1), c)
