"""The learning rate: what the curvature allows, what a range test shows, and who wins a race."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from corrente.curvature import curvature
from corrente.errors import BadValue
from corrente.extras import load
from corrente.optimisers import Optimiser, over
from corrente.training.batches import Source, source
from corrente.training.stepping import Leaves, Stepper, named, prepare, takes_generator
from corrente.trees import take_apart
from corrente.words import Says

SAMPLE = 1024
"""Rows on which curvature and the race are measured."""
_CLOSE, _FINALISTS = 0.1, 3
_NORMALISED = tuple(10.0 ** (k / 2) for k in range(-8, 1))
_OF_STABLE = (0.03, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)

Tried = tuple[tuple[float, float], ...]


class Rates(NamedTuple):
    """What was found about the learning rate.

    `suggested` won the race; `stable` is 2/λ_max, the largest rate at which plain gradient
    descent does not swing up (infinite where nothing bends upward); `test` and `tried` are pairs
    (rate, loss) of the range test and of the race.
    """

    suggested: float
    stable: float
    test: Tried
    tried: Tried

    def plot(self, path: Any = None, lang: str = "en") -> Any:
        """Draw the range test and the race; return matplotlib's figure."""
        figures = load("matplotlib.figure", "plot", Says("a plot", "um gráfico"))
        figure = figures.Figure(layout="constrained")
        axes = figure.subplots()
        axes.semilogx(*zip(*self.test, strict=True), label=_TEST.into(lang))
        seen = [(rate, loss) for rate, loss in self.tried if math.isfinite(loss)]
        axes.plot(*zip(*seen, strict=True), "o", label=_RACE.into(lang))
        axes.axvline(self.suggested, color="green", label=f"{self.suggested:.2g}")
        if math.isfinite(self.stable):
            label = f"2/λ = {self.stable:.2g}"
            axes.axvline(self.stable, color="red", linestyle="--", label=label)
        axes.set_xlabel(_RATE.into(lang))
        axes.set_ylabel(_LOSS.into(lang))
        axes.legend()
        if path is not None:
            figure.savefig(path)
        return figure


_TEST = Says("range test", "teste de faixa")
_RACE = Says("race", "corrida")
_RATE = Says("learning rate", "taxa de aprendizado")
_LOSS = Says("loss", "perda")


def find_rate(
    loss: Callable[..., Any],
    params: Any,
    data: Any,
    *,
    optimiser: Any = "adam",
    batch_size: int = 64,
    steps: int = 200,
    seed: int = 0,
    compiled: bool = True,
) -> Rates:
    """Find a learning rate for `co.train` with these arguments.

    Measures the largest stable rate from the curvature, runs a range test (the rate grows with
    every minibatch until the loss does), and lets rates race for about `steps` steps in all.
    `params` are not changed. Raises BadValue where no rate brings the loss down.

    >>> import numpy as np, corrente as co
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> loss = lambda w, x, y: np.mean((x @ w - y) ** 2)
    >>> found = find_rate(loss, np.zeros(3), (X, X.sum(axis=1)))
    >>> 0.5 < found.stable < 1.5, 0 < found.suggested
    (True, True)
    """
    pair = named(optimiser)
    stepper = prepare(loss, pair, params, compiled)
    seen = source(data)
    stable = largest_stable(loss, params, seen, batch_size, seed, compiled)
    test = range_test(stepper, seen, batch_size, seed)
    tried = race(stepper, seen, batch_size, seed, candidates(pair, stable), steps)
    return Rates(fastest(tried), stable, test, tried)


def suggest(
    loss: Callable[..., Any],
    pair: Optimiser,
    stepper: Stepper,
    seen: Source,
    size: int,
    steps: int,
    seed: int,
    compiled: bool,
) -> float:
    """Choose a rate for a training, at the cost of about `steps` steps."""
    # an optimiser that divides by the gradient's size does not see how steep the loss is
    stable = math.inf
    if not normalises(pair):
        stable = largest_stable(loss, stepper.params(stepper.start), seen, size, seed, compiled)
    return fastest(race(stepper, seen, size, seed, candidates(pair, stable), steps))


def largest_stable(
    loss: Callable[..., Any], params: Any, seen: Source, size: int, seed: int, compiled: bool
) -> float:
    """Return 2/λ_max of the loss on a sample of the data."""
    batch = next(iter(seen.read(min(SAMPLE, 8 * size), np.random.default_rng([seed, 4]))))
    params = over(lambda leaf: float(leaf) if type(leaf) is int else leaf, params)
    if not takes_generator(loss):
        return curvature(loss, params, *batch, compiled=compiled).stable_rate

    def steady(params: Any, *batch: Any) -> Any:
        return loss(params, *batch, rng=np.random.default_rng(seed))

    return curvature(steady, params, *batch, compiled=False).stable_rate


def normalises(pair: Optimiser) -> bool:
    """Tell whether an optimiser's steps keep their length when the gradient grows.

    >>> normalises(named("adam")), normalises(named("sgd"))
    (True, False)
    """
    one, other = (pair.update(g, pair.init(1.0), 1.0)[0] for g in (1.0, 100.0))
    return bool(abs(other) < 2.0 * abs(one))


def candidates(pair: Optimiser, stable: float) -> tuple[float, ...]:
    """Return the rates worth trying with an optimiser, given the largest stable one."""
    if normalises(pair) or not 0 < stable < math.inf:
        return _NORMALISED
    return tuple(stable * part for part in _OF_STABLE)


def range_test(
    stepper: Stepper,
    seen: Source,
    size: int,
    seed: int,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 80,
) -> Tried:
    """Let the rate grow from step to step until the loss does; return pairs (rate, loss).

    The losses are smoothed. Source: Smith (2017), "Cyclical learning rates".
    """
    leaves, found, smooth, weight = stepper.start, [], 0.0, 0.0
    rng = np.random.default_rng([seed, 5])
    with np.errstate(all="ignore"):
        for k, batch in enumerate(_endless(seen, size, seed)):
            rate = lowest * (highest / lowest) ** (k / (steps - 1))
            outcome = stepper.advance(leaves, rate, batch, rng)
            leaves, value = outcome.leaves, float(outcome.loss)
            if not math.isfinite(value):
                break
            smooth, weight = 0.8 * smooth + 0.2 * value, 0.8 * weight + 0.2
            found.append((rate, smooth / weight))
            least = min(loss for _, loss in found)
            if k + 1 == steps or smooth / weight > 4.0 * abs(least) + 1e-12:
                break
    return tuple(found)


def race(
    stepper: Stepper,
    seen: Source,
    size: int,
    seed: int,
    rates: Sequence[float],
    steps: int,
) -> Tried:
    """Let rates race from the same start over the same batches; the slower half drops out.

    Three rounds, each over more batches than the one before. Returns pairs (rate, loss on a
    sample) with the winner first; a rate that made a NaN has the loss infinity.
    """
    sample = list(islice(seen.read(size, np.random.default_rng([seed, 6])), -(-SAMPLE // size)))
    first = max(4, steps // (2 * len(rates)))
    batches = list(islice(_endless(seen, size, seed), 4 * first))
    running: dict[float, Leaves] = dict.fromkeys(rates, stepper.start)
    standing: dict[float, float] = {}
    for begin, end in ((0, first), (first, 2 * first), (2 * first, 4 * first)):
        ranked = sorted(running, key=lambda rate: standing.get(rate, 0.0))
        kept = len(rates) if not begin else max(_FINALISTS, (len(ranked) + 1) // 2)
        running = {rate: running[rate] for rate in ranked[:kept]}
        for rate, leaves in running.items():
            running[rate] = _run(stepper, leaves, rate, batches[begin:end], seed)
            standing[rate] = _loss(stepper, running[rate], sample, seed)
    # those that ran furthest come first, whatever the others had reached by then
    order = sorted(standing, key=lambda rate: (rate not in running, standing[rate]))
    # a short race flatters small rates: of those close behind, the largest goes further
    begin, best = _loss(stepper, stepper.start, sample, seed), standing[order[0]]
    close = best + _CLOSE * min(max(begin - best, 0.0), 2.0 * abs(best))
    winner = max(rate for rate in running if standing[rate] <= close or rate == order[0])
    return tuple((rate, standing[rate]) for rate in [winner, *(r for r in order if r != winner)])


def fastest(tried: Tried) -> float:
    """Return the rate that won a race; raise BadValue if every rate failed."""
    rate, loss = tried[0]
    if math.isfinite(loss):
        return rate
    raise BadValue(
        Says(
            "the loss is not finite at any learning rate from {0:.1e} to {1:.1e}.",
            "a perda não é finita com taxa de aprendizado nenhuma de {0:.1e} a {1:.1e}.",
        ).fill(min(r for r, _ in tried), max(r for r, _ in tried)),
        Says(
            "check the data and the first parameters for NaN, and scale the data.",
            "procure NaN nos dados e nos parâmetros iniciais, e ponha os dados em escala.",
        ),
    )


def _run(stepper: Stepper, leaves: Leaves, rate: float, batches: list[Any], seed: int) -> Leaves:
    rng = np.random.default_rng([seed, 5])
    with np.errstate(all="ignore"):
        for batch in batches:
            leaves = stepper.advance(leaves, rate, batch, rng).leaves
    return leaves


def _loss(stepper: Stepper, leaves: Leaves, sample: list[Any], seed: int) -> float:
    rng = np.random.default_rng([seed, 7])
    with np.errstate(all="ignore"):
        losses = [float(stepper.measure(leaves, batch, rng)) for batch in sample]
    weights = [rows_of(batch) for batch in sample]
    mean = float(np.average(losses, weights=weights))
    return mean if math.isfinite(mean) else math.inf


def rows_of(batch: tuple[Any, ...]) -> int:
    """Return how many rows a batch has."""
    return len(take_apart(batch).leaves[0])


def _endless(seen: Source, size: int, seed: int) -> Iterator[Any]:
    epoch = 0
    while True:
        yield from seen.read(size, np.random.default_rng([seed, 5, epoch]))
        epoch += 1
