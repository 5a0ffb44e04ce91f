"""A function in a user's file: found, fitted, and blamed on the right line."""

import sys

import pytest

from corrente import loading
from corrente.errors import BadArgument, CorrenteError


@pytest.fixture
def model(tmp_path):
    def write(source, name="model.py"):
        path = tmp_path / name
        path.write_text(source)
        return path

    return write


def test_loads_a_function_and_leaves_nothing_behind(model):
    model("factor = 3", "beside.py")
    path = model("def loss(x):\n    import beside\n    return beside.factor * x\n")
    before, modules = list(sys.path), set(sys.modules)
    with loading.load(f"{path}:loss") as loss:
        assert loss(2.0) == 6.0
    assert sys.path == before
    sys.modules.pop("beside")
    assert set(sys.modules) == modules


def test_a_file_may_have_the_name_of_a_library(model):
    json = sys.modules["json"]
    path = model(
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    w: float\n"
        "def f(x):\n    return P(x).w\n",
        "json.py",
    )
    with loading.load(f"{path}:f") as f:
        assert f(1.0) == 1.0
    assert sys.modules["json"] is json


@pytest.mark.parametrize("target", ["", "model.py", ":loss", "model.py:", "none.py:f", ".:f"])
def test_names_what_is_missing(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadArgument), loading.load(target):
        pass


def test_suggests_a_function(model):
    path = model("def loss(x): ...\ndef other(x): ...\nn = 3\n")
    with (
        pytest.raises(BadArgument, match="one of its functions: loss"),
        loading.load(f"{path}:los"),
    ):
        pass
    with pytest.raises(BadArgument, match="one of its functions: loss, other"):
        loading.load(f"{path}:n").__enter__()


RAISING = [
    ("import nothing_of_that_name\n", "ModuleNotFoundError", "line 1"),
    ("\nraise SystemExit(3)\n", "SystemExit: 3", "line 2"),
    ("\nx = [\n", "SyntaxError", "line 2"),
    ("def f(x):\n    return {}['k']\n", "KeyError: 'k'", "line 2"),
    ("import json\ndef f(x):\n    return json.loads('{')\n", "JSONDecodeError", "line 3"),
]


@pytest.mark.parametrize(("source", "said", "line"), RAISING)
def test_blames_the_line_of_the_file(model, source, said, line):
    with pytest.raises(CorrenteError) as caught, loading.load(f"{model(source)}:f") as f:
        f(1.0)
    assert said in caught.value.what.en
    assert f"model.py, {line}:" in caught.value.render()
    assert caught.value.render("pt") != caught.value.render()


def test_interrupts_pass(model):
    with (
        pytest.raises(KeyboardInterrupt),
        loading.load(f"{model('raise KeyboardInterrupt')}:f"),
    ):
        pass


def some(a, /, b=2, *rest, c, d=4):
    """Take arguments of every kind."""


def test_fits_arguments():
    assert loading.fit(some, "some", {"c": 3, "a": 1}) == ({"a": 1}, {"c": 3})
    assert loading.fit(some, "some", {"b": 5, "c": 3, "a": 1}) == ({"a": 1}, {"b": 5, "c": 3})
    assert loading.fit(lambda **k: k, "f", {"q": 1}) == ({}, {"q": 1})
    assert loading.fit(lambda a=1, b=2: 0, "f", {"b": 1}) == ({}, {"b": 1})


def test_names_every_misfit():
    with pytest.raises(BadArgument) as caught:
        loading.fit(some, "some", {"q": 1, "r": 2})
    assert caught.value.what.en == "some: missing: a, c; unknown: q, r."
    assert caught.value.what.pt == "some: falta: a, c; desconhecido: q, r."
    assert "a, b=2" in caught.value.mend.en
