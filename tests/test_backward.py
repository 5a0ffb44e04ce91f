"""The backward pass on the tape of its forward pass, and loops gathered before it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.backward import LONG, append, differentiated, rolled
from corrente.blocks import loop
from corrente.derivatives import choose
from corrente.interpreter import interpret
from corrente.purity import record_pure
from corrente.recording import freeze, result_wires

X, W = np.random.default_rng(0).normal(size=(2, 3, 3))


def appended(f, args, argnums: Any = 0, with_value: bool = True):
    choice = choose(f, argnums, None, args, {})
    return append(record_pure(f, args, {}, choice.keys), choice, with_value)


def evaluated(recording, args) -> list[Any]:
    """Run what was recorded with an interpreter."""
    _, wires = result_wires(recording)
    circuit = freeze(recording, [wire for wire in wires if wire is not None]).verify()
    found = interpret(circuit, *args)
    return list(found) if isinstance(found, list | tuple) else [found]


def test_value_and_gradients_are_one_circuit():
    f = lambda x, w: np.sum(np.tanh(x @ w) * x)
    recording, likes = appended(f, (X, W), (0, 1))
    value, gradients = co.value_and_grad(f, argnums=(0, 1))(X, W)
    for found, expected in zip(evaluated(recording, (X, W)), (value, *gradients), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert [np.shape(like) for like in likes] == [(), (3, 3), (3, 3)]


def test_without_the_value_only_gradients_come_back():
    recording, likes = appended(lambda x: np.sum(x**3), (X,), with_value=False)
    (found,) = evaluated(recording, (X,))
    np.testing.assert_allclose(found, 3 * X**2)
    assert len(likes) == 1


def test_data_has_no_gradient():
    recording, likes = appended(lambda x, w: np.sum(x * w), (X, W), 1)
    assert len(result_wires(recording)[0].leaves) == len(likes) == 2


@pytest.mark.parametrize("x", [2.0, np.float32(2), np.float64(2), np.array(2.0), np.ones(3)])
def test_a_gradient_has_the_type_of_what_it_is_the_gradient_of(x):
    def writes(x):
        y = np.zeros((2, *np.shape(x)), like=x)
        y[0] = x
        return np.sum(y * y)

    for f in (lambda x: np.sum(x * x * x), writes):
        for options in ({}, {"has_aux": True}):
            g = (lambda x, f=f: (f(x), x)) if options else f
            for derivative in (co.grad, co.value_and_grad):
                d = derivative(g, **options)
                found, expected = co.jit(d)(x), d(x)
                parts = (
                    (found, expected) if type(expected) is not tuple else (found[-1], expected[-1])
                )
                assert type(parts[0]) is type(parts[1])
                assert np.result_type(parts[0]) == np.result_type(x)
                np.testing.assert_allclose(parts[0], parts[1], rtol=1e-6)


def test_differentiated_values_stand_in_the_order_of_gradients():
    f = lambda a, b, c: np.sum(a * b) * c
    choice = choose(f, (2, 0), None, (X, W, 2.0), {})
    recording = record_pure(f, (X, W, 2.0), {}, choice.keys)
    found = differentiated(recording, choice)
    assert found[0] == 2.0
    np.testing.assert_array_equal(found[1], X)


def repeated(x, w):
    for _ in range(LONG):
        x = np.tanh(x @ w)
    return np.sum(x)


def test_long_recordings_become_loops():
    recording = rolled(record_pure(repeated, (X, W), {}, (0, 1)))
    (kind,) = {step[0] for step in recording.tape.recorded} & {loop}
    assert kind is loop
    assert len(recording.tape.recorded) < 20
    (found,) = evaluated(recording, (X, W))
    np.testing.assert_allclose(found, repeated(X, W), rtol=1e-12)


def test_short_ones_stay_as_they_are():
    recording = record_pure(lambda x: np.sum(x * x), (X,), {})
    assert rolled(recording) is recording


def test_the_way_back_through_a_loop():
    f = lambda x, w: repeated(x, 0.5 * w) + np.sum(w * w)
    found, expected = (g(f, argnums=(0, 1)) for g in (co.value_and_grad,) * 2)
    for a, b in zip(co.jit(found)(X, W)[1], expected(X, W)[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
