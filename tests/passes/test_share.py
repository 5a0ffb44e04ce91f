"""Sharing merges what is equal to the last bit, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from passes.agreeing import (
    SETTINGS,
    SPECIAL,
    assert_agree,
    assert_harmless,
    differs,
    joined,
    recorded,
)
from test_random_circuits import Written, programs

import corrente as co
from corrente.circuit import Circuit, Step
from corrente.interpreter import run
from corrente.passes import prune, share
from corrente.passes.share import fingerprint
from corrente.record import NAMES, Gate
from corrente.tape import wire_of

COMMUTATIVE = sorted(name for name, gate in NAMES.items() if "commutative" in gate.facts)


def on(gates: list[tuple[str, tuple[int, ...]]], held: list[Any], *ins: Any) -> Circuit:
    """Write a circuit: inputs, held values, then one-output steps that read them by number."""
    values = [*ins, *held]
    steps = []
    for name, read in gates:
        with np.errstate(all="ignore"):
            value = NAMES[name].forward(*(values[wire] for wire in read))
        steps.append(Step(NAMES[name], read, (len(values),), {}))
        values.append(value)
    wires = tuple(wire_of(k, value) for k, value in enumerate(values))
    first = len(ins)
    constants = {first + k: value for k, value in enumerate(held)}
    outs = tuple(step.outs[0] for step in steps)
    return Circuit(wires, tuple(range(first)), constants, tuple(steps), outs).verify()


def test_text_before_and_after():
    def f(x, y):
        a = np.sin(x * y)
        b = np.sin(y * x) + 2.0
        c = np.sum(x[None] * 2.0, axis=(0, 1)) - np.sum(x[None] * 2.0, axis=(0, 1))
        return a, b, c

    circuit = recorded(f, np.ones(2), np.ones(2))
    assert len(circuit.steps) == 12
    assert str(prune(share(circuit)).verify()) == "\n".join(
        [
            "def circuit(x, y):",
            "    v2 = x * y",
            "    a = np.sin(v2)",
            "    b = a + 2.0",
            "    v6 = x[None]",
            "    v7 = v6 * 2.0",
            "    v8 = np.sum(v7, axis=(0, 1))",
            "    c = v8 - v8",
            "    return a, b, c,",
        ]
    )


def test_the_backward_pass_uses_what_the_forward_pass_has():
    circuit = joined(lambda x: np.exp(x) + np.square(np.exp(x)), 0.5)
    names = [step.gate.name for step in share(circuit).steps]
    assert [step.gate.name for step in circuit.steps].count("exp") == 2
    assert names.count("exp") == 1


# --- constants ----------------------------------------------------------------------------------

DISTINCT: list[Any] = [
    0.0, -0.0, 0, False, np.float64(0.0), np.float64(-0.0), np.float32(0.0), np.int64(0),
    1.0, 1, True, np.True_, 1 + 0j, complex(1, -0.0), np.complex64(1.0),
    np.nan, np.float64(np.nan), np.float32(np.nan), np.inf, -np.inf, 5e-324,
]  # fmt: skip


@pytest.mark.parametrize("first", range(len(DISTINCT)))
def test_constants_that_are_not_the_same_bits_stay_apart(first: int):
    x = np.ones(2)
    for second, other in enumerate(DISTINCT):
        circuit = on([("multiply", (0, 1)), ("multiply", (0, 2))], [DISTINCT[first], other], x)
        after = share(circuit)
        assert len(after.steps) == (1 if first == second else 2)
        assert len(after.held) == len(after.steps)
        assert_agree(circuit, after, [np.array([2.0, -0.0])])


def test_constant_arrays_are_known_by_their_elements():
    made = [np.array([0.0, 1.0]) for _ in range(3)]
    made[2][0] = -0.0
    for array in made:
        array.flags.writeable = False
    after = share(on([("add", (0, 1)), ("add", (0, 2)), ("add", (0, 3))], made, np.ones(2)))
    assert len(after.steps) == 2


def test_arrays_that_may_change_are_known_by_identity():
    one, twin = np.ones(2), np.ones(2)
    after = share(on([("add", (0, 1)), ("add", (0, 2)), ("add", (0, 3))], [one, twin, one], 1.0))
    assert len(after.steps) == 2
    twin[:] = 5.0
    assert [run(after, 1.0)[w].tolist() for w in after.outs] == [[2, 2], [6, 6], [2, 2]]


# --- parameters ---------------------------------------------------------------------------------

APART: list[tuple[Callable[..., Any], Callable[..., Any]]] = [
    (lambda x: x[0:2], lambda x: x[0:3]),
    (lambda x: x[..., None], lambda x: x[None, ...]),
    (lambda x: x[1:], lambda x: x[1::1]),
    (lambda x: np.sum(x, axis=0), lambda x: np.sum(x, axis=1)),
    (lambda x: np.sum(x, 0), lambda x: np.sum(x, 0, keepdims=True)),
    (lambda x: x.astype(np.float32), lambda x: x.astype(np.complex64)),
    (lambda x: np.reshape(x, (9,)), lambda x: np.reshape(x, (9,), order="F")),
    (lambda x: np.var(x, ddof=1), lambda x: np.var(x, ddof=1.0)),
    (lambda x: np.sin(x), lambda x: np.cos(x)),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_parameters_tell_steps_apart(one: Any, other: Any):
    x = np.arange(9.0).reshape(3, 3)
    for f, g, count in ((one, one, 1), (other, other, 1), (one, other, 2)):
        after = share(recorded(lambda x, f=f, g=g: (f(x), g(x)), x)).verify()
        assert len(after.steps) == count


def test_fingerprints_of_what_cannot_be_hashed():
    again = lambda value: fingerprint(value) == fingerprint(value)
    for value in (slice(0, 1), [1, [2.0]], {"a": slice(None)}, np.ones(3), np.dtype("f4"), np.sin):
        assert again(value)
        hash(fingerprint(value))
    assert fingerprint(np.array([0.0])) != fingerprint(np.array([-0.0]))
    assert fingerprint(np.array([0.0])) != fingerprint(np.array([0.0], np.float32))
    assert fingerprint(np.array([0.0])) != fingerprint(np.array([0]))
    assert fingerprint(np.zeros((1, 2))) != fingerprint(np.zeros((2, 1)))
    assert fingerprint([1]) != fingerprint((1,))
    assert fingerprint((0, 1)) != fingerprint((False, True))
    assert fingerprint(np.array([0.0])) == fingerprint(np.array([0.0]))


# --- commutative gates --------------------------------------------------------------------------


def operands(dtype: Any) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    if np.dtype(dtype).kind in "bi":
        return rng.integers(-9, 9, 200).astype(dtype), rng.integers(-9, 9, 200).astype(dtype)
    with np.errstate(all="ignore"):
        x, y = (part.ravel() for part in np.meshgrid(SPECIAL, SPECIAL))
        x = np.concatenate([x, rng.normal(size=500) * 10.0 ** rng.uniform(-9, 9, 500)])
        y = np.concatenate([y, rng.normal(size=500) * 10.0 ** rng.uniform(-9, 9, 500)])
        if np.dtype(dtype).kind == "c":
            x, y = x + 1j * np.roll(y, 7), y + 1j * np.roll(x, 3)
        return x.astype(dtype), y.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64, bool])
@pytest.mark.parametrize("name", COMMUTATIVE)
def test_inputs_are_swapped_only_where_no_bit_changes(name: str, dtype: Any):
    """Every gate that calls itself commutative is swapped here, or known not to be so."""
    x, y = operands(dtype)
    try:
        circuit = on([(name, (0, 1)), (name, (1, 0))], [], x, y)
    except TypeError:
        return  # not a dtype of this gate
    assert_agree(circuit, share(circuit), [x, y])


def test_which_gates_are_swapped():
    swapped = {
        (name, kind)
        for name in ("add", "multiply", "maximum", "fmin", "equal", "hypot", "subtract")
        for kind, dtype in (("f", np.float64), ("c", np.complex128), ("i", np.int64))
        if (name, kind) != ("hypot", "c")
        if len(share(on([(name, (0, 1)), (name, (1, 0))], [], *operands(dtype))).steps) == 1
    }
    assert swapped == {
        *(("add", kind) for kind in "fci"), *(("equal", kind) for kind in "fci"),
        ("multiply", "f"), ("multiply", "i"), ("maximum", "i"), ("fmin", "i"),
        ("hypot", "f"), ("hypot", "i"),
    }  # fmt: skip


def test_the_order_of_zeros_is_kept():
    circuit = recorded(lambda x, y: np.maximum(x, y) + np.maximum(y, x), 0.0, -0.0)
    assert len(share(circuit).steps) == 3


# --- what stays ---------------------------------------------------------------------------------


def test_steps_whose_outputs_differ_in_weakness_stay_apart():
    """Python's own power gives a Python number, NumPy's function one of NumPy's."""
    circuit = recorded(lambda x: (x**2.0, np.power(x, 2.0)), 3.0)
    assert [circuit.wires[w].weak for w in circuit.outs] == [True, False]
    assert len(share(circuit).steps) == 2


def test_a_users_own_gate_is_called_as_often_as_written():
    rng = np.random.default_rng(0)
    noisy: Gate | Any = co.gate(lambda x: x + rng.normal()).defpull(lambda g, out, x: g)
    circuit = recorded(lambda x: noisy(x) - noisy(x), 1.0)
    assert len(share(circuit).steps) == 3


def test_places_guards_and_names_stay():
    def f(x):
        first = np.sin(x)
        second = np.sin(x)
        return second if second > first - 1.0 else first

    circuit = recorded(f, 1.0)
    after = share(circuit).verify()
    assert after.steps[0] == circuit.steps[0]
    assert "first" in after.names.values()
    assert "second" not in after.names.values()
    assert after.guards == circuit.guards
    assert_agree(circuit, after, [2.0])


def test_a_guard_follows_what_it_reads():
    def f(x):
        return x if x > 0.0 else -x, x if x > 0.0 else -x

    circuit = recorded(f, 1.0)
    after = share(circuit).verify()
    assert len({guard.wire for guard in circuit.guards}) == 2
    assert len({guard.wire for guard in after.guards}) == 1


def test_a_label_goes_over_to_the_wire_that_stands_for_its_own():
    circuit = on([("sin", (0,)), ("sin", (0,))], [], 1.0)
    circuit.labels.update({2: "twin"})  # type: ignore[attr-defined]
    assert share(circuit).labels == {1: "twin"}


def test_nothing_to_do_gives_the_circuit_itself():
    circuit = recorded(lambda x: np.sin(x) + np.cos(x), 1.0)
    assert share(circuit) is circuit


def test_differs_tells_bits_apart():
    assert differs(0.0, -0.0)
    assert differs(1.0, np.float64(1.0))
    assert differs(complex(0.0, 0.0), complex(0.0, -0.0))
    assert not differs(np.nan, -np.nan)


@SETTINGS
@given(programs())
def test_no_bit_changes(program: Written):
    assert_harmless(share, program)
