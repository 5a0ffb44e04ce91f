"""A user's own gate and checkpoints: their rules, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadArgument, NotSupported

X = np.array([0.5, -1.0, 2.0])


def test_the_rule_of_the_author_is_used():
    marked = co.gate(lambda x, y: x * y).defpull(lambda g, out, x, y: (g * 10.0, g * 100.0))
    assert co.grad(lambda x, y: marked(x, y), (0, 1))(2.0, 3.0) == (10.0, 100.0)


def test_a_gate_calls_code_that_cannot_be_traced():
    @co.gate
    def sine(x):
        assert isinstance(x, np.ndarray)
        return np.array([__import__("math").sin(v) for v in x])

    sine.defpull(lambda g, out, x: g * np.cos(x))
    np.testing.assert_allclose(co.grad(lambda x: np.sum(sine(x) * x))(X), np.cos(X) * X + np.sin(X))
    np.testing.assert_allclose(co.jvp(sine, (X,), (X,))[1], np.cos(X) * X)
    second = co.hvp(lambda x: np.sum(sine(x)), (X,), (np.ones(3),))
    np.testing.assert_allclose(second, -np.sin(X))
    co.check_grads(lambda x: np.sum(sine(x)), (X,))


def test_a_gate_without_rule_is_refused_by_name():
    @co.gate
    def mystery(x):
        return x * 2.0

    assert mystery(2.0) == 4.0
    with pytest.raises(NotSupported, match="mystery has no gradient rule"):
        co.grad(mystery)(2.0)


def test_a_rule_gives_one_gradient_per_input():
    short = co.gate(lambda x, y: x * y).defpull(lambda g, out, x, y: g)
    with pytest.raises(BadArgument, match="1 gradients for 2 inputs"):
        co.grad(short)(2.0, 3.0)


def test_a_gate_returns_one_value():
    pair = co.gate(lambda x: (x, x)).defpull(lambda g, out, x: g)
    with pytest.raises(NotSupported, match="several values"):
        co.grad(lambda x: pair(x)[0])(2.0)


def layer(params, x):
    return np.tanh(params["W"] @ x + params["b"])


PARAMS = {"W": np.arange(9.0).reshape(3, 3) / 9.0, "b": np.ones(3)}


def test_checkpoint_gives_the_same_gradients_and_keeps_less():
    plain = lambda p, x: np.sum(layer(p, layer(p, x)))
    spared = lambda p, x: np.sum(co.checkpoint(layer)(p, co.checkpoint(layer)(p, x)))
    expected, found = co.grad(plain, (0, 1))(PARAMS, X), co.grad(spared, (0, 1))(PARAMS, X)
    np.testing.assert_allclose(found[0]["W"], expected[0]["W"], rtol=1e-14)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-14)
    kept = lambda f: len(co.trace(f)(PARAMS, X).circuit.wires)
    assert kept(spared) < kept(plain)


def test_checkpoint_in_every_mode_and_order():
    f = lambda x: np.sum(co.checkpoint(lambda x: np.sin(x) * x)(x))
    g = lambda x: np.sum(np.sin(x) * x)
    np.testing.assert_allclose(co.hvp(f, (X,), (X,)), co.hvp(g, (X,), (X,)))
    np.testing.assert_allclose(co.jvp(f, (X,), (X,))[1], co.jvp(g, (X,), (X,))[1])
    twice = lambda f: co.grad(lambda x: np.sum(co.grad(f)(x) * X))(X)
    np.testing.assert_allclose(twice(f), twice(g))


def test_checkpoint_runs_again_on_the_way_back():
    runs = []

    def noted(x):
        runs.append(1)
        return x * x

    co.grad(lambda x: co.checkpoint(noted)(x))(3.0)
    assert len(runs) == 2


def test_checkpoint_refuses_closed_over_traced_values():
    def f(x):
        return co.checkpoint(lambda y: y * x)(x)

    with pytest.raises(NotSupported, match="closes over"):
        co.grad(f)(3.0)


def test_checkpoint_returns_nested_results():
    f = co.checkpoint(lambda x: {"a": x * 2.0, "b": (x * x,)})
    assert co.grad(lambda x: f(x)["a"] * f(x)["b"][0])(3.0) == pytest.approx(54.0)


SHARED = np.random.default_rng(11)


@pytest.mark.parametrize("how", ["argument", "closure", "global"])
def test_the_second_run_draws_what_the_first_one_drew(how):
    rng = np.random.default_rng(3)

    def thinned(x, dice):
        dice = {"argument": dice, "closure": rng, "global": SHARED}[how]
        return np.sum(x * x * (dice.random(x.shape) < 0.5))

    x = np.arange(1.0, 9.0)
    used = {"argument": np.random.default_rng(5), "closure": rng, "global": SHARED}[how]
    start = used.bit_generator.state
    value, slope = co.value_and_grad(lambda x: co.checkpoint(thinned)(x, used))(x)
    after = used.bit_generator.state
    used.bit_generator.state = start
    kept = used.random(x.shape) < 0.5
    assert value == np.sum(x * x * kept)
    np.testing.assert_array_equal(slope, 2 * x * kept)
    assert used.bit_generator.state == after
