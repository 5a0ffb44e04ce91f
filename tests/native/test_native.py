"""The native path keeps the meaning: every gate, random programs, memory, other processes."""

from __future__ import annotations

import gc
import pickle
import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from native.alike import assert_all_alike, assert_close, check, function_of, programs, spoil
from test_random_circuits import SETTINGS, Written, copies
from test_random_circuits import assert_close as assert_near
from test_random_circuits import programs as written

import corrente as co
from corrente.gates import specials
from corrente.record import NAMES, Call, Gate

specials.load()
GATES = sorted(NAMES.values(), key=lambda gate: gate.name)
FEW = settings(SETTINGS, max_examples=40)


def example(gate: Gate, dtype: Any) -> Call:
    rng = np.random.default_rng(3)
    if gate.example is not None:
        ins, params = gate.example(rng)
    else:
        ins, params = tuple(rng.uniform(*ends, size=(3, 5)) for ends in gate.domain), {}

    def cast(x: Any) -> Any:
        if not isinstance(x, np.ndarray) or x.dtype != np.float64:
            return x
        return (x * (1 + 0.1j)).astype(dtype) if np.dtype(dtype).kind == "c" else x.astype(dtype)

    return Call(tuple(cast(x) for x in ins), dict(params))


def several(out: Any) -> tuple[Any, ...]:
    return tuple(out) if isinstance(out, tuple | list) else (out,)


def total(parts: Any) -> Any:
    """Weigh every number of the outputs and add them up."""
    weigh = lambda y: y * np.cos(np.arange(y.size, dtype=np.float32)).reshape(y.shape)
    floats = [np.real(y) for y in several(parts) if np.result_type(y).kind in "fc"]
    return sum(np.sum(weigh(np.asarray(y) if np.ndim(y) == 0 else y)) for y in floats)


GROUPS = [GATES[start : start + 16] for start in range(0, len(GATES), 16)]


@pytest.mark.parametrize("gates", GROUPS, ids=lambda gates: f"{gates[0].name} to {gates[-1].name}")
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_every_gate_goes_forward(gates, dtype):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        functions, inputs, expected = [], [], []
        for gate in gates:
            call = example(gate, dtype)
            try:
                expected.append(function_of(gate, call.params)(*call.ins))
            except Exception:  # not of complex numbers
                assert dtype == np.complex128
                continue
            functions.append(function_of(gate, call.params))
            inputs.append(list(call.ins))
        compiled = co.jit(
            lambda inputs: [f(*ins) for f, ins in zip(functions, inputs, strict=True)]
        )
        for _ in range(2):
            found = compiled(inputs)
            for f, one, other in zip(functions, found, expected, strict=True):
                try:
                    assert_all_alike(one, other, tolerance=64)
                except AssertionError as difference:
                    difference.add_note(f.__name__)
                    raise
            spoil(compiled)
        assert len(programs(compiled)) == 1


def derived(gate: Gate, dtype: Any, second: bool) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a gate's value, gradient and tangent as a function; or the tangent of its gradient."""
    ins, params = example(gate, dtype)
    forward = function_of(gate, params)
    movable = tuple(k for k, x in enumerate(ins) if np.result_type(x).kind == "f")
    chosen = tuple(ins[k] for k in movable)
    along = tuple(np.ones_like(x)[()] * 0.5 if np.shape(x) else type(x)(0.5) for x in chosen)

    def loss(*moved: Any) -> Any:
        given = list(ins)
        for k, x in zip(movable, moved, strict=True):
            given[k] = x
        return total(forward(*given))

    every = tuple(range(len(chosen)))

    def first(*moved: Any) -> Any:
        return co.value_and_grad(loss, argnums=every)(*moved), co.jvp(loss, moved, along)[1]

    return (lambda *moved: co.hvp(loss, moved, along)) if second else first, chosen


SMOOTH = [
    gate
    for gate in GATES
    if gate.differentiable and any(np.result_type(x).kind == "f" for x in example(gate, float).ins)
]


ORDERS = [
    (gate, second) for k, gate in enumerate(SMOOTH) for second in (False, True)[: 1 + (k % 6 == 0)]
]


@pytest.mark.parametrize(("gate", "second"), ORDERS, ids=lambda one: getattr(one, "name", str(one)))
def test_every_gate_goes_back(gate, second):
    dtype = np.float32 if len(gate.name) % 2 and not second else np.float64
    f, ins = derived(gate, dtype, second)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            expected = f(*ins)
        except co.NotSupported:
            return
        found = co.jit(f)(*ins)
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.result_type(a) == np.result_type(b)
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        # a gradient of the weighted sum may cancel: its terms are of the order of one
        extra = np.ones_like(b) * 0.25
        assert_close(np.append(a, extra), np.append(b, extra), 512)


def leaves(result: Any) -> list[Any]:
    if isinstance(result, tuple | list):
        return [leaf for part in result for leaf in leaves(part)]
    return [result]


# --- programs -----------------------------------------------------------------------------------


@FEW
@given(written())
def test_random_programs(program: Written):
    every = tuple(range(len(program.args)))
    slope = co.value_and_grad(program.scalar, argnums=every)
    for f in (program.several, slope):
        expected, compiled = f(*program.args), co.jit(f)
        for _ in range(2):
            found = compiled(*copies(program.args))
            for a, b in zip(leaves(found), leaves(expected), strict=True):
                assert getattr(a, "dtype", float) == getattr(b, "dtype", float)
                assert_near(program, a, b)
            spoil(compiled)
        assert len(programs(compiled)) == 1


@settings(FEW, max_examples=12)
@given(written())
def test_gradients_of_compiled_functions_are_compiled_gradients(program: Written):
    one, other = co.grad(co.jit(program.scalar)), co.jit(co.grad(program.scalar))
    a, b = one(*program.args), other(*program.args)
    assert type(a) is type(b)
    assert_near(program, a, b)


def test_long_loops_are_rolled_and_keep_their_meaning():
    w, x = np.random.default_rng(0).normal(size=(2, 4, 4))

    def f(w, x):
        for k in range(300):
            x = np.tanh(w @ x) + 0.1 * x
            if k == 150:
                x = x[::-1]
        return np.sum(x * x)

    slope = co.value_and_grad(f, argnums=(0, 1))
    check(slope, w, x, tolerance=1e5)


def test_many_small_numbers():
    def f(x, y):
        for _ in range(2000):
            x, y = x * 0.5 + np.sin(y), y - 0.1 * x
        return x + y

    for g in (f, co.value_and_grad(f, argnums=(0, 1))):
        compiled, expected = co.jit(g), g(0.3, 0.7)
        for _ in range(2):
            assert_all_alike(compiled(0.3, 0.7), expected, tolerance=1e4)


# --- memory ---------------------------------------------------------------------------------------

HELD = np.arange(5.0)


def pair(x):
    y = 2 * x
    return y, y


def views(x):
    y = np.exp(x)
    return y, y[1:], y.T, y.reshape(-1), y[::2, ::2], np.broadcast_to(y[:1], y.shape)


RESULTS = {
    "itself": lambda x: x,
    "a view": lambda x: x.T,
    "twice": lambda x: (x, x),
    "made twice": pair,
    "views": views,
    "held": lambda x: (HELD, HELD[1:], x + HELD),
    "new": lambda x: (np.zeros(3), np.arange(4) * 1.0, x * 2),
    "a copy": lambda x: (np.copy(x), np.asarray(x)),
    "a gradient that is another": co.value_and_grad(lambda x: np.sum(x * HELD)),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_the_callers_own(name):
    f = RESULTS[name]
    x = np.random.default_rng(0).normal(size=(4, 5))
    given, held = x.copy(), HELD.copy()
    compiled = co.jit(f)
    for _ in range(3):
        found = compiled(given)
        assert_all_alike(found, f(x), ulp=4)
        arrays = [leaf for leaf in leaves(found) if isinstance(leaf, np.ndarray)]
        for k, one in enumerate(arrays):
            assert one.flags.writeable
            assert not any(np.shares_memory(one, other) for other in arrays[:k])
            assert not np.shares_memory(one, given)
            assert not np.shares_memory(one, HELD)
            one[...] = 99.0
    np.testing.assert_array_equal(given, x)
    np.testing.assert_array_equal(HELD, held)


CALLS = {
    "numbers": (lambda x, y: ((x + y) * x, x, None, [y], {"a": y}), (1.5, 2.5), 200_000),
    "arrays": (lambda x: (2 * x, np.sum(x), np.max(x) > 0, None, True), (HELD,), 100_000),
    "nests": (
        lambda p: {"a": p["a"] * 2, "b": [p["b"][0]]},
        ({"a": HELD, "b": [1.0, (2.0, None)]},),
        50_000,
    ),
    "callbacks": (lambda x: (np.sort(x), np.float32(1) * x), (HELD,), 5_000),
    "gathers": (lambda x, i: x[i] * 2, (HELD, np.array([0, 1])), 50_000),
    "the slow door": (lambda x: x * 2, (HELD[::-1].astype(">f8").astype(float),), 50_000),
    "misses": (lambda x: 2 * x if x[1] > 0 else -x, (HELD,), 50_000),
}


@pytest.mark.parametrize("name", CALLS)
def test_calls_leak_nothing(name):
    f, args, times = CALLS[name]
    compiled = co.jit(f)
    compiled(*args)
    if name == "misses":
        compiled(-HELD)  # tried first from now on
    watched = [np.dtype(float), np.dtype(bool), np.ndarray, f, *args, compiled]

    def counts() -> list[int]:
        gc.collect()
        return [sys.getrefcount(one) for one in watched] + [sys.getallocatedblocks() // 64]

    for _ in range(300):
        compiled(*args)
    before = counts()
    for _ in range(times):
        compiled(*args)
    after = counts()
    assert after[:-1] == before[:-1]
    assert after[-1] <= before[-1] + 2


def test_canaries_see_what_is_written_beside_the_memory():
    compiled = co.jit(lambda x: np.sort(np.exp(x)) + x)
    compiled(HELD)
    (program,) = programs(compiled)
    assert program.native.unharmed()
    start, size = program.native._start, program.native._size
    assert start >= 4096
    for place in (start - 1, start + size):
        program.native._arena[place] = 1
        assert not program.native.unharmed()
        program.native._arena[place] = 0xFF


def scaled(x):
    return np.sum(np.sin(x) * HELD)


def test_compiled_functions_travel():
    compiled = co.jit(scaled)
    again = pickle.loads(pickle.dumps(compiled))
    assert again(HELD) == compiled(HELD)
    assert programs(again)
