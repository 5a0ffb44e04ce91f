"""Where elements lie: views cost nothing, and arrays are read however they lie in memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native.alike import arrangements, assert_all_alike, check, programs
from numpy.lib.stride_tricks import as_strided
from passes.agreeing import SETTINGS

import corrente as co
from corrente.circuit import Step
from corrente.native.layouts import Layout, broadcast, look, merged, row
from corrente.record import NAMES

F8 = np.dtype(float)
BLOCK = np.arange(4096.0)
X = np.random.default_rng(0).normal(size=(5, 9))


def seen(layout: Layout) -> np.ndarray:
    """Show the elements of a layout in a block of numbers."""
    return as_strided(BLOCK[layout.offset // 8 :], layout.shape, layout.strides)


shapes = st.lists(st.integers(1, 4), min_size=0, max_size=4).map(tuple)


@st.composite
def layouts(draw) -> Layout:
    """Draw a layout inside the block, with strides of any sign."""
    shape = draw(shapes)
    strides = tuple(8 * draw(st.integers(-9, 9)) for _ in shape)
    return Layout(0, 8 * 2048, shape, strides, F8)


LOOKS = [
    ("reshape", {"shape": (-1,), "order": "C"}),
    ("reshape", {"shape": (2, -1), "order": "C"}),
    ("expand_dims", {"axis": (0,)}),
    ("squeeze", {"axis": None}),
    ("transpose", {"axes": None}),
    ("flip", {"axis": None}),
    ("flip", {"axis": (0,)}),
    ("diagonal", {"offset": 1, "axis1": 0, "axis2": 1}),
    ("diag", {"k": 0}),
    ("getitem", {"index": (slice(None, None, -2),)}),
    ("getitem", {"index": (Ellipsis, 0)}),
    ("getitem", {"index": (1, None, slice(1, 3))}),
    ("copy", {}),
]


@SETTINGS
@given(layouts(), st.sampled_from(LOOKS))
def test_a_look_shows_what_numpy_shows(layout, case):
    name, params = case
    step = Step(NAMES[name], (0,), (1,), params)
    try:
        expected = NAMES[name].forward(seen(layout), **params)
    except (ValueError, IndexError):  # not of this shape
        return
    found = look(step, layout)
    if found is None:
        copied = not np.shares_memory(expected, BLOCK)
        assert copied or expected.size == 0 or name in ("diag", "reshape")
    else:
        np.testing.assert_array_equal(seen(found), expected)


def test_looks_touch_no_memory():
    huge = Layout(0, 0, (1 << 30, 1 << 20), (8, 8 << 30), F8)
    found = look(Step(NAMES["getitem"], (0,), (1,), {"index": (3, slice(None, None, -1))}), huge)
    assert found == Layout(0, 24 + (8 << 30) * ((1 << 20) - 1), (1 << 20,), (-(8 << 30),), F8)


def test_nothing_is_looked_at_in_nothing():
    assert look(Step(NAMES["transpose"], (0,), (1,), {"axes": None}), row(0, 0, (0, 2), F8)) is None


@SETTINGS
@given(layouts(), shapes)
def test_broadcast_strides_are_numpys(layout, lead):
    try:
        expected = np.broadcast_to(seen(layout), (*lead, *layout.shape))
    except ValueError:
        return
    walk = broadcast(layout, expected.shape)
    again = as_strided(BLOCK[layout.offset // 8 :], expected.shape, walk)
    np.testing.assert_array_equal(again, expected)


@SETTINGS
@given(st.data(), shapes)
def test_merged_axes_walk_over_the_same_elements(data, shape):
    base = row(0, 0, shape, F8)
    swapped = np.transpose(seen(base)[None].repeat(1, 0)[0]).strides[::-1]
    other = tuple(data.draw(st.sampled_from((s, 0, 3 * s))) for s in swapped)
    sizes, (one, two) = merged(shape, [base.strides, other])
    assert len(sizes) <= len(shape)
    assert 1 not in sizes
    for walk, strides in ((base.strides, one), (other, two)):
        before = as_strided(BLOCK, shape, walk).ravel()
        np.testing.assert_array_equal(as_strided(BLOCK, sizes, strides).ravel(), before)


def test_a_row_knows_itself():
    assert row(0, 0, (2, 1, 3), F8).in_a_row
    assert Layout(0, 0, (2, 1, 3), (24, 999, 8), F8).in_a_row
    assert not Layout(0, 0, (2, 3), (8, 16), F8).in_a_row
    assert Layout(0, 0, (0, 3), (8, 16), F8).in_a_row


# --- arguments, however they lie --------------------------------------------------------------


def several(x):
    y = np.exp(x) * x
    return y, np.sum(y), x.sum(0), x.max(1), x @ x.T, x[1:, ::-2], np.stack([x, y]), x > 0, x.T


def loss(x):
    return np.sum(np.tanh(x.T @ x) * x[0]) + np.sum(x[::2] ** 3)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arguments_are_read_however_they_lie(dtype):
    f = lambda x: (several(x), co.grad(loss)(x))
    for name, x in arrangements(X.astype(dtype)):
        try:
            check(f, x, tolerance=64)
        except AssertionError as difference:
            difference.add_note(name)
            raise


def test_each_arrangement_has_a_program_of_its_own():
    compiled = co.jit(several)
    known = set()
    for _, x in (*arrangements(X), *arrangements(X)):
        known.add(None if x.flags.c_contiguous else x.strides)
        assert_all_alike(compiled(x), several(x), tolerance=16)
    assert len(programs(compiled)) == len(known)


def test_closed_over_arrays_are_read_however_they_lie():
    x = X * 0.5
    for _, w in arrangements(X):
        check(lambda x, w=w: (x * w, w @ x.T, w[1]), x, tolerance=16)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_other_kinds_of_arrays_keep_their_own_meaning(tmp_path):
    f = lambda x: x * 2.0 + 1.0
    mapped = np.memmap(tmp_path / "x", float, "w+", shape=X.shape)
    mapped[...] = X
    np.testing.assert_array_equal(co.jit(f)(mapped), f(X))
    swapped = X.astype(X.dtype.newbyteorder())
    assert_all_alike(co.jit(f)(swapped), f(swapped))
    masked = np.ma.masked_array(X, X > 0)
    for _ in range(2):
        found = co.jit(lambda x: x.sum())(masked)
        assert found == masked.sum() != X.sum()
    matrix = np.asmatrix(X[:, :5])
    np.testing.assert_array_equal(co.jit(lambda x: x * x)(matrix), X[:, :5] @ X[:, :5])
