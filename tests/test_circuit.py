"""A circuit prints as NumPy that runs, names every wire once, and knows when it is broken."""

from __future__ import annotations

import keyword
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.circuit import (
    Circuit,
    Guard,
    Step,
    Wire,
    call_code,
    dtype_code,
    is_literal,
    literal,
    value_code,
)
from corrente.errors import CircuitError
from corrente.gates.arithmetic import add, multiply
from corrente.gates.reductions import sum_
from corrente.interpreter import interpret
from corrente.record import Gate

# --- printing -----------------------------------------------------------------------------------


def gates(x, y, z):
    q = x + y
    return q * z


def neuron(w, x):
    total = np.dot(w[:2], x) + w[2]
    return 1.0 / (1.0 + np.exp(-total))


def reassigned(x):
    x = x * 2.0
    x = x - -3.0
    x_1 = (-2.0) ** x
    return x_1  # noqa: RET504  # the name is what is tested


def chosen(x):
    y = np.where(x > 0.0, x, np.array([0.5, 1.0]))
    return y[np.array([1, 0])], np.sum(y[..., None], axis=(0, 1)), y[::-1]


def written(x):
    y = np.zeros(3, like=x)
    y[1:] = x
    np.add.at(y, 0, 2.0)
    return y


GOLDEN: list[tuple[Callable[..., Any], tuple[Any, ...], str]] = [
    (
        gates,
        (-2.0, 5.0, -4.0),
        """
def circuit(x, y, z):
    q = x + y
    v4 = q * z
    return v4
""",
    ),
    (
        neuron,
        (np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])),
        """
def circuit(w, x):
    v2 = w[:2]
    v3 = np.dot(v2, x)
    v4 = w[2]
    total = v3 + v4
    v6 = -total
    v7 = np.exp(v6)
    v9 = 1.0 + v7
    v11 = 1.0 / v9
    return v11
""",
    ),
    (
        reassigned,
        (1.5,),
        """
def circuit(x):
    x_1 = x * 2.0
    x_2 = x_1 - -3.0
    x_1_1 = (-2.0) ** x_2
    return x_1_1
""",
    ),
    (
        chosen,
        (np.array([1.0, -2.0]),),
        """
def circuit(x, *, v3=np.array([0.5, 1.0], np.float64).reshape((2,)), v5=np.array([1, 0], np.int64)):
    v2 = x > 0.0
    y = np.where(v2, x, v3)
    v6 = y[v5]
    v7 = y[..., None]
    v8 = np.sum(v7, axis=(0, 1))
    v9 = y[::-1]
    return v6, v8, v9,
""",
    ),
    (
        written,
        (np.array([1.0, -2.0]),),
        """
def circuit(x, *, v1=np.full((3,), 0.0, np.float64)):
    v2 = nn.written(v1, x, np.s_[1:])
    v4 = nn.added(v2, 2.0, np.s_[0])
    return v4
""",
    ),
    (lambda x: (x * 2.0,), (1.0,), "\ndef circuit(x):\n    v2 = x * 2.0\n    return v2\n"),
]


def execute(circuit: Circuit, *args: Any) -> Any:
    """Run a printed circuit with nothing but NumPy and the house's functions at hand."""
    space: dict[str, Any] = {"np": np, "nn": co.nn}
    exec(str(circuit), space)
    return space["circuit"](*args)


def name_of(item: Any) -> str:
    return getattr(item, "__name__", "")


@pytest.mark.parametrize(("f", "args", "text"), GOLDEN, ids=name_of)
def test_golden(f: Callable[..., Any], args: tuple[Any, ...], text: str):
    assert str(co.trace(f)(*args).circuit) == text.strip()


@pytest.mark.parametrize(("f", "args", "text"), GOLDEN, ids=name_of)
def test_what_is_printed_runs(f: Callable[..., Any], args: tuple[Any, ...], text: str):
    circuit = co.trace(f)(*args).circuit.verify()
    found = execute(circuit, *args)
    found = found if isinstance(found, tuple) else (found,)
    for value, expected in zip(found, interpret(circuit, *args), strict=True):
        np.testing.assert_array_equal(value, expected)
    if f is not written:  # like= is for traced values only
        with np.errstate(all="ignore"):
            result = f(*args)
        result = result if isinstance(result, tuple) else (result,)
        for value, expected in zip(found, result, strict=True):
            np.testing.assert_array_equal(value, expected)


def test_a_circuit_without_outputs_prints_as_python():
    circuit = co.trace(lambda x: 3.0)(1.0).circuit
    assert execute(circuit, 1.0) == ()


def test_a_backward_pass_prints_as_python():
    t = co.trace(gates)(-2.0, 5.0, -4.0)
    back = t.backward
    assert execute(back.circuit, *(back.values[wire] for wire in back.circuit.ins)) == t.grads


HELD = [
    np.array([0.0, -0.0]),
    np.array([np.nan, np.inf, -np.inf, -0.0]),
    np.full(20, np.inf),
    np.array([0.1, 1 / 3], np.float32),
    np.array([[1, 2]], np.int8),
    np.array([True, False]),
    np.full(1000, 0.1),
    np.arange(1000.0),
    np.ones((0, 3)),
    np.array([1 + 2j, 3.0]),
]


@pytest.mark.parametrize("array", HELD, ids=lambda array: f"{array.dtype}{array.shape}")
def test_held_arrays_are_printed_exactly_or_asked_for(array: np.ndarray):
    wires = (Wire(array.shape, array.dtype, 0, False),)
    circuit = Circuit(wires, (), {0: array}, (), (0,)).verify()
    if "v0=" not in str(circuit):
        with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'v0'"):
            execute(circuit)
        return
    found = execute(circuit)
    assert (found.dtype, found.shape) == (array.dtype, array.shape)
    assert found.tobytes() == array.tobytes()


LITERALS = [
    1.0, -0.0, 1e-300, 3, True, 1j, 1 + 2j,
    float("nan"), float("inf"), float("-inf"),
    complex("nan"), complex("inf"), complex("1-infj"),
    np.float64(0.1), np.float64("nan"), np.float64("inf"), np.float64("-inf"),
    np.float32(0.1), np.float32("nan"), np.float32("inf"), np.float16(1.5),
    np.complex64(1 + 2j), np.complex64("nan"), np.complex128("inf"),
    np.int32(3), np.uint8(255), np.bool_(True), np.longdouble("1.1"),
    np.array(2.0, np.float32), np.array("nan", float), np.array("-inf", np.float32),
    np.array(3, np.int8), np.array(True), np.array(1 + 2j),
]  # fmt: skip


@pytest.mark.parametrize("value", LITERALS, ids=repr)
def test_literals_give_back_value_and_type(value: Any):
    assert is_literal(value)
    found = eval(literal(value), {"np": np})
    assert type(found) is type(value)
    assert np.asarray(found).dtype == np.asarray(value).dtype
    np.testing.assert_array_equal(found, value)
    assert np.array_equal(np.signbit(np.real(found)), np.signbit(np.real(value)))


def test_arrays_with_axes_are_no_literals():
    assert not is_literal(np.ones(1))
    assert not is_literal(np.ones((0,)))


def test_negative_literals_keep_their_place():
    f = lambda x: (-2.0) ** x - -x + (-3.0) * x - np.float64(-2.0) ** x
    circuit = co.trace(f)(2.0).circuit
    assert execute(circuit, 2.0) == f(2.0)


def test_calls_and_dtypes():
    assert dtype_code(bool) == "np.bool_"
    assert dtype_code(np.dtype("float32")) == "np.float32"
    assert value_code(np.float32) == "np.float32"
    assert value_code((0, 1)) == "(0, 1)"
    code = call_code("sum", ["x", "y"], {"axis": (0,), "out": None, "dtype": np.dtype(int)})
    assert code == "np.sum(x, y, axis=(0,), dtype=np.int64)"


def test_comparing_with_none_or_a_word_can_be_drawn():
    f = lambda x: x * 2.0 if x == None else x * 3.0  # noqa: E711
    t = co.trace(f)(2.0)
    assert t.value == 6.0
    assert "None" in str(t.circuit)
    assert co.trace(lambda x: x * 2.0 if x == "two" else x)(2.0).value == 2.0


# --- names --------------------------------------------------------------------------------------


def test_identifiers_are_unique_and_python():
    words = ["class", "a b", "2x", "np", "nn", "circuit", "float", "x.y", "x['y']", "", "é", "None"]
    wires = tuple(Wire((), np.dtype(float), k, True) for k in range(len(words) + 1))
    labels = dict(enumerate([*words, "x.y"]))
    circuit = Circuit(wires, tuple(range(len(wires))), {}, (), (), (), labels)
    found = list(circuit.identifiers.values())
    assert len(set(found)) == len(found) == len(wires)
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in found)
    assert not {"np", "nn", "circuit", "float"} & set(found)


def test_numbered_names_do_not_run_into_the_users():
    def f(v2, x):
        x_1 = x * v2
        x = x + 1.0
        v3 = x * x_1
        return v3 * 2.0

    circuit = co.trace(f)(2.0, 3.0).circuit
    assert len(set(circuit.identifiers.values())) == len(circuit.identifiers)
    assert execute(circuit, 2.0, 3.0) == f(2.0, 3.0)


def test_a_reassigned_variable_names_each_of_its_wires():
    circuit = co.trace(reassigned)(1.5).circuit
    assert list(circuit.names.values()) == ["x", "x", "x", "x_1"]


def test_makers_and_readers():
    circuit = co.trace(lambda x: x * x + x)(2.0).circuit
    assert circuit.makers == {1: 0, 2: 1}
    assert circuit.readers == {0: [(0, 0), (0, 1), (1, 1)], 1: [(1, 0)]}


# --- verify -------------------------------------------------------------------------------------


def circuit_of(*steps: Step, outs: tuple[int, ...] = (2,), **changes: Any) -> Circuit:
    """Write a circuit of two scalar inputs, wires 0 and 1, and as many others as are named."""
    shapes = changes.pop("shapes", {})
    wires = tuple(Wire(shapes.get(k, ()), np.dtype(float), k, False) for k in range(4))
    return Circuit(wires, (0, 1), changes.pop("held", {}), steps, outs, **changes)


def step(gate: Gate, ins: tuple[int, ...], *outs: int, **params: Any) -> Step:
    return Step(gate, ins, outs, params)


FINE = step(add, (0, 1), 2)
BROKEN = {
    "reads its own output": (circuit_of(step(add, (0, 2), 2)), "reads wire 2 before it is made"),
    "reads a later wire": (
        circuit_of(step(add, (0, 3), 2), step(add, (0, 1), 3)),
        "reads wire 3 before it is made",
    ),
    "makes a wire twice": (circuit_of(FINE, FINE), r"step 1 \(add\) makes wire 2 a second time"),
    "makes an input": (circuit_of(step(add, (0, 1), 1)), "makes wire 1 a second time"),
    "makes a constant": (circuit_of(FINE, held={2: 1.0}), "makes wire 2 a second time"),
    "wrong shape": (circuit_of(FINE, shapes={0: (2,)}), r"has shape \(\), not \(2,\)"),
    "wrong shape of a reduction": (
        circuit_of(step(sum_, (0,), 2, axis=(0,), keepdims=True), shapes={0: (2,), 2: (2,)}),
        r"has shape \(2,\), not \(1,\)",
    ),
    "shapes that do not fit": (circuit_of(FINE, shapes={0: (2,), 1: (3,)}), "shape"),
    "too many outputs": (circuit_of(step(multiply, (0, 1), 2, 3)), "output"),
    "no such wire": (circuit_of(step(add, (0, 1), 9), outs=(9,)), "wire 9"),
    "unknown output": (circuit_of(FINE, outs=(3,)), "returns wire 3, which nothing makes"),
    "unknown guard": (circuit_of(FINE, guards=(Guard(3, True, None),)), "returns wire 3"),
}


def test_a_sound_circuit_returns_itself():
    circuit = circuit_of(FINE, step(multiply, (2, 2), 3), outs=(3, 0))
    assert circuit.verify() is circuit
    assert interpret(circuit, 2.0, 3.0) == [25.0, 2.0]


@pytest.mark.parametrize("fault", BROKEN)
def test_verify_names_the_fault(fault: str):
    circuit, message = BROKEN[fault]
    with pytest.raises(CircuitError, match=message):
        circuit.verify()


# --- size ---------------------------------------------------------------------------------------


def test_a_hundred_thousand_steps_are_quick():
    def chain(x):
        for _ in range(100_000):
            x = x * 0.999
        return x

    circuit = co.trace(chain)(1.0).circuit
    start = time.perf_counter()
    circuit.verify()
    assert len(circuit.names) == len(set(circuit.identifiers.values())) == 100_001
    assert str(circuit).count("\n") == 100_001
    assert (len(circuit.makers), len(circuit.readers)) == (100_000, 200_000)
    assert time.perf_counter() - start < 15.0


def test_a_checkpoint_with_one_result_is_interpreted():
    f = lambda x: co.checkpoint(np.sin)(x).sum()
    x = np.array([0.5, 1.5])
    assert interpret(co.trace(f)(x).circuit, x) == [f(x)]
