"""Training: parameters go downhill on a loss over data, minibatch by minibatch."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadArgument, BadValue, CorrenteWarning
from corrente.optimisers import Optimiser
from corrente.training.batches import Source, source, split
from corrente.training.cluster import engaged, rescued
from corrente.training.course import Course, Keeper
from corrente.training.history import History, Record
from corrente.training.rates import allowance, hopeless, rows_of, suggest
from corrente.training.stepping import Stepper, named, prepare
from corrente.training.watching import watch
from corrente.words import Says

MOST_RETREATS, _MOST_CUTS = 12, 4
_LOST, _OFF, _FAR = 0.1, 20.0, 100.0
_RISE, _LEVEL, _FINAL = 0.03, 0.75, 0.01
_SHORT = 400
"""Steps of a training in which there is no time to let the rate rise."""


class DivergedWarning(CorrenteWarning):
    """The loss became NaN or infinite, and training stopped at the best parameters before."""


@dataclass(frozen=True)
class Training:
    """What was learned: the parameters, and how it came about.

    `params` are the best ones where validation data were given, else the last ones; `state` is
    the optimiser's last state. `stopped` is "done", "patience", "interrupted", "diverged" or
    "callback".
    """

    params: Any
    history: History
    stopped: str
    rate: float
    """The rate in the end (1.0 where the optimiser brought its own)."""
    best_epoch: int
    best_loss: float
    state: Any

    def __str__(self) -> str:
        return self.says.en

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    @property
    def says(self) -> Says:
        """Say in one sentence how the training ended."""
        return Says(
            "{0} after {1} epochs: loss {2:.4g} at epoch {3}, rate {4:.3g}.",
            "{0} após {1} épocas: perda {2:.4g} na época {3}, taxa {4:.3g}.",
        ).fill(
            _ENDINGS[self.stopped], len(self.history), self.best_loss, self.best_epoch, self.rate
        )


_ENDINGS = {
    "done": Says("done", "concluído"),
    "patience": Says("stopped early", "parado cedo"),
    "interrupted": Says("interrupted", "interrompido"),
    "diverged": Says("diverged", "divergiu"),
    "callback": Says("stopped by the callback", "parado pelo callback"),
}


def train(
    loss: Callable[..., Any],
    params: Any,
    data: Any,
    *,
    optimiser: Any = "adam",
    rate: float | str | None = None,
    epochs: int = 50,
    batch_size: int = 64,
    seed: int = 0,
    validation: Any = None,
    patience: int | None = None,
    measure: Callable[..., Any] | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    save_every: float = 30.0,
    callback: Callable[[Record, Any], Any] | None = None,
    cluster: Any = None,
    memory: str | int | None = None,
    progress: bool | None = None,
    compiled: bool = True,
    lang: str = "en",
) -> Training:
    """Minimise the mean of `loss(params, *batch)` over data; return what was learned.

    `loss` is plain NumPy and returns the mean over its batch; one with an argument `rng` is given
    a generator that draws anew at each step. `params` are arrays and floats, nested as you like,
    and are not changed. `data` is what `batches.source` takes: `(X, y)`, a frame, a Parquet file,
    an iterable.

    `optimiser` is a name ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"),
    a function from a rate to an Optimiser, or an Optimiser with a rate of its own. `rate` is a
    number, which is kept, or "auto" (when not given): a sixteenth of the steps goes to finding
    one; it falls to nought towards the end, and is halved where the loss explodes.

    `validation` is a fraction of the rows to hold back, or data; `measure` is what is measured on
    them (the loss, when not given); after `patience` epochs without a better value training
    stops. `checkpoint` is a safetensors file, saved every `save_every` seconds and at the end: if
    it exists, the run is taken up where it was, to the same bits. Ctrl-C ends the training and
    keeps what was learned. `callback(record, params)` is told each epoch, and stops with True.
    `progress` draws a bar (when not given: in a terminal); `compiled=False` runs plain NumPy.
    `memory` is a budget for a compiled step, as in `co.jit`.

    `cluster` is a Dask client, or a number of processes to start here: gradients are worked out
    where the data are (Dask arrays and functions that load a shard each are data, too), and
    summed so that any number of workers ends in the same bits.

    Raises as `value_and_grad`; CheckpointError for a file of another run, and, with what was
    learned as its `training`, when the last checkpoint cannot be written; ClusterLost, likewise,
    without the scheduler. Warns with DivergedWarning, and ShardWarning.

    >>> import numpy as np, corrente as co
    >>> X = np.random.default_rng(0).normal(size=(500, 2))
    >>> y = X @ [2.0, -1.0]
    >>> trained = train(lambda w, x, y: np.mean((x @ w - y) ** 2), np.zeros(2), (X, y))
    >>> trained.params.round(2)
    array([ 2., -1.])
    """
    _check(epochs, batch_size, patience)
    pair, fixed = named(optimiser), _fixed_rate(optimiser, rate)
    with engaged(cluster) as post:
        parted = post.parted if post else _parted
        seen, held = parted(data, validation, seed, batch_size)
        away = post.away(loss, measure, compiled) if post else None
        stepper = prepare(loss, pair, params, compiled, measure, away, memory)
        run = {"seed": seed, "batch_size": batch_size, "rows": seen.rows}
        run |= {"shards": post.shards} if post else {}
        path = None if checkpoint is None else Path(checkpoint)
        keeper = Keeper(path, save_every, stepper, run)
        course = keeper.found()
        if course is None:
            steps = allowance(seen, batch_size, epochs)
            first = fixed or suggest(pair, stepper, seen, batch_size, steps, seed)
            course = Course(stepper.start, stepper.start[: stepper.size], first)
        plan = _Plan(stepper, keeper, seen, held, not fixed, epochs, batch_size, seed, patience)
        running = _Running(course)
        ended = lambda: _result(plan, running.course)
        rescue = rescued(post, keeper, lambda: running.course, ended)
        with watch(epochs, progress, lang, course.epoch) as tell, rescue:
            witness = _witness(None if post else callback, stepper)
            _go(plan, running, _listeners(tell, callback, stepper), witness)
        return ended()


# --- the loop -----------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """What stays the same through a training."""

    stepper: Stepper
    keeper: Keeper
    seen: Source
    held: Source | None
    automatic: bool
    epochs: int
    size: int
    seed: int
    patience: int | None


@dataclass
class _Running:
    """Holds the moment a training has reached; exchanged whole, so Ctrl-C never tears it."""

    course: Course


class _Exploded(Exception):
    """The loss is no number any more, or has left its course; with the batch that showed it."""


Listener = Callable[[Course], bool]


def _listeners(
    tell: Callable[[Record], None], callback: Callable[..., Any] | None, stepper: Stepper
) -> Listener:
    def told(course: Course) -> bool:
        record = course.records[-1]
        tell(record)
        return callback is not None and callback(record, stepper.params(course.leaves)) is True

    return told


def _witness(callback: Callable[..., Any] | None, stepper: Stepper) -> Callable[..., None]:
    """Show a callback that has `exploded` the batch on which a training diverged."""
    look = getattr(callback, "exploded", None)

    def lost(course: Course, batch: tuple[Any, ...]) -> None:
        if look is not None and batch:
            look(course.epoch + 1, stepper.params(course.leaves), *batch)

    return lost


def _go(plan: _Plan, running: _Running, told: Listener, lost: Callable[..., None]) -> None:
    """Train to the end, whichever it is, and save there."""
    try:
        while not running.course.ended and running.course.epoch < plan.epochs:
            try:
                _epoch(plan, running)
            except _Exploded as explosion:
                before, running.course = running.course, _retreat(plan, running.course)
                if running.course.ended:
                    lost(before, explosion.args)
                continue
            if told(running.course):
                running.course = running.course._replace(ended="callback")
            elif _out_of_patience(plan, running.course):
                running.course = running.course._replace(ended="patience")
    except KeyboardInterrupt:
        plan.keeper.keep(running.course)  # without an ending: it may be taken up again
        running.course = running.course._replace(ended="interrupted")
        return
    plan.keeper.keep(running.course)


def _epoch(plan: _Plan, running: _Running) -> None:
    """Run one epoch, or what is left of it."""
    number, began = running.course.epoch, time.perf_counter()
    steps = plan.seen.steps(plan.size)
    batches = plan.seen.read(plan.size, np.random.default_rng([plan.seed, 0, number]))
    for k, batch in enumerate(batches):
        course = running.course
        if k < course.batch:
            continue  # done before the run was taken up again
        part = (number + (k / steps if steps else 0.0)) / plan.epochs
        key = [plan.seed, 2, course.steps]
        rng = np.random.default_rng(key) if plan.stepper.draws else None
        outcome = plan.stepper.advance(course.leaves, _scale(plan, course, part), batch, rng)
        loss = float(outcome.loss)
        if not math.isfinite(loss) or (plan.automatic and _thrown_off(course, loss)):
            raise _Exploded(*batch)
        running.course = course.stepped(outcome, loss, rows_of(batch))
        if plan.keeper.due():
            plan.keeper.keep(running.course)
    running.course = _turn(plan, running.course, time.perf_counter() - began)
    if plan.keeper.due():
        plan.keeper.keep(running.course)


def _scale(plan: _Plan, course: Course, part: float) -> float:
    """Return the rate of a step: an automatic one rises briefly, and falls in the end."""
    if not plan.automatic:
        return course.rate
    steps = plan.seen.steps(plan.size)
    brief = steps is not None and plan.epochs * steps < _SHORT
    rise = 1.0 if brief else min(1.0, 0.1 + part / _RISE)
    fall = max(0.0, part - _LEVEL) / (1.0 - _LEVEL)
    return course.rate * rise * (_FINAL + (1.0 - _FINAL) * 0.5 * (1.0 + math.cos(math.pi * fall)))


def _turn(plan: _Plan, course: Course, seconds: float) -> Course:
    """End an epoch: measure, record, and keep the best."""
    if not course.batch:
        raise BadValue(
            Says("an epoch had no batches.", "uma época não teve lotes."),
            Says(
                "give an iterable that starts anew each time it is gone through.",
                "dê um iterável que recomece a cada vez que é percorrido.",
            ),
        )
    course = course._replace(seconds=course.seconds + seconds)
    validation = None if plan.held is None else _measured(plan, course)
    part = (course.epoch + 1) / plan.epochs
    record = course.record(validation, _scale(plan, course, part))
    if not math.isfinite(record.gradient_norm):
        raise _Exploded
    # an epoch that was thrown off may have come back by its end, and then goes on
    if plan.automatic and _too_high(course, min(record.loss, course.last)):
        raise _Exploded
    return course.turned(record)


def _thrown_off(course: Course, loss: float) -> bool:
    """Tell whether the loss of one step is so high that the epoch need not be ended."""
    # asked at every step: what is below the very first loss is not looked at
    return course.first is not None and loss > course.first and _too_high(course, loss, _FAR)


def _too_high(course: Course, loss: float, factor: float = 0.5) -> bool:
    """Tell whether a loss has lost much of what was won, or is off to where nothing is."""
    first = loss if course.first is None else course.first
    # after a retreat it may have begun again, and is only to be better than nothing
    seen = () if course.stuck else course.records
    least = min([first, *(record.loss for record in seen)])
    # a loss that goes on swinging after some cuts is swinging by nature
    factor = factor if course.retreats < _MOST_CUTS else max(factor, _OFF)
    return loss - least > factor * max(_LOST * (first - least), abs(least))


def _measured(plan: _Plan, course: Course) -> float:
    assert plan.held is not None
    rng = np.random.default_rng([plan.seed, 3])
    total = rows = 0.0
    for batch in plan.held.read(plan.size, None):
        count = rows_of(batch)
        total += count * float(plan.stepper.measure(course.leaves, batch, rng))
        rows += count
    return total / max(rows, 1.0)


def _retreat(plan: _Plan, course: Course) -> Course:
    """Go back to the best parameters, with a smaller rate where it is ours to choose."""
    # without the optimiser's state, which begins anew
    course = course._replace(best=course.best[: plan.stepper.size])
    if plan.automatic and course.retreats < MOST_RETREATS:
        cut = 4.0 if course.stuck > 1 else 2.0
        return course.retreated(course.rate / cut, plan.stepper.start)
    if plan.automatic and not course.records:
        raise hopeless(course.rate)
    # what never was a number is rather no fault of the rate
    advice = _SMALLER if course.records or course.batch else _LOOK
    said = _DIVERGED.fill(course.epoch + 1, course.best_epoch, advice)
    warnings.warn(DivergedWarning(said), stacklevel=4)
    start = plan.stepper.start[plan.stepper.size :]
    return course._replace(leaves=(*course.best, *start), ended="diverged")


_DIVERGED = Says(
    "the loss became NaN or infinite in epoch {0}: the parameters are those after epoch {1}. {2}",
    "a perda virou NaN ou infinito na época {0}: os parâmetros são os de depois da época {1}. {2}",
)
_SMALLER = Says(
    'Try a smaller rate, or rate="auto"; co.shares(loss, params, data) names rows that are NaN.',
    'Tente uma taxa menor, ou rate="auto"; co.shares(perda, parâmetros, dados) diz que linhas '
    "são NaN.",
)
_LOOK = Says(
    "Look for NaN in the data: co.shares(loss, params, data) names the rows.",
    "Procure NaN nos dados: co.shares(perda, parâmetros, dados) diz em que linhas.",
)


def _out_of_patience(plan: _Plan, course: Course) -> bool:
    return plan.patience is not None and course.epoch - course.best_epoch >= plan.patience


def _result(plan: _Plan, course: Course) -> Training:
    best = plan.held is not None and course.best_epoch > 0
    training = Training(
        plan.stepper.params(course.best if best else course.leaves),
        History(list(course.records)),
        course.ended or "done",
        course.rate,
        course.best_epoch,
        course.best_value,
        plan.stepper.state(course.leaves),
    )
    if plan.keeper.fault is not None:
        # a program that only reads the file must not go on as if it were there
        plan.keeper.fault.training = training  # type: ignore[attr-defined]
        raise plan.keeper.fault
    return training


# --- arguments ----------------------------------------------------------------------------------


def _parted(data: Any, validation: Any, seed: int, _: int) -> tuple[Source, Source | None]:
    whole = source(data)
    if validation is None:
        return whole, None
    if isinstance(validation, float | int) and not isinstance(validation, bool):
        return split(whole, float(validation), seed)
    return whole, source(validation)


def _fixed_rate(optimiser: Any, rate: Any) -> float:
    """Return the rate that was asked for; 0 to have it chosen."""
    own = isinstance(optimiser, Optimiser)
    if rate is None:
        return 1.0 if own else 0.0
    if own:
        raise BadArgument(
            Says(
                "the optimiser was made with a rate of its own.",
                "o otimizador foi feito com uma taxa própria.",
            ),
            Says(
                'leave rate out, or name the optimiser: optimiser="adam", rate={0}.',
                'omita rate, ou dê o nome do otimizador: optimiser="adam", rate={0}.',
            ).fill(repr(rate)),
        )
    if rate == "auto":
        return 0.0
    if isinstance(rate, str) or not (np.ndim(rate) == 0 and 0 < rate < math.inf):
        raise BadValue(
            Says("rate={0} is no learning rate.", "rate={0} não é uma taxa.").fill(repr(rate)),
            Says('give a number above 0, or "auto".', 'dê um número acima de 0, ou "auto".'),
        )
    return float(rate)


def _check(epochs: int, batch_size: int, patience: int | None) -> None:
    for name, value, least in (
        ("epochs", epochs, 0),
        ("batch_size", batch_size, 1),
        ("patience", patience if patience is not None else 1, 1),
    ):
        if not isinstance(value, int | np.integer) or value < least:
            raise BadValue(
                Says("{0}={1} makes no sense here.", "{0}={1} não faz sentido aqui.").fill(
                    name, repr(value)
                ),
                Says(
                    "give a whole number from {0} on.", "dê um número inteiro a partir de {0}."
                ).fill(least),
            )
