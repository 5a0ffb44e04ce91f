"""Lowering: steps become calls on buffers; arrays of nothing and loops keep their meaning."""

from __future__ import annotations

import numpy as np
import pytest
from native.alike import assert_all_alike, check, programs
from passes.agreeing import recorded

import corrente as co
from corrente.native import Unsupported, lower, vector_bytes
from corrente.native.programs import Repeat
from corrente.translation import gathered

X = np.random.default_rng(0).normal(size=(6, 6))


def lowered(f, *args):
    circuit = gathered(recorded(f, *args))
    return lower(circuit, {}, vector_bytes())


def called(calls) -> list:
    """List the calls, those inside loops as well."""
    found = []
    for call in calls:
        found += called(call.calls) if isinstance(call, Repeat) else [call]
    return found


def test_views_cost_nothing():
    found = lowered(lambda x: x.T[::-1].reshape(6, 6)[None, 2:] * 2, X)
    assert len(found.calls) == 1
    assert not found.callbacks


def test_a_chain_is_one_kernel():
    found = lowered(lambda x: np.sum(np.tanh(x * 2 + 1) * x, axis=1), X)
    assert len(found.kernels) == len(found.calls) == 1


def test_equal_kernels_are_written_once():
    def f(x):
        for _ in range(5):
            x = np.tanh(x @ x)
        return x

    found = lowered(f, X)
    assert len(found.calls) == 10
    assert len(found.kernels) <= 4


def test_memory_is_used_again():
    def f(x):
        for _ in range(40):
            x = np.tanh(x @ x)
        return x

    assert lowered(f, X).arena.size < 8 * X.nbytes


def test_calls_stay_inside_the_memory():
    def f(x):
        y = np.sort(np.exp(x), axis=0) @ x
        z = np.concatenate([y, x * 2])
        return np.sum(z, 0), z[::2], np.cumsum(z)

    found = lowered(f, X)
    for call in called(found.calls):
        assert all(0 <= offset < found.arena.size for base, offset in call.places if base == 0)


@pytest.mark.parametrize("value", [np.array(["a"]), np.array([None]), np.ones(2, ">f8")])
def test_what_memory_cannot_hold_is_refused_here_and_runs_as_python(value):
    with pytest.raises(Unsupported):
        lowered(lambda x: x[::-1], value)
    assert_all_alike(co.jit(lambda x: x[::-1])(value), value[::-1])


EMPTY = {
    "elements": lambda x: np.exp(x) * x,
    "a sum": lambda x: (np.sum(x), np.sum(x, 0), np.mean(x + 1, keepdims=True) if x.size else 0),
    "any": lambda x: (np.any(x), np.prod(x)),
    "a join": lambda x: np.concatenate([x, x]),
    "a form": lambda x: (x.reshape(-1), x.T * 2, x[None], np.tile(x, 2), x),
    "a broadcast": lambda x: x + np.ones((1,) * x.ndim),
    "a choice": lambda x: (x[x > 2], x > 0, np.sort(x), np.cumsum(x)),
    "a gradient": co.value_and_grad(lambda x: np.sum(np.exp(x) * x)),
}


@pytest.mark.parametrize("name", EMPTY)
@pytest.mark.parametrize("shape", [(0,), (0, 5), (4, 0), (2, 0, 3)], ids=str)
def test_arrays_of_nothing(name, shape):
    check(EMPTY[name], np.ones(shape))
    check(EMPTY[name], np.ones(shape, np.float32))


# --- loops ----------------------------------------------------------------------------------------


def rounds(count, body):
    def f(*state):
        for k in range(count):
            state = body(k, *state)
        return state

    return f


BODIES = {
    "one carry": lambda k, x: (np.tanh(x @ x) + 0.5 * x,),
    "two that cross": lambda k, x, y: (0.5 * y, np.sin(x) + 0.1 * y),
    "one that stays": lambda k, x, y: (np.tanh(x @ y), y),
    "a view": lambda k, x: (np.cos(x[::-1].T),),
    "a write": lambda k, x: (written(np.sin(x)),),
    "numbers": lambda k, x, y: (x * 0.9 + 0.1, y * 0.5 + x),
}


def written(x):
    x[0] = x[1] * 0.5
    return x


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("count", [300, 301])
def test_rolled_loops(name, count):
    body = BODIES[name]
    state = (X, 0.3 * X) if body.__code__.co_argcount == 3 else (X,)
    if name == "numbers":
        state = (0.5, 0.25)
    f = rounds(count, body)
    check(f, *state, tolerance=1e6)
    total = lambda *state: sum(np.sum(part * part) for part in f(*state))
    check(co.grad(total, argnums=tuple(range(len(state)))), *state, tolerance=1e8)


def test_a_rolled_loop_is_written_once():
    compiled = co.jit(rounds(600, BODIES["one carry"]))
    compiled(X)
    text = programs(compiled)[0].native.text
    assert text.count("define internal void @k") < 12


def test_sequences_go_in_and_out_of_loops():
    def f(xs, w):
        h, kept = np.zeros_like(xs[0]) * xs[0], []
        for k in range(len(xs)):
            h = np.tanh(w * h + xs[k])
            kept.append(h)
        return np.stack(kept[::50]), h

    xs = np.random.default_rng(1).normal(size=(400, 7))
    check(f, xs, 0.5, tolerance=64)
    slope = co.grad(lambda xs, w: np.sum(f(xs, w)[0] ** 2) + np.sum(f(xs, w)[1]), argnums=(0, 1))
    check(slope, xs, 0.5, tolerance=256)
    check(slope, xs[::-1], np.float64(0.5), tolerance=256)
