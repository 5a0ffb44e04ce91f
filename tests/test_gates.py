"""Every gate of the table keeps every promise. No gate is ever named here."""

from __future__ import annotations

import html
import itertools
import pickle
import string
from collections.abc import Callable, Iterator
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import corrente.gates  # noqa: F401  (fills the table)
from corrente.circuit import call_code, is_literal, literal
from corrente.derivatives import jvp, vjp
from corrente.gates import specials
from corrente.interpreter import emitted, interpret
from corrente.program import trace
from corrente.record import COMPOSED, NAMES, TABLE, Call, Elementwise, Gate, Scatter
from corrente.recording import freeze, result_wires, run
from corrente.tracer import record
from corrente.words import LANGUAGES

specials.load()
GATES = sorted(NAMES.values(), key=lambda gate: gate.name)
STEP = 1e-6
SPECIAL = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 7.0)
SHAPES: dict[int, tuple[tuple[tuple[int, ...], ...], ...]] = {
    1: (((3, 4),), ((),)),
    2: (((3, 4), (3, 4)), ((3, 1), (4,)), ((), (2, 3)), ((2, 3), ()), ((), ())),
    3: (((3, 4),) * 3, ((3, 1), (4,), ()), ((),) * 3),
}


def holds(*conditions: Callable[[Gate], bool]) -> Any:
    """Run a test over every gate of the table for which the conditions hold."""
    chosen = [gate for gate in GATES if all(condition(gate) for condition in conditions)]
    assert chosen
    return pytest.mark.parametrize("gate", chosen, ids=lambda gate: gate.name)


differentiable = attrgetter("differentiable")


def is_elementwise(gate: Gate) -> bool:
    return isinstance(gate.kind, Elementwise)


def selects(gate: Gate) -> bool:
    return is_elementwise(gate) and gate.pulls is not None and gate.partials is None


# --- arguments ----------------------------------------------------------------------------------


def seeded(gate: Gate, salt: int = 0) -> np.random.Generator:
    return np.random.default_rng([salt, *gate.name.encode()])


def is_float(x: Any) -> bool:
    return np.result_type(x).kind == "f"


def is_inexact(x: Any) -> bool:
    return np.result_type(x).kind in "fc"


def cast(x: Any, dtype: Any) -> Any:
    return np.asarray(x, dtype)[()] if is_float(x) else x


def samples(gate: Gate, dtype: Any = np.float64, salt: int = 0) -> Iterator[Call]:
    """Yield calls of a gate: its own example, or arrays of a few shapes from its domain."""
    rng = seeded(gate, salt)
    if gate.example is not None:
        ins, params = gate.example(rng)
        yield Call(tuple(cast(x, dtype) for x in ins), dict(params))
        return
    for shapes in SHAPES[len(gate.domain)]:
        ins = tuple(
            cast(rng.uniform(*ends, size=shape), dtype)
            for ends, shape in zip(gate.domain, shapes, strict=True)
        )
        yield Call(ins, {})


def several(gate: Gate, out: Any) -> tuple[Any, ...]:
    """Return the outputs as a tuple, however many there are."""
    return (out,) if gate.outs == 1 else tuple(out)


def one(gate: Gate, parts: tuple[Any, ...]) -> Any:
    return parts[0] if gate.outs == 1 else parts


def movable(call: Call) -> list[int]:
    """Return the positions of the inputs that can be moved by a little."""
    return [position for position, x in enumerate(call.ins) if is_float(x)]


def moved(call: Call, directions: dict[int, Any], step: float) -> tuple[Any, ...]:
    return tuple(
        x + step * directions[position] if position in directions else x
        for position, x in enumerate(call.ins)
    )


def smooth(gate: Gate, salt: int = 0) -> Iterator[tuple[Call, dict[int, Any]]]:
    """Yield calls with a direction along which no kink lies within a step."""
    rng = seeded(gate, 7)
    for call in samples(gate, salt=salt):
        directions = {k: rng.normal(size=np.shape(call.ins[k])) for k in movable(call)}
        if gate.side is not None:
            around = [
                np.asarray(gate.side(*moved(call, directions, step), **call.params))
                for step in (-STEP, STEP)
            ]
            assert np.array_equal(*around), "sampled at a kink: choose another salt"
        yield call, directions


def upstream(gate: Gate, out: Any, rng: np.random.Generator) -> Any:
    """Draw one gradient for each output, in the output's own dtype and shape."""
    draw = lambda y: np.asarray(rng.normal(size=np.shape(y)), np.result_type(y))[()]
    return one(gate, tuple(draw(y) for y in several(gate, out)))


def pulled(gate: Gate, g: Any, out: Any, call: Call, position: int) -> Any:
    if gate.joint is not None:
        return gate.joint(g, out, call.ins, call.params, [position])[0]
    assert gate.pulls is not None
    return gate.pulls[position](g, out, *call.ins, **call.params)


def unbroadcast(d: Any, shape: tuple[int, ...]) -> Any:
    lead = np.ndim(d) - len(shape)
    if lead < 0:
        return np.broadcast_to(d, shape)
    d = np.sum(d, axis=tuple(range(lead)))
    kept = tuple(k for k, n in enumerate(shape) if n == 1 != np.shape(d)[k])
    return np.broadcast_to(np.sum(d, axis=kept, keepdims=True), shape)


def dot(a: Any, b: Any) -> float:
    return float(np.sum(np.real(np.multiply(a, b))))


def same(a: Any, b: Any) -> bool:
    return (
        np.shape(a) == np.shape(b)
        and np.result_type(a) == np.result_type(b)
        and np.array_equal(a, b, equal_nan=is_inexact(a))
    )


# --- the record itself --------------------------------------------------------------------------


def test_the_table_finds_every_gate_by_its_function_and_pickles_it_by_name():
    assert len(GATES) > 50
    assert all(TABLE[gate.of] is gate for gate in GATES)
    assert all(pickle.loads(pickle.dumps(gate)) is gate for gate in GATES)
    assert not set(TABLE) & set(COMPOSED)


@holds()
def test_sentences_stand_in_both_languages_and_speak_only_of_inputs(gate: Gate):
    arity = max(len(gate.domain), *(len(call.ins) for call in samples(gate)))
    for says in (gate.does, gate.teaches):
        assert all(text.strip() for text in says)
        assert says.en != says.pt
        spoken = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
            for text in says
        ]
        assert spoken[0] == spoken[1], "the two languages speak of different inputs"
        assert all(name.isdigit() and int(name) < arity for name in spoken[0])
        filled = says.fill(*(f"x{k}" for k in range(arity)))
        assert all("{" not in filled.into(lang) for lang in LANGUAGES)


@holds(is_elementwise)
def test_the_domain_has_one_interval_for_each_input(gate: Gate):
    if isinstance(gate.of, np.ufunc):
        assert len(gate.domain) == gate.of.nin
    assert all(len(call.ins) == len(gate.domain) for call in samples(gate))
    assert all(low < high for low, high in gate.domain)


# --- forward ------------------------------------------------------------------------------------


@holds()
def test_the_shape_rule_agrees_with_numpy(gate: Gate):
    for call in samples(gate):
        out = gate.forward(*call.ins, **call.params)
        shapes = [np.shape(x) for x in call.ins]
        if gate.shape is not None:
            made = tuple(np.shape(y) for y in several(gate, out))
            assert gate.shape(*shapes, **call.params) == one(gate, made)
        elif is_elementwise(gate):
            assert np.broadcast_shapes(*shapes) == np.shape(out)


def scope(text: str) -> dict[str, Any]:
    """Return what printed code may speak of."""
    rooms = [name for name in ("nn", "special") if f"{name}." in text]
    return {"np": np} | {name: import_module(f"corrente.{name}") for name in rooms}


def printed(gate: Gate, names: list[str], params: Any) -> str:
    write = gate.code
    return call_code(gate.name, names, params) if write is None else write(names, params)


@holds()
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_prints_as_numpy_that_gives_the_same(gate: Gate, dtype: Any):
    for call in samples(gate, dtype):
        names = [f"x{k}" for k in range(len(call.ins))]
        text = printed(gate, names, call.params)
        out = eval(text, scope(text) | dict(zip(names, call.ins, strict=True)))
        expected = gate.forward(*call.ins, **call.params)
        for found, want in zip(several(gate, out), several(gate, expected), strict=True):
            assert same(found, want)


@holds(is_elementwise, lambda gate: gate.example is None)
def test_it_prints_with_literals_too(gate: Gate):
    for numbers in itertools.product((-2.0, 2.0), repeat=len(gate.domain)):
        with np.errstate(all="ignore"):
            expected = gate.forward(*numbers)
            if np.isfinite(expected):
                text = printed(gate, [literal(x) for x in numbers], {})
                out = eval(text, scope(text))
                np.testing.assert_allclose(out, expected, rtol=1e-15)


@holds(lambda gate: "promotes" not in gate.facts)
def test_float32_stays_float32(gate: Gate):
    for call, wide in zip(samples(gate, np.float32), samples(gate), strict=True):
        if "dtype" in call.params or not movable(call):
            continue
        out = gate.forward(*call.ins, **call.params)
        full = gate.forward(*wide.ins, **wide.params)
        for y, z in zip(several(gate, out), several(gate, full), strict=True):
            expected = {"f": np.float32, "c": np.complex64}.get(np.result_type(z).kind)
            assert np.result_type(y) == (expected or np.result_type(z))
        if gate.differentiable:
            g = upstream(gate, out, seeded(gate))
            for k in movable(call):
                d = pulled(gate, g, out, call, k)
                assert np.result_type(d) in (np.float32, np.complex64), f"gradient of input {k}"


@holds(is_elementwise, lambda gate: gate.example is None)
def test_it_takes_python_numbers(gate: Gate):
    for call in samples(gate):
        if any(map(np.ndim, call.ins)):
            continue
        plain = Call(tuple(map(float, call.ins)), call.params)
        out, want = gate.forward(*plain.ins), gate.forward(*call.ins)
        assert same(np.asarray(out), np.asarray(want))
        for k in range(len(gate.domain)) if gate.differentiable else ():
            d = pulled(gate, 1.0, float(out), plain, k)
            assert np.shape(d) == ()
            expected = pulled(gate, np.float64(1.0), want, call, k)
            np.testing.assert_allclose(d, expected, rtol=1e-14)


# --- the loop body ------------------------------------------------------------------------------


def check_emit(gate: Gate, ins: tuple[Any, ...], params: Any, reach: Any = 0.0) -> None:
    with np.errstate(all="ignore"):
        out = np.asarray(emitted(gate.kind.emit, ins))  # type: ignore[union-attr]
        want = np.asarray(gate.forward(*ins, **params))
        out = np.broadcast_to(out, want.shape)
        if "dtype" not in params:
            assert out.dtype == want.dtype
        if want.dtype.kind != "f":
            np.testing.assert_array_equal(out, want)
            return
        close = np.abs(out - want) <= 4 * np.spacing(np.abs(want)) + 4 * reach
    agree = (out == want) | (np.isnan(out) & np.isnan(want)) | close
    # of +0 and −0 NumPy itself keeps the one or the other, with the layout of the arrays
    torn = any_of(ins, lambda x: x == 0) & any_of(ins, np.signbit)
    agree &= (np.signbit(out) == np.signbit(want)) | (want != 0) | (out != 0) | torn
    wrong = [
        (*(float(x[at]) for x in np.broadcast_arrays(*ins)), out[at], want[at])
        for at in map(tuple, np.argwhere(~agree))
    ]
    assert not wrong, f"(inputs, emitted, expected): {wrong[:8]}"


def any_of(ins: tuple[Any, ...], question: Any) -> Any:
    return np.any([question(x) for x in np.broadcast_arrays(*ins)], axis=0) & (len(ins) > 1)


def reached(gate: Gate, call: Call) -> Any:
    """Return how far the output moves when its inputs move to the next number."""
    out = gate.forward(*call.ins, **call.params)
    if np.result_type(out).kind != "f":
        return 0.0
    total = np.zeros(np.shape(out), np.result_type(out))
    for k in movable(call):
        nudged = list(call.ins)
        nudged[k] = np.nextafter(nudged[k], nudged[k] + 1)
        total = total + np.abs(gate.forward(*nudged, **call.params) - out)
    return total


@holds(is_elementwise)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_loop_body_agrees_with_numpy(gate: Gate, dtype: Any):
    for salt in range(3):
        for call in samples(gate, dtype, salt):
            check_emit(gate, call.ins, call.params, reached(gate, call))


@holds(is_elementwise)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_loop_body_agrees_with_numpy_on_special_values(gate: Gate, dtype: Any):
    params = gate.example(seeded(gate)).params if gate.example is not None else {}
    grid = np.array(list(itertools.product(SPECIAL, repeat=len(gate.domain))), dtype)
    check_emit(gate, tuple(np.ascontiguousarray(column) for column in grid.T), params)


# --- gradients ----------------------------------------------------------------------------------


def difference(gate: Gate, call: Call, directions: dict[int, Any]) -> tuple[Any, ...]:
    ahead, behind = (
        several(gate, gate.forward(*moved(call, directions, step), **call.params))
        for step in (STEP, -STEP)
    )
    return tuple((a - b) / (2 * STEP) for a, b in zip(ahead, behind, strict=True))


@holds(differentiable)
@pytest.mark.parametrize("salt", range(2))
def test_the_gradient_is_the_slope(gate: Gate, salt: int):
    for call, directions in smooth(gate, salt):
        out = gate.forward(*call.ins, **call.params)
        g = upstream(gate, out, seeded(gate, salt))
        for k, direction in directions.items():
            d = unbroadcast(pulled(gate, g, out, call, k), np.shape(call.ins[k]))
            slopes = difference(gate, call, {k: direction})
            expected = sum(dot(a, b) for a, b in zip(several(gate, g), slopes, strict=True))
            np.testing.assert_allclose(
                dot(d, direction), expected, rtol=1e-6, atol=1e-8, err_msg=f"input {k}"
            )


@holds(lambda gate: not gate.differentiable)
def test_without_a_gradient_the_output_does_not_move(gate: Gate):
    for call, directions in smooth(gate):
        outs = several(gate, gate.forward(*call.ins, **call.params))
        if "stops" in gate.facts or not directions or not all(is_inexact(y) for y in outs):
            continue
        assert all(np.all(slope == 0) for slope in difference(gate, call, directions))


@holds(differentiable)
def test_a_pull_is_linear_in_the_gradient(gate: Gate):
    for call in samples(gate):
        rng = seeded(gate)
        out = gate.forward(*call.ins, **call.params)
        g, h = upstream(gate, out, rng), upstream(gate, out, rng)
        pairs = zip(several(gate, g), several(gate, h), strict=True)
        both = one(gate, tuple(2 * a + b for a, b in pairs))
        for k in movable(call):
            apart = 2 * pulled(gate, g, out, call, k) + pulled(gate, h, out, call, k)
            np.testing.assert_allclose(
                pulled(gate, both, out, call, k), apart, rtol=1e-12, atol=1e-12
            )


@holds(selects)
def test_a_choice_selects_and_never_multiplies_by_zero(gate: Gate):
    for call in samples(gate):
        out = gate.forward(*call.ins, **call.params)
        for k in movable(call):
            d = pulled(gate, np.full(np.shape(out), np.inf)[()], out, call, k)
            assert not np.isnan(d).any()


@holds(is_elementwise, lambda gate: gate.partials is not None)
def test_local_gradients_hold_for_complex_numbers_where_numpy_takes_them(gate: Gate):
    rng = seeded(gate)
    ins = tuple(rng.uniform(*ends, size=5) + 0.3j * rng.random(5) for ends in gate.domain)
    try:
        out = gate.forward(*ins)
    except TypeError:
        return
    for k in range(len(ins)):
        d = pulled(gate, np.ones_like(out), out, Call(ins, {}), k)
        for step in (STEP, STEP * 1j):
            ahead, behind = (
                gate.forward(*ins[:k], ins[k] + way * step, *ins[k + 1 :]) for way in (1, -1)
            )
            np.testing.assert_allclose(d, (ahead - behind) / (2 * step), rtol=1e-6)


# --- facts that passes rely on ------------------------------------------------------------------


@holds(lambda gate: "commutative" in gate.facts)
def test_its_inputs_may_be_exchanged(gate: Gate):
    for call in samples(gate):
        x, y = call.ins
        assert same(gate.forward(x, y, **call.params), gate.forward(y, x, **call.params))


@holds(lambda gate: "identity" in gate.facts)
def test_it_is_the_identity(gate: Gate):
    for call in samples(gate):
        assert np.array_equal(gate.forward(*call.ins, **call.params), call.ins[0])


@holds(lambda gate: "linear" in gate.facts or bool(gate.linear))
def test_it_is_linear_where_it_says_so(gate: Gate):
    for call, other in zip(samples(gate), samples(gate, salt=1), strict=True):
        groups = [{k} for k in gate.linear]
        if "linear" in gate.facts:
            count = 2 if isinstance(gate.kind, Scatter) else len(call.ins)
            groups.append(set(movable(call)) & set(range(count)))
        for group in groups:
            mixed = mixture(call.ins, [(2.0, call.ins), (1.0, other.ins)], group)
            swapped = mixture(call.ins, [(1.0, other.ins)], group)
            outs = [
                several(gate, gate.forward(*ins, **call.params))
                for ins in (mixed, call.ins, swapped)
            ]
            for whole, first, second in zip(*outs, strict=True):
                np.testing.assert_allclose(whole, 2.0 * first + second, rtol=1e-12, atol=1e-12)


def mixture(ins: Any, terms: list[tuple[float, Any]], group: set[int]) -> list[Any]:
    return [
        sum(factor * given[k] for factor, given in terms) if k in group else x
        for k, x in enumerate(ins)
    ]


# --- on the tape --------------------------------------------------------------------------------


def on_wires(gate: Gate, call: Call) -> SimpleNamespace:
    """Return the gate as a function of its movable inputs alone, and those inputs."""
    places = movable(call)

    def function(*xs: Any) -> Any:
        ins = list(call.ins)
        for k, x in zip(places, xs, strict=True):
            ins[k] = x
        return one(gate, several(gate, record(gate, ins, call.params)))

    return SimpleNamespace(call=function, at=[call.ins[k] for k in places])


def along(a: Any, b: Any) -> float:
    a, b = (x if isinstance(x, tuple) else (x,) for x in (a, b))
    return sum(dot(x, y) for x, y in zip(a, b, strict=True))


def traceable(gate: Gate) -> bool:
    return any(movable(call) for call in samples(gate))


@holds(traceable)
def test_its_circuit_gives_what_it_gives_itself(gate: Gate):
    for call in samples(gate):
        f = on_wires(gate, call)
        recording = run(f.call, f.at, {}, None)
        circuit = freeze(recording, [w for w in result_wires(recording)[1] if w is not None])
        outs = interpret(circuit.verify(), *f.at)
        expected = several(gate, gate.forward(*call.ins, **call.params))
        for found, want in zip(outs, expected, strict=True):
            assert same(found, want)
        made = scope(str(circuit))
        exec(str(circuit), made)
        held = [v for v in circuit.held.values() if not is_literal(v)]
        given = [circuit.identifiers[w] for w in circuit.held if w in circuit.identifiers]
        out = made["circuit"](*f.at, **dict(zip(given, held, strict=True)))
        for found, want in zip(several(gate, out), expected, strict=True):
            assert same(found, want)


@holds(differentiable, traceable)
def test_both_modes_agree(gate: Gate):
    for call in samples(gate):
        rng = seeded(gate)
        f = on_wires(gate, call)
        y, pull = vjp(f.call, *f.at)
        tangents = tuple(rng.normal(size=np.shape(x)) for x in f.at)
        g = upstream(gate, y, rng)
        slope = along(g, jvp(f.call, f.at, tangents)[1])
        np.testing.assert_allclose(along(pull(g), tangents), slope, rtol=1e-10, atol=1e-12)


@holds(differentiable, traceable)
def test_the_second_order_is_the_slope_of_the_first(gate: Gate):
    for call, directions in smooth(gate):
        rng = seeded(gate)
        f = on_wires(gate, call)
        g = upstream(gate, gate.forward(*call.ins, **call.params), rng)
        tangents = tuple(directions.values())

        def first(*xs: Any, f: Any = f, g: Any = g) -> Any:
            return vjp(f.call, *xs)[1](g)

        weights = tuple(rng.normal(size=np.shape(x)) for x in f.at)
        ahead, behind = (
            along(weights, first(*(x + s * t for x, t in zip(f.at, tangents, strict=True))))
            for s in (STEP, -STEP)
        )
        slope = (ahead - behind) / (2 * STEP)
        forward = along(weights, jvp(first, f.at, tangents)[1])
        reverse = along(vjp(first, *f.at)[1](weights), tangents)
        np.testing.assert_allclose(forward, slope, rtol=1e-5, atol=1e-7)
        np.testing.assert_allclose(reverse, slope, rtol=1e-5, atol=1e-7)


# --- shown --------------------------------------------------------------------------------------


@holds(traceable)
def test_it_is_drawn_and_explained_in_both_languages(gate: Gate, tmp_path: Path):
    for call in samples(gate):
        f = on_wires(gate, call)
        program = trace(f.call)(*f.at)
        program.save(tmp_path / "c.svg")
        assert gate.symbol.strip()
        assert html.escape(gate.symbol) in (tmp_path / "c.svg").read_text()
        program.save(tmp_path / "c.txt")
        assert gate.symbol in (tmp_path / "c.txt").read_text()
        told = [program.explain(lang) for lang in LANGUAGES]
        assert told[0] != told[1]
        for text, lang in zip(told, LANGUAGES, strict=True):
            spoken = gate.does.into(lang).partition("{")[0].strip()
            assert spoken in text
