from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from runs import Writer, chain, fork, network, square, xyz

from corrente.errors import BadValue
from corrente.gates.arithmetic import add, sqrt
from corrente.scene import CELLS, lay_out
from corrente.views import svg

SVG = "{http://www.w3.org/2000/svg}"


def parse(run, **options) -> ET.Element:
    return ET.fromstring(svg.draw(lay_out(run, **options)))


def words(root: ET.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


@pytest.mark.parametrize("run", [xyz, fork, square, network, lambda: chain(2000)])
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_every_label_is_printed_once(run, lang):
    scene = lay_out(run(), lang=lang)
    root = ET.fromstring(svg.draw(scene))
    printed = words(root)
    for label in (*scene.labels, *scene.legend, *scene.notes):
        for line in label.lines:
            printed.remove(line)
    assert all(word in ("3", "∂4", "·2", "Σ") for word in printed), "samples of the legend"


def test_it_names_itself_for_those_who_do_not_see_it():
    root = parse(xyz())
    ids = {element.get("id"): element for element in root.iter() if element.get("id")}
    title, description = (ids[each] for each in root.attrib["aria-labelledby"].split())
    assert root.get("role") == "img"
    assert title.text == "Circuit of f"
    assert (description.text or "").startswith("f takes x = -2")


def test_it_survives_hosts_that_strip():
    drawn = svg.draw(lay_out(network()))
    root = ET.fromstring(drawn)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {
        "svg", "title", "desc", "style", "g", "path", "rect", "text",
    }  # fmt: skip
    assert not re.search(r"href|url\(|@import|<script|\son\w+=", drawn)
    assert drawn.count("http") == 1, "the namespace alone"


def test_light_colours_stand_on_the_elements_and_dark_ones_in_the_sheet():
    root = parse(square())
    sheet = next(root.iter(f"{SVG}style")).text or ""
    assert sheet.startswith("@media screen and (prefers-color-scheme:dark)")
    for element in root.iter():
        mark = element.get("class")
        if mark:
            assert element.get("fill")
            assert f".{mark}{{" in sheet
    assert not [mark for mark in re.findall(r"\.([a-z-]+)\{", sheet) if "corrente-" not in mark]


def contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", [0, 1], ids=["light", "dark"])
def test_texts_can_be_read(page):
    paper = svg.PAINTS["paper"].fill[page]
    for kind in ("value", "gradient", "local", "name", "note", "legend", "fold"):
        assert contrast(svg.PAINTS[kind].fill[page], paper) >= 4.5, kind
    for kind in ("given", "ours", "constant", "gate", "deciding", "folded"):
        assert contrast(svg.PAINTS["symbol"].fill[page], svg.PAINTS[kind].fill[page]) >= 4.5, kind
    for kind, box in (("local", "gate"), ("gradient", "fork"), ("count", "folded")):
        box = svg.PAINTS[box].fill[page]
        assert contrast(svg.PAINTS[kind].fill[page], box) >= 4.5, kind


def test_colour_is_never_the_only_sign():
    root = parse(xyz())
    for element in root.iter(f"{SVG}text"):
        if element.get("class") == "corrente-gradient":
            assert element.get("font-style") == "italic"
            assert (element.text or "").startswith("∂")
    outlines = {svg.PAINTS[kind].more for kind in ("given", "ours", "gate", "constant", "deciding")}
    assert len(outlines) == 5


def test_strange_names_are_escaped():
    w = Writer()
    x = w.given(1.0, '<b>&"\x00\x1b]]>')
    root = parse(w.run(w.step(sqrt, x, name="a<b & c"), wanted=(x,), name="</svg>"))
    assert "a<b & c" in words(root)
    assert "Circuit of </svg>" in (next(root.iter(f"{SVG}title")).text or "")


def test_tips_stand_on_gates_and_wires():
    root = parse(xyz())
    tips = [element.text or "" for element in root.iter(f"{SVG}title")]
    assert any("multiplies q by z" in tip for tip in tips)
    assert any(tip.startswith("q\nvalue: 3") for tip in tips)


def test_two_pictures_on_a_page_do_not_share_ids():
    one, other = (set(re.findall(r'id="([^"]+)"', svg.draw(lay_out(r())))) for r in (xyz, fork))
    assert one
    assert not one & other


def test_a_tile_is_a_few_paths():
    w = Writer()
    x = w.given(np.linspace(-1, 1, 64).reshape(8, 8), "x")
    nan = w.given(np.full((3, 3), np.nan), "n")
    root = parse(w.run(w.step(add, x, x), nan, name="f"))
    marks = [element.get("class") for element in root.iter(f"{SVG}path")]
    assert marks.count("corrente-plus") == 8, "four strengths on each of two tiles"
    assert marks.count("corrente-minus") == 8
    assert marks.count("corrente-nothing") == 1


def test_cells_are_refused():
    with pytest.raises(BadValue, match="not in pixels"):
        svg.draw(lay_out(xyz(), metric=CELLS))


def test_coordinates_are_short():
    assert [svg._n(x) for x in (1.0, -0.01, 2.25, 100.06, -3.5)] == [
        "1",
        "0",
        "2.2",
        "100.1",
        "-3.5",
    ]
