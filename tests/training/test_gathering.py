"""The tree of sums: where it is cut into branches changes no bit."""

from __future__ import annotations

import numpy as np
import pytest

from corrente.training.crew import branch, in_runs, kept_in_place
from corrente.training.gathering import FAN, Gathered, gather


def parts(count: int) -> list[Gathered | None]:
    chance = np.random.default_rng(count)
    return [
        None if k % 5 == 3 else Gathered((chance.normal(),), (k,) if k % 7 == 0 else ())
        for k in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2, 7, 8, 9, 63, 64, 100])
@pytest.mark.parametrize("run", [2, 4, FAN, 16])
def test_branches_of_a_power_of_two_change_no_bit(count: int, run: int):
    flat = gather(parts(count))
    assert gather([gather(some) for some in in_runs(parts(count), run)]) == flat


def test_branches_of_other_lengths_do():
    some = [Gathered((x,)) for x in (1e16, 1.0, -1e16, 1.0)]
    assert gather([gather(run) for run in in_runs(some, 3)]) != gather(some)


def test_nothing_is_the_sum_of_nothing():
    assert gather([]) is None
    assert gather([None, None]) is None


@pytest.mark.parametrize(("shards", "slots"), [(1, 9), (8, 1), (64, 3), (1024, 100), (256, 1000)])
def test_a_branch_leaves_some_work_for_each(shards: int, slots: int):
    run = branch(shards, slots)
    assert run & (run - 1) == 0
    assert run == 1 or shards // run >= 2 * slots
    assert shards // (2 * run) < 2 * slots


def test_workers_that_stay_keep_their_shards():
    assert kept_in_place([], {"b": 1, "a": 2}) == ["a", "a", "b"]
    assert kept_in_place(["a", "b"], {"b": 1}) == ["b"]
    assert kept_in_place(["a", "b"], {"b": 1, "c": 1, "d": 1}) == ["c", "b", "d"]
