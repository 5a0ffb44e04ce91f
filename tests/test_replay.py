"""A run as one circuit: it says again what the run says, and follows when an input moves."""

from __future__ import annotations

import numpy as np
import pytest

import corrente as co
from corrente.interpreter import interpret
from corrente.replay import replay


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def neuron(w, x, b):
    s = w * x + b
    return sigmoid(s) * s


def layer(W, b, x):
    h = np.maximum(W @ x + b, 0.0)
    return np.sum(h * h) + np.mean(W)


CASES = [
    (neuron, (2.0, -1.0, 0.5), (0.7, 3.0, -1.0)),
    (lambda x: x * x + x, (3.0,), (-1.5,)),
    (
        layer,
        (np.arange(6.0).reshape(2, 3) - 2, np.ones(2), np.array([1.0, -2.0, 0.5])),
        (np.ones((2, 3)), np.zeros(2), np.array([0.1, 0.2, 0.3])),
    ),
]


def check(run, values, shown) -> None:
    """Compare everything a replay shows with a run."""
    kinds = set()
    for each, value in zip(shown, values, strict=True):
        kinds.add(each.kind)
        if each.kind == "value":
            expected = run.values[each.wire]
        elif each.kind == "gradient":
            expected = run.gradients[each.wire]
        elif each.kind == "sent":
            (expected,) = (
                part.value
                for part in run.contributions[each.wire]
                if (part.step, part.position) == (each.step, each.position)
            )
        else:
            step = run.circuit.steps[each.step]
            above = run.gradients[step.outs[0]]
            expected, value = _sent(run, each), above * value
        np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert {"value", "gradient", "sent"} <= kinds


def _sent(run, shown):
    for part in run.contributions[shown.wire]:
        if (part.step, part.position) == (shown.step, shown.position):
            return part.value
    raise AssertionError


@pytest.mark.parametrize(("f", "here", "there"), CASES)
def test_it_says_what_the_run_says_here_and_elsewhere(f, here, there):
    run = co.trace(f)(*here).run
    found = replay(run)
    found.circuit.verify()
    check(run, interpret(found.circuit, *here), found.shown)
    check(co.trace(f)(*there).run, interpret(found.circuit, *there), found.shown)


def test_it_shows_every_wire_and_every_part():
    run = co.trace(neuron)(2.0, -1.0, 0.5).run
    shown = replay(run).shown
    assert {each.wire for each in shown if each.kind == "gradient"} == set(run.gradients)
    made = {wire for step in run.circuit.steps for wire in step.outs}
    assert {each.wire for each in shown if each.kind == "value"} == made | set(run.circuit.ins)
    sent = {
        (w, part.step, part.position) for w, parts in run.contributions.items() for part in parts
    }
    assert {each[1:] for each in shown if each.kind == "sent"} == sent
    assert {each[1:] for each in shown if each.kind == "local"} == sent, "all gates here are scalar"
