"""Products: every shape and arrangement, tiles and BLAS, against longer numbers."""

from __future__ import annotations

import ctypes
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from native.alike import arrangements, assert_all_alike, assert_like, check, programs, spoil

import corrente as co
from corrente.native import threads
from corrente.native.assembling import _blas_threads, blas_alone
from corrente.native.layouts import row
from corrente.native.products import arrange

RNG = np.random.default_rng(1)
F8 = np.dtype(float)
DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32])


def assert_precise(f: Callable[..., Any], *args: np.ndarray) -> None:
    """Hold the error against NumPy's own, in units of what the rounding of each product costs."""
    expected, compiled = f(*args), co.jit(f)
    exact = f(*(x.astype(np.longdouble) for x in args))
    weight = f(*(np.abs(x).astype(np.longdouble) for x in args)) * np.finfo(args[0].dtype).eps
    for _ in range(2):
        found = compiled(*args)
        assert_like(found, expected, signs=False)
        errors = [np.abs(y - exact) / np.maximum(weight, 1e-300) for y in (found, expected)]
        bound = max(3 * np.max(errors[1], initial=0), 3 * args[0].shape[-1] ** 0.5)
        assert np.max(errors[0], initial=0) <= bound
        spoil(compiled)
    assert len(programs(compiled)) == 1


@DTYPES
def test_products_of_every_size(dtype):
    pairs = [
        (RNG.normal(size=(m, k)).astype(dtype), RNG.normal(size=(k, n)).astype(dtype))
        for m, k, n in itertools.product((1, 2, 9, 17), (1, 3, 33), (1, 5, 16, 35))
    ]
    several = lambda *ins: tuple(a @ b for a, b in zip(ins[::2], ins[1::2], strict=True))
    flat = [x for pair in pairs for x in pair]
    found = co.jit(several)(*flat)
    for (a, b), product in zip(pairs, found, strict=True):
        assert_like(product, a @ b, signs=False)
        exact = a.astype(np.longdouble) @ b
        weight = np.abs(a).astype(np.longdouble) @ np.abs(b) * np.finfo(dtype).eps
        assert np.all(np.abs(product - exact) <= 2 * weight)


@DTYPES
@pytest.mark.parametrize("sizes", [(3, 5, 9), (64, 70, 40), (5, 300, 90)], ids=str)
def test_products_of_every_arrangement(sizes, dtype):
    m, k, n = sizes
    a, b = RNG.normal(size=(m, k)).astype(dtype), RNG.normal(size=(k, n)).astype(dtype)
    sides = ("rows", "columns", "backwards", "spread", "one row", "one column")
    lefts = [x for name, x in arrangements(a) if name in sides]
    rights = [x for name, x in arrangements(b) if name in sides]
    for x, y in itertools.product(lefts, rights[:: 1 if m == 3 else 2]):
        assert_precise(lambda a, b: a @ b, x, y)
    assert_precise(lambda a, b: b.T @ a.T, a, b)
    assert_precise(lambda a, b: a[::-1] @ b[:, ::-1], a, b)
    assert_precise(lambda a, b: a @ b[:, 1], a, b)
    assert_precise(lambda a, b: a[1] @ b, a, b)
    assert_precise(lambda a, b: a[1] @ b[:, 1], a, b)


A, B, C = (RNG.normal(size=s) for s in ((4, 3, 5), (4, 5, 6), (5, 6)))
CONTRACTIONS = {
    "batches": (np.matmul, A, B),
    "one of a batch": (np.matmul, A, B[:1]),
    "a batch and a matrix": (np.matmul, A, C),
    "its own transpose": (lambda a: a.transpose(0, 2, 1) @ a, A),
    "tables of batches": (lambda a, b: a[:, None] @ b[None], A, B),
    "two axes": (lambda a, b: np.tensordot(a, b, ([2, 0], [1, 0])), A, B),
    "summed batches": (lambda a, b: np.einsum("bij,bjk->ik", a, b), A, B),
    "turned": (lambda a, b: np.einsum("ij,jk->ki", a[0], b), A, C),
    "a letter summed alone": (lambda a, b: np.einsum("ij,jk->i", a[0], b), A, C),
    "all summed": (lambda a, b: np.einsum("ij,jk->", a[0], b), A, C),
    "elements": (lambda a: np.einsum("bij,bij->bij", a, a), A),
    "a letter twice": (lambda a, b: np.einsum("ii,ij->j", a, b), C[:, :5], C),
    "inner": (np.inner, A, A),
    "dot": (np.dot, A, B),
    "outer": (np.outer, A, B),
    "vdot": (np.vdot, A, A),
    "broadcast": (lambda a, b: np.broadcast_to(a[:1], a.shape) @ b, A, B),
}


@DTYPES
def test_contractions(dtype):
    cases = list(CONTRACTIONS.values())
    flat = [x.astype(dtype) for _, *ins in cases for x in ins]

    def several(*ins):
        given = iter(ins)
        return tuple(f(*[next(given) for _ in own]) for f, *own in cases)

    check(several, *flat, tolerance=16, signs=False)


def test_gradients_of_products():
    f = lambda a, b: np.sum(np.tanh(a @ b) @ b.T[:, :3])
    for m, k, n in ((1, 1, 1), (2, 3, 5), (17, 33, 4), (70, 60, 50)):
        a, b = RNG.normal(size=(m, k)), RNG.normal(size=(k, n))
        if k >= 3 <= n:
            b = b[:, :n]
        g = f if k >= 3 else lambda a, b: np.sum(np.tanh(a @ b))
        check(co.value_and_grad(g, argnums=(0, 1)), a, b, tolerance=64)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf, 5e-324, 1e308])
def test_special_numbers(special):
    a, b = RNG.normal(size=(5, 7)), RNG.normal(size=(7, 9))
    a[1, 2], b[0, 0] = special, 0.0
    with np.errstate(all="ignore"):
        check(lambda a, b: a @ b, a, b, tolerance=16)


def test_sums_of_negative_zeros_are_positive():
    a = np.full((3, 4), -0.0)
    check(lambda a, b: (a @ b, a[:, :1] @ b[:1], a[0] @ b), a, np.ones((4, 3)))
    check(np.outer, a[0], np.ones(3))  # of which nothing is a sum


@pytest.mark.parametrize("sizes", [(0, 3, 2), (2, 0, 3), (2, 3, 0), (0, 0, 0)], ids=str)
def test_products_of_nothing(sizes):
    m, k, n = sizes
    f = lambda a, b: np.sum(a @ b)
    check(lambda a, b: (a @ b, co.grad(f, argnums=(0, 1))(a, b)), np.ones((m, k)), np.ones((k, n)))


def test_what_is_no_product_is_not_arranged():
    one = row(1, 0, (3, 3), F8)
    assert arrange("ii,ij->j", one, one, row(0, 0, (3,), F8)) is None
    assert arrange("ij,jk->i", one, one, row(0, 0, (3,), F8)) is None
    assert arrange("ij,jk->ik", one, one._replace(dtype=np.dtype("f4")), one) is None
    found = arrange("ij,jk->ik", one, one, one)
    assert found is not None
    assert (found.core.m, found.core.n, found.core.k, found.loops) == (3, 3, 3, ())


def test_a_product_with_shape_errors_says_so():
    compiled = co.jit(lambda a, b: a @ b)
    assert_all_alike(compiled(np.ones((2, 3)), np.ones((3, 2))), np.full((2, 2), 3.0))
    with pytest.raises(ValueError, match="matmul"):
        compiled(np.ones((2, 3)), np.ones((2, 3)))


@DTYPES
@pytest.mark.parametrize("sizes", [(300, 150, 101), (130, 160, 411), (203, 3000, 110)], ids=str)
def test_large_products_in_parts(sizes, dtype, monkeypatch):
    m, k, n = sizes
    a, b = RNG.normal(size=(m, k)).astype(dtype), RNG.normal(size=(k, n)).astype(dtype)
    both = lambda a, b: (a @ b, b.T @ a.T, (a @ b).T @ a)
    before = blas_threads()
    found = []
    for number in (1, 2, 5):
        monkeypatch.setenv("CORRENTE_THREADS", str(number))
        compiled = co.jit(both)
        found.append(compiled(a, b))
        assert blas_threads() == before
    if blas_alone():
        assert ".part" in programs(compiled)[0].native.text
        for other in found[1:]:
            assert_all_alike(other, found[0])
    assert_precise(lambda a, b: a @ b, a, b)
    assert_precise(lambda a, b: b.T @ a.T, a, b)
    assert_precise(lambda a, b: a @ b.T, a, np.ascontiguousarray(b.T))


def blas_threads() -> int:
    told = _blas_threads().get(threads.COUNTED)
    return ctypes.CFUNCTYPE(ctypes.c_int)(told)() if told else 0
