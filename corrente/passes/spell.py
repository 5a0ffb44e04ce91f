"""Spelling: a step that has no loop of its own is written out in steps that have one.

A mean is a sum and a division, a tile a broadcast: once spelled so, they can be gathered with
their neighbours. To add a spelling, write a rule in the family it belongs to and enter it there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from corrente.circuit import Circuit, Step, Wire
from corrente.passes import contractions, moves, spreads
from corrente.passes.rewiring import alike, is_ours, renamed, rewired
from corrente.passes.writer import Writer
from corrente.record import Params

Rule = Callable[[Writer, Step, Sequence[Wire], Params], "Wire | None"]
"""`(write, step, its inputs, its parameters) -> the wire that stands for its output`, or None."""

SPELLINGS: Mapping[str, Rule] = {
    **spreads.SPELLINGS,
    **moves.SPELLINGS,
    **contractions.SPELLINGS,
}
_NATIVE = frozenset(map(np.dtype, ("f4", "f8", "i4", "i8", "b1")))


def spell(circuit: Circuit) -> Circuit:
    """Write out the steps that a rule of `SPELLINGS` knows how to spell.

    The values are NumPy's to the rounding it has itself: dtypes, shapes, NaN and infinities are
    the same, the order of a sum need not be. Steps on empty arrays, Python numbers or dtypes
    that no loop computes in stay as they are, and so does a step that its rule gives back None
    for, or something of another type than its own.

    >>> import numpy as np, corrente as co
    >>> circuit = co.trace(lambda x: np.mean(x, axis=0))(np.ones((3, 2))).circuit
    >>> print(spell(circuit))
    def circuit(x):
        v2 = np.sum(x, axis=0)
        v4 = v2 / 3.0
        return v4
    """
    if not any(step.gate.name in SPELLINGS for step in circuit.steps):
        return circuit
    write = Writer(circuit)
    same: dict[int, int] = {}
    for step in circuit.steps:
        step = renamed(step, same) if same else step
        found = _spelled(write, step)
        if found is None:
            write.steps.append(step)
        else:
            same[step.outs[0]] = found
    if not same:
        return circuit
    return rewired(circuit, write.steps, same, write.held, write.wires)


def _spelled(write: Writer, step: Step) -> int | None:
    """Spell one step and return the wire that stands for its output; None if it stays."""
    rule = SPELLINGS.get(step.gate.name)
    if rule is None or not is_ours(step.gate):
        return None
    ins = [write.wires[wire] for wire in step.ins]
    out = write.wires[step.outs[0]]
    if any(not _fits(wire) for wire in (*ins, out)) or ins[0].weak or out.weak:
        return None
    begun = write.stand_for(step)
    found = rule(write, step, ins, step.params)
    if found is not None and alike(found, out):
        return found.id
    write.take_back(begun)
    return None


def _fits(wire: Wire) -> bool:
    return wire.dtype in _NATIVE and 0 not in wire.shape
