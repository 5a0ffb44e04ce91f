"""A batch is a loop and a stack: every gate, every index, every path, every nesting."""

from __future__ import annotations

import itertools
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.special
from hypothesis import given, settings
from hypothesis import strategies as st

import corrente as co
import corrente.gates
from corrente.batching import batch, vmap
from corrente.batching.products import contract
from corrente.errors import BadArgument, BadValue, Leak, WriteError
from corrente.gates.indexing import Slot
from corrente.record import NAMES, Call, Gate
from corrente.recording import result_wires, run
from corrente.tracer import record

# those of SciPy are loaded when they are first met: whether they are there depends on other tests
GATES = sorted(
    (gate for gate in NAMES.values() if not hasattr(scipy.special, gate.name)),
    key=lambda gate: gate.name,
)
SIZE = 4
SHAPES = {1: ((3, 4),), 2: ((3, 1), (2, 1, 4)), 3: ((3, 4), (4,), ())}


def loop(f: Callable[..., Any], *batches: Any) -> Any:
    return np.stack([f(*row) for row in zip(*batches, strict=True)])


def assert_same(found: Any, expected: Any) -> None:
    assert np.shape(found) == np.shape(expected)
    assert np.result_type(found) == np.result_type(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


def assert_loops(f: Callable[..., Any], *batches: Any) -> None:
    assert_same(vmap(f)(*batches), loop(f, *batches))


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


# --- every gate of the table --------------------------------------------------------------------


def draw(gate: Gate, rng: np.random.Generator) -> Call:
    if gate.example is not None:
        return gate.example(rng)
    shapes = SHAPES[len(gate.domain)]
    pairs = zip(gate.domain, shapes, strict=True)
    return Call(tuple(rng.uniform(*ends, size=shape) for ends, shape in pairs), {})


def cast(x: Any, dtype: Any) -> Any:
    return np.asarray(x, dtype)[()] if np.result_type(x).kind == "f" else x


def draws(gate: Gate, dtype: Any = np.float64) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """Return the inputs of several calls, and the parameters they share."""
    rng = np.random.default_rng([*gate.name.encode()])
    calls = [draw(gate, rng) for _ in range(SIZE)]
    return [tuple(cast(x, dtype) for x in call.ins) for call in calls], calls[0].params


def subsets(count: int) -> list[tuple[int, ...]]:
    return [s for k in range(1, count + 1) for s in itertools.combinations(range(count), k)]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_a_gate_on_a_batch_is_a_loop(gate: Gate, dtype: Any):
    ins, params = draws(gate, dtype)
    tolerance = 1e-12 if dtype is np.float64 else 1e-5
    for chosen in subsets(len(ins[0])):
        rows = [
            tuple(ins[r if k in chosen else 0][k] for k in range(len(ins[0]))) for r in range(SIZE)
        ]
        recording = run(lambda *x: record(gate, x, params), rows[0], {}, (), all_inputs=True)
        _, wires = result_wires(recording)
        tape = recording.tape
        batched = {k: np.stack([row[k] for row in rows]) for k in chosen}
        many = batch(tape.recorded, tape.snapshot, SIZE, batched, wires, tape.guards)
        assert many.rows[0] == 0
        results = [gate.forward(*rows[r], **params) for r in many.rows]
        parts = [results] if gate.outs == 1 else list(zip(*results, strict=True))
        if len(many.rows) == 1:
            assert many.values == {}  # left alone because the shapes differ
            continue
        for wire, part in zip(wires, parts, strict=True):
            expected = np.stack(part)
            assert many.values[wire].shape == expected.shape
            assert many.values[wire].dtype == expected.dtype
            np.testing.assert_allclose(many.values[wire], expected, rtol=tolerance, atol=tolerance)


def smooth_call(gate: Gate) -> tuple[Callable[..., Any], list[Any]]:
    """Return a gate as a function of its float inputs, and these."""
    ins, params = draws(gate)
    spots = [k for k, x in enumerate(ins[0]) if np.result_type(x).kind == "f"]

    def of_floats(*floats: Any) -> Any:
        given = list(ins[0])
        for k, x in zip(spots, floats, strict=True):
            given[k] = x
        out = record(gate, given, params)
        return tuple(out) if isinstance(out, list) else out

    return of_floats, [ins[0][k] for k in spots]


@pytest.mark.parametrize("gate", [g for g in GATES if g.differentiable], ids=lambda g: g.name)
def test_the_rules_of_a_gate_batch(gate: Gate):
    f, x = smooth_call(gate)
    y, pull = co.vjp(f, *x)
    y = y if isinstance(y, tuple) else (y,)
    rows = tuple(normal(3, *np.shape(part)) for part in y)
    given = (lambda *g: pull(g)) if len(y) > 1 else (lambda g: pull(g))
    found, expected = vmap(given)(*rows), [given(*row) for row in zip(*rows, strict=True)]
    for position in range(len(x)):
        assert_same(found[position], np.stack([row[position] for row in expected]))

    _, move = co.linearize(f, *x)
    tangents = tuple(normal(3, *np.shape(part)) for part in x)
    moved = vmap(lambda *t: move(*t))(*tangents)
    expected = [move(*row) for row in zip(*tangents, strict=True)]
    if len(y) == 1:
        moved, expected = (moved,), [(row,) for row in expected]
    for position in range(len(y)):
        assert_same(moved[position], np.stack([row[position] for row in expected]))


# --- functions ----------------------------------------------------------------------------------

MATRIX = normal(4, 6)


def prefix_products(x: Any) -> Any:
    y = np.ones(5, like=x)
    for k in range(4):
        y[k + 1] = y[k] * x[0, k]
    return y


def written(x: Any) -> Any:
    y = x.copy()
    last = y[2, 2]
    y[2, 2] = 1.0
    first, row = y[0, 0], y[1]
    y[0, 0] = 7.0
    y[1:, 1] += first
    y[y < 0] = -1.0
    return y + row + first * last


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "elementwise": lambda x: np.tanh(x) * 2.0 + x / (1.0 + x * x) - np.maximum(x, 0.3),
    "broadcast": lambda x: x[0] * x + x[:, :1] + x[0, 0],
    "reductions": lambda x: x.sum(axis=0) * np.mean(x) + np.std(x, axis=0) + np.max(x, axis=(0, 1)),
    "kept": lambda x: x - x.mean(axis=-1, keepdims=True),
    "rearranged": lambda x: np.concatenate([x.T.reshape(2, 6), np.ones((2, 1))], axis=1)[:, ::-1],
    "stacked": lambda x: np.stack([x[0], 2.0 * x[1], np.ones(4)], axis=-1),
    "products": lambda x: x @ MATRIX + (MATRIX.T @ x.T).T + np.outer(x[:, 0], MATRIX[0]),
    "vectors": lambda x: np.array([x[0] @ x[1], x[0] @ MATRIX @ MATRIX[0]], like=x),
    "einsum": lambda x: np.einsum("ij,kj,kl->il", x, x, MATRIX[:3]),
    "gathered": lambda x: x[[0, 2, 0]][:, [1, 1]] + x[..., -1, None],
    "sorted": lambda x: x.ravel()[np.argsort(x, axis=None)],
    "masked": lambda x: np.sum(x[x > 0] ** 2),
    "written": written,
    "loop": prefix_products,
    "opaque": lambda x: np.cumsum(x, axis=1) * np.argmax(x),
    "branch": lambda x: x[0] if x[0, 0] > 0 else x[1] ** 2,
    "while": lambda x: halved(np.sum(np.abs(x))) * x,
    "clipped": lambda x: np.where(x > 0, np.clip(x, -0.5, 0.5), co.nn.relu(-x)),
    "shared": lambda x: MATRIX[0],
    "same": lambda x: x,
}


def halved(s: Any) -> Any:
    while s > 1.0:
        s = s / 2.0
    return s


@pytest.mark.parametrize("name", FUNCTIONS)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 6), narrow=st.booleans())
@settings(max_examples=12, deadline=None)
def test_a_function_on_a_batch_is_a_loop(name: str, seed: int, size: int, narrow: bool):
    x = np.random.default_rng(seed).normal(size=(size, 3, 4))
    if narrow:
        f = FUNCTIONS[name]
        found, expected = vmap(f)(x.astype(np.float32)), loop(f, x.astype(np.float32))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)
    else:
        assert_loops(FUNCTIONS[name], x)


# --- indices ------------------------------------------------------------------------------------


@st.composite
def indices(draw: st.DrawFn) -> tuple[list[Any], list[str]]:
    """Draw an index into an array of shape (3, 4, 2): items, and which arrays differ by example."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    wide = draw(st.sampled_from([(), (2,), (3, 1)]))
    items: list[Any] = []
    kinds: list[str] = []
    axis, left = 0, 3
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["int", "slice", "new", "array", "own", "mask", "rest"]))
        if kind == "rest" and any(item is Ellipsis for item in items):
            kind = "new"
        if kind in ("int", "slice", "array", "own", "mask"):
            if left == 0:
                break
            length = (3, 4, 2)[axis] if not any(i is Ellipsis for i in items) else 2
            axis, left = axis + 1, left - 1
            shape = draw(st.sampled_from([wide, wide[-1:]]))
            items.append(
                {
                    "int": lambda n=length: int(rng.integers(n)),
                    "slice": lambda n=length: slice(*sorted(rng.integers(0, n + 1, 2).tolist())),
                    "array": lambda n=length, s=shape: rng.integers(-n, n, size=s),
                    "own": lambda n=length, s=shape: rng.integers(-n, n, size=(3, *s)),
                    "mask": lambda n=length: np.arange(n) == rng.integers(n),
                }[kind]()
            )
            if kind == "mask" and wide not in ((), (3, 1)):
                items[-1] = slice(None)
                kind = "slice"
        else:
            items.append(None if kind == "new" else Ellipsis)
        kinds.append(kind)
    return items, kinds


@given(index=indices(), whole=st.booleans(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_index_reads_and_writes(index: tuple[list[Any], list[str]], whole: bool, data: Any):
    items, kinds = index
    own = [k for k, kind in enumerate(kinds) if kind == "own"]
    x = normal(3, 3, 4, 2)
    pointers = [items[k] for k in own]

    def at(arrays: Any) -> tuple[Any, ...]:
        filled = list(items)
        for k, array in zip(own, arrays, strict=True):
            filled[k] = array
        return tuple(filled)

    try:
        form = np.shape(x[0][at([p[0] for p in pointers])])
    except IndexError:
        return  # NumPy refuses it too
    reads = lambda x, *arrays: x[at(arrays)]
    shared = (None, *[0] * len(own))
    if whole or not own:
        assert_loops(reads, x, *pointers)
    else:
        found = vmap(reads, in_axes=shared)(x[0], *pointers)
        assert_same(found, loop(lambda *arrays: reads(x[0], *arrays), *pointers))
    cut = data.draw(st.integers(0, len(form)))
    value = normal(3, *form[cut:])

    def writes(x: Any, value: Any, *arrays: Any) -> Any:
        y = x.copy()
        y[at(arrays)] = value
        y[at(arrays)] = y[at(arrays)] * 2.0
        np.add.at(y, at(arrays), value)
        return y

    if whole:
        assert_loops(writes, x, value, *pointers)
    else:
        found = vmap(writes, in_axes=(None, 0, *shared[1:]))(x[0], value, *pointers)
        assert_same(found, loop(lambda *rest: writes(x[0], *rest), value, *pointers))
    if own:
        found = vmap(writes, in_axes=(0, None, *shared[1:]))(x, value[0], *pointers)
        assert_same(found, loop(lambda x, *rest: writes(x, value[0], *rest), x, *pointers))


@given(seed=st.integers(0, 2**32 - 1), form=st.sampled_from(["x", "rows", "columns", "number"]))
@settings(max_examples=40, deadline=None)
def test_masks_of_each_example(seed: int, form: str):
    rng = np.random.default_rng(seed)
    x, v, row = (rng.normal(size=shape) for shape in ((5, 3, 4), (5,), (5, 4)))

    def f(x: Any, v: Any, row: Any) -> Any:
        y = x.copy()
        if form == "x":
            y[y > 0.5] = v
        elif form == "rows":
            y[y[:, 0] > 0] = row
        elif form == "columns":
            y[:, y[0] > 0] = v
        else:
            y[1, y[1] > 0] = v
        return y

    assert_loops(f, x, v, row)


def test_masks_do_not_part_the_examples():
    runs = []

    def f(x, v):
        runs.append(1)
        y = x.copy()
        y[y < 0] = 0.0
        y[0, None, y[0] > 1.0] = v
        return y

    x, v = normal(5, 3, 4), normal(5)
    assert_same(vmap(f)(x, v), loop(f, x, v))
    assert len(runs) == 1 + len(x)


def test_lone_bools_as_indices():
    def f(x):
        y = x[x[0] > 0] * 2.0
        z = x.copy()
        z[x[0] > 0] = 2.0 * x
        return np.sum(y) + z

    assert_loops(f, normal(6, 3))
    assert_loops(lambda x: x[np.all(x > -9.0)], normal(6, 3))


def test_written_values_may_have_more_axes():
    def f(x, v):
        y = x.copy()
        y[0] = v[None, None]
        y[[1, 1]] = v[None, None, None]
        return y

    assert_loops(f, normal(3, 3, 4), normal(3, 4))


def test_plain_arrays_beside_traced_ones():
    table, k = normal(4, 6), np.array([[2, 0], [3, 3], [0, 1]])
    reads = lambda k: vmap(lambda t, k: t[k], in_axes=(None, 0))(table, k)
    assert_same(vmap(reads)(k), table[k])

    def read(k):
        steps = [(NAMES["getitem"], (0, 1), (2,), {"index": (Slot(0),)})]
        values = [table, k[0], table[2]]
        return batch(steps, values.__getitem__, 2, {1: k}, [2]).values[2]

    recording = run(read, (k[0],), {}, (), all_inputs=True)
    assert_same(recording.result.value, table[k[0]])
    assert recording.tape.guards == []  # the indices stay wires, and no decision

    def write(t, v):
        y = t.copy()
        y[1] = v
        y[[0, 2], 1] = v * v
        return np.sum(y, axis=1)

    total = lambda v: np.sum(vmap(write, in_axes=(None, 0))(table, v))
    assert_same(co.grad(total)(np.array([1.0, 2.0])), np.array([6.0 + 4.0, 6.0 + 8.0]))


def test_integers_as_indices():
    table, k = normal(4, 6), np.array([2, 0, 3])
    assert_same(vmap(lambda k: table[k])(k), table[k])
    assert_same(vmap(lambda t, k: t[k, 1:], in_axes=(None, 0))(table, k), table[k, 1:])
    assert_same(vmap(lambda k: np.ones(2) * int(k))(k), np.ones((3, 2)) * k[:, None])


# --- paths --------------------------------------------------------------------------------------


class TestPaths:
    def test_each_path_runs_once(self):
        runs = []

        def f(x):
            runs.append(1)
            return np.log(x) if x > 0 else x * 2.0

        x = np.array([1.0, -2.0, 3.0, -4.0, 5.0])
        assert_same(vmap(f)(x), np.where(x > 0, np.log(np.abs(x)), 2.0 * x))
        assert len(runs) == 2

    def test_nothing_is_computed_beyond_the_own_path(self):
        # a logarithm of the negative ones would warn, and warnings are errors here
        x = np.array([4.0, -1.0])
        assert_same(vmap(lambda x: np.sqrt(x) if x >= 0 else x)(x), np.array([2.0, -1.0]))

    def test_dtypes_of_paths_join_as_in_a_stack(self):
        f = lambda x: x if x > 0 else np.float32(2.0)
        x = np.array([1.0, -1.0])
        assert_same(vmap(f)(x), loop(f, x))

    def test_floats_decide_by_value(self):
        x = np.array([1.5, np.nan, 2.5, 1.5])
        np.testing.assert_array_equal(vmap(lambda x: 2.0 * float(x))(x), 2.0 * x)
        np.testing.assert_array_equal(vmap(lambda x: x if x else -1.0)(x * 0), [-1, np.nan, -1, -1])
        np.testing.assert_array_equal(vmap(lambda x: x * int(x))(x[[0, 2]]), [1.5, 5.0])

    def test_never_a_silent_zero_gradient(self):
        with pytest.raises(Leak):
            co.grad(lambda x: np.sum(vmap(lambda x: x * float(x))(x)))(np.ones(3))

    def test_different_forms(self):
        with pytest.raises(BadValue, match=r"\(1,\); \(2,\)"):
            vmap(lambda x: np.ones(2) * x if x > 0 else np.ones(1) * x)(np.array([1.0, -1.0]))
        with pytest.raises(BadValue, match="different forms"):
            vmap(lambda x: (x, x) if x > 0 else x)(np.array([1.0, -1.0]))

    def test_counts_are_decisions(self):
        def f(x):
            kept = x[x > 0]
            return kept.sum() * len(kept)

        assert_loops(f, np.array([[1.0, -1.0], [2.0, 3.0], [-1.0, -2.0], [-1.0, 5.0]]))

    def test_decisions_of_outer_levels(self):
        f = lambda x: vmap(lambda y: y * x if y > x else y)(np.array([0.5, 1.5, 2.5]))
        x = np.array([0.0, 1.0, 2.0, 3.0])
        assert_loops(f, x)
        assert_same(co.grad(lambda x: f(x).sum())(1.0), 4.0)


# --- axes, structures, errors -------------------------------------------------------------------


class TestAxes:
    def test_in_axes(self):
        x, y = normal(3, 5), normal(5, 4)
        assert_same(vmap(np.outer, in_axes=(1, 0))(x, y), loop(np.outer, x.T, y))
        assert_same(
            vmap(np.outer, in_axes=(-1, None))(x, y[0]), loop(lambda a: np.outer(a, y[0]), x.T)
        )
        assert_same(vmap(lambda a, b: a + b)(y, 2.0), y + 2.0)

    def test_out_axes(self):
        x = normal(5, 3, 2)
        assert_same(vmap(lambda x: x, out_axes=1)(x), np.moveaxis(x, 0, 1))
        first, rest = vmap(lambda x: (x, {"s": x.sum()}), out_axes=(-1, 0))(x)
        assert_same(first, np.moveaxis(x, 0, -1))
        assert_same(rest["s"], x.sum(axis=(1, 2)))

    def test_nested_axes(self):
        Pair = namedtuple("Pair", "w b")
        params = {"p": Pair(normal(2, 3), normal(7)), "n": None, "z": normal(3)}
        f = lambda q, k: q["p"].w.sum() * k + q["p"].b.sum() + q["z"]
        found = vmap(f, in_axes=({"p": Pair(1, None), "n": None, "z": 0}, None))(params, 2.0)
        assert_same(found, 2.0 * params["p"].w.sum(axis=0) + params["p"].b.sum() + params["z"])

    def test_keywords_lie_along_the_first_axis(self):
        x = normal(4, 3)
        assert_same(vmap(lambda x, *, y: x * y)(x, y=x), x * x)

    def test_errors_name_the_shapes(self):
        with pytest.raises(BadValue, match=r"0: \(3,\), 1\['a'\]: \(4,\)"):
            vmap(lambda x, y: x)(np.ones(3), {"a": np.ones(4)})
        with pytest.raises(BadValue, match="no argument"):
            vmap(lambda x: x)(3.0)
        with pytest.raises(BadValue, match="no example"):
            vmap(lambda x: x)(np.ones((0, 3)))
        with pytest.raises(BadValue, match=r"axis 2 of an array of shape \(3, 4\)"):
            vmap(lambda x: x, in_axes=2)(np.ones((3, 4)))
        with pytest.raises(BadValue, match="2 entries"):
            vmap(lambda x: x, in_axes=(0, 0))(np.ones(3))
        with pytest.raises(BadValue, match="not built"):
            vmap(lambda x: x["a"], in_axes=({"b": 0},))({"a": np.ones(3)})
        with pytest.raises(BadValue, match="not built"):
            vmap(lambda x: x, out_axes=(0, 0))(np.ones(3))
        with pytest.raises(BadArgument, match="type str"):
            vmap(lambda x: "no")(np.ones(3))

    def test_errors_speak_portuguese(self):
        with pytest.raises(BadValue) as caught:
            vmap(lambda x, y: x)(np.ones(3), np.ones(4))
        assert "números diferentes de exemplos" in caught.value.render("pt")

    def test_results_are_their_own(self):
        x = normal(3, 2)
        a, b, c = vmap(lambda x: (x, x, np.zeros(2)))(x)
        for result in (a, b, c):
            result += 1.0
        assert_same(x, normal(3, 2))
        assert_same(a, x + 1.0)
        assert_same(c, np.ones((3, 2)))

    def test_none_is_a_result(self):
        assert vmap(lambda x: (x, None))(np.ones(2))[1] is None


# --- nesting ------------------------------------------------------------------------------------

NESTED = {
    name: (lambda x, f=f: np.sum(np.sin(f(x))))
    for name, f in FUNCTIONS.items()
    if name not in ("shared", "einsum", "sorted")
}


@pytest.mark.parametrize("name", NESTED)
class TestNesting:
    x = normal(3, 3, 4, seed=5)

    def test_grad_of_vmap_and_vmap_of_grad(self, name: str):
        f = NESTED[name]
        expected = loop(co.grad(f), self.x)
        assert_same(vmap(co.grad(f))(self.x), expected)
        weights = np.array([1.0, 2.0, 3.0])
        found = co.grad(lambda x: np.sum(vmap(f)(x) * weights))(self.x)
        assert_same(found, expected * weights[:, None, None])

    def test_jvp_of_vmap_and_vmap_of_jvp(self, name: str):
        f, t = NESTED[name], normal(3, 3, 4, seed=6)
        along = lambda x, t: co.jvp(f, (x,), (t,))[1]
        expected = loop(along, self.x, t)
        assert_same(vmap(along)(self.x, t), expected)
        assert_same(co.jvp(vmap(f), (self.x,), (t,))[1], expected)

    def test_second_order(self, name: str):
        f, t = NESTED[name], normal(3, 3, 4, seed=6)
        along = lambda x, t: co.hvp(f, (x,), (t,))
        expected = loop(along, self.x, t)
        assert_same(vmap(along)(self.x, t), expected)
        assert_same(co.hvp(lambda x: np.sum(vmap(f)(x)), (self.x,), (t,)), expected)

    def test_vmap_of_vmap(self, name: str):
        f, x = NESTED[name], normal(2, 2, 3, 4, seed=7)
        expected = np.stack([loop(f, part) for part in x])
        assert_same(vmap(vmap(f))(x), expected)
        found = co.grad(lambda x: np.sum(vmap(vmap(f), in_axes=1)(x)))(x)
        assert_same(found, np.stack([loop(co.grad(f), part) for part in x]))

    def test_trace_of_vmap(self, name: str):
        t = co.trace(lambda x: np.sum(vmap(NESTED[name])(x)))(self.x)
        t.circuit.verify()
        assert_same(t.grads[0], loop(co.grad(NESTED[name]), self.x))


def test_closing_over_a_differentiated_value():
    x = normal(3)
    f = lambda w: np.sum(vmap(lambda x: np.tanh(w * x))(x))
    assert_same(co.grad(f)(0.7), np.sum(x / np.cosh(0.7 * x) ** 2))


def test_gates_of_the_users_own():
    cube = co.gate(lambda x: x**3).defpull(lambda g, out, x: g * 3.0 * x * x)
    x = normal(4)
    assert_same(vmap(cube)(x), x**3)
    assert_same(vmap(co.grad(cube))(x), 3.0 * x * x)
    kept = co.checkpoint(lambda x: (np.sin(x), x * 2.0))
    assert_same(vmap(lambda x: kept(x)[0] * kept(x)[1])(x), np.sin(x) * x * 2.0)


def test_the_loop_over_elements_stays_linear():
    def running(x):
        y = np.zeros(400, like=x)
        for k in range(1, 400):
            y[k] = y[k - 1] + x
        return y

    copies = []
    copy = np.copy
    recording = run(running, (1.0,), {}, (), all_inputs=True)
    tape = recording.tape
    wires = [wire for wire in result_wires(recording)[1] if wire is not None]
    try:
        np.copy = lambda x, *rest, **more: copies.append(np.size(x)) or copy(x, *rest, **more)
        many = batch(tape.recorded, tape.snapshot, 3, {0: np.arange(3.0)}, wires, tape.guards)
    finally:
        np.copy = copy
    assert_same(many.values[wires[0]], np.arange(3.0)[:, None] * np.arange(400))
    assert sum(copies) < 20 * 400


def test_arrays_that_are_closed_over_stay_as_they_were():
    for size in (10, 5000):
        table = np.ones(size)

        def f(x, table=table):
            y = x * table
            table[0] += 1.0
            return y

        x = np.array([1.0, 2.0])
        if size == 10:
            assert_same(vmap(f)(x), np.ones((2, 10)) * x[:, None])
        else:
            with pytest.raises(WriteError):
                vmap(f)(x)


def test_a_buffer_that_is_read_later_is_not_written():
    put, add = NAMES["setitem"], NAMES["add"]
    steps = [
        (put, (0, 1), (2,), {"index": (0,)}),
        (put, (2, 1), (3,), {"index": (1,)}),
        (add, (2, 3), (4,), {}),
    ]
    values = [np.zeros(2), 1.0, np.array([1.0, 0.0]), np.ones(2), np.array([2.0, 1.0])]
    many = batch(steps, values.__getitem__, 2, {1: np.array([1.0, 5.0])}, [4])
    assert_same(many.values[4], np.array([[2.0, 1.0], [10.0, 5.0]]))


# --- sums of products ---------------------------------------------------------------------------


@given(
    left=st.permutations("abc"),
    right=st.permutations("bcd"),
    out=st.permutations("abd").flatmap(lambda p: st.sampled_from([p, p[:2], p[:1], p[:0]])),
)
@settings(max_examples=60, deadline=None)
def test_contract_is_einsum(left: list[str], right: list[str], out: list[str]):
    sizes = dict(zip("abcd", (2, 3, 4, 5), strict=True))
    terms, out_ = ["".join(left), "".join(right)], "".join(out)
    x, y = (normal(*(sizes[k] for k in term)) for term in terms)
    assert_same(contract(terms, out_, [x, y]), np.einsum(f"{','.join(terms)}->{out_}", x, y))


def test_contract_repeats_and_integers():
    x = normal(3, 3, 4)
    assert_same(contract(["iij", "jk"], "ik", [x, MATRIX]), np.einsum("iij,jk->ik", x, MATRIX))
    small = np.ones((200, 2), np.int8)
    assert_same(contract(["ij", "j"], "j", [small, small[0]]), small.sum(axis=0, dtype=np.int8))


def test_contract_keeps_the_order_of_memory():
    found = contract(["ij", "kj"], "ki", [MATRIX, normal(5, 6)])
    assert found.flags.c_contiguous
