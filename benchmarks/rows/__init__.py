"""The drawer of rows, one file for each family of programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.contestants import Row
from benchmarks.rows import (
    bundle,
    chains,
    curvature,
    gates,
    memory,
    mixtures,
    networks,
    recurrent,
    scalars,
)

FAMILIES: tuple[Callable[[bool], Iterator[Row]], ...] = (
    scalars.rows,
    networks.rows,
    chains.rows,
    mixtures.rows,
    bundle.rows,
    recurrent.rows,
    curvature.rows,
    gates.rows,
    memory.rows,
)


def every(tiny: bool) -> Iterator[Row]:
    """Go through all rows in the order of the table."""
    for family in FAMILIES:
        yield from family(tiny)
