"""Huge scalar circuits on the machine give what the interpreter gives, in any shape of circuit."""

from __future__ import annotations

import ctypes
import itertools
import threading
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.circuit import Circuit, Guard, Step, Wire
from corrente.interpreter import emitted, interpret
from corrente.native import levels, machine
from corrente.native.levels import compile_scalar, schedule
from corrente.native.machine import ARITY, CURVES, OPCODES, Operations
from corrente.record import NAMES, Elementwise
from corrente.recording import freeze, result_wires, run

FLOAT, BOOL = np.dtype(np.float64), np.dtype(np.bool_)
EXACT = ["add", "subtract", "multiply", "divide", "negative", "sqrt"]
EXACT += ["absolute", "maximum", "minimum", "floor", "sign"]
CURVED = ["sin", "cos", "tanh", "arctan", "arcsinh"]
SPECIAL = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 5e-324, -1e-310, 1e308, 0.5, -2.5, 709.9]
ULPS = 4


def circuit_of(f: Any, *args: Any) -> Circuit:
    recording = run(f, args, {}, None, all_inputs=True)
    return freeze(recording, [w for w in result_wires(recording)[1] if w is not None])


def random_circuit(names: list[str], width: int, count: int, reach: int, seed: int) -> Circuit:
    """Make gates that read what stands at most `reach` before them; some read literals."""
    rng = np.random.default_rng(seed)
    literals = {width + k: float(v) for k, v in enumerate(rng.normal(size=5))}
    first = width + len(literals)
    wires = [Wire((), FLOAT, w, w in literals) for w in range(first + count)]
    steps = []
    for k in range(count):
        gate = NAMES[names[rng.integers(len(names))]]
        near = np.maximum(first + k - rng.integers(1, reach + 1, len(gate.domain)), 0).tolist()
        if len(near) == 2 and rng.random() < 0.2:
            near[rng.integers(2)] = width + int(rng.integers(5))
        steps.append(Step(gate, tuple(near), (first + k,), {}))
    outs = tuple(range(max(0, first + count - 200), first + count))
    return Circuit(tuple(wires), tuple(range(width)), literals, tuple(steps), outs)


def layered_circuit(names: list[str], width: int, depth: int, seed: int) -> Circuit:
    """Make levels of `width` gates that read the level below."""
    rng = np.random.default_rng(seed)
    steps = []
    for k in range(width, width * (depth + 1)):
        gate = NAMES[names[rng.integers(len(names))]]
        below = (k // width - 1) * width
        ins = tuple((below + rng.integers(0, width, len(gate.domain))).tolist())
        steps.append(Step(gate, ins, (k,), {}))
    wires = tuple(Wire((), FLOAT, k, False) for k in range(width * (depth + 1)))
    outs = tuple(range(width * depth, width * (depth + 1)))
    return Circuit(wires, tuple(range(width)), {}, tuple(steps), outs)


def compiled(circuit: Circuit) -> levels.Scalars:
    found = compile_scalar(circuit.verify())
    assert found is not None
    return found


def reference(circuit: Circuit, given: Any) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.array(interpret(circuit, *given), np.float64)


def assert_bits(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(found, expected)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(found)[known], np.signbit(expected)[known])


SHAPES = [
    pytest.param(lambda names: random_circuit(names, 3, 3000, 1, 0), id="chain"),
    pytest.param(lambda names: random_circuit(names, 3, 3000, 4, 1), id="narrow"),
    pytest.param(lambda names: random_circuit(names, 40, 3000, 400, 2), id="mixed"),
    pytest.param(lambda names: layered_circuit(names, 500, 6, 3), id="wide"),
    pytest.param(lambda names: layered_circuit(names, 77, 9, 4), id="odd"),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_arithmetic_is_the_interpreters_to_the_bit(shape: Any):
    circuit = shape(EXACT)
    given = np.random.default_rng(9).normal(size=len(circuit.ins))
    given[: len(SPECIAL)] = SPECIAL[: len(given)]
    assert_bits(compiled(circuit).run(given), reference(circuit, given))
    given = np.random.default_rng(10).normal(size=len(circuit.ins))
    assert_bits(compiled(circuit).run(given), reference(circuit, given))


@pytest.mark.parametrize("shape", SHAPES)
def test_curves_are_close_to_the_interpreters(shape: Any):
    circuit = shape(CURVED)
    given = np.random.default_rng(9).normal(size=len(circuit.ins))
    np.testing.assert_allclose(
        compiled(circuit).run(given), reference(circuit, given), rtol=1e-11, atol=1e-300
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_without_multiply_add_the_bits_are_the_same(shape: Any, monkeypatch: Any):
    circuit = shape(EXACT)
    given = np.random.default_rng(11).normal(size=len(circuit.ins))
    fused = compiled(circuit)
    monkeypatch.setattr(machine, "fuses", lambda: not fused)
    plain = compiled(circuit)
    assert_bits(plain.run(given), fused.run(given))
    assert (fused.schedule.program == machine.FUSED).any() >= machine.fuses()


def simple_gates() -> list[Any]:
    """List the elementwise gates from numbers to numbers or truth, with their parameters' rule."""
    found = []
    for name, gate in sorted(NAMES.items()):
        if not isinstance(gate.kind, Elementwise) or name == "cast":
            continue
        try:
            with np.errstate(all="ignore"):
                out = emitted(gate.kind.emit, [np.full(2, 0.5) for _ in gate.domain])
        except TypeError:
            continue  # whole numbers only
        if np.result_type(out) in (FLOAT, BOOL):
            found.append(pytest.param(gate, np.result_type(out), id=name))
    return found


@pytest.mark.parametrize(("gate", "dtype"), simple_gates())
@pytest.mark.parametrize("copies", [1, 20], ids=["single", "run"])
def test_every_gate_on_ordinary_and_special_numbers(gate: Any, dtype: Any, copies: int):
    rng = np.random.default_rng(5)
    arity = len(gate.domain)
    ordinary = np.array([rng.uniform(*interval, 40) for interval in gate.domain])
    special = np.array(list(itertools.product(SPECIAL, repeat=arity))[:400]).T
    rows = np.concatenate([ordinary, special], axis=1).T
    wires = tuple(Wire((), FLOAT, k, False) for k in range(arity))
    wires += tuple(Wire((), dtype, arity + k, False) for k in range(copies))
    steps = tuple(Step(gate, tuple(range(arity)), (arity + k,), {}) for k in range(copies))
    outs = tuple(range(arity, arity + copies))
    program = compiled(Circuit(wires, tuple(range(arity)), {}, steps, outs))
    assert program.schedule.runs >= (copies > 1)
    found = np.array([program.run(row) for row in rows])
    assert_same(found, found[:, :1])
    with np.errstate(all="ignore"):
        expected = np.array(emitted(gate.kind.emit, list(rows.T.copy())), np.float64)
    expected = np.broadcast_to(expected, len(rows))
    known = np.isfinite(expected) & (expected != 0)
    assert_bits(found[~known, 0], expected[~known])
    assert (
        np.abs(found[known, 0] - expected[known]) <= ULPS * np.spacing(abs(expected[known]))
    ).all()


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    assert_bits(found, np.broadcast_to(expected, found.shape))


@pytest.mark.parametrize("name", list(OPCODES))
@pytest.mark.parametrize("count", [1, 3, 16, 41])
def test_every_code_does_the_same_single_and_in_a_run(name: str, count: int):
    arity = int(ARITY[OPCODES[name]])
    rng = np.random.default_rng(count)
    values = rng.uniform(0.1, 0.9, (arity, count))
    if name in ("both", "either", "negate", "select"):
        values[0] = rng.integers(0, 2, count)
    if name == "acosh":
        values += 1.0
    operands = np.zeros((3, count), np.int32)
    operands[:arity] = np.arange(arity * count).reshape(arity, count)
    code = np.full(count, OPCODES[name], np.int32)
    first = arity * count
    found = schedule(Operations(code, *operands), first, first + np.arange(count))
    least = levels.LEAST_CURVES if name in CURVES else levels.LEAST
    assert (found.levels, found.runs) == (1, count >= least)
    memory = found.memory(values.ravel(), 0)
    machine.load().run(found.program.ctypes.data, memory.ctypes.data)
    for k in range(count):
        alone = schedule(Operations(*(x[:1] for x in (code, *operands // count))), arity, [arity])
        place = alone.memory(values[:, k].copy(), 0)
        machine.load().run(alone.program.ctypes.data, place.ctypes.data)
        here, there = memory[found.outs[k]], place[alone.outs[0]]
        assert here == pytest.approx(there, rel=1e-15 if name in CURVES else 0, abs=0)


def test_nothing_to_do():
    wires = tuple(Wire((), FLOAT, k, False) for k in range(3))
    program = compiled(Circuit(wires, (0, 1), {2: np.float64(7.0)}, (), (1, 2, 0, 1)))
    assert program.run(np.array([3.0, -0.0])).tolist() == [-0.0, 7.0, 3.0, -0.0]
    assert program.schedule.levels == program.schedule.runs == 0
    assert compiled(Circuit((), (), {}, (), ())).run(np.zeros(0)).shape == (0,)


def test_levels_count_the_longest_way():
    circuit = circuit_of(lambda x, y: (np.sin(x) * y + x) * y, 1.0, 2.0)
    assert compiled(circuit).schedule.levels == 4
    circuit = circuit_of(lambda x, y: (np.sin(x) + np.cos(y)) * (x * y), 1.0, 2.0)
    assert compiled(circuit).schedule.levels == 3


def test_a_circuit_has_as_many_levels_as_its_longest_way():
    circuit = random_circuit(["add", "multiply", "negative", "sin"], 30, 2000, 300, 12)
    level = dict.fromkeys(range(35), 0)
    for step in circuit.steps:
        level[step.outs[0]] = 1 + max(level[w] for w in step.ins)
    assert compiled(circuit).schedule.levels == max(level.values())


def test_truth_is_one_and_zero():
    def f(x: Any, y: Any) -> Any:
        return x < y, np.logical_and(x < y, y > 0), np.where(x < y, x, y), (x < y) + (x == x)

    circuit = circuit_of(f, np.float64(1.0), np.float64(2.0))
    assert compiled(circuit).run(np.array([1.0, 2.0])).tolist() == [1.0, 1.0, 1.0, 1.0]
    assert compiled(circuit).run(np.array([np.nan, -1.0])).tolist() == [0.0, 0.0, -1.0, 0.0]


def test_a_cast_makes_truth_of_numbers():
    circuit = circuit_of(lambda x: x.astype(bool).astype(float) * 3.0, np.float64(2.0))
    assert [compiled(circuit).run(np.array([x]))[0] for x in (-2.0, 0.0, np.nan)] == [3.0, 0.0, 3.0]


@pytest.mark.parametrize("exponent", [2, 2.0, 3, 1, -1, 0, 0.5, 2.5, -2])
def test_small_powers(exponent: float):
    circuit = circuit_of(lambda x: x**exponent, 1.5)
    for x in (1.5, -0.3, 0.0, -0.0, np.inf, -np.inf, np.nan, 1e-200, 1e200):
        with np.errstate(all="ignore"):
            expected = np.power(np.float64(x), np.float64(exponent))
        found = compiled(circuit).run(np.array([x]))[0]
        assert found == pytest.approx(expected, rel=1e-15, abs=0, nan_ok=True)
        assert np.signbit(found) == np.signbit(expected) or np.isnan(x)
    powers = (np.array([OPCODES["pow"]]) + machine.LIBRARY) == compiled(circuit).schedule.program
    assert powers.any() == (exponent in (0, 2.5, -2))


def test_guards_stand_behind_the_outputs():
    circuit = circuit_of(lambda x, y: x * y if x < y else x, 1.0, 2.0)
    assert [type(guard) for guard in circuit.guards] == [Guard]
    assert compiled(circuit).run(np.array([3.0, 4.0])).tolist() == [12.0, 1.0]
    assert compiled(circuit).run(np.array([4.0, 3.0])).tolist() == [12.0, 0.0]


def test_elements_of_arrays_are_read_and_written():
    def f(x: Any, y: Any) -> Any:
        out = x[0, 1] * np.sin(x[1, 0]) + y * x[0, 1]
        return out * out

    x, y = np.random.default_rng(0).normal(size=(2, 3)), 0.7
    circuit = circuit_of(co.value_and_grad(f, argnums=(0, 1)), x, y)
    found = compiled(circuit).run(np.array([*x.ravel(), y]))
    value, (dx, dy) = co.value_and_grad(f, argnums=(0, 1))(x, y)
    np.testing.assert_allclose(found, [value, *dx.ravel(), dy], rtol=1e-14)


def test_a_closed_over_array_is_read_at_every_call():
    weights = np.array([2.0, 3.0])
    circuit = circuit_of(lambda x, w: x * w[1] + w[0], 1.0, weights)
    held = Circuit(
        circuit.wires,
        circuit.ins[:1],
        {**circuit.held, circuit.ins[1]: weights},
        circuit.steps,
        circuit.outs,
    )
    program = compiled(held)
    assert program.run(np.array([10.0])).tolist() == [32.0]
    weights[1] = 5.0
    assert program.run(np.array([10.0])).tolist() == [52.0]


def test_written_arrays_keep_their_earlier_states():
    row, number = Wire((2,), FLOAT, 0, False), Wire((), FLOAT, 1, False)
    wires = (row, number, row._replace(id=2), row._replace(id=3), row._replace(id=4))
    steps = (
        Step(NAMES["setitem"], (0, 1), (2,), {"index": (1,)}),
        Step(NAMES["add_at"], (2, 1), (3,), {"index": (1,)}),
        Step(NAMES["add_at"], (3, 1), (4,), {"index": (-2,)}),
    )
    circuit = Circuit(wires, (0, 1), {}, steps, (0, 2, 4))
    given = np.array([7.0, 8.0, 0.5])
    expected = interpret(circuit, given[:2], given[2])
    assert compiled(circuit).run(given).tolist() == np.concatenate(expected).tolist()


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda x: x * x, (np.float32(2.0),)),
        (lambda x: np.sum(x * 2.0), (np.ones(3),)),
        (lambda x: x * 2.0, (np.ones(3),)),
        (lambda x, other: x * 2.0, (1.0, np.float32(1.0))),
        (lambda x: np.exp(1j * x), (1.0,)),
        (lambda x: x.astype(int), (np.float64(1.5),)),
        (lambda x: x[1:] * 2.0, (np.ones(3),)),
        (lambda x: np.add(np.stack([x, x]) * 1.0, 1.0)[0], (1.0,)),
        (lambda x: x * 2**60 * (2**60 + 1), (1.0,)),
    ],
    ids=[
        "single",
        "arrays",
        "array step",
        "single not read",
        "complex",
        "whole",
        "slice",
        "array inside",
        "inexact literal",
    ],
)
def test_other_circuits_are_left_to_others(f: Any, args: Any):
    assert compile_scalar(circuit_of(f, *args)) is None


def test_numbers_put_among_truth_are_left_to_others():
    row, number = Wire((2,), BOOL, 0, False), Wire((), FLOAT, 1, False)
    step = Step(NAMES["setitem"], (0, 1), (2,), {"index": (1,)})
    circuit = Circuit((row, number, row._replace(id=2)), (0, 1), {}, (step,), (2,))
    assert compile_scalar(circuit) is None


def test_too_many_values_are_refused():
    with pytest.raises(OverflowError):
        schedule(Operations(*[np.zeros(1, np.int32)] * 4), 1 << 28, np.zeros(0, np.int64))


def test_the_address_is_a_native_function():
    program = compiled(circuit_of(lambda x: x + x, 1.5)).schedule
    memory = program.memory(np.array([1.5]), 0)
    native = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(machine.machine())
    native(program.program.ctypes.data, memory.ctypes.data)
    assert memory[program.outs] == 3.0


def test_too_few_numbers_are_refused():
    with pytest.raises(ValueError, match="2 numbers, not 1"):
        compiled(circuit_of(lambda x, y: x * y, 1.0, 2.0)).run(np.ones(1))


def test_a_run_within_a_run_has_memory_of_its_own(monkeypatch: Any):
    program = compiled(circuit_of(lambda x, y: x * y, 1.0, 2.0))
    loaded = machine.load()

    def run_twice(*addresses: int) -> None:
        monkeypatch.undo()
        assert program.run(np.array([5.0, 6.0])).tolist() == [30.0]
        loaded.run(*addresses)

    program.run(np.array([0.0, 0.0]))
    monkeypatch.setattr(machine, "load", lambda: loaded._replace(run=run_twice))
    assert program.run(np.array([2.0, 3.0])).tolist() == [6.0]


def test_two_threads_run_one_program():
    circuit = layered_circuit(EXACT[:5], 300, 8, 20)
    program = compiled(circuit)
    given = np.random.default_rng(21).normal(size=(2, 300))
    expected = [program.run(row) for row in given]
    wrong = []

    def work(k: int) -> None:
        for _ in range(200):
            if not np.array_equal(program.run(given[k]), expected[k], equal_nan=True):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_the_memory_behind_the_slots_stays_untouched():
    for circuit in (layered_circuit(EXACT, 77, 5, 1), random_circuit(CURVED, 5, 900, 3, 2)):
        found = compiled(circuit).schedule
        memory = np.full(found.size + 64, 123.0)
        memory[found.own : found.own + 3] = machine.OWN
        machine.load().run(found.program.ctypes.data, memory.ctypes.data)
        assert (memory[found.size :] == 123.0).all()


def test_the_gradient_of_a_long_chain():
    ways = np.random.default_rng(8).integers(0, 2, 1000).tolist()

    def f(x: Any) -> Any:
        angle, speed = x[0], x[1]
        for way in ways:
            if way:
                speed = speed - np.sin(angle) * 0.01
            else:
                angle = angle + speed * 0.01
        return angle * speed

    x = np.array([1.0, 0.1])
    found = compiled(circuit_of(co.value_and_grad(f), x)).run(x)
    value, slope = co.value_and_grad(f)(x)
    np.testing.assert_allclose(found, [value, *slope], rtol=1e-12)
