"""Legendre's functions and the harmonics of the sphere, with as many slopes as are asked for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.errors import BadValue
from corrente.gates.specials.forms import composition, kept, public, scales_by, special
from corrente.record import call
from corrente.words import Says


def _checked(name: str, diff_n: int) -> int:
    if diff_n not in (0, 1, 2):
        raise BadValue(
            Says(
                "special.{0} gives the slopes of orders 0, 1 and 2, and was asked for {1}.",
                "special.{0} dá as inclinações de ordem 0, 1 e 2, e pediram-lhe {1}.",
            ).fill(name, diff_n),
            Says(
                "ask for diff_n up to 2, and take co.grad of that.",
                "peça diff_n até 2, e tire o co.grad disso.",
            ),
        )
    return int(diff_n)


def _degrees(n: int, x: Any) -> Any:
    """Return the degrees 0 to n along an axis of their own, before those of x."""
    return np.arange(n + 1).reshape((-1,) + (1,) * np.ndim(x))


def _orders(m: int, x: Any) -> Any:
    """Return the orders 0 to m and then −m to −1, as SciPy lays them out."""
    return np.concatenate([np.arange(m + 1), np.arange(-m, 0)]).reshape((-1,) + (1,) * np.ndim(x))


def _ultraspherical(n: Any, alpha: Any, z: Any, order: int) -> Any:
    """Return Gegenbauer's polynomial, or its slope of some order; none is left below degree 0."""
    degree = n - order
    value = sc.eval_gegenbauer(np.maximum(degree, 0), alpha + order, z)
    return np.where(np.less(degree, 0), 0.0, 2.0**order * sc.poch(alpha, order) * value)


# --- on the line --------------------------------------------------------------------------------


@composition
def legendre_p(n: Any, z: Any, *, diff_n: int = 0) -> Any:
    """Return Legendre's polynomial of degree n and its slopes up to order `diff_n` ≤ 2, stacked.

    `n` holds whole numbers ≥ 0 and broadcasts against `z`, which is real; its float dtype is kept.
    The answer has one axis more, in front. Source: `scipy.special.legendre_p`.

    >>> from corrente import special
    >>> special.legendre_p(2, 0.5, diff_n=2)
    array([-0.125,  1.5  ,  3.   ])
    """
    orders = range(_checked("legendre_p", diff_n) + 1)
    return kept(np.stack([_ultraspherical(n, 0.5, z, order) for order in orders]), z)


@composition
def legendre_p_all(n: int, z: Any, *, diff_n: int = 0) -> Any:
    """Return Legendre's polynomials of all degrees up to n, and their slopes up to `diff_n` ≤ 2.

    `z` is real, of any shape; the answer has the shape `(diff_n + 1, n + 1, *z.shape)`, and the
    float dtype of `z`. Source: `scipy.special.legendre_p_all`.

    >>> from corrente import special
    >>> special.legendre_p_all(2, 0.5)
    array([[ 1.   ,  0.5  , -0.125]])
    """
    return legendre_p(_degrees(n, z), z, diff_n=diff_n)


def _factor(n: Any, m: Any, norm: bool, inner: bool) -> Any:
    """Return the number before the root and the polynomial; its logarithm cannot overflow."""
    order = np.abs(m)
    held = np.less_equal(order, n)
    n = np.where(held, n, order)
    ratio = sc.gammaln(n - order + 1.0) - sc.gammaln(n + order + 1.0)
    scale = sc.gammaln(2.0 * order + 1.0) - sc.gammaln(order + 1.0) - order * math.log(2.0)
    scale = scale + (0.5 * (np.log(n + 0.5) + ratio) if norm else np.where(m < 0, ratio, 0.0))
    sign = np.where((np.remainder(m, 2) == 1) & (np.greater(m, 0)) & inner, -1.0, 1.0)
    return np.where(held, sign * np.exp(scale), 0.0)


def _root(z: Any, exponent: Any, inner: bool) -> Any:
    """Return a power of 1 − z² (inner), or of z² − 1; NaN where the root is not real."""
    if np.result_type(z).kind == "c":
        return np.power(1.0 - z * z, exponent) if inner else _apart(z, exponent)
    outside = np.less(1.0 - np.abs(z), 0.0) if inner else np.less(z, 1.0)
    square = 1.0 - z * z if inner else z * z - 1.0
    return np.where(outside, np.nan, np.power(np.where(outside, 1.0, square), exponent))


def _apart(z: Any, exponent: Any) -> Any:
    """Return a power of z² − 1 whose cut lies between −1 and 1, or on the left."""
    return np.power(z - 1.0, exponent) * np.power(z + 1.0, exponent)


def _associated(n: Any, m: Any, z: Any, inner: bool) -> list[Any]:
    """Return a root times a polynomial, and its slopes: no division, so none by zero at ±1."""
    order = np.abs(m)
    exponent, turn = 0.5 * order, -1.0 if inner else 1.0
    first, second = exponent, exponent * (exponent - 1.0)
    # a power that falls away is not raised: at the ends it would be 0 · ∞
    root = _root(z, exponent, inner)
    steep = first * _root(z, np.where(first == 0, 0.0, exponent - 1.0), inner)
    steeper = second * _root(z, np.where(second == 0, 0.0, exponent - 2.0), inner)
    p, dp, ddp = (_ultraspherical(n - order, order + 0.5, z, k) for k in range(3))
    down = 2.0 * turn * z * steep
    bend = 4.0 * z * z * steeper + 2.0 * turn * steep
    return [root * p, root * dp + down * p, root * ddp + 2.0 * down * dp + bend * p]


@composition
def assoc_legendre_p(
    n: Any, m: Any, z: Any, *, branch_cut: int = 2, norm: bool = False, diff_n: int = 0
) -> Any:
    """Return the associated Legendre function and its slopes up to order `diff_n` ≤ 2, stacked.

    `n` ≥ 0 and `m` hold whole numbers and broadcast against `z`, real or complex, whose dtype is
    kept. At z = ±1 an odd order has no slope. `branch_cut` is 2 or 3, and one for all; raises
    BadValue for another. Source: `scipy.special.assoc_legendre_p`.

    >>> from corrente import special
    >>> special.assoc_legendre_p(2, 2, 0.5, diff_n=1).round(12)
    array([ 2.25, -3.  ])
    """
    if np.ndim(branch_cut) or branch_cut not in (2, 3):
        raise BadValue(
            Says(
                "special.assoc_legendre_p was given branch_cut={0}.",
                "special.assoc_legendre_p recebeu branch_cut={0}.",
            ).fill(branch_cut),
            Says("give 2 or 3, the same for all.", "dê 2 ou 3, o mesmo para todos."),
        )
    inner = branch_cut == 2
    parts = _associated(n, m, z, inner)[: _checked("assoc_legendre_p", diff_n) + 1]
    return kept(np.stack([_factor(n, m, norm, inner) * part for part in parts]), z)


@composition
def assoc_legendre_p_all(
    n: int, m: int, z: Any, *, branch_cut: int = 2, norm: bool = False, diff_n: int = 0
) -> Any:
    """Return the associated Legendre functions of all degrees up to n and orders up to ±m.

    The answer has the shape `(diff_n + 1, n + 1, 2·m + 1, *z.shape)`; negative orders stand at the
    end, in growing order. Otherwise as `assoc_legendre_p`. Source:
    `scipy.special.assoc_legendre_p_all`.

    >>> from corrente import special
    >>> special.assoc_legendre_p_all(1, 1, 0.0).round(12) + 0.0
    array([[[ 1. ,  0. ,  0. ],
            [ 0. , -1. ,  0.5]]])
    """
    degrees, orders = np.expand_dims(_degrees(n, z), 1), _orders(m, z)
    return assoc_legendre_p(degrees, orders, z, branch_cut=branch_cut, norm=norm, diff_n=diff_n)


# --- on the sphere ------------------------------------------------------------------------------


def _on_sphere(n: Any, m: Any, theta: Any) -> Any:
    return kept(sc.sph_legendre_p(n, m, theta)[0], theta)[()]


_on_sphere.__name__ = _on_sphere.__qualname__ = "sph_legendre_p"
_meridian = public(_on_sphere)


def _along(n: Any, m: Any, theta: Any, of: Any) -> Any:
    """Return the slope in theta: the functions of both neighbouring orders, never divided."""
    below = np.sqrt(np.maximum((n + m) * (n - m + 1), 0))
    above = np.sqrt(np.maximum((n - m) * (n + m + 1), 0))
    # SciPy takes the sine without its sign
    side = np.where(np.less(np.sin(theta), 0.0), 0.5, -0.5)
    return side * (below * of(n, m - 1, theta) - above * of(n, m + 1, theta))


def _slope(n: Any, m: Any, theta: Any) -> Any:
    return _along(n, m, theta, _meridian)


special(
    _meridian,
    symbol="Pₙᵐ(cos)",
    partials=("n", "m", lambda n, m, theta, out: _slope(n, m, theta)),
    does=Says(
        en="takes the spherical Legendre function of degree {0} and order {1} at the angle {2}",
        pt="toma a função de Legendre esférica de grau {0} e ordem {1} no ângulo {2}",
    ),
    teaches=scales_by(
        "the difference of the functions of one order less and one order more, weighed",
        "a diferença das funções de uma ordem a menos e de uma a mais, pesadas",
    ),
    domain=((0.0, 4.0), (0.0, 2.0), (0.3, 2.5)),
    example=lambda rng: call(3, 1, rng.uniform(0.3, 2.5, size=(3, 4))),
    code=lambda names, params: f"special.sph_legendre_p({', '.join(names)})[0]",
)


def _meridians(name: str, n: Any, m: Any, theta: Any, diff_n: int) -> list[Any]:
    rules = (_meridian, _slope, lambda n, m, theta: _along(n, m, theta, _slope))
    return [rule(n, m, theta) for rule in rules[: _checked(name, diff_n) + 1]]


@composition
def sph_legendre_p(n: Any, m: Any, theta: Any, *, diff_n: int = 0) -> Any:
    """Return the spherical Legendre function and its slopes up to order `diff_n` ≤ 2, stacked.

    `n` ≥ 0 and `m` hold whole numbers and broadcast against `theta`, an angle in radians, whose
    float dtype is kept. At the poles slopes are those from within [0, π]. Source:
    `scipy.special.sph_legendre_p`; slopes by DLMF §14.10.

    >>> from corrente import special
    >>> special.sph_legendre_p(0, 0, 0.5).round(6)
    array([0.282095])
    """
    return kept(np.stack(_meridians("sph_legendre_p", n, m, theta, diff_n)), theta)


@composition
def sph_legendre_p_all(n: int, m: int, theta: Any, *, diff_n: int = 0) -> Any:
    """Return the spherical Legendre functions of all degrees up to n and orders up to ±m.

    The answer has the shape `(diff_n + 1, n + 1, 2·m + 1, *theta.shape)`; negative orders stand at
    the end, in growing order. Source: `scipy.special.sph_legendre_p_all`.

    >>> from corrente import special
    >>> special.sph_legendre_p_all(3, 1, 0.5).shape
    (1, 4, 3)
    """
    degrees, orders = np.expand_dims(_degrees(n, theta), 1), _orders(m, theta)
    return sph_legendre_p(degrees, orders, theta, diff_n=diff_n)


@composition
def sph_harm_y(n: Any, m: Any, theta: Any, phi: Any, *, diff_n: int = 0) -> Any:
    """Return the spherical harmonic of degree n and order m: complex, at the angles theta, phi.

    `n` ≥ 0 and `m` hold whole numbers and broadcast against the angles, in radians: `theta` from
    the pole, `phi` around the axis. With `diff_n` 1 or 2, returns a tuple that goes on with the
    gradient, of shape `(..., 2)`, and the Hessian, `(..., 2, 2)`. Source:
    `scipy.special.sph_harm_y`.

    >>> from corrente import special
    >>> special.sph_harm_y(1, 0, 0.0, 0.0).round(6)
    np.complex128(0.488603+0j)
    """
    wave = np.exp(1j * (m * phi))
    turn = 1j * m
    rows = _meridians("sph_harm_y", n, m, theta, diff_n)
    y, *slopes = (kept(row * wave, theta, phi) for row in rows)
    if not slopes:
        return y
    gradient = np.stack([slopes[0], kept(turn * y, y)], axis=-1)
    if len(slopes) == 1:
        return y, gradient
    # the second row of the Hessian is the gradient, turned
    turned = kept(np.expand_dims(turn, -1) * gradient, y)
    mixed = np.stack([slopes[1], turned[..., 0]], axis=-1)
    return y, gradient, np.stack([mixed, turned], axis=-2)


@composition
def sph_harm_y_all(n: int, m: int, theta: Any, phi: Any, *, diff_n: int = 0) -> Any:
    """Return the spherical harmonics of all degrees up to n and orders up to ±m.

    The answer has the shape `(n + 1, 2·m + 1, ...)`; negative orders stand at the end, in growing
    order. `diff_n` as in `sph_harm_y`. Source: `scipy.special.sph_harm_y_all`.

    >>> from corrente import special
    >>> special.sph_harm_y_all(2, 1, 0.5, 0.1).shape
    (3, 3)
    """
    around = theta + phi  # both angles together say how many axes there are
    degrees, orders = np.expand_dims(_degrees(n, around), 1), _orders(m, around)
    return sph_harm_y(degrees, orders, theta, phi, diff_n=diff_n)
