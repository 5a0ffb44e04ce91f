"""The bell curve and its areas: error functions and the normal distribution."""

from __future__ import annotations

import math

import numpy as np
from scipy import special as sc

from corrente.gates.specials.forms import scales, special
from corrente.record import REALS
from corrente.words import Says

_TOP = 2.0 / math.sqrt(math.pi)
_ROOT_TAU = math.sqrt(2.0 * math.pi)
_ROOT_HALF = math.sqrt(0.5)
_INSIDE = (0.1, 0.9)

erf = special(
    sc.erf,
    symbol="erf",
    partials=(lambda x, out: _TOP * np.exp(-x * x),),
    does=Says(en="takes the error function of {0}", pt="toma a função erro de {0}"),
    teaches=scales("2/√π · exp(−{0}²)"),
    domain=(REALS,),
)

erfc = special(
    sc.erfc,
    symbol="erfc",
    partials=(lambda x, out: -_TOP * np.exp(-x * x),),
    does=Says(
        en="takes one minus the error function of {0}",
        pt="toma um menos a função erro de {0}",
    ),
    teaches=scales("−2/√π · exp(−{0}²)"),
    domain=(REALS,),
)

erfcx = special(
    sc.erfcx,
    symbol="erfcx",
    partials=(lambda x, out: 2.0 * x * out - _TOP,),
    does=Says(
        en="takes the complementary error function of {0}, times e to the square of {0}",
        pt="toma a função erro complementar de {0}, vezes e elevado ao quadrado de {0}",
    ),
    teaches=scales("2 · {0} · erfcx({0}) − 2/√π"),
    domain=(REALS,),
)

erfi = special(
    sc.erfi,
    symbol="erfi",
    partials=(lambda x, out: _TOP * np.exp(x * x),),
    does=Says(
        en="takes the imaginary error function of {0}",
        pt="toma a função erro imaginária de {0}",
    ),
    teaches=scales("2/√π · exp({0}²)"),
    domain=((-1.5, 1.5),),
)

dawsn = special(
    sc.dawsn,
    symbol="D",
    partials=(lambda x, out: 1.0 - 2.0 * x * out,),
    does=Says(en="takes the Dawson integral of {0}", pt="toma a integral de Dawson de {0}"),
    teaches=scales("1 − 2 · {0} · D({0})"),
    domain=(REALS,),
)

erfinv = special(
    sc.erfinv,
    symbol="erf⁻¹",
    partials=(lambda x, out: np.exp(out * out) / _TOP,),
    does=Says(
        en="finds the number whose error function is {0}",
        pt="acha o número cuja função erro é {0}",
    ),
    teaches=scales("√π/2 · exp(erf⁻¹({0})²)"),
    domain=((-0.9, 0.9),),
)

erfcinv = special(
    sc.erfcinv,
    symbol="erfc⁻¹",
    partials=(lambda x, out: -np.exp(out * out) / _TOP,),
    does=Says(
        en="finds the number whose complementary error function is {0}",
        pt="acha o número cuja função erro complementar é {0}",
    ),
    teaches=scales("−√π/2 · exp(erfc⁻¹({0})²)"),
    domain=((0.1, 1.9),),
)

wofz = special(
    sc.wofz,
    symbol="w",
    partials=(lambda z, out: 1j * _TOP - 2.0 * z * out,),
    does=Says(en="takes the Faddeeva function of {0}", pt="toma a função de Faddeeva de {0}"),
    teaches=scales("2i/√π − 2 · {0} · w({0})"),
    domain=(REALS,),
    promotes=True,
)

ndtr = special(
    sc.ndtr,
    symbol="Φ",
    partials=(lambda x, out: np.exp(-0.5 * x * x) / _ROOT_TAU,),
    does=Says(
        en="finds the probability that a standard normal number lies below {0}",
        pt="acha a probabilidade de um número normal padrão ficar abaixo de {0}",
    ),
    teaches=scales("exp(−{0}²/2) / √(2π)"),
    domain=(REALS,),
)

log_ndtr = special(
    sc.log_ndtr,
    symbol="log Φ",
    # the bell over its own area, without either of them: both vanish on the far left
    partials=(lambda x, out: _ROOT_HALF * _TOP / sc.erfcx(-_ROOT_HALF * x),),
    does=Says(
        en="finds the logarithm of the probability that a standard normal number lies below {0}",
        pt="acha o logaritmo da probabilidade de um número normal padrão ficar abaixo de {0}",
    ),
    teaches=scales("exp(−{0}²/2) / √(2π) / Φ({0})"),
    domain=(REALS,),
)

ndtri = special(
    sc.ndtri,
    symbol="Φ⁻¹",
    partials=(lambda p, out: _ROOT_TAU * np.exp(0.5 * out * out),),
    does=Says(
        en="finds the number below which a standard normal one lies with probability {0}",
        pt="acha o número abaixo do qual um normal padrão fica com probabilidade {0}",
    ),
    teaches=scales("√(2π) · exp(Φ⁻¹({0})²/2)"),
    domain=(_INSIDE,),
)

ndtri_exp = special(
    sc.ndtri_exp,
    symbol="Φ⁻¹(eˣ)",
    partials=(lambda y, out: _ROOT_TAU * np.exp(y + 0.5 * out * out),),
    does=Says(
        en="finds the number below which a standard normal one lies with log-probability {0}",
        pt="acha o número abaixo do qual um normal padrão fica com log-probabilidade {0}",
    ),
    teaches=scales("√(2π) · exp({0} + Φ⁻¹(exp {0})²/2)"),
    domain=((-3.0, -0.1),),
)

owens_t = special(
    sc.owens_t,
    symbol="T",
    partials=(
        lambda h, a, out: -np.exp(-0.5 * h * h) * sc.erf(_ROOT_HALF * a * h) / (2.0 * _ROOT_TAU),
        lambda h, a, out: np.exp(-0.5 * h * h * (1.0 + a * a)) / (2.0 * math.pi * (1.0 + a * a)),
    ),
    does=Says(
        en="takes Owen's T function of {0} and {1}", pt="toma a função T de Owen de {0} e {1}"
    ),
    teaches=Says(
        en="gives {0} the gradient times −exp(−{0}²/2) · erf({0}·{1}/√2) / √(8π), "
        "and {1} it times exp(−{0}²·(1 + {1}²)/2) / (2π·(1 + {1}²))",
        pt="dá a {0} o gradiente vezes −exp(−{0}²/2) · erf({0}·{1}/√2) / √(8π), "
        "e a {1} ele vezes exp(−{0}²·(1 + {1}²)/2) / (2π·(1 + {1}²))",
    ),
    domain=(REALS, REALS),
)
