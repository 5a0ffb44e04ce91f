"""Programs: what lowering leaves of a circuit, kernel calls on places in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Guard
from corrente.native.layouts import Layout
from corrente.native.memory import Arena
from corrente.native.vectors import Module
from corrente.record import Params

ARENA = 0
"""The base of what a program keeps to itself; inputs, held arrays and outputs follow."""


class Kernel(NamedTuple):
    """A native function and how many pointers it takes."""

    name: str
    text: str
    arity: int


class Call(NamedTuple):
    """One run of a kernel, or of a NumPy function (`back`), on places: (base, offset)."""

    kernel: str | None
    places: tuple[tuple[int, int], ...]
    back: int | None = None
    parts: int = 0
    """Into how many parts the kernel is shared out; 0: it runs whole."""


class Moving(NamedTuple):
    """A pointer that moves on from iteration to iteration of a loop."""

    base: int
    """The number by which the calls inside know it."""
    parent: int
    offset: int
    step: int
    """Bytes from element k to element k + 1."""
    flips: bool
    """Whether it goes back and forth between two places instead."""


class Repeat(NamedTuple):
    """Calls that are run so many times; a `reverse` loop begins with the last element."""

    times: int
    reverse: bool
    moving: tuple[Moving, ...]
    calls: list[Any]


@dataclass
class Callback:
    """A NumPy function called back with views of memory; None for inputs that are numbers."""

    forward: Callable[..., Any]
    params: Params
    ins: list[Layout | None]
    outs: list[Layout]
    numbers: dict[int, Any]
    weak: tuple[bool, ...]
    guard: Guard | None = None


@dataclass
class Lowered:
    """What is left of a circuit: calls in order, their kernels, and where things lie."""

    module: Module
    kernels: dict[str, Kernel] = field(default_factory=dict)
    calls: list[Call | Repeat] = field(default_factory=list)
    callbacks: list[Callback] = field(default_factory=list)
    arena: Arena = field(default_factory=Arena)
    bases: int = 1
    inputs: dict[int, Layout] = field(default_factory=dict)
    held: dict[int, np.ndarray] = field(default_factory=dict)
    outputs: list[Layout] = field(default_factory=list)
    scratch: dict[int, int] = field(default_factory=dict)
    """Base of an output that is a number → its offset in the arena."""
    traffic: int = 0
    """About how many bytes a run moves."""


class Unsupported(Exception):
    """A circuit that holds what memory cannot: it is interpreted."""
