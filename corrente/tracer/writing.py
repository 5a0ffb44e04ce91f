"""Writing into traced arrays in place: one buffer, its log, and views that follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.errors import BadArgument, ShapeError, WriteError
from corrente.gates.indexing import fill, is_basic, split_index
from corrente.record import NAMES, Gate
from corrente.tape import Log, Tape
from corrente.tracer.box import Traced, View, constant, frame, operand, run_forward
from corrente.words import Says

_GETITEM, SETITEM = NAMES["getitem"], NAMES["setitem"]


def write(box: Traced, index: Any, value: Any, gate: Gate) -> None:
    """Write into a traced array in place, as `box[index] = value` or `np.add.at` do."""
    box.now()
    items, arrays = split_index(index)
    if box.source is not None:
        _write_through(box, box.source, items, arrays, value, gate)
        return
    _check_writable(box, value)
    if type(value) is Traced and value.tape.level > box.tape.level:
        _adopt(box, value.tape)
    tape = box.tape
    wires, values = [box.wire], []
    for x in (value, *arrays):
        if type(x) is not Traced:
            x = operand(x)
        if type(x) is Traced and x.tape is tape:
            values.append(x.now())
            wires.append(x.wire)
        else:
            values.append(x)
            wires.append(constant(tape, x))
    buffer, log = _own_buffer(box, values[0])
    at = fill(items, values[1:])
    params = {"index": items}
    replaced = np.copy(buffer[at]) if log is not None else None
    run_forward(gate, _into(gate, buffer), values, params)
    result = buffer if log is not None else Traced(buffer.tape, buffer.wire, buffer.value)
    wire = tape.put(gate, tuple(wires), (result,), params, frame(1))
    if log is not None:
        log.add(at, replaced)
        tape.versions[wire] = (log, log.at)
    box.wire, box.value = wire, buffer


def _into(gate: Gate, buffer: Any) -> Callable[..., Any]:
    return lambda *values, **params: gate.forward(buffer, *values, **params, into=buffer)


def _own_buffer(box: Traced, value: Any) -> tuple[Any, Log | None]:
    """Return the memory a write goes to: a copy of its own the first time, the same afterwards.

    A buffer of outer boxes needs no log: each version is a snapshot of its box.
    """
    log, version = box.tape.versions.get(box.wire, (None, 0))
    if log is not None and version == len(log.writes) and type(value) is not Traced:
        log.move(version)
        return log.buffer, log
    buffer = box.value
    if type(buffer) is Traced:
        return np.copy(buffer) if buffer.source is not None else _again(buffer), None
    if type(value) is Traced:
        return np.array(buffer, like=value), None  # type: ignore[call-overload]
    buffer = np.array(box.now())
    return buffer, Log(buffer)


def _again(buffer: Traced) -> Traced:
    return Traced(buffer.tape, buffer.wire, buffer.value)


def _check_writable(box: Traced, value: Any) -> None:
    if box.wire in box.tape.inputs:
        raise WriteError(
            Says(
                "writing into an argument would change the caller's array.",
                "escrever num argumento mudaria o array de quem chamou.",
            ),
            Says("copy it first: x = x.copy().", "copie-o antes: x = x.copy()."),
        )
    if not isinstance(box.value, np.ndarray | Traced):
        raise WriteError(
            Says("a number has no elements to write.", "um número não tem elementos a escrever."),
            Says("assign to the name instead.", "atribua ao nome."),
        )
    if box.dtype.kind not in "fc" and type(value) is Traced and value.dtype.kind in "fc":
        raise BadArgument(
            Says(
                "writing a {0} into an array of {1} would cut its gradient.",
                "escrever um {0} num array de {1} cortaria o gradiente.",
            ).fill(value.dtype, box.dtype),
            Says(
                "make the array with a float dtype: np.zeros(n, like=x).",
                "crie o array com dtype real: np.zeros(n, like=x).",
            ),
        )


def _adopt(box: Traced, tape: Tape) -> None:
    """Move an outer box to an inner tape, because a value from there is written into it."""
    outer = Traced(box.tape, box.wire, box.value)
    box.tape, box.wire, box.value = tape, constant(tape, outer), outer


def _write_through(
    box: Traced, view: View, items: Any, arrays: list[Any], value: Any, gate: Gate
) -> None:
    if view.gate is not _GETITEM:
        raise WriteError(
            Says(
                "writing through a view made by {0} is not followed.",
                "escrever através de uma vista feita por {0} não é seguido.",
            ).fill(view.gate.name),
            Says(
                "write into the array itself, or copy the view first.",
                "escreva no próprio array, ou copie a vista antes.",
            ),
        )
    outer = fill(view.params["index"], view.arrays)
    basic = is_basic(items) and not view.arrays
    whole = compose(view.base.shape, outer, items) if basic else None
    if whole is not None:
        write(view.base, whole, value, gate)
        return
    part = np.copy(box)
    write(part, fill(items, arrays), value, gate)  # type: ignore[arg-type]
    write(view.base, outer, part, SETITEM)


def compose(shape: tuple[int, ...], outer: Any, inner: Any) -> tuple[Any, ...] | None:
    """Return the one basic index that reads `x[outer][inner]`; None if there is a new axis."""
    axes: list[Any] = [range(length) for length in shape]
    for index in (outer, inner):
        if any(item is None for item in index):
            return None
        free = [k for k, axis in enumerate(axes) if isinstance(axis, range)]
        items = list(index)
        if Ellipsis in items:
            k = items.index(Ellipsis)
            items[k : k + 1] = [slice(None)] * (len(free) - len(items) + 1)
        for k, item in zip(free, items, strict=False):
            axes[k] = axes[k][item]
    return tuple(axis if isinstance(axis, int) else _as_slice(axis) for axis in axes)


def _as_slice(axis: range) -> slice:
    if not axis:
        return slice(0, 0)
    stop = axis.stop if axis.step > 0 or axis.stop >= 0 else None
    return slice(axis.start, stop, axis.step)


def innermost(value: Any) -> Any:
    """Return the plain value inside a box, through every level."""
    while type(value) is Traced:
        value = value.value
    return value


def assign(box: Traced, out: Any) -> Any:
    """Finish an in-place operator: numbers are rebound, arrays change where they are."""
    if not box.shape and not isinstance(innermost(box), np.ndarray):
        return out
    if out.shape != box.shape:
        operator = Says("in-place operator", "o operador que escreve no lugar")
        unfit = Says("the result does not fit", "o resultado não cabe")
        raise ShapeError(operator, (box.shape, out.shape), unfit)
    if out.dtype != box.dtype:
        if not np.can_cast(out.dtype, box.dtype, "same_kind"):
            raise BadArgument(
                Says(
                    "an array of {0} cannot take a result of {1} in place.",
                    "um array de {0} não pode receber no lugar um resultado de {1}.",
                ).fill(box.dtype, out.dtype),
                Says("write x = x + y instead of x += y.", "escreva x = x + y em vez de x += y."),
            )
        out = out.astype(box.dtype)
    box.now()
    if box.source is not None:
        write(box, ..., out, SETITEM)
        return box
    _check_writable(box, out)
    box.tape, box.wire, box.value = out.tape, out.wire, out.value
    return box
