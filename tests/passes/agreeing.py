"""A pass changes no bit: circuits of programs and of their gradients, and how they are compared."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import HealthCheck, settings

import corrente as co
from corrente.circuit import Circuit
from corrente.interpreter import run as run_circuit
from corrente.recording import freeze, result_wires, run

SETTINGS = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1.0, 2.0)


def recorded(f: Callable[..., Any], *args: Any) -> Circuit:
    """Return the circuit of a function, whose own constants nobody can write."""
    recording = run(f, args, {}, (), all_inputs=True)
    _, wires = result_wires(recording)
    circuit = freeze(recording, [wire for wire in wires if wire is not None])
    tape, held = recording.tape, dict(circuit.held)
    for wire, value in circuit.held.items():
        if wire not in tape.references and isinstance(value, np.ndarray):
            held[wire] = np.array(value)
            held[wire].flags.writeable = False
    return replace(circuit, held=held).verify()


def joined(f: Callable[..., Any], *args: Any) -> Circuit:
    """Return the circuit of a function's value and gradients."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (co.TieWarning, co.UnreachedWarning))
        return recorded(co.value_and_grad(f, argnums=tuple(range(len(args)))), *args)


def with_specials(args: Sequence[Any], seed: int) -> list[Any]:
    """Put special numbers at some places of the arguments."""
    rng = np.random.default_rng(seed)
    found = []
    for x in args:
        array = np.array(x)
        chosen = rng.random(array.shape) < 0.4
        array[chosen] = rng.choice(SPECIAL, array.shape)[chosen]
        found.append(array if isinstance(x, np.ndarray) else type(x)(array[()]))
    return found


def numbers(circuit: Circuit, ins: Sequence[Any], in_rows: bool = False) -> dict[int, Any]:
    """Run a circuit and return the value of every wire, without a word about NaN."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _in_rows(circuit, ins) if in_rows else run_circuit(circuit, *ins, keep=True)


def _in_rows(circuit: Circuit, ins: Sequence[Any]) -> dict[int, Any]:
    """Run a circuit with the elements of every array in rows.

    NumPy adds up, and multiplies matrices, in an order that follows the layout of memory, of
    which a circuit says nothing.
    """
    values: dict[int, Any] = dict(circuit.held) | dict(zip(circuit.ins, ins, strict=True))
    for step in circuit.steps:
        given = [np.array(x, order="C")[()] if np.ndim(x) else x for x in map(values.get, step.ins)]
        out = step.gate.forward(*given, **step.params)
        for wire, value in zip(step.outs, (out,) if step.gate.outs == 1 else out, strict=True):
            weak = circuit.wires[wire].weak and hasattr(value, "item")
            values[wire] = value.item() if weak else value
    return values


def follows_its_path(circuit: Circuit, ins: Sequence[Any]) -> bool:
    """Tell whether a circuit is still that of its program for other inputs."""
    try:
        values = numbers(circuit, ins)
    except (ValueError, IndexError):
        return False
    return all(np.shape(values[wire.id]) == wire.shape for wire in circuit.wires)


def is_weak(value: Any) -> bool:
    """Tell a Python number from NumPy's."""
    return type(value) in (float, int, bool, complex)


def differs(one: Any, other: Any) -> bool:
    """Tell two values apart by type and bits; one NaN is as good as another."""
    a, b = np.asarray(one), np.asarray(other)
    if a.dtype != b.dtype or a.shape != b.shape or is_weak(one) != is_weak(other):
        return True
    if a.dtype.kind == "c":
        return differs(a.real, b.real) or differs(a.imag, b.imag)
    if a.dtype.kind != "f":
        return not np.array_equal(a, b)
    same = (a == b) & (np.signbit(a) == np.signbit(b))
    return not bool(np.all(same | (np.isnan(a) & np.isnan(b))))


def assert_types(circuit: Circuit, values: dict[int, Any]) -> None:
    """Check that what runs on the wires is what they say."""
    made = [wire for step in circuit.steps for wire in step.outs]
    for wire in (circuit.wires[w] for w in (*made, *circuit.held)):
        value = values[wire.id]
        found = np.shape(value), np.result_type(value), is_weak(value)
        assert found == (wire.shape, wire.dtype, wire.weak), wire


def assert_agree(before: Circuit, after: Circuit, ins: Sequence[Any]) -> None:
    """Check that two circuits give the same bits on the same inputs."""
    assert_types(after, numbers(after, ins))
    assert [guard[1:] for guard in before.guards] == [guard[1:] for guard in after.guards]
    wrong = differing(before, after, ins, False) and differing(before, after, ins, True)
    assert not wrong, f"{before}\n\n{after}\n\n{wrong}"


def differing(before: Circuit, after: Circuit, ins: Sequence[Any], in_rows: bool) -> list[Any]:
    """Return the outputs, and what guards read, that are not the same bits in two circuits."""
    one, other = numbers(before, ins, in_rows), numbers(after, ins, in_rows)
    ends = [(*c.outs, *(guard.wire for guard in c.guards)) for c in (before, after)]
    pairs = [(one[a], other[b]) for a, b in zip(*ends, strict=True)]
    return [pair for pair in pairs if differs(*pair)]


def assert_harmless(run_pass: Callable[[Circuit], Circuit], program: Any) -> None:
    """Hold a pass to its promise on a program and its gradient, with special numbers too."""
    for circuit in (
        recorded(program.several, *program.args),
        joined(program.scalar, *program.args),
    ):
        after = run_pass(circuit).verify()
        assert_agree(circuit, after, program.args)
        for seed in range(2):
            ins = with_specials(program.args, seed)
            if follows_its_path(circuit, ins):
                assert_agree(circuit, after, ins)
