"""A scene as SVG: one file without scripts or links, for light and dark pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

from corrente.errors import BadValue
from corrente.figures import Grid
from corrente.layout import Point
from corrente.scene import PIXELS, Arrow, Label, Scene, Tile
from corrente.scene.shapes import TITLES
from corrente.words import Says

METRIC = PIXELS
MARGIN = 16
HEAD = 8  # length of an arrow's head
WIDEST = 1600  # wider pictures are scrolled, not shrunk until nobody can read them
FONTS = (
    "ui-monospace,'SF Mono',SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',"
    "'Liberation Mono','Courier New',monospace"
)
LEVELS = 4
KEPT = "\n\N{NO-BREAK SPACE}"  # not printable, says Python, and still wanted


class Paint(NamedTuple):
    """A fill and a line, each for light pages and for dark ones."""

    fill: tuple[str, str] = ("none", "none")
    line: tuple[str, str] = ("none", "none")
    more: str = ""


INK = ("#1f2328", "#e6edf3")
PAPER = ("#ffffff", "#0d1117")
GREEN = ("#0a7230", "#57d365")
RED = ("#c0141b", "#ff7f78")
GREY = ("#59636e", "#9aa4af")

# Colour is never the only sign: kinds differ by outline, gradients are slanted and carry a ∂.
PAINTS: dict[str, Paint] = {
    "paper": Paint(PAPER),
    "wire": Paint(("none", "none"), GREY, 'stroke-width="1.5"'),
    "bundle": Paint(("none", "none"), GREY, 'stroke-width="4"'),
    "head": Paint(GREY),
    "given": Paint(
        ("#eef4fc", "#14202f"), ("#4f78b0", "#7ba4dd"), 'stroke-width="1.5" stroke-dasharray="4 3"'
    ),
    "ours": Paint(("#fff3d6", "#2d2310"), ("#a86a10", "#e0ab4a"), 'stroke-width="2"'),
    "constant": Paint(("#f6f8fa", "#161b22")),
    "gate": Paint(("#ffffff", "#161b22"), INK, 'stroke-width="1.5"'),
    "deciding": Paint(("#ffffff", "#0d1117"), GREY, 'stroke-width="1.5" stroke-dasharray="7 4"'),
    "aside": Paint(("none", "none"), GREY, 'stroke-width="1.5" stroke-dasharray="7 4"'),
    "fork": Paint(("#fdeeee", "#2b1517"), RED, 'stroke-width="1.5"'),
    "folded": Paint(("#f4effc", "#1f1830"), ("#7a4fc4", "#b392f0"), 'stroke-width="1.5"'),
    "out": Paint(INK, INK),
    "symbol": Paint(INK),
    "inverse": Paint(PAPER, ("none", "none"), 'font-weight="bold"'),
    "name": Paint(INK, ("none", "none"), 'font-weight="bold"'),
    "value": Paint(GREEN),
    "gradient": Paint(RED, ("none", "none"), 'font-style="italic"'),
    "local": Paint(GREY),
    "count": Paint(GREY),
    "fold": Paint(GREY),
    "note": Paint(GREY),
    "legend": Paint(INK),
    "plus": Paint(("#d9480f", "#ff922b")),
    "minus": Paint(("#1c5fb8", "#74b0ff")),
    "frame": Paint(("none", "none"), GREY, 'stroke-width="0.5"'),
    "nothing": Paint(("#d0d7de", "#484f58")),
}


def draw(scene: Scene) -> str:
    """Print a scene as a standalone SVG document.

    The scene must be laid out in pixels (`scene.PIXELS`), or BadValue. Light colours stand on
    the elements themselves, so a host that drops the style sheet still shows them.
    """
    if scene.metric.thick:
        raise BadValue(
            Says(
                "this picture is laid out in {0}, not in pixels.",
                "este desenho está disposto em {0}, não em pixels.",
            ).fill(scene.metric.name),
            Says("lay_out(run, metric=PIXELS)", "lay_out(run, metric=PIXELS)"),
        )
    body = "\n".join(_body(scene))
    mark = "corrente-" + hashlib.sha256(body.encode()).hexdigest()[:10]
    width, height = scene.width + 2 * MARGIN, scene.height + 2 * MARGIN
    fit = ' style="max-width:100%;height:auto"' if width <= WIDEST else ""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_n(width)}" height="{_n(height)}" '
            f'viewBox="{-MARGIN} {-MARGIN} {_n(width)} {_n(height)}" role="img" '
            f'xml:lang="{scene.lang}" aria-labelledby="{mark}-title {mark}-desc" '
            f'font-family="{FONTS}"{fit}>',
            f'<title id="{mark}-title">{_safe(scene.title)}</title>',
            f'<desc id="{mark}-desc">{_safe(scene.description)}</desc>',
            f"<style>{_sheet()}</style>",
            f'<rect x="{-MARGIN}" y="{-MARGIN}" width="{_n(width)}" height="{_n(height)}" '
            f'rx="8" {_paint("paper")}/>',
            body,
            "</svg>\n",
        ]
    )


def _sheet() -> str:
    """Return the rules for dark screens; paper stays light."""
    rules = []
    for name, paint in PAINTS.items():
        parts = [
            f"{key}:{dark}"
            for key, (_, dark) in (("fill", paint.fill), ("stroke", paint.line))
            if dark != "none"
        ]
        rules.append(f".corrente-{name}{{{';'.join(parts)}}}")
    return f"@media screen and (prefers-color-scheme:dark){{{''.join(rules)}}}"


def _paint(name: str) -> str:
    paint = PAINTS[name]
    line = f' stroke="{paint.line[0]}"' if paint.line[0] != "none" else ""
    more = f" {paint.more}" if paint.more else ""
    return f'class="corrente-{name}" fill="{paint.fill[0]}"{line}{more}'


def _body(scene: Scene) -> Iterator[str]:
    yield from _arrows(scene)
    inside: dict[int, list[Label]] = {}
    for label in scene.labels:
        if label.inside:
            inside.setdefault(label.box, []).append(label)
    for k, box in enumerate(scene.boxes):
        shapes = [*_outline(box.kind, box.x, box.y, box.width, box.height)]
        shapes += [_text(label, box.kind) for label in inside.get(k, ())]
        yield _group(box.tip, shapes)
    for tile in scene.tiles:
        yield _group(tile.tip, _tile(tile))
    for label in scene.labels:
        if not label.inside:
            yield _group(label.tip, [_text(label)])
    for label in scene.legend:
        yield _group("", [*_key(scene, label), _text(label._replace(kind="legend"))])
    for label in scene.notes:
        yield _text(label)


def _group(tip: str, shapes: Iterable[str]) -> str:
    title = f"<title>{_safe(tip)}</title>" if tip else ""
    return f"<g>{title}{''.join(shapes)}</g>"


def _outline(kind: str, x: float, y: float, width: float, height: float) -> Iterator[str]:
    """Draw a box; each kind has an outline of its own."""
    corner = {
        "given": 2.0,
        "ours": min(height, width) / 2,
        "gate": min(12.0, height / 2),
        "deciding": min(12.0, height / 2),
        "fork": width / 2,
        "folded": 4.0,
        "out": 4.0,
    }.get(kind, 3.0)
    if kind == "folded":
        yield _rect(kind, x + 4, y - 4, width - 4, height, corner)
        width, kind = width - 4, "folded"
    yield _rect(kind, x, y, width, height, corner)


def _rect(kind: str, x: float, y: float, width: float, height: float, corner: float) -> str:
    return (
        f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" '
        f'rx="{_n(corner)}" {_paint(kind)}/>'
    )


def _text(label: Label, box: str = "") -> str:
    size = label.size
    line = label.height / len(label.lines)
    paint = label.kind
    middle = label.kind in TITLES
    if middle and paint != "count":
        paint = {"out": "inverse", "fork": "gradient", "ours": "name"}.get(box, "symbol")
    bold = ' font-weight="bold"' if label.alarm else ""
    x = label.x + label.width / 2 if middle else label.x
    anchor = ' text-anchor="middle"' if middle else ""
    return "".join(
        f'<text x="{_n(x)}" y="{_n(label.y + line * (k + 0.5) + size * 0.36)}" '
        f'font-size="{_n(size)}"{anchor}{bold} {_paint(paint)} xml:space="preserve">'
        f"{_safe(text)}</text>"
        for k, text in enumerate(label.lines)
    )


def _arrows(scene: Scene) -> Iterator[str]:
    """Draw the arrows; one to a box that only decides is dashed from where it leaves the others."""
    asides = []
    whole: dict[tuple[int, int], list[tuple[Point, ...]]] = {}
    for arrow in scene.arrows:
        if arrow.head is not None and scene.boxes[arrow.head[0]].kind == "deciding":
            asides.append(arrow)
            continue
        whole.setdefault(arrow.tail, []).append(arrow.points)
        yield _arrow(arrow, "bundle" if len(arrow.wires) > 1 else "wire")
    for arrow in asides:
        beside = [_together(arrow.points, points) for points in whole.get(arrow.tail, ())]
        start = max(0, max(beside, default=0) - 1)
        yield _arrow(arrow._replace(points=arrow.points[start:]), "aside")


def _together(one: Sequence[Point], other: Sequence[Point]) -> int:
    """Count the points that two routes begin with."""
    for k, (point, twin) in enumerate(zip(one, other, strict=False)):
        if point != twin:
            return k
    return min(len(one), len(other))


def _arrow(arrow: Arrow, kind: str) -> str:
    *before, (x, y) = arrow.points
    points: Sequence[Point] = [*before, (x - HEAD + 1, y)] if arrow.head else arrow.points
    shapes = [f'<path d="{_path(points)}" {_paint(kind)}/>']
    if arrow.head:
        shapes.append(f'<path d="M{_n(x)} {_n(y)}l{-HEAD} -4.5v9z" {_paint("head")}/>')
    return _group(arrow.tip, shapes)


def _path(points: Sequence[Point]) -> str:
    """Draw level segments straight, and others as curves with level ends."""
    (x, y), *rest = points
    parts = [f"M{_n(x)} {_n(y)}"]
    for px, py in rest:
        if py == y:
            parts.append(f"H{_n(px)}")
        else:
            middle = (x + px) / 2
            parts.append(f"C{_n(middle)} {_n(y)} {_n(middle)} {_n(py)} {_n(px)} {_n(py)}")
        x, y = px, py
    return "".join(parts)


def _tile(tile: Tile) -> Iterator[str]:
    """Draw a tile: one path per level of strength, so that a tile costs few elements."""
    rows, across = len(tile.grid), len(tile.grid[0])
    wide, high = tile.width / across, tile.height / rows
    for paint, level, cells in _strengths(tile.grid):
        squares = "".join(
            f"M{_n(tile.x + column * wide)} {_n(tile.y + row * high)}"
            f"h{_n(wide)}v{_n(high)}h{_n(-wide)}z"
            for row, column in cells
        )
        yield f'<path d="{squares}" fill-opacity="{level / LEVELS:g}" {_paint(paint)}/>'
    yield (
        f'<rect x="{_n(tile.x)}" y="{_n(tile.y)}" width="{_n(tile.width)}" '
        f'height="{_n(tile.height)}" {_paint("frame")}/>'
    )


def _strengths(grid: Grid) -> Iterator[tuple[str, int, list[tuple[int, int]]]]:
    found: dict[tuple[str, int], list[tuple[int, int]]] = {}
    for row, cells in enumerate(grid):
        for column, cell in enumerate(cells):
            if cell is None:
                key = ("nothing", LEVELS)
            else:
                key = ("plus" if cell > 0 else "minus", round(abs(cell) * LEVELS))
            if key[1]:
                found.setdefault(key, []).append((row, column))
    for (paint, level), cells in sorted(found.items()):
        yield paint, level, cells


def _key(scene: Scene, label: Label) -> Iterator[str]:
    """Draw the sample that stands before a line of the legend."""
    width, height = scene.metric.key - 8, 12.0
    x, y = label.x - scene.metric.key, label.y + label.height / 2 - 6
    sample = {"value": "3", "gradient": "∂4", "local": "·2", "fork": "Σ"}.get(label.kind, "")
    if label.kind == "fork":
        width = 12.0
    if label.kind in ("value", "gradient"):
        y += -1 if label.kind == "value" else 3
        level = y + (13 if label.kind == "value" else -1)
        yield f'<path d="M{_n(x)} {_n(level)}h{_n(width)}" {_paint("wire")}/>'
    elif label.kind != "local":
        yield from _outline(label.kind, x, y, width, height)
    if sample:
        paint = "gradient" if label.kind == "fork" else label.kind
        yield (
            f'<text x="{_n(x + width / 2)}" y="{_n(y + 10)}" font-size="11" '
            f'text-anchor="middle" {_paint(paint)}>{sample}</text>'
        )


def _safe(text: str) -> str:
    """Escape a text for XML, without the control characters that XML forbids."""
    kept = "".join(c if c.isprintable() or c in KEPT else " " for c in text)
    return escape(kept, quote=True)


def _n(number: float) -> str:
    """Write a coordinate with at most one decimal."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")
