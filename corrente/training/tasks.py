"""What a worker does: a shard's part of the loss and its gradient, and a search for bad rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from corrente.compiler import jit
from corrente.derivatives import value_and_grad
from corrente.extras import load
from corrente.training.batches import Batch, cut
from corrente.training.gathering import Gathered, gather
from corrente.training.shards import Part, Shard, take
from corrente.trees import take_apart
from corrente.words import Says

MOST_NAMED = 8
"""How many bad rows are looked for in a shard."""


class Program(NamedTuple):
    """A function of parameters and a batch, as it travels; `mark` tells it from all others."""

    mark: str
    function: Callable[..., Any]
    draws: bool
    compiled: bool
    slopes: bool
    """Whether the gradient is wanted beside the value."""


class Errand(NamedTuple):
    """What is to be done on a shard: rows from `start` to `stop` in the order of an epoch.

    `share` is their part of all rows of the step; `chance` seeds what the loss draws.
    """

    start: int
    stop: int
    order: int | None
    share: float
    chance: int | None
    part: Part | None = None

    def of(self, shard: Shard) -> tuple[Batch, np.ndarray]:
        """Return the rows of a shard, and where they stand in the whole data."""
        batch, numbers = take(shard._replace(part=self.part), self.start, self.stop, self.order)
        return known(batch), numbers


def part(
    program: Program, params: Any, shards: Sequence[Shard], errands: Sequence[Errand]
) -> Gathered | None:
    """Return what neighbouring shards give to the mean loss, and to its gradient."""
    run, params = ready(program), known(params)
    with one_blas_thread(), np.errstate(all="ignore"), warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        pairs = zip(shards, errands, strict=True)
        found = gather([_one(program, run, params, shard, errand) for shard, errand in pairs])
    if found is None or not said:
        return found
    return found._replace(said=tuple((one.category, str(one.message)) for one in said))


def _one(
    program: Program, run: Callable[..., Any], params: Any, shard: Shard, errand: Errand
) -> Gathered | None:
    if errand.start >= errand.stop:
        return None
    batch, _ = errand.of(shard)
    found = run(params, *batch, **drawing(program, errand, shard.number))
    values = [found] if not program.slopes else [found[0], *take_apart(found[1]).leaves]
    parts = tuple(value * errand.share for value in values)
    return Gathered(parts, () if _finite(parts) else (shard.number,))


def known(value: Any) -> Any:
    """Return arrays that have travelled as they would be had they stayed: in rows, aligned.

    Compiled programs are made for one arrangement, and another might round in another way.
    """
    tree = take_apart(value)
    return tree.build([_known(leaf) for leaf in tree.leaves])


def _known(leaf: Any) -> Any:
    if not isinstance(leaf, np.ndarray):
        return leaf
    return np.require(leaf, requirements=["C", "A"])


def drawing(program: Program, errand: Errand, number: int) -> dict[str, Any]:
    """Return the generator that a loss draws from: its own for each step and shard."""
    if not program.draws:
        return {}
    return {"rng": np.random.default_rng([errand.chance or 0, number])}


def _finite(values: Sequence[Any]) -> bool:
    return all(bool(np.isfinite(value).all()) for value in values)


_READY: dict[str, Callable[..., Any]] = {}
_MOST_READY = 16
_lock = Lock()


def ready(program: Program) -> Callable[..., Any]:
    """Return a program made ready in this process, once: compiled where that is wanted."""
    with _lock:
        if program.mark not in _READY:
            while len(_READY) >= _MOST_READY:
                _READY.pop(next(iter(_READY)))
            _READY[program.mark] = _made(program, program.compiled)
        return _READY[program.mark]


def _made(program: Program, compiled: bool) -> Callable[..., Any]:
    run = value_and_grad(program.function) if program.slopes else program.function
    return jit(run) if compiled else run


# --- bad rows -----------------------------------------------------------------------------------


class Blame(NamedTuple):
    """Rows whose own loss or gradient is not finite, counted in the whole data.

    `rest` tells whether the other rows are finite together.
    """

    rows: tuple[int, ...]
    rest: bool


def blame(program: Program, params: Any, shard: Shard, errands: Sequence[Errand]) -> Blame:
    """Look for the rows that make parts of a shard not finite, `MOST_NAMED` of them at most."""
    rows: tuple[int, ...] = ()
    with one_blas_thread(), np.errstate(all="ignore"):
        for errand in errands:
            more, rest = _blamed(program, params, shard, errand, MOST_NAMED - len(rows))
            rows += more
            if not rest:
                return Blame(rows, False)
    return Blame(rows, True)


def _blamed(program: Program, params: Any, shard: Shard, errand: Errand, most: int) -> Blame:
    batch, numbers = errand.of(shard)
    run = _made(program, compiled=False)  # each length of batch would be compiled anew

    def fit(rows: np.ndarray) -> bool:
        if not len(rows):
            return True
        found = run(params, *cut(batch, rows), **drawing(program, errand, shard.number))
        return _finite([found[0], *take_apart(found[1]).leaves])

    left, bad = np.argsort(numbers), []
    while not fit(left):
        position = _first(left, fit)
        if position is None or len(bad) == most:
            return Blame(tuple(bad), False)
        bad.append(int(numbers[left[position]]))
        left = np.delete(left, position)
    return Blame(tuple(bad), True)


def _first(rows: np.ndarray, fit: Callable[[np.ndarray], bool]) -> int | None:
    """Return the place of the first row that is bad by itself; None if only the sum is."""
    begin, end = 0, len(rows)
    while end - begin > 1:
        middle = (begin + end) // 2
        if not fit(rows[begin:middle]):
            end = middle
        elif not fit(rows[middle:end]):
            begin = middle
        else:
            return None
    return begin


# --- the process --------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _blas() -> Any:
    # the compiled programs' own BLAS must be there before its threads can be limited
    import_module("scipy.linalg.cython_blas")
    purpose = Says("the same bits on any cluster", "os mesmos bits em qualquer cluster")
    return load("threadpoolctl", "cluster", purpose).ThreadpoolController()


@dataclass
class _Limit:
    """How many tasks of this process run, and what keeps BLAS to one thread meanwhile."""

    tasks: int = 0
    held: Any = None


_limit = _Limit()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread while any task of this process runs.

    How many threads it has shows in the last bits of what it gives.
    """
    with _lock:
        if not _limit.tasks:
            _limit.held = _blas().limit(limits=1)
        _limit.tasks += 1
    try:
        yield
    finally:
        with _lock:
            _limit.tasks -= 1
            if not _limit.tasks:
                _limit.held.restore_original_limits()
