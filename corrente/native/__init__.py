"""The native path: a circuit becomes one machine-code function that CPython calls directly."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.native import threads
from corrente.native.assembling import assemble, host, numpy_api
from corrente.native.callbacks import bound
from corrente.native.entry import Entry, Fixed, Leaf, Made, Nested, Part, Table, main, variables
from corrente.native.fitting import Fitted, Miss, fit
from corrente.native.lowering import lower
from corrente.native.programs import Lowered, Unsupported
from corrente.purity import Seen

__all__ = [
    "Door",
    "Fitted",
    "Fixed",
    "Leaf",
    "Made",
    "Miss",
    "Native",
    "Nested",
    "Part",
    "Unsupported",
    "Way",
    "fit",
    "lower",
    "strides_of",
    "vector_bytes",
]

_MUCH = 1 << 21
_MARGIN = 4096
"""Bytes before and after an arena that no program may touch, where that is looked after."""
_CANARY = 0xFF
_FASTCALL_KEYWORDS = 0x0080 | 0x0002


class _MethodDef(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


_DEFINITIONS: list[Any] = []
"""CPython reads a built-in function's definition even while it frees it: they are kept for good."""


class Door:
    """A built-in function whose machine code can be exchanged: it begins as `owner.__call__`.

    `function` is what users call.
    """

    def __init__(self, owner: Any, name: str, doc: str | None, module: str | None) -> None:
        self.slow = _address(ctypes.pythonapi.PyObject_Vectorcall)
        self._name = name.encode()
        self._doc = doc.encode() if doc else None
        self._definition = _MethodDef(self._name, self.slow, _FASTCALL_KEYWORDS, self._doc)
        _DEFINITIONS.append(self._definition)
        make = ctypes.pythonapi.PyCFunction_NewEx
        make.restype = ctypes.py_object
        make.argtypes = [ctypes.c_void_p, ctypes.py_object, ctypes.py_object]
        self.function = make(ctypes.addressof(self._definition), owner, module)

    @property
    def leads_to(self) -> int:
        """The address of the machine code behind it."""
        return self._definition.function or 0

    @leads_to.setter
    def leads_to(self, address: int) -> None:
        self._definition.function = address


class Way(NamedTuple):
    """A way of giving a program its arguments, and the form of its result."""

    given: Sequence[Part]
    result: Part
    around: Sequence[Seen] = ()


class Native:
    """A lowered circuit as machine code, with an entry for each way of calling it."""

    def __init__(self, lowered: Lowered, ways: Mapping[str, Way]) -> None:
        table = Table()
        table.slot("arena", 0)
        entries = [Entry(name, lowered, *way, table).text() for name, way in ways.items()]
        program = main(lowered, table)
        kernels = [kernel.text for kernel in lowered.kernels.values()]
        parts = (variables(table), lowered.module.text(), *kernels, program, *entries)
        self.text = "\n".join(parts)
        self._loaded = assemble(self.text, lowered.traffic > _MUCH)
        self._callbacks = [bound(callback) for callback in lowered.callbacks]
        self._objects: list[Any] = []
        self._size = lowered.arena.size
        self._margin = _MARGIN if os.environ.get("CORRENTE_CANARIES") else 0
        self._arena = np.full(self._size + 64 + 2 * self._margin, _CANARY, np.uint8)
        count = len(table.entries)
        self._table = (ctypes.c_void_p * count).from_address(self._loaded.address("table"))
        self._following: dict[str, int] = {}
        for number, (kind, value) in enumerate(table.entries):
            if kind == "next":
                self._following[value] = number
            self._table[number] = self._pointer(kind, value)

    def address(self, name: str) -> int:
        """Return the address of an entry."""
        return self._loaded.address(name)

    @property
    def _start(self) -> int:
        """Where the arena begins, at the beginning of a cache line."""
        return self._margin + -self._arena.ctypes.data % 64

    def spoil(self) -> None:
        """Fill the arena with NaN, so that a number read before it was written shows."""
        self._arena[...] = _CANARY

    def unharmed(self) -> bool:
        """Tell whether nothing was written beside the arena; CORRENTE_CANARIES=1 leaves it room."""
        beside = self._arena[: self._start], self._arena[self._start + self._size :]
        return all(bool(np.all(part == _CANARY)) for part in beside)

    def _pointer(self, kind: str, value: Any) -> int:
        if kind == "arena":
            return self._arena.ctypes.data + self._start
        if kind == "object":
            self._objects.append(value)
            return id(value)
        if kind == "callback":
            return _address(self._callbacks[value])
        if kind == "threads":
            return threads.count()
        return numpy_api()[value] if kind == "numpy" else 0

    def lead_to(self, name: str, address: int) -> None:
        """Say where arguments go that do not fit an entry."""
        self._table[self._following[name]] = address


def vector_bytes() -> int:
    """Return the width of this machine's vectors."""
    return host().vector_bytes


def strides_of(arrays: Mapping[int, np.ndarray]) -> dict[int, tuple[int, ...]]:
    """Return the strides of the arrays that do not lie in a row, by wire."""
    return {w: a.strides for w, a in arrays.items() if not a.flags.c_contiguous}
