"""A writer of steps: new steps in the place of one, their shapes and dtypes as NumPy gives them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Composed, Step, Wire
from corrente.record import NAMES, Elementwise, Gate, Params, Reduce, Shape
from corrente.tape import wire_of


class Writer:
    """Writes the steps that spell one step: called with a gate's name, it returns a wire.

    The steps get the place of the step they stand for, and a mark that they are parts of one.
    """

    def __init__(self, circuit: Circuit) -> None:
        self.wires: list[Wire] = list(circuit.wires)
        self.held: dict[int, Any] = dict(circuit.held)
        self.steps: list[Step] = []
        self._like: Step | None = None

    def stand_for(self, step: Step) -> tuple[int, int]:
        """Begin the spelling of a step; return how many steps and wires there were."""
        mark = Composed(step.gate.name, step.outs[0])
        self._like = step._replace(stack=(*step.stack, mark))
        return len(self.steps), len(self.wires)

    def take_back(self, begun: tuple[int, int]) -> None:
        """Forget the spelling that began when there were so many steps and wires."""
        steps, wires = begun
        for wire in range(wires, len(self.wires)):
            self.held.pop(wire, None)
        del self.steps[steps:], self.wires[wires:]

    def __call__(self, name: str, *ins: Wire | bool | int | float, **params: Any) -> Wire:
        """Write a step, its parameters as its record has them, and return the wire it makes."""
        assert self._like is not None
        gate = NAMES[name]
        given = [x if isinstance(x, Wire) else self.hold(x) for x in ins]
        shape, dtype = _shape(gate, given, params), _dtype(gate, given, params)
        out = Wire(shape, dtype, len(self.wires), False)
        self.wires.append(out)
        numbers = tuple(wire.id for wire in given)
        self.steps.append(
            self._like._replace(gate=gate, ins=numbers, outs=(out.id,), params=params)
        )
        return out

    def hold(self, value: Any) -> Wire:
        """Enter a number, or an array that nobody can write, and return its wire."""
        if isinstance(value, np.ndarray):
            value = _sealed(value)
        wire = wire_of(len(self.wires), value)
        self.wires.append(wire)
        self.held[wire.id] = value
        return wire

    def filled(self, shape: Shape, number: Any, dtype: np.dtype[Any]) -> Wire:
        """Hold an array that is one number everywhere: it takes the memory of that one."""
        return self.hold(np.broadcast_to(_sealed(np.array(number).astype(dtype)), shape))


def _sealed(array: np.ndarray) -> np.ndarray:
    part: Any = array
    while isinstance(part, np.ndarray):
        part.flags.writeable = False
        part = part.base
    return array


def _shape(gate: Gate, ins: Sequence[Wire], params: Params) -> Shape:
    shapes = [wire.shape for wire in ins]
    if gate.shape is not None:
        return tuple(gate.shape(*shapes, **params))
    if isinstance(gate.kind, Elementwise):
        return np.broadcast_shapes(*shapes)
    blanks = [np.broadcast_to(wire.dtype.type(0), wire.shape) for wire in ins]
    return np.shape(gate.forward(*blanks, **params))


def _dtype(gate: Gate, ins: Sequence[Wire], params: Params) -> np.dtype[Any]:
    """Ask NumPy, on ones, for the dtype of a step's output."""
    if isinstance(gate.kind, Elementwise):
        ones = [wire.dtype.type(1) for wire in ins]
        given = [one.item() if wire.weak else one for one, wire in zip(ones, ins, strict=True)]
        return np.result_type(gate.forward(*given, **params))
    if isinstance(gate.kind, Reduce):
        one = np.ones((1,) * len(ins[0].shape), ins[0].dtype)
        return np.result_type(gate.forward(one, **params))
    if gate.name in ("getitem", "setitem", "add_at"):
        return ins[0].dtype  # the others are places, or take the array's dtype
    return np.result_type(*(wire.dtype for wire in ins))
