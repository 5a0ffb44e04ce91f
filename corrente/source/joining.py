"""The forward and the backward pass put together into the one circuit that code is written from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from corrente.circuit import Circuit, Composed, Run, Step
from corrente.gates.reductions import folded
from corrente.passes import tidy
from corrente.places import Where, name_at
from corrente.record import NAMES


class Joined(NamedTuple):
    """A circuit whose steps without an origin are the forward pass; the others lead back.

    Its outputs are `values`, then the gradients. `upstream` is the input that holds the gradient
    of the value; `slopes` tells of which forward wire a wire of the backward pass is the gradient;
    `gradients` gives each parameter's, None for one that was not reached; `senders` the forward
    step whose backward pass completes it; `places` where the user wrote each forward step.
    """

    name: str
    circuit: Circuit
    values: tuple[int, ...]
    upstream: int | None
    slopes: Mapping[int, int]
    gradients: Mapping[int, int | None]
    senders: Mapping[int, int]
    places: tuple[Where | None, ...]

    @property
    def ins(self) -> tuple[int, ...]:
        """The inputs of the function, without the gradient from above."""
        return tuple(wire for wire in self.circuit.ins if wire != self.upstream)


def join(run: Run, backward: Run | None, kept: Mapping[int, int]) -> Joined:
    """Put both passes into one circuit; `kept` maps forward wires to those of the way back."""
    circuit = replace(run.circuit, labels=named(run.circuit))
    if backward is None:
        whole = pruned(circuit)[0]
        return Joined(run.name, whole, circuit.outs, None, {}, {}, {}, _places(whole))
    back = backward.circuit
    count = len(circuit.wires)
    to = {wire.id: wire.id + count for wire in back.wires}
    to |= {b: wire for wire, b in kept.items()}
    steps = [
        step._replace(ins=tuple(to[w] for w in step.ins), outs=tuple(to[w] for w in step.outs))
        for step in back.steps
    ]
    reached = [wire for wire in sorted(run.parameters) if wire in run.gradients]
    found = {wire: to[b] for wire, b in zip(reached, back.outs, strict=True)}
    whole = Circuit(
        (*circuit.wires, *(wire._replace(id=wire.id + count) for wire in back.wires)),
        (*circuit.ins, to[0]),
        {**circuit.held, **{to[wire]: value for wire, value in back.held.items()}},
        (*(step._replace(origin=None) for step in circuit.steps), *steps),
        (*circuit.outs, *found.values()),
        circuit.guards,
        circuit.labels,
    )
    slopes = {to[b]: _users(run, wire) for b, wire in _slopes(run.circuit, back, kept).items()}
    whole, places = pruned(_without_idle(_summed_plainly(whole)))
    found = dict(zip(found, whole.outs[len(circuit.outs) :], strict=True))
    last = {w: run.contributions[w][-1].step for w in found if run.contributions.get(w)}
    return Joined(
        run.name,
        whole,
        circuit.outs,
        to[0],
        slopes,
        {wire: found.get(wire) for wire in sorted(run.parameters)},
        {wire: places[k] for wire, k in last.items() if k in places},
        _places(whole),
    )


def _places(circuit: Circuit) -> tuple[Where | None, ...]:
    return tuple(step.where for step in circuit.steps if step.origin is None)


def settled(joined: Joined) -> Joined:
    """Begin the way back with 1, and let the passes tidy the whole: for code that machines read.

    Gradients have their names as labels from here on.
    """
    circuit = joined.circuit
    labels = dict(circuit.names)
    labels |= {w: f"d{labels[of]}" for w, of in joined.slopes.items() if of in labels}
    held = dict(circuit.held)
    if joined.upstream is not None:
        held[joined.upstream] = circuit.wires[joined.upstream].dtype.type(1)
    fresh = tidy(replace(circuit, labels=labels, held=held, ins=joined.ins, guards=()))
    wires = dict(zip(joined.ins, fresh.ins, strict=True))
    count = len(joined.values)
    found = iter(fresh.outs[count:])
    gradients = {wires[w]: None if g is None else next(found) for w, g in joined.gradients.items()}
    kept = replace(fresh, guards=circuit.guards)
    return joined._replace(
        circuit=kept, values=fresh.outs[:count], upstream=None, slopes={}, gradients=gradients
    )


def named(circuit: Circuit) -> dict[int, str]:
    """Name wires as `circuit.names` does, and results of the user's functions as their callers do.

    In `i = sigmoid(a)` the last step of the call makes what the caller knows as `i`.
    """
    names = dict(circuit.names)
    for k, step in enumerate(circuit.steps):
        following = circuit.steps[k + 1].stack if k + 1 < len(circuit.steps) else ()
        for depth, frame in enumerate(step.stack):
            if following[: depth + 1] != step.stack[: depth + 1]:
                name = None if isinstance(frame, Composed) else name_at(frame)
                if name is not None and len(step.outs) == 1:
                    names.setdefault(step.outs[0], name)
                break
    return names


def _slopes(circuit: Circuit, back: Circuit, kept: Mapping[int, int]) -> dict[int, int]:
    """Map wires of the backward circuit to the forward wires whose gradients they are.

    The backward circuit knows them by name; of several wires of one name the last made is the
    first whose gradient is.
    """
    wires: dict[str, list[int]] = {}
    for wire in circuit.wires:
        wires.setdefault(f"d{circuit.names.get(wire.id, f'v{wire.id}')}", []).append(wire.id)
    values = set(kept.values())
    return {
        b: wires[name].pop()
        for b, name in sorted(back.labels.items())
        if b in back.makers and b not in values and wires.get(name)
    }


def _users(run: Run, wire: int) -> int:
    """Prefer, of the forward wires that share one gradient, one that the user named."""
    names = run.circuit.names
    gradient = run.gradients.get(wire)
    if wire in names or gradient is None:
        return wire
    made = run.circuit.makers.get(wire, -1)
    steps = run.circuit.steps[made : made + 1] if made >= 0 else ()
    near = (w for step in steps for w in step.ins if run.gradients.get(w) is gradient)
    return next((w for w in near if w in names), wire)


def _summed_plainly(circuit: Circuit) -> Circuit:
    """Write `reshape(sum(x, keepdims=True))`, as un-broadcasting does it, as `sum(x)`."""
    reshape, add_up = NAMES["reshape"], NAMES["sum"]
    steps = list(circuit.steps)
    for k, step in enumerate(steps):
        maker = circuit.makers.get(step.ins[0]) if step.gate is reshape else None
        if maker is None or steps[maker].gate is not add_up:
            continue
        whole = steps[maker]
        shape = circuit.wires[whole.ins[0]].shape
        if folded(shape, whole.params["axis"]) == circuit.wires[step.outs[0]].shape:
            params = {**whole.params, "keepdims": False}
            steps[k] = step._replace(gate=add_up, ins=whole.ins, params=params)
    return replace(circuit, steps=tuple(steps))


def _without_idle(circuit: Circuit) -> Circuit:
    """Leave out the steps of the way back that give an array the shape that it has."""
    same: dict[int, int] = {}
    steps: list[Step] = []
    for step in circuit.steps:
        step = step._replace(ins=tuple(same.get(wire, wire) for wire in step.ins))
        if step.origin is not None and step.gate.name in ("broadcast_to", "reshape"):
            before, after = circuit.wires[step.ins[0]], circuit.wires[step.outs[0]]
            if before.shape == after.shape and before.dtype == after.dtype:
                same[step.outs[0]] = step.ins[0]
        steps.append(step)
    outs = tuple(same.get(wire, wire) for wire in circuit.outs)
    return replace(circuit, steps=tuple(steps), outs=outs)


def useful(circuit: Circuit, outs: Iterable[int]) -> list[int]:
    """Return the indices of the steps that lead to some outputs."""
    needed = set(outs)
    found: list[int] = []
    for k in range(len(circuit.steps) - 1, -1, -1):
        step = circuit.steps[k]
        if needed.intersection(step.outs):
            found.append(k)
            needed.update(step.ins)
    return found[::-1]


def pruned(circuit: Circuit) -> tuple[Circuit, dict[int, int]]:
    """Leave out the steps that lead to no output; say also where the others went.

    The origin of a step follows the forward step that it names.
    """
    kept = useful(circuit, circuit.outs)
    places = {k: place for place, k in enumerate(kept)}
    steps = (circuit.steps[k] for k in kept)
    moved = (
        step if step.origin is None else step._replace(origin=places[step.origin]) for step in steps
    )
    return replace(circuit, steps=tuple(moved)), places


def unique(stem: str, taken: dict[str, int], first: int = 0) -> str:
    """Return a name that is not taken, and take it: the stem itself, or one with a number.

    >>> taken: dict[str, int] = {}
    >>> unique("x", taken), unique("x", taken), unique("t", taken, 1), unique("t", taken, 1)
    ('x', 'x_1', 't1', 't2')
    """
    name = f"{stem}{first}" if first else stem
    line = "" if first else "_"
    number = taken.get(f"{stem} {first}", first)
    while name in taken:
        number += 1
        name = f"{stem}{line}{number}"
    taken[f"{stem} {first}"] = number
    taken[name] = 1
    return name


def readers_of(steps: Iterable[Step]) -> dict[int, list[int]]:
    """Map each wire to the places in a list of steps where it is read, once for each time."""
    found: dict[int, list[int]] = {}
    for k, step in enumerate(steps):
        for wire in step.ins:
            found.setdefault(wire, []).append(k)
    return found


def wrapped(line: str, width: int = 100, indent: str = "    ") -> Sequence[str]:
    """Break a long line behind commas, where brackets are open.

    >>> wrapped("f(aaa, bbb, ccc)", 10)
    ['f(aaa,', '    bbb,', '    ccc)']
    """
    margin = line[: len(line) - len(line.lstrip())]
    if line.startswith("#", len(margin)):
        indent = "#   "  # what follows a comment of Python is one too
    found: list[str] = []
    while len(line) > width:
        at = line.rfind(", ", len(margin) + len(indent) + 1, width)
        if at < 0:
            at = line.find(", ", width)
        if at < 0 or not (found or "(" in line[:at] or "[" in line[:at]):
            break
        found.append(line[: at + 1])
        line = margin + indent + line[at + 2 :]
    return [*found, line]
