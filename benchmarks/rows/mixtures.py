"""ADBench's Gaussian mixture: the log likelihood of points under full covariances."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.contestants import Contestant, Program, Row
from benchmarks.limits import limit

GRID = [(d, K) for d in (2, 10, 20, 32, 64) for K in (5, 10, 25)]
TINY = [(2, 5), (10, 25)]
GAMMA, MEAN = 1.0, 0  # the Wishart prior of the benchmark


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the dimensions and the numbers of components; gradient and objective."""
    points = 20 if tiny else 1000
    for d, K in TINY if tiny else GRID:
        yield Row(f"GMM d={d} K={K}", partial(contestants, d, K, points), tolerance=1e-8)
        made = partial(objective_contestants, d, K, points)
        yield Row(f"GMM d={d} K={K}, objective", made, "value", tolerance=1e-8)


def mixture(d: int, K: int, points: int) -> Program:
    """Return the negated log posterior; `icf` packs the inverse factors, column by column."""
    rng = np.random.default_rng(3)
    means, x = rng.uniform(size=(K, d)), rng.uniform(size=(points, d))
    given = (rng.normal(size=K), means, rng.normal(size=(K, d * (d + 1) // 2)), x)
    build = partial(posterior, places(d), constant(d, K, points))
    return Program(
        lambda np_: build(np_), given, (0, 1, 2), torch=posterior_torch(places(d), given)
    )


def places(d: int) -> Any:
    """Return where each entry of a lower triangular matrix lies in its packed row; d² is a zero."""
    table = np.full((d, d), d * (d + 1) // 2)
    np.fill_diagonal(table, np.arange(d))
    columns, rows = np.triu_indices(d, 1)
    table[rows, columns] = np.arange(d, d * (d + 1) // 2)
    return table


def constant(d: int, K: int, points: int) -> float:
    """Return the part of the objective that no parameter moves."""
    freedom = d + MEAN + 1
    gamma = sum(math.lgamma((freedom - k) / 2) for k in range(d))
    prior = freedom * d * (math.log(GAMMA) - 0.5 * math.log(2))
    prior -= gamma + d * (d - 1) / 4 * math.log(math.pi)
    return -points * d * 0.5 * math.log(2 * math.pi) - K * prior


def posterior(table: Any, fixed: float, np_: Any) -> Callable[..., Any]:
    d = len(table)

    def log_sum_exp(values: Any) -> Any:
        top = np_.max(values, axis=0)
        return top + np_.log(np_.sum(np_.exp(values - top), axis=0))

    def run(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
        logs, below = icf[:, :d], icf[:, d:]
        scales = np_.exp(logs)
        zeros = np_.zeros((len(icf), 1))
        Q = np_.concatenate([scales, below, zeros], axis=1)[:, table]
        centred = x - means[:, None, :]
        whitened = np_.matmul(centred, np_.swapaxes(Q, 1, 2))
        weights = alphas + np_.sum(logs, axis=1)
        inner = weights[:, None] - 0.5 * np_.sum(whitened**2, axis=2)
        likelihood = np_.sum(log_sum_exp(inner)) - len(x) * log_sum_exp(alphas)
        squares = np_.sum(scales**2) + np_.sum(below**2)
        prior = 0.5 * GAMMA**2 * squares - MEAN * np_.sum(logs)
        return fixed + likelihood + prior

    return run


def posterior_torch(table: Any, given: tuple[Any, ...]) -> Callable[..., Any]:
    d, K, points = len(table), len(given[0]), len(given[3])
    fixed = constant(d, K, points)

    def run(alphas: Any, means: Any, icf: Any, x: Any) -> Any:
        torch = import_module("torch")
        logs, below = icf[:, :d], icf[:, d:]
        scales = logs.exp()
        packed = torch.cat([scales, below, icf.new_zeros((K, 1))], 1)
        Q = packed[:, torch.as_tensor(table)]
        whitened = (x - means[:, None, :]) @ Q.transpose(1, 2)
        inner = (alphas + logs.sum(1))[:, None] - 0.5 * whitened.square().sum(2)
        likelihood = inner.logsumexp(0).sum() - points * alphas.logsumexp(0)
        prior = 0.5 * GAMMA**2 * (scales.square().sum() + below.square().sum())
        return fixed + likelihood + prior - MEAN * logs.sum()

    return run


def contestants(d: int, K: int, points: int) -> Iterator[Contestant]:
    program = mixture(d, K, points)
    reason = "compiled for one size of the grid, d=10 K=25"
    yield from peers.gradients(
        program, **({} if (d, K) == (10, 25) else {"torch_compiled": reason})
    )
    # the constant of the objective is given as a fifth array: C has no multivariate gamma
    whole = program._replace(given=(*program.given, np.array(constant(d, K, points))))
    yield limit("C", "mixture.c", whole, D=d, K=K, POINTS=points)
    yield limit("C fast-math", "mixture.c", whole, ["-ffast-math"], D=d, K=K, POINTS=points)


def objective_contestants(d: int, K: int, points: int) -> Iterator[Contestant]:
    yield from peers.objectives(mixture(d, K, points))
