"""Loops over whole numbers and truth values give NumPy's bits, and call nothing back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from passes.agreeing import recorded

import corrente as co
from corrente import native
from corrente.passes import tidy
from corrente.passes.fuse import fuse
from corrente.passes.spell import spell

Function = Callable[[Any, Any], Any]
L, W, B, F = np.int64, np.int32, np.bool_, np.float64

ELEMENTS: dict[str, Function] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "negative": lambda x, y: -x,
    "absolute": lambda x, y: abs(x),
    "square": lambda x, y: x**2,
    "power": lambda x, y: x**7,
    "sign": lambda x, y: np.sign(x),
    "maximum": lambda x, y: np.maximum(x, y),
    "minimum": lambda x, y: np.minimum(x, y),
    "where": lambda x, y: np.where(x > y, x, y),
    "clip": lambda x, y: np.clip(x, -5, 5),
    "floor": lambda x, y: np.floor(x),
    "less": lambda x, y: x < y,
    "less_equal": lambda x, y: x <= y,
    "equal": lambda x, y: x == y,
    "not_equal": lambda x, y: x != 3,
    "greater": lambda x, y: x > 2**40,
    "greater than half": lambda x, y: x > 0.5,
    "logical": lambda x, y: np.logical_and(x, np.logical_not(y)) | np.logical_xor(x, y),
    "to float": lambda x, y: x.astype(float),
    "to single": lambda x, y: x.astype(np.float32),
    "to short": lambda x, y: x.astype(np.int32),
    "to truth": lambda x, y: (x + y).astype(bool),
    "from float": lambda x, y: np.astype(x / 7, np.int64),
    "half": lambda x, y: x * 0.5,
}
FOLDS: dict[str, Function] = {
    "sum": lambda x, y: np.sum(x),
    "sum of rows": lambda x, y: np.sum(x * y, axis=1),
    "sum of columns": lambda x, y: np.sum(x * y, axis=0),
    "product": lambda x, y: np.prod(x, axis=0),
    "greatest": lambda x, y: np.max(x, axis=1),
    "least": lambda x, y: np.min(x, axis=0),
    "greatest of all": lambda x, y: np.max(x),
    "any": lambda x, y: np.any(x > y, axis=1),
    "any of columns": lambda x, y: np.any(x > y, axis=0),
    "all": lambda x, y: np.all(x > y),
    "all of columns": lambda x, y: np.all(x >= x, axis=0, keepdims=True),
    "count": lambda x, y: np.count_nonzero(x > y, axis=0),
    "place": lambda x, y: np.argmax(x, axis=1),
    "place of all": lambda x, y: np.argmin(x),
    "counted": lambda x, y: x + np.sum(x > y, axis=0),
}
TRUTHS: dict[str, Function] = {
    "and": lambda x, y: x & y,
    "or": lambda x, y: x | ~y,
    "xor": lambda x, y: x ^ y,
    "sum": lambda x, y: x + y,
    "product": lambda x, y: x * y,
    "greater": lambda x, y: np.maximum(x, y),
    "less": lambda x, y: x < y,
    "equal": lambda x, y: x == y,
    "choice": lambda x, y: np.where(x, y, x),
    "to whole": lambda x, y: x.astype(np.int64) - y,
    "count": lambda x, y: np.sum(x, axis=0),
    "any": lambda x, y: np.any(x & y, axis=1),
    "greatest": lambda x, y: np.max(x > y, axis=1),
    "greatest of columns": lambda x, y: np.max(x, axis=0),
    "least": lambda x, y: np.min(x, axis=0, keepdims=True),
    "least of all": lambda x, y: np.min(x <= x),
}


def drawn(shape: tuple[int, ...], *dtypes: Any) -> list[np.ndarray]:
    """Draw numbers of every length, some of them equal."""
    rng = np.random.default_rng(len(shape))
    found = []
    for dtype in dtypes:
        most = min(np.iinfo(dtype).max, 2**62) if dtype != B else 1
        x = rng.integers(-most, most, size=shape, endpoint=True)
        small = rng.integers(-3, 4, size=shape)
        found.append(np.where(rng.random(shape) < 0.4, small, x).astype(dtype))
    return found


def same(one: Any, other: Any) -> bool:
    a, b = np.asarray(one), np.asarray(other)
    return a.dtype == b.dtype and np.array_equal(a, b)


def calls_back(function: Function, *args: Any) -> list[Any]:
    """Return what the compiled circuit of a function calls back."""
    circuit = fuse(tidy(spell(recorded(function, *args))))
    return native.lower(circuit, {}, native.vector_bytes()).callbacks


@pytest.mark.parametrize("name", [*ELEMENTS, *FOLDS])
@pytest.mark.parametrize("dtypes", [(L, L), (W, W), (W, L)], ids=["long", "short", "mixed"])
def test_whole_numbers(name: str, dtypes: Any):
    function = (ELEMENTS | FOLDS)[name]
    for shape in ((3, 5), (9, 40), (1, 1)):
        x, y = drawn(shape, *dtypes)
        assert same(co.jit(function)(x, y), function(x, y))
        assert not calls_back(function, x, y)


@pytest.mark.parametrize("name", TRUTHS)
def test_truth_values(name: str):
    function = TRUTHS[name]
    for shape in ((3, 5), (9, 40)):
        x, y = drawn(shape, B, B)
        assert same(co.jit(function)(x, y), function(x, y))
        assert not calls_back(function, x, y)


@pytest.mark.parametrize("name", FOLDS)
def test_many_numbers_in_two_goes(name: str):
    x, y = drawn((3000, 130), L, L)
    assert same(co.jit(FOLDS[name])(x, y), FOLDS[name](x, y))


def test_turned_and_spread_arrays():
    def f(x: Any, y: Any) -> Any:
        return np.sum(x.T * y, axis=0), np.any(x[::-1, ::2] > 1, axis=1), np.max(y[:, None])

    x, y = drawn((5, 8), L, L)
    expected = f(x, y[0, :, None] * np.ones(5, int))
    found = co.jit(f)(x, y[0, :, None] * np.ones(5, int))
    assert all(same(*pair) for pair in zip(expected, found, strict=True))


def test_long_numbers_keep_their_last_digits():
    x = np.array([2**62 + 1, 3])
    for function in (
        lambda x: x + (2**53 + 1),
        lambda x: x == 2**62 + 1,
        lambda x: x.astype(float),
    ):
        assert same(co.jit(function)(x), function(x))


@pytest.mark.parametrize("dtype", [L, W])
def test_a_number_beyond_all_is_compared_by_numpy(dtype: Any):
    x = np.array([3, -4], dtype)
    for function in (lambda x: x < 2**70, lambda x: x > 2**40):
        assert same(co.jit(function)(x), function(x))


def test_what_is_not_finite_becomes_what_the_machine_says():
    x = np.array([1.9, -1.9, 0.0, -0.0, 2.0**31])
    assert same(co.jit(lambda x: x.astype(np.int64))(x), x.astype(np.int64))
    tiny = np.array([1e-300, 0.0, np.nan, -np.inf])
    assert same(co.jit(lambda x: x.astype(bool))(tiny), tiny.astype(bool))


def test_products_of_floats_fold():
    x = np.array([[2.0, np.nan, 3.0], [-0.0, 5.0, 1e200], [np.inf, 2.0, 1e200]])
    for axis in (0, 1, None):

        def function(x: Any, axis: Any = axis) -> Any:
            return np.prod(x, axis=axis)

        with np.errstate(all="ignore"):
            found, expected = co.jit(function)(x), function(x)
        assert np.array_equal(found, expected, equal_nan=True)
        assert np.array_equal(np.signbit(found[found == 0]), np.signbit(expected[expected == 0]))
    circuit = fuse(recorded(lambda x: np.prod(x, axis=0), np.ones((2, 3))))
    assert not native.lower(circuit, {}, native.vector_bytes()).callbacks
