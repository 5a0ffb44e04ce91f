"""Fitting: it learns what there is to learn, measures on rows never seen, and keeps models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corrente.errors import BadArgument, BadValue
from corrente.learning.fitting import fit, keep, kept
from corrente.training import checkpoints
from corrente.training.checkpoints import CheckpointError

RNG = np.random.default_rng(0)
ROWS = 300


def table(noise: float = 0.0) -> dict[str, np.ndarray]:
    a, b = RNG.normal(size=(2, ROWS))
    word = np.array(["up", "down"], object)[RNG.integers(0, 2, ROWS)]
    number = 1000.0 + 50.0 * np.where(word == "up", a, -a) + 10.0 * b
    label = np.where(a + b > 0, "high", "low").astype(object)
    return {"a": a, "b": b, "word": word, "number": number + noise * b, "label": label}


def test_numbers_and_classes_are_learned():
    numbers = fit(table(), "number", hidden=(30,), epochs=100)
    assert numbers.worth["r2"] > 0.95 > 0.1 > numbers.without["r2"]
    off = numbers.model.target.scale * (numbers.found - numbers.truth)
    assert numbers.worth["root_mean_square"] == pytest.approx(np.sqrt(np.mean(off**2)))
    assert numbers.worth["mean_absolute"] == pytest.approx(np.mean(np.abs(off)))
    classes = fit(table(), "label", hidden=(30,), epochs=100)
    assert classes.worth["accuracy"] > 0.9 > 0.7 > classes.without["accuracy"]
    assert classes.worth["log_loss"] < classes.without["log_loss"]
    assert (numbers.rows, len(numbers.truth)) == (ROWS, ROWS // 5)


def test_rows_without_a_target_are_left_out_and_counted():
    given = table()
    given["number"][:7] = np.nan
    fitted = fit(given, "number", hidden=(5,), epochs=2)
    assert (fitted.rows, fitted.dropped) == (ROWS - 7, 7)


def test_the_held_back_rows_are_not_looked_at():
    given = table()
    for k in np.random.default_rng([0, 9]).permutation(ROWS)[: ROWS // 5]:
        given["word"][k] = "unseen"
    model = fit(given, "number", hidden=(5,), epochs=1).model
    assert {column.name: column.categories for column in model.columns}["word"] == ("down", "up")


def test_the_held_back_rows_do_not_teach():
    # pure chance: a network that saw the held-back rows would seem to know them
    given = {"a": RNG.normal(size=200), "t": RNG.normal(size=200)}
    assert fit(given, "t", hidden=(200,), epochs=100).worth["r2"] < 0.2


def test_the_seed_decides_all():
    given = table()
    one, other, third = (fit(given, "number", epochs=3, seed=seed) for seed in (0, 0, 1))
    assert one.worth == other.worth != third.worth


@pytest.mark.parametrize("target", ["number", "label"])
def test_a_model_comes_back_as_it_was(tmp_path: Path, target: str):
    given = table()
    model = fit(given, target, hidden=(6, 4), epochs=2).model
    path = keep(model, str(tmp_path / "deep" / "model"))
    for place in (path, path.parent):
        again = kept(str(place))
        assert again.columns == model.columns
        assert again.target == model.target
        np.testing.assert_array_equal(again.scores(given), model.scores(given))


def test_what_is_no_model_is_told(tmp_path: Path):
    with pytest.raises(CheckpointError):
        kept(str(tmp_path))
    checkpoints.save(tmp_path / "other", {"a": 1.0}, {})
    with pytest.raises(CheckpointError, match="holds no model"):
        kept(str(tmp_path / "other"))


@pytest.mark.parametrize(
    ("change", "target", "error", "said"),
    [
        ({}, "none", BadArgument, "no column none"),
        ({"number": np.full(ROWS, np.nan)}, "number", BadValue, "0 rows have a number"),
        (
            dict.fromkeys("ab", np.zeros(ROWS)) | {"word": None, "label": None},
            "number",
            BadValue,
            "no column says anything",
        ),
    ],
)
def test_tables_that_teach_nothing_are_told(change: Any, target: str, error: Any, said: str):
    given = {name: v for name, v in (table() | change).items() if v is not None}
    with pytest.raises(error, match=said):
        fit(given, target)
