"""Every operator does to a traced value what Python and NumPy do to what it holds."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadArgument, CorrenteError, ShapeError, WriteError

X = np.array([[1.5, -2.2], [3.1, 0.6]])
BINARY = ["add", "sub", "mul", "truediv", "pow", "mod", "floordiv"]
COMPARE = ["lt", "le", "gt", "ge", "eq", "ne"]
BITS = ["and_", "or_", "xor"]
OTHERS = [
    2, -3, True, 2.5, np.int64(2), np.float64(2.5), np.float32(2.5), np.bool_(True),
    np.array(2.5), np.array(2), [1.0, 2.0], [[1], [2]], np.array([1, 2]), np.array([True, True]), X,
]  # fmt: skip
SCALARS = [1.5, np.float64(1.5), np.float32(1.5), np.array(1.5), np.array(1.5, np.float32)]


def shown(value: Any) -> str:
    return f"{type(value).__name__}-{getattr(value, 'dtype', '')}-{value}".replace("\n", "")


def plain(value: Any) -> Any:
    """Return a list as the array that NumPy would make of it."""
    return np.asarray(value) if isinstance(value, list) else value


def agree(f: Callable[..., Any], x: Any) -> None:
    """Hold f on a traced value to f on the value: number, shape and dtype."""
    with np.errstate(all="ignore"):
        expected = f(x)
        found = co.trace(f)(x).value
    if type(expected) is complex:  # Python leaves the reals where NumPy says NaN
        expected = float("nan")
    np.testing.assert_array_equal(found, expected)
    assert np.shape(found) == np.shape(expected)
    assert np.result_type(found) == np.result_type(expected)


@pytest.mark.parametrize("other", OTHERS, ids=shown)
@pytest.mark.parametrize("name", [*BINARY, *COMPARE])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arrays_both_ways(name: str, other: Any, dtype: Any):
    op = getattr(operator, name)
    agree(lambda x: op(x, other), X.astype(dtype))
    agree(lambda x: op(other, x), np.abs(X).astype(dtype))


@pytest.mark.parametrize("x", SCALARS, ids=shown)
@pytest.mark.parametrize("other", [o for o in OTHERS if not isinstance(o, list)], ids=shown)
@pytest.mark.parametrize("name", [*BINARY, *COMPARE])
def test_numbers_both_ways(name: str, other: Any, x: Any):
    op = getattr(operator, name)
    agree(lambda x: op(x, other), x)
    agree(lambda x: op(other, x), x)


@pytest.mark.parametrize(
    "other", [2, 2.5, np.float64(2.5), np.array([1.0, 2.0]), [1.0, 2.0]], ids=shown
)
@pytest.mark.parametrize("name", [*BINARY, "matmul"])
def test_in_place_is_the_same_and_reaches_every_name(name: str, other: Any):
    if name == "matmul":
        other = np.array([[1.0, 2.0], [3.0, 4.0]])
    op = getattr(operator, f"i{name}")

    def f(x):
        y = x.copy()
        alias, view = y, y[0]
        y = op(y, other)
        return np.sum(y * alias) + np.sum(view) + np.sum(x)

    with np.errstate(all="ignore"):
        expected = f(X)
        value, slope = co.value_and_grad(f)(X)
        d = np.array([[1.0, 2.0], [-1.0, 0.5]])
        numeric = (f(X + 1e-6 * d) - f(X - 1e-6 * d)) / 2e-6
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    if np.isfinite(numeric):
        assert np.sum(slope * d) == pytest.approx(numeric, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("x", [2.0, np.float64(2.0), np.float32(2.0)], ids=shown)
@pytest.mark.parametrize("name", BINARY)
def test_in_place_on_a_number_binds_anew(name: str, x: Any):
    op = getattr(operator, f"i{name}")

    def f(x):
        y = x * 1.0
        before = y
        y = op(y, 1.5)
        return before * before * y

    assert co.trace(f)(x).value == f(x)


def test_in_place_on_a_number_binds_anew_at_every_level():
    def argument(y):
        y += 1.0
        return y**3

    def alias(y):
        s = y * 1.0
        before = s
        s += 1.0
        return before * before * s

    def loop(y):
        total, power = 0.0, y
        for _ in range(3):
            power *= y
            total += power
        return total

    for f, second in [(argument, 18.0), (alias, 14.0), (loop, 2.0 + 12.0 + 48.0)]:
        assert co.grad(co.grad(f))(2.0) == second
        assert co.hvp(f, (2.0,), (1.0,)) == second
        assert co.grad(lambda x, f=f: co.jvp(f, (x,), (1.0,))[1])(2.0) == second
        assert co.hessian(f)(2.0) == second


def test_in_place_refusals():
    with pytest.raises(WriteError, match="caller's array"):
        co.grad(lambda x: operator.iadd(x, 1.0).sum())(np.ones(2))
    with pytest.raises(ShapeError):
        co.grad(lambda x: operator.iadd(x.copy(), np.ones((2, 2))).sum())(np.ones(2))
    with pytest.raises(BadArgument, match="int64 cannot take a result of float64"):
        co.grad(lambda x: operator.iadd(np.zeros(2, int, like=x), x).sum())(np.ones(2))
    with pytest.raises(CorrenteError):
        co.grad(lambda x: operator.iadd(np.zeros(2), x).sum())(np.ones(2))


def test_in_place_keeps_the_narrow_dtype():
    f = lambda a, x: operator.iadd(a.copy(), x)
    assert co.trace(f)(np.ones(2, np.float32), np.ones(2)).value.dtype == np.float32


@pytest.mark.parametrize("x", [*SCALARS, X], ids=shown)
@pytest.mark.parametrize("op", [operator.neg, operator.pos, abs], ids=lambda op: op.__name__)
def test_signs(op: Callable[..., Any], x: Any):
    agree(op, x)
    agree(op, -x)


def test_bits_and_masks():
    mask = np.array([True, False])
    for name in BITS:
        op = getattr(operator, name)
        agree(lambda x, op=op: op(x > 1.0, mask), X)
        agree(lambda x, op=op: op(mask, x > 1.0), X)
        agree(lambda x, op=op: op(x > 1.0, True), 1.5)
    agree(lambda x: ~(x > 1.0), X)
    with pytest.raises(TypeError):
        co.trace(lambda x: ~x)(1.5)
    with pytest.raises(TypeError):
        co.trace(lambda x: x & 1)(1.5)


@pytest.mark.parametrize(
    ("a", "b"),
    [((2, 3), (3, 2)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((4, 2, 3), (3, 2))],
)
def test_matmul_both_ways(a: tuple[int, ...], b: tuple[int, ...]):
    rng = np.random.default_rng(0)
    left, right = rng.normal(size=a), rng.normal(size=b)
    agree(lambda x: x @ right, left)
    agree(lambda x: left @ x, right)
    agree(lambda x: x @ right.tolist(), left)
    agree(lambda x: left.tolist() @ x, right)


def test_matmul_refuses_numbers_as_numpy_does():
    for f in (lambda x: x @ 2.0, lambda x: 2.0 @ x):
        with pytest.raises((TypeError, ValueError)):
            co.trace(f)(np.ones(2))
    with pytest.raises(TypeError):
        co.trace(lambda x: x @ x)(2.0)


def test_gradients_of_what_python_writes():
    cases: list[tuple[Callable[..., Any], float, float]] = [
        (lambda x: 7.0 % x, 2.5, -2.0),
        (lambda x: x % 2.0, 5.5, 1.0),
        (lambda x: -7.0 // x + x, 2.5, 1.0),
        (lambda x: 2**x, 3.0, 8.0 * np.log(2.0)),
        (lambda x: x**x, 2.0, 4.0 * (np.log(2.0) + 1.0)),
        (lambda x: x**-1, 2.0, -0.25),
        (lambda x: (-x) ** 2, 3.0, 6.0),
        (lambda x: True + x * False + x, 3.0, 1.0),
        (lambda x: abs(-x), 3.0, 1.0),
        (lambda x: sum([x, x, 1]), 3.0, 2.0),
        (lambda x: max(x, 1.0) * min(x, 5.0), 3.0, 6.0),
    ]
    for f, x, slope in cases:
        value, found = co.value_and_grad(f)(x)
        assert value == f(x)
        assert found == pytest.approx(slope)


def test_divmod_and_round_work_or_are_refused():
    for f in (
        lambda x: divmod(x, 2.0)[1],
        lambda x: divmod(7.0, x)[1],
        lambda x: round(x, 1) + x,
    ):
        try:
            value = co.value_and_grad(f)(2.5)[0]
        except TypeError:
            continue
        assert value == f(2.5)


def test_division_by_zero_has_numpys_numbers_at_every_order():
    with np.errstate(all="ignore"):
        assert co.grad(lambda x: x / 0.0)(1.0) == np.inf
        assert co.grad(lambda x: 1.0 / x)(0.0) == -np.inf
        assert co.grad(co.grad(lambda x: 1.0 / x))(0.0) == np.inf
        assert co.grad(co.grad(lambda x: x * x / 0.0))(1.0) == np.inf
        assert co.jvp(lambda x: x / 0.0, (1.0,), (1.0,)) == (np.inf, np.inf)
        assert co.trace(lambda x: x // 0.0)(2.5).value == np.inf
        assert np.isnan(co.trace(lambda x: x % 0.0)(2.5).value)


def test_comparing_with_what_is_no_number():
    assert co.grad(lambda x: x * 2.0 if x == None else x * 3.0)(1.0) == 3.0  # noqa: E711
    assert co.grad(lambda x: x * 2.0 if x != None else x * 3.0)(1.0) == 2.0  # noqa: E711
    assert co.grad(lambda x: x * 2.0 if x == "one" else x * 3.0)(1.0) == 3.0
    assert co.grad(lambda x: x * 2.0 if x in (None, 1.0) else x)(1.0) == 2.0
    assert co.grad(lambda x: np.sum(np.where(x == None, 0.0, x)))(np.ones(2)).tolist() == [1, 1]  # noqa: E711


def test_chained_comparisons_and_truth():
    assert co.grad(lambda x: x * 2.0 if 1 < x < 3 else x)(2.0) == 2.0
    assert co.grad(lambda x: x if not x > 3.0 else x * 2.0)(2.0) == 1.0
    with pytest.raises(ValueError, match="ambiguous"):
        co.grad(lambda x: x.sum() if x else x)(np.ones(2))


def test_a_traced_value_is_unhashable_as_arrays_are():
    for use in (hash, lambda x: {x: 1}, lambda x: {x}):
        with pytest.raises(TypeError, match="unhashable"):
            co.grad(use)(1.0)


@pytest.mark.parametrize("other", ["text", None, object(), {}])
@pytest.mark.parametrize("name", ["add", "mul", "matmul", "lt"])
def test_nonsense_is_an_error_both_ways(name: str, other: Any):
    op = getattr(operator, name)
    for f in (lambda x: op(x, other), lambda x: op(other, x)):
        with pytest.raises((TypeError, ValueError)):
            co.grad(lambda x, f=f: f(x) * 1.0)(1.0)


def test_an_operand_may_answer_from_the_right():
    class Other:
        __array_ufunc__ = None

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(name)

        def __rmul__(self, left: Any) -> str:
            return "mine"

        __radd__ = __rpow__ = __rmul__

    for op in (operator.mul, operator.add, operator.pow):
        seen: list[Any] = []
        co.grad(lambda x, op=op, seen=seen: (seen.append(op(x, Other())), x * x)[1])(1.0)
        assert seen == ["mine"]


def test_methods_are_the_functions():
    f = lambda x: [
        x.sum(axis=0), x.mean(), x.max(1), x.T, x.reshape(-1), x.reshape((4, 1)), x.ravel(),
        x.transpose(1, 0), x.transpose(), x.flatten(), x.clip(0.0, 1.0), x.cumsum(0), x.dot(x),
        x.astype(np.float32), x.copy(), x.prod(), x.argmax(), x.std(ddof=1), x.var(0), x.squeeze(),
        x.swapaxes(0, 1), x.repeat(2), x.trace(), x.diagonal(), x.round(1), x.any(), x.all(),
    ]  # fmt: skip
    for found, expected in zip(co.trace(f)(X).value, f(X), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-15)
        assert np.result_type(found) == np.result_type(expected)
