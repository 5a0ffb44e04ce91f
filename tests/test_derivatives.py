"""The front door of derivatives: forms, orders, modes, dtypes, and what is refused."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadArgument, BadValue, NotScalar, UnreachedWarning, WriteError


class TestForms:
    def test_argnums(self):
        f = lambda x, y, z: (x + y) * z
        assert co.grad(f)(-2.0, 5.0, -4.0) == -4.0
        assert co.grad(f, 2)(-2.0, 5.0, -4.0) == 3.0
        assert co.grad(f, (2, 0))(-2.0, 5.0, -4.0) == (3.0, -4.0)
        assert co.grad(f, -1)(-2.0, 5.0, -4.0) == 3.0
        assert co.grad(f, [1])(-2.0, 5.0, -4.0) == (-4.0,)

    def test_argnames(self):
        f = lambda x, *, y: x * y
        assert co.grad(f, argnames="y")(3.0, y=4.0) == 3.0
        assert co.grad(f, argnames=["x", "y"])(3.0, y=4.0) == {"x": 4.0, "y": 3.0}

    def test_has_aux(self):
        f = lambda x: (x * x, {"seen": x * 2.0, "n": 3})
        assert co.grad(f, has_aux=True)(3.0) == (6.0, {"seen": 6.0, "n": 3})
        assert co.value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"seen": 6.0, "n": 3}), 6.0)

    def test_python_ints_become_floats(self):
        gradient = co.grad(lambda x: x * x)(3)
        assert gradient == 6.0
        assert type(gradient) is float

    def test_nested_arguments(self):
        Pair = namedtuple("Pair", "a b")

        @dataclass(frozen=True)
        class Layer:
            W: Any
            b: Any

        def loss(params, x):
            return np.sum(params["layer"].W @ x + params["layer"].b) * params["pair"].a[0]

        W = np.array([[1.0, 2.0], [3.0, 4.0]])
        params = {"layer": Layer(W, np.ones(2)), "pair": Pair([2.0, 7.0], None)}
        with pytest.warns(UnreachedWarning, match=r"params\['pair'\]\.a\[1\]"):
            found = co.grad(loss)(params, np.array([1.0, 10.0]))
        assert isinstance(found["layer"], Layer)
        np.testing.assert_array_equal(found["layer"].W, [[2.0, 20.0], [2.0, 20.0]])
        np.testing.assert_array_equal(found["layer"].b, [2.0, 2.0])
        assert found["pair"].a == [66.0, 0.0]
        assert found["pair"].b is None

    def test_gradients_never_alias(self):
        w = np.array([1.0, 2.0])
        gx, gy = co.grad(lambda x, y: np.sum((x + y) * w), (0, 1))(w.copy(), w.copy())
        gx[0] = 99.0
        assert gy[0] == 1.0
        assert w[0] == 1.0

    def test_the_value_of_vjp_is_its_own(self):
        y, pull = co.vjp(lambda x: np.exp(x), np.zeros(2))
        y[:] = 99.0
        np.testing.assert_array_equal(pull(np.ones(2))[0], [1.0, 1.0])


class TestOrders:
    @pytest.mark.parametrize("order", range(1, 6))
    def test_any_order(self, order: int):
        f = lambda x: x**5
        for _ in range(order):
            f = co.grad(f)
        assert f(2.0) == pytest.approx(np.prod(range(5, 5 - order, -1)) * 2.0 ** (5 - order))

    def test_no_perturbation_confusion(self):
        inner = lambda x: co.grad(lambda y: x + y)(1.0)
        assert co.grad(lambda x: x * inner(x))(1.0) == 1.0
        with pytest.warns(UnreachedWarning):
            assert co.grad(inner)(2.0) == 0.0
        forward = lambda x: x * co.jvp(lambda y: x * y, (2.0,), (1.0,))[1]
        assert co.jvp(forward, (3.0,), (1.0,)) == (9.0, 6.0)

    def test_modes_mix(self):
        f = lambda x: np.sum(np.sin(x) * x[::-1] ** 3)
        x, v = np.array([0.5, -1.0, 2.0]), np.array([1.0, 2.0, -1.0])
        forward_over_reverse = co.hvp(f, (x,), (v,))
        reverse_over_forward = co.grad(lambda x: co.jvp(f, (x,), (v,))[1])(x)
        reverse_over_reverse = co.grad(lambda x: np.sum(co.grad(f)(x) * v))(x)
        forward_over_forward = [
            co.jvp(lambda x, e=e: co.jvp(f, (x,), (e,))[1], (x,), (v,))[1] for e in np.eye(3)
        ]
        for other in (reverse_over_forward, reverse_over_reverse, forward_over_forward):
            np.testing.assert_allclose(forward_over_reverse, other, rtol=1e-12)

    def test_hvp_of_several_arguments(self):
        found = co.hvp(lambda x, y: x * x * y, (3.0, 4.0), (1.0, 0.0))
        assert found == (8.0, 6.0)


class TestProducts:
    def test_vjp_and_jvp_are_transposes(self):
        f = lambda a, b: np.tanh(a @ b) / (1.0 + b.sum(axis=0))
        rng = np.random.default_rng(0)
        a, b, da, db = (rng.normal(size=s) for s in ((3, 4), (4, 2), (3, 4), (4, 2)))
        y, dy = co.jvp(f, (a, b), (da, db))
        _, pull = co.vjp(f, a, b)
        g = rng.normal(size=y.shape)
        pulled = pull(g)
        assert np.sum(g * dy) == pytest.approx(np.sum(pulled[0] * da) + np.sum(pulled[1] * db))

    def test_linearize_can_be_used_often(self):
        y, move = co.linearize(lambda x: x * x, np.array([1.0, 2.0]))
        np.testing.assert_array_equal(y, [1.0, 4.0])
        np.testing.assert_array_equal(move(np.array([1.0, 0.0])), [2.0, 0.0])
        np.testing.assert_array_equal(move(np.array([0.0, 1.0])), [0.0, 4.0])

    def test_nested_results(self):
        f = lambda x: {"double": x * 2.0, "rest": (x * x, 7.0)}
        y, pull = co.vjp(f, 3.0)
        assert y == {"double": 6.0, "rest": (9.0, 7.0)}
        assert pull({"double": 1.0, "rest": (10.0, 100.0)}) == (62.0,)
        assert co.jvp(f, (3.0,), (1.0,))[1] == {"double": 2.0, "rest": (6.0, 0.0)}

    def test_wrong_shapes_name_both(self):
        _, pull = co.vjp(lambda x: x * x, np.ones(3))
        with pytest.raises(BadValue, match=r"\(2,\).*\(3,\)"):
            pull(np.ones(2))
        with pytest.raises(BadValue, match=r"\(3,\)"):
            co.jvp(lambda x: x * x, (np.ones(3),), (1.0,))


class TestDtypes:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_gradients_keep_the_dtype(self, dtype: Any):
        x = np.linspace(0.1, 1.0, 4).astype(dtype)
        f = lambda x: np.sum(np.exp(x) * 2.0 + np.sqrt(x) / np.arange(1.0, 5.0))
        assert co.grad(f)(x).dtype == dtype
        assert co.jvp(lambda x: x * 2.0, (x,), (x,))[1].dtype == dtype

    def test_mixed_widths(self):
        wide, narrow = co.grad(lambda a, b: np.sum(a * b), (0, 1))(
            np.ones(3), np.ones(3, np.float32)
        )
        assert (wide.dtype, narrow.dtype) == (np.float64, np.float32)


class TestRefusals:
    def test_integer_arrays(self):
        with pytest.raises(BadArgument, match="int64 array") as caught:
            co.grad(lambda x: x.sum())(np.arange(3))
        assert "astype(float)" in str(caught.value)

    @pytest.mark.parametrize("value", ["text", None, True, object()])
    def test_what_has_no_gradient(self, value: Any):
        with pytest.raises(BadArgument):
            co.grad(lambda x: 1.0)([value, 1])

    def test_non_scalar_output(self):
        with pytest.raises(NotScalar, match=r"\(3,\)") as caught:
            co.grad(lambda x: x * 2.0)(np.ones(3))
        assert "jacobian" in str(caught.value)
        with pytest.raises(NotScalar):
            co.grad(lambda x: (x, x))(1.0)

    def test_whole_number_output(self):
        with pytest.raises(BadArgument, match="int64"):
            co.grad(lambda x: np.argmax(x))(np.ones(3))

    def test_missing_arguments(self):
        with pytest.raises(BadArgument, match="argnums=2"):
            co.grad(lambda x: x, 2)(1.0)
        with pytest.raises(BadArgument, match="'w'"):
            co.grad(lambda x: x, argnames="w")(1.0)

    def test_has_aux_needs_a_pair(self):
        with pytest.raises(BadArgument, match="pair"):
            co.grad(lambda x: x * x, has_aux=True)(1.0)

    def test_unreached_arguments_are_named(self):
        with pytest.warns(UnreachedWarning, match="depend on y"):
            assert co.grad(lambda x, y: x * x, (0, 1))(2.0, 3.0) == (4.0, 0.0)

    def test_a_cut_is_placed(self):
        with pytest.warns(UnreachedWarning, match=r"cut at floor, .*test_derivatives.py, line"):
            assert co.grad(lambda x: np.floor(x) * 2.0)(2.5) == 0.0

    def test_no_warning_inside_another_derivative(self):
        assert co.grad(lambda x: co.grad(lambda y: 2.0 * y)(x) * x)(3.0) == 2.0

    def test_a_large_closed_over_array_that_changes(self):
        big = np.ones(10_000)

        def f(x):
            y = np.sum(x * big)
            big[3] = 7.0
            return y

        with pytest.raises(WriteError, match="closes over"):
            co.grad(f)(np.ones(10_000))

    def test_a_small_closed_over_array_may_change(self):
        work = np.zeros(3)

        def f(x):
            total = 0.0
            for k in range(3):
                work[:] = 0.0
                work[k] = k + 1.0
                total = total + np.sum(x * work)
            return total

        np.testing.assert_array_equal(co.grad(f)(np.ones(3)), [1.0, 2.0, 3.0])
