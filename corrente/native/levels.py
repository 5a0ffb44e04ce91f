"""Levels: a huge scalar circuit as operations, in an order that the machine runs fast.

Each gate's `emit` is asked once for its operations; then all its steps are written together.
Operations that need equally many others before them do not need each other. Such a level is
sorted by code: enough equal codes become a run of vector instructions, few stay single.
Everything here works on whole arrays, for there may be a million operations.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import chain, compress
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Circuit, Step, is_literal
from corrente.native import machine
from corrente.native.machine import ARITY, CURVES, LANES, OPCODES, OWN, SUMS, Operations
from corrente.record import Elementwise, Gate, Gather, Scatter

LEAST, LEAST_CURVES = 16, 3
"""How many operations make a run worth its overhead; vectors pay sooner for curves."""

_SUMS = len(SUMS)
_IS_CURVE = np.array([name in CURVES for name in OPCODES])
_LEAST = np.where(_IS_CURVE, LEAST_CURVES, LEAST)
_MOST = 1 << 28
"""So many values fit the sorting key and the 32-bit slots."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """A program for the machine, and where it keeps the values."""

    program: np.ndarray
    """What `machine.machine()` runs; it must stay alive meanwhile."""
    slots: np.ndarray
    """The slot of every value, by its number; inputs and constants keep theirs."""
    outs: np.ndarray
    """The slots of the outputs."""
    own: int
    """The slot of the first of the machine's own numbers, `machine.OWN`."""
    size: int
    """How many slots there are."""
    levels: int
    runs: int

    def memory(self, constants: np.ndarray, at: int) -> np.ndarray:
        """Return memory for the slots, with constants from slot `at` on and the machine's own."""
        spare = np.zeros(self.size + 8)
        aligned = spare[-(spare.ctypes.data // 8) % 8 :][: self.size]
        aligned[at : at + len(constants)] = constants
        aligned[self.own : self.own + len(OWN)] = OWN
        return aligned


class _Groups(NamedTuple):
    """Stretches of the sorted operations that are one run, or all single."""

    start: np.ndarray
    length: np.ndarray
    padded: np.ndarray
    """The length rounded up to whole vectors."""
    is_run: np.ndarray
    code: np.ndarray
    """The code of a run; of the first operation otherwise."""
    slot: np.ndarray
    """The slot of the first result."""
    word: np.ndarray
    """Where it begins in the program."""


def schedule(operations: Operations, first: int, outs: np.ndarray) -> Schedule:
    """Order operations by levels and runs, and give every value a slot.

    Every operation reads only values with lower numbers than its own. Dead slots are not used
    again: results side by side are worth more than memory.

    >>> one = np.zeros(1, np.int32)
    >>> add = Operations(one + OPCODES["add"], one, one + 1, one)
    >>> schedule(add, 2, np.array([2])).levels
    1
    """
    count = len(operations.code)
    if first + count >= _MOST:
        raise OverflowError(f"{first + count} values are more than {_MOST}")
    operations = Operations(*(np.ascontiguousarray(x, np.int32) for x in operations))
    order, key = _sorted(operations, first)
    own, begin = first, -(-(first + len(OWN)) // LANES) * LANES
    groups, end = _grouped(key, begin)
    slots = np.empty(first + count, np.int32)
    slots[:first] = np.arange(first)
    places = np.repeat((groups.slot - groups.start).astype(np.int32), groups.length)
    slots[first + order] = places + np.arange(count, dtype=np.int32)
    program = np.zeros(end + 4, np.int32)
    machine.add_kernels(np.unique(groups.code[groups.is_run]).tolist())
    program[:2].view(np.uint64)[0] = machine.load().table.ctypes.data
    program[2] = groups.slot[0] if count else 0
    program[end] = machine.STOP
    code, *ins = (x[order] for x in operations)
    read = [slots[x] for x in ins]
    _write_singles(program.reshape(-1, 4), groups, code, read, own)
    _write_runs(program, groups, read)
    size = int(groups.slot[-1] + groups.padded[-1]) if count else own + len(OWN)
    levels = int(key[-1]) >> 6 if count else 0
    return Schedule(program, slots, slots[outs], own, size, levels, int(groups.is_run.sum()))


def _sorted(operations: Operations, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort by level, code and number; return the order and, sorted, level · 64 + code."""
    count = len(operations.code)
    levels = np.zeros(first + count, np.int32)
    addresses = [x.ctypes.data for x in (operations.a, operations.b, operations.c)]
    if count:
        machine.load().height(*addresses, first, count, levels.ctypes.data)
    bits = count.bit_length()
    key = (levels[first:].astype(np.int64) << 6) | operations.code
    # a key with the number in it needs no stable sort and brings the order along
    key = np.sort((key << bits) | np.arange(count))
    return key & ((1 << bits) - 1), key >> bits


def _grouped(key: np.ndarray, slot: int) -> tuple[_Groups, int]:
    """Cut the sorted operations into runs and singles; return where the program ends, too."""
    start = np.flatnonzero(np.diff(key, prepend=-1))
    length = np.diff(start, append=len(key))
    is_run = length >= _LEAST[key[start] & 63]
    begins = is_run.copy()
    begins[:1] = True
    begins[1:] |= is_run[:-1]
    start, is_run = start[begins], is_run[begins]
    length = np.diff(start, append=len(key))
    padded = -(-length // LANES) * LANES
    code = key[start] & 63
    words = np.where(is_run, 4 + ARITY[code] * padded, 4 * length)
    ends = 4 + np.cumsum(words)
    slots = slot + np.cumsum(padded) - padded
    end = int(ends[-1]) if len(ends) else 4
    return _Groups(start, length, padded, is_run, code, slots, ends - words), end


def _write_singles(
    rows: np.ndarray,
    groups: _Groups,
    code: np.ndarray,
    read: list[np.ndarray],
    own: int,
) -> None:
    """Write operations of four words: a code and three operands."""
    single = ~np.repeat(groups.is_run, groups.length)
    code = code[single]
    a, b, c = (x[single] for x in read)
    single_groups = ~groups.is_run
    offset = (groups.word // 4 - groups.start)[single_groups]
    lengths = groups.length[single_groups]
    at = np.repeat(offset, lengths) + np.flatnonzero(single)
    calls = _IS_CURVE[code]
    c = np.where(calls, machine.LIBRARY + code, c)
    written = np.where(calls, machine.CALL + ARITY[code], code)
    if machine.fuses():
        written = np.where(code < _SUMS, machine.FUSED, written)
        a, b, c = _as_multiply_add(code, a, b, c, own)
    for column, words in enumerate((written, a, b, c)):
        rows[at, column] = words


def _as_multiply_add(
    code: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, own: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn the operands of sums into x·y + z, exact to the sign of zero.

    a + b = a·1 + b, a − b = b·(−1) + a, a·b = a·b + (−0), −a = a·(−1) + (−0)
    """
    one, minus, nothing = own, own + 1, own + 2
    add, sub, mul, neg = (code == k for k in range(_SUMS))
    return (
        np.where(sub, b, a),
        np.where(add, one, np.where(sub | neg, minus, b)),
        np.where(add, b, np.where(sub, a, np.where(mul | neg, nothing, c))),
    )


def _write_runs(program: np.ndarray, groups: _Groups, read: list[np.ndarray]) -> None:
    """Write runs: a head of four words, and the operands' slots, each array padded."""
    start, length, padded, code, slot, word = (
        x[groups.is_run] for x in groups if x is not groups.is_run
    )
    for k, words in enumerate((machine.RUN, padded, slot, machine.KERNEL + code)):
        program[word + k] = words
    inside = np.arange(padded.sum()) - np.repeat(np.cumsum(padded) - padded, padded)
    # the last operation is done again until the vector is full
    source = np.repeat(start, padded) + np.minimum(inside, np.repeat(length - 1, padded))
    at = np.repeat(word + 4, padded) + inside
    stride, arity = np.repeat(padded, padded), np.repeat(ARITY[code], padded)
    for k, slots in enumerate(read):
        used = arity > k
        program[(at + k * stride)[used]] = slots[source[used]]


# --- from a circuit to operations ---------------------------------------------------------------

NUMBER, TRUTH, WHOLE, OTHER = range(4)
"""What a wire carries: a float64, a truth value, a whole number, something else."""


class _Unfit(Exception):
    """The circuit is not one of scalars."""


class _Read(NamedTuple):
    """What an operation of a template reads."""

    source: str
    """An "input" of the gate, an earlier "operation" of the template, or a "constant"."""
    number: Any
    truth: bool


_Template = tuple[tuple[int, tuple[_Read, ...]], ...]
"""The operations of a gate, as codes and what they read; the last one makes its output."""


class _Recorder:
    """The builder that notes the operations of a gate's `emit`."""

    def __init__(self) -> None:
        self.operations: list[tuple[int, tuple[_Read, ...]]] = []

    def const(self, number: float, like: _Read) -> _Read:
        return _Read("constant", float(number), False)

    def __getattr__(self, name: str) -> Callable[..., _Read]:
        return lambda *ins: self.note(name, *ins)

    def note(self, name: str, *ins: _Read) -> _Read:
        carried = ins[1:] if name == "select" else ins
        truth = all(x.truth for x in carried) and name in ("add", "mul", "abs", "select", "copy")
        if name == "add" and truth:
            name = "either"  # NumPy's sum of truth values
        self.operations.append((OPCODES[name], ins))
        truth = truth or name in ("lt", "le", "eq", "both", "either", "negate")
        return _Read("operation", len(self.operations) - 1, truth)


@lru_cache(maxsize=4096)
def _template(gate: Gate, ins: tuple[bool, ...], out: bool) -> _Template:
    """Return the operations of a gate; the flags tell which of its wires carry truth."""
    assert isinstance(gate.kind, Elementwise)
    recorder = _Recorder()
    given = [_Read("input", k, truth) for k, truth in enumerate(ins)]
    result = gate.kind.emit(recorder, *given)
    if out and not result.truth:
        result = recorder.note("negate", recorder.note("eq", result, recorder.const(0.0, result)))
    if result.source != "operation" or result.number != len(recorder.operations) - 1:
        recorder.note("copy", result)
    return tuple(recorder.operations)


def _constants(template: _Template) -> list[_Read]:
    return [read for _, ins in template for read in ins if read.source == "constant"]


def _carries(dtype: np.dtype[Any]) -> int:
    if dtype == np.float64:
        return NUMBER
    if dtype == np.bool_:
        return TRUTH
    return WHOLE if dtype.kind in "iu" else OTHER


class _Sorts(NamedTuple):
    """The distinct objects of a row, and which of them stands at each place."""

    distinct: list[Any]
    which: np.ndarray

    def answers(self, answer: Callable[[Any], int]) -> np.ndarray:
        """Return an answer for every place; each distinct object is asked once."""
        return np.array([*map(answer, self.distinct)], np.int64)[self.which]


def _sorts(things: Sequence[Any]) -> _Sorts:
    places = np.fromiter(map(id, things), np.int64, len(things))
    known = np.unique(places)
    distinct = [things[int(np.argmax(places == place))] for place in known]
    return _Sorts(distinct, np.searchsorted(known, places))


class _Batch(NamedTuple):
    """All steps that have one template."""

    template: _Template
    steps: np.ndarray
    ins: list[np.ndarray]
    """The wires they read, one array for each input of the gate."""


@dataclass(frozen=True, eq=False)
class _Front:
    """A circuit's wires and elementwise steps as arrays."""

    circuit: Circuit
    carried: np.ndarray
    """What each wire carries."""
    steps: Sequence[Step]
    gates: _Sorts
    """The gates of the steps."""
    number: np.ndarray
    """The value number of each wire; −1 where it has none yet."""
    elements: dict[int, np.ndarray] = field(default_factory=dict)
    """The value numbers of the elements of arrays, by wire."""

    @cached_property
    def held(self) -> list[int]:
        """List the arrays that the function closed over: inputs too, read at every call."""
        return [w for w, value in self.circuit.held.items() if not is_literal(value)]

    def enter(self) -> int:
        """Number the elements of all inputs; return how many there are."""
        count = 0
        for wire in (*self.circuit.ins, *self.held):
            shape = self.circuit.wires[wire].shape
            if self.carried[wire] > TRUTH:
                raise _Unfit
            self.elements[wire] = count + np.arange(math.prod(shape)).reshape(shape)
            count += math.prod(shape)
            if not shape:
                self.number[wire] = self.elements[wire]
        return count

    def batches(self) -> list[_Batch]:
        """Sort the steps by gate and by which of their wires carry truth."""
        ins = list(map(itemgetter(1), self.steps))
        arity = np.fromiter(map(len, ins), np.int64, len(ins))
        flat = np.fromiter(chain.from_iterable(ins), np.int64)
        outs = self.outs
        if (arity > 3).any() or (self.carried[outs] > TRUTH).any():
            raise _Unfit
        key = 2 * (4 * self.gates.which + arity) + self.carried[outs]
        starts = np.cumsum(arity) - arity
        for k in range(3):
            truth = np.zeros(len(ins), np.int64)
            reads = np.flatnonzero(arity > k)
            truth[reads] = self.carried[flat[starts[reads] + k]] == TRUTH
            key = 2 * key + truth
        found = []
        for one in np.unique(key).tolist():
            steps = np.flatnonzero(key == one)
            count = one >> 4 & 3
            truths = tuple(bool(one >> (2 - k) & 1) for k in range(count))
            template = _template(self.gates.distinct[one >> 6], truths, bool(one >> 3 & 1))
            wires = [flat[starts[steps] + k] for k in range(count)]
            found.append(_Batch(template, steps, wires))
        return found

    @cached_property
    def outs(self) -> np.ndarray:
        """Return the wires that the steps make."""
        return np.fromiter(chain.from_iterable(map(itemgetter(2), self.steps)), np.int64)

    def settle(self, count: int, others: Iterable[float]) -> np.ndarray:
        """Number the literals and the other constants; return all, equal ones once, in order."""
        held = self.circuit.held
        literals = np.array([w for w, x in held.items() if is_literal(x)], np.int64)
        literals = literals[self.carried[literals] < OTHER]
        whole = literals[self.carried[literals] == WHOLE].tolist()
        if any(abs(int(held[w])) > 1 << 53 for w in whole):
            raise _Unfit
        values = np.array([*(float(held[w]) for w in literals.tolist()), *others])
        distinct, which = np.unique(values.view(np.int64), return_inverse=True)
        self.number[literals] = count + which[: len(literals)]
        return distinct.view(np.float64)

    def read(self, rest: Sequence[Step]) -> None:
        """Let the elements that gathers read from inputs be their values."""
        for step in rest:
            if isinstance(step.gate.kind, Gather):
                array = self.elements.get(step.ins[0])
                place = self._place(step, array, 1)
                assert array is not None
                self.number[step.outs[0]] = array.flat[place]

    def write(self, rest: Sequence[Step], after: int) -> list[tuple[int, int]]:
        """Put values into arrays; return the pairs that must be added, values `after` and on."""
        readers = Counter(wire for step in rest for wire in step.ins)
        readers.update(self.returned)
        sums: list[tuple[int, int]] = []
        for step in rest:
            if isinstance(step.gate.kind, Gather):
                continue
            base, value = self.elements.get(step.ins[0]), step.ins[1]
            place = self._place(step, base, 2)
            assert base is not None
            assert isinstance(step.gate.kind, Scatter)
            if self.carried[step.outs[0]] != NUMBER or self.number[value] < 0:
                raise _Unfit
            base = base if readers[step.ins[0]] == 1 else base.copy()
            old = base.flat[place]
            base.flat[place] = self.number[value]
            if step.gate.kind.adds:
                base.flat[place] = after + len(sums)
                sums.append((old, self.number[value]))
            self.elements[step.outs[0]] = base
        return sums

    def _place(self, step: Step, array: np.ndarray | None, arity: int) -> int:
        """Return the only place of an array, as a flat index, that a step reads or writes."""
        if array is None or len(step.ins) != arity:
            raise _Unfit
        place = np.arange(array.size).reshape(array.shape)[step.params["index"]]
        if np.ndim(place):
            raise _Unfit
        return int(place)

    @cached_property
    def returned(self) -> tuple[int, ...]:
        """Return the wires whose values are asked for."""
        return (*self.circuit.outs, *(guard.wire for guard in self.circuit.guards))

    def numbers(self, wires: Any) -> np.ndarray:
        """Return the value numbers of wires that carry scalars."""
        found = self.number[wires]
        if (found < 0).any():
            raise _Unfit
        return found


@dataclass(frozen=True, eq=False)
class Scalars:
    """A compiled circuit of scalars."""

    schedule: Schedule
    arity: int
    """How many numbers `run` takes: slots from 0 on."""
    arrays: tuple[np.ndarray, ...]
    """Arrays that the function closed over: they stand in the slots behind the inputs."""
    constants: np.ndarray
    """They stand in the slots behind the arrays."""
    _spare: list[np.ndarray] = field(default_factory=list)

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """Return all elements of the outputs, then the wires of the guards, as float64.

        `inputs` holds all elements of the inputs in order; truth is 1.0, falsehood 0.0.
        """
        if len(inputs) != self.arity:
            raise ValueError(f"{self.arity} numbers, not {len(inputs)}")
        try:
            memory = self._spare.pop()
        except IndexError:  # another run has it
            memory = self.memory()
        memory[: self.arity] = inputs
        at = self.arity
        for array in self.arrays:
            memory[at : at + array.size] = array.ravel()
            at += array.size
        machine.load().run(self.schedule.program.ctypes.data, memory.ctypes.data)
        outs = memory[self.schedule.outs]
        self._spare.append(memory)
        return outs

    def memory(self) -> np.ndarray:
        """Return memory for a run, with the constants in place; one for each thread."""
        at = self.arity + sum(array.size for array in self.arrays)
        return self.schedule.memory(self.constants, at)


def compile_scalar(circuit: Circuit) -> Scalars | None:
    """Compile a circuit of scalars: float64 and truth values, elementwise steps.

    It may read single elements of its inputs and write single elements of arrays it returns.
    None where the circuit is anything else.

    >>> from corrente.circuit import Circuit, Step, Wire
    >>> from corrente.gates.arithmetic import multiply
    >>> wire = Wire((), np.dtype(np.float64), 0, False)
    >>> wires = (wire, wire._replace(id=1), wire._replace(id=2))
    >>> step = Step(multiply, (0, 1), (2,), {})
    >>> compiled = compile_scalar(Circuit(wires, (0, 1), {}, (step,), (2,)))
    >>> compiled.run(np.array([2.0, 3.0]))
    array([6.])
    """
    try:
        return _compile(circuit)
    except _Unfit:
        return None


def _compile(circuit: Circuit) -> Scalars:
    gates = _sorts(list(map(itemgetter(0), circuit.steps)))
    single = gates.answers(lambda gate: isinstance(gate.kind, Elementwise)) == 1
    rest = list(compress(circuit.steps, ~single)) if not single.all() else []
    if not all(isinstance(step.gate.kind, Gather | Scatter) for step in rest):
        raise _Unfit
    steps = list(compress(circuit.steps, single)) if rest else circuit.steps
    gates = gates._replace(which=gates.which[single])
    carried = _sorts(list(map(itemgetter(1), circuit.wires))).answers(_carries)
    front = _Front(circuit, carried, steps, gates, np.full(len(circuit.wires), -1))
    count = front.enter()
    batches = front.batches()
    # keyed as text, for 0.0 and −0.0 are two constants
    others = {repr(x.number): x.number for batch in batches for x in _constants(batch.template)}
    constants = front.settle(count, [1.0, *others.values()])
    first = count + len(constants)
    front.read(rest)
    operations = _expanded(front, batches, first, count, constants, rest)
    _shorten_powers(operations, count, constants)
    parts = [front.elements.get(wire) for wire in front.returned]
    outs = [
        front.numbers([w]) if x is None else x.ravel()
        for w, x in zip(front.returned, parts, strict=True)
    ]
    found = schedule(operations, first, np.concatenate([np.zeros(0, np.int64), *outs]))
    arrays = tuple(circuit.held[w] for w in front.held)
    arity = count - sum(array.size for array in arrays)
    return Scalars(found, arity, arrays, constants)


def _expanded(
    front: _Front,
    batches: list[_Batch],
    first: int,
    count: int,
    constants: np.ndarray,
    rest: Sequence[Step],
) -> Operations:
    """Write the operations of all steps, in the circuit's order."""
    lengths = np.zeros(len(front.steps), np.int64)
    for batch in batches:
        lengths[batch.steps] = len(batch.template)
    ends = np.cumsum(lengths)
    front.number[front.outs] = first + ends - 1
    total = int(ends[-1]) if len(ends) else 0
    sums = front.write(rest, first + total)
    columns = np.zeros((4, total + len(sums)), np.int32)
    numbers = dict(zip(constants.view(np.int64).tolist(), range(count, first), strict=True))
    for batch in batches:
        begin = (ends - lengths)[batch.steps]
        given = [front.numbers(wires) for wires in batch.ins]
        for k, (code, ins) in enumerate(batch.template):
            columns[0, begin + k] = code
            for column, read in zip(columns[1:], ins, strict=False):
                if read.source == "input":
                    value: Any = given[read.number]
                elif read.source == "operation":
                    value = first + begin + read.number
                else:
                    value = numbers[int(np.float64(read.number).view(np.int64))]
                column[begin + k] = value
    if sums:
        columns[0, total:] = OPCODES["add"]
        columns[1:3, total:] = np.transpose(sums)
    return Operations(*columns)


def _shorten_powers(operations: Operations, count: int, constants: np.ndarray) -> None:
    """Make small constant powers products, and √x, which is what NumPy makes of x^0.5."""
    powers = np.flatnonzero(operations.code == OPCODES["pow"])
    exponents = operations.b[powers] - count
    known = (exponents >= 0) & (exponents < len(constants))
    powers, exponents = powers[known], constants[exponents[known]]
    one = count + int(np.flatnonzero(constants == 1.0)[0])
    names = {1.0: "copy", 2.0: "mul", 3.0: "cube", 0.5: "sqrt", -1.0: "div"}
    for exponent, name in names.items():
        here = powers[exponents == exponent]
        operations.code[here] = OPCODES[name]
        operations.b[here] = operations.a[here] if name == "mul" else 0
        if name == "div":
            operations.b[here], operations.a[here] = operations.a[here], one
