"""Run every row, contestants in turn, and print medians with ratios; `--json` keeps them."""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import ROWS, Entry


def measure(entries: Sequence[Entry], runs: int) -> list[dict[str, Any]]:
    """Time the contestants of one row turn by turn, so that a slow moment hits them all."""
    times: list[list[float]] = [[] for _ in entries]
    for entry in entries:
        entry.call()
    for _ in range(runs):
        for entry, seen in zip(entries, times, strict=True):
            start = time.perf_counter()
            entry.call()
            seen.append((time.perf_counter() - start) / entry.units)
    first = statistics.median(times[0])
    return [
        {
            "row": entry.row,
            "who": entry.who,
            "unit": entry.unit,
            "median_us": statistics.median(seen) * 1e6,
            "min_us": min(seen) * 1e6,
            "max_us": max(seen) * 1e6,
            "ratio": statistics.median(seen) / first,
        }
        for entry, seen in zip(entries, times, strict=True)
    ]


def main() -> None:
    """Measure, print a table, and write JSON where asked."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="run each row once, very small")
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--runs", type=int, default=9, help="how many timed runs")
    options = parser.parse_args()
    results: list[dict[str, Any]] = []
    print(f"{'row':24} {'who':12} {'median µs':>12} {'min':>10} {'max':>10}  of ours")
    for row, size, tiny in ROWS:
        by_name: dict[str, list[Entry]] = {}
        for entry in row(tiny if options.tiny else size):
            by_name.setdefault(entry.row, []).append(entry)
        for entries in by_name.values():
            for figure in measure(entries, 1 if options.tiny else options.runs):
                results.append(figure)
                print(
                    f"{figure['row']:24} {figure['who']:12} {figure['median_us']:12.2f} "
                    f"{figure['min_us']:10.2f} {figure['max_us']:10.2f}  {figure['ratio']:.2f}×"
                    f"  per {figure['unit']}"
                )
    if options.json:
        machine = {"python": platform.python_version(), "numpy": np.__version__}
        options.json.write_text(json.dumps({"machine": machine, "figures": results}, indent=1))


if __name__ == "__main__":
    main()
