"""Bodies: small circuits for one loop over elements, made where a step is no loop by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from corrente.circuit import Circuit, Step, Wire
from corrente.native.layouts import Layout
from corrente.native.nests import space_of
from corrente.record import NAMES, Gate


def reading(step: Step) -> Step:
    """Return the step that reads what a write wrote."""
    return Step(NAMES["getitem"], step.ins[:1], step.outs, {"index": step.params["index"]})


def stretch(target: Layout, axis: int, start: int, count: int | None) -> Layout:
    """Return a stretch of an axis; without a count, one place of it."""
    offset = target.offset + start * target.strides[axis]
    shape, strides = list(target.shape), list(target.strides)
    if count is None:
        del shape[axis], strides[axis]
    else:
        shape[axis] = count
    return target._replace(offset=offset, shape=tuple(shape), strides=tuple(strides))


def single(gate: Gate, ins: Sequence[Layout], out: Layout) -> Circuit:
    """Make a body of one elementwise step."""
    wires = [Wire(la.shape, la.dtype, k, False) for k, la in enumerate((*ins, out))]
    given = tuple(range(len(ins)))
    step = Step(gate, given, (len(ins),), {})
    return Circuit(tuple(wires), given, {}, (step,), (len(ins),))


def number(wire: Wire, value: Any, out: Layout) -> Circuit:
    """Make a body that writes a number everywhere."""
    wires = (wire._replace(id=0), Wire(out.shape, out.dtype, 1, False))
    return Circuit(wires, (), {0: value}, (Step(NAMES["copy"], (0,), (1,), {}),), (1,))


def last_fold(gate: Gate, partial: Layout, out: Layout) -> Circuit:
    """Make the body that folds what the parts of a kernel left."""
    wires = (Wire(partial.shape, partial.dtype, 0, False), Wire(out.shape, out.dtype, 1, False))
    step = Step(gate, (0,), (1,), {"axis": (0,), "keepdims": False})
    return Circuit(wires, (0,), {}, (step,), (1,))


def space_size(body: Circuit) -> int:
    """Return over how many elements a fused step loops."""
    return math.prod(space_of(body))


def as_loop(
    spec: str, a: Layout, b: Layout, out: Layout
) -> tuple[Circuit, list[Layout], list[Layout]]:
    """Write a contraction without a matrix in it as a multiplication and a sum in one loop."""
    given, kept = spec.split("->")
    left, right = given.split(",")
    sizes = dict(zip(left + right, a.shape + b.shape, strict=True))
    for part, layout in ((left, a), (right, b)):
        for c, n in zip(part, layout.shape, strict=True):
            sizes[c] = max(n, sizes[c])  # axes of one element are repeated
    walk = dict(zip(left, a.strides, strict=True)), dict(zip(right, b.strides, strict=True))
    summed = [c for c in sizes if c not in kept]
    order = [*kept, *summed]
    larger = walk[0] if a.size >= b.size else walk[1]
    if summed and abs(larger.get(summed[-1], 0)) != a.dtype.itemsize:
        order = [*summed, *kept]  # walk the larger operand element by element
    shape = tuple(sizes[c] for c in order)
    spread = []
    for w, part, layout in ((walk[0], left, a), (walk[1], right, b)):
        strides = tuple(w[c] if c in w and layout.shape[part.index(c)] != 1 else 0 for c in order)
        spread.append(layout._replace(shape=shape, strides=strides))
    wires = [Wire(shape, a.dtype, k, False) for k in range(3)]
    steps = [Step(NAMES["multiply"], (0, 1), (2,), {})]
    final = 2
    if summed:
        axis = tuple(sorted(order.index(c) for c in summed))
        wires.append(Wire(out.shape, out.dtype, 3, False))
        steps.append(Step(NAMES["sum"], (2,), (3,), {"axis": axis, "keepdims": False}))
        final = 3
    body = Circuit(tuple(wires), (0, 1), {}, tuple(steps), (final,))
    return body, spread, [out]


def body_key(body: Circuit) -> Any:
    steps = tuple(
        (step.gate.name, step.ins, step.outs, repr(sorted(step.params.items(), key=str)))
        for step in body.steps
    )
    held = tuple((w, repr(v)) for w, v in body.held.items())
    kinds = tuple((w.dtype.str, w.weak) for w in body.wires)
    return steps, held, kinds, body.ins, body.outs


def forms(layouts: Sequence[Layout]) -> Any:
    return tuple((la.shape, la.strides, la.dtype.str) for la in layouts)
