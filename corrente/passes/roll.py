"""Rolling: steps that repeat, as an unrolled Python loop leaves them, become one loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from corrente.blocks import Layout, loop
from corrente.circuit import Circuit, Guard, Step, Wire
from corrente.gates.indexing import Slot
from corrente.passes.elements import as_slice, axes_of, reads_one_array
from corrente.passes.periods import FEWEST, Region, Table, find_regions
from corrente.passes.prune import prune
from corrente.passes.rewiring import is_ours, renamed, rewired
from corrente.passes.share import fingerprint
from corrente.passes.wiring import Carried, Link, Local, Same, Varied, read_wiring
from corrente.places import name_at
from corrente.record import NAMES, Gather

_GETITEM, _STACK, _TRANSPOSE = NAMES["getitem"], NAMES["stack"], NAMES["transpose"]
_NUMBERS = frozenset((bool, int, float, complex))
_LARGEST = 65536
_PEELED = 3


class _Odd(Exception):
    """Something about a stretch that no loop can say: it stays unrolled."""


def roll(circuit: Circuit, least: int = 512) -> Circuit:
    """Turn each stretch of at least `least` steps that repeats into a loop.

    An iteration may read what the same or one of the last iterations made, what is the same in
    all, and elements of an array, or numbers, that change from one to the next. What is used
    behind the loop comes out of it stacked. Every loop keeps its carries for the way back;
    `trim` drops those that nobody read. Bodies are rolled as well. A circuit that does not
    repeat itself, or not in a way a loop can say, is returned as it is.

    >>> import numpy as np, corrente as co
    >>> def f(h, x):
    ...     for k in range(8):
    ...         h = np.tanh(h) + x[k]
    ...     return h
    >>> rolled = roll(co.trace(f)(1.0, np.ones(8)).circuit, least=16)
    >>> [step.gate.name for step in rolled.steps]
    ['loop']
    """
    while len(circuit.steps) >= max(least, 1):
        table = Table(circuit)
        for region in find_regions(table, least):
            fresh = _rolled(table, region, least)
            if fresh is not None:
                circuit = prune(fresh)
                break
        else:
            return circuit
    return circuit


def _rolled(table: Table, region: Region, least: int) -> Circuit | None:
    """Roll one stretch; where its first iterations differ, they are left before the loop."""
    for _ in range(_PEELED):
        if region.times < FEWEST:
            return None
        links = read_wiring(table, region)
        if links is not None:
            try:
                return _Roller(table, region, links, least).finish()
            except _Odd:
                return None
        region = Region(region.start + region.period, region.period, region.times - 1)
    return None


class _Roller:
    """Builds the body of a loop, what must stand before it, and what comes after."""

    def __init__(self, table: Table, region: Region, links: list[list[Link]], least: int) -> None:
        self.table = table
        self.region = region
        self.least = least
        self.circuit = table.circuit
        self.wires = list(self.circuit.wires)
        self.held = dict(self.circuit.held)
        self.before: list[Step] = []
        self.after: list[Step] = []
        self.same: dict[int, int] = {}
        self.stacked: dict[Any, int] = {}
        """What was made before the loop to be read element by element, by what it is."""
        self.body_wires: list[Wire] = []
        self.body_held: dict[int, Any] = {}
        self.body_labels: dict[int, str] = {}
        self.literals: dict[Any, int] = {}
        self.carries: dict[Carried, int] = {}
        self.constants: dict[int, int] = {}
        self.slices: dict[int, int] = {}
        self.local: dict[Local, int] = {}
        """What an iteration makes, as wires of the body."""
        self.fixed: dict[Local, int] = {}
        """What is the same in each iteration, as outer wires: made once, before the loop."""
        self.moving: set[int] = set()
        """Steps that read another element in each iteration: they became slices."""
        self.results: dict[Local, int] = {}
        self.steps = [s for k in range(region.period) for s in self._step(k, links[k])]

    # --- the body -------------------------------------------------------------------------

    def _step(self, k: int, links: Sequence[Link]) -> Iterable[Step]:
        """Turn one step of the first iteration into a step of the body, if it is one."""
        step = self.circuit.steps[self.region.start + k]
        if type(step.gate.kind) is Gather and self._moves(k):
            self._read_moving(k, step, links)
            return
        outer = [self._outer(link) for link in links]
        if is_ours(step.gate) and None not in outer:
            self.before.append(step._replace(ins=tuple(w for w in outer if w is not None)))
            self.fixed.update((Local(k, slot), w) for slot, w in enumerate(step.outs))
            return
        ins = tuple(self._read(link) for link in links)
        outs = tuple(self._wire(self.wires[w]) for w in step.outs)
        self.local.update((Local(k, slot), w) for slot, w in enumerate(outs))
        yield step._replace(ins=ins, outs=outs)

    def _column(self, k: int) -> list[Step]:
        """Return the k-th step of every iteration."""
        start, period, _ = self.region
        return list(self.circuit.steps[start + k : self.region.stop : period])

    def _moves(self, k: int) -> bool:
        indices = [step.params["index"] for step in self._column(k)]
        return indices.count(indices[0]) < len(indices)

    def _read_moving(self, k: int, step: Step, links: Sequence[Link]) -> None:
        base = self._outer(links[0])
        if base is None or len(links) > 1:
            raise _Odd
        stacked = self._elements(base, [s.params["index"] for s in self._column(k)], step)
        self.local[Local(k, 0)] = self._slice(stacked, self.wires[step.outs[0]], step)
        self.moving.add(k)

    def _outer(self, link: Link) -> int | None:
        """Return the outer wire of an input that is the same in every iteration."""
        if isinstance(link, Same):
            return link.wire
        if isinstance(link, Local):
            return self.fixed.get(link)
        if isinstance(link, Varied) and self._equal_numbers(link.wires):
            return link.wires[0]
        return None

    def _read(self, link: Link) -> int:
        """Return the body's wire for an input of a step."""
        if isinstance(link, Carried):
            return self._carry(link)
        outer = self._outer(link)
        if outer is not None:
            return self._constant(outer)
        if isinstance(link, Local):
            return self.local[link]
        assert isinstance(link, Varied)
        return self._varied(link.wires)

    def _wire(self, like: Wire) -> int:
        self.body_wires.append(like._replace(id=len(self.body_wires)))
        return len(self.body_wires) - 1

    def _constant(self, outer: int) -> int:
        if is_number(self.held.get(outer)):
            key = fingerprint(self.held[outer])
            if key not in self.literals:
                wire = self.literals[key] = self._wire(self.wires[outer])
                self.body_held[wire] = self.held[outer]
            return self.literals[key]
        if outer not in self.constants:
            wire = self.constants[outer] = self._wire(self.wires[outer])
            self._label(wire, self._outer_name(outer))
        return self.constants[outer]

    def _carry(self, link: Carried) -> int:
        if link not in self.carries:
            step = self.circuit.steps[self.region.start + link.step]
            wire = self.carries[link] = self._wire(self.wires[step.outs[link.slot]])
            self._label(wire, _name(step))
            if link.lag > 1:
                self._carry(link._replace(initials=link.initials[1:]))
        return self.carries[link]

    def _slice(self, stacked: int, element: Wire, step: Step | None) -> int:
        if stacked not in self.slices:
            wire = self.slices[stacked] = self._wire(element)
            self._label(wire, None if step is None else _name(step))
        return self.slices[stacked]

    def _label(self, wire: int, name: str | None) -> None:
        if name is not None:
            self.body_labels[wire] = name

    def _outer_name(self, outer: int) -> str | None:
        maker = self.table.maker[outer] if outer < len(self.table.maker) else -1
        return self.circuit.labels.get(outer) or (
            _name(self.circuit.steps[maker]) if maker >= 0 else None
        )

    # --- what changes from iteration to iteration -----------------------------------------

    def _equal_numbers(self, wires: Sequence[int]) -> bool:
        values = [self.held.get(w) for w in wires]
        if not is_number(values[0]) or values.count(values[0]) < len(values):
            return False
        return len(set(map(fingerprint, values))) == 1

    def _varied(self, wires: tuple[int, ...]) -> int:
        """Return the slice of values made outside, one for each iteration."""
        like = self.wires[wires[0]]
        makers = [self.table.maker[w] for w in wires]
        steps = [self.circuit.steps[m] for m in makers if m >= 0]
        if wires in self.stacked:
            stacked = self.stacked[wires]
        elif all(is_number(self.held.get(w)) for w in wires):
            stacked = self._numbers([self.held[w] for w in wires], like)
        elif len(steps) == len(wires) and reads_one_array(steps):
            indices = [step.params["index"] for step in steps]
            stacked = self._elements(steps[0].ins[0], indices, steps[0])
        elif int(np.prod(like.shape, dtype=int)) <= _LARGEST:
            shape = (len(wires), *like.shape)
            here = self.circuit.steps[self.region.start]
            stacked = self._before(here, _STACK, wires, {"axis": 0}, shape, like)
        else:
            raise _Odd
        self.stacked[wires] = stacked
        return self._slice(stacked, like, None)

    def _numbers(self, values: list[Any], like: Wire) -> int:
        array = np.array(values)
        if array.dtype != like.dtype or len(set(map(type, values))) > 1:
            raise _Odd
        return self._hold(array)

    def _hold(self, array: np.ndarray) -> int:
        array.flags.writeable = False
        wire = self._outer_wire(array.shape, array.dtype)
        self.held[wire] = array
        return wire

    def _outer_wire(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
        self.wires.append(Wire(shape, dtype, len(self.wires), False))
        return len(self.wires) - 1

    def _before(
        self,
        step: Step,
        gate: Any,
        ins: tuple[int, ...],
        params: dict[str, Any],
        shape: tuple[int, ...],
        like: Wire,
    ) -> int:
        """Add a step before the loop, at the place of the one it stands for."""
        wire = self._outer_wire(shape, like.dtype)
        self.before.append(step._replace(gate=gate, ins=ins, outs=(wire,), params=params))
        return wire

    def _elements(self, base: int, indices: Sequence[tuple[Any, ...]], step: Step) -> int:
        """Return the elements of an array that the iterations read, one after another."""
        key = (base, fingerprint(tuple(indices)))
        if key not in self.stacked:
            self.stacked[key] = self._gathered(base, indices, step)
        return self.stacked[key]

    def _gathered(self, base: int, indices: Sequence[tuple[Any, ...]], step: Step) -> int:
        array, index = self.wires[base], indices[0]
        columns = list(zip(*indices, strict=True))
        changing = [p for p, items in enumerate(columns) if items.count(items[0]) < len(items)]
        if len(changing) != 1:
            raise _Odd
        place = changing[0]
        axis, turned = axes_of(index, place, len(array.shape))
        length = array.shape[axis]
        rows = [item + length if item < 0 else item for item in columns[place]]
        steps = {b - a for a, b in pairwise(rows)}
        regular = len(steps) == 1
        items = as_slice(rows, length) if regular else slice(None)
        wire = base
        if items != slice(None) or len(index) > 1:
            whole = (*index[:place], items, *index[place + 1 :])
            shape = np.broadcast_to(np.zeros(()), array.shape)[whole].shape
            wire = self._before(step, _GETITEM, (base,), {"index": whole}, shape, array)
        if not regular:
            shape = list(self.wires[wire].shape)
            shape[turned] = len(rows)
            ins = (wire, self._hold(np.array(rows)))
            at = {"index": (*[slice(None)] * turned, Slot(0))}
            wire = self._before(step, _GETITEM, ins, at, tuple(shape), array)
        if turned:
            shape = self.wires[wire].shape
            axes = (turned, *(k for k in range(len(shape)) if k != turned))
            there = tuple(shape[k] for k in axes)
            wire = self._before(step, _TRANSPOSE, (wire,), {"axes": axes}, there, array)
        return wire

    # --- what is used behind the loop -----------------------------------------------------

    def finish(self) -> Circuit:
        """Return the circuit with the loop in it."""
        region = self.region
        suffix = self._unstacked()
        guards = self._guards()
        read = {w for step in suffix for w in step.ins}.union(self.circuit.outs)
        read.update(guard.wire for guard in guards)
        used = sorted(w for w in read if self._is_inside(w))
        sources = Counter(self._place(w)[1] for w in used)
        finals: dict[Carried, int] = {}
        for wire in used:
            self._provide(wire, finals, alone=sources[self._place(wire)[1]] == 1)
        if 2 * (len(self.before) + len(self.after)) >= region.period * region.times:
            raise _Odd
        steps = [
            *self.circuit.steps[: region.start],
            *self.before,
            self._loop(finals),
            *self.after,
            *(renamed(step, self.same) for step in suffix),
        ]
        labels = {**self.circuit.labels, **self._names(finals)}
        changed = replace(self.circuit, guards=tuple(guards), labels=labels)
        return rewired(changed, steps, self.same, self.held, self.wires)

    def _place(self, wire: int) -> tuple[int, Local]:
        """Return which iteration makes a wire, and by which of its steps."""
        made = int(self.table.maker[wire]) - self.region.start
        number, step = divmod(made, self.region.period)
        return number, Local(step, int(self.table.slot[wire]))

    def _is_inside(self, wire: int) -> bool:
        if wire >= len(self.table.maker):
            return False
        return self.region.start <= self.table.maker[wire] < self.region.stop

    def _unstacked(self) -> list[Step]:
        """Return the steps behind the loop without those that only stack its results."""
        suffix = []
        for step in self.circuit.steps[self.region.stop :]:
            if step.gate is _STACK and len(step.ins) == self.region.times:
                places = [self._place(w) for w in step.ins if self._is_inside(w)]
                numbers = [number for number, _ in places]
                sources = {source for _, source in places}
                in_order = numbers == list(range(self.region.times)) and len(sources) == 1
                if in_order and self._give_stacked(sources.pop(), step):
                    continue
            suffix.append(step)
        return suffix

    def _give_stacked(self, source: Local, step: Step) -> bool:
        """Let a result of the loop stand for a stack of all its values."""
        if source in self.fixed or source.step in self.moving:
            return False
        stacked = self._result(source)
        out, axis = self.wires[step.outs[0]], step.params["axis"]
        if axis:
            axes = (*range(1, axis + 1), 0, *range(axis + 1, len(out.shape)))
            self.after.append(step._replace(gate=_TRANSPOSE, ins=(stacked,), params={"axes": axes}))
        else:
            self.same[step.outs[0]] = stacked
        return True

    def _guards(self) -> list[Guard]:
        """Turn the guards of all iterations into one, on the stacked decisions."""
        kept: list[Guard] = []
        groups: dict[Local, list[Any]] = {}
        first: dict[Local, Guard] = {}
        for guard in self.circuit.guards:
            if not self._is_inside(guard.wire):
                kept.append(guard)
                continue
            number, source = self._place(guard.wire)
            values = groups.setdefault(source, [None] * self.region.times)
            if self.wires[guard.wire].dtype != bool or type(guard.value) is not bool:
                raise _Odd
            values[number] = guard.value
            first.setdefault(source, guard)
        for source, values in groups.items():
            if source in self.fixed:
                if len(set(values) - {None}) > 1:
                    raise _Odd
                kept.append(first[source]._replace(wire=self.fixed[source]))
            elif None in values or self.wires[first[source].wire].shape:
                raise _Odd
            else:
                wire = self._result(source)
                kept.append(first[source]._replace(wire=wire, value=np.array(values)))
        return kept

    def _result(self, source: Local) -> int:
        """Return the outer wire of a result, stacked."""
        if source not in self.results:
            outs = self.circuit.steps[self.region.start + source.step].outs
            like = self.wires[outs[source.slot]]
            shape = (self.region.times, *like.shape)
            self.results[source] = self._outer_wire(shape, like.dtype)
        return self.results[source]

    def _provide(self, wire: int, finals: dict[Carried, int], alone: bool) -> None:
        """Make a wire of some iteration that is read behind the loop.

        `alone`: of no other iteration is the same read.
        """
        number, source = self._place(wire)
        step = self.circuit.steps[int(self.table.maker[wire])]
        if source in self.fixed:
            if wire != self.fixed[source]:
                self.same[wire] = self.fixed[source]
            return
        if source.step in self.moving:
            base = step.ins[0]
            if self._is_inside(base):
                base = self.fixed[self._place(base)[1]]
            self.after.append(step._replace(ins=(base,)))
            return
        for carry in self.carries if alone else ():
            last = self.region.times - carry.lag == number
            if last and (carry.step, carry.slot) == source and carry not in finals:
                finals[carry] = wire
                return
        params = {"index": (number,)}
        self.after.append(
            step._replace(gate=_GETITEM, ins=(self._result(source),), outs=(wire,), params=params)
        )

    def _names(self, finals: dict[Carried, int]) -> dict[int, str]:
        """Name what comes out of the loop: a step with several outputs names none itself."""
        start = self.region.start
        wires = {wire: carry.step for carry, wire in finals.items()}
        wires |= {wire: source.step for source, wire in self.results.items()}
        named = {wire: _name(self.circuit.steps[start + step]) for wire, step in wires.items()}
        return {wire: name for wire, name in named.items() if name is not None}

    def _loop(self, finals: dict[Carried, int]) -> Step:
        """Return the step of the loop itself."""
        nexts = []
        for carry in self.carries:
            later = carry._replace(initials=carry.initials[1:])
            source = Local(carry.step, carry.slot)
            nexts.append(self._made(source) if carry.lag == 1 else self.carries[later])
        body = Circuit(
            wires=tuple(self.body_wires),
            ins=(*self.carries.values(), *self.constants.values(), *self.slices.values()),
            held=self.body_held,
            steps=tuple(self.steps),
            outs=(*nexts, *(self._made(source) for source in self.results)),
            labels=self.body_labels,
        )
        times = self.region.times
        ins = (*(c.initials[0] for c in self.carries), *self.constants, *self.slices)
        outs = []
        for carry, wire in self.carries.items():
            like = self.body_wires[wire]
            outs.append(finals.get(carry))
            if outs[-1] is None:
                self.wires.append(like._replace(id=len(self.wires)))
                outs[-1] = len(self.wires) - 1
        for wire in self.carries.values():
            like = self.body_wires[wire]
            outs.append(self._outer_wire((times, *like.shape), like.dtype))
        outs += self.results.values()
        layout = Layout(
            body=roll(body, self.least),
            count=times,
            carries=len(self.carries),
            constants=len(self.constants),
            kept=tuple(range(len(self.carries))),
        )
        here = self.circuit.steps[self.region.start]
        return Step(loop, ins, tuple(outs), layout.params, here.where, here.stack, here.origin)

    def _made(self, source: Local) -> int:
        """Return the body's wire of what a step of the iteration makes."""
        if source in self.fixed:
            return self._constant(self.fixed[source])
        return self.local[source]


def is_number(value: Any) -> bool:
    """Tell whether a held value is a number that nobody can change."""
    return type(value) in _NUMBERS or isinstance(value, np.generic)


def _name(step: Step) -> str | None:
    return name_at(step.where) if step.where is not None and len(step.outs) == 1 else None
