"""Which shards make the gradient: each one's share of it, and the rows that spoil it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from corrente.optimisers import norm
from corrente.training.cluster import engaged, program
from corrente.training.crew import Lot
from corrente.training.gathering import Gathered
from corrente.training.shards import Shards, blocks, called, cut_up, of_calls, of_dask, rows_of
from corrente.training.tasks import Blame, Errand, Program, blame, part

PIECE = 8192
"""Rows of a shard that are looked at together, at most."""


class Share(NamedTuple):
    """One shard's part of the gradient of the mean loss over all data."""

    shard: int
    start: int
    """The first of its rows, counted in the whole data from 0."""
    rows: int
    loss: float
    """The mean over its rows."""
    norm: float
    """Length of its part of the mean gradient; NaN where that is not finite."""
    fraction: float
    """Its norm beside the sum of all finite ones, from 0 to 1; NaN where it is not finite."""
    finite: bool
    first_bad_row: int | None
    """The first row whose own gradient or loss is not finite, counted in the whole data."""
    bad_rows: int
    """How many such rows were found: the search ends at eight, or where only a sum overflows."""


def shares(
    loss: Callable[..., Any],
    params: Any,
    data: Any,
    *,
    cluster: Any = None,
    batch_size: int = 64,
    seed: int = 0,
    compiled: bool = True,
) -> list[Share]:
    """Find out how much of the gradient at `params` each shard of the data makes.

    `loss`, `params`, `data` and `cluster` are those of `co.train`; without a cluster the same
    shards are gone through here. The data and `batch_size` alone make the partition. A loss that
    draws is given a generator for each shard. Raises as `co.train`.

    >>> import numpy as np
    >>> x = np.ones(16)
    >>> x[:4] = 3.0
    >>> [round(s.fraction, 2) for s in shares(lambda w, x: np.mean(w * x), 1.0, x, batch_size=16)]
    [0.5, 0.17, 0.17, 0.17]
    """
    with engaged(cluster) as post:
        place = post.crew if post else _Home()
        lot = place.lot(data, batch_size)
        total = sum(shard.rows for shard in lot.shards)
        told = program(loss, compiled, slopes=True)
        asked = [_errands(shard.rows, total, seed) for shard in lot.shards]
        found = place.each(told, params, lot, asked)
        unfit = {k: asked[k] for k, one in enumerate(found) if one.unfit}
        return _compared(lot.shards, found, place.blamed(told, params, lot, unfit))


def _errands(rows: int, total: int, seed: int) -> list[Errand]:
    edges = [*range(0, rows, PIECE), rows]
    return [Errand(a, b, None, (b - a) / total, seed) for a, b in pairwise(edges)]


class _Home:
    """Does here what a crew does on a cluster, one shard after the other."""

    def lot(self, data: Any, size: int) -> Lot:
        loaders = of_dask(data) or of_calls(data)
        if loaders is None:
            return Lot(cut_up(data, size), [])
        load = [getattr(loader, "compute", loader) for loader in loaders]
        return Lot(blocks([rows_of(one()) for one in load], load, called), [])

    def each(
        self, program: Program, params: Any, lot: Lot, asked: Sequence[Sequence[Errand]]
    ) -> list[Gathered]:
        found = []
        for shard, errands in zip(lot.shards, asked, strict=True):
            one = part(program, params, [shard] * len(errands), errands)
            assert one is not None, "a shard has rows"
            found.append(one)
        return found

    def blamed(
        self, program: Program, params: Any, lot: Lot, asked: Mapping[int, Sequence[Errand]]
    ) -> dict[int, Blame]:
        return {k: blame(program, params, lot.shards[k], errands) for k, errands in asked.items()}


def _compared(shards: Shards, found: Sequence[Gathered], blamed: dict[int, Blame]) -> list[Share]:
    norms = [math.nan if one.unfit else float(norm(one.values[1:])) for one in found]
    total = sum(one for one in norms if math.isfinite(one)) or 1.0
    whole = sum(shard.rows for shard in shards)
    return [
        Share(
            shard.number,
            shard.start,
            shard.rows,
            float(one.values[0]) * whole / shard.rows,
            length,
            length / total,
            not one.unfit,
            min(bad, default=None),
            len(bad),
        )
        for shard, one, length in zip(shards, found, norms, strict=True)
        for bad in [blamed[shard.number].rows if one.unfit else ()]
    ]
