"""A chain of a thousand layers, with everything kept and in a tenth of that memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import corrente as co
from benchmarks.contestants import Call, Contestant, Row
from corrente.compiler import memory_report

WIDTH = 32


def rows(tiny: bool) -> Iterator[Row]:
    """Go through both ways to hold the weights: one stacked array, and a list of matrices."""
    depth, batch, share = (200, 64, 3) if tiny else (1000, 256, 10)
    rng = np.random.default_rng(7)
    x = rng.normal(size=(batch, WIDTH))
    stacked = rng.normal(size=(depth, WIDTH, WIDTH)) / np.sqrt(WIDTH)
    for name, weights in (("stacked", stacked), ("a list", list(stacked))):
        yield Row(
            f"deep chain, {depth} layers, {name}",
            lambda weights=weights: contestants(weights, x, share),
            tolerance=1e-8,
        )


def chain(weights: Any, x: Any) -> Any:
    for k in range(len(weights)):
        x = np.tanh(x @ weights[k])
    return np.mean(x * x)


def contestants(weights: Any, x: Any, share: int) -> Iterator[Contestant]:
    kept = len(weights) * x.nbytes
    yield Contestant("corrente", lambda: compiled(weights, x, None))
    yield Contestant(f"corrente, 1/{share}", lambda: compiled(weights, x, kept // share))


def compiled(weights: Any, x: Any, memory: int | None) -> Call:
    """Return the compiled gradient; with a budget it must have been kept."""
    f = co.jit(co.value_and_grad(chain), memory=memory)
    f(weights, x)
    report = memory_report(f)
    if memory is not None and report.peak > memory:
        raise AssertionError(f"{report.peak} bytes, not {memory}")
    return lambda: f(weights, x)
