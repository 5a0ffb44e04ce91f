"""A long elementwise chain: what the traffic to memory and the elementary functions cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.contestants import Contestant, Program, Row
from benchmarks.limits import limit


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the chains."""
    length = 1000 if tiny else 1_000_000
    yield Row("chain of 10⁶", lambda: contestants(length), tolerance=1e-4)


def chain(length: int) -> Program:
    """Return the sum of exp(tanh(x sigmoid(x))) over float32 numbers."""
    x = np.random.default_rng(2).normal(size=length).astype(np.float32)
    return Program(chain_sum, (x,), (0,), torch=chain_torch)


def chain_sum(np_: Any) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        gate = 1.0 / (1.0 + np_.exp(-x))
        return np_.sum(np_.exp(np_.tanh(x * gate)))

    return run


def chain_torch(x: Any) -> Any:
    return (x * x.sigmoid()).tanh().exp().sum()


def contestants(length: int) -> Iterator[Contestant]:
    program = chain(length)
    yield from peers.gradients(program)
    yield limit("C with libm", "chain.c", program, ["-DLIBM"], LENGTH=length)
    yield limit("C", "chain.c", program, LENGTH=length)
    yield limit("C fast-math", "chain.c", program, ["-ffast-math"], LENGTH=length)
    yield limit("C two threads", "chain.c", program, LENGTH=length, THREADS=2)
    fast = ["-ffast-math"]
    yield limit("C fast-math two threads", "chain.c", program, fast, LENGTH=length, THREADS=2)
