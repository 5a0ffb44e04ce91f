"""The command `corrente diagnose`: files, expressions, exit status, refusals."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from corrente.consultation import Visit, consult
from corrente.errors import BadArgument, BadValue, CorrenteError

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


LINE = """
import numpy as np

def loss(w, X, y):
    return np.mean((X @ w - y) ** 2)
"""


def test_rows_and_rates_are_printed_and_written(tmp_path, capsys):
    path = tmp_path / "line.py"
    path.write_text(LINE)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    y = X @ [1.0, 2.0] + 0.1 * rng.normal(size=40)
    y[11] = 5000.0
    np.savez(tmp_path / "d.npz", X=X, y=y)
    files = tmp_path / "d.npz"
    words = (f"{path}:loss", "w=[0.0, 0.0]", f"X=@{files}:X", f"y=@{files}:y")
    saved = str(tmp_path / "d.html")
    assert consult(Visit(words, wrt="w", lang="pt", save=(saved,))) == 1
    shown = re.sub(r"[\s│]+", " ", capsys.readouterr().out)
    assert "a linha 11 de 40 faz a maior parte" in shown
    assert "linhas: 40 de 40 examinadas" in shown
    assert "taxa: a maior estável" in shown
    assert (tmp_path / "d.html").read_text("utf-8").count("<svg") == 2
    assert consult(Visit(words, wrt="w", json=True)) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["contributions"]["rows"][0] == 11
    assert told["rates"]["stable"] > 0
    assert [finding["code"] for finding in told["findings"]] == ["row-share"]


TYPED = """
import numpy as np

def loss(W, X, y, flag=False, power=2.0):
    return np.mean((X @ W - y) ** power)

def nested(p, *, scale=1):
    return np.sum((p["W"] * scale) ** 2)

def broken(W):
    return np.sum(W @ np.ones(5))

def told(flag):
    return 1.0
"""
WORDS = ("W=[1, 2]", "X=[[1, 2], [3, 5], [4, 4]]", "y=1")


@pytest.fixture
def typed(tmp_path):
    path = tmp_path / "typed.py"
    path.write_text(TYPED)
    return path


@pytest.mark.parametrize("wrt", [None, "W", "W, W"])
def test_typed_whole_numbers_are_floats_where_they_are_parameters(typed, wrt, capsys):
    consult(Visit((f"{typed}:loss", *WORDS), wrt=wrt, json=True))
    told = json.loads(capsys.readouterr().out)
    assert told["value"] == pytest.approx((4.0**2 + 12.0**2 + 11.0**2) / 3)
    assert told["budget"][0]["parameter"] == "W"


@pytest.mark.parametrize(("scale", "value"), [((), 5.0), (("scale=3",), 45.0)])
def test_whole_numbers_in_objects_are_floats_too(typed, scale, value, capsys):
    assert consult(Visit((f"{typed}:nested", 'p={"W": [1, 2]}', *scale), json=True)) == 0
    assert json.loads(capsys.readouterr().out)["value"] == value


@pytest.mark.parametrize("wrt", [None, "W"])
def test_the_function_s_own_error_comes_through(typed, wrt):
    with pytest.raises(Exception, match=r"matmul|mismatch") as raised:
        consult(Visit((f"{typed}:broken", "W=[1, 2]"), wrt=wrt))
    assert "wrt" not in str(raised.value)


def test_a_bad_place_to_save_comes_through(typed, tmp_path):
    visit = Visit((f"{typed}:loss", *WORDS), save=(str(tmp_path / "d.pdf"),))
    with pytest.raises(BadValue, match="pdf"):
        consult(visit)
    with pytest.raises(CorrenteError, match="no folder"):
        consult(visit._replace(save=(str(tmp_path / "no" / "d.html"),)))


@pytest.mark.parametrize("wrt", [None, "flag"])
def test_an_argument_without_numbers_is_named(typed, wrt):
    with pytest.raises(BadArgument, match=r"no numbers to differentiate by in: flag\.") as raised:
        consult(Visit((f"{typed}:told", "flag=true"), wrt=wrt))
    assert "wrt" not in raised.value.what.en
    assert "não há números" in raised.value.render("pt")
