"""The learning rate: curvature, range test and race tell the same story."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import optimisers, rates
from corrente.errors import BadValue
from corrente.training.batches import source
from corrente.training.rates import find_rate
from corrente.training.stepping import Outcome, Stepper, named, prepare

RNG = np.random.default_rng(0)
X = RNG.normal(size=(256, 4)) * [1.0, 2.0, 3.0, 4.0]
Y = X @ np.ones(4)


def loss(w: Any, x: Any, y: Any) -> Any:
    return np.mean((x @ w - y) ** 2)


def test_the_stable_rate_is_the_hessians():
    found = find_rate(loss, np.zeros(4), (X, Y), optimiser="sgd")
    hessian = co.hessian(loss)(np.zeros(4), X, Y)
    assert found.stable == pytest.approx(2.0 / np.linalg.eigvalsh(hessian)[-1], rel=1e-2)
    assert 0.1 * found.stable < found.suggested <= found.stable


def test_the_range_test_falls_and_then_explodes():
    found = find_rate(loss, np.zeros(4), (X, Y), optimiser="sgd")
    tried, losses = zip(*found.test, strict=True)
    assert tried[0] == pytest.approx(1e-6)
    assert list(tried) == sorted(tried)
    assert min(losses) < 0.7 * losses[0]
    # it ends where the loss does, and that is beyond the stable rate
    assert found.stable < tried[-1] < 100 * found.stable


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam", optimisers.rmsprop])
def test_the_suggested_rate_trains(optimiser: Any):
    found = find_rate(loss, np.zeros(4), (X, Y), optimiser=optimiser)
    pair = named(optimiser)
    stepper = prepare(loss, pair, np.zeros(4))
    leaves = stepper.start
    for _ in range(100):
        leaves = stepper.advance(leaves, found.suggested, (X, Y), None).leaves
    assert loss(leaves[0], X, Y) < 0.05 * loss(np.zeros(4), X, Y)


def test_a_race_drops_the_slow_and_the_exploding():
    stepper = prepare(loss, named("sgd"), np.zeros(4))
    tried = rates.race(stepper, source((X, Y)), 64, 0, [1e-5, 1e-4, 1e-2, 1e6], 200)
    assert tried[0][0] == 1e-2
    assert dict(tried)[1e6] > 1e6
    assert {rate for rate, _ in tried} == {1e-5, 1e-4, 1e-2, 1e6}
    assert tried == rates.race(stepper, source((X, Y)), 64, 0, [1e-5, 1e-4, 1e-2, 1e6], 200)


@pytest.mark.parametrize(("larger", "winner"), [(1.05, 0.2), (1.5, 0.1), (math.nan, 0.1)])
def test_of_rates_that_are_close_the_larger_wins(larger: float, winner: float):
    losses = {0.0: 10.0, 0.1: 1.0, 0.2: larger, 0.01: 9.0}
    stepper = Stepper(
        start=(0.0,),
        advance=lambda leaves, rate, batch, rng: Outcome((rate,), 0.0, 0.0, 0.0),
        measure=lambda leaves, batch, rng: losses[leaves[0]],
        params=lambda leaves: leaves,
        state=lambda leaves: (),
        size=1,
        draws=False,
    )
    tried = rates.race(stepper, source((X, Y)), 64, 0, [0.01, 0.1, 0.2], 100)
    assert tried[0][0] == winner


def test_an_optimiser_that_divides_by_the_gradients_size_is_known_by_what_it_does():
    known = {name: rates.normalises(named(name)) for name in optimisers.OPTIMISERS}
    assert known == {
        "sgd": False,
        "momentum": False,
        "nesterov": False,
        "adagrad": True,
        "rmsprop": True,
        "adam": True,
        "adamw": True,
    }


def test_a_loss_that_draws_has_a_rate_too():
    noisy = lambda w, x, y, rng: loss(w, x + 0.01 * rng.normal(size=x.shape), y)
    found = find_rate(noisy, np.zeros(4), (X, Y), optimiser="sgd")
    plain = find_rate(loss, np.zeros(4), (X, Y), optimiser="sgd")
    assert found.stable == pytest.approx(plain.stable, rel=0.05)


def test_a_loss_that_is_never_finite_is_told():
    with pytest.raises(BadValue, match="not finite"):
        find_rate(lambda w, x: np.sum(w) * np.nan, np.zeros(2), X)


def test_it_is_drawn(tmp_path: Path):
    pytest.importorskip("matplotlib")
    found = find_rate(loss, np.zeros(4), (X, Y))
    figure = found.plot(tmp_path / "rates.svg", lang="pt")
    drawn = (tmp_path / "rates.svg").read_text()
    assert drawn.startswith("<?xml")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "taxa de aprendizado"
    assert {"teste de faixa", "corrida"} <= set(axes.get_legend_handles_labels()[1])
    assert math.isfinite(found.stable)
