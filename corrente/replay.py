"""A run as one circuit whose outputs are all that a page shows: values, gradients, their parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.backprop import sweep
from corrente.circuit import Circuit, Run
from corrente.convention import rule, ties
from corrente.derivatives import seed
from corrente.record import Elementwise
from corrente.tape import Tape
from corrente.tracer import Traced


class Shown(NamedTuple):
    """What one output of a replay is.

    `kind`: "value" and "gradient" are a wire's; "sent" is what a step sends back to its input at
    `position`, "local" its local gradient there.
    """

    kind: str
    wire: int
    step: int = -1
    position: int = -1


class Replay(NamedTuple):
    """A circuit of the inputs of a run, and what each of its outputs is."""

    circuit: Circuit
    shown: tuple[Shown, ...]


def replay(run: Run) -> Replay:
    """Make one circuit of a run's forward and backward pass, with nothing hidden.

    The run must have one scalar output that depends on a parameter. Local gradients are those of
    elementwise gates on scalars.

    >>> from corrente.circuit import Step, Wire
    >>> from corrente.gates.arithmetic import sqrt
    >>> wires = tuple(Wire((), np.dtype(float), k, True) for k in range(2))
    >>> circuit = Circuit(wires, (0,), {}, (Step(sqrt, (0,), (1,), {}),), (1,), labels={0: "x"})
    >>> found = replay(Run(circuit, [4.0, 2.0], {0: 0.25, 1: 1.0}, {}, frozenset({0})))
    >>> [(each.kind, each.wire) for each in found.shown]
    [('value', 0), ('value', 1), ('gradient', 1), ('sent', 0), ('gradient', 0), ('local', 0)]
    """
    circuit = run.circuit
    (out,) = circuit.outs
    page = _Page(run)
    first = seed(run.values[out])
    start = Traced(page.tape, page.tape.argument(first, wanted=False), first)
    count = len(circuit.wires)
    # a counter of its own: ties were counted, and numbers warned of, when the run was made
    with ties(rule()), np.errstate(all="ignore"):
        found = sweep(circuit.steps, page.get, count, {out: start}, sorted(run.parameters), page)
        for wire, gradient in found.items():
            page.note(Shown("gradient", wire), gradient)
        page.note_local_gradients()
    page.tape.close()
    back = page.tape.freeze([b for _, b in page.noted])
    return _joined(run, back, page, start.wire)


class _Page:
    """Boxes forward values as they are asked for, and notes all that comes back."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.tape = Tape(detailed=False)
        self.boxes: dict[int, Any] = {}
        self.noted: list[tuple[Shown, int]] = []

    def get(self, wire: int) -> Any:
        """Return a forward value as a box; a number from outside stays one."""
        if wire not in self.boxes:
            value = self.run.values[wire]
            if wire in self.run.circuit.held and type(value) in (int, float):
                return value
            self.boxes[wire] = Traced(self.tape, self.tape.argument(value, wanted=False), value)
        return self.boxes[wire]

    def enter(self, step: int, wires: tuple[int, ...], gradients: Sequence[Any]) -> None:
        for wire, gradient in zip(wires, gradients, strict=True):
            if gradient is not None:
                self.note(Shown("gradient", wire), gradient)

    def contribute(self, wire: int, step: int, position: int, gradient: Any) -> None:
        self.note(Shown("sent", wire, step, position), gradient)

    def note(self, shown: Shown, gradient: Any) -> None:
        if not isinstance(gradient, Traced):
            self.tape.values.append(gradient)
        at = gradient.wire if isinstance(gradient, Traced) else len(self.tape.values) - 1
        self.noted.append((shown, at))

    def note_local_gradients(self) -> None:
        for shown, _ in list(self.noted):
            if shown.kind == "sent":
                local = self._local(shown)
                if local is not None:
                    self.note(shown._replace(kind="local"), local)

    def _local(self, shown: Shown) -> Any:
        """Pull a one through a gate: how fast its output moves with one input alone."""
        step, wires = self.run.circuit.steps[shown.step], self.run.circuit.wires
        gate = step.gate
        scalar = all(not wires[wire].shape for wire in (*step.ins, *step.outs))
        if not isinstance(gate.kind, Elementwise) or gate.pulls is None or not scalar:
            return None
        out = self.get(step.outs[0])
        ins = [self.get(wire) for wire in step.ins]
        one = np.ones_like(out)
        return gate.pulls[shown.position](one, out, *ins, **step.params)


def _joined(run: Run, back: Circuit, page: _Page, start: int) -> Replay:
    """Put the forward circuit and what was noted on the way back into one."""
    circuit = run.circuit
    count = len(circuit.wires)
    to = {wire.id: wire.id + count for wire in back.wires}
    to |= {box.wire: wire for wire, box in page.boxes.items()}
    steps = (
        step._replace(
            ins=tuple(to[wire] for wire in step.ins), outs=tuple(to[wire] for wire in step.outs)
        )
        for step in back.steps
    )
    values = list(_shown_values(run))
    held = {to[wire]: value for wire, value in back.held.items()}
    held[to[start]] = page.tape.values[start]
    whole = Circuit(
        (*circuit.wires, *(wire._replace(id=wire.id + count) for wire in back.wires)),
        circuit.ins,
        {**circuit.held, **held},
        (*(step._replace(origin=None) for step in circuit.steps), *steps),
        (*(shown.wire for shown in values), *(to[b] for _, b in page.noted)),
        circuit.guards,
        circuit.labels,
    )
    return Replay(whole, (*values, *(shown for shown, _ in page.noted)))


def _shown_values(run: Run) -> Iterator[Shown]:
    for wire in run.circuit.ins:
        yield Shown("value", wire)
    for step in run.circuit.steps:
        for wire in step.outs:
            yield Shown("value", wire)
