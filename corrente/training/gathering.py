"""The sum of what shards give: a fixed binary tree, with the same bits wherever it is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Gathered(NamedTuple):
    """What some shards give together: their part of the mean loss and of the mean gradient.

    `values` are the loss, then the gradient's leaves; `unfit` are the shards in which a number
    was not finite.
    """

    values: tuple[Any, ...]
    unfit: tuple[int, ...] = ()
    said: tuple[tuple[type[Warning], str], ...] = ()
    """Warnings that were given on the way."""


FAN = 8
"""How many neighbours are summed at once; a power of two, so that the tree stays the same."""


def gather(parts: Sequence[Gathered | None]) -> Gathered | None:
    """Sum neighbours in pairs, then pairs of pairs; None stands for a shard that gives nothing.

    Summing aligned runs of a power of two first, elsewhere, changes no bit.

    >>> gather([Gathered((0.1,)), Gathered((0.2,)), None, Gathered((0.3,))])
    Gathered(values=(0.6000000000000001,), unfit=(), said=())
    """
    now = list(parts)
    while len(now) > 1:
        pairs = [_both(now[k], now[k + 1]) for k in range(0, len(now) - 1, 2)]
        now = pairs + now[2 * len(pairs) :]
    return now[0] if now else None


def _both(one: Gathered | None, other: Gathered | None) -> Gathered | None:
    if one is None or other is None:
        return one or other
    values = tuple(a + b for a, b in zip(one.values, other.values, strict=True))
    return Gathered(values, one.unfit + other.unfit, one.said + other.said)
