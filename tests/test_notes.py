"""The numbers of the lecture notes (cs231n.github.io/optimization-2), wire by wire."""

from __future__ import annotations

import math

import numpy as np
import pytest

import corrente as co


def readings(t: co.Program) -> list[tuple[str, float, float]]:
    """Return every step of a circuit as (gate, value, gradient)."""
    run = t.run
    return [
        (step.gate.name, run.values[step.outs[0]], run.gradients[step.outs[0]])
        for step in t.circuit.steps
    ]


def test_the_first_circuit():
    def f(x, y, z):
        q = x + y
        return q * z

    t = co.trace(f)(-2.0, 5.0, -4.0)
    assert readings(t) == [("add", 3.0, -4.0), ("multiply", -12.0, 1.0)]
    assert t.grads == (-4.0, -4.0, 3.0)


def test_every_wire_of_the_sigmoid_neuron():
    def neuron(w0, x0, w1, x1, w2):
        return 1.0 / (1.0 + np.exp(-1.0 * (w0 * x0 + w1 * x1 + w2)))

    t = co.trace(neuron)(2.0, -1.0, -3.0, -2.0, -3.0)
    # the notes print two decimals
    wanted = [
        ("multiply", -2.00, 0.20),
        ("multiply", 6.00, 0.20),
        ("add", 4.00, 0.20),
        ("add", 1.00, 0.20),
        ("multiply", -1.00, -0.20),
        ("exp", 0.37, -0.53),
        ("add", 1.37, -0.53),
        ("divide", 0.73, 1.00),
    ]
    found = [(gate, round(float(v), 2), round(float(g), 2)) for gate, v, g in readings(t)]
    assert found == wanted
    assert [round(g, 2) for g in t.grads] == [-0.20, 0.39, -0.39, -0.59, 0.20]


def test_the_sigmoid_gate_is_the_same_in_one_step():
    w, x = np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
    t = co.trace(lambda w, x: co.nn.sigmoid(w[:2] @ x + w[2]))(w, x)
    s = 1.0 / (1.0 + math.exp(-1.0))
    np.testing.assert_allclose(t.grads[0], s * (1 - s) * np.array([-1.0, -2.0, 1.0]), rtol=1e-14)
    np.testing.assert_allclose(t.grads[1], s * (1 - s) * np.array([2.0, -3.0]), rtol=1e-14)
    assert t["out" if "out" in t.circuit.names.values() else "w"].value is not None


def staged(x: float, y: float) -> tuple[float, float, float]:
    """Go through the expression in stages by hand, forward and backward."""
    sigy, sigx = 1 / (1 + math.exp(-y)), 1 / (1 + math.exp(-x))
    num, den = x + sigy, sigx + (x + y) ** 2
    dnum, dden = 1 / den, -num / den**2
    dx = dnum + dden * (sigx * (1 - sigx) + 2 * (x + y))
    dy = dnum * sigy * (1 - sigy) + dden * 2 * (x + y)
    return num / den, dx, dy


def test_the_staged_expression():
    def f(x, y):
        return (x + co.nn.sigmoid(y)) / (co.nn.sigmoid(x) + (x + y) ** 2)

    value, grads = co.value_and_grad(f, (0, 1))(3.0, -4.0)
    assert (value, *grads) == pytest.approx(staged(3.0, -4.0), rel=1e-14)
    assert value == pytest.approx(1.5456, abs=1e-4)
    assert grads == pytest.approx((2.0596, 1.5922), abs=1e-4)


def test_add_max_and_multiply_gates():
    def f(x, y, z, w):
        return (x * y + np.maximum(z, w)) * 2.0

    t = co.trace(f)(3.0, -4.0, 2.0, -1.0)
    assert t.value == -20.0
    assert t.grads == (-8.0, 6.0, 2.0, 0.0)
    gates = [gate for gate, *_ in readings(t)]
    assert gates == ["multiply", "maximum", "add", "multiply"]
    assert [g for *_, g in readings(t)] == [2.0, 2.0, 2.0, 1.0]


def test_the_fork_lesson_is_drawn():
    def f(a):
        b = a + a
        c = b + b
        return c  # noqa: RET504  # the drawing names it

    t = co.trace(f)(1.0)
    assert t.grads == (4.0,)
    (a,) = t.circuit.ins
    assert [part.value for part in t.run.contributions[a]] == [2.0, 2.0]
    assert "2 + 2 = 4" in t.explain()
    assert "2 + 2 = 4" in t.explain("pt")
    assert "∂ 2" in str(t)


def test_scaling_the_input_scales_the_gradient_of_the_weight():
    loss = lambda w, x: np.sum((w * x - 1.0) ** 2)
    slope = co.grad(lambda w, x: np.sum(w * x))
    x = np.array([0.5, -1.5])
    assert slope(np.ones(2), 1000.0 * x) == pytest.approx(1000.0 * slope(np.ones(2), x))
    assert co.grad(loss)(np.ones(2), x).shape == (2,)
