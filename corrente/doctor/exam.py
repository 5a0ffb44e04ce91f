"""The patient examined: a traced loss, and the plain facts about it that every room asks for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from corrente.backprop import mark
from corrente.circuit import Circuit, Composed, Contribution, Run, Step, call_code
from corrente.doctor.again import NOTHING, Change, Model, model
from corrente.doctor.findings import rms
from corrente.figures import clip, number
from corrente.places import Place, Where, locate
from corrente.program import Program
from corrente.record import Contract, Elementwise, Gather, Rearrange

DEEP = 4
"""Gates that are spelled out, one in another, for a wire without a name."""
_MOVES = frozenset({"copy", "cast", "negative"})


@dataclass(frozen=True, eq=False)
class Exam:
    """A program with its numbers, the call it came from, and names for the columns of the data."""

    loss: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: Any
    program: Program
    columns: tuple[str, ...]
    steps: int
    """How long the descents are that compare before and after."""
    caller: Where | None = None
    """The line that asked for this: no step of the loss was written there."""
    training: bool = False
    """Whether this is a moment of a training."""

    @property
    def run(self) -> Run:
        return self.program.run

    @property
    def circuit(self) -> Circuit:
        return self.program.circuit

    @property
    def value(self) -> float:
        """The loss."""
        return float(self.program.value)

    @cached_property
    def depends(self) -> bytearray:
        """Mark the wires that the parameters reach."""
        return mark(self.circuit.steps, self.run.parameters, len(self.circuit.wires))

    def grad(self, wire: int) -> Any:
        """Return the gradient of a wire; None where none came."""
        return self.run.gradients.get(wire)

    def sent(self, wire: int) -> list[Contribution]:
        """Return what the readers of a wire sent back."""
        return list(self.run.contributions.get(wire, ()))

    def place(self, k: int) -> Place | None:
        """Return the place of a step in the user's source; None if the house itself wrote it."""
        where = self.circuit.steps[k].where
        return None if where is None or where == self.caller else locate(where)

    def name(self, wire: int) -> str:
        """Call a wire by the user's variable, or by the expression that made it."""
        if self._called(wire):
            return self.circuit.names[wire]
        if wire in self.circuit.makers:
            place = self.place(self.circuit.makers[wire])
            if place is not None and place.text:
                return clip(place.text, 60)
            if place is None:
                return clip(self._spelled(wire, DEEP), 60)
        if wire in self.circuit.held and np.ndim(self.circuit.held[wire]) == 0:
            return number(self.circuit.held[wire])
        return self.circuit.operand(wire)

    def _called(self, wire: int) -> bool:
        """Tell whether the user gave a wire a name; that of the diagnosis itself is none."""
        maker = self.circuit.makers.get(wire)
        return wire in self.circuit.names and (maker is None or self.place(maker) is not None)

    def _spelled(self, wire: int, deep: int) -> str:
        """Write the NumPy that makes a wire, for a step that no source of the user's shows."""
        maker = self.circuit.makers.get(wire)
        if maker is None or self._called(wire):
            return self.circuit.names.get(wire) or self.circuit.operand(wire)
        step = self.circuit.steps[maker]
        if not deep or "body" in step.params:
            return "…"
        names = [self._spelled(each, deep - 1) for each in step.ins]
        write = step.gate.code
        return (
            call_code(step.gate.name, names, step.params)
            if write is None
            else write(names, step.params)
        )

    def text(self, wire: int) -> str:
        """Write the expression that made a wire, as in the source; its name if nothing did."""
        maker = self.circuit.makers.get(wire)
        place = None if maker is None else self.place(maker)
        return self.name(wire) if place is None or not place.text else clip(place.text, 80)

    def parameters(self) -> Iterator[int]:
        """Go through the parameters that have elements, in order."""
        for wire in sorted(self.run.parameters):
            if np.size(self.run.values[wire]):
                yield wire

    def readers(self, wire: int) -> list[tuple[int, int]]:
        return self.circuit.readers.get(wire, [])

    def model(self, change: Change = NOTHING) -> Model:
        """Make the loss a function of the parameters alone, with a change tried on the way."""
        return model(self.circuit, self.run.values, self.run.parameters, change)

    def origin(self, wire: int) -> int:
        """Follow a wire back through steps that only move, copy or cast, to what they moved."""
        makers, steps = self.circuit.makers, self.circuit.steps
        while wire in makers:
            step = steps[makers[wire]]
            moves = isinstance(step.gate.kind, Rearrange) or step.gate.name in _MOVES
            if not ((moves and len(step.ins) == 1) or isinstance(step.gate.kind, Gather)):
                break
            wire = step.ins[0]
        return wire

    def weighs(self, wire: int, seen: set[int] | None = None) -> bool:
        """Tell whether a value goes on into a product with parameters: a hidden layer does."""
        reach, seen = [wire], seen or set()
        while reach:
            wire = reach.pop()
            for k, position in self.readers(wire):
                step = self.circuit.steps[k]
                if self._multiplies(step, position):
                    return True
                through = isinstance(step.gate.kind, Elementwise | Rearrange | Gather)
                for out in step.outs if through else ():
                    if out not in seen:
                        seen.add(out)
                        reach.append(out)
        return False

    def _multiplies(self, step: Step, position: int) -> bool:
        product = isinstance(step.gate.kind, Contract) or step.gate.name in ("multiply", "conv")
        others = [w for p, w in enumerate(step.ins) if p != position]
        return product and any(
            self.origin(w) in self.run.parameters and np.ndim(self.run.values[w]) for w in others
        )

    def house(self, k: int) -> str | None:
        """Return the name of the composed function a step is part of; None: the user's own."""
        for frame in self.circuit.steps[k].stack:
            if isinstance(frame, Composed):
                return frame.name
        return None

    def size_of(self, wire: int) -> float:
        """Return the root mean square of a wire's value."""
        return rms(self.run.values[wire])


def operand_at(value: Any, index: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Return the element of an operand that meets one element of an output of this shape."""
    array = np.asarray(value)
    if not array.shape:
        return array[()]
    return np.broadcast_to(array, shape)[index]


def at(index: tuple[int, ...]) -> str:
    """Write an index: `[2, 0]`; nothing for a scalar."""
    return f"[{', '.join(str(int(k)) for k in index)}]" if index else ""
