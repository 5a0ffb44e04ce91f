"""Strictness: where Python's own numbers would raise, a compiled program steps aside for Python.

NumPy divides by zero and goes on; `1.0 / x` of a Python float raises, and a negative float to the
power of a half is complex. A program asks first whether its numbers do either.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.backward import LONG
from corrente.recording import Recording
from corrente.tracer import Traced


class Unlike(Exception):
    """Python's own arithmetic does something else with these numbers than NumPy's."""


def strict(recording: Recording) -> Recording:
    """Guard what Python's numbers would refuse; raise Unlike if these numbers are refused.

    Long recordings stay as they are: there the numbers are NumPy's.
    """
    tape = recording.tape
    asked = [
        step
        for step in tape.recorded
        if step[0].name in _FINE and all(type(tape.values[wire]) in _OWN for wire in step[1])
    ]
    if not asked or len(tape.recorded) >= LONG:
        return recording
    made = {out for step in tape.recorded for out in step[2]} | set(tape.inputs)

    def reads(wire: int) -> Any:
        value = tape.values[wire]
        return Traced(tape, wire, value) if wire in made else value

    fine: Any = True
    tape.steps = tape.recorded
    try:
        for gate, ins, outs, _, tape.place, *_ in asked:
            flag = _FINE[gate.name](*map(reads, ins), reads(outs[0]))
            fine = flag if fine is True else np.logical_and(fine, flag)
        if not (fine.now() if type(fine) is Traced else fine):
            raise Unlike
        if type(fine) is Traced:
            tape.guard(fine.wire, True, asked[0][4])
    finally:
        tape.close()
    return recording


def _divides(x: Any, y: Any, out: Any) -> Any:
    return np.not_equal(y, 0.0)


def _raises(x: Any, y: Any, out: Any) -> Any:
    """A finite number to a finite power is a finite number, or Python has another answer."""
    fine = np.isfinite(out)
    for given in (x, y):
        if type(given) is Traced:
            fine = np.logical_or(fine, np.logical_not(np.isfinite(given)))
    return fine


_OWN = frozenset((float, int, bool))
_FINE: dict[str, Callable[..., Any]] = {
    "divide": _divides,
    "floor_divide": _divides,
    "remainder": _divides,
    "power": _raises,
}
