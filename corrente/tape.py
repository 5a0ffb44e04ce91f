"""The tape: what a running NumPy program leaves behind, cheap to write, frozen into a Circuit.

Each nested derivative has its own tape with a higher level, so what is differentiated where is
never confused. A tape records plain tuples in the order of `circuit.Step`; values stay on the
tape, the frozen circuit has none.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import numpy as np

from corrente.circuit import Circuit, Composed, Frame, Guard, Step, Wire
from corrente.errors import Escaped, WriteError
from corrente.places import INSIDE, Where, outside
from corrente.record import Gate, Params
from corrente.words import Says

_LEVELS = itertools.count(1)
_SMALL = 4096
NOTHING: dict[str, Any] = {}


class Log:
    """One written buffer with what each write replaced: an undo log instead of copies.

    `at` counts the writes that are in the buffer now; `move` takes it to any other version.
    """

    __slots__ = ("at", "buffer", "writes")

    def __init__(self, buffer: Any) -> None:
        self.buffer = buffer
        self.writes: list[list[Any]] = []
        self.at = 0

    def add(self, index: Any, replaced: Any) -> None:
        """Note a write that has just been made."""
        self.writes.append([index, replaced])
        self.at += 1

    def move(self, version: int) -> None:
        """Undo or redo writes until the buffer is as it was after `version` of them."""
        while self.at > version:
            self.at -= 1
            self._swap(self.writes[self.at])
        while self.at < version:
            self._swap(self.writes[self.at])
            self.at += 1

    def _swap(self, write: list[Any]) -> None:
        index, other = write
        write[1] = np.copy(self.buffer[index])
        self.buffer[index] = other


class _Closed(list[Any]):
    """The steps of a tape that has ended: recording on it names the mistake."""

    def append(self, step: Any) -> NoReturn:
        raise Escaped()


class Tape:
    """Values by wire id, steps, guards and written buffers of one running trace."""

    __slots__ = (
        "_dependent",
        "_frame",
        "_held",
        "_lost",
        "_seen",
        "_stack",
        "base",
        "composing",
        "detailed",
        "guards",
        "inputs",
        "level",
        "origin",
        "place",
        "recorded",
        "references",
        "steps",
        "values",
        "versions",
        "wanted",
    )  # fmt: skip

    def __init__(self, detailed: bool = False) -> None:
        self.level = next(_LEVELS)
        self.values: list[Any] = []
        self.recorded: list[Any] = []
        self.steps = self.recorded
        """Where steps are added: the same list, until the tape is closed."""
        self.guards: list[Guard] = []
        self.inputs: dict[int, None] = {}
        """The wires of the arguments, in order."""
        self.wanted: set[int] = set()
        """The arguments that are differentiated."""
        self.versions: dict[int, tuple[Log, int]] = {}
        self.references: dict[int, Any] = {}
        """Closed-over arrays by wire, as the user's own objects."""
        self.origin: int | None = None
        self.place: Where | None = None
        """Where all steps are said to be, instead of where they are recorded."""
        self.composing: list[Composed] = []
        self.detailed = detailed
        self.base: FrameType | None = None
        self._held: dict[int, tuple[Any, Any, int]] = {}
        self._lost: list[np.ndarray] = []
        self._dependent: set[int] = set()
        self._seen = 0
        self._frame: FrameType | None = None
        self._stack: tuple[Frame, ...] = ()

    # --- recording --------------------------------------------------------------------------

    def argument(self, value: Any, wanted: bool) -> int:
        """Enter an argument and return its wire."""
        if isinstance(value, np.ndarray):
            wire = self.hold(value, copies=self.detailed)
        else:
            wire = len(self.values)
            self.values.append(value)
        self.inputs[wire] = None
        if wanted:
            self.wanted.add(wire)
            self._dependent.add(wire)
        return wire

    def put(
        self, gate: Gate, ins: tuple[int, ...], values: Sequence[Any], params: Params, frame: Any
    ) -> int:
        """Record a step and return its first output's wire; the others follow it."""
        if self.place is None and frame.f_code.co_filename.startswith(INSIDE):
            frame = outside(frame)
        wire = len(self.values)
        outs = (wire,) if len(values) == 1 else tuple(range(wire, wire + len(values)))
        self.steps.append(
            (
                gate,
                ins,
                outs,
                params,
                self.place or (frame.f_code, frame.f_lasti),
                self.stack(frame) if self.detailed else (),
                self.origin,
            )
        )
        self.values.extend(values)
        return wire

    def stack(self, frame: FrameType) -> tuple[Frame, ...]:
        """Return the chain of user calls that lead to a frame, outermost first."""
        if frame is not self._frame:
            chain: list[Frame] = []
            caller = frame.f_back
            while caller is not None and caller is not self.base:
                if not caller.f_code.co_filename.startswith(INSIDE):
                    chain.append((caller.f_code, caller.f_lasti))
                caller = caller.f_back
            self._frame, self._stack = frame, tuple(reversed(chain))
        return (*self._stack, *self.composing) if self.composing else self._stack

    def hold(self, array: np.ndarray, copies: bool = False) -> int:
        """Enter an array from outside and return its wire; the same array keeps its wire.

        The user may write into it later, so small ones are copied (all with `copies`); large
        ones are watched by a fingerprint, and `check` refuses a backward pass over a changed one.
        """
        known = self._held.get(id(array))
        if known is not None and known[2] not in self.inputs and _unchanged(array, known[1]):
            return known[2]
        if known is not None and isinstance(known[1], int) and not _unchanged(array, known[1]):
            self._lost.append(array)
        small = (copies or array.size <= _SMALL) and not _is_fixed(array)
        proof = array.copy() if small else _fingerprint(array)
        wire = len(self.values)
        self.values.append(proof if small else array)
        self.references[wire] = array
        self._held[id(array)] = (array, proof, wire)
        return wire

    def check(self) -> None:
        """Raise if a large closed-over array was changed after it was used."""
        watched = [(array, proof) for array, proof, _ in self._held.values()]
        for array, proof in [*watched, *((array, None) for array in self._lost)]:
            if proof is None or (isinstance(proof, int) and _fingerprint(array) != proof):
                raise WriteError(
                    Says(
                        "an array of shape {0} that the function uses or closes over was changed "
                        "after it was used; its old values are gone.",
                        "um array de forma {0} que a função usa ou captura foi mudado depois de "
                        "usado; os valores antigos se perderam.",
                    ).fill(array.shape),
                    Says(
                        "write into a copy, or pass the array as an argument.",
                        "escreva numa cópia, ou passe o array como argumento.",
                    ),
                    False,
                )

    @contextmanager
    def composed(self, name: str) -> Iterator[None]:
        """Mark the steps recorded inside as coming from one NumPy function."""
        self.composing.append(Composed(name, len(self.recorded)))
        try:
            yield
        finally:
            self.composing.pop()

    def guard(self, wire: int, value: Any, where: Where) -> None:
        """Note that the program's path depends on this wire having this value."""
        if self.steps is not self.recorded:
            raise Escaped()
        self.guards.append(Guard(wire, value, where))

    # --- reading ----------------------------------------------------------------------------

    def depends(self, wire: int) -> bool:
        """Tell whether a wire depends on a differentiated argument."""
        dependent = self._dependent
        for k in range(self._seen, len(self.recorded)):
            step = self.recorded[k]
            if step[0].differentiable and not dependent.isdisjoint(step[1]):
                dependent.update(step[2])
        self._seen = len(self.recorded)
        return wire in dependent

    def value(self, wire: int) -> Any:
        """Return a wire's value; a written buffer is taken back to the version it had then."""
        if wire in self.versions:
            log, version = self.versions[wire]
            log.move(version)
        return self.values[wire]

    def snapshot(self, wire: int) -> Any:
        """Return a wire's value as it was, in memory of its own if its buffer is written."""
        value = self.value(wire)
        return np.copy(value) if wire in self.versions else value

    def settle(self) -> None:
        """Bring every written buffer back to its last version."""
        for log in {id(log): log for log, _ in self.versions.values()}.values():
            log.move(len(log.writes))

    def close(self) -> None:
        """End recording: a value that escaped from here names the mistake when it is used."""
        self.base = self._frame = None
        self.steps = _Closed()

    def freeze(self, outs: Iterable[int], labels: Mapping[int, str] | None = None) -> Circuit:
        """Make a Circuit of what was recorded; it holds constants, but no other values."""
        steps = tuple(Step(*step) for step in self.recorded)
        made = {wire for step in steps for wire in step.outs}
        held = {
            wire: self.references[wire] if wire in self.references else _sealed(self.values[wire])
            for wire in range(len(self.values))
            if wire not in made and wire not in self.inputs
        }
        wires = tuple(wire_of(wire, value) for wire, value in enumerate(self.values))
        return Circuit(
            wires,
            tuple(self.inputs),
            held,
            steps,
            tuple(outs),
            tuple(self.guards),
            dict(labels or {}),
        )


def _sealed(value: Any) -> Any:
    """Give a small array that the trace made memory nobody can write: it is a constant."""
    if type(value) is not np.ndarray or value.size > _SMALL:
        return value
    own = value.copy()
    own.flags.writeable = False
    return own


def _unchanged(array: np.ndarray, proof: Any) -> bool:
    if isinstance(proof, np.ndarray):
        return np.array_equal(array, proof, equal_nan=array.dtype.kind in "fc")
    return _fingerprint(array) == proof


def _is_fixed(array: Any) -> bool:
    """Tell whether nobody can write into an array: not it, nor what it is a view of."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None or isinstance(array, bytes)


def _fingerprint(array: np.ndarray) -> int:
    """Return a number that a write into the array almost surely changes."""
    if _is_fixed(array):
        return 0
    data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
    whole = data.size // _BLOCK.nbytes * _BLOCK.nbytes
    # one weighted sum a block: every position counts, and no copy of the array is made
    sums = data[:whole].view(np.uint64).reshape(-1, _BLOCK.size) @ _BLOCK
    return hash((sums.tobytes(), data[whole:].tobytes()))


# odd multiples of the golden ratio's 64 bits: no two positions weigh the same
_BLOCK = (np.arange(1024, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


def wire_of(number: int, value: Any) -> Wire:
    """Describe a value as a Wire."""
    dtype = _PYTHON.get(type(value))
    if dtype is not None:
        return Wire((), dtype, number, True)
    if isinstance(value, bool | int | float | complex) and not isinstance(value, np.generic):
        return Wire((), np.result_type(type(value)), number, True)
    if not hasattr(value, "shape"):
        return Wire((), np.dtype(object), number, True)  # x == None is drawn too
    return Wire(tuple(value.shape), value.dtype, number, False)


_PYTHON = {kind: np.dtype(kind) for kind in (bool, int, float, complex)}
