"""Reductions, rearrangements and contractions: values, slopes, batches and conventions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import corrente as co
from corrente import convention
from corrente.circuit import call_code
from corrente.errors import BadArgument, BadValue, NotSupported, ShapeError, WriteError
from corrente.gates.arrays import unbroadcast
from corrente.record import COMPOSED, TABLE, Call, Contract, Gate, Rearrange
from corrente.trees import take_apart

STEP = 1e-6
RNG = np.random.default_rng(3)


class Case(NamedTuple):
    """A call as a user writes it; its arrays of floats are what is differentiated."""

    func: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def inputs(self) -> list[Any]:
        return [x for x in take_apart(self.args).leaves if is_input(x)]

    def __call__(self, *xs: Any) -> Any:
        tree, fresh = take_apart(self.args), iter(xs)
        leaves = [next(fresh) if is_input(leaf) else leaf for leaf in tree.leaves]
        return self.func(*tree.build(leaves), **self.kwargs)


def pulled(gate: Any, k: int, g: Any, out: Any, ins: Any, params: Any) -> Any:
    """Return the gradient of the k-th input by whichever rule the gate has."""
    if gate.pulls is None:
        return gate.joint(g, out, ins, params, [k])[0]
    return gate.pulls[k](g, out, *ins, **params)


def is_input(x: Any) -> bool:
    return isinstance(x, np.ndarray) and x.dtype.kind in "fc"


def case(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    made = Case(func, args, kwargs)
    shapes = [np.shape(x) for x in made.inputs]
    words = [str(x) for x in args if not isinstance(x, np.ndarray | list | tuple)]
    words += [f"{key}={value}" for key, value in kwargs.items()]
    return pytest.param(made, id=" ".join([func.__name__, *map(str, shapes), *words]))


def a(*shape: int) -> np.ndarray:
    """Draw numbers that no small step makes equal."""
    spaced = 0.2 * np.arange(np.prod(shape, dtype=int)) - 1.03
    return RNG.permutation(spaced).reshape(shape)


AXES: list[Any] = [None, 0, -1, (0, 2), (-1, 1), (2, 0, 1), ()]


def reductions() -> Iterator[Any]:
    for func in (np.sum, np.mean, np.prod, np.max, np.amin, np.var, np.std):
        for axis in AXES:
            if axis == () and func is np.std:
                continue  # the spread of a single number has a kink
            for keepdims in (False, True):
                yield case(func, a(2, 3, 2), axis=axis, keepdims=keepdims)
        yield case(func, a(4), 0)
    yield case(np.sum, a())
    yield case(np.max, a())
    yield case(np.prod, a(1, 5), 1)
    yield case(np.prod, a(7), 0)
    yield case(np.prod, a(3, 0), 1)
    yield case(np.mean, a(0, 3), 1)
    for func in (np.var, np.std):
        yield case(func, a(3, 4), axis=0, ddof=1)
        yield case(func, a(3, 4), axis=(1,), correction=1.5, keepdims=True)
    for axis in (None, 0, 1, -1):
        yield case(np.cumsum, a(2, 3), axis=axis)


def rearrangements() -> Iterator[Any]:
    x = a(2, 3, 4)
    for shape in ((4, 6), -1, (2, -1), (3, -1, 2), 24):
        yield case(np.reshape, x, shape)
        yield case(np.reshape, x, shape, order="F")
    yield case(np.reshape, a(), (1, 1))
    yield case(np.reshape, a(0, 3), (3, -1, 2))
    for axes in (None, (1, 2, 0), (-1, 0, 1), (0, 1, 2)):
        yield case(np.transpose, x, axes)
    for axis in (0, -1, 3, (0, 2), (1, -1), ()):
        yield case(np.expand_dims, x, axis)
    for axis in (None, 0, (-2, 0), ()):
        yield case(np.squeeze, a(1, 3, 1, 2), axis)
    for axis in (None, 1, (0, -1)):
        yield case(np.flip, x, axis)
    for shift, axis in ((2, None), (-1, 1), ((1, -2), (0, 1)), (3, (0, 2)), ((1, 1), (2, 2))):
        yield case(np.roll, x, shift, axis)
    yield case(np.roll, x, (1, 2), None)
    for shape in ((5, 2, 3), (3,), (2, 2, 1, 3)):
        yield case(np.broadcast_to, a(3), shape)
    yield case(np.broadcast_to, a(2, 1, 3), (2, 4, 3))
    yield case(np.broadcast_to, a(), (2, 2))
    for offset, first, second in ((0, 0, 1), (1, -1, 0), (-1, 1, 2), (9, 0, 1)):
        yield case(np.diagonal, x, offset, first, second)
    for k in (0, 2, -1):
        yield case(np.diag, a(3), k)
        yield case(np.diag, a(3, 4), k)


def joins() -> Iterator[Any]:
    for axis in (0, 1, -1, None):
        yield case(np.concatenate, [a(2, 2), a(2, 2), a(2, 2)], axis)
    yield case(np.concatenate, (a(2, 0), a(2, 3)), axis=1)
    yield case(np.concatenate, [a(1), np.arange(2), [1.5]])
    yield case(np.concatenate, a(2, 3, 2), axis=1)
    for axis in (0, 1, -1):
        yield case(np.stack, [a(2, 3), a(2, 3)], axis)
    yield case(np.stack, [a(), 2.0, a()])
    for func in (np.concatenate, np.stack):
        yield case(func, [a(2), np.arange(2)], dtype=float)
    for reps in (2, (2, 1), (2, 1, 3), (1, 2, 2, 1), (0, 1)):
        yield case(np.tile, a(2, 3), reps)
    for repeats, axis in ((2, None), (3, 0), (0, 1), ([1, 0, 2], -1), (np.array([2, 1]), 0)):
        yield case(np.repeat, a(2, 3), repeats, axis)
    for mode in ("edge", "reflect", "symmetric", "wrap"):
        for width in (1, (2, 1), ((0, 2), (1, 0)), ((5, 4),)):
            yield case(np.pad, a(3, 4), width, mode)
    yield case(np.pad, a(3, 4), ((1, 0), (0, 2)))
    yield case(np.pad, a(3), (1, 2), constant_values=1.5)
    yield case(np.pad, a(2, 2), 1, "constant", constant_values=((1, 2), (3.5, 4)))


def contractions() -> Iterator[Any]:
    for first, second in (
        *((x, y) for x in ((3,), (2, 3)) for y in ((3,), (3, 2), (4, 3, 2), (2, 1, 3, 2))),
        *((x, y) for x in ((4, 2, 3), (2, 1, 2, 3)) for y in ((3,), (3, 2), (4, 3, 2))),
        *((((1, 2, 3)), (4, 3, 1)), ((5, 1, 1, 3), (2, 3, 2)), ((0, 3), (3, 2))),
    ):
        yield case(np.matmul, a(*first), a(*second))
    for first in ((), (3,), (2, 3), (2, 2, 3)):
        for second in ((), (3,), (3, 2), (2, 3, 2)):
            yield case(np.dot, a(*first), a(*second))
    for axes in (2, ([2, 0], [1, 2]), ((0, -1), (2, -2)), 0, (0, 2), ([0], -1)):
        yield case(np.tensordot, a(2, 4, 3), a(4, 3, 2), axes)
    yield case(np.tensordot, a(2, 3), a(2, 3))
    yield case(np.outer, a(2), a(3))
    yield case(np.outer, a(2, 2), a())


def einsums() -> Iterator[Any]:
    for text, *shapes in (
        ("ij,jk->ik", (2, 3), (3, 4)),
        ("ij , jk", (2, 3), (3, 4)),
        ("ba,bc", (2, 3), (2, 2)),
        ("ba", (2, 3)),
        ("ii", (3, 3)),
        ("ii->i", (3, 3)),
        ("iij->j", (2, 2, 3)),
        ("ijij->ji", (2, 3, 2, 3)),
        ("ij->ji", (2, 3)),
        ("ij->", (2, 3)),
        ("ij->j", (2, 3)),
        ("i,j,ij", (2,), (3,), (2, 3)),
        (",i->i", (), (3,)),
        ("i,i->i", (3,), (3,)),
        ("ij,kl->i", (2, 3), (2, 2)),
        ("...ij,...jk->...ik", (2, 2, 3), (3, 2)),
        ("...i,i...", (2, 3), (3, 2)),
        ("i...->...", (3, 2)),
        ("...->...", (2, 3)),
        ("ij,ij->ij", (1, 3), (2, 3)),
        ("ij,ij->ij", (2, 3), (2, 1)),
        ("ij,ij->i", (2, 1), (2, 3)),
        ("ij,ij", (2, 1), (1, 3)),
        ("...i,...i->...", (2, 1, 3), (4, 3)),
        ("iij,jk,k->ik", (2, 2, 3), (3, 2), (2,)),
    ):
        yield case(np.einsum, text, *(a(*shape) for shape in shapes))
    yield case(np.einsum, a(2, 3), [0, 1], [1, 0])
    yield case(np.einsum, a(2, 3), (30, 3))
    yield case(np.einsum, a(2, 3), (30, 3), a(3), (3,))
    yield case(np.einsum, a(2, 2, 3), [..., 0, 1], a(3, 2), [..., 1, 2], [..., 0, 2])
    yield case(np.einsum, a(3, 3), np.array([0, 0]), a(3, 2), [0, 51], [51])
    for text, *shapes in (("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)), ("ii->i", (3, 3))):
        yield case(np.einsum, text, *(a(*shape) for shape in shapes), optimize=True)


def searches() -> Iterator[Any]:
    for func in (np.any, np.all, np.count_nonzero):
        for axis in AXES:
            yield case(func, np.ones((2, 3, 2)) > 0, axis=axis, keepdims=True)
            yield case(func, a(2, 3, 2), axis=axis)
    for func in (np.argmax, np.argmin):
        for axis in (None, 0, -1):
            yield case(func, a(2, 3), axis, keepdims=True)
            yield case(func, a(2, 3), axis)
    for axis in (None, 0, -1):
        yield case(np.argsort, a(2, 3), axis)
        yield case(np.argsort, a(2, 3), axis, kind="stable")
    yield case(np.argsort, np.arange(200.0) % 3, kind="stable")
    yield case(np.searchsorted, np.sort(a(5)), a(2, 2))
    yield case(np.searchsorted, np.sort(a(5)), 0.3, side="right")
    yield case(np.searchsorted, a(5), a(3), sorter=np.arange(5)[::-1])
    yield case(np.argwhere, a(2, 3) > 0)


def compositions() -> Iterator[Any]:
    x = a(2, 3, 4)
    yield case(np.ravel, x)
    yield case(np.ravel, x, "F")
    yield case(np.swapaxes, x, 0, -1)
    yield case(np.matrix_transpose, x)
    for source, destination in ((0, -1), ((0, 1), (-1, 0)), ([2, 0], [0, 1])):
        yield case(np.moveaxis, x, source, destination)
    yield case(np.fliplr, x)
    yield case(np.flipud, x)
    for k in (-1, 0, 1, 2, 3, 5):
        yield case(np.rot90, x, k)
        yield case(np.rot90, x, k, (2, 0))
    yield case(np.trace, x, 1, 2, 0)
    for func in (np.tril, np.triu):
        for k in (-1, 0, 2):
            yield case(func, x, k)
    for func in (np.vstack, np.hstack, np.dstack, np.column_stack):
        yield case(func, [a(3), a(3)])
        yield case(func, (a(3, 1), a(3, 1)))
    for func in (np.vstack, np.hstack):
        yield case(func, [a(2), np.arange(2)], dtype=float, casting="same_kind")
    for func in (np.vstack, np.hstack, np.dstack):
        yield case(func, [a(), a(), 2.0])
        yield case(func, [a(2, 1, 3), a(2, 1, 3)])
    for func in (np.atleast_1d, np.atleast_2d, np.atleast_3d):
        for shape in ((), (3,), (2, 3), (2, 1, 2), (1, 1, 1, 2)):
            yield case(func, a(*shape))
    yield case(np.append, x, a(2, 3, 1), axis=2)
    yield case(np.append, x, a(2))
    yield case(np.diff, a(3, 4))
    yield case(np.diff, a(3, 4), 2, axis=0)
    yield case(np.ptp, x, axis=(0, 2))
    yield case(np.ptp, x, 1, keepdims=True)
    yield case(np.average, x, axis=1)
    yield case(np.average, x, axis=1, weights=a(3))
    yield case(np.average, a(2, 3), weights=[[1, 2, 3], [4, 5, 6.0]])
    yield case(np.average, a(2, 3), axis=0, weights=a(2, 3), keepdims=True)
    yield case(np.inner, a(3), a(3))
    yield case(np.inner, a(2, 3), a(4, 3))
    yield case(np.inner, a(), a(4, 3))
    yield case(np.vdot, a(2, 3), a(3, 2))


def several_outs() -> Iterator[Any]:
    yield case(np.split, a(6, 2), 3)
    yield case(np.split, a(6, 2), 1)
    yield case(np.split, a(2, 6), [2, 2, 5], axis=1)
    yield case(np.split, a(6), [4, 2, 9])
    yield case(np.array_split, a(7, 2), 3)
    yield case(np.vsplit, a(4, 2), 2)
    yield case(np.hsplit, a(4), [1])
    yield case(np.hsplit, a(2, 4), 2)
    yield case(np.dsplit, a(2, 1, 4), 2)
    yield case(np.unstack, a(2, 3), axis=1)
    yield case(np.broadcast_arrays, a(2, 1), a(3))
    yield case(np.atleast_2d, a(2), a())


GATES = [*reductions(), *rearrangements(), *joins(), *contractions(), *einsums()]
each = pytest.mark.parametrize
with_gradient = each("case", GATES)


def test_every_gate_and_composition_of_these_families_has_a_case():
    rows = [*GATES, *searches(), *compositions(), *several_outs()]
    seen = {row.values[0].func for row in rows}
    seen |= {gate.of for func, gate in TABLE.items() if func in seen}
    families = ("arrays", "joins", "reductions", "extremes", "linalg", "einsum")
    homes = {f"corrente.gates.{family}" for family in families}
    rules = {gate.of: gate.shape or gate.takes for gate in TABLE.values()} | COMPOSED
    # a private gate of another family may borrow a shape rule
    mine = {
        func
        for func, rule in rules.items()
        if rule and rule.__module__ in homes and not func.__name__.startswith("_")
    }
    assert mine - seen == {np.nonzero, np.flatnonzero}, "tested below"


def normalised(case: Case) -> tuple[Gate, Call]:
    gate = TABLE[case.func]
    if gate.takes is None:
        return gate, Call(case.args, case.kwargs)
    return gate, gate.takes(*case.args, **case.kwargs)


def slopes(function: Callable[..., Any], xs: list[Any], g: Any, k: int) -> Any:
    """Return the gradient of sum(g × function) by central differences, element by element."""
    found = np.zeros(np.shape(xs[k]))
    for at in np.ndindex(found.shape):
        ends = []
        for step in (STEP, -STEP):
            moved = [np.array(x) for x in xs]
            moved[k][at] += step
            ends.append(np.sum(np.asarray(g * function(*moved))))
        found[at] = (ends[0] - ends[1]) / (2 * STEP)
    return found


def same(found: Any, want: Any) -> None:
    assert np.shape(found) == np.shape(want)
    assert np.result_type(found) == np.result_type(want)
    np.testing.assert_array_equal(found, want)


# --- one gate at a time -------------------------------------------------------------------------


@each("case", [*GATES, *searches()])
def test_a_call_becomes_plain_parameters_and_gives_what_numpy_gives(case: Case):
    gate, (ins, params) = normalised(case)
    want = case.func(*case.args, **case.kwargs)
    same(gate.forward(*ins, **params), want)
    hash(tuple(params.values()))
    if gate.shape is not None:
        assert gate.shape(*map(np.shape, ins), **params) == np.shape(want)


@each("case", [*GATES, *searches()])
def test_it_prints_as_the_call_it_is(case: Case):
    gate, (ins, params) = normalised(case)
    names = [f"x{k}" for k in range(len(ins))]
    write = gate.code or (lambda names, params: call_code(gate.name, names, params))
    found = eval(write(names, params), {"np": np, **dict(zip(names, ins, strict=True))})
    same(found, gate.forward(*ins, **params))


@with_gradient
def test_the_pull_is_the_slope_in_exactly_the_shape_of_the_input(case: Case):
    gate, (ins, params) = normalised(case)
    out = gate.forward(*ins, **params)
    g = np.asarray(np.random.default_rng(1).normal(size=np.shape(out)))[()]
    assert gate.differentiable
    for k, x in enumerate(ins):
        if is_input(x):
            d = pulled(gate, k, g, out, ins, params)
            assert np.shape(d) == np.shape(x)
            want = slopes(lambda *xs: gate.forward(*xs, **params), list(ins), g, k)
            np.testing.assert_allclose(d, want, rtol=1e-6, atol=1e-8)


@with_gradient
def test_float32_comes_back_as_float32(case: Case):
    gate, (ins, params) = normalised(case)
    ins = tuple(x.astype(np.float32) if is_input(x) else x for x in ins)
    out = gate.forward(*ins, **params)
    if all(np.result_type(x) == np.float32 for x in ins):
        assert np.result_type(out) == np.float32
    assert gate.differentiable
    for k, x in enumerate(ins):
        if is_input(x) and np.result_type(out) == np.float32:
            d = pulled(gate, k, np.ones_like(out), out, ins, params)
            assert np.result_type(d) == np.float32


@each("case", [*rearrangements(), *joins()])
def test_a_batch_gives_what_its_members_give(case: Case):
    gate, (ins, params) = normalised(case)
    assert isinstance(gate.kind, Rearrange)
    assert gate.kind.batch is not None
    ins = tuple(map(np.asarray, ins))
    members = [tuple(x + 10 * k for x in ins) for k in range(3)]
    batched = gate.kind.batch(*map(np.stack, zip(*members, strict=True)), **params)
    np.testing.assert_array_equal(
        batched, np.stack([gate.forward(*member, **params) for member in members])
    )


@each("case", [*contractions(), *einsums()])
def test_a_contraction_says_which_einsum_it_is(case: Case):
    gate, (ins, params) = normalised(case)
    assert isinstance(gate.kind, Contract)
    spec = gate.kind.spec(tuple(map(np.ndim, ins)), params)
    assert "..." not in spec
    assert "->" in spec
    out = gate.forward(*ins, **params)
    np.testing.assert_allclose(np.einsum(spec, *ins), out, rtol=1e-12, atol=1e-12)


# --- as users call them -------------------------------------------------------------------------


def on_tape(case: Case) -> None:
    """Compare value, pull and push of a traced call with NumPy and with differences."""
    xs, rng = case.inputs, np.random.default_rng(2)
    want = case(*xs)
    flat = isinstance(want, list | tuple)
    y, pull = co.vjp(case, *xs)
    assert type(y) is type(want) or not flat
    parts = want if flat else [want]
    for found, part in zip(y if flat else [y], parts, strict=True):
        same(found, part)
    g = [np.asarray(rng.normal(size=np.shape(part)))[()] for part in parts]
    gradients = pull(type(want)(g) if flat else g[0])
    tangents = tuple(rng.normal(size=np.shape(x)) for x in xs)
    moved = co.jvp(case, tuple(xs), tangents)[1]
    for k, d in enumerate(gradients if len(xs) > 1 else [gradients[0]]):

        def weighed(*inputs: Any) -> Any:
            outs = case(*inputs)
            return sum(np.sum(v * out) for v, out in zip(g, outs if flat else [outs], strict=True))

        np.testing.assert_allclose(d, slopes(weighed, xs, 1.0, k), rtol=1e-6, atol=1e-8)
    back = sum(np.sum(d * t) for d, t in zip(gradients, tangents, strict=True))
    ahead = sum(np.sum(v * t) for v, t in zip(g, moved if flat else [moved], strict=True))
    np.testing.assert_allclose(ahead, back, rtol=1e-10, atol=1e-12)


@each("case", [*GATES, *compositions(), *several_outs()])
def test_traced_calls_agree_with_numpy_forward_and_back(case: Case):
    on_tape(case)


def test_methods_are_the_functions():
    x = a(3, 4)
    methods = (
        lambda x: x.sum(axis=1).std(),
        lambda x: x.T.reshape(2, -1).max(0).prod(),
        lambda x: x.swapaxes(0, 1).ravel().cumsum().mean(),
        lambda x: (x.repeat(2, axis=0).squeeze() @ x.T).trace(),
        lambda x: x.diagonal().dot(x.flatten()[:3]) * x.var(ddof=1) * x.min(),
    )
    for f in methods:
        y, gradient = co.value_and_grad(f)(x)
        assert y == pytest.approx(f(x))
        np.testing.assert_allclose(gradient, slopes(f, [x], 1.0, 0), rtol=1e-5, atol=1e-7)


def test_indices_found_while_tracing_can_be_used():
    x = np.array([[1.0, 0.0, -2.0], [0.0, 3.0, 0.0]])

    def f(x: Any) -> Any:
        rows, columns = np.nonzero(x > 0)
        return np.sum(x[rows, columns] ** 2) + np.sum(x.ravel()[np.flatnonzero(x < 0)])

    y, gradient = co.value_and_grad(f)(x)
    assert y == 8.0
    np.testing.assert_array_equal(gradient, [[2, 0, 1], [0, 6, 0]])
    gradient = co.grad(lambda x: x[np.argmax(x, axis=0), np.arange(3)].sum())(x)
    np.testing.assert_array_equal(gradient, [[1, 0, 0], [0, 1, 1]])


def test_pieces_of_a_split_are_views_as_in_numpy():
    def f(x: Any) -> Any:
        y = x * 1.0
        first, second = np.split(y, 2)
        first[:] = second * 3
        return np.sum(y * np.arange(4.0))

    x = np.array([1.0, 2, 3, 4])
    y, gradient = co.value_and_grad(f)(x)
    assert y == f(x)
    np.testing.assert_array_equal(gradient, [0, 0, 2, 6])


def test_writing_through_a_view_that_is_not_followed_is_refused():
    def f(x: Any) -> Any:
        y = x * 1.0
        np.ravel(y)[0] = 2.0
        return np.sum(y)

    with pytest.raises(WriteError):
        co.grad(f)(np.ones((2, 2)))


# --- conventions --------------------------------------------------------------------------------

TIED = np.array([[1.0, 3.0, 3.0], [3.0, 2.0, 0.0]])


@each(
    ("rule", "axis", "want", "hit"),
    [
        ("split", None, [[0, 1 / 3, 1 / 3], [1 / 3, 0, 0]], 1),
        ("first", None, [[0, 1, 0], [0, 0, 0]], 1),
        ("both", None, [[0, 1, 1], [1, 0, 0]], 1),
        ("split", 1, [[0, 0.5, 0.5], [1, 0, 0]], 1),
        ("first", 1, [[0, 1, 0], [1, 0, 0]], 1),
        ("both", 1, [[0, 1, 1], [1, 0, 0]], 1),
        ("split", 0, [[0, 1, 1], [1, 0, 0]], 0),
    ],
)
def test_ties_follow_the_rule_in_force(rule: str, axis: Any, want: Any, hit: int):
    for func, sign in ((np.max, 1), (np.min, -1)):
        with co.ties(rule) as met:
            gradient = co.grad(lambda x, f=func: np.sum(f(x, axis=axis)))(sign * TIED)
        np.testing.assert_allclose(gradient, want)
        assert met.hit == hit
    assert convention.rule() == "split"


def test_the_first_winner_is_first_in_the_order_of_the_elements():
    x = np.zeros((2, 3, 2))
    with co.ties("first"):
        gradient = co.grad(lambda x: np.sum(np.max(x, axis=(0, 2))))(x)
    want = np.zeros((2, 3, 2))
    want[0, :, 0] = 1
    np.testing.assert_array_equal(gradient, want)


@each("func", [np.max, np.min])
@each("rule", convention.RULES)
def test_nan_and_infinity_neither_hide_nor_spread(func: Any, rule: str):
    x = np.array([[1.0, np.nan, 2.0], [np.inf, -np.inf, 3.0]])
    with co.ties(rule):
        gradient = co.grad(lambda x: np.sum(func(x, axis=1)))(x)
    assert gradient[0, 1] > 0
    assert not np.isnan(gradient).any()
    assert list(gradient[1]) == ([1, 0, 0] if func is np.max else [0, 1, 0])
    pull = TABLE[func].pulls[0]
    d = pull(np.array([1.0, np.inf]), func(x, axis=1), x, axis=(1,), keepdims=False)
    assert not np.isnan(d).any()


@each("zeros", [0, 1, 2, 3])
def test_products_with_zeros_have_exact_gradients_of_every_order(zeros: int):
    x = np.array([[2.0, -3.0, 0.5, 4.0, 1.5], [1.0, 2.0, 3.0, 4.0, 5.0]])
    x[0, :zeros] = 0.0

    def others(row: Any, *left_out: int) -> float:
        return float(np.prod([v for k, v in enumerate(row) if k not in left_out]))

    gradient = co.grad(lambda x: np.sum(np.prod(x, axis=1)))(x)
    np.testing.assert_array_equal(gradient, [[others(row, k) for k in range(5)] for row in x])
    t = a(2, 5)
    moved = co.hvp(lambda x: np.sum(np.prod(x, axis=1)), (x,), (t,))
    want = [
        [sum(others(row, j, k) * v[k] for k in range(5) if k != j) for j in range(5)]
        for row, v in zip(x, t, strict=True)
    ]
    np.testing.assert_allclose(moved, want, rtol=1e-12)


def test_the_spread_of_equal_numbers_has_gradient_zero():
    x = np.full((2, 3), 2.0)
    first = co.grad(lambda x: np.sum(np.std(x, axis=1)))
    np.testing.assert_array_equal(first(x), np.zeros((2, 3)))
    np.testing.assert_array_equal(co.grad(lambda x: np.sum(first(x)))(x), np.zeros((2, 3)))
    mixed = np.array([[2.0, 2.0], [1.0, 3.0]])
    np.testing.assert_array_equal(
        co.grad(lambda x: np.sum(np.std(x, axis=1)))(mixed), [[0, 0], [-0.5, 0.5]]
    )


def test_a_mean_over_everything_costs_no_copy():
    x = np.ones((50, 40))
    d = TABLE[np.mean].pulls[0](1.0, 1.0, x, axis=(0, 1), keepdims=False)
    assert d.strides == (0, 0)


# --- complex numbers: holomorphic gates multiply, real ones conjugate -----------------------------


def z(*shape: int) -> np.ndarray:
    return a(*shape) + 1j * a(*shape)


@each(
    "case",
    [
        case(np.matmul, z(2, 2, 3), z(3, 2)),
        case(np.dot, z(2, 3), z(3)),
        case(np.tensordot, z(2, 3), z(3, 2), 1),
        case(np.einsum, "ij,jk->ki", z(2, 3), z(3, 2)),
        case(np.prod, z(2, 3), axis=0),
        case(np.mean, z(2, 3)),
        case(np.pad, z(3), 1, "reflect"),
        case(np.diag, z(3)),
    ],
)
def test_holomorphic_gates_multiply_by_the_complex_slope(case: Case):
    gate, (ins, params) = normalised(case)
    out = gate.forward(*ins, **params)
    g = z(*np.shape(out))
    for k in range(len(ins)):
        d = pulled(gate, k, g, out, ins, params)
        t = z(*np.shape(ins[k]))
        ends = [
            gate.forward(*ins[:k], ins[k] + s * t, *ins[k + 1 :], **params) for s in (STEP, -STEP)
        ]
        slope = np.sum(g * (ends[0] - ends[1])) / (2 * STEP)
        np.testing.assert_allclose(np.sum(d * t), slope, rtol=1e-8)


@each("func", [np.var, np.std])
def test_the_spread_of_complex_numbers_moves_with_them(func: Any):
    x, t = z(2, 3), z(2, 3)
    f = lambda x: func(x, axis=1, ddof=1)
    slope = (f(x + STEP * t) - f(x - STEP * t)) / (2 * STEP)
    np.testing.assert_allclose(co.jvp(f, (x,), (t,))[1], slope, rtol=1e-7)
    pull = co.vjp(f, x)[1]
    for g in np.eye(2):
        np.testing.assert_allclose(np.real(np.sum(pull(g)[0] * t)), g @ slope, rtol=1e-7)


def test_the_vector_product_conjugates_its_first_input():
    x, y = z(3), z(3)
    np.testing.assert_allclose(COMPOSED[np.vdot](x, y), np.vdot(x, y))


@each("func", [np.concatenate, np.stack, np.vstack, np.hstack])
def test_a_join_casts_where_it_is_asked_to(func: Any):
    x = a(2, 3)
    y, pull = co.vjp(lambda x: func([x, np.ones((2, 3))], dtype=np.float32), x)
    assert y.dtype == np.float32
    (found,) = pull(np.full_like(y, 3.0))
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(found, np.full((2, 3), 3.0))
    cut = lambda x: func([9 * x, x], dtype=np.int8, casting="unsafe")
    np.testing.assert_array_equal(co.trace(cut)(x).value, cut(x))
    with pytest.raises(BadArgument, match="casting='same_kind'"):
        co.grad(lambda x: np.sum(func([x, x], dtype=np.int8)))(x)


def test_real_numbers_are_close_to_real():
    x = a(3)
    np.testing.assert_array_equal(co.grad(lambda x: np.real_if_close(x) @ x)(x), 2 * x)


@each("args", [(), ([52],), ([-1],), ([0, 52], [0])])
def test_axis_numbers_without_a_letter_are_refused(args: Any):
    with pytest.raises(BadValue, match="einsum"):
        co.grad(lambda x: np.sum(np.einsum(x, *args)))(a(2, 3))


# --- refused by name ----------------------------------------------------------------------------


@each(
    ("f", "names"),
    [
        (lambda x: np.sum(x, dtype=np.float32), ("sum", "dtype")),
        (lambda x: np.sum(x, initial=1.0), ("sum", "initial")),
        (lambda x: np.max(x, where=np.ones((2, 3), bool)), ("max", "where")),
        (lambda x: np.mean(x, axis=0, out=np.zeros(3)), ("mean", "out")),
        (lambda x: np.reshape(x, 6, order="A"), ("reshape", "order")),
        (lambda x: np.ravel(x, "K"), ("ravel", "order")),
        (lambda x: np.pad(x, 1, "linear_ramp"), ("pad", "linear_ramp")),
        (lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), ("pad", "reflect_type")),
        (lambda x: np.einsum("ij->ji", x, dtype=np.float32), ("einsum", "dtype")),
        (lambda x: np.real_if_close(x * 1j), ("real_if_close", "np.real")),
        (lambda x: np.diff(x, prepend=0.0), ("diff", "prepend")),
        (lambda x: np.average(x, axis=0, weights=[1, 2], returned=True), ("average", "returned")),
        (lambda x: np.average(a(2, 3, 4) * np.sum(x), (0, 1), weights=a(4)), ("average", "axis")),
        (lambda x: np.argsort(x, order="f"), ("argsort", "order")),
    ],
)
def test_what_is_not_supported_is_refused_by_name(f: Any, names: tuple[str, ...]):
    with pytest.raises(NotSupported) as refused:
        co.grad(lambda x: np.sum(f(x)))(a(2, 3))
    for lang in ("en", "pt"):
        message = refused.value.render(lang)
        assert all(name in message for name in names)


@each(
    "f",
    [
        lambda x: np.reshape(x, (4, 2)),
        lambda x: np.reshape(x, (4, -1)),
        lambda x: np.reshape(x, (-1, -1)),
        lambda x: x @ x,
        lambda x: np.concatenate([x, np.ones((3, 3))], axis=1),
        lambda x: np.einsum("ij,jk", x, x),
        lambda x: np.einsum("ijk", x),
        lambda x: np.einsum("...j->j", x),
        lambda x: np.broadcast_to(x, (3, 2)),
    ],
)
def test_shapes_that_do_not_fit_are_named(f: Any):
    with pytest.raises(ShapeError, match=r"\(2, 3\)"):
        co.grad(lambda x: np.sum(f(x)))(a(2, 3))


def test_an_empty_array_cannot_tell_a_missing_length():
    with pytest.raises(ShapeError):
        co.grad(lambda x: np.sum(np.reshape(x, (0, -1))))(np.zeros((0, 3)))


@each("f", [lambda x: np.sum(x, axis=2), lambda x: np.split(x, 2, axis=1)[0].sum()])
def test_numpys_own_errors_stay(f: Any):
    with pytest.raises(ValueError) as want:  # noqa: PT011
        f(a(2, 3))
    with pytest.raises(type(want.value)) as found:
        co.grad(f)(a(2, 3))
    assert str(found.value) == str(want.value)


# --- the small rules they share -----------------------------------------------------------------


@each("shape", [(2, 3, 4), (3, 4), (1, 4), (3, 1), (1, 1, 1), (4,), (1,), ()])
def test_unbroadcasting_undoes_broadcasting(shape: tuple[int, ...]):
    g = a(2, 3, 4)
    found = unbroadcast(g, shape)
    assert np.shape(found) == shape
    want = slopes(lambda x: np.broadcast_to(x, (2, 3, 4)), [np.zeros(shape)], g, 0)
    np.testing.assert_allclose(found, want, rtol=1e-8)


@each("func", [np.max, np.cumsum, np.var, np.diff])
def test_no_rule_loops_over_elements(func: Any):
    counts = [backward_steps(func, np.arange(n * 1.0)) for n in (10, 1000)]
    assert counts[0] == counts[1]


def test_the_tree_of_a_product_is_as_deep_as_its_logarithm():
    counts = [backward_steps(np.prod, np.linspace(0.9, 1.1, 2**k)) for k in (4, 6, 8)]
    assert counts[2] - counts[1] == counts[1] - counts[0] > 0


def backward_steps(func: Any, x: Any) -> int:
    """Count the steps of the gradient, as a circuit of its own."""
    gradient = co.grad(lambda x: np.sum(func(x)))
    return len(co.trace(gradient)(x).circuit.steps)
