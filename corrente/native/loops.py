"""Loops: a fused step as one nest of loops over vectors, for fixed shapes, strides and dtypes.

The innermost axis is walked in vectors; what is left over at its end, in ever smaller ones.
A folded innermost axis adds up in registers, blocks of it with compensation; a folded outer axis
adds up in memory, row by row, as NumPy does. The order is fixed by the shapes alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Step
from corrente.native.code import Code, scaled
from corrente.native.folds import (
    Fold,
    combine,
    compensated_add,
    compensated_end,
    fold_lanes,
    identity,
)
from corrente.native.layouts import Layout, broadcast, merged
from corrente.native.nests import BLOCK, Nest, Piece, blocked, never_mixed, pieces, space_of
from corrente.native.vectors import FLOATS, Module, Value, Vectors
from corrente.passes.fuse import loop_dtype
from corrente.record import Elementwise, Reduce, Shape

KINDS = {"f8": "double", "f4": "float", "b1": "i1", "i8": "i64", "i4": "i32"}


def kind_of(dtype: np.dtype[Any]) -> str:
    """Return the LLVM type of an element in a register."""
    return KINDS[dtype.str[1:]]


def stored(kind: str) -> str:
    """Return the LLVM type of an element in memory."""
    return "i8" if kind == "i1" else kind


def loop_nest(
    head: str,
    body: Circuit,
    ins: Sequence[Layout],
    outs: Sequence[Layout],
    module: Module,
    vector_bytes: int,
    parted: bool = False,
) -> str:
    """Write the function that computes a fused step: pointers of its inputs, then outputs.

    A parted one takes `%begin` and `%end` on its outermost axis as well.
    """
    writer = _Writer(body, ins, outs, module, vector_bytes, parted)
    writer.write()
    return writer.code.text(head)


def outermost(
    body: Circuit, ins: Sequence[Layout], outs: Sequence[Layout], vector_bytes: int
) -> tuple[int, set[int]]:
    """Return the length of a parted nest's outermost axis, and the outputs that fold it away."""
    nest = _Writer(body, ins, outs, Module(), vector_bytes, True).nest
    return nest.sizes[0], {p for p, flags in nest.folds.items() if flags[0]}


def lanes_for(body: Circuit, vector_bytes: int) -> int:
    """Return how many elements one vector of this body holds."""
    widest = max(
        (w.dtype.itemsize for w in body.wires if w.dtype.kind == "f" and not w.weak), default=8
    )
    return vector_bytes // widest


class _Writer:
    def __init__(
        self,
        body: Circuit,
        ins: Sequence[Layout],
        outs: Sequence[Layout],
        module: Module,
        vector_bytes: int,
        parted: bool,
    ) -> None:
        self.body = body
        self.parted = parted
        self.code = Code(module)
        self.module = module
        makers = {out: step for step in body.steps for out in step.outs}
        self.folds: dict[int, Fold] = {}
        for position, wire in enumerate(body.outs):
            step = makers[wire]
            if isinstance(step.gate.kind, Reduce):
                kind = stored(kind_of(body.wires[wire].dtype))
                self.folds[position] = Fold(step.gate.name, step.ins[0], position, kind)
        self.axes = {
            position: makers[body.outs[position]].params["axis"] for position in self.folds
        }
        self.nest = self._geometry(space_of(body), ins, outs)
        self.in_kinds = [kind_of(body.wires[w].dtype) for w in body.ins]
        self.out_kinds = [kind_of(body.wires[w].dtype) for w in body.outs]
        self.lanes = lanes_for(body, vector_bytes)
        self.totals: dict[int, tuple[str, str]] = {}
        """Output → where its sum over several rows and its error are kept, for now."""

    def _geometry(self, space: Shape, ins: Sequence[Layout], outs: Sequence[Layout]) -> Nest:
        walks = [broadcast(layout, space) for layout in ins]
        folded = {}
        for position, layout in enumerate(outs):
            if position not in self.folds:
                walks.append(broadcast(layout, space))
                continue
            axes = self.axes[position]
            kept = iter(layout.strides if len(layout.strides) < len(space) else ())
            if len(layout.strides) == len(space):
                kept = iter([s for k, s in enumerate(layout.strides) if k not in axes])
            walks.append(tuple(0 if k in axes else next(kept) for k in range(len(space))))
            folded[position] = tuple(k in axes for k in range(len(space)))
        # a fold's own axes must not merge with the axes it keeps: mark them by strides
        marks = [tuple(int(f) for f in flags) for flags in folded.values()]
        for mark in marks:
            walks.append(never_mixed(mark, space))
        sizes, walks = merged(space, walks)
        count = len(ins) + len(outs)
        flags = {
            position: tuple(s != 0 for s in walks[count + n]) for n, position in enumerate(folded)
        }
        ins_, outs_ = walks[: len(ins)], walks[len(ins) : count]
        nest = Nest(sizes, ins_, outs_, flags, 0)
        long = bool(sizes) and sizes[-1] > BLOCK and any(f[-1] for f in flags.values())
        return blocked(nest) if long or (self.parted and len(sizes) == 1) else nest

    # --- the nest ---------------------------------------------------------------------------

    def write(self) -> None:
        for p, fold in self.folds.items():
            if not self._inner(p) or any(self.nest.folds[p][: self._run(p)]):
                self._fill(p, fold, identity(fold))
        self._outer(0, [])
        self.code.add("ret void")

    def _outer(self, depth: int, indices: list[str]) -> None:
        sizes = self.nest.sizes
        if depth >= len(sizes) - 1:
            self._row(indices, sizes[-1] if sizes else 1)
            return
        begun = [p for p in self.folds if self._run(p) == depth]
        for p in begun:
            self._begin_total(p)
        parted = self.parted and depth == 0
        begin, end = ("%begin", "%end") if parted else ("0", str(sizes[depth]))
        with self.code.loop(begin, end) as index:
            self._outer(depth + 1, [*indices, index])
        if self.nest.rest and depth == len(sizes) - 2:
            with self._at_the_end(end, sizes[depth]):
                self._row([*indices, str(sizes[depth])], self.nest.rest)
        for p in begun:
            self._end_total(p, indices)

    def _at_the_end(self, end: str, blocks: int) -> AbstractContextManager[None]:
        """Write what follows the last block only: another part of a loop ends before it."""
        return self.code.unless(self.code.let(f"icmp ne i64 {end}, {blocks}"))

    def _pointer(self, name: str, walk: tuple[int, ...], indices: Sequence[str]) -> str:
        terms = [(i, s) for i, s in zip(indices, walk, strict=False)]
        return self.code.at(name, scaled(self.code, terms))

    def _row(self, indices: list[str], n: int) -> None:
        """Write n elements of the innermost axis: its vectors, then what is left over."""
        code = self.code
        inputs = [self._pointer(f"%in{k}", walk, indices) for k, walk in enumerate(self.nest.ins)]
        outputs = [
            self._pointer(f"%out{k}", walk, indices) for k, walk in enumerate(self.nest.outs)
        ]
        fixed = {
            k: self._load(pointer, self.in_kinds[k])
            for k, pointer in enumerate(inputs)
            if not self.nest.sizes or self.nest.ins[k][-1] == 0
        }
        registers = {p: self._register(fold) for p, fold in self.folds.items() if self._inner(p)}
        for piece in pieces(n, self.lanes, len(self.body.steps)):
            vectors = Vectors(piece.lanes, code.lines, self.module, f"v{len(code.lines)}.")
            accumulators = {p: self._accumulator(vectors, self.folds[p]) for p in registers}
            with _counted(code, piece) as index:
                given = self._inputs(vectors, inputs, fixed, index)
                made = self._body(vectors, given)
                for p, wire in enumerate(self.body.outs):
                    if p in accumulators:
                        self._fold(vectors, self.folds[p], accumulators[p], made)
                    elif p in self.folds:
                        self._fold_in_memory(vectors, p, outputs[p], index, made)
                    else:
                        self._store(vectors, p, outputs[p], index, made[wire])
            for p, accumulator in accumulators.items():
                self._gather_up(vectors, self.folds[p], accumulator, registers[p])
        for p, register in registers.items():
            self._finish_row(p, register, outputs[p])

    def _inner(self, position: int) -> bool:
        """Tell whether the innermost axis is folded away by this output."""
        return not self.nest.sizes or self.nest.folds[position][-1]

    # --- reading, computing, writing ----------------------------------------------------------

    def _load(self, pointer: str, kind: str) -> Value:
        text = self.code.let(f"load {stored(kind)}, ptr {pointer}", "x")
        if kind == "i1":
            text = self.code.let(f"icmp ne i8 {text}, 0", "x")
        return Value(text, kind)

    def _inputs(
        self, vectors: Vectors, inputs: list[str], fixed: dict[int, Value], index: str
    ) -> dict[int, Value]:
        given: dict[int, Value] = {}
        for k, wire in enumerate(self.body.ins):
            kind = self.in_kinds[k]
            if k in fixed:
                given[wire] = _splat(self.code, vectors, fixed[k])
            else:
                given[wire] = self._load_vector(
                    vectors, inputs[k], self.nest.ins[k][-1], index, kind
                )
        return given

    def _load_vector(
        self, vectors: Vectors, pointer: str, stride: int, index: str, kind: str
    ) -> Value:
        code, element = self.code, stored(kind)
        first = code.at(pointer, scaled(code, [(index, stride)]))
        size = _bytes(element)
        if vectors.lanes == 1:
            text = code.let(f"load {element}, ptr {first}", "x")
        elif stride == size:
            text = code.let(f"load {vectors.type(element)}, ptr {first}, align {size}", "x")
        else:
            text = "poison"
            for lane in range(vectors.lanes):
                one = code.let(f"load {element}, ptr {code.at(first, lane * stride)}", "x")
                text = code.let(
                    f"insertelement {vectors.type(element)} {text}, {element} {one}, i64 {lane}"
                )
        if kind == "i1":
            zero = "0" if vectors.lanes == 1 else "zeroinitializer"
            text = code.let(f"icmp ne {vectors.type('i8')} {text}, {zero}", "x")
        return Value(text, kind)

    def _body(self, vectors: Vectors, values: dict[int, Value]) -> dict[int, Value]:
        body = self.body
        for step in body.steps:
            if isinstance(step.gate.kind, Elementwise):
                dtype = loop_dtype(step, body.wires) or body.wires[step.outs[0]].dtype
                kind = "float" if dtype == np.dtype(bool) else kind_of(dtype)
                given = [
                    self._operand(vectors, step, position, wire, values, kind)
                    for position, wire in enumerate(step.ins)
                ]
                made = step.gate.kind.emit(vectors, *given)
                values[step.outs[0]] = as_kind(
                    vectors, made, kind_of(body.wires[step.outs[0]].dtype)
                )
        for fold in self.folds.values():  # a fold may read a number or an input as it is
            if fold.wire not in values:
                held = body.held[fold.wire]
                values[fold.wire] = vectors.const(held, Value("", fold.kind))
        return values

    def _operand(
        self,
        vectors: Vectors,
        step: Step,
        position: int,
        wire: int,
        values: dict[int, Value],
        kind: str,
    ) -> Value:
        if wire in self.body.held:
            number = self.body.held[wire]
            if step.gate.name == "where" and position == 0:
                return Value(_flag(vectors, bool(number)), "i1")
            # a long whole number must not lose its last digits
            return vectors.number(float(number) if kind in FLOATS else int(number), kind)
        value = values[wire]
        if step.gate.name == "where" and position == 0:
            return as_kind(vectors, value, "i1")
        return as_kind(vectors, value, kind)

    def _store(self, vectors: Vectors, p: int, pointer: str, index: str, value: Value) -> None:
        code = self.code
        value = as_kind(vectors, value, self.out_kinds[p])
        text, element = value.name, stored(value.kind)
        if value.kind == "i1":
            text = code.let(f"zext {vectors.type('i1')} {text} to {vectors.type('i8')}")
        stride = self.nest.outs[p][-1] if self.nest.outs[p] else 0
        first = code.at(pointer, scaled(code, [(index, stride)]))
        size = _bytes(element)
        if vectors.lanes == 1 or stride == size:
            code.add(f"store {vectors.type(element)} {text}, ptr {first}, align {size}")
            return
        for lane in range(vectors.lanes):
            one = code.let(f"extractelement {vectors.type(element)} {text}, i64 {lane}")
            code.add(f"store {element} {one}, ptr {code.at(first, lane * stride)}")

    # --- folding ------------------------------------------------------------------------------

    def _run(self, p: int) -> int:
        """Return the axis from which on this output folds all away: its sum over rows is kept
        with its error there. What it folds further out adds up in memory.
        """
        flags = self.nest.folds[p]
        return max((k + 1 for k, folded in enumerate(flags) if not folded), default=0)

    def _begin_total(self, p: int) -> None:
        fold, code = self.folds[p], self.code
        total, error = self.totals[p] = code.local(fold.kind), code.local(fold.kind)
        code.add(f"store {fold.kind} {identity(fold)}, ptr {total}")
        if fold.drifts:
            code.add(f"store {fold.kind} 0.0, ptr {error}")

    def _end_total(self, p: int, indices: Sequence[str]) -> None:
        fold, code = self.folds[p], self.code
        total, error = self.totals.pop(p)
        text = code.let(f"load {fold.kind}, ptr {total}")
        if fold.drifts:
            missing = code.let(f"load {fold.kind}, ptr {error}")
            text = compensated_end(code, fold.kind, text, missing)
        self._leave(p, text, self._pointer(f"%out{p}", self.nest.outs[p], indices))

    def _leave(self, p: int, text: str, pointer: str) -> None:
        """Store what the axes of a run fold to; fold it into memory if more is folded outside."""
        fold, code = self.folds[p], self.code
        if any(self.nest.folds[p][: self._run(p)]):
            have = Value(code.let(f"load {fold.kind}, ptr {pointer}"), fold.kind)
            text = combine(code, str, fold, have, Value(text, fold.kind)).name
        code.add(f"store {fold.kind} {text}, ptr {pointer}")

    def _fill(self, p: int, fold: Fold, start: str) -> None:
        flags, walk = self.nest.folds[p], self.nest.outs[p]
        ends = [("0", str(n)) for n in self.nest.sizes]
        if self.parted:
            ends[0] = "%begin", "%end"
        kept = [(e, s) for e, s, f in zip(ends, walk, flags, strict=True) if not f]
        self._fill_axes(f"%out{p}", kept, fold.kind, start)
        if self.nest.rest and not flags[-1]:  # what no whole block holds
            blocks = self.nest.sizes[-2]
            first = self.code.at(f"%out{p}", blocks * walk[-2])
            rest = [*kept[:-2], (("0", str(self.nest.rest)), walk[-1])]
            with self._at_the_end(ends[-2][1], blocks):
                self._fill_axes(first, rest, fold.kind, start)

    def _fill_axes(
        self, pointer: str, kept: list[tuple[tuple[str, str], int]], kind: str, start: str
    ) -> None:
        if not kept:
            self.code.add(f"store {kind} {start}, ptr {pointer}")
            return
        ((begin, end), stride), *rest = kept
        with self.code.loop(begin, end) as index:
            here = self.code.at(pointer, scaled(self.code, [(index, stride)]))
            self._fill_axes(here, rest, kind, start)

    def _register(self, fold: Fold) -> str:
        register = self.code.local(fold.kind)
        self.code.add(f"store {fold.kind} {identity(fold)}, ptr {register}")
        return register

    def _accumulator(self, vectors: Vectors, fold: Fold) -> str:
        kind = vectors.type(fold.kind)
        accumulator = self.code.local(kind)
        start = identity(fold)
        text = start if vectors.lanes == 1 else f"splat ({fold.kind} {start})"
        self.code.add(f"store {kind} {text}, ptr {accumulator}")
        return accumulator

    def _fold(self, vectors: Vectors, fold: Fold, accumulator: str, made: dict[int, Value]) -> None:
        kind = vectors.type(fold.kind)
        have = Value(self.code.let(f"load {kind}, ptr {accumulator}"), fold.kind)
        more = as_kind(vectors, made[fold.wire], fold.kind)
        result = combine(self.code, vectors.type, fold, have, more)
        self.code.add(f"store {kind} {result.name}, ptr {accumulator}")

    def _fold_in_memory(
        self, vectors: Vectors, p: int, pointer: str, index: str, made: dict[int, Value]
    ) -> None:
        fold = self.folds[p]
        have = self._load_vector(vectors, pointer, self.nest.outs[p][-1], index, fold.kind)
        more = as_kind(vectors, made[fold.wire], fold.kind)
        result = combine(self.code, vectors.type, fold, have, more)
        self._store(vectors, p, pointer, index, result)

    def _gather_up(self, vectors: Vectors, fold: Fold, accumulator: str, register: str) -> None:
        """Fold the lanes of an accumulator, half onto half, and then into the row's number."""
        code = self.code
        text = code.let(f"load {vectors.type(fold.kind)}, ptr {accumulator}")
        text = fold_lanes(code, fold, text, vectors.lanes)
        have = Value(code.let(f"load {fold.kind}, ptr {register}"), fold.kind)
        result = combine(code, str, fold, have, Value(text, fold.kind))
        code.add(f"store {fold.kind} {result.name}, ptr {register}")

    def _finish_row(self, p: int, register: str, pointer: str) -> None:
        fold, code = self.folds[p], self.code
        text = code.let(f"load {fold.kind}, ptr {register}")
        if p not in self.totals:
            self._leave(p, text, pointer)
            return
        total, error = self.totals[p]
        if fold.drifts:
            compensated_add(code, fold.kind, total, error, text)
            return
        have = Value(code.let(f"load {fold.kind}, ptr {total}"), fold.kind)
        more = combine(code, str, fold, have, Value(text, fold.kind))
        code.add(f"store {fold.kind} {more.name}, ptr {total}")


class _counted:
    """The loop over the vectors of one piece; none where there is only one."""

    def __init__(self, code: Code, piece: Piece) -> None:
        self.code, self.piece = code, piece
        self.context: Any = None

    def __enter__(self) -> str:
        start, lanes, times = self.piece
        if times == 1:
            return str(start)
        self.context = self.code.loop(start, start + times * lanes, lanes)
        return self.context.__enter__()

    def __exit__(self, *failure: Any) -> None:
        if self.context is not None:
            self.context.__exit__(*failure)


def as_kind(vectors: Vectors, value: Value, kind: str) -> Value:
    """Cast a value to an element kind; a number becomes a flag by asking whether it is not 0."""
    if value.kind == kind:
        return value
    if kind == "i1":
        return vectors.negate(vectors.eq(value, vectors.const(0.0, value)))
    return vectors.cast(value, kind)


def _splat(code: Code, vectors: Vectors, value: Value) -> Value:
    if vectors.lanes == 1:
        return value
    kind = vectors.type(value.kind)
    one = code.let(f"insertelement {kind} poison, {value.kind} {value.name}, i64 0")
    text = code.let(
        f"shufflevector {kind} {one}, {kind} poison, <{vectors.lanes} x i32> zeroinitializer"
    )
    return Value(text, value.kind)


def _flag(vectors: Vectors, flag: bool) -> str:
    text = "true" if flag else "false"
    return text if vectors.lanes == 1 else f"splat (i1 {text})"


def _bytes(element: str) -> int:
    return {"double": 8, "float": 4, "i8": 1, "i64": 8, "i32": 4}[element]
