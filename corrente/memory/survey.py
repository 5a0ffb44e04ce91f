"""The survey of a circuit's buffers: which wires share one, how large it is, who reads it when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from corrente.blocks import Layout, loop
from corrente.circuit import Circuit, Step
from corrente.memory.costs import nbytes
from corrente.record import Scatter

Looks = Callable[[Step], bool]
"""Tells whether a step's output only looks at its first input anew."""
_LINE = 64


@dataclass(frozen=True)
class Survey:
    """What a rehearsal must know of a circuit; a buffer is known by the wire that made it."""

    circuit: Circuit
    root: Sequence[int]
    """Wire → the wire whose buffer it looks at."""
    size: dict[int, int]
    """Buffer → its bytes; 0 for arguments, held arrays and results: they are not the program's."""
    members: dict[int, list[int]]
    reads: dict[int, list[int]]
    """Buffer → the steps that read it, in order."""
    inside: dict[int, int]
    """Step → bytes it needs for itself while it runs: the body of a loop."""
    in_place: frozenset[int]
    """Steps that write into their first input, which nothing reads any more."""


def survey(circuit: Circuit, looks: Looks) -> Survey:
    """Survey a circuit whose steps run in the order in which they stand."""
    root = list(range(len(circuit.wires)))
    members: dict[int, list[int]] = {w: [w] for w in root}
    reads: dict[int, list[int]] = {}
    size = dict.fromkeys(root, 0)
    inside: dict[int, int] = {}
    for k, step in enumerate(circuit.steps):
        for buffer in {root[w] for w in step.ins}:
            reads.setdefault(buffer, []).append(k)
        if step.ins and looks(step):
            out = step.outs[0]
            root[out] = root[step.ins[0]]
            members[root[out]].append(out)
        else:
            size.update((w, _in_lines(nbytes(circuit.wires[w]))) for w in step.outs)
        if step.gate is loop:
            inside[k] = _inside_loop(step, looks)
    for w in circuit.outs:
        reads.setdefault(root[w], []).append(len(circuit.steps))
        size[result_of(circuit, w)] = 0
    return Survey(circuit, root, size, members, reads, inside, _in_place(circuit, root, reads))


def result_of(circuit: Circuit, wire: int) -> int:
    """Return the wire that is made where a result lies: the result itself, or what it reshapes."""
    steps, makers = circuit.steps, circuit.makers
    while wire in makers:
        step = steps[makers[wire]]
        if step.gate.name != "reshape" or step.params["order"] != "C":
            break
        wire = step.ins[0]
    return wire


def _in_lines(count: int) -> int:
    return max(_LINE, -(-count // _LINE) * _LINE)


def _inside_loop(step: Step, looks: Looks) -> int:
    """Return what a loop needs beside its results: its state twice, and what its body makes."""
    form = Layout(**step.params)
    state = sum(
        _in_lines(nbytes(form.entering(c))) * (1 if c in form.kept else 2)
        for c in range(form.carries)
    )
    return state + natural_peak(survey(form.body, looks))[0]


def _in_place(circuit: Circuit, root: Sequence[int], reads: dict[int, list[int]]) -> frozenset[int]:
    makers = circuit.makers
    return frozenset(
        k
        for k, step in enumerate(circuit.steps)
        if isinstance(step.gate.kind, Scatter)
        and root[step.ins[0]] == step.ins[0]
        and step.ins[0] in makers
        and root[step.ins[1]] != step.ins[0]
        and reads[step.ins[0]][-1] == k
    )


def natural_peak(found: Survey) -> tuple[int, int]:
    """Return the most bytes that are in use at once when everything is kept, and at which step."""
    changes = [0] * (len(found.circuit.steps) + 2)
    for k, step in enumerate(found.circuit.steps):
        for out in step.outs:
            if found.root[out] == out and found.size[out]:
                changes[k] += found.size[out]
                changes[found.reads.get(out, [k])[-1] + 1] -= found.size[out]
        if k in found.in_place:  # the place of what it writes into is its own
            changes[k] -= found.size[step.ins[0]]
            changes[k + 1] += found.size[step.ins[0]]
    most, at, used = 0, 0, 0
    for k in range(len(found.circuit.steps)):
        used += changes[k]
        if used + found.inside.get(k, 0) > most:
            most, at = used + found.inside.get(k, 0), k
    return most, at
