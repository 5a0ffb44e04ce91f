"""Loops: a fused step as one nest of loops over vectors, for fixed shapes, strides and dtypes.

The innermost axis is walked in vectors; what is left over at its end, in ever smaller ones.
A folded innermost axis adds up in registers, blocks of it with compensation; a folded outer axis
adds up in memory, row by row, as NumPy does. The order is fixed by the shapes alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

import numpy as np

from corrente.circuit import Circuit, Step
from corrente.native.code import Code, scaled
from corrente.native.elements import (
    as_kind,
    bytes_of,
    flag,
    kind_of,
    load,
    load_vector,
    splat,
    store_vector,
    stored,
)
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
        self.columns: dict[tuple[int, int], tuple[str, str]] = {}
        """Output and start of a vector → where its sums over rows are kept, and their type."""

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
        self._begin_columns(depth, indices)
        with self.code.loop(begin, end) as index:
            self._outer(depth + 1, [*indices, index])
        if self.nest.rest and depth == len(sizes) - 2:
            with self._at_the_end(end, sizes[depth]):
                self._row([*indices, str(sizes[depth])], self.nest.rest)
        self._end_columns(indices)
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
            k: load(code, pointer, self.in_kinds[k])
            for k, pointer in enumerate(inputs)
            if not self.nest.sizes or self.nest.ins[k][-1] == 0
        }
        registers = {p: self._register(fold) for p, fold in self.folds.items() if self._inner(p)}
        for piece in self._pieces(n):
            vectors = Vectors(piece.lanes, code.lines, self.module, f"v{len(code.lines)}.")
            accumulators = {p: self._accumulator(vectors, self.folds[p]) for p in registers}
            with code.stretch(*piece) as index:
                given = self._inputs(vectors, inputs, fixed, index)
                made = self._body(vectors, given)
                for p, wire in enumerate(self.body.outs):
                    if p in accumulators:
                        self._fold(vectors, self.folds[p], accumulators[p], made)
                    elif (p, piece.start) in self.columns:
                        place, _ = self.columns[p, piece.start]
                        self._fold(vectors, self.folds[p], place, made)
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

    def _inputs(
        self, vectors: Vectors, inputs: list[str], fixed: dict[int, Value], index: str
    ) -> dict[int, Value]:
        given: dict[int, Value] = {}
        for k, wire in enumerate(self.body.ins):
            kind = self.in_kinds[k]
            if k in fixed:
                given[wire] = splat(self.code, vectors, fixed[k])
            else:
                walk = self.nest.ins[k]
                given[wire] = load_vector(self.code, vectors, inputs[k], walk[-1], index, kind)
        return given

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
                return Value(flag(vectors, bool(number)), "i1")
            # a long whole number must not lose its last digits
            return vectors.number(float(number) if kind in FLOATS else int(number), kind)
        value = values[wire]
        if step.gate.name == "where" and position == 0:
            return as_kind(vectors, value, "i1")
        return as_kind(vectors, value, kind)

    def _stride(self, p: int) -> int:
        return self.nest.outs[p][-1] if self.nest.outs[p] else 0

    def _store(self, vectors: Vectors, p: int, pointer: str, index: str, value: Value) -> None:
        value = as_kind(vectors, value, self.out_kinds[p])
        store_vector(self.code, vectors, pointer, self._stride(p), index, value)

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

    def _pieces(self, n: int) -> Iterator[Piece]:
        """Part a row into vectors; a short one whose columns add up, into single ones."""
        weight = len(self.body.steps)
        short = n <= 4 * self.lanes and weight <= 24
        if short and any(not self._inner(p) for p in self.folds):
            for start, lanes, times in pieces(n, self.lanes, weight):
                for k in range(times):
                    yield Piece(start + k * lanes, lanes, 1)
        else:
            yield from pieces(n, self.lanes, weight)

    def _begin_columns(self, depth: int, indices: Sequence[str]) -> None:
        """Keep sums over the rows of a short axis in registers while the rows are walked."""
        nest, code = self.nest, self.code
        if depth != len(nest.sizes) - 2 or nest.rest:
            return
        found = list(self._pieces(nest.sizes[-1]))
        if any(piece.times > 1 for piece in found):
            return
        for p, fold in self.folds.items():
            size = bytes_of(fold.kind)
            if self._inner(p) or not nest.folds[p][depth] or nest.outs[p][-1] != size:
                continue
            pointer = self._pointer(f"%out{p}", nest.outs[p], indices)
            for start, lanes, _ in found:
                kind = fold.kind if lanes == 1 else f"<{lanes} x {fold.kind}>"
                place = code.local(kind)
                have = code.let(f"load {kind}, ptr {code.at(pointer, start * size)}, align {size}")
                code.add(f"store {kind} {have}, ptr {place}")
                self.columns[p, start] = place, kind

    def _end_columns(self, indices: Sequence[str]) -> None:
        code = self.code
        for (p, start), (place, kind) in self.columns.items():
            size = bytes_of(self.folds[p].kind)
            pointer = self._pointer(f"%out{p}", self.nest.outs[p], indices)
            text = code.let(f"load {kind}, ptr {place}")
            code.add(f"store {kind} {text}, ptr {code.at(pointer, start * size)}, align {size}")
        self.columns.clear()

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
        have = load_vector(self.code, vectors, pointer, self._stride(p), index, fold.kind)
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
