"""How the classical probabilities move with each of their arguments, in plain NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.forms import weak

Slope = Callable[..., Any]
Law = dict[str, Slope | None]
"""The slope of a probability in each of its arguments, by name; None where there is no formula."""

# --- integrals over the shape -------------------------------------------------------------------

# the double exponential rule on (0, 1), which stands any power and logarithm at either end
_STEP = 1.0 / 32.0
_PLACES = np.arange(-160, 161) * _STEP
_LOG_SHARE = -np.logaddexp(0.0, -np.pi * np.sinh(_PLACES))
_LOG_REST = -np.logaddexp(0.0, np.pi * np.sinh(_PLACES))
_SHARE, _REST = np.exp(_LOG_SHARE), np.exp(_LOG_REST)
_WEIGHTS = _STEP * np.pi * np.cosh(_PLACES) * _REST


def _apart(*ins: Any) -> tuple[Any, ...]:
    """Give each input an axis at the end, along which an integral is added up."""
    return tuple(np.expand_dims(x, -1) for x in ins)


def _total(parts: Any) -> Any:
    return np.sum(parts, axis=-1)


def gamma_density(a: Any, x: Any) -> Any:
    """Return the density of the gamma distribution of shape a, through logarithms."""
    return np.exp(sc.xlogy(a - 1.0, x) - x - weak(sc.gammaln, a))


def gamma_by_shape(a: Any, x: Any) -> Any:
    """Return the slope of P(a, x) in a: the density times how its logarithm moves, added up.

    The integral is that of the next shape, whose density is never infinite; P moves from the one
    to the other by x^a exp(−x) / Γ(a + 1). Beyond the peak of the density it is taken over the
    rest, which is as much below zero. Source: DLMF §8.8.
    """
    inside = np.greater(x, 0.0) & np.less(x, np.inf)
    x = np.where(inside, x, 1.0)
    step = np.exp(sc.xlogy(a, x) - x - sc.gammaln(a + 1.0))
    corner = step * (np.log(x) - sc.psi(a + 1.0))
    a, x = _apart(a + 1.0, x)
    turn = np.where(np.greater(x, a), -1.0, 1.0)
    log_share = turn * _LOG_SHARE
    log_t = np.log(x) + log_share
    mass = np.exp(a * log_t - x * np.exp(log_share) - sc.gammaln(a)) * (turn * _WEIGHTS)
    return np.where(inside, corner + _total(mass * (log_t - sc.psi(a))), 0.0)


def beta_density(a: Any, b: Any, x: Any) -> Any:
    """Return the density of the beta distribution of shape a and b, through logarithms."""
    return np.exp(sc.xlogy(a - 1.0, x) + sc.xlog1py(b - 1.0, -x) - weak(sc.betaln, a, b))


def _beta_flow(a: Any, b: Any, x: Any) -> Any:
    """Return the density times x(1 − x), which is finite at both ends."""
    return np.exp(sc.xlogy(a, x) + sc.xlog1py(b, -x) - weak(sc.betaln, a, b))


def _beta_by(a: Any, b: Any, x: Any, first: bool) -> Any:
    """Return the slope of I(a, b, x) in a or b; beyond the mean, minus that of the mirror image.

    As for the gamma law, the integral is that of the next shape.
    """
    inside = np.greater(x, 0.0) & np.less(x, 1.0)
    x = np.where(inside, x, 0.5)
    far = np.greater(x * (a + b), a)
    own = far != first  # whether the shape moved is that of the end integrated from
    turn = np.where(far, -1.0, 1.0)
    log_x, log_rest = np.log(x), np.log1p(-x)
    log_x, log_rest = np.where(far, log_rest, log_x), np.where(far, log_x, log_rest)
    a, b, x = np.where(far, b, a), np.where(far, a, b), np.where(far, 1.0 - x, x)
    whole = a + b
    scale = sc.gammaln(whole) - sc.gammaln(a + 1.0) - sc.gammaln(b)
    step = np.exp(a * log_x + b * log_rest + scale)
    moved = np.where(own, log_x - sc.psi(a + 1.0), log_rest - sc.psi(b)) + sc.psi(whole)
    corner = turn * step * moved
    a, b, x, log_x, own, turn = _apart(a + 1.0, b, x, log_x, own, turn)
    log_t = log_x + _LOG_SHARE
    log_rest = np.log((1.0 - x) + x * _REST)
    mass = np.exp(a * log_t + (b - 1.0) * log_rest - sc.betaln(a, b)) * (turn * _WEIGHTS)
    moved = np.where(own, log_t - sc.psi(a), log_rest - sc.psi(b)) + sc.psi(a + b)
    return np.where(inside, corner + _total(mass * moved), 0.0)


def beta_by_first(a: Any, b: Any, x: Any) -> Any:
    """Return the slope of I(a, b, x) in a. Source: DLMF §8.17."""
    return _beta_by(a, b, x, True)


def beta_by_second(a: Any, b: Any, x: Any) -> Any:
    """Return the slope of I(a, b, x) in b. Source: DLMF §8.17."""
    return _beta_by(a, b, x, False)


# --- laws of gammas and betas -------------------------------------------------------------------

BETA: Law = {"a": beta_by_first, "b": beta_by_second, "x": beta_density}

CHI_SQUARE: Law = {
    "v": lambda v, x: 0.5 * gamma_by_shape(0.5 * v, 0.5 * x),
    "x": lambda v, x: 0.5 * gamma_density(0.5 * v, 0.5 * x),
}

GAMMA: Law = {
    "a": lambda a, b, x: x * gamma_density(b, a * x),
    "b": lambda a, b, x: gamma_by_shape(b, a * x),
    "x": lambda a, b, x: a * gamma_density(b, a * x),
}

POISSON: Law = {
    "k": lambda k, m: -gamma_by_shape(k + 1.0, m),
    "m": lambda k, m: -gamma_density(k + 1.0, m),
}

BINOMIAL: Law = {
    "k": lambda k, n, p: beta_by_second(k + 1.0, n - k, p) - beta_by_first(k + 1.0, n - k, p),
    "n": lambda k, n, p: -beta_by_second(k + 1.0, n - k, p),
    "p": lambda k, n, p: -beta_density(k + 1.0, n - k, p),
}

NEGATIVE_BINOMIAL: Law = {
    "k": lambda k, n, p: beta_by_second(n, k + 1.0, p),
    "n": lambda k, n, p: beta_by_first(n, k + 1.0, p),
    "p": lambda k, n, p: beta_density(n, k + 1.0, p),
}


def _share(dfn: Any, dfd: Any, x: Any) -> tuple[Any, Any, Any]:
    """Turn a ratio of variances into a share: its shape, and itself."""
    return 0.5 * dfn, 0.5 * dfd, dfn * x / (dfd + dfn * x)


def _share_slope(dfn: Any, dfd: Any, x: Any) -> Any:
    """Return how the probability moves when the logarithm of the ratio does."""
    return _beta_flow(*_share(dfn, dfd, x))


RATIO: Law = {
    "dfn": lambda dfn, dfd, x: (
        0.5 * beta_by_first(*_share(dfn, dfd, x)) + _share_slope(dfn, dfd, x) / dfn
    ),
    "dfd": lambda dfn, dfd, x: (
        0.5 * beta_by_second(*_share(dfn, dfd, x)) - _share_slope(dfn, dfd, x) / dfd
    ),
    "x": lambda dfn, dfd, x: _share_slope(dfn, dfd, x) / x,
}


def student_by_degrees(df: Any, t: Any) -> Any:
    """Return the slope of Student's probability in the degrees of freedom.

    Near the middle it is what moves between there and t, for which zero is no special place;
    far from it, what moves in the tail.
    """
    near = np.less(t * t, df)
    out = np.where(near, 1.0, t)
    share = df / (df + out * out)
    bent = _beta_flow(0.5 * df, 0.5, share) / df
    tail = -0.5 * np.sign(out) * (0.5 * beta_by_first(0.5 * df, 0.5, share) + bent)
    return np.where(near, _student_from_zero(df, np.where(near, t, 0.0)), tail)


def _student_from_zero(df: Any, t: Any) -> Any:
    df, t = _apart(df, t)
    s = t * _SHARE
    mass = student_density(df, s) * t * (_SHARE * _WEIGHTS)
    moved = sc.psi(0.5 * (df + 1.0)) - sc.psi(0.5 * df) - 1.0 / df - np.log1p(s * s / df)
    return 0.5 * _total(mass * (moved + (df + 1.0) / df * s * s / (df + s * s)))


def student_density(df: Any, t: Any) -> Any:
    """Return the density of Student's distribution, through logarithms."""
    tail = 0.5 * (df + 1.0) * np.log1p(t * t / df)
    return np.exp(-weak(sc.betaln, 0.5 * df, 0.5) - tail) / weak(np.sqrt, 1.0 * df)


STUDENT: Law = {"df": student_by_degrees, "t": student_density}

# --- noncentral laws ----------------------------------------------------------------------------


def _noncentral_density(x: Any, df: Any, nc: Any) -> Any:
    """Return the density, by a series at zero and by a scaled Bessel function far from it."""
    half, far = 0.5 * df, np.greater(nc * x, 1e3)
    near = np.where(far, 1.0, x)
    scale = sc.xlogy(half - 1.0, 0.5 * near) - 0.5 * (near + nc) - weak(sc.gammaln, half)
    first = np.exp(scale) * sc.hyp0f1(half, np.where(far, 1.0, 0.25 * nc * x))
    x, nc = np.sqrt(np.where(far, x, 1.0)), np.sqrt(np.where(far, nc, 1.0))
    bent = np.exp(-0.5 * np.square(x - nc)) * np.power(x / nc, half - 1.0)
    return 0.5 * np.where(far, bent * sc.ive(half - 1.0, x * nc), first)


NONCENTRAL_CHI_SQUARE: Law = {
    "x": _noncentral_density,
    "df": None,
    # one more event of the Poisson mixture gives two more degrees of freedom
    "nc": lambda x, df, nc: -_noncentral_density(x, df + 2.0, nc),
}


def _mixed_share(dfn: Any, dfd: Any, nc: Any, f: Any, shift: float) -> Any:
    """Return the Poisson mixture of y^a (1 − y)^b / B(a, b), or with a shift that of its step.

    By Kummer's transformation, which leaves no great number to be made small again.
    """
    a, b, y = _share(dfn, dfd, f)
    scale = sc.xlogy(a, y) + sc.xlog1py(b, -y) - weak(sc.betaln, a, b)
    scale = scale - 0.5 * nc * (1.0 - y)
    return np.exp(scale) * sc.hyp1f1(shift - b, a + shift, -0.5 * nc * y)


NONCENTRAL_RATIO: Law = {
    "dfn": None,
    "dfd": None,
    "nc": lambda dfn, dfd, nc, f: -_mixed_share(dfn, dfd, nc, f, 1.0) / dfn,
    "f": lambda dfn, dfd, nc, f: _mixed_share(dfn, dfd, nc, f, 0.0) / f,
}

_EVEN = np.linspace(0.0, 1.0, 401)


def _spread(df: Any) -> tuple[Any, Any, Any]:
    """Return deviations s of df degrees of freedom, their logarithms, and the mass at each."""
    wide = np.sqrt(40.0 / df)
    low = -wide - 40.0 / df  # the mass outside is e⁻⁴⁰ of what is inside
    log_s = low + (wide - low) * _EVEN
    s = np.exp(log_s)
    half = 0.5 * df
    scale = half * np.log(half) - sc.gammaln(half) + df * (log_s - 0.5 * s * s)
    return s, log_s, 2.0 * np.exp(scale) * (wide - low) * _EVEN[1]


def _bell(z: Any) -> Any:
    return np.exp(-0.5 * z * z) / math.sqrt(2.0 * math.pi)


def _noncentral_by_degrees(df: Any, nc: Any, t: Any) -> Any:
    df, nc, t = _apart(df, nc, t)
    s, log_s, mass = _spread(df)
    moved = log_s + 0.5 * (1.0 - s * s + np.log(0.5 * df) - sc.psi(0.5 * df))
    return _total(sc.ndtr(t * s - nc) * mass * moved)


def _noncentral_by_shift(df: Any, nc: Any, t: Any) -> Any:
    df, nc, t = _apart(df, nc, t)
    s, _, mass = _spread(df)
    return -_total(_bell(t * s - nc) * mass)


def _noncentral_student_density(df: Any, nc: Any, t: Any) -> Any:
    df, nc, t = _apart(df, nc, t)
    s, _, mass = _spread(df)
    return _total(s * _bell(t * s - nc) * mass)


NONCENTRAL_STUDENT: Law = {
    "df": _noncentral_by_degrees,
    "nc": _noncentral_by_shift,
    "t": _noncentral_student_density,
}

# --- Kolmogorov and Smirnov ---------------------------------------------------------------------

_TURNS = np.arange(1.0, 7.0)
_CORNERS = np.square(2.0 * np.arange(1.0, 5.0) - 1.0) * math.pi**2 / 8.0


def kolmogorov_slope(y: Any) -> Any:
    """Return the slope of Kolmogorov's tail: one theta series far out, its mirror near zero."""
    far, some = np.greater(y, 0.9), np.greater(y, 0.02)
    (out,) = _apart(np.where(far, y, 1.0))
    signs = np.where(_TURNS % 2 == 1, -8.0, 8.0)
    beyond = _total(signs * np.square(_TURNS) * out * np.exp(-2.0 * np.square(_TURNS * out)))
    (near,) = _apart(np.where(far | ~some, 0.5, y))
    rate = _CORNERS / (near * near)
    within = math.sqrt(2.0 * math.pi) * _total((1.0 - 2.0 * rate) * np.exp(-rate) / (near * near))
    return np.where(far, beyond, np.where(some, within, 0.0))


def smirnov_slope(n: Any, d: Any) -> Any:
    """Return the slope of Smirnov's tail in d: the sum of Birnbaum and Tingey, term by term."""
    inside = np.greater(d, 0.0)  # and above 1 no term is held
    n, x = _apart(n, np.where(inside, d, 0.5))
    j = np.arange(int(np.max(n)))
    below = x + j / n
    above = 1.0 - below
    held = np.greater(above, 0.0)
    above = np.where(held, above, 1.0)
    ways = sc.gammaln(n + 1.0) - sc.gammaln(j + 1.0) - sc.gammaln(np.maximum(n - j, 0) + 1.0)
    term = np.exp(ways + (j - 1.0) * np.log(below) + (n - j) * np.log(above))
    moved = 1.0 + x * ((j - 1.0) / below - (n - j) / above)
    return np.where(inside, _total(np.where(held, term * moved, 0.0)), 0.0)


# --- Tukey's lambda -----------------------------------------------------------------------------


def _tukey(lmbda: Any, out: Any) -> tuple[Any, Any, Any]:
    """Return where the density is not zero, a probability to work with, and the density there."""
    inside = np.greater(out, 0.0) & np.less(out, 1.0)
    p = np.where(inside, out, 0.5)
    return inside, p, 1.0 / (np.power(p, lmbda - 1.0) + np.power(1.0 - p, lmbda - 1.0))


def tukey_density(x: Any, lmbda: Any, out: Any) -> Any:
    """Return the density of Tukey's lambda distribution, by the probability reached."""
    inside, _, density = _tukey(lmbda, out)
    return np.where(inside, density, 0.0)


def tukey_by_lambda(x: Any, lmbda: Any, out: Any) -> Any:
    """Return the slope of the probability in lambda, which has no hole at zero."""
    inside, p, density = _tukey(lmbda, out)
    moved = _power_slope(np.log1p(-p), lmbda) - _power_slope(np.log(p), lmbda)
    return np.where(inside, density * moved, 0.0)


def _power_slope(log_p: Any, lmbda: Any) -> Any:
    """Return the slope in lambda of (p^lambda − 1) / lambda."""
    return 0.5 * log_p * log_p * sc.hyp1f1(2.0, 3.0, lmbda * log_p)
