"""Fusing: neighbouring elementwise steps and the sums over them become one loop.

Forward and backward steps land in the same loop where they can, so that one `exp` serves both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from corrente.blocks import fused
from corrente.circuit import Circuit, Step, Wire, is_literal
from corrente.record import Elementwise, Reduce, Shape

LARGEST = 160
"""Steps of one loop."""
_FOLDS = frozenset(("sum", "prod", "max", "min"))
_FLOATS = frozenset((np.dtype(np.float32), np.dtype(np.float64)))
_INTEGERS = frozenset((np.dtype(np.int32), np.dtype(np.int64)))
_NUMBERS = _FLOATS | _INTEGERS
_BOOL = np.dtype(bool)
# what a loop computes of whole numbers, bit for bit as NumPy does
_WHOLE = frozenset(
    (
        *("add", "subtract", "multiply", "negative", "positive", "absolute", "square", "sign"),
        *("maximum", "minimum", "fmax", "fmin", "clip", "where", "astype", "copy"),
        *("stop_gradient", "floor", "ceil", "trunc"),
        *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"),
        *("logical_and", "logical_or", "logical_xor", "logical_not"),
    )
)


def loop_dtype(step: Step, wires: tuple[Wire, ...]) -> np.dtype[Any] | None:
    """Return the dtype in which a step computes in a loop of its own making; None: it does not.

    Every input is cast to it first, as NumPy does; a Python number promotes nothing.
    """
    ins = [wires[w] for w in step.ins]
    out = wires[step.outs[0]].dtype
    if isinstance(step.gate.kind, Reduce):
        return out if _folds(step, ins[0].dtype, out) else None
    if not isinstance(step.gate.kind, Elementwise) or "where" in step.params:
        return None
    if any(w.dtype not in _NUMBERS and w.dtype != _BOOL for w in ins):
        return None
    found = _common(ins) if out == _BOOL else out
    if found in _INTEGERS:
        return found if step.gate.name in _WHOLE else None
    return found if found in _FLOATS or found == _BOOL else None


def _folds(step: Step, given: np.dtype[Any], out: np.dtype[Any]) -> bool:
    """Tell whether a loop can fold what it is given; of truth values only extremes."""
    known = step.gate.name in (("max", "min") if out == _BOOL else _FOLDS)
    return known and given == out and (out in _NUMBERS or out == _BOOL)


def _common(ins: Iterable[Wire]) -> np.dtype[Any]:
    """Return the dtype in which values are compared as NumPy does.

    Python's numbers do not widen it; but a whole one may be too large for 32 bits.
    """
    strong = [w.dtype for w in ins if not w.weak]
    weak = [w.dtype.type(0).item() for w in ins if w.weak]
    found = np.result_type(*strong, *weak)
    return np.dtype(np.int64) if found in _INTEGERS and weak else found


class _Group:
    """Steps that will be one loop over `space`, or one step alone (space None)."""

    __slots__ = ("space", "steps")

    def __init__(self, space: Shape | None, step: Step) -> None:
        self.space = space
        self.steps = [step]


def fuse(circuit: Circuit, largest: int = LARGEST) -> Circuit:
    """Gather elementwise steps over one shape, and reductions of it, into fused steps.

    A step joins the first loop that begins after everything it reads is ready, and has not
    `largest` steps yet, so loops can be run in the order in which they were begun.
    """
    wires = circuit.wires
    endless = {w for w, value in circuit.held.items() if type(value) is int and not _short(value)}
    ready: dict[int, int] = {}
    """Wire → the first loop that may read it from memory."""
    inside: dict[int, int] = {}
    """Wire → the loop that has it at hand for each element."""
    groups: list[_Group] = []
    open_by_space: dict[Shape, list[int]] = {}
    for step in circuit.steps:
        space = None if endless.intersection(step.ins) else _space(step, wires)
        earliest = 0
        for w in step.ins:
            home = inside.get(w)
            at_hand = home is not None and groups[home].space == space == wires[w].shape
            earliest = max(earliest, home if at_hand and home is not None else ready.get(w, 0))
        number = _join(groups, open_by_space, space, step, earliest, largest)
        for out in step.outs:
            ready[out] = number + 1
            if space is not None and isinstance(step.gate.kind, Elementwise):
                inside[out] = number
    needed = {*circuit.outs, *(guard.wire for guard in circuit.guards)}
    return replace(circuit, steps=tuple(_written(circuit, groups, needed)))


def _short(number: int) -> bool:
    return -(2**63) <= number < 2**63


def _space(step: Step, wires: tuple[Wire, ...]) -> Shape | None:
    if loop_dtype(step, wires) is None:
        return None
    reduces = isinstance(step.gate.kind, Reduce)
    return wires[step.ins[0] if reduces else step.outs[0]].shape


def _join(
    groups: list[_Group],
    open_by_space: dict[Shape, list[int]],
    space: Shape | None,
    step: Step,
    earliest: int,
    largest: int,
) -> int:
    if space is not None:
        for number in reversed(open_by_space.get(space, ())):
            if number < earliest:
                break
            if len(groups[number].steps) < largest:
                groups[number].steps.append(step)
                return number
        open_by_space.setdefault(space, []).append(len(groups))
    groups.append(_Group(space, step))
    return len(groups) - 1


def _written(circuit: Circuit, groups: list[_Group], needed: set[int]) -> Iterable[Step]:
    home = {out: n for n, group in enumerate(groups) for s in group.steps for out in s.outs}
    read_outside = set(needed)
    for n, group in enumerate(groups):
        read_outside.update(w for s in group.steps for w in s.ins if home.get(w) != n)
    for group in groups:
        if group.space is None:
            yield group.steps[0]
        else:
            yield _fused_step(circuit, group.steps, read_outside)


def _fused_step(circuit: Circuit, steps: list[Step], read_outside: set[int]) -> Step:
    """Make one step of several: a circuit of their own with its wires counted from zero."""
    made = {out for step in steps for out in step.outs}
    new: dict[int, int] = {}
    wires: list[Wire] = []
    held: dict[int, Any] = {}
    ins: list[int] = []

    def enter(w: int) -> int:
        if w not in new:
            new[w] = len(wires)
            wires.append(circuit.wires[w]._replace(id=len(wires)))
            if w in circuit.held and is_number(circuit.held[w]):
                held[new[w]] = circuit.held[w]
            elif w not in made:
                ins.append(w)
        return new[w]

    body_steps = tuple(
        step._replace(
            ins=tuple(enter(w) for w in step.ins), outs=tuple(enter(w) for w in step.outs)
        )
        for step in steps
    )
    outs = tuple(w for step in steps for w in step.outs if w in read_outside)
    body = Circuit(
        tuple(wires),
        tuple(new[w] for w in ins),
        held,
        body_steps,
        tuple(new[w] for w in outs),
    )
    first = steps[0]
    return Step(fused, tuple(ins), outs, {"body": body}, first.where, first.stack, first.origin)


def is_number(value: Any) -> bool:
    """Tell whether a held value is a number that nobody can change: it may be written out."""
    return (is_literal(value) and not hasattr(value, "flags")) or isinstance(value, np.generic)
