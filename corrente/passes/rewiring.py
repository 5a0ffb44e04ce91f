"""What passes share: which held values never change, and how a wire gives way to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Step, Wire
from corrente.record import NAMES, Gate

LARGEST = 1024
"""Arrays of more elements are no constants to a pass: it neither makes, compares nor reads them."""

_NUMBERS = frozenset((bool, int, float, complex))


def is_constant(value: Any) -> bool:
    """Tell whether a held value is small and nobody can change it.

    Numbers are; an array is if neither it nor what it is a view of can be written. Any other
    array is the user's own, a hidden input: its numbers may be others when the circuit runs.

    >>> is_constant(2.0), is_constant(np.float32(2.0)), is_constant(np.ones(3))
    (True, True, False)
    """
    if type(value) in _NUMBERS or isinstance(value, np.generic):
        return True
    if not isinstance(value, np.ndarray) or value.size > LARGEST or value.dtype.hasobject:
        return False
    while isinstance(value, np.ndarray):
        if value.flags.writeable:
            return False
        value = value.base
    return value is None or isinstance(value, bytes)


def is_ours(gate: Gate) -> bool:
    """Tell whether a gate is one of the table.

    A user's own may do what we do not know of, drawing random numbers for one: it is called when
    the circuit runs, and as often as the program says.
    """
    return NAMES.get(gate.name) is gate


def alike(one: Wire, other: Wire) -> bool:
    """Tell whether two wires carry the same type of value: shape, dtype and weakness."""
    return one.weak == other.weak and one.dtype == other.dtype and one.shape == other.shape


def renamed(step: Step, same: Mapping[int, int]) -> Step:
    """Return a step that reads, in place of wires that gave way, those that stand for them."""
    gate, ins, outs, params, where, stack, origin = step
    for wire in ins:
        if wire in same:
            fresh = tuple([same.get(w, w) for w in ins])
            return Step(gate, fresh, outs, params, where, stack, origin)
    return step


def rewired(
    circuit: Circuit,
    steps: Sequence[Step],
    same: Mapping[int, int],
    held: Mapping[int, Any],
    wires: Sequence[Wire] | None = None,
) -> Circuit:
    """Return the circuit with other steps, `same[w]` standing for each wire w that gave way.

    The wire table keeps its numbers (`prune` compacts it). A name goes over to the wire that
    stands for its own, unless that has one already.
    """
    labels = circuit.labels
    if not same.keys().isdisjoint(labels):
        labels = {wire: name for wire, name in circuit.labels.items() if wire not in same}
        for wire, name in circuit.labels.items():
            labels.setdefault(same.get(wire, wire), name)
    return replace(
        circuit,
        wires=circuit.wires if wires is None else tuple(wires),
        held=held,
        steps=tuple(steps),
        outs=tuple([same.get(wire, wire) for wire in circuit.outs]),
        guards=tuple([g._replace(wire=same.get(g.wire, g.wire)) for g in circuit.guards]),
        labels=labels,
    )
