"""The blanks in a drawing: where each one is filled, and where its number is shown again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from corrente.exercises.blanks import Blank
from corrente.scene import Label, Scene
from corrente.scene.picture import columns

_BLANK = re.compile(r"\((\d+)\)_+")


class Field(NamedTuple):
    """A blank's place in a drawing. `own`: it is filled here, and only here.

    `kind` is that of the label it stood in, value or gradient; `base` is where a text would stand
    there.
    """

    number: int
    kind: str
    x: float
    y: float
    width: float
    height: float
    base: float
    size: float
    own: bool = False


def lift_out(scene: Scene, blanks: tuple[Blank, ...]) -> tuple[Scene, list[Field]]:
    """Take the blanks out of a drawing; return it and where they were, in their order.

    A blank is a number in brackets with a line after it, as `Exercise.posed` writes it. Where one
    stands in several places, as a wire's value after a fork does, only one of them is its own.
    """
    found: dict[int, list[tuple[tuple[bool, float], Field]]] = {}
    kinds = {blank.number: blank.kind for blank in blanks}
    labels = []
    for label in scene.labels:
        for sole, field in _fields(scene, label):
            # a part is filled on its branch, a sum behind its terms
            alone = sole if kinds[field.number] == "part" else sole or _ends(label, field.number)
            found.setdefault(field.number, []).append(((not alone, field.x), field))
        lines = tuple(_BLANK.sub(lambda each: " " * len(each[0]), line) for line in label.lines)
        labels.append(label._replace(lines=lines))
    fields = []
    for number in sorted(found):
        first, *others = [field for _, field in sorted(found[number])]
        fields += [first._replace(own=True), *others]
    told = _BLANK.sub(lambda each: f"({each[1]})", scene.description)
    return replace(scene, labels=tuple(labels), description=told), fields


def _fields(scene: Scene, label: Label) -> Iterator[tuple[bool, Field]]:
    """Find the blanks in a label, and whether each is all that the label says."""
    advance = label.size * scene.metric.advance
    line = label.height / len(label.lines)
    for k, text in enumerate(label.lines):
        marks = list(_BLANK.finditer(text))
        for mark in marks:
            x = label.x + columns(text[: mark.start()]) * advance
            y = label.y + line * k
            base = y + line * 0.5 + label.size * 0.36
            width = columns(mark[0]) * advance
            field = Field(int(mark[1]), label.kind, x, y, width, line, base, label.size)
            yield len(marks) == 1, field


def _ends(label: Label, number: int) -> bool:
    return any(re.search(rf"= \({number}\)_+$", line) for line in label.lines)
