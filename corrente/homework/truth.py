"""The true gradient of every named value of a forward pass, with what each fork received."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from corrente.backprop import sweep
from corrente.circuit import Circuit, Contribution, Run
from corrente.gates.indexing import fill
from corrente.homework.exercise import Exercise, call, fresh_owner, split
from corrente.homework.instrumenting import Log
from corrente.homework.tracing import stand_in
from corrente.record import Gather
from corrente.recording import Recording, run
from corrente.tracer import Traced
from corrente.trees import take_apart

MOST_PARTS = 6
CLOSE = 1e-6


class Version(NamedTuple):
    """What a name stood for once: the wires of the value, and the line that assigned it."""

    function: str
    line: int | None
    wires: tuple[int, ...]
    shape: tuple[int, ...] | None
    """None for a value that is one wire, else the shape of the container."""


@dataclass(frozen=True, eq=False)
class Truth:
    """Values, gradients and contributions by wire, and the wires by the student's names."""

    circuit: Circuit | None
    values: Mapping[int, Any]
    gradients: Mapping[int, Any]
    contributions: Mapping[int, Sequence[Any]]
    sent: Mapping[int, Sequence[Contribution]]
    names: Mapping[str, Sequence[Version]]
    inputs: Mapping[str, Version]
    plain: frozenset[str] = field(default_factory=frozenset)
    """Names of the forward pass that carry no gradient."""
    precision: float = 1e-6
    """How far, relative to its largest number, a right gradient may be from the true one."""

    def agrees(self, found: Any, true: Any, *, strict: bool = False) -> bool:
        """Tell whether two gradients agree to the precision of the truth."""
        return close(found, true, strict=strict, precision=self.precision, least=self._noise)

    @cached_property
    def _noise(self) -> float:
        """What gradients that cancel out may be off by, as far as rounding goes."""
        largest = (np.max(np.abs(g), initial=0.0) for g in self.gradients.values() if np.size(g))
        return max((1e-6 * float(each) for each in largest if np.isfinite(each)), default=0.0)

    def value(self, version: Version) -> Any:
        return _gathered(version, [self.values[w] for w in version.wires])

    def gradient(self, version: Version) -> Any:
        """Return the true gradient; zeros where the output does not depend on the value."""
        return _gathered(version, [self._gradient(w) for w in version.wires])

    def _gradient(self, wire: int) -> Any:
        found = self.gradients.get(wire)
        return np.zeros(np.shape(self.values[wire])) if found is None else found

    def parts(self, version: Version) -> list[Any]:
        """Return every sum of some, but not all, of the contributions to a value."""
        if version.shape is not None:
            return []
        wire = version.wires[0]
        # a value that the rest passes through unchanged forks where the value after it does
        wires = [wire, *self._alike.get(wire, ())]
        return [part for w in wires for part in self._sums.get(w, ())]

    @cached_property
    def _alike(self) -> dict[int, list[int]]:
        """Map each named wire to other wires with the same gradient."""
        return {
            wire: [w for w, g in self.gradients.items() if w != wire and close(g, true)]
            for wire in self.named_wires
            if (true := self.gradients.get(wire)) is not None and not _trivial(true)
        }

    def local(self, over: Version, under: Version, direct: bool = False) -> Any:
        """Return the gradient of one value with respect to another; None if there is none.

        With `direct` the other values that have names are held fast.
        """
        if self.circuit is None or over.shape is not None or under.shape is not None:
            return None
        top, bottom = over.wires[0], under.wires[0]
        seeds = {top: np.ones(np.shape(self.values[top]))}
        fast = set(self.named_wires) - {top} if direct else set()
        steps = [step for step in self.circuit.steps if fast.isdisjoint(step.outs)]
        found = sweep(steps, self.values.__getitem__, len(self.values), seeds, [bottom])
        return found.get(bottom)

    def below(self, name: str) -> frozenset[str]:
        """Return the names of the values that are computed from one."""
        if self.circuit is None:
            return frozenset()
        reached = {wire for version in self.names.get(name, ()) for wire in version.wires}
        start = set(reached)
        for step in self.circuit.steps:
            if reached & set(step.ins):
                reached |= set(step.outs)
        reached -= start
        return frozenset(
            other
            for other, versions in self.names.items()
            if any(reached.intersection(version.wires) for version in versions)
        )

    @cached_property
    def _sums(self) -> dict[int, list[Any]]:
        return {w: partial_sums(parts) for w, parts in self.contributions.items()}

    @cached_property
    def known(self) -> dict[tuple[int, ...], list[tuple[int, Any]]]:
        """Every gradient and contribution by shape, with its wire; trivial ones left out."""
        found: dict[tuple[int, ...], list[tuple[int, Any]]] = {}
        for wire, gradient in self.gradients.items():
            for value in (gradient, *self.contributions.get(wire, ())):
                if not _trivial(value):
                    found.setdefault(np.shape(value), []).append((wire, value))
        return found

    @cached_property
    def named_wires(self) -> dict[int, str]:
        return {
            version.wires[0]: name
            for name, versions in self.names.items()
            for version in versions
            if version.shape is None
        }

    def run(self, name: str) -> Run | None:
        """Return the forward circuit with its numbers, to be drawn."""
        if self.circuit is None:
            return None
        parameters = frozenset(self.circuit.ins)
        return Run(self.circuit, self.values, self.gradients, self.sent, parameters, name)


def _gathered(version: Version, parts: Sequence[Any]) -> Any:
    if version.shape is None:
        return parts[0]
    shapes = {np.shape(part) for part in parts}
    if len(shapes) != 1:
        return None
    return np.array(parts).reshape(version.shape + next(iter(shapes)))


def _trivial(value: Any) -> bool:
    """Tell whether a value is too common to be recognised by: zeros, ones."""
    array = np.asarray(value)
    return array.size == 0 or bool(np.all((array == 0) | (np.abs(array) == 1)))


def partial_sums(parts: Sequence[Any]) -> list[Any]:
    """Return the sums of all proper subsets of a few contributions; of many, the running ones."""
    if len(parts) < 2:
        return []
    if len(parts) <= MOST_PARTS:
        subsets = itertools.chain.from_iterable(
            itertools.combinations(parts, size) for size in range(1, len(parts))
        )
        return [sum(subset[1:], start=subset[0]) for subset in subsets]
    found = list(parts)
    for order in (parts, parts[::-1]):
        found += list(itertools.accumulate(order))[1:-1]
    return found


def close(
    found: Any,
    true: Any,
    *,
    strict: bool = False,
    precision: float = CLOSE,
    least: float = 0.0,
) -> bool:
    """Tell whether two gradients agree; unless `strict`, axes of length one do not count.

    They may differ by `precision`, relative to the largest number, or to `least` if that is more.
    """
    a, b = np.asarray(found), np.asarray(true)
    if a.dtype.kind not in "biufc" or b.dtype.kind not in "biufc":
        return False
    if a.shape != b.shape:
        if strict or [n for n in a.shape if n != 1] != [n for n in b.shape if n != 1]:
            return False
        a = a.reshape(b.shape)
    if a.size == 0:
        return True
    a, b = (array.astype(float) if array.dtype.kind == "b" else array for array in (a, b))
    single = a.dtype in (np.float32, np.float16)
    with np.errstate(all="ignore"):
        scale = float(np.max(np.abs(b), initial=0.0))
        far = np.abs(a - b)
        return bool(np.all(far <= (2e-3 if single else precision) * max(scale, least, 1e-9)))


# --- the forward pass on a tape ------------------------------------------------------------------


def wires_of(value: Any) -> Version | None:
    """Note which wires a value is made of; None if it is of none."""
    if isinstance(value, Traced):
        value.now()
        return Version("", None, (value.wire,), None)
    if isinstance(value, np.ndarray) and value.dtype == object and value.size:
        leaves, shape = list(value.flat), value.shape
    elif isinstance(value, list | tuple) and value:
        leaves = take_apart(value).leaves
        shape = (len(leaves),)
    else:
        return None
    if not all(isinstance(leaf, Traced) for leaf in leaves):
        return None
    for leaf in leaves:
        leaf.now()
    return Version("", None, tuple(leaf.wire for leaf in leaves), shape)


class _Observer:
    """Keeps a copy of every gradient and contribution as the sweep goes by."""

    def __init__(self, steps: Sequence[Any], get: Callable[[int], Any]) -> None:
        self.steps = steps
        self.get = get
        self.gradients: dict[int, Any] = {}
        self.sent: dict[int, list[Contribution]] = {}

    def enter(self, step: int, wires: tuple[int, ...], gradients: Sequence[Any]) -> None:
        for wire, gradient in zip(wires, gradients, strict=True):
            if gradient is not None:
                self.gradients[wire] = np.copy(gradient)

    def contribute(self, wire: int, step: int, position: int, gradient: Any) -> None:
        gate, ins, _, params, *_ = self.steps[step]
        value = np.copy(gradient)
        if isinstance(gate.kind, Gather):
            value = np.zeros(np.shape(self.get(wire)))
            np.add.at(value, fill(params["index"], [self.get(w) for w in ins[1:]]), gradient)
        self.sent.setdefault(wire, []).append(Contribution(step, position, value))


def find_truth(
    exercise: Exercise,
    log: Log,
    units: Mapping[str, Any],
    upstream: Sequence[Any],
    known: set[str],
) -> Truth:
    """Trace the forward pass and sweep the upstream gradients back through it.

    `units` are the instrumented definitions that fill `log`; `known` are the names a plain run
    has seen, which tell upstream gradients from values.
    """
    inputs = {k: copy.deepcopy(v) for k, v in exercise.inputs.items() if _carries(v)}
    attributes = {k: copy.deepcopy(v) for k, v in exercise.attributes().items()}
    given = inputs | attributes
    entry: dict[str, Version | None] = {}

    def traced(*values: Any) -> Any:
        boxes = dict(zip(given, values, strict=True))
        like = next(x for v in values for x in take_apart(v).leaves if isinstance(x, Traced))
        entry.update({name: wires_of(box) for name, box in boxes.items()})
        entry.update(_entries(boxes))
        names = exercise.space.build(units, log.names())
        stand_in(names, like)
        owner = fresh_owner(exercise, names)
        for name in attributes:
            setattr(owner, name, boxes[name])
        args = {
            k: boxes[k] if k in inputs else copy.deepcopy(v) for k, v in exercise.inputs.items()
        }
        return tuple(split(exercise, call(names, exercise.forward, owner, args), known).outs)

    recording = run(traced, list(given.values()), {}, None, all_inputs=True, detailed=True)
    outs = [out.wire if isinstance(out, Traced) else None for out in map(lifted, recording.result)]
    found = {name: v for name, v in entry.items() if v is not None}
    return _swept(recording, outs, upstream, log, found)


def lifted(out: Any) -> Any:
    """Follow writes to what an output is a view of."""
    if isinstance(out, Traced):
        out.now()
    return out


def _carries(value: Any) -> bool:
    """Tell whether an input is differentiated: floats, and what holds arrays of them."""
    leaves = take_apart(value).leaves
    if isinstance(value, dict):
        leaves = [leaf for leaf in leaves if np.ndim(leaf)]
    return any(
        isinstance(leaf, float) or getattr(leaf, "dtype", np.dtype(int)).kind == "f"
        for leaf in leaves
    )


def _entries(boxes: Mapping[str, Any]) -> dict[str, Version | None]:
    """Name the entries of dictionaries among the inputs by their keys."""
    found: dict[str, Version | None] = {}
    for box in boxes.values():
        for key, part in box.items() if isinstance(box, dict) else ():
            found[str(key)] = wires_of(part)
            if isinstance(part, dict):
                found |= {f"{key}.{name}": wires_of(value) for name, value in part.items()}
    return found


def _swept(
    recording: Recording,
    outs: Sequence[int | None],
    upstream: Sequence[Any],
    log: Log,
    inputs: dict[str, Version],
) -> Truth:
    tape = recording.tape
    seeds: dict[int, Any] = {}
    for wire, g in zip(outs, upstream, strict=True):
        if wire is not None:
            seeds[wire] = seeds[wire] + g if wire in seeds else g
    count = len(tape.values)
    observer = _Observer(tape.recorded, tape.snapshot)
    wanted = sorted(tape.wanted)
    found = sweep(tape.recorded, tape.snapshot, count, seeds, wanted, observer)
    gradients = {wire: np.copy(g) for wire, g in seeds.items()} | observer.gradients
    gradients |= {wire: np.copy(g) for wire, g in found.items()}
    values = {wire: tape.snapshot(wire) for wire in range(count)}
    tape.settle()
    labels = {version.wires[0]: name for name, version in inputs.items() if not version.shape}
    circuit = tape.freeze([wire for wire in outs if wire is not None], labels)
    contributions = {w: [part.value for part in parts] for w, parts in observer.sent.items()}
    names, plain = _names(log, inputs)
    for wire, name in circuit.names.items():
        if name not in names:
            names[name] = [Version("", None, (wire,), None)]
    return Truth(
        circuit, values, gradients, contributions, observer.sent, names, inputs, frozenset(plain)
    )


def _names(log: Log, inputs: Mapping[str, Version]) -> tuple[dict[str, list[Version]], set[str]]:
    names: dict[str, list[Version]] = {name: [version] for name, version in inputs.items()}
    plain: set[str] = set()

    def add(name: str, function: str, line: int | None, version: Any) -> None:
        name = name.removeprefix("self.")
        if version is None:
            plain.add(name)
            return
        made = version._replace(function=function, line=line)
        known = names.setdefault(name, [])
        if not any(other.wires == made.wires for other in known):
            known.append(made)

    for function, locals_ in log.entered:
        for name, version in locals_.items():
            add(name, function, None, version)
    for note in log.notes:
        for name, version in zip(note.site.writes, note.values, strict=True):
            add(name, note.site.function, note.site.line, version)
    return names, plain - set(names)


# --- where the forward pass cannot be traced -----------------------------------------------------

STEP = 1e-5
MOST_ELEMENTS = 2000


def numeric_truth(exercise: Exercise, upstream: Sequence[Any], known: set[str]) -> Truth:
    """Take the gradients of the inputs from central differences; there are none in between."""
    names = exercise.space.build()
    inputs = {k: np.array(v, float) for k, v in exercise.inputs.items() if _carries(v)}
    if sum(value.size for value in inputs.values()) > MOST_ELEMENTS:
        raise ValueError("too many numbers for differences")

    def total() -> float:
        args = {
            k: (inputs[k].copy() if inputs[k].ndim else float(inputs[k]))
            if k in inputs
            else copy.deepcopy(v)
            for k, v in exercise.inputs.items()
        }
        owner = fresh_owner(exercise, names)
        outs = split(exercise, call(names, exercise.forward, owner, args), known).outs
        return sum(float(np.sum(np.asarray(o) * g)) for o, g in zip(outs, upstream, strict=True))

    values, gradients, versions = {}, {}, {}
    for wire, (name, value) in enumerate(inputs.items()):
        gradient = np.zeros(value.shape)
        for index in np.ndindex(value.shape):
            kept = value[index].copy()
            value[index] = kept + STEP
            above = total()
            value[index] = kept - STEP
            gradient[index] = (above - total()) / (2 * STEP)
            value[index] = kept
        values[wire], gradients[wire] = value, gradient
        versions[name] = Version("", None, (wire,), None)
    named = {name: [version] for name, version in versions.items()}
    return Truth(None, values, gradients, {}, {}, named, versions, frozenset(known), 1e-4)
