"""The same circuit once more with one thing changed: how a cure is tried before it is advised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Circuit, Step
from corrente.derivatives import value_and_grad
from corrente.tracer import Traced, record

Values = Mapping[int, Any]
Swap = Callable[[Any, Values], Any]
Swaps = dict[tuple[int, int], Swap]


class Change(NamedTuple):
    """What is different the second time.

    `given` puts other values on wires; `swap` passes an operand, by (step, position), through a
    function of it and of the values so far; `instead` computes a step by another function.
    """

    given: Mapping[int, Any] = {}
    swap: Mapping[tuple[int, int], Swap] = {}
    instead: Mapping[int, Callable[..., Any]] = {}


NOTHING = Change()


def rerun(circuit: Circuit, ins: Mapping[int, Any], change: Change = NOTHING) -> dict[int, Any]:
    """Run a circuit on the values of its inputs, with a change; return the values by wire.

    Inputs may be traced: then the run can be differentiated.
    """
    values: dict[int, Any] = {**circuit.held, **ins, **change.given}
    for k, step in enumerate(circuit.steps):
        operands = [
            change.swap[k, p](values[wire], values) if (k, p) in change.swap else values[wire]
            for p, wire in enumerate(step.ins)
        ]
        for wire, value in zip(step.outs, _outputs(k, step, operands, change), strict=True):
            values.setdefault(wire, value)
    return values


def _outputs(k: int, step: Step, operands: list[Any], change: Change) -> Sequence[Any]:
    if k in change.instead:
        return (change.instead[k](*operands),)
    if any(type(value) is Traced for value in operands):
        out = record(step.gate, operands, step.params)
    else:
        out = step.gate.forward(*operands, **step.params)
    return (out,) if step.gate.outs == 1 else tuple(out)


class Model(NamedTuple):
    """A loss as a function of its parameters alone, each an array or number under its wire."""

    loss: Callable[[list[Any]], Any]
    start: list[Any]
    wires: list[int]

    def gradient(self, point: list[Any]) -> tuple[float, list[Any]]:
        """Return the loss and its gradient at a point; warnings about numbers are kept back."""
        with np.errstate(all="ignore"):
            value, slope = value_and_grad(self.loss)(point)
        return float(value), slope

    def scaled(self, scales: list[float]) -> Model:
        """Measure each parameter in units of its own: q = p / scale."""
        loss = self.loss
        return Model(
            lambda q: loss([s * each for s, each in zip(scales, q, strict=True)]),
            [p / s for s, p in zip(scales, self.start, strict=True)],
            self.wires,
        )


def model(circuit: Circuit, values: Any, parameters: frozenset[int], change: Change) -> Model:
    """Make the loss of a circuit a function of its parameters, everything else held."""
    wires = sorted(parameters)
    (out,) = circuit.outs
    data = {wire: values[wire] for wire in circuit.ins if wire not in parameters}

    def loss(point: list[Any]) -> Any:
        ins = data | dict(zip(wires, point, strict=True))
        return rerun(circuit, ins, change)[out]

    return Model(loss, [values[wire] for wire in wires], wires)


def slope_at(circuit: Circuit, values: Any, wire: int, change: Change) -> Any:
    """Return the gradient of the loss at one wire when a change is made.

    Something is added to the wire wherever it is read, and the loss derived by that.
    """
    ins = {each: values[each] for each in circuit.ins}
    (out,) = circuit.outs

    def loss(extra: Any) -> Any:
        swap = dict(change.swap)
        for key in circuit.readers.get(wire, []):
            swap[key] = _plus(extra, swap.get(key))
        return rerun(circuit, ins, change._replace(swap=swap))[out]

    zero = np.zeros(np.shape(values[wire]), np.asarray(values[wire]).dtype)
    with np.errstate(all="ignore"):
        return value_and_grad(loss)(zero)[1]


def _plus(extra: Any, first: Swap | None) -> Swap:
    return lambda value, values: (first(value, values) if first else value) + extra
