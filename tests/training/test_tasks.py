"""What a worker does: one thread of BLAS, arrays as they were before they travelled, bad rows."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from corrente.errors import Impure
from corrente.training.cluster import program
from corrente.training.shards import cut_up
from corrente.training.tasks import Blame, Errand, blame, known, one_blas_thread, part

threadpoolctl = pytest.importorskip("threadpoolctl")


def threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}


def test_blas_has_one_thread_while_any_task_runs():
    seen = []

    def loss(w: Any, x: Any) -> Any:
        seen.append(threads())
        return np.mean(w * x)

    [shard] = cut_up(np.ones(4), 1)
    with one_blas_thread():
        pass  # whatever BLAS is needed is loaded now
    with threadpoolctl.threadpool_limits(2):
        with one_blas_thread():
            part(program(loss, False, True), 1.0, [shard], [Errand(0, 4, None, 1.0, None)])
            assert threads() == {1}
        assert threads() == {2}
    assert seen == [{1}]


def test_arrays_that_travelled_are_as_they_were():
    whole = np.arange(12.0).reshape(3, 4)
    odd = np.frombuffer(b"." + whole.tobytes(), np.uint8)[1:].view("<f8")
    fortran = pickle.loads(pickle.dumps(np.asfortranarray(whole)))
    copied = np.ndarray((3, 4), np.dtype("f8", copy=True), whole.tobytes())
    for array in known((odd.reshape(3, 4), fortran, copied)):
        assert np.array_equal(array, whole)
        assert array.flags.c_contiguous
        assert array.flags.aligned
    assert known({"a": 1.0})["a"] == 1.0


def test_a_loss_that_draws_by_itself_is_refused():
    def drawing(w: Any, x: Any) -> Any:
        return np.mean(w * x) * np.random.random()

    [shard] = cut_up(np.ones(4), 1)
    with pytest.raises(Impure, match="draws random numbers"):
        part(program(drawing, True, True), 1.0, [shard], [Errand(0, 4, None, 1.0, None)])


@pytest.mark.parametrize("bad", [[], [3], [0, 7, 19], list(range(12))])
def test_the_first_bad_rows_are_found(bad: list[int]):
    x = np.ones(20)
    x[bad] = np.nan
    told = program(lambda w, x: np.mean(w * x), False, True)
    [shard] = cut_up(x, 1)
    for order in (None, 5):
        found = blame(told, 1.0, shard, [Errand(0, 20, order, 1.0, None)])
        assert found == Blame(tuple(bad[:8]), len(bad) <= 8)


def test_a_shard_with_no_rows_in_a_step_gives_nothing():
    [shard] = cut_up(np.ones(4), 1)
    told = program(lambda w, x: np.mean(w * x), False, True)
    assert part(told, 1.0, [shard], [Errand(2, 2, None, 0.0, None)]) is None
