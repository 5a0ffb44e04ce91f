"""Probabilities without a closed density: noncentral laws, Kolmogorov, Smirnov, Tukey, Voigt."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials import slopes
from corrente.gates.specials.forms import scales_by, special
from corrente.record import NONZERO, POSITIVE, REALS, call
from corrente.words import Says

# --- noncentral ---------------------------------------------------------------------------------

_BY_LAW = Says(
    en="scales the gradient of each input by the slope of the probability in it: in {0}, by a "
    "density",
    pt="multiplica o gradiente de cada entrada pela inclinação da probabilidade nela: em {0}, por "
    "uma densidade",
)


def _law(law: slopes.Law) -> tuple[Any, ...]:
    """Turn a law into partials; what has no formula stays a name, and is refused by it."""
    return tuple(
        name if slope is None else lambda *ins, slope=slope: slope(*ins[:-1])
        for name, slope in law.items()
    )


chndtr = special(
    sc.chndtr,
    symbol="χ′²",
    partials=_law(slopes.NONCENTRAL_CHI_SQUARE),
    does=Says(
        en="finds the probability that a noncentral chi-square number lies below {0}",
        pt="acha a probabilidade de um qui-quadrado não central ficar abaixo de {0}",
    ),
    teaches=_BY_LAW,
    domain=(POSITIVE, POSITIVE, POSITIVE),
    example=lambda rng: call(
        rng.uniform(0.5, 3.0, size=(3, 4)), 3, rng.uniform(0.5, 2.0, size=(3, 1))
    ),
)

ncfdtr = special(
    sc.ncfdtr,
    symbol="F′",
    partials=_law(slopes.NONCENTRAL_RATIO),
    does=Says(
        en="finds the probability that a noncentral ratio of variances lies below {3}",
        pt="acha a probabilidade de uma razão não central de variâncias ficar abaixo de {3}",
    ),
    teaches=Says(
        en="scales the gradient of {3} by the density, and that of {2} by the slope of the "
        "probability in it",
        pt="multiplica o gradiente de {3} pela densidade, e o de {2} pela inclinação da "
        "probabilidade nele",
    ),
    domain=(POSITIVE, POSITIVE, POSITIVE, POSITIVE),
    example=lambda rng: call(
        *(3, 5, rng.uniform(0.5, 2.0, size=(3, 4)), rng.uniform(0.5, 2.0, size=(3, 1)))
    ),
)

nctdtr = special(
    sc.nctdtr,
    symbol="t′",
    partials=_law(slopes.NONCENTRAL_STUDENT),
    does=Says(
        en="finds the probability that a noncentral Student's t of {0} degrees lies below {2}",
        pt="acha a probabilidade de um t de Student não central de {0} graus ficar abaixo de {2}",
    ),
    teaches=Says(
        en="scales the gradient of each input by the slope of the probability in it: in {2}, by "
        "the density",
        pt="multiplica o gradiente de cada entrada pela inclinação da probabilidade nela: em {2}, "
        "pela densidade",
    ),
    domain=(POSITIVE, REALS, REALS),
    example=lambda rng: call(
        rng.uniform(2.0, 6.0, size=(3, 4)),
        rng.uniform(0.5, 2.0, size=(3, 1)),
        rng.uniform(0.5, 2.0, size=(3, 4)),
    ),
)

# --- the greatest distance ----------------------------------------------------------------------

kolmogorov = special(
    sc.kolmogorov,
    symbol="K",
    partials=(lambda y, out: slopes.kolmogorov_slope(y),),
    does=Says(
        en="finds the probability that Kolmogorov's greatest distance lies above {0}",
        pt="acha a probabilidade de a maior distância de Kolmogorov ficar acima de {0}",
    ),
    teaches=scales_by(
        "minus the density of Kolmogorov's distribution",
        "menos a densidade da distribuição de Kolmogorov",
    ),
    domain=(NONZERO,),
)

smirnov = special(
    sc.smirnov,
    symbol="D⁺",
    partials=("n", lambda n, d, out: slopes.smirnov_slope(n, d)),
    does=Says(
        en="finds the probability that Smirnov's distance of {0} numbers lies above {1}",
        pt="acha a probabilidade de a distância de Smirnov de {0} números ficar acima de {1}",
    ),
    teaches=scales_by(
        "minus the density of Smirnov's distribution",
        "menos a densidade da distribuição de Smirnov",
    ),
    domain=((1.0, 9.0), (0.1, 0.9)),
    example=lambda rng: call(4, rng.uniform(0.1, 0.9, size=(3, 4))),
    promotes=True,
)

# --- Tukey's lambda, and Voigt's profile --------------------------------------------------------

tklmbda = special(
    sc.tklmbda,
    symbol="Tukey λ",
    partials=(slopes.tukey_density, slopes.tukey_by_lambda),
    does=Says(
        en="finds the probability that Tukey's number of power {1} lies below {0}",
        pt="acha a probabilidade de o número de Tukey de potência {1} ficar abaixo de {0}",
    ),
    teaches=Says(
        en="scales the gradient of {0} by the density of Tukey's distribution, and that of {1} by "
        "how the probability moves with it",
        pt="multiplica o gradiente de {0} pela densidade da distribuição de Tukey, e o de {1} por "
        "como a probabilidade anda com ele",
    ),
    domain=((-1.5, 1.5), (0.1, 0.6)),
)


def _voigt(x: Any, sigma: Any, gamma: Any, out: Any) -> tuple[Any, Any]:
    """Return the slopes of the profile in x and in gamma, by the function w it is the real of."""
    w = sc.wofz((x + 1j * gamma) / (math.sqrt(2.0) * sigma))
    mate = np.imag(w) / (math.sqrt(2.0 * math.pi) * sigma)
    square = sigma * sigma
    return (
        (gamma * mate - x * out) / square,
        (x * mate + gamma * out - 1.0 / math.pi) / square,
    )


def _voigt_by_sigma(x: Any, sigma: Any, gamma: Any, out: Any) -> Any:
    """Use that all three lengths together only scale the profile."""
    by_x, by_gamma = _voigt(x, sigma, gamma, out)
    return -(out + x * by_x + gamma * by_gamma) / sigma


voigt_profile = special(
    sc.voigt_profile,
    symbol="Voigt",
    partials=(
        lambda x, sigma, gamma, out: _voigt(x, sigma, gamma, out)[0],
        _voigt_by_sigma,
        lambda x, sigma, gamma, out: _voigt(x, sigma, gamma, out)[1],
    ),
    does=Says(
        en="takes at {0} the bell of width {1} blurred by a Lorentzian of width {2}",
        pt="toma em {0} o sino de largura {1} borrado por uma lorentziana de largura {2}",
    ),
    teaches=Says(
        en="scales the gradient of {0}, {1} and {2} by slopes of the profile, which lean on the "
        "Faddeeva function and need a width {1} above zero",
        pt="multiplica o gradiente de {0}, {1} e {2} por inclinações do perfil, que se apoiam na "
        "função de Faddeeva e pedem uma largura {1} acima de zero",
    ),
    domain=(REALS, POSITIVE, POSITIVE),
)
