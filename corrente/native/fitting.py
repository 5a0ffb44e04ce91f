"""Fitting: a circuit lowered so that its arena stays under a budget, by a plan where it must."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from corrente.circuit import Circuit
from corrente.memory import Use, cost, least, plan
from corrente.native.layouts import may_look
from corrente.native.lowering import lower
from corrente.native.programs import Lowered
from corrente.passes.recompute import recompute
from corrente.places import Where

_TRIES = 5


class Fitted(NamedTuple):
    """A lowered circuit with what it takes, measured, and what it would take naturally."""

    lowered: Lowered
    natural: int
    peak: int
    uses: tuple[Use, ...]
    before: float
    """An estimate of a run's time if everything is kept, for comparisons."""
    seconds: float
    """And as it is."""


class Miss(Exception):
    """A circuit for which no plan fits into a budget."""

    def __init__(
        self, natural: int, seconds: float, least: Callable[[], tuple[int, Where | None]]
    ) -> None:
        self.natural, self.seconds, self.least = natural, seconds, least
        """`least` finds the least bytes of a plan, and the line that needs them; it takes time."""
        super().__init__(f"{natural} bytes")


def fit(
    circuit: Circuit,
    strides: Mapping[int, tuple[int, ...]],
    vector_bytes: int,
    budget: int | None,
) -> Fitted:
    """Lower a circuit under a budget; raise Miss if no plan brings it there.

    A plan counts buffers; what is measured after lowering also counts the gaps between them, and
    what a call back to NumPy returns before it is copied.
    """
    lay_out = partial(lower, strides=strides, vector_bytes=vector_bytes)
    lowered = lay_out(circuit)
    natural = peak = measured(lowered)
    if budget is None:
        return Fitted(lowered, natural, natural, (), 0.0, 0.0)
    seconds, aim = cost(circuit), max(budget, natural) if natural <= budget else budget
    miss = Miss(natural, seconds, partial(_least, circuit, lay_out))
    for _ in range(_TRIES):
        made = plan(circuit, may_look, aim) if aim > 0 else None
        if made is None:
            break
        lowered = lay_out(recompute(circuit, made)) if natural > budget else lowered
        peak = measured(lowered)
        if peak <= budget:
            return Fitted(lowered, natural, peak, made.uses, seconds, seconds + made.extra)
        aim = made.peak - (peak - budget)
    raise miss


def _least(circuit: Circuit, lay_out: Callable[[Circuit], Lowered]) -> tuple[int, Where | None]:
    best = least(circuit, may_look)
    needed = measured(lay_out(recompute(circuit, best)))
    return needed + needed // 32, best.where  # buffers may not lie as close under another plan


def measured(lowered: Lowered) -> int:
    """Return the bytes a program takes beside its arguments and results."""
    backs = (sum(out.nbytes for out in back.outs) for back in lowered.callbacks)
    return lowered.arena.size + max(backs, default=0)
