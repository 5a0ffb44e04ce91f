"""The benchmarks are fair: answers are compared, and what disagrees or fails is never timed."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks.contestants import Contestant, Row, absent
from benchmarks.limits import SOURCES
from benchmarks.measuring import Disagreement, agree
from benchmarks.rows import every
from docs import benchmark_page

ROOT = Path(__file__).parent.parent
LIMITED = ("moons network", "chain of", "GMM d=10 K=25", "bundle adjustment", "LSTM")


def answering(who: str, answer: object) -> Contestant:
    return Contestant(who, lambda: partial(lambda: answer))


def anybody(row: str, who: str) -> bool:
    return True


def outcome(*contestants: Contestant) -> dict[str, dict[str, object]]:
    row = Row("a row", lambda: contestants)
    return {figure["who"]: figure for figure in command.figures(row, True, anybody, 1)}


def test_a_wrong_answer_is_a_failure_and_is_not_timed():
    right = (1.0, (np.array([1.0, 2.0]),))
    wrong = (1.0, (np.array([1.0, 2.001]),))
    found = outcome(answering("corrente eager", right), answering("peer", wrong))
    assert "median_us" in found["corrente eager"]
    assert "off by" in str(found["peer"]["failure"])
    assert "median_us" not in found["peer"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ([np.array([1.0])], [np.array([1.0 + 1e-6])]),
        ([np.array([1.0, 2.0])], [np.array([1.0])]),
        ([np.array([1.0])], [np.array([1.0]), np.array([1.0])]),
        ([np.array([np.nan])], [np.array([1.0])]),
        ([np.array([np.nan])], [np.array([np.nan])]),
    ],
)
def test_agreement_can_fail(answer: list[np.ndarray], expected: list[np.ndarray]):
    with pytest.raises(Disagreement):
        agree(Row("a row", lambda: ()), "peer", answer, expected)


def test_agreement_forgives_rounding_beside_the_largest_number():
    agree(Row("a row", lambda: ()), "peer", [np.array([1.0, 1e-12])], [np.array([1.0, 0.0])])


def test_who_fails_or_stays_away_is_named_with_the_reason():
    def broken() -> object:
        raise ValueError("no such thing")

    found = outcome(Contestant("peer", lambda: broken), absent("other", "numpy", "takes a day"))
    assert found["peer"]["failure"] == "ValueError: no such thing"
    assert found["other"]["reason"] == "takes a day"


def test_a_failure_is_the_exit_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    rows = [Row("a row", lambda: [answering("a", 1.0), answering("b", 2.0)])]
    monkeypatch.setattr(command, "every", lambda tiny: rows)
    monkeypatch.setattr(command.starting, "figures", lambda *_: ())
    path = tmp_path / "figures.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--tiny", "--json", str(path)])
    assert command.main() == 1
    kept = json.loads(path.read_text("utf-8"))
    assert kept["machine"]["numpy"] == np.__version__
    assert ["failure" in figure for figure in kept["figures"]] == [False, True]


@pytest.mark.parametrize("name", LIMITED)
def test_the_gradients_written_by_hand_are_ours(name: str):
    row = next(row for row in every(tiny=True) if row.name.startswith(name))
    found = command.figures(row, True, lambda _, who: who == "corrente eager" or who[0] == "C", 1)
    assert not [figure for figure in found if "failure" in figure]
    ran = [figure["who"] for figure in found if "median_us" in figure]
    assert ran[0] == "corrente eager"
    if len(ran) == 1:
        pytest.skip("no C compiler")


def test_every_limit_is_somebodys():
    text = "".join(path.read_text("utf-8") for path in (ROOT / "benchmarks").rglob("*.py"))
    assert not [path.name for path in SOURCES.iterdir() if f'"{path.name}"' not in text]


def test_rows_have_names_of_their_own():
    for tiny in (True, False):
        names = [row.name for row in every(tiny)]
        assert len(names) == len(set(names))


def test_the_page_and_its_plot_show_every_row():
    def figure(row: str, who: str, median: float) -> dict[str, object]:
        spread = {"min_us": median, "max_us": median, "first_ms": 1.0}
        return {"row": row, "who": who, "median_us": median, **spread}

    figures = [
        figure("a & b", "corrente", 2.0),
        figure("a & b", "C", 1.0),
        figure("a & b", "C fast-math", 0.5),
        figure("a & b", "jax", 8.0),
        figure("a & b, objective", "corrente", 1.0),
        {"row": "a & b", "who": "torch", "reason": "takes a day"},
    ]
    record = {"machine": {"processor": "any", "cores": 2}, "figures": figures}
    lines = benchmark_page.page(record).splitlines()
    assert "| a & b | 2.00 | 1.00 | 2.00× | 0.500 | jax | 8.00 | 4.00× |" in lines
    assert "| a & b | 2.00× | – | – |" in lines
    drawing = ElementTree.fromstring(benchmark_page.plot(benchmark_page.by_row(record)))
    titles = [part.text for part in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert "a & b, jax: 8.00 µs" in titles
    assert not any(text and "torch" in text for text in titles)
