"""The course of a training: all that a run needs to be taken up again at the same bits."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from corrente.training.checkpoints import CheckpointError, load, save
from corrente.training.history import Record
from corrente.training.stepping import Leaves, Outcome, Stepper
from corrente.trees import take_apart
from corrente.words import Says


class Course(NamedTuple):
    """A moment of a training, never changed: an interrupted step leaves the one before it whole.

    `epoch` counts those finished, `batch` those of the running epoch; the sums are of that epoch.
    """

    leaves: Leaves
    best: Leaves
    """The parameters alone, as those below; the leaves hold the optimiser's state, too."""
    rate: float
    first: float | None = None
    """The loss of the very first batch, before any step."""
    best_value: float = math.inf
    best_epoch: int = 0
    epoch: int = 0
    batch: int = 0
    steps: int = 0
    last: float = 0.0
    """The loss of the last batch."""
    retreats: int = 0
    stuck: int = 0
    """Retreats since an epoch was last finished."""
    rows: float = 0.0
    losses: float = 0.0
    norms: float = 0.0
    ratios: float = 0.0
    seconds: float = 0.0
    records: tuple[Record, ...] = ()
    begun: Leaves = ()
    """The parameters with which the running epoch began; none: the very first ones."""
    proved: Leaves = ()
    """Those with which the last finished epoch began: from there it went well."""
    ended: str = ""

    def stepped(self, outcome: Outcome, loss: float, rows: int) -> Course:
        """Return the moment after a step."""
        return self._replace(
            leaves=outcome.leaves,
            last=loss,
            first=loss if self.first is None else self.first,
            batch=self.batch + 1,
            steps=self.steps + 1,
            rows=self.rows + rows,
            losses=self.losses + rows * loss,
            norms=self.norms + float(outcome.gradient_norm),
            ratios=self.ratios + float(outcome.update_ratio),
        )

    def record(self, validation: float | None, rate: float) -> Record:
        """Return the record of the epoch that is ending."""
        batches = max(self.batch, 1)
        return Record(
            self.epoch + 1,
            self.steps,
            self.losses / max(self.rows, 1),
            validation,
            self.norms / batches,
            self.ratios / batches,
            rate,
            self.seconds,
        )

    def turned(self, record: Record) -> Course:
        """Return the moment after an epoch: the next one begins with empty sums."""
        value = record.loss if record.validation is None else record.validation
        better = value < self.best_value
        here = self.leaves[: len(self.best)]
        return self._replace(
            best=here if better else self.best,
            begun=here,
            proved=self.begun,
            best_value=value if better else self.best_value,
            best_epoch=record.epoch if better else self.best_epoch,
            epoch=record.epoch,
            stuck=0,
            records=(*self.records, record),
            **_EMPTY,
        )

    def retreated(self, rate: float, start: Leaves) -> Course:
        """Return to parameters that did well, with a fresh optimiser and another rate."""
        count = len(self.best)
        # where the last epoch ended may already have been on the way to nowhere
        good = self.proved if self.proved and self.stuck < _MOST_STUCK else start[:count]
        return self._replace(
            leaves=(*good, *start[count:]),
            begun=good,
            rate=rate,
            retreats=self.retreats + 1,
            stuck=self.stuck + 1,
            **_EMPTY,
        )


_EMPTY: dict[str, Any] = {"batch": 0, "rows": 0.0, "losses": 0.0, "norms": 0.0, "ratios": 0.0}
_MOST_STUCK = 2
_TREES = ("leaves", "best", "begun", "proved", "records")


@dataclass
class Keeper:
    """Where a training's checkpoints go, and when: after `every` seconds, and at its end."""

    path: Path | None
    every: float
    stepper: Stepper
    run: dict[str, Any]
    """What must be the same when the run is taken up again: seed, batch size, rows."""
    saved_at: float = field(default_factory=time.monotonic)
    fault: CheckpointError | None = None

    def due(self) -> bool:
        """Tell whether it is time to save."""
        return self.path is not None and time.monotonic() - self.saved_at >= self.every

    def keep(self, course: Course) -> None:
        """Save; a fault is kept for the end, because training must not be lost by a full disk."""
        if self.path is None:
            return
        facts = {name: value for name, value in course._asdict().items() if name not in _TREES}
        facts |= {"records": [list(record) for record in course.records], "run": self.run}
        try:
            save(self.path, self._values(course), facts)
            self.fault = None
        except CheckpointError as error:
            self.fault = error
        self.saved_at = time.monotonic()

    def found(self) -> Course | None:
        """Read the course that a run before this one left; None where there is none."""
        if self.path is None or not self.path.exists():
            return None
        start = self.stepper.start
        values, facts = load(self.path, self._values(Course(start, start, 0.0)))
        facts = dict(facts)
        self._compare(facts.pop("run"))
        records = tuple(Record(*record) for record in facts.pop("records"))
        parts = {name: tuple(take_apart(part).leaves) for name, part in values.items()}
        leaves = parts["params"] + parts["state"]
        kept = {name: parts[name] for name in ("best", "begun", "proved")}
        return Course(leaves=leaves, records=records, **kept, **facts)

    def _values(self, course: Course) -> dict[str, Any]:
        start = self.stepper.start
        return {
            "params": self.stepper.params(course.leaves),
            "state": self.stepper.state(course.leaves),
            "best": self.stepper.params(course.best),
            "begun": self.stepper.params(course.begun or start),
            "proved": self.stepper.params(course.proved or start),
        }

    def _compare(self, other: dict[str, Any]) -> None:
        for name, here in self.run.items():
            if other.get(name) != here:
                raise CheckpointError(
                    Says(
                        "{0} belongs to a run with {1}={2}, not {3}.",
                        "{0} pertence a uma execução com {1}={2}, não {3}.",
                    ).fill(self.path, name, other.get(name), here),
                    Says(
                        "train as it was begun, or give another path for a new run.",
                        "treine como começou, ou dê outro caminho para uma execução nova.",
                    ),
                )
