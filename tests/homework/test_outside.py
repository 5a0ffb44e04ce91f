"""The checker on passes by somebody who had not seen it: floors on a sample, no false alarm.

`python tests/homework/outside/scoring.py` measures the whole set.
"""

from __future__ import annotations

import itertools
import sys
import zlib
from collections import defaultdict
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "outside"))
import scoring  # a module of that folder

LABELS = scoring.read_labels()
RIGHT = [label for label in LABELS if label["kind"] == "right"]
HOSTILE = [label for label in LABELS if label["kind"] == "hostile"]
SHARES, OF_EACH_SUBJECT = 4, 4
LINES, MISTAKES = 0.95, 0.80


def sample() -> list[scoring.Label]:
    """Choose a few wrong files of each subject, with as many mistakes as there are among them."""
    found: dict[str, list[scoring.Label]] = defaultdict(list)
    seen: set[str] = set()
    firm = [label for label in LABELS if label["kind"] == "wrong" and not label["loose"]]
    for fresh in (True, False):
        for label in sorted(firm, key=lambda label: zlib.crc32(label["file"].encode())):
            mine = found[label["subject"]]
            is_new = label["mistake"] not in seen or not fresh
            if is_new and label not in mine and len(mine) < OF_EACH_SUBJECT:
                mine.append(label)
                seen.add(label["mistake"])
    return list(itertools.chain.from_iterable(found.values()))


SAMPLE = sample()


def test_the_sample_has_every_subject_style_and_mistake():
    wrong = [label for label in LABELS if label["kind"] == "wrong"]
    for field in ("subject", "style", "mistake"):
        assert {label[field] for label in SAMPLE} == {label[field] for label in wrong}


@pytest.mark.parametrize("share", range(SHARES))
def test_the_first_wrong_line_and_the_mistake_are_found(share: int):
    scores = [scoring.score(label) for label in SAMPLE[share::SHARES]]
    missed = list(scoring.failures(scores))
    assert sum(score.line_also for score in scores) >= LINES * len(scores), missed
    assert sum(score.mistake_also for score in scores) >= MISTAKES * len(scores), missed


@pytest.mark.parametrize("share", range(SHARES))
def test_no_false_alarm(share: int):
    scores = [scoring.score(label) for label in RIGHT[share::SHARES]]
    assert not list(scoring.failures(scores))


@pytest.mark.parametrize("label", HOSTILE, ids=lambda label: Path(label["file"]).stem)
def test_a_clear_verdict_whatever_the_code_does(label: scoring.Label):
    score = scoring.score(label)
    assert score.line, score.verdict
    assert score.verdict.says.en != score.verdict.says.pt
