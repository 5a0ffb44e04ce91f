"""Two networks: small enough for the cost of a call to count, and large enough for the products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.contestants import Contestant, Program, Row
from benchmarks.limits import limit


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the networks."""
    yield Row("moons network", lambda: moons_contestants(10 if tiny else 100))
    size = (48, 10, 10, 20) if tiny else (3072, 100, 10, 200)
    yield Row("3072-100-10 network", lambda: wide_contestants(*size), tolerance=1e-4)


def moons(batch: int) -> Program:
    """Return the 2-16-16-1 tanh network with the mean square of its errors, in float64."""
    rng = np.random.default_rng(0)
    parameters: list[Any] = []
    for fan_in, fan_out in pairwise((2, 16, 16, 1)):
        parameters += [rng.normal(size=(fan_in, fan_out)), 0.1 * rng.normal(size=fan_out)]
    given = (*parameters, rng.normal(size=(batch, 2)), rng.normal(size=(batch, 1)))
    return Program(moons_loss, given, tuple(range(6)), torch=moons_torch)


def moons_loss(np_: Any) -> Callable[..., Any]:
    def loss(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Any:
        h = np_.tanh(X @ W1 + b1)
        h = np_.tanh(h @ W2 + b2)
        return np_.mean((h @ W3 + b3 - y) ** 2)

    return loss


def moons_torch(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Any:
    h = (X @ W1 + b1).tanh()
    h = (h @ W2 + b2).tanh()
    return (h @ W3 + b3 - y).square().mean()


def moons_contestants(batch: int) -> Iterator[Contestant]:
    program = moons(batch)
    yield from peers.gradients(program)
    yield limit("C", "moons.c", program, BATCH=batch)
    yield limit("C fast-math", "moons.c", program, ["-ffast-math"], BATCH=batch)


def wide(inputs: int, hidden: int, classes: int, batch: int) -> Program:
    """Return the two-layer relu network with a softmax loss, in float32."""
    rng = np.random.default_rng(1)

    def normal(*shape: int) -> Any:
        return rng.normal(size=shape).astype(np.float32)

    W1, W2 = normal(inputs, hidden) * np.float32(0.02), normal(hidden, classes) * np.float32(0.1)
    labels = rng.integers(0, classes, batch)
    given = (W1, normal(hidden), W2, normal(classes), normal(batch, inputs), labels)
    return Program(wide_loss, given, (0, 1, 2, 3), torch=wide_torch)


def wide_loss(np_: Any) -> Callable[..., Any]:
    def loss(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, labels: Any) -> Any:
        h = np_.maximum(X @ W1 + b1, 0.0)
        scores = h @ W2 + b2
        scores = scores - np_.max(scores, axis=1, keepdims=True)
        logs = scores - np_.log(np_.sum(np_.exp(scores), axis=1, keepdims=True))
        return -np_.mean(logs[np.arange(len(labels)), labels])

    return loss


def wide_torch(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, labels: Any) -> Any:
    h = (X @ W1 + b1).relu()
    return import_module("torch").nn.functional.cross_entropy(h @ W2 + b2, labels)


def wide_contestants(inputs: int, hidden: int, classes: int, batch: int) -> Iterator[Contestant]:
    program = wide(inputs, hidden, classes, batch)
    yield from peers.gradients(program)
    W1, X = program.given[0], program.given[4]
    dh = np.ones((batch, hidden), np.float32)

    def products(X: Any, W1: Any, dh: Any) -> Any:
        return X @ W1, X.T @ dh

    yield Contestant("its two GEMMs", lambda: partial(products, X, W1, dh), compare=False)
