"""The backward pass on the tape of its forward pass: value and gradients as one circuit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import numpy as np

from corrente.backprop import sweep
from corrente.blocks import loop, sketching
from corrente.circuit import Circuit
from corrente.derivatives import Choice, gradient_trees, scalar, seed
from corrente.passes.nest import nest
from corrente.passes.roll import roll
from corrente.recording import Recording, freeze, result_wires, warn_unreached
from corrente.tape import Tape
from corrente.tracer import Traced
from corrente.trees import take_apart


def append(recording: Recording, choice: Choice, with_value: bool) -> tuple[Recording, list[Any]]:
    """Continue a recording by its backward pass; return it with value and gradients as result.

    The list tells, for each leaf of the result, what it is the gradient of (the value for the
    value itself): a float's gradient is a float. The tape must have no written buffers.
    """
    tape = recording.tape
    value, wire = scalar(recording)
    seeds = {} if wire is None else {wire: seed(value)}
    steps = list(tape.recorded)
    reader = _Boxes(tape)
    tape.steps = tape.recorded
    tape.place = steps[-1][4] if steps else None
    try:
        with sketching():
            found = sweep(steps, reader.get, len(tape.values), seeds, sorted(tape.wanted))
    finally:
        tape.close()
    warn_unreached(recording, found, wire)
    trees = gradient_trees(recording, found)
    gradient = choice.arrange(trees)
    likes = differentiated(recording, choice)
    if not with_value:
        return recording._replace(result=gradient), likes
    return recording._replace(result=(recording.result, gradient)), [value, *likes]


def differentiated(recording: Recording, choice: Choice) -> list[Any]:
    """Return the values that are differentiated, in the order in which their gradients stand."""
    return [
        None if w is None else recording.tape.values[w]
        for argument in _in_order(recording, choice)
        for w in argument.wires
    ]


def rolled(recording: Recording, nested: bool = False) -> Recording:
    """Turn the repeated stretches of a long recording into loops, before its backward pass.

    Returns a recording of the rolled circuit, on a tape of its own; the same one if nothing in
    it repeats. The numbers that come out of its loops are of the right form only. `nested` cuts
    the loops into stretches, so that their way back keeps fewer states.
    """
    tape = recording.tape
    if len(tape.recorded) < LONG or tape.versions or mostly_numbers(tape):
        return recording
    tree, wires = result_wires(recording)
    outs = [wire for wire in wires if wire is not None]
    frozen = freeze(recording, outs)
    circuit = roll(frozen, LONG)
    if not any(step.gate is loop for step in circuit.steps):
        return recording
    circuit = nest(circuit) if nested else circuit
    fresh = Tape()
    wanted = [wire in tape.wanted for wire in frozen.ins]
    boxes: dict[int, Any] = {}
    new_of: dict[int, int] = {}
    for old, new, asked in zip(frozen.ins, circuit.ins, wanted, strict=True):
        value = tape.values[old]
        new_of[old] = fresh.argument(value, asked)
        boxes[new] = Traced(fresh, new_of[old], value)
    with sketching():
        values = run_boxed(circuit, boxes, fresh)
    fresh.place = None
    for guard in circuit.guards:
        found = values[guard.wire]
        if type(found) is Traced:
            fresh.guards.append(guard._replace(wire=found.wire))
    fresh.close()
    made = iter(values[wire] for wire in circuit.outs)
    leaves = [
        leaf if wire is None else next(made) for leaf, wire in zip(tree.leaves, wires, strict=True)
    ]
    arguments = [
        argument._replace(wires=[None if w is None else new_of[w] for w in argument.wires])
        for argument in recording.arguments
    ]
    return recording._replace(tape=fresh, arguments=arguments, result=tree.build(leaves))


def lightly(f: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that is traced without keeping what its steps make.

    Its first run then takes no more memory than the program that comes of it: the tape knows of a
    large array the shape, the dtype and one element.
    """

    @wraps(f)
    def light(*args: Any, **kwargs: Any) -> Any:
        boxes = [x for x in take_apart((args, kwargs)).leaves if type(x) is Traced]
        for tape in {id(box.tape): box.tape for box in boxes}.values():
            tape.values = _Forms(tape.values)
        return f(*args, **kwargs)

    return light


class _Forms(list[Any]):
    """Values of a tape, of which those that steps make are only hinted at."""

    def extend(self, values: Iterable[Any]) -> None:
        super().extend(map(_form_of, values))


def _form_of(value: Any) -> Any:
    if type(value) is not np.ndarray or value.size <= _SMALL or value.dtype.hasobject:
        return value
    return np.broadcast_to(value.flat[0], value.shape)


def mostly_numbers(tape: Tape) -> bool:
    """Tell whether nearly all values are single numbers: the machine for those is faster."""
    values = tape.values
    return sum(np.ndim(value) == 0 for value in values[::7]) * 7 > 0.9 * len(values)


def run_boxed(circuit: Circuit, boxes: dict[int, Any], tape: Tape) -> dict[int, Any]:
    """Run a circuit on boxes of a tape, so that its steps are recorded there, with their places."""
    values = dict(circuit.held) | boxes
    for step in circuit.steps:
        tape.place = step.where
        out = step.gate.forward(*[values[w] for w in step.ins], **step.params)
        made = (out,) if len(step.outs) == 1 and not isinstance(out, tuple | list) else out
        values.update(zip(step.outs, made, strict=True))
    return values


_SMALL = 1024
LONG = 512
"""Steps from which on a recording is searched for repetitions."""


def _in_order(recording: Recording, choice: Choice) -> list[Any]:
    """Return the differentiated arguments in the order in which their gradients stand."""
    by_key = {argument.key: argument for argument in recording.arguments}
    keys = (
        choice.keys
        if choice.names is None
        else [
            key
            for _, key in sorted(zip(choice.names, choice.keys, strict=True), key=lambda p: p[0])
        ]
    )
    return [by_key[key] for key in keys]


class _Boxes:
    """Reads a tape's wires as boxes on it, so that the rules record their work there."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.made = {out for step in tape.recorded for out in step[2]} | set(tape.inputs)
        self.boxes: dict[int, Any] = {}

    def get(self, wire: int) -> Any:
        """Return a wire's box; a number from outside stays one."""
        box = self.boxes.get(wire)
        if box is None:
            value = self.tape.values[wire]
            fixed = wire not in self.made and not isinstance(value, np.ndarray)
            box = self.boxes[wire] = value if fixed else Traced(self.tape, wire, value)
        return box
