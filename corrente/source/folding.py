"""Steps that fold axes: sums, means, products, extremes; and those that run along one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import NamedTuple

import numpy as np

from corrente.circuit import Step
from corrente.source.addresses import Walk, row_strides, straight
from corrente.source.dialects import DOUBLE, DType
from corrente.source.loops import WHOLE, Loops
from corrente.source.pointwise import accumulator


class Fold(NamedTuple):
    """One pass over the folded elements: what it starts from, and what each element does to it."""

    stem: str
    start: Callable[[Loops, DType], str]
    update: Callable[[Loops, str, str, DType], str]


def _number(value: float) -> Callable[[Loops, DType], str]:
    return lambda loops, dtype: loops.dialect.number(value, dtype)


def _least(loops: Loops, dtype: DType) -> str:
    if dtype.kind == "f":
        return loops.dialect.number(-np.inf, dtype)
    return loops.dialect.number(0 if dtype.kind == "b" else np.iinfo(dtype).min, dtype)


def _most(loops: Loops, dtype: DType) -> str:
    if dtype.kind == "f":
        return loops.dialect.number(np.inf, dtype)
    return loops.dialect.number(1 if dtype.kind == "b" else np.iinfo(dtype).max, dtype)


def _wins(sign: str) -> Callable[[Loops, str, str, DType], str]:
    def update(loops: Loops, best: str, x: str, dtype: DType) -> str:
        # what differs from itself is NaN, and stays
        differs = "!=" if loops.dialect.equal == "==" else "!=="
        nan = f" || {x} {differs} {x}" if dtype.kind == "f" else ""
        return f"if ({x} {sign} {best}{nan}) {best} = {x};"

    return update


TOTAL = Fold("total", _number(0), lambda loops, total, x, dtype: f"{total} += {x};")
PRODUCT = Fold("product", _number(1), lambda loops, total, x, dtype: f"{total} *= {x};")
SQUARES = Fold("squares", _number(0), lambda loops, total, x, dtype: f"{total} += {x} * {x};")
GREATEST = Fold("top", _least, _wins(">"))
SMALLEST = Fold("bottom", _most, _wins("<"))
SOME = Fold("some", _number(0), lambda loops, found, x, dtype: f"if ({x}) {found} = 1;")
EVERY = Fold("every", _number(1), lambda loops, found, x, dtype: f"if (!({x})) {found} = 0;")
COUNT = Fold("count", _number(0), lambda loops, count, x, dtype: f"if ({x}) {count} += 1;")


class Axes(NamedTuple):
    """The kept and the folded axes of an input: their sizes and strides."""

    wire: int
    kept: tuple[int, ...]
    kept_strides: tuple[int, ...]
    folded: tuple[int, ...]
    folded_strides: tuple[int, ...]


def _axes(loops: Loops, step: Step) -> Axes:
    wire = step.ins[0]
    shape = loops.shape(wire)
    strides = row_strides(shape)
    inside = step.params["axis"]
    kept = [k for k in range(len(shape)) if k not in inside]
    return Axes(
        wire,
        tuple(shape[k] for k in kept),
        tuple(strides[k] for k in kept),
        tuple(shape[k] for k in inside),
        tuple(strides[k] for k in inside),
    )


def _run(
    loops: Loops,
    axes: Axes,
    outer: list[str],
    fold: Fold,
    dtype: DType,
    change: Callable[[str], str] = lambda x: x,
) -> str:
    """Write one pass over the folded elements; return the variable that holds the result."""
    result = loops.variable(fold.stem, dtype, fold.start(loops, dtype))
    with loops.loops(axes.folded) as inner:
        walk = Walk(0, (*axes.kept_strides, *axes.folded_strides))
        element = loops.element(axes.wire, loops.position([*outer, *inner], walk))
        x = change(loops.widened(element, loops.dtype(axes.wire), dtype))
        simple = x.replace("_", "").isalnum() or (x == element)
        if fold in (SQUARES, GREATEST, SMALLEST) and not simple:
            name = loops.fresh()
            loops.say(f"{loops.dialect.local(dtype)} {name} = {x};")
            x = name
        loops.say(fold.update(loops, result, x, dtype))
    return result


def _folding(
    fold: Fold, finish: Callable[[str, str], str] = lambda total, count: total, real: bool = False
) -> Callable[[Loops, Step], None]:
    """Make the rule of a fold in one pass; `finish` makes the output of total and count."""

    def write(loops: Loops, step: Step) -> None:
        out = step.outs[0]
        axes = _axes(loops, step)
        own = loops.dtype(axes.wire)
        kind = own if fold in (GREATEST, SMALLEST) else DOUBLE if real else accumulator(own)
        with loops.loops(axes.kept) as outer:
            total = _run(loops, axes, outer, fold, kind)
            text = finish(total, loops.dialect.number(prod(axes.folded), DOUBLE))
            text = loops.widened(text if text == total else f"({text})", kind, loops.dtype(out))
            loops.assign(out, loops.position(outer, straight(axes.kept)), _bare(text))

    return write


def _bare(text: str) -> str:
    """Take off brackets around a whole expression."""
    return text[1:-1] if text.startswith("(") and text.find(")") == len(text) - 1 else text


def _spread(root: bool) -> Callable[[Loops, Step], None]:
    """Make the rule of variances: the mean first, then the squares of what lies off it."""

    def write(loops: Loops, step: Step) -> None:
        out = step.outs[0]
        axes = _axes(loops, step)
        count = prod(axes.folded)
        with loops.loops(axes.kept) as outer:
            total = _run(loops, axes, outer, TOTAL, DOUBLE)
            mean = loops.fresh()
            size = loops.dialect.number(count, DOUBLE)
            loops.say(f"{loops.dialect.local(DOUBLE)} {mean} = {total} / {size};")
            squares = _run(loops, axes, outer, SQUARES, DOUBLE, lambda x: f"{x} - {mean}")
            free = loops.dialect.number(max(count - step.params["ddof"], 0), DOUBLE)
            text = f"{squares} / {free}"
            text = f"{loops.function('sqrt')}({text})" if root else f"({text})"
            text = _bare(loops.widened(text, DOUBLE, loops.dtype(out)))
            loops.assign(out, loops.position(outer, straight(axes.kept)), text)

    return write


def _log_sum_exp(loops: Loops, step: Step) -> None:
    """Take the greatest element out first, so that nothing overflows."""
    out = step.outs[0]
    axes = _axes(loops, step)
    zero = loops.dialect.number(0, DOUBLE)
    with loops.loops(axes.kept) as outer:
        top = _run(loops, axes, outer, GREATEST, DOUBLE)
        shift = loops.fresh()
        finite = f"{top} - {top} {loops.dialect.equal} 0"
        loops.say(f"{loops.dialect.local(DOUBLE)} {shift} = {finite} ? {top} : {zero};")
        exp, log = loops.function("exp"), loops.function("log")
        total = _run(loops, axes, outer, TOTAL, DOUBLE, lambda x: f"{exp}({x} - {shift})")
        text = f"({shift} + {log}({total}))"
        text = _bare(loops.widened(text, DOUBLE, loops.dtype(out)))
        loops.assign(out, loops.position(outer, straight(axes.kept)), text)


def _norm(loops: Loops, step: Step) -> None:
    out = step.outs[0]
    axes = _axes(loops, step)
    with loops.loops(axes.kept) as outer:
        squares = _run(loops, axes, outer, SQUARES, DOUBLE)
        text = f"{loops.function('sqrt')}({squares})"
        text = loops.widened(text, DOUBLE, loops.dtype(out))
        loops.assign(out, loops.position(outer, straight(axes.kept)), text)


FOLDS: Mapping[str, Callable[[Loops, Step], None]] = {
    "sum": _folding(TOTAL),
    "mean": _folding(TOTAL, lambda total, count: f"{total} / {count}", real=True),
    "prod": _folding(PRODUCT),
    "max": _folding(GREATEST),
    "min": _folding(SMALLEST),
    "any": _folding(SOME),
    "all": _folding(EVERY),
    "count_nonzero": _folding(COUNT),
    "var": _spread(root=False),
    "std": _spread(root=True),
    "logsumexp": _log_sum_exp,
    "norm": _norm,
}


# --- along one axis -----------------------------------------------------------------------------


def _running(sign: str) -> Callable[[Loops, Step], None]:
    """Make the rule of running sums and products."""

    def write(loops: Loops, step: Step) -> None:
        out, wire = step.outs[0], step.ins[0]
        axes = _axes(loops, step._replace(params={"axis": (step.params["axis"],)}))
        kind = accumulator(loops.dtype(wire))
        with loops.loops(axes.kept) as outer:
            start = loops.dialect.number(sign == "*", kind)
            total = loops.variable("total", kind, start)
            with loops.loops(axes.folded) as inner:
                walk = Walk(0, (*axes.kept_strides, *axes.folded_strides))
                place = loops.position([*outer, *inner], walk)
                x = loops.widened(loops.element(wire, place), loops.dtype(wire), kind)
                loops.say(f"{total} {sign}= {x};")
                loops.assign(out, place, loops.widened(total, kind, loops.dtype(out)))

    return write


def _place_of(sign: str) -> Callable[[Loops, Step], None]:
    """Make the rule that finds the place of the first winner; the first NaN wins at once."""

    def write(loops: Loops, step: Step) -> None:
        out, wire = step.outs[0], step.ins[0]
        shape, axis = loops.shape(wire), step.params["axis"]
        inside = tuple(range(len(shape))) if axis is None else (axis,)
        axes = _axes(loops, step._replace(params={"axis": inside}))
        dtype = loops.dtype(wire)
        differs = "!=" if loops.dialect.equal == "==" else "!=="
        with loops.loops(axes.kept) as outer:
            place = loops.variable("place", WHOLE, "0")
            first = Walk(0, axes.kept_strides)
            best = loops.variable("best", dtype, loops.element(wire, loops.position(outer, first)))
            with loops.loops(axes.folded) as inner:
                walk = Walk(0, (*axes.kept_strides, *axes.folded_strides))
                x = loops.element(wire, loops.position([*outer, *inner], walk))
                number = loops.position(inner, straight(axes.folded))
                nan = f" || ({x} {differs} {x} && {best} {loops.dialect.equal} {best})"
                test = f"{x} {sign} {best}{nan if dtype.kind == 'f' else ''}"
                loops.say(f"if ({test}) {{ {best} = {x}; {place} = {number}; }}")
            loops.assign(out, loops.position(outer, straight(axes.kept)), place)

    return write


def _overlap_add(loops: Loops, step: Step) -> None:
    """Put windows back where they were read, adding up where they overlap."""
    out, wire = step.outs[0], step.ins[0]
    lengths, stride, gaps = (step.params[key] for key in ("length", "stride", "dilation"))
    shape, n = loops.shape(wire), len(lengths)
    target = row_strides(loops.shape(out))
    lead = target[: len(shape) - 2 * n]
    axes = target[len(target) - n :]
    places = [a * s for a, s in zip(axes, stride, strict=True)]
    offsets = [a * g for a, g in zip(axes, gaps, strict=True)]
    zero = loops.dialect.number(0, loops.dtype(out))
    with loops.loops([prod(loops.shape(out))]) as variables:
        loops.assign(out, variables[0], zero)
    with loops.loops(shape) as variables:
        at = loops.position(variables, Walk(0, (*lead, *places, *offsets)))
        x = loops.element(wire, loops.position(variables, straight(shape)))
        loops.say(f"{loops.name(out)}[{at}] += {x};")


def _bitwise(sign: str) -> Callable[[Loops, Step], None]:
    """Make the rule of a bitwise operation on whole numbers or truth values."""

    def write(loops: Loops, step: Step) -> None:
        out = step.outs[0]
        full = loops.shape(out)
        with loops.loops(full) as variables:
            texts = [loops.at(variables, wire, full) for wire in step.ins]
            text = f" {sign} ".join(texts) if len(texts) > 1 else f"{sign}{texts[0]}"
            if loops.dtype(out).kind == "b":
                text = f"!{texts[0]}" if len(texts) == 1 else loops.dialect.truth(text)
            loops.assign(out, loops.position(variables, straight(full)), text)

    return write


OTHERS: Mapping[str, Callable[[Loops, Step], None]] = {
    "cumsum": _running("+"),
    "cumprod": _running("*"),
    "argmax": _place_of(">"),
    "argmin": _place_of("<"),
    "overlap_add": _overlap_add,
    "bitwise_and": _bitwise("&"),
    "bitwise_or": _bitwise("|"),
    "bitwise_xor": _bitwise("^"),
    "invert": _bitwise("~"),
}
