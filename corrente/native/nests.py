"""Nests: the geometry of a loop nest, its axes, the strides of every operand, its vectors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from corrente.circuit import Circuit
from corrente.record import Reduce, Shape

BLOCK = 1024
"""Elements of a folded axis that add up without compensation."""


class Nest(NamedTuple):
    """The geometry of a loop nest: sizes from outside in, one walk (strides) an operand."""

    sizes: tuple[int, ...]
    ins: list[tuple[int, ...]]
    outs: list[tuple[int, ...]]
    folds: dict[int, tuple[bool, ...]]
    """Output position → for each axis of the nest, whether it is folded away."""
    rest: int
    """Elements of a long folded axis that are left over after its last whole block."""


class Piece(NamedTuple):
    """A stretch of the innermost axis: `times` vectors of `lanes` elements."""

    start: int
    lanes: int
    times: int


def space_of(body: Circuit) -> Shape:
    """Return the shape over which a fused step loops."""
    step = body.steps[0]
    reduces = isinstance(step.gate.kind, Reduce)
    return body.wires[step.ins[0] if reduces else step.outs[0]].shape


def pieces(n: int, lanes: int, weight: int) -> Iterator[Piece]:
    """Part an axis of n elements into vectors; a long body is written at most twice."""
    start = 0
    count = n // lanes
    if count:
        yield Piece(0, lanes, count)
        start = count * lanes
    rest = n - start
    if weight > 24 and rest > 1 and rest & (rest - 1):
        yield Piece(start, 1, rest)
        return
    while rest:
        width = 1 << (rest.bit_length() - 1)
        yield Piece(start, width, 1)
        start, rest = start + width, rest - width


def never_mixed(mark: tuple[int, ...], space: Shape) -> tuple[int, ...]:
    """Return strides that merge only within folded axes, or within kept ones.

    Folded axes are walked as if in a row of their own, kept ones not at all.
    """
    strides, step = [0] * len(space), 1
    for k in reversed(range(len(space))):
        if mark[k]:
            strides[k] = step
            step *= space[k]
    # a kept axis between two folded ones parts them
    seen_kept, scale = False, 1
    for k in reversed(range(len(space))):
        if not mark[k] and space[k] != 1:
            seen_kept = True
        elif mark[k]:
            if seen_kept:
                scale *= 3
                seen_kept = False
            strides[k] *= scale
    return tuple(strides)


def blocked(nest: Nest) -> Nest:
    """Cut a long folded innermost axis into blocks, so that rounding errors stay small."""
    n = nest.sizes[-1]

    def cut(walk: tuple[int, ...]) -> tuple[int, ...]:
        return (*walk[:-1], walk[-1] * BLOCK, walk[-1])

    return Nest(
        (*nest.sizes[:-1], n // BLOCK, BLOCK),
        [cut(walk) for walk in nest.ins],
        [cut(walk) for walk in nest.outs],
        {p: (*flags, flags[-1]) for p, flags in nest.folds.items()},
        n % BLOCK,
    )
