"""Hessian-vector products: forward mode over reverse mode."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from benchmarks import peers
from benchmarks.contestants import Contestant, Program, Row
from benchmarks.rows.mixtures import mixture
from benchmarks.rows.networks import moons


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the products: of the moons network, and of a mixture."""
    programs = {
        "Hessian · v, moons network": partial(moons, 10 if tiny else 100),
        "Hessian · v, GMM d=10 K=25": partial(mixture, 10, 25, 20 if tiny else 1000),
    }
    for name, make in programs.items():
        yield Row(name, partial(contestants, make), "product", tolerance=1e-7)


def contestants(make: partial[Program]) -> Iterator[Contestant]:
    program = make()
    rng = np.random.default_rng(6)
    moving = [program.given[place] for place in program.argnums]
    yield from peers.products(program, tuple(rng.normal(size=part.shape) for part in moving))
