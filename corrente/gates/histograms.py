"""Counting: how many elements, or how much weight, fall into each bin."""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.gates.calls import refuse
from corrente.gates.given import given, in_type
from corrente.gates.indexing import is_traced
from corrente.record import composed


@composed(np.bincount)
def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Any:
    x = given(x)
    length = max(int(np.max(x)) + 1, minlength) if np.size(x) else minlength
    plain = np.ones(np.shape(x), np.intp)
    weighed = plain if weights is None else in_type(weights, np.float64)
    like = weighed if is_traced(weighed) else x
    counts = np.zeros_like(like, shape=(length,), dtype=weighed.dtype)
    np.add.at(counts, x, weighed)
    return counts


def _edges(a: Any, bins: Any, limits: Any) -> Any:
    """Return the edges of equal bins, or those that were given."""
    if isinstance(bins, str):
        refuse("histogram", bins=bins)
    if np.ndim(bins):
        return given(bins)
    low, high = (np.min(a), np.max(a)) if limits is None else limits
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, int(bins) + 1)


@composed(np.histogram_bin_edges)
def _bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    return _edges(given(a), bins, range)


def _listed(bins: Any) -> bool:
    """Tell whether bins are given axis by axis."""
    return hasattr(bins, "__len__") and not isinstance(bins, str)


def _bin_of(a: Any, edges: Any) -> Any:
    """Return the bin of each element; −1 and beyond the last for those outside."""
    at = np.searchsorted(edges, a, side="right") - 1
    return np.where(a == edges[-1], np.shape(edges)[0] - 2, at)


@composed(np.histogram)
def _histogram(
    a: Any, bins: Any = 10, range: Any = None, density: bool | None = None, weights: Any = None
) -> Any:
    weights = None if weights is None else np.ravel(given(weights))
    limits = None if range is None else [range]
    points = np.reshape(given(a), (-1, 1))
    counts, edges = np.histogramdd(points, [bins], limits, density, weights)
    if weights is not None and not density:
        counts = in_type(counts, weights.dtype)
    return counts, edges[0]


@composed(np.histogram2d)
def _histogram2d(
    x: Any,
    y: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> Any:
    points = np.stack([given(x), given(y)], axis=1)
    if _listed(bins) and len(bins) not in (1, 2):
        bins = [bins, bins]
    counts, edges = np.histogramdd(points, bins, range, density, weights)
    return counts, *edges


@composed(np.histogramdd)
def _histogramdd(
    sample: Any,
    bins: Any = 10,
    range: Any = None,
    density: bool | None = None,
    weights: Any = None,
) -> Any:
    points = np.transpose(given(sample))
    bins = bins if _listed(bins) else [bins] * len(points)
    limits = [None] * len(points) if range is None else range
    edges = [_edges(*row) for row in zip(points, bins, limits, strict=True)]
    shape = tuple(np.shape(ends)[0] - 1 for ends in edges)
    places = [_bin_of(x, ends) for x, ends in zip(points, edges, strict=True)]
    inside = np.all([(at >= 0) & (at < n) for at, n in zip(places, shape, strict=True)], axis=0)
    flat = places[0]
    for at, length in zip(places[1:], shape[1:], strict=True):
        flat = flat * length + at
    weights = None if weights is None else given(weights)[inside]
    counts = np.reshape(np.bincount(flat[inside], weights, int(np.prod(shape))), shape)
    if density:
        counts = counts / np.sum(counts)
        for k, ends in enumerate(edges):
            counts = counts / np.reshape(np.diff(ends), (-1,) + (1,) * (len(shape) - k - 1))
    return counts, edges
