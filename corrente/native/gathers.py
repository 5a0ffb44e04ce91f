"""Gathers and scatters: rows read and written at integer indices, bounds checked.

An index out of bounds leaves a mark in the program's status word and reads row 0; the program
then takes the slow door, where NumPy names the mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Step
from corrente.gates.indexing import Slot
from corrente.native.code import Code, scaled
from corrente.native.elements import KINDS, bytes_of, kind_of, stored
from corrente.native.layouts import Layout, broadcast
from corrente.native.nests import pieces
from corrente.native.vectors import Module
from corrente.record import Gather, Scatter

STATUS = Layout(0, 0, (), (), np.dtype(np.int64))
"""Where a program keeps its status: the first word of its arena."""

Write = tuple[Any, Callable[[str], str], list[Layout], list[Layout]]


class Plan(NamedTuple):
    """An index that takes rows at integers: how many axes stand before them, and after."""

    lead: int
    arrays: int

    def rows(self, base: Layout) -> Layout:
        """Return the layout of one row: the axes after the indexed ones."""
        done = self.lead + self.arrays
        return base._replace(shape=base.shape[done:], strides=base.strides[done:])


def _plan(index: Any, arrays: Sequence[Layout], base: Layout) -> Plan | None:
    """Read an index: whole axes, then integer arrays of one shape side by side, then whole axes."""
    count = len(arrays)
    items = [item for item in index if item is not Ellipsis]
    if Ellipsis in index:
        at = index.index(Ellipsis)
        missing = len(base.shape) - len(items)
        items[at:at] = [slice(None)] * missing
    lead = next((k for k, item in enumerate(items) if isinstance(item, Slot)), None)
    if lead is None or not count or len(items) > len(base.shape):
        return None
    expected = [slice(None)] * lead + [Slot(k) for k in range(count)]
    rest = items[lead + count :]
    plain = items[: lead + count] == expected and all(item == slice(None) for item in rest)
    same = len({a.shape for a in arrays}) == 1 and all(a.dtype == np.int64 for a in arrays)
    known = base.dtype.str[1:] in KINDS and all(layout.size for layout in (base, *arrays))
    return Plan(lead, count) if plain and same and known else None


def fits(step: Step, layouts: Sequence[Layout]) -> bool:
    """Tell whether a gather has a native body."""
    if not isinstance(step.gate.kind, Gather):
        return False
    base, *arrays = layouts
    plan = _plan(step.params["index"], arrays, base)
    return plan is not None and plan.rows(base).in_a_row


def fits_scatter(step: Step, layouts: Sequence[Layout]) -> bool:
    """Tell whether a scatter with index arrays has a native body."""
    base, value, *arrays = layouts
    plain = value.dtype == base.dtype
    if isinstance(step.gate.kind, Scatter) and step.gate.kind.adds:
        plain = plain and base.dtype.kind == "f"
    return plain and _plan(step.params["index"], arrays, base) is not None


def gather(step: Step, layouts: list[Layout], out: Layout, module: Module) -> Write:
    """Return what writes the kernel that reads rows."""
    base, *arrays = layouts
    plan = _plan(step.params["index"], arrays, base)
    assert plan is not None
    key = ("gather", plan, base[2:], tuple(a[2:] for a in arrays), out[2:])
    size = plan.rows(base).nbytes
    element = stored(kind_of(base.dtype))

    def write(head: str) -> str:
        code = Code(module)
        pointers = [f"%in{1 + k}" for k in range(plan.arrays)]

        def row(indices: list[str]) -> None:
            lead, inner = indices[: plan.lead], indices[plan.lead :]
            first = code.at("%in0", scaled(code, list(zip(lead, base.strides, strict=False))))
            place = _row_pointer(code, base, plan, arrays, pointers, first, inner, "%out1")
            put = code.at("%out0", scaled(code, list(zip(indices, out.strides, strict=False))))
            if size == base.dtype.itemsize:
                code.add(f"store {element} {code.let(f'load {element}, ptr {place}')}, ptr {put}")
            else:
                _move(code, place, put, size)

        code.over((*base.shape[: plan.lead], *arrays[0].shape), row)
        code.add("ret void")
        return code.text(head)

    return key, write, layouts, [out, STATUS]


def scatter(step: Step, layouts: list[Layout], target: Layout, module: Module) -> Write:
    """Return what writes the kernel that writes rows into the target, or adds to them."""
    _, value, *arrays = layouts
    kind = step.gate.kind
    plan = _plan(step.params["index"], arrays, target)
    assert isinstance(kind, Scatter)
    assert plan is not None
    adds = kind.adds
    rows = plan.rows(target)
    outer = (*target.shape[: plan.lead], *arrays[0].shape)
    walk = broadcast(value, (*outer, *rows.shape))
    key = ("scatter", adds, plan, target[2:], walk, tuple(a[2:] for a in arrays))
    element = stored(kind_of(target.dtype))

    def write(head: str) -> str:
        code = Code(module)
        pointers = [f"%in{1 + k}" for k in range(plan.arrays)]

        def row(indices: list[str]) -> None:
            lead, inner = indices[: plan.lead], indices[plan.lead :]
            first = code.at("%out0", scaled(code, list(zip(lead, target.strides, strict=False))))
            place = _row_pointer(code, target, plan, arrays, pointers, first, inner, "%out1")
            source = code.at("%in0", scaled(code, list(zip(indices, walk, strict=False))))

            if rows.in_a_row and walk[len(outer) :] == rows.strides and rows.size > 1:
                _write_row(code, place, source, rows.size, element, adds)
                return

            def one(within: list[str]) -> None:
                put = code.at(place, scaled(code, list(zip(within, rows.strides, strict=True))))
                steps = list(zip(within, walk[len(outer) :], strict=True))
                new = code.let(f"load {element}, ptr {code.at(source, scaled(code, steps))}")
                if adds:
                    have = code.let(f"load {element}, ptr {put}")
                    new = code.let(f"fadd {element} {have}, {new}")
                code.add(f"store {element} {new}, ptr {put}")

            code.over(rows.shape, one)

        code.over(outer, row)
        code.add("ret void")
        return code.text(head)

    return key, write, [value, *arrays], [target, STATUS]


def _write_row(code: Code, place: str, source: str, length: int, element: str, adds: bool) -> None:
    """Write or add a row that lies in a row, as vectors."""
    size = bytes_of(element)
    for start, lanes, times in pieces(length, 64 // size, 1):
        vector = element if lanes == 1 else f"<{lanes} x {element}>"
        with code.stretch(start, lanes, times) as index:
            put = code.at(place, scaled(code, [(index, size)]))
            taken = code.at(source, scaled(code, [(index, size)]))
            new = code.let(f"load {vector}, ptr {taken}, align {size}")
            if adds:
                have = code.let(f"load {vector}, ptr {put}, align {size}")
                new = code.let(f"fadd {vector} {have}, {new}")
            code.add(f"store {vector} {new}, ptr {put}, align {size}")


def check(flag: Layout, expected: bool, module: Module) -> Write:
    """Return what writes the kernel that leaves a mark where a flag is not as expected."""

    def write(head: str) -> str:
        code = Code(module)
        as_expected = code.let(
            f"icmp {'ne' if expected else 'eq'} i8 {code.let('load i8, ptr %in0')}, 0"
        )
        with code.unless(as_expected):
            code.add("store i64 2, ptr %out0")
        code.add("ret void")
        return code.text(head)

    return ("check", expected), write, [flag], [STATUS]


def _row_pointer(
    code: Code,
    base: Layout,
    plan: Plan,
    arrays: Sequence[Layout],
    pointers: Sequence[str],
    start: str,
    indices: list[str],
    status: str,
) -> str:
    """Return where the row lies that the index arrays name at these indices."""
    terms = []
    for k, (array, pointer) in enumerate(zip(arrays, pointers, strict=True)):
        n, stride = base.shape[plan.lead + k], base.strides[plan.lead + k]
        place = code.at(pointer, scaled(code, list(zip(indices, array.strides, strict=True))))
        number = code.let(f"load i64, ptr {place}")
        below = code.let(f"icmp slt i64 {number}, 0")
        wrapped = code.let(f"add i64 {number}, {n}")
        number = code.let(f"select i1 {below}, i64 {wrapped}, i64 {number}")
        fine = code.let(f"icmp ult i64 {number}, {n}")
        with code.unless(fine):
            code.add(f"store i64 3, ptr {status}")
        terms.append((code.let(f"select i1 {fine}, i64 {number}, i64 0"), stride))
    return code.at(start, scaled(code, terms))


def _move(code: Code, source: str, target: str, size: int) -> None:
    name = "llvm.memcpy.p0.p0.i64"
    code.module.define(name, lambda: f"declare void @{name}(ptr, ptr, i64, i1)")
    code.add(f"call void @{name}(ptr {target}, ptr {source}, i64 {size}, i1 false)")
