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
        best = leaves if k == 1 else best
    assert now.best is best
    assert (now.best_value, now.best_epoch, now.epoch, now.batch) == (1.0, 2, 4, 0)
    assert len(now.records) == 4


def test_a_retreat_goes_to_the_best_and_after_some_to_the_start():
    made = stepper()
    better = (1.0, np.ones(2))
    now = course()._replace(best=better, batch=3, losses=9.0)
    for k in range(3):
        now = now.retreated(0.1 / 3**k, made.start)
        assert now.leaves[:2] == (better if k < 2 else made.start[:2])
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
    kept = Course(leaves, best, 0.1, 2.5, records=(record,), epoch=1, batch=2, ended="x")
    keeper = Keeper(tmp_path / "run", 0.0, made, RUN)
    assert keeper.found() is None
    assert keeper.due()
    keeper.keep(kept)
    found = Keeper(tmp_path / "run", 0.0, made, RUN).found()
    assert found is not None
    assert found._replace(leaves=(), best=()) == kept._replace(leaves=(), best=())
    for one, other in zip((*found.leaves, *found.best), (*kept.leaves, *kept.best), strict=True):
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
