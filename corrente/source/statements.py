"""Statements of Python: what is named, what is written where it is used, what grows in place."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from keyword import iskeyword
from typing import NamedTuple

import numpy as np

from corrente.circuit import Step, is_literal
from corrente.errors import NotSupported
from corrente.gates.indexing import is_basic
from corrente.record import NAMES, Gather, Scatter
from corrente.source.joining import Joined, readers_of, unique
from corrente.source.memory import find_writes, is_fresh
from corrente.source.phrases import array, as_argument, number, parsed, phrase, subscript
from corrente.source.spellings import SPELLINGS
from corrente.words import Says

LONGEST = 60
MANY = 20_000
RESERVED = (
    "np",
    "special",
    "forward",
    "backward",
    "cache",
    "float",
    "complex",
    "zip",
    "print",
    *SPELLINGS,
)


class Line(NamedTuple):
    """A statement; `group` is the forward line that it belongs to."""

    text: str
    group: int


class Writer:
    """A circuit on its way to being Python: what is named, what is written where it is used."""

    def __init__(self, joined: Joined) -> None:
        self.joined = joined
        self.circuit = joined.circuit
        self.steps = joined.circuit.steps
        self.readers = readers_of(self.steps)
        for wire in self.circuit.outs:
            self.readers.setdefault(wire, []).append(len(self.steps))
        last = {wire: places[-1] for wire, places in self.readers.items()}
        self.writes = find_writes(self.circuit, last)
        self.turn = sum(step.origin is None for step in self.steps)
        """The number of forward steps: from there on, the way back."""
        self.inlined: dict[int, ast.expr] = {}
        self.names: dict[int, str] = {}
        self.taken = dict.fromkeys(RESERVED, 1)
        self.groups: dict[int, int] = {}
        """Forward steps and the forward line each is written in."""
        self.makers = self.circuit.makers
        self.labels = self.circuit.names
        self.heirs: dict[int, int] = {}
        """Buffers and partial sums, and the wire that they become."""

    # --- names ------------------------------------------------------------------------------

    def name_inputs(self) -> None:
        """Name the inputs first: they are the function's parameters."""
        for wire in self.joined.ins:
            self.names[wire] = unique(self._stem(wire) or "x", self.taken)
        for wire in self.large:
            self.names[wire] = unique(self._stem(wire) or "held", self.taken)
        taken = set(self.taken) | {self._stem(w) for w in self.makers}
        out = self.joined.values[0] if len(self.joined.values) == 1 else None
        self.result = "value" if "out" in taken and self._stem(out) != "out" else "out"
        if self.joined.upstream is not None:
            self.names[self.joined.upstream] = unique(f"d{self.result}", self.taken)

    def _stem(self, wire: int | None) -> str | None:
        """Return the user's name of a wire, as an identifier."""
        label = self.labels.get(wire) if wire is not None else None
        if label is None:
            return None
        stem = "".join(c if c.isalnum() or c == "_" else "_" for c in label).strip("_")
        return stem if stem.isidentifier() and not iskeyword(stem) else f"_{stem}"

    def name(self, wire: int) -> str:
        """Return the name of a wire; of a buffer, that of what it becomes."""
        line = [wire]
        while line[-1] not in self.names and line[-1] in self.heirs:
            if self._stem(line[-1]) is not None:
                break
            line.append(self.heirs[line[-1]])
        name = self.names.get(line[-1]) or self._new_name(line[-1])
        self.names.update(dict.fromkeys(line, name))
        return name

    def _new_name(self, wire: int) -> str:
        stem = self._stem(wire)
        forward = self.joined.slopes.get(wire)
        if stem is None and forward in self.names:
            stem = f"d{self.names[forward]}"
        if stem is not None:
            return unique(stem, self.taken)
        if wire in self.joined.values and len(self.joined.values) == 1:
            return unique(self.result, self.taken)
        stem = "mask" if self.circuit.wires[wire].dtype == np.bool_ else "t"
        if forward is not None and stem == "t":
            stem = "part"
        return unique(stem, self.taken, 1)

    # --- operands ---------------------------------------------------------------------------

    @property
    def large(self) -> list[int]:
        """The arrays from outside that must be passed: too large to be written down."""
        found = self.circuit.held.items()
        return [
            wire
            for wire, value in found
            if wire in self.readers and not is_literal(value) and array(value) is None
        ]

    def operand(self, wire: int, step: Step) -> ast.expr:
        """Return a wire as it is written where it is read."""
        if wire in self.inlined:
            return self.inlined[wire]
        value = self.circuit.held.get(wire)
        if wire in self.names or value is None:
            return ast.Name(self.name(wire))
        return parsed(number(self.circuit, wire, step) if is_literal(value) else str(array(value)))

    # --- what is written where it is used -----------------------------------------------------

    def group(self, k: int) -> int:
        """Return the forward line that a step of the way back belongs to."""
        origin = self.steps[k].origin
        return self.groups.get(k, k) if origin is None else self.groups.get(origin, origin)

    def is_inlined(self, k: int, said: ast.expr) -> bool:
        """Tell whether a step's expression is written where it is used, without a name."""
        step = self.steps[k]
        wire = step.outs[0]
        places = self.readers.get(wire, ())
        if len(self.steps) > MANY or wire in self.circuit.outs or wire in self.heirs:
            return False
        if any(w in self.writes.mutated for w in (wire, *step.ins)):
            return False
        if self._stem(wire) is not None:
            return False
        if isinstance(said, ast.Subscript) and self._is_element(step):
            return True
        if len(places) != 1 or self._is_base(wire, places[0]):
            return False
        if k >= self.turn:
            of_users = self._stem(self.joined.slopes.get(wire)) is not None
            if of_users or self.group(k) != self.group(places[0]):
                return False
        elif places[0] >= self.turn:
            return False
        return len(ast.unparse(said)) <= LONGEST

    def _is_element(self, step: Step) -> bool:
        """Tell whether a step reads elements of a named array: as clear as a name."""
        return (
            isinstance(step.gate.kind, Gather)
            and is_basic(step.params["index"])
            and step.ins[0] in self.names
        )

    def _is_base(self, wire: int, k: int) -> bool:
        """Tell whether step k writes into a wire."""
        if k == len(self.steps) or not isinstance(self.steps[k].gate.kind, Scatter):
            return False
        return self.steps[k].ins[0] == wire

    def find_buffers(self) -> None:
        """Let a buffer that is written in place have the name of what it becomes."""
        for k in self.writes.in_place:
            self.heirs[self.steps[k].ins[0]] = self.steps[k].outs[0]

    def find_sums(self) -> None:
        """Let a gradient that grows by what several readers send back have one name."""
        for k in range(self.turn, len(self.steps)):
            step = self.steps[k]
            if step.gate is NAMES["add"] and self._grows(step, k):
                self.heirs[step.ins[0]] = step.outs[0]

    def _grows(self, step: Step, k: int) -> bool:
        """Tell whether an addition adds to a sum that nothing else reads."""
        part, more = step.ins
        maker = self.makers.get(part, -1)
        wires = self.circuit.wires
        return (
            part != more
            and maker >= self.turn
            and self.readers[part] == [k]
            and part not in self.joined.slopes
            and self.group(maker) != self.group(k)
            and wires[part][:2] == wires[step.outs[0]][:2]
        )

    # --- statements -------------------------------------------------------------------------

    def lines(self, start: int, stop: int) -> list[Line]:
        """Write the steps of one pass."""
        found: list[Line] = []
        for k in range(start, stop):
            found += [Line(text, self.group(k)) for text in self._statements(k)]
        return found

    def _statements(self, k: int) -> Iterable[str]:
        step = self.steps[k]
        _check(step)
        operands = [self.operand(wire, step) for wire in step.ins]
        ndim = len(self.circuit.wires[step.ins[0]].shape) if step.ins else 0
        said = phrase(step, operands, ndim)
        if isinstance(step.gate.kind, Scatter):
            return self._write(k, step, operands, subscript(said))
        out, *others = step.outs
        if others:
            left = ", ".join(self.name(wire) if wire in self.readers else "_" for wire in step.outs)
            return [f"{left} = {ast.unparse(said)}"]
        if step.gate.name == "stop_gradient":
            said = operands[0]
        if self.is_inlined(k, said):
            self.inlined[out] = said
            return []
        if step.ins and self.heirs.get(step.ins[0]) == out:
            return [self._grown(step, operands[1])]
        return [f"{self.name(out)} = {ast.unparse(said)}"]

    def _grown(self, step: Step, more: ast.expr) -> str:
        name = self.name(step.outs[0])
        maker = self.steps[self.makers[step.ins[0]]]
        if is_fresh(maker):
            return f"{name} += {ast.unparse(more)}"
        return f"{name} = {name} + {ast.unparse(more)}"

    def _write(
        self, k: int, step: Step, operands: Sequence[ast.expr], index: ast.expr
    ) -> Iterable[str]:
        base, out = step.ins[0], step.outs[0]
        if k not in self.writes.in_place:
            fresh = base in self.circuit.held and base not in self.names
            copied = ast.unparse(operands[0]) if fresh else f"np.copy({ast.unparse(operands[0])})"
            yield f"{self.name(out)} = {copied}"
        else:
            self.names[out] = self.name(base)
        name, value = self.names[out], ast.unparse(operands[1])
        place = ast.unparse(ast.Subscript(ast.Name(name), index))
        if isinstance(step.gate.kind, Scatter) and not step.gate.kind.adds:
            yield f"{place} = {value}"
        elif is_basic(step.params["index"]):
            yield f"{place} += {value}"
        else:
            yield f"np.add.at({name}, {as_argument(index)}, {value})"

    def share_lines(self) -> None:
        """Find out which forward steps end up in one line: those with a reader's own, inlined."""
        for k in range(self.turn - 1, -1, -1):
            wire = self.steps[k].outs[0]
            if wire in self.inlined and wire in self.readers:
                reader = self.readers[wire][0]
                self.groups[k] = self.groups.get(reader, reader)


def _check(step: Step) -> None:
    """Refuse a gate that is not in the table: its definition is the user's."""
    if NAMES.get(step.gate.name) is not step.gate:
        raise NotSupported(
            Says(
                "the gate {0} is your own, so its definition cannot be written out.",
                "a porta {0} é sua, e por isso a sua definição não pode ser escrita.",
            ).fill(step.gate.name),
            Says(
                "write it with NumPy's functions, and t.code can print it.",
                "escreva-a com funções do NumPy, e t.code saberá imprimi-la.",
            ),
            step.where or False,
        )
