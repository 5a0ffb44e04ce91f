"""Layouts: where the elements of a wire lie in memory, and which gates only look at them anew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from corrente.circuit import Step
from corrente.record import Gather, Shape


class Layout(NamedTuple):
    """Elements in a buffer: which buffer, the first element's offset and the strides, in bytes."""

    base: int
    offset: int
    shape: Shape
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Return the bytes that its elements take when they lie in a row."""
        return self.size * self.dtype.itemsize

    @property
    def in_a_row(self) -> bool:
        """Tell whether the elements lie one after another in C order."""
        expected = self.dtype.itemsize
        for n, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if n != 1 and stride != expected:
                return self.size == 0
            expected *= n
        return True


def row(base: int, offset: int, shape: Shape, dtype: np.dtype[Any]) -> Layout:
    """Lay elements out one after another in C order."""
    return Layout(base, offset, shape, row_strides(shape, dtype.itemsize), dtype)


def row_strides(shape: Shape, itemsize: int) -> tuple[int, ...]:
    """Return the strides of elements in C order."""
    strides, step = [], itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= n
    return tuple(reversed(strides))


# gates whose output NumPy gives as a view of the input, for any input
_LOOKS = frozenset(
    (
        *("reshape", "expand_dims", "squeeze", "transpose", "flip", "broadcast_to"),
        *("diagonal", "diag", "windows"),
    )
)
_SAME = frozenset(("stop_gradient", "copy", "positive", "again"))


def may_look(step: Step) -> bool:
    """Tell whether a step's output may be a view of its first input."""
    name = step.gate.name
    reads = isinstance(step.gate.kind, Gather) and len(step.ins) == 1
    return reads or name in _LOOKS or name in _SAME


def look(step: Step, layout: Layout) -> Layout | None:
    """Return the layout of a step's output where the step only looks at its input; else None.

    NumPy is asked on an array of the same shape and strides whose elements are never touched.
    """
    name, params = step.gate.name, step.params
    if name in _SAME:
        return layout
    gathers = isinstance(step.gate.kind, Gather)
    if layout.size == 0 or len(step.ins) > 1 or not (gathers or name in _LOOKS):
        return None
    model = as_strided(np.empty(1, layout.dtype), layout.shape, layout.strides)
    if gathers:
        index = params["index"]
        # with an ellipsis NumPy gives a view even of one element, and reads nothing
        view = model[index if Ellipsis in index else (*index, ...)]
    elif name == "reshape":
        view = _reshaped(model, **params)
    elif name == "diag" and len(layout.shape) != 2:
        return None
    else:
        view = step.gate.forward(model, **params)
    if view is None or view.size == 0:
        return None
    moved = view.__array_interface__["data"][0] - model.__array_interface__["data"][0]
    return Layout(layout.base, layout.offset + moved, view.shape, view.strides, layout.dtype)


def _reshaped(model: np.ndarray, shape: Shape, order: str) -> np.ndarray | None:
    try:
        return np.reshape(model, shape, order="C", copy=False) if order == "C" else None
    except ValueError:
        return None


def broadcast(layout: Layout, shape: Shape) -> tuple[int, ...]:
    """Return the strides with which a layout is read when it is broadcast to a shape."""
    lead = len(shape) - len(layout.shape)
    own = [0 if n == 1 else stride for n, stride in zip(layout.shape, layout.strides, strict=True)]
    return (0,) * lead + tuple(own)


def merged(shape: Sequence[int], strides: Sequence[tuple[int, ...]]) -> tuple[Any, Any]:
    """Drop axes of length one and merge neighbours that every operand walks as one.

    `strides` has one tuple an operand; returns the new shape and strides.
    """
    axes = [k for k, n in enumerate(shape) if n != 1]
    sizes = [shape[k] for k in axes]
    walks = [[s[k] for k in axes] for s in strides]
    k = len(sizes) - 2
    while k >= 0:
        if all(walk[k] == walk[k + 1] * sizes[k + 1] for walk in walks):
            sizes[k] *= sizes.pop(k + 1)
            for walk in walks:
                walk[k] = walk.pop(k + 1)
        k -= 1
    return tuple(sizes), [tuple(walk) for walk in walks]
