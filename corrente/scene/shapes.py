"""Boxes measured: how large each one is, where its ports are, and where its texts stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from corrente.figures import Grid
from corrente.layout import Node
from corrente.scene.drafts import Draft, Ink, Outlet
from corrente.scene.picture import Box, Label, Metric, Tile

TITLES = ("sign", "symbol", "count")
"""Labels in the middle of a box; the first says what it is, the others how much is in it."""


class Shape(NamedTuple):
    """A draft measured: its footprint for the layout, and all it holds relative to the corner."""

    node: Node
    box: Box
    labels: list[Label]
    tiles: list[Tile]


def measure(made: Draft, metric: Metric) -> Shape:
    """Find the size of a box, its ports and the labels on the wires that leave it."""
    labels: list[Label] = []
    tiles: list[Tile] = []
    width, height = _inner(made, metric, labels)
    stack, above, below = _stack(made.outlets, metric)
    height = max(height, (stack[-1] if stack else 0.0) + 2 * metric.rim + metric.room)
    middle = (height - metric.thick) // 2
    first = (height - metric.thick - (stack[-1] if stack else 0.0)) // 2
    outs = [first + level for level in stack]
    top = max(0.0, above - first)
    reached = width
    for outlet, level in zip(made.outlets, outs, strict=True):
        reached = max(reached, _label(outlet, metric, width, top + level, labels, tiles))
    foot = max(top + height, top + outs[-1] + below if outs else 0.0)
    count = len(made.ports)
    start = middle - (count - 1) * metric.pitch // 2
    ins = [top + start + k * metric.pitch for k in range(count)]
    for port, level in zip(made.ports, ins, strict=True):
        if port is not None:
            high = metric.high(1, "local")
            y = level + metric.thick / 2 - high / 2
            wide = metric.wide(port.lines[0], "local")
            x = metric.pad - (metric.pad // 3 if metric.pad > 1 else 0)
            labels.append(
                Label(
                    "local",
                    x,
                    y,
                    wide,
                    high,
                    metric.size("local"),
                    port.lines,
                    0,
                    True,
                    (),
                    port.alarm,
                    port.tip,
                )
            )
    titles = [k for k, label in enumerate(labels) if label.kind in TITLES]
    y = top + (height - sum(labels[k].height for k in titles)) // 2
    for k in titles:
        labels[k] = labels[k]._replace(y=y)
        y += labels[k].height
    node = Node(reached, foot, tuple(ins), tuple(top + level for level in outs), made.reach)
    box = Box(made.kind, 0, top, width, height, made.tip, range(0), made.part.wires, 0)
    return Shape(node, box, labels, tiles)


def _inner(made: Draft, metric: Metric, labels: list[Label]) -> tuple[float, float]:
    """Return the size a box needs for its title, locals and inputs; add the title's labels."""
    kind = "sign" if made.part.kind == "gate" and len(made.title[0]) == 1 else "symbol"
    lines = [(kind, made.title[0]), *(("count", line) for line in made.title[1:])]
    wide = max(metric.wide(line, each) for each, line in lines)
    local = max((metric.wide(p.lines[0], "local") for p in made.ports if p), default=0.0)
    tall = sum(metric.high(1, each) for each, _ in lines)
    edge = metric.pad + metric.thick
    pad = {"fork": (metric.pad + 1) // 2, "folded": edge + metric.pad // 2}.get(made.kind, edge)
    start = pad + (local + metric.pad if local else 0)
    width = start + wide + pad
    for each, line in lines:
        high, size = metric.high(1, each), metric.size(each)
        labels.append(Label(each, start, 0, wide, high, size, (line,), 0, True))
    ports = max(0, len(made.ports) - 1) * metric.pitch + metric.room
    return width, max(ports, tall) + 2 * metric.rim


def _stack(outlets: Sequence[Outlet], metric: Metric) -> tuple[list[float], float, float]:
    """Place the ports of a right side under each other; return them and the room at both ends."""
    levels: list[float] = []
    first = last = 0.0
    for outlet in outlets:
        above = max((_size(ink, metric)[1] for ink in outlet.above), default=0.0)
        below = max((_size(ink, metric)[1] for ink in outlet.below), default=0.0)
        above += metric.lift if above else 0.0
        below += metric.drop if below else metric.thick
        if levels:
            levels.append(levels[-1] + max(last + above + metric.margin * 3 // 4, metric.pitch))
        else:
            levels.append(0.0)
            first = above
        last = below
    return levels, first, last


def _size(ink: Ink, metric: Metric) -> tuple[float, float]:
    scale = _scale(ink)
    wide = max(metric.wide(line, scale) for line in ink.lines)
    high = metric.high(len(ink.lines), scale)
    tile_wide, tile_high = _tile_size(ink.tile, metric)
    return wide + (tile_wide + metric.margin if tile_wide else 0.0), max(high, tile_high)


def _scale(ink: Ink) -> str:
    """Return the kind whose size a text takes: those of arrays are smaller."""
    return "array" if len(ink.lines) > 1 else ink.kind


def _tile_size(grid: Grid | None, metric: Metric) -> tuple[float, float]:
    """Return the size of a tile: square cells, but a single row or column is not a hair."""
    if grid is None or not metric.tile:
        return 0.0, 0.0
    rows, across = len(grid), len(grid[0])
    cell = metric.tile / max(rows, across)
    thin = metric.tile // 3
    return float(max(round(cell * across), thin)), float(max(round(cell * rows), thin))


def _label(
    outlet: Outlet,
    metric: Metric,
    x: float,
    level: float,
    labels: list[Label],
    tiles: list[Tile],
) -> float:
    """Put an outlet's texts above and below its wire; return how far right they reach."""
    reached = x + metric.stub
    for inks, over in ((outlet.above, True), (outlet.below, False)):
        at = x + metric.margin
        for ink in inks:
            wide, high = _size(ink, metric)
            y = level - metric.lift - high if over else level + metric.drop
            tile_wide, tile_high = _tile_size(ink.tile, metric)
            if ink.tile is not None and tile_wide:
                ty = y + (high - tile_high) if over else y
                tiles.append(Tile(ink.kind, at, ty, tile_wide, tile_high, ink.tile, 0, ink.tip))
                at, wide = at + tile_wide + metric.margin, wide - tile_wide - metric.margin
            scale = _scale(ink)
            text = metric.high(len(ink.lines), scale)
            ty = y + (high - text) if over else y
            labels.append(
                Label(
                    ink.kind, at, ty, wide, text, metric.size(scale), ink.lines, 0, False,
                    outlet.wires, ink.alarm, ink.tip,
                )
            )  # fmt: skip
            at += wide + metric.margin
        if inks:
            reached = max(reached, at)
    return reached
