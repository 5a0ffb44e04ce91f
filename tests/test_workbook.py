"""The exercise as a page, as text: the same by seed, closed to everything, in both languages."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from corrente.exercises import LEVELS, command, exercise, write_page
from corrente.exercises.fields import lift_out
from corrente.exercises.sheets import picture
from corrente.exercises.workbook import WORDS
from corrente.scene import PIXELS
from corrente.words import LANGUAGES

every = pytest.mark.parametrize(
    ("level", "seed"), [(level, seed) for level in LEVELS for seed in range(6)]
)
levels = pytest.mark.parametrize("level", LEVELS)


def data_of(text: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


@levels
def test_the_same_seed_gives_the_same_page(level):
    assert write_page(exercise(level, 7)) == write_page(exercise(level, 7))
    assert write_page(exercise(level, 7)) != write_page(exercise(level, 8))


@every
def test_every_blank_is_filled_in_one_place(level, seed):
    task = exercise(level, seed)
    text = write_page(task)
    found = re.findall(r'<input [^>]*id="blank-(\d+)"', text)
    assert found == [str(blank.number) for blank in task.blanks], "in the order of work"
    for number, again in re.findall(r'data-again="(\d+)"[^>]*>\((\d+)\)</text>', text):
        assert number == again


@every
def test_fields_stand_where_the_blanks_stood(level, seed):
    task = exercise(level, seed)
    posed = picture(task.posed(line="______"), "en", PIXELS)
    drawn, fields = lift_out(posed, task.blanks)
    kinds = {blank.number: blank.kind for blank in task.blanks}
    assert not [text for label in drawn.labels for text in label.lines if "_" in text]
    assert "_" not in drawn.description
    assert len(fields) == sum(
        text.count("______") for label in posed.labels for text in label.lines
    )
    own = [field for field in fields if field.own]
    assert [field.number for field in own] == list(kinds)
    for field in own:
        assert field.kind == ("value" if kinds[field.number] == "value" else "gradient")
        assert 0 <= field.x <= field.x + field.width <= posed.width
        assert 0 <= field.y <= field.y + field.height <= posed.height
    for k, one in enumerate(fields):
        for other in fields[k + 1 :]:
            apart_x = one.x + one.width <= other.x or other.x + other.width <= one.x
            apart_y = one.y + one.height <= other.y or other.y + other.height <= one.y
            assert apart_x or apart_y, "two fields lie on one another"


@every
def test_a_part_is_filled_on_its_branch_and_a_sum_behind_its_terms(level, seed):
    task = exercise(level, seed)
    posed = picture(task.posed(line="______"), "en", PIXELS)
    _, fields = lift_out(posed, task.blanks)
    kinds = {blank.number: blank.kind for blank in task.blanks}
    for field in (field for field in fields if field.own and kinds[field.number] != "value"):
        (text,) = {
            line
            for label in posed.labels
            for line in label.lines
            if f"({field.number})" in line
            and (label.x <= field.x <= label.x + label.width)
            and label.y <= field.y < label.y + label.height
        }
        if kinds[field.number] == "part":
            assert text == f"∂ ({field.number})______"
        else:
            assert text.endswith(f"({field.number})______")


@levels
def test_it_is_closed_to_everything(level):
    text = write_page(exercise(level, 1))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        found = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in found]
        assert rules[kind].split() == [f"'sha256-{digest}'" for digest in digests]
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
    assert not re.search(r"<(link|img|iframe|object|form)\b|\son\w+=|\ssrc=|\sstyle=", text)


def test_its_program_writes_no_markup_and_asks_no_network():
    source = (files("corrente.exercises") / "assets" / "workbook.js").read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b", source)
    assert not re.search(r"\bfetch\b|XMLHttpRequest|WebSocket|sendBeacon|import\(", source)


def test_every_word_is_used_and_in_both_languages():
    folder = files("corrente.exercises") / "assets"
    script = (folder / "workbook.js").read_text("utf-8")
    page = (folder / "workbook.html").read_text("utf-8")
    used = set(re.findall(r'\b(?:say|pair)\("(\w+)"', script))
    used |= set(re.findall(r'data-(?:say|label)="(\w+)"', page))
    used |= set(re.findall(r'"(\w+)"\]', script)) & set(WORDS)
    assert used == set(WORDS)
    for says in WORDS.values():
        assert says.en != ""
        assert says.pt != ""
        places = [sorted(re.findall(r"\{\d\}", each)) for each in says]
        assert places[0] == places[1]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_it_opens_in_the_language_asked_for(lang):
    task = exercise(2, 3)
    text = write_page(task, lang)
    assert f'<html lang="{ {"en": "en", "pt": "pt-BR"}[lang] }">' in text
    data = data_of(text)
    assert data["lang"] == lang
    for told, blank in zip(data["blanks"], task.blanks, strict=True):
        assert told["asks"] == list(blank.asks)
        assert told["working"] == list(blank.working)
        assert f"({blank.number}) {blank.asks.into(lang)}" in text


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_a_page(tmp_path, capsys):
    path = tmp_path / "sheet.html"
    command(["--level", "2", "--seed", "3", "--html", str(path), "--lang", "pt"])
    assert capsys.readouterr().out == f"gravado: {path}\n"
    assert path.read_text("utf-8") == write_page(exercise(2, 3), "pt")


def test_the_command_opens_a_page(monkeypatch, capsys):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    command(["--level", "3", "--seed", "3", "--open"])
    (address,) = opened
    path = Path(address.removeprefix("file://"))
    assert str(path) in capsys.readouterr().out
    assert path.read_text("utf-8") == write_page(exercise(3, 3))
    path.unlink()
    path.parent.rmdir()


def test_the_command_opens_the_page_it_was_told_to_write(monkeypatch, tmp_path, capsys):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.chdir(tmp_path)
    command(["--seed", "3", "--sheet", "a.txt", "--html", "b.html", "--open"])
    assert opened == [(tmp_path / "b.html").as_uri()]
    assert capsys.readouterr().out == "saved: a.txt\nsaved: b.html\n"
