"""Is the gradient healthy? Illnesses by name, each at its line, with a cure that was tried."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from corrente.doctor.activations import check_relus, check_squashers, check_ties
from corrente.doctor.budget import Way, ways
from corrente.doctor.diagnosis import Budget, Diagnosis
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Effect, Finding, Plot
from corrente.doctor.forks import check_forks
from corrente.doctor.numbers import check_numbers
from corrente.doctor.preprocessing import check_columns
from corrente.doctor.rate import check_rate
from corrente.doctor.reach import check_reach
from corrente.doctor.scales import check_decay, check_products
from corrente.errors import UnreachedWarning
from corrente.program import trace

__all__ = ["CODES", "Diagnosis", "Effect", "Finding", "Plot", "diagnose"]

CODES = (
    "nan",
    "inf",
    "where-trap",
    "unreached",
    "dead-relu",
    "saturated",
    "tie",
    "cancellation",
    "preprocessing",
    "scale-mismatch",
    "vanishing",
    "exploding",
    "rate",
)


def diagnose(
    loss: Callable[..., Any],
    *args: Any,
    argnums: int | Sequence[int] = 0,
    rate: float | None = None,
    columns: Sequence[str] = (),
    steps: int = 50,
) -> Diagnosis:
    """Examine the gradient of `loss(*args)`; return what is ill, where, and what cures it.

    `loss` is plain NumPy and returns a real number; the arguments under `argnums` are its
    parameters, the others data. `rate` is the learning rate of plain gradient descent you mean to
    use: it is judged too. `columns` names the columns of the data. Cures are simulated on the
    traced circuit, with descents of `steps` steps, before they are advised. A healthy loss has no
    finding. Raises as `trace` does, and NotScalar where the loss is not one number.

    >>> import numpy as np
    >>> def loss(x):
    ...     return np.sum(np.where(x > 0, np.sqrt(x), 0.0))
    >>> [finding.code for finding in diagnose(loss, np.array([4.0, 0.0])).findings]
    ['where-trap']
    >>> diagnose(loss, np.array([4.0, 1.0])).ok
    True
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", UnreachedWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        program = trace(loss, argnums=argnums)(*args)
        program.grads  # noqa: B018  # a refusal comes before anything else
        exam = Exam(loss, args, argnums, program, tuple(columns), steps)
        numbers = tuple(check_numbers(exam))
        # numbers that are not finite, or no gradient at all, make other measures meaningless
        found = () if numbers else tuple(ways(exam))
        rest = _findings(exam, found, rate) if found else check_reach(exam)
        findings = _once_a_line((*numbers, *rest))
        budget = tuple(_budget(exam, found))
    return Diagnosis(program.run.name, exam.value, findings, budget)


def _findings(exam: Exam, found: tuple[Way, ...], rate: float | None) -> Iterator[Finding]:
    """Go through the rooms whose measures need finite numbers."""
    yield from check_reach(exam)
    told: set[int] = set()
    for finding in (*check_relus(exam), *check_squashers(exam)):
        yield finding
        told |= _steps_at(exam, finding)
    yield from check_ties(exam)
    yield from check_forks(exam)
    columns: set[int] = set()
    for step, finding in check_columns(exam):
        columns.add(step)
        yield finding
    decayed = list(check_decay(exam, found, told))
    yield from check_products(exam, columns, bool(decayed or told))
    yield from decayed
    if rate is not None:
        yield from check_rate(exam, rate)


def _once_a_line(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Keep of each illness the worst case a line: a loop of layers is one line."""
    worst: dict[tuple[Any, ...], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.where or finding.wire)
        if key not in worst or finding.number > worst[key].number:
            worst[key] = finding
    return tuple(worst.values())


def _steps_at(exam: Exam, finding: Finding) -> set[int]:
    return {k for k in range(len(exam.circuit.steps)) if exam.place(k) == finding.where}


def _budget(exam: Exam, found: tuple[Way, ...]) -> Iterator[Budget]:
    for way in found:
        gates = tuple(
            (exam.circuit.steps[entry.step].gate.name, entry.decades)
            for entry in reversed(way.entries)
        )
        yield Budget(exam.name(way.parameter), way.total, gates)
