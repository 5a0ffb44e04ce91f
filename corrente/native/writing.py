"""Writing: what is written into arrays, and arrays joined, as copies into views of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrente.circuit import Step
from corrente.native import gathers
from corrente.native.bodies import reading, single, stretch
from corrente.native.layouts import look
from corrente.native.programs import ARENA, Unsupported
from corrente.record import NAMES, Scatter

if TYPE_CHECKING:
    from corrente.native.lowering import Lowering


def write(writer: Lowering, step: Step) -> None:
    """Write into a copy of the array, or into itself where nothing reads it any more."""
    base, value, *arrays = step.ins
    kind = step.gate.kind
    assert isinstance(kind, Scatter)
    layouts = [writer.given(wire) for wire in step.ins]
    if arrays and not gathers.fits_scatter(step, layouts):
        writer.call_back(step)
        return
    reuse = (
        base not in writer.owner
        and base in writer.circuit.makers
        and layouts[0].base == ARENA
        and layouts[0].in_a_row
        and writer.last[base] == writer.now
        and writer.owner.get(value, value) != base
        and step.outs[0] not in writer.pinned
    )
    if reuse:
        target = layouts[0]
        writer.where[step.outs[0]] = target
        if base in writer.extents:
            writer.extents[step.outs[0]] = writer.extents[base]
        writer.dying[writer.now] = [w for w in writer.dying[writer.now] if w != base]
    else:
        target = writer.place(step.outs[0])
        writer.copy(layouts[0], target)
    if not layouts[1].size:
        return  # nothing is written
    if arrays:
        writer.emit(*gathers.scatter(step, layouts, target, writer.lowered.module))
        return
    place = look(reading(step), target)
    if place is None:
        raise Unsupported("a write that no view shows")
    if not kind.adds:
        writer.copy(layouts[1], place)
    else:
        body = single(NAMES["add"], [place, layouts[1]], place)
        writer.loop_over(body, [place, layouts[1]], [place])


def join(writer: Lowering, step: Step) -> None:
    """Copy every part of a concatenation or a stack to its place."""
    given = [writer.given(wire) for wire in step.ins]
    target = writer.place(step.outs[0])
    axis, done = step.params["axis"], 0
    for layout in given:
        if step.gate.name == "stack":
            part = stretch(target, axis, done, None)
            done += 1
        else:
            part = stretch(target, axis, done, layout.shape[axis])
            done += layout.shape[axis]
        writer.copy(layout, part)
