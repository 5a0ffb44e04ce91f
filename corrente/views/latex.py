r"""A scene and its run as LaTeX: the circuit in TikZ, and the derivation in aligned equations.

The file compiles alone; with the `standalone` package it can also be read by another with
`\input`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from corrente.circuit import Run
from corrente.errors import BadValue
from corrente.scene import Arrow, Box, Label, Scene, Tile
from corrente.scene.shapes import TITLES
from corrente.views.derivation import derive
from corrente.views.svg import HEAD, PAINTS
from corrente.views.typeset import escape
from corrente.words import Says

_POINTS = 0.75  # TeX points to a pixel
_CORNERS = {"given": 0, "ours": 9, "gate": 6, "deciding": 6, "fork": 6, "folded": 3, "out": 3}
_LINES = {
    "given": "dash pattern=on 3pt off 2.2pt, line width=1.1pt",
    "ours": "line width=1.5pt",
    "deciding": "dash pattern=on 5pt off 3pt, line width=1.1pt",
    "gate": "line width=1.1pt",
    "fork": "line width=1.1pt",
    "folded": "double, line width=0.7pt",
    "out": "line width=1.1pt",
}
_SIZE = 10.0  # of \normalsize, in points
_DOCUMENT = Says("Circuit and derivation of {0}", "Circuito e derivação de {0}")

_PREAMBLE = r"""
\documentclass[multi={circuit,derivation},border=10pt]{standalone}
\usepackage{amsmath,textcomp,tikz}
\frenchspacing
\newenvironment{circuit}{}{}
\newenvironment{derivation}{\begin{tabular}{@{}l@{}}}{\end{tabular}}
"""


def draw(scene: Scene, run: Run) -> str:
    r"""Write a LaTeX document: one page with the circuit, and one for each part of the derivation.

    The scene must be laid out in pixels (`scene.PIXELS`), or BadValue; its language is that of
    the words. The text is ASCII, and names are escaped: what they say stays text.
    """
    if scene.metric.thick:
        raise BadValue(
            Says(
                "this picture is laid out in {0}, not in pixels.",
                "este desenho está disposto em {0}, não em pixels.",
            ).fill(scene.metric.name),
            Says("lay_out(run, metric=PIXELS)", "lay_out(run, metric=PIXELS)"),
        )
    title = escape(_DOCUMENT.fill(run.name).into(scene.lang))
    lines = [f"% {title}", *_PREAMBLE.strip().split("\n"), *_colours(), r"\begin{document}"]
    lines += [r"\begin{circuit}", *_picture(scene), r"\end{circuit}"]
    for heading, equations in derive(run, scene.lang):
        lines += _derivation(heading, equations)
    return "\n".join([*lines, r"\end{document}", ""])


def _derivation(heading: str, equations: Iterable[str]) -> Iterator[str]:
    yield r"\begin{derivation}"
    yield rf"\textbf{{{escape(heading)}}} \\[1ex]"
    yield r"$\begin{aligned}"
    yield " \\\\[0.6ex]\n".join(equations)
    yield r"\end{aligned}$"
    yield r"\end{derivation}"


def _colours() -> Iterator[str]:
    """Define each paint's light colours, those of the SVG."""
    for name, paint in PAINTS.items():
        for part, (light, _) in (("fill", paint.fill), ("line", paint.line)):
            if light != "none":
                yield rf"\definecolor{{corrente {name} {part}}}{{HTML}}{{{light[1:].upper()}}}"


# --- the picture ---------------------------------------------------------------------------------


def _picture(scene: Scene) -> Iterator[str]:
    yield rf"\begin{{tikzpicture}}[x={_POINTS}pt, y=-{_POINTS}pt, inner sep=0pt, outer sep=0pt]"
    for arrow in scene.arrows:
        yield from _arrow(arrow, scene)
    for box in scene.boxes:
        yield from _box(box)
    for tile in scene.tiles:
        yield from _tile(tile)
    kinds = [box.kind for box in scene.boxes]
    for label in scene.labels:
        yield from _text(label, kinds[label.box] if label.inside else "")
    for label in scene.legend:
        yield from _key(scene, label)
        yield from _text(label._replace(kind="legend"))
    for label in scene.notes:
        yield from _text(label)
    yield r"\end{tikzpicture}"


def _arrow(arrow: Arrow, scene: Scene) -> Iterator[str]:
    aside = arrow.head is not None and scene.boxes[arrow.head[0]].kind == "deciding"
    width = "3pt" if len(arrow.wires) > 1 else "1.1pt"
    style = "dash pattern=on 5pt off 3pt, " if aside else ""
    *before, (x, y) = arrow.points
    points = [*before, (x - HEAD + 1, y)] if arrow.head else list(arrow.points)
    (px, py), *rest = points
    path = f"({_n(px)},{_n(py)})"
    for qx, qy in rest:
        if qy == py:
            path += f" -- ({_n(qx)},{_n(qy)})"
        else:
            middle = (px + qx) / 2
            path += f" .. controls ({_n(middle)},{_n(py)}) and ({_n(middle)},{_n(qy)}) .."
            path += f" ({_n(qx)},{_n(qy)})"
        px, py = qx, qy
    yield rf"\draw[{style}corrente wire line, line width={width}] {path};"
    if arrow.head:
        a, b, c = (x, y), (x - HEAD, y - 4.5), (x - HEAD, y + 4.5)
        corners = " -- ".join(f"({_n(px)},{_n(py)})" for px, py in (a, b, c))
        yield rf"\fill[corrente wire line] {corners} -- cycle;"


def _box(box: Box) -> Iterator[str]:
    yield from _outline(box.kind, box.x, box.y, box.width, box.height)


def _outline(kind: str, x: float, y: float, width: float, height: float) -> Iterator[str]:
    paint = PAINTS[kind]
    style = [f"fill=corrente {kind} fill"] if paint.fill[0] != "none" else []
    if paint.line[0] != "none":
        style += [f"draw=corrente {kind} line", _LINES.get(kind, "line width=0.4pt")]
    corner = min(_CORNERS.get(kind, 0), height / 2 * _POINTS)
    if corner:
        style.append(f"rounded corners={_n(corner)}pt")
    ends = f"({_n(x)},{_n(y)}) rectangle ({_n(x + width)},{_n(y + height)})"
    yield rf"\path[{', '.join(style)}] {ends};"


def _text(label: Label, box: str = "") -> Iterator[str]:
    line = label.height / len(label.lines)
    middle = label.kind in TITLES
    paint = label.kind
    if middle and paint != "count":
        paint = {"out": "inverse", "fork": "gradient", "ours": "name"}.get(box, "symbol")
    x = label.x + label.width / 2 if middle else label.x
    anchor = "base" if middle else "base west"
    face = r"\ttfamily"
    face += r"\bfseries" if label.alarm or "bold" in PAINTS[paint].more else ""
    face += r"\itshape" if "italic" in PAINTS[paint].more else ""
    scale = label.size * _POINTS / _SIZE
    for k, text in enumerate(label.lines):
        y = label.y + line * (k + 0.5) + label.size * 0.36
        style = f"anchor={anchor}, scale={_n(scale, 3)}, text=corrente {paint} fill, font={face}"
        yield rf"\node[{style}] at ({_n(x)},{_n(y)}) {{{escape(text)}}};"


def _tile(tile: Tile) -> Iterator[str]:
    """Draw a tile, a square a cell: orange above nought, blue below, the stronger the farther."""
    wide, high = tile.width / len(tile.grid[0]), tile.height / len(tile.grid)
    for row, cells in enumerate(tile.grid):
        for column, cell in enumerate(cells):
            paint = "nothing" if cell is None else "plus" if cell > 0 else "minus"
            strength = 1.0 if cell is None else abs(cell)
            if strength >= 0.05:
                x, y = tile.x + column * wide, tile.y + row * high
                ends = f"({_n(x)},{_n(y)}) rectangle ({_n(x + wide)},{_n(y + high)})"
                style = f"corrente {paint} fill, fill opacity={_n(strength, 2)}"
                yield rf"\fill[{style}] {ends};"
    right, bottom = tile.x + tile.width, tile.y + tile.height
    ends = f"({_n(tile.x)},{_n(tile.y)}) rectangle ({_n(right)},{_n(bottom)})"
    yield rf"\draw[corrente frame line, line width=0.4pt] {ends};"


def _key(scene: Scene, label: Label) -> Iterator[str]:
    """Draw the sample that stands before a line of the legend."""
    width, height = scene.metric.key - 8, 12.0
    x, y = label.x - scene.metric.key, label.y + label.height / 2 - 6
    sample = {"value": "3", "gradient": "∂4", "local": "·2", "fork": "Σ"}.get(label.kind, "")
    if label.kind == "fork":
        width = 12.0
    if label.kind in ("value", "gradient"):
        level = y + (12 if label.kind == "value" else 2)
        ends = f"({_n(x)},{_n(level)}) -- ({_n(x + width)},{_n(level)})"
        yield rf"\draw[corrente wire line, line width=1.1pt] {ends};"
        y += -1 if label.kind == "value" else 3
    elif label.kind != "local":
        yield from _outline(label.kind, x, y, width, height)
    if sample:
        paint = "gradient" if label.kind == "fork" else label.kind
        at = f"({_n(x + width / 2)},{_n(y + 10)})"
        font = r"font=\ttfamily"
        yield (
            rf"\node[anchor=base, scale={_n(11 * _POINTS / _SIZE, 3)}, text=corrente {paint} fill, "
            rf"{font}] at {at} {{{escape(sample)}}};"
        )


def _n(value: float, digits: int = 1) -> str:
    """Write a number with at most so many decimals."""
    return f"{round(value, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".")
