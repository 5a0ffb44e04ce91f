"""Bodies made from bodies: the way back of a loop, or its tangents, as another loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from corrente.backprop import mark, push, sweep
from corrente.blocks.loops import Layout, formed
from corrente.circuit import Circuit, Wire, is_literal
from corrente.convention import rule
from corrente.interpreter import run
from corrente.tape import Tape
from corrente.tracer import Traced
from corrente.tracer.writing import innermost


class Source(NamedTuple):
    """Where an input of a derived loop comes from.

    "value": the loop's input at this position; "kept": the values of this carry before every
    iteration; "given": the gradient of this output, or the tangent of this input.
    """

    kind: str
    position: int


class Derived(NamedTuple):
    """A body made from another: its first inputs are carries, then constants, then slices."""

    body: Circuit
    carries: int
    constants: tuple[Source, ...]
    slices: tuple[Source, ...]


_DERIVED: WeakKeyDictionary[Circuit, dict[Any, Derived | None]] = WeakKeyDictionary()


def moving_inputs(layout: Layout, wanted: Iterable[int]) -> tuple[int, ...]:
    """Return the inputs whose derivatives matter: the wanted, and the carries they lead to."""
    moving = {p for p in wanted if layout.entering(p).dtype.kind in "fc"}
    while True:
        wires = [layout.body.ins[p] for p in moving]
        active = mark(layout.body.steps, wires, len(layout.body.wires))
        reached = {
            c
            for c in range(layout.carries)
            if active[layout.body.outs[c]] and layout.entering(c).dtype.kind in "fc"
        }
        if reached <= moving:
            return tuple(sorted(moving))
        moving |= reached


class _Draft:
    """A body with what is being derived from it behind its own steps, all on one tape."""

    def __init__(self, layout: Layout, ins: Sequence[Any]) -> None:
        self.layout = layout
        body = self.body = layout.body
        first = layout.order[0]
        given = [innermost(x) for x in ins]
        given[layout.sliced :] = [x[first] for x in given[layout.sliced :]]
        values = run(
            body,
            *(formed(layout.entering(p), x) for p, x in enumerate(given)),
            keep=True,
        )
        self.tape = Tape()
        self.tape.values.extend(values.get(wire.id) for wire in body.wires)
        self.tape.recorded.extend(body.steps)
        self.tape.inputs.update(dict.fromkeys(body.ins))

    def get(self, wire: int) -> Any:
        """Return a value of the body as the rules are given it: traced, a literal as it is."""
        value = self.tape.values[wire]
        if wire in self.body.held and is_literal(value):
            return value
        return Traced(self.tape, wire, value)

    def enter(self, wire: Wire) -> Traced:
        """Make one more input, for a gradient or tangent of a wire."""
        value = np.ones(wire.shape, wire.dtype)[()]
        return Traced(self.tape, self.tape.argument(value, wanted=False), value)

    def wire(self, value: Any, like: Wire) -> int:
        """Return the wire of a result; zeros where there is none."""
        if isinstance(value, Traced):
            value.now()
            return value.wire
        self.tape.values.append(np.zeros(like.shape, like.dtype)[()] if value is None else value)
        return len(self.tape.values) - 1

    def finish(
        self,
        carries: Sequence[int],
        constants: Mapping[Source, int],
        slices: Mapping[Source, int],
        outs: Sequence[int],
    ) -> Derived | None:
        """Freeze what is needed; None if it depends on more than shapes and dtypes."""
        self.tape.close()
        if self.tape.guards:
            return None
        circuit = self.tape.freeze(outs)
        own = len(self.body.steps)
        steps = [*self.body.steps, *(step._replace(where=None) for step in circuit.steps[own:])]
        used = set(outs)
        needed = []
        for step in reversed(steps):
            if not used.isdisjoint(step.outs):
                needed.append(step)
                used.update(step.ins)
        constants = {source: wire for source, wire in constants.items() if wire in used}
        slices = {source: wire for source, wire in slices.items() if wire in used}
        circuit = replace(
            circuit,
            ins=(*carries, *constants.values(), *slices.values()),
            held={wire: value for wire, value in circuit.held.items() if wire in used},
            steps=tuple(reversed(needed)),
            labels=self.body.labels,
        )
        return Derived(circuit, len(carries), tuple(constants), tuple(slices))


def _values(layout: Layout) -> tuple[dict[Source, int], dict[Source, int]]:
    """Return the inputs with which the body runs again from the state it began with."""
    ins = layout.body.ins
    constants = {Source("value", p): ins[p] for p in range(layout.carries, layout.sliced)}
    slices = {Source("kept", c): ins[c] for c in range(layout.carries)}
    slices |= {Source("value", p): ins[p] for p in range(layout.sliced, len(ins))}
    return constants, slices


def draw_back(
    layout: Layout, ins: Sequence[Any], moving: Sequence[int], present: Sequence[int]
) -> Derived | None:
    """Make the body of the way back.

    Its carries are the gradients of the moving carries and the sums of those of the moving
    constants; its results the gradients of the moving slices.
    """
    draft = _Draft(layout, ins)
    body, carries = layout.body, layout.carries
    constants, slices = _values(layout)
    entered: dict[int, Traced] = {
        p: draft.enter(layout.entering(p)) for p in moving if p < layout.sliced
    }
    upstream: dict[int, Traced] = {}
    for j in present:
        kept = carries <= j < carries + len(layout.kept)
        p = layout.kept[j - carries] if kept else j - len(layout.kept)
        upstream[j] = draft.enter(layout.entering(p) if kept else layout.leaving(p))
        slices[Source("given", j)] = upstream[j].wire
    seeds: dict[int, Any] = {}
    sent = [(c, entered[c]) for c in moving if c < carries]
    sent += [
        (j - len(layout.kept), d) for j, d in upstream.items() if j >= carries + len(layout.kept)
    ]
    for p, d in sent:
        wire = body.outs[p]
        seeds[wire] = seeds[wire] + d if wire in seeds else d
    wires = [body.ins[p] for p in moving]
    found: dict[int, Any] = sweep(body.steps, draft.get, len(body.wires), seeds, wires)
    for j, d in upstream.items():
        if j < carries + len(layout.kept):
            wire = body.ins[layout.kept[j - carries]]
            found[wire] = found[wire] + d if wire in found else d
    for p in moving:
        if carries <= p < layout.sliced:
            wire = body.ins[p]
            found[wire] = entered[p] + found[wire] if wire in found else entered[p]
    outs = [draft.wire(found.get(body.ins[p]), layout.entering(p)) for p in moving]
    return draft.finish([d.wire for d in entered.values()], constants, slices, outs)


def draw_along(
    layout: Layout, ins: Sequence[Any], moving: Sequence[int], present: Sequence[int]
) -> Derived | None:
    """Make the body that takes tangents along: of carries, and of every result that has one."""
    draft = _Draft(layout, ins)
    body = layout.body
    constants, slices = _values(layout)
    tangents: dict[int, Traced] = {}
    for p in moving:
        tangents[body.ins[p]] = draft.enter(layout.entering(p))
        if p >= layout.carries:
            group = constants if p < layout.sliced else slices
            group[Source("given", p)] = tangents[body.ins[p]].wire
    moved = push(body.steps, draft.get, len(body.wires), tangents, body.outs)
    chosen = [*(c for c in moving if c < layout.carries), *present]
    outs = [draft.wire(moved[body.outs[p]], layout.leaving(p)) for p in chosen]
    carries = [tangents[body.ins[c]].wire for c in moving if c < layout.carries]
    return draft.finish(carries, constants, slices, outs)


def derive(draw: Callable[..., Derived | None], layout: Layout, ins: Any, *key: Any) -> Any:
    known = _DERIVED.setdefault(layout.body, {})
    # the body itself must not stand in its own entry, which would never be dropped
    full = (draw, layout.carries, layout.constants, layout.kept, layout.reverse, rule(), *key)
    if full not in known:
        with np.errstate(all="ignore"):
            known[full] = draw(layout, ins, *key)
    return known[full]
