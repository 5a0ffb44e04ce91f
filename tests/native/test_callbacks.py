"""NumPy called back: views of the memory that the program holds, guards, and what NumPy raises."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest
from native.alike import assert_all_alike, check, programs

import corrente as co
from corrente.circuit import Guard
from corrente.native.callbacks import FAILED, OTHER_PATH, bound, same
from corrente.native.layouts import Layout, row
from corrente.native.programs import Callback

F8 = np.dtype(float)


def call(entry: Callback, *arrays: np.ndarray) -> int:
    pointers = (ctypes.c_void_p * max(1, len(arrays)))(*(a.ctypes.data for a in arrays))
    return bound(entry)(pointers)


def back(f, ins, outs, numbers=None, weak=None, guard=None) -> Callback:
    return Callback(f, {}, ins, outs, numbers or {}, weak or (False,) * len(ins), guard)


def test_it_reads_and_writes_memory_where_it_lies():
    x, out = np.arange(6.0), np.zeros((2, 3))
    backwards = Layout(1, 0, (2, 3), (8, -16), F8)
    given = np.lib.stride_tricks.as_strided(x[4:], (2, 3), (8, -16))
    assert call(back(np.negative, [backwards], [row(0, 0, (2, 3), F8)]), x[4:], out) == 0
    np.testing.assert_array_equal(out, -given)


def test_numbers_are_given_as_their_python_and_numpy_types():
    seen = []

    def note(*values):
        seen.extend(values)
        return values[0]

    one, out = np.array(1.5), np.zeros(())
    scalar = row(0, 0, (), F8)
    entry = back(note, [scalar, None, scalar], [scalar], {1: 7}, (True, False, False))
    assert call(entry, one, one, out) == 0
    assert [type(v) for v in seen] == [float, int, np.float64]
    assert out == 1.5


def test_what_it_raises_is_left_to_the_slow_door():
    def fails(x):
        raise RuntimeError(x)

    assert call(back(fails, [row(0, 0, (), F8)], []), np.zeros(())) == FAILED


def test_a_result_of_another_shape_is_another_path():
    entry = back(lambda x: x[:1], [row(0, 0, (2,), F8)], [row(0, 0, (2,), F8)])
    assert call(entry, np.ones(2), np.zeros(2)) == OTHER_PATH


def test_a_guard_compares():
    entry = back(lambda x: x, [row(0, 0, (), F8)], [], guard=Guard(0, 2, None))
    assert call(entry, np.array(2.5)) == 0
    assert call(entry, np.array(3.5)) == OTHER_PATH


def test_arrays_of_nothing_have_no_memory():
    empty = row(0, 0, (0, 3), F8)
    entry = back(lambda x: x.sum(0), [empty], [row(0, 0, (3,), F8)])
    out = np.ones(3)
    assert call(entry, np.zeros((0, 3)), out) == 0
    np.testing.assert_array_equal(out, 0)


@pytest.mark.parametrize(
    ("value", "expected", "alike"),
    [
        (1.5, 1, True),
        (2.5, 1, False),
        (np.True_, True, True),
        (np.nan, np.nan, True),
        (0.0, np.nan, False),
        (np.array([1, 2]), np.array([1, 2]), True),
        (np.array([1, 2]), np.array([1, 3]), False),
        (np.array([1.0, np.nan]), np.array([1.0, np.nan]), True),
        (np.array([True]), np.array([True, True]), False),
    ],
)
def test_guarded_values_are_compared_as_they_were_asked_for(value, expected, alike):
    assert same(value, expected) is alike


def test_errors_of_numpy_come_through_and_do_no_harm():
    f = lambda x: np.linalg.inv(x) @ x
    good, singular = np.array([[2.0, 1.0], [0.0, 3.0]]), np.ones((2, 2))
    compiled = co.jit(f)
    assert_all_alike(compiled(good), f(good), tolerance=16)
    for _ in range(2):
        with pytest.raises(np.linalg.LinAlgError, match="Singular"):
            compiled(singular)
    assert_all_alike(compiled(good), f(good), tolerance=16)
    assert len(programs(compiled)) == 1


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128, np.float16, np.longdouble])
def test_types_without_native_loops_are_called_back(dtype):
    x = np.linspace(-2, 2, 7).astype(dtype)
    check(lambda x: (np.exp(x) * x, x[::-1], np.sum(x), x[2], np.concatenate([x, 2 * x])), x)
    check(lambda x: (x * x, -x), x[3])


def test_several_outputs_one_of_which_is_not_used():
    x = np.random.default_rng(0).normal(size=(3, 3))
    check(lambda x: np.linalg.slogdet(x)[1] + np.sum(np.linalg.qr(x)[1]), x, tolerance=64)
