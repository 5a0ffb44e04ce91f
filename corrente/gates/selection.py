"""Selecting: elements in order, elements at places, one of several, all but some."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.errors import NotSupported
from corrente.gates.calls import along, axis_of, numbers, refuse, written
from corrente.gates.given import given, in_range, in_type, readable, repeated
from corrente.gates.indexing import is_traced
from corrente.record import Call, Opaque, call, composed, gate
from corrente.words import Says

# --- in order -----------------------------------------------------------------------------------


def _spaced(rng: np.random.Generator, *shape: int) -> Any:
    """Draw numbers in any order, no two of which a small step makes equal."""
    return rng.permutation(0.3 * np.arange(np.prod(shape, dtype=int)) - 1.0).reshape(shape)


def _takes_sort(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: Any = None,
    *,
    stable: bool | None = None,
) -> Call:
    refuse("sort", order=order)
    if axis is None:
        return call(np.ravel(a), axis=0)
    return call(a, axis=axis_of(axis, a))


def _places(x: Any, axis: int) -> Any:
    """Return the place that each element takes in the order; equal ones keep theirs."""
    return np.argsort(np.argsort(x, axis=axis, stable=True), axis=axis)


def _push_sort(tangents: Any, out: Any, ins: Any, params: Any) -> Any:
    axis = params["axis"]
    return np.take_along_axis(tangents[0], np.argsort(ins[0], axis=axis, stable=True), axis)


sort = gate(
    np.sort,
    kind=Opaque(batch=lambda x, axis: np.sort(x, axis=axis + 1)),
    takes=_takes_sort,
    shape=lambda x, axis: x,
    pulls=(lambda g, out, x, axis: np.take_along_axis(g, _places(x, axis), axis),),
    push=_push_sort,
    side=lambda x, axis: np.argsort(x, axis=axis),
    symbol="sort",
    code=written("sort"),
    does=Says(en="puts the elements of {0} in order", pt="põe os elementos de {0} em ordem"),
    teaches=Says(
        en="carries the gradient back to the places the elements came from; "
        "equal elements keep their order",
        pt="leva o gradiente de volta aos lugares de onde os elementos vieram; "
        "elementos iguais mantêm a sua ordem",
    ),
    example=lambda rng: call(_spaced(rng, 3, 4), axis=1),
)


@composed(np.sort_complex)
def _sort_complex(a: Any) -> Any:
    small = a.dtype.kind in "iu" and a.dtype.itemsize < 4
    wide = np.result_type(a.dtype, np.complex64 if small else np.complex128)
    return np.sort(a if np.iscomplexobj(a) else np.astype(a, wide))


def _takes_partition(
    a: Any, kth: Any, axis: int | None = -1, kind: str = "introselect", order: Any = None
) -> Call:
    refuse("partition", order=order)
    if axis is None:
        a, axis = np.ravel(a), 0
    return call(a, kth=numbers(kth), axis=axis_of(axis, a))


def _unpartition(g: Any, out: Any, x: Any, kth: tuple[int, ...], axis: int) -> Any:
    # the partition's own order is NumPy's secret; sorted, output and input match one to one
    ordered = np.take_along_axis(g, np.argsort(out, axis=axis, stable=True), axis)
    return np.take_along_axis(ordered, _places(x, axis), axis)


partition = gate(
    np.partition,
    kind=Opaque(batch=lambda x, kth, axis: np.partition(x, kth, axis=axis + 1)),
    takes=_takes_partition,
    shape=lambda x, kth, axis: x,
    pulls=(_unpartition,),
    side=lambda x, kth, axis: np.argsort(x, axis=axis),
    symbol="partition",
    code=written("partition"),
    does=Says(
        en="moves the smaller elements of {0} before the chosen places, and the greater after",
        pt="move os elementos menores de {0} para antes dos lugares escolhidos, "
        "e os maiores para depois",
    ),
    teaches=Says(
        en="carries the gradient back to the places the elements came from",
        pt="leva o gradiente de volta aos lugares de onde os elementos vieram",
    ),
    example=lambda rng: call(_spaced(rng, 3, 5), kth=(1, 3), axis=1),
)

_ORDER = Says(
    en="lets no gradient through: an order moves in jumps",
    pt="não deixa passar gradiente: uma ordem anda aos saltos",
)

argpartition = gate(
    np.argpartition,
    kind=Opaque(batch=lambda x, kth, axis: np.argpartition(x, kth, axis=axis + 1)),
    takes=_takes_partition,
    shape=lambda x, kth, axis: x,
    pulls=None,
    symbol="argpartition",
    code=written("argpartition"),
    does=Says(
        en="finds which elements of {0} come before the chosen places, and which after",
        pt="encontra quais elementos de {0} vêm antes dos lugares escolhidos, e quais depois",
    ),
    teaches=_ORDER,
    example=lambda rng: call(_spaced(rng, 3, 5), kth=(2,), axis=1),
)


def _takes_keys(keys: Any, axis: int = -1) -> Call:
    parts = tuple(keys)
    return call(*parts, axis=axis_of(axis, parts[0]))


lexsort = gate(
    np.lexsort,
    kind=Opaque(batch=lambda *keys, axis: np.lexsort(keys, axis=axis + 1)),
    takes=_takes_keys,
    forward=lambda *keys, axis: np.lexsort(keys, axis=axis),
    shape=lambda *shapes, axis: shapes[0],
    pulls=None,
    symbol="lexsort",
    code=lambda names, params: f"np.lexsort([{', '.join(names)}], axis={params['axis']})",
    does=Says(
        en="finds the order that sorts by the last key, and among equals by the one before",
        pt="encontra a ordem segundo a última chave e, entre iguais, segundo a anterior",
    ),
    teaches=_ORDER,
    example=lambda rng: call(_spaced(rng, 5), np.array([1.0, 0.0, 1.0, 0.0, 0.0]), axis=0),
)


# --- at places ----------------------------------------------------------------------------------


def along_axis(shape: tuple[int, ...], indices: Any, axis: int) -> tuple[Any, ...]:
    """Return the index that reads or writes `indices` along one axis and all of the others."""
    if np.ndim(indices) != len(shape):
        raise ValueError(
            f"the indices have {np.ndim(indices)} dimensions and the array {len(shape)}"
        )
    grid = np.ogrid[tuple(slice(n) for n in shape)]
    return tuple(indices if k == axis else places for k, places in enumerate(grid))


@composed(np.take_along_axis)
def _take_along_axis(arr: Any, indices: Any, axis: int | None = -1) -> Any:
    indices = given(indices)
    arr = readable(arr, indices)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    return arr[along_axis(np.shape(arr), indices, axis_of(axis, arr))]


@composed(np.take)
def _take(
    a: Any, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise"
) -> Any:
    refuse("take", out=out)
    a = readable(a, indices)
    if axis is None:
        a, axis = np.ravel(a), 0
    axis = axis_of(axis, a)
    # an index array even for one element: what is taken is a copy, never a view
    return a[along(axis, in_range(indices, np.shape(a)[axis], mode))]


@composed(np.compress)
def _compress(condition: Any, a: Any, axis: int | None = None, out: Any = None) -> Any:
    refuse("compress", out=out)
    return np.take(a, np.flatnonzero(given(condition)), axis=axis)


@composed(np.extract)
def _extract(condition: Any, arr: Any) -> Any:
    return np.take(np.ravel(given(arr)), np.flatnonzero(given(condition)))


# --- one of several -----------------------------------------------------------------------------


@composed(np.choose)
def _choose(a: Any, choices: Any, out: Any = None, mode: str = "raise") -> Any:
    refuse("choose", out=out)
    # a Python number among the choices widens nothing
    dtype = np.result_type(*choices)
    a, parts = given(a), [in_type(part, dtype) for part in choices]
    shape = np.broadcast_shapes(np.shape(a), *map(np.shape, parts))
    which = np.broadcast_to(in_range(a, len(parts), mode), shape)
    if mode == "raise" and np.any((which < 0) | (which >= len(parts))):
        raise ValueError("invalid entry in choice array")
    layers = np.stack([np.broadcast_to(part, shape) for part in parts])
    return np.take_along_axis(layers, which[None], 0)[0]


@composed(np.select)
def _select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    if not len(condlist) or len(condlist) != len(choicelist):
        raise ValueError("np.select needs as many choices as conditions, and at least one")
    out = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        out = np.where(condition, choice, out)
    return out


def _conditions(x: Any, condlist: Any) -> list[Any]:
    """Return the conditions of a piecewise function; one alone may stand without a list."""
    listed = isinstance(condlist, list | tuple)
    first = condlist[0] if listed or np.ndim(condlist) else condlist
    alone = (not listed and np.ndim(condlist) == 0) or (np.ndim(first) == 0 and np.ndim(x) > 0)
    return [given(condlist)] if alone else [given(condition) for condition in condlist]


@composed(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    x = given(x)
    shape, conditions = np.shape(x), _conditions(x, condlist)
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(np.stack(conditions), axis=0))
    if len(funclist) != len(conditions):
        raise ValueError(
            f"with {len(conditions)} conditions, {len(conditions)} or one more functions are needed"
        )
    x = np.reshape(x, shape or (1,))
    out = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        chosen = np.reshape(condition, np.shape(x))
        if not callable(function):
            out[chosen] = function
        elif np.any(chosen):
            out[chosen] = function(x[chosen], *args, **kw)
    return np.reshape(out, shape)


@composed(np.digitize)
def _digitize(x: Any, bins: Any, right: bool = False) -> Any:
    x, bins = given(x), given(bins)
    side = "left" if right else "right"
    if np.all(bins[1:] >= bins[:-1]):
        return np.searchsorted(bins, x, side=side)
    if np.all(bins[1:] <= bins[:-1]):
        return len(bins) - np.searchsorted(bins[::-1], x, side=side)
    raise ValueError("bins must be monotonically increasing or decreasing")


# --- all but some, and some more ----------------------------------------------------------------


def _in_a_line(x: Any, axis: int | None) -> tuple[Any, int]:
    x = given(x)
    return (np.ravel(x), 0) if axis is None else (x, axis_of(axis, x))


def _fixed(name: str, places: Any) -> Any:
    """Return places as NumPy takes them; how many there are must not be traced."""
    if is_traced(places):
        raise NotSupported(
            Says(
                "np.{0} at places that are traced is not supported.",
                "np.{0} em lugares traçados não é suportado.",
            ).fill(name),
            Says(
                "give the places as plain integers, or write with np.where.",
                "dê os lugares como inteiros comuns, ou escreva com np.where.",
            ),
        )
    return places


@composed(np.delete)
def _delete(arr: Any, obj: Any, axis: int | None = None) -> Any:
    arr, axis = _in_a_line(arr, axis)
    kept = np.delete(np.arange(np.shape(arr)[axis]), _fixed("delete", obj))
    return arr[along(axis, kept)]


@composed(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    arr, axis = _in_a_line(arr, axis)
    values, length, obj = given(values), np.shape(arr)[axis], _fixed("insert", obj)
    old = np.arange(length)
    many = len(np.insert(old, obj, 0)) - length
    if np.ndim(values) < np.ndim(arr):
        values = np.reshape(values, (1,) * (np.ndim(arr) - np.ndim(values)) + np.shape(values))
    if many == 1:
        if not isinstance(obj, slice) and np.ndim(obj) == 0:
            values = np.moveaxis(values, 0, axis)
        many = np.shape(values)[axis]
        obj = np.full(many, np.argmax(np.insert(np.zeros(length, bool), obj, True)))
    shape = np.shape(arr)
    new = np.broadcast_to(values, (*shape[:axis], many, *shape[axis + 1 :]))
    both = np.concatenate([arr, in_type(new, arr.dtype)], axis=axis)
    # NumPy itself places the numbers of the elements, old and new
    return both[along(axis, np.insert(old, obj, length + np.arange(many)))]


@composed(np.resize)
def _resize(a: Any, new_shape: Any) -> Any:
    shape = numbers(new_shape)
    size = int(np.prod(shape, dtype=int))
    if np.size(a) == 0 or size == 0:
        return np.zeros_like(a, shape=shape)
    return np.reshape(repeated(a, size), shape)


@composed(np.trim_zeros)
def _trim_zeros(filt: Any, trim: str = "fb", axis: Any = None) -> Any:
    ends = trim.lower()
    if ends not in ("fb", "bf", "f", "b"):
        raise ValueError(f"unexpected character(s) in `trim`: {trim!r}")
    ndim = np.ndim(filt)
    axes = range(ndim) if axis is None else [axis_of(k, filt) for k in numbers(axis)]
    found = np.argwhere(filt)
    index = [slice(None)] * ndim
    for k in axes:
        if not len(found):
            index[k] = slice(0, 0)
            continue
        first, last = (operator.index(end(found[:, k])) for end in (np.min, np.max))
        index[k] = slice(first if "f" in ends else None, last + 1 if "b" in ends else None)
    return filt[tuple(index)]
