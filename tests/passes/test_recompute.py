"""Recomputing: the circuit in the order of a plan, with copies, computes the same bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from passes.agreeing import SETTINGS, assert_agree, joined, recorded
from test_random_circuits import programs

import corrente as co
from corrente.memory import plan
from corrente.memory.survey import natural_peak, survey
from corrente.native.layouts import may_look
from corrente.passes import tidy
from corrente.passes.recompute import recompute
from corrente.translation import gathered

X = np.linspace(-1.0, 1.0, 24).reshape(4, 6)


def folded(x):
    for _ in range(6):
        x = np.tanh(x @ x.T @ x)
    return np.sum(x)


def planned(circuit, share):
    natural = natural_peak(survey(circuit, may_look))[0]
    return plan(circuit, may_look, max(int(natural * share), 1))


def test_copies_stand_right_before_they_are_read():
    circuit = recorded(lambda x: (np.sin(np.tanh(x)), np.cos(x)), X)
    found = plan(circuit, lambda step: False, 10**9)
    assert found is not None
    assert recompute(circuit, found).steps == circuit.steps  # there is room for all

    again = replace(found, order=(*found.order, *found.order[:2]))
    copied = recompute(circuit, again).verify()
    assert [step.gate.name for step in copied.steps] == ["tanh", "sin", "cos", "tanh", "sin"]
    assert copied.steps[4].ins == copied.steps[3].outs  # the copy reads the copy
    assert copied.steps[3].where == circuit.steps[0].where


def test_the_circuit_still_prints_as_numpy_that_runs():
    circuit = gathered(tidy(joined(folded, X)))
    found = planned(circuit, 0.7)
    assert found is not None
    assert found.extra > 0
    source = str(recompute(circuit, found).verify())
    names: dict = {"np": np}
    exec(source, names)
    _, gradient = names["circuit"](X)
    np.testing.assert_allclose(gradient, co.grad(folded)(X), rtol=1e-12)


@SETTINGS
@given(programs(), st.sampled_from([0.3, 0.5, 0.8, 1.0]))
def test_random_programs_and_their_gradients_agree_bit_for_bit(program, share):
    for made in (recorded(program.several, *program.args), joined(program.scalar, *program.args)):
        circuit = gathered(tidy(made))
        found = planned(circuit, share)
        if found is not None:
            assert_agree(circuit, recompute(circuit, found).verify(), program.args)


@SETTINGS
@given(programs(), st.sampled_from([0.3, 0.6]))
def test_the_peak_is_the_one_that_was_planned(program, share):
    circuit = gathered(tidy(joined(program.scalar, *program.args)))
    found = planned(circuit, share)
    if found is not None:
        again = survey(recompute(circuit, found), may_look)
        assert natural_peak(again)[0] <= found.peak <= found.budget
