"""Areas under waves, whose slope is the wave, and relatives of Bessel's functions scaled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.bundles import bundle
from corrente.gates.specials.forms import refusal, scales_by, special
from corrente.record import ABOVE_ONE, POSITIVE, Interval, call, composed
from corrente.words import Says

_FAR: Interval = (0.5, 2.5)
_INSIDE: Interval = (0.1, 0.9)


def _areas(
    of: Callable[..., Any], named: str, *waves: Callable[..., Any], domain: Interval = _FAR
) -> None:
    """Record the integrals of several functions at once: the slope of each is what it sums."""
    bundle(
        of,
        outs=len(waves),
        slopes=(lambda x, out: tuple(wave(x) for wave in waves),),
        symbol=f"∫ {named}",
        does=Says(en=f"integrates {named} up to {{0}}", pt=f"integra {named} até {{0}}"),
        teaches=scales_by("the functions integrated", "as funções integradas"),
        domain=(domain,),
    )


_areas(sc.itj0y0, "J₀ Y₀", sc.j0, sc.y0)
_areas(sc.iti0k0, "I₀ K₀", sc.i0, sc.k0)
_areas(
    *(sc.it2j0y0, "(1−J₀)/t Y₀/t"),
    *(lambda x: (1.0 - sc.j0(x)) / x, lambda x: -sc.y0(x) / x),
)
_areas(
    *(sc.it2i0k0, "(I₀−1)/t K₀/t"),
    *(lambda x: (sc.i0(x) - 1.0) / x, lambda x: -sc.k0(x) / x),
)

_areas(
    *(sc.itairy, "Ai Bi (±t)"),
    *(lambda x: sc.airy(x)[0], lambda x: sc.airy(x)[2]),
    *(lambda x: sc.airy(-x)[0], lambda x: sc.airy(-x)[2]),
    domain=(0.1, 0.35),  # farther out SciPy's own answers are only good to six digits
)

for _of, _symbol, _slope in (
    (sc.itstruve0, "∫ H₀", lambda x, out: sc.struve(0, x)),
    (sc.it2struve0, "∫ H₀/t", lambda x, out: -sc.struve(0, x) / x),
    (sc.itmodstruve0, "∫ L₀", lambda x, out: sc.modstruve(0, x)),
):
    special(
        _of,
        symbol=_symbol,
        partials=(_slope,),
        does=Says(
            en="integrates a Struve function at {0}", pt="integra uma função de Struve em {0}"
        ),
        teaches=scales_by("the function integrated", "a função integrada"),
        domain=(ABOVE_ONE,),
    )

kelvin = bundle(
    sc.kelvin,
    outs=4,
    # Be and Ke grow by their slopes; those by i times the functions, less a part of themselves
    slopes=(lambda x, out: (out[2], out[3], 1j * out[0] - out[2] / x, 1j * out[1] - out[3] / x),),
    symbol="Be Ke",
    does=Says(
        en="takes the Kelvin functions of {0} and their slopes",
        pt="toma as funções de Kelvin de {0} e as suas inclinações",
    ),
    teaches=scales_by("the slopes and their slopes", "as inclinações e as inclinações delas"),
    domain=(_FAR,),
)


def _fresnel(of: Callable[..., Any], symbol: str, turn: complex) -> None:
    scale = complex(np.exp(-turn * np.pi / 4.0) / np.sqrt(np.pi))
    bundle(
        of,
        outs=2,
        slopes=(lambda x, out: (-np.exp(turn * x * x), -2.0 * turn * x * out[1] - scale),),
        symbol=symbol,
        does=Says(
            en="takes the modified Fresnel integrals of {0}",
            pt="toma as integrais de Fresnel modificadas de {0}",
        ),
        teaches=scales_by("a turning wave", "uma onda que gira"),
        domain=(_FAR,),
    )


_fresnel(sc.modfresnelp, "F₊ K₊", 1j)
_fresnel(sc.modfresnelm, "F₋ K₋", -1j)

wright = special(
    sc.wright_bessel,
    symbol="Φ",
    partials=("a", "b", lambda a, b, x, out: sc.wright_bessel(a, a + b, x)),
    does=Says(
        en="takes Wright's function of {0} and {1} at {2}",
        pt="toma a função de Wright de {0} e {1} em {2}",
    ),
    teaches=scales_by("the function of {0} and {0} + {1}", "a função de {0} e {0} + {1}"),
    domain=(POSITIVE, POSITIVE, POSITIVE),
    example=lambda rng: call(2, 3, rng.uniform(*_FAR, size=(3, 4))),
    promotes=True,
)

log_wright = special(
    sc.log_wright_bessel,
    symbol="log Φ",
    partials=("a", "b", lambda a, b, x, out: np.exp(sc.log_wright_bessel(a, a + b, x) - out)),
    does=Says(
        en="takes the logarithm of Wright's function of {0} and {1} at {2}",
        pt="toma o logaritmo da função de Wright de {0} e {1} em {2}",
    ),
    teaches=scales_by(
        "the function of {0} and {0} + {1} over that of {0} and {1}",
        "a função de {0} e {0} + {1} sobre a de {0} e {1}",
    ),
    domain=(POSITIVE, POSITIVE, POSITIVE),
    example=lambda rng: call(2, 3, rng.uniform(*_FAR, size=(3, 4))),
    promotes=True,
)

besselpoly = special(
    sc.besselpoly,
    symbol="∫ xλJ",
    partials=(
        lambda a, power, nu, out: (
            sc.besselpoly(a, power + 1, nu - 1) - sc.besselpoly(a, power + 1, nu + 1)
        ),
        *("lmb", "nu"),
    ),
    does=Says(
        en="integrates a power {1} times a Bessel function of order {2} stretched by {0}",
        pt="integra uma potência {1} vezes uma função de Bessel de ordem {2} esticada por {0}",
    ),
    teaches=scales_by(
        "the integrals of one power more and the two neighbours in order",
        "as integrais de uma potência a mais e das duas vizinhas em ordem",
    ),
    domain=(_FAR, POSITIVE, POSITIVE),
    example=lambda rng: call(rng.uniform(*_FAR, size=(3, 4)), 1, 2),
    promotes=True,
)


def _held(of: Callable[..., Any], symbol: str) -> None:
    """Record a Bessel function scaled off the real line; its scale is no holomorphic function."""
    refuse = refusal(of.__name__, "z")

    def slope(v: Any, z: Any, out: Any) -> Any:
        if np.result_type(z).kind == "c":
            refuse()
        return 0.5 * (of(v - 1, z) - of(v + 1, z))

    special(
        of,
        symbol=symbol,
        partials=("v", slope),
        does=Says(
            en="takes the scaled Bessel function of order {0} at {1}",
            pt="toma a função de Bessel escalada de ordem {0} em {1}",
        ),
        teaches=scales_by(
            "half the difference of the functions of one order less and one order more",
            "metade da diferença das funções de uma ordem a menos e de uma a mais",
        ),
        domain=(POSITIVE, POSITIVE),
        example=lambda rng: call(2, rng.uniform(*_FAR, size=(3, 4))),
    )


_held(sc.jve, "Je")
_held(sc.yve, "Ye")


def _airy_slopes(x: Any, out: Any) -> tuple[Any, ...]:
    if np.result_type(x).kind == "c":
        refusal("airye", "z")()
    root = np.sqrt(np.maximum(x, 0.0))
    first, rise, second, climb = out
    return (
        rise + root * first,
        x * first + root * rise,
        climb - root * second,
        x * second - root * climb,
    )


airye = bundle(
    sc.airye,
    outs=4,
    slopes=(_airy_slopes,),
    symbol="Aie Bie",
    does=Says(
        en="takes the scaled Airy functions of {0} and their slopes",
        pt="toma as funções de Airy escaladas de {0} e as suas inclinações",
    ),
    teaches=scales_by(
        "the slopes, and √{0} times the functions for their scale",
        "as inclinações, e √{0} vezes as funções pela escala",
    ),
    domain=(_FAR,),
)

sh_jacobi = special(
    sc.eval_sh_jacobi,
    symbol="Gₙ",
    partials=(
        *("n", "p", "q"),
        # of degree 0 nothing is left
        lambda n, p, q, x, out: n * sc.eval_sh_jacobi(np.maximum(n - 1, 0), p + 2.0, q + 1.0, x),
    ),
    does=Says(
        en="evaluates the shifted Jacobi polynomial of degree {0} at {3}",
        pt="calcula o polinômio de Jacobi deslocado de grau {0} em {3}",
    ),
    teaches=scales_by("{0} times the polynomial below it", "{0} vezes o polinômio abaixo dele"),
    domain=((0.0, 5.0), (3.0, 5.0), (1.0, 2.0), _INSIDE),
    example=lambda rng: call(3, 4, 2, rng.uniform(*_INSIDE, size=(3, 4))),
    promotes=True,
)

lpmv = special(
    sc.lpmv,
    symbol="Pₙᵐ",
    partials=(
        *("m", "v"),
        lambda m, v, x, out: (v * x * out - (v + m) * sc.lpmv(m, v - 1, x)) / (x * x - 1.0),
    ),
    does=Says(
        en="takes the associated Legendre function of order {0} and degree {1} at {2}",
        pt="toma a função de Legendre associada de ordem {0} e grau {1} em {2}",
    ),
    teaches=scales_by(
        "its difference to the function of one degree less, over {2}² − 1: 0/0 at the ends",
        "a sua diferença à função de um grau a menos, sobre {2}² − 1: 0/0 nas pontas",
    ),
    domain=((0.0, 2.0), (1.0, 4.0), _INSIDE),
    example=lambda rng: call(1, 3, rng.uniform(*_INSIDE, size=(3, 4))),
)

# plain functions of SciPy's that are written with gates, and ask their arguments nothing
for _plain in (
    *(sc.assoc_laguerre, sc.h1vp, sc.h2vp, sc.ivp, sc.jvp, sc.kvp, sc.yvp),
    *(sc.lambertw, sc.softplus, sc.zeta),
):
    composed(_plain)(_plain)
