"""Traced values look like what they hold, guard decisions, and refuse to leave silently."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadArgument, Escaped, Leak, NoGate, NotSupported, ShapeError
from corrente.gates.own import dispatched

X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def traced(f: Any, *args: Any) -> Any:
    """Run f under trace and return whatever plain things it puts into its list."""
    seen: list[Any] = []
    co.trace(lambda *xs: (f(seen, *xs), sum(x.sum() for x in xs))[1])(*args)
    return seen


def test_attributes():
    def look(seen, x):
        seen += [x.shape, x.ndim, x.size, x.dtype, len(x), x.nbytes, x.T.shape, x.flat is not None]
        seen += [np.shape(x), np.ndim(x), np.size(x), np.size(x, 1), np.result_type(x, 1.0)]

    assert traced(look, X) == [
        (2, 3), 2, 6, np.dtype(float), 2, 48, (3, 2), True,
        (2, 3), 2, 6, 3, np.dtype(float),
    ]  # fmt: skip


def test_printing_shows_the_value():
    seen = traced(lambda seen, x: seen.extend([f"{x[0, 0]:.2f}", str(x[0, 1]), repr(x[0, 2])]), X)
    assert seen == ["1.00", "2.0", "Traced(np.float64(3.0))"]


def test_decisions_become_guards():
    def f(x):
        if x > 0.0:
            return x * 2.0
        return x

    t = co.trace(f)(3.0)
    (guard,) = t.circuit.guards
    assert guard.value is True
    assert t.circuit.steps[0].gate.name == "greater"


def test_whole_numbers_may_leave_and_are_guarded():
    def f(x, n):
        for _ in range(int(n.sum())):
            x = x * 2.0
        return x * np.arange(4.0)[n[0]]

    t = co.trace(f, argnums=0)(1.5, np.array([2, 1]))
    assert t.value == 1.5 * 8 * 2
    assert [guard.value for guard in t.circuit.guards] == [3, 2]


@pytest.mark.parametrize(
    "leak",
    [
        lambda x: float(x[0, 0]),
        lambda x: int(x[0, 0]),
        lambda x: complex(x[0, 0]),
        lambda x: math.exp(x[0, 0]),
        lambda x: np.asarray(x),
        lambda x: x[0, 0].item(),
        lambda x: np.frombuffer(x),
    ],
)
def test_leaks_are_refused_with_line_and_mend(leak: Any):
    with pytest.raises((Leak, NoGate, TypeError)) as caught:
        co.grad(lambda x: leak(x) * x.sum())(X)
    if isinstance(caught.value, Leak):
        assert "test_box.py, line" in str(caught.value)
        assert "np.exp" in str(caught.value)


def test_what_does_not_depend_may_leave():
    def f(x):
        return x.sum() * float(co.stop_gradient(x)[0, 0])

    np.testing.assert_array_equal(co.grad(f)(X), np.ones((2, 3)))


def test_a_float_is_no_index():
    with pytest.raises(BadArgument, match="index"):
        co.grad(lambda x: range(3)[x[0, 0]] * x.sum())(X)


def test_unknown_functions_are_refused_by_name():
    mystery = dispatched(lambda x: x)
    mystery.__name__ = mystery.__qualname__ = "mystery"
    with pytest.raises(NoGate, match=r"mystery has no gate yet") as caught:
        co.grad(lambda x: mystery(x).sum())(X)
    assert "test_box.py, line" in str(caught.value)
    assert "corrente/gates/" in str(caught.value)


def test_unknown_keywords_are_refused_by_name():
    with pytest.raises(NotSupported, match="where"):
        co.grad(lambda x: np.sum(x, where=x > 2.0))(X)
    with pytest.raises(NotSupported, match="casting"):
        co.grad(lambda x: np.add(x, x, casting="no").sum())(X)


def test_mismatched_shapes_name_both_and_the_line():
    with pytest.raises(ShapeError) as caught:
        co.grad(lambda x: (x + np.ones(4)).sum())(X)
    message = str(caught.value)
    assert "(2, 3) and (4,)" in message
    assert "test_box.py, line" in message
    assert "formas (2, 3) e (4,)" in caught.value.render("pt")


def test_values_do_not_outlive_their_trace():
    kept = []
    co.grad(lambda x: (kept.append(x), x.sum())[1])(X)
    with pytest.raises(Escaped):
        kept[0] * 2.0


def test_iteration_and_unpacking():
    def f(x):
        first, second = x
        return sum(a * b for a, b in zip(first, second, strict=True))

    np.testing.assert_array_equal(co.grad(f)(X), X[::-1])


def test_operands_with_their_own_protocol_are_asked():
    class Other:
        __array_ufunc__ = None

        def __radd__(self, other: Any) -> str:
            return "asked"

    seen = traced(lambda seen, x: seen.append(x + Other()), X)
    assert seen == ["asked"]


@pytest.mark.parametrize("other", [2, 2.5, np.float64(2.5), np.array(2.5), [1.0, 2.0, 3.0], X])
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow", "mod"])
def test_operators_agree_with_numpy_both_ways(name: str, other: Any):
    op = getattr(operator, name)
    for f in (lambda x: op(x, other), lambda x: op(other, x)):
        t = co.trace(f)(X)
        np.testing.assert_array_equal(t.value, f(X))
        assert t.value.dtype == f(X).dtype


def test_python_numbers_stay_weak():
    def f(s, x):
        return ((s * 2.0 + 1.0) * x).sum()

    assert co.trace(f)(1.5, X.astype(np.float32)).value.dtype == np.float32
    assert co.grad(f, 1)(1.5, X.astype(np.float32)).dtype == np.float32
    strong = co.trace(lambda s, x: np.exp(s) * x)(1.5, X.astype(np.float32)).value
    assert strong.dtype == (np.exp(1.5) * X.astype(np.float32)).dtype


def test_division_by_zero_is_numpys_not_pythons():
    with np.errstate(all="ignore"):
        assert co.trace(lambda x: 1.0 / x)(0.0).value == math.inf
        assert math.isnan(co.trace(lambda x: (x - 1.0) ** 0.5)(0.0).value)
