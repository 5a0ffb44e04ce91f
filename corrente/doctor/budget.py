"""The gradient's budget: how many decades each gate takes or adds on the way to a parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from corrente.doctor.exam import Exam
from corrente.doctor.findings import decades
from corrente.record import Contract, Elementwise, Opaque

MOST = 4000
"""Steps of a path that are followed."""


class Entry(NamedTuple):
    """What one gate does to the gradient: the step, and decades lost (−) or gained (+)."""

    step: int
    decades: float


class Way(NamedTuple):
    """The way from a parameter's first reader to the loss, nearest to the parameter first."""

    parameter: int
    reader: int
    entries: tuple[Entry, ...]

    @property
    def total(self) -> float:
        return math.fsum(entry.decades for entry in self.entries)

    def without_worst(self, sign: int) -> float:
        """Return the total without the gate that does most in one direction."""
        worst = max((sign * entry.decades for entry in self.entries), default=0.0)
        return self.total - sign * max(worst, 0.0)


def ways(exam: Exam) -> Iterator[Way]:
    """Follow the gradient from the loss to each parameter, along its largest contributions.

    A parameter that is read many times (the weights of a recurrence) is followed to the reader
    whose gradient is the largest: what faded on longer ways does no harm there.
    """
    largest = _largest(exam)
    for wire in exam.parameters():
        outs = [exam.circuit.steps[k].outs for k, _ in exam.readers(wire)]
        loudest = [(max(map(length, map(exam.grad, out))), out) for out in outs]
        arrived = [found for found in loudest if any(exam.grad(w) is not None for w in found[1])]
        if arrived:
            out = max(arrived)[1][0]
            yield Way(wire, exam.circuit.makers[out], tuple(_follow(exam, out, largest)))


def _largest(exam: Exam) -> dict[int, tuple[int, int, float]]:
    """Map each wire to the reader that sends most: step, position, length of what it sends."""
    found = {}
    for wire, parts in exam.run.contributions.items():
        sizes = [(length(part.value), part.step, part.position) for part in parts]
        if sizes:
            size, step, position = max(sizes)
            found[wire] = (step, position, size)
    return found


def _follow(exam: Exam, wire: int, largest: dict[int, tuple[int, int, float]]) -> Iterator[Entry]:
    for _ in range(MOST):
        if wire not in largest:
            return
        k, position, size = largest[wire]
        step = exam.circuit.steps[k]
        out = max(step.outs, key=lambda each: length(exam.grad(each)))
        yield Entry(k, _gain(exam, k, position, size, length(exam.grad(out))))
        wire = out


def _gain(exam: Exam, k: int, position: int, sent: float, arrived: float) -> float:
    """Return the decades a gate adds; sums and moves only spread a gradient, and count nought."""
    step = exam.circuit.steps[k]
    kind = step.gate.kind
    shapes = [exam.circuit.wires[w].shape for w in (step.ins[position], step.outs[0])]
    if not isinstance(kind, Elementwise | Contract | Opaque):
        return 0.0
    if isinstance(kind, Elementwise) and shapes[0] != shapes[1]:
        return 0.0
    gain = decades(sent, arrived)
    return gain if math.isfinite(gain) else math.copysign(400.0, gain)


def length(value: object) -> float:
    """Return the Euclidean length of an array, without overflow; 0.0 for None."""
    if value is None:
        return 0.0
    if isinstance(value, float):
        return abs(float(value))
    array = np.asarray(value)
    with np.errstate(all="ignore"):
        plain = math.sqrt(float(np.add.reduce(np.abs(array) ** 2, axis=None)))
    if 1e-15 < plain < 1e15:
        return plain
    array = np.abs(array).astype(float)
    peak = float(array.max(initial=0.0))
    if not 0 < peak < math.inf:
        return peak
    return peak * math.sqrt(float(np.sum((array / peak) ** 2)))
