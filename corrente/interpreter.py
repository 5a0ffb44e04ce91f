"""The reference meaning of a circuit: plain NumPy, one step after another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Step
from corrente.record import Scatter


def interpret(circuit: Circuit, *ins: Any) -> list[Any]:
    """Run a circuit on input values and return the values of its outputs.

    A scatter writes in place where nothing reads its old buffer any more, so that a loop of n
    writes costs n and not n squared.
    """
    values = run(circuit, *ins)
    return [values[wire] for wire in circuit.outs]


def run(circuit: Circuit, *ins: Any, keep: bool = False) -> dict[int, Any]:
    """Run a circuit and return the values by wire id; `keep` keeps every one of them."""
    values: dict[int, Any] = dict(circuit.held)
    values.update(zip(circuit.ins, ins, strict=True))
    last = {} if keep else _last_readers(circuit)
    owned: set[int] = set()
    for k, step in enumerate(circuit.steps):
        _execute(circuit, k, step, values, last, owned)
    return values


def _execute(
    circuit: Circuit,
    k: int,
    step: Step,
    values: dict[int, Any],
    last: dict[int, int],
    owned: set[int],
) -> None:
    given = [values[wire] for wire in step.ins]
    if isinstance(step.gate.kind, Scatter) and step.ins[0] in owned and last.get(step.ins[0]) == k:
        out: Any = step.gate.forward(*given, **step.params, into=given[0])
    else:
        out = step.gate.forward(*given, **step.params)
    reads_owned = step.ins and step.ins[0] in owned and not isinstance(step.gate.kind, Scatter)
    if reads_owned and isinstance(out, np.ndarray) and np.may_share_memory(out, given[0]):
        out = np.copy(out)  # a view must not follow later writes in place
    for wire, value in zip(step.outs, (out,) if step.gate.outs == 1 else out, strict=True):
        values[wire] = _weakened(value) if circuit.wires[wire].weak else value
    if isinstance(step.gate.kind, Scatter):
        owned.add(step.outs[0])
    for wire in step.ins:
        if last.get(wire) == k:
            values.pop(wire, None)


def _weakened(value: Any) -> Any:
    """Turn a NumPy scalar back into the Python number that the user's code had here."""
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


def _last_readers(circuit: Circuit) -> dict[int, int]:
    last = {wire: k for k, step in enumerate(circuit.steps) for wire in step.ins}
    for wire in (*circuit.outs, *(guard.wire for guard in circuit.guards)):
        last[wire] = len(circuit.steps)
    return last


class NumPyBuilder:
    """The builder that answers with whole arrays: what every `emit` must agree with."""

    add, sub, mul, div, fmod = np.add, np.subtract, np.multiply, np.divide, np.fmod
    pow, atan2, neg, abs, sqrt = np.power, np.arctan2, np.negative, np.abs, np.sqrt
    cbrt, exp, exp2, expm1 = np.cbrt, np.exp, np.exp2, np.expm1
    log, log2, log10, log1p = np.log, np.log2, np.log10, np.log1p
    sin, cos, tan = np.sin, np.cos, np.tan
    asin, acos, atan = np.arcsin, np.arccos, np.arctan
    sinh, cosh, tanh = np.sinh, np.cosh, np.tanh
    asinh, acosh, atanh = np.arcsinh, np.arccosh, np.arctanh
    floor, ceil, rint, trunc = np.floor, np.ceil, np.rint, np.trunc
    lt, le, eq = np.less, np.less_equal, np.equal
    both, either, negate, select = np.logical_and, np.logical_or, np.logical_not, np.where

    @staticmethod
    def const(number: float, like: Any) -> Any:
        """Return a number in the dtype of the value beside it."""
        return np.asarray(like).dtype.type(number)


def emitted(gate_emit: Any, ins: Sequence[Any]) -> Any:
    """Evaluate a gate's loop body with NumPy."""
    return gate_emit(NumPyBuilder, *ins)
