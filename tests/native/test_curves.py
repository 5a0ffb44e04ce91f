"""The curves of the native path: within the bounds of their page, and exact where C99 is."""

from __future__ import annotations

import itertools
import math
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from corrente.native import exponentials
from docs.accuracy_page import DTYPES, NUMPYS, PAGE, PAIRS, bounds, curve, off, operands, points
from docs.minimax import fit

BOUNDS = bounds(PAGE.read_text(encoding="utf-8"))
KINDS = list(DTYPES)
MPMATHS: dict[str, Any] = {
    "exp2": lambda x: mp.mpf(2) ** x,
    "log2": lambda x: mp.log(x) / mp.log(2),
    "log10": mp.log10,
    "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)),
    "pow": mp.power,
    "fmod": lambda x, y: mp.sign(x) * mp.fmod(abs(x), abs(y)),
}
WIDTH = {"float": 24, "double": 53}
PI = math.pi


def exact(name: str, *ins: float) -> mp.mpf | None:
    """Return the value of a curve in 50 digits; None where it is not a real number."""
    function = MPMATHS.get(name) or getattr(mp, name)
    if not all(map(math.isfinite, ins)):
        return None
    with mp.workdps(50):
        try:
            # what is far beyond all floats is not worth waiting for
            if name in ("exp", "exp2", "expm1", "sinh", "cosh", "tanh") and abs(ins[0]) > 2000:
                return None
            found = function(*map(mp.mpf, ins))
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
    return found if isinstance(found, mp.mpf) and mp.isfinite(found) else None


def ulps(found: float, true: mp.mpf, dtype: np.dtype) -> float:
    """Return how far a number is from the truth, in units in the last place of the truth."""
    info = np.finfo(dtype)
    if abs(true) >= mp.mpf(2) ** info.maxexp * (1 - mp.mpf(2) ** -(info.nmant + 2)):
        return 0.0 if math.isinf(found) and (found > 0) == (true > 0) else math.inf
    exponent = max(mp.frexp(true)[1] - 1, info.minexp) if true else info.minexp
    with mp.workdps(50):
        return float(abs(mp.mpf(float(found)) - true) / mp.mpf(2) ** int(exponent - info.nmant))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NUMPYS)
def test_a_curve_keeps_the_bound_of_its_page(name: str, kind: str):
    ins = operands(name, kind, seed=11, count=24)
    found = curve(name, kind)(*ins)
    assert not math.isinf(BOUNDS[name, kind])
    checked = 0
    for k, values in enumerate(zip(*(x.tolist() for x in ins), strict=True)):
        true = exact(name, *values)
        if true is not None:
            assert ulps(float(found[k]), true, found.dtype) <= BOUNDS[name, kind], values
            checked += 1
    assert checked > 40


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NUMPYS)
def test_a_curve_keeps_its_bound_on_many_numbers(name: str, kind: str):
    ins = operands(name, kind, seed=12, count=4000)
    wide = np.float64 if kind == "float" else np.longdouble
    if np.finfo(np.longdouble).nmant < 63 and kind == "double":
        pytest.skip("long double is no more than double here")
    with np.errstate(all="ignore"):
        true = NUMPYS[name](*(x.astype(wide) for x in ins))
    errors = off(curve(name, kind)(*ins), true)
    worst = int(np.argmax(errors))
    assert errors[worst] <= BOUNDS[name, kind], [float(x[worst]) for x in ins]


@pytest.mark.parametrize("kind", KINDS)
def test_waves_keep_their_bounds_close_to_their_zeros(kind: str):
    top = 2.0**14 if kind == "float" else 2.0**30
    turns = np.random.default_rng(3).integers(1, int(top / PI * 2), 150)
    with mp.workdps(50):
        x = np.array([float(k * mp.pi / 2) for k in turns.tolist()], DTYPES[kind])
    for name in ("sin", "cos", "tan"):
        for value, found in zip(x.tolist(), curve(name, kind)(x).tolist(), strict=True):
            true = exact(name, value)
            assert true is not None
            assert ulps(found, true, DTYPES[kind]) <= BOUNDS[name, kind], (name, value)


# at 0, −0, ∞ and −∞
ENDS = {
    "exp": (1, 1, math.inf, 0),
    "exp2": (1, 1, math.inf, 0),
    "expm1": (0.0, -0.0, math.inf, -1),
    "log": (-math.inf, -math.inf, math.inf, math.nan),
    "log2": (-math.inf, -math.inf, math.inf, math.nan),
    "log10": (-math.inf, -math.inf, math.inf, math.nan),
    "log1p": (0.0, -0.0, math.inf, math.nan),
    "sin": (0.0, -0.0, math.nan, math.nan),
    "cos": (1, 1, math.nan, math.nan),
    "tan": (0.0, -0.0, math.nan, math.nan),
    "asin": (0.0, -0.0, math.nan, math.nan),
    "acos": (PI / 2, PI / 2, math.nan, math.nan),
    "atan": (0.0, -0.0, PI / 2, -PI / 2),
    "sinh": (0.0, -0.0, math.inf, -math.inf),
    "cosh": (1, 1, math.inf, math.inf),
    "tanh": (0.0, -0.0, 1, -1),
    "asinh": (0.0, -0.0, math.inf, -math.inf),
    "acosh": (math.nan, math.nan, math.inf, math.nan),
    "atanh": (0.0, -0.0, math.nan, math.nan),
    "cbrt": (0.0, -0.0, math.inf, -math.inf),
    "sqrt": (0.0, -0.0, math.inf, math.nan),
    "floor": (0.0, -0.0, math.inf, -math.inf),
    "ceil": (0.0, -0.0, math.inf, -math.inf),
    "rint": (0.0, -0.0, math.inf, -math.inf),
    "trunc": (0.0, -0.0, math.inf, -math.inf),
    "neg": (-0.0, 0.0, -math.inf, math.inf),
    "abs": (0.0, 0.0, math.inf, math.inf),
}
# where the answer is known to the last digit
KNOWN = [
    ("exp", 1000, math.inf),
    ("exp", -1000, 0.0),
    ("exp2", 10, 1024),
    ("exp2", -1, 0.5),
    ("expm1", -100, -1),
    ("expm1", 1000, math.inf),
    ("log", 1, 0.0),
    ("log", -1, math.nan),
    ("log2", 8, 3),
    ("log10", 1000, 3),
    ("log1p", -1, -math.inf),
    ("log1p", -2, math.nan),
    ("asin", 1, PI / 2),
    ("asin", 1.5, math.nan),
    ("acos", 1, 0.0),
    ("acos", -1, PI),
    ("acos", -1.5, math.nan),
    ("sinh", -1000, -math.inf),
    ("cosh", 1000, math.inf),
    ("tanh", 30, 1),
    ("tanh", -30, -1),
    ("acosh", 1, 0.0),
    ("acosh", 0.5, math.nan),
    ("acosh", -5, math.nan),
    ("atanh", 1, math.inf),
    ("atanh", -1, -math.inf),
    ("atanh", 2, math.nan),
    ("atanh", 1e30, math.nan),
    ("cbrt", -27, -3),
    ("rint", 2.5, 2),
    ("rint", -0.3, -0.0),
    ("ceil", -0.3, -0.0),
    ("trunc", -2.7, -2),
    ("floor", -2.2, -3),
]


def same(found: np.ndarray, expected: Any) -> np.ndarray:
    """Tell where numbers are equal with the sign of zero, or both NaN."""
    expected = np.asarray(expected).astype(found.dtype)
    alike = (found == expected) & (np.signbit(found) == np.signbit(expected))
    return alike | (np.isnan(found) & np.isnan(expected))


@pytest.mark.parametrize("lanes", [1, 8])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ENDS)
def test_the_ends_are_exact(name: str, kind: str, lanes: int):
    x = [0.0, -0.0, math.inf, -math.inf, math.nan]
    expected = [*ENDS[name], math.nan]
    extra = [(number, y) for known, number, y in KNOWN if known == name]
    x, expected = x + [n for n, _ in extra], expected + [y for _, y in extra]
    found = curve(name, kind, lanes)(np.array(x))
    assert same(found, expected).all(), list(zip(x, found.tolist(), expected, strict=True))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PAIRS)
def test_the_ends_of_two_numbers_are_those_of_c99(name: str, kind: str):
    info = np.finfo(DTYPES[kind])
    some = [0.0, 1.0, 0.5, 2.0, 3.0, 2.5, math.inf, float(info.max), float(info.smallest_normal)]
    some += [float(info.smallest_subnormal), 2.0**60, 2.0**60 + 2.0**40]
    x, y = np.array(list(itertools.product([*some, *(-s for s in some), math.nan], repeat=2))).T
    x, y = x.astype(DTYPES[kind]), y.astype(DTYPES[kind])
    with np.errstate(all="ignore"):
        expected = NUMPYS[name](x, y)
    found = curve(name, kind)(x, y)
    ends = ~np.isfinite(expected) | (expected == 0) | ~np.isfinite(found)
    assert ends.sum() > 100
    assert same(found, expected)[ends].all()


def test_powers_meet_the_table_of_c99_without_the_library_at_hand():
    rows = [
        (1.0, math.nan, 1.0),
        (math.nan, 0.0, 1.0),
        (math.nan, -0.0, 1.0),
        (math.nan, 1.0, math.nan),
        (-1.0, math.inf, 1.0),
        (-1.0, -math.inf, 1.0),
        (-0.0, 3.0, -0.0),
        (-0.0, -3.0, -math.inf),
        (-0.0, 2.0, 0.0),
        (-0.0, -2.0, math.inf),
        (-math.inf, 3.0, -math.inf),
        (-math.inf, 0.5, math.inf),
        (-math.inf, -3.0, -0.0),
        (-math.inf, -0.5, 0.0),
        (-8.0, 1 / 3, math.nan),
        (-2.0, 3.0, -8.0),
        (0.5, math.inf, 0.0),
        (0.5, -math.inf, math.inf),
        (2.0, math.inf, math.inf),
        (2.0, -math.inf, 0.0),
        (10.0, 400.0, math.inf),
        (-10.0, 401.0, -math.inf),
        (10.0, -400.0, 0.0),
    ]
    x, y, expected = np.array(rows).T
    for kind in KINDS:
        assert same(curve("pow", kind)(x, y), expected).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NUMPYS)
def test_a_number_has_the_same_result_in_any_company(name: str, kind: str):
    rng = np.random.default_rng(4)
    x = rng.permutation(points(kind, rng, 60))
    ins = [x, rng.permutation(x)] if name in PAIRS else [x]
    alone, *others = (curve(name, kind, lanes)(*ins) for lanes in (1, 4, 8))
    for other in others:
        assert same(other, alone).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sin", "cos", "tanh"])
def test_no_wave_rises_above_one(name: str, kind: str):
    x = points(kind, np.random.default_rng(6), 20_000)
    assert np.nanmax(np.abs(curve(name, kind)(x))) == 1.0


LIKE_X = ["expm1", "log1p", "sin", "tan", "asin", "atan", "sinh", "tanh", "asinh", "atanh"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LIKE_X)
def test_a_tiny_number_is_its_own_curve(name: str, kind: str):
    info = np.finfo(DTYPES[kind])
    sizes = np.array([1, 2, 3, 5, 1001, 2.0**30 + 1]) * float(info.smallest_subnormal)
    sizes = np.append(sizes[:5] if kind == "float" else sizes, float(info.smallest_normal))
    x = np.concatenate([sizes, -sizes]).astype(DTYPES[kind])
    assert same(curve(name, kind)(x), x).all()


def test_the_coefficients_are_those_of_the_fit():
    end = mp.log(2) / 2 * 1.0001
    found, error = fit(
        lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / mp.exp(r), -end, end, 4, np.float32
    )
    assert tuple(found) == exponentials._EXP["float"]
    assert -28.4 < math.log2(error) < -28.2
