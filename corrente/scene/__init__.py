"""A run of a circuit as a picture: boxes, arrows and labels with coordinates, and no pixels."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence

from corrente.circuit import Run
from corrente.figures import clip, summarise
from corrente.layout import Edge, Point, arrange
from corrente.scene import sentences
from corrente.scene.drafts import Draft, Joint, Sketch, brief, draft
from corrente.scene.outline import MOST, outline
from corrente.scene.picture import (
    CELLS,
    PIXELS,
    Arrow,
    Box,
    Label,
    Metric,
    Row,
    Scene,
    Term,
    Tile,
)
from corrente.scene.shapes import Shape, measure
from corrente.words import Says

__all__ = [
    "CELLS",
    "MOST",
    "PIXELS",
    "Arrow",
    "Box",
    "Label",
    "Metric",
    "Row",
    "Scene",
    "Term",
    "Tile",
    "lay_out",
]

_NARROWEST = 46  # characters: the legend under a very small picture still reads as lines
_WIDEST = 130  # and under a very wide one it stays where the eye begins
_TOLD = 6


def lay_out(
    run: Run,
    *,
    lang: str = "en",
    metric: Metric = PIXELS,
    most: int = MOST,
    fold: str = "auto",
) -> Scene:
    """Lay a run out as a picture: values above the wires, gradients below them.

    `lang` is "en" or "pt"; `metric` is PIXELS for graphics, CELLS for terminals; at most `most`
    boxes are drawn, the rest is folded and a note says so. With `fold="functions"` a function
    made of several gates is one box, and gates that only decide the path are left out;
    `fold="none"` draws them all, and "auto" does so for small circuits only. BadValue for any
    other. The same run gives the same picture.

    >>> import numpy as np
    >>> from corrente.circuit import Circuit, Step, Wire
    >>> from corrente.gates.arithmetic import sqrt
    >>> wires = tuple(Wire((), np.dtype(float), k, True) for k in range(2))
    >>> circuit = Circuit(wires, (0,), {}, (Step(sqrt, (0,), (1,), {}),), (1,), labels={0: "x"})
    >>> scene = lay_out(Run(circuit, [4.0, 2.0], {0: 0.25, 1: 1.0}, {}, frozenset({0})))
    >>> [(box.kind, box.layer) for box in scene.boxes]
    [('ours', 0), ('gate', 1), ('out', 2)]
    >>> [label.lines[0] for label in scene.labels if label.kind == "gradient"]
    ['∂ 0.25', '∂ 1']
    """
    sketch = Sketch(run, outline(run, most, fold), lang)
    drafts, joints = draft(sketch)
    shapes = [measure(each, metric) for each in drafts]
    edges = [Edge(joint.tail, joint.port, joint.head, joint.slot) for joint in joints]
    placed = arrange([shape.node for shape in shapes], edges, metric.spacing)
    boxes, labels, tiles = [], [], []
    for k, (each, shape) in enumerate(zip(drafts, shapes, strict=True)):
        x, y, box = placed.x[k], placed.y[k], shape.box
        part = each.part
        boxes.append(
            box._replace(x=x + box.x, y=y + box.y, layer=placed.layers[k], steps=part.steps)
        )
        labels += [t._replace(x=x + t.x, y=y + t.y, box=k) for t in shape.labels]
        tiles += [t._replace(x=x + t.x, y=y + t.y, box=k) for t in shape.tiles]
    arrows = _arrows(drafts, shapes, joints, placed.routes, boxes)
    legend, notes, width, height = _below(
        _legend(labels, boxes, lang), _notes(sketch, labels), metric, placed.width, placed.height
    )
    return Scene(
        title=sentences.TITLE.fill(run.name).into(lang),
        description=_describe(sketch),
        lang=lang,
        metric=metric,
        width=width,
        height=height,
        boxes=tuple(boxes),
        arrows=arrows,
        labels=tuple(labels),
        tiles=tuple(tiles),
        legend=legend,
        notes=notes,
        rows=tuple(_rows(sketch, drafts)),
    )


def _arrows(
    drafts: Sequence[Draft],
    shapes: Sequence[Shape],
    joints: Sequence[Joint],
    routes: Sequence[tuple[Point, ...]],
    boxes: Sequence[Box],
) -> tuple[Arrow, ...]:
    arrows = []
    read = set()
    for joint, route in zip(joints, routes, strict=True):
        read.add((joint.tail, joint.port))
        box = boxes[joint.tail]
        start = (box.x + box.width, route[0][1])
        rest = route[1:] if len(route) > 1 and route[1][1] == start[1] else route
        tip = drafts[joint.tail].outlets[joint.port].tip
        ends = (joint.tail, joint.port), (joint.head, joint.slot)
        arrows.append(Arrow((start, *rest), joint.wires, *ends, tip))
    for k, each in enumerate(drafts):
        for port, outlet in enumerate(each.outlets):
            if (k, port) not in read:
                box, node = boxes[k], shapes[k].node
                level = box.y - shapes[k].box.y + node.outs[port]
                points = ((box.x + box.width, level), (box.x + node.width, level))
                arrows.append(Arrow(points, outlet.wires, (k, port), None, outlet.tip))
    return tuple(arrows)


def _legend(labels: Sequence[Label], boxes: Sequence[Box], lang: str) -> list[tuple[str, str]]:
    """Say what signs the picture uses, and only those."""
    used = {label.kind for label in labels} | {box.kind for box in boxes}
    return [(kind, says.into(lang)) for kind, says in sentences.LEGEND.items() if kind in used]


def _notes(sketch: Sketch, labels: Sequence[Label]) -> Iterable[str]:
    """Say what was folded or left out, and how arrays are written."""
    parts, circuit = sketch.found.parts, sketch.run.circuit
    folded = sum(len(part.steps) for part in parts if part.fold and not part.is_function)
    if folded:
        thin = sentences.thin
        yield sketch.say(sentences.FOLDED_STEPS, thin(folded), thin(len(circuit.steps)))
    functions = [said.into(sketch.lang) for said in _functions(sketch)]
    if functions:
        yield sketch.say(sentences.FUNCTIONS, "; ".join(_told(sketch, functions)))
    if sketch.found.left_out:
        yield sketch.say(sentences.counted(sketch.found.left_out, sentences.LEFT_OUT))
    inputs = sketch.found.absorbed + _folded_wires(sketch, "inputs")
    if inputs:
        drawn = sum(part.kind in ("given", "ours", "constant") for part in parts)
        yield sketch.say(
            sentences.FOLDED_INPUTS, sentences.thin(inputs), sentences.thin(inputs + drawn)
        )
    outputs = _folded_wires(sketch, "outputs")
    if outputs:
        yield sketch.say(
            sentences.FOLDED_OUTPUTS, sentences.thin(outputs), sentences.thin(len(circuit.outs))
        )
    if any("μ" in line for label in labels for line in label.lines):
        yield sketch.say(sentences.RANGE)
    if any(label.alarm for label in labels):
        yield sketch.say(sentences.ALARM)


def _functions(sketch: Sketch) -> Iterable[Says]:
    """Say how many gates each folded function has, and how many of them only decide."""
    found: dict[str, list[range]] = {}
    for part in sketch.found.parts:
        if part.is_function:
            found.setdefault(part.fold, []).append(part.steps)
    for name, calls in found.items():
        size = sentences.counted(sum(map(len, calls)), sentences.GATES)
        decide = sum(k in sketch.deciding for steps in calls for k in steps)
        if decide:
            size = sentences.ONLY_DECIDE[decide != 1].fill(size, sentences.thin(decide))
        if len(calls) == 1:
            yield sentences.FUNCTION.fill(name, size)
        else:
            yield sentences.CALLS.fill(name, sentences.thin(len(calls)), size)


def _told(sketch: Sketch, texts: list[str]) -> list[str]:
    """Keep the first few of many texts, and say how many more there are."""
    more = len(texts) - _TOLD
    return texts if more <= 0 else [*texts[:_TOLD], sketch.say(sentences.AND_MORE, more)]


def _folded_wires(sketch: Sketch, fold: str) -> int:
    return sum(len(part.wires) for part in sketch.found.parts if part.fold == fold)


def _below(
    legend: Sequence[tuple[str, str]],
    notes: Iterable[str],
    metric: Metric,
    width: float,
    top: float,
) -> tuple[tuple[Label, ...], tuple[Label, ...], float, float]:
    """Put legend and notes in lines below the circuit; return them and the picture's size."""
    narrowest, most = (metric.wide("n" * count, "legend") for count in (_NARROWEST, _WIDEST))
    narrowest = min(max(width, narrowest), most)
    line = metric.high(1, "legend") + (0 if metric.thick else 6)
    y = top + (1 if metric.thick else 24)
    keys, x, widest = [], 0.0, width
    for kind, text in legend:
        wide = metric.wide(text, "legend")
        if x and x + metric.key + wide > narrowest:
            x, y = 0.0, y + line
        high = metric.high(1, "legend")
        keys.append(
            Label(kind, x + metric.key, y, wide, high, metric.size("legend"), (text,), -1, False)
        )
        widest = max(widest, x + metric.key + wide)
        x += metric.key + wide + 2 * metric.margin
    said = []
    for note in notes:
        for text in textwrap.wrap(note, max(_NARROWEST, int(narrowest / metric.wide("n", "note")))):
            y += line
            wide = metric.wide(text, "note")
            high, size = metric.high(1, "note"), metric.size("note")
            said.append(Label("note", 0, y, wide, high, size, (text,), -1, False))
            widest = max(widest, wide)
    return tuple(keys), tuple(said), widest, y + line


# --- the same in words ---------------------------------------------------------------------------


def _describe(sketch: Sketch) -> str:
    """Say in a sentence or two what the picture shows, for those who do not see it."""
    run, circuit = sketch.run, sketch.run.circuit

    def told(wires: Sequence[int], what: Callable[[int], str]) -> str:
        texts = [what(wire) for wire in wires[:_TOLD]]
        if len(wires) > _TOLD:
            texts.append(sketch.say(sentences.AND_MORE, len(wires) - _TOLD))
        return ", ".join(texts) or sentences.NOTHING.into(sketch.lang)

    def value(wire: int) -> str:
        return str(sketch.figure(wire))

    text = sketch.say(
        sentences.DESCRIPTION,
        run.name,
        told(circuit.ins, lambda wire: f"{sketch.operand(wire)} = {value(wire)}"),
        told(circuit.outs, value),
        sentences.counted(len(circuit.steps), sentences.STEPS),
    )
    reached = [wire for wire in circuit.ins if sketch.reaches(wire)]
    if not reached:
        return text
    gradients = told(
        reached,
        lambda w: f"∂{sketch.operand(w)} = {summarise(run.gradients[w])}",
    )
    return f"{text} {sketch.say(sentences.GRADIENTS, gradients)}"


def _rows(sketch: Sketch, drafts: Sequence[Draft]) -> Iterable[Row]:
    """Tell each box in one line; forks are told with the wire they fork."""
    for each in drafts:
        if each.kind == "fork":
            continue
        title = " ".join(each.title)
        alone = [outlet.wires[0] for outlet in each.outlets if len(outlet.wires) == 1]
        if each.kind == "out":
            wires = () if each.part.fold else each.part.wires
            value = " ".join(brief(sketch.figure(wires[0]))) if wires else ""
            yield Row("out", title, sketch.operand(wires[0]) if wires else "", "", value, "")
        elif each.part.fold and not (each.part.is_function and alone):
            yield Row(each.kind, "", title, "", "", "")
        for wire in alone:
            yield _row(sketch, each, wire)


def _row(sketch: Sketch, each: Draft, wire: int) -> Row:
    figure = sketch.figure(wire)
    gradient = ""
    alarm = figure.alarm
    if sketch.reaches(wire):
        back = summarise(sketch.run.gradients[wire])
        gradient, alarm = " ".join(brief(back)), alarm or back.alarm
    code = symbol = ""
    if each.part.kind == "gate":
        code = sketch.code(sketch.run.circuit.steps[each.part.steps[0]])
        symbol = each.title[0]
    elif each.part.is_function:
        code, symbol = sketch.call(sketch.calls[wire]), each.title[1]
    local = " ".join(port.lines[0] if port else "-" for port in each.ports)
    return Row(
        kind=each.kind,
        name=sketch.operand(wire),
        code=clip(code, 48),
        symbol=symbol,
        value=" ".join(brief(figure)),
        gradient=gradient,
        terms=sketch.sums.get(wire, ()),
        local=local if any(c != "-" for c in local.split()) else "",
        alarm=alarm,
    )
