"""Special values: zeros, infinities, NaN, ties and bounds, where a rule must be exact."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest

import corrente.gates
from corrente import convention
from corrente.derivatives import grad, value_and_grad
from corrente.errors import NotSupported

inf, nan = np.inf, np.nan


def gradient(f: Any, *at: float) -> tuple[float, ...]:
    """Return the gradient in every argument."""
    return tuple(float(d) for d in grad(f, argnums=tuple(range(len(at))))(*at))


def slope(f: Any, x: float) -> float:
    return float(grad(f)(x))


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (0.0, 0.0, (0.0, 0.0)),
        (0.0, 1.0, (1.0, 0.0)),
        (0.0, 2.0, (0.0, 0.0)),
        (-2.0, 3.0, (12.0, nan)),
        (-2.0, 0.0, (0.0, nan)),
        (5.0, 0.0, (0.0, np.log(5.0))),
        (2.0, -1.0, (-0.25, 0.5 * np.log(2.0))),
        (1.0, 7.0, (7.0, 0.0)),
    ],
)
def test_power(x: float, y: float, expected: tuple[float, float]):
    np.testing.assert_allclose(gradient(operator.pow, x, y), expected)
    arrays = tuple(np.array([v, v]) for v in (x, y))
    pulls = corrente.gates.arithmetic.power.pulls
    for pull, want in zip(pulls, expected, strict=True):
        np.testing.assert_allclose(pull(np.ones(2), arrays[0] ** arrays[1], *arrays), [want] * 2)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 0.0, 1.0, 2.0])
@pytest.mark.parametrize("x", [-1.5, 0.0, 2.0])
def test_power_with_a_number_as_exponent(x: float, n: float):
    assert slope(lambda t: t**n, x) == (n * x ** (n - 1) if n else 0.0)


def test_power_of_a_number_keeps_float32():
    x = np.array([1.0, 2.0], np.float32)
    (_, by_exponent) = corrente.gates.arithmetic.power.pulls
    d = by_exponent(np.ones_like(x), 3.0**x, 3.0, x)
    assert d.dtype == np.float32
    np.testing.assert_allclose(d, 3.0**x * np.log(3.0), rtol=1e-6)


def test_zero_to_a_power_has_no_slope_and_a_negative_base_none_at_all():
    (_, by_exponent) = corrente.gates.arithmetic.power.pulls
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(by_exponent(1.0, 0.0**x, 0.0, x), [0.0, 0.0])
    np.testing.assert_array_equal(by_exponent(1.0, (-3.0) ** x, -3.0, x), [nan, nan])


@pytest.mark.parametrize(
    ("f", "value", "expected"),
    [(np.log, -inf, inf), (np.sqrt, 0.0, inf), (np.cbrt, 0.0, inf), (np.reciprocal, inf, -inf)],
    ids=["log", "sqrt", "cbrt", "reciprocal"],
)
def test_at_zero_the_slope_is_infinite(f: Any, value: float, expected: float):
    with np.errstate(divide="ignore"):
        assert value_and_grad(f)(np.float64(0.0)) == (value, expected)


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (np.logaddexp, (-inf, -inf), (0.0, 0.0)),
        (np.logaddexp, (-inf, 1.0), (0.0, 1.0)),
        (np.logaddexp, (inf, 1.0), (1.0, 0.0)),
        (np.logaddexp, (0.0, 0.0), (0.5, 0.5)),
        (np.logaddexp, (1000.0, -1000.0), (1.0, 0.0)),
        (np.logaddexp2, (-inf, 1.0), (0.0, 1.0)),
        (np.hypot, (0.0, 0.0), (0.0, 0.0)),
        (np.hypot, (3.0, 4.0), (0.6, 0.8)),
        (np.hypot, (1e300, 1e300), (0.5**0.5, 0.5**0.5)),
        (np.fmod, (-7.0, 2.0), (1.0, 3.0)),
        (np.remainder, (-7.0, 2.0), (1.0, 4.0)),
        (np.remainder, (7.0, inf), (1.0, 0.0)),
        (np.fmod, (0.3, 0.1), (1.0, -2.0)),
    ],
)
def test_two_inputs(f: Any, at: tuple[float, float], expected: tuple[float, float]):
    np.testing.assert_allclose(gradient(f, *at), expected, rtol=1e-12)


def test_the_second_slope_of_logaddexp_at_a_tie():
    assert slope(grad(lambda x: np.logaddexp(x, 1.0)), 1.0) == pytest.approx(0.25)


# --- ties ---------------------------------------------------------------------------------------

PAIRS = [np.maximum, np.minimum, np.fmax, np.fmin]


@pytest.mark.parametrize("f", PAIRS)
@pytest.mark.parametrize(
    ("rule", "expected"), [("split", (0.5, 0.5)), ("first", (1.0, 0.0)), ("both", (1.0, 1.0))]
)
def test_ties_follow_the_rule_and_are_counted_once(f: Any, rule: str, expected: Any):
    with convention.ties(rule) as met:
        assert gradient(f, 3.0, 3.0) == expected
        assert met.hit == 1
        gradient(f, 3.0, 2.0)
        assert met.hit == 1
        grad(f)(2.0, 2.0)
        assert met.hit == 2


@pytest.mark.parametrize("f", PAIRS)
def test_without_a_rule_ties_are_split(f: Any):
    assert gradient(f, 0.0, -0.0) == (0.5, 0.5)
    assert gradient(f, inf, inf) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("f", "at", "expected"),
    [
        (np.maximum, (nan, 1.0), (1.0, 1.0)),
        (np.maximum, (1.0, nan), (1.0, 1.0)),
        (np.minimum, (nan, 1.0), (1.0, 1.0)),
        (np.fmax, (nan, 1.0), (0.0, 1.0)),
        (np.fmax, (1.0, nan), (1.0, 0.0)),
        (np.fmin, (nan, 1.0), (0.0, 1.0)),
        (np.fmin, (1.0, nan), (1.0, 0.0)),
        (np.fmax, (nan, nan), (1.0, 1.0)),
        (np.maximum, (inf, -inf), (1.0, 0.0)),
        (np.minimum, (inf, -inf), (0.0, 1.0)),
    ],
)
def test_a_nan_is_no_silent_zero(f: Any, at: Any, expected: Any):
    value, found = value_and_grad(f, argnums=(0, 1))(*at)
    np.testing.assert_equal(value, f(*at))
    assert tuple(map(float, found)) == expected


def test_maximum_lets_no_infinite_gradient_into_the_loser():
    with np.errstate(divide="ignore"):
        f = lambda x, y: np.sqrt(np.maximum(x, y))
        assert gradient(f, -1.0, 0.0) == (0.0, inf)


# --- absolute value -----------------------------------------------------------------------------


@pytest.mark.parametrize("f", [np.abs, np.fabs])
@pytest.mark.parametrize(
    ("x", "expected"), [(-2.0, -1.0), (0.0, 0.0), (-0.0, 0.0), (inf, 1.0), (-inf, -1.0)]
)
def test_absolute(f: Any, x: float, expected: float):
    assert slope(f, x) == expected


@pytest.mark.parametrize("f", [np.abs, np.fabs])
def test_absolute_of_nan_is_no_silent_zero(f: Any):
    assert slope(f, nan) == 1.0


def test_root_of_absolute_at_zero_is_zero_not_nan():
    with np.errstate(divide="ignore"):
        assert slope(lambda x: np.sqrt(np.abs(x)), 0.0) == 0.0


# --- clip ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((0.5, 0.0, 1.0), (1.0, 0.0, 0.0)),
        ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
        ((1.0, 0.0, 1.0), (1.0, 0.0, 0.0)),
        ((-0.1, 0.0, 1.0), (0.0, 1.0, 0.0)),
        ((1.1, 0.0, 1.0), (0.0, 0.0, 1.0)),
        ((0.5, 1.0, 0.0), (0.0, 0.0, 1.0)),
        ((2.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        ((-1.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
        ((nan, 0.0, 1.0), (1.0, 0.0, 0.0)),
    ],
)
def test_clip(at: Any, expected: Any):
    assert gradient(np.clip, *at) == expected


def test_clip_with_one_bound_or_by_name():
    assert slope(lambda x: np.clip(x, 0.0, None), 5.0) == 1.0
    assert slope(lambda x: np.clip(x, 0.0, None), -5.0) == 0.0
    assert slope(lambda x: np.clip(x, None, 1.0), 5.0) == 0.0
    assert slope(lambda x: np.clip(x, min=0.0), -5.0) == 0.0
    assert slope(lambda x: np.clip(x, max=1.0), -5.0) == 1.0
    takes = corrente.gates.choices.clip.takes
    whole = np.array([1, -2], np.int8)
    call = takes(whole, 0, None)
    out = np.clip(*call.ins)
    assert out.dtype == np.int8
    np.testing.assert_array_equal(out, [1, 0])
    assert np.clip(*takes(np.ones(2, np.float32), None, 0.5).ins).dtype == np.float32


# --- where --------------------------------------------------------------------------------------


def test_where_keeps_the_branch_not_taken_out():
    def f(x: Any) -> Any:
        return np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), 0.0)

    assert slope(f, 0.0) == 0.0
    assert slope(f, 4.0) == 0.25


def test_where_selects_gradients_of_infinity_and_nan():
    _, by_first, by_second = corrente.gates.choices.where.pulls
    condition = np.array([True, False])
    g = np.array([inf, nan])
    np.testing.assert_array_equal(by_first(g, g, condition, g, g), [inf, 0.0])
    np.testing.assert_array_equal(by_second(g, g, condition, g, g), [0.0, nan])


def test_where_with_nan_in_the_branch_not_taken():
    with np.errstate(invalid="ignore"):
        value, d = value_and_grad(lambda x: np.where(x > 0, x * x, np.log(-x)))(2.0)
    assert (float(value), float(d)) == (4.0, 4.0)


def test_where_takes_any_condition_by_its_truth():
    takes = corrente.gates.choices.where.takes
    call = takes([0.0, -1.0, nan], np.ones(3), np.zeros(3))
    assert call.ins[0].dtype == bool  # a loop body selects by a yes or no
    np.testing.assert_array_equal(np.where(*call.ins), [0.0, 1.0, 1.0])


@pytest.mark.parametrize("branches", [(), (1.0,)])
def test_where_with_one_argument_is_refused_by_name(branches: Any):
    with pytest.raises(NotSupported, match=r"np\.where") as refused:
        grad(lambda x: np.where(x > 0, *branches))(1.0)
    assert "np.nonzero" in refused.value.render("en")
    assert "np.nonzero" in refused.value.render("pt")


# --- no gradient --------------------------------------------------------------------------------


def test_the_sign_is_constant_to_the_left_and_right():
    assert slope(lambda x: np.sign(x) * x, -3.0) == -1.0


def test_stop_gradient_stops_at_every_order():
    stop = corrente.gates.choices.stop_gradient
    assert slope(lambda x: stop(x) * x, 3.0) == 3.0
    assert slope(grad(lambda x: stop(x) * x * x), 3.0) == 6.0
    a = np.array([1.0])
    assert stop(a) is not a


@pytest.mark.parametrize("function", [np.round, np.around])
@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 2, 3])
def test_round_is_numpys_own_to_the_last_bit(function: Any, decimals: int):
    rng = np.random.default_rng(0)
    rule = corrente.record.COMPOSED[function]
    for x in (
        rng.normal(size=1000) * 100,
        (rng.normal(size=1000) * 100).astype(np.float32),
        rng.integers(-1000, 1000, 500),
        np.arange(-100, 100, 5, dtype=np.int16),
        1.5,
    ):
        out, want = rule(x, decimals), np.round(x, decimals)
        assert np.result_type(out) == np.result_type(want)
        np.testing.assert_array_equal(out, want)
    assert slope(lambda x: x * function(x, decimals), 123.456) == np.round(123.456, decimals)


def test_the_first_remainder_of_c_misses_no_step():
    # the quotient rounds up to 5, but only 4 steps were taken away
    x, y = np.array([3.4999999999999996]), np.array([0.7])
    assert np.trunc(x / y) == 5.0
    by_divisor = corrente.gates.arithmetic.fmod.pulls[1]
    assert by_divisor(np.ones(1), np.fmod(x, y), x, y) == -4.0


def test_complex_absolute_follows_the_convention():
    pull, push = corrente.gates.choices.absolute.pulls[0], corrente.gates.choices.absolute.push
    x = np.array([3.0 + 4.0j, 0.0])
    np.testing.assert_allclose(pull(np.ones(2), np.abs(x), x), [0.6 - 0.8j, 0.0])
    np.testing.assert_allclose(push((np.array([1j, 1.0]),), np.abs(x), (x,), {}), [0.8, 0.0])
