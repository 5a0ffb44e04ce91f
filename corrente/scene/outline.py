"""What of a circuit is shown and what is folded: decided on indices, before anything is placed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Circuit, Run, is_literal
from corrente.scene.groups import Group, calls, deciding, fewer, is_compact, singles

MOST = 300
"""No picture has more boxes than this."""

BUNDLE = 6
"""More wires than this out of one folded box are drawn together, one bundle a reader."""

Reader = tuple[int, int]  # (step, input position); for an output (number of steps, its position)


class Part(NamedTuple):
    """Something that becomes a box: an input, a step, an output, or a fold of many.

    `kind` is given, ours, constant, gate, folded or out; `wires` are those it brings in, or
    takes out. `fold` says what is folded: "steps", "inputs", "outputs", or a function's name.
    """

    kind: str
    steps: range
    wires: tuple[int, ...]
    fold: str = ""

    @property
    def is_function(self) -> bool:
        """Tell whether it is a function folded into one box."""
        return self.fold not in ("", "steps", "inputs", "outputs")


class Link(NamedTuple):
    """Wires from one part to another, and where they are read."""

    tail: int
    wires: tuple[int, ...]
    head: int
    readers: tuple[Reader, ...]


class Outline(NamedTuple):
    """Parts in drawing order (links go forward), links, and what is not drawn.

    `absorbed` counts the constants that nameless folds took in, `left_out` the steps that only
    decide the path and are in no part.
    """

    parts: tuple[Part, ...]
    links: tuple[Link, ...]
    absorbed: int
    left_out: int


def outline(run: Run, most: int = MOST, fold: str = "auto") -> Outline:
    """Decide what to show of a run in at most `most` boxes.

    All of it if it fits, with the calls of composed functions as boxes where `fold` says so;
    otherwise the user's functions as boxes, as deep as fits; otherwise the first and the last
    steps, with one box between. Surplus inputs and outputs are folded too.
    """
    compact = is_compact(run.circuit, fold)
    quiet: frozenset[int] = deciding(run.circuit) if compact else frozenset()
    groups = calls(run.circuit, quiet) if compact else singles(run.circuit)
    if len(groups) <= most:
        found = _assemble(run, groups, quiet, most)
        if _boxes(run, found) <= most:
            return found
    room = most
    while True:
        joined = fewer(run.circuit, groups, max(3, room * 2 // 5))
        found = _assemble(run, joined, quiet, max(3, room // 5))
        if _boxes(run, found) <= most or room <= 8:
            return found
        room = room * 3 // 5


def _boxes(run: Run, found: Outline) -> int:
    return len(found.parts) + len(forks(run, found))


def forks(run: Run, found: Outline) -> dict[int, list[int]]:
    """Map each wire whose gradient is a sum to its links: these are drawn as forks."""
    links: dict[int, list[int]] = {}
    for k, link in enumerate(found.links):
        if len(link.wires) == 1:
            links.setdefault(link.wires[0], []).append(k)
    return {
        wire: each for wire, each in links.items() if len(each) > 1 and _terms(run, found, each) > 1
    }


def _terms(run: Run, found: Outline, links: list[int]) -> int:
    """Count what is added up in a wire's gradient; an output brings a term of its own."""
    (wire,) = found.links[links[0]].wires
    sent = {(each.step, each.position) for each in run.contributions.get(wire, ())}
    seed = len(run.circuit.steps) if wire in run.gradients else -1
    return sum(
        any(reader in sent or reader[0] == seed for reader in found.links[k].readers) for k in links
    )


def _assemble(run: Run, groups: Sequence[Group], quiet: frozenset[int], few: int) -> Outline:
    """Make parts of groups, inputs and outputs, and join them; what is quiet reads nothing."""
    circuit = run.circuit
    group_of = [-1] * len(circuit.steps)
    for g, group in enumerate(groups):
        for k in group.steps:
            group_of[k] = g
    sources, absorbed = _sources(run, groups, group_of, quiet, few)
    parts: list[Part] = list(sources)
    for steps, fold in groups:
        parts.append(Part("folded" if fold else "gate", steps, (), fold))
    owner = {wire: k for k, part in enumerate(sources) for wire in part.wires}
    for k, step in enumerate(circuit.steps):
        for wire in step.outs:
            owner[wire] = len(sources) + group_of[k]
    outs = _cut(list(range(len(circuit.outs))), few)
    readings = list(_readings(circuit, group_of, quiet, len(sources), owner))
    for positions in outs:
        wires = tuple(circuit.outs[position] for position in positions)
        fold = "outputs" if len(positions) > 1 else ""
        for position, wire in zip(positions, wires, strict=True):
            readings.append((wire, len(parts), (len(circuit.steps), position)))
        parts.append(Part("out", range(0), wires, fold))
    links = tuple(_links(parts, owner, readings))
    left_out = sum(group_of[k] < 0 for k in quiet)
    return Outline(tuple(parts), links, absorbed, left_out)


def _readings(
    circuit: Circuit,
    group_of: list[int],
    quiet: frozenset[int],
    base: int,
    owner: dict[int, int],
) -> Iterator[tuple[int, int, Reader]]:
    """Say which part reads which wire where, leaving out what stays inside a part."""
    for k, step in enumerate(circuit.steps):
        if k in quiet:
            continue
        head = base + group_of[k]
        for position, wire in enumerate(step.ins):
            if owner.get(wire, head) != head:
                yield wire, head, (k, position)


def _sources(
    run: Run, groups: Sequence[Group], group_of: list[int], quiet: frozenset[int], few: int
) -> tuple[list[Part], int]:
    """Make parts of inputs and constants; constants only a fold reads disappear into it.

    Data that only a function reads is drawn though it be a constant. Also return how many
    constants disappeared into folds that have no name.
    """
    circuit = run.circuit
    read_by: dict[int, set[int]] = {}
    order: dict[int, None] = dict.fromkeys(circuit.ins)
    known = order.keys() | circuit.held.keys()
    for k, step in enumerate(circuit.steps):
        for wire in step.ins:
            if wire in known and k not in quiet:
                order[wire] = None
                read_by.setdefault(wire, set()).add(group_of[k])
    order.update(dict.fromkeys(wire for wire in circuit.outs if wire in known))
    folds = len(order) > few or any(group.fold for group in groups)
    inside = {
        wire: groups[min(read_by[wire])].fold
        for wire in (order if folds else ())
        if wire in circuit.held and wire not in circuit.outs and len(read_by[wire]) == 1
    }
    for wire, fold in list(inside.items()):
        if fold not in ("", "steps") and _is_data(circuit.held[wire]):
            del inside[wire]
    shown = [wire for wire in order if not inside.get(wire)]
    parts = []
    for wires in _cut(shown, few):
        kind = _source_kind(run, wires[0]) if len(wires) == 1 else "folded"
        parts.append(Part(kind, range(0), tuple(wires), "inputs" if len(wires) > 1 else ""))
    return parts, sum(fold == "steps" for fold in inside.values())


def _is_data(value: Any) -> bool:
    """Tell whether a constant came from the user, and not with the function it is read in.

    Nothing records that; but what functions bring along are numbers, masks, arrays of one number
    and indices that count.
    """
    if is_literal(value) or value.size == 0 or value.dtype.kind not in "iufc":
        return False
    flat = np.ravel(value)
    counts = value.dtype.kind in "iu" and np.array_equal(flat, np.arange(flat.size))
    return not counts and bool(np.any(flat != flat[0]))


def _source_kind(run: Run, wire: int) -> str:
    if wire in run.parameters:
        return "ours"
    return "constant" if wire in run.circuit.held else "given"


def _cut(items: list[int], few: int) -> list[list[int]]:
    """Keep the first and last items one by one, and put those between together."""
    if len(items) <= few:
        return [[item] for item in items]
    first = few // 2
    last = few - first - 1
    return [
        *([item] for item in items[:first]),
        items[first : len(items) - last],
        *([item] for item in items[len(items) - last :]),
    ]


def _links(
    parts: Sequence[Part], owner: dict[int, int], readings: Sequence[tuple[int, int, Reader]]
) -> list[Link]:
    """Join readings to links: one per input of a step, one per wire into a fold, or a bundle."""
    leaving: dict[int, set[int]] = {}
    for wire, _, _ in readings:
        leaving.setdefault(owner[wire], set()).add(wire)
    wide = {tail for tail, wires in leaving.items() if _folds(parts[tail]) and len(wires) > BUNDLE}
    found: dict[Hashable, Any] = {}
    for wire, head, reader in readings:
        tail = owner[wire]
        if tail in wide:
            key: Hashable = (tail, head)
        elif _folds(parts[head]):
            key = (tail, head, wire)
        else:
            key = (tail, head, wire, reader)
        wires, readers = found.setdefault(key, (tail, head, {}, []))[2:]
        wires[wire] = None
        readers.append(reader)
    return [
        Link(tail, tuple(wires), head, tuple(readers))
        for tail, head, wires, readers in found.values()
    ]


def _folds(part: Part) -> bool:
    return part.fold != ""
