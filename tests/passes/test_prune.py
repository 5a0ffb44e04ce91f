"""Pruning drops what nothing needs, keeps what something needs, and counts wires anew."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given
from passes.agreeing import SETTINGS, assert_harmless, recorded
from test_random_circuits import Written, programs

import corrente as co
from corrente.circuit import Circuit, Step, Wire
from corrente.gates.arithmetic import add
from corrente.passes import prune


def wasteful(x, y):
    np.sin(x) * 2.0
    kept = x + y
    np.cos(kept)
    return kept * y


def test_text_before_and_after():
    circuit = recorded(wasteful, 1.0, 2.0)
    assert str(circuit).count("\n") == 6
    assert str(prune(circuit).verify()) == (
        "def circuit(x, y):\n    kept = x + y\n    v3 = kept * y\n    return v3"
    )


def test_wires_are_numbered_in_order_and_unused_constants_go():
    after = prune(recorded(wasteful, 1.0, 2.0))
    assert [wire.id for wire in after.wires] == [0, 1, 2, 3]
    assert not after.held


def test_inputs_stay():
    after = prune(recorded(lambda x, y: y * y, 1.0, 2.0)).verify()
    assert after.ins == (0, 1)
    assert after.labels == {0: "x", 1: "y"}


def test_guards_are_needed():
    def f(x):
        np.exp(x)
        return x if np.sin(x) > 0.0 else -x

    after = prune(recorded(f, 1.0)).verify()
    assert [step.gate.name for step in after.steps] == ["sin", "greater"]
    assert [guard.wire for guard in after.guards] == list(after.steps[-1].outs)
    assert after.guards[0].value is True
    assert after.guards[0].where is not None


def test_all_outputs_of_a_step_stay():
    circuit = recorded(lambda x: np.linalg.slogdet(x)[1], np.eye(2))
    after = prune(circuit).verify()
    assert len(after.steps[0].outs) == 2


def test_places_stacks_origins_and_names_stay():
    program = co.trace(lambda x: wasteful(x, 2.0))(1.0)
    for before in (program.circuit, program.backward.circuit):
        after = prune(before).verify()
        known = {(s.gate, s.where, s.stack, s.origin) for s in before.steps}
        assert {(s.gate, s.where, s.stack, s.origin) for s in after.steps} <= known
        assert set(after.labels.values()) <= set(before.labels.values())
    assert "kept" in prune(program.circuit).names.values()
    assert any(step.origin is not None for step in prune(program.backward.circuit).steps)
    assert any(step.stack for step in prune(program.circuit).steps)


def test_a_label_stays_with_its_wire():
    before = co.trace(lambda x: np.sum(np.sin(x) * x))(np.ones(2)).backward.circuit
    after = prune(before)
    twins = {a.outs[0]: b.outs[0] for a, b in zip(before.steps, after.steps, strict=True)}
    labels = {twins[wire]: name for wire, name in before.labels.items() if wire in twins}
    assert any(old != new for old, new in twins.items())
    assert labels
    assert labels.items() <= after.labels.items()


def test_nothing_to_do_gives_the_circuit_itself():
    circuit = recorded(lambda x, y: x * y, 1.0, 2.0)
    assert prune(circuit) is circuit


def test_time_is_linear():
    count = 50_000
    wires = tuple(Wire((), np.dtype(float), k, True) for k in range(2 * count + 1))
    needed = [Step(add, (2 * k, 2 * k), (2 * k + 2,), {}) for k in range(count)]
    waste = [Step(add, (2 * k, 2 * k), (2 * k + 1,), {}) for k in range(count)]
    steps = tuple(step for pair in zip(waste, needed, strict=True) for step in pair)
    circuit = Circuit(wires, (0,), {}, steps, (2 * count,))
    begin = time.perf_counter()
    after = prune(circuit)
    assert time.perf_counter() - begin < 2.0
    assert len(after.steps) == count
    assert len(after.wires) == count + 1


@SETTINGS
@given(programs())
def test_no_bit_changes(program: Written):
    assert_harmless(prune, program)
