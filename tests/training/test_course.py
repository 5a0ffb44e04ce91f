"""The course of a training: moments that follow from one another, and lie whole in a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corrente.training.checkpoints import CheckpointError
from corrente.training.course import Course, Keeper
from corrente.training.history import Record
from corrente.training.stepping import Outcome, named, prepare

START = {"w": np.zeros(2), "b": 0.0}
RUN = {"seed": 0, "batch_size": 8, "rows": 20}


def stepper() -> Any:
    return prepare(lambda p, x: np.sum(p["w"]) * p["b"], named("adam"), START)


def course() -> Course:
    made = stepper()
    return Course(made.start, made.start[: made.size], 0.1)


def test_a_step_adds_up_and_leaves_the_moment_before():
    before = course()
    outcome = Outcome(before.leaves, 2.0, 3.0, 0.5)
    after = before.stepped(outcome, 2.0, 8).stepped(outcome, 4.0, 4)
    assert (before.batch, before.steps, before.losses) == (0, 0, 0.0)
    assert (after.batch, after.steps, after.first, after.last) == (2, 2, 2.0, 4.0)
    record = after.record(None, 0.1)
    assert record.loss == pytest.approx((8 * 2.0 + 4 * 4.0) / 12)
    assert (record.gradient_norm, record.update_ratio) == (3.0, 0.5)


def test_an_epoch_keeps_the_best_by_validation_where_there_is_one():
    now, best = course(), None
    for k, validation in enumerate((3.0, 1.0, 2.0, math.nan)):
        leaves = (*(np.full(2, float(k)) for _ in now.leaves),)
        now = now._replace(leaves=leaves, batch=1)
        now = now.turned(now.record(validation, 0.1))
        # the parameters alone: the optimiser's state is no part of what was best
        best = leaves[:2] if k == 1 else best
    assert now.best == best
    assert (now.best_value, now.best_epoch, now.epoch, now.batch) == (1.0, 2, 4, 0)
    assert len(now.records) == 4


def test_a_retreat_goes_to_where_it_went_well_and_after_some_to_the_start():
    made = stepper()
    now = course()
    for k in range(3):
        now = now._replace(leaves=tuple(float(k) for _ in now.leaves), batch=1)
        now = now.turned(now.record(None, 0.1))
    # the third epoch began where the second ended, and could be finished from there
    proved = (1.0, 1.0)
    assert (now.proved, now.begun) == (proved, (2.0, 2.0))
    now = now._replace(batch=3, losses=9.0)
    for k in range(3):
        now = now.retreated(0.1 / 3**k, made.start)
        assert now.leaves[:2] == (proved if k < 2 else made.start[:2])
        assert now.begun == now.leaves[:2]
        assert now.leaves[2:] == made.start[2:]
        assert (now.batch, now.losses, now.retreats) == (0, 0.0, k + 1)
    turned = now._replace(batch=1).turned(now.record(None, 0.1))
    assert turned.stuck == 0
    assert turned.retreats == 3


def test_a_course_comes_back_from_its_file(tmp_path: Path):
    record = Record(1, 3, 0.1 + 0.2, None, 1e-300, math.inf, 0.1, 0.5)
    made = stepper()
    leaves = tuple(np.asarray(leaf) + 0.1 if np.ndim(leaf) else 0.3 for leaf in made.start)
    best = (0.7, np.array([1e-300, -0.0]))
    begun, proved = ((float(k), np.full(2, float(k))) for k in (2, 3))
    told: dict[str, Any] = {"records": (record,), "epoch": 1, "batch": 2, "ended": "x"}
    kept = Course(leaves, best, 0.1, 2.5, begun=begun, proved=proved, **told)
    keeper = Keeper(tmp_path / "run", 0.0, made, RUN)
    assert keeper.found() is None
    assert keeper.due()
    keeper.keep(kept)
    found = Keeper(tmp_path / "run", 0.0, made, RUN).found()
    assert found is not None
    empty: dict[str, Any] = dict.fromkeys(("leaves", "best", "begun", "proved"), ())
    assert found._replace(**empty) == kept._replace(**empty)
    both = ([leaf for name in empty for leaf in getattr(part, name)] for part in (found, kept))
    for one, other in zip(*both, strict=True):
        assert type(one) is type(other)
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


def test_a_file_of_another_run_is_told(tmp_path: Path):
    Keeper(tmp_path / "run", 0.0, stepper(), RUN).keep(course())
    with pytest.raises(CheckpointError, match="rows=20, not 21"):
        Keeper(tmp_path / "run", 0.0, stepper(), RUN | {"rows": 21}).found()


def test_without_a_path_nothing_is_due_or_found():
    keeper = Keeper(None, 0.0, stepper(), RUN)
    keeper.keep(course())
    assert not keeper.due()
    assert keeper.found() is None


def test_it_is_due_after_its_time_and_a_fault_is_kept(tmp_path: Path):
    keeper = Keeper(tmp_path / "none" / "run", 3600.0, stepper(), RUN)
    assert not keeper.due()
    keeper.keep(course())
    assert isinstance(keeper.fault, CheckpointError)
    (tmp_path / "none").mkdir()
    keeper.keep(course())
    assert keeper.fault is None
