"""Shares: which shard makes the gradient, and which row spoils it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.training.contributions import Share, shares

RNG = np.random.default_rng(0)
X = RNG.normal(size=(512, 3))
Y = X @ np.array([1.0, -2.0, 0.5])
W = np.ones(3)


def loss(w: Any, x: Any, y: Any) -> Any:
    return np.mean((x @ w - y) ** 2)


def found(x: Any = X, y: Any = Y, f: Any = loss, **more: Any) -> list[Share]:
    return shares(f, W, (x, y), batch_size=64, **more)


def test_each_share_is_the_gradient_of_its_rows():
    for share in found():
        rows = slice(share.start, share.start + share.rows)
        value, slopes = co.value_and_grad(loss)(W, X[rows], Y[rows])
        assert share.loss == pytest.approx(value)
        assert share.norm == pytest.approx(np.linalg.norm(slopes) * share.rows / len(X))
    assert sum(share.rows for share in found()) == len(X)
    assert sum(share.fraction for share in found()) == pytest.approx(1.0)


def test_a_loud_shard_makes_most_of_the_norm():
    y = Y.copy()
    y[448:] += 1000.0
    assert max(found(y=y), key=lambda share: share.fraction).shard == 7
    assert found(y=y)[7].fraction > 0.9


def test_the_first_bad_row_is_named():
    y = Y.copy()
    y[[213, 240]] = np.nan, np.inf
    shown = found(y=y)
    assert [share.shard for share in shown if not share.finite] == [3]
    assert shown[3].first_bad_row == 213
    assert shown[3].bad_rows == 2
    assert math.isnan(shown[3].norm)
    assert sum(share.fraction for share in shown if share.finite) == pytest.approx(1.0)


def test_a_sum_that_overflows_blames_no_row():
    y = np.full(512, 1e154)
    shown = found(y=y, f=lambda w, x, y: np.sum((x @ w - y) ** 2))
    assert not any(share.finite for share in shown)
    assert {share.first_bad_row for share in shown} == {None}


def test_many_bad_rows_are_not_counted_to_the_end():
    y = Y.copy()
    y[70:100] = np.nan
    assert found(y=y)[1].first_bad_row == 70
    assert found(y=y)[1].bad_rows == 8


def test_loaders_are_shards_here_as_well():
    loaders = [lambda a=a: (X[a : a + 128], Y[a : a + 128]) for a in range(0, 512, 128)]
    shown = shares(loss, W, loaders)
    assert [share.start for share in shown] == [0, 128, 256, 384]
    assert sum(share.norm for share in shown) > 0


def test_a_loss_that_draws_gives_the_same_twice():
    noisy = lambda w, x, y, rng: loss(w, x * (rng.random(x.shape) < 0.5), y)
    assert found(f=noisy) == found(f=noisy)
    assert found(f=noisy) != found(f=noisy, seed=1)


def test_a_cluster_finds_the_same():
    pytest.importorskip("distributed")
    y = Y.copy()
    y[213] = np.nan
    assert repr(found(y=y, cluster=1)) == repr(found(y=y))
