"""Circuits of a hundred thousand single gates, no two alike: in wide levels, and one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.contestants import Call, Contestant, Program, Row, absent
from benchmarks.rows.scalars import micrograd_module

SLOW_WIDE = "more than two minutes to compile a thousand gates"
SLOW_SERIAL = "seconds to compile every thousand gates"


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the two circuits; chained rounding makes the second one's tolerance wider."""
    gates, width = (500, 20) if tiny else (100_000, 1000)
    yield Row("10⁵ gates, wide", lambda: contestants(wide(gates, width), SLOW_WIDE), tolerance=1e-6)
    yield Row("10⁵ gates, serial", lambda: contestants(serial(gates), SLOW_SERIAL), tolerance=1e-6)


def wide(gates: int, width: int) -> Program:
    """Return levels of `width` values, each made of two of the level below by one of three ways."""
    rng = np.random.default_rng(7)
    # sin(a + b) has two gates, a * b has one, a - b * 0.5 two; the last sum has one for each value
    orders = [rng.permutation(width) for _ in range((gates - width) * 3 // (5 * width))]

    def build(np_: Any) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            level = [x[k] for k in range(width)]
            for order in orders:
                pairs = zip(level, [level[k] for k in order], strict=True)
                level = [joined(np_, k % 3, a, b) for k, (a, b) in enumerate(pairs)]
            total = level[0]
            for value in level[1:]:
                total = total + value
            return total

        return run

    return Program(build, (rng.normal(size=width),), (0,))


def joined(np_: Any, way: int, a: Any, b: Any) -> Any:
    if way == 0:
        return np_.sin(a + b)
    return a * b if way == 1 else a - b * 0.5


def serial(gates: int) -> Program:
    """Return a pendulum pushed and moved in a random order: each gate waits for the one before."""
    ways = np.random.default_rng(8).integers(0, 2, gates * 2 // 5).tolist()

    def build(np_: Any) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            angle, speed = x[0], x[1]
            for way in ways:
                if way:
                    speed = speed - np_.sin(angle) * 0.001
                else:
                    angle = angle + speed * 0.001
            return angle * speed

        return run

    return Program(build, (np.array([1.0, 0.1]),), (0,))


def contestants(program: Program, slow: str) -> Iterator[Contestant]:
    yield from peers.gradients(program, jax=slow)
    yield Contestant("torch", lambda: torch_scalars(program), "torch")
    yield Contestant("casadi", lambda: casadi_graph(program), "casadi")
    yield Contestant("micrograd", lambda: micrograd_graph(program), "micrograd")
    yield Contestant("ddx-ad", lambda: ddx_graph(program), "ddx")
    yield absent("ddx-ad compiled", "ddx", "more than four minutes to compile")


def torch_scalars(program: Program) -> Call:
    """PyTorch needs its own sine and nothing else."""
    return peers.torch_gradient(program._replace(torch=program.of(import_module("torch"))))


def casadi_graph(program: Program) -> Call:
    casadi = import_module("casadi")
    x = casadi.SX.sym("x", program.given[0].size)
    value = program.of(casadi)(x)
    return partial(casadi.Function("f", [x], [value, casadi.gradient(value, x)]), program.given[0])


def micrograd_graph(program: Program) -> Call:
    """Build and sweep at every call; its sweep recurses as deep as the circuit."""
    function, value = program.of(micrograd_module()), import_module("micrograd.engine").Value

    def run(given: Any) -> Any:
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(10**6)
        x = [value(number) for number in given]
        out = function(x)
        out.backward()
        sys.setrecursionlimit(before)
        return out.data, np.array([part.grad for part in x])

    return partial(run, program.given[0].tolist())


def ddx_graph(program: Program) -> Call:
    ddx = import_module("ddx")
    count = program.given[0].size
    equation = ddx.equation(lambda: program.of(ddx)([ddx.var(f"x{k}") for k in range(count)]))
    return partial(equation.jacobian, program.given[0])
