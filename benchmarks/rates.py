"""`rate="auto"` beside a grid of fixed rates: how good it is, and what choosing costs.

Each set is trained with 20 fixed rates and once with `rate="auto"`, three seeds each. A figure is
the ratio of the two losses over all rows, and the gradients that choosing took (and epochs begun
again) in parts of those that the training took: counted, so that they repeat.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import corrente as co
from corrente.training import rates, trainer
from corrente.training.batches import source
from corrente.training.stepping import named, prepare
from corrente.training.trainer import DivergedWarning, train

GRIDS = {
    "adam": np.geomspace(1e-4, 1.0, 20),
    "sgd": np.geomspace(1e-4, 10.0, 20),
    "momentum": np.geomspace(1e-4, 10.0, 20),
}
SEEDS = (0, 1, 2)
EPOCHS, SIZE = 50, 64
PENALTY = 1e-3
"""Without one, the least loss of separable classes is nought, and a ratio says nothing."""

Data = tuple[np.ndarray, np.ndarray]
Loss = Callable[[Any, Any, Any], Any]


class Problem(NamedTuple):
    """A data set and a model: `hidden` are the widths between, none for a linear model.

    `kept_out` are those that nobody looked at while the choice of the rate was made.
    """

    name: str
    data: Callable[[], Data]
    loss: Loss
    hidden: tuple[int, ...] = ()
    kept_out: bool = False


def main() -> int:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(prog="benchmarks.rates", description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--sets", help="only sets that contain one of these, between commas")
    parser.add_argument("--optimisers", default=",".join(GRIDS), help="between commas")
    options = parser.parse_args()
    wanted = (options.sets or "").split(",")
    found = []
    for problem in PROBLEMS:
        if not any(part in problem.name for part in wanted):
            continue
        for optimiser in options.optimisers.split(","):
            for figure in figures(problem, optimiser):
                found.append(figure)
                print(line(figure), flush=True)
    for told in summaries(found):
        print(told)
    if options.json:
        text = json.dumps({"epochs": EPOCHS, "batch_size": SIZE, "figures": found}, indent=1)
        options.json.write_text(text + "\n", encoding="utf-8")
    return 0


def figures(problem: Problem, optimiser: str) -> Iterator[dict[str, Any]]:
    """Go through the seeds of one set and optimiser."""
    data = problem.data()
    for seed in SEEDS:
        params = start(problem, data, seed)
        fixed = [
            whole_loss(problem, trained(problem, params, data, optimiser, rate, seed).params, data)
            for rate in map(float, GRIDS[optimiser])
        ]
        best = int(np.argmin(fixed))
        yield {
            "set": problem.name,
            "kept_out": problem.kept_out,
            "optimiser": optimiser,
            "seed": seed,
            "best": fixed[best],
            "best_rate": float(GRIDS[optimiser][best]),
            **automatic(problem, params, data, optimiser, seed, fixed[best]),
        }


def automatic(
    problem: Problem, params: Any, data: Data, optimiser: str, seed: int, best: float
) -> dict[str, Any]:
    """Train with `rate="auto"`; count what choosing costs, and time it when all is compiled."""
    cost(problem, params, data, optimiser, seed)
    counted, seconds = cost(problem, params, data, optimiser, seed)
    began = time.perf_counter()
    made = trained(problem, params, data, optimiser, "auto", seed)
    whole = time.perf_counter() - began
    loss = whole_loss(problem, made.params, data)
    steps = EPOCHS * math.ceil(len(data[0]) / SIZE)
    again = made.history[-1].steps - steps
    return {
        "loss": loss,
        "ratio": loss / best,
        "rate": made.rate,
        "cost": counted / (EPOCHS * len(data[0])),
        "again": again / steps,
        "seconds": seconds / max(whole - seconds, 1e-9),
    }


def cost(
    problem: Problem, params: Any, data: Data, optimiser: str, seed: int
) -> tuple[float, float]:
    """Choose a rate as a training does; return the rows that gradients were taken of, and time.

    A loss alone counts as a third of a gradient, as a rule of thumb.
    """
    rows = 0.0
    pair = named(optimiser)
    stepper = prepare(problem.loss, pair, params)

    def advance(leaves: Any, scale: float, batch: Any, rng: Any) -> Any:
        nonlocal rows
        rows += len(batch[0])
        return stepper.advance(leaves, scale, batch, rng)

    def measure(leaves: Any, batch: Any, rng: Any) -> Any:
        nonlocal rows
        rows += len(batch[0]) / 3
        return stepper.measure(leaves, batch, rng)

    counting = stepper._replace(advance=advance, measure=measure)
    seen = source(data)
    steps = rates.allowance(seen, SIZE, EPOCHS)
    began = time.perf_counter()
    rates.suggest(pair, counting, seen, SIZE, steps, seed)
    return rows, time.perf_counter() - began


def trained(
    problem: Problem, params: Any, data: Data, optimiser: str, rate: Any, seed: int
) -> trainer.Training:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergedWarning)
        return train(
            problem.loss,
            params,
            data,
            optimiser=optimiser,
            rate=rate,
            epochs=EPOCHS,
            batch_size=SIZE,
            seed=seed,
            progress=False,
        )


def whole_loss(problem: Problem, params: Any, data: Data) -> float:
    """Return the loss over all rows; infinity where it is no number."""
    with np.errstate(all="ignore"):
        loss = float(problem.loss(params, *data))
    return loss if math.isfinite(loss) else math.inf


def summaries(found: list[dict[str, Any]]) -> Iterator[str]:
    """Say for each optimiser how the ratios and costs lie: the sets looked at, those kept out."""
    for kept_out in (False, True):
        for optimiser in GRIDS:
            of = [f for f in found if (f["optimiser"], f["kept_out"]) == (optimiser, kept_out)]
            if of:
                ratios, costs = [f["ratio"] for f in of], [f["cost"] + f["again"] for f in of]
                yield (
                    f"{optimiser:9} {'kept out' if kept_out else 'looked at':9} "
                    f"median {statistics.median(ratios):.3f} worst {max(ratios):.3f} "
                    f"over 1.5: {sum(r > 1.5 for r in ratios)} "
                    f"cost median {statistics.median(costs):.3f} worst {max(costs):.3f}"
                )


def line(figure: dict[str, Any]) -> str:
    return (
        "{set:28} {optimiser:9} {seed}  best {best:.5f} at {best_rate:.2g}, auto {loss:.5f} at "
        "{rate:.2g}: {ratio:.3f}×, cost {cost:.1%} + {again:.1%}, time {seconds:.1%}"
    ).format(**figure)


# --- models -------------------------------------------------------------------------------------


def start(problem: Problem, data: Data, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw the first weights (He), with as many outputs as there are classes or targets."""
    rng = np.random.default_rng([seed, 11])
    x, y = data
    outputs = int(y.max()) + 1 if y.dtype.kind == "i" else y.shape[1]
    widths = (x.shape[1], *problem.hidden, outputs)
    return [
        (rng.normal(size=(a, b)) * math.sqrt((2.0 if problem.hidden else 0.02) / a), np.zeros(b))
        for a, b in pairwise(widths)
    ]


def outputs(params: Any, x: Any, bend: Callable[[Any], Any]) -> Any:
    *inner, (w, b) = params
    for weights, biases in inner:
        x = bend(x @ weights + biases)
    return x @ w + b


def penalty(params: Any) -> Any:
    return 0.5 * PENALTY * sum((np.sum(w * w) for w, _ in params), 0.0)


def classes(params: Any, x: Any, y: Any) -> Any:
    return co.nn.cross_entropy(outputs(params, x, co.nn.relu), y) + penalty(params)


def smooth_classes(params: Any, x: Any, y: Any) -> Any:
    return co.nn.cross_entropy(outputs(params, x, np.tanh), y) + penalty(params)


def numbers(params: Any, x: Any, y: Any) -> Any:
    return np.mean((outputs(params, x, co.nn.relu) - y) ** 2) + penalty(params)


# --- data ---------------------------------------------------------------------------------------


def classes_of(x: Any, y: Any) -> Data:
    return standard(x), np.asarray(y, np.int64)


def numbers_of(x: Any, y: Any) -> Data:
    return standard(x), standard(np.reshape(y, (len(y), -1)))


def standard(values: Any) -> np.ndarray:
    values = np.asarray(values, float)
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def real(name: str, of: Callable[[Any, Any], Data]) -> Callable[[], Data]:
    """Return a loader of one of the data sets that come with scikit-learn."""
    load = lambda: getattr(import_module("sklearn.datasets"), f"load_{name}")(return_X_y=True)
    return lambda: of(*load())


def drawn(name: str, of: Callable[[Any, Any], Data], **given: Any) -> Callable[[], Data]:
    """Return a loader of one of scikit-learn's data sets that are drawn at random."""
    make = lambda: getattr(import_module("sklearn.datasets"), f"make_{name}")
    return lambda: of(*make()(random_state=0, **given))


PROBLEMS = (
    Problem("iris 4-16-3", real("iris", classes_of), classes, (16,)),
    Problem("wine 13-16-3", real("wine", classes_of), classes, (16,)),
    Problem("breast cancer, linear", real("breast_cancer", classes_of), classes),
    Problem("digits 64-32-10", real("digits", classes_of), classes, (32,)),
    Problem("diabetes, linear", real("diabetes", numbers_of), numbers),
    Problem("linnerud, linear", real("linnerud", numbers_of), numbers),
    Problem(
        "regression 8-32-1",
        drawn("regression", numbers_of, n_samples=2000, n_features=8, noise=20.0),
        numbers,
        (32,),
    ),
    Problem(
        "moons 2-16-16-2",
        drawn("moons", classes_of, n_samples=400, noise=0.2),
        smooth_classes,
        (16, 16),
    ),
    Problem(
        "circles 2-16-2",
        drawn("circles", classes_of, n_samples=400, noise=0.1, factor=0.5),
        classes,
        (16,),
    ),
    Problem(
        "Friedman 1, 10-32-1",
        drawn("friedman1", numbers_of, n_samples=1000, noise=1.0),
        numbers,
        (32,),
    ),
    Problem("breast cancer 30-16-2", real("breast_cancer", classes_of), smooth_classes, (16,)),
    Problem(
        "Hastie 10-32-2",
        drawn("hastie_10_2", lambda x, y: classes_of(x, y > 0), n_samples=1500),
        classes,
        (32,),
    ),
    Problem("wine, linear", real("wine", classes_of), classes, kept_out=True),
    Problem(
        "Friedman 3, 4-32-1",
        drawn("friedman3", numbers_of, n_samples=1000, noise=0.1),
        numbers,
        (32,),
        kept_out=True,
    ),
    Problem(
        "clusters 20-32-4",
        drawn(
            "classification",
            classes_of,
            n_samples=1200,
            n_informative=8,
            n_classes=4,
            flip_y=0.05,
        ),
        classes,
        (32,),
        kept_out=True,
    ),
    Problem("diabetes 10-16-16-1", real("diabetes", numbers_of), numbers, (16, 16), kept_out=True),
)


if __name__ == "__main__":
    sys.exit(main())
