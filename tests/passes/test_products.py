"""Transposes become part of the products that read them, or that they read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from passes.agreeing import SETTINGS, assert_agree, joined, numbers, recorded
from test_random_circuits import Written, programs

from corrente.circuit import Circuit
from corrente.passes import absorb, prune, simplify

A, B, T, V = (2, 3), (3, 4), (2, 3, 4), (3,)


def whole(*shapes: tuple[int, ...], dtype: Any = np.float64) -> list[Any]:
    """Draw small whole numbers, whose sums of products are exact in any order."""
    rng = np.random.default_rng(0)
    return [rng.integers(-5, 6, shape).astype(dtype) for shape in shapes]


def body(circuit: Circuit) -> str:
    return "; ".join(line.strip() for line in str(circuit.verify()).splitlines()[1:])


PRODUCTS: list[tuple[Callable[..., Any], tuple[tuple[int, ...], ...], str]] = [
    # inputs turned
    (lambda x, y: x.T @ y, (A, (2, 4)), "np.tensordot(x, y, axes=((0,), (0,)))"),
    (lambda x, y: x @ y.T, (A, (4, 3)), "np.tensordot(x, y, axes=((1,), (1,)))"),
    (lambda x, y: x.T @ y.T, (A, (4, 2)), "np.tensordot(x, y, axes=((0,), (1,)))"),
    (lambda x, y: x.T @ x, (A, V), "np.tensordot(x, x, axes=((0,), (0,)))"),
    (lambda x, y: x.T @ y, ((3, 2), V), "np.tensordot(x, y, axes=((0,), (0,)))"),
    (lambda x, y: y @ x.T, ((2, 3), V), "np.tensordot(y, x, axes=((0,), (1,)))"),
    (lambda x, y: np.dot(x.T, y), (A, (2, 4)), "np.tensordot(x, y, axes=((0,), (0,)))"),
    (
        lambda x, y: np.dot(x, np.transpose(y, (1, 0, 2))),
        (A, (3, 5, 4)),
        "np.tensordot(x, y, axes=((1,), (0,)))",
    ),
    (
        lambda x, y: np.tensordot(np.transpose(x, (2, 0, 1)), y, axes=((0, 2), (1, 0))),
        (T, B),
        "np.tensordot(x, y, axes=((1, 2), (0, 1)))",
    ),
    (
        lambda x, y: np.matmul(np.swapaxes(x, 1, 2), y),
        ((5, 2, 3), (5, 2, 4)),
        'np.einsum("Aki,Akj->Aij", x, y, optimize=True)',
    ),
    (
        lambda x, y: np.matmul(np.swapaxes(x, 1, 2), y),
        ((1, 2, 3), (5, 2, 4)),
        'np.einsum("Aki,Akj->Aij", x, y, optimize=True)',
    ),
    (
        lambda x, y: np.einsum("ij,jk->ik", x.T, y),
        (A, (2, 4)),
        "np.tensordot(x, y, axes=((0,), (0,)))",
    ),
    (
        lambda x, y: np.einsum("ij,ij->", x.T, y),
        (A, (3, 2)),
        "np.tensordot(x, y, axes=((0, 1), (1, 0)))",
    ),
    (
        lambda x, y: np.einsum("ij,jk,kl->il", x.T, x, y),
        (A, B),
        'np.einsum("ji,jk,kl->il", x, x, y, optimize=True)',
    ),
    (lambda x, y: np.einsum("ij->i", x.T), (A, B), 'np.einsum("ji->i", x)'),
    (
        lambda x, y: np.einsum("ii,i->", x.T, y),
        ((3, 3), V),
        'np.einsum("ii,i->", x, y, optimize=True)',
    ),
    # outputs turned
    (lambda x, y: (x @ y).T, (A, B), "np.tensordot(y, x, axes=((0,), (1,)))"),
    (lambda x, y: (y.T @ x.T).T, (A, B), "x @ y"),
    (lambda x, y: (x.T @ y).T, (A, (2, 4)), "np.tensordot(y, x, axes=((0,), (0,)))"),
    (
        lambda x, y: np.transpose(x @ y, (1, 0, 2)),
        (T, (4, 5)),
        'np.einsum("Aik,kj->iAj", x, y, optimize=True)',
    ),
    (
        lambda x, y: np.transpose(np.tensordot(x, y, 1), (2, 0, 1)),
        (T, (4, 5)),
        "np.tensordot(y, x, axes=((0,), (2,)))",
    ),
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64])
@pytest.mark.parametrize("number", range(len(PRODUCTS)))
def test_text_before_and_after(number: int, dtype: Any):
    f, shapes, right = PRODUCTS[number]
    ins = whole(*shapes, dtype=dtype)
    circuit = recorded(f, *ins)
    assert any(step.gate.name == "transpose" for step in circuit.steps)
    after = prune(absorb(circuit))
    assert body(after) == f"v2 = {right}; return v2"
    one, other = (numbers(c, ins)[c.outs[0]] for c in (circuit, after))
    assert one.dtype == other.dtype
    np.testing.assert_array_equal(one, other)


STAY: list[Callable[..., Any]] = [
    lambda x, y: x @ y,
    lambda x, y: np.outer(x[:, 0], y[0]).T,  # sums nothing
    lambda x, y: np.einsum("ij,kl->ijkl", x.T, y),
    lambda x, y: np.transpose(np.sin(x @ y)),
    lambda x, y: np.reshape(x.T, (2, 3)) @ y,
    lambda x, y: np.sum(x.T),
    lambda x, y: x.astype(np.float32).T @ x,  # two types
]


@pytest.mark.parametrize("number", range(len(STAY)))
def test_what_stays(number: int):
    circuit = recorded(STAY[number], *whole(A, B))
    assert absorb(circuit) is circuit


def test_a_product_that_others_read_is_not_done_twice():
    def f(x, y):
        product = x @ y
        return product.T, product

    circuit = recorded(f, *whole(A, B))
    assert absorb(circuit) is circuit
    circuit = recorded(lambda x, y: (x @ y).T if np.sum(x @ y) < 1e9 else x, *whole(A, B))
    assert [step.gate.name for step in absorb(circuit).steps].count("tensordot") == 1


def test_a_turned_product_that_another_reads_is_done_once():
    circuit = recorded(lambda x, y: (x @ y).T @ x, *whole(A, B))
    names = [step.gate.name for step in prune(absorb(circuit).verify()).steps]
    assert names == ["tensordot", "matmul"]


def test_a_product_that_a_guard_reads_stays():
    def f(x, y):
        product = x @ y
        return product.T if product else x

    circuit = recorded(f, np.ones((1, 1)), np.ones((1, 1)))
    assert circuit.guards
    assert absorb(circuit) is circuit


def test_a_transpose_that_others_read_stays_too():
    circuit = recorded(lambda x, y: (x.T @ y, x.T, (turned := x.T) @ y, turned), *whole(A, (2, 4)))
    after = prune(absorb(circuit)).verify()
    assert [step.gate.name for step in after.steps].count("transpose") == 2
    assert [step.gate.name for step in after.steps].count("tensordot") == 2


def test_axes_of_length_one_that_are_repeated_are_no_tensordot():
    f = lambda x, y: np.einsum("ij,jk->ik", x.T, y)
    ins = whole((1, 2), (3, 4))
    circuit = recorded(f, *ins)
    after = prune(absorb(circuit))
    assert body(after) == 'v2 = np.einsum("ji,jk->ik", x, y, optimize=True); return v2'
    assert_agree(circuit, after, ins)


def test_a_network_turns_nothing():
    def loss(w, v, x, y):
        hidden = np.tanh(x @ w.T)
        return np.sum((hidden @ v - y) ** 2)

    ins = whole((5, 3), (5, 2), (4, 3), (4, 2))
    circuit = joined(loss, *ins)
    assert [step.gate.name for step in circuit.steps].count("transpose") > 3
    after = prune(absorb(simplify(circuit))).verify()
    assert "transpose" not in [step.gate.name for step in after.steps]
    for one, other in zip(*(
        [numbers(c, ins)[wire] for wire in c.outs] for c in (circuit, after)
    ), strict=True):  # fmt: skip
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_places_and_names_stay():
    def f(x, y):
        left = x.T
        product = left @ y
        turned = product.T
        return turned * 2.0

    circuit = recorded(f, *whole(A, (2, 4)))
    after = absorb(circuit).verify()
    assert [step[4:] for step in after.steps] == [step[4:] for step in circuit.steps]
    assert [step.outs for step in after.steps] == [step.outs for step in circuit.steps]
    assert "turned" in str(prune(after))


@SETTINGS
@given(programs())
def test_random_programs_agree(program: Written):
    single = any(getattr(x, "dtype", None) == np.float32 for x in program.args)
    rtol = 1e-4 if single else 1e-9
    circuit = joined(program.scalar, *program.args)
    after = absorb(circuit).verify()
    one, other = numbers(circuit, program.args), numbers(after, program.args)
    for a, b in zip(circuit.outs, after.outs, strict=True):
        assert np.result_type(one[a]) == np.result_type(other[b])
        scale = max(1.0, float(np.max(np.abs(one[a]))))
        np.testing.assert_allclose(one[a], other[b], rtol=rtol, atol=rtol * scale)
