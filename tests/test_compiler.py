"""jit is the identity for now, and already keeps its promises about impurity."""

from __future__ import annotations

import numpy as np
import pytest

import corrente as co
from corrente.errors import Impure

X = np.array([0.5, -1.0, 2.0])
counter = 0
log: list[int] = []


def test_it_changes_nothing():
    f = lambda x, n: np.sum(x**n)
    assert co.jit(f)(X, 2) == f(X, 2)
    np.testing.assert_array_equal(co.jit(co.grad(f))(X, 2), co.grad(f)(X, 2))
    np.testing.assert_array_equal(co.grad(co.jit(f))(X, 2), co.grad(f)(X, 2))


def draws(x):
    noise = np.random.normal(size=3)
    return np.sum(x * noise)


def counts(x):
    global counter
    counter += 1
    return np.sum(x) * counter


def appends(x):
    log.append(1)
    return np.sum(x)


def alternates(x, state=[0]):  # noqa: B006  # the impurity under test
    state[0] += 1
    return np.sum(x * state[0])


@pytest.mark.parametrize(
    ("f", "offset", "what"),
    [(draws, 1, "draws random"), (counts, 2, "changes counter"), (appends, 1, "changes log")],
)
def test_impurity_is_refused_with_its_line(f, offset, what):
    with pytest.raises(Impure, match=what) as caught:
        co.jit(f)(X)
    assert f"line {f.__code__.co_firstlineno + offset}" in str(caught.value)


def test_a_result_that_differs_is_refused_even_if_nothing_shows_why():
    with pytest.raises(Impure, match="same twice"):
        co.jit(alternates)(X)


def test_the_global_generator_is_left_as_it_was():
    before = np.random.get_state()[1].copy()
    with pytest.raises(Impure):
        co.jit(draws)(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_generator_arguments_draw_anew():
    f = co.jit(lambda x, rng: np.sum(x * rng.normal(size=3)))
    rng = np.random.default_rng(0)
    other = np.random.default_rng(0)
    assert f(X, rng) == np.sum(X * other.normal(size=3))
    assert f(X, rng) == np.sum(X * other.normal(size=3))


def test_closed_over_arrays_are_seen_anew():
    w = np.ones(3)
    f = co.jit(lambda x: np.sum(x * w))
    assert f(X) == X.sum()
    w[:] = 2.0
    assert f(X) == 2 * X.sum()
