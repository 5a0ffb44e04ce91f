"""Everything once, in seconds: the smoke test of the whole house."""

from __future__ import annotations

import numpy as np

import corrente as co
from corrente.cli import main


def test_the_notes_first_circuit(tmp_path):
    def f(x, y, z):
        q = x + y
        return q * z

    t = co.trace(f)(-2.0, 5.0, -4.0)
    assert (t.value, t.grads) == (-12.0, (-4.0, -4.0, 3.0))
    assert (t["q"].value, t["q"].grad) == (3.0, -4.0)
    assert t["q"].line == f.__code__.co_firstlineno + 1
    for name in ("c.svg", "c.txt", "c.json"):
        t.save(tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    assert "−4" in t.explain() or "-4" in t.explain()
    assert t.explain("pt") != t.explain("en")
    assert "q = x + y" in t.listing()
    assert "q = x + y" in t.code()


def test_derivatives_of_every_kind():
    f = lambda x: np.sum(np.sin(x) * x)
    x = np.array([0.3, 1.0, -2.0])
    analytic = np.cos(x) * x + np.sin(x)
    second = 2 * np.cos(x) - x * np.sin(x)
    np.testing.assert_allclose(co.grad(f)(x), analytic)
    np.testing.assert_allclose(co.jacobian(np.sin)(x), np.diag(np.cos(x)))
    np.testing.assert_allclose(co.hessian(f)(x), np.diag(second), atol=1e-15)
    np.testing.assert_allclose(co.hvp(f, (x,), (x,)), second * x)
    np.testing.assert_allclose(co.vmap(co.grad(lambda s: s**3))(x), 3 * x * x)
    np.testing.assert_allclose(co.elementwise_grad(np.exp)(x), np.exp(x))
    co.check_grads(f, (x,))


def test_a_network_learns():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    params = {"W": rng.normal(size=(3, 2)), "b": np.zeros(2)}

    def loss(params, X, y):
        return co.nn.cross_entropy(X @ params["W"] + params["b"], y)

    step = co.jit(co.value_and_grad(loss))
    losses = []
    for _ in range(30):
        value, grads = step(params, X, y)
        losses.append(value)
        params = {name: params[name] - 0.5 * grads[name] for name in params}
    assert losses[-1] < 0.8 * losses[0]


def test_the_fork_lesson():
    def f(a):
        b = a + a
        return b + b

    t = co.trace(f)(1.0)
    assert t.grads == (4.0,)
    (wire,) = t.circuit.ins
    assert [part.value for part in t.run.contributions[wire]] == [2.0, 2.0]


def test_expressions_from_the_command_line(capsys):
    assert main(["(x + y) * z", "x=-2", "y=5", "z=-4"]) == 0
    shown = capsys.readouterr().out
    assert "-12" in shown
    assert "-4" in shown
