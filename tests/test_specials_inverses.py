"""Probabilities and their inverses: their slopes are those of differences, far and near."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special as sc

import corrente as co
from corrente.errors import NotSupported
from corrente.gates import specials
from corrente.gates.specials import inverses, slopes, tails
from corrente.record import Gate

specials.load()


def numeric(f: Callable[..., Any], x: float, step: float) -> float:
    """Return the slope by differences of the fourth order."""
    near, far = f(x + step) - f(x - step), f(x + 2 * step) - f(x - 2 * step)
    return float((8.0 * near - far) / (12.0 * step))


def along(f: Callable[..., Any], ins: tuple[Any, ...], k: int) -> Callable[..., Any]:
    return lambda x: f(*ins[:k], x, *ins[k + 1 :])


def bent(f: Callable[..., Any]) -> Callable[..., Any]:
    """Add a square: what is straight has no second slope to compare."""
    return lambda x: f(x) + x * x


# --- every law, against the function itself -----------------------------------------------------

LAWS: list[tuple[Any, slopes.Law, tuple[float, ...]]] = [
    (sc.betainc, slopes.BETA, (2.3, 1.4, 0.3)),
    (sc.betainc, slopes.BETA, (0.2, 0.3, 0.9)),
    (sc.betainc, slopes.BETA, (80.0, 120.0, 0.4)),
    (sc.chdtr, slopes.CHI_SQUARE, (3.0, 1.7)),
    (sc.chdtr, slopes.CHI_SQUARE, (0.3, 0.01)),
    (sc.chdtr, slopes.CHI_SQUARE, (400.0, 420.0)),
    (sc.chdtr, slopes.CHI_SQUARE, (0.004, 2.0)),
    (sc.betainc, slopes.BETA, (0.002, 3.0, 0.4)),
    (sc.betainc, slopes.BETA, (3.0, 0.002, 0.4)),
    (sc.chdtr, slopes.CHI_SQUARE, (4.0, 90.0)),
    (sc.gdtr, slopes.GAMMA, (1.3, 2.2, 0.9)),
    (sc.fdtr, slopes.RATIO, (3.0, 5.0, 1.2)),
    (sc.fdtr, slopes.RATIO, (1.5, 30.0, 0.2)),
    (sc.chndtr, slopes.NONCENTRAL_CHI_SQUARE, (1.3, 3.0, 0.7)),
    (sc.chndtr, slopes.NONCENTRAL_CHI_SQUARE, (30.0, 1.0, 20.0)),
    (sc.chndtr, slopes.NONCENTRAL_CHI_SQUARE, (990.0, 3.0, 950.0)),
    (sc.chndtr, slopes.NONCENTRAL_CHI_SQUARE, (30.0, 1.0, 36.0)),
    (sc.ncfdtr, slopes.NONCENTRAL_RATIO, (3.0, 5.0, 1.2, 0.8)),
    (sc.ncfdtr, slopes.NONCENTRAL_RATIO, (3.0, 5.0, 2000.0, 700.0)),
    (sc.ncfdtr, slopes.NONCENTRAL_RATIO, (3.0, 61.0, 20.0, 7.0)),
    (sc.ncfdtr, slopes.NONCENTRAL_RATIO, (9.0, 20.0, 15.0, 3.0)),
    (sc.nctdtr, slopes.NONCENTRAL_STUDENT, (4.0, 1.2, 0.8)),
    (sc.nctdtr, slopes.NONCENTRAL_STUDENT, (4.0, 2.0, -0.5)),
    (sc.nctdtr, slopes.NONCENTRAL_STUDENT, (1.5, -1.0, -2.0)),
    (sc.nctdtr, slopes.NONCENTRAL_STUDENT, (60.0, 3.0, 4.0)),
    (sc.stdtr, slopes.STUDENT, (3.0, 0.7)),
    (sc.stdtr, slopes.STUDENT, (3.0, -1.7)),
    (sc.stdtr, slopes.STUDENT, (0.8, 2.0)),
]


@pytest.mark.parametrize(("f", "law", "ins"), LAWS)
def test_a_law_is_the_slope_of_its_probability(f: Any, law: slopes.Law, ins: tuple[float, ...]):
    for k, slope in enumerate(law.values()):
        if slope is not None:
            want = numeric(along(f, ins, k), ins[k], 1e-3 * ins[k])
            np.testing.assert_allclose(slope(*ins), want, rtol=1e-5, atol=1e-12)


def test_the_laws_of_counts_hold_between_whole_numbers():
    binomial = lambda k, n, p: sc.betaincc(k + 1, n - k, p)
    negative = lambda k, n, p: sc.betainc(n, k + 1, p)
    poisson = lambda k, m: sc.gammaincc(k + 1, m)
    for f, law, ins in (
        (binomial, slopes.BINOMIAL, (2.3, 6.1, 0.4)),
        (negative, slopes.NEGATIVE_BINOMIAL, (2.3, 6.1, 0.4)),
        (poisson, slopes.POISSON, (2.3, 1.9)),
    ):
        test_a_law_is_the_slope_of_its_probability(f, law, ins)


# --- every function, both orders ----------------------------------------------------------------

POINTS: list[tuple[Any, tuple[Any, ...]]] = [
    (sc.bdtri, (2, np.int64(7), 0.3)),
    (sc.bdtri, (2.5, np.int64(7), 0.3)),
    (sc.bdtrik, (0.7, 11.0, 0.35)),
    (sc.bdtrin, (3.0, 0.3, 0.6)),
    (sc.btdtria, (0.3, 0.8, 0.6)),
    (sc.btdtrib, (0.7, 0.6, 0.2)),
    (sc.chdtriv, (0.2, 5.0)),
    (sc.chndtrinc, (4.0, 3, 0.3)),
    (sc.chndtrix, (0.9, 1, 6.0)),
    (sc.fdtridfd, (2.5, 0.6, 1.2)),
    (sc.gdtria, (0.9, 0.6, 2.0)),
    (sc.gdtrib, (2.0, 0.2, 1.7)),
    (sc.kolmogi, (0.01,)),
    (sc.kolmogi, (0.99,)),
    (sc.nbdtri, (3, 4, 0.2)),
    (sc.nbdtrik, (0.6, 3.0, 0.4)),
    (sc.nbdtrin, (4.0, 0.6, 0.5)),
    (sc.ncfdtri, (4, 9, 2.0, 0.7)),
    (sc.ncfdtrinc, (1, 5, 0.05, 0.012)),
    (sc.nctdtridf, (0.39, 1.2, 1.0)),
    (sc.nctdtrinc, (5.0, 0.2, 2.0)),
    (sc.nctdtrit, (5.0, -1.0, 0.2)),
    (sc.nrdtrimn, (0.2, 1.5, 0.7)),
    (sc.nrdtrisd, (0.3, 0.8, 1.5)),
    (sc.pdtri, (3, 0.7)),
    (sc.pdtrik, (0.7, 3.0)),
    (sc.smirnovi, (7, 0.2)),
    (sc.stdtridf, (0.65, 0.5)),
    (sc.chndtr, (12.0, 3, 8.0)),
    (sc.chndtr, (40.0, 3, 36.0)),
    (sc.kolmogorov, (0.3,)),
    (sc.kolmogorov, (0.87,)),
    (sc.kolmogorov, (0.93,)),
    (sc.kolmogorov, (1.7,)),
    (sc.ncfdtr, (4, 9, 2.0, 1.5)),
    (sc.nctdtr, (3.0, -1.0, 0.5)),
    (sc.smirnov, (1, 0.3)),
    (sc.smirnov, (30, 0.17)),
    (sc.tklmbda, (0.7, 0.4)),
    (sc.tklmbda, (-1.2, -0.3)),
    (sc.voigt_profile, (-1.5, 0.4, 0.9)),
]


@pytest.mark.parametrize(("f", "ins"), POINTS)
def test_the_slopes_are_those_of_differences(f: Any, ins: tuple[Any, ...]):
    for k, x in enumerate(ins):
        if not isinstance(x, float) or (f is sc.bdtri and k < 2):
            continue
        one = bent(along(f, ins, k))
        slope = co.grad(one)
        np.testing.assert_allclose(slope(x), numeric(one, x, 1e-4), rtol=2e-6, atol=1e-9)
        bend = co.grad(slope)(x)
        np.testing.assert_allclose(bend, numeric(slope, x, 1e-4), rtol=1e-5, atol=1e-8)
        np.testing.assert_allclose(co.jvp(one, (x,), (1.0,))[1], slope(x), rtol=1e-12)


def test_every_gate_of_these_rooms_has_a_point():
    gates = {
        gate.of for room in (inverses, tails) for gate in vars(room).values() if type(gate) is Gate
    }
    assert gates == {f for f, _ in POINTS}


# --- special points -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (sc.kolmogorov, 0.0, 0.0),
        (sc.kolmogorov, -1.0, 0.0),
        (sc.kolmogorov, 40.0, 0.0),
        (lambda d: sc.smirnov(3, d), 0.0, 0.0),
        (lambda d: sc.smirnov(3, d), 1.5, 0.0),
        (lambda d: sc.smirnov(1, d), 0.4, -1.0),
        (lambda x: sc.tklmbda(x, 0.0), 0.0, 0.25),
        (lambda x: sc.tklmbda(x, 1.0), 0.3, 0.5),
        (lambda x: sc.tklmbda(x, 1.0), 1.7, 0.0),
        (lambda x: sc.tklmbda(x, 0.5), -5.0, 0.0),
        (lambda power: sc.tklmbda(0.0, power), 0.3, 0.0),
        (lambda x: sc.chndtr(x, 2, 0.0), 1.4, 0.5 * np.exp(-0.7)),
        (lambda gamma: sc.voigt_profile(0.0, 1.0, gamma), 0.0, -1.0 / np.pi),
    ],
)
def test_special_points(f: Any, x: float, expected: float):
    np.testing.assert_allclose(co.grad(f)(x), expected, rtol=1e-12, atol=1e-15)


def test_the_power_of_tukey_has_no_hole_at_zero():
    slope = co.grad(sc.tklmbda, 1)
    np.testing.assert_allclose(
        slope(0.7, 0.0), 0.5 * (slope(0.7, 1e-4) + slope(0.7, -1e-4)), rtol=1e-6
    )


def test_arrays_of_every_shape_share_one_slope_each():
    p, n = np.array([[0.5], [0.7]]), np.array([6.0, 7.0, 9.0])
    by_p, by_n = co.grad(lambda p, n: np.sum(sc.bdtrik(p, n, 0.4)), (0, 1))(p, n)
    assert (by_p.shape, by_n.shape) == ((2, 1), (3,))
    want = [[co.grad(lambda p, n=n: sc.bdtrik(p, n, 0.4))(p) for n in n] for p in p[:, 0]]
    np.testing.assert_allclose(by_p[:, 0], np.sum(want, axis=1), rtol=1e-12)
    counts, d = np.array([2, 5, 9]), np.array([0.2, 0.3, 0.4])
    slopes_of_all = co.grad(lambda d: np.sum(sc.smirnov(counts, d)))(d)
    each = [
        co.grad(lambda x, n=int(n): sc.smirnov(n, x))(x) for n, x in zip(counts, d, strict=True)
    ]
    np.testing.assert_allclose(slopes_of_all, each, rtol=1e-12)


# --- refused ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "ins", "k", "name"),
    [
        (sc.chndtr, (1.0, 2.0, 0.5), 1, "df"),
        (sc.ncfdtr, (3.0, 5.0, 0.5, 1.0), 0, "dfn"),
        (sc.ncfdtr, (3.0, 5.0, 0.5, 1.0), 1, "dfd"),
        (sc.ncfdtri, (3.0, 5.0, 0.5, 0.4), 1, "dfd"),
        (sc.chndtrix, (0.4, 2.0, 0.5), 1, "df"),
        (sc.chndtrinc, (2.0, 2.0, 0.3), 1, "df"),
        (sc.bdtri, (2.0, np.int64(5), 0.3), 0, "k"),
    ],
)
def test_an_argument_without_a_formula_is_refused_by_name(
    f: Any, ins: tuple[Any, ...], k: int, name: str
):
    with pytest.raises(NotSupported, match=rf"{f.__name__} in its argument {name} has no formula"):
        co.grad(f, k)(*ins)


@pytest.mark.parametrize("f", [sc.chndtridf, sc.ncfdtridfd, sc.ncfdtridfn])
def test_what_solves_for_such_an_argument_is_refused_by_name(f: Any):
    with pytest.raises(NotSupported, match=rf"scipy\.special\.{f.__name__}"):
        co.grad(f)(*(0.5,) * f.nin)
