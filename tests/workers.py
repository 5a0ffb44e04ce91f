"""A small network, and clusters that can be killed, for the tests of training on many machines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

RNG = np.random.default_rng(0)
X = RNG.normal(size=(600, 3))
Y = np.sin(X[:, 0]) * X[:, 1]
PARAMS = {"W": RNG.normal(size=(3, 8)), "b": np.zeros(8), "v": RNG.normal(size=8)}


def loss(params: Any, x: Any, y: Any) -> Any:
    hidden = np.tanh(x @ params["W"] + params["b"])
    return np.mean((hidden @ params["v"] - y) ** 2)


def noisy(params: Any, x: Any, y: Any, rng: Any) -> Any:
    return loss(params, x * (rng.random(x.shape) < 0.8), y)


def deadly(params: Any, x: Any, y: Any) -> Any:
    """The loss; the worker that works it out for the hundredth time is killed by it."""
    # the worker's environment is the tests' own
    trail = os.open(os.environ["TRAIL"], os.O_APPEND | os.O_CREAT | os.O_WRONLY)
    os.write(trail, b".")
    if os.fstat(trail).st_size == 100:
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(trail)
    return loss(params, x, y)


def memory(params: Any, x: Any) -> Any:
    return np.mean((x * params) ** 2)


def bits(trained: Any) -> bytes:
    return b"".join(value.tobytes() for value in trained.params.values())


class Machines:
    """A scheduler and workers in processes of their own."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.file = folder / f"scheduler-{time.monotonic_ns()}.json"
        self.scheduler = self._begin("scheduler", "--port", "0")
        while not self.file.exists():
            time.sleep(0.02)
        self.workers = [
            self._begin("worker", "--nthreads", "1", "--death-timeout", "2", "--no-nanny")
            for _ in range(workers)
        ]

    def _begin(self, what: str, *more: str) -> subprocess.Popen[bytes]:
        module = f"distributed.cli.dask_{what}"
        command = [sys.executable, "-m", module, "--scheduler-file", str(self.file)]
        folders = os.pathsep.join(sys.path)  # so that they find this module, too
        return subprocess.Popen(
            [*command, "--dashboard-address", ":0", *more],
            env=os.environ | {"PYTHONPATH": folders},
            stderr=subprocess.DEVNULL,
        )

    def end(self) -> None:
        for process in [self.scheduler, *self.workers]:
            process.kill()
            process.wait()


def rows_there(shard, asked):
    """Return the rows of a shard that an errand asks for, where the shard is."""
    errand = asked.value
    return errand.of(shard)[0][0] if errand.start < errand.stop else np.empty(0)
