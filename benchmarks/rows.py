"""The rows: one program each, written for every contestant that can run it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

import corrente as co


class Entry(NamedTuple):
    """One contestant in one row: what to call, and how many units of work a call does."""

    row: str
    who: str
    call: Callable[[], Any]
    units: int
    unit: str


def installed(name: str) -> Any:
    """Return a peer's module, or None where it is not installed."""
    return import_module(name) if find_spec(name.split(".")[0]) else None


def scalar_chain(steps: int) -> Iterator[Entry]:
    """A Python loop of scalar multiplies and adds: the cost of one operation, there and back."""

    def chain(x: Any) -> Any:
        for _ in range(steps // 2):
            x = x * 0.99999 + 0.00001
        return x

    slope = co.grad(chain)
    yield Entry("scalar chain", "corrente", lambda: slope(1.0), steps, "operation")
    if peer := installed("autograd"):
        other = peer.grad(chain)
        yield Entry("scalar chain", "autograd", lambda: other(1.0), steps, "operation")
    if peer := installed("micrograd.engine"):
        # its backward pass recurses, so it runs a chain that its stack can hold, several times
        short = min(steps, 400)

        def run_short() -> None:
            for _ in range(steps // short):
                x = start = peer.Value(1.0)
                for _ in range(short // 2):
                    x = x * 0.99999 + 0.00001
                x.backward()
                assert start.grad

        yield Entry("scalar chain", "micrograd", run_short, steps // short * short, "operation")


def ufunc_chain(steps: int) -> Iterator[Entry]:
    """The same through NumPy's functions, as users write them."""

    def chain(np_: Any) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for _ in range(steps // 2):
                x = np_.sin(np_.exp(x * 0.1))
            return x

        return run

    slope = co.grad(chain(np))
    count = steps // 2 * 3
    yield Entry("ufunc chain", "corrente", lambda: slope(1.0), count, "operation")
    if peer := installed("autograd"):
        other = peer.grad(chain(import_module("autograd.numpy")))
        yield Entry("ufunc chain", "autograd", lambda: other(1.0), count, "operation")


def element_loop(length: int) -> Iterator[Entry]:
    """A loop over the elements of an array: linear, forward and backward."""

    def walk(x: Any) -> Any:
        total = 0.0
        for k in range(length):
            total = total + x[k] * x[k]
        return total

    x = np.linspace(0.0, 1.0, length)
    slope = co.grad(walk)
    yield Entry("element loop", "corrente", lambda: slope(x), length, "element")
    if peer := installed("autograd"):
        other = peer.grad(walk)
        yield Entry("element loop", "autograd", lambda: other(x), length, "element")


def network(batch: int) -> Iterator[Entry]:
    """The moons network, 2-16-16-1 tanh, value and all gradients on a batch."""

    def loss(np_: Any) -> Callable[..., Any]:
        def run(W1: Any, b1: Any, W2: Any, b2: Any, W3: Any, b3: Any, X: Any, y: Any) -> Any:
            h = np_.tanh(np_.dot(X, W1) + b1)
            h = np_.tanh(np_.dot(h, W2) + b2)
            return np_.mean(np_.square(np_.dot(h, W3) + b3 - y))

        return run

    rng = np.random.default_rng(0)
    sizes = (2, 16, 16, 1)
    parameters: list[Any] = []
    for fan_in, fan_out in pairwise(sizes):
        parameters += [rng.normal(size=(fan_in, fan_out)), np.zeros(fan_out)]
    given = (*parameters, rng.normal(size=(batch, 2)), rng.normal(size=(batch, 1)))
    argnums = tuple(range(6))
    ours = co.value_and_grad(loss(np), argnums)
    yield Entry("moons network", "corrente", lambda: ours(*given), 1, "gradient")
    if peer := installed("autograd"):
        theirs = peer.value_and_grad(loss(import_module("autograd.numpy")), argnums)
        yield Entry("moons network", "autograd", lambda: theirs(*given), 1, "gradient")


def import_time(_: int) -> Iterator[Entry]:
    """A fresh process that imports the package, beside one that imports NumPy."""

    def start(line: str) -> Callable[[], Any]:
        return lambda: subprocess.run([sys.executable, "-c", line], check=True)

    yield Entry("import", "corrente", start("import corrente"), 1, "process")
    yield Entry("import", "numpy", start("import numpy"), 1, "process")
    yield Entry("import, first gradient", "corrente", start(FIRST), 1, "process")
    if installed("autograd"):
        line = FIRST.replace("corrente", "autograd")
        yield Entry("import, first gradient", "autograd", start(line), 1, "process")


FIRST = "import corrente; corrente.grad(lambda x: x * x)(1.0)"
ROWS: tuple[tuple[Callable[[int], Iterator[Entry]], int, int], ...] = (
    (scalar_chain, 10_000, 400),
    (ufunc_chain, 4_000, 400),
    (element_loop, 2_000, 100),
    (network, 100, 10),
    (import_time, 0, 0),
)
