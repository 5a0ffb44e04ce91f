"""The workers of a Dask cluster: what lies with them, and work done again when one is lost."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corrente.errors import CorrenteError
from corrente.extras import load
from corrente.training.gathering import FAN, Gathered, gather
from corrente.training.shards import Shard, Shards, blocks, cut_up, of_calls, of_dask, rows_of
from corrente.training.shelf import make_room
from corrente.training.tasks import Blame, Errand, Program, blame, part
from corrente.trees import take_apart
from corrente.words import Says

MOST_LOSSES = 10
"""How often in a row the work of one step is begun again."""
PATIENCE = 120.0
"""Seconds to wait for a worker where there is none."""
_TASKS_EACH = 2
_SMALL = 1 << 16


class ClusterError(CorrenteError, RuntimeError):
    """A cluster that cannot do the work: no workers, or workers that die of it."""


class SchedulerLost(Exception):
    """The scheduler is gone, and with it all that lay on the cluster."""


@dataclass
class Lot:
    """Shards of one partition, and where they lie: a future for each, None before it is needed."""

    shards: Shards
    futures: list[Any]


@dataclass
class Crew:
    """The workers of a cluster, as one client sees them."""

    client: Any
    slots: list[str] = field(default_factory=list)
    """The address of a worker for each thing that can be done at once, in a lasting order."""
    programs: dict[str, Any] = field(default_factory=dict)
    heard: set[Any] = field(default_factory=set)
    """The workers' warnings that have been given here."""

    # --- what lies there ---

    def lot(self, data: Any, size: int) -> Lot:
        """Cut data into shards; what is here is brought there when it is first needed."""
        if (pieces := of_dask(data)) is not None:
            return self._counted(self.client.compute(pieces))
        if (calls := of_calls(data)) is not None:
            return self._counted([self.client.submit(call, pure=False) for call in calls])
        shards = cut_up(data, size)
        return Lot(shards, [None] * len(shards))

    def _counted(self, held: list[Any]) -> Lot:
        counts = lambda: self.gathered(self.client.map(rows_of, held, pure=False))
        shards = blocks(self.through(counts), held)
        return Lot(shards, [None] * len(shards))

    def lay(self, lot: Lot) -> list[Any]:
        """Return the futures of all shards, laying again what has been lost."""
        future = _distributed().Future
        missing: dict[str, list[int]] = {}
        for number, known in enumerate(lot.futures):
            if known is None or known.status in ("cancelled", "lost", "error"):
                missing.setdefault(self._near(number, len(lot.shards)), []).append(number)
        for worker, numbers in missing.items():
            shards = [lot.shards[number] for number in numbers]
            if isinstance(shards[0].held, future):
                fresh = self.client.map(_holding, shards, [s.held for s in shards], pure=False)
            else:
                fresh = self.client.scatter(shards, workers=[worker], hash=False)
            for number, value in zip(numbers, fresh, strict=True):
                lot.futures[number] = value
        return lot.futures

    def _near(self, number: int, count: int) -> str:
        return self.slots[number * len(self.slots) // count]

    def _program(self, program: Program) -> Any:
        known = self.programs.get(program.mark)
        if known is None or known.status != "finished":
            [self.programs[program.mark]] = self.client.scatter([_Sealed(program)], hash=False)
        return self.programs[program.mark]

    def _sent(self, params: Any) -> Any:
        """Send parameters: small ones with each task, else to one worker, which hands them on."""
        size = sum(getattr(leaf, "nbytes", 0) for leaf in take_apart(params).leaves)
        if size <= _SMALL:
            return _Sealed(params)
        [future] = self.client.scatter([_Sealed(params)], hash=False)
        return future

    # --- work ---

    def summed(
        self, program: Program, params: Any, lot: Lot, errands: Sequence[Errand]
    ) -> Gathered:
        """Return the sum of what all shards give: the same bits for any number of workers."""
        return self.through(lambda: self._summed(program, params, lot, errands))

    def _summed(
        self, program: Program, params: Any, lot: Lot, errands: Sequence[Errand]
    ) -> Gathered:
        futures, told = self.lay(lot), self._program(program)
        given = self._sent(params)
        run = branch(len(futures), len(self.slots))
        branches = list(zip(in_runs(futures, run), in_runs(errands, run), strict=True))
        by_worker: dict[str, list[Any]] = {}
        for number, one in enumerate(branches):
            by_worker.setdefault(self._near(number, len(branches)), []).append(one)
        parts: list[Any] = []
        for worker, some in by_worker.items():
            parts += self.client.map(
                _part,
                [shards for shards, _ in some],
                [_Sealed(errands) for _, errands in some],
                told=told,
                given=given,
                pure=False,
                workers=[worker],
                allow_other_workers=True,
            )
        while len(parts) > FAN:
            parts = self.client.map(gather, in_runs(parts, FAN), pure=False)
        found = gather(self.gathered(parts))
        assert found is not None, "a step has rows"
        for kind, text in dict.fromkeys(found.said):
            if (kind, text) not in self.heard:
                self.heard.add((kind, text))
                warnings.warn(text, kind, stacklevel=2)
        return found

    def each(
        self, program: Program, params: Any, lot: Lot, errands: Sequence[Sequence[Errand]]
    ) -> list[Gathered]:
        """Return what each shard gives by itself."""
        return self.through(lambda: self._each(_alone, program, params, lot, errands))

    def blamed(
        self, program: Program, params: Any, lot: Lot, errands: Mapping[int, Sequence[Errand]]
    ) -> dict[int, Blame]:
        """Look for the bad rows of some shards."""
        some = Lot(tuple(lot.shards[k] for k in errands), [lot.futures[k] for k in errands])
        asked = list(errands.values())
        work = lambda: self._each(_blame, program, params, some, asked)
        return dict(zip(errands, self.through(work), strict=True))

    def _each(
        self, task: Callable[..., Any], program: Program, params: Any, lot: Lot, given: Any
    ) -> list[Any]:
        told = self._program(program)
        values = self._sent(params)
        asked = [_Sealed(one) for one in given]
        return self.gathered(
            self.client.map(task, self.lay(lot), asked, told=told, given=values, pure=False)
        )

    def gathered(self, futures: list[Any]) -> list[Any]:
        """Wait for futures and bring their values; what goes wrong in a task is raised here.

        Raises ClusterError where all workers have stopped for lack of memory: they would for ever.
        """
        while True:
            try:
                with self.client.as_current():
                    _distributed().wait(futures, timeout=PATIENCE / 4)
                return self.client.gather(futures)
            except TimeoutError:
                if set(self.client.run_on_scheduler(_statuses)) == {"paused"}:
                    raise ClusterError(_PAUSED, _LIGHTER) from None

    # --- losses ---

    def through(self, work: Callable[[], Any]) -> Any:
        """Do work, again where a worker took some of it along.

        Raises SchedulerLost, and ClusterError where it comes to nothing.
        """
        distributed = _distributed()
        closed = load("distributed.comm", "cluster", _PURPOSE).CommClosedError
        last: BaseException | None = None
        for _ in range(MOST_LOSSES):
            try:
                if last is not None or not self.slots:
                    self.muster()
                return work()
            except (distributed.CancelledError, distributed.TimeoutError, closed) as error:
                last = error
            except distributed.KilledWorker as error:
                raise ClusterError(_DEADLY.fill(error.allowed_failures + 1), _LIGHTER) from error
        raise ClusterError(_UNSTEADY.fill(MOST_LOSSES), _STEADY) from last

    def muster(self) -> None:
        """See who is there, waiting for a first worker; raise SchedulerLost if nobody answers."""
        present = self._present()
        if not present:
            try:
                self.client.wait_for_workers(1, timeout=PATIENCE)
            except TimeoutError as error:
                raise ClusterError(_NOBODY, _START) from error
            present = self._present()
        self.slots = kept_in_place(self.slots, present)

    def _present(self) -> dict[str, int]:
        while self.client.status == "connecting":  # it gives up by itself, in its own time
            time.sleep(0.05)
        if self.client.status != "running":
            raise SchedulerLost
        try:
            return dict(self.client.nthreads())
        except OSError as error:
            raise SchedulerLost from error


def branch(shards: int, slots: int) -> int:
    """Return how many neighbouring shards make one task: a power of two, some tasks for each slot.

    >>> branch(16, 2), branch(16, 1000)
    (4, 1)
    """
    run = 1
    while shards // (2 * run) >= _TASKS_EACH * slots:
        run *= 2
    return run


def in_runs(items: Sequence[Any], length: int) -> list[list[Any]]:
    """Return items in runs of a length; the last may be shorter.

    >>> in_runs("abcde", 2)
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    return [list(items[k : k + length]) for k in range(0, len(items), length)]


def kept_in_place(slots: list[str], present: dict[str, int]) -> list[str]:
    """Return the slots of those present, each where it was; new ones in place of who has gone.

    >>> kept_in_place(["a", "b", "c"], {"a": 1, "d": 1, "c": 1})
    ['a', 'd', 'c']
    """
    wanted = [address for address in sorted(present) for _ in range(present[address])]
    for address in slots:
        if address in wanted:
            wanted.remove(address)
    stayed = [address if present.get(address) else None for address in slots]
    filled = [address or (wanted.pop(0) if wanted else None) for address in stayed]
    return [address for address in filled if address] + wanted


# --- what the workers run -------------------------------------------------------------------------


class _Sealed:
    """A value in which Dask does not look for futures."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _part(shards: list[Shard], asked: _Sealed, told: _Sealed, given: _Sealed) -> Gathered | None:
    _settle()
    return part(told.value, given.value, shards, asked.value)


def _alone(shard: Shard, asked: _Sealed, told: _Sealed, given: _Sealed) -> Gathered | None:
    return _part([shard] * len(asked.value), asked, told, given)


def _blame(shard: Shard, asked: _Sealed, told: _Sealed, given: _Sealed) -> Blame:
    _settle()
    return blame(told.value, given.value, shard, asked.value)


def _settle() -> None:
    """Let what is kept of files take an eighth of the worker's memory."""
    make_room((_distributed().get_worker().memory_manager.memory_limit or 1 << 32) // 8)


def _statuses(dask_scheduler: Any) -> list[str]:
    return [worker.status.name for worker in dask_scheduler.workers.values()]


def _holding(shard: Shard, block: Any) -> Shard:
    return shard._replace(held=block)


# --- words ----------------------------------------------------------------------------------------

_PURPOSE = Says("training on a cluster", "treinar num cluster")


def _distributed() -> Any:
    return load("distributed", "cluster", _PURPOSE)


_DEADLY = Says(
    "the same work has killed {0} workers, one after the other.",
    "o mesmo trabalho matou {0} trabalhadores, um após o outro.",
)
_LIGHTER = Says(
    "most often memory was too small: take smaller batches, or cut the data into more shards "
    "(smaller row groups or Dask blocks).",
    "quase sempre faltou memória: use lotes menores, ou corte os dados em mais partes "
    "(grupos de linhas ou blocos do Dask menores).",
)
_PAUSED = Says(
    "all workers have stopped working: their memory is full.",
    "todos os trabalhadores pararam de trabalhar: a memória deles está cheia.",
)
_UNSTEADY = Says(
    "workers were lost {0} times in a row in one step.",
    "perderam-se trabalhadores {0} vezes seguidas num só passo.",
)
_STEADY = Says(
    "look into the workers' logs; with checkpoint= the training can be taken up again.",
    "veja os registros dos trabalhadores; com checkpoint= o treino pode ser retomado.",
)
_NOBODY = Says("the cluster has no workers.", "o cluster não tem trabalhadores.")
_START = Says("start one: dask worker ADDRESS.", "inicie um: dask worker ENDEREÇO.")
