"""The checker on right and wrong backward passes: right line, right mistake, no false alarm.

A part of the set runs here; `python tests/homework/measure.py` runs all of it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from corrente.homework.files import check_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import collection  # noqa: E402  # a module of this folder
import mutating  # noqa: E402

EVERY = 18
RIGHT = sorted([*(HERE / "right").glob("*.py"), *(HERE / "passes").glob("*.py")])
ALL = list(collection.wrongs())


def test_the_set_is_large_enough():
    assert len(ALL) >= 150
    assert len({wrong.id for wrong in ALL}) == len(ALL)
    assert len({code for wrong in ALL for code in wrong.mistakes}) >= 14


@pytest.mark.parametrize("file", RIGHT, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_there_is_no_false_alarm(file: Path):
    verdicts = check_file(file)
    assert [verdict.render() for verdict in verdicts if not verdict.ok] == []
    assert len(verdicts) >= 3


def test_at_least_sixty_right_passes_are_tried():
    sources = [file.read_text() for file in RIGHT]
    assert sum(source.count("backward(") for source in sources) >= 60


def test_the_first_wrong_line_and_the_mistake_are_named():
    chosen = ALL[::EVERY]
    lines = names = 0
    for wrong in chosen:
        verdict = collection.check(wrong)
        assert not verdict.ok, wrong.id
        lines += verdict.line in collection.lines_of(wrong)
        names += verdict.mistake in wrong.mistakes
    assert lines >= 0.95 * len(chosen) - 1
    assert names >= 0.80 * len(chosen)


def test_blind_mutants_are_found(tmp_path: Path):
    found = lines = 0
    for mutant in mutating.sample([HERE / "passes", HERE / "right"], 8, seed=3):
        file = tmp_path / mutant.file.name
        file.write_text(mutant.source)
        (verdict,) = check_file(file, only=mutant.name)
        if not verdict.ok:
            found += 1
            lines += verdict.line == mutant.line
    assert found >= 6
    assert lines >= 0.8 * found
