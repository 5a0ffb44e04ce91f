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
"""Rows on which curvature is measured."""
_PART, _UNKNOWN = 16, 20
"""The part of a training that choosing its rate may cost; steps of an epoch nobody can count."""
_FEW, _LEAST_RACE = 10, 24
"""Steps too few for a fine sweep, and those that a race needs."""
_LOWEST, _DEEPER, _SMALLEST = 4e-3, 64.0, 1e-6
"""Where a sweep begins if nothing tells; how much deeper, and how deep, when that was too high."""
_HEAVY, _ENOUGH, _FINALISTS = 1.5, 0.1, 2


class _Manner(NamedTuple):
    """How the rate of one sort of optimiser is chosen (measured: benchmarks/rates.py).

    `share` of the best rate of a sweep is the middle of the race, in which `around` run; it is
    never above `most`. A rate that is `close` to the best one's progress wins if it is larger.
    Where steps have no bound, a race `rises` as a training does: curvature falls meanwhile.
    """

    share: float
    most: float
    around: tuple[float, ...]
    close: float
    rises: bool


_BOUNDED = _Manner(1.0, 0.1, (0.32, 1.0, 3.2), 0.1, rises=False)
_STRAIGHT = _Manner(0.5, math.inf, (0.5, 1.0, 2.0, 4.0), 0.5, rises=True)
_ROLLING = _Manner(0.5, math.inf, (0.32, 1.0, 3.2, 10.0), 0.1, rises=True)

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
    every minibatch until the loss does), and searches for a rate as `co.train` does, with about
    `steps` steps: rates that double from step to step, then a race.
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
    tried = search(pair, stepper, seen, batch_size, steps, seed)
    return Rates(fastest(tried), stable, test, tried)


def suggest(
    pair: Optimiser, stepper: Stepper, seen: Source, size: int, steps: int, seed: int
) -> float:
    """Choose a rate for a training, at the cost of about `steps` steps."""
    return fastest(search(pair, stepper, seen, size, steps, seed))


def allowance(seen: Source, size: int, epochs: int) -> int:
    """Return how many steps may be spent on choosing the rate of a training."""
    return epochs * (seen.steps(size) or _UNKNOWN) // _PART


def search(
    pair: Optimiser, stepper: Stepper, seen: Source, size: int, steps: int, seed: int
) -> Tried:
    """Sweep over the rates on one batch; if steps are left, let those near the best one race.

    Returns pairs (rate, loss) with the winner first.
    """
    batch, bounded = next(_endless(seen, size, seed)), normalises(pair)
    far = 1.0 if bounded else reach(pair)
    manner = _BOUNDED if bounded else _ROLLING if far > _HEAVY else _STRAIGHT
    lowest, left = (_LOWEST, steps) if bounded else (_short(stepper, batch, seed), steps - 1)
    # with few steps the whole range is gone through in longer strides
    most, stride = (max(2, left - 1), 4.0) if steps < _FEW else (max(_FEW, steps // 3), 2.0)
    swept: Tried = ()
    while not swept or (_too_short(swept, steps) and swept[0][0] > _SMALLEST * lowest):
        begin = swept[0][0] / _DEEPER if swept else lowest * stride / 2.0
        swept = sweep(stepper, batch, begin, stride, most, seed, bounded)
        left -= 1 + len(swept)
    tried = [(min(rate * manner.share / far, manner.most), loss) for rate, loss in swept]
    centre = _best(tried)
    if left < _LEAST_RACE or not math.isfinite(centre[1]):
        return (centre, *(one for one in tried if one != centre))
    rates = [centre[0] * part for part in manner.around]
    return race(stepper, seen, size, seed, rates, left, manner.close, manner.rises)


def _too_short(swept: Tried, steps: int) -> bool:
    """Tell whether a sweep has begun where it should end, and there are steps to begin lower."""
    return swept[0] == _best(swept) and (steps >= _FEW or len(swept) == 1)


def _best(tried: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return min(tried, key=lambda one: one[1])


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
    """Tell whether an optimiser's steps keep their length when a small gradient grows.

    >>> normalises(named("adam")), normalises(named("sgd"))
    (True, False)
    """
    one, other = (pair.update(g, pair.init(1.0), 1.0)[0] for g in (1e-3, 1e-1))
    return bool(abs(other) < 2.0 * abs(one))


def reach(pair: Optimiser) -> float:
    """Return how much longer an optimiser's steps become while the gradient stays as it is.

    >>> reach(named("sgd")), round(reach(named("momentum")))
    (1.0, 9)
    """
    state, lengths = pair.init(1.0), []
    for _ in range(20):
        move, state = pair.update(1.0, state, 1.0)
        lengths.append(abs(move))
    return float(lengths[-1] / lengths[0])


def sweep(
    stepper: Stepper,
    batch: tuple[Any, ...],
    rate: float,
    stride: float,
    most: int,
    seed: int,
    remember: bool,
) -> Tried:
    """Go downhill on one batch, the rate `stride` times longer at each step, while it pays.

    Returns pairs (rate, loss after the step). Unless it is to `remember`, the optimiser begins
    anew at each step, so that none carries on what an earlier rate has set in motion.
    """
    found: list[tuple[float, float]] = []
    state = stepper.start[stepper.size :]
    with np.errstate(all="ignore"):
        outcome = stepper.advance(stepper.start, rate, batch, np.random.default_rng(seed))
        first = float(outcome.loss)
        for _ in range(most):
            leaves = outcome.leaves if remember else (*outcome.leaves[: stepper.size], *state)
            outcome = stepper.advance(leaves, stride * rate, batch, np.random.default_rng(seed))
            loss = float(outcome.loss)
            found.append((rate, loss if math.isfinite(loss) else math.inf))
            # far above the first loss, or almost at nought: there is nothing to see beyond
            if not loss <= first + abs(first) or abs(loss) < _ENOUGH * abs(first):
                break
            rate *= stride
    return tuple(found)


def _short(stepper: Stepper, batch: tuple[Any, ...], seed: int) -> float:
    """Return a rate that is surely short: a quarter of the step that a slope would need to nought.

    Source: Polyak (1987), "Introduction to optimization".
    """
    with np.errstate(all="ignore"):
        outcome = stepper.advance(stepper.start, 0.0, batch, np.random.default_rng(seed))
        short = 0.25 * abs(float(outcome.loss)) / float(outcome.gradient_norm) ** 2
    return short if 0.0 < short < math.inf else _LOWEST


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
    close: float = 0.1,
    rises: bool = False,
) -> Tried:
    """Let rates race from the same start over the same batches; the slower half drops out.

    Three rounds, the last one twice as long, about `steps` steps in all; if it `rises`, the rates
    do so up to the last round. Returns pairs (rate, mean loss late in its last round) with the
    winner first; a rate that made a NaN has the loss infinity.
    """
    half = max(_FINALISTS, (len(rates) + 1) // 2)
    length = max(2, steps // (len(rates) + half + 2 * _FINALISTS))
    batches = list(islice(_endless(seen, size, seed), 4 * length))
    scales = [min(1.0, 0.1 + k / (2 * length)) if rises else 1.0 for k in range(4 * length)]
    laps = list(zip(batches, scales, strict=True))
    running: dict[float, Leaves] = dict.fromkeys(rates, stepper.start)
    standing: dict[float, float] = {}
    begin = math.nan
    for lap, kept in (
        (laps[:length], len(rates)),
        (laps[length : 2 * length], half),
        (laps[2 * length :], _FINALISTS),
    ):
        ranked = sorted(running, key=lambda rate: standing.get(rate, 0.0))
        running = {rate: running[rate] for rate in ranked[:kept]}
        for rate, leaves in running.items():
            running[rate], losses = _run(stepper, leaves, rate, lap, seed)
            begin = losses[0] if math.isnan(begin) else begin
            mean = float(np.mean(losses[len(losses) // 2 :]))
            standing[rate] = mean if math.isfinite(mean) else math.inf
    order = sorted(standing, key=lambda rate: standing[rate])
    # a short race flatters small rates: of those close behind, the largest goes further
    best = standing[order[0]]
    behind = best + close * min(max(begin - best, 0.0), 4.0 * abs(best))
    winner = max([order[0], *(rate for rate in running if standing[rate] <= behind)])
    return tuple((rate, standing[rate]) for rate in [winner, *(r for r in order if r != winner)])


def fastest(tried: Tried) -> float:
    """Return the rate that won a race; raise BadValue if every rate failed."""
    rate, loss = tried[0]
    if math.isfinite(loss):
        return rate
    raise hopeless(min(r for r, _ in tried))


def hopeless(lowest: float) -> BadValue:
    """Return the error of a loss that no rate brings down."""
    return BadValue(
        Says(
            "the loss is not finite at any learning rate down to {0:.1e}.",
            "a perda não é finita com taxa de aprendizado nenhuma, até {0:.1e}.",
        ).fill(lowest),
        Says(
            "check the data and the first parameters for NaN, and scale the data.",
            "procure NaN nos dados e nos parâmetros iniciais, e ponha os dados em escala.",
        ),
    )


def _run(
    stepper: Stepper, leaves: Leaves, rate: float, lap: Sequence[tuple[Any, float]], seed: int
) -> tuple[Leaves, list[float]]:
    rng, losses = np.random.default_rng([seed, 5]), []
    with np.errstate(all="ignore"):
        for batch, scale in lap:
            outcome = stepper.advance(leaves, scale * rate, batch, rng)
            leaves = outcome.leaves
            losses.append(float(outcome.loss))
    return leaves, losses


def rows_of(batch: tuple[Any, ...]) -> int:
    """Return how many rows a batch has."""
    first = batch[0]
    return len(first if type(first) is np.ndarray else take_apart(batch).leaves[0])


def _endless(seen: Source, size: int, seed: int) -> Iterator[Any]:
    epoch = 0
    while True:
        yield from seen.read(size, np.random.default_rng([seed, 5, epoch]))
        epoch += 1
