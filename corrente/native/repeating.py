"""Repeating: a rolled loop as a loop over its body's calls, on pointers that move on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corrente.blocks import Layout as LoopForm
from corrente.circuit import Step
from corrente.native.layouts import Layout, row
from corrente.native.programs import ARENA, Moving, Repeat

if TYPE_CHECKING:
    from corrente.native.lowering import Lowering


def first_stacked(step: Step) -> int:
    """Return the position of a loop's first stacked result among its outputs."""
    return step.params["carries"] + len(step.params["kept"])


def repeat(writer: Lowering, step: Step) -> None:
    """Lower a loop: its body's calls once, on pointers that move from element to element."""
    form = LoopForm(**step.params)
    lowered, body = writer.lowered, form.body
    inner = writer.inside(body)
    moving: list[Moving] = []
    given = [writer.given(wire) for wire in step.ins]
    outs: list[Layout] = []
    states: list[tuple[Layout, tuple[int, int]]] = []
    for c in range(form.carries):
        entering, leaving, state = _state(writer, step, form, c, given[c], moving)
        inner.where[body.ins[c]] = entering
        outs.append(leaving)
        states.append(state)
    for p in range(form.carries, form.sliced):
        inner.where[body.ins[p]] = given[p]
    for p in range(form.sliced, len(body.ins)):
        inner.where[body.ins[p]] = _moved(writer, given[p], moving)
    for p in range(form.carries, len(body.outs)):
        target = writer.place(step.outs[len(form.kept) + p])
        outs.append(_moved(writer, target, moving))
    outer, lowered.calls = lowered.calls, []
    inner.run(outs)
    again = Repeat(form.count, form.reverse, tuple(moving), lowered.calls)
    lowered.calls = outer
    lowered.calls.append(again)
    for c, (final, extent) in enumerate(states):
        writer.copy(final, writer.place(step.outs[c]))
        if c not in form.kept:
            lowered.arena.give_back(*extent)


def _moved(writer: Lowering, whole: Layout, moving: list[Moving]) -> Layout:
    """Return the element of a stacked array at which an iteration stands."""
    base = writer.base()
    moving.append(Moving(base, whole.base, whole.offset, whole.strides[0], False))
    return Layout(base, 0, whole.shape[1:], whole.strides[1:], whole.dtype)


def _state(
    writer: Lowering, step: Step, form: LoopForm, c: int, first: Layout, moving: list[Moving]
) -> tuple[Layout, Layout, tuple[Layout, tuple[int, int]]]:
    """Give a carry its memory: where an iteration reads it, leaves it, and the last left it.

    One that is kept has a place for each iteration and one more; another has two.
    """
    wire = form.entering(c)
    one = row(ARENA, 0, wire.shape, writer.dtype(wire))
    kept = c in form.kept
    count = form.count + 1 if kept else 2
    size = max(one.nbytes, 1)
    start = writer.lowered.arena.take(size * count)
    reads, leaves = writer.base(), writer.base()
    if kept:
        ahead = (size, 0) if form.reverse else (0, size)
        moving.append(Moving(reads, ARENA, start + ahead[0], size, False))
        moving.append(Moving(leaves, ARENA, start + ahead[1], size, False))
        begins = form.count if form.reverse else 0
        ends = form.count - begins
        kept_wire = step.outs[form.carries + form.kept.index(c)]
        stacked = row(ARENA, start + ahead[0], (form.count, *wire.shape), one.dtype)
        writer.where[kept_wire] = stacked
        writer.extents[kept_wire] = (start, size * count)
    else:
        moving.append(Moving(reads, ARENA, start, size, True))
        moving.append(Moving(leaves, ARENA, start + size, -size, True))
        last = form.order[-1]
        begins, ends = form.order[0] & 1, (last & 1) ^ 1
    writer.copy(first, one._replace(offset=start + size * begins))
    final = one._replace(offset=start + size * ends)
    places = one._replace(base=reads), one._replace(base=leaves)
    return *places, (final, (start, size * count))
