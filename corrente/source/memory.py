"""Which writes into arrays may happen in place: those whose buffer nobody reads any more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from corrente.circuit import Circuit, Step
from corrente.record import Contract, Elementwise, Reduce, Scatter

_LOOKS = frozenset(("real", "imag", "conjugate", "stop_gradient", "einsum"))


class Writes(NamedTuple):
    """The steps that write in place, and the wires whose memory is written after it was made."""

    in_place: frozenset[int]
    mutated: frozenset[int]


def is_fresh(step: Step) -> bool:
    """Tell whether a step makes memory of its own, instead of looking at its input's."""
    fresh = isinstance(step.gate.kind, Elementwise | Reduce | Contract | Scatter)
    return fresh and step.gate.name not in _LOOKS


def find_writes(circuit: Circuit, last: Mapping[int, int]) -> Writes:
    """Find the writes that need no copy; `last` maps each wire to the last step that reads it."""
    root: dict[int, int] = {}
    sharing: dict[int, list[int]] = {}
    owned: set[int] = set()
    found: set[int] = set()
    for k, step in enumerate(circuit.steps):
        first = root.get(step.ins[0], step.ins[0]) if step.ins else -1
        writes = isinstance(step.gate.kind, Scatter)
        free = (
            writes
            and step.ins[0] in owned
            and all(root.get(w, w) != first for w in step.ins[1:])
            and not _still_read(sharing[first], last, k)
        )
        if free:
            found.add(k)
        for wire in step.outs:
            fresh = is_fresh(step) and not free
            root[wire] = wire if fresh else first
            sharing.setdefault(root[wire], []).append(wire)
            if is_fresh(step) and circuit.wires[wire].shape:
                owned.add(wire)
    written = {root[circuit.steps[k].outs[0]] for k in found}
    return Writes(frozenset(found), frozenset(w for w, first in root.items() if first in written))


def _still_read(sharing: list[int], last: Mapping[int, int], k: int) -> bool:
    """Tell whether a step after k reads one of the wires; forget those that no step does."""
    sharing[:] = [wire for wire in sharing if last.get(wire, -1) > k]
    return bool(sharing)
