"""Data in minibatches: arrays, memory-mapped files, frames, Parquet files and iterables.

A batch is what the loss takes after the parameters: `loss(params, *batch)`. The order of the
rows depends on the seed and the epoch alone, so that a run can be taken up again anywhere.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadArgument, BadValue
from corrente.extras import load
from corrente.trees import Tree, take_apart
from corrente.words import Says

Order = np.random.Generator | None
Batch = tuple[Any, ...]
_NUMBER = (int, float, complex, np.generic)


class Source(NamedTuple):
    """Where batches come from.

    `rows` is how many there are, None where only reading tells. `read(size, order)` gives one
    epoch of batches; `order` shuffles, None keeps the rows as they lie. `select(rows)` is a
    source of those rows; None where rows cannot be chosen.
    """

    rows: int | None
    read: Callable[[int, Order], Iterator[Batch]]
    select: Callable[[Any], Source] | None = None

    def steps(self, size: int) -> int | None:
        """Return how many batches of a size there are in an epoch, None where nobody knows."""
        return None if self.rows is None else math.ceil(self.rows / size)


def source(data: Any) -> Source:
    """Find out what data are and return where their batches come from.

    A tuple `(X, y, …)` of arrays, memory maps, series or frames of equal length gives
    `loss(params, x, y, …)`; one array gives `loss(params, x)`; one frame, or the path of a
    Parquet file, gives a dict of columns. Anything else that can be gone through more than once,
    or a function without arguments that starts anew, gives batches as they are: tuples.

    >>> import numpy as np
    >>> [x.tolist() for x, in source(np.arange(5)).read(2, None)]
    [[0, 1], [2, 3], [4]]
    """
    if isinstance(data, Source):
        return data
    if isinstance(data, str | os.PathLike):
        return _file(os.fspath(data))
    if type(data).__name__ == "LazyFrame":
        raise _lazy()
    if is_whole(data):
        return _arrays(data)
    if isinstance(data, Iterator):
        raise BadArgument(
            Says(
                "the data are an iterator, which is used up after one epoch.",
                "os dados são um iterador, que se esgota depois de uma época.",
            ),
            Says(
                "give a list of batches, or a function that returns a new iterator.",
                "dê uma lista de lotes, ou uma função que devolva um iterador novo.",
            ),
        )
    if callable(data) or isinstance(data, Iterable):
        return _stream(data)
    raise BadArgument(
        Says("data of type {0} cannot be read.", "não sei ler dados do tipo {0}.").fill(
            type(data).__name__
        ),
        Says(
            "give a tuple of arrays (X, y), a frame, a Parquet file or an iterable of batches.",
            "dê uma tupla de arrays (X, y), um frame, um arquivo Parquet ou um iterável de lotes.",
        ),
    )


def is_whole(data: Any) -> bool:
    """Tell whether data are arrays or frames of all rows, not a way to get at them."""
    return isinstance(data, tuple | np.ndarray | dict) or _is_frame(data) or _is_column(data)


def table(
    data: Any, target: str, inputs: Sequence[str] | None = None, dtype: Any = np.float64
) -> Source:
    """Return the columns of a frame or a Parquet file as `(X, y)`.

    `target` names the column y; `inputs` those of X, in order (all others, when not given).
    X has the dtype given, y its own. Parquet is read row group by row group, never as a whole.
    """
    if isinstance(data, str | os.PathLike):
        return _parquet(os.fspath(data), lambda names: _matrix(names, target, inputs, dtype))
    columns = _columns(data)
    return _arrays(_matrix(list(columns), target, inputs, dtype)(columns))


def split(whole: Source, fraction: float, seed: int) -> tuple[Source, Source]:
    """Part a source in two at random: what is learned from, and a `fraction` held back.

    >>> import numpy as np
    >>> [part.rows for part in split(source(np.arange(10)), 0.2, seed=0)]
    [8, 2]
    """
    if whole.rows is None or whole.select is None:
        raise BadArgument(
            Says(
                "a part can be held back only from arrays and frames.",
                "só de arrays e frames se pode reservar uma parte.",
            ),
            Says(
                "give validation data of their own: validation=(X, y).",
                "dê dados de validação próprios: validation=(X, y).",
            ),
        )
    held = round(fraction * whole.rows)
    if not 0 < held < whole.rows:
        raise BadValue(
            Says(
                "validation={0} holds back {1} of {2} rows.",
                "validation={0} reserva {1} de {2} linhas.",
            ).fill(fraction, held, whole.rows),
            Says(
                "give a part between 0 and 1, such as 0.2.", "dê uma parte entre 0 e 1, como 0.2."
            ),
        )
    order = np.random.default_rng([seed, 1]).permutation(whole.rows)
    return whole.select(np.sort(order[held:])), whole.select(np.sort(order[:held]))


# --- arrays in memory or mapped -----------------------------------------------------------------


def _arrays(data: Any) -> Source:
    tree, rows = laid_out(data)
    return _rows(tree.leaves, tree.build, np.arange(rows), whole=True)


def laid_out(data: Any) -> tuple[Tree, int]:
    """Return arrays and frames as the nested arrays of one batch of all rows, and their number."""
    parts = tuple(map(_matched, data)) if isinstance(data, tuple) else (_plain(data),)
    tree = take_apart(parts)
    return tree, _common_length(tree.leaves, tree.paths())


def _rows(
    leaves: list[np.ndarray], build: Callable[[list[Any]], Any], chosen: np.ndarray, whole: bool
) -> Source:
    def read(size: int, order: Order) -> Iterator[Batch]:
        mixed = chosen if order is None else chosen[order.permutation(len(chosen))]
        for start in range(0, len(chosen), size):
            index = mixed[start : start + size]
            # rows as they lie need no copy
            where = slice(start, start + size) if whole and order is None else index
            yield build([np.asarray(leaf[where]) for leaf in leaves])

    return Source(len(chosen), read, lambda index: _rows(leaves, build, chosen[index], whole=False))


def _matched(part: Any) -> Any:
    """Return one part of several: a frame becomes a matrix, a column for each of its own."""
    return np.column_stack(list(_plain(part).values())) if _is_frame(part) else _plain(part)


def _plain(part: Any) -> Any:
    """Return data as arrays: a frame becomes a dict of its columns."""
    if _is_column(part) and not _is_frame(part):
        return _numbers(part.to_numpy(), str(getattr(part, "name", "") or ""))
    if isinstance(part, dict):
        return {name: _plain(column) for name, column in part.items()}
    if isinstance(part, tuple) and not all(isinstance(inner, _NUMBER) for inner in part):
        return tuple(map(_matched, part))
    if _is_frame(part):
        return {name: _numbers(column, name) for name, column in _columns(part).items()}
    return _numbers(part, "")


def _numbers(values: Any, name: str) -> np.ndarray:
    try:
        array = values if isinstance(values, np.ndarray) else np.asarray(values)
    except ValueError:  # rows of different lengths
        array = np.empty(1, object)
    if array.dtype.kind not in "biufc":
        raise BadArgument(
            Says(
                "the data{0} are of type {1}, not numbers.",
                "os dados{0} são do tipo {1}, não números.",
            ).fill(f" {name!r}" if name else "", array.dtype),
            Says(
                "turn text and categories into numbers first (scikit-learn's OneHotEncoder), "
                "and fill what is missing.",
                "converta antes texto e categorias em números (OneHotEncoder do scikit-learn), "
                "e preencha o que falta.",
            ),
        )
    if array.ndim == 0:
        raise BadArgument(
            Says("the data hold a single number.", "os dados contêm um só número."),
            Says(
                "give arrays with one row for each sample.", "dê arrays com uma linha por amostra."
            ),
        )
    return array


def _common_length(leaves: list[Any], paths: list[str]) -> int:
    lengths = [len(leaf) for leaf in leaves]
    if not lengths or lengths[0] == 0:
        raise BadValue(
            Says("there are no data.", "não há dados."),
            Says("give at least one row.", "dê ao menos uma linha."),
        )
    if len(set(lengths)) > 1:
        shown = ", ".join(f"data{path}: {n}" for path, n in zip(paths, lengths, strict=True))
        raise BadValue(
            Says(
                "the data differ in their number of rows ({0}).",
                "os dados diferem no número de linhas ({0}).",
            ).fill(shown),
            Says("one row of each for every sample.", "uma linha de cada para toda amostra."),
        )
    return lengths[0]


# --- iterables ----------------------------------------------------------------------------------


def _stream(data: Any) -> Source:
    def read(size: int, order: Order) -> Iterator[Batch]:
        batches: Any = data() if callable(data) else data
        for batch in batches:
            if not isinstance(batch, tuple | list):
                raise BadArgument(
                    Says("a batch is a {0}, not a tuple.", "um lote é {0}, não uma tupla.").fill(
                        type(batch).__name__
                    ),
                    Says(
                        "each batch is a tuple (x, y); arrays themselves go in a tuple (X, y).",
                        "cada lote é uma tupla (x, y); os próprios arrays vão numa tupla (X, y).",
                    ),
                )
            yield tuple(batch)

    return Source(None, read)


# --- frames and files ---------------------------------------------------------------------------


def _library(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


def _is_frame(value: Any) -> bool:
    return _library(value) in ("pandas", "polars") and hasattr(value, "columns")


def _is_column(value: Any) -> bool:
    return _library(value) in ("pandas", "polars") and hasattr(value, "to_numpy")


def _lazy() -> BadArgument:
    return BadArgument(
        Says("a lazy frame holds no rows yet.", "um frame preguiçoso ainda não tem linhas."),
        Says("collect it: frame.collect().", "colete-o: frame.collect()."),
    )


def _columns(frame: Any) -> dict[str, np.ndarray]:
    if not _is_frame(frame):
        raise BadArgument(
            Says("{0} is no frame.", "{0} não é um frame.").fill(type(frame).__name__),
            Says("give a pandas or Polars frame.", "dê um frame do pandas ou do Polars."),
        )
    return {str(name): frame[name].to_numpy() for name in frame.columns}


def _matrix(
    names: list[str], target: str, inputs: Sequence[str] | None, dtype: Any
) -> Callable[[dict[str, np.ndarray]], Batch]:
    chosen = [name for name in names if name != target] if inputs is None else list(inputs)
    missing = [name for name in (target, *chosen) if name not in names]
    if missing:
        raise BadArgument(
            Says("there is no column {0}.", "não há a coluna {0}.").fill(", ".join(missing)),
            Says("one of: {0}.", "uma de: {0}.").fill(", ".join(names)),
        )

    def arrange(columns: dict[str, np.ndarray]) -> Batch:
        inside = [_numbers(columns[name], name).astype(dtype) for name in chosen]
        return np.column_stack(inside), _numbers(columns[target], target)

    return arrange


def _file(path: str) -> Source:
    if path.endswith(".npy"):
        return _arrays(np.load(path, mmap_mode="r", allow_pickle=False))
    if path.endswith((".parquet", ".pq")):
        return _parquet(path, lambda names: lambda columns: (_plain(columns),))
    raise BadArgument(
        Says("{0} is a file of an unknown kind.", "{0} é um arquivo de tipo desconhecido.").fill(
            path
        ),
        Says("give a .parquet or .npy file.", "dê um arquivo .parquet ou .npy."),
    )


def _parquet(path: str, arranged: Callable[[list[str]], Any]) -> Source:
    """Read a Parquet file a row group at a time; groups, and rows in a group, are shuffled."""
    with opened(path) as file:
        rows, names = file.metadata.num_rows, list(file.schema_arrow.names)
    arrange = arranged(names)

    def read(size: int, order: Order) -> Iterator[Batch]:
        with opened(path) as file:
            groups = np.arange(file.num_row_groups)
            left: Batch = ()
            for group in groups if order is None else order.permutation(groups):
                more = arrange(_group(file, int(group), order))
                whole = joined([left, more] if left else [more])
                full = len(take_apart(whole).leaves[0]) // size * size
                for start in range(0, full, size):
                    yield cut(whole, slice(start, start + size))
                left = cut(whole, slice(full, None))
            if left and len(take_apart(left).leaves[0]):
                yield left

    return Source(rows, read)


def opened(path: str) -> Any:
    """Open a Parquet file; raise MissingExtra without pyarrow."""
    parquet = load("pyarrow.parquet", "data", Says("reading Parquet", "para ler Parquet"))
    return parquet.ParquetFile(path)


def row_group(path: str, group: int) -> Batch:
    """Read one row group of a Parquet file as a batch: a dict of its columns."""
    with opened(path) as file:
        return (_plain(_group(file, group, None)),)


def _group(file: Any, group: int, order: Order) -> dict[str, np.ndarray]:
    read = file.read_row_group(group, use_threads=False)
    holes = [name for name in read.column_names if read.column(name).null_count]
    if holes:
        raise BadValue(
            Says("values are missing in: {0}.", "faltam valores em: {0}.").fill(", ".join(holes)),
            Says(
                "fill them before training (scikit-learn's SimpleImputer).",
                "preencha-os antes de treinar (SimpleImputer do scikit-learn).",
            ),
        )
    columns = {name: read.column(name).to_numpy() for name in read.column_names}
    if order is None:
        return columns
    mixed = order.permutation(read.num_rows)
    return {name: column[mixed] for name, column in columns.items()}


def cut(batch: Batch, rows: Any) -> Batch:
    """Return the rows of a batch that a slice or an index names."""
    tree = take_apart(batch)
    return tree.build([leaf[rows] for leaf in tree.leaves])


def joined(batches: Sequence[Batch]) -> Batch:
    """Return one batch of the rows of several."""
    if len(batches) == 1:
        return batches[0]
    trees = [take_apart(batch) for batch in batches]
    columns = zip(*(tree.leaves for tree in trees), strict=True)
    return trees[0].build([np.concatenate(column) for column in columns])
