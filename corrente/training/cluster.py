"""Training on a cluster: data stay where they are, parameters travel, gradients are summed.

A minibatch takes its slice of every shard. The partition, the slices and the order of the sum
depend on the data, the batch size and the seed alone, so that one worker or a thousand end in the
same bits.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import numpy as np

from corrente.errors import BadArgument, CorrenteError, CorrenteWarning
from corrente.extras import load
from corrente.training.batches import Batch, Order, Source
from corrente.training.course import Course, Keeper
from corrente.training.crew import ClusterError, Crew, Lot, SchedulerLost
from corrente.training.shards import slices
from corrente.training.stepping import Away, Leaves, takes_generator
from corrente.training.tasks import Blame, Errand, Part, Program, known
from corrente.words import Says


class ClusterLost(CorrenteError, ConnectionError):
    """The scheduler of a cluster is gone; `training` is what was learned until then."""


class ShardWarning(CorrenteWarning):
    """Something about the shards of the data.

    Some rows give a gradient that is not finite, while the others are fine; or there are fewer
    shards than workers.
    """


class Minibatch:
    """A minibatch on a cluster: from where to where of each shard, in the order of an epoch.

    No tuple and no dataclass: where batches are taken apart it is a leaf, as long as its rows.
    """

    def __init__(self, side: Side, order: int | None, cuts: list[tuple[int, int]]) -> None:
        self.side, self.order, self.cuts = side, order, cuts

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self.cuts)

    def errands(self, chance: int | None) -> list[Errand]:
        """Return what is to be done on each shard; `chance` seeds what the loss draws."""
        rows, part = max(len(self), 1), self.side.part
        return [
            Errand(start, stop, self.order, (stop - start) / rows, chance, part)
            for start, stop in self.cuts
        ]


@dataclass(frozen=True)
class Side:
    """The rows of a lot that are learned from, or those held back."""

    lot: Lot
    part: Part | None = None

    @property
    def rows(self) -> list[int]:
        """Return how many of the rows of each shard are meant."""
        return [shard._replace(part=self.part).rows for shard in self.lot.shards]


@dataclass
class Post:
    """A training's place on a cluster."""

    crew: Crew
    shards: int = 0
    blaming: bool = False
    """Whether bad rows are looked for: not while rates race, where some are to fail."""
    blamed: set[int] = field(default_factory=set)

    def parted(self, data: Any, validation: Any, seed: int, size: int) -> tuple[Source, Any]:
        """Return the minibatches to learn from, and those held back or None."""
        lot = self.crew.lot(data, size)
        self.shards = len(lot.shards)
        self._see_that_all_work()
        if validation is None:
            return self._source(Side(lot)), None
        if isinstance(validation, float | int) and not isinstance(validation, bool):
            sides = [Side(lot, Part(float(validation), seed, back)) for back in (False, True)]
            return self._source(sides[0]), self._source(sides[1])
        return self._source(Side(lot)), self._source(Side(self.crew.lot(validation, size)))

    def _see_that_all_work(self) -> None:
        self.crew.muster()
        if self.shards < len(self.crew.slots):
            said = _FEW.fill(self.shards, len(self.crew.slots))
            warnings.warn(ShardWarning(said), stacklevel=4)

    def _source(self, side: Side) -> Source:
        rows = side.rows
        total = sum(rows)

        def read(size: int, order: Order) -> Iterator[Batch]:
            self.crew.muster()
            key = None if order is None else int(order.integers(1 << 62))
            steps = math.ceil(total / size)
            for step in range(steps):
                batch = Minibatch(side, key, slices(rows, step, steps))
                if len(batch):
                    yield (batch,)

        return Source(total, read)

    def away(self, loss: Callable[..., Any], measure: Any, compiled: bool) -> Away:
        """Have a loss, its gradient and what is measured worked out on the cluster."""
        gradient = program(loss, compiled, slopes=True)
        value = program(measure or loss, compiled, slopes=False)

        def slopes(params: Any, batch: Batch, rng: Any) -> tuple[Any, Leaves]:
            [minibatch] = batch
            errands = minibatch.errands(_chance(gradient, rng))
            found = self.crew.summed(gradient, params, minibatch.side.lot, errands)
            if found.unfit and self.blaming:
                unfit = {number: [errands[number]] for number in found.unfit}
                self._warn(self.crew.blamed(gradient, params, minibatch.side.lot, unfit))
            return found.values[0], known(found.values[1:])

        def measured(params: Any, batch: Batch, rng: Any) -> Any:
            [minibatch] = batch
            errands = minibatch.errands(_chance(value, rng))
            return self.crew.summed(value, params, minibatch.side.lot, errands).values[0]

        return Away(slopes, measured)

    def _warn(self, found: dict[int, Blame]) -> None:
        """Name the rows that are to blame, each once; nobody is where all rows are bad."""
        named = {number: one.rows for number, one in found.items() if one.rest and one.rows}
        fresh = {number: rows for number, rows in named.items() if not self.blamed >= set(rows)}
        if len(named) < len(found) or not fresh:
            return
        self.blamed.update(row for rows in named.values() for row in rows)
        listed = Says(*(_listed(fresh, language) for language in ("en", "pt")))
        warnings.warn(ShardWarning(_BLAME.fill(listed)), stacklevel=8)


def program(function: Callable[..., Any], compiled: bool, slopes: bool) -> Program:
    """Make a function ready to travel."""
    return Program(uuid4().hex, function, takes_generator(function), compiled, slopes)


def _chance(program: Program, rng: Any) -> int | None:
    return int(rng.integers(1 << 62)) if program.draws else None


@contextmanager
def engaged(cluster: Any) -> Iterator[Post | None]:
    """Give a training's place on a cluster; None without one. What was started here is closed.

    A cluster is a Dask client, a cluster that has one, a scheduler's address, or the number of
    processes to start on this machine ("local": one for each core).
    """
    if cluster is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            yield Post(Crew(_client(cluster, stack)))
        except SchedulerLost as lost:
            raise ClusterLost(_EARLY, _RESTART, False) from lost


def _client(cluster: Any, stack: ExitStack) -> Any:
    purpose = Says("training on a cluster", "treinar num cluster")
    distributed = load("distributed", "cluster", purpose)
    if isinstance(cluster, distributed.Client) and not cluster.asynchronous:
        return cluster
    if isinstance(cluster, int | np.integer) and cluster > 0 and not isinstance(cluster, bool):
        return _started(distributed, int(cluster), stack)
    if cluster == "local":
        return _started(distributed, os.cpu_count() or 1, stack)
    if isinstance(cluster, str) and "://" in cluster:
        return stack.enter_context(_joined(distributed, cluster))
    if hasattr(cluster, "scheduler_address"):
        return stack.enter_context(_joined(distributed, cluster))
    raise BadArgument(
        Says("cluster={0} is no cluster.", "cluster={0} não é um cluster.").fill(repr(cluster)),
        Says(
            'a distributed.Client, a cluster, an address "tcp://…", a number of processes, '
            'or "local".',
            'um distributed.Client, um cluster, um endereço "tcp://…", um número de processos, '
            'ou "local".',
        ),
    )


def _joined(distributed: Any, cluster: Any) -> Any:
    """Open a client of a cluster; ClusterError where no scheduler answers."""
    try:
        return distributed.Client(cluster, set_as_default=False)
    except (OSError, RuntimeError) as silent:
        address = getattr(cluster, "scheduler_address", cluster)
        raise ClusterError(
            _SILENT.fill(address, str(silent).rstrip(".")),
            Says(
                "start one (`dask scheduler`), check its address, or give a number of processes.",
                "inicie um (`dask scheduler`), confira o endereço, ou dê um número de processos.",
            ),
        ) from silent


_SILENT = Says("no scheduler answers at {0}: {1}.", "nenhum escalonador responde em {0}: {1}.")


def _started(distributed: Any, processes: int, stack: ExitStack) -> Any:
    cluster = distributed.LocalCluster(
        n_workers=processes,
        threads_per_worker=1,
        dashboard_address=":0",
        silence_logs="ERROR",
        # the processes share the cores out among themselves
        env={"CORRENTE_THREADS": "1"},
    )
    stack.enter_context(cluster)
    return stack.enter_context(_joined(distributed, cluster))


@contextmanager
def rescued(
    post: Post | None, keeper: Keeper, course: Callable[[], Course], ended: Callable[[], Any]
) -> Iterator[None]:
    """Keep what was learned when the cluster is lost: save it, and raise ClusterLost with it."""
    try:
        if post is not None:
            post.blaming = True
        yield
    except SchedulerLost as lost:
        keeper.keep(course())
        mend = _AFRESH if keeper.path is None else _AGAIN.fill(str(keeper.path))
        error = ClusterLost(_LOST.fill(course().epoch + 1, course().batch), mend, False)
        error.training = ended()  # type: ignore[attr-defined]
        raise error from lost


_LOST = Says(
    "the cluster's scheduler was lost in epoch {0}, after {1} steps of it.",
    "o escalonador do cluster se perdeu na época {0}, após {1} passos dela.",
)
_EARLY = Says(
    "the cluster's scheduler was lost before the first epoch.",
    "o escalonador do cluster se perdeu antes da primeira época.",
)
_RESTART = Says("start the cluster again.", "inicie o cluster de novo.")
_AGAIN = Says(
    "start the cluster again and call once more with checkpoint={0!r}: it goes on from there, to "
    "the same bits.",
    "inicie o cluster de novo e chame outra vez com checkpoint={0!r}: continua dali, até os mesmos "
    "bits.",
)
_AFRESH = Says(
    "the error's `training` holds the parameters; give checkpoint= to have the next run go on.",
    "o `training` do erro traz os parâmetros; dê checkpoint= para que a próxima execução continue.",
)
_FEW = Says(
    "the data are in {0} shards, and {1} workers could work at once: take larger minibatches, "
    "or cut the data finer (row groups of a Parquet file, Dask blocks).",
    "os dados estão em {0} partes, e {1} trabalhadores poderiam trabalhar ao mesmo tempo: use "
    "lotes maiores, ou corte os dados mais fino (grupos de linhas do Parquet, blocos do Dask).",
)
_BLAME = Says(
    "the gradient is not finite, only from {0}. Look at these rows, counted from 0 in the whole "
    "data.",
    "o gradiente não é finito, só por causa de {0}. Veja essas linhas, contadas de 0 nos dados "
    "inteiros.",
)
_SHARD = {"en": "shard {0}, row {1}", "pt": "parte {0}, linha {1}"}


def _listed(rows: dict[int, tuple[int, ...]], language: str) -> str:
    shards = [_SHARD[language].format(k, ", ".join(map(str, r))) for k, r in rows.items()]
    return "; ".join(shards)
