"""The command `corrente diagnose`: files, expressions, exit status, refusals."""

from __future__ import annotations

import json
import re

import pytest

from corrente.consultation import Visit, consult
from corrente.errors import BadArgument, BadValue

SOURCE = """
import numpy as np

def loss(w, x, power=2):
    return np.sum(np.where(x > 0, np.sqrt(w * x), 0.0) ** power)

def keyed(w, *, x):
    return np.mean((w * x) ** 2)
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.py"
    path.write_text(SOURCE)
    return path


def test_a_file_is_examined(file, capsys):
    words = (f"{file}:loss", "w=[1.0, 2.0]", "x=[1.0, 0.0]")
    assert consult(Visit(words, wrt="w")) == 1
    shown = capsys.readouterr().out
    assert "where-trap" in shown
    assert "line5" in re.sub(r"[\s│]+", "", shown)
    assert consult(Visit((*words[:2], "x=[1.0, 2.0]"), wrt="w", lang="pt")) == 0
    assert "saudável" in capsys.readouterr().out
    assert consult(Visit((f"{file}:keyed", "x=[1.0, 2.0]", "w=3.0"), wrt="w")) == 0


def test_an_expression_is_examined_and_saved(tmp_path, capsys):
    path = str(tmp_path / "d.html")
    assert consult(Visit(("sqrt(x**2)", "x=0"), save=(path,), json=True)) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["findings"][0]["code"] == "nan"
    assert "sqrt" in (tmp_path / "d.html").read_text("utf-8")


@pytest.mark.parametrize(
    "visit",
    [
        Visit(()),
        Visit(("x*y", "x=1")),
        Visit(("x*y", "x=1", "y")),
        Visit(("x*x", "x=1"), wrt="z"),
        Visit(("x*x", "x=1"), rate="fast"),
        Visit(("x*x", "x=1"), rate="-1"),
        Visit(("nowhere.py:loss", "x=1")),
    ],
)
def test_what_does_not_fit_is_refused(visit):
    with pytest.raises((BadArgument, BadValue)):
        consult(visit)
