"""Probabilities solved for one of their arguments, by the slopes of what is solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials import slopes
from corrente.gates.specials.forms import Partial, scales_by, special
from corrente.record import POSITIVE, REALS, Call, Gate, Interval, call
from corrente.words import Says

Argument = Interval | int | np.int64
"""Where an argument is sampled: between two numbers; or it is a whole number, and data."""

_CHANCE: Interval = (0.2, 0.8)
_SHAPE: Interval = (1.5, 3.0)
_NEAR: Interval = (0.6, 1.6)
_PER_SLOPE = Says(
    en="scales the gradient of the probability by one over the slope of the probability in the "
    "output, and that of any other argument by minus the ratio of the two slopes",
    pt="multiplica o gradiente da probabilidade por um sobre a inclinação da probabilidade na "
    "saída, e o de qualquer outro argumento por menos a razão das duas inclinações",
)


def _example(at: tuple[Argument, ...]) -> Callable[..., Call]:
    return lambda rng: call(
        *(rng.uniform(*x, size=(3, 4)) if isinstance(x, tuple) else x for x in at)
    )


def _rule(law: slopes.Law, given: list[str], fixed: list[str], name: str) -> Partial:
    """Make the local gradient in one argument: implicit differentiation of the law."""
    (solved,) = set(law) - set(given)
    below, along = law[solved], law.get(name)
    if below is None or name in fixed or (along is None and name != "y"):
        return name

    def partial(*ins: Any) -> Any:
        *arguments, out = ins
        known = {**dict(zip(given, arguments, strict=True)), solved: out}
        known |= {key: np.floor(known[key]) for key in fixed}
        place = tuple(known[key] for key in law)
        return (1.0 if along is None else -along(*place)) / below(*place)

    return partial


def _solve(
    of: Callable[..., Any],
    law: slopes.Law,
    given: str,
    *at: Argument,
    symbol: str,
    en: str,
    pt: str,
    fixed: str = "",
    promotes: bool = False,
) -> Gate:
    """Record a probability solved for the one argument of its law that is not given.

    `given` names the arguments in SciPy's order, the probability being y; those that are `fixed`
    SciPy rounds down, so they have no slope.
    """
    names = given.split()
    rules = tuple(_rule(law, names, fixed.split(), name) for name in names)
    wanted = f"{{{names.index('y')}}}"
    return special(
        of,
        symbol=symbol,
        partials=rules,
        does=Says(
            en=f"finds the {en} that gives the probability {wanted}",
            pt=f"acha {pt} que dá a probabilidade {wanted}",
        ),
        teaches=_PER_SLOPE,
        domain=tuple(x if isinstance(x, tuple) else (1.0, 9.0) for x in at),
        example=_example(at),
        promotes=promotes,
    )


# --- counts -------------------------------------------------------------------------------------

bdtri = _solve(
    *(sc.bdtri, slopes.BINOMIAL, "k n y", 2, np.int64(5), _CHANCE),
    fixed="k n",
    symbol="p⁻¹ Bin",
    promotes=True,
    en="chance of each trial of a binomial law",
    pt="a chance de cada tentativa de uma lei binomial",
)
bdtrik = _solve(
    *(sc.bdtrik, slopes.BINOMIAL, "y n p", (0.5, 0.8), (6.0, 9.0), (0.3, 0.5)),
    symbol="k⁻¹ Bin",
    en="count of a binomial law",
    pt="a contagem de uma lei binomial",
)
bdtrin = _solve(
    *(sc.bdtrin, slopes.BINOMIAL, "k y p", _SHAPE, (0.3, 0.7), (0.3, 0.5)),
    symbol="n⁻¹ Bin",
    en="number of trials of a binomial law",
    pt="o número de tentativas de uma lei binomial",
)
nbdtri = _solve(
    *(sc.nbdtri, slopes.NEGATIVE_BINOMIAL, "k n y", 2, 5, _CHANCE),
    fixed="k n",
    symbol="p⁻¹ NB",
    promotes=True,
    en="chance of each trial of a negative binomial law",
    pt="a chance de cada tentativa de uma lei binomial negativa",
)
nbdtrik = _solve(
    *(sc.nbdtrik, slopes.NEGATIVE_BINOMIAL, "y n p", (0.5, 0.8), (4.0, 6.0), (0.3, 0.5)),
    symbol="k⁻¹ NB",
    en="count of failures of a negative binomial law",
    pt="a contagem de falhas de uma lei binomial negativa",
)
nbdtrin = _solve(
    *(sc.nbdtrin, slopes.NEGATIVE_BINOMIAL, "k y p", (2.0, 4.0), (0.3, 0.7), (0.3, 0.5)),
    symbol="n⁻¹ NB",
    en="count of successes of a negative binomial law",
    pt="a contagem de sucessos de uma lei binomial negativa",
)
pdtri = _solve(
    *(sc.pdtri, slopes.POISSON, "k y", 2, _CHANCE),
    fixed="k",
    symbol="m⁻¹ Poisson",
    promotes=True,
    en="mean of a Poisson law",
    pt="a média de uma lei de Poisson",
)
pdtrik = _solve(
    *(sc.pdtrik, slopes.POISSON, "y m", (0.5, 0.8), (2.0, 4.0)),
    symbol="k⁻¹ Poisson",
    en="count of a Poisson law",
    pt="a contagem de uma lei de Poisson",
)

# --- betas and gammas ---------------------------------------------------------------------------

btdtria = _solve(
    *(sc.btdtria, slopes.BETA, "y b x", _CHANCE, _SHAPE, (0.3, 0.6)),
    symbol="a⁻¹ Beta",
    en="first shape of a beta law",
    pt="a primeira forma de uma lei beta",
)
btdtrib = _solve(
    *(sc.btdtrib, slopes.BETA, "a y x", _SHAPE, _CHANCE, (0.3, 0.6)),
    symbol="b⁻¹ Beta",
    en="second shape of a beta law",
    pt="a segunda forma de uma lei beta",
)
gdtria = _solve(
    *(sc.gdtria, slopes.GAMMA, "y b x", _CHANCE, _SHAPE, _NEAR),
    symbol="a⁻¹ Γ",
    en="rate of a gamma law",
    pt="a taxa de uma lei gama",
)
gdtrib = _solve(
    *(sc.gdtrib, slopes.GAMMA, "a y x", _NEAR, _CHANCE, _SHAPE),
    symbol="b⁻¹ Γ",
    en="shape of a gamma law",
    pt="a forma de uma lei gama",
)
chdtriv = _solve(
    *(sc.chdtriv, slopes.CHI_SQUARE, "y x", _CHANCE, POSITIVE),
    symbol="ν⁻¹ χ²",
    en="degrees of freedom of a chi-square law",
    pt="o número de graus de liberdade de uma lei qui-quadrado",
)
fdtridfd = _solve(
    *(sc.fdtridfd, slopes.RATIO, "dfn y x", (2.0, 4.0), (0.45, 0.55), (1.1, 1.4)),
    symbol="ν⁻¹ F",
    en="degrees of freedom below a ratio of variances",
    pt="o número de graus de liberdade do denominador de uma razão de variâncias",
)
stdtridf = _solve(
    *(sc.stdtridf, slopes.STUDENT, "y t", (0.62, 0.68), (0.5, 0.6)),
    symbol="ν⁻¹ t",
    en="degrees of freedom of Student's law",
    pt="o número de graus de liberdade da lei de Student",
)

# --- the normal law -----------------------------------------------------------------------------

_NORMAL = Says(
    en="follows the gradient through the inverse of the normal law",
    pt="acompanha o gradiente através da inversa da lei normal",
)


def _per_bell(z: Any) -> Any:
    """Return the slope of the inverse of the normal law, where that gives z."""
    return np.sqrt(2.0 * np.pi) * np.exp(0.5 * z * z)


nrdtrimn = special(
    sc.nrdtrimn,
    symbol="μ⁻¹ N",
    partials=(
        lambda p, std, x, out: -std * _per_bell(sc.ndtri(p)),
        lambda p, std, x, out: -sc.ndtri(p),
        lambda p, std, x, out: np.ones_like(x),
    ),
    does=Says(
        en="finds the mean of a normal law of deviation {1} that lies below {2} with "
        "probability {0}",
        pt="acha a média de uma lei normal de desvio {1} que fica abaixo de {2} com "
        "probabilidade {0}",
    ),
    teaches=_NORMAL,
    domain=(_CHANCE, POSITIVE, REALS),
)
nrdtrisd = special(
    sc.nrdtrisd,
    symbol="σ⁻¹ N",
    partials=(
        lambda mn, p, x, out: -1.0 / sc.ndtri(p),
        lambda mn, p, x, out: -out * _per_bell(sc.ndtri(p)) / sc.ndtri(p),
        lambda mn, p, x, out: 1.0 / sc.ndtri(p),
    ),
    does=Says(
        en="finds the deviation of a normal law of mean {0} that lies below {2} with "
        "probability {1}",
        pt="acha o desvio de uma lei normal de média {0} que fica abaixo de {2} com "
        "probabilidade {1}",
    ),
    teaches=_NORMAL,
    domain=((-3.0, 0.0), (0.6, 0.9), (0.5, 3.0)),
)

# --- noncentral ---------------------------------------------------------------------------------

chndtrix = _solve(
    *(sc.chndtrix, slopes.NONCENTRAL_CHI_SQUARE, "y df nc", _CHANCE, 3, _NEAR),
    symbol="x⁻¹ χ′²",
    en="number of a noncentral chi-square law",
    pt="o número de uma lei qui-quadrado não central",
)
chndtrinc = _solve(
    *(sc.chndtrinc, slopes.NONCENTRAL_CHI_SQUARE, "x df y", (2.0, 3.0), 2, (0.3, 0.5)),
    symbol="λ⁻¹ χ′²",
    en="noncentrality of a chi-square law",
    pt="a não centralidade de uma lei qui-quadrado",
)
ncfdtri = _solve(
    *(sc.ncfdtri, slopes.NONCENTRAL_RATIO, "dfn dfd nc y", 3, 5, _NEAR, _CHANCE),
    symbol="f⁻¹ F′",
    en="number of a noncentral ratio of variances",
    pt="o número de uma razão não central de variâncias",
)
ncfdtrinc = _solve(
    # with more noncentrality SciPy's own answer is only good to a few digits
    *(sc.ncfdtrinc, slopes.NONCENTRAL_RATIO, "dfn dfd y f", 1, 5, (0.04, 0.05), (0.01, 0.012)),
    symbol="λ⁻¹ F′",
    en="noncentrality of a ratio of variances",
    pt="a não centralidade de uma razão de variâncias",
)
nctdtrit = _solve(
    *(sc.nctdtrit, slopes.NONCENTRAL_STUDENT, "df nc y", (2.0, 6.0), _NEAR, _CHANCE),
    symbol="x⁻¹ t′",
    en="number of a noncentral Student's law",
    pt="o número de uma lei de Student não central",
)
nctdtrinc = _solve(
    *(sc.nctdtrinc, slopes.NONCENTRAL_STUDENT, "df y t", (2.0, 6.0), (0.3, 0.6), (1.0, 2.0)),
    symbol="μ⁻¹ t′",
    en="noncentrality of Student's law",
    pt="a não centralidade da lei de Student",
)
nctdtridf = _solve(
    *(sc.nctdtridf, slopes.NONCENTRAL_STUDENT, "y nc t", (0.38, 0.4), (1.2, 1.22), (1.0, 1.01)),
    symbol="ν⁻¹ t′",
    en="degrees of freedom of a noncentral Student's law",
    pt="o número de graus de liberdade de uma lei de Student não central",
)

# --- the greatest distance ----------------------------------------------------------------------

kolmogi = special(
    sc.kolmogi,
    symbol="K⁻¹",
    partials=(lambda p, out: 1.0 / slopes.kolmogorov_slope(out),),
    does=Says(
        en="finds the distance of Kolmogorov's that is passed with probability {0}",
        pt="acha a distância de Kolmogorov que é passada com probabilidade {0}",
    ),
    teaches=scales_by(
        "minus one over the density of Kolmogorov's distribution",
        "menos um sobre a densidade da distribuição de Kolmogorov",
    ),
    domain=((0.1, 0.9),),
)
smirnovi = special(
    sc.smirnovi,
    symbol="D⁺⁻¹",
    partials=("n", lambda n, p, out: 1.0 / slopes.smirnov_slope(n, out)),
    does=Says(
        en="finds the distance of Smirnov's of {0} numbers that is passed with probability {1}",
        pt="acha a distância de Smirnov de {0} números que é passada com probabilidade {1}",
    ),
    teaches=scales_by(
        "minus one over the density of Smirnov's distribution",
        "menos um sobre a densidade da distribuição de Smirnov",
    ),
    domain=((1.0, 9.0), (0.1, 0.9)),
    example=lambda rng: call(4, rng.uniform(0.1, 0.9, size=(3, 4))),
    promotes=True,
)
