"""Loops: every element in its place, every sum as precise as NumPy's, whatever the size."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from native.alike import assert_all_alike, assert_like, check, function_of, programs, spoil, ulps

import corrente as co
import corrente.gates
from corrente.native.nests import pieces
from corrente.record import NAMES, Elementwise

SIZES = (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 1000, 1023, 1025)
GATES = [g for g in NAMES.values() if isinstance(g.kind, Elementwise) and g.example is None]
SPECIAL = (
    *(0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, -5e-324, 2.5e-310, 1.8e308),
    *(2.2250738585072014e-308, 1.7976931348623157e308, -1.7976931348623157e308, 0.5, -2.5),
    *(3.0, 7.0, 1e-20, 100.0, -100.0, 1e5, 2.0, -3.0, 709.9, -745.2, 88.8, -103.5, 1e-45, 3e38),
)
KINDS = ("f8", "f4", "i8", "i4", "b1")
RNG = np.random.default_rng(0)
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def specials(arity: int, dtype: Any) -> list[np.ndarray]:
    """Return all special numbers, or all pairs of them; more inputs follow in any order."""
    with np.errstate(over="ignore"):
        values = np.array(SPECIAL, dtype)
    pair = [x.ravel() for x in np.meshgrid(*[values] * min(arity, 2), indexing="ij")]
    return pair + [RNG.permutation(pair[0]) for _ in range(arity - 2)]


@DTYPES
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_elementwise_gates_are_exact_on_special_numbers(gate, dtype):
    ins = specials(len(gate.domain), dtype)
    f = function_of(gate, {})
    compiled = co.jit(f)
    with np.errstate(all="ignore"):
        try:
            expected = f(*ins)
        except TypeError:  # not of floats
            return
        found = compiled(*ins)
        # which of two equal zeros clip gives, NumPy itself decides by how its bounds are given
        assert_like(found, expected, signs=gate.name != "clip")
        assert ulps(found, expected) <= 2
        for n in (7, 33):  # any lane, and the tail, computes the same
            part = compiled(*(x[5 : 5 + n] for x in ins))
            assert part.tobytes() == found[5 : 5 + n].tobytes()
    assert len(programs(compiled)) == 3


@pytest.mark.parametrize("n", SIZES)
def test_every_size(n):
    x, y = RNG.normal(size=(2, n))

    def f(x, y):
        z = np.exp(-x * x) * y
        return z, x > y, np.sum(z * z), np.max(z), np.where(x > y, x, z), (x * 2).astype(np.float32)

    check(f, x, y, tolerance=8)
    check(lambda x, y: f(x.astype(np.float32), y.astype(np.float32)), x, y, tolerance=16)
    check(f, np.broadcast_to(x[:1], n), y[::-1], tolerance=8)


@pytest.mark.parametrize(("lanes", "weight"), list(itertools.product((1, 4, 8, 16), (1, 25))))
def test_pieces_cover_an_axis_once(lanes, weight):
    for n in (*SIZES, 64):
        made = list(pieces(n, lanes, weight))
        covered = [start + k for start, width, times in made for k in range(width * times)]
        assert covered == list(range(n))
        assert all(width & (width - 1) == 0 for _, width, _ in made)


@DTYPES
def test_scalars_keep_their_kind(dtype):
    f = lambda x: (x * 2.5, -x, x > 1, np.exp(x), np.maximum(x, 0.5), 1.0 - x, x**2)
    for x in (
        1.5,
        dtype(1.5),
        np.array(1.5, dtype),
        np.array([1.5], dtype),
        np.ones((1, 1), dtype),
    ):
        check(f, x, ulp=2)


def test_numbers_of_python_promote_nothing():
    single = np.linspace(-1, 1, 5, dtype=np.float32)
    f = lambda x, k: (x * k, np.where(x > k, x, k), np.maximum(k, x), k - x)
    check(f, single, 2.5, ulp=2)
    check(f, single, np.float64(2.5), ulp=2)
    check(f, single, np.array([0.1]), ulp=2)


@pytest.mark.parametrize("kinds", list(itertools.combinations(KINDS, 2)), ids=str)
def test_dtypes_mix_as_in_numpy(kinds):
    x, y = ((np.arange(19) % 4).astype(kind) for kind in kinds)
    f = lambda x, y: (x * y, x + y, x < y, np.where(x, y, x), np.sum(x * y), x.astype(y.dtype))
    check(f, x, y, ulp=4)


def test_broadcasts():
    shapes = ((3, 1, 5), (4, 1), (1,), (), (1, 4, 1), (3, 4, 5))
    xs = [RNG.normal(size=shape) for shape in shapes]
    check(
        lambda *xs: [a * b + np.sin(a) for a, b in itertools.combinations(xs, 2)], *xs, tolerance=4
    )


# --- folds --------------------------------------------------------------------------------------

SHAPES = [(1,), (5,), (17,), (1023,), (1025,), (3000,), (3, 4), (1, 5), (5, 1), (2, 1100)]
SHAPES += [(1100, 2), (33, 31), (2, 3, 4), (3, 1, 5), (2, 1030, 3), (2, 3, 4, 5), (2, 1, 3, 1)]
FOLDS = {
    "sum": lambda x, **over: np.sum(x, **over),
    "mean": lambda x, **over: np.mean(x, **over),
    "squares": lambda x, **over: np.sum(x * x, **over),
    "max": lambda x, **over: np.max(x, **over),
    "min": lambda x, **over: np.min(2 * x, **over),
}


def folds(shape: tuple[int, ...]) -> list[tuple[str, dict[str, Any]]]:
    """Return every fold over every set of axes."""
    axes = range(len(shape))
    sets = [c for r in range(len(shape) + 1) for c in itertools.combinations(axes, r)]
    over = [{"axis": axis, "keepdims": keep} for axis in sets for keep in (False, True)]
    return list(itertools.product(FOLDS, over))


def folded(cases: Any) -> Callable[..., Any]:
    return lambda x: tuple(FOLDS[name](x, **over) for name, over in cases)


def as_long(x: np.ndarray) -> np.ndarray:
    return x.astype(np.longdouble)


@DTYPES
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_folds_over_every_set_of_axes_in_one_loop(shape, dtype):
    cases = folds(shape)
    x = (RNG.normal(size=shape) + 0.25).astype(dtype)
    f = folded(cases)
    compiled, expected = co.jit(f), f(x)
    exact, weight = f(as_long(x)), folded(cases)(np.abs(as_long(x)))
    for _ in range(2):
        found = compiled(x)
        spoil(compiled)
        for (name, _), *ours in zip(cases, found, expected, exact, weight, strict=True):
            result, numpys, truth, scale = ours
            assert_like(result, numpys)
            if name in ("max", "min"):
                np.testing.assert_array_equal(result, numpys)
                continue
            errors = [np.abs(y - truth) / (scale * np.finfo(dtype).eps) for y in (result, numpys)]
            # of a sum the largest weight, where all is of one sign, decides
            assert np.max(errors[0]) <= max(2 * np.max(errors[1]), 2.0)


@pytest.mark.parametrize("shape", [(17,), (3000,), (3, 4), (2, 1100), (2, 3, 4)], ids=str)
def test_folds_of_special_numbers(shape):
    f = co.jit(folded(cases := folds(shape)))
    x = RNG.normal(size=shape)
    with np.errstate(all="ignore"):
        for places in ({2: np.nan}, {1: np.inf}, {1: np.inf, -1: -np.inf}, {0: -np.inf}):
            y = x.copy()
            for place, special in places.items():
                y.flat[place] = special
            assert_all_alike(f(y), folded(cases)(y), tolerance=64)
        for special in (-0.0, np.inf, -np.inf, np.nan, 5e-324):
            y = np.full(shape, special)
            assert_all_alike(f(y), folded(cases)(y), tolerance=4)
    assert len(programs(f)) == 1


def test_long_and_short_folds_share_a_loop():
    # the rest of a row, behind its last whole block, belongs to every fold
    x = RNG.normal(size=(3, 1100))
    check(
        lambda x: (x.sum(0), x.sum(1), x.sum(), np.exp(x).max(0), (x * x).sum(())), x, tolerance=8
    )


@DTYPES
def test_long_sums_are_as_precise_as_numpys(dtype):
    for x in (
        RNG.random(size=(4, 100_000)),
        RNG.normal(size=(100_000, 4)),
        1 / np.arange(1, 300_001),
    ):
        x = x.astype(dtype)
        f = lambda x: (np.sum(x), np.sum(x, -1), np.sum(x * 1.5))
        for found, numpys, exact, scale in zip(
            co.jit(f)(x), f(x), f(as_long(x)), f(np.abs(as_long(x))), strict=True
        ):
            eps = np.finfo(dtype).eps
            worst = [np.max(np.abs(y - exact) / (eps * scale)) for y in (found, numpys)]
            assert worst[0] <= max(2 * worst[1], 2.0)


def test_numbers_fold_to_themselves():
    check(lambda x: (np.sum(x), np.max(x), np.sum(x, axis=())), np.array(-0.0))
    check(lambda x: (np.sum(x * x), np.max(-x)), 2.5)
