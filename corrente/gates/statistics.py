"""Describing: medians and quantiles, sums without what is missing, covariances, histograms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.errors import NotSupported
from corrente.gates.calls import Axis, along, axes_of, axis_of, refuse
from corrente.gates.given import given, in_type
from corrente.gates.reductions import folded, in_a_row
from corrente.record import Call, Opaque, call, composed, gate
from corrente.words import Says

# --- medians and quantiles ----------------------------------------------------------------------

# how far beyond the ends of the elements each way of counting places its quantiles
_MARGINS = {
    "interpolated_inverted_cdf": (0.0, 1.0),
    "hazen": (0.5, 0.5),
    "weibull": (0.0, 0.0),
    "median_unbiased": (1 / 3.0, 1 / 3.0),
    "normal_unbiased": (3 / 8.0, 3 / 8.0),
}
_ROUNDED: dict[str, Callable[[Any], Any]] = {
    "linear": lambda place: place,
    "lower": np.floor,
    "higher": np.ceil,
    "nearest": np.round,
    "midpoint": lambda place: 0.5 * (np.floor(place) + np.ceil(place)),
}


def _place(count: Any, q: Any, method: str) -> Any:
    """Return where a quantile lies among sorted elements, counted from 0; seldom a whole number."""
    if method in _ROUNDED:
        return _ROUNDED[method]((count - 1) * q)
    if method not in _MARGINS:
        raise NotSupported(
            Says(
                "quantiles of a traced value by method={0} are not supported.",
                "quantis de um valor traçado por method={0} não são suportados.",
            ).fill(repr(method)),
            Says("one of {0}.", "um destes: {0}.").fill(", ".join((*_ROUNDED, *_MARGINS))),
        )
    low, high = _MARGINS[method]
    return count * q + (low + q * (1 - low - high)) - 1


def _whole(place: Any) -> Any:
    return np.astype(np.floor(place), np.intp)


def _quantiles(a: Any, q: Any, axis: Axis, method: str, keepdims: bool, missing: bool) -> Any:
    """Read quantiles off the sorted elements; `missing` leaves NaN out, element by element."""
    if np.iscomplexobj(a):
        raise TypeError("a must be an array of real numbers")
    weak, q = type(q) in (int, float), given(q)
    if np.any((q < 0) | (q > 1)):
        raise ValueError("Quantiles must be in the range [0, 1]")
    axes = axes_of(axis, a)
    row = np.sort(in_a_row(a, axes), axis=-1)
    length = np.shape(row)[-1]
    count: Any = length
    if missing:
        count = np.sum(~np.isnan(row), axis=-1, keepdims=True)
    place = _place(count, np.reshape(q, (1,) * (np.ndim(row) - 1) + (-1,)), method)
    below = np.clip(_whole(place), 0, np.maximum(count - 1, 0))
    above = np.clip(_whole(place) + 1, 0, np.maximum(count - 1, 0))
    out = np.take_along_axis(row, below, -1)
    if method not in _ROUNDED or _ROUNDED[method] not in (np.floor, np.ceil, np.round):
        share = place - np.floor(place)
        if weak and row.dtype.kind == "f":
            share = in_type(share, row.dtype)
        out = out + (np.take_along_axis(row, above, -1) - out) * share
    if not missing:
        out = _or_nan(row, out)
    kept = folded(np.shape(a), axes, keepdims)
    return np.reshape(np.moveaxis(out, -1, 0), (*np.shape(q), *kept))


def _or_nan(row: Any, out: Any) -> Any:
    """Return NaN for each sorted row that holds one: it stands at the end."""
    last = row[..., -1:]
    return np.where(np.isnan(last), last, out)


Rule = Callable[..., Any]


def _takes_quantiles(name: str, missing: bool, scale: float) -> Rule:
    def rule(
        a: Any,
        q: Any,
        axis: Axis = None,
        out: Any = None,
        overwrite_input: bool = False,
        method: str = "linear",
        keepdims: bool = False,
        *,
        weights: Any = None,
    ) -> Any:
        refuse(name, out=out, weights=weights)
        q = q if scale == 1 else (q if type(q) in (int, float) else given(q)) / scale
        return _quantiles(given(a), q, axis, method, bool(keepdims), missing)

    return rule


composed(np.quantile)(_takes_quantiles("quantile", missing=False, scale=1))
composed(np.percentile)(_takes_quantiles("percentile", missing=False, scale=100))
composed(np.nanquantile)(_takes_quantiles("nanquantile", missing=True, scale=1))
composed(np.nanpercentile)(_takes_quantiles("nanpercentile", missing=True, scale=100))


@composed(np.median)
def _median(
    a: Any,
    axis: Axis = None,
    out: Any = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Any:
    refuse("median", out=out)
    axes = axes_of(axis, a)
    row = np.sort(in_a_row(a, axes), axis=-1)
    length = np.shape(row)[-1]
    middle = row[..., max(length - 1, 0) // 2 : length // 2 + 1]
    out = _or_nan(row, np.mean(middle, axis=-1, keepdims=True))
    return np.reshape(out, folded(np.shape(a), axes, keepdims))


@composed(np.nanmedian)
def _nanmedian(
    a: Any,
    axis: Axis = None,
    out: Any = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Any:
    refuse("nanmedian", out=out)
    return _quantiles(a, 0.5, axis, "linear", bool(keepdims), missing=True)


# --- without what is missing --------------------------------------------------------------------


def _filled(function: Rule, filling: int) -> Rule:
    """Make the rule that puts a neutral number where elements are NaN."""

    def rule(
        a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Any:
        refuse(f"nan{function.__name__}", dtype=dtype, out=out)
        return function(np.where(np.isnan(a), filling, a), axis=axis, keepdims=keepdims)

    return rule


composed(np.nansum)(_filled(np.sum, 0))
composed(np.nanprod)(_filled(np.prod, 1))


def _running(function: Rule, filling: int) -> Rule:
    def rule(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Any:
        refuse(f"nan{function.__name__}", dtype=dtype, out=out)
        return function(np.where(np.isnan(a), filling, a), axis=axis)

    return rule


composed(np.nancumsum)(_running(np.cumsum, 0))
composed(np.nancumprod)(_running(np.cumprod, 1))


def _extreme(function: Rule, filling: float) -> Rule:
    def rule(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        refuse(f"nan{function.__name__}", out=out)
        if a.dtype.kind != "f":
            return function(a, axis=axis, keepdims=keepdims)
        missing = np.isnan(a)
        found = function(np.where(missing, filling, a), axis=axis, keepdims=keepdims)
        return np.where(np.all(missing, axis=axis, keepdims=keepdims), np.nan, found)

    return rule


composed(np.nanmax)(_extreme(np.max, -np.inf))
composed(np.nanmin)(_extreme(np.min, np.inf))


def _place_of_extreme(function: Rule, filling: float) -> Rule:
    def rule(a: Any, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Any:
        refuse(f"nan{function.__name__}", out=out)
        missing = np.isnan(a)
        if np.any(np.all(missing, axis=axis)):
            raise ValueError("All-NaN slice encountered")
        return function(np.where(missing, filling, a), axis=axis, keepdims=keepdims)

    return rule


composed(np.nanargmax)(_place_of_extreme(np.argmax, -np.inf))
composed(np.nanargmin)(_place_of_extreme(np.argmin, np.inf))


def _present(a: Any, axis: Axis, keepdims: bool) -> Any:
    """Count the elements that are not NaN, in the precision of the elements."""
    dtype = np.finfo(a.dtype).dtype if a.dtype.kind in "fc" else float
    return np.sum(np.astype(~np.isnan(a), dtype), axis=axis, keepdims=keepdims)


def _or_nothing(count: Any) -> Any:
    """Return a divisor: NaN where there is nothing to divide by, so that nothing warns."""
    return np.where(count > 0, count, np.nan)


@composed(np.nanmean)
def _nanmean(
    a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False
) -> Any:
    refuse("nanmean", dtype=dtype, out=out)
    total = np.sum(np.where(np.isnan(a), 0, a), axis=axis, keepdims=keepdims)
    return total / _or_nothing(_present(a, axis, keepdims))


@composed(np.nanvar)
def _nanvar(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    refuse("nanvar", dtype=dtype, out=out)
    ddof = ddof if correction is None else correction
    far = np.where(np.isnan(a), 0, a - np.nanmean(a, axis=axis, keepdims=True))
    squares = np.real(far * np.conjugate(far)) if np.iscomplexobj(far) else far * far
    degrees = _or_nothing(_present(a, axis, keepdims) - ddof)
    return np.sum(squares, axis=axis, keepdims=keepdims) / degrees


@composed(np.nanstd)
def _nanstd(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    refuse("nanstd", dtype=dtype, out=out)
    ddof = ddof if correction is None else correction
    spread = np.nanvar(a, axis=axis, ddof=ddof, keepdims=keepdims)
    still = spread == 0  # a kink, as in np.std, and the same convention: no gradient
    return np.where(still, 0, np.sqrt(np.where(still, 1, spread)))


# --- running products and sums ------------------------------------------------------------------


def _takes_cumprod(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Call:
    refuse("cumprod", dtype=dtype, out=out)
    if axis is None:
        return call(np.ravel(a), axis=0)
    return call(a, axis=axis_of(axis, a))


def _earlier(x: Any, axis: int, steps: int, filling: int) -> Any:
    """Shift x along an axis towards its beginning, and fill up behind."""
    width = [(0, 0)] * np.ndim(x)
    width[axis] = (0, steps)
    return np.pad(x[along(axis, slice(steps, None))], width, constant_values=filling)


def _pull_cumprod(g: Any, out: Any, x: Any, axis: int) -> Any:
    """Return, for each factor, the products it is in without it; exact where factors are zero.

    What comes back from later products is a recurrence, s[k] = g[k] + x[k+1]·s[k+1]; it is
    solved in log n steps, each of which joins neighbouring stretches of twice the length.
    """
    length = np.shape(x)[axis]
    behind, total, steps = _earlier(x, axis, 1, 0), g, 1
    while steps < length:
        total = total + behind * _earlier(total, axis, steps, 0)
        behind = behind * _earlier(behind, axis, steps, 0)
        steps *= 2
    before = np.concatenate(
        [np.ones_like(out[along(axis, slice(0, 1))]), out[along(axis, slice(0, -1))]], axis=axis
    )
    return before * total


cumprod = gate(
    np.cumprod,
    kind=Opaque(batch=lambda x, axis: np.cumprod(x, axis=axis + 1)),
    takes=_takes_cumprod,
    shape=lambda x, axis: x,
    pulls=(_pull_cumprod,),
    symbol="∏…",
    code=None,
    does=Says(en="multiplies {0} up step by step", pt="multiplica {0} passo a passo"),
    teaches=Says(
        en="gives each element, from every product it is in, the gradient times the other factors",
        pt="dá a cada elemento, de cada produto em que está, o gradiente vezes os outros fatores",
    ),
    example=lambda rng: call(rng.uniform(0.3, 1.5, size=(2, 6)), axis=1),
)


def _cumulative(name: str, function: Rule, first: int) -> Rule:
    def rule(
        x: Any,
        /,
        *,
        axis: int | None = None,
        dtype: Any = None,
        out: Any = None,
        include_initial: bool = False,
    ) -> Any:
        refuse(name, dtype=dtype, out=out)
        if axis is None and np.ndim(x) > 1:
            raise ValueError("For arrays which have more than one dimension ``axis`` is required.")
        axis = axis_of(0 if axis is None else axis, x)
        done = function(x, axis=axis)
        if not include_initial:
            return done
        width = [(0, 0)] * np.ndim(x)
        width[axis] = (1, 0)
        return np.pad(done, width, constant_values=first)

    return rule


composed(np.cumulative_sum)(_cumulative("cumulative_sum", np.cumsum, 0))
composed(np.cumulative_prod)(_cumulative("cumulative_prod", np.cumprod, 1))


# --- covariances --------------------------------------------------------------------------------


def _rows(m: Any, turned: bool) -> Any:
    """Return variables as rows of at least double precision, as NumPy's covariance does."""
    rows = np.atleast_2d(given(m))
    rows = in_type(rows, np.result_type(rows.dtype, np.float64))
    return np.transpose(rows) if turned else rows


def _conjugate(x: Any) -> Any:
    return np.conjugate(x) if np.iscomplexobj(x) else x


@composed(np.cov)
def _cov(
    m: Any,
    y: Any = None,
    rowvar: bool = True,
    bias: bool = False,
    ddof: int | None = None,
    fweights: Any = None,
    aweights: Any = None,
    *,
    dtype: Any = None,
) -> Any:
    refuse("cov", dtype=dtype)
    rows = _rows(m, turned=not rowvar and np.ndim(m) != 1)
    if y is not None:
        more = _rows(y, turned=not rowvar and np.shape(np.atleast_2d(given(y)))[0] != 1)
        rows = np.concatenate([rows, more], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    given_weights = [given(w) for w in (fweights, aweights) if w is not None]
    if not given_weights:
        far = rows - np.mean(rows, axis=1, keepdims=True)
        return np.squeeze(far @ np.transpose(_conjugate(far)) / (np.shape(rows)[1] - ddof))
    weights = given_weights[0] if len(given_weights) == 1 else given_weights[0] * given_weights[1]
    total = np.sum(weights)
    far = rows - np.sum(rows * weights, axis=1, keepdims=True) / total
    lost = np.sum(weights * given_weights[-1]) / total if aweights is not None else 1
    return np.squeeze((far * weights) @ np.transpose(_conjugate(far)) / (total - ddof * lost))


@composed(np.corrcoef)
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Any:
    refuse("corrcoef", dtype=dtype)
    shared = np.cov(x, y, rowvar)
    if np.ndim(shared) == 0:
        return shared / shared
    own = np.diagonal(shared)
    spread = np.sqrt(np.real(own) if np.iscomplexobj(own) else own)
    shared = shared / spread[:, None] / spread
    if np.iscomplexobj(shared):
        return shared
    # rounding may pass 1; the diagonal, which is 1, must be no tie and no kink
    alone = np.eye(len(own), dtype=bool) & (own > 0)
    shared = np.where(alone, 0.0, shared)
    shared = np.where(shared > 1, 1.0, np.where(shared < -1, -1.0, shared))
    return np.where(alone, 1.0, shared)
