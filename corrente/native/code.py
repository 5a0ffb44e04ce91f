"""Code: the text of one native function while it is being written, with its loops and blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from corrente.native.vectors import Module


class Code:
    """Lines of one LLVM function, with fresh names for blocks, values and local memory."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.lines: list[str] = []
        self.entry: list[str] = []
        """Local memory: it must stand in the first block."""
        self._count = 0

    def add(self, line: str) -> None:
        """Write one line."""
        self.lines.append("  " + line)

    def name(self, stem: str = "c") -> str:
        """Return a name that no other value of the function has."""
        self._count += 1
        return f"%{stem}.{self._count}"

    def let(self, text: str, stem: str = "c") -> str:
        """Write an instruction and return the name of its value."""
        name = self.name(stem)
        self.lines.append(f"  {name} = {text}")
        return name

    def local(self, kind: str) -> str:
        """Reserve local memory for one value."""
        name = self.name("local")
        self.entry.append(f"  {name} = alloca {kind}")
        return name

    def at(self, pointer: str, offset: str | int) -> str:
        """Return a pointer some bytes further on."""
        if offset in (0, "0"):
            return pointer
        return self.let(f"getelementptr inbounds i8, ptr {pointer}, i64 {offset}", "p")

    def begin(self, label: str) -> None:
        """Begin a block."""
        self.lines.append(f"{label[1:]}:")

    @contextmanager
    def loop(self, begin: str | int, end: str | int, step: int = 1) -> Iterator[str]:
        """Repeat what is written inside for an index from `begin` while it is below `end`.

        The loop runs at least once: the caller knows that it is not empty.
        """
        index = self.local("i64")
        body, done = self.name("loop"), self.name("done")
        self.add(f"store i64 {begin}, ptr {index}")
        self.add(f"br label {body}")
        self.begin(body)
        here = self.let(f"load i64, ptr {index}", "i")
        yield here
        following = self.let(f"add nuw nsw i64 {here}, {step}", "i")
        self.add(f"store i64 {following}, ptr {index}")
        more = self.let(f"icmp ult i64 {following}, {end}")
        self.add(f"br i1 {more}, label {body}, label {done}")
        self.begin(done)

    def over(self, shape: Sequence[int], inside: Callable[[list[str]], None]) -> None:
        """Loop over a shape: write what is inside for an index on each axis."""

        def nested(indices: list[str]) -> None:
            if len(indices) == len(shape):
                inside(indices)
                return
            with self.loop(0, shape[len(indices)]) as index:
                nested([*indices, index])

        nested([])

    @contextmanager
    def stretch(self, start: int, lanes: int, times: int) -> Iterator[str]:
        """Repeat what is written inside for each vector of a stretch."""
        if times == 1:
            yield str(start)
            return
        with self.loop(start, start + times * lanes, lanes) as index:
            yield index

    @contextmanager
    def unless(self, condition: str) -> Iterator[None]:
        """Skip what is written inside where the condition holds."""
        inside, after = self.name("do"), self.name("after")
        self.add(f"br i1 {condition}, label {after}, label {inside}")
        self.begin(inside)
        yield
        self.add(f"br label {after}")
        self.begin(after)

    def text(self, head: str) -> str:
        """Return the function: its head, its local memory and its lines."""
        return "\n".join([f"{head} {{", "entry:", *self.entry, *self.lines, "}"])


def scaled(code: Code, terms: list[tuple[str, int]], constant: int = 0) -> str | int:
    """Return the offset that a sum of indices times strides makes."""
    total: str | int = constant
    for index, stride in terms:
        if stride == 0:
            continue
        part = index if stride == 1 else code.let(f"mul nsw i64 {index}, {stride}", "o")
        total = part if total == 0 else code.let(f"add nsw i64 {part}, {total}", "o")
    return total
