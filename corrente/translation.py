"""Translation: what a function did becomes a program that does it again, faster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from corrente import native
from corrente.backward import append, differentiated, lightly, mostly_numbers, rolled
from corrente.blocks import loop
from corrente.circuit import Circuit, Step
from corrente.custom import holds_checkpoint, opening
from corrente.derivatives import Choice, Derivative, choose
from corrente.generators import StandIn, draw, ends, lending
from corrente.memory import Report
from corrente.native.callbacks import same
from corrente.native.levels import Scalars, compile_scalar
from corrente.passes import tidy
from corrente.passes.fuse import LARGEST, fuse
from corrente.passes.spell import spell
from corrente.passes.trim import trim
from corrente.purity import Surroundings, record_pure
from corrente.record import NAMES, Gather, Opaque, Reduce
from corrente.recording import Recording, freeze, function_name, result_wires
from corrente.strictness import strict
from corrente.trees import Tree, take_apart

UNWIELDY = 30_000
"""Loops and calls from which on a circuit that does not repeat itself is left to Python."""
LENGTHY = 12_000
"""Steps from which on a recording that draws, and so is not rolled, is left to Python."""
LOOPS = (LARGEST, 64, 24, 8)
"""Steps of one loop over elements; fewer where a budget of memory asks for it."""
HUGE = 3000
"""Steps from which on a circuit of single numbers is interpreted, not compiled."""


class Program(NamedTuple):
    """Machine code for one kind of arguments and one path through the function."""

    native: native.Native
    door: native.Door
    """Takes the leaves that flow in, and gives a tuple of the results' leaves."""
    takes: tuple[int, ...]
    build: Callable[[list[Any]], Any]
    path: tuple[Any, ...]
    fast: bool
    """Whether it also has an entry for the arguments as users pass them."""
    report: Report
    own: int
    """How many results are the function's own; behind them are the last tokens of its draws."""
    lends: bool
    """Whether there are generators among its arguments."""

    def call(self, leaves: list[Any]) -> Any:
        """Run on the leaves of the arguments; NotImplemented where they do not fit."""
        given = [_plain_array(leaves[k]) for k in self.takes]
        run = self.door.function
        found = lending(run, given) if self.lends else run(*given)
        return found if found is NotImplemented else self.build(list(found[: self.own]))


class Taken(NamedTuple):
    """A function traced, of a gradient only its forward pass, and how its way back is added."""

    recording: Recording
    choice: Choice | None
    """Which arguments are differentiated; None: the function is no gradient."""
    with_value: bool
    continues: bool
    """Whether the way back continues the recording; else it is in there already."""


class Written(NamedTuple):
    """A recording with its way back, in one of the forms of `memory.report.FORMS`.

    The likes are values like which the last leaves of the result are to be: each gradient has
    the form of what it is the gradient of.
    """

    form: str
    recording: Recording
    likes: list[Any]


def take(f: Callable[..., Any], args: Any, kwargs: Any, light: bool = False) -> Taken:
    """Trace a function; a `light` trace keeps no large value."""
    made_light = lightly if light else (lambda g: g)
    derivative: Derivative | None = getattr(f, "derivative", None)
    if derivative is None:
        with opening():
            return Taken(strict(record_pure(made_light(f), args, kwargs)), None, False, False)
    g = derivative.f
    choice = choose(g, derivative.argnums, derivative.argnames, args, kwargs)
    if not derivative.has_aux:
        recording = record_pure(made_light(g), args, kwargs, choice.keys)
        if not recording.tape.versions and not holds_checkpoint(recording.tape):
            return Taken(recording, choice, derivative.with_value, True)
    with opening():
        return Taken(record_pure(made_light(f), args, kwargs), choice, False, False)


def write(taken: Taken, several: bool) -> Iterator[Written]:
    """Go through the forms in which a traced function can be written, the quickest first."""
    # the way back of a loop runs its steps again, and would draw again
    draws = any(step[0] is draw for step in taken.recording.tape.recorded)
    short = taken.recording if draws else rolled(taken.recording)
    if short is not taken.recording:
        yield _written("rolled", taken, short)
        if not several:
            return
        if taken.continues:
            yield _written("nested", taken, rolled(taken.recording, nested=True))
    yield _written("open", taken, taken.recording)


def _written(form: str, taken: Taken, recording: Recording) -> Written:
    if taken.choice is None:
        return Written(form, recording, [])
    if taken.continues:
        return Written(form, *append(recording, taken.choice, taken.with_value))
    return Written(form, recording, differentiated(recording, taken.choice))


class ScalarProgram(NamedTuple):
    """A huge circuit of single numbers, run by the machine for those."""

    scalars: Scalars
    circuit: Circuit
    takes: tuple[int, ...]
    likes: tuple[Any, ...]
    build: Callable[[list[Any]], Any]
    path: tuple[Any, ...]
    report: Report
    fast: bool = False

    def call(self, leaves: list[Any]) -> Any:
        """Run on the leaves of the arguments; NotImplemented where a guard does not hold."""
        given = [np.asarray(leaves[k], np.float64).reshape(-1) for k in self.takes]
        found = self.scalars.run(np.concatenate(given) if given else np.zeros(0))
        at, made = 0, []
        for wire, like in zip(self.circuit.outs, self.likes, strict=True):
            shape = self.circuit.wires[wire].shape
            size = int(np.prod(shape, dtype=int))
            made.append(_formed(found[at : at + size].reshape(shape), like))
            at += size
        for value, guard in zip(found[at:], self.circuit.guards, strict=True):
            if not same(value, guard.value):
                return NotImplemented
        return self.build(made)


def _formed(value: np.ndarray, like: Any) -> Any:
    """Give numbers the form of a value: a Python number, a NumPy scalar or an array."""
    if isinstance(like, np.ndarray):
        return value.astype(like.dtype)
    return type(like)(value.item())


def _missed(*_: Any) -> Any:
    return NotImplemented


class _Traced(NamedTuple):
    """A recording as a circuit, with the leaves of its arguments and of its result."""

    written: Written
    circuit: Circuit
    inputs: dict[int, int]
    """Wire on the tape → wire in the circuit, for the arguments."""
    tree: Tree
    wires: list[int | None]
    likes: list[Any]
    path: tuple[Any, ...]
    ends: list[int]
    """The last tokens of its draws, results behind the others."""


class Budget(NamedTuple):
    """The bytes a program may keep to itself, and what its quickest form takes, once known."""

    limit: int | None = None
    first: native.Miss | None = None

    def report(self, written: Written, fitted: native.Fitted) -> Report:
        """Report a form that fits, compared with the quickest form with everything kept."""
        name = function_name(written.recording.function)
        natural = self.first.natural if self.first else fitted.natural
        before = self.first.seconds if self.first else fitted.before
        more = max(fitted.seconds / before - 1.0, 0.0) if before else 0.0
        return Report(name, self.limit, natural, fitted.peak, written.form, more, fitted.uses)


def translate(
    written: Written, kwargs: Any, around: Surroundings, budget: Budget
) -> Program | ScalarProgram | None:
    """Compile a recording; None where memory cannot hold what it works on.

    Raises native.Miss where no plan brings it under the budget.
    """
    _, recording, likes = written
    tape = recording.tape
    if any(wire in tape.versions for wire in tape.inputs):
        return None  # it writes into its arguments, which a circuit does not
    last = ends(leaf for leaf, _ in _arguments(recording))
    if last and (len(tape.recorded) > LENGTHY or _hangs_on_chance(tape)):
        return None
    tree, wires = result_wires(recording)
    wires = [_as_wire(tape, wire, leaf) for wire, leaf in zip(wires, tree.leaves, strict=True)]
    made = [wire for wire in wires if wire is not None]
    own = [None if wire is None else tape.value(wire) for wire in wires]
    likes = [*own[: len(own) - len(likes)], *likes]
    frozen = freeze(recording, [*made, *last])
    path = tuple((g.wire, repr(g.value), g.where) for g in frozen.guards) + _counted(tape)
    huge = len(frozen.steps) > HUGE and all(wire is not None for wire in wires)
    if huge and mostly_numbers(tape):
        scalars = compile_scalar(_without_folds(frozen))
        if scalars is not None:
            takes = _flowing(recording)
            size = 8 * len(frozen.wires)
            if budget.limit is not None and size > budget.limit:
                raise native.Miss(size, 0.0, lambda: (size, None))
            name = function_name(recording.function)
            report = Report(name, budget.limit, size, size, "numbers", 0.0, ())
            return ScalarProgram(scalars, frozen, takes, tuple(likes), tree.build, path, report)
    circuit = tidy(spell(trim(frozen)))
    inputs = dict(zip(frozen.ins, circuit.ins, strict=True))
    traced = _Traced(written, circuit, inputs, tree, wires, likes, path, last)
    return _compiled(traced, kwargs, around, budget)


def _hangs_on_chance(tape: Any) -> bool:
    """Tell whether a path was taken for numbers that hardly are drawn a second time."""
    drawn: set[int] = set()
    for gate, ins, outs, *_ in tape.recorded:
        if gate is draw or not drawn.isdisjoint(ins):
            drawn.update(outs)
    return any(
        guard.wire in drawn and not (np.ndim(guard.value) == 0 and isinstance(guard.value, int))
        for guard in tape.guards
    )


def _without_folds(circuit: Circuit) -> Circuit:
    """Write a fold of a single number as the copy that it is."""
    copies = NAMES["copy"]
    steps = tuple(
        Step(copies, step.ins, step.outs, {}, *step[4:])
        if isinstance(step.gate.kind, Reduce)
        and step.gate.name in ("sum", "mean", "max", "min", "prod")
        and not circuit.wires[step.ins[0]].shape
        else step
        for step in circuit.steps
    )
    return replace(circuit, steps=steps)


def _counted(tape: Any) -> tuple[Any, ...]:
    """Return the shapes that may depend on numbers, as parts of a path: how many were chosen."""
    return tuple(
        (out, np.shape(tape.values[out]), step[4])
        for step in tape.recorded
        if isinstance(step[0].kind, Gather | Opaque)
        for out in step[2]
    )


def _compiled(traced: _Traced, kwargs: Any, around: Surroundings, budget: Budget) -> Program | None:
    recording, tree = traced.written.recording, traced.tree
    tape = recording.tape
    try:
        found = _fitted(traced, budget)
    except native.Unsupported:
        return None
    if found is None:
        return None
    fitted, inputs = found
    lowered = fitted.lowered
    layouts = {old: lowered.inputs[new] for old, new in inputs.items()}
    given = [
        native.Fixed(leaf) if wire is None else native.Leaf(_form(tape.values[wire]), layouts[wire])
        for leaf, wire in _arguments(recording)
    ]
    outputs = iter(lowered.outputs)
    results = [
        native.Fixed(leaf) if wire is None else native.Made(_form(like), next(outputs))
        for leaf, wire, like in zip(tree.leaves, traced.wires, traced.likes, strict=True)
    ]
    flat = [part for part in given if isinstance(part, native.Leaf)]
    tokens = [native.Made("scalar", next(outputs)) for _ in traced.ends]
    ways = {"flat": native.Way(flat, native.Nested(tuple, (*results, *tokens)))}
    lends = any(type(leaf) is StandIn for leaf, _ in _arguments(recording))
    plainly = around.whole and not kwargs and not lends
    fast = _nested(recording, given, results) if plainly else None
    if fast is not None:
        ways["fast"] = native.Way(*fast, around.seen)
    code = native.Native(lowered, ways)
    door = native.Door(_missed, "program", None, None)
    code.lead_to("flat", door.leads_to)
    door.leads_to = code.address("flat")
    report = budget.report(traced.written, fitted)
    takes = _flowing(recording)
    whole = fast is not None
    return Program(code, door, takes, tree.build, traced.path, whole, report, len(results), lends)


def _fitted(traced: _Traced, budget: Budget) -> tuple[native.Fitted, dict[int, int]] | None:
    """Lower a circuit under the budget, with its inputs by their wires on the tape.

    Where no plan fits it is tried in shorter loops: between loops values can give way. None for
    more loops than LLVM could compile in any reasonable time.
    """
    missed: native.Miss | None = None
    for largest in LOOPS if budget.limit is not None else LOOPS[:1]:
        circuit = gathered(traced.circuit, largest)
        if len(circuit.steps) > UNWIELDY:
            break
        inputs = dict(zip(traced.inputs, circuit.ins, strict=True))
        arrays = {  # as they are given: the tape may hold copies that lie otherwise
            inputs[wire]: _plain_array(leaf)
            for leaf, wire in _arguments(traced.written.recording)
            if wire is not None and isinstance(leaf, np.ndarray)
        }
        strides = native.strides_of(arrays)
        try:
            return native.fit(circuit, strides, native.vector_bytes(), budget.limit), inputs
        except native.Miss as miss:
            first = missed or miss
            missed = native.Miss(first.natural, first.seconds, miss.least)
    if missed is not None:
        raise missed
    return None


def gathered(circuit: Circuit, largest: int = LOOPS[0]) -> Circuit:
    """Gather steps into loops over elements, in the bodies of rolled loops as well."""
    circuit = fuse(circuit, largest)
    steps = tuple(
        step._replace(
            params={
                **step.params,
                "body": gathered(tidy(spell(trim(step.params["body"]))), largest),
            }
        )
        if step.gate is loop
        else step
        for step in circuit.steps
    )
    return replace(circuit, steps=steps)


def _as_wire(tape: Any, wire: int | None, leaf: Any) -> int | None:
    """Give an array in the result that does not depend on the arguments a wire: it is copied."""
    if wire is not None or not isinstance(leaf, np.ndarray):
        return wire
    tape.values.append(np.array(leaf))
    return len(tape.values) - 1


def _arguments(recording: Recording) -> Iterator[tuple[Any, int | None]]:
    """Go through the leaves of all arguments, by position and then by name, with their wires."""
    by_key = {argument.key: argument for argument in recording.arguments}
    positions = sorted(key for key in by_key if isinstance(key, int))
    names = sorted(key for key in by_key if isinstance(key, str))
    for key in (*positions, *names):
        yield from zip(by_key[key].tree.leaves, by_key[key].wires, strict=True)


def _flowing(recording: Recording) -> tuple[int, ...]:
    """Return which leaves of the arguments flow in."""
    return tuple(k for k, (_, wire) in enumerate(_arguments(recording)) if wire is not None)


def _nested(
    recording: Recording, given: Sequence[native.Part], results: Sequence[native.Part]
) -> tuple[list[native.Part], native.Part] | None:
    """Return arguments and result in their own nesting; None if it is not of plain containers."""
    leaves, outs = iter(given), iter(results)
    try:
        arguments = [
            _part(argument.tree.build(list(argument.tree.leaves)), leaves)
            for argument in recording.arguments
        ]
        return arguments, _part(recording.result, outs)
    except TypeError:
        return None


def _part(value: Any, leaves: Iterator[native.Part]) -> native.Part:
    if value is None:
        return native.Fixed(None)
    if type(value) in (tuple, list):
        return native.Nested(type(value), tuple(_part(inner, leaves) for inner in value))
    if type(value) is dict:
        keys = tuple(sorted(value))
        return native.Nested(dict, tuple(_part(value[key], leaves) for key in keys), keys)
    if not take_apart(value).is_leaf:
        raise TypeError(f"{type(value)} is nested in its own way")
    return next(leaves)


def _form(value: Any) -> str:
    """Name how a value is passed: as a Python number, a NumPy scalar or an array."""
    if isinstance(value, np.ndarray):
        return "array"
    return "scalar" if isinstance(value, np.generic) else type(value).__name__


def _plain_array(leaf: Any) -> Any:
    """Give native code an array it knows: of NumPy's own type and dtype, its numbers aligned."""
    if not isinstance(leaf, np.ndarray):
        return leaf
    own = np.dtype(leaf.dtype.type)
    if type(leaf) is np.ndarray and leaf.dtype is own and leaf.flags.aligned:
        return leaf
    return np.require(np.asarray(leaf), own, "A")
