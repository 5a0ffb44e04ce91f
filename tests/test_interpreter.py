"""The reference meaning of circuits: step after step, memory let go, writes in place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import corrente as co
import corrente.gates
from corrente.circuit import Circuit, Step
from corrente.interpreter import NumPyBuilder, emitted, interpret, run
from corrente.record import NAMES, Elementwise, Scatter


def circuit_of(f: Any, *args: Any) -> Circuit:
    return co.trace(f)(*args).circuit


def test_a_circuit_means_what_the_function_does():
    circuit = circuit_of(lambda x, y, z: (x + y) * z, -2.0, 5.0, -4.0)
    assert interpret(circuit, -2.0, 5.0, -4.0) == [-12.0]
    assert interpret(circuit, 1.0, 2.0, 3.0) == [9.0]


def test_several_outputs_come_in_order():
    circuit = circuit_of(lambda x: (np.sin(x), x), 0.5)
    assert interpret(circuit, 2.0) == [np.sin(2.0), 2.0]


def test_gates_with_several_outputs():
    x = np.arange(6.0)
    circuit = circuit_of(lambda x: np.sum(np.split(x, 2)[1]), x)
    assert interpret(circuit, x + 1.0) == [15.0]


def test_the_number_of_inputs_must_fit():
    circuit = circuit_of(lambda x: x * x, 2.0)
    with pytest.raises(ValueError, match="zip"):
        interpret(circuit, 1.0, 2.0)


def test_closed_over_arrays_are_read_where_they_are():
    weights = np.array([1.0, 2.0])
    circuit = circuit_of(lambda x: np.sum(weights * x), np.ones(2))
    assert interpret(circuit, np.ones(2)) == [3.0]
    weights[0] = 10.0
    assert interpret(circuit, np.ones(2)) == [12.0]


def test_inputs_and_held_values_are_never_written():
    start = np.zeros(3)

    def f(x):
        buffer = start + 0.0 * x
        buffer[0] = x[1]
        copied = x.copy()
        copied[1] = 7.0
        return np.sum(buffer) + np.sum(copied)

    x = np.array([1.0, 2.0, 3.0])
    circuit = circuit_of(f, x)
    assert interpret(circuit, x) == interpret(circuit, x) == [13.0]
    np.testing.assert_array_equal(x, [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(start, np.zeros(3))


def test_a_buffer_that_is_read_later_is_not_overwritten():
    def f(x):
        buffer = np.zeros(2, like=x)
        buffer[0] = x[0]
        before = buffer * 1.0
        kept = buffer.copy()
        buffer[0] = 5.0
        return before, kept, buffer

    circuit = circuit_of(f, np.array([3.0]))
    before, kept, after = interpret(circuit, np.array([3.0]))
    np.testing.assert_array_equal(before, [3.0, 0.0])
    np.testing.assert_array_equal(kept, [3.0, 0.0])
    np.testing.assert_array_equal(after, [5.0, 0.0])


def test_every_version_of_a_written_buffer_is_kept_when_asked():
    def f(x):
        buffer = np.zeros(3, like=x)
        for k in range(3):
            buffer[k] = x[k]
        return np.sum(buffer)

    x = np.array([1.0, 2.0, 4.0])
    circuit = circuit_of(f, x)
    values = run(circuit, x, keep=True)
    buffers = [values[step.outs[0]] for step in circuit.steps if step.gate.name == "setitem"]
    np.testing.assert_array_equal(buffers, [[1, 0, 0], [1, 2, 0], [1, 2, 4]])
    assert set(values) == {wire.id for wire in circuit.wires}


def test_values_are_let_go_after_their_last_reader():
    circuit = circuit_of(lambda x: np.cos(np.sin(x)), 0.5)
    assert set(run(circuit, 0.5)) - set(circuit.held) == set(circuit.outs)


def test_guards_are_outputs_too():
    circuit = circuit_of(lambda x: x if x > 0.0 else -x, 2.0)
    values = run(circuit, 3.0)
    assert [bool(values[guard.wire]) for guard in circuit.guards] == [True]
    assert [bool(run(circuit, -3.0)[guard.wire]) for guard in circuit.guards] == [False]


def test_python_numbers_stay_weak():
    def f(s, x):
        return np.sum((s * 2.0) * x)

    x = np.ones(3, np.float32)
    out = interpret(circuit_of(f, 0.5, x), 0.5, x)[0]
    assert out.dtype == np.float32


def test_a_guard_is_kept_though_a_step_reads_it_last():
    def f(x):
        positive = x > 0.0
        return np.where(positive, x, 0.0) if positive else x

    circuit = circuit_of(f, 2.0)
    assert [bool(run(circuit, 3.0)[guard.wire]) for guard in circuit.guards] == [True]


def watched(circuit: Circuit) -> tuple[Circuit, list[bool]]:
    """Make the scatters of a circuit tell whether they were given memory to write into."""
    told: list[bool] = []

    def watch(step: Step) -> Step:
        if not isinstance(step.gate.kind, Scatter):
            return step
        whole = step.gate.forward

        def forward(*ins: Any, into: Any = None, **params: Any) -> Any:
            told.append(into is not None)
            return whole(*ins, into=into, **params)

        return step._replace(gate=replace(step.gate, forward=forward))

    return replace(circuit, steps=tuple(map(watch, circuit.steps))), told


def test_a_loop_of_writes_copies_once():
    def f(x):
        buffer = np.zeros(5, like=x)
        for k in range(5):
            buffer[k] = x
        return np.sum(buffer)

    circuit, told = watched(circuit_of(f, 1.0))
    assert interpret(circuit, 2.0) == [10.0]
    assert told == [False, True, True, True, True]


def test_a_held_buffer_is_copied_before_it_is_added_to():
    def f(x):
        buffer = np.zeros(2, like=x)
        np.add.at(buffer, [0, 0], x)
        return np.sum(buffer)

    circuit = circuit_of(f, 1.0)
    assert interpret(circuit, 2.0) == interpret(circuit, 2.0) == [4.0]


ELEMENTWISE = [gate for gate in NAMES.values() if isinstance(gate.kind, Elementwise)]


@pytest.mark.parametrize("gate", ELEMENTWISE, ids=lambda gate: gate.name)
def test_the_builder_says_what_the_gate_computes(gate: Any):
    rng = np.random.default_rng(1)
    if gate.example is not None:
        ins, params = gate.example(rng)
    else:
        ins, params = [rng.uniform(low, high, size=7) for low, high in gate.domain], {}
    found = emitted(gate.kind.emit, ins)
    expected = np.asarray(gate.forward(*ins, **params))
    np.testing.assert_allclose(np.asarray(found, expected.dtype), expected, rtol=1e-12)


def test_the_builder_keeps_the_dtype_of_a_number():
    assert NumPyBuilder.const(0.5, np.float32(1.0)).dtype == np.float32
