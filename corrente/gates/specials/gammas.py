"""Factorials between the whole numbers: gamma, beta and their relatives."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials import slopes
from corrente.gates.specials.forms import public, scales, scales_by, special
from corrente.record import NONZERO, POSITIVE, Interval, call
from corrente.words import Says

_INSIDE: Interval = (0.1, 0.9)
_COUNT: Interval = (3.5, 6.0)

# --- gamma and its logarithm --------------------------------------------------------------------

gamma = special(
    sc.gamma,
    symbol="Γ",
    partials=(lambda x, out: out * sc.psi(x),),
    does=Says(en="takes the gamma function of {0}", pt="toma a função gama de {0}"),
    teaches=scales("Γ({0}) · ψ({0})"),
    domain=(POSITIVE,),
)

gammaln = special(
    sc.gammaln,
    symbol="log Γ",
    partials=(lambda x, out: sc.psi(x),),
    does=Says(
        en="takes the logarithm of the gamma function of {0}",
        pt="tira o logaritmo da função gama de {0}",
    ),
    teaches=scales_by(
        "the digamma function of its input",
        "a função digama da entrada",
    ),
    domain=(POSITIVE,),
)

loggamma = special(
    sc.loggamma,
    symbol="log Γ",
    partials=(lambda x, out: sc.psi(x),),
    does=Says(
        en="takes the principal logarithm of the gamma function of {0}",
        pt="tira o logaritmo principal da função gama de {0}",
    ),
    teaches=scales_by(
        "the digamma function of its input",
        "a função digama da entrada",
    ),
    domain=(POSITIVE,),
)

rgamma = special(
    sc.rgamma,
    symbol="1/Γ",
    partials=(lambda x, out: -out * sc.psi(x),),
    does=Says(
        en="takes one over the gamma function of {0}",
        pt="toma um sobre a função gama de {0}",
    ),
    teaches=scales("−ψ({0}) / Γ({0})"),
    domain=(POSITIVE,),
)

gammasgn = special(
    sc.gammasgn,
    symbol="sign Γ",
    partials=None,
    does=Says(
        en="keeps only the sign of the gamma function of {0}",
        pt="guarda só o sinal da função gama de {0}",
    ),
    teaches=Says(
        en="lets no gradient through: the sign does not move when its input does",
        pt="não deixa passar gradiente: o sinal não se move quando a entrada se move",
    ),
    domain=(POSITIVE,),
)

psi = special(
    sc.psi,
    *(() if sc.digamma is sc.psi else (sc.digamma,)),
    symbol="ψ",
    partials=(lambda x, out: polygamma(1, x),),
    does=Says(en="takes the digamma function of {0}", pt="toma a função digama de {0}"),
    teaches=scales_by("the trigamma function of its input", "a função trigama da entrada"),
    domain=(POSITIVE,),
)


@public
def polygamma(n: Any, x: Any) -> Any:
    """Return the derivative of order n of the digamma function at x, elementwise.

    `n` holds whole numbers ≥ 0 and broadcasts against `x`, which is real; its float dtype is
    kept. In `n` there is no derivative. Source: DLMF §5.15, through `scipy.special.polygamma`.

    >>> from corrente import special
    >>> round(float(special.polygamma(1, 1.0)), 6)
    1.644934
    """
    dtype = np.result_type(x)
    out = sc.polygamma(n, x)
    return out.astype(dtype)[()] if dtype.kind == "f" else out[()]


polygamma_gate = special(
    polygamma,
    symbol="ψ⁽ⁿ⁾",
    partials=("n", lambda n, x, out: polygamma(n + 1, x)),
    does=Says(
        en="takes the derivative of order {0} of the digamma function at {1}",
        pt="toma a derivada de ordem {0} da função digama em {1}",
    ),
    teaches=scales_by(
        "the polygamma function of the next order", "a função poligama da ordem seguinte"
    ),
    domain=((0.0, 4.0), NONZERO),
    example=lambda rng: call(2, rng.uniform(0.5, 3.0, size=(3, 4))),
)

# --- beta, binomials and rising products --------------------------------------------------------

beta = special(
    sc.beta,
    symbol="B",
    partials=(
        lambda a, b, out: out * (sc.psi(a) - sc.psi(a + b)),
        lambda a, b, out: out * (sc.psi(b) - sc.psi(a + b)),
    ),
    does=Says(en="takes the beta function of {0} and {1}", pt="toma a função beta de {0} e {1}"),
    teaches=Says(
        en="gives each input the gradient times B({0}, {1}) and its own digamma "
        "minus that of the sum",
        pt="dá a cada entrada o gradiente vezes B({0}, {1}) e a sua própria digama menos a da soma",
    ),
    domain=(POSITIVE, POSITIVE),
)

betaln = special(
    sc.betaln,
    symbol="log B",
    partials=(
        lambda a, b, out: sc.psi(a) - sc.psi(a + b),
        lambda a, b, out: sc.psi(b) - sc.psi(a + b),
    ),
    does=Says(
        en="takes the logarithm of the beta function of {0} and {1}",
        pt="tira o logaritmo da função beta de {0} e {1}",
    ),
    teaches=Says(
        en="gives each input the gradient times its own digamma minus that of the sum",
        pt="dá a cada entrada o gradiente vezes a sua própria digama menos a da soma",
    ),
    domain=(POSITIVE, POSITIVE),
)

binom = special(
    sc.binom,
    symbol="binom",
    partials=(
        lambda n, k, out: out * (sc.psi(n + 1.0) - sc.psi(n - k + 1.0)),
        lambda n, k, out: out * (sc.psi(n - k + 1.0) - sc.psi(k + 1.0)),
    ),
    does=Says(
        en="counts the ways to choose {1} out of {0}",
        pt="conta as maneiras de escolher {1} entre {0}",
    ),
    teaches=Says(
        en="gives each input the gradient times the output and a difference of digammas",
        pt="dá a cada entrada o gradiente vezes a saída e uma diferença de digamas",
    ),
    domain=(_COUNT, POSITIVE),
)

poch = special(
    sc.poch,
    symbol="Γ(z+m)/Γ(z)",
    partials=(
        lambda z, m, out: out * (sc.psi(z + m) - sc.psi(z)),
        lambda z, m, out: out * sc.psi(z + m),
    ),
    does=Says(
        en="multiplies {0} and the numbers one by one above it, {1} of them",
        pt="multiplica {0} e os números de um em um acima dele, {1} deles",
    ),
    teaches=Says(
        en="gives {1} the gradient times the output and ψ({0} + {1}); "
        "{0}, the same with ψ({0}) taken away",
        pt="dá a {1} o gradiente vezes a saída e ψ({0} + {1}); a {0}, o mesmo tirando ψ({0})",
    ),
    domain=(POSITIVE, POSITIVE),
)

# --- incomplete gamma and beta ------------------------------------------------------------------

_DENSITY = scales_by("the density of the gamma distribution", "a densidade da distribuição gama")
_PER_DENSITY = scales_by(
    "one over the density of the gamma distribution at the output",
    "um sobre a densidade da distribuição gama na saída",
)
_BETA_DENSITY = scales_by(
    "the density of the beta distribution", "a densidade da distribuição beta"
)
_PER_BETA_DENSITY = scales_by(
    "one over the density of the beta distribution at the output",
    "um sobre a densidade da distribuição beta na saída",
)

gammainc = special(
    sc.gammainc,
    symbol="P",
    partials=(
        lambda a, x, out: slopes.gamma_by_shape(a, x),
        lambda a, x, out: slopes.gamma_density(a, x),
    ),
    does=Says(
        en="finds the probability that a gamma number of shape {0} lies below {1}",
        pt="acha a probabilidade de um número gama de forma {0} ficar abaixo de {1}",
    ),
    teaches=_DENSITY,
    domain=(POSITIVE, POSITIVE),
    example=lambda rng: call(2, rng.uniform(0.5, 3.0, size=(3, 4))),
    promotes=True,
)

gammaincc = special(
    sc.gammaincc,
    symbol="Q",
    partials=(
        lambda a, x, out: -slopes.gamma_by_shape(a, x),
        lambda a, x, out: -slopes.gamma_density(a, x),
    ),
    does=Says(
        en="finds the probability that a gamma number of shape {0} lies above {1}",
        pt="acha a probabilidade de um número gama de forma {0} ficar acima de {1}",
    ),
    teaches=scales_by(
        "minus the density of the gamma distribution", "menos a densidade da distribuição gama"
    ),
    domain=(POSITIVE, POSITIVE),
    example=lambda rng: call(2, rng.uniform(0.5, 3.0, size=(3, 4))),
    promotes=True,
)

gammaincinv = special(
    sc.gammaincinv,
    symbol="P⁻¹",
    partials=(
        lambda a, y, out: -slopes.gamma_by_shape(a, out) / slopes.gamma_density(a, out),
        lambda a, y, out: 1.0 / slopes.gamma_density(a, out),
    ),
    does=Says(
        en="finds the number below which a gamma one of shape {0} lies with probability {1}",
        pt="acha o número abaixo do qual um gama de forma {0} fica com probabilidade {1}",
    ),
    teaches=_PER_DENSITY,
    domain=(POSITIVE, _INSIDE),
    example=lambda rng: call(2, rng.uniform(0.2, 0.8, size=(3, 4))),
    promotes=True,
)

gammainccinv = special(
    sc.gammainccinv,
    symbol="Q⁻¹",
    partials=(
        lambda a, y, out: -slopes.gamma_by_shape(a, out) / slopes.gamma_density(a, out),
        lambda a, y, out: -1.0 / slopes.gamma_density(a, out),
    ),
    does=Says(
        en="finds the number above which a gamma one of shape {0} lies with probability {1}",
        pt="acha o número acima do qual um gama de forma {0} fica com probabilidade {1}",
    ),
    teaches=scales_by(
        "minus one over the density of the gamma distribution at the output",
        "menos um sobre a densidade da distribuição gama na saída",
    ),
    domain=(POSITIVE, _INSIDE),
    example=lambda rng: call(2, rng.uniform(0.2, 0.8, size=(3, 4))),
    promotes=True,
)

betainc = special(
    sc.betainc,
    symbol="I",
    partials=(
        lambda a, b, x, out: slopes.beta_by_first(a, b, x),
        lambda a, b, x, out: slopes.beta_by_second(a, b, x),
        lambda a, b, x, out: slopes.beta_density(a, b, x),
    ),
    does=Says(
        en="finds the probability that a beta number of shape {0} and {1} lies below {2}",
        pt="acha a probabilidade de um número beta de forma {0} e {1} ficar abaixo de {2}",
    ),
    teaches=_BETA_DENSITY,
    domain=(POSITIVE, POSITIVE, _INSIDE),
    example=lambda rng: call(2, 3, rng.uniform(0.2, 0.8, size=(3, 4))),
)

betaincc = special(
    sc.betaincc,
    symbol="1−I",
    partials=(
        lambda a, b, x, out: -slopes.beta_by_first(a, b, x),
        lambda a, b, x, out: -slopes.beta_by_second(a, b, x),
        lambda a, b, x, out: -slopes.beta_density(a, b, x),
    ),
    does=Says(
        en="finds the probability that a beta number of shape {0} and {1} lies above {2}",
        pt="acha a probabilidade de um número beta de forma {0} e {1} ficar acima de {2}",
    ),
    teaches=scales_by(
        "minus the density of the beta distribution", "menos a densidade da distribuição beta"
    ),
    domain=(POSITIVE, POSITIVE, _INSIDE),
    example=lambda rng: call(2, 3, rng.uniform(0.2, 0.8, size=(3, 4))),
)

betaincinv = special(
    sc.betaincinv,
    symbol="I⁻¹",
    partials=(
        lambda a, b, y, out: -slopes.beta_by_first(a, b, out) / slopes.beta_density(a, b, out),
        lambda a, b, y, out: -slopes.beta_by_second(a, b, out) / slopes.beta_density(a, b, out),
        lambda a, b, y, out: 1.0 / slopes.beta_density(a, b, out),
    ),
    does=Says(
        en="finds the number below which a beta one of shape {0} and {1} lies with probability {2}",
        pt="acha o número abaixo do qual um beta de forma {0} e {1} fica com probabilidade {2}",
    ),
    teaches=_PER_BETA_DENSITY,
    domain=(POSITIVE, POSITIVE, _INSIDE),
    example=lambda rng: call(2, 3, rng.uniform(0.2, 0.8, size=(3, 4))),
)

betainccinv = special(
    sc.betainccinv,
    symbol="(1−I)⁻¹",
    partials=(
        lambda a, b, y, out: -slopes.beta_by_first(a, b, out) / slopes.beta_density(a, b, out),
        lambda a, b, y, out: -slopes.beta_by_second(a, b, out) / slopes.beta_density(a, b, out),
        lambda a, b, y, out: -1.0 / slopes.beta_density(a, b, out),
    ),
    does=Says(
        en="finds the number above which a beta one of shape {0} and {1} lies with probability {2}",
        pt="acha o número acima do qual um beta de forma {0} e {1} fica com probabilidade {2}",
    ),
    teaches=scales_by(
        "minus one over the density of the beta distribution at the output",
        "menos um sobre a densidade da distribuição beta na saída",
    ),
    domain=(POSITIVE, POSITIVE, _INSIDE),
    example=lambda rng: call(2, 3, rng.uniform(0.2, 0.8, size=(3, 4))),
)
