from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from runs import Writer, chain, fork, network, square, xyz

from corrente.circuit import Circuit, Composed, Guard, Run, Step, Wire
from corrente.gates.arithmetic import add, multiply, sqrt
from corrente.places import here
from corrente.record import NAMES, Elementwise, Gate, call
from corrente.scene import CELLS, MOST, PIXELS, Scene, lay_out
from corrente.scene.outline import outline
from corrente.views import svg, text

METRICS = pytest.mark.parametrize("metric", [PIXELS, CELLS], ids=lambda metric: metric.name)


def outputs() -> Run:
    """A wire that is an output and is read; one that nothing reads; an input passed through."""
    w = Writer()
    x, spare = w.given(2.0, "x"), w.given(9.0, "spare")
    y = w.step(multiply, x, x, name="y")
    z = w.step(add, y, x, name="z")
    w.step(sqrt, y, name="lost")
    return w.run(y, z, x, wanted=(x, spare), name="several")


def wide() -> Run:
    """One sum over hundreds of inputs, each also returned."""
    w = Writer()
    inputs = [w.given(float(k), f"x{k}") for k in range(400)]
    total = inputs[0]
    for wire in inputs[1:]:
        total = w.step(add, total, wire)
    return w.run(total, *inputs, wanted=tuple(inputs), name="wide")


RUNS = {
    "xyz": xyz,
    "fork": fork,
    "square": square,
    "network": network,
    "chain": lambda: chain(2000),
    "outputs": outputs,
    "wide": wide,
}
EVERY = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS.keys())


def texts(scene: Scene, kind: str) -> list[str]:
    return [" ".join(label.lines) for label in scene.labels if label.kind == kind]


def overlap(one, other) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


@EVERY
@METRICS
def test_boxes_labels_and_tiles_keep_apart(run, metric):
    scene = lay_out(run(), metric=metric)
    outside = [label for label in scene.labels if not label.inside]
    below = [*scene.legend, *scene.notes]
    for one, other in combinations([*scene.boxes, *outside, *scene.tiles, *below], 2):
        assert not overlap(one, other), (one, other)
    inside = [label for label in scene.labels if label.inside]
    for label in inside:
        box = scene.boxes[label.box]
        assert box.x < label.x
        assert box.y <= label.y
        assert label.x + label.width < box.x + box.width
        assert label.y + label.height <= box.y + box.height
    for one, other in combinations(inside, 2):
        assert not overlap(one, other), (one, other)


@EVERY
@METRICS
def test_everything_lies_in_the_picture(run, metric):
    scene = lay_out(run(), metric=metric)
    for each in (*scene.boxes, *scene.labels, *scene.tiles, *scene.legend, *scene.notes):
        assert each.x >= 0
        assert each.y >= 0
        assert each.x + each.width <= scene.width
        assert each.y + each.height <= scene.height


@EVERY
@METRICS
def test_arrows_join_boxes_from_left_to_right(run, metric):
    scene = lay_out(run(), metric=metric)
    taken = set()
    for arrow in scene.arrows:
        tail = scene.boxes[arrow.tail[0]]
        assert arrow.points[0][0] == tail.x + tail.width
        assert tail.y <= arrow.points[0][1] < tail.y + tail.height
        if arrow.head is None:
            continue
        head = scene.boxes[arrow.head[0]]
        assert arrow.points[-1][0] == head.x
        assert head.y <= arrow.points[-1][1] < head.y + head.height
        assert tail.layer < head.layer
        assert arrow.head not in taken, "every input is a port of its own"
        taken.add(arrow.head)


@EVERY
@METRICS
def test_no_arrow_runs_through_a_text(run, metric):
    scene = lay_out(run(), metric=metric)
    for arrow in scene.arrows:
        for (x, y), (px, py) in zip(arrow.points, arrow.points[1:], strict=False):
            if y != py:
                continue
            for label in (*scene.labels, *scene.tiles):
                if getattr(label, "inside", False):
                    continue
                clear = y + metric.thick <= label.y or label.y + label.height <= y
                assert clear or px <= label.x or label.x + label.width <= x, (arrow, label)


@EVERY
def test_every_wire_that_is_drawn_has_its_numbers(run):
    made = run()
    scene = lay_out(made)
    marks = {(label.kind, wire) for label in scene.labels for wire in label.wires}
    for arrow in scene.arrows:
        if len(arrow.wires) > 1:
            continue
        (wire,) = arrow.wires
        assert ("value", wire) in marks or wire in made.circuit.held
        assert ("gradient", wire) in marks or wire not in made.gradients


@METRICS
def test_values_stand_above_their_wire_and_gradients_below(metric):
    scene = lay_out(network(), metric=metric)
    level = {(arrow.tail[0], arrow.wires): arrow.points[0][1] for arrow in scene.arrows}
    for label in scene.labels:
        if label.kind in ("value", "gradient") and scene.boxes[label.box].kind != "fork":
            wire = level[label.box, label.wires]
            if label.kind == "value":
                assert label.y + label.height <= wire - metric.lift
            else:
                assert label.y >= wire + metric.drop


def test_the_first_circuit_of_the_notes():
    scene = lay_out(xyz())
    assert texts(scene, "value") == ["-2", "5", "-4", "3", "-12"]
    assert texts(scene, "gradient") == ["∂ -4", "∂ -4", "∂ 3", "∂ -4", "∂ 1"]
    assert texts(scene, "local") == ["·1", "·1", "·-4", "·3"]
    assert texts(scene, "name") == ["q"]
    assert [box.kind for box in scene.boxes] == ["ours"] * 3 + ["gate"] * 2 + ["out"]
    assert scene.description == (
        "f takes x = -2, y = 5, z = -4 and gives -12 in 2 steps. "
        "Gradients: ∂x = -4, ∂y = -4, ∂z = 3."
    )


def test_a_fork_is_a_sum_of_named_contributions():
    scene = lay_out(fork())
    assert [box.kind for box in scene.boxes].count("fork") == 2
    assert "∂ 2 + 2 = 4" in texts(scene, "gradient")
    row = next(row for row in scene.rows if row.name == "a")
    assert [tuple(term) for term in row.terms] == [
        ("2", "b = a + a, input 1"),
        ("2", "b = a + a, input 2"),
    ]
    mark = next(k for k, box in enumerate(scene.boxes) if box.kind == "fork")
    assert "2 ← b = a + a, input 2" in scene.boxes[mark].tip
    branches = [arrow for arrow in scene.arrows if arrow.tail[0] == mark]
    assert [arrow.head[1] for arrow in branches if arrow.head] == [0, 1]


def test_a_negative_term_stands_in_brackets():
    w = Writer()
    x, c = w.given(3.0, "x"), w.given(-5.0, "c")
    y = w.step(add, w.step(add, x, w.step(multiply, x, c)), x)
    assert "∂ -5 + 1 + 1 = -3" in texts(lay_out(w.run(y, wanted=(x,))), "gradient")
    z = w.step(add, y, w.step(multiply, x, c))
    assert "∂ -5 + 1 + 1 + (-5) = -8" in texts(lay_out(w.run(z, wanted=(x,))), "gradient")


def test_an_output_that_is_also_read_gets_its_own_term():
    scene = lay_out(outputs())
    # y is returned (1) and read by z (1) and by sqrt, which leads nowhere
    assert "∂ 1 + 1 = 2" in texts(scene, "gradient")
    row = next(row for row in scene.rows if row.name == "y")
    assert row.terms[-1].sender == "output"


def test_data_and_parameters_are_drawn_apart():
    boxes = lay_out(square()).boxes
    kinds = {box.wires: box.kind for box in boxes if box.kind in ("given", "ours", "constant")}
    assert kinds[(0,)] == "ours"
    assert kinds[(1,)] == "given"
    assert "constant" in kinds.values()


def test_without_a_backward_pass_there_are_only_values():
    made = xyz()
    scene = lay_out(Run(made.circuit, made.values))
    assert not texts(scene, "gradient") + texts(scene, "local")
    assert len(texts(scene, "value")) == 5
    assert {label.kind for label in scene.legend} == {"given", "gate", "value"}


def test_arrays_show_shape_range_and_tile():
    scene = lay_out(network())
    assert len(scene.tiles) > 20
    assert all(len(tile.grid) <= 8 and len(tile.grid[0]) <= 8 for tile in scene.tiles)
    lines = {label.lines[0] for label in scene.labels if label.kind == "value"}
    assert {"(20, 6)", "(6,)"} <= lines
    assert any("min … max and their mean μ" in note.lines[0] for note in scene.notes)


def test_nan_is_flagged():
    w = Writer()
    x = w.given(-1.0, "x")
    scene = lay_out(w.run(w.step(sqrt, x), wanted=(x,)))
    assert "! nan" in texts(scene, "value")
    assert any(label.alarm for label in scene.labels)
    assert any(note.lines[0].startswith("! marks NaN") for note in scene.notes)


def test_a_gate_tells_what_it_does_and_where():
    w = Writer()
    x = w.given(4.0, "x")
    y = w.step(sqrt, x)
    w.steps[-1] = w.steps[-1]._replace(where=here())
    made = w.run(y, wanted=(x,))
    english, portuguese = (
        next(box.tip for box in lay_out(made, lang=lang).boxes if box.kind == "gate")
        for lang in ("en", "pt")
    )
    assert "np.sqrt(x)" in english
    assert "takes the square root of x" in english
    assert "backward: scales the gradient" in english
    assert "test_scene.py, line" in english
    assert "tira a raiz quadrada de x" in portuguese
    assert "para trás: multiplica" in portuguese


def test_a_guard_is_told_on_its_wire():
    made = xyz()
    guarded = replace(made.circuit, guards=(Guard(3, True, None),))
    scene = lay_out(replace(made, circuit=guarded))
    assert any("holds while it is True" in arrow.tip for arrow in scene.arrows)


@EVERY
@METRICS
def test_the_same_run_gives_the_same_picture(run, metric):
    assert lay_out(run(), metric=metric) == lay_out(run(), metric=metric)


def test_other_processes_give_the_same_picture():
    here_ = Path(__file__).parent
    code = (
        "from runs import *; from corrente.scene import *; from corrente.views import svg, text\n"
        "for run in (square(), network(), chain(2000)):\n"
        "    print(svg.draw(lay_out(run)), text.draw(lay_out(run, metric=CELLS)))"
    )
    pictures = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": f"{here_}{os.pathsep}{here_.parent}",
                "PYTHONIOENCODING": "utf-8",
            },
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(pictures) == 1
    assert len(pictures.pop()) > 10000


# --- folding -------------------------------------------------------------------------------------


@EVERY
def test_never_more_boxes_than_asked_for(run):
    made = run()
    for most in (30, MOST):
        assert len(lay_out(made, most=most).boxes) <= most


def test_what_is_folded_is_said():
    scene = lay_out(chain(2000))
    folded = [box for box in scene.boxes if box.kind == "folded" and box.steps]
    count = sum(len(box.steps) for box in folded)
    said = f"{count:_}".replace("_", "\N{NO-BREAK SPACE}")
    assert count > 1900
    assert scene.notes[0].lines[0].startswith(f"{said} of 2\N{NO-BREAK SPACE}000 gates are folded")
    shown = {k for box in scene.boxes for k in box.steps}
    assert shown == set(range(2000)), "every step is in some box"


def test_the_contributions_of_folded_readers_are_added():
    made = chain(2000)
    scene = lay_out(made)
    row = next(row for row in scene.rows if row.name == "w")
    assert any(term.sender.endswith("readers, folded") for term in row.terms)
    assert sum(float(term.value) for term in row.terms) == pytest.approx(
        float(made.gradients[1]), rel=1e-2
    )


def test_what_fits_is_not_folded():
    assert not any(box.kind == "folded" for box in lay_out(network()).boxes)


def layered(depths: int, serial: bool) -> Run:
    w = Writer()
    x = w.given(1.0, "x")
    for layer in range(depths):
        stack = (Composed("layer", layer if serial else 0),)
        for _ in range(50):
            x = w.step(sqrt, x, stack=stack)
    return w.run(x, wanted=(0,), name="deep")


def test_functions_fold_into_boxes_of_their_name():
    scene = lay_out(layered(10, True))
    folded = [box.steps for box in scene.boxes if box.kind == "folded"]
    assert folded == [range(50 * k, 50 * k + 50) for k in range(10)]
    assert texts(scene, "symbol").count("layer") == 10
    assert texts(scene, "count") == ["50 gates"] * 10
    assert "⋯" not in texts(scene, "symbol")


def test_one_function_around_everything_is_not_a_fold_worth_showing():
    scene = lay_out(layered(10, False))
    assert sum(box.kind == "gate" for box in scene.boxes) > 10


def test_the_title_of_a_fold_is_the_function_called():
    def outer():
        return here()

    def inner():
        return here()

    call, where = outer(), inner()
    wires = tuple(Wire((), np.dtype(float), k, True) for k in range(21))

    def folds(stack) -> list[str]:
        steps = tuple(
            Step(sqrt, (k,), (k + 1,), {}, where, stack(k) if k > 2 else ()) for k in range(20)
        )
        circuit = Circuit(wires, (0,), {}, steps, (20,))
        found = outline(Run(circuit, [1.0] * 21), most=16)
        return [part.fold for part in found.parts if part.fold]

    here_ = (here()[0], 0)
    assert folds(lambda _: (call,)) == ["inner"], "a call from outer, and the steps are in inner"
    assert folds(lambda k: (here_, (call[0], k))) == ["outer"], "calls from outer, at many places"


def test_a_wire_that_nothing_reads_still_leaves_its_box():
    scene = lay_out(outputs())
    ends = [arrow.wires for arrow in scene.arrows if arrow.head is None]
    assert ends == [(1,), (4,)], "the spare input and the lost root"


def test_a_hundred_thousand_steps_are_drawn_at_once():
    made = chain(100_000)
    scene = lay_out(made)
    assert len(scene.boxes) < 100
    assert len(svg.draw(scene)) < 400_000


def test_many_wires_out_of_a_fold_are_one_bundle():
    w = Writer()
    x = w.given(1.0, "x")
    first = [w.step(sqrt, x, stack=(Composed("split", 0),)) for _ in range(40)]
    total = first[0]
    for wire in first[1:]:
        total = w.step(add, total, wire, stack=(Composed("join", 1),))
    for _ in range(3):
        total = w.step(sqrt, total)
    scene = lay_out(w.run(total, wanted=(x,)), most=25)
    bundles = [arrow for arrow in scene.arrows if len(arrow.wires) > 1]
    assert [len(arrow.wires) for arrow in bundles] == [40]
    assert "40 wires" in texts(scene, "fold")


def example(gate: Gate) -> Run:
    """Run one gate on arguments that suit it, with gradients of one everywhere."""
    draw = np.random.default_rng(0)
    if gate.example is not None:
        given = gate.example(draw)
    else:
        given = call(*(draw.uniform(low, high, size=(2, 3)) for low, high in gate.domain))
    w = Writer()
    ins = tuple(w.given(value, f"x{k}") for k, value in enumerate(given.ins))
    made = gate.forward(*given.ins, **given.params)
    outs = tuple(w.wire(value) for value in (made if isinstance(made, tuple | list) else (made,)))
    w.steps.append(Step(gate, ins, outs, given.params))
    circuit = Circuit(tuple(w.wires), ins, {}, tuple(w.steps), outs, (), w.labels)
    real = [wire for wire in (*ins, *outs) if w.wires[wire].dtype.kind == "f"]
    ones = {wire: np.ones_like(w.values[wire]) for wire in real} if gate.differentiable else {}
    return Run(circuit, w.values, ones, {}, frozenset(ins) & ones.keys(), gate.name)


@pytest.mark.parametrize("gate", list(NAMES.values()), ids=lambda gate: gate.name)
def test_every_gate_can_be_drawn(gate):
    made = example(gate)
    for lang in ("en", "pt"):
        drawn = lay_out(made, lang=lang)
        (box,) = (box for box in drawn.boxes if box.kind == "gate")
        assert box.tip.count("\n") >= 1 + gate.differentiable
        assert "</svg>" in svg.draw(drawn)
        listed = text.draw(lay_out(made, metric=CELLS, lang=lang))
        assert gate.symbol.split("\n")[0][:20] in listed
    locals_ = [label for label in drawn.labels if label.kind == "local"]
    if isinstance(gate.kind, Elementwise) and made.parameters:
        assert len(locals_) == len(made.parameters)
    else:
        assert not locals_


def test_the_language_must_exist():
    with pytest.raises(ValueError, match="lang must be"):
        lay_out(xyz(), lang="fr")
