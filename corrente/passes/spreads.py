"""Means, spreads, lengths, counts and places, spelled as sums and greatest elements."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.circuit import Step, Wire
from corrente.passes.writer import Writer
from corrente.record import Params

_BOOL = np.dtype(bool)
_WHOLE = np.dtype(np.int64)
_MOST = 1 << 20
"""Elements in which a place is looked for: their numbers, from zero on, are held."""


def _floating(write: Writer, x: Wire) -> Wire:
    """Bring whole numbers and truth values to the precision in which NumPy takes their mean."""
    return x if x.dtype.kind == "f" else write("astype", x, dtype=np.dtype(np.float64))


def _count(x: Wire, axis: Sequence[int]) -> int:
    return math.prod(x.shape[k] for k in axis)


def _flags(write: Writer, x: Wire) -> Wire:
    return x if x.dtype == _BOOL else write("not_equal", x, 0)


def _mean(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x = _floating(write, ins[0])
    return write("divide", write("sum", x, **params), float(_count(x, params["axis"])))


def _var(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x, axis = _floating(write, ins[0]), params["axis"]
    count = _count(x, axis)
    mean = write("divide", write("sum", x, axis=axis, keepdims=True), float(count))
    far = write("subtract", x, mean)
    total = write("sum", write("multiply", far, far), axis=axis, keepdims=params["keepdims"])
    return write("divide", total, float(max(count - params["ddof"], 0)))


def _std(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    return write("sqrt", _var(write, step, ins, params))


def _norm(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x = _floating(write, ins[0])
    squares = write("multiply", x, x)
    total = write("sum", squares, axis=params["axis"], keepdims=params["keepdims"])
    return write("sqrt", total)


def _logsumexp(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    x, axis = _floating(write, ins[0]), params["axis"]
    top = write("max", x, axis=axis, keepdims=True)
    shift = write("where", write("isfinite", top), top, 0.0)
    powers = write("exp", write("subtract", x, shift))
    total = write("sum", powers, axis=axis, keepdims=True)
    out = write("add", shift, write("log", total))
    return out if params["keepdims"] else write("squeeze", out, axis=axis)


def _any(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    return write("max", _flags(write, ins[0]), **params)


def _all(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    return write("min", _flags(write, ins[0]), **params)


def _count_nonzero(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire:
    return write("sum", write("astype", _flags(write, ins[0]), dtype=_WHOLE), **params)


def _widened(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire | None:
    """Fold short whole numbers, and truth values, in the long ones that NumPy folds them in."""
    x = ins[0]
    if x.dtype.kind == "f" or x.dtype == _WHOLE:
        return None
    return write(step.gate.name, write("astype", x, dtype=_WHOLE), **params)


def _whole_power(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire | None:
    """Raise whole numbers to a power written in the program by squaring: they wrap around alike."""
    n = write.held.get(ins[1].id)
    if params or ins[0].dtype.kind != "i" or type(n) is not int or not 2 <= n <= 64:
        return None
    square, result = ins[0], None
    while True:
        n, odd = divmod(n, 2)
        if odd:
            result = square if result is None else write("multiply", result, square)
        if n == 0:
            return result
        square = write("multiply", square, square)


def _place(fold: str) -> Any:
    """Make the rule that finds the first element that is as great as the greatest, or NaN."""

    def rule(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire | None:
        x, axis, out = ins[0], params["axis"], write.wires[step.outs[0]]
        if axis is None:
            x, axis = write("reshape", x, shape=(math.prod(x.shape),), order="C"), 0
        count = x.shape[axis]
        if count > _MOST:
            return None
        hit = write("equal", x, write(fold, x, axis=(axis,), keepdims=True))
        if x.dtype.kind == "f":
            hit = write("logical_or", hit, write("isnan", x))
        after = (1,) * (len(x.shape) - axis - 1)
        numbers = write.hold(np.arange(count, dtype=_WHOLE).reshape(count, *after))
        found = write("min", write("where", hit, numbers, count), axis=(axis,), keepdims=False)
        if found.shape == out.shape:
            return found
        return write("reshape", found, shape=out.shape, order="C")

    return rule


def _logical(name: str) -> Any:
    """Make the rule that spells an operation on bits as one on truths; of whole numbers it stays.

    There the spelling is refused, for a truth value is another type.
    """
    return lambda write, step, ins, params: write(name, *ins, **params)


SPELLINGS = {
    "mean": _mean,
    "var": _var,
    "std": _std,
    "norm": _norm,
    "logsumexp": _logsumexp,
    "any": _any,
    "all": _all,
    "count_nonzero": _count_nonzero,
    "sum": _widened,
    "prod": _widened,
    "cumsum": _widened,
    "cumprod": _widened,
    "power": _whole_power,
    "argmax": _place("max"),
    "argmin": _place("min"),
    "bitwise_and": _logical("logical_and"),
    "bitwise_or": _logical("logical_or"),
    "bitwise_xor": _logical("logical_xor"),
    "invert": _logical("logical_not"),
}
