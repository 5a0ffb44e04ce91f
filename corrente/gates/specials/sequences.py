"""Whole sequences of functions at once, one of each order, with the slope of each."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.errors import BadValue
from corrente.gates.specials.bessels import spherical_jn, spherical_yn
from corrente.gates.specials.forms import composition, kept, public
from corrente.record import Call, Opaque, Params, gate
from corrente.words import Says

# --- Legendre's functions of the second kind ----------------------------------------------------


def _second_kind(of: Callable[..., Any], orders: tuple[str, ...], shapes: str) -> Any:
    """Record the functions Q of all degrees (and orders), whose bend follows their equation."""
    name, depth = of.__name__, len(orders)

    def values(*given: Any) -> Any:
        return tuple(kept(out, given[-1]) for out in of(*given))

    def forward(z: Any, **params: int) -> Any:
        return asking(*params.values(), z)

    def shape(shape: tuple[int, ...], **params: int) -> Any:
        return (tuple(most + 1 for most in params.values()) + shape,) * 2

    def pull(g: Any, out: Any, z: Any, **params: int) -> Any:
        y, slope = out
        tail = (1,) * np.ndim(z)
        n = np.arange(params["n"] + 1).reshape((-1, *tail))
        m = np.arange(params.get("m", 0) + 1).reshape((-1, 1, *tail)) if depth == 2 else 0
        rest = 1.0 - z * z
        bend = (2.0 * z * slope - (n * (n + 1) - m * m / rest) * y) / rest
        return kept(np.sum(g[0] * slope + g[1] * bend, axis=tuple(range(depth))), g[0])

    def batch(z: Any, **params: int) -> Any:
        return tuple(np.moveaxis(out, depth, 0) for out in forward(z, **params))

    def takes(*args: Any) -> Call:
        *whole, z = args
        return Call((z,), dict(zip(orders, map(operator.index, whole), strict=True)))

    def code(names: Any, params: Params) -> str:
        return f"special.{name}({', '.join(map(str, params.values()))}, {names[0]})"

    if depth == 1:
        function: Callable[..., Any] = lambda n, z: values(n, z)
        taking: Callable[..., Call] = lambda n, z: takes(n, z)
    else:
        function = lambda m, n, z: values(m, n, z)
        taking = lambda m, n, z: takes(m, n, z)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Return `scipy.special.{name}`: the values and the slopes of all functions up to {shapes}."
        "\n\n    The orders are whole numbers ≥ 0; `z` is real or complex, of any shape, and its "
        "dtype\n    is kept. At z = ±1 there is no slope. Source: DLMF §14.2.\n"
    )
    asking = public(function)
    gate(
        asking,
        kind=Opaque(batch=batch),
        takes=taking,
        shape=shape,
        pulls=(pull,),
        symbol="Q" if depth == 1 else "Qᵐ",
        does=Says(
            en=f"takes the Legendre functions of the second kind of {{0}}, up to {shapes}",
            pt=f"toma as funções de Legendre de segunda espécie de {{0}}, até {shapes}",
        ),
        teaches=Says(
            en="adds up the gradients of all functions times their slopes, and of all slopes times "
            "what Legendre's equation says of their bend",
            pt="soma os gradientes de todas as funções vezes as inclinações, e os de todas as "
            "inclinações vezes o que a equação de Legendre diz da curvatura",
        ),
        example=lambda rng: Call(
            (rng.uniform(-0.8, 0.8, size=4),), dict(zip(orders, (2, 3)[-depth:], strict=True))
        ),
        domain=((-0.8, 0.8),),
        name=name,
        forward=forward,
        code=code,
        outs=2,
    )
    return asking


lqn = _second_kind(sc.lqn, ("n",), "n")
lqmn = _second_kind(sc.lqmn, ("m", "n"), "m, n")

# --- Bessel's -----------------------------------------------------------------------------------


def _up_to(name: str, order: Any, least: int = 0, whole: bool = True) -> Any:
    """Return the orders that a sequence runs through: by ones, up to the one given."""
    if np.ndim(order) or order < 0 or (whole and order != int(order)):
        raise BadValue(
            Says("special.{0} was given the order {1}.", "special.{0} recebeu a ordem {1}.").fill(
                name, order
            ),
            Says(
                "give one number ≥ 0, a whole one where the orders are whole.",
                "dê um número ≥ 0, inteiro onde as ordens são inteiras.",
            ),
        )
    whole_part = int(order)
    count = np.arange(max(whole_part, least) + 1)
    return count if whole else (order - whole_part) + count


@composition
def lmbda(v: float, x: Any) -> Any:
    """Return Jahnke and Emde's Λ(x) of the orders v − int(v), …, v, and their slopes.

    `v` ≥ 0 is a number, and data; `x` is a real number. Raises BadValue for another `v`. Where
    SciPy's slopes are wrong (at zero, and below it for orders that are not whole), these are
    right. Source: `scipy.special.lmbda`, and DLMF §10.16.

    >>> from corrente import special
    >>> special.lmbda(1, 0.0)[0]
    array([1., 1.])
    """
    orders = _up_to("lmbda", v, whole=False) + 1.0
    square = -0.25 * x * x
    return sc.hyp0f1(orders, square), -0.5 * x / orders * sc.hyp0f1(orders + 1.0, square)


@composition
def riccati_jn(n: int, x: Any) -> Any:
    """Return Riccati and Bessel's functions x·j(x) of the orders 0 to n, and their slopes.

    `n` is a whole number ≥ 0, `x` a real number. Raises BadValue for another `n`. Source:
    `scipy.special.riccati_jn`.

    >>> from corrente import special
    >>> special.riccati_jn(1, 0.0)
    (array([0., 0.]), array([1., 0.]))
    """
    orders = _up_to("riccati_jn", n)
    value = spherical_jn(orders, x)
    return x * value, value + x * spherical_jn(orders, x, derivative=True)


@composition
def riccati_yn(n: int, x: Any) -> Any:
    """Return Riccati and Bessel's functions x·y(x) of the orders 0 to n, and their slopes.

    `n` is a whole number ≥ 0, `x` a real number > 0. Raises BadValue for another `n`. Source:
    `scipy.special.riccati_yn`.

    >>> from corrente import special
    >>> special.riccati_yn(1, 1.0)[0].round(6)
    array([-0.540302, -1.381773])
    """
    orders = _up_to("riccati_yn", n)
    value = spherical_yn(orders, x)
    return x * value, value + x * spherical_yn(orders, x, derivative=True)


# --- parabolic cylinders ------------------------------------------------------------------------


@composition
def pbdv_seq(v: float, x: Any) -> Any:
    """Return the parabolic cylinder functions D of the orders v − int(v), …, v, and their slopes.

    `v` ≥ 0 is a number, and data; `x` is a real number. Two orders at least are given. Raises
    BadValue for another `v`, of which SciPy's answer is not to be trusted. Source:
    `scipy.special.pbdv_seq`.

    >>> from corrente import special
    >>> special.pbdv_seq(0.0, 0.0)
    (array([1., 0.]), array([0., 1.]))
    """
    values, slopes = sc.pbdv(_up_to("pbdv_seq", v, least=1, whole=False), x)
    return values, slopes


@composition
def pbvv_seq(v: float, x: Any) -> Any:
    """Return the parabolic cylinder functions V of the orders v − int(v), …, v, and their slopes.

    `v` ≥ 0 is a number, and data; `x` is a real number. Two orders at least are given. Raises
    BadValue for another `v`, of which SciPy's answer is not to be trusted. Source:
    `scipy.special.pbvv_seq`.

    >>> from corrente import special
    >>> special.pbvv_seq(1.0, 0.0)[1].round(6)
    array([0.797885, 0.      ])
    """
    values, slopes = sc.pbvv(_up_to("pbvv_seq", v, least=1, whole=False), x)
    return values, slopes


@composition
def pbdn_seq(n: int, z: Any) -> Any:
    """Return the parabolic cylinder functions D of the whole orders 0 to n, and their slopes.

    `n` ≥ 0 is a whole number, `z` a real or complex number; the answers are complex. Two orders at
    least are given. Raises BadValue for another `n`. For numbers that are not real SciPy's own
    answers are wrong, and these are right. Source: `scipy.special.pbdn_seq`, and DLMF §12.8.

    >>> from corrente import special
    >>> special.pbdn_seq(1, 0.0)[0].real
    array([1., 0.])
    """
    orders = _up_to("pbdn_seq", n, least=1)
    functions = [np.exp(-0.25 * z * z)]
    functions.append(z * functions[0])
    for order in orders[1:]:
        functions.append(z * functions[order] - order * functions[order - 1])
    values = np.stack(functions) + 0j
    return values[:-1], 0.5 * z * values[:-1] - values[1:]
