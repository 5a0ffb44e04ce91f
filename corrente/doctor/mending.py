"""Towards the cure of a number: where it is sick, what is harmless there, does it help."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Step
from corrente.doctor.again import Change, Swap, Values
from corrente.doctor.exam import Exam, operand_at
from corrente.doctor.findings import Effect
from corrente.figures import number
from corrente.record import Elementwise
from corrente.words import Says


def sick(value: Any) -> np.ndarray:
    """Return where a value is NaN or infinite."""
    array = np.asarray(value)
    if array.dtype.kind not in "fc":
        return np.zeros(array.shape, bool)
    return ~np.isfinite(array)


class Fault(NamedTuple):
    """A forward step whose local gradient is not finite, and the elements where it is not."""

    step: int
    position: int
    bad: np.ndarray


def tried(exam: Exam, change: Change) -> tuple[Effect, ...]:
    """Measure the loss and the size of its gradient before and after."""
    trial = exam.model(change)
    with np.errstate(all="ignore"):
        value, slope = trial.gradient(trial.start)
    size = math.sqrt(sum(float(np.sum(np.abs(each) ** 2)) for each in slope))
    return (
        Effect(LOSS, exam.value, value),
        Effect(GRADIENT, norm(exam), size),
    )


LOSS = Says("loss", "perda")
GRADIENT = Says("size of the gradient", "tamanho do gradiente")


def norm(exam: Exam) -> float:
    """Return the length of the whole gradient."""
    found = [exam.grad(wire) for wire in exam.parameters()]
    with np.errstate(all="ignore"):
        return math.sqrt(sum(float(np.sum(np.abs(g) ** 2)) for g in found if g is not None))


def guarded(mask: Callable[[Values], Any], safe: float) -> Swap:
    """Return a change of an operand: as it is under a mask of the values so far, else safe."""
    return lambda value, values: np.where(mask(values), value, safe)


def harmless(step: Step, position: int) -> float:
    """Return a number at which the gate has a finite value and slope."""
    low, high = step.gate.domain[position]
    return 1.0 if low <= 1.0 <= high else 0.5 * (low + high)


def subsets(step: Step) -> list[list[int]]:
    """Return each operand alone, the last one first (a divisor), and then all of them."""
    alone = [[p] for p in reversed(range(len(step.ins)))]
    return [*alone, list(range(len(step.ins)))] if len(alone) > 1 else alone


def fits(shape: tuple[int, ...], into: tuple[int, ...]) -> bool:
    """Tell whether a shape broadcasts into another one."""
    try:
        return np.broadcast_shapes(shape, into) == into
    except ValueError:
        return False


def first(bad: np.ndarray) -> tuple[int, ...]:
    """Return the index of the first element that is true."""
    return tuple(int(k) for k in np.argwhere(bad)[0]) if bad.any() else ()


def operands(exam: Exam, step: Step, index: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """Write the operands of a step at one element, or their ranges."""
    parts = []
    for wire in step.ins:
        value = exam.run.values[wire]
        if isinstance(step.gate.kind, Elementwise) and fits(np.shape(value), shape):
            shown = number(operand_at(value, index, shape))
        else:
            with np.errstate(all="ignore"):
                shown = f"{number(np.min(value), 3)} … {number(np.max(value), 3)}"
        name = exam.name(wire)
        parts.append(shown if name == shown else f"{name} = {shown}")
    return ", ".join(dict.fromkeys(parts))
