"""The picture as data: boxes, arrows, labels and tiles with coordinates, for any printer."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from corrente.figures import Grid
from corrente.layout import Point, Spacing


class Box(NamedTuple):
    """A rectangle. `kind`: given, ours, constant, gate, deciding, fork, folded or out.

    `steps` are the circuit's steps it stands for, `wires` the wires it brings in, `tip` what to
    say when pointed at. Its texts are labels whose `box` is its place in `Scene.boxes`.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    tip: str
    steps: range
    wires: tuple[int, ...]
    layer: int


class Arrow(NamedTuple):
    """One wire, or a bundle of them, from a box's port to another's; no head if nothing reads it.

    Segments that are not level are curves with level ends, unless the metric is square. `tail`
    and `head` are (box, port): ports count from the top, inputs and outputs apart.
    """

    points: tuple[Point, ...]
    wires: tuple[int, ...]
    tail: tuple[int, int]
    head: tuple[int, int] | None
    tip: str


class Label(NamedTuple):
    """A text and the rectangle it fills. `kind`: symbol, name, value, gradient, local or more.

    `size` is the text's own. In the legend, the kind is that of what the text explains.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    size: float
    lines: tuple[str, ...]
    box: int
    inside: bool
    wires: tuple[int, ...] = ()
    alarm: bool = False
    tip: str = ""


class Tile(NamedTuple):
    """A small picture of an array: numbers from −1 to 1, None where nothing is finite."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    grid: Grid
    box: int
    tip: str = ""


class Term(NamedTuple):
    """One contribution to a gradient, and who sent it."""

    value: str
    sender: str


class Row(NamedTuple):
    """One box in one line, for printers without room for a picture."""

    kind: str
    name: str
    code: str
    symbol: str
    value: str
    gradient: str
    terms: tuple[Term, ...] = ()
    local: str = ""
    alarm: bool = False


@dataclass(frozen=True)
class Metric:
    """What a printer's unit is worth: sizes of text and the distances between things.

    `sizes` gives each kind of label its size ("" for the rest), `advance` and `leading` the width
    and height of a character of size 1. `lift` and `drop` are from a wire to the texts above and
    below it, `thick` is a wire's own thickness, `tile` the side of a heat tile (0: none).
    """

    name: str
    sizes: Mapping[str, float]
    advance: float
    leading: float
    pad: float
    rim: float
    room: float
    pitch: float
    margin: float
    lift: float
    drop: float
    thick: float
    stub: float
    tile: float
    key: float
    spacing: Spacing

    def size(self, kind: str) -> float:
        """Return the size of a label's text."""
        return self.sizes.get(kind, self.sizes[""])

    def wide(self, text: str, kind: str) -> float:
        """Return the width of a line of text."""
        return _whole(columns(text) * self.size(kind) * self.advance)

    def high(self, lines: int, kind: str) -> float:
        """Return the height of so many lines of text."""
        return _whole(lines * self.size(kind) * self.leading)


def _whole(length: float) -> float:
    return float(-(-length // 1))


def columns(text: str) -> int:
    """Return the number of terminal columns a text takes: wide characters count twice.

    >>> columns("∂ 3"), columns("重み")
    (3, 4)
    """
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


PIXELS = Metric(
    name="pixels",
    sizes={
        "sign": 24,
        "symbol": 16,
        "name": 14,
        "local": 12,
        "count": 12,
        "array": 11,
        "legend": 12,
        "note": 12,
        "": 13,
    },
    advance=0.605,
    leading=1.25,
    pad=9,
    rim=7,
    room=20,
    pitch=28,
    margin=8,
    lift=4,
    drop=4,
    thick=0,
    stub=36,
    tile=38,
    key=26,
    spacing=Spacing(between=18, gap=34, wire=10, track=10, square=False),
)
"""Graphics: one unit is one pixel at the picture's natural size."""

CELLS = Metric(
    name="cells",
    sizes={"": 1},
    advance=1,
    leading=1,
    pad=1,
    rim=1,
    room=1,
    pitch=2,
    margin=1,
    lift=0,
    drop=1,
    thick=1,
    stub=3,
    tile=0,
    key=3,
    spacing=Spacing(between=1, gap=3, wire=1, track=2, square=True),
)
"""Terminals: one unit is one character cell."""


@dataclass(frozen=True)
class Scene:
    """A circuit laid out: what to draw and where, in the metric's units.

    `legend` and `notes` stand below the circuit; the notes say what was folded. `rows` tell the
    same without coordinates.
    """

    title: str
    description: str
    lang: str
    metric: Metric
    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    labels: tuple[Label, ...]
    tiles: tuple[Tile, ...]
    legend: tuple[Label, ...]
    notes: tuple[Label, ...]
    rows: tuple[Row, ...]
