"""Curvature: eigenvalues from products alone, against the whole matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.curvature import curvature, lanczos, power
from corrente.errors import BadValue

RNG = np.random.default_rng(0)


def symmetric(size: int, seed: int = 0) -> np.ndarray:
    matrix = np.random.default_rng(seed).normal(size=(size, size))
    return matrix + matrix.T


@pytest.mark.parametrize("seed", range(5))
def test_lanczos_finds_both_ends_of_the_spectrum(seed: int):
    matrix = symmetric(20, seed)
    values = np.linalg.eigvalsh(matrix)
    found = lanczos(lambda v: matrix @ v, 20, tolerance=1e-10, seed=seed)
    assert found.largest == pytest.approx(values[-1], rel=1e-8)
    assert abs(found.largest - values[-1]) <= found.error + 1e-9
    whole = lanczos(lambda v: matrix @ v, 20, tolerance=0.0)
    assert whole.products == 20
    assert whole.smallest == pytest.approx(values[0], rel=1e-8)
    assert np.linalg.norm(matrix @ whole.direction - whole.largest * whole.direction) < 1e-6


def test_lanczos_stops_when_it_knows():
    asked = []

    def product(v: np.ndarray) -> np.ndarray:
        asked.append(v)
        return v * np.concatenate([[100.0], np.linspace(0, 1, 199)])

    found = lanczos(product, 200)
    assert found.largest == pytest.approx(100.0, rel=1e-3)
    assert len(asked) == found.products < 20


def test_lanczos_survives_repeated_eigenvalues_and_nought():
    assert lanczos(lambda v: 3.0 * v, 50).largest == pytest.approx(3.0)
    found = lanczos(lambda v: 0.0 * v, 5)
    assert found.largest == 0.0
    assert found.stable_rate == math.inf


def test_power_finds_the_largest_by_size():
    matrix = symmetric(12)
    values = np.linalg.eigvalsh(matrix)
    wanted = values[np.argmax(np.abs(values))]
    value, vector = power(lambda v: matrix @ v, 12, steps=2000, tolerance=1e-8)
    assert value == pytest.approx(wanted, rel=1e-6)
    assert np.linalg.norm(matrix @ vector - value * vector) < 1e-5


def loss(params: Any, x: Any, y: Any) -> Any:
    hidden = np.tanh(x @ params["W"] + params["b"])
    return np.mean((hidden @ params["v"] - y) ** 2)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_curvature_of_a_network_is_its_hessians(compiled: bool, dtype: Any):
    params = {"W": RNG.normal(size=(3, 4)), "b": 0.1 * np.ones(4), "v": RNG.normal(size=4)}
    x, y = RNG.normal(size=(30, 3)), RNG.normal(size=30)
    sizes = [4, 12, 4]  # in the order of the names: W, b, v

    def on_vector(flat: Any) -> Any:
        W, b, v = flat[:12].reshape(3, 4), flat[12:16], flat[16:]
        return loss({"W": W, "b": b, "v": v}, x, y)

    flat = np.concatenate([params[name].ravel() for name in "Wbv"])
    assert sum(sizes) == len(flat)
    values = np.linalg.eigvalsh(co.hessian(on_vector)(flat))
    given = {name: value.astype(dtype) for name, value in params.items()}
    found = curvature(
        loss, given, x.astype(dtype), y.astype(dtype), tolerance=1e-9, compiled=compiled
    )
    assert found.largest == pytest.approx(values[-1], rel=1e-5)
    assert found.stable_rate == pytest.approx(2.0 / values[-1], rel=1e-5)
    assert found.direction["W"].shape == (3, 4)


def test_above_the_stable_rate_descent_swings_up_and_below_it_settles():
    x = RNG.normal(size=(40, 5)) * [1, 2, 3, 4, 5]
    bowl = lambda w: np.mean((x @ w) ** 2)
    stable = curvature(bowl, np.ones(5), tolerance=1e-9).stable_rate
    for share, settles in ((0.98, True), (1.02, False)):
        w = np.ones(5)
        for _ in range(1500):
            w = w - share * stable * co.grad(bowl)(w)
        assert (bowl(w) < bowl(np.ones(5))) == settles


def test_a_curvature_that_is_not_finite_is_told():
    with pytest.raises(BadValue, match="not finite"):
        curvature(lambda w: np.sum(w * w * np.nan), np.ones(3), compiled=False)
    with pytest.raises(BadValue, match="not finite"):
        power(lambda v: v * np.inf, 2)
