"""Short descents: how far a loss falls before and after a cure, and how its curvature changes."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.compiler import jit
from corrente.curvature import lanczos
from corrente.derivatives import hvp, value_and_grad
from corrente.doctor.again import Model
from corrente.doctor.findings import Effect
from corrente.errors import CorrenteError
from corrente.vectors import flatten
from corrente.words import Says

FEW = 160
"""Parameters up to which the whole Hessian is taken, and not only its ends."""
PARTS = (0.1, 0.3, 0.9, 2.0)
"""The rates that a descent tries, in units of the largest stable one at the start."""


SLOW = 0.0015
"""Seconds a gradient may take before it is compiled for a descent."""

Gradient = Callable[[list[Any]], tuple[float, list[Any]]]


class Bend(NamedTuple):
    """The curvature of a loss: its greatest eigenvalue, the ratio of greatest to least, 2/λ.

    `convex` tells whether it bends up in all directions in which it bends at all.
    """

    largest: float
    condition: float
    convex: bool = False

    @property
    def stable(self) -> float:
        """The largest rate at which steps downhill do not swing up."""
        return 2.0 / self.largest if self.largest > 0 else math.inf

    @property
    def best(self) -> float:
        """The best fixed rate for a quadratic, 2/(λ_max + λ_min); NaN if it is not known."""
        return 2.0 / (self.largest * (1.0 + 1.0 / self.condition)) if self.convex else math.nan


class Descent(NamedTuple):
    """The best of a few descents: its rate, the losses on the way, and all that were tried."""

    rate: float
    losses: tuple[float, ...]
    tried: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The least loss reached."""
        return min(self.losses)


def bend(model: Model, steps: int = 24, whole: int = FEW) -> Bend | None:
    """Measure the curvature at the start; None where it is complex, or nothing bends.

    Directions along which the loss is flat (shifting all scores of a softmax) do not count for
    the condition. With more than `whole` parameters only the greatest eigenvalue is found, by
    Lanczos, and the condition is NaN.
    """
    if any(np.iscomplexobj(p) for p in model.start):
        return None
    flat = flatten(model.start)
    size = len(flat.vector)

    def product(vector: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return flatten(hvp(model.loss, (model.start,), (flat.build(vector),))).vector

    if not size:
        return None
    if size > whole:
        try:
            found = lanczos(product, size, steps, 1e-3)
        except CorrenteError:
            return None
        return Bend(found.largest, math.nan) if found.largest > 0 else None
    matrix = np.array([product(unit) for unit in np.eye(size)])
    if not np.isfinite(matrix).all():
        return None
    values = np.linalg.eigvalsh(0.5 * (matrix + matrix.T))
    largest = float(values.max())
    curved = np.abs(values)[np.abs(values) > 1e-13 * np.abs(values).max()]
    if largest <= 0 or not len(curved):
        return None
    convex = bool(values.min() > -1e-9 * largest)
    return Bend(largest, largest / float(curved.min()), convex)


def quickened(model: Model) -> Gradient:
    """Return the model's gradient, compiled where a call costs enough to be worth it."""
    began = time.perf_counter()
    model.gradient(model.start)
    if time.perf_counter() - began < SLOW:
        return model.gradient
    compiled = jit(value_and_grad(model.loss))

    def gradient(point: list[Any]) -> tuple[float, list[Any]]:
        with np.errstate(all="ignore"):
            value, slope = compiled(point)
        return float(value), slope

    return gradient


def descend(
    model: Model, rate: float, steps: int, gradient: Gradient | None = None
) -> tuple[float, ...]:
    """Go downhill at a fixed rate; the losses end early where they are no numbers any more."""
    point, losses = model.start, []
    gradient = gradient or model.gradient
    for _ in range(steps + 1):
        value, slope = gradient(point)
        if not math.isfinite(value) or (losses and value > 1e6 * (1.0 + abs(losses[0]))):
            break
        losses.append(value)
        point = [stepped(p, g, rate) for p, g in zip(point, slope, strict=True)]
    return tuple(losses)


def stepped(p: Any, g: Any, rate: float) -> Any:
    moved = p - rate * g
    return moved.astype(p.dtype) if isinstance(p, np.ndarray) else float(moved)


def best_descent(
    model: Model, stable: float, steps: int, parts: Sequence[float] = PARTS
) -> Descent | None:
    """Go downhill at several rates and keep the one that ends lowest; None where none ends well."""
    gradient = quickened(model)
    runs = {part * stable: descend(model, part * stable, steps, gradient) for part in parts}
    whole = {rate: losses for rate, losses in runs.items() if len(losses) > steps}
    if not whole:
        return None
    rate = min(whole, key=lambda each: whole[each][-1])
    tried = tuple(
        (r, losses[-1] if len(losses) > steps else math.inf) for r, losses in runs.items()
    )
    return Descent(rate, whole[rate], tried)


class Comparison(NamedTuple):
    """A model before and after a cure: curvature, best descents, and how much was gained.

    `gain` is the part of the whole fall of the loss that only the cure brings within the steps.
    """

    bends: tuple[Bend, Bend]
    descents: tuple[Descent, Descent]
    gain: float

    def effects(self, steps: int) -> tuple[Effect, ...]:
        """Return what the cure changes as measured quantities."""
        (a, b), (c, d) = self.bends, self.descents
        found = [
            Effect(LOSS_AFTER.fill(steps), c.last, d.last),
            Effect(STABLE, a.stable, b.stable),
        ]
        if math.isfinite(a.condition + b.condition):
            found.append(Effect(CONDITION, a.condition, b.condition))
        return tuple(found)


LOSS_AFTER = Says(
    "loss after {0} steps at the best rate tried", "perda após {0} passos à melhor taxa tentada"
)
CONDITION = Says("condition number of the curvature", "número de condição da curvatura")
STABLE = Says("largest stable rate 2/λ", "maior taxa estável 2/λ")


def compare(before: Model, after: Model, steps: int) -> Comparison | None:
    """Measure a cure; None where curvature or descent cannot be had."""
    bends = bend(before), bend(after)
    if bends[0] is None or bends[1] is None:
        return None
    first = best_descent(before, bends[0].stable, steps)
    second = best_descent(after, bends[1].stable, steps)
    if first is None or second is None:
        return None
    return Comparison((bends[0], bends[1]), (first, second), gained(first, second))


def gained(before: Descent, after: Descent) -> float:
    """Return which part of the loss's fall only the second descent brings."""
    top = min(before.losses[0], after.losses[0])
    whole = top - after.last
    return (before.last - after.last) / whole if whole > 0 else 0.0
