"""Loop nests of C and JavaScript: their lines, their variables, the elements that they read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from typing import Any

import numpy as np

from corrente.circuit import Step
from corrente.errors import NotSupported
from corrente.record import Shape
from corrente.source.addresses import Walk, broadcast_strides
from corrente.source.dialects import Dialect, DType
from corrente.source.joining import Joined, readers_of, unique
from corrente.words import Says

LETTERS = "ijklmnpqrsuvwxyz"
WHOLE = np.dtype(np.int64)


class Loops:
    """A circuit on its way to being loops: lines of code, and the arrays that they need."""

    def __init__(self, joined: Joined, dialect: Dialect, reserved: Iterable[str]) -> None:
        self.joined = joined
        self.circuit = joined.circuit
        self.steps = joined.circuit.steps
        self.dialect = dialect
        self.readers = readers_of(self.steps)
        for wire in self.circuit.outs:
            self.readers.setdefault(wire, []).append(len(self.steps))
        self.taken = dict.fromkeys(reserved, 1)
        users = set(self.circuit.names.values())
        self.letters = [c for c in LETTERS if c not in users]
        self.taken |= dict.fromkeys(self.letters, 1)
        self.names: dict[int, str] = {}
        self.lines: list[str] = []
        self.margin = 1
        self.tables: dict[tuple[int, ...], str] = {}
        self.arrays: dict[int, str] = {}
        """Constant arrays that are written out, by wire."""
        self.numbers: dict[int, Any] = {}
        self.used: set[str] = set()
        """The functions of mathematics that were called."""
        self.depth = 0
        self.given: set[int] = set()
        """Wires whose arrays are made elsewhere."""
        self.last = {wire: places[-1] for wire, places in self.readers.items()}

    # --- names and elements -----------------------------------------------------------------

    def name(self, wire: int) -> str:
        """Return the variable of a wire."""
        if wire not in self.names:
            stem = self._stem(wire)
            self.names[wire] = unique(stem or "t", self.taken, 0 if stem else 1)
        return self.names[wire]

    def _stem(self, wire: int) -> str | None:
        label = self.circuit.names.get(wire)
        if label is None:
            return "value" if wire in self.joined.values else None
        stem = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in label)
        return stem if stem[0].isalpha() else f"v{stem}"

    def shape(self, wire: int) -> Shape:
        return self.circuit.wires[wire].shape

    def dtype(self, wire: int) -> DType:
        return self.circuit.wires[wire].dtype

    def uniform(self, wire: int) -> Any:
        """Return the number that a constant has everywhere; None where there is none."""
        if wire not in self.numbers:
            self.numbers[wire] = self._uniform(wire)
        return self.numbers[wire]

    def _uniform(self, wire: int) -> Any:
        value = self.circuit.held.get(wire)
        if value is None:
            return None
        array = np.asarray(value)
        if array.size == 0:
            return array.dtype.type(0)
        same = np.full(array.shape, array.flat[0], array.dtype)
        return array.flat[0] if same.tobytes() == np.ascontiguousarray(array).tobytes() else None

    def element(self, wire: int, position: str) -> str:
        """Write an element of a wire: the number itself where it is constant."""
        number = self.uniform(wire)
        if number is not None:
            return self.dialect.number(number, self.dtype(wire))
        if wire in self.circuit.held and wire not in self.arrays:
            self.arrays[wire] = self.name(wire)
        text = f"{self.name(wire)}[{position}]" if self.shape(wire) else self.name(wire)
        return self.dialect.read(text, self.dtype(wire))

    def function(self, name: str) -> str:
        """Return a function of mathematics on doubles, and note that it was called."""
        called = self.dialect.call(name, np.dtype(float))
        self.used.add(called)
        return called

    # --- lines ------------------------------------------------------------------------------

    def say(self, line: str) -> None:
        """Write a line."""
        self.lines.append("    " * self.margin + line)

    @contextmanager
    def loops(self, shape: Sequence[int | str]) -> Iterator[list[str]]:
        """Open a loop for each axis; axes of length one need none. Gives the loops' variables."""
        first = self.depth
        variables = []
        opened = 0
        for n in shape:
            if n == 1:
                variables.append("0")
                continue
            letter = self._letter()
            variables.append(letter)
            self.say(f"for ({self.dialect.declare} {letter} = 0; {letter} < {n}; {letter}++) {{")
            self.margin += 1
            opened += 1
        yield variables
        for _ in range(opened):
            self.margin -= 1
            self.say("}")
        self.depth = first

    def _letter(self) -> str:
        self.depth += 1
        while self.depth > len(self.letters):
            self.letters.append(unique("i", self.taken, 1))
        return self.letters[self.depth - 1]

    def table(self, numbers: tuple[int, ...]) -> str:
        """Return the name of a table of whole numbers."""
        if numbers not in self.tables:
            self.tables[numbers] = unique("table", self.taken, 1)
        return self.tables[numbers]

    def position(self, variables: Sequence[str], walk: Walk) -> str:
        """Write where a walk is, in terms of the loops' variables."""
        parts = [str(walk.base)] if walk.base else []
        for variable, part in zip(variables, walk.axes, strict=True):
            if variable == "0" or part == 0:
                continue
            if isinstance(part, tuple):
                parts.append(f"{self.table(part)}[{variable}]")
            else:
                parts.append(variable if part == 1 else f"{variable} * {part}")
        return " + ".join(parts).replace("+ -", "- ") or "0"

    def at(self, variables: Sequence[str], wire: int, full: Shape) -> str:
        """Write the element of a wire that is broadcast to a shape."""
        strides = broadcast_strides(self.shape(wire), full)
        return self.element(wire, self.position(variables, Walk(0, strides)))

    def fresh(self) -> str:
        """Return a name for a local constant."""
        return unique("u", self.taken, 1)

    def assign(self, wire: int, position: str, value: str) -> None:
        """Write a value into an array, or make the variable of a number."""
        if self.shape(wire):
            self.say(f"{self.name(wire)}[{position}] = {value};")
        else:
            self.say(f"{self.dialect.local(self.dtype(wire))} {self.name(wire)} = {value};")

    def widened(self, text: str, before: DType, after: DType) -> str:
        """Write an element in the type of the sum that it goes into."""
        return text if before == after else self.dialect.convert(text, before, after)

    def variable(self, stem: str, dtype: DType, start: str) -> str:
        """Make a variable that changes; return its name."""
        name = unique(stem, self.taken, 1)
        self.say(f"{self.dialect.changing(dtype)} {name} = {start};")
        return name

    def refused(self, step: Step, dtype: str = "") -> NotSupported:
        """Return the error that names a gate that has no loops, and its line."""
        of = Says(" of {0}", " de {0}").fill(dtype) if dtype else ""
        where = step.where
        if where is None and step.origin is not None:
            where = self.joined.places[step.origin]
        return NotSupported(
            Says("{0}{1} has no {2} yet.", "{0}{1} ainda não existe em {2}.").fill(
                step.gate.name, of, self.dialect.name
            ),
            Says(
                't.code("python") can write this circuit.',
                't.code("python") sabe escrever este circuito.',
            ),
            where or False,
        )

    def declare(self, wire: int) -> None:
        """Make the array of a wire, unless it has one; numbers are made where they are known."""
        if self.shape(wire) and wire not in self.given:
            size = prod(self.shape(wire))
            self.say(self.dialect.array(self.name(wire), self.dtype(wire), max(size, 1)))
