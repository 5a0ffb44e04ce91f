"""The page as text: what it holds, what it forbids, and that nothing in it is taken for code."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.views import page
from corrente.views.payload import NUMBERS

EVIL = "<img src=x onerror=alert(1)>"


def product(x, y, z):
    q = x + y
    return q * z


def saved(tmp_path: Path, program: Any, lang: str = "en") -> str:
    program.save(tmp_path / "c.html", lang)
    return (tmp_path / "c.html").read_text("utf-8")


class Reader(HTMLParser):
    """Collects the elements of a page, their attributes, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[list[Any]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = tag in ("script", "style")
        if self.inside:
            self.texts.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.texts[-1][2] += data

    def whole(self, tag: str) -> list[str]:
        """Return the text of each script that runs, or of each style."""
        return [text for name, kinds, text in self.texts if name == tag and "type" not in kinds]

    def data(self) -> dict[str, Any]:
        (text,) = (text for _, kinds, text in self.texts if kinds.get("id") == "data")
        return json.loads(text)


def test_only_what_was_written_into_it_may_run(tmp_path):
    reader = Reader(saved(tmp_path, co.trace(product)(-2.0, 5.0, -4.0)))
    (policy,) = (a["content"] for t, a in reader.tags if t == "meta" and "http-equiv" in a)
    rules = dict(rule.split(" ", 1) for rule in (policy or "").split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in (policy or "")
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        texts = reader.whole(tag)
        digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in texts]
        assert rules[kind].split() == [f"'sha256-{digest}'" for digest in digests]
    assert len(reader.whole("script")) == 2, "the circuit's own program, and the page's"


def test_it_names_no_address_and_no_handler(tmp_path):
    text = saved(tmp_path, co.trace(product)(-2.0, 5.0, -4.0))
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}, "the namespace is only a name"
    for tag, attributes in Reader(text).tags:
        assert tag not in ("link", "img", "iframe", "object", "base", "form")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert "src" not in attributes


def test_names_of_users_stay_text(tmp_path):
    def f(p):
        return p[EVIL] * p["</script><script>alert(2)</script>"]

    f.__name__ = "<b>f</b>"
    text = saved(tmp_path, co.trace(f)({EVIL: 2.0, "</script><script>alert(2)</script>": 3.0}))
    assert EVIL not in text
    assert "<script>alert" not in text
    assert "<b>f</b>" not in text
    reader = Reader(text)
    assert not [tag for tag, _ in reader.tags if tag in ("img", "b")]
    data = reader.data()
    assert data["name"] == "<b>f</b>"
    assert any(EVIL in wire[0] for wire in data["wires"])


def test_every_number_is_in_it(tmp_path):
    t = co.trace(lambda W, x: np.sum(np.tanh(W @ x)))(np.arange(6.0).reshape(2, 3), np.ones(3))
    data = Reader(saved(tmp_path, t)).data()
    for wire, told in enumerate(data["wires"]):
        for value, entry in ((t.run.values[wire], told[3]), (t.run.gradients.get(wire), told[4])):
            if value is None:
                assert entry is None
            elif np.ndim(value) == 0:
                assert entry == value
            else:
                known = data["arrays"][entry["array"]]
                numbers = np.frombuffer(base64.b64decode(known["data"]), "<f8")
                np.testing.assert_array_equal(numbers.reshape(known["shape"]), value)
    assert [step[3] for step in data["steps"]] == ["W @ x", "np.tanh(v2)", "np.sum(v3, axis=0)"]


def test_what_json_has_no_number_for_arrives(tmp_path):
    with np.errstate(all="ignore"):
        t = co.trace(lambda x: np.log(x) * 0.0)(0.0)
    data = Reader(saved(tmp_path, t)).data()
    assert [wire[3] for wire in data["wires"]][1] == "-inf"
    assert data["wires"][t.circuit.outs[0]][3] == "nan"


def test_large_arrays_are_shown_by_blocks(tmp_path):
    t = co.trace(lambda x: np.sum(x * x))(np.linspace(-1.0, 1.0, NUMBERS))
    data = Reader(saved(tmp_path, t)).data()
    large = next(known for known in data["arrays"] if "blocks" in known and "data" not in known)
    assert large["shape"] == [NUMBERS]
    assert len(large["blocks"][0]) == 32


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_it_opens_in_the_language_asked_for(tmp_path, lang):
    text = saved(tmp_path, co.trace(product)(-2.0, 5.0, -4.0), lang)
    assert f'<html lang="{"pt-BR" if lang == "pt" else "en"}">' in text
    assert Reader(text).data()["lang"] == lang


def test_every_word_of_the_page_is_in_both_languages():
    text = (files("corrente.views") / "assets" / "words.js").read_text("utf-8")
    entries = re.findall(r"^  (\w+): \[(.*?)\],$", text, re.MULTILINE | re.DOTALL)
    assert len(entries) > 90
    for key, pair in entries:
        words = re.findall(r'"((?:[^"\\]|\\.)*)"', pair)
        assert len(words) == 2, key
        assert all(words), key
        places = [sorted(re.findall(r"\{\d\}", word)) for word in words]
        assert places[0] == places[1], f"{key} speaks of different things"
    used = set()
    for name in page.SCRIPTS:
        source = (files("corrente.views") / "assets" / f"{name}.js").read_text("utf-8")
        used |= set(re.findall(r'\bsay\("(\w+)"', source))
    assert used <= {key for key, _ in entries}


def test_scripts_never_write_markup():
    for name in page.SCRIPTS:
        source = (files("corrente.views") / "assets" / f"{name}.js").read_text("utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", source
        )
        assert not re.search(r"\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|import\(", source)


def test_no_name_of_the_program_is_taken_twice():
    """All parts share one scope, and a second declaration would stop them all."""
    names: list[str] = []
    for name in page.SCRIPTS:
        source = (files("corrente.views") / "assets" / f"{name}.js").read_text("utf-8")
        names += re.findall(r"^(?:const|let|function|class) (\w+)", source, re.MULTILINE)
    assert len(names) > 150
    assert not {name for name in names if names.count(name) > 1}


def test_the_picture_is_there_without_scripts(tmp_path):
    text = saved(tmp_path, co.trace(product)(-2.0, 5.0, -4.0))
    before = text[: text.index('<script type="application/json"')]
    assert "<svg" in before
    assert ">∂ -4</text>" in before
    assert 'role="img"' in before


def test_show_in_a_browser_opens_a_file(monkeypatch):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    co.trace(product)(-2.0, 5.0, -4.0).show(browser=True)
    (address,) = opened
    assert address.startswith("file://")
    path = Path(address.removeprefix("file://"))
    assert "<!doctype html>" in path.read_text("utf-8")
    path.unlink()
    path.parent.rmdir()
