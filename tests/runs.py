"""Runs written by hand, for tests of what is drawn and told of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.circuit import Circuit, Contribution, Frame, Guard, Run, Step, Wire
from corrente.gates.arithmetic import add, multiply, reciprocal, sqrt
from corrente.record import Gate


class Writer:
    """Writes a circuit wire by wire, and runs it back by the gates' own pulls."""

    def __init__(self) -> None:
        self.wires: list[Wire] = []
        self.ins: list[int] = []
        self.held: dict[int, Any] = {}
        self.steps: list[Step] = []
        self.labels: dict[int, str] = {}
        self.values: dict[int, Any] = {}
        self.guards: list[Guard] = []

    def wire(self, value: Any, name: str | None = None) -> int:
        array, k = np.asarray(value), len(self.wires)
        self.wires.append(Wire(array.shape, array.dtype, k, isinstance(value, float)))
        self.values[k] = value
        if name:
            self.labels[k] = name
        return k

    def given(self, value: Any, name: str) -> int:
        self.ins.append(self.wire(value, name))
        return self.ins[-1]

    def constant(self, value: Any) -> int:
        k = self.wire(value)
        self.held[k] = value
        return k

    def step(
        self, gate: Gate, *ins: int, name: str | None = None, stack: tuple[Frame, ...] = ()
    ) -> int:
        with np.errstate(all="ignore"):
            value = gate.forward(*(self.values[wire] for wire in ins))
        if all(self.wires[wire].weak for wire in ins) and not isinstance(value, np.bool_):
            value = float(value)
        k = self.wire(value, name)
        self.steps.append(Step(gate, ins, (k,), {}, None, stack))
        return k

    def guard(self, wire: int) -> None:
        self.guards.append(Guard(wire, bool(self.values[wire]), None))

    def run(self, *outs: int, wanted: tuple[int, ...] = (), name: str = "f") -> Run:
        circuit = Circuit(
            tuple(self.wires), tuple(self.ins), self.held, tuple(self.steps), outs,
            tuple(self.guards), self.labels,
        ).verify()  # fmt: skip
        gradients: dict[int, Any] = {}
        contributions: dict[int, list[Contribution]] = {}
        if wanted:
            gradients = {out: np.ones_like(self.values[out]) * 1.0 for out in outs}
        active = set(wanted)
        for step in self.steps:
            if active & set(step.ins):
                active.update(step.outs)
        for k in reversed(range(len(self.steps))):
            if (out := self.steps[k].outs[0]) in gradients:
                self._back(k, gradients[out], active, gradients, contributions)
        return Run(circuit, self.values, gradients, contributions, frozenset(wanted), name)

    def _back(self, k: int, g: Any, active: set[int], gradients: Any, contributions: Any) -> None:
        gate, ins, (out,) = self.steps[k][:3]
        x = [self.values[wire] for wire in ins]
        for position, wire in enumerate(ins):
            if wire in active:
                with np.errstate(all="ignore"):
                    d = gate.pulls[position](g, self.values[out], *x)  # type: ignore[index]
                while np.ndim(d) > np.ndim(self.values[wire]):
                    d = d.sum(0)
                gradients[wire] = gradients[wire] + d if wire in gradients else d
                contributions.setdefault(wire, []).append(Contribution(k, position, d))


def xyz(**changes: Any) -> Run:
    """(x + y) * z, the notes' first circuit."""
    w = Writer()
    x, y, z = w.given(-2.0, "x"), w.given(5.0, "y"), w.given(-4.0, "z")
    q = w.step(add, x, y, name="q")
    return w.run(w.step(multiply, q, z), wanted=(x, y, z), **changes)


def fork() -> Run:
    """a = 1, b = a + a, c = b + b: every gradient is a sum of two."""
    w = Writer()
    a = w.given(1.0, "a")
    b = w.step(add, a, a, name="b")
    return w.run(w.step(add, b, b, name="c"), wanted=(a,), name="double")


def square() -> Run:
    """Data, a constant, a wire read three times, and a crossing."""
    w = Writer()
    x, y = w.given(3.0, "x"), w.given(2.0, "y")
    s = w.step(multiply, x, x, name="s")
    r = w.step(add, w.step(multiply, s, y), x)
    return w.run(w.step(multiply, r, w.constant(0.5)), wanted=(x,), name="loss")


def network() -> Run:
    """Fourteen steps on arrays, shaped like a network of two layers."""
    draw, w = np.random.default_rng(0), Writer()
    data, target = (w.given(draw.normal(size=(20, 6)), name) for name in ("X", "target"))
    w1, w2 = (w.given(draw.normal(size=(20, 6)), name) for name in ("W1", "W2"))
    b1, b2 = (w.given(draw.normal(size=6), name) for name in ("b1", "b2"))
    h = w.step(add, w.step(multiply, data, w1, name="h"), b1)
    h = w.step(add, w.step(multiply, h, h), w.constant(1.0))
    h = w.step(reciprocal, w.step(sqrt, h), name="hidden")
    scores = w.step(add, w.step(multiply, h, w2), b2, name="scores")
    away = w.step(add, scores, w.step(multiply, target, w.constant(-1.0)), name="diff")
    penalty = w.step(multiply, w1, w1)
    loss = w.step(add, w.step(multiply, away, away), penalty, name="loss")
    return w.run(loss, wanted=(w1, b1, w2, b2), name="network")


def chain(count: int) -> Run:
    """A long chain that reads one parameter at every other step."""
    w = Writer()
    x, weight = w.given(1.0, "x"), w.given(1.0001, "w")
    h = x
    for k in range(count):
        h = w.step(multiply, h, weight) if k % 2 else w.step(add, h, w.constant(0.001))
    return w.run(h, wanted=(x, weight), name="chain")
