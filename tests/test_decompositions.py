"""Linear algebra: values, gradients, both orders and modes, stacks, complex, degeneracies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import NotSupported

STEP = 1e-6
Function = Callable[..., Any]


def drawn(seed: int, *shape: int, complex_: bool = False) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if complex_ else x


def regular(seed: int, *shape: int, complex_: bool = False) -> Any:
    return drawn(seed, *shape, complex_=complex_) + 2 * np.eye(shape[-1])


def positive(x: Any) -> Any:
    return x @ np.conj(x.mT) + np.eye(x.shape[-1], dtype=x.dtype)


def loss_of(f: Function) -> Function:
    """Make a real number of all outputs, each element weighed differently."""

    def loss(*args: Any) -> Any:
        out = f(*args)
        parts = out if isinstance(out, tuple) else (out,)
        total = 0.0
        for k, part in enumerate(parts):
            weights = drawn(k, *np.shape(part), complex_=np.iscomplexobj(part))
            total = total + np.sum(np.real(weights * part * (1 + part)))
        return total

    return loss


def along(gradients: Sequence[Any], directions: Sequence[Any]) -> Any:
    return sum(np.sum(np.real(g * d)) for g, d in zip(gradients, directions, strict=True))


def slope(f: Function, args: Sequence[Any], directions: Sequence[Any]) -> Any:
    ahead, behind = (
        f(*(x + way * STEP * d for x, d in zip(args, directions, strict=True))) for way in (1, -1)
    )
    return (ahead - behind) / (2 * STEP)


def agrees(f: Function, *args: Any, order: int = 2) -> None:
    """Hold value, reverse and forward mode of a function to NumPy and to differences."""
    loss, places = loss_of(f), tuple(range(len(args)))
    directions, weights = (
        [drawn(seed + k, *x.shape, complex_=np.iscomplexobj(x)) for k, x in enumerate(args)]
        for seed in (11, 31)
    )
    value, gradients = co.value_and_grad(loss, places)(*args)
    np.testing.assert_allclose(value, loss(*args), rtol=1e-10)
    assert [g.dtype for g in gradients] == [x.dtype for x in args]
    expected = slope(loss, args, directions)
    close = {"rtol": 2e-6, "atol": 1e-6}
    np.testing.assert_allclose(along(gradients, directions), expected, **close)
    np.testing.assert_allclose(co.jvp(loss, args, tuple(directions))[1], expected, **close)
    if order == 1:
        return

    def first(*xs: Any) -> Any:
        return along(co.grad(loss, places)(*xs), weights)

    expected, close = slope(first, args, directions), {"rtol": 2e-5, "atol": 1e-5}
    second = co.grad(first, places)(*args)
    np.testing.assert_allclose(along(second, directions), expected, **close)
    np.testing.assert_allclose(co.jvp(first, args, tuple(directions))[1], expected, **close)


complexity = pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])


# --- square matrices ----------------------------------------------------------------------------


def scaled(columns: Any, values: Any) -> Any:
    return columns * np.expand_dims(values, -2)


def by_eigenvectors(x: Any) -> Any:
    values, vectors = np.linalg.eig(x)
    return scaled(vectors, np.exp(values)) @ np.linalg.inv(vectors)


def by_singular_vectors(x: Any) -> Any:
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return scaled(u, np.exp(s)) @ vh


def sizes(x: Any) -> Any:
    return tuple(map(np.abs, x))  # of complex vectors only what a phase does not change


SQUARE: dict[str, Function] = {
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "slogdet": lambda x: tuple(np.linalg.slogdet(x)),
    "logabsdet": lambda x: np.linalg.slogdet(x).logabsdet,
    "cholesky": lambda x: np.linalg.cholesky(positive(x)),
    "cholesky upper": lambda x: np.linalg.cholesky(positive(x), upper=True),
    "eigh": lambda x: sizes(np.linalg.eigh(x)),
    "eigh upper": lambda x: sizes(np.linalg.eigh(x, "U")),
    "eigvalsh": lambda x: np.linalg.eigvalsh(x, UPLO="U"),
    "eig": lambda x: sizes(np.linalg.eig(x)),
    "eig and back": by_eigenvectors,
    "eigvals": np.linalg.eigvals,
    "svd": lambda x: sizes(np.linalg.svd(x)),
    "cube": lambda x: np.linalg.matrix_power(x, 3),
    "power": lambda x: np.linalg.matrix_power(x, 6),
    "negative power": lambda x: np.linalg.matrix_power(x, -5),
    "trace": lambda x: np.linalg.trace(x, offset=-1),
    "diagonal": lambda x: np.linalg.diagonal(x, offset=1),
}


@complexity
@pytest.mark.parametrize("shape", [(3, 3), (2, 3, 3), (5, 5), (1, 1)])
@pytest.mark.parametrize("name", SQUARE)
def test_square_matrices(name: str, shape: tuple[int, ...], complex_: bool):
    agrees(SQUARE[name], regular(3, *shape, complex_=complex_))


@pytest.mark.parametrize("n", [-5, -1, 1, 2, 3, 4, 6, 7])
def test_powers_multiply_in_numpys_order(n: int):
    x = regular(3, 2, 3, 3)
    value = co.trace(lambda x: np.linalg.matrix_power(x, n))(x).value
    np.testing.assert_array_equal(value, np.linalg.matrix_power(x, n))


def test_the_zeroth_power_is_the_identity_and_does_not_move():
    x = regular(0, 2, 3, 3)
    power = co.grad(lambda x: np.sum(x * np.linalg.matrix_power(x, 0)))
    np.testing.assert_array_equal(power(x), np.broadcast_to(np.eye(3), x.shape))


@pytest.mark.parametrize("p", [None, 2, -2, 1, -1, math.inf, -math.inf, "fro"])
def test_condition_numbers(p: Any):
    agrees(lambda x: np.linalg.cond(x, p), regular(1, 2, 3, 3))


def test_a_symmetric_matrix_has_its_gradient_in_the_triangle_that_is_read():
    x = positive(drawn(4, 4, 4))
    for f, kept in (
        (np.linalg.cholesky, np.tril),
        (lambda x: np.linalg.cholesky(x, upper=True), np.triu),
        (lambda x: np.linalg.eigh(x).eigenvectors, np.tril),
        (lambda x: np.linalg.eigvalsh(x, "U"), np.triu),
    ):
        agrees(f, x)
        found = co.grad(loss_of(f))(x)
        assert np.any(found)
        np.testing.assert_array_equal(found, kept(found))
        # and along symmetric directions, where NumPy need not be asked which one it reads
        turn = drawn(5, 4, 4)
        expected = slope(loss_of(f), (x,), (turn + turn.T,))
        np.testing.assert_allclose(along((found,), (turn + turn.T,)), expected, rtol=1e-6)


# --- rectangular matrices -----------------------------------------------------------------------

RECTANGULAR: dict[str, Function] = {
    "svdvals": np.linalg.svdvals,
    "svd values alone": lambda x: np.linalg.svd(x, compute_uv=False),
    "svd": lambda x: sizes(np.linalg.svd(x, full_matrices=False)),
    "svd and back": by_singular_vectors,
    "qr": lambda x: tuple(np.linalg.qr(x)),
    "qr, R alone": lambda x: np.linalg.qr(x, mode="r"),
    "pinv": np.linalg.pinv,
    "pinv with rcond": lambda x: np.linalg.pinv(x, 1e-8),
    "pinv with rtol": lambda x: np.linalg.pinv(x, rtol=None),
    "matrix_transpose": np.linalg.matrix_transpose,
}


@complexity
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (2, 4, 3), (2, 3, 4), (3, 3), (4, 1), (1, 4)])
@pytest.mark.parametrize("name", RECTANGULAR)
def test_rectangular_matrices(name: str, shape: tuple[int, ...], complex_: bool):
    agrees(RECTANGULAR[name], drawn(6, *shape, complex_=complex_))


@pytest.mark.parametrize("f", [np.linalg.eigh, np.linalg.eig, np.linalg.svd, np.linalg.qr])
def test_results_have_numpys_names(f: Function):
    x = regular(2, 3, 3)
    fields = type(f(x))._fields

    def check(x: Any) -> Any:
        out = f(x)
        assert type(out) is type(f(np.eye(3)))
        return np.real(sum(np.sum(getattr(out, field)) for field in fields))

    np.testing.assert_allclose(co.value_and_grad(check)(x)[0], check(x))


# --- systems ------------------------------------------------------------------------------------


@complexity
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((2, 3, 3), (3,)),
        ((2, 3, 3), (3, 2)),
        ((3, 3), (2, 3, 2)),
        ((4, 1, 3, 3), (2, 3, 1)),
    ],
)
def test_linear_systems(a: tuple[int, ...], b: tuple[int, ...], complex_: bool):
    left, right = regular(1, *a, complex_=complex_), drawn(2, *b, complex_=complex_)
    agrees(np.linalg.solve, left, right)
    agrees(lambda left: np.linalg.solve(left, right), left)
    agrees(lambda right: np.linalg.solve(left, right), right)


@complexity
@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (3, 3)])
def test_least_squares(shape: tuple[int, ...], complex_: bool):
    a, b = (drawn(k, *s, complex_=complex_) for k, s in ((1, shape), (2, (shape[0], 2))))
    agrees(lambda a, b: tuple(np.linalg.lstsq(a, b)[k] for k in (0, 1, 3)), a, b)
    agrees(lambda a, b: np.linalg.lstsq(a, b)[0], a, b[:, 0])
    found = co.trace(np.linalg.lstsq)(a, b[:, 0]).value
    for have, want in zip(found, np.linalg.lstsq(a, b[:, 0]), strict=True):
        np.testing.assert_allclose(have, want)
        assert np.shape(have) == np.shape(want)


def test_a_system_may_be_given_as_whole_numbers_or_lists():
    for a in ([[2, 1], [1, 3]], np.array([[2, 1], [1, 3]])):
        expected = np.linalg.inv(a).T @ np.ones(2)
        for f in (np.linalg.solve, lambda a, y: np.linalg.lstsq(a, y)[0]):
            found = co.grad(lambda y, a=a, f=f: np.sum(f(a, y)))(np.ones(2))
            np.testing.assert_allclose(found, expected)


def test_systems_of_tensors():
    agrees(np.linalg.tensorinv, drawn(1, 4, 6, 8, 3))
    agrees(lambda a: np.linalg.tensorinv(a, ind=1), drawn(1, 6, 2, 3))
    agrees(np.linalg.tensorsolve, drawn(1, 2, 3, 6), drawn(2, 2, 3))
    agrees(lambda a, b: np.linalg.tensorsolve(a, b, axes=(0,)), drawn(1, 6, 2, 3), drawn(2, 2, 3))


# --- norms --------------------------------------------------------------------------------------

OF_MATRICES = (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)
OF_VECTORS = (None, 1, 2, 3, 2.5, 0.5, -1, math.inf, -math.inf)


@complexity
@pytest.mark.parametrize("order", OF_MATRICES)
def test_norms_of_matrices(order: Any, complex_: bool):
    x = drawn(7, 4, 3, 2, complex_=complex_)
    agrees(lambda x: np.linalg.norm(x[0], order), x)
    agrees(lambda x: np.linalg.norm(x, order, axis=(-1, 0), keepdims=True), x)
    if order is not None:
        agrees(lambda x: np.linalg.matrix_norm(x, ord=order, keepdims=True), x)


@complexity
@pytest.mark.parametrize("order", OF_VECTORS)
def test_norms_of_vectors(order: Any, complex_: bool):
    x = drawn(8, 2, 3, 4, complex_=complex_)
    agrees(lambda x: np.linalg.norm(x[0, 0], order), x)
    agrees(lambda x: np.linalg.norm(x, order, axis=1, keepdims=True), x)
    if order is not None:
        agrees(lambda x: np.linalg.vector_norm(x, ord=order), x)
        agrees(lambda x: np.linalg.vector_norm(x, ord=order, axis=(2, 0), keepdims=True), x)


@complexity
def test_the_norm_of_everything(complex_: bool):
    for shape in ((3,), (2, 3), (2, 3, 4)):
        x = drawn(9, *shape, complex_=complex_)
        agrees(np.linalg.norm, x)
        value = co.trace(lambda x: np.linalg.norm(x, keepdims=True))(x).value
        np.testing.assert_array_equal(value, np.linalg.norm(x, keepdims=True))
    assert co.grad(np.linalg.norm)(-3.0) == -1.0


def test_the_norm_of_nothing_has_slope_zero():
    for order in (None, 1, 2, 3, math.inf):
        f = lambda x, order=order: np.linalg.norm(x, order)
        np.testing.assert_array_equal(co.grad(f)(np.zeros(3)), np.zeros(3))
        np.testing.assert_array_equal(co.hessian(f)(np.zeros(3)), np.zeros((3, 3)))
    for order in OF_MATRICES:
        if order not in (-2, None):
            found = co.grad(lambda x, order=order: np.linalg.norm(x, order))(np.zeros((2, 2)))
            np.testing.assert_array_equal(found, np.zeros((2, 2)))
    rows = co.grad(lambda x: np.sum(np.linalg.norm(x, axis=1)))(np.array([[3.0, 4.0], [0, 0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0, 0]])


def test_counts_carry_no_gradient():
    x = np.array([[1.0, 2.0], [2.0, 4.0]])
    f = lambda x: np.sum(x) * np.linalg.matrix_rank(x) + np.linalg.norm(x[0], 0)
    value, found = co.value_and_grad(f)(x)
    assert value == f(x) == 11
    np.testing.assert_array_equal(found, np.ones((2, 2)))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.linalg.norm(x, 7),
        lambda x: np.linalg.norm(x[0], "fro"),
        lambda x: np.linalg.norm(x[None], 2),
    ],
)
def test_a_norm_that_does_not_exist_is_numpys_error(f: Function):
    with pytest.raises(ValueError) as own:  # noqa: PT011  (the message is compared below)
        f(np.eye(3))
    with pytest.raises(ValueError) as found:  # noqa: PT011
        co.grad(f)(np.eye(3))
    assert str(found.value) == str(own.value)


# --- products -----------------------------------------------------------------------------------

PRODUCTS: dict[str, tuple[Function, tuple[tuple[int, ...], ...]]] = {
    "cross": (np.cross, ((2, 3), (3,))),
    "cross, axis": (lambda a, b: np.cross(a, b, axis=0), ((3, 2), (3, 2))),
    "cross, axes": (lambda a, b: np.cross(a, b, axisa=0, axisc=0), ((3, 2), (2, 3))),
    "cross, list": (lambda a: np.cross(a, [0, 0, 1]), ((2, 3),)),
    "linalg.cross": (np.linalg.cross, ((2, 3), (2, 3))),
    "kron": (np.kron, ((2, 3), (4, 2))),
    "kron, short": (np.kron, ((3,), (2, 2))),
    "kron, long": (np.kron, ((2, 2, 2), (3,))),
    "kron, number": (np.kron, ((), (2, 2))),
    "vdot": (np.vdot, ((2, 3), (2, 3))),
    "vecdot": (np.vecdot, ((2, 3), (3,))),
    "linalg.vecdot": (lambda a, b: np.linalg.vecdot(a, b, axis=0), ((3, 2), (3, 2))),
    "matmul": (np.linalg.matmul, ((2, 3), (3,))),
    "outer": (np.linalg.outer, ((2,), (3,))),
    "tensordot": (lambda a, b: np.linalg.tensordot(a, b, axes=1), ((2, 3), (3, 2))),
    "multi_dot": (lambda *xs: np.linalg.multi_dot(xs), ((2, 5), (5, 3), (3, 6), (6, 2))),
    "multi_dot, two": (lambda *xs: np.linalg.multi_dot(xs), ((2, 5), (5,))),
    "multi_dot, vectors": (lambda *xs: np.linalg.multi_dot(xs), ((5,), (5, 3), (3, 6), (6,))),
}
if hasattr(np, "matvec"):
    PRODUCTS["matvec"] = np.matvec, ((2, 4, 3), (3,))
    PRODUCTS["vecmat"] = np.vecmat, ((3,), (2, 3, 4))


@complexity
@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str, complex_: bool):
    f, shapes = PRODUCTS[name]
    agrees(f, *(np.asarray(drawn(k, *s, complex_=complex_)) for k, s in enumerate(shapes)))


def test_a_chain_of_products_takes_the_cheapest_order():
    xs = [drawn(k, *shape) for k, shape in enumerate(((40, 2), (2, 40), (40, 2), (2, 40)))]
    circuit = co.trace(lambda *xs: np.linalg.multi_dot(xs))(*xs).circuit
    assert sorted(circuit.wires[step.outs[0]].shape for step in circuit.steps) == [
        (2, 2),
        (2, 40),
        (40, 40),
    ]


# --- degenerate matrices ------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [True, False], ids=["exactly", "to rounding"])
@pytest.mark.parametrize(("n", "rank"), [(2, 1), (2, 0), (3, 2), (3, 1), (5, 4), (5, 3)])
def test_the_determinant_of_a_singular_matrix_has_its_true_slopes(n: int, rank: int, whole: bool):
    x, y = drawn(n, n, rank), drawn(rank, rank, n)
    x = np.rint(x) @ np.rint(y) if whole else x @ y
    agrees(np.linalg.det, x, order=1)
    weights, turn = drawn(1, n, n), drawn(2, n, n)
    first = lambda x: np.sum(weights * co.grad(np.linalg.det)(x))
    wide = (first(x + 1e-3 * turn) - first(x - 1e-3 * turn)) / 2e-3
    np.testing.assert_allclose(along((co.grad(first)(x),), (turn,)), wide, rtol=1e-4, atol=1e-4)


def test_a_stack_with_a_singular_matrix_and_one_without_rows():
    x = drawn(3, 2, 5, 5)
    x[0, 2] = 0
    agrees(lambda x: 1 + np.linalg.det(x), x)
    found = co.grad(lambda x: np.sum(x) + np.linalg.det(x[:0, :0]))(np.eye(2))
    np.testing.assert_array_equal(found, np.ones((2, 2)))


@pytest.mark.parametrize("values", [(2.0, 2.0, 5.0), (1.0, 1.0, 1.0)])
def test_repeated_eigenvalues(values: tuple[float, ...]):
    turn = np.linalg.qr(drawn(2, 3, 3))[0]
    x = turn @ np.diag(values) @ turn.T
    x = (x + x.T) / 2
    agrees(lambda x: np.sum(np.sin(np.linalg.eigvalsh(x))), x, order=1)
    agrees(lambda x: np.sum(np.linalg.svdvals(x) ** 3), x, order=1)
    for f in (np.linalg.eigh, np.linalg.svd):
        vectors = co.grad(lambda x, f=f: np.sum(f(x)[0] ** 3))(x)
        assert np.all(np.abs(vectors) < 1e3), "what would mix equal ones counts as zero"


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.inv,
        lambda x: np.linalg.slogdet(x)[1],
        lambda x: np.linalg.solve(x, np.ones(3)),
        lambda x: np.linalg.qr(x)[0],
        lambda x: np.linalg.cholesky(x - np.eye(3)),
    ],
)
def test_a_matrix_without_an_answer_raises(f: Function):
    with pytest.raises(np.linalg.LinAlgError):
        co.grad(lambda x: np.sum(f(x)))(np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("f", "named"),
    [
        (lambda x: np.linalg.svd(x[:2])[1], "full_matrices"),
        (lambda x: np.linalg.svd(x, hermitian=True)[1], "hermitian"),
        (lambda x: np.linalg.qr(x[:, :2], "complete")[0], "complete"),
        (lambda x: np.linalg.qr(x, "raw")[0], "raw"),
        (lambda x: np.linalg.pinv(x, hermitian=True), "hermitian"),
        (lambda x: np.cross(x[:, :2], x[:, :2]), "three elements"),
        (lambda x: np.linalg.multi_dot([x, x], out=np.ones((3, 3))), "out="),
        (lambda x: np.linalg.trace(x, dtype=np.float32), "dtype"),
    ],
)
def test_refusals_name_what_is_refused(f: Function, named: str):
    with pytest.raises(NotSupported, match=named):
        co.grad(lambda x: np.sum(f(x)))(np.eye(3))


# --- precision and stacks -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [*SQUARE, *RECTANGULAR])
def test_single_precision_is_kept(name: str):
    f = (SQUARE | RECTANGULAR)[name]
    for dtype in (np.float32, np.complex64):
        x = regular(3, 3, 3, complex_=dtype is np.complex64).astype(dtype)

        def total(x: Any, f: Function = f) -> Any:
            out = f(x)
            return sum(np.sum(np.abs(y)) for y in (out if isinstance(out, tuple) else (out,)))

        value, found = co.value_and_grad(total)(x)
        assert total(x).dtype == value.dtype == np.float32
        assert found.dtype == dtype


MAPPED: tuple[Function, ...] = (
    np.linalg.inv,
    np.linalg.det,
    lambda x: np.linalg.slogdet(x)[1],
    lambda x: np.linalg.solve(x, x[0]),
    lambda x: np.linalg.solve(x, x),
    lambda x: np.linalg.solve(np.stack([x, x]), x[0]),
    lambda x: np.linalg.solve(np.stack([x, x]), x),
    np.linalg.pinv,
    lambda x: np.linalg.cholesky(positive(x)),
    lambda x: np.linalg.eigh(x)[0],
    lambda x: np.linalg.eig(positive(x))[0],
    lambda x: np.linalg.svd(x)[1],
    lambda x: np.linalg.qr(x)[1],
    np.linalg.norm,
    lambda x: np.linalg.norm(x, axis=0),
    lambda x: np.linalg.vector_norm(np.stack([x, x])),
    lambda x: np.linalg.matrix_rank(x) * x,
)


@pytest.mark.parametrize("f", MAPPED)
def test_a_whole_batch_gives_what_each_gives_alone(f: Function):
    xs = regular(5, 4, 3, 3)
    np.testing.assert_allclose(co.vmap(f)(xs), np.stack([f(x) for x in xs]), atol=1e-12)
    gradient = co.grad(loss_of(f))
    np.testing.assert_allclose(
        co.vmap(gradient)(xs), np.stack([gradient(x) for x in xs]), rtol=1e-8, atol=1e-9
    )
