"""The user's source with the numbers in the margin, line by line."""

from __future__ import annotations

import linecache
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
import pytest
from test_narrator import Bench, notes_example

from corrente import listing
from corrente.circuit import Composed
from corrente.gates.arithmetic import add, multiply, reciprocal, sqrt
from corrente.listing import LIMIT, annotate
from corrente.numerals import number
from corrente.places import Where, locate

Spot = Callable[..., Where]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Spot]:
    """Write a source file; return a finder of places in it by function and expression."""

    def source(text: str, name: str = "model.py") -> Spot:
        file = tmp_path / name
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        linecache.checkcache(str(file))
        module = compile(file.read_text(encoding="utf-8"), str(file), "exec")
        return lambda function, expression: _spot(module, function, expression)

    return source


def _spot(module: CodeType, function: str, expression: str) -> Where:
    pending = [module]
    while pending:
        code = pending.pop()
        pending += [part for part in code.co_consts if isinstance(part, CodeType)]
        for offset in range(0, len(code.co_code), 2):
            if code.co_name == function and locate((code, offset)).text == expression:
                return code, offset
    raise LookupError(f"{expression} is not in {function}")


def test_each_line_has_its_value_and_gradient(write: Any):
    spot = write("""\
        import numpy as np


        def f(x, y, z):
            q = x + y

            return q * z
        """)
    bench = Bench()
    x, y, z = bench.given(-2.0, "x"), bench.given(5.0, "y"), bench.given(-4.0, "z")
    q = bench.put(add, x, y, where=spot("f", "x + y"))
    run = bench.run(bench.put(multiply, q, z, where=spot("f", "q * z")), wanted=[x, y, z])
    assert (
        annotate(run)
        == """\
def f(x, y, z):   │ x = −2  | ∂ −4
                  │ y = 5   | ∂ −4
                  │ z = −4  | ∂ 3
    q = x + y     │ q = 3   | ∂ −4

    return q * z  │ f = −12 | ∂ 1"""
    )


def test_the_widest_expression_stands_for_a_line_that_assigns_nothing(write: Any):
    spot = write("""\
        def f(x):
            if x * x + x:
                a = x * x; b = a + x
            return sqrt(reciprocal(b))
        """)
    bench = Bench()
    x = bench.given(2.0, "x")
    square = bench.put(multiply, x, x, where=spot("f", "x * x"))
    bench.put(add, square, x, where=spot("f", "x * x + x"))
    a, at = spot("f", "x * x"), spot("f", "a + x")
    code = a[0]
    second = next(
        k for k in range(a[1] + 2, len(code.co_code), 2)
        if locate((code, k)).text == "x * x" and locate((code, k)).line == 3
    )  # fmt: skip
    a = bench.put(multiply, x, x, where=(code, second))
    b = bench.put(add, a, x, where=at)
    one = bench.put(reciprocal, b, where=spot("f", "reciprocal(b)"))
    run = bench.run(bench.put(sqrt, one, where=spot("f", "sqrt(reciprocal(b))")), wanted=[x])
    lines = annotate(run).splitlines()
    assert [line.split("│")[1].split("|")[0].strip() for line in lines] == [
        "x = 2", "v2 = 6", "a = 4", "b = 6", "f = 0.4082",
    ]  # fmt: skip
    assert lines[1].endswith("v2 = 6")
    assert lines[3].strip().startswith("│ b = 6")


def test_a_loop_shows_its_last_value_and_how_often_it_ran(write: Any):
    spot = write("""\
        def f(x, w):
            h = x
            for _ in range(3):
                h = h * w
            return h
        """)
    bench = Bench()
    h = x = bench.given(1.0, "x")
    w = bench.given(2.0, "w")
    for _ in range(3):
        h = bench.put(multiply, h, w, where=spot("f", "h * w"))
    run = bench.run(h, wanted=[w])
    assert (
        annotate(run, "pt")
        == """\
def f(x, w):            │ x = 1 | dado
                        │ w = 2 | ∂ 12
    h = x
    for _ in range(3):
        h = h * w       │ h = 8 | ∂ 1  × 3
    return h"""
    )
    assert "x = 1 | data" in annotate(run)
    assert x not in run.gradients


def test_one_operator_of_several_steps_ran_once(write: Any):
    spot = write("def f(x):\n    y = g(x)\n    z = h(y)\n    return z\n")
    bench = Bench()
    x = bench.given(4.0, "x")
    y = bench.put(multiply, x, x, where=spot("f", "g(x)"))
    y = bench.put(sqrt, y, where=spot("f", "g(x)"))
    y = bench.put(multiply, y, x, where=spot("f", "g(x)"))
    for _ in range(3):
        mark = (Composed("h", 7),)
        y = bench.put(multiply, y, x, where=spot("f", "h(y)"), stack=mark)
    assert "×" not in annotate(bench.run(y, wanted=[x]))
    bench.put(multiply, y, x, where=spot("f", "h(y)"), stack=(Composed("h", 8),))
    assert annotate(bench.run(y, wanted=[x])).count("× 2") == 1


LAYERS = """\
    def layer(h, w):
        a = h * w
        a = a + w
        return a


    def squash(a):
        for _ in range(2):
            a = sqrt(a)
        return a


    def f(
        x,
        w=2.0,
    ):
        for _ in range(2):
            x = squash(layer(x, w))
        return half(x)


    half = lambda x: 0.5 * x
"""


def test_functions_that_were_entered_stand_once_and_give_their_callers_a_value(write: Any):
    spot = write(LAYERS)
    bench = Bench()
    h = x = bench.given(3.0, "x")
    w = bench.given(2.0, "w")
    half = bench.hold(0.5)
    for _ in range(2):
        call = (spot("f", "layer(x, w)"),)
        h = bench.put(multiply, h, w, where=spot("layer", "h * w"), stack=call)
        h = bench.put(add, h, w, where=spot("layer", "a + w"), stack=call)
        for _ in range(2):
            call = (spot("f", "squash(layer(x, w))"),)
            h = bench.put(sqrt, h, where=spot("squash", "sqrt(a)"), stack=call)
    call = (spot("f", "half(x)"),)
    h = bench.put(multiply, half, h, where=spot("<lambda>", "0.5 * x"), stack=call)
    text = annotate(bench.run(h, wanted=[x, w]))
    titles = [line.split(" (")[0] for line in text.splitlines() if line.startswith("──")]
    assert titles == ["── f", "── layer", "── squash", "── <lambda>"]
    notes = [line.split("│")[1].split() for line in text.splitlines() if "│" in line]
    a = 8.0**0.25 * 2.0
    dx, dw, last, da = _slopes(3.0, 2.0)
    assert [" ".join(note) for note in notes] == [
        f"x = 3 | ∂ {dx}",
        f"w = 2 | ∂ {dw}",
        f"x = {number((a + 2.0) ** 0.25)} | ∂ 0.5 × 2",
        f"f = {last} | ∂ 1",
        f"a = {number(a)} | ∂ {da} × 2",
        f"a = {number(a + 2.0)} | ∂ {da} × 2",
        f"a = {number((a + 2.0) ** 0.25)} | ∂ 0.5 × 4",
        f"f = {last} | ∂ 1",
    ]
    lines = text.splitlines()
    assert lines[1] == "def f("
    assert lines[2].startswith("    x,  ")
    assert lines[2].index("│") == lines[3].index("│")
    assert "│ x = 3" in lines[2]
    assert "│ w = 2" in lines[3]


def _slopes(x: float, w: float) -> tuple[str, ...]:
    """Work out by differences what the two layers of LAYERS must show."""

    def f(x: float, w: float, extra: float = 0.0) -> float:
        first = (x * w + w) ** 0.25
        return 0.5 * (first * w + w + extra) ** 0.25

    h = 1e-5
    dx = (f(x + h, w) - f(x - h, w)) / (2 * h)
    dw = (f(x, w + h) - f(x, w - h)) / (2 * h)
    da = (f(x, w, h) - f(x, w, -h)) / (2 * h)
    return number(dx), number(dw), number(f(x, w)), number(da)


def test_a_function_of_one_composed_operator_is_called_once_for_all_its_steps(write: Any):
    spot = write("""\
        def g(x):
            return mean(x)

        def f(x):
            y = g(x)
            for _ in range(3):
                y = g(y)
            return y
        """)
    bench = Bench()
    x = y = bench.given(3.0, "x")
    inner, code = spot("g", "mean(x)"), spot("f", "g(y)")
    for call, serials in ((spot("f", "g(x)"), [1]), (code, [2, 3, 4])):
        for serial in serials:
            for gate in (sqrt, reciprocal, sqrt):
                y = bench.put(gate, y, where=inner, stack=(call, Composed("mean", serial)))
    lines = annotate(bench.run(y, wanted=[x])).splitlines()
    assert "×" not in next(line for line in lines if "y = g(x)" in line)
    assert next(line for line in lines if "y = g(y)" in line).endswith("× 3")
    assert next(line for line in lines if "return mean(x)" in line).endswith("× 4")


def test_a_value_that_a_call_did_not_return_is_not_shown_at_the_call(write: Any):
    spot = write("""\
        def g(x):
            y = x * x
            z = y + y
            return y

        def f(x):
            u = g(x)
            return u
        """)
    bench = Bench()
    x = bench.given(3.0, "x")
    call = (spot("f", "g(x)"),)
    y = bench.put(multiply, x, x, where=spot("g", "x * x"), stack=call)
    bench.put(add, y, y, where=spot("g", "y + y"), stack=call)
    text = annotate(bench.run(y, wanted=[x]))
    assert "u = g(x)   │ u = 9  | ∂ 1\n" in text
    assert "z = y + y  │ z = 18\n" in text


def test_an_inner_function_stays_inside_the_one_that_holds_it(write: Any):
    spot = write("""\
        class Model:
            @staticmethod
            def f(x):
                def inner(u):
                    return u * u
                return sqrt(inner(x))
        """)
    bench = Bench()
    x = bench.given(3.0, "x")
    y = bench.put(multiply, x, x, where=spot("inner", "u * u"), stack=(spot("f", "inner(x)"),))
    run = bench.run(bench.put(sqrt, y, where=spot("f", "sqrt(inner(x))")), wanted=[x])
    assert (
        annotate(run)
        == """\
@staticmethod
def f(x):                    │ x = 3  | ∂ 1
    def inner(u):
        return u * u         │ v1 = 9 | ∂ 0.1667
    return sqrt(inner(x))    │ f = 3  | ∂ 1""".replace("    │", "  │")
    )


def test_an_inner_function_that_was_met_first_still_stays_inside(write: Any):
    spot = write("""\
        def f(x):
            def inner(u):
                return u * u
            return sqrt(
                inner(x)
            )
        """)
    bench = Bench()
    x = bench.given(3.0, "x")
    y = bench.put(multiply, x, x, where=spot("inner", "u * u"))
    whole = next(
        (code, k)
        for code, _ in [spot("f", "inner(x)")]
        for k in range(0, len(code.co_code), 2)
        if locate((code, k)).text.startswith("sqrt(")
    )
    lines = annotate(bench.run(bench.put(sqrt, y, where=whole), wanted=[x])).splitlines()
    assert lines[0].startswith("def f(x):")
    assert [line.split("│")[0].strip() for line in lines].count("return u * u") == 1
    assert lines[-1].strip() == ")"


def test_the_widest_expression_wins_even_when_another_came_later(write: Any):
    spot = write("def f(x):\n    use(x * x * x); use(x + x)\n")
    bench = Bench()
    x = bench.given(2.0, "x")
    cube = bench.put(multiply, x, bench.hold(4.0), where=spot("f", "x * x * x"))
    bench.put(add, x, x, where=spot("f", "x + x"))
    assert "│ f = 8" in annotate(bench.run(cube, wanted=[x]))


def test_arguments_stand_at_the_traced_function_alone(write: Any):
    main = write("def f(x):\n    return g(x)\n", "main.py")
    other = write("def g(x):\n    return x * x\n", "other.py")
    bench = Bench()
    x = bench.given(3.0, "x")
    y = bench.put(multiply, x, x, where=other("g", "x * x"), stack=(main("f", "g(x)"),))
    text = annotate(bench.run(y, wanted=[x]))
    assert text.index("── f (") < text.index("── g (")
    assert text.count("x = 3") == 1
    assert "def f(x):         │ x = 3 | ∂ 6" in text


def test_equal_functions_of_two_files_are_kept_apart(write: Any):
    bench = Bench()
    y = x = bench.given(3.0, "x")
    for name in ("one.py", "two.py"):
        spot = write("def f(x):\n    return x * x\n", name)
        y = bench.put(multiply, y, y, where=spot("f", "x * x"))
    text = annotate(bench.run(y, wanted=[x]))
    assert "one.py:1)" in text
    assert "two.py:1)" in text
    assert "return x * x  │ v1 = 9 | ∂ 18\n" in text
    assert text.endswith("return x * x  │ f = 81 | ∂ 1")


def test_libraries_are_listed_only_when_the_trace_began_there(write: Any, monkeypatch: Any):
    own = write("def f(x):\n    return g(x)\n")
    library = write("def g(x):\n    return x * x\n", "library.py")
    where = library("g", "x * x")
    monkeypatch.setattr(listing, "_LIBRARIES", (where[0].co_filename,))
    bench = Bench()
    x = bench.given(3.0, "x")
    y = bench.put(multiply, x, x, where=where, stack=(own("f", "g(x)"),))
    text = annotate(bench.run(y, wanted=[x]))
    assert "def f(x)" in text
    assert "def g" not in text
    assert "return g(x)  │ f = 9 | ∂ 1" in text
    bench.steps[0] = bench.steps[0]._replace(stack=())
    assert "def g(x)" in annotate(bench.run(y, wanted=[x]))


def test_our_own_files_are_never_listed():
    house = annotate.__code__
    bench = Bench()
    x = bench.given(3.0, "x")
    run = bench.run(bench.put(sqrt, x, where=(house, 0)), wanted=[x])
    assert annotate(run).splitlines()[1].startswith("f = np.sqrt(x)  │ f = 1.732")


@pytest.mark.parametrize("file", ["<stdin>", "<string>", "/nowhere/gone.py"])
def test_without_source_the_steps_are_listed(file: str):
    code = next(
        part for part in compile("def f(x):\n    return x * x", file, "exec").co_consts
        if isinstance(part, CodeType)
    )  # fmt: skip
    run = notes_example()
    where = (code, 6)
    steps = tuple(step._replace(where=where) for step in run.circuit.steps)
    object.__setattr__(run.circuit, "steps", steps)
    assert (
        annotate(run)
        == """\
x          │ x = −2  | ∂ −4
y          │ y = 5   | ∂ −4
z          │ z = −4  | ∂ 3
q = x + y  │ q = 3   | ∂ −4
f = q * z  │ f = −12 | ∂ 1"""
    )


def test_many_steps_without_source_are_cut_and_it_says_so():
    bench = Bench()
    x = h = bench.given(1.0, "x")
    for _ in range(LIMIT + 7):
        h = bench.put(multiply, h, x)
    lines = annotate(bench.run(h, wanted=[x])).splitlines()
    assert len(lines) == 1 + LIMIT + 1
    assert lines[LIMIT // 2 + 1].strip() == "… (7)"


def test_arrays_are_given_by_shape_range_and_norm():
    bench = Bench()
    x = bench.given(np.array([1.0, 4.0, 9.0]), "x")
    y = bench.put(sqrt, x, name="y")
    bad = bench.put(multiply, y, bench.hold(np.array([np.inf, 1.0, 1.0]), "c"), name="bad")
    text = annotate(bench.run(y, wanted=[x]))
    assert "x = (3,) 1…9, mean 4.667" in text
    assert "| ∂ norm 0.5833" in text
    assert "bad = (3,) 2…3, mean 2.5, non-finite 1" in text
    assert bad
    assert "média 4.667" in annotate(bench.run(y, wanted=[x]), "pt")
    assert "| ∂ norma 0.5833" in annotate(bench.run(y, wanted=[x]), "pt")


def test_a_width_cuts_the_source_first_and_then_the_margin(write: Any):
    spot = write(
        "def a_function_with_a_long_name(x):\n    # " + "long " * 30 + "\n    return x * x\n"
    )
    name = "a_function_with_a_long_name"
    bench = Bench()
    x = bench.given(3.0, "x")
    run = bench.run(bench.put(multiply, x, x, where=spot(name, "x * x")), wanted=[x])
    lines = annotate(run, width=40).splitlines()
    assert max(map(len, lines)) == 40
    assert lines[0] == "def a_function_with_a_lo…  │ x = 3 | ∂ 6"
    assert lines[1].endswith("lon…")
    assert max(map(len, annotate(run, width=24).splitlines())) == 24
    assert max(map(len, annotate(run).splitlines())) > 100


def test_many_inputs_are_cut_on_their_line(write: Any):
    spot = write("def f(*xs):\n    return xs[0] * xs[0]\n")
    bench = Bench()
    wires = [bench.given(float(k), f"xs[{k}]") for k in range(30)]
    where = spot("f", "xs[0] * xs[0]")
    run = bench.run(bench.put(multiply, wires[0], wires[0], where=where), wanted=wires)
    lines = annotate(run).splitlines()
    assert lines[0].split("│")[1].strip().startswith("xs[0] = 0")
    assert lines[12].split("│")[1].strip() == "… (18)"
