"""NumPy's functions that write into their first argument: on a traced array, a traced write."""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.gates.calls import axis_of
from corrente.gates.given import given, in_range, in_type, repeated, spread_out
from corrente.gates.selection import along_axis
from corrente.record import composed


@composed(np.copyto)
def _copyto(dst: Any, src: Any, casting: str = "same_kind", where: Any = True) -> None:
    if where is True:
        dst[...] = src
        return
    chosen = np.broadcast_to(given(where), np.shape(dst))
    dst[chosen] = np.broadcast_to(given(src), np.shape(dst))[chosen]


@composed(np.put)
def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    places = np.ravel(in_range(ind, np.size(a), mode))
    a[spread_out(places, np.shape(a))] = repeated(v, np.size(places))


@composed(np.place)
def _place(arr: Any, mask: Any, vals: Any) -> None:
    chosen = np.reshape(in_type(mask, bool), np.shape(arr))
    arr[chosen] = repeated(vals, int(np.count_nonzero(chosen)))


@composed(np.putmask)
def _putmask(a: Any, mask: Any, values: Any) -> None:
    chosen = np.reshape(in_type(mask, bool), np.shape(a))
    a[chosen] = np.reshape(repeated(values, np.size(a)), np.shape(a))[chosen]


@composed(np.put_along_axis)
def _put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    if axis is None:
        arr[spread_out(given(indices), np.shape(arr))] = values
    else:
        arr[along_axis(np.shape(arr), given(indices), axis_of(axis, arr))] = values


@composed(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    # NumPy itself finds the places, on numbers of the same shape
    marked = np.zeros(np.shape(a), bool)
    np.fill_diagonal(marked, True, wrap)
    places = np.nonzero(marked)
    a[places] = repeated(val, len(places[0]))
