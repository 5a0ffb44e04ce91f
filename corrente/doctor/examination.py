"""An examination: a loss is traced once, every room looks at it, and what was found is gathered."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from corrente.doctor.activations import check_relus, check_squashers, check_ties
from corrente.doctor.budget import Way, ways
from corrente.doctor.diagnosis import Budget, Diagnosis
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Finding
from corrente.doctor.forks import check_forks
from corrente.doctor.numbers import check_numbers
from corrente.doctor.options import check_columns_fit, check_options
from corrente.doctor.outliers import blame, check_rows
from corrente.doctor.preprocessing import check_columns
from corrente.doctor.rate import check_rate
from corrente.doctor.rates import Rates, measure_rates
from corrente.doctor.reach import check_reach
from corrente.doctor.rows import Contributions, Parted, contributions, part
from corrente.doctor.scales import check_decay, check_products
from corrente.doctor.shards import check_shards
from corrente.errors import UnreachedWarning
from corrente.places import here
from corrente.program import trace
from corrente.training.contributions import Share
from corrente.words import Says

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
    "row-share",
    "shard-share",
    "rate",
)


def diagnose(
    loss: Callable[..., Any],
    *args: Any,
    argnums: int | Sequence[int] = 0,
    rate: float | None = None,
    columns: Sequence[str] = (),
    steps: int = 50,
    shards: Sequence[Share] = (),
) -> Diagnosis:
    """Examine the gradient of `loss(*args)`; return what is ill, where, and what cures it.

    `loss` is plain NumPy and returns a real number; the arguments under `argnums` are its
    parameters, the others data. `rate` is the learning rate of plain gradient descent you mean to
    use: it is judged too. `columns` names the columns of the data. `shards` are what `co.shares`
    found where the data lie on many machines. Cures are simulated on the traced circuit, with
    descents of `steps` steps, before they are advised. A healthy loss has no finding. Raises as
    `trace` does, NotScalar where the loss is not one number, BadArgument and BadValue for options
    that make no sense and for data without rows.

    With data, `contributions` of the result tells what each row makes of the gradient, and `rates`
    which learning rate the loss allows.

    >>> import numpy as np
    >>> def loss(x):
    ...     return np.sum(np.where(x > 0, np.sqrt(x), 0.0))
    >>> [finding.code for finding in diagnose(loss, np.array([4.0, 0.0])).findings]
    ['where-trap']
    >>> diagnose(loss, np.array([4.0, 1.0])).ok
    True
    """
    names = check_options(loss, args, argnums, rate, columns, steps, shards)
    with _quiet():
        exam = _exam(loss, args, argnums, names, steps)
        check_columns_fit(exam)
        numbers = tuple(check_numbers(exam))
        data = _data(exam, not numbers)
        if numbers:
            # numbers that are not finite make all other measures meaningless
            rest = (*check_reach(exam), *check_shards(shards))
            return _report(exam, (*_blamed(exam, data, numbers), *rest), (), data)
        found = tuple(ways(exam))
        rest = (*_findings(exam, found, data, rate), *check_shards(shards))
        return _report(exam, rest, found, data)


def glance(
    loss: Callable[..., Any], *args: Any, argnums: int | Sequence[int] = 0, steps: int = 50
) -> Diagnosis:
    """Examine a moment of a training: as `diagnose`, but for columns, rows and rates.

    Those cost descents; and that a few relus die is the way of all training.

    >>> glance(lambda x: x * x, 3.0).ok
    True
    """
    with _quiet():
        exam = replace(_exam(loss, args, argnums, (), steps), training=True)
        numbers = tuple(check_numbers(exam))
        if numbers:
            data = _data(exam, False)
            return _report(exam, (*_blamed(exam, data, numbers), *check_reach(exam)), (), data)
        found = tuple(ways(exam))
        return _report(exam, _findings(exam, found, None, None), found, _NO_DATA)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back the warnings of a loss that is only looked at: what they say is found anyway."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", UnreachedWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _exam(
    loss: Callable[..., Any], args: tuple[Any, ...], argnums: Any, columns: Any, steps: int
) -> Exam:
    program = trace(loss, argnums=argnums)(*args)
    program.grads  # noqa: B018  # a refusal comes before anything else
    return Exam(loss, args, argnums, program, columns, steps, here())


class _Data(NamedTuple):
    """What is known of the data: their rows apart, what those contribute, the rate they allow."""

    parted: Parted | None = None
    contributions: Contributions | None = None
    rates: Rates | None = None
    notes: tuple[Says, ...] = ()


_NO_DATA = _Data()


def _data(exam: Exam, healthy: bool) -> _Data:
    """Measure what there is to know of the data; notes say what could not be known, and why."""
    parted = part(exam)
    if parted is None:
        return _NO_DATA
    rows = contributions(parted)
    rates = measure_rates(exam) if healthy else None
    notes = tuple(each for each in (rows, rates) if isinstance(each, Says))
    return _Data(
        parted,
        rows if isinstance(rows, Contributions) else None,
        rates if isinstance(rates, Rates) else None,
        notes,
    )


def _findings(
    exam: Exam, found: tuple[Way, ...], data: _Data | None, rate: float | None
) -> Iterator[Finding]:
    """Go through the rooms whose measures need finite numbers; without data, not those of data."""
    yield from check_reach(exam)
    if not found:
        return
    told: set[int] = set()
    for finding in (*check_relus(exam), *check_squashers(exam)):
        yield finding
        told |= _steps_at(exam, finding)
    yield from check_ties(exam)
    yield from check_forks(exam)
    columns: set[int] = set()
    for step, finding in () if data is None else _of_data(exam, data):
        columns.add(step)
        yield finding
    decayed = list(check_decay(exam, found, told))
    yield from check_products(exam, columns, bool(decayed or told))
    yield from decayed
    if rate is not None:
        yield from check_rate(exam, rate)


def _of_data(exam: Exam, data: _Data) -> Iterator[tuple[int, Finding]]:
    """Find what is ill with rows and columns, with the step that reads them (−1: not one)."""
    wires = set()
    if data.parted is not None and data.contributions is not None:
        for finding in check_rows(exam, data.parted, data.contributions):
            wires.add(finding.wire)
            yield -1, finding
    for step, finding in check_columns(exam):
        if finding.wire not in wires:  # a row that lies far out spoils the columns' scales as well
            yield step, finding


def _blamed(exam: Exam, data: _Data, numbers: tuple[Finding, ...]) -> Iterator[Finding]:
    """Name the rows from which NaN and infinity come."""
    for finding in numbers:
        if data.parted is None or data.contributions is None:
            yield finding
        else:
            yield blame(exam, data.parted, data.contributions, finding)


def _report(
    exam: Exam, findings: Iterable[Finding], found: tuple[Way, ...], data: _Data
) -> Diagnosis:
    return Diagnosis(
        exam.program.run.name,
        exam.value,
        _once_a_line(findings),
        tuple(_budget(exam, found)),
        data.contributions,
        data.rates,
        data.notes,
    )


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
