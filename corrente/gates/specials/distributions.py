"""Probabilities of the classical distributions, most of them incomplete gammas and betas."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials import slopes
from corrente.gates.specials.forms import scales_by, special
from corrente.record import POSITIVE, REALS, call, composed
from corrente.words import Says

# --- Student's t --------------------------------------------------------------------------------


stdtr = special(
    sc.stdtr,
    symbol="t",
    partials=(
        lambda df, t, out: slopes.student_by_degrees(df, t),
        lambda df, t, out: slopes.student_density(df, t),
    ),
    does=Says(
        en="finds the probability that Student's t of {0} degrees lies below {1}",
        pt="acha a probabilidade de o t de Student de {0} graus ficar abaixo de {1}",
    ),
    teaches=scales_by(
        "the density of Student's distribution", "a densidade da distribuição de Student"
    ),
    domain=(POSITIVE, REALS),
    example=lambda rng: call(3, rng.uniform(*REALS, size=(3, 4))),
)

stdtrit = special(
    sc.stdtrit,
    symbol="t⁻¹",
    partials=(
        lambda df, p, out: -slopes.student_by_degrees(df, out) / slopes.student_density(df, out),
        lambda df, p, out: 1.0 / slopes.student_density(df, out),
    ),
    does=Says(
        en="finds the number below which Student's t of {0} degrees lies with probability {1}",
        pt="acha o número abaixo do qual o t de Student de {0} graus fica com probabilidade {1}",
    ),
    teaches=scales_by(
        "one over the density of Student's distribution at the output",
        "um sobre a densidade da distribuição de Student na saída",
    ),
    domain=(POSITIVE, (0.1, 0.9)),
    example=lambda rng: call(3, rng.uniform(0.1, 0.9, size=(3, 4))),
)

# --- chi-square and gamma -----------------------------------------------------------------------


@composed(sc.chdtr)
def _chdtr(v: Any, x: Any, /) -> Any:
    """Halve both: a chi-square number is twice a gamma one."""
    return sc.gammainc(0.5 * v, 0.5 * x)


@composed(sc.chdtrc)
def _chdtrc(v: Any, x: Any, /) -> Any:
    return sc.gammaincc(0.5 * v, 0.5 * x)


@composed(sc.chdtri)
def _chdtri(v: Any, p: Any, /) -> Any:
    return 2.0 * sc.gammainccinv(0.5 * v, p)


@composed(sc.gdtr)
def _gdtr(a: Any, b: Any, x: Any, /) -> Any:
    """Bring the rate into the number."""
    return sc.gammainc(b, a * x)


@composed(sc.gdtrc)
def _gdtrc(a: Any, b: Any, x: Any, /) -> Any:
    return sc.gammaincc(b, a * x)


@composed(sc.gdtrix)
def _gdtrix(a: Any, b: Any, p: Any, /) -> Any:
    return sc.gammaincinv(b, p) / a


# --- counts -------------------------------------------------------------------------------------


@composed(sc.pdtr)
def _pdtr(k: Any, m: Any, /) -> Any:
    """Wait for the next event: that takes a gamma-distributed time."""
    return sc.gammaincc(np.floor(k) + 1.0, m)


@composed(sc.pdtrc)
def _pdtrc(k: Any, m: Any, /) -> Any:
    return sc.gammainc(np.floor(k) + 1.0, m)


@composed(sc.bdtr)
def _bdtr(k: Any, n: Any, p: Any, /) -> Any:
    """Order n uniform numbers: the next after k is beta-distributed."""
    k, n = np.floor(k), np.floor(n)
    return sc.betaincc(k + 1.0, n - k, p)


@composed(sc.bdtrc)
def _bdtrc(k: Any, n: Any, p: Any, /) -> Any:
    k, n = np.floor(k), np.floor(n)
    return sc.betainc(k + 1.0, n - k, p)


@composed(sc.nbdtr)
def _nbdtr(k: Any, n: Any, p: Any, /) -> Any:
    return sc.betainc(np.floor(n), np.floor(k) + 1.0, p)


@composed(sc.nbdtrc)
def _nbdtrc(k: Any, n: Any, p: Any, /) -> Any:
    return sc.betaincc(np.floor(n), np.floor(k) + 1.0, p)


# --- ratios of variances ------------------------------------------------------------------------


@composed(sc.fdtr)
def _fdtr(dfn: Any, dfd: Any, x: Any, /) -> Any:
    """Turn the ratio into a share: that is beta-distributed."""
    return sc.betainc(0.5 * dfn, 0.5 * dfd, dfn * x / (dfd + dfn * x))


@composed(sc.fdtrc)
def _fdtrc(dfn: Any, dfd: Any, x: Any, /) -> Any:
    return sc.betainc(0.5 * dfd, 0.5 * dfn, dfd / (dfd + dfn * x))


@composed(sc.fdtri)
def _fdtri(dfn: Any, dfd: Any, p: Any, /) -> Any:
    share = sc.betaincinv(0.5 * dfn, 0.5 * dfd, p)
    return dfd * share / (dfn * (1.0 - share))
