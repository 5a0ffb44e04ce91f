"""What of a circuit is shown and what is folded: decided on indices, before anything is placed."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any, NamedTuple

from corrente.circuit import Circuit, Composed, Frame, Run

MOST = 300
"""No picture has more boxes than this."""

WINDOW = 40
"""Where the middle is cut out, this many boxes stay: more would not make it clearer."""

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


class Link(NamedTuple):
    """Wires from one part to another, and where they are read."""

    tail: int
    wires: tuple[int, ...]
    head: int
    readers: tuple[Reader, ...]


class Outline(NamedTuple):
    """Parts in drawing order (links go forward), links, and how many inputs folds took in."""

    parts: tuple[Part, ...]
    links: tuple[Link, ...]
    absorbed: int


def outline(run: Run, most: int = MOST) -> Outline:
    """Decide what to show of a run in at most `most` boxes.

    All of it if it fits; otherwise the user's functions as boxes, as deep as fits; otherwise the
    first and the last steps, with one box between. Surplus inputs and outputs are folded too.
    """
    count = len(run.circuit.steps)
    if count <= most:
        found = _assemble(run, [range(k, k + 1) for k in range(count)], most)
        if _boxes(run, found) <= most:
            return found
    room = most
    while True:
        steps = _fold_steps(run.circuit, max(3, room * 2 // 5))
        found = _assemble(run, steps, max(3, room // 5))
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
    returned = sum(
        step == len(run.circuit.steps) for k in links for step, _ in found.links[k].readers
    )
    return len(run.contributions.get(wire, ())) + (returned if wire in run.gradients else 0)


def _fold_steps(circuit: Circuit, most: int) -> list[range]:
    """Group steps by the deepest call stack that leaves few enough groups, then cut the middle."""
    depth = _depth(circuit, most)
    groups: list[range] = []
    for k in range(len(circuit.steps)):
        if groups and depth and _common(circuit, k) >= depth:
            groups[-1] = range(groups[-1].start, k + 1)
        else:
            groups.append(range(k, k + 1))
    if len(groups) <= most:
        return groups
    most = min(most, WINDOW)
    first = most // 2
    last = most - first - 1
    middle = range(groups[first].start, groups[-last].start)
    return [*groups[:first], middle, *groups[-last:]]


def _depth(circuit: Circuit, most: int) -> int:
    """Return the greatest depth of stack that makes between 3 and `most` groups; 0 if none."""
    counts: dict[int, int] = {}
    for k in range(1, len(circuit.steps)):
        common = _common(circuit, k)
        counts[common] = counts.get(common, 0) + 1
    groups, best = 1, 0
    for depth in range(1, max(counts, default=0) + 1):
        groups += counts.get(depth - 1, 0)
        if 3 <= groups <= most:
            best = depth
    return best


def _common(circuit: Circuit, k: int) -> int:
    """Count the frames that step k's stack has in common with that of the step before."""
    stack, before = circuit.steps[k].stack, circuit.steps[k - 1].stack
    if stack is before:
        return len(stack)
    common = 0
    for frame, other in zip(stack, before, strict=False):
        if frame != other:
            break
        common += 1
    return common


def _function(circuit: Circuit, steps: range) -> str:
    """Name the user's function that a group of steps came from, if one did."""
    first, last = circuit.steps[steps[0]].stack, circuit.steps[steps[-1]].stack
    depth = 0
    while depth < min(len(first), len(last)) and first[depth] == last[depth]:
        depth += 1
    if depth == 0:
        return "steps"
    if isinstance(first[depth - 1], Composed):
        return _frame_name(first[depth - 1])
    if depth < len(first):
        return _frame_name(first[depth])
    where = circuit.steps[steps[0]].where
    return where[0].co_name if where else "steps"


def _frame_name(frame: Frame) -> str:
    return frame.name if isinstance(frame, Composed) else frame[0].co_name


def _assemble(run: Run, groups: Sequence[range], few: int) -> Outline:
    circuit = run.circuit
    group_of = [0] * len(circuit.steps)
    for g, steps in enumerate(groups):
        for k in steps:
            group_of[k] = g
    sources, absorbed = _sources(run, groups, group_of, few)
    parts: list[Part] = list(sources)
    for steps in groups:
        many = len(steps) > 1
        fold = _function(circuit, steps) if many else ""
        parts.append(Part("folded" if many else "gate", steps, (), fold))
    owner = {wire: k for k, part in enumerate(sources) for wire in part.wires}
    for k, step in enumerate(circuit.steps):
        for wire in step.outs:
            owner[wire] = len(sources) + group_of[k]
    outs = _cut(list(range(len(circuit.outs))), few)
    readings = list(_readings(circuit, group_of, len(sources), owner))
    for positions in outs:
        wires = tuple(circuit.outs[position] for position in positions)
        fold = "outputs" if len(positions) > 1 else ""
        for position, wire in zip(positions, wires, strict=True):
            readings.append((wire, len(parts), (len(circuit.steps), position)))
        parts.append(Part("out", range(0), wires, fold))
    return Outline(tuple(parts), tuple(_links(parts, owner, readings)), absorbed)


def _readings(
    circuit: Circuit, group_of: list[int], base: int, owner: dict[int, int]
) -> Iterator[tuple[int, int, Reader]]:
    """Say which part reads which wire where, leaving out what stays inside a part."""
    for k, step in enumerate(circuit.steps):
        head = base + group_of[k]
        for position, wire in enumerate(step.ins):
            if owner.get(wire, head) != head:
                yield wire, head, (k, position)


def _sources(
    run: Run, groups: Sequence[range], group_of: list[int], few: int
) -> tuple[list[Part], int]:
    """Make parts of inputs and constants; constants only a fold reads disappear into it."""
    circuit = run.circuit
    read_by: dict[int, set[int]] = {}
    order: dict[int, None] = dict.fromkeys(circuit.ins)
    known = order.keys() | circuit.held.keys()
    for k, step in enumerate(circuit.steps):
        for wire in step.ins:
            if wire in known:
                order[wire] = None
                read_by.setdefault(wire, set()).add(group_of[k])
    order.update(dict.fromkeys(wire for wire in circuit.outs if wire in known))
    shown = list(order)
    if len(order) > few or any(len(steps) > 1 for steps in groups):
        shown = [
            wire
            for wire in order
            if wire not in circuit.held
            or wire in circuit.outs
            or len(read_by[wire]) > 1
            or len(groups[min(read_by[wire])]) == 1
        ]
    parts = []
    for wires in _cut(shown, few):
        kind = _source_kind(run, wires[0]) if len(wires) == 1 else "folded"
        parts.append(Part(kind, range(0), tuple(wires), "inputs" if len(wires) > 1 else ""))
    return parts, len(order) - len(shown)


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
