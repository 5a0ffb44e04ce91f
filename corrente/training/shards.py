"""Data cut into shards: a partition that no number of workers changes, and what a step takes of it.

A shard is neighbouring rows, in blocks that are read one at a time. In the order of an epoch the
blocks of a shard, and the rows of a block, are shuffled by the seed and the shard's number alone:
the same rows come out wherever, and however often, they are read.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadArgument
from corrente.extras import load
from corrente.training.batches import (
    Batch,
    Source,
    cut,
    is_whole,
    joined,
    laid_out,
    opened,
    row_group,
)
from corrente.training.shelf import SHELF
from corrente.trees import take_apart
from corrente.words import Says

MOST_SHARDS = 1024
BLOCK = 1 << 20
"""How many bytes of a file are read, and shuffled, at a time."""


class Part(NamedTuple):
    """Which rows are meant: the fraction that is held back, or all the others."""

    fraction: float
    seed: int
    back: bool

    def size(self, start: int, rows: int) -> int:
        """Return how many of so many rows are meant, so that over all data the fraction is kept."""
        back = round(self.fraction * (start + rows)) - round(self.fraction * start)
        return back if self.back else rows - back


class Shard(NamedTuple):
    """Neighbouring rows of the data, wherever they are.

    `start` is the first of them in the whole data, `lengths` the rows of each block;
    `read(held, block)` gives the rows of a block, out of what is held or described.
    """

    number: int
    start: int
    lengths: tuple[int, ...]
    held: Any
    read: Callable[[Any, int], Batch]
    part: Part | None = None

    @property
    def starts(self) -> list[int]:
        """Return the first row of each block, counted in the whole data."""
        return list(accumulate(self.lengths[:-1], initial=self.start))

    @property
    def counts(self) -> list[int]:
        """Return how many rows of each block are meant."""
        if self.part is None:
            return list(self.lengths)
        blocks = zip(self.starts, self.lengths, strict=True)
        return [self.part.size(start, rows) for start, rows in blocks]

    @property
    def rows(self) -> int:
        """Return how many rows are meant."""
        return sum(self.counts)


Shards = tuple[Shard, ...]


def slices(rows: Sequence[int], step: int, steps: int) -> list[tuple[int, int]]:
    """Return what a step takes of each shard, from and to, so that `steps` of them take all.

    Where the rows do not come out even the shards take turns with the row that is left over.

    >>> [slices([5, 5], k, 2) for k in range(2)]
    [[(0, 2), (0, 3)], [(2, 5), (3, 5)]]
    """
    offsets = [number * steps // len(rows) for number in range(len(rows))]
    pairs = list(zip(rows, offsets, strict=True))
    return [((step * n + o) // steps, ((step + 1) * n + o) // steps) for n, o in pairs]


def take(shard: Shard, start: int, stop: int, order: int | None) -> tuple[Batch, np.ndarray]:
    """Return rows of a shard in the order of an epoch, and where they stand in the whole data.

    `order` is the epoch's number to shuffle by; None keeps the rows as they lie.

    >>> import numpy as np
    >>> [shard] = cut_up(np.arange(8.0), 1)
    >>> (x,), numbers = take(shard, 0, 3, order=7)
    >>> bool(np.all(x == numbers)), len(set(numbers.tolist()))
    (True, 3)
    """
    counts, starts = shard.counts, shard.starts
    batches, numbers, at = [], [], 0
    for block in _blocks(shard, order):
        index = slice(max(start - at, 0), max(min(stop - at, counts[block]), 0))
        at += counts[block]
        if index.start < index.stop:
            rows = _picked(shard, block, order)[index]
            batches.append(cut(shard.read(shard.held, block), rows))
            numbers.append(starts[block] + rows)
    return joined(batches), np.concatenate(numbers)


def _blocks(shard: Shard, order: int | None) -> Sequence[int]:
    count = len(shard.lengths)
    if order is None or count == 1:
        return range(count)
    return np.random.default_rng([order, shard.number]).permutation(count).tolist()


def _picked(shard: Shard, block: int, order: int | None) -> np.ndarray:
    """Return the rows of a block that are meant, in their order."""
    rows, part = shard.lengths[block], shard.part
    key = ("order", shard.number, shard.start, block, rows, order, part)
    return SHELF.get(key, lambda: _mixed(shard, block, order))


def _mixed(shard: Shard, block: int, order: int | None) -> np.ndarray:
    rows, part = shard.lengths[block], shard.part
    meant = np.arange(rows)
    if part is not None:
        chance = np.random.default_rng([part.seed, 1, shard.number, block])
        mixed, count = chance.permutation(rows), part.size(shard.starts[block], rows)
        meant = np.sort(mixed[:count] if part.back else mixed[rows - count :])
    if order is None:
        return meant
    return np.random.default_rng([order, shard.number, block]).permutation(meant)


# --- the partition ------------------------------------------------------------------------------


def cut_up(data: Any, size: int) -> Shards:
    """Cut arrays, frames, a .npy or a Parquet file into shards for minibatches of a size.

    There are as many shards as a minibatch has rows of each, a power of two; those of a Parquet
    file are runs of its row groups. Memory-mapped arrays are read from their file, by whoever
    needs them.

    >>> import numpy as np
    >>> [shard.rows for shard in cut_up((np.zeros((100, 2)), np.zeros(100)), 64)]
    [12, 13, 12, 13, 12, 13, 12, 13]
    """
    if isinstance(data, str | os.PathLike):
        path = os.path.abspath(os.fspath(data))
        if path.endswith((".parquet", ".pq")):
            return _parquet(path, size)
        if not path.endswith(".npy"):
            raise BadArgument(
                Says(
                    "{0} is a file of an unknown kind.", "{0} é um arquivo de tipo desconhecido."
                ).fill(path),
                Says("give a .parquet or .npy file.", "dê um arquivo .parquet ou .npy."),
            )
        data = np.load(path, mmap_mode="r", allow_pickle=False)
    if not is_whole(data) or isinstance(data, Source):
        raise BadArgument(
            Says(
                "data of type {0} cannot be cut into shards.",
                "dados do tipo {0} não podem ser cortados em partes.",
            ).fill(type(data).__name__),
            Says(
                "give arrays, a frame, a .npy or Parquet file, Dask arrays, or a list of functions "
                "of which each loads one shard: a tuple of arrays.",
                "dê arrays, um frame, um arquivo .npy ou Parquet, arrays do Dask, ou uma lista de "
                "funções em que cada uma carrega uma parte: uma tupla de arrays.",
            ),
        )
    return _columns(data, size)


def whole(held: Any, block: int) -> Batch:
    """Read a block that is held as a batch."""
    return held


def called(held: Any, block: int) -> Batch:
    """Read a block that a function loads."""
    return held()


def blocks(
    rows: Sequence[int], held: Sequence[Any], read: Callable[[Any, int], Batch] = whole
) -> Shards:
    """Return shards of one block each, of which the rows are known."""
    starts = accumulate(rows[:-1], initial=0)
    known = enumerate(zip(starts, rows, held, strict=True))
    return tuple(Shard(number, start, (n,), what, read) for number, (start, n, what) in known)


def many(size: int, rows: int) -> int:
    """Return into how many shards data are cut: the power of two below the root of a minibatch."""
    return min(1 << (min(size, rows).bit_length() - 1) // 2, MOST_SHARDS)


def _columns(data: Any, size: int) -> Shards:
    tree, rows = laid_out(data)
    leaves = [_on_disk(leaf) or leaf for leaf in tree.leaves]
    filed = [leaf.row_bytes for leaf in leaves if isinstance(leaf, Filed)]
    most = max(1, BLOCK // max(filed)) if filed else rows
    count = many(size, rows)
    edges = [rows * number // count for number in range(count + 1)]
    return tuple(
        Shard(number, start, lengths, held, partial(read_columns, most))
        for number, (start, stop) in enumerate(pairwise(edges))
        for lengths in [tuple(min(most, stop - k) for k in range(start, stop, most))]
        for held in [tree.build([leaf[start:stop] for leaf in leaves])]
    )


class Filed:
    """Rows of an array in a file, described; no tuple, so that it is a leaf where arrays are."""

    def __init__(self, path: str, offset: int, dtype: np.dtype, shape: tuple[int, ...]) -> None:
        self.path, self.offset, self.dtype, self.shape = path, offset, dtype, shape

    @property
    def row_bytes(self) -> int:
        """Return the bytes of one row."""
        return max(1, self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64)))

    def __getitem__(self, rows: slice) -> Filed:
        start, stop, _ = rows.indices(self.shape[0])
        offset = self.offset + start * self.row_bytes
        return Filed(self.path, offset, self.dtype, (stop - start, *self.shape[1:]))

    def read(self) -> np.ndarray:
        """Read the rows, not through a map: its pages would count as the worker's memory."""
        count = int(np.prod(self.shape, dtype=np.int64))
        return np.fromfile(self.path, self.dtype, count, offset=self.offset).reshape(self.shape)


def _on_disk(leaf: Any) -> Filed | None:
    """Describe an array that is a file's, as it lies; None for any other."""
    # a map that can be written to may differ from its file, and a view of one lies elsewhere
    whole = isinstance(leaf, np.memmap) and isinstance(leaf.base, mmap.mmap)
    if not whole or leaf.mode != "r" or not leaf.flags.c_contiguous or leaf.filename is None:
        return None
    return Filed(os.path.abspath(leaf.filename), leaf.offset, leaf.dtype, leaf.shape)


def read_columns(most: int, held: Any, block: int) -> Batch:
    """Read a block, of so many rows at most, of columns that are held in memory or described."""
    tree = take_apart(held)
    rows = slice(block * most, (block + 1) * most)
    return tree.build([_rows(leaf, rows) for leaf in tree.leaves])


def _rows(leaf: Any, rows: slice) -> np.ndarray:
    if not isinstance(leaf, Filed):
        return leaf[rows]
    wanted = leaf[rows]
    key = (*_version(leaf.path), wanted.offset, wanted.shape)
    return SHELF.get(key, wanted.read)


def _version(path: str) -> tuple[str, int, int]:
    """Return what tells a file from the one that had its name before."""
    found = os.stat(path)
    return path, found.st_mtime_ns, found.st_size


def _parquet(path: str, size: int) -> Shards:
    with opened(path) as file:
        about = file.metadata
        lengths = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
    rows = sum(lengths)
    count = many(size, rows)
    runs: dict[int, list[int]] = {}
    for group, start in enumerate(accumulate(lengths[:-1], initial=0)):
        if lengths[group]:
            runs.setdefault(start * count // rows, []).append(group)
    return tuple(_run(path, runs.values(), lengths))


def _run(path: str, runs: Any, lengths: list[int]) -> Iterator[Shard]:
    start = 0
    for number, groups in enumerate(runs):
        inside = tuple(lengths[group] for group in groups)
        yield Shard(number, start, inside, (path, tuple(groups)), _read_groups)
        start += sum(inside)


def _read_groups(held: Any, block: int) -> Batch:
    path, groups = held
    key = (*_version(path), groups[block])
    return SHELF.get(key, lambda: row_group(path, groups[block]))


# --- shards of the user's own making ------------------------------------------------------------


def of_calls(data: Any) -> list[Callable[[], Any]] | None:
    """Return the functions that load a shard each; None where data are something else."""
    if isinstance(data, dict | np.ndarray | str | os.PathLike) or not isinstance(data, Iterable):
        return None
    if isinstance(data, list | tuple) and not all(map(callable, data)):
        return None
    calls = list(data)
    return calls if calls and all(map(callable, calls)) else None


def of_dask(data: Any) -> list[Any] | None:
    """Return the blocks of Dask arrays, of one or of several in a tuple; None for other data."""
    arrays = data if isinstance(data, tuple | list) else (data,)
    if not arrays or not all(type(one).__module__.startswith("dask.") for one in arrays):
        return None
    chunks = [getattr(one, "chunks", None) or ((), (), ()) for one in arrays]
    if any(not each[0] or any(len(axis) > 1 for axis in each[1:]) for each in chunks):
        raise BadArgument(
            Says(
                "Dask data are to be arrays that are cut by rows alone.",
                "dados do Dask devem ser arrays cortados só por linhas.",
            ),
            Says(
                "x.rechunk({1: -1}) for an array, frame.to_dask_array(lengths=True) for a frame.",
                "x.rechunk({1: -1}) para um array, frame.to_dask_array(lengths=True) para um "
                "frame.",
            ),
        )
    if len({len(each[0]) for each in chunks}) > 1:
        raise BadArgument(
            Says(
                "the Dask arrays are cut into {0} blocks of rows.",
                "os arrays do Dask estão cortados em {0} blocos de linhas.",
            ).fill(", ".join(str(len(each[0])) for each in chunks)),
            Says(
                "the same for all: y = y.rechunk({0: x.chunks[0]}).",
                "os mesmos para todos: y = y.rechunk({0: x.chunks[0]}).",
            ),
        )
    delayed = load("dask", "cluster", Says("Dask arrays", "arrays do Dask")).delayed
    columns = zip(*(one.to_delayed().ravel() for one in arrays), strict=True)
    return [delayed(_together)(*column) for column in columns]


def _together(*parts: Any) -> Batch:
    return parts


def rows_of(batch: Batch) -> int:
    """Return how many rows a batch has."""
    return len(take_apart(batch).leaves[0])
