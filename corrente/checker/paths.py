"""The path a program takes: which side of each kink it is on, and where two paths part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.places import Where, locate
from corrente.record import Gate
from corrente.recording import Recording
from corrente.words import Says


class Kink(NamedTuple):
    """A gate that was on one side at one point and on another side close by, or an `if`."""

    gate: str
    where: Where | None

    @property
    def line(self) -> int | None:
        """The line of source it stands on."""
        return None if self.where is None else locate(self.where).line

    @property
    def says(self) -> Says:
        """Tell which gate has the kink, and where."""
        at = "?" if self.where is None else locate(self.where)
        return Says("a kink of {0} ({1})", "uma quina de {0} ({1})").fill(self.gate, at)


class Mark(NamedTuple):
    """What one step tells about the path: its gate and place, its output's shape, its side."""

    gate: str
    where: Where | None
    shape: tuple[int, ...]
    side: Any


def path_of(recording: Recording) -> list[Mark]:
    tape = recording.tape
    path = [Mark("if", guard.where, (), guard.value) for guard in tape.guards]
    for gate, ins, outs, params, where, *_ in tape.recorded:
        out = tape.value(outs[0])
        finite = bool(np.isfinite(out).all())
        side = side_of(gate, [tape.value(wire) for wire in ins], params, out)
        path.append(Mark(gate.name, where, np.shape(out), (finite, side)))
    tape.settle()
    return path


def side_of(gate: Gate, ins: Sequence[Any], params: Mapping[str, Any], out: Any) -> Any:
    if gate.side is not None:
        return gate.side(*ins, **params)
    return out if not gate.differentiable and np.asarray(out).dtype.kind in "biu" else None


def crossed(one: list[Mark], other: list[Mark]) -> Kink | None:
    """Return the first step at which two paths part."""
    for a, b in zip(one, other, strict=False):
        if (a.gate, a.shape) != (b.gate, b.shape) or not _at_one_place(a.where, b.where):
            return Kink(a.gate, a.where)
        if not same(a.side, b.side):
            return Kink(a.gate, a.where)
    if len(one) == len(other):
        return None
    further = max(one, other, key=len)[min(len(one), len(other))]
    return Kink(further.gate, further.where)


def _at_one_place(one: Where | None, other: Where | None) -> bool:
    # an instruction that the interpreter has specialised in between reports another offset
    return one == other or (one is not None and other is not None and locate(one) == locate(other))


def same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if one is None or other is None:
        return one is other
    real = np.asarray(one).dtype.kind in "fc"
    return np.array_equal(one, other, equal_nan=real)
