"""Folded functions, and gates that only decide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from runs import Writer

import corrente as co
from corrente.circuit import Composed, Contribution, Run
from corrente.errors import BadValue
from corrente.gates.arithmetic import add, multiply, negative, sqrt
from corrente.gates.comparisons import greater
from corrente.scene import CELLS, Scene, lay_out
from corrente.scene.groups import PLAIN, deciding
from corrente.views import svg, text


def loss(params: Any, X: Any, Y: Any) -> Any:
    W1, b1, W2, b2 = params
    hidden = co.nn.relu(X @ W1 + b1)
    scores = hidden @ W2 + b2
    return co.nn.cross_entropy(scores, Y)


def classifier() -> Run:
    """A network of two layers with a loss made of many gates, on 200 images of 64 pixels."""
    draw = np.random.default_rng(0)
    shapes = ((64, 32), (32,), (32, 10), (10,))
    params = tuple(draw.normal(size=shape) * 0.1 for shape in shapes)
    X, Y = draw.uniform(size=(200, 64)), draw.integers(10, size=200)
    return co.trace(loss, argnums=0)(params, X, Y).run


def texts(scene: Scene, kind: str) -> list[str]:
    return [" ".join(label.lines) for label in scene.labels if label.kind == kind]


def notes(scene: Scene) -> str:
    return " ".join(note.lines[0] for note in scene.notes)


def folds(scene: Scene) -> list[range]:
    return [box.steps for box in scene.boxes if box.kind == "folded"]


def marked(*stacks: tuple[Composed, ...]) -> Run:
    """Roots of roots, each step with a stack of its own."""
    w = Writer()
    x = w.given(2.0, "x")
    for stack in stacks:
        x = w.step(sqrt, x, stack=stack)
    return w.run(x, wanted=(0,))


A, B, INNER = Composed("np.a", 0), Composed("co.nn.b", 3), Composed("np.inner", 3)


# --- functions as boxes --------------------------------------------------------------------------


def test_a_function_of_many_gates_is_one_box():
    scene = lay_out(classifier())
    (k,) = (k for k, box in enumerate(scene.boxes) if box.kind == "folded")
    assert scene.boxes[k].steps == range(5, 19)
    assert "cross_entropy" in texts(scene, "symbol")
    assert texts(scene, "count") == ["14 gates"]
    assert "cross_entropy: 14 gates, 4 of which only decide." in notes(scene)
    names = scene.boxes[k].tip.split("\n")
    assert names[0] == "cross_entropy(scores, Y)"
    assert names[2].startswith("inside: max, stop_gradient, subtract, exp, sum, log")
    assert "test_scene_folds.py, line" in names[3]


def test_what_flows_into_a_function_enters_once_and_in_order():
    made = classifier()
    scene = lay_out(made)
    (k,) = (k for k, box in enumerate(scene.boxes) if box.kind == "folded")
    entering = sorted(
        (arrow.head[1], *arrow.wires) for arrow in scene.arrows if arrow.head and arrow.head[0] == k
    )
    names = {name: wire for wire, name in made.circuit.names.items()}
    assert entering == [(0, names["scores"]), (1, names["Y"])]
    assert [arrow.wires for arrow in scene.arrows if arrow.tail[0] == k] == [made.circuit.outs]
    shown = {wire for label in scene.labels for wire in label.wires}
    assert names["scores"] in shown, "values and gradients on the wires in and out stay"
    assert made.circuit.outs[0] in shown


def test_the_main_job_fits_a_page_and_a_terminal():
    made = classifier()
    assert lay_out(made).width <= 2000
    for width, lines in ((100, 100), (120, 120)):
        listed = text.draw(lay_out(made, metric=CELLS), width=width).split("\n")
        assert max(map(len, listed)) <= lines
        assert any("= cross_entropy(scores, Y)  14 gates" in line for line in listed)
    wide = lay_out(made, metric=CELLS)
    assert "╔═" in text.draw(wide, width=int(wide.width))


PTP = """\
┏━━━┓ [0, 1, 3]       ╔═════════╗ r 3
┃ x ┠────────────────▶║   ptp   ╟──────╮
┗━━━┛ ∂ [-2, 0, 2]    ║ 3 gates ║ ∂ 2  │  ╭──────╮
                      ╚═════════╝      ╰─▶│·2    │ 6      ┌───┐
┏━━━┓ 2                                   │    × ├───────▶│ f │
┃ w ┠────────────────────────────────────▶│·3    │ ∂ 1    └───┘
┗━━━┛ ∂ 3                                 ╰──────╯

┏┓ ours: parameters  ╭╮ gate  ╔╗ folded
3  value, above the wire  ∂4 gradient, below the wire
·2 local gradient at that input
Folded – ptp: 3 gates."""


def test_a_small_circuit_is_folded_when_asked():
    def f(x: Any, w: Any) -> Any:
        r = np.ptp(x)
        return r * w

    made = co.trace(f)(np.array([0.0, 1.0, 3.0]), 2.0).run
    assert text.draw(lay_out(made, metric=CELLS, fold="functions")) == PTP
    assert folds(lay_out(made)) == []


def test_a_program_shows_and_saves_itself_as_asked(capsys, tmp_path):
    program = co.trace(lambda x: np.ptp(x) * 2.0)(np.array([0.0, 1.0, 3.0]))

    def made(fold: str) -> list[str]:
        program.show(fold=fold)
        for name in ("f.txt", "f.svg"):
            program.save(tmp_path / name, fold=fold)
        saved = [(tmp_path / name).read_text(encoding="utf-8") for name in ("f.txt", "f.svg")]
        return [capsys.readouterr().out, *saved]

    assert all("3 gates" in each for each in made("functions"))
    assert not any("3 gates" in each for each in made("none"))


def test_a_listing_tells_a_function_in_one_row():
    rows = lay_out(fan(alone=True), fold="functions").rows
    assert [row.kind for row in rows] == ["ours", "given", "folded", "gate", "out"]
    assert rows[2][1:6] == ("v3", "a(x)", "2 gates", "-9", "1")


def test_auto_folds_what_is_not_small():
    small, large = (marked(*[(A,)] * 3, *[()] * (count - 3)) for count in (PLAIN, PLAIN + 1))
    assert folds(lay_out(small)) == []
    assert folds(lay_out(large)) == [range(3)]
    assert folds(lay_out(small, fold="functions")) == [range(3)]
    assert folds(lay_out(large, fold="none")) == []


def test_another_fold_is_refused():
    with pytest.raises(BadValue, match="choose one of: auto, functions, none"):
        lay_out(marked(()), fold="all")


def test_the_outermost_of_nested_functions_is_the_box():
    scene = lay_out(marked((), (B,), (B, INNER), (B, INNER), ()), fold="functions")
    assert folds(scene) == [range(1, 4)]
    assert "Folded – b: 3 gates." in notes(scene)


def test_of_a_function_around_everything_the_inside_is_shown():
    scene = lay_out(marked((A,), (A, INNER), (A, INNER), (A,)), fold="functions")
    assert folds(scene) == [range(1, 3)]
    assert "inner" in texts(scene, "symbol")


def test_two_calls_are_two_boxes_and_one_gate_is_a_gate():
    again = Composed("np.a", 2)
    scene = lay_out(marked((A,), (A,), (again,), (again,), (B,)), fold="functions")
    assert folds(scene) == [range(2), range(2, 4)]
    assert "Folded – a, 2 times: 4 gates." in notes(scene)
    assert "√" in texts(scene, "sign")


def test_portuguese_counts_too():
    scene = lay_out(marked((A,), (A,), ()), fold="functions", lang="pt")
    assert "Recolhido – a: 2 portas." in notes(scene)


def fan(alone: bool) -> Run:
    """x, read twice in a function and, unless alone, once more outside."""
    w = Writer()
    x, y = w.given(3.0, "x"), w.given(5.0, "y")
    squared = w.step(multiply, x, x, stack=(A,))
    out = w.step(negative, squared, stack=(A,))
    return w.run(w.step(add, out, y if alone else x), wanted=(x,))


def test_what_a_function_sends_back_is_one_term():
    scene = lay_out(fan(alone=False), fold="functions")
    assert "∂ -6 + 1 = -5" in texts(scene, "gradient")
    assert "∂ -6" in texts(scene, "gradient")
    row = next(row for row in scene.rows if row.name == "x")
    assert [tuple(term) for term in row.terms] == [("-6", "a, input 1"), ("1", "v3 + x, input 2")]


def test_what_goes_on_in_a_function_is_not_told_outside():
    scene = lay_out(fan(alone=True), fold="functions")
    assert not [box for box in scene.boxes if box.kind == "fork"]
    assert texts(scene, "gradient")[0] == "∂ -6"
    assert not texts(scene, "fold"), "no sum of 2"


def test_where_only_one_reader_sends_nothing_is_added():
    w = Writer()
    x = w.given(3.0, "x")
    y = w.step(add, w.step(multiply, x, x, stack=(A,)), x, stack=(A,))
    z = w.step(add, y, w.step(negative, x))
    made = w.run(z, wanted=(x,))
    # as though the negative let no gradient through
    inside = [Contribution(*each) for each in made.contributions[x] if each.step < 2]
    made = Run(made.circuit, made.values, made.gradients, {x: inside}, made.parameters)
    assert not [box for box in lay_out(made, fold="functions").boxes if box.kind == "fork"]


def test_closed_over_data_of_a_function_is_drawn_and_its_own_constants_are_not():
    Y = np.array([0, 1, 1, 0])

    def closed(x: Any) -> Any:
        return co.nn.cross_entropy(x * 2.0, Y)

    made = co.trace(closed)(np.ones((4, 2))).run
    scene = lay_out(made, fold="functions")
    constants = [wire for box in scene.boxes if box.kind == "constant" for wire in box.wires]
    arrays = [v for v in map(made.circuit.held.get, constants) if isinstance(v, np.ndarray)]
    assert len(arrays) == 1
    assert arrays[0] is Y
    counting = [v for v in made.circuit.held.values() if np.array_equal(v, np.arange(4))]
    assert counting, "the function does have a constant of its own"


# --- gates that only decide ----------------------------------------------------------------------


def decided(length: int) -> Run:
    """A chain of roots, and beside it two gates that only decide, with a constant of theirs."""
    w = Writer()
    x = w.given(3.0, "x")
    w.guard(w.step(greater, w.step(negative, x), w.constant(0.5)))
    for _ in range(length):
        x = w.step(sqrt, x)
    return w.run(x, wanted=(0,))


def test_what_only_decides_is_left_out_of_a_large_drawing():
    scene = lay_out(decided(PLAIN))
    assert [box.kind for box in scene.boxes] == ["ours", *["gate"] * PLAIN, "out"]
    assert "2 gates that only decide are not drawn." in notes(scene)
    assert "2 portas que só decidem não estão desenhadas." in notes(
        lay_out(decided(PLAIN), lang="pt")
    )


def test_one_gate_that_only_decides_is_one():
    w = Writer()
    x = w.given(3.0, "x")
    w.guard(w.step(greater, x, x))
    scene = lay_out(w.run(w.step(sqrt, x), wanted=(x,)), fold="functions")
    assert "1 gate that only decides is not drawn." in notes(scene)


SMALL = """\
                   ╭╌╌╌╮ -3              ╭╌╌╌╮
                ╭─▶╎ − ├────────────────▶╎   ╎ False
                │  ╰╌╌╌╯                 ╎ > ├───────╴
                │                     ╭─▶╎   ╎
┏━━━┓ 3         │                     │  ╰╌╌╌╯
┃ x ┠───────────┤    0.5  ────────────╯
┗━━━┛ ∂ 0.2887  │
                │
                │  ╭─────────╮ 1.732     ┌───┐
                ╰─▶│·0.29  √ ├──────────▶│ f │
                   ╰─────────╯ ∂ 1       └───┘"""


def test_what_only_decides_stands_apart_in_a_small_drawing():
    made = decided(1)
    scene = lay_out(made)
    assert [box.kind for box in scene.boxes].count("deciding") == 2
    assert texts(scene, "sign") == ["−", ">", "√"]
    assert "not drawn" not in notes(scene)
    assert "deciding" in {label.kind for label in scene.legend}
    drawn = svg.draw(scene)
    assert drawn.count('class="corrente-deciding"') == 3, "two boxes and the legend"
    assert drawn.count('class="corrente-aside"') == 3, "the wires into them"
    dashed = svg.PAINTS["aside"].more
    assert "dasharray" in dashed
    assert "dasharray" in svg.PAINTS["deciding"].more
    assert text.draw(scene).count("decides  ") == 2
    cells = lay_out(made, metric=CELLS)
    assert text.draw(cells).startswith(SMALL)
    assert ": > +-" in text.draw(cells, unicode=False)


def test_a_dashed_wire_is_drawn_from_where_it_leaves_the_others():
    scene = lay_out(decided(1))
    trunk = next(arrow for arrow in scene.arrows if arrow.wires == (0,)).points[0]
    starts = [f"M{svg._n(trunk[0])} {svg._n(trunk[1])}"]
    paths = [line for line in svg.draw(scene).split("\n") if 'class="corrente-aside"' in line]
    assert len(paths) == 3
    assert not [path for path in paths if f'd="{starts[0]}' in path]


def test_deciding_is_not_what_an_output_or_a_drawn_gate_needs():
    w = Writer()
    x = w.given(3.0, "x")
    shared = w.step(negative, x)  # feeds a guard and the output
    asked = w.step(greater, shared, x)
    lost = w.step(greater, x, x)  # a guard reads it, and so does a gate that leads nowhere
    w.step(negative, w.step(add, lost, x))
    for wire in (asked, lost):
        w.guard(wire)
    made = w.run(w.step(sqrt, w.step(multiply, shared, shared)), wanted=(x,))
    assert deciding(made.circuit) == {1}


def test_a_function_that_only_decides_is_left_out_whole():
    w = Writer()
    x = w.given(3.0, "x")
    w.guard(w.step(greater, w.step(negative, x, stack=(A,)), x, stack=(A,)))
    made = w.run(w.step(sqrt, x), wanted=(x,))
    scene = lay_out(made, fold="functions")
    assert folds(scene) == []
    assert "2 gates that only decide are not drawn." in notes(scene)
    assert "Folded" not in notes(scene)


def test_an_input_that_only_decides_still_stands():
    w = Writer()
    x, flag = w.given(3.0, "x"), w.given(1.0, "flag")
    w.guard(w.step(greater, flag, w.constant(0.0)))
    scene = lay_out(w.run(w.step(sqrt, x), wanted=(x,)), fold="functions")
    assert texts(scene, "symbol")[:2] == ["x", "flag"]
    assert not [box for box in scene.boxes if box.kind == "constant"]


def test_what_is_left_out_reads_nothing():
    w = Writer()
    x, flag, limit = w.given(3.0, "x"), w.given(1.0, "flag"), w.given(2.0, "limit")
    w.guard(w.step(greater, flag, x))  # outside any function
    w.guard(w.step(greater, x, limit, stack=(A,)))
    y = w.step(sqrt, w.step(sqrt, x, stack=(A,)), stack=(A,))
    scene = lay_out(w.run(w.step(negative, y), wanted=(x,)), fold="functions")
    ends = {arrow.wires: arrow.head for arrow in scene.arrows}
    (k,) = (k for k, box in enumerate(scene.boxes) if box.kind == "folded")
    assert ends[(x,)] == (k, 0)
    assert ends[(flag,)] is None
    assert ends[(limit,)] is None
    assert "a: 3 gates, 1 of which only decides." in notes(scene)
    assert "1 gate that only decides is not drawn." in notes(scene)
