"""Steps that move elements: rearrangements, reads at an index and writes, as loop nests."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from corrente.circuit import Step
from corrente.record import Shape
from corrente.source.addresses import (
    Form,
    Lookup,
    Region,
    Walk,
    broadcast_strides,
    moves_of,
    region_of,
    straight,
)
from corrente.source.dialects import BOOL
from corrente.source.joining import unique
from corrente.source.loops import WHOLE, Loops

SEVERAL = 2
"""Stands for how many elements a mask lets through, where that is known only when it runs."""


def rearrange(loops: Loops, step: Step) -> None:
    """Write a step that moves, repeats or drops elements."""
    out = step.outs[0]
    moves = moves_of(step, [loops.shape(wire) for wire in step.ins])
    if moves.filled is not None:
        _fill(loops, out, moves.filled)
    for k, move in moves.moves:
        with loops.loops(move.shape) as variables:
            source = loops.position(variables, move.source)
            target = loops.position(variables, move.target)
            copy(loops, step.ins[k], source, out, target)


def copy(loops: Loops, wire: int, source: str, out: int, target: str) -> None:
    """Copy one element."""
    text = loops.element(wire, source)
    loops.assign(out, target, loops.widened(text, loops.dtype(wire), loops.dtype(out)))


def _fill(loops: Loops, out: int, numbers: np.ndarray) -> None:
    """Write constants into a whole array, before something is moved into it."""
    with loops.loops([numbers.size]) as variables:
        if np.all(numbers == numbers.flat[0]):
            value = loops.dialect.number(numbers.flat[0], loops.dtype(out))
        else:
            value = f"{loops.table(tuple(map(int, numbers.ravel())))}[{variables[0]}]"
        loops.assign(out, variables[0], value)


# --- reading and writing at an index ------------------------------------------------------------


def gather(loops: Loops, step: Step) -> None:
    """Write a step that reads the elements at an index."""
    out = step.outs[0]
    region = _region(loops, step, step.ins[1:], loops.shape(out))
    found = [_found(loops, lookup) for lookup in region.lookups]
    with loops.loops(region.shape) as variables:
        source = _place(loops, variables, region, found)
        target = loops.position(variables, straight(region.shape))
        copy(loops, step.ins[0], source, out, target)


def scatter(loops: Loops, k: int, step: Step, adds: bool) -> None:
    """Write a step that writes values at an index, into the same array where no one else reads."""
    base, value, *arrays = step.ins
    out = step.outs[0]
    made = base in loops.circuit.makers and base not in loops.given and loops.shape(base)
    if made and loops.last[base] == k and base not in step.ins[1:]:
        loops.names[out] = loops.name(base)
    else:
        loops.declare(out)
        with loops.loops([prod(loops.shape(out))]) as variables:
            copy(loops, base, variables[0], out, variables[0])
    region = _region(loops, step, arrays, None)
    found = [_found(loops, lookup) for lookup in region.lookups]
    sizes: list[int | str] = list(region.shape)
    for lookup, (_, count) in zip(region.lookups, found, strict=True):
        if lookup.mask:
            sizes[next(k for k, stride in enumerate(lookup.strides) if stride)] = count
    sign = "+=" if adds else "="
    with loops.loops(sizes) as variables:
        target = _place(loops, variables, region, found)
        walk = Walk(0, broadcast_strides(*_fitted(loops.shape(value), region.shape)))
        text = loops.element(value, loops.position(variables, walk))
        text = loops.widened(text, loops.dtype(value), loops.dtype(out))
        at = f"[{target}]" if loops.shape(out) else ""
        loops.say(f"{loops.name(out)}{at} {sign} {text};")


def _fitted(shape: Shape, full: Shape) -> tuple[Shape, Shape]:
    """Drop leading axes of length one that a value may have beyond the region's."""
    return shape[max(0, len(shape) - len(full)) :], full


def _region(loops: Loops, step: Step, arrays: Sequence[int], read: Shape | None) -> Region:
    """Find the elements that a step's index names; `read` is what a gather's output is like."""
    held = loops.circuit.held
    base = step.ins[0]
    index = step.params["index"]
    known = {wire: held[wire] for wire in arrays if wire in held}
    forms = {}
    for wire in arrays:
        if wire not in held:
            mask = loops.dtype(wire) == BOOL
            count = SEVERAL
            if mask and read is not None:
                size = prod(read)
                rest = prod(loops.shape(base)[len(loops.shape(wire)) :])
                count = size // rest if len(index) == 1 and rest else SEVERAL
            forms[wire] = Form(loops.shape(wire), mask, count)
    found = region_of(index, loops.shape(base), list(arrays), known, forms)
    if found is None or (read is not None and found.shape != read and not _flat(found, read)):
        raise loops.refused(step)
    return found


def _flat(region: Region, read: Shape) -> bool:
    """Tell whether a region is the elements one by one."""
    return region.shape == (prod(read),)


def _found(loops: Loops, lookup: Lookup) -> tuple[str, str]:
    """Write down the places where a mask holds; return their array and how many there are."""
    if not lookup.mask:
        return "", ""
    size = prod(loops.shape(lookup.wire))
    name = unique("found", loops.taken, 1)
    loops.say(loops.dialect.array(name, WHOLE, max(size, 1)))
    count = loops.variable("count", WHOLE, "0")
    with loops.loops([size]) as variables:
        mask = loops.element(lookup.wire, variables[0])
        loops.say(f"if ({mask}) {name}[{count}++] = {variables[0]};")
    return name, count


def _place(
    loops: Loops, variables: Sequence[str], region: Region, found: Sequence[tuple[str, str]]
) -> str:
    """Write where an element of a region lies, with the index arrays' part in it."""
    parts = [loops.position(variables, region.walk)]
    for lookup, (places, _) in zip(region.lookups, found, strict=True):
        place = loops.position(variables, Walk(0, lookup.strides))
        if lookup.mask:
            text = f"{places}[{place}]"
        else:
            text = loops.fresh()
            read = loops.element(lookup.wire, place)
            loops.say(f"{loops.dialect.local(WHOLE)} {text} = {read};")
            text = f"({text} < 0 ? {text} + {lookup.length} : {text})"
        parts.append(text if lookup.step == 1 else f"{text} * {lookup.step}")
    return " + ".join(part for part in parts if part != "0") or "0"
