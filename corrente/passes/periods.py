"""Where a list of steps repeats itself: with what period, from where, and how often."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain, count
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Circuit
from corrente.passes.share import fingerprint
from corrente.record import NAMES, Gate, Gather, Params

FEWEST = 4
"""Fewer iterations are no loop."""

LONGEST_LAG = 4
"""How many iterations back a step may read."""

_CANDIDATES = 12
_MULTIPLES = (1, 2, 3, 4)
_ANY_INTEGER = "integer"


class Region(NamedTuple):
    """A stretch of `times` iterations of `period` steps, with the same gates each time."""

    start: int
    period: int
    times: int

    @property
    def stop(self) -> int:
        """The step after the last."""
        return self.start + self.period * self.times


class Table:
    """The steps of a circuit as arrays, to compare many of them at once.

    `first[k]` is where the inputs of step k begin in `ins`, `made[k]` its outputs in `outs`;
    by wire, `maker` is the step that makes it (−1: none), `slot` which of its outputs it is, and
    `types` a number that is equal for equal shape, dtype and weakness.
    """

    def __init__(self, circuit: Circuit) -> None:
        steps, wires = circuit.steps, circuit.wires
        self.circuit = circuit
        self.first, self.ins = _flattened([step[1] for step in steps])
        self.made, self.outs = _flattened([step[2] for step in steps])
        numbers = np.arange(len(steps))
        self.maker = np.full(len(wires), -1)
        self.maker[self.outs] = np.repeat(numbers, np.diff(self.made))
        self.slot = np.zeros(len(wires), int)
        self.slot[self.outs] = np.arange(len(self.outs)) - self.made[self.maker[self.outs]]
        self.reader = np.repeat(numbers, np.diff(self.first))
        type_of = _numbering()
        self.types = np.array([type_of[w[0], w[1], w[3]] for w in wires], int)
        kind_of = _numbering()
        self.kinds = np.array([kind_of[step[0], _pattern(step[0], step[3])] for step in steps], int)
        self.easy = np.array([_is_easy(gate) for gate, _ in kind_of], bool)[self.kinds]
        self.signature = self._signed()

    def _signed(self) -> np.ndarray:
        """Return a number for each step that is equal for the same gate on the same types.

        Easy gates are known by the type of their result: a sum may start from a Python number.
        """
        kinds = self.kinds.astype(np.uint64)
        place = np.arange(len(self.ins)) - self.first[self.reader]
        parts = _mixed(self.types[self.ins], place)
        parts[self.easy[self.reader]] = 0
        given = _summed(parts, self.first)
        place = np.arange(len(self.outs)) - self.made[self.maker[self.outs]]
        gave = _summed(_mixed(self.types[self.outs], place + 64), self.made)
        arity = np.diff(self.first).astype(np.uint64)
        return kinds * _ODD[0] + given * _ODD[1] + gave * _ODD[2] + arity * _ODD[3]


_ODD = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93], np.uint64
)


def _numbering() -> defaultdict[Any, int]:
    """Return a dict that numbers its keys in the order in which they are met."""
    return defaultdict(count().__next__)


def _is_easy(gate: Gate) -> bool:
    """Tell whether a Python number and a NumPy number of the result's dtype give the same bits.

    Python has a power of its own for two of its numbers.
    """
    return isinstance(gate.of, np.ufunc) and gate is not _POWER


_POWER = NAMES["power"]


def _flattened(rows: list[tuple[int, ...]]) -> tuple[np.ndarray, np.ndarray]:
    """Return where each row begins in the list of all, and that list."""
    ends = np.cumsum([0, *map(len, rows)])
    return ends, np.fromiter(chain.from_iterable(rows), int, int(ends[-1]))


def _mixed(types: np.ndarray, place: np.ndarray) -> np.ndarray:
    found = (types + 1).astype(np.uint64) * _ODD[0] + place.astype(np.uint64) * _ODD[1]
    return (found ^ (found >> np.uint64(29))) * _ODD[2]


def _summed(parts: np.ndarray, starts: np.ndarray) -> np.ndarray:
    ends = np.concatenate([np.zeros(1, np.uint64), np.cumsum(parts, dtype=np.uint64)])[starts]
    return np.diff(ends)


def _pattern(gate: Gate, params: Params) -> Any:
    """Return what the parameters of repeated steps must agree in: of a reader, not the integers."""
    if not params:
        return None
    if type(gate.kind) is not Gather:
        return fingerprint(params)
    return tuple([_masked(item) for item in params["index"]])


def _masked(item: Any) -> Any:
    if type(item) is int:
        return _ANY_INTEGER
    return (item.start, item.stop, item.step) if type(item) is slice else item


def find_regions(table: Table, least: int) -> Iterator[Region]:
    """Go through the stretches that repeat, of at least so many steps, the longest first."""
    signature = table.signature
    found: list[tuple[int, int, int, int]] = []
    for period in _periods(signature):
        same = np.zeros(len(signature) - period + 2, np.int8)
        same[1:-1] = signature[:-period] == signature[period:]
        begins, ends = np.flatnonzero(np.diff(same)).reshape(-1, 2).T
        lengths = ends - begins + period
        for k in np.flatnonzero(lengths >= max(least, FEWEST * period)):
            length = int(lengths[k])
            found.append((-(length // period * period), period, int(begins[k]), length))
    for _, period, start, length in sorted(found)[:_CANDIDATES]:
        yield _turned(table, start, period, length)


def _periods(signature: np.ndarray) -> list[int]:
    """Return the distances at which equal steps follow each other most often, and multiples."""
    order = np.argsort(signature, kind="stable")
    gaps = np.diff(order)[signature[order][1:] == signature[order][:-1]]
    longest = len(signature) // FEWEST
    counts = np.bincount(gaps[gaps <= longest], minlength=1)
    likely = [int(gap) for gap in np.argsort(counts)[::-1][:_CANDIDATES] if counts[gap]]
    several = {gap * times for gap in likely for times in _MULTIPLES}
    return sorted(period for period in several if period <= longest)


def _turned(table: Table, start: int, period: int, length: int) -> Region:
    """Choose where an iteration begins: where the fewest bytes go from one to the next.

    A stretch may begin or end amid an iteration; later is as good as long as the count stays.
    """
    free = length % period + 1
    best = int(np.argmin(_carried(table, start, period, length)[:free]))
    return Region(start + best, period, length // period)


def _carried(table: Table, start: int, period: int, length: int) -> np.ndarray:
    """Return how many bytes are alive at each of the places where an iteration may begin."""
    wires = table.circuit.wires
    middle = start + length // period // 2 * period
    entries = slice(table.first[start], table.first[start + length])
    last = np.full(len(wires), -1)
    last[table.ins[entries]] = table.reader[entries]  # in order: the last reader stays
    outs = table.outs[table.made[middle] : table.made[middle + period]]
    born, dies = table.maker[outs] - middle, last[outs] - middle
    lives = (dies > born) & (dies - born <= LONGEST_LAG * period)
    alive = np.zeros((LONGEST_LAG + 2) * period)
    for wire, begin, end in zip(outs[lives], born[lives], dies[lives], strict=True):
        size = max(1, int(np.prod(wires[wire].shape, dtype=int))) * wires[wire].dtype.itemsize
        alive[begin + 1 : end + 1] += size
    return alive.reshape(-1, period).sum(axis=0)
