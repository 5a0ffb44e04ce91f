"""A recording becomes a program: native, or interpreted where it is huge, or none."""

from __future__ import annotations

import numpy as np
import pytest

import corrente as co
from corrente.errors import WriteError
from corrente.translation import HUGE, Program, ScalarProgram


def program_of(compiled):
    (programs,) = compiled.__self__._programs.values()
    (program,) = programs
    return program


def test_plain_containers_have_a_fast_entry():
    f = co.jit(lambda p, x: {"y": p["w"] * x, "z": [p["b"], None]})
    p, x = {"w": np.arange(3.0), "b": 2.0}, np.ones(3)
    out = f(p, x)
    np.testing.assert_array_equal(out["y"], p["w"])
    assert out["z"] == [2.0, None]
    assert type(program_of(f)) is Program
    assert program_of(f).fast


def test_a_loop_of_many_arrays_is_rolled_and_one_of_numbers_is_interpreted():
    def walk(x, n):
        for _ in range(n):
            x = x * 0.999 + np.sin(x) * 1e-3
        return np.sum(x)

    for x, kind in ((0.5, ScalarProgram), (np.array([0.5, 1.0]), Program)):
        f = co.jit(co.value_and_grad(walk))
        value, slope = f(x, HUGE)
        expected, along = co.value_and_grad(walk)(x, HUGE)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        np.testing.assert_allclose(slope, along, rtol=1e-9)
        assert type(program_of(f)) is kind
        assert type(slope) is type(along)


def test_writing_into_an_argument_is_refused():
    def f(x):
        x[0] = 7.0
        return x * 2.0

    with pytest.raises(WriteError, match="line"):
        co.jit(f)(np.zeros(2))


def test_results_that_depend_on_nothing_are_made_anew():
    f = co.jit(lambda x: (x * 2.0, np.zeros(2)))
    f(np.ones(2))[1][:] = 5.0
    np.testing.assert_array_equal(f(np.ones(2))[1], np.zeros(2))
