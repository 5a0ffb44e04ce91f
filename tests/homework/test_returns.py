"""What comes back is too little, too much or nothing; what keeps a check from its limits."""

from __future__ import annotations

import os

import numpy as np
import pytest

from corrente.homework import check_backward, repairing, sandbox
from corrente.homework.sandbox import FenceWarning, Limits, confined

RNG = np.random.default_rng(0)
X, W = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))


def affine(x, w):
    return x @ w, (x, w)


def test_a_gradient_that_is_made_and_kept_back_is_missed():
    def backward(dout, cache):
        x, w = cache
        dx = dout @ w.T
        dw = x.T @ dout  # noqa: F841  # that is the mistake
        return dx

    verdict = check_backward(affine, backward, X, W)
    assert not verdict.ok
    assert verdict.variable == "dw"
    assert verdict.line == backward.__code__.co_firstlineno + 3


def test_the_gradient_of_the_data_may_be_left():
    def backward(dout, cache):
        x, w = cache
        dx = dout @ w.T  # noqa: F841  # made for completeness
        dw = x.T @ dout
        return dw  # noqa: RET504

    verdict = check_backward(affine, backward, X, W)
    assert verdict.ok
    assert "No gradient of x came back" in verdict.says.en
    assert "Não voltou gradiente de x" in verdict.says.pt


def test_a_gradient_of_nothing_is_one_too_many():
    def backward(dout, cache):
        x, w = cache
        db = dout.sum(axis=0)
        return dout @ w.T, x.T @ dout, db

    verdict = check_backward(affine, backward, X, W)
    assert not verdict.ok
    assert "db belongs to none of x, w" in verdict.message


def test_a_mask_drawn_anew_on_the_way_back_is_wrong():
    def dropout(x):
        mask = np.random.rand(*x.shape) < 0.5
        return x * mask, mask

    def again(dout, cache):
        mask = np.random.rand(*dout.shape) < 0.5
        return dout * mask

    def kept(dout, cache):
        return dout * cache

    assert not check_backward(dropout, again, X).ok
    verdict = check_backward(dropout, kept, X)
    assert verdict.ok
    assert "draws at random" in verdict.message


def test_numbers_that_are_not_finite_are_named():
    def backward(dout, cache):
        x, w = cache
        dx = dout @ w.T / 0.0
        return dx, x.T @ dout

    assert "not finite" in check_backward(affine, backward, X, W).message


def test_a_search_that_fails_says_so(monkeypatch: pytest.MonkeyPatch):
    def fail(site, words):
        raise LookupError("no changes today")

    def backward(dout, cache):
        x, w = cache
        dx = dout @ w
        return dx, x.T @ dout

    monkeypatch.setattr(repairing.statements, "edits", fail)
    verdict = check_backward(affine, backward, RNG.normal(size=(3, 3)), RNG.normal(size=(3, 3)))
    assert verdict.line == backward.__code__.co_firstlineno + 2
    assert "no changes today" in verdict.says.en
    assert "no changes today" in verdict.says.pt


def test_without_limits_on_memory_a_warning_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sandbox, "resource", None)
    with pytest.warns(FenceWarning, match="limited in time alone"):
        outcome = confined(lambda send: send({"final": True}), Limits(10.0, 1 << 30))
    assert outcome.ended == "done"


def test_without_processes_a_warning_says_so(monkeypatch: pytest.MonkeyPatch):
    def backward(dout, cache):
        return dout @ cache[1].T, cache[0].T @ dout

    monkeypatch.delattr(os, "fork")
    with pytest.warns(FenceWarning, match="without limits"):
        assert check_backward(affine, backward, X, W).ok
