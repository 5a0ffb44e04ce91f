"""Folding: what follows from numbers written in the program is computed once, beforehand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Step, Wire
from corrente.passes.rewiring import LARGEST, is_constant, is_ours, rewired
from corrente.tape import wire_of


def fold(circuit: Circuit) -> Circuit:
    """Run the steps that read constants alone, and hold what they give in their place.

    Constants are numbers, and small arrays that nobody can write; closed-over arrays that can be
    written are hidden inputs and stay. The result has the interpreter's value, dtype and
    weakness; one that would not, or that is large, leaves its step as it is. What is held is
    read-only, and without dimensions a NumPy number.
    """
    constants = {wire: _plain(v) for wire, v in circuit.held.items() if is_constant(v)}
    numbered = any(constants[wire] is not circuit.held[wire] for wire in constants)
    steps: list[Step] = []
    with np.errstate(all="ignore"):
        for step in circuit.steps:
            for wire in step[1]:
                if wire not in constants:
                    steps.append(step)
                    break
            else:
                found = _outcome(circuit, step, constants)
                if found is None:
                    steps.append(step)
                else:
                    constants.update(zip(step[2], found, strict=True))
    if len(steps) == len(circuit.steps) and not numbered:
        return circuit
    return rewired(circuit, steps, {}, {**circuit.held, **constants})


def _outcome(circuit: Circuit, step: Step, constants: dict[int, Any]) -> list[Any] | None:
    """Return what a step gives, one value for each output; None if it must stay a step."""
    wires = [circuit.wires[out] for out in step.outs]
    if not is_ours(step.gate) or any(math.prod(wire.shape) > LARGEST for wire in wires):
        return None
    try:
        given = step.gate.forward(*(constants[wire] for wire in step.ins), **step.params)
    except (ArithmeticError, ValueError, TypeError, Warning):
        return None  # whatever it has to say, it says when the circuit runs
    values = (given,) if step.gate.outs == 1 else given
    found = [_held(value, wire) for value, wire in zip(values, wires, strict=True)]
    fits = all(wire_of(w.id, value) == w for value, w in zip(found, wires, strict=True))
    return found if fits else None


def _held(value: Any, wire: Wire) -> Any:
    """Bring a value into the form in which it is held: a number, or an array nobody can write.

    An array keeps its strides: products choose their way, to the last bit, by the layout.
    """
    if not isinstance(value, np.ndarray) or value.ndim == 0:
        return value.item() if wire.weak and hasattr(value, "item") else _plain(value)
    part: Any = value
    while isinstance(part, np.ndarray):  # made of constants alone, so nobody else writes into it
        part.flags.writeable = False
        part = part.base
    return value


def _plain(value: Any) -> Any:
    """Make a number of a constant array without dimensions."""
    return value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
