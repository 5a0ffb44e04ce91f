"""Running sums and products are NumPy's to the last bit, whatever the axis, strides and dtype."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

from corrente.circuit import Step
from corrente.native.accumulations import accumulate, fits
from corrente.native.assembling import Loaded, translate
from corrente.native.layouts import Layout, row
from corrente.native.vectors import Module
from corrente.record import NAMES

ODD = (np.nan, np.inf, -np.inf, -0.0, 1.0)


def step(name: str, axis: int) -> Step:
    return Step(NAMES[name], (0,), (1,), {"axis": axis})


def run(name: str, x: np.ndarray, axis: int) -> np.ndarray:
    """Compile the kernel for an array as it lies, and run it."""
    out = np.empty(x.shape, x.dtype)
    layouts = Layout(1, 0, x.shape, x.strides, x.dtype), row(2, 0, x.shape, x.dtype)
    assert fits(step(name, axis), layouts[:1], layouts[1])
    _, write, ins, outs = accumulate(step(name, axis), [layouts[0]], layouts[1], Module())
    assert (ins, outs) == ([layouts[0]], [layouts[1]])
    text = write("define void @kernel(ptr %in0, ptr %out0)")
    kernel = Loaded(translate(text, thorough=True))
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (x, out)]
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(kernel.address("kernel"))(*pointers)
    return out


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize(
    ("shape", "axis"), [((7,), 0), ((3, 5), 0), ((3, 5), 1), ((2, 3, 4), 1), ((1, 4), 0), ((1,), 0)]
)
def test_it_is_numpys(shape: tuple[int, ...], axis: int, name: str, dtype: Any):
    x = (3 * np.random.default_rng(0).normal(size=shape)).astype(dtype)
    for given in (x, x.T.copy().T, x[..., ::-1]):
        expected: Any = getattr(np, name)(given, axis=axis)
        assert run(name, given, axis).tobytes() == np.ascontiguousarray(expected).tobytes()


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_odd_numbers_go_on(name: str):
    x = np.random.default_rng(1).choice(ODD, (6, 8))
    with np.errstate(invalid="ignore"):
        expected: Any = getattr(np, name)(x, axis=1)
    found = run(name, x, 1)
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(np.signbit(found)[found == 0], np.signbit(expected)[expected == 0])


def test_whole_numbers_wrap_around():
    x = np.full((2, 3), 2**62)
    assert np.array_equal(run("cumsum", x, 1), np.cumsum(x, axis=1))


def test_what_does_not_fit():
    x, empty = row(1, 0, (3,), np.dtype(float)), row(1, 0, (0,), np.dtype(float))
    short, odd = row(1, 0, (3,), np.dtype(np.int32)), row(1, 0, (3,), np.dtype(complex))
    assert not fits(step("sort", 0), [x], x)
    assert not fits(step("cumsum", 0), [empty], empty)
    assert not fits(step("cumsum", 0), [short], row(2, 0, (3,), np.dtype(np.int64)))
    assert not fits(step("cumsum", 0), [odd], odd)
