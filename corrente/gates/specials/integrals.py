"""Integrals with names: exponential, sine, Fresnel, elliptic, and hypergeometric series."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.forms import scales, scales_by, several, special
from corrente.record import NONZERO, POSITIVE, REALS, Interval, call, composed
from corrente.words import Says

_MODULUS: Interval = (-0.8, 0.8)
_INSIDE: Interval = (0.1, 0.9)
_HALF_PI = math.pi / 2.0

# --- exponential --------------------------------------------------------------------------------

expi = special(
    sc.expi,
    symbol="Ei",
    partials=(lambda x, out: np.exp(x) / x,),
    does=Says(en="takes the integral Ei of {0}", pt="toma a integral Ei de {0}"),
    teaches=scales("exp({0})/{0}"),
    domain=(NONZERO,),
)

exp1 = special(
    sc.exp1,
    symbol="E₁",
    partials=(lambda x, out: -np.exp(-x) / x,),
    does=Says(en="takes the integral E₁ of {0}", pt="toma a integral E₁ de {0}"),
    teaches=scales("−exp(−{0})/{0}"),
    domain=(NONZERO,),
)

expn = special(
    sc.expn,
    symbol="Eₙ",
    partials=("n", lambda n, x, out: _expn_slope(n, x)),
    does=Says(
        en="takes the integral E of order {0} of {1}", pt="toma a integral E de ordem {0} de {1}"
    ),
    teaches=scales_by("minus the integral of one order less", "menos a integral de ordem anterior"),
    domain=((0.0, 4.0), NONZERO),
    example=lambda rng: call(3, rng.uniform(*NONZERO, size=(3, 4))),
    promotes=True,
)


def _expn_slope(n: Any, x: Any) -> Any:
    """Return −E of one order less; below order 1 that is no integral, but a formula."""
    lower = np.maximum(n - 1, 0)
    return np.where(np.less(n, 1), -np.exp(-x) * (1.0 / x + 1.0 / (x * x)), -sc.expn(lower, x))


exprel = special(
    sc.exprel,
    symbol="(eˣ−1)/x",
    partials=(lambda x, out: 0.5 * sc.hyp1f1(2.0, 3.0, x),),
    does=Says(
        en="takes e to the power {0}, less one, over {0}",
        pt="toma e elevado a {0}, menos um, sobre {0}",
    ),
    teaches=scales("(1 + ({0} − 1) · exp {0}) / {0}²"),
    domain=(REALS,),
)

spence = special(
    sc.spence,
    symbol="Li₂",
    partials=(lambda z, out: -sc.hyp2f1(1.0, 1.0, 2.0, 1.0 - z),),
    does=Says(en="takes the dilogarithm of {0}", pt="toma o dilogaritmo de {0}"),
    teaches=scales("log {0} / (1 − {0})"),
    domain=(POSITIVE,),
)

# --- sine, hyperbolic sine, Fresnel -------------------------------------------------------------

sici = several(
    sc.sici,
    2,
    symbol="Si Ci",
    pull=lambda g, out, x: (g[0] * np.sin(x) + g[1] * np.cos(x)) / x,
    does=Says(
        en="takes the sine and cosine integrals of {0}",
        pt="toma as integrais do seno e do cosseno de {0}",
    ),
    teaches=scales_by("sin({0})/{0} and cos({0})/{0}", "sin({0})/{0} e cos({0})/{0}"),
    domain=(NONZERO,),
)

shichi = several(
    sc.shichi,
    2,
    symbol="Shi Chi",
    pull=lambda g, out, x: (g[0] * np.sinh(x) + g[1] * np.cosh(x)) / x,
    does=Says(
        en="takes the hyperbolic sine and cosine integrals of {0}",
        pt="toma as integrais do seno e do cosseno hiperbólicos de {0}",
    ),
    teaches=scales_by("sinh({0})/{0} and cosh({0})/{0}", "sinh({0})/{0} e cosh({0})/{0}"),
    domain=(NONZERO,),
)

fresnel = several(
    sc.fresnel,
    2,
    symbol="S C",
    pull=lambda g, out, x: g[0] * np.sin(_HALF_PI * x * x) + g[1] * np.cos(_HALF_PI * x * x),
    does=Says(en="takes the Fresnel integrals of {0}", pt="toma as integrais de Fresnel de {0}"),
    teaches=scales_by("the sine and cosine of π/2 · {0}²", "o seno e o cosseno de π/2 · {0}²"),
    domain=((-2.0, 2.0),),
)

# --- elliptic -----------------------------------------------------------------------------------

ellipk = special(
    sc.ellipk,
    symbol="K",
    # as a series it has no hole at 0, and so have its own slopes
    partials=(lambda m, out: math.pi / 8.0 * sc.hyp2f1(1.5, 1.5, 2.0, m),),
    does=Says(
        en="takes the complete elliptic integral K of {0}",
        pt="toma a integral elíptica completa K de {0}",
    ),
    teaches=scales("(E({0})/(1 − {0}) − K({0})) / (2·{0})"),
    domain=(_MODULUS,),
)

ellipe = special(
    sc.ellipe,
    symbol="E",
    partials=(lambda m, out: -math.pi / 8.0 * sc.hyp2f1(0.5, 1.5, 2.0, m),),
    does=Says(
        en="takes the complete elliptic integral E of {0}",
        pt="toma a integral elíptica completa E de {0}",
    ),
    teaches=scales("(E({0}) − K({0})) / (2·{0})"),
    domain=(_MODULUS,),
)

ellipkm1 = special(
    sc.ellipkm1,
    symbol="K(1−p)",
    partials=(lambda p, out: -0.5 * (sc.ellipe(1.0 - p) / p - out) / (1.0 - p),),
    does=Says(
        en="takes the complete elliptic integral K of one minus {0}",
        pt="toma a integral elíptica completa K de um menos {0}",
    ),
    teaches=scales("−(E(1 − {0})/{0} − K(1 − {0})) / (2·(1 − {0}))"),
    domain=(_INSIDE,),
)


def _root(phi: Any, m: Any) -> Any:
    return np.sqrt(1.0 - m * np.square(np.sin(phi)))


def _first_by_modulus(phi: Any, m: Any, out: Any) -> Any:
    rest = 1.0 - m
    corner = np.sin(2.0 * phi) / (4.0 * rest * _root(phi, m))
    return (sc.ellipeinc(phi, m) / rest - out) / (2.0 * m) - corner


ellipkinc = special(
    sc.ellipkinc,
    symbol="F",
    partials=(lambda phi, m, out: 1.0 / _root(phi, m), _first_by_modulus),
    does=Says(
        en="takes the incomplete elliptic integral F of the angle {0} and {1}",
        pt="toma a integral elíptica incompleta F do ângulo {0} e {1}",
    ),
    teaches=Says(
        en="gives {0} the gradient over √(1 − {1}·sin² {0}), and {1} the slope in {1}, which at "
        "zero is 0/0",
        pt="dá a {0} o gradiente sobre √(1 − {1}·sin² {0}), e a {1} a inclinação em {1}, que em "
        "zero é 0/0",
    ),
    domain=((-1.4, 1.4), _INSIDE),
)

ellipeinc = special(
    sc.ellipeinc,
    symbol="E",
    partials=(
        lambda phi, m, out: _root(phi, m),
        lambda phi, m, out: (out - sc.ellipkinc(phi, m)) / (2.0 * m),
    ),
    does=Says(
        en="takes the incomplete elliptic integral E of the angle {0} and {1}",
        pt="toma a integral elíptica incompleta E do ângulo {0} e {1}",
    ),
    teaches=Says(
        en="gives {0} the gradient times √(1 − {1}·sin² {0}), and {1} it times "
        "(E − F) / (2·{1}), which at zero is 0/0",
        pt="dá a {0} o gradiente vezes √(1 − {1}·sin² {0}), e a {1} ele vezes "
        "(E − F) / (2·{1}), que em zero é 0/0",
    ),
    domain=((-1.4, 1.4), _INSIDE),
)


@composed(sc.agm)
def _agm(a: Any, b: Any, /) -> Any:
    """Find the arithmetic-geometric mean by Gauss's formula."""
    total = a + b
    return math.pi / 4.0 * total / sc.ellipk(np.square((a - b) / total))


# --- hypergeometric -----------------------------------------------------------------------------

_NEXT = scales_by(
    "the series of the next parameters, times their ratio",
    "a série dos parâmetros seguintes, vezes a razão deles",
)

hyp0f1 = special(
    sc.hyp0f1,
    symbol="₀F₁",
    partials=("v", lambda v, z, out: sc.hyp0f1(v + 1, z) / v),
    does=Says(
        en="adds up the hypergeometric series ₀F₁ of {0} at {1}",
        pt="soma a série hipergeométrica ₀F₁ de {0} em {1}",
    ),
    teaches=_NEXT,
    domain=(POSITIVE, REALS),
    example=lambda rng: call(2, rng.uniform(*REALS, size=(3, 4))),
)

hyp1f1 = special(
    sc.hyp1f1,
    symbol="₁F₁",
    partials=("a", "b", lambda a, b, z, out: a / b * sc.hyp1f1(a + 1, b + 1, z)),
    does=Says(
        en="adds up the hypergeometric series ₁F₁ of {0} and {1} at {2}",
        pt="soma a série hipergeométrica ₁F₁ de {0} e {1} em {2}",
    ),
    teaches=_NEXT,
    domain=(POSITIVE, POSITIVE, REALS),
    example=lambda rng: call(2, 3, rng.uniform(*REALS, size=(3, 4))),
)

hyp2f1 = special(
    sc.hyp2f1,
    symbol="₂F₁",
    partials=(
        "a",
        "b",
        "c",
        lambda a, b, c, z, out: a * b / c * sc.hyp2f1(a + 1, b + 1, c + 1, z),
    ),
    does=Says(
        en="adds up the hypergeometric series ₂F₁ of {0}, {1} and {2} at {3}",
        pt="soma a série hipergeométrica ₂F₁ de {0}, {1} e {2} em {3}",
    ),
    teaches=_NEXT,
    domain=(POSITIVE, POSITIVE, POSITIVE, _MODULUS),
    example=lambda rng: call(1, 2, 3, rng.uniform(*_MODULUS, size=(3, 4))),
    promotes=True,
)

hyperu = special(
    sc.hyperu,
    symbol="U",
    partials=("a", "b", lambda a, b, x, out: -a * sc.hyperu(a + 1, b + 1, x)),
    does=Says(
        en="takes the hypergeometric function U of {0} and {1} at {2}",
        pt="toma a função hipergeométrica U de {0} e {1} em {2}",
    ),
    teaches=scales("−{0} · U({0} + 1, {1} + 1, {2})"),
    domain=(POSITIVE, POSITIVE, POSITIVE),
    example=lambda rng: call(2, 3, rng.uniform(*NONZERO, size=(3, 4))),
)
