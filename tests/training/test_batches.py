"""Batches: every kind of data gives the same rows, shuffled by the seed alone; faults are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corrente.errors import BadArgument, BadValue
from corrente.training.batches import Source, source, split, table

X = np.arange(30.0).reshape(10, 3)
Y = np.arange(10)


def order(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rows(found: Source, size: int = 4, seed: int | None = None) -> tuple[np.ndarray, ...]:
    batches = list(found.read(size, None if seed is None else order(seed)))
    assert all(len(batch[0]) == size for batch in batches[:-1])
    return tuple(np.concatenate(parts) for parts in zip(*batches, strict=True))


def frames() -> dict[str, Any]:
    columns = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": Y}
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    return {"pandas": pandas.DataFrame(columns), "polars": polars.DataFrame(columns)}


def written(folder: Path, group: int = 4) -> str:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    columns = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "y": Y}
    path = str(folder / "data.parquet")
    parquet.write_table(arrow.table(columns), path, row_group_size=group)
    return path


def test_arrays_come_whole_and_in_order():
    x, y = rows(source((X, Y)))
    assert x.tolist() == X.tolist()
    assert y.tolist() == Y.tolist()
    assert source((X, Y)).rows == 10
    assert source((X, Y)).steps(4) == 3


def test_shuffling_keeps_rows_together_and_follows_the_seed():
    x, y = rows(source((X, Y)), seed=1)
    assert y.tolist() != Y.tolist()
    assert sorted(y) == Y.tolist()
    assert x.tolist() == X[y].tolist()
    assert rows(source((X, Y)), seed=1)[1].tolist() == y.tolist()
    assert rows(source((X, Y)), seed=2)[1].tolist() != y.tolist()


def test_a_memory_map_is_read_batch_by_batch(tmp_path: Path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    x, y = rows(source((mapped, Y)), seed=3)
    assert x.tolist() == X[y].tolist()
    first = next(iter(source((mapped, Y)).read(4, order())))
    assert type(first[0]) is np.ndarray
    (alone,) = rows(source(tmp_path / "x.npy"))
    assert alone.tolist() == X.tolist()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_give_columns_matrices_and_series(library: str):
    frame = frames()[library]
    (batch,) = next(iter(source(frame).read(4, None)))
    assert sorted(batch) == ["a", "b", "c", "y"]
    assert batch["b"].tolist() == X[:4, 1].tolist()
    x, y = rows(source((frame[["a", "b", "c"]], frame["y"])), seed=1)
    assert x.tolist() == X[y].tolist()
    x, y = rows(table(frame, target="y", inputs=["c", "a"]), seed=1)
    assert x.tolist() == X[y][:, [2, 0]].tolist()


def test_parquet_is_read_group_by_group(tmp_path: Path):
    path = written(tmp_path)
    x, y = rows(table(path, target="y"))
    assert x.tolist() == X.tolist()
    x, y = rows(table(path, target="y"), seed=5)
    assert sorted(y) == Y.tolist()
    assert y.tolist() != Y.tolist()
    assert x.tolist() == X[y].tolist()
    # inside a group, too
    assert rows(table(written(tmp_path, group=99), target="y"), seed=5)[1].tolist() != Y.tolist()
    (batch,) = next(iter(source(path).read(3, None)))
    assert batch["y"].tolist() == [0, 1, 2]
    assert source(path).rows == 10


def test_parquet_with_holes_is_refused(tmp_path: Path):
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(arrow.table({"a": [1.0, None], "y": [1, 2]}), tmp_path / "h.parquet")
    with pytest.raises(BadValue, match="missing in: a"):
        rows(table(tmp_path / "h.parquet", target="y"))


def test_iterables_and_functions_give_their_own_batches():
    batches = [(X[:4], Y[:4]), (X[4:], Y[4:])]
    for data in (batches, lambda: iter(batches)):
        found = source(data)
        assert found.rows is None
        for _ in range(2):
            assert [len(batch[0]) for batch in found.read(99, order())] == [4, 6]


def test_nested_parts_are_cut_alike():
    ((x, extra), y) = next(iter(source(((X, {"k": X * 2}), Y)).read(4, order())))
    assert extra["k"].tolist() == (2 * x).tolist()
    assert x.tolist() == X[y].tolist()


def test_splitting_parts_the_rows_by_the_seed():
    kept, held = split(source((X, Y)), 0.3, seed=0)
    assert (kept.rows, held.rows) == (7, 3)
    assert sorted([*rows(kept)[1], *rows(held)[1]]) == Y.tolist()
    assert rows(split(source((X, Y)), 0.3, seed=0)[1])[1].tolist() == rows(held)[1].tolist()
    assert rows(kept, seed=1)[0].tolist() == X[rows(kept, seed=1)[1]].tolist()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ((X, Y[:9]), "differ in their number of rows"),
        ((X[:0], Y[:0]), "no data"),
        (iter([(X, Y)]), "used up after one epoch"),
        (np.array(["a", "b"]), "not numbers"),
        ((X, 3.0), "single number"),
        ((X, [[1], [1, 2]]), "not numbers"),
        (42, "cannot be read"),
        ("data.xls", "unknown kind"),
    ],
)
def test_data_that_cannot_serve_are_refused(data: Any, said: str):
    with pytest.raises((BadArgument, BadValue), match=said):
        source(data)


def test_a_lazy_frame_is_told_to_be_collected():
    lazy = frames()["polars"].lazy()
    with pytest.raises(BadArgument, match="collect"):
        source(lazy)


def test_batches_that_are_no_tuples_are_refused():
    with pytest.raises(BadArgument, match="not a tuple"):
        list(source([X, Y]).read(4, None))


def test_a_missing_column_is_named():
    with pytest.raises(BadArgument, match="no column z"):
        table(frames()["pandas"], target="z")


@pytest.mark.parametrize("fraction", [0.0, 1.0, 0.01])
def test_a_split_that_leaves_nothing_is_refused(fraction: float):
    with pytest.raises(BadValue, match="holds back"):
        split(source((X, Y)), fraction, 0)


def test_an_iterable_cannot_be_split():
    with pytest.raises(BadArgument, match="arrays and frames"):
        split(source([(X, Y)]), 0.5, 0)
