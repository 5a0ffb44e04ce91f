"""The history: reads like a list, becomes a frame and a plot."""

from __future__ import annotations

from pathlib import Path

import pytest

from corrente.training.history import History, Record


def history(held: bool = True) -> History:
    value = lambda k: 2.0 / k if held else None
    return History(
        [Record(k, 10 * k, 1.0 / k, value(k), 0.5 / k, 1e-3, 0.1, 0.2 * k) for k in (1, 2, 3)]
    )


def test_it_reads_like_a_list():
    told = history()
    assert len(told) == 3
    assert told[-1].epoch == 3
    assert [record.loss for record in told[:2]] == [1.0, 0.5]
    assert [record.steps for record in told] == [10, 20, 30]


def test_it_becomes_a_frame():
    pytest.importorskip("pandas")
    frame = history().frame()
    assert frame.index.tolist() == [1, 2, 3]
    assert frame["loss"].tolist() == [1.0, 0.5, 1 / 3]
    assert history(held=False).frame()["validation"].isna().all()


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(("lang", "word"), [("en", "loss"), ("pt", "perda")])
def test_it_is_drawn_with_every_curve(tmp_path: Path, held: bool, lang: str, word: str):
    pytest.importorskip("matplotlib")
    figure = history(held).plot(tmp_path / "h.png", lang=lang)
    upper, lower = figure.axes
    assert word in upper.get_legend_handles_labels()[1]
    assert len(upper.lines) == 2 if held else 1
    assert list(upper.lines[0].get_ydata()) == [1.0, 0.5, 1 / 3]
    assert len(lower.lines) == 3
    assert (tmp_path / "h.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("loss", "scale"), [(1.0, "log"), (0.0, "linear"), (-1.0, "linear")])
def test_the_scale_fits_the_losses(loss: float, scale: str):
    pytest.importorskip("matplotlib")
    records = [record._replace(loss=loss) for record in history()]
    assert History(records).plot().axes[0].get_yscale() == scale


def test_an_empty_history_is_drawn_too():
    pytest.importorskip("matplotlib")
    assert len(History([]).plot().axes) == 2
