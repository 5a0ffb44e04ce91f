from __future__ import annotations

import io
import re

import pytest
from runs import Writer, chain, fork, network, square, xyz

from corrente.gates.arithmetic import sqrt
from corrente.scene import CELLS, PIXELS, lay_out
from corrente.scene.picture import columns
from corrente.views import text

XYZ = """\
┏━━━┓ -2
┃ x ┠───────╮  ╭──────╮
┗━━━┛ ∂ -4  ╰─▶│·1    │ q 3
               │    + ├───────╮
┏━━━┓ 5     ╭─▶│·1    │ ∂ -4  │
┃ y ┠───────╯  ╰──────╯       │  ╭───────╮
┗━━━┛ ∂ -4                    ╰─▶│·-4    │ -12    ┌───┐
                                 │     × ├───────▶│ f │
┏━━━┓ -4                      ╭─▶│·3     │ ∂ 1    └───┘
┃ z ┠─────────────────────────╯  ╰───────╯
┗━━━┛ ∂ 3

┏┓ ours: parameters  ╭╮ gate  3  value, above the wire
∂4 gradient, below the wire
·2 local gradient at that input"""
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def cells(run, **options):
    return lay_out(run, metric=CELLS, **options)


def test_the_first_circuit_of_the_notes():
    assert text.draw(cells(xyz())) == XYZ


@pytest.mark.parametrize("run", [xyz, fork, square, network, lambda: chain(300)])
@pytest.mark.parametrize("unicode", [True, False])
def test_every_label_is_in_its_place(run, unicode):
    scene = cells(run())
    lines = text.draw(scene, unicode=unicode).split("\n")
    for label in (*scene.labels, *scene.notes):
        if label.kind in ("sign", "symbol"):
            continue
        for k, line in enumerate(label.lines):
            x = int(label.x)
            found = lines[int(label.y) + k][x : x + columns(line)]
            assert found == line if unicode else len(found) == len(line)
    assert all(len(line) <= scene.width for line in lines)


def test_wires_can_be_followed_from_port_to_port():
    scene = cells(square())
    lines = text.draw(scene).split("\n")
    for arrow in scene.arrows:
        x, y = (int(c) for c in arrow.points[0])
        assert lines[y][x - 1] in "├┠╟ "
        assert lines[y][x] in "─╮╯┼┬"
        x, y = (int(c) for c in arrow.points[-1])
        assert lines[y][x - 1] == "▶"


def test_a_wire_that_fans_out_shows_joints_and_not_crossings():
    w = Writer()
    x = w.given(1.0, "x")
    for _ in range(3):
        w.step(sqrt, x)
    drawn = text.draw(cells(w.run(*range(1, 4))))
    assert "●" in drawn
    assert "┼" not in drawn


def test_ascii_is_ascii_and_keeps_kinds_apart():
    drawn = text.draw(cells(square(), lang="pt"), unicode=False)
    assert drawn.isascii()
    assert "# x #---" in drawn
    assert "| y +---" in drawn
    assert "bifurcacao" in drawn
    listed = text.draw(lay_out(network(), lang="pt"), unicode=False)
    assert listed.isascii()
    assert "... " in listed
    assert "sqrt" in listed


def test_too_wide_a_picture_is_listed_whole():
    scene = cells(square())
    assert text.draw(scene, width=int(scene.width)) == text.draw(scene)
    listed = text.draw(scene, width=int(scene.width) - 1)
    for row in scene.rows:
        assert any(
            row.name in line and row.value in line and row.gradient in line and row.symbol in line
            for line in listed.split("\n")
        ), row
    assert "∂x = 3 ← s = x * x, input 1" in listed
    assert "+ 0.5 ← v3 + x, input 2" in listed


def test_a_listing_says_what_was_folded():
    listed = text.draw(lay_out(chain(2000), lang="pt"))
    assert "portas estão recolhidas" in listed
    assert re.search(r"ours|nosso +w +1 +∂ 1", listed)


def test_a_scene_in_pixels_is_listed():
    assert "∂ gradient" in text.draw(lay_out(xyz(), metric=PIXELS))
    assert "╭" not in text.draw(lay_out(xyz(), metric=PIXELS))


def test_colours_only_repeat_what_is_written():
    for scene in (cells(square()), lay_out(square())):
        coloured = text.draw(scene, colour=True)
        assert ANSI.sub("", coloured) == text.draw(scene)
        assert "\x1b[32m" in coloured, "green values"
        assert re.search("\x1b\\[3;31m∂", coloured), "red, slanted gradients"


def test_wide_characters_take_two_columns():
    w = Writer()
    x = w.given(2.0, "重み")
    lines = text.draw(cells(w.run(w.step(sqrt, x), wanted=(x,)))).split("\n")
    top, name = (next(line for line in lines if sign in line) for sign in ("┏━", "重み"))
    assert columns(top[: top.index("┓")]) == columns(name[: name.index("┠")])


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def shown(monkeypatch, encoding="utf-8", **environment: str) -> str:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"COLUMNS": "120", **environment}.items():
        monkeypatch.setenv(name, value)
    raw = io.BytesIO()
    file = Terminal(raw, encoding=encoding, newline="\n")
    text.show(cells(xyz()), file=file)
    file.flush()
    return raw.getvalue().decode(encoding)


def test_show_suits_the_terminal(monkeypatch):
    assert shown(monkeypatch) == text.draw(cells(xyz()), colour=True) + "\n"
    assert shown(monkeypatch, NO_COLOR="1") == text.draw(cells(xyz())) + "\n"
    assert shown(monkeypatch, TERM="dumb") == text.draw(cells(xyz())) + "\n"
    assert shown(monkeypatch, "latin-1", NO_COLOR="1").isascii()
    assert "Circuit of f" in shown(monkeypatch, COLUMNS="30")


def test_show_writes_plain_text_where_nobody_looks(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    text.show(cells(xyz()))
    assert capsys.readouterr().out == text.draw(cells(xyz())) + "\n"


def test_show_can_head_a_listing_in_another_language(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    text.show(cells(xyz()), "pt")
    assert "gradiente" in capsys.readouterr().out
