"""Laying out: ranges between traced ends, grids, blocks, triangles and functions along axes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from corrente.gates.calls import axis_of, refuse
from corrente.gates.given import given, in_type, spread_out
from corrente.record import composed

# --- ranges -------------------------------------------------------------------------------------


def _end(x: Any) -> Any:
    """Return an end of a range; Python's numbers stay, for they do not widen float32."""
    return x if type(x) in (int, float, complex) else given(x)


def _counted(num: Any, like: Any) -> Any:
    """Count from zero along a new first axis."""
    return np.reshape(np.arange(num, dtype=like.dtype), (-1,) + (1,) * np.ndim(like))


@composed(np.linspace)
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: str | None = None,
) -> Any:
    start, stop, num = _end(start), _end(stop), operator.index(num)
    whole = stop - start
    steps = num - 1 if endpoint else num
    counted = _counted(num, whole)
    step = whole / steps if steps > 0 else np.nan
    out = counted * (step if steps > 0 else whole) + start
    if endpoint and num > 1:
        out = np.where(counted == steps, stop, out)
    out = _placed(out, axis, dtype)
    return (out, step) if retstep else out


def _placed(out: Any, axis: int, dtype: Any) -> Any:
    """Move the first axis where it is wanted, and give the dtype that is wanted."""
    if axis != 0:
        out = np.moveaxis(out, 0, axis)
    if dtype is None or out.dtype == np.dtype(dtype):
        return out
    return np.astype(np.floor(out) if np.dtype(dtype).kind in "iu" else out, np.dtype(dtype))


def _with_axes(x: Any, ndim: int) -> Any:
    """Give x axes of length one in front."""
    return np.reshape(x, (1,) * (ndim - np.ndim(x)) + np.shape(x))


@composed(np.logspace)
def _logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    if np.ndim(base):
        ndim = max(map(np.ndim, (start, stop, base)))
        start, stop, base = (_with_axes(given(x), ndim) for x in (start, stop, base))
        base = np.expand_dims(base, axis)
    out = base ** np.linspace(start, stop, num, endpoint, axis=axis)
    return out if dtype is None else np.astype(out, dtype)


@composed(np.geomspace)
def _geomspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Any:
    # in double precision at least, as NumPy does
    start, stop = (in_type(x, np.result_type(given(x), np.float64)) for x in (start, stop))
    if np.any(start == 0) or np.any(stop == 0):
        raise ValueError("Geometric sequence cannot include zero")
    refuse("geomspace", complex=np.iscomplexobj(start) or np.iscomplexobj(stop))
    sign = np.sign(start)
    out = sign * np.logspace(np.log10(start * sign), np.log10(stop * sign), num, endpoint)
    counted = _counted(num, out[0]) if num else out
    # the ends exactly: a power of a logarithm is rounded twice
    out = np.where(counted == 0, start, out)
    if endpoint and num > 1:
        out = np.where(counted == num - 1, stop, out)
    return _placed(out, axis, dtype)


# --- grids and blocks ---------------------------------------------------------------------------


@composed(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    count = len(xi)
    turned = [1, 0, *range(2, count)] if indexing == "xy" and count > 1 else list(range(count))
    rows = [
        np.reshape(given(x), tuple(-1 if k == turned[axis] else 1 for k in range(count)))
        for axis, x in enumerate(xi)
    ]
    if sparse:
        return tuple(np.copy(x) if copy else x for x in rows)
    shape = np.broadcast_shapes(*map(np.shape, rows))
    grids = (np.broadcast_to(x, shape) for x in rows)
    return tuple(np.copy(grid) if copy else grid for grid in grids)


@composed(np.ix_)
def _ix(*args: Any) -> tuple[Any, ...]:
    rows = [given(x) for x in args]
    if any(np.ndim(x) != 1 for x in rows):
        raise ValueError("Cross index must be 1 dimensional")
    rows = [np.flatnonzero(x) if x.dtype == bool else x for x in rows]
    return tuple(
        np.reshape(x, tuple(-1 if k == axis else 1 for k in range(len(rows))))
        for axis, x in enumerate(rows)
    )


def _depth(arrays: Any) -> int:
    return 1 + max(map(_depth, arrays), default=0) if isinstance(arrays, list) else 0


def _widest(arrays: Any) -> int:
    return max(map(_widest, arrays), default=0) if isinstance(arrays, list) else np.ndim(arrays)


@composed(np.block)
def _block(arrays: Any) -> Any:
    depth = _depth(arrays)
    ndim = max(depth, _widest(arrays))

    def joined(part: Any, level: int) -> Any:
        if not isinstance(part, list):
            part = given(part)
            return np.reshape(part, (1,) * (ndim - np.ndim(part)) + np.shape(part))
        pieces = [joined(piece, level - 1) for piece in part]
        return np.concatenate(pieces, axis=-level)

    return joined(arrays, depth)


@composed(np.rollaxis)
def _rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    ndim = np.ndim(a)
    axis = axis_of(axis, a)
    start = normalize_axis_index(start if start >= 0 else start + ndim, ndim + 1)
    return np.moveaxis(a, axis, start - 1 if axis < start else start)


@composed(np.diagflat)
def _diagflat(v: Any, k: int = 0) -> Any:
    return np.diag(np.ravel(v), k)


# --- functions along axes -----------------------------------------------------------------------


@composed(np.apply_along_axis)
def _apply_along_axis(
    func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any
) -> Any:
    axis = axis_of(axis, arr)
    lines = np.moveaxis(given(arr), axis, -1)
    rest = np.shape(lines)[:-1]
    rows = np.reshape(lines, (-1, np.shape(lines)[-1]))
    if not len(rows):
        raise ValueError("Cannot apply_along_axis when any iteration dimensions are 0")
    made = np.stack([func1d(row, *args, **kwargs) for row in rows])
    out = np.reshape(made, (*rest, *np.shape(made)[1:]))
    extra = range(len(rest), np.ndim(out))
    return np.moveaxis(out, tuple(extra), tuple(axis + k for k in range(len(extra))))


@composed(np.apply_over_axes)
def _apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Any:
    ndim = np.ndim(a)
    for axis in np.atleast_1d(axes).tolist():
        done = func(a, axis)
        a = done if np.ndim(done) == ndim else np.expand_dims(done, axis_of(axis, a))
    return a


# --- places and types ---------------------------------------------------------------------------


@composed(np.unravel_index)
def _unravel_index(indices: Any, shape: Any, order: str = "C") -> tuple[Any, ...]:
    refuse("unravel_index", order=order if order != "C" else None)
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    return spread_out(given(indices), shape)


@composed(np.ravel_multi_index)
def _ravel_multi_index(multi_index: Any, dims: Any, mode: str = "raise", order: str = "C") -> Any:
    refuse("ravel_multi_index", mode=mode if mode != "raise" else None)
    refuse("ravel_multi_index", order=order if order != "C" else None)
    places: Any = 0
    for at, length in zip(multi_index, dims, strict=True):
        places = places * length + at
    return places


def _shaped(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make the rule of a function that asks an array for its shape only."""
    return lambda arr, *args, **kwargs: function(np.empty(np.shape(arr)), *args, **kwargs)


for _asks in (np.diag_indices_from, np.tril_indices_from, np.triu_indices_from):
    composed(_asks)(_shaped(_asks))


@composed(np.common_type)
def _common_type(*arrays: Any) -> Any:
    return np.common_type(*(np.empty(0, x.dtype) for x in arrays))


@composed(np.einsum_path)
def _einsum_path(subscripts: Any, *operands: Any, optimize: Any = "greedy") -> Any:
    shaped = (np.broadcast_to(0.0, np.shape(x)) for x in operands)
    return np.einsum_path(subscripts, *shaped, optimize=optimize)


def _laid_out(a: Any, dtype: Any = None, **_: Any) -> Any:
    """Copy an array: on a wire it has an order of its own, and what NumPy asks for is met."""
    return np.copy(a) if dtype is None else np.astype(a, dtype)


for _lays_out in (np.ascontiguousarray, np.asfortranarray):
    composed(_lays_out)(_laid_out)


@composed(np.require)
def _require(a: Any, dtype: Any = None, requirements: Any = None) -> Any:
    return _laid_out(a, dtype)
