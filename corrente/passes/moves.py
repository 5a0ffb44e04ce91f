"""Tiles, margins, rolls and windows, spelled as joins, broadcasts, reads and writes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.circuit import Step, Wire
from corrente.gates.calls import along
from corrente.gates.indexing import Slot
from corrente.passes.writer import Writer
from corrente.record import Params, Shape

_MOST = 64
"""Writes into which one step may be spelled: more are better left to NumPy."""
_PLACES = np.dtype(np.int64)


def _reshaped(write: Writer, x: Wire, shape: Sequence[int]) -> Wire:
    return x if x.shape == tuple(shape) else write("reshape", x, shape=tuple(shape), order="C")


def _read(write: Writer, x: Wire, axis: int, item: Any) -> Wire:
    return write("getitem", x, index=along(axis, item))


# --- copies -------------------------------------------------------------------------------------


def _tile(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x, reps = ins[0], params["reps"]
    apart = [n for size in x.shape for n in (1, size)]
    spread = [n for pair in zip(reps, x.shape, strict=True) for n in pair]
    copies = write("broadcast_to", _reshaped(write, x, apart), shape=tuple(spread))
    return _reshaped(write, copies, [n * m for n, m in zip(reps, x.shape, strict=True)])


def _repeat(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x, repeats, axis = ins[0], params["repeats"], params["axis"]
    if not isinstance(repeats, int):
        rows = np.repeat(np.arange(x.shape[axis], dtype=_PLACES), repeats)
        return write("getitem", x, write.hold(rows), index=along(axis, Slot(0)))
    before, after = x.shape[: axis + 1], x.shape[axis + 1 :]
    apart = _reshaped(write, x, (*before, 1, *after))
    copies = write("broadcast_to", apart, shape=(*before, repeats, *after))
    return _reshaped(write, copies, (*before[:-1], before[-1] * repeats, *after))


def _roll(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x, shifts, axes = ins[0], params["shift"], params["axis"]
    if axes is None:
        flat = _reshaped(write, x, (math.prod(x.shape),))
        return _reshaped(write, _rolled(write, flat, shifts[0], 0), x.shape)
    for shift, axis in zip(shifts, axes, strict=True):
        x = _rolled(write, x, shift, axis)
    return x


def _rolled(write: Writer, x: Wire, shift: int, axis: int) -> Wire:
    cut = -shift % x.shape[axis]
    if cut == 0:
        return x
    ends = slice(cut, None), slice(None, cut)
    return write("concatenate", *(_read(write, x, axis, end) for end in ends), axis=axis)


# --- margins ------------------------------------------------------------------------------------


def _pad(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x, widths, mode = ins[0], params["pad_width"], params["mode"]
    number = params["constant_values"]
    if mode == "constant" and not isinstance(number, tuple):
        out = tuple(a + n + b for n, (a, b) in zip(x.shape, widths, strict=True))
        inner = tuple(slice(a, a + n) for n, (a, _) in zip(x.shape, widths, strict=True))
        return write("setitem", write.filled(out, number, x.dtype), x, index=inner)
    for axis, width in enumerate(widths):
        if width == (0, 0):
            continue
        if mode == "constant":
            x = _between(write, x, axis, width, number[axis])
        else:
            rows = np.pad(np.arange(x.shape[axis], dtype=_PLACES), width, mode)
            x = write("getitem", x, write.hold(rows), index=along(axis, Slot(0)))
    return x


def _between(
    write: Writer, x: Wire, axis: int, width: tuple[int, int], numbers: tuple[Any, Any]
) -> Wire:
    """Join an array with margins of a number each, where they have a width."""

    def margin(side: int) -> list[Wire]:
        shape = (*x.shape[:axis], width[side], *x.shape[axis + 1 :])
        return [write.filled(shape, numbers[side], x.dtype)] if width[side] else []

    return write("concatenate", *margin(0), x, *margin(1), axis=axis)


def _diag(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    v, k = ins[0], params["k"]
    if len(v.shape) == 2:
        return write("diagonal", v, offset=k, axis1=0, axis2=1)
    side = v.shape[0] + abs(k)
    at = np.arange(v.shape[0], dtype=_PLACES)
    places = write.hold(at + max(-k, 0)), write.hold(at + max(k, 0))
    zeros = write.filled((side, side), 0, v.dtype)
    return write("setitem", zeros, v, *places, index=(Slot(0), Slot(1)))


# --- windows ------------------------------------------------------------------------------------


def _every(counts: Sequence[int], steps: Sequence[int], starts: Sequence[int]) -> tuple[slice, ...]:
    return tuple(
        slice(start, start + (n - 1) * s + 1, s)
        for start, n, s in zip(starts, counts, steps, strict=True)
    )


def _overlap_add(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire | None:
    x, lengths = ins[0], params["length"]
    steps, gaps, n = params["stride"], params["dilation"], len(params["length"])
    lead, middle, last = _parted(x.shape, n)
    at_offset = True
    if math.prod(middle) < math.prod(last):
        # positions and offsets play the same part: the writes go over the fewer
        middle, last, steps, gaps, at_offset = last, middle, gaps, steps, False
    if math.prod(last) > _MOST:
        return None
    out = write.filled((*lead, *lengths), 0, x.dtype)
    for offset in np.ndindex(last):
        rest = (slice(None),) * n
        part = write("getitem", x, index=(..., *offset) if at_offset else (..., *offset, *rest))
        starts = [k * gap for k, gap in zip(offset, gaps, strict=True)]
        out = write("add_at", out, part, index=(..., *_every(middle, steps, starts)))
    return out


def _parted(shape: Shape, n: int) -> tuple[Shape, Shape, Shape]:
    middle, last = len(shape) - 2 * n, len(shape) - n
    return shape[:middle], shape[middle:last], shape[last:]


def _convolve(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire | None:
    """Add up the longer input once for each element of the shorter, shifted and weighted."""
    dtype = np.result_type(*(x.dtype for x in ins))
    long, short = sorted(ins, key=lambda x: -x.shape[0])
    m, n = long.shape[0], short.shape[0]
    if n > _MOST or dtype.kind != "f":
        return None
    out = write.filled((m + n - 1,), 0, dtype)
    for k in range(n):
        weighted = write("multiply", long, write("getitem", short, index=(k,)))
        out = write("add_at", out, weighted, index=(slice(k, k + m),))
    if params["mode"] == "full":
        return out
    start = n - 1 if params["mode"] == "valid" else (n - 1) // 2
    count = m - n + 1 if params["mode"] == "valid" else m
    return write("getitem", out, index=(slice(start, start + count),))


# --- places -------------------------------------------------------------------------------------


def _places(name: str, first: int) -> Any:
    """Make the rule that gives all index arrays of a read, or a write, one shape and one dtype."""

    def rule(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire | None:
        base, arrays = ins[:first], ins[first:]
        shapes = {x.shape for x in arrays}
        if any(x.dtype.kind != "i" for x in arrays):
            return None
        if len(shapes) < 2 and all(x.dtype == _PLACES for x in arrays):
            return None
        shape = np.broadcast_shapes(*shapes)
        wide = [x if x.dtype == _PLACES else write("astype", x, dtype=_PLACES) for x in arrays]
        full = [x if x.shape == shape else write("broadcast_to", x, shape=shape) for x in wide]
        return write(name, *base, *full, **params)

    return rule


SPELLINGS = {
    "tile": _tile,
    "repeat": _repeat,
    "roll": _roll,
    "pad": _pad,
    "diag": _diag,
    "overlap_add": _overlap_add,
    "convolve": _convolve,
    "getitem": _places("getitem", 1),
    "setitem": _places("setitem", 2),
    "add_at": _places("add_at", 2),
}
