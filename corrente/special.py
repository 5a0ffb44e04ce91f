"""SciPy's special functions for traced values: `scipy.special`, made whole.

SciPy's ufuncs reach the tracer by themselves, from here as from `scipy.special`. Its plain
functions (`softmax`, `polygamma`, `factorial` …) turn their arguments into arrays first; those
with a meaningful gradient are here under the same names. Whatever else is asked of this module
is SciPy's own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sc

from corrente import nn
from corrente.errors import BadValue
from corrente.gates import networks
from corrente.gates.choices import stop_gradient
from corrente.gates.specials import load
from corrente.gates.specials.bessels import (
    spherical_in,
    spherical_jn,
    spherical_kn,
    spherical_yn,
)
from corrente.gates.specials.characteristics import (
    mathieu_even_coef,
    mathieu_odd_coef,
    obl_cv,
    obl_cv_seq,
    pro_cv,
    pro_cv_seq,
)
from corrente.gates.specials.forms import composition
from corrente.gates.specials.gammas import polygamma
from corrente.gates.specials.legendres import (
    assoc_legendre_p,
    assoc_legendre_p_all,
    legendre_p,
    legendre_p_all,
    sph_harm_y,
    sph_harm_y_all,
    sph_legendre_p,
    sph_legendre_p_all,
)
from corrente.gates.specials.sequences import (
    lmbda,
    lqmn,
    lqn,
    pbdn_seq,
    pbdv_seq,
    pbvv_seq,
    riccati_jn,
    riccati_yn,
)
from corrente.gates.specials.spheroids import (
    obl_ang1,
    obl_rad1,
    pro_ang1,
    pro_rad1,
)
from corrente.gates.ufuncs import sinc_slope
from corrente.words import Says

__all__ = [
    "assoc_legendre_p",
    "assoc_legendre_p_all",
    "comb",
    "diric",
    "factorial",
    "legendre_p",
    "legendre_p_all",
    "lmbda",
    "log_softmax",
    "logsumexp",
    "lqmn",
    "lqn",
    "mathieu_even_coef",
    "mathieu_odd_coef",
    "multigammaln",
    "obl_ang1",
    "obl_cv",
    "obl_cv_seq",
    "obl_rad1",
    "pbdn_seq",
    "pbdv_seq",
    "pbvv_seq",
    "perm",
    "polygamma",
    "pro_ang1",
    "pro_cv",
    "pro_cv_seq",
    "pro_rad1",
    "riccati_jn",
    "riccati_yn",
    "sinc_slope",
    "softmax",
    "sph_harm_y",
    "sph_harm_y_all",
    "sph_legendre_p",
    "sph_legendre_p_all",
    "spherical_in",
    "spherical_jn",
    "spherical_kn",
    "spherical_yn",
]

load()


def __getattr__(name: str) -> Any:
    return getattr(sc, name)


# --- sums in the world of exponentials ----------------------------------------------------------


@composition
def logsumexp(
    a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False
) -> Any:
    """Return log(sum(b·exp(a))) over one axis, several, or all, as `scipy.special.logsumexp`.

    `a` and the weights `b` are real and broadcast against each other; float dtypes are kept.
    With `return_sign`, returns the logarithm of the absolute value of the sum, and its sign.
    The greatest element is taken out first, so that nothing overflows.

    >>> import numpy as np, corrente as co
    >>> from corrente import special
    >>> co.grad(special.logsumexp)(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    if b is None and not return_sign:
        return networks.logsumexp(a, axis=axis, keepdims=keepdims)
    if b is not None:
        # an element of weight 0 is not in the sum, not even an infinite one
        a, b = np.where(np.equal(b, 0), -np.inf, a), b * np.ones_like(a)
    top = stop_gradient(np.max(a, axis=axis, keepdims=True))
    top = np.where(np.isfinite(top), top, 0.0)
    parts = np.exp(a - top) if b is None else b * np.exp(a - top)
    total = np.sum(parts, axis=axis, keepdims=True)
    sign = np.sign(total)
    if not keepdims:
        total, sign, top = (np.squeeze(x, axis=axis) for x in (total, sign, top))
    with np.errstate(divide="ignore"):  # the logarithm of an empty sum is −∞
        if return_sign:
            return np.log(np.abs(total)) + top, sign
        return np.log(total) + top


@composition
def softmax(x: Any, axis: Any = None) -> Any:
    """Return exp(x) / sum(exp(x)) over an axis, or over all elements, as SciPy does.

    `x` is real, of any shape; shape and float dtype are kept.

    >>> from corrente import special
    >>> special.softmax([1000.0, 1000.0])
    array([0.5, 0.5])
    """
    return nn.softmax(x, axis=axis)


@composition
def log_softmax(x: Any, axis: Any = None) -> Any:
    """Return the logarithm of softmax over an axis, or over all elements, as SciPy does.

    `x` is real, of any shape; shape and float dtype are kept.

    >>> from corrente import special
    >>> special.log_softmax([0.0, 1e4])
    array([-10000.,      0.])
    """
    return nn.log_softmax(x, axis=axis)


# --- gammas -------------------------------------------------------------------------------------


@composition
def multigammaln(a: Any, d: int) -> Any:
    """Return the logarithm of the multivariate gamma function of dimension d, elementwise.

    `a` is real and greater than (d − 1)/2; `d` is a whole number. Raises BadValue for another
    `d` or `a`. Formula: as in `scipy.special.multigammaln`.

    >>> from corrente import special
    >>> round(float(special.multigammaln(3.0, 2)), 6)
    1.550195
    """
    if d != int(d) or d < 1 or np.any(np.less_equal(a, 0.5 * (d - 1))):
        raise BadValue(
            Says(
                "multigammaln was given the dimension {0}, or a number that is not above {1}.",
                "multigammaln recebeu a dimensão {0}, ou um número que não passa de {1}.",
            ).fill(d, 0.5 * (d - 1)),
            Says(
                "give a whole number d ≥ 1, and a > (d − 1)/2.",
                "dê um inteiro d ≥ 1, e a > (d − 1)/2.",
            ),
        )
    out = 0.25 * d * (d - 1) * math.log(math.pi)
    for j in range(int(d)):
        out = out + sc.gammaln(a - 0.5 * j)
    return out


@composition
def factorial(n: Any, exact: bool = False) -> Any:
    """Return n! = Γ(n + 1), elementwise; 0 for n < 0.

    `n` is real, of any shape. `exact=True` is for whole numbers alone: then nothing is traced,
    and SciPy answers. Source: `scipy.special.factorial`.

    >>> from corrente import special
    >>> float(special.factorial(4.0))
    24.0
    """
    if exact:
        return sc.factorial(n, exact=True)
    return np.where(np.less(n, 0), 0.0, sc.gamma(np.where(np.less(n, 0), 0.0, n) + 1.0))


@composition
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> Any:
    """Return the number of ways to choose k of N, elementwise; 0 where k < 0 or k > N.

    `N` and `k` are real and broadcast; with `repetition`, things may be chosen again.
    `exact=True` is for whole numbers alone, and SciPy answers. Source: `scipy.special.comb`.

    >>> from corrente import special
    >>> round(float(special.comb(5.0, 2.0)), 9)
    10.0
    """
    if exact:
        return sc.comb(N, k, exact=True, repetition=repetition)
    if repetition:
        N = N + k - 1
    none = _none_chosen(N, k)
    return np.where(none, 0.0, sc.binom(np.where(none, 1.0, N), np.where(none, 0.5, k)))


@composition
def perm(N: Any, k: Any, exact: bool = False) -> Any:
    """Return the number of ordered choices of k of N, elementwise; 0 where k < 0 or k > N.

    `N` and `k` are real and broadcast. `exact=True` is for whole numbers alone, and SciPy
    answers. Source: `scipy.special.perm`.

    >>> from corrente import special
    >>> round(float(special.perm(5.0, 2.0)), 9)
    20.0
    """
    if exact:
        return sc.perm(N, k, exact=True)
    none = _none_chosen(N, k)
    N, k = np.where(none, 1.0, N), np.where(none, 0.5, k)
    return np.where(none, 0.0, sc.poch(N - k + 1.0, k))


def _none_chosen(N: Any, k: Any) -> Any:
    return np.less(k, 0) | np.less(N, 0) | np.greater(k, N)


# --- waves --------------------------------------------------------------------------------------


@composition
def diric(x: Any, n: Any) -> Any:
    """Return the periodic sinc function sin(n·x/2) / (n·sin(x/2)), elementwise.

    `x` is real, of any shape; `n` is a whole number > 0. Source: `scipy.special.diric`.

    >>> from corrente import special
    >>> float(special.diric(0.0, 5))
    1.0
    """
    turns = np.rint(x / (2.0 * math.pi))
    inside = (x - 2.0 * math.pi * turns) / (2.0 * math.pi)
    sign = 1.0 - 2.0 * np.remainder(turns * (n - 1), 2)
    return sign * np.sinc(n * inside) / np.sinc(inside)


# a function reached through a protocol is a wrapper, and doctest passes wrappers over
__test__ = {name: globals()[name] for name in __all__ if globals()[name].__module__ == __name__}
