"""What each part of a step on a cluster costs here: `python -m benchmarks.scaling` keeps it.

The figures go to benchmarks/scaling.json; docs/scaling_page.py makes of them what they predict for
more workers and more rows than one machine has.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from distributed import Client, LocalCluster

from corrente.training.cluster import program
from corrente.training.gathering import Gathered, gather
from corrente.training.shards import cut_up
from corrente.training.tasks import Errand, part

KEPT = Path(__file__).parent / "scaling.json"
NETWORKS = {"small": (32, 64, 1), "large": (256, 1024, 256)}
ROWS = 2048


def loss(params: Any, x: Any, y: Any) -> Any:
    """Return the squared error of a network with one hidden layer."""
    hidden = np.tanh(x @ params["W"] + params["b"])
    return np.mean((hidden @ params["V"] - y) ** 2)


def network(widths: tuple[int, int, int], rows: int) -> tuple[Any, tuple[Any, Any]]:
    """Return a network's parameters and data, float32."""
    inputs, hidden, outputs = widths
    chance = np.random.default_rng(0)
    draw = lambda *shape: chance.normal(size=shape).astype(np.float32)
    params = {
        "W": draw(inputs, hidden) / np.float32(inputs**0.5),
        "b": np.zeros(hidden, np.float32),
        "V": draw(hidden, outputs) / np.float32(hidden**0.5),
    }
    return params, (draw(rows, inputs), draw(rows, outputs))


def best(work: Callable[[], Any], turns: int) -> float:
    """Return the shortest of some times, in seconds."""
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def line(sizes: list[int], times: list[float]) -> tuple[float, float]:
    """Return what does not depend on the size, and what each unit of it costs."""
    slope, fixed = np.polyfit(sizes, times, 1)
    return max(float(fixed), 0.0), max(float(slope), 0.0)


def gradient(widths: tuple[int, int, int], rows: int, turns: int) -> float:
    """Return the seconds a row of a shard costs: reading it, its gradient, one thread."""
    params, data = network(widths, rows)
    [shard] = cut_up(data, 1)
    told, errand = program(loss, True, True), Errand(0, rows, 7, 1.0, None)
    work = lambda: part(told, params, [shard], [errand])
    work()
    return best(work, turns) / rows


def addition(turns: int) -> float:
    """Return the seconds that adding a byte of one gradient to another costs."""
    numbers = np.zeros(1 << 20, np.float32)
    parts = [Gathered((numbers,)), Gathered((numbers,))]
    return best(lambda: gather(parts), turns) / numbers.nbytes


def tasks(client: Any, turns: int, most: int) -> tuple[float, float]:
    """Return the seconds of a step that does nothing, and of each task more in it."""
    counts = [2**k for k in range(1, most)]
    run = lambda count: client.gather(client.map(abs, range(count), pure=False))
    return line(counts, [best(lambda n=n: run(n), turns) for n in counts])


def bytes_there(client: Any, turns: int, size: int) -> float:
    """Return the seconds that a byte of parameters takes to a worker."""
    send = lambda values: client.submit(len, client.scatter([values], hash=False)[0], pure=False)
    return by_byte(lambda n: send(np.zeros(n, np.uint8)).result(), turns, size)


def bytes_back(client: Any, turns: int, size: int) -> float:
    """Return the seconds that a byte of a gradient takes from a worker."""
    bring = lambda n: client.submit(np.zeros, n, np.uint8, pure=False).result()
    return by_byte(bring, turns, size)


def by_byte(work: Callable[[int], Any], turns: int, size: int) -> float:
    """Return what each byte costs beside what even one does."""
    little, much = (best(lambda n=n: work(n), turns) for n in (1, size))
    return max(much - little, 0.0) / size


def measured(turns: int, tiny: bool = False) -> dict[str, Any]:
    """Measure all parts on two processes of this machine."""
    rows = 64 if tiny else ROWS
    networks = {}
    for name, widths in NETWORKS.items():
        params, _ = network(widths, 1)
        networks[name] = {
            "widths": widths,
            "bytes": sum(value.nbytes for value in params.values()),
            "row_s": gradient(widths, rows, turns),
        }
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        fixed, each = tasks(client, turns, 4 if tiny else 8)
        there, back = (
            f(client, turns, 1 << (20 if tiny else 26)) for f in (bytes_there, bytes_back)
        )
    return {
        "machine": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "cores": os.cpu_count(),
            "processor": platform.processor() or platform.machine(),
        },
        "networks": networks,
        "step_s": fixed,
        "task_s": each,
        "byte_there_s": there,
        "byte_back_s": back,
        "byte_added_s": addition(turns),
    }


def main() -> None:
    """Measure, show and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=15)
    found = measured(parser.parse_args().turns)
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
