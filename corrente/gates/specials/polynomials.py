"""Orthogonal polynomials: the slope of each is one of lower degree, of the next family."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.forms import scales_by, special
from corrente.record import Call, Interval, call
from corrente.words import Says

_INSIDE: Interval = (-0.9, 0.9)
_DEGREE: Interval = (0.0, 5.0)
_LOWER = scales_by(
    "the polynomial of one degree less of the next family, times a number",
    "o polinômio de um grau a menos da família seguinte, vezes um número",
)


def _polynomial(
    of: Callable[..., Any],
    symbol: str,
    slope: Callable[..., Any],
    named: str,
    *fixed: str,
    domain: Interval = _INSIDE,
) -> Any:
    """Record a family of polynomials; degree and parameters are data, x is differentiated."""
    place = len(fixed)

    def partial(n: Any, *rest: Any) -> Any:
        # of degree 0 nothing is left
        *parameters, x, _ = rest
        return np.where(np.less(n, 1), 0.0, slope(np.maximum(n - 1, 0), *parameters, x))

    def example(rng: np.random.Generator) -> Call:
        return call(3, *range(1, place), rng.uniform(*domain, size=(3, 4)))

    return special(
        of,
        symbol=symbol,
        partials=(*fixed, partial),
        does=Says(
            en=f"evaluates the {named} polynomial of degree {{0}} at {{{place}}}",
            pt=f"calcula o polinômio de {named} de grau {{0}} em {{{place}}}",
        ),
        teaches=_LOWER,
        domain=(_DEGREE, *((0.5, 2.0),) * (place - 1), domain),
        example=example,
        promotes=True,
    )


def _gegenbauer(m: Any, alpha: Any, x: Any) -> Any:
    return sc.eval_gegenbauer(m, alpha, x)


legendre = _polynomial(sc.eval_legendre, "Pₙ", lambda m, x: _gegenbauer(m, 1.5, x), "Legendre", "n")
sh_legendre = _polynomial(
    sc.eval_sh_legendre,
    "P*ₙ",
    lambda m, x: 2.0 * _gegenbauer(m, 1.5, 2.0 * x - 1.0),
    "Legendre",
    "n",
)
chebyt = _polynomial(
    sc.eval_chebyt, "Tₙ", lambda m, x: (m + 1) * sc.eval_chebyu(m, x), "Chebyshev", "n"
)
chebyu = _polynomial(
    sc.eval_chebyu, "Uₙ", lambda m, x: 2.0 * _gegenbauer(m, 2.0, x), "Chebyshev", "n"
)
chebyc = _polynomial(
    sc.eval_chebyc, "Cₙ", lambda m, x: (m + 1) * sc.eval_chebys(m, x), "Chebyshev", "n"
)
chebys = _polynomial(
    sc.eval_chebys, "Sₙ", lambda m, x: _gegenbauer(m, 2.0, 0.5 * x), "Chebyshev", "n"
)
sh_chebyt = _polynomial(
    sc.eval_sh_chebyt,
    "T*ₙ",
    lambda m, x: 2.0 * (m + 1) * sc.eval_sh_chebyu(m, x),
    "Chebyshev",
    "n",
)
sh_chebyu = _polynomial(
    sc.eval_sh_chebyu,
    "U*ₙ",
    lambda m, x: 4.0 * _gegenbauer(m, 2.0, 2.0 * x - 1.0),
    "Chebyshev",
    "n",
)
hermite = _polynomial(
    sc.eval_hermite, "Hₙ", lambda m, x: 2.0 * (m + 1) * sc.eval_hermite(m, x), "Hermite", "n"
)
hermitenorm = _polynomial(
    sc.eval_hermitenorm, "Heₙ", lambda m, x: (m + 1) * sc.eval_hermitenorm(m, x), "Hermite", "n"
)
laguerre = _polynomial(
    sc.eval_laguerre, "Lₙ", lambda m, x: -sc.eval_genlaguerre(m, 1.0, x), "Laguerre", "n"
)
genlaguerre = _polynomial(
    sc.eval_genlaguerre,
    "Lₙα",
    lambda m, alpha, x: -sc.eval_genlaguerre(m, alpha + 1.0, x),
    "Laguerre",
    "n",
    "alpha",
)
gegenbauer = _polynomial(
    sc.eval_gegenbauer,
    "Cₙα",
    lambda m, alpha, x: 2.0 * alpha * _gegenbauer(m, alpha + 1.0, x),
    "Gegenbauer",
    "n",
    "alpha",
)
jacobi = _polynomial(
    sc.eval_jacobi,
    "Pₙαβ",
    lambda m, alpha, beta, x: (
        0.5 * (m + alpha + beta + 2.0) * sc.eval_jacobi(m, alpha + 1.0, beta + 1.0, x)
    ),
    "Jacobi",
    "n",
    "alpha",
    "beta",
)
