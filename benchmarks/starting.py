"""A fresh process for each first call: how long it takes, cold and warm, and its memory.

Run as a program it is that process: it makes the data, then builds, calls once and reports.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import corrente as co
from benchmarks.contestants import Contestant, present
from benchmarks.rows import every

WHO = ("corrente", "corrente eager", "jax", "torch", "torch compiled", "autograd")
ROWS = (
    "(x + y) * z",
    "moons network",
    "3072-100-10 network",
    "chain of 10⁶",
    "GMM d=10 K=25",
    "bundle adjustment",
    "LSTM",
)
PARTS = {"cold_ms": "first call", "warm_ms": "first call, cache warm", "peak_mb": "peak memory"}
FIRST = "import {0}; {0}.grad(lambda x: x * x)(1.0)"


def figures(tiny: bool, chosen: Any, runs: int) -> Iterator[dict[str, Any]]:
    """Go through imports, first calls and peaks; `chosen(row, who)` says what is wanted."""
    yield from imports(chosen, runs)
    for row in every(tiny):
        if not row.name.startswith(ROWS[:2] if tiny else ROWS) or "objective" in row.name:
            continue
        if not any(chosen(f"{part}: {row.name}", "") for part in PARTS.values()):
            continue
        who = [one for one in row.contestants() if one.who in WHO and present(one)]
        wanted = [one for one in who if not one.reason and not (tiny and one.who != "corrente")]
        for one in wanted:
            if not chosen(f"first call: {row.name}", one.who):
                continue
            try:
                yield from first_calls(row.name, one, tiny, runs)
            except subprocess.CalledProcessError as mistake:
                said = (mistake.stderr.splitlines() or [f"status {mistake.returncode}"])[-1]
                yield {"row": f"first call: {row.name}", "who": one.who, "failure": said}


def first_calls(row: str, contestant: Contestant, tiny: bool, runs: int) -> Iterator[Any]:
    """Start processes with an empty cache and with the one they left."""
    seen: dict[str, list[float]] = {part: [] for part in PARTS}
    for _ in range(1 if tiny or contestant.heavy else min(runs, 3)):
        with tempfile.TemporaryDirectory() as cache:
            cold = begin(row, contestant.who, tiny, cache)
            seen["cold_ms"].append(cold["ms"])
            seen["peak_mb"].append(cold["peak_mb"])
            seen["warm_ms"].append(begin(row, contestant.who, tiny, cache)["ms"])
    for part, numbers in seen.items():
        unit = "MB" if part == "peak_mb" else "ms"
        yield {
            "row": f"{PARTS[part]}: {row}",
            "who": contestant.who,
            "unit": unit,
            "median": statistics.median(numbers),
            "runs": len(numbers),
        }


def begin(row: str, who: str, tiny: bool, cache: str) -> dict[str, float]:
    """Run this module as a fresh process, whose caches lie in one folder."""
    homes = {
        "XDG_CACHE_HOME": cache,
        "CORRENTE_CACHE": f"{cache}/corrente",
        "JAX_COMPILATION_CACHE_DIR": f"{cache}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "TORCHINDUCTOR_CACHE_DIR": f"{cache}/torch",
    }
    line = [sys.executable, "-m", "benchmarks.starting", row, who, *(["--tiny"] if tiny else [])]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        line, env=os.environ | homes, cwd=root, check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def first(row: str, who: str, tiny: bool) -> dict[str, float]:
    """Build and call once; memory is what the process takes on top of its data and imports."""
    found = next(one for one in every(tiny) if one.name == row)
    contestant = next(one for one in found.contestants() if one.who == who)
    import_module(contestant.needs)
    if who.startswith("corrente"):
        # our rooms open when they are first used: loading them belongs to the import
        co.grad(lambda x: x * x)(1.0)
    before = peak_memory()
    start = time.perf_counter()
    contestant.build()()
    spent = time.perf_counter() - start
    return {"ms": spent * 1e3, "peak_mb": peak_memory() - before}


def peak_memory() -> float:
    """Return the most megabytes that this process has held."""
    status = Path("/proc/self/status")
    if status.exists():
        # Linux counts the parent's peak in `ru_maxrss` of a process started from it
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def imports(chosen: Any, runs: int) -> Iterator[dict[str, Any]]:
    """Time processes that import the package, beside those that import NumPy and the peers."""
    lines = [("import", name, f"import {name}") for name in ("corrente", "numpy", "jax", "torch")]
    for name in ("corrente", "autograd", "jax"):
        lines.append(("import, first gradient", name, FIRST.format(name)))
    wanted = [
        line
        for line in lines
        if chosen(*line[:2]) and present(Contestant(line[1], lambda: lambda: None, line[1]))
    ]
    times: list[list[float]] = [[] for _ in wanted]
    for _ in range(runs):
        for (_, _, line), seen in zip(wanted, times, strict=True):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", line], check=True)
            seen.append((time.perf_counter() - start) * 1e3)
    for (row, who, _), seen in zip(wanted, times, strict=True):
        median = statistics.median(seen)
        yield {"row": row, "who": who, "unit": "ms", "median": median, "runs": len(seen)}


if __name__ == "__main__":
    print(json.dumps(first(sys.argv[1], sys.argv[2], "--tiny" in sys.argv)))
