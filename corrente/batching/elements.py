"""Reading and writing elements of a whole batch, where NumPy puts the axes elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from corrente.batching.operands import Given, Misfit, aligned, one_by_one
from corrente.gates.indexing import Slot
from corrente.tracer import Traced


class Pointer(NamedTuple):
    """One index array of whole numbers; `batched`: each example has its own along axis 0."""

    array: Any
    batched: bool


class Target(NamedTuple):
    """An index with its masks turned into pointers, and the form of what it reads.

    An example reads `ndim` axes; those of the index arrays, `width` of them, stand at `place`:
    where the arrays stood, or in front if they stood apart.
    """

    items: list[Any]
    ndim: int
    width: int
    place: int
    apart: bool

    def filled(self) -> tuple[Any, ...]:
        """Return the index, each batched pointer aligned to the others."""
        return tuple(
            (aligned(item.array, self.width) if item.batched else item.array)
            if isinstance(item, Pointer)
            else item
            for item in self.items
        )


def _target(given: Given, first: int) -> Target:
    """Read the index of a step whose index arrays begin at operand `first`."""
    items: list[Any] = []
    for item in given.params["index"]:
        if isinstance(item, Slot):
            k = first + item.number
            items.extend(_pointers(given.values[k], given.batched[k]))
        else:
            items.append(item)
    spots = [k for k, item in enumerate(items) if isinstance(item, Pointer | int)]
    pointers = [item for item in items if isinstance(item, Pointer)]
    width = max((np.ndim(p.array) - p.batched for p in pointers), default=0)
    own = len(given.shapes[0])
    ndim = own - len(spots) + sum(item is None for item in items) + width
    apart = bool(pointers) and spots[-1] - spots[0] >= len(spots)
    if apart or not pointers:
        return Target(items, ndim, width, 0, apart)
    taken = sum(item is not None and item is not Ellipsis for item in items)
    place = sum(own - taken if item is Ellipsis else 1 for item in items[: spots[0]])
    return Target(items, ndim, width, place, apart)


def _pointers(array: Any, batched: bool) -> list[Pointer]:
    """Turn a mask into what it points to; other index arrays stay as they are."""
    if array.dtype != np.bool_:
        return [Pointer(array, batched)]
    mask = np.asarray(array)
    if not batched:
        return [Pointer(found, False) for found in np.nonzero(mask)]
    counts = np.count_nonzero(mask.reshape(len(mask), -1), axis=1)
    if np.any(counts != counts[0]):
        raise Misfit(counts == counts[0])
    found = np.nonzero(mask)[1:]
    return [Pointer(where.reshape(len(mask), counts[0]), True) for where in found]


def _rows(size: int, width: int) -> np.ndarray:
    """Return the index array that goes through the examples beside pointers of some width."""
    return np.reshape(np.arange(size), (size, *(1,) * width))


def _lone_bool(given: Given, first: int) -> bool:
    """Tell whether an index array is a single bool: it makes an axis and reads none."""
    pairs = list(zip(given.values, given.shapes, strict=True))[first:]
    return any(array.dtype == np.bool_ and shape == () for array, shape in pairs)


def _beside(x: Any, others: Iterable[Any]) -> Any:
    """Bring an array into the trace that what it is used with belongs to, if there is one."""
    traced = next((other for other in others if type(other) is Traced), None)
    if traced is None or type(x) is Traced:
        return x
    return np.array(x, like=traced)  # type: ignore[call-overload]


def gather(given: Given) -> Any:
    x, *arrays = given.values
    if not arrays:
        return x[(slice(None), *given.params["index"])]
    if _lone_bool(given, 1):
        return one_by_one(given)
    target = _target(given, 1)
    index = target.filled()
    x = _beside(x, index)
    if not any(given.batched[1:]):
        out = x[(slice(None), *index)]
        return np.moveaxis(out, target.width, 0) if target.apart else out
    if not given.batched[0]:
        return np.moveaxis(x[index], target.place, 0)
    out = x[(_rows(given.size, target.width), *index)]
    return _pointed_to(out, target, 1, target.place + 1)


def _pointed_to(x: Any, target: Target, start: int, end: int) -> Any:
    """Move the axes that index arrays made from one place to another."""
    if start == end or not target.width:
        return x
    return np.moveaxis(x, range(start, start + target.width), range(end, end + target.width))


def scatter(given: Given) -> Any:
    if _lone_bool(given, 2):
        return one_by_one(given)
    index, value = _spread_mask(given) or _addressed(given)
    buffer = given.values[0] if given.ours else np.copy(given.whole(0))
    buffer = _beside(buffer, (value, *index))
    return given.gate.forward(buffer, value, index=index, into=buffer)


def _addressed(given: Given) -> tuple[tuple[Any, ...], Any]:
    """Return where a batch is written, and the values in the form that fits there."""
    target = _target(given, 2)
    value = given.values[1]
    if np.ndim(value):
        value = value if given.batched[1] else np.reshape(value, (1, *np.shape(value)))
        value = aligned(value, target.ndim)
    if len(given.values) == 2:
        return (slice(None), *target.items), value
    if np.ndim(value):
        value = _pointed_to(value, target, target.place + 1, 1)
    return (_rows(given.size, target.width), *target.filled()), value


def _spread_mask(given: Given) -> tuple[tuple[Any, ...], Any] | None:
    """Where each example writes one number through a mask of its own, counts may differ."""
    index = given.params["index"]
    if len(given.values) != 3 or not given.batched[2] or given.shapes[1] != ():
        return None
    mask = given.values[2]
    if mask.dtype != np.bool_:
        return None
    rows, *found = np.nonzero(np.asarray(mask))
    spots = [k for k, item in enumerate(index) if isinstance(item, Slot)]
    where = (rows, *index[: spots[0]], *found, *index[spots[0] + 1 :])
    value = given.values[1]
    if given.batched[1]:
        numbers = sum(isinstance(item, int) for item in index)
        new = sum(item is None for item in index)
        rest = len(given.shapes[0]) - len(found) - numbers + new
        value = np.reshape(value[rows], (len(rows), *(1,) * rest))
    return where, value
