"""Lowering: a circuit as a list of kernel calls on buffers, each kernel written once.

A step that only looks at memory anew costs nothing; elementwise steps are loops, products tiles
or BLAS calls; whatever has no native body is called back in NumPy between the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from corrente.blocks import fused, loop
from corrente.circuit import Circuit, Guard, Step, Wire
from corrente.memory import result_of
from corrente.native import accumulations, gathers, threads
from corrente.native.assembling import blas_alone
from corrente.native.bodies import (
    as_loop,
    body_key,
    forms,
    last_fold,
    number,
    single,
    space_size,
)
from corrente.native.gathers import STATUS
from corrente.native.layouts import Layout, look, may_look, row
from corrente.native.loops import loop_nest, outermost
from corrente.native.products import arrange, is_mostly_one, partition, product
from corrente.native.programs import (
    ARENA,
    Call,
    Callback,
    Kernel,
    Lowered,
    Unsupported,
)
from corrente.native.repeating import first_stacked, repeat
from corrente.native.vectors import Module
from corrente.native.writing import join, write
from corrente.passes.fuse import is_number
from corrente.record import NAMES, Contract, Params, Scatter


def lower(circuit: Circuit, strides: Mapping[int, tuple[int, ...]], vector_bytes: int) -> Lowered:
    """Lower a circuit; `strides` gives those of inputs that do not lie in a row."""
    lowered = Lowered(Module("alwaysinline"))
    lowered.arena.take(STATUS.nbytes)
    writer = Lowering(circuit, vector_bytes, lowered, {})
    for wire in circuit.ins:
        writer.enter(circuit.wires[wire], strides.get(wire))
    lowered.outputs = [writer.outlet(circuit.wires[wire]) for wire in circuit.outs]
    writer.run(lowered.outputs)
    return lowered


class Lowering:
    """Lowers one circuit, or the body of a loop, into what is lowered so far."""

    def __init__(
        self, circuit: Circuit, vector_bytes: int, lowered: Lowered, texts: dict[Any, str]
    ) -> None:
        self.circuit = circuit
        self.vector_bytes = vector_bytes
        self.lowered = lowered
        self.where: dict[int, Layout] = {}
        self.texts = texts
        self.owner: dict[int, int] = {}
        """Wire → the wire whose buffer it looks at."""
        self.extents: dict[int, tuple[int, int]] = {}
        """Wire → offset and length of its memory, where that is more than its elements."""
        self.guards: dict[int, list[Guard]] = {}
        for guard in circuit.guards:
            self.guards.setdefault(guard.wire, []).append(guard)
        self.last = self._last_uses()
        self.pinned: dict[int, Layout] = {}
        self.now = 0

    # --- the run ------------------------------------------------------------------------------

    def run(self, outputs: Sequence[Layout]) -> None:
        """Lower all steps; the outputs are left in these places."""
        circuit = self.circuit
        for wire, value in circuit.held.items():
            if not is_number(value):
                self._hold(circuit.wires[wire], value)
        self._pin(outputs)
        for wire in circuit.ins:
            self._check(wire)
        for k, step in enumerate(circuit.steps):
            self.now = k
            self._step(step)
            for out in step.outs:
                self._check(out)
            self._release(k)
        for wire, target in zip(circuit.outs, outputs, strict=True):
            self._deliver(wire, target)

    def _last_uses(self) -> dict[int, int]:
        """Return the last step that reads each buffer: a view keeps what it looks at."""
        seen: dict[int, int] = {}
        last: dict[int, int] = {}

        def use(wire: int | None, k: int) -> None:
            while wire is not None:
                last[wire] = k
                wire = seen.get(wire)

        for k, step in enumerate(self.circuit.steps):
            if step.ins and may_look(step):
                seen[step.outs[0]] = step.ins[0]
            for wire in (*step.ins, *step.outs):
                use(wire, k)
        for wire in self.circuit.outs:
            use(wire, len(self.circuit.steps))
        self.dying: dict[int, list[int]] = {}
        for wire, k in last.items():
            self.dying.setdefault(k, []).append(wire)
        return last

    def dtype(self, wire: Wire) -> np.dtype[Any]:
        """Return a wire's dtype; raise Unsupported if memory cannot hold it."""
        if wire.dtype.kind not in "fiubc" or not wire.dtype.isnative or wire.dtype.itemsize > 16:
            raise Unsupported(f"a value of dtype {wire.dtype}")
        return wire.dtype

    def enter(self, wire: Wire, strides: tuple[int, ...] | None) -> None:
        """Give an input its place: numbers in the arena, arrays at a base of their own."""
        dtype = self.dtype(wire)
        if wire.weak or not wire.shape:
            layout = row(ARENA, self.lowered.arena.take(dtype.itemsize), (), dtype)
        else:
            layout = row(self.base(), 0, wire.shape, dtype)
            if strides is not None:
                layout = layout._replace(strides=strides)
        self.where[wire.id] = self.lowered.inputs[wire.id] = layout

    def inside(self, body: Circuit) -> Lowering:
        """Return what lowers the body of a loop into the same program."""
        return Lowering(body, self.vector_bytes, self.lowered, self.texts)

    def base(self) -> int:
        """Return the number of a new base."""
        self.lowered.bases += 1
        return self.lowered.bases - 1

    def _hold(self, wire: Wire, value: Any) -> None:
        if not isinstance(value, np.ndarray):
            raise Unsupported(f"a held {type(value).__name__}")
        dtype = self.dtype(wire)
        known = [base for base, array in self.lowered.held.items() if array is value]
        base = known[0] if known else self.base()
        self.lowered.held[base] = value
        self.where[wire.id] = Layout(base, 0, value.shape, value.strides, dtype)

    def outlet(self, wire: Wire) -> Layout:
        """Return the place of an output: at a base of its own."""
        layout = row(self.base(), 0, wire.shape, self.dtype(wire))
        if not layout.shape:  # it may be written early: its place is never given back
            self.lowered.scratch[layout.base] = self.lowered.arena.take(16)
        return layout

    def _pin(self, outputs: Sequence[Layout]) -> None:
        """Let a wire be computed where it is wanted in the end, if that is one place."""
        made = self.circuit.makers
        for out, target in zip(self.circuit.outs, outputs, strict=True):
            wire = result_of(self.circuit, out) if target.in_a_row else out
            step = self.circuit.steps[made[wire]] if wire in made else None
            if step is None or may_look(step) or wire in self.pinned:
                continue
            if step.gate is loop and step.outs.index(wire) < first_stacked(step):
                continue
            shape = self.circuit.wires[wire].shape
            same = wire == out
            self.pinned[wire] = (
                target if same else row(target.base, target.offset, shape, target.dtype)
            )

    def place(self, wire: int) -> Layout:
        """Return the place of a step's output."""
        layout = self.pinned.get(wire)
        if layout is None:
            info = self.circuit.wires[wire]
            dtype = self.dtype(info)
            shaped = row(ARENA, 0, info.shape, dtype)
            layout = shaped._replace(offset=self.lowered.arena.take(shaped.nbytes))
        self.where[wire] = layout
        return layout

    def _release(self, k: int) -> None:
        for wire in self.dying.get(k, ()):
            layout = self.where.get(wire)
            own = wire not in self.owner and wire in self.circuit.makers
            if layout is not None and layout.base == ARENA and own:
                extent = self.extents.get(wire, (layout.offset, layout.nbytes))
                self.lowered.arena.give_back(*extent)

    # --- steps ----------------------------------------------------------------------------------

    def _step(self, step: Step) -> None:
        if step.ins and may_look(step) and step.ins[0] in self.where:
            seen = look(step, self.where[step.ins[0]])
            if seen is not None:
                self.where[step.outs[0]] = seen
                self.owner[step.outs[0]] = self.owner.get(step.ins[0], step.ins[0])
                return
        if any(self.circuit.wires[out].shape.count(0) for out in step.outs):
            self.call_back(step)  # of nothing there is nothing to write
            return
        if step.gate is loop:
            repeat(self, step)
        elif step.gate is fused:
            self._fused(step)
        elif isinstance(step.gate.kind, Contract) and len(step.ins) == 2:
            self._product(step)
        elif isinstance(step.gate.kind, Scatter):
            write(self, step)
        elif step.gate.name in ("concatenate", "stack"):
            join(self, step)
        elif not (self._gathered(step) or self._accumulated(step) or self._reshaped(step)):
            self.call_back(step)

    def layouts(self, wires: Sequence[int]) -> list[Layout] | None:
        found = [self.where.get(w) for w in wires]
        return None if any(f is None for f in found) else found  # type: ignore[return-value]

    def _fused(self, step: Step) -> None:
        ins = self.layouts(step.ins)
        assert ins is not None
        body = step.params["body"]
        if any(layout.size == 0 for layout in ins):
            self.call_back(step)
            return
        outs = [self.place(out) for out in step.outs]
        self.loop_over(body, ins, outs)

    def loop_over(
        self, body: Circuit, ins: Sequence[Layout], outs: Sequence[Layout], whole: bool = False
    ) -> None:
        key = body_key(body), forms(ins), forms(outs), whole
        if not whole and space_size(body) * len(body.steps) > threads.LARGE:
            self._parted_loop(key, body, ins, outs)
            return

        def write(head: str) -> str:
            return loop_nest(head, body, ins, outs, self.lowered.module, self.vector_bytes)

        self.emit(key, write, ins, outs)

    def _parted_loop(
        self, key: Any, body: Circuit, ins: Sequence[Layout], outs: Sequence[Layout]
    ) -> None:
        """Part a large loop on its outermost axis; what that folds away is folded in two goes."""
        lowered = self.lowered
        length, folding = outermost(body, ins, outs, self.vector_bytes)
        parts = min(threads.PARTS, length)
        partial: list[Layout] = []
        for p, out in enumerate(outs):
            layout = row(ARENA, 0, (parts, *out.shape), out.dtype) if p in folding else out
            if p in folding:
                layout = layout._replace(offset=lowered.arena.take(layout.nbytes))
            partial.append(layout)
        moved = {len(ins) + p: outs[p].nbytes for p in folding}

        def write(head: str) -> str:
            return loop_nest(head, body, ins, outs, lowered.module, self.vector_bytes, parted=True)

        self.emit(key, write, ins, partial, (length, parts, moved))
        makers = {out: step for step in body.steps for out in step.outs}
        for p in folding:
            gate = makers[body.outs[p]].gate
            last = last_fold(gate, partial[p], outs[p])
            self.loop_over(last, [partial[p]], [outs[p]], whole=True)  # of few parts: in one go
            lowered.arena.give_back(partial[p].offset, partial[p].nbytes)

    def emit(
        self,
        key: Any,
        write: Callable[[str], str],
        ins: Sequence[Layout],
        outs: Sequence[Layout],
        cut: tuple[int, int, dict[int, int]] | None = None,
    ) -> None:
        """Call a kernel, and write it at its first call.

        One that is `cut` runs in parts: the length of its outermost axis, how many parts, and by
        how many bytes which pointers move on.
        """
        lowered, arity = self.lowered, len(ins) + len(outs)
        name = self.texts.get(key)
        if name is None:
            name = self.texts[key] = f"k{len(self.texts)}"
            given = [f"ptr %in{k}" for k in range(len(ins))]
            given += [f"ptr %out{k}" for k in range(len(outs))]
            given += ["i64 %begin", "i64 %end"] if cut else []
            text = write(f"define internal void @{name}({', '.join(given)}) nounwind")
            if cut:
                text += "\n" + threads.part(name, arity, *cut, lowered.module)
            lowered.kernels[name] = Kernel(name, text, arity)
        places = tuple((layout.base, layout.offset) for layout in (*ins, *outs))
        lowered.traffic += sum(layout.nbytes for layout in (*ins, *outs))
        lowered.calls.append(Call(name, places, parts=cut[1] if cut else 0))

    def _product(self, step: Step) -> None:
        given = self.layouts(step.ins)
        out = row(ARENA, 0, self.circuit.wires[step.outs[0]].shape, self._wire_dtype(step))
        kind = step.gate.kind
        assert isinstance(kind, Contract)
        if given is None:
            self.call_back(step)
            return
        spec = kind.spec(tuple(len(layout.shape) for layout in given), step.params)
        found = arrange(spec, given[0], given[1], out) if "." not in spec else None
        if found is None:
            self.call_back(step)
            return
        out = self.place(step.outs[0])
        if is_mostly_one(found):
            self.loop_over(*as_loop(spec, given[0], given[1], out))
            return
        module = self.lowered.module
        length, parts = partition(found, self.vector_bytes, blas_alone())

        def write(head: str) -> str:
            return product(head, found, module, self.vector_bytes, length > 0)

        cut = (length, parts, dict[int, int]()) if length else None
        self.emit(("product", found), write, given, [out], cut)

    def _wire_dtype(self, step: Step) -> np.dtype[Any]:
        return self.circuit.wires[step.outs[0]].dtype

    def copy(self, source: Layout, target: Layout) -> None:
        """Copy elements, broadcast where the target is larger."""
        if target.size == 0:
            return
        if source.dtype not in _LOOPED or target.dtype not in _LOOPED:
            self.back(lambda x: x, {}, [source], [target], {}, (False,))
            return
        self.loop_over(single(NAMES["copy"], [source], target), [source], [target])

    def _gathered(self, step: Step) -> bool:
        layouts = self.layouts(step.ins)
        if layouts is None or not gathers.fits(step, layouts):
            return False
        out = self.place(step.outs[0])
        self.emit(*gathers.gather(step, layouts, out, self.lowered.module))
        return True

    def _accumulated(self, step: Step) -> bool:
        layouts = self.layouts(step.ins)
        out = row(ARENA, 0, self.circuit.wires[step.outs[0]].shape, self._wire_dtype(step))
        if layouts is None or not accumulations.fits(step, layouts, out):
            return False
        out = self.place(step.outs[0])
        self.emit(*accumulations.accumulate(step, layouts, out, self.lowered.module))
        return True

    def _reshaped(self, step: Step) -> bool:
        """Copy the elements that no view shows in another shape."""
        if step.gate.name != "reshape" or step.params["order"] != "C":
            return False
        source, out = self.given(step.ins[0]), self.place(step.outs[0])
        self.copy(source, row(out.base, out.offset, source.shape, out.dtype))
        return True

    # --- numbers --------------------------------------------------------------------------------

    def given(self, wire: int) -> Layout:
        """Return the place of an input; a number is written down first."""
        if wire not in self.where:
            place = self.lowered.arena.take(16)
            layout = row(ARENA, place, (), self.dtype(self.circuit.wires[wire]))
            self._write_number(wire, layout)
            self.where[wire] = layout  # kept for good: it is a few bytes
        return self.where[wire]

    def _write_number(self, wire: int, target: Layout) -> None:
        info, value = self.circuit.wires[wire], self.circuit.held[wire]
        if info.dtype in _LOOPED and target.dtype in _LOOPED:
            self.loop_over(number(info, value, target), [], [target])
        else:
            self.back(lambda: value, {}, [], [target], {}, ())

    # --- calling back ---------------------------------------------------------------------------

    def call_back(self, step: Step) -> None:
        numbers = {k: self.circuit.held[w] for k, w in enumerate(step.ins) if w not in self.where}
        ins = [self.where.get(w) for w in step.ins]
        outs = [self.place(out) for out in step.outs]
        weak = tuple(self.circuit.wires[w].weak for w in step.ins)
        forward = step.gate.forward
        if len(step.outs) == 1 and step.gate.outs != 1:

            def alone(*given: Any, **params: Any) -> Any:
                return step.gate.forward(*given, **params)[0]

            forward = alone
        self.back(forward, step.params, ins, outs, numbers, weak)

    def back(
        self,
        forward: Callable[..., Any],
        params: Params,
        ins: Sequence[Layout | None],
        outs: list[Layout],
        numbers: dict[int, Any],
        weak: tuple[bool, ...],
        guard: Guard | None = None,
    ) -> None:
        """Call a NumPy function back, from inputs (None: a number) into outputs."""
        entry = Callback(forward, params, list(ins), outs, numbers, weak, guard)
        places = tuple((la.base, la.offset) for la in (*ins, *outs) if la is not None)
        self.lowered.calls.append(Call(None, places, len(self.lowered.callbacks)))
        self.lowered.callbacks.append(entry)

    def _check(self, wire: int) -> None:
        """Check the guards of a wire as soon as it is made."""
        for guard in self.guards.get(wire, ()):
            layout = self.where[wire]
            if type(guard.value) is bool and layout.dtype == np.bool_ and not layout.shape:
                self.emit(*gathers.check(layout, guard.value, self.lowered.module))
                continue
            weak = (self.circuit.wires[wire].weak,)
            self.back(_same, {}, [layout], [], {}, weak, guard)

    def _deliver(self, wire: int, target: Layout) -> None:
        """Copy an output to where it is wanted, unless it was made there."""
        if self.pinned.get(wire) is target or self.where.get(wire) == target:
            return
        if wire in self.where:
            self.copy(self.where[wire], target)
        else:
            self._write_number(wire, target)


_LOOPED = frozenset(map(np.dtype, ("f4", "f8", "i4", "i8", "b1")))


def _same(value: Any) -> Any:
    return value
