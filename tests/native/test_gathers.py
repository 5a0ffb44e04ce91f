"""Rows read and written at indices: repeated ones, negative ones, none, and ones out of bounds."""

from __future__ import annotations

import numpy as np
import pytest
from native.alike import arrangements, assert_all_alike, check, programs

import corrente as co

X = np.random.default_rng(0).normal(size=(4, 5))
ROWS, COLUMNS = np.array([0, -1, 2, 2, 0]), np.array([1, 1, -2, 0, 3])

READS = {
    "rows": lambda x: x[ROWS],
    "columns": lambda x: x[:, ROWS],
    "elements": lambda x: x[ROWS, COLUMNS],
    "a grid": lambda x: x[ROWS[:, None], COLUMNS],
    "one after another": lambda x: x[ROWS][:, COLUMNS],
    "beside a slice": lambda x: x[1:, ROWS],
    "beside a new axis": lambda x: x[None, ROWS],
    "part of rows": lambda x: x[ROWS, :2],
    "behind an ellipsis": lambda x: x[..., ROWS],
    "take": lambda x: np.take(x, ROWS, axis=1),
    "take of all": lambda x: np.take(x, ROWS),
    "none": lambda x: x[np.array([], int)],
    "strided indices": lambda x: x[ROWS[::-2]],
    "short indices": lambda x: x[ROWS.astype(np.int32)],
    "small indices": lambda x: x[(ROWS % 4).astype(np.uint8)],
    "a mask": lambda x: x[x > 0],
    "a list of truths": lambda x: x[:, [True, False, True, False, True]],
    "columns of a view": lambda x: x.T[ROWS],
    "a view turned": lambda x: x[::-1, ::2][ROWS % 3],
    "sorted": lambda x: np.take_along_axis(x, np.argsort(x, 1), 1),
    "repeated": lambda x: np.repeat(x, [1, 0, 2, 1, 3], 1),
    "rolled": lambda x: np.roll(x, (1, 2), (0, 1)),
    "joined": lambda x: np.concatenate([x, x[1:]]),
    "stacked": lambda x: np.stack([x, x, -x], -1),
    "split": lambda x: np.split(x, [1, 3], 1),
    "a table": lambda x: np.block([[x, x], [x, 2 * x]]),
    "padded": lambda x: np.pad(x, ((1, 2), (0, 1)), mode="wrap"),
    "tiled": lambda x: np.tile(x, (2, 1)),
    "a diagonal": lambda x: (np.diagonal(x), np.diag(x[0]), np.tril(x)),
}


def written(write):
    def f(x):
        y = np.copy(x)
        return write(y)

    return f


def sets(y):
    y[ROWS] = 1.5
    return y


def adds(y):
    np.add.at(y, ROWS, y[COLUMNS])
    return y


def adds_elements(y):
    np.subtract.at(y, (ROWS, COLUMNS), 1.0)
    return y


def sets_columns(y):
    y[:, ROWS] = 2 * y[:, COLUMNS]
    return y


def sets_a_grid(y):
    y[ROWS[:, None], COLUMNS] = np.arange(25.0).reshape(5, 5)
    return y


def shifts(y):
    y[1:] = y[:-1]
    return y


def turns(y):
    y[::-1] += y
    return y


def masks(y):
    y[y > 0] = 0.0
    return y


def scales_masked(y):
    y[y > 0] *= 2
    return y


def writes_through_a_view(y):
    z = y[1:3]
    z *= 2
    z[0, 1] = 9
    return y, z


def swaps(y):
    y[0], y[1] = y[1].copy(), y[0].copy()
    return y


def reads_between(y):
    y[0] = 1.0
    z = 2 * y
    y[1] = 3.0
    return y, z


def scales_by_itself(y):
    y *= y[0]
    y -= y[:, :1]
    return y


def sets_nothing(y):
    y[np.array([], int)] = 7.0
    return y


WRITES = [sets, adds, adds_elements, sets_columns, sets_a_grid, shifts, turns, masks]
WRITES += [scales_masked, writes_through_a_view, swaps, reads_between, scales_by_itself]
WRITES += [sets_nothing]


def slope(f):
    def loss(x):
        parts = f(np.sin(x))
        parts = parts if isinstance(parts, list | tuple) else (parts,)
        return sum(np.sum(part * part) for part in parts) + np.sum(x)

    return co.value_and_grad(loss)


@pytest.mark.parametrize("name", READS)
def test_reads(name):
    f = READS[name]
    check(f, X)
    check(f, X.astype(np.float32)[::-1])
    check(f, (10 * X).astype(int))
    check(slope(f), X, tolerance=16)


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__)
def test_writes(write):
    f = written(write)
    check(f, X)
    check(f, np.asfortranarray(X).astype(np.float32))
    check(slope(f), X, tolerance=16)


def test_nothing_is_joined_as_well():
    check(lambda x: np.concatenate([x, x[:0], x[1:]]), X)


def test_whatever_lies_otherwise():
    for _, x in arrangements(X):
        check(lambda x: (x[ROWS], x[:, COLUMNS], adds(np.copy(x))), x)


def test_indices_that_come_in():
    f = lambda x, i: (x[i] * 2, x[:, i], sets_at(x, i))

    def sets_at(x, i):
        y = np.copy(x)
        y[i] = 1.0
        return y

    compiled = co.jit(f)
    for i in ([0, 1, 2], [3, 3, 3], [-1, 0, -4]):
        assert_all_alike(compiled(X, np.array(i)), f(X, np.array(i)))
    assert len(programs(compiled)) == 1
    for wrong in ([0, 1, 4], [0, 1, -5], [0, 1, 1 << 40], [-(1 << 62), 0, 0]):
        with pytest.raises(IndexError, match="out of bounds"):
            compiled(X, np.array(wrong))
    assert_all_alike(compiled(X, np.array([1, 1, 0])), f(X, np.array([1, 1, 0])))


def test_an_index_that_is_one_number():
    f = lambda x, n: x[n] * 2
    compiled = co.jit(f)
    for n in (0, 3, -1, np.int64(2), np.array(1)):
        assert_all_alike(compiled(X, n), f(X, n))


def test_a_slope_adds_up_where_indices_repeat():
    i = np.array([1, 1, 1, 0])
    slope = co.jit(co.grad(lambda x: np.sum(x[i] * np.arange(4.0))))
    np.testing.assert_array_equal(slope(np.ones(3)), [3.0, 3.0, 0.0])
