"""Complex numbers: the gradient is ∂/∂x − i·∂/∂y, in both modes and both orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import NotSupported

STEP = 1e-6
WEIGHTS = np.array([0.7 - 0.2j, -1.1 + 0.4j, 0.3 + 0.9j])
POINT = np.array([1.2 + 0.7j, -0.4 + 1.5j, 0.8 - 0.6j])

LOSSES: dict[str, Callable[[Any], Any]] = {
    "conjugate": lambda z: np.sum(np.real(np.exp(np.conj(z)) * WEIGHTS)),
    "real": lambda z: np.sum(np.real(z * z * WEIGHTS) ** 2),
    "imag": lambda z: np.sum(np.imag(z * z * WEIGHTS) ** 2),
    "attributes": lambda z: np.sum(z.real * z.imag**2),
    "methods": lambda z: np.sum((z * z.conjugate() * WEIGHTS).real ** 2),
    "absolute": lambda z: np.sum(np.abs(z) ** 3 + abs(z * z)),
    "angle": lambda z: np.sum(np.angle(z) ** 2 * np.real(z)),
    "degrees": lambda z: np.sum(np.angle(z, deg=True)) / 60,
    "holomorphic inside": lambda z: np.sum(np.real(np.sin(z) / np.conj(z) + np.log(z) * abs(z))),
    "vdot": lambda z: np.abs(np.vdot(z, z * WEIGHTS)),
}


def numeric(f: Callable[[Any], Any], z: Any) -> Any:
    """Return ∂f/∂x − i·∂f/∂y by central differences."""
    out = np.zeros(z.shape, complex)
    for at in np.ndindex(z.shape):
        for way in (1, 1j):
            step = np.zeros(z.shape, complex)
            step[at] = way * STEP
            out[at] += (f(z + step) - f(z - step)) / (2 * STEP) * np.conj(way)
    return out


@pytest.fixture(params=LOSSES)
def loss(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return LOSSES[request.param]


def test_the_gradient_is_of_the_real_part_minus_i_times_of_the_imaginary(loss: Any):
    np.testing.assert_allclose(co.grad(loss)(POINT), numeric(loss, POINT), rtol=1e-6, atol=1e-8)
    assert co.check_grads(loss, (POINT,)).comparisons > 0


def test_forward_mode_agrees(loss: Any):
    slope = (loss(POINT + STEP * WEIGHTS) - loss(POINT - STEP * WEIGHTS)) / (2 * STEP)
    value, moved = co.jvp(loss, (POINT,), (WEIGHTS,))
    assert value == loss(POINT)
    np.testing.assert_allclose(moved, slope, rtol=1e-6)


def test_the_second_order_is_the_slope_of_the_first(loss: Any):
    def first(z: Any) -> Any:
        return np.sum(np.real(co.grad(loss)(z) * WEIGHTS))

    expected = numeric(first, POINT)
    np.testing.assert_allclose(co.grad(first)(POINT), expected, rtol=1e-6, atol=1e-7)
    moved = co.hvp(loss, (POINT,), (WEIGHTS,))
    ahead, behind = (co.grad(loss)(POINT + way * STEP * WEIGHTS) for way in (1, -1))
    np.testing.assert_allclose(moved, (ahead - behind) / (2 * STEP), rtol=1e-6, atol=1e-7)


def test_a_complex_output_is_pulled_back():
    out, pull = co.vjp(np.conj, POINT)
    np.testing.assert_array_equal(out, np.conj(POINT))
    np.testing.assert_array_equal(pull(WEIGHTS)[0], np.conj(WEIGHTS))


def test_a_real_input_receives_a_real_gradient():
    def loss(x: Any) -> Any:
        return np.sum(np.abs(1j * x + np.exp(2j * x)))

    x = np.array([0.3, 1.1, -0.7])
    found = co.grad(loss)(x)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, numeric(loss, x.astype(complex)).real, rtol=1e-6)
    hessian = co.hessian(loss)(x)
    assert hessian.dtype == np.float64
    steps = STEP * np.eye(3)
    slopes = [(co.grad(loss)(x + s) - co.grad(loss)(x - s)) / (2 * STEP) for s in steps]
    np.testing.assert_allclose(hessian, slopes, rtol=1e-6, atol=1e-8)


def test_single_precision_is_kept():
    def loss(z: Any) -> Any:
        return np.sum(np.abs(np.conj(z)) + np.angle(z) * z.real + np.imag(z) ** 2)

    value, found = co.value_and_grad(loss)(POINT.astype(np.complex64))
    assert (value.dtype, found.dtype) == (np.float32, np.complex64)
    np.testing.assert_allclose(found, co.grad(loss)(POINT), rtol=1e-5)


def test_the_parts_of_a_real_number():
    x = np.array([1.5, -2.0])
    np.testing.assert_array_equal(co.grad(lambda x: np.sum(np.real(x) ** 2))(x), 2 * x)
    np.testing.assert_array_equal(co.grad(lambda x: np.sum(x + np.imag(x)))(x), [1.0, 1.0])
    np.testing.assert_array_equal(co.grad(lambda x: np.sum(np.conj(x) * x))(x), 2 * x)


def test_the_absolute_value_has_slope_zero_at_zero():
    found = co.grad(lambda z: np.sum(np.abs(z)))(np.array([0j, 3 + 4j]))
    np.testing.assert_allclose(found, [0, 0.6 - 0.8j])


def test_questions_answer_and_carry_no_gradient():
    z = np.array([1 + 0j, 2 + 1j])

    def loss(z: Any) -> Any:
        return np.sum(np.where(np.iscomplex(z), 2.0, 1.0) * z.real + np.isreal(z) * z.imag)

    value, found = co.value_and_grad(loss)(z)
    assert value == 5
    np.testing.assert_array_equal(found, [1 - 1j, 2])


def test_what_depends_on_the_values_is_refused_by_name():
    with pytest.raises(NotSupported, match=r"real_if_close[\s\S]*np\.real"):
        co.grad(lambda z: np.sum(np.real_if_close(z)))(POINT)


@pytest.mark.parametrize(
    "f",
    [
        lambda y: np.real(2.0 ** (y * (1 + 2j))),
        lambda y: np.real((-2.0) ** (y * (1 + 2j))),
        lambda y: np.imag((y - 3.0) ** (1 + 2j)),
        lambda y: np.real(np.array([-2.0, 0.5]) ** (y * (1 + 2j)))[0],
    ],
)
def test_real_numbers_to_complex_powers(f):
    slope = (f(1.3 + 1e-6) - f(1.3 - 1e-6)) / 2e-6
    assert co.trace(f)(1.3).value == f(1.3)
    assert co.grad(f)(1.3) == pytest.approx(slope, rel=1e-7)
    assert co.jit(co.grad(f))(1.3) == pytest.approx(slope, rel=1e-7)


def test_real_numbers_to_real_powers_stay_real():
    with np.errstate(invalid="ignore"):
        assert np.isnan(co.trace(lambda y: (y - 3.0) ** 0.5)(1.3).value)
