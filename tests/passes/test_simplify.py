"""Every rule applies where it says, changes no bit there, and what is no identity is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from passes.agreeing import SETTINGS, SPECIAL, assert_agree, assert_harmless, joined, recorded
from test_random_circuits import Written, programs

import corrente as co
from corrente.passes import prune, simplify
from corrente.passes.simplify import _BY_GATE, RULES
from corrente.record import NAMES

F, S, C, W, B = np.float64, np.float32, np.complex128, np.int64, np.bool_

QUARTER_32 = "np.float32(0.25); return v2"
QUARTER = "np.float64(0.25); return v2"


class Case(NamedTuple):
    """A gate with a rule: a function of x and y that uses it, what is left of it, and a dtype."""

    gate: str
    rule: str
    function: Callable[..., Any]
    left: str
    dtype: Any = F


CASES = [
    Case("positive", "_input", lambda x, y: +x, "return x"),
    Case("copy", "_input", lambda x, y: np.copy(x) * y, "v2 = x * y; return v2"),
    Case("multiply", "_neutral_factor", lambda x, y: x * 1.0, "return x"),
    Case("multiply", "_neutral_factor", lambda x, y: 1 * x, "return x", S),
    Case("multiply", "_neutral_factor", lambda x, y: x * 1, "return x", W),
    Case("multiply", "_neutral_factor", lambda x, y: np.ones_like(x) * x, "return x"),
    Case("divide", "_power_of_two", lambda x, y: x / 1.0, "return x", S),
    Case("multiply", "_minus_one", lambda x, y: x * -1.0, "v2 = -x; return v2"),
    Case("multiply", "_minus_one", lambda x, y: -1 * x, "v2 = -x; return v2", W),
    Case("divide", "_power_of_two", lambda x, y: x / -1, "v2 = -x; return v2", S),
    Case("multiply", "_two_opposites", lambda x, y: -x * -y, "v2 = x * y; return v2"),
    Case("divide", "_two_opposites", lambda x, y: -x / -y, "v2 = x / y; return v2", S),
    Case("divide", "_power_of_two", lambda x, y: x / 4.0, "v2 = x * 0.25; return v2"),
    Case("divide", "_power_of_two", lambda x, y: x / 4, "v2 = x * 0.25; return v2", S),
    Case("divide", "_power_of_two", lambda x, y: x / -0.5, "v2 = x * -2.0; return v2"),
    Case("divide", "_power_of_two", lambda x, y: x / F(4), "v2 = x * " + QUARTER),
    Case("divide", "_power_of_two", lambda x, y: x / S(4), "v2 = x * " + QUARTER_32, S),
    Case("divide", "_power_of_two", lambda x, y: x / F(4), "v2 = x * " + QUARTER, S),
    Case("add", "_neutral_term", lambda x, y: x + -0.0, "return x"),
    Case("add", "_neutral_term", lambda x, y: -0.0 + x, "return x", S),
    Case("add", "_neutral_term", lambda x, y: 0 + x, "return x", W),
    Case("subtract", "_neutral_term", lambda x, y: x - 0, "return x"),
    Case("subtract", "_neutral_term", lambda x, y: x - 0, "return x", W),
    Case("add", "_opposite_term", lambda x, y: x + -y, "v2 = x - y; return v2"),
    Case("add", "_opposite_term", lambda x, y: -x + y, "v2 = y - x; return v2", C),
    Case("subtract", "_opposite_term", lambda x, y: x - -y, "v2 = x + y; return v2", C),
    Case("negative", "_undone", lambda x, y: -np.negative(x), "return x", W),
    Case("logical_not", "_undone", lambda x, y: np.logical_not(np.logical_not(x)), "return x", B),
    Case("invert", "_undone", lambda x, y: ~~x, "return x", W),
    Case("conjugate", "_undone", lambda x, y: np.conj(np.conj(x)), "return x", C),
    Case("flip", "_undone", lambda x, y: np.flip(np.flip(x, 1), 1), "return x"),
    Case("absolute", "_sign_is_lost", lambda x, y: abs(-x), "v2 = np.absolute(x); return v2"),
    Case("square", "_sign_is_lost", lambda x, y: np.square(-x), "v2 = np.square(x); return v2", S),
    Case("absolute", "_already", lambda x, y: abs(abs(x)), "v2 = np.absolute(x); return v2", C),
    Case("conjugate", "_of_real", lambda x, y: np.conj(x), "return x"),
    Case("real", "_of_real", lambda x, y: np.real(x), "return x", S),
    Case("power", "_small_power", lambda x, y: x**1, "return x", W),
    Case("power", "_small_power", lambda x, y: x**2, "v2 = np.square(x); return v2", W),
    Case("power", "_small_power", lambda x, y: x**2.0, "v2 = np.square(x); return v2", S),
    Case("power", "_small_power", lambda x, y: x**2, "v2 = np.square(x); return v2"),
    Case("maximum", "_same_twice", lambda x, y: np.maximum(x, x), "return x"),
    Case("minimum", "_same_twice", lambda x, y: np.minimum(x, x), "return x", S),
    Case("fmax", "_same_twice", lambda x, y: np.fmax(x, x), "return x"),
    Case("fmin", "_same_twice", lambda x, y: np.fmin(x, x), "return x"),
    Case("logical_and", "_same_twice", lambda x, y: np.logical_and(x, x), "return x", B),
    Case("logical_or", "_same_twice", lambda x, y: np.logical_or(x, x), "return x", B),
    Case("bitwise_and", "_same_twice", lambda x, y: x & x, "return x", W),
    Case("bitwise_or", "_same_twice", lambda x, y: x | x, "return x", B),
    Case("where", "_decided", lambda x, y: np.where(True, x, y), "return x"),
    Case(
        "where", "_decided", lambda x, y: np.where(False, y, np.float64(2.0)),
        "v3 = np.broadcast_to(np.float64(2.0), (8, 8)); return v3",
    ),
    Case("where", "_decided", lambda x, y: np.where(np.zeros_like(x, bool), x, y), "return y"),
    Case("where", "_decided", lambda x, y: np.where(x > y, y, y), "return y", S),
    Case("astype", "_cast_back", lambda x, y: np.astype(np.astype(x, F), S), "return x", S),
    Case("transpose", "_turned_twice", lambda x, y: x.T.T, "return x"),
    Case("transpose", "_turned_twice", lambda x, y: np.transpose(x, (0, 1)), "return x"),
    Case(
        "transpose", "_turned_twice",
        lambda x, y: np.transpose(np.transpose(x[None], (1, 2, 0)), (2, 1, 0)),
        "v2 = x[None]; v3 = np.transpose(v2, (0, 2, 1)); return v3",
    ),
    Case("reshape", "_read_in_rows", lambda x, y: x.reshape(-1).reshape(x.shape), "return x"),
    Case(
        "reshape", "_read_in_rows", lambda x, y: np.reshape(np.expand_dims(x, 1), (-1,)),
        "v2 = np.reshape(x, (64,)); return v2",
    ),
    Case("expand_dims", "_read_in_rows", lambda x, y: np.expand_dims(x, ()), "return x"),
    Case("squeeze", "_read_in_rows", lambda x, y: np.squeeze(np.expand_dims(x, 0), 0), "return x"),
    Case("broadcast_to", "_repeated_twice", lambda x, y: np.broadcast_to(x, (8, 8)), "return x"),
    Case(
        "broadcast_to", "_repeated_twice",
        lambda x, y: np.broadcast_to(np.broadcast_to(x, (2, 8, 8)), (3, 2, 8, 8)),
        "v2 = np.broadcast_to(x, (3, 2, 8, 8)); return v2",
    ),
    Case("getitem", "_everything", lambda x, y: x[...] - x[:, :], "v2 = x - x; return v2"),
    Case("prod", "_input", lambda x, y: np.prod(x, axis=()), "return x"),
    Case("max", "_input", lambda x, y: np.max(x, axis=()), "return x"),
    Case("min", "_input", lambda x, y: np.min(x, axis=()), "return x", S),
    Case("concatenate", "_input", lambda x, y: np.concatenate([x]), "return x"),
]  # fmt: skip


def grids(dtype: Any) -> tuple[Any, Any]:
    """Return two arrays that pair every special number with every other."""
    special = np.array(SPECIAL)
    x, y = np.meshgrid(special, special)
    if dtype is C:
        return x + 1j * y, y + 1j * np.flip(x, 1)
    if dtype in (W, B):
        numbers = np.array([-(2**63), 2**63 - 1, -1, 0, 1, 2, 3, -7])
        x, y = np.meshgrid(numbers, numbers)
    with np.errstate(all="ignore"):
        return x.astype(dtype), y.astype(dtype)


def body(f: Callable[..., Any], *args: Any) -> str:
    circuit = recorded(f, *args)
    lines = str(prune(simplify(circuit)).verify()).splitlines()[1:]
    return "; ".join(line.strip() for line in lines)


@pytest.fixture(params=CASES, ids=lambda case: f"{case.gate} {case.rule} {case.left}")
def case(request: Any) -> Case:
    return request.param


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_rule_applies(case: Case):
    assert body(case.function, *(np.ones((8, 8), case.dtype) for _ in range(2))) == case.left


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_rule_changes_no_bit(case: Case):
    x, y = grids(case.dtype)
    circuit = recorded(case.function, x, y)
    assert_agree(circuit, simplify(circuit), [x, y])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_without_its_rule_a_case_is_left_alone(case: Case, monkeypatch: pytest.MonkeyPatch):
    rules = _BY_GATE[NAMES[case.gate]]
    others = tuple(rule for rule in rules if rule.__name__ != case.rule)
    assert len(others) < len(rules)
    monkeypatch.setitem(_BY_GATE, NAMES[case.gate], others)
    assert body(case.function, *(np.ones((8, 8), case.dtype) for _ in range(2))) != case.left


def test_every_rule_has_a_case_for_every_gate():
    entered = {(gate, rule.rewrite.__name__) for rule in RULES for gate in rule.gates.split()}
    assert entered == {(case.gate, case.rule) for case in CASES}
    assert all(rule.because for rule in RULES)


@pytest.mark.parametrize("weak", [2.5, -0.0, np.nan])
@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x: x * 1.0, "return x"),
        (lambda x: -(x * -1.0), "return x"),
        (lambda x: x**2, "v1 = np.square(x); return v1"),
        (lambda x: x / 2.0, "v1 = x * 0.5; return v1"),
    ],
)
def test_rules_on_python_numbers(f: Callable[..., Any], left: str, weak: float):
    circuit = recorded(f, weak)
    assert circuit.wires[circuit.outs[0]].weak
    assert body(f, weak) == left
    assert_agree(circuit, simplify(circuit), [weak])


# --- what is no identity ------------------------------------------------------------------------

OTHERS = np.ones((8, 8))
SAME_BITS: list[tuple[Callable[..., Any], Any]] = [
    (lambda x, y: x + 0.0, F),
    (lambda x, y: 0 + x, F),
    (lambda x, y: x - -0.0, F),
    (lambda x, y: x * 0.0, F),
    (lambda x, y: -(x - y), F),
    (lambda x, y: 0.0 - x, F),
    (lambda x, y: x**0.5, F),
    (lambda x, y: x**-1.0, F),
    (lambda x, y: x**0, F),
    (lambda x, y: x / 3.0, F),
    (lambda x, y: x / 0.0, F),
    (lambda x, y: x / np.inf, F),
    (lambda x, y: x / 5e-324, F),
    (lambda x, y: x / 2.0**1023, F),
    (lambda x, y: x / 2.0**127, S),
    (lambda x, y: x / y, F),
    (lambda x, y: x / 4.0, C),
    (lambda x, y: x / 4, W),
    (lambda x, y: 1.0 / x, F),
    (lambda x, y: 1.0 - x, F),
    (lambda x, y: np.sum(x, axis=()), F),
    (lambda x, y: np.mean(x, axis=()), F),
    (lambda x, y: x * 1.0, C),
    (lambda x, y: x / 1.0, C),
    (lambda x, y: x * -1.0, C),
    (lambda x, y: x + -0.0, C),
    (lambda x, y: x - 0.0, C),
    (lambda x, y: -x * -y, C),
    (lambda x, y: x**1, C),
    (lambda x, y: x**2, C),
    (lambda x, y: x * np.full((8, 8), 1.0), F),
    (lambda x, y: x * OTHERS, F),
    (lambda x, y: x * 1.0, W),
    (lambda x, y: x / 1, W),
    (lambda x, y: x * F(1.0), S),
    (lambda x, y: x * F(-1.0), S),
    (lambda x, y: x / S(4.0), F),
    (lambda x, y: x ** np.full(x.shape, 2.0, like=x), F),
    (lambda x, y: np.where(True, x[0], y.astype(F)), S),
    (lambda x, y: x ** np.full(x.shape, 2.0), F),
    (lambda x, y: x + -y, W),
    (lambda x, y: x - -y, W),
    (lambda x, y: x.astype(F) - -y, W),
    (lambda x, y: np.logical_not(np.logical_not(x)), F),
    (lambda x, y: np.logical_and(x, x), F),
    (lambda x, y: np.maximum(x, y), F),
    (lambda x, y: np.where(x > y, x, y), F),
    (lambda x, y: np.where(True, x, y.astype(F)), S),
    (lambda x, y: x.astype(S).astype(F), F),
    (lambda x, y: x.astype(F), S),
    (lambda x, y: co.stop_gradient(x) * y, F),
    (lambda x, y: np.transpose(x[None], (0, 2, 1)), F),
    (lambda x, y: np.flip(np.flip(x, 0), 1), F),
    (lambda x, y: np.reshape(np.reshape(x, (64,), order="F"), (8, 8)), F),
    (lambda x, y: np.reshape(np.reshape(x, (4, 16)), (8, 8), order="F"), F),
    (lambda x, y: np.broadcast_to(x, (2, 8, 8)), F),
    (lambda x, y: x[:, None], F),
    (lambda x, y: x[::-1], F),
    (lambda x, y: x[..., 0], F),
    (lambda x, y: np.max(x, axis=0), F),
    (lambda x, y: np.concatenate([x, y]), F),
    (lambda x, y: np.stack([x]), F),
    (lambda x, y: abs(x), W),
    (lambda x, y: abs(-x), W),
    (lambda x, y: np.conj(x), C),
    (lambda x, y: np.real(x), C),
    (lambda x, y: np.exp(np.log(x)), F),
    (lambda x, y: np.sqrt(x) ** 3, F),
]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("number", range(len(SAME_BITS)))
def test_what_is_no_identity_is_left_alone(number: int):
    f, dtype = SAME_BITS[number]
    circuit = recorded(f, np.ones((8, 8), dtype), np.ones((8, 8), dtype))
    assert circuit.steps
    assert simplify(circuit) is circuit


def test_unsigned_numbers_that_wrap_around_are_left_alone():
    f = lambda x, y: (x + -y, x - -y, abs(-y))
    circuit = recorded(f, np.ones(2, np.int64), np.ones(2, np.uint8))
    assert simplify(circuit) is circuit


def test_the_negative_of_a_python_number_that_is_numpys():
    """np.negative(2.0) promotes a float32 array, and 2.0 does not."""
    f = lambda x, y: (x + np.negative(y), x - np.negative(y), np.negative(y) * -x, abs(-x))
    circuit = recorded(f, np.ones(2, np.float32), 2.0)
    after = simplify(circuit).verify()
    assert [step.gate.name for step in after.steps[:3]] == ["negative", "add", "negative"]
    assert_agree(circuit, after, [np.array([0.5, -0.0], np.float32), 3.0])


def test_a_cast_to_its_own_type():
    circuit = recorded(lambda x: np.sin(x.astype(S)), np.ones(2, F))
    wires = (circuit.wires[0]._replace(dtype=np.dtype(S)), *circuit.wires[1:])
    after = simplify(replace(circuit, wires=wires)).verify()
    assert [step.gate.name for step in after.steps] == ["sin"]
    assert after.steps[0].ins == after.ins


# --- repeated inputs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "left"),
    [
        (lambda x, y: np.broadcast_to(y, (2, 3)) * x, "v2 = y * x; return v2"),
        (lambda x, y: np.broadcast_to(y[0], (2, 3)) + x, "v2 = y[0]; v3 = v2 + x; return v3"),
        (
            lambda x, y: np.broadcast_to(y, (4, 2, 3)) * x,
            "v3 = y * x; v2 = np.broadcast_to(v3, (4, 2, 3)); return v2",
        ),
        (
            lambda x, y: np.broadcast_to(y, (2, 3)) - np.broadcast_to(x, (2, 3)),
            "v2 = y - x; return v2",
        ),
        (
            lambda x, y: np.broadcast_to(y, (2, 3)) - np.broadcast_to(y + 1.0, (2, 3)),
            "v3 = y + 1.0; v5 = y - v3; v4 = np.broadcast_to(v5, (2, 3)); return v4",
        ),
        (
            lambda x, y: np.broadcast_to(y, (2, 3)) ** x,
            "v2 = np.broadcast_to(y, (2, 3)); v3 = v2 ** x; return v3",
        ),
        (
            lambda x, y: np.sin(np.broadcast_to(y, (2, 3))),
            "v3 = np.sin(y); v2 = np.broadcast_to(v3, (2, 3)); return v2",
        ),
        (
            lambda x, y: np.broadcast_to(y, (4, 2, 3)) * 1.0 + x,
            "v3 = y + x; v2 = np.broadcast_to(v3, (4, 2, 3)); return v2",
        ),
        (
            lambda x, y: x * np.full((4, 1, 1), 0.5, like=x),
            "v4 = x * np.float64(0.5); v2 = np.broadcast_to(v4, (4, 2, 3)); return v2",
        ),
        (
            lambda x, y: np.where(np.ones((2, 3), bool, like=x), y, x),
            "v2 = np.broadcast_to(y, (2, 3)); return v2",
        ),
        (
            lambda x, y: np.arange(3.0, like=x) * y,
            "v3 = v2 * y; return v3",
        ),
    ],
)
def test_elementwise_gates_repeat_their_inputs_by_themselves(f: Callable[..., Any], left: str):
    x, y = np.array([[1.0, 2.0, np.nan], [-0.0, 5.0, np.inf]]), np.array([0.5, -0.0, 2.0])
    assert body(f, x, y) == left
    circuit = recorded(f, x, y)
    assert_agree(circuit, simplify(circuit), [x, y])


def test_a_python_number_that_was_repeated_promotes():
    f = lambda x, y: np.broadcast_to(y, (3,)) * x
    circuit = recorded(f, np.ones(3, np.float32), 2.0)
    assert simplify(circuit) is circuit


# --- what stays ---------------------------------------------------------------------------------


def test_a_chain_of_rules_ends():
    f = lambda x: -np.negative(((x * 1.0).T.T.reshape(-1).reshape(2, 3) + -0.0)[...] / 1.0) * -1
    assert body(f, np.ones((2, 3))) == "v1 = -x; return v1"


def test_places_origins_and_guards_stay():
    def f(x, y):
        quotient = (x * 1.0) / 4.0
        return quotient if quotient > y else y

    program = co.trace(f)(8.0, 1.0)
    after = simplify(program.circuit).verify()
    for step in after.steps:
        twin = next(old for old in program.circuit.steps if old.outs == step.outs)
        assert step[4:] == twin[4:]
    assert after.guards == program.circuit.guards
    assert "quotient" in after.names.values()


def test_a_guard_follows_what_it_reads():
    circuit = recorded(lambda x: np.sin(x) if x * 1.0 else x, 2.0)
    after = simplify(circuit)
    assert after.guards[0].wire == after.ins[0]
    assert after.guards[0].wire != circuit.guards[0].wire


def test_a_label_goes_over_unless_there_is_one():
    circuit = recorded(lambda x: np.sin(x) * 1.0 + x * 1.0, 2.0)
    labels = {circuit.steps[1].outs[0]: "s", circuit.steps[2].outs[0]: "t"}
    circuit.labels.update(labels)  # type: ignore[attr-defined]
    assert simplify(circuit).labels == {0: "x", circuit.steps[0].outs[0]: "s"}


def test_gradients_are_those_of_the_program_that_was_written():
    circuit = joined(lambda x, y: np.sum(np.sin(x * 1.0 + -y) / 2.0), np.ones(3), np.ones(3))
    names = [step.gate.name for step in prune(simplify(circuit)).steps]
    assert names == [
        "subtract",
        "sin",
        "multiply",
        "sum",
        "multiply",
        "cos",
        "multiply",
        "negative",
    ]


@SETTINGS
@given(programs())
def test_no_bit_changes(program: Written):
    assert_harmless(simplify, program)
