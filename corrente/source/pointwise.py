"""Steps that work on each element alone, and sums of products, as loop nests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from corrente.circuit import Step
from corrente.record import Elementwise
from corrente.source.addresses import Walk, broadcast_strides, row_strides, straight
from corrente.source.dialects import BOOL, C_TYPES, DOUBLE, DType
from corrente.source.expressions import Expressions, Value
from corrente.source.loops import WHOLE, Loops


def each_element(loops: Loops, step: Step) -> None:
    """Write an elementwise step: one loop where all inputs lie alike, else one for each axis."""
    out = step.outs[0]
    full = loops.shape(out)
    shapes = [loops.shape(wire) for wire in step.ins if loops.uniform(wire) is None]
    flat = all(shape == full or prod(shape) == 1 for shape in shapes)
    sizes = (prod(full),) if flat and full else full
    walk = Walk(0, row_strides(sizes))
    with loops.loops(sizes) as variables:
        elements = []
        for wire in step.ins:
            if flat:
                own = walk if loops.shape(wire) == full else Walk(0, (0,) * len(sizes))
            else:
                own = Walk(0, broadcast_strides(loops.shape(wire), full))
            elements.append(loops.element(wire, loops.position(variables, own)))
        value = _body(loops, step, elements)
        loops.assign(out, loops.position(variables, walk), value)


def _body(loops: Loops, step: Step, elements: Sequence[str]) -> str:
    """Write what a gate does to one element of each input, by its `emit`."""
    kind = step.gate.kind
    assert isinstance(kind, Elementwise)
    builder = Expressions(loops.dialect)
    operands: list[Value] = []
    for wire, text, dtype in zip(step.ins, elements, loop_types(loops, step), strict=True):
        number = loops.uniform(wire)
        if number is not None:
            operands.append(builder.constant(number, dtype))
        else:
            read = builder.variable(text, loops.dtype(wire))
            operands.append(builder.converted(read, dtype))
    result = builder.converted(kind.emit(builder, *operands), loops.dtype(step.outs[0]))
    lines, value = builder.written(result, loops.fresh)
    loops.used |= builder.used
    for line in lines:
        loops.say(line)
    return value


def loop_types(loops: Loops, step: Step) -> list[DType]:
    """Return the types in which a gate takes its inputs, as NumPy converts them."""
    wires = [loops.circuit.wires[wire] for wire in step.ins]
    out = loops.dtype(step.outs[0])
    of = step.gate.of
    if isinstance(of, np.ufunc):
        given: list[Any] = [_python_type(w.dtype) if w.weak else w.dtype for w in wires]
        if all(wire.weak for wire in wires):
            given = [wire.dtype for wire in wires]
        found = of.resolve_dtypes((*given, *(None,) * of.nout))[: of.nin]
        if any(dtype.name not in C_TYPES for dtype in found):
            raise loops.refused(step, str(found[0]))
        return list(found)
    if step.gate.name == "where":
        return [wires[0].dtype, out, out]
    if step.gate.name == "astype" or out == BOOL:
        return [wire.dtype for wire in wires]
    return [out for _ in wires]


def _python_type(dtype: DType) -> type:
    return {"f": float, "c": complex}.get(dtype.kind, int)


# --- sums of products ---------------------------------------------------------------------------


def accumulator(dtype: DType) -> DType:
    """Return the type in which sums of a type are added up: the widest of its kind."""
    return DOUBLE if dtype.kind == "f" else WHOLE


def sum_of_products(loops: Loops, step: Step, spec: Callable[..., str]) -> None:
    """Write a contraction: loops over the axes that are kept, and inside over those summed."""
    out = step.outs[0]
    left, _, right = spec(tuple(len(loops.shape(w)) for w in step.ins), step.params).partition("->")
    terms = left.split(",")
    sizes: dict[str, int] = {}
    for term, wire in zip(terms, step.ins, strict=True):
        for letter, n in zip(term, loops.shape(wire), strict=True):
            sizes[letter] = n if sizes.get(letter, 1) == 1 else sizes[letter]
    summed = [letter for letter in sizes if letter not in right]
    kept = tuple(sizes[letter] for letter in right)
    kind = accumulator(loops.dtype(out))
    with loops.loops(kept) as outer:
        total = loops.variable("total", kind, loops.dialect.number(0, kind))
        with loops.loops([sizes[letter] for letter in summed]) as inner:
            known = dict(zip([*right, *summed], [*outer, *inner], strict=True))
            factors = [
                _factor(loops, wire, term, known, kind)
                for wire, term in zip(step.ins, terms, strict=True)
            ]
            loops.say(f"{total} += {' * '.join(factors)};")
        value = loops.widened(total, kind, loops.dtype(out))
        loops.assign(out, loops.position(outer, straight(kept)), value)


def _factor(loops: Loops, wire: int, term: str, known: Mapping[str, str], kind: DType) -> str:
    shape = loops.shape(wire)
    walk = Walk(0, broadcast_strides(shape, shape))
    text = loops.element(wire, loops.position([known[letter] for letter in term], walk))
    return loops.widened(text, loops.dtype(wire), kind)
