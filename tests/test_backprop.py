"""The sweep computes what was asked and no more, adds up at forks, and owns what it writes."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.backprop import fit, fit_dtype, mark, push, push_step, spread, sweep, unbroadcast
from corrente.circuit import Step
from corrente.gates.arithmetic import add, floor_divide, multiply, negative
from corrente.record import NAMES, Gate

X = np.array([1.0, -2.0, 3.0, 0.5])


def numeric(f: Callable[..., Any], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return the gradient of f by central differences, one element after another."""
    found = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        d = np.zeros_like(x)
        d[k] = step
        found[k] = (f(x + d) - f(x - d)) / (2.0 * step)
    return found


def counting(gate: Gate, calls: Counter[str]) -> Gate:
    """Return a gate whose pulls note each call under the gate's name and position."""
    assert gate.pulls is not None

    def noted(position: int) -> Callable[..., Any]:
        def pull(*args: Any, **params: Any) -> Any:
            calls[f"{gate.name}{position}"] += 1
            return gate.pulls[position](*args, **params)  # type: ignore[index]

        return pull

    return replace(gate, pulls=tuple(noted(k) for k in range(len(gate.domain))))


def written(*steps: tuple[Gate, tuple[int, ...], int]) -> list[Step]:
    return [Step(gate, ins, (out,), {}) for gate, ins, out in steps]


# --- what is computed ---------------------------------------------------------------------------


def test_only_what_leads_to_a_wanted_wire_is_pulled():
    calls: Counter[str] = Counter()
    times, plus, minus = (counting(gate, calls) for gate in (multiply, add, negative))
    # w = -y; p = x * y; q = w * z; r = p + q; side = x * z is read by nothing
    steps = written(
        (minus, (1,), 3),
        (times, (0, 1), 4),
        (times, (3, 2), 5),
        (plus, (4, 5), 6),
        (times, (0, 2), 7),
    )
    values = [2.0, 3.0, 5.0, -3.0, 6.0, -15.0, -9.0, 10.0]
    found = sweep(steps, values.__getitem__, 8, {6: 1.0}, [0])
    assert found == {0: 3.0}
    assert calls == {"add0": 1, "multiply0": 1}
    calls.clear()
    assert sweep(steps, values.__getitem__, 8, {6: 1.0}, [1]) == {1: 2.0 - 5.0}
    assert calls == {"add0": 1, "add1": 1, "multiply0": 1, "multiply1": 1, "negative0": 1}


def test_every_step_is_pulled_once_however_often_its_output_is_read():
    calls: Counter[str] = Counter()
    plus = counting(add, calls)
    steps = written(*((plus, (k, k), k + 1) for k in range(30)))
    values = [2.0**k for k in range(31)]
    assert sweep(steps, values.__getitem__, 31, {30: 1.0}, [0]) == {0: 2.0**30}
    assert calls == {"add0": 30, "add1": 30}


def test_a_wire_that_was_not_reached_is_left_out():
    steps = written((negative, (0,), 2))
    assert sweep(steps, [1.0, 2.0, -1.0].__getitem__, 3, {2: 1.0}, [0, 1]) == {0: -1.0}
    assert sweep(steps, [1.0, 2.0, -1.0].__getitem__, 3, {}, [0]) == {}


def test_a_wanted_wire_may_lie_inside_or_be_the_seed():
    steps = written((negative, (0,), 1), (multiply, (1, 1), 2))
    values = [3.0, -3.0, 9.0]
    assert sweep(steps, values.__getitem__, 3, {2: 1.0}, [2]) in ({2: 1.0}, {})
    assert sweep(steps, values.__getitem__, 3, {0: 7.0}, [0]) == {0: 7.0}


def test_mark_stops_where_gradients_do():
    steps = written((negative, (0,), 2), (floor_divide, (2, 1), 3), (multiply, (3, 0), 4))
    assert list(mark(steps, [0], 5)) == [1, 0, 1, 0, 1]
    assert list(mark(steps, [1], 5)) == [0, 1, 0, 0, 0]


def test_an_observer_hears_of_every_step_and_contribution():
    heard: list[tuple[Any, ...]] = []

    class Ear:
        def enter(self, step: int, wires: tuple[int, ...], gradients: Any) -> None:
            heard.append(("enter", step, wires, tuple(gradients)))

        def contribute(self, wire: int, step: int, position: int, gradient: Any) -> None:
            heard.append(("add", wire, step, position, gradient))

    steps = written((add, (0, 0), 1), (multiply, (1, 0), 2))
    found = sweep(steps, [2.0, 4.0, 8.0].__getitem__, 3, {2: 1.0}, [0], Ear())
    assert found == {0: 8.0}
    assert heard == [
        ("enter", 1, (2,), (1.0,)),
        ("add", 1, 1, 0, 2.0),
        ("add", 0, 1, 1, 4.0),
        ("enter", 0, (1,), (2.0,)),
        ("add", 0, 0, 0, 2.0),
        ("add", 0, 0, 1, 2.0),
    ]


# --- forks --------------------------------------------------------------------------------------


def test_gradients_add_up_where_wires_fork():
    assert co.grad(lambda x: x * x * x + x + 2.0 * x)(2.0) == 12.0 + 3.0
    f = lambda x: np.sum(x) + np.sum(x * x) + x[0] * 5.0 + np.sum(x[1:3]) + np.sum(x[::-1] * X)
    np.testing.assert_allclose(co.grad(f)(X), 1.0 + 2.0 * X + [5, 1, 1, 0] + X[::-1])


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_forks_add_up_in_any_order(order: tuple[int, ...]):
    """Whole and partial contributions meet in one slot, whichever comes first."""
    parts = [
        lambda a: np.sum(a) * 2.0,
        lambda a: a[0] * 3.0 + a[np.array([1, 1])].sum(),
        lambda a: np.sum(a.reshape(2, 2)[1]) * 5.0,
        lambda a: np.sum(np.where(a > 0.0, a, 0.0)) * 7.0,
    ]

    def f(x):
        a = x * 1.0
        total = 0.0
        for k in order:
            total = total + parts[k](a)
        return total

    np.testing.assert_array_equal(co.grad(f)(X), [5 + 7, 4, 2 + 5 + 7, 2 + 5 + 7])


# --- shapes and dtypes --------------------------------------------------------------------------


SHAPES = [
    (),
    (1,),
    (3,),
    (1, 1),
    (1, 3),
    (2, 1),
    (2, 3),
    (4, 2, 3),
    (4, 1, 1),
    (0,),
    (2, 0),
    (1, 0),
]
PAIRS = []
for pair in itertools.product(SHAPES, SHAPES):
    try:
        np.broadcast_shapes(*pair)
    except ValueError:
        continue
    PAIRS.append(pair)


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=str)
def test_unbroadcast_sums_what_was_repeated(a: tuple[int, ...], b: tuple[int, ...]):
    whole = np.broadcast_shapes(a, b)
    g = np.random.default_rng(0).integers(-9, 9, whole).astype(float)
    for shape in (a, b):
        expected = np.zeros(shape)
        where = np.broadcast_to(np.arange(expected.size).reshape(shape), whole)
        np.add.at(expected.reshape(-1), where.reshape(-1), g.reshape(-1))
        found = unbroadcast(g, shape)
        assert np.shape(found) == shape
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=str)
def test_gradients_have_the_shape_of_their_argument(a: tuple[int, ...], b: tuple[int, ...]):
    x, y = np.full(a, 2.0), np.full(b, 3.0)
    found = co.grad(lambda x, y: np.sum(x * y), (0, 1))(x, y)
    assert [g.shape for g in found] == [a, b]
    whole = np.prod(np.broadcast_shapes(a, b))
    for g, other, shape in zip(found, (3.0, 2.0), (a, b), strict=True):
        np.testing.assert_array_equal(g, np.full(shape, other * whole / max(np.prod(shape), 1)))


def test_a_gradient_that_is_too_small_is_spread():
    np.testing.assert_array_equal(unbroadcast(2.0, (2, 2)), np.full((2, 2), 2.0))
    np.testing.assert_array_equal(unbroadcast(np.ones((1, 3)), (2, 3)), np.ones((2, 3)))


def test_fit_gives_shape_and_dtype_of_the_wire():
    assert fit(np.ones((2, 3)), np.float32(1.0)).dtype == np.float32
    assert fit(np.ones((2, 3)), 1.0) == 6.0
    assert fit(3.0, np.ones(2, np.float32)).dtype == np.float32
    assert fit_dtype(np.array(1 + 2j), 1.0) == 1.0
    assert fit_dtype(np.array(2.0), np.array(1j)).dtype == complex
    assert spread(1.0, np.ones((2,), np.float32)).dtype == np.float32


SCALARS = [2.0, np.float64(2.0), np.float32(2.0), np.array(2.0), np.array(2.0, np.float32)]
SCALAR_PROGRAMS = [
    lambda x: x * 3.0,
    lambda x: x,
    lambda x: np.sum(np.ones(3) * x),
    lambda x: np.where(x > 0.0, x, 0.0) * x,
    lambda x: abs(-x) + np.maximum(x, 1.0),
    lambda x: np.max(np.array([x, x * 2.0])),
]


@pytest.mark.parametrize("x", SCALARS, ids=lambda x: f"{type(x).__name__}-{np.result_type(x)}")
@pytest.mark.parametrize("f", SCALAR_PROGRAMS)
def test_the_gradient_of_a_number_is_such_a_number(f: Callable[..., Any], x: Any):
    for found in (co.grad(f)(x), co.trace(f)(x).grads[0], co.vjp(f, x)[1](np.float64(1.0))[0]):
        assert type(found) is type(x)
        assert np.shape(found) == ()
        assert np.result_type(found) == np.result_type(x)


@pytest.mark.parametrize("x", SCALARS, ids=lambda x: f"{type(x).__name__}-{np.result_type(x)}")
@pytest.mark.filterwarnings("ignore::corrente.UnreachedWarning")
def test_a_zero_gradient_has_the_type_of_any_other(x: Any):
    for zero in (co.grad(lambda x: 1.0)(x), co.trace(lambda x: 1.0)(x).grads[0]):
        assert zero == 0.0
        assert type(zero) is type(x)
        assert np.result_type(zero) == np.result_type(x)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_a_dtype_goes_all_the_way_back(dtype: Any):
    w = np.linspace(0.5, 1.5, 4).astype(dtype)
    seen = []

    class Ear:
        def enter(self, step: int, wires: Any, gradients: Any) -> None:
            seen.extend(gradients)

        def contribute(self, wire: int, step: int, position: int, gradient: Any) -> None:
            pass

    def f(x):
        y = np.zeros(4, dtype, like=x)
        y[:2] = np.tanh(x[2:]) * 2.0
        return np.mean(np.exp(y) / w - y.max() + np.sqrt(x) ** 2)

    t = co.trace(f)(w)
    assert t.value.dtype == dtype
    assert co.grad(f)(w).dtype == dtype
    assert {np.result_type(g) for g in t.run.gradients.values()} == {np.dtype(dtype)}
    assert co.jvp(f, (w,), (w,))[1].dtype == dtype


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x * x),
        lambda x: np.sum(np.concatenate([x, x * 2.0])),
        lambda x: np.sum(x[:0]) + np.sum(x.T @ x),
        lambda x: np.sum(np.exp(x), axis=0).sum(),
        lambda x: np.sum(x.reshape(3, -1)),
    ],
)
def test_nothing_at_all_has_a_gradient_of_its_shape(f: Callable[..., Any]):
    value, slope = co.value_and_grad(f)(np.zeros((0, 3)))
    assert value == 0.0
    assert (slope.shape, slope.dtype) == ((0, 3), np.float64)


# --- who owns what ------------------------------------------------------------------------------


ALIASING = [
    lambda x, y: np.sum(x + y),
    lambda x, y: np.sum((x + y) * X),
    lambda x, y: np.dot(x + y, X) + x[0] * 10.0 + y[1] * 100.0,
    lambda x, y: (x + y)[0] + (x - y)[1] + x[0] * 10.0 + y[1] * 100.0,
    lambda x, y: np.sum(np.where(X > 0.0, x, y)) + np.sum(x.reshape(2, 2).T) + y[::-1][0],
    lambda x, y: np.sum(np.stack([x, y, x])) + np.sum(np.concatenate([x, y])[2:6]),
    lambda x, y: _written(x, y),
]


def _written(x: Any, y: Any) -> Any:
    z = np.zeros(4, like=x)
    z[...] = x + y
    w = z + 0.0
    z[0] = x[0] * 3.0
    return np.sum(z * X) + np.sum(w) + z[1] + x[2]


@pytest.mark.parametrize("f", ALIASING)
def test_results_share_memory_with_nothing(f: Callable[..., Any]):
    x, y, before = X.copy(), X[::-1].copy(), X.copy()
    value_of = lambda *args: co.vjp(f, *args)[0]  # like= is for traced values only
    expected = [
        numeric(lambda v: value_of(v, X[::-1]), X),
        numeric(lambda v: value_of(X, v), X[::-1].copy()),
    ]
    value, pull = co.vjp(f, x, y)
    seed = np.ones_like(value)
    found = [*co.grad(f, (0, 1))(x, y), *pull(seed), *co.trace(f)(x, y).grads]
    for k, g in enumerate(found):
        np.testing.assert_allclose(g, expected[k % 2], rtol=1e-6, atol=1e-8)
    for k, g in enumerate(found):
        assert g.flags.writeable
        for other in (*found[:k], *found[k + 1 :], x, y, X, seed):
            assert not np.shares_memory(g, other)
        g[...] = 99.0
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(X, before)
    for k, g in enumerate(pull(1.0)):
        np.testing.assert_allclose(g, expected[k], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x,
        lambda x: x[1:],
        lambda x: np.exp(x),
        lambda x: (x, x),
        lambda x: {"a": np.exp(x), "b": x[::-1]},
        lambda x: (y := np.exp(x), y * 2.0),
    ],
)
def test_values_share_memory_with_nothing_either(f: Callable[..., Any]):
    """Whoever writes into a result changes neither an argument nor a later pull."""
    x = X.copy()
    value, pull = co.vjp(f, x)
    moved, move = co.linearize(f, x)
    leaves = [leaf for v in (value, moved, co.trace(f)(x).value) for leaf in _arrays(v)]
    seeds = _like(value)
    before = [pull(seeds)[0], *_arrays(move(X))]
    for k, leaf in enumerate(leaves):
        assert not np.shares_memory(leaf, x)
        assert not any(np.shares_memory(leaf, other) for other in leaves[k + 1 :])
        leaf[...] = 99.0
    np.testing.assert_array_equal(x, X)
    after = [pull(seeds)[0], *_arrays(move(X))]
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def _arrays(value: Any) -> list[np.ndarray]:
    parts = value.values() if isinstance(value, dict) else value
    return (
        [value] if isinstance(value, np.ndarray) else [a for part in parts for a in _arrays(part)]
    )


def _like(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _like(part) for key, part in value.items()}
    return (
        tuple(map(_like, value)) if isinstance(value, tuple) else np.arange(1.0, value.size + 1.0)
    )


def test_the_seed_is_never_written_into():
    def f(x):
        y = x.copy()
        y[0] = x[1] * 2.0
        y[1:3] = 0.0
        return y

    _, pull = co.vjp(f, X)
    seed = np.arange(1.0, 5.0)
    first, second = pull(seed)[0], pull(seed)[0]
    np.testing.assert_array_equal(seed, np.arange(1.0, 5.0))
    np.testing.assert_array_equal(first, [0.0, 2.0, 0.0, 4.0])
    np.testing.assert_array_equal(first, second)


def test_what_was_written_keeps_its_gradient_when_the_buffer_is_cleared():
    def f(x):
        y = x * 1.0
        y[1:3] = x[:2] * 1.0
        return y[0] + y[1] * 2.0 + y[2] * 3.0 + y[3]

    np.testing.assert_array_equal(co.grad(f)(X), [3.0, 3.0, 0.0, 1.0])


# --- gates of several outputs -------------------------------------------------------------------


@pytest.mark.parametrize("chosen", [[0], [1], [0, 2], [0, 1, 2], [2, 2]])
def test_parts_that_are_not_used_have_no_gradient(chosen: list[int]):
    def f(x):
        parts = np.split(x, 3)
        return sum(np.sum(parts[k] ** 2) * (k + 1.0) for k in chosen)

    x = np.arange(1.0, 7.0)
    np.testing.assert_allclose(co.grad(f)(x), numeric(f, x), rtol=1e-7, atol=1e-8)
    _, moved = co.jvp(f, (x,), (np.ones(6),))
    assert moved == pytest.approx(co.grad(f)(x).sum())


def test_a_gate_with_several_outputs_pulls_once_with_zeros_for_the_unused():
    seen: list[Any] = []
    halves = replace(
        NAMES["negative"],
        name="halves",
        forward=lambda x: (x[:2], x[2:]),
        pulls=(lambda g, out, x: (seen.append(g), np.concatenate(g))[1],),
    )
    steps = [Step(halves, (0,), (1, 2), {}), Step(multiply, (1, 1), (3,), {})]
    values = [X, X[:2], X[2:], X[:2] ** 2]
    found = sweep(steps, values.__getitem__, 4, {3: np.ones(2)}, [0])
    np.testing.assert_array_equal(found[0], [2.0, -4.0, 0.0, 0.0])
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0][1], np.zeros(2))


# --- memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [20, 40])
def test_the_way_back_needs_little_more_than_the_way_forward(steps: int):
    """Every finished gradient is dropped: a chain of n steps holds n values and a few gradients."""
    x = np.linspace(0.1, 1.0, 50_000)

    def chain(x):
        for _ in range(steps):
            x = np.tanh(x)
        return np.sum(x)

    co.grad(chain)(x)
    gc.collect()
    tracemalloc.start()
    co.grad(chain)(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert steps * x.nbytes < peak < (steps + 8) * x.nbytes


# --- forward mode -------------------------------------------------------------------------------


MIXED: list[Callable[..., Any]] = [
    lambda x: np.tanh(x) * x[::-1] / (1.0 + x * x),
    lambda x: np.concatenate([np.cumsum(x), np.max(x.reshape(2, 2), axis=0)]),
    lambda x: np.outer(x, x) @ x,
    lambda x: np.einsum("ij,jk,i->k", x.reshape(2, 2), x.reshape(2, 2).T, x[:2]),
    lambda x: np.where(x > 0.0, x**3, np.exp(x))[np.array([0, 0, 3, 1])],
    lambda x: np.sqrt(np.sum(np.abs(x))) * np.clip(x, -1.0, 2.0) + np.var(x),
    lambda x: np.split(x * x, 2)[1] * np.split(x, 2)[0],
    lambda x: _accumulated(x),
    lambda x: np.sum(x * 2.0),
]


def _accumulated(x: Any) -> Any:
    y = np.zeros(4, like=x)
    y[1:] = x[:3] * x[0]
    np.add.at(y, np.array([0, 1, 0]), x[1:] ** 2)
    y[2] *= x[3]
    return y


@pytest.mark.parametrize("f", MIXED)
def test_push_is_the_sweep_transposed(f: Callable[..., Any]):
    n = X.size
    value, move = co.linearize(f, X)
    _, pull = co.vjp(f, X)
    forward = np.stack([np.ravel(move(e)) for e in np.eye(n)], axis=1)
    seeds = np.eye(np.size(value)).reshape(-1, *np.shape(value))
    backward = np.stack([pull(seed if seed.ndim else float(seed))[0] for seed in seeds])
    np.testing.assert_allclose(forward, backward, rtol=1e-12, atol=1e-13)
    assert np.abs(forward).max() > 0.1


def test_push_computes_nothing_where_nothing_moves():
    calls: list[str] = []
    loud = replace(negative, push=lambda t, out, x, params: (calls.append("pushed"), -t[0])[1])
    steps = written((loud, (0,), 2), (loud, (1,), 3), (add, (2, 3), 4))
    values = [1.0, 2.0, -1.0, -2.0, -3.0]
    moved = push(steps, values.__getitem__, 5, {1: 1.0})
    assert moved == [None, 1.0, None, -1.0, -1.0]
    assert calls == ["pushed"]


@pytest.mark.parametrize(
    "keep",
    [
        lambda a: a + 1.0,
        lambda a: 1.0 * a - 2.0,
        lambda a: +a,
        lambda a: np.copy(a),
        lambda a: a.astype(float),
        lambda a: a.reshape(2, 1) + 0.0,
        lambda a: a[:] + 0.0,
        lambda a: np.stack([a])[0],
        lambda a: np.where(True, a, 0.0),
        lambda a: np.negative(np.negative(a)),
    ],
)
def test_what_was_made_of_an_array_does_not_follow_later_writes(keep: Callable[..., Any]):
    """In forward mode a tangent may be passed on unchanged, and written into later."""

    def f(x):
        a = np.zeros(2, like=x)
        a[0] = x
        before = keep(a)
        a[1] = x * 3.0
        return before.sum() + a.sum() * 10.0

    assert co.grad(f)(1.0) == 1.0 + 40.0
    assert co.jvp(f, (1.0,), (1.0,))[1] == 1.0 + 40.0
    assert co.grad(lambda x: co.jvp(lambda x: f(x * x), (x,), (1.0,))[1])(1.0) == 2.0 * 41.0


@pytest.mark.parametrize("name", ["multiply", "matmul", "maximum", "getitem", "exp"])
def test_every_way_of_pushing_agrees(name: str):
    """Explicit, linear, by partials, and the pull of the pull are one map."""
    gate = NAMES[name]
    ins = {
        "matmul": [np.ones((2, 3)) * 0.5, np.arange(6.0).reshape(3, 2)],
        "getitem": [X],
        "exp": [X],
    }.get(name, [X, X[::-1].copy()])
    params = {"index": (slice(1, 3),)} if name == "getitem" else {}
    tangents = [np.cos(np.arange(float(x.size))).reshape(x.shape) for x in ins]
    out = gate.forward(*ins, **params)
    bare = replace(gate, push=None, linear=frozenset(), partials=None, facts=frozenset())
    ways = [push_step(way, tangents, out, ins, params) for way in (gate, bare)]
    np.testing.assert_allclose(ways[0], ways[1], rtol=1e-14)
    step = 1e-6
    ends = [
        gate.forward(*(x + s * step * t for x, t in zip(ins, tangents, strict=True)), **params)
        for s in (1, -1)
    ]
    np.testing.assert_allclose(ways[0], (ends[0] - ends[1]) / (2 * step), rtol=1e-6, atol=1e-8)
