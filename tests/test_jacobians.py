"""Jacobians and Hessians: forms, modes, dtypes, agreement with the numbers and with a loop."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import corrente as co
from corrente import jacobians
from corrente.errors import BadArgument, BadValue, NotSupported
from corrente.jacobians import elementwise_grad, hessian, jacfwd, jacobian, jacrev

MODES = pytest.mark.parametrize("mode", [jacobian, jacrev, jacfwd])
MATRIX = np.random.default_rng(0).normal(size=(4, 3))


def differences(f: Any, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return the Jacobian by central differences."""
    found = np.zeros(np.shape(f(x)) + x.shape)
    for place in np.ndindex(x.shape):
        moved = np.zeros(x.shape)
        moved[place] = step
        found[(..., *place)] = (f(x + moved) - f(x - moved)) / (2.0 * step)
    return found


def running(x: Any) -> Any:
    y = np.zeros(4, like=x)
    y[0] = x[0]
    for k in range(1, 4):
        y[k] = y[k - 1] * x[k % 3] + y[0]
    return y


FUNCTIONS: dict[str, Any] = {
    "layer": lambda x: np.tanh(MATRIX @ x),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(),
    "gather": lambda x: x[[0, 2, 0]] * x[::-1],
    "outer": lambda x: np.outer(x, x**2),
    "written": running,
    "running": lambda x: np.cumsum(x * x),
    "greatest": lambda x: np.max(np.outer(x, x), axis=0),
    "number": lambda x: np.sum(x**3 * MATRIX),
    "choice": lambda x: np.where(x > 0, x**2, 3.0 * x),
    "spread": lambda x: np.std(x * MATRIX, axis=1),
    "branch": lambda x: 2.0 * x if x[0] > 0 else x**2,
    "same": lambda x: x,
    "pieces": lambda x: np.concatenate([np.stack([x[0] * x[1], x[2]]), np.ones(2)]),
}
SCALAR = {name: (lambda x, f=f: np.sum(np.sin(f(x)))) for name, f in FUNCTIONS.items()}


@MODES
@pytest.mark.parametrize("name", FUNCTIONS)
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=5, deadline=None)
def test_central_differences(name: str, mode: Any, seed: int):
    x = np.random.default_rng(seed).uniform(-1.0, 1.0, size=3)
    x = np.where(np.abs(x) < 0.01, 0.5, x)
    found = mode(FUNCTIONS[name])(x)
    np.testing.assert_allclose(found, differences(FUNCTIONS[name], x), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", SCALAR)
def test_hessians(name: str):
    f, x = SCALAR[name], np.array([0.7, -0.4, 0.9])
    found = hessian(f)(x)
    np.testing.assert_allclose(found, differences(co.grad(f), x), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found, found.T, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jacrev(jacfwd(f))(x), found, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jacrev(jacrev(f))(x), found, rtol=1e-12, atol=1e-12)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(found @ v, co.hvp(f, (x,), (v,)), rtol=1e-12, atol=1e-12)


@MODES
class TestForms:
    def test_shapes(self, mode: Any):
        x = np.random.default_rng(1).normal(size=(2, 3))
        found = mode(lambda x: np.einsum("ij,kj->ik", x, x)[None])(x)
        assert found.shape == (1, 2, 2, 2, 3)
        unit = np.eye(2)
        expected = np.einsum("ia,kb->ikab", unit, x) + np.einsum("ka,ib->ikab", unit, x)
        np.testing.assert_allclose(found[0], expected, atol=1e-14)

    def test_a_linear_function_is_its_matrix(self, mode: Any):
        found = mode(lambda x: MATRIX @ x)(np.ones(3))
        np.testing.assert_array_equal(found, MATRIX)
        assert found.flags.writeable

    def test_numbers(self, mode: Any):
        found = mode(lambda x: x * x)(3.0)
        assert (type(found), found) == (float, 6.0)
        assert type(mode(lambda x: x * x)(3)) is float
        assert type(mode(lambda x: x * x)(np.float32(3))) is np.float32
        assert mode(lambda x: np.stack([x, x * x]))(3.0).tolist() == [1.0, 6.0]
        assert mode(lambda x: np.sum(x * x))(np.ones(2)).tolist() == [2.0, 2.0]

    def test_argnums(self, mode: Any):
        f = lambda x, y, *, k: k * x * y
        x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
        np.testing.assert_array_equal(mode(f, argnums=1)(x, y, k=2.0), np.diag(2.0 * x))
        by_y, by_x = mode(f, argnums=(1, 0))(x, y, k=2.0)
        np.testing.assert_array_equal(by_y, np.diag(2.0 * x))
        np.testing.assert_array_equal(by_x, np.diag(2.0 * y))
        assert isinstance(mode(f, argnums=[-1])(x, y, k=2.0), tuple)
        with pytest.raises(BadArgument, match="argnums=2"):
            mode(f, argnums=2)(x, y, k=2.0)

    def test_structures(self, mode: Any):
        class Out(NamedTuple):
            product: Any
            rest: Any

        f = lambda p, x: Out(p["w"] @ x, [p["c"] * 2.0, 5.0])
        p = {"w": MATRIX, "c": 3.0}
        found = mode(f, argnums=(0, 1))(p, np.ones(3))
        assert isinstance(found, Out)
        by_p, by_x = found.product
        assert by_p["w"].shape == (4, 4, 3)
        np.testing.assert_array_equal(by_p["w"][1, 1], np.ones(3))
        assert by_p["w"].sum() == 12.0
        np.testing.assert_array_equal(by_p["c"], np.zeros(4))
        np.testing.assert_array_equal(by_x, MATRIX)
        assert found.rest[0][0]["c"] == 2.0
        np.testing.assert_array_equal(found.rest[0][1], np.zeros(3))
        np.testing.assert_array_equal(found.rest[1][0]["w"], np.zeros((4, 3)))

    def test_nothing_reached_is_zero(self, mode: Any):
        x = np.ones(3, np.float32)
        for f, shape in (
            (lambda x: np.ones(2), (2, 3)),
            (lambda x: co.stop_gradient(x) * 2, (3, 3)),
            (lambda x: np.argsort(x), (3, 3)),
            (lambda x: 7.0, (3,)),
        ):
            found = mode(f)(x)
            assert (found.shape, found.dtype, found.any()) == (shape, np.float32, False)

    def test_dtypes(self, mode: Any):
        x = np.linspace(0.1, 0.9, 3, dtype=np.float32)
        assert mode(lambda x: np.tanh(MATRIX.astype(np.float32) @ x))(x).dtype == np.float32
        mixed = mode(lambda x: np.tanh(MATRIX @ x))(x)
        assert mixed.dtype == np.float32
        np.testing.assert_allclose(mixed, mode(lambda x: np.tanh(MATRIX @ x))(x * 1.0), rtol=1e-5)

    def test_empty(self, mode: Any):
        assert mode(lambda x: x * 2.0)(np.ones((0, 2))).shape == (0, 2, 0, 2)
        assert mode(lambda x: x[:0])(np.ones(2)).shape == (0, 2)

    def test_chunks(self, mode: Any, monkeypatch: pytest.MonkeyPatch):
        f = FUNCTIONS["layer"]
        whole = mode(f)(np.ones(3))
        monkeypatch.setattr(jacobians, "_LIMIT", 24)
        np.testing.assert_allclose(mode(f)(np.ones(3)), whole, rtol=1e-14)

    def test_integers_are_refused(self, mode: Any):
        with pytest.raises(BadArgument, match="int64 array"):
            mode(lambda x: x * 2.0)(np.arange(3))

    def test_nested_in_other_derivatives(self, mode: Any):
        f, x = FUNCTIONS["layer"], np.array([0.3, -0.2, 0.5])
        total = lambda x: np.sum(mode(f)(x) ** 2)
        np.testing.assert_allclose(co.grad(total)(x), differences(total, x), rtol=1e-6)
        batch = np.stack([x, 2.0 * x])
        found = co.vmap(mode(f))(batch)
        np.testing.assert_allclose(found, [mode(f)(row) for row in batch], rtol=1e-13)
        t = co.trace(total)(x)
        np.testing.assert_allclose(t.grads[0], co.grad(total)(x), rtol=1e-13)

    def test_buffers_keep_what_each_row_needs(self, mode: Any):
        def f(x):
            y = np.zeros(5000, like=x)
            y[:3] = x
            total = np.sum(y * y)
            y[:3] = total * np.exp(y[:3])
            return y[:3] * total

        x = np.array([0.1, 0.2, 0.3])
        np.testing.assert_allclose(mode(f)(x), differences(f, x), rtol=1e-6)


class TestComplex:
    z = np.array([1.0 + 2.0j, -0.5 + 1.0j])

    @MODES
    def test_holomorphic(self, mode: Any):
        found = mode(lambda z: z * z * z[::-1])(self.z)
        a, b = self.z
        np.testing.assert_allclose(found, [[2 * a * b, a * a], [b * b, 2 * a * b]])
        assert found.dtype == np.complex128

    def test_half_complex(self):
        x = np.array([0.3, 0.4])
        rotate = lambda x: np.exp(1j * x)
        expected = np.diag(1j * np.exp(1j * x))
        np.testing.assert_allclose(jacfwd(rotate)(x), expected)
        np.testing.assert_allclose(jacobian(rotate)(x), expected)
        with pytest.raises(NotSupported, match="jacfwd"):
            jacrev(rotate)(x)
        length = lambda z: np.abs(z) ** 2
        expected = np.diag(2.0 * np.conj(self.z))
        np.testing.assert_allclose(jacrev(length)(self.z), expected)
        np.testing.assert_allclose(jacobian(length)(self.z), expected)
        with pytest.raises(NotSupported, match="jacrev"):
            jacfwd(length)(self.z)


class TestHessian:
    def test_analytic(self):
        A = MATRIX.T @ MATRIX
        np.testing.assert_allclose(hessian(lambda x: 0.5 * x @ A @ x)(np.ones(3)), A, rtol=1e-13)
        assert hessian(lambda x: x**3)(2.0) == 12.0
        assert hessian(lambda x: np.sum(x))(np.ones(2, np.float32)).dtype == np.float32

    def test_structures(self):
        f = lambda p: np.sum(p["w"]) ** 2 * p["c"]
        found = hessian(f)({"w": np.array([1.0, 2.0]), "c": 5.0})
        np.testing.assert_array_equal(found["w"]["w"], np.full((2, 2), 10.0))
        np.testing.assert_array_equal(found["w"]["c"], [6.0, 6.0])
        np.testing.assert_array_equal(found["c"]["w"], [6.0, 6.0])
        assert found["c"]["c"] == 0.0

    def test_argnums(self):
        f = lambda x, y: np.sum(x * x * y)
        x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
        (xx, xy), (yx, yy) = hessian(f, argnums=(0, 1))(x, y)
        np.testing.assert_array_equal(xx, np.diag(2.0 * y))
        np.testing.assert_array_equal(xy, np.diag(2.0 * x))
        np.testing.assert_array_equal(yx, np.diag(2.0 * x))
        np.testing.assert_array_equal(yy, np.zeros((2, 2)))

    def test_vector_functions(self):
        found = hessian(lambda x: x**3)(np.array([1.0, 2.0]))
        assert found.shape == (2, 2, 2)
        assert found[1, 1, 1] == 12.0


class TestElementwise:
    def test_shapes_and_numbers(self):
        x = np.random.default_rng(2).normal(size=(2, 3))
        np.testing.assert_allclose(elementwise_grad(np.tanh)(x), 1.0 - np.tanh(x) ** 2)
        assert elementwise_grad(np.square)(3.0) == 6.0
        assert elementwise_grad(np.tanh)(x.astype(np.float32)).dtype == np.float32

    def test_orders_and_arguments(self):
        x = np.array([1.0, 2.0])
        twice = elementwise_grad(elementwise_grad(lambda x: x**3))
        np.testing.assert_allclose(twice(x), 6.0 * x)
        f = lambda x, y, *, k: k * x * y
        np.testing.assert_array_equal(elementwise_grad(f, 1)(x, x + 1.0, k=2.0), 2.0 * x)

    def test_other_shapes_are_refused(self):
        with pytest.raises(BadValue, match=r"shape \(2,\) and returned \(\)"):
            elementwise_grad(np.sum)(np.ones(2))
        with pytest.raises(BadValue, match="returned tuple"):
            elementwise_grad(lambda x: (x, x))(np.ones(2))


def test_one_sweep_for_all_rows():
    sweeps = []
    square = co.gate(lambda x: x * x).defpull(
        lambda g, out, x: sweeps.append(1) or 2.0 * g * x  # type: ignore[func-returns-value]
    )
    found = jacrev(square)(np.arange(1.0, 9.0))
    np.testing.assert_array_equal(found, np.diag(2.0 * np.arange(1.0, 9.0)))
    assert len(sweeps) == 1


def test_the_cheaper_mode():
    sweeps = []
    square = co.gate(lambda x: x * x).defpull(
        lambda g, out, x: sweeps.append(type(g)) or 2.0 * g * x
    )
    jacobian(lambda x: np.sum(square(x)))(np.ones(5))
    assert sweeps == [np.ndarray]
