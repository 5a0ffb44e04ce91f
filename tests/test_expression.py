"""Expressions: what is read, what it means, what is refused, and how fast."""

import ast
import contextlib
import inspect
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrente as co
from corrente import expression, grammar
from corrente.errors import ExpressionError, ShapeError
from corrente.places import locate

X = np.array([0.5, -1.5, 2.0])
W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])

MEANINGS = [
    ("(x + y) * z", {"x": -2.0, "y": 5.0, "z": -4.0}, -12.0),
    ("-x**2", {"x": 3.0}, -9.0),
    ("2**-x", {"x": 3.0}, 0.125),
    ("x // 2 + x % 2", {"x": 7.0}, 4.0),
    ("1 / (2 - 2)", {}, math.inf),
    ("x / 0", {"x": -1}, -math.inf),
    ("2 * pi + e", {}, 2 * math.pi + math.e),
    ("e * 2", {"e": 1.5}, 3.0),
    ("inf - inf", {}, math.nan),
    ("W @ x", {"W": W, "x": X}, W @ X),
    ("[1, 2] @ W", {"W": W}, np.array([1.0, 2.0]) @ W),
    ("W[1, :2]", {"W": W}, W[1, :2]),
    ("x[-1] * x[::2]", {"x": X}, X[-1] * X[::2]),
    ("x[:, None] * x[..., [0, 1]]", {"x": X}, X[:, None] * X[[0, 1]]),
    ("sum(W, axis=0)", {"W": W}, W.sum(axis=0)),
    ("sum(W, axis=(0, 1), keepdims=True)", {"W": W}, np.array([[21.0]])),
    ("np.sum(W, 1)", {"W": W}, W.sum(1)),
    ("reshape(W, (3, 2))", {"W": W}, W.reshape(3, 2)),
    ("concatenate([x, [7, 8]])", {"x": X}, np.concatenate([X, [7.0, 8.0]])),
    ("sum([x, 2 * x, 1])", {"x": 4.0}, 13.0),
    ("max(x, 0)", {"x": X}, np.maximum(X, 0)),
    ("min(x, 1, 0.7)", {"x": X}, np.minimum(X, 0.7)),
    ("np.max(W, 0)", {"W": W}, W.max(0)),
    ("max(W, 0, keepdims=True)", {"W": W}, W.max(0, keepdims=True)),
    ("where(x > 0, x, 0.1 * x)", {"x": X}, np.where(X > 0, X, 0.1 * X)),
    ("x <= 1", {"x": 1.0}, True),
    ("log(1 + exp(-x))", {"x": X}, np.log(1 + np.exp(-X))),
    ("np.linalg.matmul(W, x)", {"W": W, "x": X}, W @ X),
    ("einsum('ij,j->i', W, x)", {"W": W, "x": X}, W @ X),
    ("θ * 2", {"θ": 1.5}, 3.0),
    ("(x +\n  1)", {"x": 1.0}, 2.0),
    ("7", {}, 7.0),
    ("[1, [2][0]]", {}, np.array([1.0, 2.0])),
]


@pytest.mark.parametrize(("text", "arguments", "expected"), MEANINGS)
def test_means_what_numpy_means(text, arguments, expected):
    value = expression.parse(text, arguments)(*arguments.values())
    np.testing.assert_array_equal(value, expected)
    assert np.asarray(value).dtype == np.asarray(expected).dtype


def test_is_a_function_that_prints():
    f = expression.parse("x * y", {"y": 0, "x": 0})
    assert f(2.0, x=3.0) == 6.0
    assert str(f) == "x * y"
    assert list(inspect.signature(f).parameters) == ["y", "x"]
    with pytest.raises(TypeError):
        f(1.0)


def test_keeps_float32():
    x = X.astype(np.float32)
    f = expression.parse("2 * x + sqrt(2) * (1 > 0)", {"x": x})
    assert f(x).dtype == np.float32


def test_needs_lists_names_in_order():
    assert expression.needs("b * exp(a) + pi + np.sum(c) + b") == ("b", "a", "c")
    assert expression.needs("x.sum(y)") == ("x", "y")


# --- tracing ------------------------------------------------------------------------------------


def test_traces_and_differentiates():
    t = co.trace(expression.parse("(x + y) * z", dict.fromkeys("xyz")))(-2.0, 5.0, -4.0)
    assert (t.value, t.grads) == (-12.0, (-4.0, -4.0, 3.0))
    assert [step.gate.name for step in t.circuit.steps] == ["add", "multiply"]


def test_draws_what_was_written():
    t = co.trace(expression.parse("(x + y) * (x + y) * 1", dict.fromkeys("xy")))(1.0, 2.0)
    assert [step.gate.name for step in t.circuit.steps] == ["add", "add", "multiply", "multiply"]


def test_places_are_in_the_expression_and_names_are_not_borrowed():
    text = "θ * (x + 1.5) - " + "x * " * 60 + "exp(x + x)"
    program = co.trace(expression.parse(text, {"θ": 0, "x": 0}))(1.0, 1.0)
    texts = [locate(step.where).text for step in program.circuit.steps]
    assert texts[:2] == ["x + 1.5", "θ * (x + 1.5)"]
    assert texts[-3:-1] == ["exp(x + x)", text[text.index("x * x") :]]
    assert set(program.circuit.names.values()) == {"θ", "x"}
    other = co.trace(expression.parse("z * (z + 2.5)", {"z": 0}))(1.0)
    same = co.trace(expression.parse("x * (x + 1.5)", {"x": 0}))(1.0)
    assert locate(other.circuit.steps[0].where).text == "z + 2.5"
    assert locate(same.circuit.steps[0].where).text == "x + 1.5"


def test_traced_lists_and_choices():
    f = expression.parse("sum([x, y, 1] * [3, x, 2]) + max(x, y)", dict.fromkeys("xy"))
    value, grads = co.value_and_grad(f, argnums=(0, 1))(2.0, 5.0)
    assert value == 2 * 3 + 5 * 2 + 2 + 5
    assert grads == (3 + 5, 2 + 1)


# --- refusals -----------------------------------------------------------------------------------

REFUSED = [
    # text, what is said in English, the column pointed at, what to try
    ("", "is empty", None, "(x + y) * z"),
    ("  \n ", "is empty", None, "(x + y) * z"),
    ("x +", "cannot be read", 3, "numbers"),
    ("x y", "cannot be read", 2, "numbers"),
    ("x = 3", "cannot be read", 2, "numbers"),
    ("sqr(x)", "no function called sqr", 0, "sqrt"),
    ("x + ln(x)", "no function called ln", 4, "log"),
    ("np.foo(x)", "no function called np.foo", 0, "try"),
    ("__import__('os')", "no function called __import__", 0, "try"),
    ("__import__('os').system('ls')", "an attribute", 0, "bare name"),
    ("np.random.rand(3)", "an attribute", 0, "bare name"),
    ("x.T", "an attribute", 0, "transpose(x)"),
    ("x.sum()", "an attribute", 0, "sum(x)"),
    ("x(x)", "no function called x", 0, "try"),
    ("(x + 1)(x)", "no function called (…)", 3, "try"),
    ("eval('1')", "no function called eval", 0, "try"),
    ("lambda q: q", "lambda", 0, "numbers"),
    ("[i for i in x]", "a comprehension", 0, "write the values"),
    ("(y := 3)", "an assignment (:=)", 1, "x=3"),
    ("f'{x}'", "an f-string", 0, "numbers"),
    ("x + 'a'", "a text in quotes", 4, "mode="),
    ("sum('ij', x)", "a text in quotes", 4, "mode="),
    ("b'a'", "a text in quotes", 0, "numbers"),
    ("x if x > 0 else 0", "if … else", 0, "where("),
    ("x > 0 and x < 1", "and / or", 0, "logical_and"),
    ("not x", "not", 0, "logical_not"),
    ("x ^ 2", "^", 2, "x**2"),
    ("x & x", "&", 2, "logical_and"),
    ("~x", "~", 0, "logical_not"),
    ("x is x", "is", 2, "=="),
    ("x in [x]", "in", 2, "where"),
    ("0 < x < 1", "cannot be chained", 8, "logical_and"),
    ("{1: x}", "curly braces", 0, "[1, 2, 3]"),
    ("{x}", "curly braces", 0, "[1, 2, 3]"),
    ("sum(*x)", "a star", 4, "[1, 2, 3]"),
    ("sum(x, **x)", "written out", 9, "axis=0"),
    ("sum(x, axis=x)", "written out", 12, "axis=0"),
    ("x[x]", "whole number", 2, "x[0]"),
    ("x[1.5]", "whole number", 2, "x[0]"),
    ("None", "None", 0, "numbers"),
    ("...", "ellipsis", 0, "numbers"),
    ("2x + 1", "2 stands next to x", 1, "2*x"),
    ("1j", "1 stands next to j", 1, "1*j"),
    ("0x1F", "0 stands next to x1F", 1, "0*x1F"),
    ("2 × x", "character ×", 2, "write *"),
    ("x − 1", "character −", 2, "write -"),
    ("x²", "character ²", 1, "**2"),
    ("x; x", "character ;", 1, "numbers"),
    ("x # no", "character #", 2, "numbers"),
    ("x\x00", "U+0000", 1, "numbers"),
    ("x\ud800", "U+D800", 1, "numbers"),
    ("\u202ex", "U+202E", 0, "numbers"),
    ("💡", "character 💡", 0, "numbers"),
    ("(x + 1", "( is never closed", 0, "add a )"),
    ("x + 1)", ") closes nothing", 5, "take it out"),
    ("(x]", "] closes nothing", 2, "take it out"),
    ("2**10**10", "beyond 1000", 5, "1.5e20"),
    ("x**(-500 * 3)", "beyond 1000", 9, "1.5e20"),
    ("10**1001", "beyond 1000", 4, "1.5e20"),
    ("x + y + zz", "no value was given for y, zz", 4, "y=… zz=…"),
    ("alpha + 1", "no value was given for alpha", 0, "alpha=…"),
]


@pytest.mark.parametrize(("text", "said", "column", "mend"), REFUSED)
def test_refuses_by_name_and_points(text, said, column, mend):
    with pytest.raises(ExpressionError) as caught:
        expression.parse(text, {"x": 1.0})
    lines = caught.value.render("en").split("\n")
    assert said in lines[0]
    assert mend in lines[-1]
    if column is not None:
        assert lines[2] == " " * (4 + column) + "^"
    portuguese = caught.value.render("pt").split("\n")
    assert portuguese[0] != lines[0]
    assert portuguese[1:-1] == lines[1:-1]
    assert portuguese[-1].startswith("  tente: ")


def test_names_extra_arguments():
    with pytest.raises(ExpressionError, match="the expression has no y, q"):
        expression.parse("x", {"x": 1, "y": 2, "q": 3})


def test_long_expressions_are_cut_around_the_caret():
    text = "x + " * 50 + "foo(x)" + " + x" * 50
    with pytest.raises(ExpressionError) as caught:
        expression.parse(text, {"x": 1})
    _, line, caret, _ = caught.value.render().split("\n")
    assert line[caret.index("^") :].startswith("foo(x)")
    assert len(line) < 80


HUGE = {
    "long": "x" * 100_000,
    "parentheses": "(" * 100_000 + "x" + ")" * 100_000,
    "fitting parentheses": "(" * 4_000 + "x" + ")" * 4_000,
    "unclosed": "(" * 5_000,
    "brackets": "[" * 101 + "]" * 101,
    "minus signs": "-" * 9_999 + "x",
    "sum": "+".join(["x"] * 5_000),
    "deep sum": "+".join(["x"] * 300),
    "powers": "**".join(["x"] * 3_000),
    "attributes": "x" + ".x" * 4_000,
    "calls": "x" + "()" * 4_000,
    "many parts": "[" + "x," * 4_900 + "]",
    "digits": "9" * 9_000,
    "digits after the point": "0." + "3" * 9_000,
    "not": "not " * 2_000 + "x",
    "if": "x if x else " * 800 + "x",
    "lambda": "lambda:" * 1_400 + "x",
    "tower": "10**" * 90 + "10",
    "literal strings": "'a'" * 3_000,
}


@pytest.mark.parametrize("case", HUGE)
def test_huge_input_is_refused_at_once(case):
    with pytest.raises(ExpressionError) as caught:
        expression.parse(HUGE[case], {"x": 1.0})
    assert len(caught.value.render()) < 600


def test_bounds_are_not_tighter_than_stated():
    fits = "(" * grammar.MOST_BRACKETS + "x" + ")" * grammar.MOST_BRACKETS
    assert expression.parse(fits, {"x": 1})(2.0) == 2.0
    wide = "[" + "x," * 1_600 + "]"
    assert expression.parse(wide, {"x": 1})(2.0).shape == (1_600,)
    deep = "+".join(["x"] * (grammar.MOST_DEPTH - 2))
    assert expression.parse(deep, {"x": 1})(1.0) == grammar.MOST_DEPTH - 2
    assert expression.parse("9" * grammar.MOST_DIGITS, {})() == 1e300


def test_whole_numbers_never_grow():
    f = expression.parse("10**999 * 10**999", {})
    assert f() == math.inf
    assert type(expression.parse("999999999999 * 999999999999", {})()) is float


def test_failures_of_numpy_are_said_with_both_shapes():
    f = expression.parse("1 + (W @ x)", {"W": W, "x": X})
    with pytest.raises(ExpressionError, match=r"(?s)\(2, 3\).*\(2,\).*\n {11}\^\n"):
        f(W, np.ones(2))
    with pytest.raises(ExpressionError, match=r"(?s)\(2, 3\).*\(2,\).*\n {11}\^\n") as caught:
        co.trace(f)(W, np.ones(2))
    assert isinstance(caught.value.__context__, ShapeError)
    assert caught.value.mend == caught.value.__context__.mend
    with pytest.raises(ExpressionError, match=r"\[ \] with shapes \(3,\)"):
        expression.parse("x[7]", {"x": X})(X)
    with pytest.raises(ExpressionError, match="inhomogeneous"):
        expression.parse("[[1, 2], [3]]", {})()


def test_nothing_is_run_as_python():
    for room in (expression, grammar):
        for node in ast.walk(ast.parse(inspect.getsource(room))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in ("eval", "exec", "compile", "__import__")


def test_only_functions_with_a_rule_can_be_called():
    known = expression.functions()
    assert known["exp"] is np.exp
    assert {"abs", "absolute", "sum", "maximum", "matmul"} <= known.keys()
    assert not known.keys() & {"save", "load", "fromfile", "memmap", "getitem", "vectorize"}


# --- random text --------------------------------------------------------------------------------


SIGNS = "xy01.+-*/%@()[],:<>=!'e \n\"_pi"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=SIGNS, max_size=30) | st.text(max_size=20))
def test_any_text_is_read_or_refused(text):
    with contextlib.suppress(ExpressionError):
        assert str(expression.parse(text, {"x": 1.0, "y": 2.0})) == " ".join(text.split("\n"))


def _both(parts):
    """Write an operation on two terms, and compute it with NumPy."""
    (left, a), (sign, operation), (right, b) = parts
    with np.errstate(all="ignore"):
        return f"({left} {sign} {right})", operation(a, b)


LEAVES = st.floats(0.1, 9.0).map(lambda x: (f"{x!r}", np.float64(x))) | st.sampled_from(
    [("x", np.float64(0.75)), ("y", np.float64(-1.25))]
)
SIGNED = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
TERMS = st.recursive(
    LEAVES,
    lambda terms: (
        st.tuples(terms, st.sampled_from(list(SIGNED.items())), terms).map(_both)
        | terms.map(lambda term: (f"-{term[0]}", -term[1]))
        | terms.map(lambda term: (f"exp(-abs({term[0]}))", np.exp(-np.abs(term[1]))))
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(TERMS)
def test_random_arithmetic_agrees_with_numpy(term):
    text, expected = term
    names = expression.needs(text)
    value = expression.parse(text, dict.fromkeys(names))(
        *({"x": 0.75, "y": -1.25}[n] for n in names)
    )
    np.testing.assert_equal(value, float(expected))
