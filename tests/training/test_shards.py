"""Shards: a partition that depends on data and batch size alone, and what is taken of it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from corrente.errors import BadArgument
from corrente.training import shards
from corrente.training.shards import (
    Filed,
    Part,
    Shard,
    blocks,
    cut_up,
    many,
    of_calls,
    slices,
    take,
)


@given(
    some.lists(some.integers(0, 50), min_size=1, max_size=9),
    some.integers(1, 40),
)
def test_the_slices_of_all_steps_are_all_rows_once(rows: list[int], steps: int):
    taken = [slices(rows, step, steps) for step in range(steps)]
    for shard, count in enumerate(rows):
        pieces = [step[shard] for step in taken]
        assert [k for start, stop in pieces for k in range(start, stop)] == list(range(count))
    sizes = [sum(stop - start for start, stop in step) for step in taken]
    assert max(sizes) - min(sizes) <= len(rows)


def whole(parts: tuple[Shard, ...], order: int | None, part: Part | None = None) -> list[int]:
    found = []
    for shard in (one._replace(part=part) for one in parts):
        for start in range(0, shard.rows, 7):
            (x,), numbers = take(shard, start, min(start + 7, shard.rows), order)
            assert np.array_equal(x.reshape(len(x), -1)[:, 0], numbers)
            found += numbers.tolist()
    return found


@pytest.mark.parametrize("order", [None, 3])
@pytest.mark.parametrize("filed", [False, True])
def test_every_row_is_there_once(
    order: int | None, filed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shards, "BLOCK", 150)
    x: Any = np.arange(200.0).reshape(100, 2) // 2
    np.save(tmp_path / "x.npy", x)
    parts = cut_up(tmp_path / "x.npy" if filed else x, 30)
    assert [len(one.lengths) > 1 for one in parts] == [filed] * len(parts)
    found = whole(parts, order)
    assert sorted(found) == list(range(100))
    assert (found == list(range(100))) == (order is None)
    assert found == whole(pickle.loads(pickle.dumps(parts)), order)


def test_the_order_depends_on_its_number_and_the_shard():
    first, second = cut_up(np.zeros(40), 4)
    orders = [take(shard, 0, 20, k)[1] - shard.start for shard in (first, second) for k in (1, 2)]
    assert len({tuple(order) for order in orders}) == 4


@given(some.floats(0.05, 0.95), some.integers(10, 200), some.integers(1, 64))
def test_a_part_and_the_rest_are_all_rows(fraction: float, rows: int, size: int):
    parts = cut_up(np.arange(float(rows)), size)
    back, seen = (whole(parts, 5, Part(fraction, 0, back)) for back in (True, False))
    assert sorted(back + seen) == list(range(rows))
    assert len(back) == round(fraction * rows)


def test_a_changed_file_is_read_anew(tmp_path: Path):
    path = tmp_path / "x.npy"
    for value in (1.0, 2.0):
        np.save(path, np.full(2000, value))
        [shard] = cut_up(path, 1)
        # the clock of a file may be coarse: another size tells it, too
        (x,), _ = take(shard, 0, 5, None)
        assert x.tolist() == [value] * 5
        path.unlink()
        np.save(path, np.zeros(3))
        cut_up(path, 1)


def test_maps_that_may_differ_from_their_file_stay_in_memory(tmp_path: Path):
    np.save(tmp_path / "x.npy", np.arange(10.0))
    kinds = {
        mode: isinstance(cut_up(np.load(tmp_path / "x.npy", mmap_mode=mode), 1)[0].held[0], Filed)
        for mode in ("r", "r+", "c")
    }
    assert kinds == {"r": True, "r+": False, "c": False}
    view = np.load(tmp_path / "x.npy", mmap_mode="r")[3:]
    [shard] = cut_up(view, 1)
    assert take(shard, 0, 2, None)[0][0].tolist() == [3.0, 4.0]


def test_there_are_as_many_shards_as_rows_of_each():
    assert [many(size, 10**9) for size in (1, 3, 4, 64, 100, 4096, 10**8)] == [
        1,
        1,
        2,
        8,
        8,
        64,
        1024,
    ]
    assert many(10**6, 10) == 2


def test_row_groups_are_blocks(tmp_path: Path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": np.arange(100.0)})
    frame.to_parquet(tmp_path / "a.parquet", row_group_size=12)
    parts = cut_up(tmp_path / "a.parquet", 10)
    assert [shard.lengths for shard in parts] == [(12, 12, 12, 12, 12), (12, 12, 12, 4)]
    found = [take(shard, 0, shard.rows, 9) for shard in parts]
    rows = np.concatenate([batch[0]["a"] for batch, _ in found])
    assert np.array_equal(rows, np.concatenate([numbers for _, numbers in found]))
    assert sorted(rows.tolist()) == list(range(100))


def test_blocks_that_are_given_are_shards():
    parts = blocks([2, 3], [(np.arange(2.0),), (np.arange(2.0, 5.0),)])
    assert [(shard.start, shard.rows) for shard in parts] == [(0, 2), (2, 3)]
    assert whole(parts, 1) != list(range(5))


@pytest.mark.parametrize("data", [np.zeros(3), (np.zeros(3),), {"a": np.zeros(3)}, "a.npy", [], 3])
def test_other_data_are_no_loaders(data: Any):
    assert of_calls(data) is None


@pytest.mark.parametrize(
    ("data", "said"), [([(1, 2)], "cut into shards"), ("x.txt", "unknown kind"), (3, "cut into")]
)
def test_what_cannot_be_cut_is_refused(data: Any, said: str):
    with pytest.raises(BadArgument, match=said):
        cut_up(data, 4)
