"""Signs, steps, parts of numbers and the sinc: values, special values and slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import NotSupported
from corrente.gates.ufuncs import sinc_slope

inf, nan = np.inf, np.nan
STEP = 1e-6
VALUES = np.array([nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e300, 5e-324])


def gradient(f: Any, *at: float) -> tuple[float, ...]:
    return tuple(float(d) for d in co.grad(f, argnums=tuple(range(len(at))))(*at))


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (np.copysign, (2.0, -3.0), (-1.0, 0.0)),
        (np.copysign, (-2.0, -3.0), (1.0, 0.0)),
        (np.copysign, (0.0, -3.0), (0.0, 0.0)),
        (np.copysign, (2.0, -0.0), (-1.0, 0.0)),
        (np.heaviside, (-1.0, 0.5), (0.0, 0.0)),
        (np.heaviside, (0.0, 0.5), (0.0, 1.0)),
        (np.heaviside, (2.0, 0.5), (0.0, 0.0)),
        (np.nextafter, (2.0, 3.0), (1.0, 0.0)),
        (np.float_power, (2.0, 3.0), (12.0, 8.0 * np.log(2.0))),
    ],
)
def test_two_inputs(f: Any, at: tuple[float, float], expected: tuple[float, float]):
    np.testing.assert_allclose(gradient(f, *at), expected)


def test_a_step_lets_no_infinite_gradient_through():
    with np.errstate(divide="ignore"):
        assert gradient(lambda x: np.sqrt(np.heaviside(x, 0.0)), -1.0) == (0.0,)


# --- numbers for what is none -------------------------------------------------------------------


@pytest.mark.parametrize(
    "kwargs", [{}, {"nan": 7.0}, {"posinf": 1.0, "neginf": -1.0}, {"nan": 2.0, "neginf": 5.0}]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_nan_to_num(kwargs: Any, dtype: Any):
    with np.errstate(over="ignore"):
        x = VALUES.astype(dtype)
    if dtype is np.complex128:
        x = np.array([nan + 1j, complex(inf, -inf), 1 + 2j])
    y, pull = co.vjp(lambda x: np.nan_to_num(x, **kwargs), x)
    np.testing.assert_array_equal(y, np.nan_to_num(x, **kwargs))
    assert y.dtype == dtype
    np.testing.assert_array_equal(np.real(pull(np.ones_like(y))[0]), np.isfinite(np.real(x)))


def test_nan_to_num_in_place_is_refused():
    with pytest.raises(NotSupported, match="copy"):
        co.grad(lambda x: np.nan_to_num(x, copy=False))(1.0)


def test_nan_to_num_keeps_whole_numbers():
    with co.ties("split"):
        value = co.trace(lambda n, x: np.nan_to_num(n) * x)(np.array([1, 2]), 2.0).value
    np.testing.assert_array_equal(value, [2.0, 4.0])


def test_float_power_is_double():
    x = np.array([1.0, 2.0], np.float32)
    y, pull = co.vjp(lambda x: np.float_power(x, x), x)
    assert (y.dtype, pull(np.ones(2))[0].dtype) == (np.float64, np.float32)


# --- parts of a number --------------------------------------------------------------------------


def both(f: Any, *at: Any) -> Any:
    """Return the outputs, and the gradient of each in each input."""
    outs = co.trace(lambda *x: tuple(f(*x)))(*at).value
    slopes = [
        co.vjp(lambda *x, k=k: f(*x)[k], *at)[1](np.ones_like(outs[k])) for k in range(len(outs))
    ]
    return outs, slopes


def test_modf():
    outs, (by_rest, by_whole) = both(np.modf, VALUES)
    for out, want in zip(outs, np.modf(VALUES), strict=True):
        np.testing.assert_array_equal(out, want)
        np.testing.assert_array_equal(np.signbit(out), np.signbit(want))
    np.testing.assert_array_equal(by_rest[0], ~np.isinf(VALUES))
    np.testing.assert_array_equal(by_whole[0], 0.0)


def test_divmod():
    x, y = np.array([7.5, -7.5, 7.5]), np.array([2.0, 2.0, -2.0])
    for f in (np.divmod, divmod):
        outs, (by_steps, by_rest) = both(f, x, y)
        for out, want in zip(outs, np.divmod(x, y), strict=True):
            np.testing.assert_array_equal(out, want)
        np.testing.assert_array_equal(by_steps, np.zeros((2, 3)))
        np.testing.assert_array_equal(by_rest, [[1.0, 1.0, 1.0], [-3.0, 4.0, 4.0]])


def test_frexp_and_ldexp_undo_each_other():
    x = np.array([0.3, -5.0, 1e-300, 1e300])
    fraction, pull = co.vjp(lambda x: np.frexp(x)[0], x)
    np.testing.assert_array_equal(fraction, np.frexp(x)[0])
    np.testing.assert_allclose(pull(np.ones(4))[0] * x, fraction)
    y, pull = co.vjp(lambda x: np.ldexp(*np.frexp(x)), x)
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(pull(np.ones(4))[0], 1.0)


def test_ldexp():
    assert gradient(lambda x: np.ldexp(np.ldexp(x, -600), 1000), 1.0)[0] == 2.0**400
    np.testing.assert_array_equal(
        co.vmap(np.ldexp)(np.array([1.0, 3.0]), np.array([1, 2])), [2.0, 12.0]
    )


@pytest.mark.parametrize("f", [np.gcd, np.lcm, np.left_shift, np.right_shift])
def test_whole_numbers_go_along(f: Any):
    m, n = np.array([[12], [18]]), np.array([2, 3, 8])
    value, d = co.value_and_grad(lambda x, m, n: np.sum(x * f(m, n)))(2.0, m, n)
    assert value == 2.0 * np.sum(f(m, n))
    assert d == np.sum(f(m, n))
    m = np.broadcast_to(m, (2, 1))
    np.testing.assert_array_equal(
        co.vmap(lambda m, n: f(m, n), (0, None))(m, n), np.stack([f(row, n) for row in m])
    )


def test_spacing_does_not_move():
    assert gradient(lambda x: x * np.spacing(1.0 + x), 0.5) == (np.spacing(1.5),)


# --- sinc ---------------------------------------------------------------------------------------


def test_sinc_has_every_slope_at_zero():
    f, expected = np.sinc, [1.0, 0.0, -(np.pi**2) / 3, 0.0, np.pi**4 / 5]
    for want in expected:
        assert float(f(0.0)) == pytest.approx(want, abs=1e-15)
        f = co.grad(f)


@pytest.mark.parametrize("n", range(5))
def test_slopes_of_sinc_follow_one_another(n: int):
    x = np.linspace(-6.0, 6.0, 481)
    out = sinc_slope(x, n)
    slope = (sinc_slope(x + STEP, n) - sinc_slope(x - STEP, n)) / (2 * STEP)
    np.testing.assert_allclose(co.elementwise_grad(lambda x: sinc_slope(x, n))(x), slope, atol=1e-5)
    if n == 0:
        np.testing.assert_allclose(out, np.sinc(x), atol=1e-15)


def test_the_first_slope_of_sinc_is_exact_near_zero():
    x = np.logspace(-12, -3, 10)
    np.testing.assert_allclose(
        co.elementwise_grad(np.sinc)(x), -(np.pi**2) * x / 3, rtol=1e-5, atol=0
    )
    far = np.array([5.25, -40.7])
    np.testing.assert_allclose(
        co.elementwise_grad(np.sinc)(far), (np.cos(np.pi * far) - np.sinc(far)) / far, rtol=1e-10
    )


def test_i0():
    x = np.array([-2.0, 0.0, 0.5, 30.0])
    y, pull = co.vjp(np.i0, x)
    np.testing.assert_allclose(y, np.i0(x), rtol=1e-14)
    slope = (np.i0(x + STEP) - np.i0(x - STEP)) / (2 * STEP)
    np.testing.assert_allclose(pull(np.ones(4))[0], slope, rtol=1e-8, atol=1e-9)
