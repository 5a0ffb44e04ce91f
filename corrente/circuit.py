"""The circuit: a list of steps in the user's order, and a run of it with its numbers."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import CircuitError
from corrente.places import Where, name_at
from corrente.record import Elementwise, Gate, Params, Scatter
from corrente.words import Says


class Wire(NamedTuple):
    """One value's place in a circuit; `weak` marks a Python number, which promotes nothing."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    id: int
    weak: bool


class Composed(NamedTuple):
    """A mark on a call stack: the steps inside came from one NumPy function made of several."""

    name: str
    serial: int


Frame = tuple[CodeType, int] | Composed


class Step(NamedTuple):
    """A gate in place. `ins` and `outs` are wire ids; `origin` is the forward step's index."""

    gate: Gate
    ins: tuple[int, ...]
    outs: tuple[int, ...]
    params: Params
    where: Where | None = None
    stack: tuple[Frame, ...] = ()
    origin: int | None = None


class Guard(NamedTuple):
    """A decision the Python code took: the circuit holds only while the wire has this value."""

    wire: int
    value: Any
    where: Where | None


@dataclass(frozen=True, eq=False)
class Circuit:
    """Inputs, values held from outside, steps, outputs and guards; no numbers of its own.

    `held` maps the wires of constants and closed-over arrays to the values they refer to;
    `labels` gives names known from elsewhere (parameters of the function).
    """

    wires: tuple[Wire, ...]
    ins: tuple[int, ...]
    held: Mapping[int, Any]
    steps: tuple[Step, ...]
    outs: tuple[int, ...]
    guards: tuple[Guard, ...] = ()
    labels: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[int, str]:
        """Name the wires that have a name: the user's variables; a reassigned one repeats."""
        names = dict(self.labels)
        for k, step in enumerate(self.steps):
            if step.where is None or step.outs[0] in names or self._inside_composed(k):
                continue
            if isinstance(step.gate.kind, Scatter) and step.ins[0] in names:
                names[step.outs[0]] = names[step.ins[0]]  # y[0] = … is still y
                continue
            name = name_at(step.where)
            if name is not None and len(step.outs) == 1:
                names[step.outs[0]] = name
        return names

    def _inside_composed(self, k: int) -> bool:
        """Tell whether step k is in a composed function without being its last step."""
        top = self.steps[k].stack[-1:]
        following = self.steps[k + 1].stack[-1:] if k + 1 < len(self.steps) else ()
        return bool(top) and isinstance(top[0], Composed) and top == following

    @cached_property
    def identifiers(self) -> dict[int, str]:
        """Give every wire but the literals a Python identifier of its own, in order."""
        taken: dict[str, int] = dict.fromkeys(
            ("np", "nn", "special", "circuit", "float", "complex"), 1
        )
        found: dict[int, str] = {}
        literals = {wire for wire, value in self.held.items() if is_literal(value)}
        for wire in self.wires:
            if wire.id not in literals:
                found[wire.id] = _fresh(self.names.get(wire.id), wire.id, taken)
        return found

    @cached_property
    def makers(self) -> dict[int, int]:
        """Map each wire made by a step to the index of that step."""
        return {out: k for k, step in enumerate(self.steps) for out in step.outs}

    @cached_property
    def readers(self) -> dict[int, list[tuple[int, int]]]:
        """Map each wire to its readers, as (step index, input position)."""
        found: dict[int, list[tuple[int, int]]] = {}
        for k, step in enumerate(self.steps):
            for position, wire in enumerate(step.ins):
                found.setdefault(wire, []).append((k, position))
        return found

    def operand(self, wire: int) -> str:
        """Return a wire as it is written in code: its identifier, or the literal itself."""
        name = self.identifiers.get(wire)
        return literal(self.held[wire]) if name is None else name

    def code(self, step: Step) -> str:
        """Return the right-hand side of one step as NumPy."""
        names = [self.operand(wire) for wire in step.ins]
        if isinstance(step.params.get("body"), Circuit):
            names = [self.bodies[step.params["body"]], *names]
        if step.gate.code is not None:
            return step.gate.code(names, step.params)
        return call_code(step.gate.name, names, step.params)

    @cached_property
    def bodies(self) -> dict[Circuit, str]:
        """Name the circuits that steps hold: body_1, body_2 …; steps that hold one share it."""
        held = (step.params.get("body") for step in self.steps)
        bodies = dict.fromkeys(body for body in held if isinstance(body, Circuit))
        return {body: f"body_{k}" for k, body in enumerate(bodies, 1)}

    def __str__(self) -> str:
        outs = ", ".join(self.operand(w) for w in self.outs)
        ending = "," if len(self.outs) > 1 else ""
        return "\n".join(self._lines("circuit", f"{outs or '()'}{ending}"))

    def _lines(self, name: str, outs: str) -> Iterator[str]:
        """Write the circuit as a function, with the circuits its steps hold inside it."""
        arrays = [
            self.identifiers[w] + _default(value)
            for w, value in self.held.items()
            if w in self.identifiers
        ]
        given = [self.identifiers[w] for w in self.ins]
        head = ", ".join(given + (["*", *arrays] if arrays else []))
        yield f"def {name}({head}):"
        for body, inner in self.bodies.items():
            results = ", ".join(body.operand(w) for w in body.outs)
            yield from (f"    {line}" for line in body._lines(inner, f"({results},)"))
        yield from (f"    {line}" for line in self._body())
        yield f"    return {outs}"

    def _body(self) -> Iterator[str]:
        for step in self.steps:
            left = ", ".join(self.identifiers[w] for w in step.outs)
            ending = "," if step.params.get("body") in self.bodies and len(step.outs) == 1 else ""
            yield f"{left}{ending} = {self.code(step)}"

    def verify(self) -> Circuit:
        """Check that the circuit is well formed and return it; raise CircuitError if not."""
        known = set(self.ins) | set(self.held)
        for k, step in enumerate(self.steps):
            for wire in (*step.ins, *step.outs):
                if not 0 <= wire < len(self.wires):
                    raise _broken(k, step, _UNKNOWN.fill(wire))
            for wire in step.ins:
                if wire not in known:
                    raise _broken(k, step, _EARLY.fill(wire))
            for wire in step.outs:
                if wire in known:
                    raise _broken(k, step, _TWICE.fill(wire))
                known.add(wire)
            self._verify_shape(k, step)
        for wire in (*self.outs, *(guard.wire for guard in self.guards)):
            if wire not in known:
                raise _broken(len(self.steps), None, _UNMADE.fill(wire))
        return self

    def _verify_shape(self, k: int, step: Step) -> None:
        try:
            fault = self._shape_fault(step)
        except (ValueError, IndexError) as error:
            fault = _UNFIT.fill(error)
        if fault is not None:
            raise _broken(k, step, fault)

    def _shape_fault(self, step: Step) -> Says | None:
        """Say what is wrong with the shapes of a step; None if nothing is."""
        shapes = [self.wires[w].shape for w in step.ins]
        shape: Any
        if step.gate.shape is not None:
            shape = step.gate.shape(*shapes, **step.params)
        elif isinstance(step.gate.kind, Elementwise):
            shape = np.broadcast_shapes(*shapes)
        else:
            return None
        expected = [shape] if step.gate.outs == 1 else shape
        if len(expected) != len(step.outs):
            return _COUNT.fill(len(step.outs), len(expected))
        for wire, want in zip(step.outs, expected, strict=True):
            if self.wires[wire].shape != tuple(want):
                return _SHAPE.fill(self.wires[wire].shape, tuple(want))
        return None


_UNKNOWN = Says(
    "names wire {0}, which the circuit does not have", "nomeia o fio {0}, que o circuito não tem"
)
_EARLY = Says("reads wire {0} before it is made", "lê o fio {0} antes de ele ser feito")
_TWICE = Says("makes wire {0} a second time", "faz o fio {0} pela segunda vez")
_UNMADE = Says("returns wire {0}, which nothing makes", "devolve o fio {0}, que nada faz")
_UNFIT = Says("has shapes that do not fit: {0}", "tem formas que não combinam: {0}")
_COUNT = Says("has {0} outputs, not {1}", "tem {0} saídas, e não {1}")
_SHAPE = Says("has shape {0}, not {1}", "tem a forma {0}, e não {1}")


def _broken(k: int, step: Step | None, fault: Says) -> CircuitError:
    gate = f" ({step.gate.name})" if step else ""
    return CircuitError(
        Says("step {0}{1} {2}.", "o passo {0}{1} {2}.").fill(k, gate, fault),
        Says("report it: the pass that made it is wrong.", "relate: o passe que o fez errou."),
        (step.where if step else None) or False,
    )


def is_literal(value: Any) -> bool:
    """Tell whether a held value is a number to be written out where it is used."""
    return not (isinstance(value, np.ndarray) and value.ndim > 0)


def literal(value: Any) -> str:
    """Write a held number as Python that gives it back with its type."""
    if type(value) is float and not np.isfinite(value):
        return f"float('{value}')"
    if type(value) is complex and not np.isfinite(value):
        return f"complex({literal(value.real)}, {literal(value.imag)})"
    if isinstance(value, np.inexact) and not np.isfinite(value):
        return f"np.{value.dtype.name}({literal(value.item())})"
    if isinstance(value, np.ndarray):
        return f"np.array({literal(value.item())}, dtype={dtype_code(value.dtype)})"
    return repr(value)


def _default(array: np.ndarray) -> str:
    """Write a small or constant held array as a default value; a larger one must be passed."""
    dtype = dtype_code(array.dtype)
    uniform = array.size and array.dtype.kind in "biuf"
    if uniform:
        same = np.full(array.shape, array.flat[0], array.dtype)
        uniform = same.tobytes() == array.tobytes()  # so that −0.0 stays what it is
    if uniform and np.isfinite(array.flat[0]):
        return f"=np.full({array.shape}, {array.flat[0].item()!r}, {dtype})"
    if array.size <= _FEW and array.dtype.kind in "biu":
        return f"=np.array({array.tolist()!r}, {dtype})"
    if array.size <= _FEW and array.dtype.kind == "f" and np.isfinite(array).all():
        # float32 numbers written as Python floats give the same float32 back
        return f"=np.array({array.tolist()!r}, {dtype}).reshape({array.shape})"
    return ""


_FEW = 16


def dtype_code(dtype: Any) -> str:
    """Write a dtype as NumPy code."""
    name = np.dtype(dtype).name
    return f"np.{name}_" if name == "bool" else f"np.{name}"


def value_code(value: Any) -> str:
    """Write a step's parameter as NumPy code."""
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, np.generic)):
        return dtype_code(value)
    return repr(value)


def call_code(name: str, names: Sequence[str], params: Params, module: str = "np") -> str:
    """Write a call: `np.sum(x, axis=0)`; parameters that are None are left out."""
    words = [f"{key}={value_code(value)}" for key, value in params.items() if value is not None]
    return f"{module}.{name}({', '.join([*names, *words])})"


def _fresh(name: str | None, wire: int, taken: dict[str, int]) -> str:
    """Return a name not taken yet; `taken` counts how often each stem was tried."""
    stem = re.sub(r"\W+", "_", name).strip("_") if name else f"v{wire}"
    if not stem.isidentifier() or keyword.iskeyword(stem):
        stem = f"v{wire}" if not stem or keyword.iskeyword(stem) else f"_{stem}"
    fresh = stem
    while fresh in taken:
        fresh = f"{stem}_{taken[stem]}"
        taken[stem] += 1
    taken[fresh] = 1
    return fresh


class Contribution(NamedTuple):
    """What one reader of a wire sent back: gradients add up where wires fork."""

    step: int
    position: int
    value: Any


@dataclass(frozen=True, eq=False)
class Run:
    """A circuit with its numbers: a value on every wire, a gradient where one was asked for.

    `values` is read by wire id; `gradients` and `contributions` hold only wires that the
    backward pass reached. `parameters` are the input wires that were differentiated; the other
    inputs are data.
    """

    circuit: Circuit
    values: Sequence[Any] | Mapping[int, Any]
    gradients: Mapping[int, Any] = field(default_factory=dict)
    contributions: Mapping[int, Sequence[Contribution]] = field(default_factory=dict)
    parameters: frozenset[int] = frozenset()
    name: str = "f"
