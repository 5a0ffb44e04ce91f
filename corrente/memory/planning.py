"""Planning: which values of a circuit are kept, which are made again, under a budget of memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from corrente.circuit import Circuit
from corrente.errors import CorrenteError
from corrente.memory.costs import cost, may_run_again
from corrente.memory.rehearsal import Rehearsal, TooDear, Turn
from corrente.memory.survey import Looks, Survey, natural_peak, survey
from corrente.places import Where

MOST = 8.0
"""Times the steps' own time that a plan may spend on running some of them again."""
_TRIES = 7


class TooLittleMemory(CorrenteError, ValueError):
    """A program does not fit into the memory it was given, however often its steps run."""


class Use(NamedTuple):
    """What became of one value that is in memory at the natural peak."""

    wire: int
    gate: str
    where: Where | None
    nbytes: int
    again: int
    """How often it is made again; 0: it is kept."""
    reason: str
    """Why it is kept or not, a key of `report.REASONS`."""


@dataclass(frozen=True)
class Plan:
    """The order in which the steps of a circuit run; one that stands there twice runs again."""

    budget: int
    natural: int
    """Bytes in use at the peak if everything is kept."""
    peak: int
    order: tuple[Turn, ...]
    uses: tuple[Use, ...]
    seconds: float
    """An estimate of what the steps take when everything is kept."""
    extra: float
    """And what running some of them again takes."""
    where: Where | None
    """The line at whose step the peak is."""


def plan(circuit: Circuit, looks: Looks, budget: int) -> Plan | None:
    """Plan a circuit so that its own buffers fit into a budget; None if no plan is found.

    `looks` tells which steps make no buffer of their own. Arguments, held arrays and results are
    not counted.

    >>> import numpy as np, corrente as co
    >>> def f(x):
    ...     for _ in range(6):
    ...         x = np.tanh(x @ x)
    ...     return x
    >>> circuit = co.trace(co.grad(lambda x: np.sum(f(x))))(np.ones((4, 4))).circuit
    >>> found = plan(circuit, lambda step: False, 900)
    >>> found.natural > 900 >= found.peak
    True
    """
    found = survey(circuit, looks)
    natural, at = natural_peak(found)
    whole = cost(circuit)
    limit = float("inf") if natural <= budget else float(budget)
    try:
        rehearsal = Rehearsal(found, limit, MOST * whole).run()
    except TooDear:
        return None
    if rehearsal.peak > budget:
        return None
    return Plan(
        budget=budget,
        natural=natural,
        peak=rehearsal.peak,
        order=tuple(rehearsal.order),
        uses=tuple(_uses(found, rehearsal, at)),
        seconds=whole,
        extra=rehearsal.extra,
        where=circuit.steps[rehearsal.peak_at].where if circuit.steps else None,
    )


def _uses(found: Survey, rehearsal: Rehearsal, at: int) -> list[Use]:
    """Tell what became of the buffers that are in use at the natural peak."""
    circuit = found.circuit
    uses = []
    for wire, maker in circuit.makers.items():
        last = found.reads.get(wire, [maker])[-1]
        if found.size[wire] and maker <= at <= last:
            step = circuit.steps[maker]
            again = rehearsal.again[wire]
            reason = (
                "again"
                if again
                else "opaque"
                if not may_run_again(step)
                else "start"
                if wire in rehearsal.starts
                else "fits"
            )
            name = step.gate.name
            uses.append(Use(wire, name, step.where, found.size[wire], again, reason))
    return uses


def least(circuit: Circuit, looks: Looks) -> Plan:
    """Return the plan that needs the least memory of those that were found by halving."""
    natural = natural_peak(survey(circuit, looks))[0]
    best = plan(circuit, looks, max(natural, 1))
    assert best is not None
    low, high = 0, best.peak
    for _ in range(_TRIES):
        middle = (low + high) // 2
        found = plan(circuit, looks, middle) if middle else None
        if found is None:
            low = middle
        else:
            best, high = found, found.peak
        if high - low <= high // 32:
            break
    return best
