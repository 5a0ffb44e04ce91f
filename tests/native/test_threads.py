"""Threads: the number of them never shows in a result, nor does who calls at the same time."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from native.alike import assert_all_alike, assert_close, assert_like, programs

import corrente as co
from corrente.native import threads

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("told", "number"), [("1", 1), ("3", 3), ("0", 1), ("999", 64)])
def test_it_is_told_how_many(monkeypatch, told, number):
    monkeypatch.setenv("CORRENTE_THREADS", told)
    assert threads.count() == number


def test_otherwise_all_cores_work(monkeypatch):
    monkeypatch.setenv("CORRENTE_THREADS", "many")
    assert 1 <= threads.count() <= 64


def works(x):
    y = np.exp(x) * x
    rows = x.reshape(-1)
    parts = y, np.sum(y), np.sum(np.sin(x) * x, 0), np.sum(y + x, 1), np.max(y * y + x)
    return *parts, np.sum(np.tanh(rows) * rows * 2 + 1), (x > 0) & (y < 1)


slope = co.value_and_grad(lambda x: np.sum(np.tanh(x[:40] @ x.T)) + np.mean(works(x)[0]))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_any_number_of_threads_makes_the_same_bits(monkeypatch, dtype):
    x = RNG.normal(size=(451, 1103)).astype(dtype)
    found = []
    for number in (1, 2, 4):
        monkeypatch.setenv("CORRENTE_THREADS", str(number))
        compiled = co.jit(lambda x: (works(x), slope(x)))
        found.append(compiled(x))
        assert ".part" in programs(compiled)[0].native.text
    for other in found[1:]:
        assert_all_alike(other, found[0])
    for made, numpys in zip(found[0][0], works(x), strict=True):
        assert_like(made, numpys)
        assert_close(made, numpys, 64)


@pytest.mark.parametrize("size", [999_937, 1 << 20, 16, 1_000_003])
def test_parts_of_one_long_axis(size):
    x = RNG.normal(size=size)
    f = lambda x: (np.exp(x) * x + x, np.sum(np.exp(x) * x), np.max(x * x - x), np.min(x))
    for made, numpys in zip(co.jit(f)(x), f(x), strict=True):
        assert_like(made, numpys)
        assert_close(made, numpys, 16)


def test_parts_of_few_rows():
    x = RNG.normal(size=(3, 400_001))
    f = lambda x: (np.sum(np.exp(x) * x, 0), np.sum(x * x * x, 1), np.cos(x))
    for made, numpys in zip(co.jit(f)(x), f(x), strict=True):
        assert_close(made, numpys, 16)


def together(compiled, f, size: int, calls: int) -> None:
    """Call a function from four threads, each with numbers of its own."""
    wrong: list[Exception | None] = []

    def call(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for _ in range(calls):
            x, y = rng.normal(size=(2, size))
            try:
                assert_all_alike(compiled(x, y), f(x, y), tolerance=16)
            except Exception as error:
                wrong.append(error)

    callers = [threading.Thread(target=call, args=(seed,)) for seed in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert not wrong, wrong[0]
    assert not compiled.__self__._plain


@pytest.mark.parametrize(("size", "calls"), [(7, 100), (300_000, 2)])
def test_many_may_call_one_function(size, calls):
    f = lambda x, y: (np.exp(-x * x) * y + np.sin(y), np.sum(x * x), np.sort(x)[:3])
    together(co.jit(f), f, size, calls)


def test_many_may_take_different_paths():
    f = lambda x, y: x * y if np.sum(x) > 0 else x - y
    compiled = co.jit(f)
    together(compiled, f, 50, 50)
    assert len({program.path for program in programs(compiled)}) == 2
