"""Addresses: where the elements of one array lie in another, as strides, small tables or large."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Step
from corrente.gates.indexing import Index, Slot, fill
from corrente.record import Shape

Numbers = np.ndarray[Any, np.dtype[np.intp]]


class Walk(NamedTuple):
    """Positions that are a sum of one part an axis: a stride, or a table where there is none."""

    base: int
    axes: tuple[int | tuple[int, ...], ...]


class Move(NamedTuple):
    """Elements of one input that go to places in the output, both as walks over a shape."""

    shape: Shape
    source: Walk
    target: Walk


class Lookup(NamedTuple):
    """An index array of the run: its wire, its strides over the region, the axis it counts."""

    wire: int
    strides: tuple[int, ...]
    length: int
    step: int
    mask: bool


class Region(NamedTuple):
    """The elements that an index names: their shape, fixed part and parts known when it runs."""

    shape: Shape
    walk: Walk
    lookups: tuple[Lookup, ...]


def row_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Return how far apart neighbours lie, for elements in C order.

    >>> row_strides((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(math.prod(shape[k + 1 :]) for k in range(len(shape)))


def broadcast_strides(shape: Shape, full: Shape) -> tuple[int, ...]:
    """Return the strides with which an array is read when it is broadcast.

    >>> broadcast_strides((3, 1), (2, 3, 4))
    (0, 1, 0)
    """
    own = [0 if n == 1 else s for n, s in zip(shape, row_strides(shape), strict=True)]
    return (0,) * (len(full) - len(shape)) + tuple(own)


def straight(shape: Shape) -> Walk:
    """Return the walk through all elements in C order."""
    return Walk(0, row_strides(shape))


def separate(positions: Numbers) -> Walk | None:
    """Find positions to be sums of one part an axis; None where they are not.

    >>> separate(np.arange(6).reshape(2, 3).T)
    Walk(base=0, axes=(1, 3))
    """
    if not positions.size:
        return Walk(0, (0,) * positions.ndim)
    base = int(positions.flat[0])
    total = np.full(positions.shape, base)
    axes: list[int | tuple[int, ...]] = []
    for k in range(positions.ndim):
        line = positions[(0,) * k + (slice(None),) + (0,) * (positions.ndim - k - 1)] - base
        total = total + line.reshape((-1,) + (1,) * (positions.ndim - k - 1))
        stride = int(line[1]) if line.size > 1 else 0
        even = np.array_equal(line, np.arange(line.size) * stride)
        axes.append(stride if even else tuple(map(int, line)))
    return Walk(base, tuple(axes)) if np.array_equal(total, positions) else None


def walked(positions: Numbers) -> tuple[Shape, Walk]:
    """Return a shape and a walk over it; the whole table where there is no shorter way."""
    walk = separate(positions)
    if walk is not None:
        return positions.shape, walk
    return (positions.size,), Walk(0, (tuple(map(int, positions.ravel())),))


# --- moving elements about ----------------------------------------------------------------------


class Moves(NamedTuple):
    """How a rearrangement is done: what it fills in first, and what it moves from each input."""

    filled: np.ndarray | None
    moves: tuple[tuple[int, Move], ...]


def moves_of(step: Step, shapes: Sequence[Shape]) -> Moves:
    """Find out where a rearrangement's elements come from, by sending their numbers through it."""
    starts = np.cumsum([0, *(math.prod(shape) for shape in shapes)])
    first = [
        np.arange(start, start + math.prod(shape), dtype=np.int64).reshape(shape)
        for start, shape in zip(starts, shapes, strict=False)
    ]
    count = int(starts[-1])
    low = np.asarray(step.gate.forward(*first, **step.params))
    high = np.asarray(step.gate.forward(*(x + count for x in first), **step.params))
    moved = high - low == count
    if len(shapes) == 1 and moved.all():
        walk = separate(low)
        if walk is not None:
            return Moves(None, ((0, Move(low.shape, walk, straight(low.shape))),))
    found = []
    for k, shape in enumerate(shapes):
        inside = moved & (low >= starts[k]) & (low < starts[k + 1])
        move = _one_move(low.ravel() - int(starts[k]), np.flatnonzero(inside), shape)
        found += [(k, move)] if inside.any() else []
    return Moves(None if moved.all() else np.where(moved, 0, low), tuple(found))


def _one_move(sources: Numbers, targets: Numbers, shape: Shape) -> Move:
    """Describe the places that one input's elements go to: over the input, or one by one."""
    came = sources[targets]
    if np.array_equal(np.sort(came), np.arange(math.prod(shape))):
        places = np.empty(came.size, np.intp)
        places[came] = targets
        walk = separate(places.reshape(shape))
        if walk is not None:
            return Move(shape, straight(shape), walk)
    return Move(came.shape, walked(came)[1], walked(targets)[1])


# --- what an index names ------------------------------------------------------------------------


class Form(NamedTuple):
    """What is known of an index array of the run: its shape, and what a mask lets through."""

    shape: Shape
    mask: bool
    through: int


def region_of(
    index: Index,
    shape: Shape,
    arrays: Sequence[int],
    known: Mapping[int, Any],
    forms: Mapping[int, Form],
) -> Region | None:
    """Find the elements an index names; None where it mixes a mask with other index arrays.

    `arrays` are the wires of the index arrays, `known` the values of those that are constant,
    `forms` tells of the others.
    """
    numbers = np.arange(math.prod(shape)).reshape(shape)
    if all(wire in known for wire in arrays):
        found = np.asarray(numbers[fill(index, [known[wire] for wire in arrays])])
        return Region(*walked(found), ())
    ndims = [_ndim(wire, known, forms) for wire in arrays]
    items = _without_ellipsis(index, shape, ndims)
    advanced = [k for k, item in enumerate(items) if isinstance(item, Slot | int)]
    masked = any(_is_mask(wire, known, forms) for wire in arrays)
    if masked and len(advanced) > 1:
        return None
    stand_ins = [_stand_in(wire, known, forms) for wire in arrays]
    filled: list[Any] = []
    for item in items:
        if isinstance(item, Slot):
            filled += [stand_ins[item.number], *(0,) * (ndims[item.number] - 1)]
        else:
            filled.append(item)
    fixed = np.asarray(numbers[tuple(filled)])
    spread = np.broadcast_shapes(*(np.shape(x) for x in stand_ins))
    apart = advanced[-1] - advanced[0] + 1 != len(advanced)
    # the axes of index arrays go where the arrays stand, or in front if they stand apart
    place = 0 if apart else advanced[0]
    walk = separate(fixed)
    if walk is None:
        return None
    lookups = []
    for wire, axis in _axes_of(items, arrays, ndims):
        if wire not in known:
            lookups.append(_lookup(wire, axis, shape, forms[wire], spread, place, fixed.ndim))
    return Region(fixed.shape, walk, tuple(lookups))


def _axes_of(
    items: Sequence[Any], arrays: Sequence[int], ndims: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Go through the index arrays, each with the first axis that it counts."""
    axis = 0
    for item in items:
        if isinstance(item, Slot):
            yield arrays[item.number], axis
        axis += ndims[item.number] if isinstance(item, Slot) else int(item is not None)


def _lookup(
    wire: int, axis: int, shape: Shape, form: Form, spread: Shape, place: int, ndim: int
) -> Lookup:
    end = axis + (len(form.shape) if form.mask else 1)
    walk = broadcast_strides((form.through,) if form.mask else form.shape, spread)
    strides = (0,) * place + walk + (0,) * (ndim - place - len(spread))
    length = math.prod(shape[axis:end])
    return Lookup(wire, strides, length, math.prod(shape[end:]), form.mask)


def _is_mask(wire: int, known: Mapping[int, Any], forms: Mapping[int, Form]) -> bool:
    return np.asarray(known[wire]).dtype == bool if wire in known else forms[wire].mask


def _ndim(wire: int, known: Mapping[int, Any], forms: Mapping[int, Form]) -> int:
    """Return how many axes an index array stands for."""
    if wire in known:
        array = np.asarray(known[wire])
        return array.ndim if array.dtype == bool else 1
    form = forms[wire]
    return len(form.shape) if form.mask else 1


def _stand_in(wire: int, known: Mapping[int, Any], forms: Mapping[int, Form]) -> Any:
    """Return an array in the place of an index array: zeros where it is not known."""
    if wire in known:
        return np.asarray(known[wire])
    form = forms[wire]
    return np.zeros((form.through,) if form.mask else form.shape, np.intp)


def _without_ellipsis(index: Index, shape: Shape, ndims: Sequence[int]) -> list[Any]:
    taken = sum(
        ndims[item.number] if isinstance(item, Slot) else int(item is not None)
        for item in index
        if item is not Ellipsis
    )
    rest = [slice(None)] * (len(shape) - taken)
    items: list[Any] = []
    told = any(item is Ellipsis for item in index)
    for item in index if told else (*index, Ellipsis):
        items += rest if item is Ellipsis else [item]
    return items
