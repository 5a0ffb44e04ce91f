"""Callbacks: NumPy functions called from native code on views of a program's memory."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.native.layouts import Layout
from corrente.native.programs import Callback

FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_void_p))
FAILED, OTHER_PATH = 1, 2


def bound(entry: Callback) -> Any:
    """Return a C function that runs a callback on an array of pointers; not 0: it did not work.

    Whatever the function raises is left to the slow door, which runs the Python again and lets
    it raise there, at its own line.
    """
    run = _runner(entry)

    def back(pointers: Any) -> int:
        try:
            return run(pointers)
        except Exception:
            return FAILED

    return FUNCTION(back)


def _runner(entry: Callback) -> Callable[[Any], int]:
    reads = [None if layout is None else _view(layout) for layout in entry.ins]
    writes = [_view(layout) for layout in entry.outs]
    scalars = [layout is not None and not layout.shape for layout in entry.ins]
    guard = entry.guard

    def given(pointers: Any) -> tuple[list[Any], int]:
        values, at = [], 0
        for k, read in enumerate(reads):
            if read is None:
                values.append(entry.numbers[k])
                continue
            value = read(pointers[at])
            at += 1
            if entry.weak[k]:
                value = value.item()
            elif scalars[k]:
                value = value[()]
            values.append(value)
        return values, at

    def run(pointers: Any) -> int:
        values, at = given(pointers)
        made = entry.forward(*values, **entry.params)
        if guard is not None:
            return 0 if same(made, guard.value) else OTHER_PATH
        for write, value in zip(writes, made if len(writes) != 1 else (made,), strict=True):
            place = write(pointers[at])
            at += 1
            if np.shape(value) != place.shape:
                return OTHER_PATH
            place[...] = value
        return 0

    return run


def _view(layout: Layout) -> Callable[[int], np.ndarray]:
    """Return what makes an array of the memory at an address."""
    if not layout.size:  # there is no memory to look at
        nothing = np.empty(layout.shape, layout.dtype)
        return lambda address: nothing
    low = sum(min(0, (n - 1) * s) for n, s in zip(layout.shape, layout.strides, strict=True))
    high = sum(max(0, (n - 1) * s) for n, s in zip(layout.shape, layout.strides, strict=True))
    span = high - low + layout.dtype.itemsize
    memory = ctypes.c_char * span
    shape, strides, dtype = layout.shape, layout.strides, layout.dtype

    def view(address: int) -> np.ndarray:
        buffer: Any = memory.from_address(address + low)
        return np.ndarray(shape, dtype, buffer, -low, strides)

    return view


def same(value: Any, expected: Any) -> bool:
    """Tell whether a guarded value is the one that the path was taken for."""
    if isinstance(expected, np.ndarray):
        alike = np.asarray(value)
        nan = alike.dtype.kind in "fc" and expected.dtype.kind in "fc"
        return np.array_equal(alike, expected, equal_nan=nan)
    # int(x) or bool(x) was asked of the value
    found = type(expected)(value)
    return bool(found == expected) or (found != found and expected != expected)
