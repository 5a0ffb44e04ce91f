"""Bessel's functions and their relatives: waves on drums, in pipes and around wires."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.forms import public, scales, scales_by, several, special, weak
from corrente.record import ABOVE_ONE, POSITIVE, REALS, Call, Interval, call, composed
from corrente.words import Says

_ORDER: Interval = (0.0, 3.0)
_FAR: Interval = (0.5, 3.0)


def _of_order_two(rng: np.random.Generator) -> Call:
    return call(2, rng.uniform(*_FAR, size=(3, 4)))


def _named(en: str, pt: str) -> Says:
    return Says(en=f"takes {en} of {{0}}", pt=f"toma {pt} de {{0}}")


def _ordered(en: str, pt: str) -> Says:
    return Says(en=f"takes {en} of order {{0}} at {{1}}", pt=f"toma {pt} de ordem {{0}} em {{1}}")


_BETWEEN = scales_by(
    "half the difference of the functions of one order less and one order more",
    "metade da diferença das funções de uma ordem a menos e de uma a mais",
)
_AROUND = scales_by(
    "half the sum of the functions of one order less and one order more",
    "metade da soma das funções de uma ordem a menos e de uma a mais",
)
_FALLING = scales_by(
    "minus half the sum of the functions of one order less and one order more",
    "menos metade da soma das funções de uma ordem a menos e de uma a mais",
)
_SCALED = scales_by(
    "the slope of the function itself plus that of its scale",
    "a inclinação da própria função mais a da sua escala",
)

# --- J and Y: waves -----------------------------------------------------------------------------

j0 = special(
    sc.j0,
    symbol="J₀",
    partials=(lambda x, out: -sc.j1(x),),
    does=_named("the Bessel function J₀", "a função de Bessel J₀"),
    teaches=scales("−J₁({0})"),
    domain=(REALS,),
)

j1 = special(
    sc.j1,
    symbol="J₁",
    partials=(lambda x, out: 0.5 * (sc.j0(x) - sc.jv(2, x)),),
    does=_named("the Bessel function J₁", "a função de Bessel J₁"),
    teaches=scales("(J₀({0}) − J₂({0}))/2"),
    domain=(REALS,),
)

y0 = special(
    sc.y0,
    symbol="Y₀",
    partials=(lambda x, out: -sc.y1(x),),
    does=_named("the Bessel function Y₀", "a função de Bessel Y₀"),
    teaches=scales("−Y₁({0})"),
    domain=(POSITIVE,),
)

y1 = special(
    sc.y1,
    symbol="Y₁",
    partials=(lambda x, out: 0.5 * (sc.y0(x) - sc.yv(2, x)),),
    does=_named("the Bessel function Y₁", "a função de Bessel Y₁"),
    teaches=scales("(Y₀({0}) − Y₂({0}))/2"),
    domain=(POSITIVE,),
)


def _wave(of: Callable[..., Any], symbol: str, en: str, pt: str, promotes: bool = False) -> Any:
    return special(
        of,
        symbol=symbol,
        partials=("v", lambda v, z, out: 0.5 * (of(v - 1, z) - of(v + 1, z))),
        does=_ordered(en, pt),
        teaches=_BETWEEN,
        domain=(_ORDER, POSITIVE),
        example=_of_order_two,
        promotes=promotes,
    )


jv = _wave(sc.jv, "J", "the Bessel function J", "a função de Bessel J")
yv = _wave(sc.yv, "Y", "the Bessel function Y", "a função de Bessel Y")
yn = _wave(sc.yn, "Yₙ", "the Bessel function Y", "a função de Bessel Y", promotes=True)
hankel1 = _wave(sc.hankel1, "H⁽¹⁾", "the Hankel function H⁽¹⁾", "a função de Hankel H⁽¹⁾")
hankel2 = _wave(sc.hankel2, "H⁽²⁾", "the Hankel function H⁽²⁾", "a função de Hankel H⁽²⁾")


def _turning(of: Callable[..., Any], symbol: str, turn: complex, en: str, pt: str) -> Any:
    """Record a Hankel function times the exponential that holds it still."""
    return special(
        of,
        symbol=symbol,
        partials=("v", lambda v, z, out: 0.5 * (of(v - 1, z) - of(v + 1, z)) + turn * out),
        does=_ordered(en, pt),
        teaches=_SCALED,
        domain=(_ORDER, POSITIVE),
        example=_of_order_two,
    )


hankel1e = _turning(
    sc.hankel1e, "H⁽¹⁾e", -1j, "the scaled Hankel function H⁽¹⁾", "a função de Hankel H⁽¹⁾ escalada"
)
hankel2e = _turning(
    sc.hankel2e, "H⁽²⁾e", 1j, "the scaled Hankel function H⁽²⁾", "a função de Hankel H⁽²⁾ escalada"
)

# --- I and K: growth and decay ------------------------------------------------------------------

i0 = special(
    sc.i0,
    symbol="I₀",
    partials=(lambda x, out: sc.i1(x),),
    does=_named("the modified Bessel function I₀", "a função de Bessel modificada I₀"),
    teaches=scales("I₁({0})"),
    domain=(REALS,),
)

i1 = special(
    sc.i1,
    symbol="I₁",
    partials=(lambda x, out: 0.5 * (sc.i0(x) + sc.iv(2, x)),),
    does=_named("the modified Bessel function I₁", "a função de Bessel modificada I₁"),
    teaches=scales("(I₀({0}) + I₂({0}))/2"),
    domain=(REALS,),
)

i0e = special(
    sc.i0e,
    symbol="I₀e",
    partials=(lambda x, out: sc.i1e(x) - np.sign(x) * out,),
    side=lambda x: np.sign(x),
    does=_named(
        "the scaled modified Bessel function I₀", "a função de Bessel modificada escalada I₀"
    ),
    teaches=_SCALED,
    domain=(REALS,),
)

i1e = special(
    sc.i1e,
    symbol="I₁e",
    partials=(lambda x, out: 0.5 * (sc.i0e(x) + sc.ive(2, x)) - np.sign(x) * out,),
    side=lambda x: np.sign(x),
    does=_named(
        "the scaled modified Bessel function I₁", "a função de Bessel modificada escalada I₁"
    ),
    teaches=_SCALED,
    domain=(REALS,),
)

iv = special(
    sc.iv,
    symbol="I",
    partials=("v", lambda v, z, out: 0.5 * (sc.iv(v - 1, z) + sc.iv(v + 1, z))),
    does=_ordered("the modified Bessel function I", "a função de Bessel modificada I"),
    teaches=_AROUND,
    domain=(_ORDER, POSITIVE),
    example=_of_order_two,
)

ive = special(
    sc.ive,
    symbol="Ie",
    partials=(
        "v",
        lambda v, z, out: 0.5 * (sc.ive(v - 1, z) + sc.ive(v + 1, z)) - np.sign(z) * out,
    ),
    side=lambda v, z: np.sign(z),
    does=_ordered(
        "the scaled modified Bessel function I", "a função de Bessel modificada escalada I"
    ),
    teaches=_SCALED,
    domain=(_ORDER, POSITIVE),
    example=_of_order_two,
)

k0 = special(
    sc.k0,
    symbol="K₀",
    partials=(lambda x, out: -sc.k1(x),),
    does=_named("the modified Bessel function K₀", "a função de Bessel modificada K₀"),
    teaches=scales("−K₁({0})"),
    domain=(POSITIVE,),
)

k1 = special(
    sc.k1,
    symbol="K₁",
    partials=(lambda x, out: -0.5 * (sc.k0(x) + sc.kv(2, x)),),
    does=_named("the modified Bessel function K₁", "a função de Bessel modificada K₁"),
    teaches=scales("−(K₀({0}) + K₂({0}))/2"),
    domain=(POSITIVE,),
)

k0e = special(
    sc.k0e,
    symbol="K₀e",
    partials=(lambda x, out: out - sc.k1e(x),),
    does=_named(
        "the scaled modified Bessel function K₀", "a função de Bessel modificada escalada K₀"
    ),
    teaches=_SCALED,
    domain=(POSITIVE,),
)

k1e = special(
    sc.k1e,
    symbol="K₁e",
    partials=(lambda x, out: out - 0.5 * (sc.k0e(x) + sc.kve(2, x)),),
    does=_named(
        "the scaled modified Bessel function K₁", "a função de Bessel modificada escalada K₁"
    ),
    teaches=_SCALED,
    domain=(POSITIVE,),
)

kv = special(
    sc.kv,
    symbol="K",
    partials=("v", lambda v, z, out: -0.5 * (sc.kv(v - 1, z) + sc.kv(v + 1, z))),
    does=_ordered("the modified Bessel function K", "a função de Bessel modificada K"),
    teaches=_FALLING,
    domain=(_ORDER, POSITIVE),
    example=_of_order_two,
)

kn = special(
    sc.kn,
    symbol="Kₙ",
    partials=("n", lambda n, x, out: -0.5 * (sc.kv(n - 1, x) + sc.kv(n + 1, x))),
    does=_ordered("the modified Bessel function K", "a função de Bessel modificada K"),
    teaches=_FALLING,
    domain=(_ORDER, POSITIVE),
    example=_of_order_two,
    promotes=True,
)

kve = special(
    sc.kve,
    symbol="Ke",
    partials=("v", lambda v, z, out: out - 0.5 * (sc.kve(v - 1, z) + sc.kve(v + 1, z))),
    does=_ordered(
        "the scaled modified Bessel function K", "a função de Bessel modificada escalada K"
    ),
    teaches=_SCALED,
    domain=(_ORDER, POSITIVE),
    example=_of_order_two,
)

# --- on the sphere ------------------------------------------------------------------------------


def _spherical(
    of: Callable[..., Any], symbol: str, below: float, above: float, en: str, pt: str
) -> Callable[..., Any]:
    """Record a spherical Bessel function; its slope leans on both neighbours, never on 1/z."""
    name = of.__name__

    def value(n: Any, z: Any) -> Any:
        dtype = np.result_type(z)
        out = np.asarray(of(n, z))
        return out.astype(dtype)[()] if dtype.kind in "fc" else out[()]

    value.__name__ = value.__qualname__ = name
    inner = public(value)

    def slope(n: Any, z: Any) -> Any:
        lower = np.maximum(n - 1, 0)  # at order 0 it has the weight 0
        return (below * n * inner(lower, z) + above * (n + 1) * inner(n + 1, z)) / (2 * n + 1)

    special(
        inner,
        symbol=symbol,
        partials=("n", lambda n, z, out: slope(n, z)),
        does=_ordered(en, pt),
        teaches=_NEIGHBOURS,
        domain=(_ORDER, POSITIVE),
        example=_of_order_two,
    )

    def function(n: Any, z: Any, derivative: bool = False) -> Any:
        return slope(n, z) if derivative else inner(n, z)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"Return `scipy.special.{name}(n, z)`, or its slope with `derivative=True`, elementwise.\n"
        "\n    `n` holds whole numbers ≥ 0 and broadcasts against `z`, whose float dtype is kept;"
        "\n    in `n` there is no derivative. Source: DLMF §10.51.\n"
    )
    asking = public(function)
    composed(asking)(function)
    return asking


_NEIGHBOURS = scales_by(
    "the mean of the functions of one order less and one order more, weighed by order and sign",
    "a média das funções de uma ordem a menos e de uma a mais, pesadas por ordem e sinal",
)
spherical_jn = _spherical(
    *(sc.spherical_jn, "j", 1.0, -1.0),
    *("the spherical Bessel function j", "a função de Bessel esférica j"),
)
spherical_yn = _spherical(
    *(sc.spherical_yn, "y", 1.0, -1.0),
    *("the spherical Bessel function y", "a função de Bessel esférica y"),
)
spherical_in = _spherical(
    *(sc.spherical_in, "i", 1.0, 1.0),
    *("the modified spherical Bessel function i", "a função de Bessel esférica modificada i"),
)
spherical_kn = _spherical(
    *(sc.spherical_kn, "k", -1.0, -1.0),
    *("the modified spherical Bessel function k", "a função de Bessel esférica modificada k"),
)

# --- Airy, Kelvin, Struve -----------------------------------------------------------------------

airy = several(
    sc.airy,
    4,
    symbol="Ai Bi",
    # Ai and Bi grow by their slopes, and the slopes by x times the functions
    pull=lambda g, out, x: g[0] * out[1] + g[2] * out[3] + x * (g[1] * out[0] + g[3] * out[2]),
    does=Says(
        en="takes the Airy functions of {0} and their slopes",
        pt="toma as funções de Airy de {0} e as suas inclinações",
    ),
    teaches=Says(
        en="scales the gradients of the functions by their slopes, and those of the slopes by "
        "{0} times the functions",
        pt="multiplica os gradientes das funções pelas inclinações, e os das inclinações por "
        "{0} vezes as funções",
    ),
    domain=(REALS,),
)


def _kelvin(of: Callable[..., Any], slope: Callable[..., Any]) -> None:
    """Record a Kelvin function and its slope, which is a function of its own."""
    special(
        of,
        symbol=of.__name__,
        partials=(lambda x, out: slope(x),),
        does=_named(f"the Kelvin function {of.__name__}", f"a função de Kelvin {of.__name__}"),
        teaches=scales_by(f"{slope.__name__} of its input", f"{slope.__name__} da entrada"),
        domain=(POSITIVE,),
    )


def _kelvin_slope(of: Callable[..., Any], other: Callable[..., Any], sign: float) -> None:
    name, partner = of.__name__, other.__name__
    special(
        of,
        symbol=f"{name[:-1]}′",
        partials=(lambda x, out: sign * other(x) - out / x,),
        does=_named(f"the slope {name} of a Kelvin function", f"a inclinação {name} de Kelvin"),
        teaches=scales(f"{'−' if sign < 0 else ''}{partner}({{0}}) − {name}({{0}})/{{0}}"),
        domain=(_FAR,),
    )


for _of, _slope, _other, _sign in (
    (sc.ber, sc.berp, sc.bei, -1.0),
    (sc.bei, sc.beip, sc.ber, 1.0),
    (sc.ker, sc.kerp, sc.kei, -1.0),
    (sc.kei, sc.keip, sc.ker, 1.0),
):
    _kelvin(_of, _slope)
    _kelvin_slope(_slope, _other, _sign)


def _struve(of: Callable[..., Any], symbol: str, sign: float, en: str, pt: str) -> Any:
    def slope(v: Any, x: Any, out: Any) -> Any:
        extra = np.power(0.5 * x, v) * weak(sc.rgamma, v + 1.5) / math.sqrt(math.pi)
        return 0.5 * (of(v - 1, x) + sign * of(v + 1, x) + extra)

    return special(
        of,
        symbol=symbol,
        partials=("v", slope),
        does=_ordered(en, pt),
        teaches=scales_by(
            "half of its neighbours in order and a power of half its input",
            "metade das vizinhas em ordem e de uma potência da metade da entrada",
        ),
        domain=(_ORDER, ABOVE_ONE),
        example=_of_order_two,
        promotes=True,
    )


struve = _struve(sc.struve, "H", -1.0, "the Struve function H", "a função de Struve H")
modstruve = _struve(
    sc.modstruve, "L", 1.0, "the modified Struve function L", "a função de Struve modificada L"
)
