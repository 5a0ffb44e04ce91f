"""Which elements of an array a loop's iterations read: their indices, as one index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from corrente.circuit import Step
from corrente.record import NAMES


def reads_one_array(steps: Sequence[Step]) -> bool:
    """Tell whether all steps read elements of the same array, at indices of one form."""
    first = steps[0]
    return all(
        step.gate is NAMES["getitem"]
        and step.ins == first.ins
        and len(step.ins) == 1
        and len(step.params["index"]) == len(first.params["index"])
        for step in steps
    )


def axes_of(index: tuple[Any, ...], place: int, ndim: int) -> tuple[int, int]:
    """Return which axis an item of an index reads, and where that axis is in the result."""
    named = sum(item is not None and item is not Ellipsis for item in index)
    axis = turned = 0
    for item in index[:place]:
        rest = ndim - named if item is Ellipsis else 1
        axis += 0 if item is None else rest
        turned += 0 if isinstance(item, int) else rest
    return axis, turned


def as_slice(rows: Sequence[int], length: int) -> slice:
    """Write evenly spaced rows as a slice, the whole axis as `:`."""
    step = rows[1] - rows[0]
    stop: int | None = rows[-1] + step
    if step == 1 and (rows[0], stop) == (0, length):
        return slice(None)
    if stop is not None and stop < 0:
        stop = None
    return slice(rows[0], stop, None if step == 1 else step)
