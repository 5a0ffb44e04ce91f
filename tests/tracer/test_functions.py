"""NumPy's functions reach gates, compositions or a refusal; creation follows `like=`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import Leak, NotSupported

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@pytest.mark.parametrize(
    "make",
    [
        lambda x: np.zeros((2, 3), like=x),
        lambda x: np.ones((2, 3), np.float32, like=x),
        lambda x: np.full((2, 3), 7.0, like=x),
        lambda x: np.full((2, 3), x[0, 1], like=x),
        lambda x: np.zeros_like(x),
        lambda x: np.ones_like(x, dtype=np.float32),
        lambda x: np.full_like(x, 2.5),
        lambda x: np.full_like(x, x[1, 1]),
        lambda x: np.array([[1.0, x[0, 0], 2.0], [x[0, 1], 0.0, 1.0]], like=x),
        lambda x: np.array(x, like=x),
        lambda x: np.arange(3.0, like=x),
        lambda x: np.eye(3, like=x),
        lambda x: np.asarray([x[0, 0], x[0, 1]], like=x),
    ],
)
def test_creation_gives_what_numpy_gives(make: Any):
    f = lambda x: make(x) * 1.0
    t = co.trace(f)(X)
    np.testing.assert_array_equal(t.value, f(X))
    assert t.value.dtype == f(X).dtype


def test_filling_with_a_traced_number_keeps_its_gradient():
    f = lambda x: (np.full_like(x, x[1, 1]) * X).sum()
    np.testing.assert_array_equal(co.grad(f)(X), [[0, 0, 0], [0, X.sum(), 0]])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.add.reduce(x),
        lambda x: np.multiply.reduce(x, axis=1),
        lambda x: np.maximum.reduce(x, axis=None),
        lambda x: np.add.accumulate(x, axis=1),
        lambda x: np.multiply.accumulate(x),
        lambda x: np.multiply.accumulate(x, 1),
        lambda x: np.multiply.outer(x[0], x[1]),
        lambda x: np.subtract.outer(x[0], np.arange(2.0)),
    ],
)
def test_ufunc_methods(f: Any):
    np.testing.assert_allclose(co.trace(f)(X).value, f(X), rtol=1e-15)


def test_other_ufunc_methods_are_refused_by_name():
    with pytest.raises(NotSupported, match=r"np\.multiply: .*reduceat"):
        co.grad(lambda x: np.multiply.reduceat(x, [0]).sum())(X)


@pytest.mark.parametrize(("ufunc", "sign"), [(np.add, 1.0), (np.subtract, -1.0)])
def test_adding_and_subtracting_at_repeated_places(ufunc: Any, sign: float):
    def f(x):
        y = np.zeros(3, like=x)
        ufunc.at(y, [0, 0, 1], x[0])
        return y @ np.array([2.0, 3.0, 4.0])

    np.testing.assert_array_equal(co.grad(f)(X), [[2 * sign, 2 * sign, 3 * sign], [0, 0, 0]])
    with pytest.raises(Leak, match=r"np\.add\.at"):
        co.grad(lambda x: ufunc.at(np.zeros(3), [0], x[0, 0]))(X)


def test_out_may_be_traced_but_not_plain():
    def f(x):
        y = x * 1.0
        np.multiply(y, y, out=y)
        return y.sum()

    np.testing.assert_array_equal(co.grad(f)(X), 2 * X)
    with pytest.raises(Leak):
        co.grad(lambda x: np.exp(x, out=np.zeros((2, 3))).sum())(X)


def test_methods_are_the_functions():
    for f in (
        lambda x: x.sum(axis=0),
        lambda x: x.mean(),
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((3, -1)),
        lambda x: x.transpose(1, 0),
        lambda x: x.transpose(),
        lambda x: x.T,
        lambda x: x.ravel(),
        lambda x: x.flatten(),
        lambda x: x.max(axis=1, keepdims=True),
        lambda x: x.cumsum(axis=1),
        lambda x: x.clip(2.0, 5.0),
        lambda x: x.dot(x.T),
        lambda x: x.astype(np.float32),
        lambda x: x.astype(int),
        lambda x: x.copy(),
        lambda x: x.swapaxes(0, 1),
        lambda x: x.argmax(axis=1),
        lambda x: x.std(axis=1),
        lambda x: x.repeat(2, axis=1),
        lambda x: x.round(1),
        lambda x: x.flat[1:5],
        lambda x: np.array([u * 2.0 for u in x.flat], like=x),
    ):
        found = co.trace(f)(X).value
        np.testing.assert_allclose(found, f(X), rtol=1e-14)
        assert found.dtype == f(X).dtype


def test_an_object_array_of_numbers_is_followed():
    def f(x):
        parts = np.array([x[0, 0], x[0, 1] * 2.0])
        return np.exp(parts).sum() + (parts * parts)[0]

    expected = np.zeros((2, 3))
    expected[0, :2] = np.exp(1.0) + 2.0, 2 * np.exp(4.0)
    np.testing.assert_allclose(co.grad(f)(X), expected)
