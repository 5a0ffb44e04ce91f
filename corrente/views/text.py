"""A scene in characters: a drawing with box lines, or one line a step where there is no room."""

from __future__ import annotations

import io
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby, pairwise
from typing import Any, NamedTuple, TextIO

from corrente.scene import CELLS, Arrow, Box, Label, Row, Scene
from corrente.scene.picture import columns
from corrente.scene.shapes import TITLES
from corrente.words import Says

METRIC = CELLS
"""Lay a scene out with this to have it drawn; any other is listed."""

UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8

_LINES = " ╵╶╰╷│╭├╴╯─┴╮┤┬┼"  # by the sum of the directions a cell leads to
_HEAD = "▶"
_OUTLINES = {  # four corners, level side, upright side, and where a wire leaves
    "given": "┌┐└┘─│├",
    "ours": "┏┓┗┛━┃┠",
    "gate": "╭╮╰╯─│├",
    "deciding": "╭╮╰╯╌╎├",
    "fork": "╭╮╰╯─│├",
    "folded": "╔╗╚╝═║╟",
    "out": "┌┐└┘─│├",
    "constant": "       ",
}
_KEYS = {
    "given": "┌┐",
    "ours": "┏┓",
    "constant": "1",
    "gate": "╭╮",
    "deciding": "╎╎",
    "folded": "╔╗",
    "value": "3",
    "gradient": "∂4",
    "local": "·2",
    "fork": "Σ",
}
_STYLES = {
    "value": "green",
    "gradient": "italic red",
    "name": "bold",
    "sign": "bold",
    "symbol": "bold",
    "fork": "red",
    "local": "dim",
    "count": "dim",
    "deciding": "dim",
    "note": "dim",
    "wire": "dim",
}

# One for one, so that an ASCII drawing keeps its columns.
_ASCII = {
    **dict.fromkeys("─", "-"),
    **dict.fromkeys("│", "|"),
    **dict.fromkeys("╌", "."),
    **dict.fromkeys("╎", ":"),
    **dict.fromkeys("━═", "="),
    **dict.fromkeys("┌┐└┘├┤┬┴┼╵╶╷╴●", "+"),
    **dict.fromkeys("╭╮", "."),
    **dict.fromkeys("╰╯", "'"),
    **dict.fromkeys("┏┓┗┛┃┠", "#"),
    **dict.fromkeys("╔╗╚╝║╟", "%"),
    **dict.fromkeys("−–", "-"),
    "▶": ">", "∂": "d", "Σ": "S", "×": "*", "÷": "/", "·": ".", "≤": "<", "≡": "=", "…": "~",
    "⋯": "~", "μ": "m", "√": "V", "∅": "0", "←": "<", "\N{NO-BREAK SPACE}": " ",
}  # fmt: skip
# Where there is room, words.
_SPELLED = {"∂ ": "d ", "∂": "d", "√": "sqrt", "≤": "<=", "≡": "==", "…": "...", "←": "<-"}

_HEADINGS = (
    Says("what", "o quê"),
    Says("name", "nome"),
    Says("gate", "porta"),
    Says("value", "valor"),
    Says("∂ gradient", "∂ gradiente"),
    Says("· local", "· local"),
)
_COLUMNS = ("dim", "bold", "", "value", "gradient", "local")
_VALUE, _GRADIENT = _COLUMNS.index("value"), _COLUMNS.index("gradient")
_KINDS = {
    "given": Says("given", "dado"),
    "ours": Says("ours", "nosso"),
    "constant": Says("constant", "constante"),
    "gate": Says("", ""),
    "deciding": Says("decides", "decide"),
    "folded": Says("folded", "recolhido"),
    "out": Says("output", "saída"),
}


class Cell(NamedTuple):
    """One character and how it is styled."""

    character: str
    style: str


Line = list[Cell]


def draw(
    scene: Scene, *, width: int | None = None, unicode: bool = True, colour: bool = False
) -> str:
    """Print a scene as text, at most `width` columns wide where that can be.

    A scene in character cells (`scene.CELLS`) is drawn from left to right; one that is too wide,
    or laid out in pixels, is told one line a step, and nothing is left out: where even a line is
    too wide, gradients stand below the values. `unicode=False` keeps
    to ASCII; `colour=True` adds ANSI colours, which only repeat what place and signs say.
    """
    pictured = bool(scene.metric.thick) and (width is None or scene.width <= width)
    lines = _picture(scene) if pictured else _listing(scene, unicode, width)
    if not unicode:
        lines = [[cell._replace(character=_plain(cell.character)) for cell in x] for x in lines]
    if colour:
        return _coloured(lines)
    return "\n".join("".join(cell.character for cell in line) for line in lines)


def show(scene: Scene, lang: str | None = None, *, file: TextIO | None = None) -> None:
    """Print a scene to a terminal or file (standard output by default), as suits it.

    Colours only on a terminal, and not when NO_COLOR is set or TERM is dumb; ASCII where the
    file's encoding has no box lines; no wider than the terminal. `lang` is for the headings of a
    listing, the scene's own if not given.
    """
    scene = scene if lang is None else replace(scene, lang=lang)
    out = file or sys.stdout
    terminal = bool(getattr(out, "isatty", bool)())
    colour = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = shutil.get_terminal_size((100, 24)).columns
    unicode = _carries(getattr(out, "encoding", None) or "ascii")
    print(draw(scene, width=width, unicode=unicode, colour=colour), file=file)


def _carries(encoding: str) -> bool:
    """Tell whether an encoding has the signs that drawings use."""
    try:
        "".join(("─│╭┏╔▶∂Σ≤×·…", _LINES)).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# --- the drawing ---------------------------------------------------------------------------------


class _Canvas:
    """A grid of cells, and for each the directions that wires leave it by."""

    def __init__(self, width: int, height: int) -> None:
        self.cells = [[Cell(" ", "")] * width for _ in range(height)]
        self.ways: dict[tuple[int, int], dict[tuple[int, int], int]] = {}

    def put(self, x: float, y: float, text: str, style: str = "") -> None:
        column, row = int(x), self.cells[int(y)]
        for character in text:
            if unicodedata.combining(character) and column > 0:
                row[column - 1] = Cell(row[column - 1].character + character, style)
                continue
            row[column] = Cell(character, style)
            for _ in range(columns(character) - 1):
                column += 1
                row[column] = Cell("", style)
            column += 1

    def start(self, net: tuple[int, int], x: float, y: float) -> None:
        """Let a wire come out of the box at the left of a cell."""
        self._lead(int(x), int(y), net, LEFT)

    def run(self, net: tuple[int, int], x: float, y: float, px: float, py: float) -> None:
        """Lead a wire from one cell to another in its row or column."""
        x, y, px, py = int(x), int(y), int(px), int(py)
        ahead, back = (RIGHT, LEFT) if y == py else (DOWN, UP)
        (x, y), (px, py) = sorted([(x, y), (px, py)])
        while (x, y) != (px, py):
            self._lead(x, y, net, ahead)
            x, y = (x + 1, y) if ahead == RIGHT else (x, y + 1)
            self._lead(x, y, net, back)

    def _lead(self, x: int, y: int, net: tuple[int, int], way: int) -> None:
        ways = self.ways.setdefault((x, y), {})
        ways[net] = ways.get(net, 0) | way

    def wire(self) -> None:
        """Write the wires: one that forks shows a joint, two that cross show a bridge."""
        for (x, y), ways in self.ways.items():
            if len(ways) == 1:
                (way,) = ways.values()
                sign = "●" if way == UP | RIGHT | DOWN | LEFT else _LINES[way]
            else:
                sign = "┼"
            self.put(x, y, sign, _STYLES["wire"])


def _picture(scene: Scene) -> list[Line]:
    canvas = _Canvas(int(scene.width) + 1, int(scene.height) + 1)
    for arrow in scene.arrows:
        _lead(canvas, arrow)
    canvas.wire()
    for box in scene.boxes:
        _outline(canvas, box)
    for arrow in scene.arrows:
        kind, (x, y) = scene.boxes[arrow.tail[0]].kind, arrow.points[0]
        canvas.put(x - 1, y, _OUTLINES[kind][-1], _STYLES.get(kind, ""))
        if arrow.head:
            canvas.put(arrow.points[-1][0] - 1, arrow.points[-1][1], _HEAD, _STYLES["wire"])
    for label in (*scene.labels, *scene.notes):
        _write(canvas, label)
    for label in scene.legend:
        style = _STYLES.get(label.kind, "")
        canvas.put(label.x - scene.metric.key, label.y, _KEYS[label.kind], style)
        _write(canvas, label._replace(kind="legend"))
    return _trimmed(canvas.cells)


def _outline(canvas: _Canvas, box: Box) -> None:
    right, bottom = box.x + box.width - 1, box.y + box.height - 1
    style = _STYLES.get(box.kind, "")
    a, b, c, d, level, upright, _ = _OUTLINES[box.kind]
    span = level * int(box.width - 2)
    canvas.put(box.x, box.y, a + span + b, style)
    canvas.put(box.x, bottom, c + span + d, style)
    for row in range(int(box.y) + 1, int(bottom)):
        canvas.put(box.x, row, upright, style)
        canvas.put(right, row, upright, style)


def _lead(canvas: _Canvas, arrow: Arrow) -> None:
    canvas.start(arrow.tail, *arrow.points[0])
    for (x, y), (px, py) in pairwise(arrow.points):
        canvas.run(arrow.tail, x, y, px, py)


def _write(canvas: _Canvas, label: Label) -> None:
    style = _STYLES.get(label.kind, "")
    if label.alarm:
        style = f"bold {style}".strip()
    for k, line in enumerate(label.lines):
        x = label.x
        if label.kind in TITLES:
            x += (label.width - columns(line)) // 2
        canvas.put(x, label.y + k, line, style)


def _trimmed(lines: Iterable[Line]) -> list[Line]:
    """Drop blanks at the right, and blank lines at the end."""
    kept = []
    for line in lines:
        line = list(line)
        while line and line[-1].character in (" ", ""):
            line.pop()
        kept.append(line)
    while kept and not kept[-1]:
        kept.pop()
    return kept


# --- the listing ---------------------------------------------------------------------------------


def _listing(scene: Scene, unicode: bool, width: int | None) -> list[Line]:
    """Tell the scene one line a step, in columns; the terms of a sum go below it."""
    heads = [heading.into(scene.lang) for heading in _HEADINGS]
    table = [heads, *(_fields(row, scene.lang) for row in scene.rows)]
    if not unicode:
        table = [[_spelled(field) for field in fields] for fields in table]
    shown = [k for k in range(len(heads)) if any(fields[k] for fields in table[1:])]
    widths = {k: max(columns(fields[k]) for fields in table) for k in shown}
    stacked = width is not None and sum(widths.values()) + 2 * len(widths) - 2 > width
    if stacked and _GRADIENT in widths:
        widths[_VALUE] = max(widths[_VALUE], widths.pop(_GRADIENT))
    else:
        stacked = False
    lines = [_cells(scene.title, "bold"), []]
    lines += _told(table[0], widths, ["dim"] * len(heads), stacked)
    for row, fields in zip(scene.rows, table[1:], strict=True):
        lines += _told(fields, widths, [_STYLES.get(each, each) for each in _COLUMNS], stacked)
        if len(row.terms) > 1:
            lines += _sum(row, unicode)
    lines.append([])
    for note in scene.notes:
        text = note.lines[0]
        lines.append(_cells(text if unicode else _spelled(text), "dim"))
    return _trimmed(lines)


def _told(
    fields: Sequence[str], widths: dict[int, int], styles: Sequence[str], stacked: bool
) -> Iterator[Line]:
    """Write one row; stacked, its gradient stands in a line of its own below the value."""
    yield _columns(fields, widths, styles)
    if stacked and fields[_GRADIENT]:
        before = sum(width + 2 for k, width in widths.items() if k < _VALUE)
        yield [*_cells(" " * before, ""), *_cells(fields[_GRADIENT], styles[_GRADIENT])]


def _fields(row: Row, lang: str) -> list[str]:
    kind = _KINDS[row.kind].into(lang)
    name = f"{row.name} = {row.code}" if row.code and row.name else row.name or row.code
    gradient = f"∂ {row.gradient}" if row.gradient else ""
    return [kind, name, row.symbol, row.value, gradient, row.local]


def _columns(fields: Sequence[str], widths: dict[int, int], styles: Sequence[str]) -> Line:
    line: Line = []
    for k, width in widths.items():
        line += _cells(fields[k] + " " * (width - columns(fields[k]) + 2), styles[k])
    return line


def _sum(row: Row, unicode: bool) -> Iterator[Line]:
    for k, term in enumerate(row.terms):
        sign = f"∂{row.name} =" if k == 0 else " " * len(row.name) + "  +"
        text = f"    {sign} {term.value} ← {term.sender}"
        yield _cells(text if unicode else _spelled(text), _STYLES["gradient"])


def _cells(text: str, style: str) -> Line:
    return [Cell(character, style) for character in text]


# --- out -----------------------------------------------------------------------------------------


def _plain(character: str) -> str:
    """Put one ASCII character for another: accents go, and unknown signs become ?."""
    return "".join(c if c.isascii() else _ASCII.get(c) or _unaccented(c) for c in character)


def _unaccented(character: str) -> str:
    bare = unicodedata.normalize("NFKD", character)[0]
    width = columns(character)
    return bare if bare.isascii() and width == 1 else "?" * width


def _spelled(text: str) -> str:
    for sign, word in _SPELLED.items():
        text = text.replace(sign, word)
    return text


def _coloured(lines: Sequence[Line]) -> str:
    """Return the lines with ANSI colours; Rich writes them."""
    console_type, text_type = _load_rich()
    out = io.StringIO()
    console = console_type(
        file=out, force_terminal=True, color_system="standard", width=10**6, no_color=False,
        highlight=False, markup=False, emoji=False, legacy_windows=False, _environ={},
    )  # fmt: skip
    for line in lines:
        text = text_type(end="")
        for style, cells in groupby(line, key=lambda cell: cell.style):
            text.append("".join(cell.character for cell in cells), style)
        console.print(text, soft_wrap=True, end="\n")
    return out.getvalue().removesuffix("\n")


def _load_rich() -> tuple[Any, Any]:
    """Load Rich's Console and Text; only coloured output needs them."""
    from rich.console import Console  # noqa: PLC0415 (heavy: loaded on first use)
    from rich.text import Text  # noqa: PLC0415 (the same)

    return Console, Text
