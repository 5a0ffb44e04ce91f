"""The zeta functions, in both of their arguments."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.forms import refusal, scales_by, special
from corrente.record import ABOVE_ONE, NONZERO
from corrente.words import Says

# scipy.special.zeta is a plain function that calls one of two ufuncs
hurwitz = sc.zeta.__globals__["_ufuncs"]._zeta
riemann = sc.zeta.__globals__["_ufuncs"]._riemann_zeta

_FIRST = np.arange(10.0)
_BERNOULLI = sc.bernoulli(20)[2::2] / sc.factorial(np.arange(2, 21, 2))


def _by_exponent(x: Any, q: Any) -> Any:
    """Return the slope of the sum of (k + q)^−x in x: ten terms, and Euler and Maclaurin's rest.

    No division but the one by x − 1, which is the pole. Source: DLMF §25.11(iii).
    """
    logs = np.log(np.expand_dims(q, -1) + _FIRST)
    total = -np.sum(logs * np.exp(-np.expand_dims(x, -1) * logs), axis=-1)
    end = q + 10.0
    log = np.log(end)
    power, over = np.exp(-x * log), 1.0 / (x - 1.0)
    total = total - power * (end * over * (log + over) + 0.5 * log)
    rising, slope, step = x, 1.0, 1.0 / end  # x(x + 1)…, its slope in x, and a power of the end
    for k, number in enumerate(_BERNOULLI):
        total = total + power * step * float(number) * (slope - log * rising)
        for factor in (x + (2.0 * k + 1.0), x + (2.0 * k + 2.0)):
            rising, slope = rising * factor, slope * factor + rising
        step = step / (end * end)
    return total


def _mirrored(x: Any) -> Any:
    """Return the slope of Riemann's function left of zero, by its mirror at ½."""
    y = 1.0 - x
    scale = np.exp(x * math.log(2.0) + (x - 1.0) * math.log(math.pi) + sc.gammaln(y))
    turn = 0.5 * math.pi * x
    value = sc.zetac(y) + 1.0
    steep = (math.log(2.0 * math.pi) - sc.psi(y)) * value - _by_exponent(y, 1.0)
    return scale * (0.5 * math.pi * np.cos(turn) * value + np.sin(turn) * steep)


def _slope(x: Any, out: Any) -> Any:
    if np.result_type(x).kind == "c":
        refusal("zeta", "x")()
    left = np.less(x, -1.0)
    right = _by_exponent(np.where(left, 2.0, x), 1.0)
    return np.where(left, _mirrored(np.where(left, x, -3.0)), right)


zeta = special(
    hurwitz,
    name="zeta",
    symbol="ζ",
    partials=(
        lambda x, q, out: _by_exponent(x, q),
        lambda x, q, out: -x * hurwitz(x + 1, q),
    ),
    does=Says(
        en="adds up one over the power {0} of {1} and of the numbers one by one above it",
        pt="soma um sobre a potência {0} de {1} e dos números de um em um acima dele",
    ),
    teaches=Says(
        en="scales the gradient of {1} by −{0} · ζ({0} + 1, {1}), and that of {0} by the sum of "
        "the terms times minus their logarithms",
        pt="multiplica o gradiente de {1} por −{0} · ζ({0} + 1, {1}), e o de {0} pela soma dos "
        "termos vezes menos os logaritmos",
    ),
    domain=((1.5, 4.0), NONZERO),
)

_SUMS = scales_by(
    "minus the sum of log(n)/n to the power {0}", "menos a soma de log(n)/n elevado a {0}"
)
riemann_zeta = special(
    riemann,
    name="riemann_zeta",
    symbol="ζ",
    partials=(_slope,),
    does=Says(en="takes Riemann's zeta function of {0}", pt="toma a função zeta de Riemann de {0}"),
    teaches=_SUMS,
    domain=(ABOVE_ONE,),
    code=lambda names, params: f"special.zeta({names[0]})",
)

zetac = special(
    sc.zetac,
    symbol="ζ − 1",
    partials=(_slope,),
    does=Says(
        en="takes Riemann's zeta function of {0}, less one",
        pt="toma a função zeta de Riemann de {0}, menos um",
    ),
    teaches=_SUMS,
    domain=(ABOVE_ONE,),
)
