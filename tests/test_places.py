# ruff: noqa: RET504  # the names are what is tested
"""Where a step was written is found again: line, exact expression, and variable."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import places
from corrente.places import Place, locate, name_at, outside, unpacked

SECOND = "def f(x):\n    second = x * 2.0\n    return second\n"


def found(f: Callable[..., Any], *args: Any) -> list[tuple[str | None, str]]:
    """Trace f and return the name and the text of each step's place."""
    steps = co.trace(f)(*(args or (1.5,))).circuit.steps
    return [(name_at(step.where), locate(step.where).text) for step in steps]


def names(f: Callable[..., Any], *args: Any) -> list[str | None]:
    return [name for name, _ in found(f, *args)]


# --- names --------------------------------------------------------------------------------------


def test_plain():
    def f(x):
        y = x * 2.0
        return y

    assert found(f) == [("y", "x * 2.0")]


def test_annotated():
    def f(x):
        y: float = x * 2.0
        return y

    assert found(f) == [("y", "x * 2.0")]


def test_walrus():
    def f(x):
        return (y := x * 2.0) + y

    assert names(f) == ["y", None]


def test_augmented():
    def f(x):
        y = x * 1.0
        y += x
        y **= 2.0
        return y

    assert names(f) == ["y", "y", "y"]


def test_tuples():
    def f(x):
        a, (b, c) = x * 2.0, (x * 3.0, x * 4.0)
        return a, b, c

    assert names(f) == ["a", "b", "c"]


def test_lists():
    def f(x):
        [a, b] = [x * 2.0, x * 3.0]
        return a, b

    assert names(f) == ["a", "b"]


def test_starred_targets_take_the_right_values():
    def f(x):
        *rest, last = x * 2.0, x * 3.0, x * 4.0
        first, *others = x * 5.0, x * 6.0, x * 7.0
        return rest, last, first, others

    assert names(f) == [None, None, "last", "first", None, None]


def test_two_names_for_one_value():
    def f(x):
        a = b = x * 2.0
        return a * b

    assert names(f)[0] in ("a", "b")


def test_swapping_names_nothing_new():
    def f(x):
        a, b = x * 2.0, x * 3.0
        a, b = b, a
        return a * b

    assert names(f) == ["a", "b", None]


def test_parentheses_and_several_lines():
    def f(x):
        a = (
            x
            * 2.0
            + 1.0
        )  # fmt: skip
        b = ((a) + (x))  # fmt: skip
        return b

    assert found(f) == [(None, "x * 2.0"), ("a", "x * 2.0 + 1.0"), ("b", "(a) + (x)")]


def test_calls_methods_and_indices():
    def f(x):
        a = np.exp(x)
        b = a.sum()
        c = x[0]
        d = -c
        e = a @ x
        return b, c, d, e

    assert names(f, np.ones(2)) == ["a", "b", "c", "d", "e"]


def test_only_the_whole_expression_has_the_name():
    def f(x):
        y = np.exp(x * 2.0) + 1.0
        return y

    assert names(f) == [None, None, "y"]


def test_comprehensions():
    def f(x):
        return [(each := x * k) for k in (1.0, 2.0)] + [x * 3.0 for _ in range(1)] + [each]

    assert found(f) == [("each", "x * k"), ("each", "x * k"), (None, "x * 3.0")]


def test_nested_functions_and_lambdas():
    def f(x):
        def inner(u):
            v = u * 2.0
            return v

        double = lambda u: u * 2.0
        w = inner(x)
        z = double(w)
        return z

    assert names(f) == ["v", None]


def test_attributes_and_items_are_no_variables():
    def f(x):
        holder = {"a": 0.0}
        holder["a"] = x * 2.0
        return holder["a"]

    assert names(f) == [None]


def test_several_statements_on_one_line_and_other_alphabets():
    def f(x):
        ação = x * 2.0; é = ação * 3.0; return é  # noqa: E702  # fmt: skip

    assert found(f) == [("ação", "x * 2.0"), ("é", "ação * 3.0")]


def test_a_composed_function_names_its_last_step():
    def f(x):
        spread = np.ptp(x)
        return spread

    circuit = co.trace(f)(np.array([1.0, 3.0])).circuit
    assert [circuit.names.get(step.outs[0]) for step in circuit.steps][:-1] == [None] * (
        len(circuit.steps) - 1
    )
    assert circuit.names[circuit.outs[0]] == "spread"


def test_a_variable_that_holds_a_derivative_names_only_the_derivative():
    def f(x):
        slope = co.grad(lambda u: u**3 * np.sin(u))(x)
        return slope * x

    def closed(x):
        slope = co.grad(lambda u: u**3 * x)(2.0)
        return slope * x

    assert list(co.trace(closed)(2.0).circuit.names.values()).count("slope") == 1
    t = co.trace(f)(2.0)
    assert list(t.circuit.names.values()).count("slope") == 1
    assert t["slope"].value == pytest.approx(12.0 * np.sin(2.0) + 8.0 * np.cos(2.0))


def test_a_variable_that_holds_a_program_names_no_wire():
    program = co.trace(lambda x: np.tanh(x) * x)(2.0)
    assert "program" not in program.backward.circuit.names.values()


# --- places -------------------------------------------------------------------------------------


def test_a_place_knows_lines_columns_and_function():
    def f(x):
        return x * 2.0

    place = locate(co.trace(f)(1.0).circuit.steps[0].where)
    lines, start = inspect.getsourcelines(f)
    assert (place.line, place.end_line, place.function) == (start + 1, start + 1, "f")
    assert lines[1][place.column : place.end_column] == "x * 2.0"
    assert Path(place.file) == Path(__file__)


def test_a_place_prints_the_whole_line():
    def f(x):
        return x * 2.0 + 1.0

    place = locate(co.trace(f)(1.0).circuit.steps[0].where)
    assert str(place).endswith(f"test_places.py, line {place.line}: return x * 2.0 + 1.0")


def test_here_is_the_users_line():
    where = places.here()
    assert where[0] is inspect.currentframe().f_code  # type: ignore[union-attr]
    assert locate(where).text == "places.here()"


def test_outside_passes_over_the_house():
    house = compile("def call(f): return f()", places.HOUSE + "room.py", "exec")
    space: dict[str, Any] = {}
    exec(house, space)
    frame = space["call"](lambda: outside(inspect.currentframe().f_back))  # type: ignore[union-attr]
    assert frame.f_code is inspect.currentframe().f_code  # type: ignore[union-attr]


def test_steps_that_numpy_makes_by_calling_back_are_on_the_users_line():
    def f(x, y):
        total = np.sum(np.array([x, y]))
        return total

    (step,) = co.trace(f)(1.0, 2.0).circuit.steps
    assert Path(locate(step.where).file) == Path(__file__)
    assert name_at(step.where) == "total"


@pytest.mark.parametrize("file", ["<stdin>", "<string>", "/nowhere/f.py"])
def test_code_without_source_has_a_line_and_no_text(file: str):
    space: dict[str, Any] = {}
    exec(compile(SECOND, file, "exec"), space)
    t = co.trace(space["f"])(1.0)
    place = locate(t.circuit.steps[0].where)
    assert (place.line, place.text) == (2, "")
    assert name_at(t.circuit.steps[0].where) is None
    assert str(place).endswith(", line 2")
    assert t.explain("pt")


def test_a_file_that_is_not_python_has_no_names(tmp_path: Path):
    file = tmp_path / "cell.txt"
    file.write_text("%%time\n  not python\n")
    assert places.parsed(str(file)) is None


def test_equal_code_in_two_files_stays_apart(tmp_path: Path):
    steps = []
    for name in ("one.py", "two.py"):
        file = tmp_path / name
        file.write_text(SECOND.replace("second", "first ") if name == "one.py" else SECOND)
        space: dict[str, Any] = {}
        exec(compile(SECOND, str(file), "exec"), space)
        steps += co.trace(space["f"])(1.0).circuit.steps
    assert steps[0].where == steps[1].where, "equal code objects, or this test tests nothing"
    assert [Path(locate(step.where).file).name for step in steps] == ["one.py", "two.py"]
    assert [name_at(step.where) for step in steps] == ["first", "second"]


# --- unpacking ----------------------------------------------------------------------------------


def test_unpacked_finds_the_names_of_an_arguments_parts():
    def f(params, x):
        W, b = params
        [first, second] = x
        return W, b, first, second

    assert unpacked(f.__code__, "params") == ("W", "b")
    assert unpacked(f.__code__, "x") == ("first", "second")
    assert unpacked(f.__code__, "W") == ()


def test_unpacking_in_another_function_does_not_count():
    def f(params):
        return params[0]

    def g(params):
        a, b = params
        return a * b

    assert unpacked(f.__code__, "params") == ()
    assert unpacked(g.__code__, "params") == ("a", "b")


def test_deep_and_starred_unpacking_gives_no_names():
    def f(params, more):
        (W, b), c = params
        first, *rest = more
        return W, b, c, first, rest

    assert unpacked(f.__code__, "params") == unpacked(f.__code__, "more") == ()


@pytest.mark.parametrize("file", ["/tmp/ipykernel_24808/2728282965.py", "<ipython-input-3-ab>"])
def test_a_cell_of_a_notebook_is_called_so(file):
    place = Place(file, 7, 7, 0, 1, "f", "x")
    assert str(place) == "cell, line 7"
    assert place.into("pt") == "célula, linha 7"
