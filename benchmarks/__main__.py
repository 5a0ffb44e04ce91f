"""Run rows side by side with the peers that are installed, and print medians with ratios.

The contestants' answers are compared before anything is timed; a disagreement or a failure is
printed and makes the exit status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import starting
from benchmarks.contestants import Contestant, Row, present
from benchmarks.measuring import Disagreement, Ready, agree, measure, prepare
from benchmarks.rows import every

PACKAGES = (
    "numpy",
    "scipy",
    "autograd",
    "jax",
    "torch",
    "casadi",
    "micrograd",
    "tangent-ad",
    "ddx-ad",
    "llvmlite",
)


def main() -> int:
    """Measure, print a table, and write JSON where asked."""
    options = arguments()
    rows, who = (
        [part.strip() for part in text.split(",")] if text else []
        for text in (options.rows, options.who)
    )

    def chosen(row: str, contestant: str) -> bool:
        wanted = not rows or any(part in row for part in rows)
        return wanted and (not who or not contestant or contestant in who)

    runs = 1 if options.tiny else options.runs
    found: list[dict[str, Any]] = []
    for figures in everything(options.tiny, chosen, runs):
        found += figures
        for figure in figures:
            print(line(figure), flush=True)
        if options.json:
            text = json.dumps({"machine": machine(), "figures": found}, indent=1)
            options.json.write_text(text + "\n", encoding="utf-8")
    for figure in found:
        if "failure" in figure:
            print(f"FAILED  {figure['row']}, {figure['who']}: {figure['failure']}")
    return int(any("failure" in figure for figure in found))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="run each row once, very small")
    parser.add_argument("--json", type=Path, help="write the figures here, row by row")
    parser.add_argument("--runs", type=int, default=9, help="how many timed runs")
    parser.add_argument("--rows", help="only rows that contain one of these, between commas")
    parser.add_argument("--who", help="only these contestants, between commas")
    return parser.parse_args()


Chosen = Callable[[str, str], bool]


def everything(tiny: bool, chosen: Chosen, runs: int) -> Iterator[list[dict[str, Any]]]:
    """Go through the rows, then the processes that only start."""
    for row in every(tiny):
        if chosen(row.name, ""):
            yield figures(row, tiny, chosen, runs)
    for figure in starting.figures(tiny, chosen, runs):
        yield [figure]


def figures(row: Row, tiny: bool, chosen: Chosen, runs: int) -> list[dict[str, Any]]:
    """Return the figures of one row: those who ran, and why the others did not."""
    ready: list[Ready] = []
    missing: list[dict[str, Any]] = []
    expected: list[np.ndarray] = []
    for contestant in row.contestants():
        if not chosen(row.name, contestant.who) or not present(contestant):
            continue
        found = {"row": row.name, "who": contestant.who}
        if contestant.reason or (tiny and contestant.heavy):
            missing.append(found | {"reason": contestant.reason or "left out of a tiny run"})
            continue
        try:
            ready.append(compared(row, contestant, expected))
        except Disagreement as mistake:
            missing.append(found | {"failure": str(mistake)})
        except Exception as mistake:  # a peer's failure is a line of the table, not its end
            missing.append(found | {"failure": f"{type(mistake).__name__}: {mistake}"[:300]})
    return (measure(row, ready, runs) if ready else []) + missing


def compared(row: Row, contestant: Contestant, expected: list[np.ndarray]) -> Ready:
    """Call once, and hold the answer against the first one's."""
    ready, answer = prepare(contestant)
    if contestant.compare and not expected:
        expected.extend(answer)
    if contestant.compare:
        agree(row, contestant.who, answer, expected)
    return ready


def line(figure: dict[str, Any]) -> str:
    """Return a line of the table."""
    start = f"{figure['row']:36} {figure['who']:24}"
    if "median" in figure:
        return f"{start} {figure['median']:12.1f} {figure['unit']}"
    if "median_us" not in figure:
        return f"{start} {'–':>12}  {figure.get('reason') or 'failed'}"
    return (
        f"{start} {figure['median_us']:12.2f} µs  [{figure['min_us']:.2f}, {figure['max_us']:.2f}]"
        f"  {figure['ratio']:.2f}× a {figure['unit']}; first {figure['first_ms']:.1f} ms"
    )


def machine() -> dict[str, Any]:
    """Return what the figures depend on."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        **versions,
    }


if __name__ == "__main__":
    sys.exit(main())
