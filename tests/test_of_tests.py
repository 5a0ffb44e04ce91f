"""Rules broken on purpose: the check goes red and names the gate, the wire and the line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import backprop
from corrente.errors import GradientError
from corrente.places import locate
from corrente.record import NAMES, TABLE, Every, Gate, Gather
from corrente.tracer import Traced, operators, record

X = np.array([[0.3, -0.8], [1.1, 0.6]])
Y = np.array([[1.5, 0.4], [-0.7, 0.9]])


def break_gate(monkeypatch: pytest.MonkeyPatch, name: str, **rules: Any) -> Gate:
    """Put a wrong copy of a gate in its place, in the table and behind its operator."""
    whole = NAMES[name]
    wrong = replace(whole, **rules)
    for key in [key for key, gate in TABLE.items() if gate is whole]:
        monkeypatch.setitem(TABLE, key, wrong)
    for word, (known, fast) in operators._BINARY.items():
        if known == name:
            monkeypatch.setitem(NAMES, name, wrong)
            monkeypatch.setattr(Traced, f"__{word}__", operators._binary(name, fast))
    return wrong


def accused(f: Callable[..., Any], *args: Any, **options: Any) -> GradientError:
    with pytest.raises(GradientError) as caught:
        co.check_grads(f, args, **options)
    return caught.value


def assert_named(error: GradientError, gate: str, wire: str, f: Callable[..., Any]) -> None:
    """The gate, the wire, and the line of f that says so in a comment."""
    lines, first = inspect.getsourcelines(f)
    marked = [first + k for k, line in enumerate(lines) if "# wrong" in line]
    assert error.gate == gate
    assert error.wire.split("[")[0] == wire
    assert error.where is not None
    assert [locate(error.where).line] == marked
    assert f"line {marked[0]}" in str(error)
    assert gate in error.render("pt")


# --- one rule each ------------------------------------------------------------------------------


def through_tanh(x, y):
    s = x + y
    t = np.tanh(s)  # wrong
    return np.sum(t * x)


def through_subtract(x, y):
    t = np.sin(x)
    d = t - y  # wrong
    return np.sum(d * d)


def through_multiply(x, y):
    t = np.tanh(x)
    p = t * y  # wrong
    return np.sum(np.sin(p))


def through_divide(x, y):
    t = np.cosh(y)
    q = x / t  # wrong
    return np.sum(q)


def through_sum(x, y):
    t = x * y
    s = np.sum(t, axis=1)  # wrong
    return np.dot(s, s)


def through_matmul(x, y):
    t = np.sin(x)
    m = t @ y  # wrong
    return np.mean(m * m)


def through_mean(x, y):
    t = x * y
    return np.mean(t)  # wrong


def through_sin(x, y):
    t = x * y
    u = np.sin(t)  # wrong
    return np.sum(u * x)


WRONG: dict[str, tuple[Callable[..., Any], str, str, dict[str, Any]]] = {
    "a factor of 1.001": (
        through_tanh,
        "tanh",
        "s",
        {
            "partials": (lambda x, out: 1.001 * (1.0 - out * out),),
            "pulls": (lambda g, out, x: g * (1.001 * (1.0 - out * out)),),
        },
    ),
    "a missing term": (
        through_tanh,
        "tanh",
        "s",
        {"partials": (1.0,), "pulls": (lambda g, out, x: g,)},
    ),
    "the wrong sign": (
        through_subtract,
        "subtract",
        "y",
        {"partials": (1.0, 1.0), "pulls": (lambda g, out, x, y: g, lambda g, out, x, y: g)},
    ),
    "swapped operands": (
        through_multiply,
        "multiply",
        "t",
        {
            "partials": (lambda x, y, out: x, lambda x, y, out: x),
            "pulls": (lambda g, out, x, y: g * x, lambda g, out, x, y: g * x),
            "linear": frozenset(),
        },
    ),
    "a forgotten minus and square": (
        through_divide,
        "divide",
        "t",
        {
            "partials": (lambda x, y, out: 1.0 / y, lambda x, y, out: out),
            "pulls": (lambda g, out, x, y: g / y, lambda g, out, x, y: g * out),
        },
    ),
    "broadcasting along the wrong axis": (
        through_sum,
        "sum",
        "t",
        {"pulls": (lambda g, out, x, axis, keepdims: np.broadcast_to(g, np.shape(x)),)},
    ),
    "a forgotten transpose": (
        through_matmul,
        "matmul",
        "t",
        {"pulls": (lambda g, out, x, y: g @ y, lambda g, out, x, y: x.T @ g)},
    ),
    "a forgotten division": (
        through_mean,
        "mean",
        "t",
        {"pulls": (lambda g, out, x, axis, keepdims: np.broadcast_to(g, np.shape(x)),)},
    ),
    "a rule that raises": (
        through_sin,
        "sin",
        "t",
        {"pulls": (lambda g, out, x: g @ np.ones(7),)},
    ),
    "a gradient of another shape": (
        through_sin,
        "sin",
        "t",
        {"pulls": (lambda g, out, x: np.ones(5),)},
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_rule_is_named(mistake: str, monkeypatch: pytest.MonkeyPatch):
    f, gate, wire, rules = WRONG[mistake]
    assert co.check_grads(f, (X, Y), order=1).worst < 1e-7
    break_gate(monkeypatch, gate, **rules)
    assert_named(accused(f, X, Y, order=1), gate, wire, f)


def test_a_wrong_rule_on_scalars_shows_its_local_gradient(monkeypatch: pytest.MonkeyPatch):
    def f(x, y):
        q = x * y  # wrong
        return 3.0 * np.tanh(q)

    pulls = (lambda g, out, x, y: g * x, lambda g, out, x, y: g * x)
    break_gate(monkeypatch, "multiply", pulls=pulls)
    error = accused(f, 0.25, 0.75, modes=("rev",), order=1)
    assert_named(error, "multiply", "x", f)
    assert "0.25 by the rule, 0.75 by the numbers, relative error 6.7e-01 (wrong)" in str(error)


def test_the_element_that_is_worst_is_named(monkeypatch: pytest.MonkeyPatch):
    def f(x):
        t = np.sinh(x)  # wrong
        return np.sum(t * t)

    def pull(g, out, x):
        return g * np.cosh(x) * np.array([1.01, 1.0, 1.1, 3.0, 1.1])

    break_gate(monkeypatch, "sinh", pulls=(pull,))
    error = accused(f, np.linspace(-1.0, 1.0, 5), order=1)
    assert error.wire == "x[3]"
    assert_named(error, "sinh", "x", f)


def test_the_first_of_two_wrong_gates_is_named(monkeypatch: pytest.MonkeyPatch):
    def f(x):
        c = np.cos(x)  # wrong
        return np.sum(np.exp(c))

    break_gate(monkeypatch, "cos", pulls=(lambda g, out, x: g,))
    break_gate(monkeypatch, "exp", pulls=(lambda g, out, x: -g * out,))
    assert_named(accused(f, X), "cos", "x", f)


# --- in one mode only, at one order only, in one precision only ---------------------------------


def test_wrong_in_forward_mode_only(monkeypatch: pytest.MonkeyPatch):
    break_gate(monkeypatch, "sin", partials=(lambda x, out: np.cos(x) + 0.01,))
    co.check_grads(through_sin, (X, Y), modes=("rev",), order=1)
    error = accused(through_sin, X, Y, order=1)
    assert_named(error, "sin", "t", through_sin)
    assert "forward mode" in str(error)
    assert "modo direto" in error.render("pt")


def test_wrong_in_reverse_mode_only(monkeypatch: pytest.MonkeyPatch):
    break_gate(monkeypatch, "sin", pulls=(lambda g, out, x: g * (np.cos(x) + 0.01),))
    co.check_grads(through_sin, (X, Y), modes=("fwd",), order=1)
    error = accused(through_sin, X, Y, order=1)
    assert_named(error, "sin", "t", through_sin)
    assert "reverse mode" in str(error)


@pytest.mark.parametrize("modes", [("fwd",), ("rev",), ("fwd", "rev")])
def test_wrong_at_order_two_only(modes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    def blind(g, out, x):
        return g * co.stop_gradient(np.cos(x))

    break_gate(
        monkeypatch,
        "sin",
        pulls=(blind,),
        partials=(lambda x, out: co.stop_gradient(np.cos(x)),),
    )
    co.check_grads(through_sin, (X, Y), modes=modes, order=1)
    error = accused(through_sin, X, Y, modes=modes, order=2)
    assert_named(error, "sin", "t", through_sin)
    assert "at order 2" in str(error)


def test_wrong_at_order_two_across_inputs(monkeypatch: pytest.MonkeyPatch):
    pulls = (lambda g, out, x, y: g * co.stop_gradient(y), lambda g, out, x, y: g * x)
    break_gate(monkeypatch, "multiply", pulls=pulls)
    co.check_grads(through_multiply, (X, Y), modes=("rev",), order=1)
    error = accused(through_multiply, X, Y, modes=("rev",), order=2)
    assert_named(error, "multiply", "t", through_multiply)


def test_wrong_in_single_precision_only(monkeypatch: pytest.MonkeyPatch):
    def pull(g, out, x):
        return g * np.cos(x) * (1.1 if x.dtype == np.float32 else 1.0)

    break_gate(monkeypatch, "sin", pulls=(pull,))
    co.check_grads(through_sin, (X, Y), order=1)
    error = accused(through_sin, X.astype(np.float32), Y.astype(np.float32), order=1)
    assert_named(error, "sin", "t", through_sin)
    assert "low precision" in str(error)


def test_a_wrong_rule_is_seen_through_single_precision(monkeypatch: pytest.MonkeyPatch):
    break_gate(monkeypatch, "sin", pulls=(lambda g, out, x: 1.0001 * g * np.cos(x),))
    error = accused(through_sin, X.astype(np.float32), Y.astype(np.float32), order=1)
    assert_named(error, "sin", "t", through_sin)


# --- what is no gate's fault, and gates of the user's own ---------------------------------------


def test_gradients_that_are_overwritten_where_wires_fork(monkeypatch: pytest.MonkeyPatch):
    def overwrite(self, wire, position, d, own=False):
        self.gradients[wire] = d

    monkeypatch.setattr(backprop.Slots, "add", overwrite)
    error = accused(lambda x: np.sum(np.sin(x) + x * 2.0), np.array([0.1, 0.9]), order=1)
    assert error.gate == ""
    assert error.wire.startswith("x[")
    assert "each gate alone is right" in str(error)
    assert "sozinha" in error.render("pt")


def test_a_forgotten_unbroadcast(monkeypatch: pytest.MonkeyPatch):
    crop = lambda d, shape: np.broadcast_to(np.ravel(d)[:1].reshape((1,) * len(shape)), shape)
    monkeypatch.setattr(backprop, "unbroadcast", crop)
    f = lambda x, b: np.sum(np.tanh(x + b))
    assert accused(f, X, np.array([0.2, 0.3]), order=1, modes=("rev",)).gate == "add"


def test_a_stopped_gradient_is_named():
    def f(x):
        t = co.stop_gradient(x)  # wrong
        return np.sum(t * x)

    error = accused(f, np.array([1.0, 2.0]))
    assert error.gate == ""
    assert error.where is not None
    assert "stop_gradient" in locate(error.where).text
    assert "stopped on purpose" in str(error)


def test_a_users_own_gate():
    cube = co.gate(lambda x: x**3).defpull(lambda g, out, x: g * 2.0 * x * x)

    def f(a):
        q = a + 1.0
        c = cube(q)  # wrong
        return c * 2.0

    error = accused(f, 1.0)
    assert_named(error, "<lambda>", "q", f)
    assert "8 by the rule, 12 by the numbers" in str(error)
    assert "defpull" in str(error)


# --- every gate there is ------------------------------------------------------------------------

# a gather's backward pass is one buffer for all reads, and does not ask the rule
# SciPy's own values of the first two are off by more than the checker's tolerance; the others
# refuse, by name, the only slope they would have
LEFT_OUT = {"ncfdtrinc", "nctdtrinc", "mathieu_a", "mathieu_b"}
CARRIES = [
    gate
    for gate in NAMES.values()
    if gate.pulls is not None and not isinstance(gate.kind, Gather) and gate.name not in LEFT_OUT
]


def sample(gate: Gate) -> tuple[tuple[Any, ...], dict[str, Any]]:
    rng = np.random.default_rng(7)
    if gate.example is not None:
        return gate.example(rng)
    return tuple(rng.uniform(low, high, size=3) for low, high in gate.domain), {}


def is_float(value: Any) -> bool:
    return np.asarray(value).dtype.kind == "f"


def scaled(pull: Callable[..., Any]) -> Callable[..., Any]:
    return lambda g, out, *ins, **params: 1.001 * pull(g, out, *ins, **params)


def used_alone(gate: Gate) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Make a function of the gate's float inputs, and a point for it."""
    ins, params = sample(gate)
    floats = [k for k, value in enumerate(ins) if is_float(value)]

    def f(*moved):
        given = list(ins)
        for k, value in zip(floats, moved, strict=True):
            given[k] = value
        if any(type(value) is Traced for value in moved):
            return record(gate, given, params)  # wrong
        return gate.forward(*given, **params)

    return f, tuple(ins[k] for k in floats)


@pytest.mark.parametrize("gate", CARRIES, ids=lambda gate: gate.name)
def test_a_thousandth_too_much_is_seen_in_every_gate(gate: Gate):
    f, args = used_alone(gate)
    co.check_grads(f, args, order=1)
    if gate.name in ("heaviside", "imag"):  # a thousandth more than zero is zero
        y, pull = co.vjp(f, *args)
        assert not any(np.any(d) for d in pull(np.ones_like(y)))
        return
    count = len(sample(gate)[0])
    pulls = gate.pulls
    assert pulls is not None
    wrong = (
        Every(lambda k, *a, **p: scaled(pulls[k])(*a, **p))
        if isinstance(pulls, Every)
        else (tuple(scaled(pulls[k]) for k in range(count) if k < len(pulls)))
    )
    f, args = used_alone(replace(gate, pulls=wrong))
    error = accused(f, *args, order=1, modes=("rev",))
    lines, first = inspect.getsourcelines(used_alone)
    marked = [first + k for k, line in enumerate(lines) if "# wrong" in line]
    assert error.gate == gate.name
    assert error.where is not None
    assert locate(error.where).line == marked[0]
