"""Nesting: a loop becomes a loop of shorter ones, whose way back needs only their first states."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from corrente.blocks import Layout, loop
from corrente.circuit import Circuit, Step, Wire
from corrente.record import NAMES, Shape

_FEWEST = 9
"""Iterations from which on there is something to cut."""


def nest(circuit: Circuit) -> Circuit:
    """Cut every loop of n iterations into about √n loops of about √n, inside another loop.

    The way back of a loop runs each iteration again from the state before it; here an iteration
    of the outer loop is a whole stretch, so that of n states only those before the stretches are
    kept, and those within one stretch while it is gone back through. Loops that run backwards,
    or of whose states something reads, stay as they are.

    >>> import numpy as np, corrente as co
    >>> from corrente.passes.roll import roll
    >>> def f(h, x):
    ...     for k in range(20):
    ...         h = np.tanh(h) + x[k]
    ...     return h
    >>> rolled = roll(co.trace(f)(1.0, np.ones(20)).circuit, least=16)
    >>> counts = [s.params["count"] for s in nest(rolled).steps if s.gate.name == "loop"]
    >>> rolled.steps[0].params["count"], counts
    (20, [4])
    """
    read = {w for step in circuit.steps for w in step.ins}.union(circuit.outs)
    read.update(guard.wire for guard in circuit.guards)
    writer = _Writer(circuit)
    for step in circuit.steps:
        if step.gate is loop and _can_be_cut(step, read):
            writer.cut(step)
        else:
            writer.steps.append(step)
    if len(writer.wires) == len(circuit.wires):
        return circuit
    return replace(circuit, wires=tuple(writer.wires), steps=tuple(writer.steps))


def _can_be_cut(step: Step, read: set[int]) -> bool:
    form = Layout(**step.params)
    kept = step.outs[form.carries : form.carries + len(form.kept)]
    return form.count >= _FEWEST and not form.reverse and read.isdisjoint(kept)


def stretch_of(count: int) -> int:
    """Return how many iterations a stretch has: near the square root, a divisor if there is one.

    >>> stretch_of(1000), stretch_of(1009)
    (40, 32)
    """
    root = math.sqrt(count)
    divisors = [n for n in range(2, count) if count % n == 0 and root / 2 <= n <= root * 2]
    return min(divisors, key=lambda n: (n + count // n, -n)) if divisors else round(root)


class _Writer:
    """Writes nested loops in the place of loops."""

    def __init__(self, circuit: Circuit) -> None:
        self.wires: list[Wire] = list(circuit.wires)
        self.steps: list[Step] = []

    def cut(self, step: Step) -> None:
        """Write a loop of stretches, and one loop more for the iterations that are left over."""
        form = Layout(**step.params)
        length = stretch_of(form.count)
        whole = form.count // length * length
        ins = list(step.ins)
        slices = ins[form.sliced :]
        heads = [self._rows(step, w, 0, whole, form.count) for w in slices]
        parted = [self._parted(step, w, length) for w in heads]
        outer = _outer(form, length, whole // length)
        rest = form.count - whole
        finals = step.outs[: form.carries] if not rest else None
        given = (*ins[: form.sliced], *parted)
        state, results = self._loop(step, outer, given, finals)
        flat = [self._flat(step, w, length) for w in results]
        if rest:
            tails = [self._rows(step, w, whole, form.count, form.count) for w in slices]
            kept = tuple(range(form.carries))
            last = replace(form, count=rest, kept=kept)
            given = (*state, *ins[form.carries : form.sliced], *tails)
            _, more = self._loop(step, last, given, step.outs[: form.carries])
            flat = [self._joined(step, pair) for pair in zip(flat, more, strict=True)]
        self._name(step, flat, form)

    def _loop(
        self, step: Step, form: Layout, ins: tuple[int, ...], finals: tuple[int, ...] | None
    ) -> tuple[tuple[int, ...], list[int]]:
        """Write a loop; return its final state and its stacked results."""
        state = [form.entering(c) for c in range(form.carries)]
        ends = finals or tuple(self._wire(wire, wire.shape) for wire in state)
        kept = [self._wire(wire, (form.count, *wire.shape)) for wire in state]
        leaving = [form.leaving(p) for p in range(form.carries, len(form.body.outs))]
        results = [self._wire(wire, (form.count, *wire.shape)) for wire in leaving]
        outs = (*ends, *kept, *results)
        self.steps.append(step._replace(ins=ins, outs=outs, params=form.params))
        return ends, results

    def _wire(self, like: Wire, shape: Shape) -> int:
        weak = like.weak and not shape
        self.wires.append(Wire(shape, like.dtype, len(self.wires), weak))
        return len(self.wires) - 1

    def _step(
        self, step: Step, name: str, ins: tuple[int, ...], shape: Shape, params: dict[str, Any]
    ) -> int:
        out = self._wire(self.wires[ins[0]], shape)
        self.steps.append(step._replace(gate=NAMES[name], ins=ins, outs=(out,), params=params))
        return out

    def _rows(self, step: Step, wire: int, start: int, stop: int, count: int) -> int:
        if (start, stop) == (0, count):
            return wire
        shape = (stop - start, *self.wires[wire].shape[1:])
        return self._step(step, "getitem", (wire,), shape, {"index": (slice(start, stop),)})

    def _parted(self, step: Step, wire: int, length: int) -> int:
        n, *rest = self.wires[wire].shape
        shape = (n // length, length, *rest)
        return self._step(step, "reshape", (wire,), shape, {"shape": shape, "order": "C"})

    def _flat(self, step: Step, wire: int, length: int) -> int:
        n, _, *rest = self.wires[wire].shape
        shape = (n * length, *rest)
        return self._step(step, "reshape", (wire,), shape, {"shape": shape, "order": "C"})

    def _joined(self, step: Step, pair: tuple[int, int]) -> int:
        first, second = (self.wires[w].shape for w in pair)
        shape = (first[0] + second[0], *first[1:])
        return self._step(step, "concatenate", pair, shape, {"axis": 0})

    def _name(self, step: Step, results: list[int], form: Layout) -> None:
        """Let the last step that makes a result make it under the wire of the old loop."""
        old = step.outs[form.carries + len(form.kept) :]
        same = dict(zip(results, old, strict=True))
        for k in range(len(self.steps) - 1, -1, -1):
            made = self.steps[k]
            if not same.keys().isdisjoint(made.outs):
                outs = tuple(same.pop(w, w) for w in made.outs)
                self.steps[k] = made._replace(outs=outs)
            if not same:
                return


def _outer(form: Layout, length: int, count: int) -> Layout:
    """Return the loop whose body is a loop over one stretch."""
    state = [form.entering(c) for c in range(form.carries)]
    fixed = [form.entering(p) for p in range(form.carries, form.sliced)]
    moving = [form.entering(p) for p in range(form.sliced, len(form.body.ins))]
    leaving = [form.leaving(p) for p in range(form.carries, len(form.body.outs))]
    wires: list[Wire] = []

    def enter(like: Wire, lead: tuple[int, ...]) -> int:
        weak = like.weak and not lead
        wires.append(Wire((*lead, *like.shape), like.dtype, len(wires), weak))
        return len(wires) - 1

    ins = tuple(enter(wire, ()) for wire in (*state, *fixed))
    ins += tuple(enter(wire, (length,)) for wire in moving)
    ends = tuple(enter(wire, ()) for wire in state)
    kept = tuple(enter(wire, (length,)) for wire in state)
    results = tuple(enter(wire, (length,)) for wire in leaving)
    every = tuple(range(form.carries))
    inner = replace(form, count=length, kept=every)
    step = Step(loop, ins, (*ends, *kept, *results), inner.params)
    labels = {
        ins[p]: form.body.labels[w] for p, w in enumerate(form.body.ins) if w in form.body.labels
    }
    body = Circuit(tuple(wires), ins, {}, (step,), (*ends, *results), labels=labels)
    return Layout(body, count, form.carries, form.constants, every)
