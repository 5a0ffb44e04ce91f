"""What a function reads beside its arguments is seen when it changes, wherever it is kept."""

from __future__ import annotations

import itertools
import random
import types
from functools import partial
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import purity
from corrente.errors import Impure
from corrente.purity import record_pure, surroundings

X = np.arange(3.0)
rate = 1.0
weights = np.ones(3)


def tripled(x):
    return x * rate


def calls(x):
    return tripled(x) + 1


class Slotted:
    __slots__ = ("k",)


class Layer:
    scale = 1.0

    def __init__(self) -> None:
        self.k = 1.0

    def __call__(self, x):
        return x * self.k

    def forward(self, x):
        return x * self.k


def everything() -> list[tuple[str, Any, Any]]:
    """Return functions, and what changes the number that each of them reads."""
    numbers, table, nested = [1.0], {"a": 1.0}, {"a": {"b": [1.0]}}
    slotted, layer, outer = Slotted(), Layer(), types.SimpleNamespace(inner=Layer())
    slotted.k = 1.0
    module = types.ModuleType("settings")
    module.k = 1.0
    array, zero, arrays = np.ones(3), np.array(1.0), {"w": np.ones(3)}
    index, mask = np.array([0, 1]), np.array([True, False, True])
    k = 1.0

    def closed(x):
        return x * k

    def rebind(t):
        nonlocal k
        k = t

    def rebind_global(t):
        globals()["rate"] = t

    return [
        ("a list", lambda x: x * numbers[0], lambda t: numbers.__setitem__(0, t)),
        ("a dict", lambda x: x * table["a"], lambda t: table.__setitem__("a", t)),
        ("nests", lambda x: x * nested["a"]["b"][0], lambda t: nested["a"].update(b=[t])),
        ("slots", lambda x: x * slotted.k, lambda t: setattr(slotted, "k", t)),
        ("an object", lambda x: x * layer.k, lambda t: setattr(layer, "k", t)),
        ("an inner object", lambda x: x * outer.inner.k, lambda t: setattr(outer.inner, "k", t)),
        ("a method", layer.forward, lambda t: setattr(layer, "k", t)),
        ("a method called", lambda x: layer.forward(x), lambda t: setattr(layer, "k", t)),
        ("an object called", lambda x: layer(x), lambda t: setattr(layer, "k", t)),
        ("a callable object", layer, lambda t: setattr(layer, "k", t)),
        ("a class", lambda x: x * Layer.scale, lambda t: setattr(Layer, "scale", t)),
        ("a module", lambda x: x * module.k, lambda t: setattr(module, "k", t)),
        ("a partial", partial(lambda x, s: x * s[0], s=numbers), lambda t: numbers.insert(0, t)),
        ("a closure", closed, rebind),
        ("a global", tripled, rebind_global),
        ("a global of another", calls, rebind_global),
        ("an array", lambda x: x * array, lambda t: array.fill(t)),
        ("an element", lambda x: x * array[0], lambda t: array.fill(t)),
        ("a sum", lambda x: x * array.sum(), lambda t: array.fill(t)),
        ("a number of none", lambda x: x * float(zero), lambda t: zero.fill(t)),
        ("a decision", lambda x: 2 * x if zero > 3 else x, lambda t: zero.fill(t)),
        ("an array in a dict", lambda x: x * arrays["w"], lambda t: arrays["w"].fill(t)),
        ("another in a dict", lambda x: x * arrays["w"], lambda t: arrays.update(w=np.full(3, t))),
        ("an index", lambda x: x[index], lambda t: index.fill(int(t) % 3)),
        ("a mask", lambda x: x[mask], lambda t: mask.__setitem__(0, int(t) % 2 == 0)),
        (
            "a choice",
            lambda x: np.where(mask, x, 0),
            lambda t: mask.__setitem__(0, int(t) % 2 == 0),
        ),
    ]


@pytest.mark.parametrize("which", range(len(everything())), ids=[n for n, *_ in everything()])
def test_a_change_is_seen(which):
    _, f, change = everything()[which]
    compiled = co.jit(f)
    for t in range(12):  # what is freed may be followed by another at its place in memory
        change(t * 1.5 + 0.25)
        for _ in range(2):
            np.testing.assert_array_equal(compiled(X), f(X))
    assert any(compiled.__self__._programs.values())


def test_a_function_that_is_exchanged_is_seen(monkeypatch):
    compiled = co.jit(calls)
    np.testing.assert_array_equal(compiled(X), calls(X))
    monkeypatch.setitem(globals(), "tripled", lambda x: x - 5.0)
    np.testing.assert_array_equal(compiled(X), X - 4.0)


def test_types_of_what_is_exchanged(monkeypatch):
    f = lambda x: x * weights
    compiled = co.jit(f)
    single = np.ones(3, np.float32)
    for value in (
        np.ones(3),
        2.0,
        2,
        np.float32(2),
        single,
        np.ones((2, 3)),
        np.ones(6)[::2],
        True,
    ):
        monkeypatch.setitem(globals(), "weights", value)
        for x in (X, single):
            found, expected = compiled(x), f(x)
            np.testing.assert_array_equal(found, expected)
            assert found.dtype == expected.dtype


def test_only_what_is_whole_has_a_fast_door():
    table = {"a": 1.0}
    assert surroundings(calls).whole
    assert not surroundings(lambda x: x * table["a"]).whole
    assert {seen.name for seen in surroundings(calls).seen} == {"tripled", "rate"}


def test_packages_are_not_looked_into():
    found = surroundings(lambda x: np.linalg.norm(co.nn.softmax(x)) * np.pi)
    assert found.whole
    assert not found.seen


def test_checkpoints_do_the_same_twice():
    f = co.grad(lambda x: np.sum(co.checkpoint(lambda y: np.sin(y) * y)(x)))
    np.testing.assert_allclose(co.jit(f)(X), f(X), rtol=1e-14)


def test_a_run_is_recorded_once_and_arguments_are_not_used_up():
    rng = np.random.default_rng(0)
    state = rng.bit_generator.state
    recording = record_pure(lambda x, rng: np.sum(x) * 2, (X, rng), {})
    assert [step[0].name for step in recording.tape.recorded] == ["sum", "multiply"]
    assert rng.bit_generator.state == state


def test_what_differs_between_two_runs_is_refused():
    calls = []

    def alternates(x):
        calls.append(1)
        return np.sin(x) if len(calls) % 2 else np.cos(x)

    with pytest.raises(Impure):
        co.jit(alternates)(X)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_what_another_thread_draws_now_and_then_is_no_fault(monkeypatch, times):
    looks, states = itertools.count(), purity._states

    def meanwhile() -> Any:
        if next(looks) in range(2, 2 + 2 * times, 2):  # after each of the first runs
            random.random()
        return states()

    monkeypatch.setattr(purity, "_states", meanwhile)
    assert record_pure(tripled, (X,), {}) is not None


def test_what_draws_each_time_is_refused():
    with pytest.raises(Impure, match="draws random numbers"):
        record_pure(lambda x: x + 0.0 * random.random(), (X,), {})
