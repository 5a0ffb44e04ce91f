"""Folding computes constants beforehand, as the interpreter would, and leaves arrays of others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from passes.agreeing import SETTINGS, assert_agree, assert_harmless, differs, joined, recorded
from test_random_circuits import Written, programs

import corrente as co
from corrente.circuit import Circuit, Guard, Step, Wire
from corrente.interpreter import run
from corrente.passes import fold, prune
from corrente.passes.rewiring import LARGEST, is_constant
from corrente.record import NAMES, Gate
from corrente.tape import wire_of

WEAK, STRONG = True, False


def of_constants(
    gate: Gate | str, *constants: Any, weak: bool | None = None, **params: Any
) -> Circuit:
    """Write a circuit of one step that reads constants alone."""
    gate = NAMES[gate] if isinstance(gate, str) else gate
    with np.errstate(all="ignore"):
        given = gate.forward(*constants, **params)
    outs = (given,) if gate.outs == 1 else given
    wires = [wire_of(k, value) for k, value in enumerate((*constants, *outs))]
    made = tuple(range(len(constants), len(wires)))
    if weak is not None:
        wires[made[0]] = wires[made[0]]._replace(weak=weak)
    step = Step(gate, tuple(range(len(constants))), made, params)
    return Circuit(tuple(wires), (), dict(enumerate(constants)), (step,), made).verify()


def fixed(values: Any, dtype: Any = None) -> np.ndarray:
    """Make an array that nobody can write."""
    array = np.array(values, dtype)
    array.flags.writeable = False
    return array


def test_text_before_and_after():
    def f(x):
        half = np.full((), 4.0, like=x) * 0.125
        return x * half + np.sqrt(np.ones(2, like=x))

    circuit = recorded(f, np.arange(2.0))
    assert [step.gate.name for step in circuit.steps] == ["multiply"] * 2 + ["sqrt", "add"]
    assert str(prune(fold(circuit)).verify()) == (
        "def circuit(x, *, v3=np.full((2,), 1.0, np.float64)):\n"
        "    v2 = x * np.float64(0.5)\n"
        "    v4 = v2 + v3\n"
        "    return v4"
    )


@pytest.mark.parametrize(
    ("gate", "constants", "weak", "expected"),
    [
        ("add", (1.0, 2.0), WEAK, 3.0),
        ("add", (1.0, 2.0), STRONG, np.float64(3.0)),
        ("add", (1, 2), WEAK, 3),
        ("multiply", (np.float32(0.1), 3.0), STRONG, np.float32(0.1) * np.float32(3.0)),
        ("less", (1.0, 2.0), WEAK, True),
        ("less", (1.0, 2.0), STRONG, np.True_),
        ("negative", (0.0,), WEAK, -0.0),
        ("negative", (0.0,), STRONG, np.float64(-0.0)),
        ("sqrt", (-1.0,), WEAK, math.nan),
        ("divide", (1.0, 0.0), STRONG, np.float64(math.inf)),
        ("add", (fixed(1.0), 2.0), STRONG, np.float64(3.0)),
        ("exp", (fixed([0.0, 1.0], np.float32),), STRONG, np.exp(fixed([0.0, 1.0], np.float32))),
        ("add", (1j, 2.0), WEAK, 2.0 + 1j),
    ],
)
def test_value_dtype_and_weakness_are_the_interpreters(
    gate: str, constants: Any, weak: bool, expected: Any
):
    circuit = of_constants(gate, *constants, weak=weak)
    after = fold(circuit).verify()
    assert not after.steps
    assert not differs(after.held[after.outs[0]], expected)
    assert not isinstance(after.held[after.outs[0]], np.ndarray) or expected.ndim
    assert_agree(circuit, after, ())


def test_one_fold_leads_to_the_next():
    def f(x):
        start = np.ones((), like=x)
        return x * np.exp(-(start + 1.0) / 4.0)

    after = fold(recorded(f, 2.0))
    assert [step.gate.name for step in after.steps] == ["multiply"]
    assert after.held[after.steps[0].ins[1]] == np.exp(-0.5)


def test_a_constant_without_dimensions_becomes_a_number():
    after = fold(recorded(lambda x: x * np.ones((), like=x), 2.0))
    (held,) = after.held.values()
    assert type(held) is np.float64
    assert not after.wires[after.steps[0].ins[1]].weak


def test_several_outputs():
    after = fold(of_constants("slogdet", fixed(-4.0 * np.eye(1))))
    assert not after.steps
    assert [after.held[wire] for wire in after.outs] == [-1.0, math.log(4.0)]


def test_what_is_held_cannot_be_written():
    after = fold(of_constants("broadcast_to", np.float64(2.0), shape=(3,)))
    held = after.held[after.outs[0]]
    assert is_constant(held)
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 1.0


@pytest.mark.parametrize("shape", [(), (3,)])
def test_the_users_own_arrays_are_seen_when_they_change(shape: tuple[int, ...]):
    weights = np.full(shape, 2.0)
    circuit = of_constants("square", weights)
    after = fold(circuit)
    assert after is circuit
    weights[...] = 5.0
    assert np.all(run(after)[after.outs[0]] == 25.0)


def test_a_read_only_view_of_an_array_that_changes_is_no_constant():
    base = np.array([1.0, 2.0])
    view = base[:]
    view.flags.writeable = False
    assert not is_constant(view)
    assert fold(circuit := of_constants("square", view)) is circuit


def test_a_closed_over_array_of_a_program():
    weights = np.array([1.0, 2.0])
    after = fold(recorded(lambda x: np.sum(weights * 2.0) * x, 3.0))
    assert run(after, 3.0)[after.outs[0]] == 18.0


@pytest.mark.parametrize("reach", ["into", "out of"])
def test_large_arrays_are_not_made(reach: str):
    circuit = (
        of_constants("broadcast_to", np.float64(1.0), shape=(LARGEST + 1,))
        if reach == "into"
        else of_constants("sum", fixed(np.ones(LARGEST + 1)), axis=(0,), keepdims=False)
    )
    assert fold(circuit) is circuit
    small = of_constants("broadcast_to", np.float64(1.0), shape=(LARGEST,))
    assert not fold(small).steps


def test_a_users_own_gate_is_called_when_the_circuit_runs():
    calls: list[float] = []
    own = co.gate(lambda x: (calls.append(x), x)[1]).defpull(lambda g, out, x: g)
    circuit = recorded(lambda x: x * own(np.ones((), like=x)), 2.0)
    before = len(calls)
    after = fold(circuit)
    assert len(calls) == before
    assert len(after.steps) == len(circuit.steps)


def test_a_step_that_cannot_run_stays():
    wires = tuple(Wire((2, 2), np.dtype(float), k, False) for k in range(2))
    step = Step(NAMES["inv"], (0,), (1,), {})
    circuit = Circuit(wires, (), {0: fixed(np.zeros((2, 2)))}, (step,), (1,))
    assert fold(circuit) is circuit


@pytest.mark.parametrize("change", [{"dtype": np.dtype(np.float32)}, {"shape": (1,)}])
def test_a_value_that_is_not_what_the_wire_says_stays(change: Any):
    circuit = of_constants("sqrt", 2.0)
    wires = (circuit.wires[0], circuit.wires[1]._replace(**change))
    circuit = Circuit(wires, (), circuit.held, circuit.steps, circuit.outs)
    assert fold(circuit) is circuit


def test_guards_on_what_was_folded_stay():
    circuit = of_constants("less", 1.0, 2.0, weak=False)
    guard = Guard(circuit.outs[0], True, None)
    circuit = Circuit(circuit.wires, (), circuit.held, circuit.steps, (), (guard,))
    after = fold(circuit).verify()
    assert after.guards == (guard,)
    assert after.held[guard.wire]


def test_the_seed_of_a_gradient_is_folded():
    """The 1 that a gradient begins with meets the constants of the last gates."""
    mean = joined(lambda x: np.mean(x * x), np.ones(4))
    names = [step.gate.name for step in prune(fold(mean)).steps]
    assert "divide" not in names
    assert "divide" in [step.gate.name for step in mean.steps]


@pytest.mark.parametrize("f", [lambda x: x * x, lambda x: np.sum(x) + 1.0])
def test_nothing_to_do_gives_the_circuit_itself(f: Callable[..., Any]):
    circuit = recorded(f, np.ones(3))
    assert fold(circuit) is circuit


@SETTINGS
@given(programs())
def test_no_bit_changes(program: Written):
    assert_harmless(fold, program)
