"""Describing: quantiles, what is missing, running products, covariances, histograms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from comparing import Same, same, smooth, spaced, without

import corrente as co
from corrente.errors import NotSupported

METHODS = (
    *("linear", "lower", "higher", "nearest", "midpoint", "interpolated_inverted_cdf"),
    *("hazen", "weibull", "median_unbiased", "normal_unbiased"),
)


def quantiles() -> list[Any]:
    x = spaced(1, 3, 4, 2)
    holed = without(spaced(2, 4, 5), (0, 1), (2, 0), (2, 3))
    many = np.array([0.0, 0.31, 1.0, 0.5])
    found = [
        same(f"median {axis} {keep}", lambda x, k=axis, d=keep: np.median(x, k, keepdims=d), x)
        for axis in (None, 0, -1, (0, 2), (2, 1))
        for keep in (False, True)
    ]
    found += [
        same(f"quantile {method}", lambda x, m=method: np.quantile(x, many, method=m), spaced(3, 7))
        for method in METHODS
    ]
    return [
        *found,
        same("median of an even number", np.median, spaced(4, 6)),
        same("quantile one", lambda x: np.quantile(x, 0.3, axis=1), x),
        same("quantile keepdims", lambda x: np.quantile(x, many, (0, 2), keepdims=True), x),
        same("quantile table", lambda x: np.quantile(x, many.reshape(2, 2)[:1], 1), x),
        same("quantile where", lambda x, q: np.quantile(x, q, axis=0), x, smooth(5, 2, high=0.9)),
        same("percentile", lambda x: np.percentile(x, [12, 80.5], axis=-1), x),
        same("percentile one", lambda x: np.percentile(x, 25), x),
        same("nanquantile", lambda x: np.nanquantile(x, [0.2, 0.6], axis=1), holed),
        same("nanpercentile", lambda x: np.nanpercentile(x, 40.0, axis=0), holed),
        same("nanmedian", lambda x: np.nanmedian(x, axis=1, keepdims=True), holed),
    ]  # fmt: skip


def missing() -> list[Any]:
    x = without(spaced(10, 3, 5), (0, 1), (2, 0), (2, 3))
    found = []
    for function in (np.nansum, np.nanprod, np.nanmax, np.nanmin, np.nanmean, np.nanvar, np.nanstd):
        for axis in (None, 0, (0, 1)):
            found.append(
                same(f"{function.__name__} {axis}", lambda x, f=function, k=axis: f(x, axis=k), x)
            )
        found.append(
            same(
                f"{function.__name__} keepdims",
                lambda x, f=function: f(x, axis=-1, keepdims=True),
                x,
            )
        )
    z = spaced(11, 4) + 1j * spaced(12, 4)
    return [
        *found,
        same("nanvar ddof", lambda x: np.nanvar(x, axis=1, ddof=1), x),
        same("nanstd correction", lambda x: np.nanstd(x, axis=1, correction=1), x),
        same("nancumsum", lambda x: np.nancumsum(x, axis=1), x),
        same("nancumprod", np.nancumprod, x),
        same("nanargmax", lambda x: x[np.nanargmax(x, axis=0), np.arange(5)], x),
        same("nanargmin", lambda x: x.ravel()[np.nanargmin(x)], x),
        same("nansum complex", lambda z: np.nansum(z * z), without(z, 1)),
        same("nanvar complex", np.nanvar, without(z, 1)),
    ]


def running() -> list[Any]:
    x = smooth(20, 2, 7, low=-1.5, high=1.5)
    return [
        *(same(f"cumprod {k}", lambda x, k=k: np.cumprod(x, axis=k), x) for k in (None, 0, 1, -1)),
        same("x.cumprod", lambda x: x.cumprod(1), x),
        same("cumulative_sum", lambda x: np.cumulative_sum(x, axis=1), x),
        same(
            "cumulative_sum from 0",
            lambda x: np.cumulative_sum(x, axis=0, include_initial=True),
            x,
        ),
        same("cumulative_prod", np.cumulative_prod, smooth(21, 4)),
        same(
            "cumulative_prod from 1",
            lambda x: np.cumulative_prod(x, axis=1, include_initial=True),
            x,
        ),
    ]


def together() -> list[Any]:
    x, y = smooth(30, 3, 6), smooth(31, 2, 6)
    weights = np.array([0.5, 1.0, 2.0, 0.3, 1.2, 0.8])
    counts = np.array([1, 2, 1, 3, 1, 1])
    z = smooth(32, 2, 5) + 1j * smooth(33, 2, 5)
    return [
        same("cov", np.cov, x),
        same("cov one", np.cov, x[0]),
        same("cov pair", np.cov, x[0], x[1]),
        same("cov more", np.cov, x, y),
        same("cov columns", lambda x, y: np.cov(x, y, rowvar=False), x.T, y.T),
        same("cov bias", lambda x: np.cov(x, bias=True), x),
        same("cov ddof", lambda x: np.cov(x, ddof=2), x),
        same("cov weights", lambda x, w: np.cov(x, aweights=w), x, weights),
        same("cov counts", lambda x: np.cov(x, fweights=counts), x),
        same("cov both", lambda x: np.cov(x, fweights=counts, aweights=weights), x),
        same("cov complex", lambda z: np.abs(np.cov(z)), z),
        same("corrcoef", np.corrcoef, x),
        same("corrcoef pair", np.corrcoef, x[0], x[1]),
        same("corrcoef columns", lambda x: np.corrcoef(x, rowvar=False)[0], x),
    ]


def binned() -> list[Any]:
    x, weights = smooth(40, 9), smooth(41, 9)
    edges = np.array([0.2, 0.7, 1.1, 1.9])
    places = np.array([2, 0, 2, 5, 1, 1, 0, 2, 5])
    return [
        same("bincount", lambda w: np.bincount(places, w), weights),
        same("bincount longer", lambda w: np.bincount(places, w, minlength=9), weights),
        same("bincount traced", lambda x, w: np.bincount(np.argsort(x) % 3, w), x, weights),
        same("histogram", lambda w: np.histogram(x, edges, weights=w)[0], weights),
        same("histogram range", lambda w: np.histogram(x, 4, (0.5, 1.5), weights=w)[0], weights),
        same(
            "density",
            lambda x, w: np.histogram(x, edges, weights=w, density=True)[0],
            x,
            weights,
        ),
        same("edges", lambda x: np.histogram_bin_edges(x, 4), x),
        same("edges of a histogram", lambda x: np.histogram(x, 4, weights=x)[1], x),
        same("histogram2d", lambda w: np.histogram2d(x, x[::-1], 3, weights=w)[0], weights),
        same(
            "histogramdd",
            lambda w: np.histogramdd(
                np.stack([x, x[::-1] * 2], 1), [edges, 3], density=True, weights=w
            )[0],
            weights,
        ),
    ]


CASES = [*quantiles(), *missing(), *running(), *together(), *binned()]


@pytest.mark.parametrize("case", CASES)
def test_it_gives_what_numpy_gives(case: Same):
    case.check_value()
    case.check_single()


@pytest.mark.parametrize("case", CASES)
def test_its_gradients_are_the_slopes(case: Same):
    # an element that is NaN cannot be moved, and every method reads the ends of the order
    numbers = [x[~np.isnan(x)] for x in case.args]

    def filled(*xs: Any) -> Any:
        return case.function(*map(put_back, xs, case.args))

    Same(filled, tuple(numbers)).check_slopes(rtol=1e-5)


def put_back(x: Any, template: Any) -> Any:
    whole = np.zeros_like(x, shape=template.shape)
    whole[...] = template
    whole[np.nonzero(~np.isnan(template))] = x
    return whole


@pytest.mark.parametrize(
    "function",
    [np.nansum, np.nanmean, np.nanmax, np.nanmedian, np.nanvar, np.nanstd, np.nanprod],
)
def test_what_is_missing_receives_no_gradient(function: Callable[..., Any]):
    gradient = co.grad(function)(np.array([2.0, np.nan, 0.5, 1.5]))
    assert gradient[1] == 0
    assert np.isfinite(gradient).all()
    assert gradient.any()


@pytest.mark.filterwarnings("ignore:All-NaN", "ignore:Mean of", "ignore:Degrees")
@pytest.mark.parametrize(
    "function", [np.nanmean, np.nanmax, np.nanmin, np.nanmedian, np.nanvar, np.nanstd, np.nansum]
)
def test_nothing_but_nan_gives_what_numpy_gives(function: Callable[..., Any]):
    x = np.array([[np.nan, np.nan], [1.0, 3.0]])
    np.testing.assert_array_equal(
        co.trace(lambda x: function(x, axis=1))(x).value, function(x, axis=1)
    )


def test_a_nan_is_seen_by_quantiles_and_medians():
    x = np.array([[1.0, np.nan, 2.0], [4.0, 5.0, 6.0]])
    for function in (np.median, lambda x, axis: np.quantile(x, 0.2, axis=axis)):
        found = co.trace(lambda x, f=function: f(x, axis=1))(x).value
        np.testing.assert_array_equal(np.isnan(found), [True, False])


@pytest.mark.parametrize("x", [[2.0, 0.0, 3.0, 4.0], [0.0, 0.0, 3.0, 2.0], [1.0, 2.0, 0.0, 0.0]])
def test_running_products_are_exact_where_factors_are_zero(x: Any):
    x = np.array(x)
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    jacobian = np.array(
        [
            [np.prod([x[j] for j in range(k + 1) if j != i]) * (i <= k) for i in range(4)]
            for k in range(4)
        ]
    )
    gradient = co.grad(lambda x: np.sum(np.cumprod(x) * weights))(x)
    np.testing.assert_allclose(gradient, weights @ jacobian)
    co.check_grads(lambda x: np.sum(np.cumprod(x) * weights), (x,), order=3)


def test_equal_elements_have_no_spread_and_no_slope():
    np.testing.assert_array_equal(co.grad(np.nanstd)(np.ones(3)), np.zeros(3))


def test_counting_gives_no_gradient_and_the_right_numbers():
    seen = []

    def count(x: Any) -> Any:
        seen.append(np.histogram(x, 3)[0].now())
        seen.append(np.bincount(np.argsort(x)).now())
        return np.sum(x)

    x = smooth(50, 8)
    co.grad(count)(x)
    np.testing.assert_array_equal(seen[0], np.histogram(x, 3)[0])
    np.testing.assert_array_equal(seen[1], np.ones(8))
    assert seen[0].dtype == seen[1].dtype == np.intp


def test_refusals_name_what_is_refused():
    x = smooth(60, 4)
    with pytest.raises(NotSupported, match="inverted_cdf"):
        co.grad(lambda x: np.quantile(x, 0.5, method="inverted_cdf"))(x)
    with pytest.raises(NotSupported, match="weights"):
        co.grad(lambda x: np.quantile(x, 0.5, weights=x, method="inverted_cdf"))(x)
    with pytest.raises(ValueError, match="range"):
        co.grad(lambda x: np.quantile(x, 1.5))(x)
    with pytest.raises(NotSupported, match="auto"):
        co.grad(lambda x: np.sum(np.histogram_bin_edges(x, "auto")))(x)
