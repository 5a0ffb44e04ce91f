"""Programs of single numbers: the cost of a call, and of one operation in a Python loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import numpy as np

import corrente as co
from benchmarks import extension, peers
from benchmarks.contestants import Call, Contestant, Program, Row

POINT = (-2.0, 5.0, -4.0)


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the rows of scalars."""
    steps = 400 if tiny else 10_000
    yield Row("(x + y) * z", three_numbers, unit="call")
    yield Row("scalar chain", lambda: scalar_chain(steps), "operation", steps)
    yield Row("ufunc chain", lambda: ufunc_chain(steps), "operation", steps)
    yield Row("element loop", lambda: element_loop(steps // 4), "element", steps // 4)


def product(x: Any, y: Any, z: Any) -> Any:
    """The first circuit of the CS231n notes."""
    return (x + y) * z


def bare_product(x, y, z):
    return (x + y) * z


def three_numbers() -> Iterator[Contestant]:
    """Floats in; the value and three gradients out."""
    program = Program(lambda np_: product, POINT, (0, 1, 2), torch=product)
    yield from peers.gradients(program)
    yield Contestant("casadi", casadi_product, "casadi")
    yield Contestant("micrograd", lambda: micrograd_product, "micrograd")
    yield Contestant("tangent-ad", tangent_product, "tangent")
    yield Contestant("ddx-ad", ddx_product, "ddx")
    if extension.possible():
        yield Contestant("C", lambda: partial(extension.load().gradient, *POINT), "cc")


def casadi_product() -> Call:
    casadi = import_module("casadi")
    inputs = [casadi.SX.sym(name) for name in "xyz"]
    value = product(*inputs)
    slopes = [casadi.gradient(value, wire) for wire in inputs]
    return partial(casadi.Function("product", inputs, [value, *slopes]), *POINT)


def micrograd_product() -> Any:
    """Build and sweep the graph, as micrograd does for every call."""
    value = import_module("micrograd.engine").Value
    x, y, z = (value(number) for number in POINT)
    out = product(x, y, z)
    out.backward()
    return out.data, x.grad, y.grad, z.grad


def tangent_product() -> Call:
    # it reads the source, and would look for the names of annotations
    slope = import_module("tangent").grad(bare_product, wrt=(0, 1, 2), preserve_result=True)

    def run(x: float, y: float, z: float) -> Any:
        *slopes, value = slope(x, y, z)
        return value, *slopes

    return partial(run, *POINT)


def ddx_product() -> Call:
    ddx = import_module("ddx")
    equation = ddx.equation(lambda: product(*(ddx.var(name) for name in "xyz")))

    def run(point: Any) -> Any:
        value, slopes = equation.jacobian(point)
        return value, *slopes

    return partial(run, list(POINT))


# --- one operation --------------------------------------------------------------------------------


def looped(build: Callable[[Any], Callable[[Any], Any]], x: Any) -> Iterator[Contestant]:
    """A Python loop run anew at every call, by those who can: the cost of taking it down."""
    yield Contestant("corrente eager", lambda: partial(co.value_and_grad(build(np)), x))
    yield Contestant("corrente", lambda: partial(co.jit(co.value_and_grad(build(np))), x))
    program = Program(build, (x,), (0,))
    yield Contestant("autograd", lambda: peers.autograd(program), "autograd")


def scalar_chain(steps: int) -> Iterator[Contestant]:
    """Multiply and add in turns."""

    def chain(x: Any, steps: int = steps) -> Any:
        for _ in range(steps // 2):
            x = x * 0.99999 + 0.00001
        return x

    yield from looped(lambda np_: lambda x: chain(x), 1.0)
    # its backward pass recurses, so it runs a chain that Python's stack can hold
    short = min(steps, 400)

    def run() -> Any:
        x = import_module("micrograd.engine").Value(1.0)
        out = chain(x, short)
        out.backward()
        assert math.isclose(out.data, 1.0)
        return x.grad

    yield Contestant("micrograd", lambda: run, "micrograd", compare=False, units=short)


def ufunc_chain(steps: int) -> Iterator[Contestant]:
    """The same through NumPy's functions, as users write them."""

    def build(np_: Any) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for _ in range(steps // 3):
                x = np_.sin(np_.exp(x * 0.1))
            return x

        return run

    yield from looped(build, 1.0)


def element_loop(length: int) -> Iterator[Contestant]:
    """A loop over the elements of an array: linear, forward and backward."""

    def build(np_: Any) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            total = 0.0
            for k in range(length):
                total = total + x[k] * x[k]
            return total

        return run

    yield from looped(build, np.linspace(0.0, 1.0, length))


def micrograd_module() -> Any:
    """Return micrograd with the one function that it lacks for the circuits of gates."""
    value = import_module("micrograd.engine").Value

    def sin(x: Any) -> Any:
        out = value(math.sin(x.data), (x,), "sin")

        def pull() -> None:
            x.grad += math.cos(x.data) * out.grad

        out._backward = pull
        return out

    return SimpleNamespace(sin=sin)
