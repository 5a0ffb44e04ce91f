"""Fair measuring: everybody's answer is compared first, then all are timed turn by turn."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from benchmarks.contestants import Call, Contestant, Row, flat

ENOUGH = 2e-3  # seconds that one timing should last, so that the clock does not matter
LONG = 2.0  # seconds after which a call is timed few times
PAUSE = 0.02  # seconds in which the threads of the one before stop turning round and waiting


class Ready(NamedTuple):
    """A contestant that has been built and has answered once."""

    contestant: Contestant
    call: Call
    first: float


class Disagreement(Exception):
    """Two contestants do not give the same numbers."""


def prepare(contestant: Contestant) -> tuple[Ready, list[np.ndarray]]:
    """Build and call once; the time of both is the first call's."""
    start = time.perf_counter()
    call = contestant.build()
    result = call()
    first = time.perf_counter() - start
    return Ready(contestant, call, first), flat(result) if contestant.compare else []


def agree(row: Row, who: str, answer: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Raise Disagreement unless each array is close to the expected one, beside its largest."""
    if len(answer) != len(expected):
        raise Disagreement(f"{row.name}: {who} gives {len(answer)} arrays, not {len(expected)}")
    for place, (a, b) in enumerate(zip(answer, expected, strict=True)):
        scale = float(np.max(np.abs(b), initial=0.0))
        if a.shape != b.shape or not np.all(np.isfinite(b)):
            raise Disagreement(f"{row.name}: {who}, array {place}: {a.size} numbers of {b.size}")
        if not np.allclose(a, b, rtol=row.tolerance, atol=row.tolerance * scale):
            worst = float(np.max(np.abs(a - b))) / (scale or 1.0)
            raise Disagreement(f"{row.name}: {who}, array {place} is off by {worst:.1e} of it")


def measure(row: Row, entries: Sequence[Ready], runs: int) -> list[dict[str, Any]]:
    """Time the contestants of one row in turns, so that a slow moment hits them all."""
    loops = [loop_count(entry.call) if runs > 1 else 1 for entry in entries]
    times: list[list[float]] = [[] for _ in entries]
    for turn in range(runs):
        for entry, loop, seen in zip(entries, loops, times, strict=True):
            if turn < 3 or seen[0] < LONG:
                if runs > 1 and entry.first < LONG:
                    time.sleep(PAUSE)
                    entry.call()
                seen.append(timed(entry.call, loop))
    names = [entry.contestant.who for entry in entries]
    base = statistics.median(times[names.index("corrente") if "corrente" in names else 0])
    return [figure(row, entry, seen, base) for entry, seen in zip(entries, times, strict=True)]


def figure(row: Row, entry: Ready, seen: list[float], base: float) -> dict[str, Any]:
    units = entry.contestant.units or row.units
    median = statistics.median(seen)
    return {
        "row": row.name,
        "who": entry.contestant.who,
        "unit": row.unit,
        "median_us": median / units * 1e6,
        "min_us": min(seen) / units * 1e6,
        "max_us": max(seen) / units * 1e6,
        "runs": len(seen),
        "ratio": median / base * row.units / units,
        "first_ms": entry.first * 1e3,
    }


def loop_count(call: Call) -> int:
    """Return how many calls make one timing."""
    count = 1
    while (spent := timed(call, count) * count) < ENOUGH:
        count = max(2 * count, min(100 * count, int(count * ENOUGH / max(spent, 1e-9))))
    return count


def timed(call: Call, loops: int) -> float:
    """Return the mean seconds of a call, without the cost of a wrapper where there is none."""
    function: Callable[..., Any] = call.func if isinstance(call, partial) else call
    given = call.args if isinstance(call, partial) else ()
    start = time.perf_counter()
    for _ in repeat(None, loops):
        function(*given)
    return (time.perf_counter() - start) / loops
