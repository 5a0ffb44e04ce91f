"""The learning rate: curvature, range test, sweep and race tell the same story."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import optimisers
from corrente.errors import BadValue
from corrente.training import rates
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
    assert 0.1 * found.stable < found.suggested <= 2.0 * found.stable


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


def made_up(losses: dict[float, list[float]]) -> Stepper:
    """Return a stepper whose loss at each step is looked up: the leaves are rate and count."""

    def advance(leaves: Any, rate: float, batch: Any, rng: Any) -> Outcome:
        own = losses[rate]
        k = int(leaves[1])
        return Outcome((rate, k + 1.0), own[min(k, len(own) - 1)], 0.0, 0.0)

    return Stepper(
        start=(0.0, 0.0),
        advance=advance,
        measure=lambda leaves, batch, rng: 0.0,
        params=lambda leaves: leaves,
        state=lambda leaves: (),
        size=2,
        draws=False,
    )


@pytest.mark.parametrize(("larger", "winner"), [(1.05, 0.2), (1.5, 0.1), (math.nan, 0.1)])
def test_of_rates_that_are_close_the_larger_wins(larger: float, winner: float):
    losses = {0.1: [10.0, 1.0], 0.2: [10.0, larger], 0.01: [10.0, 9.0]}
    tried = rates.race(made_up(losses), source((X, Y)), 64, 0, [0.01, 0.1, 0.2], 100)
    assert tried[0][0] == winner


def test_a_rate_that_dropped_out_wins_if_all_others_explode_later():
    calm, wild = [10.0, 5.0], [10.0, *[1.0] * 30, 1e9]
    losses = {0.1: calm, 0.2: wild, 0.3: wild}
    tried = rates.race(made_up(losses), source((X, Y)), 64, 0, [0.1, 0.2, 0.3], 100)
    assert tried[0] == (0.1, 5.0)


def counting(stepper: Stepper) -> tuple[Stepper, list[float]]:
    """Return a stepper that notes the scale of each of its steps."""
    scales: list[float] = []

    def advance(leaves: Any, scale: float, batch: Any, rng: Any) -> Outcome:
        scales.append(scale)
        return stepper.advance(leaves, scale, batch, rng)

    return stepper._replace(advance=advance), scales


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam"])
@pytest.mark.parametrize("epochs", [10, 40, 200, 1000])
def test_choosing_costs_no_more_than_it_may(optimiser: str, epochs: int):
    pair, seen = named(optimiser), source((X, Y))
    stepper, scales = counting(prepare(loss, pair, np.zeros(4)))
    allowed = rates.allowance(seen, 64, epochs)
    assert allowed == epochs * 4 // 16
    rates.suggest(pair, stepper, seen, 64, allowed, 0)
    # a sweep of three strides at the least
    assert 3 <= len(scales) <= max(allowed, 4)


@pytest.mark.parametrize("optimiser", ["sgd", "momentum"])
@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_scale_of_the_loss_scales_the_rate(optimiser: str, scale: float):
    scaled = lambda w, x, y: scale * loss(w, x, y)
    pair, seen = named(optimiser), source((X, Y))
    one, other = (
        rates.suggest(pair, prepare(f, pair, np.zeros(4)), seen, 64, 100, 0) for f in (loss, scaled)
    )
    assert other * scale == pytest.approx(one, rel=1e-3)


def test_a_sweep_that_begins_too_high_begins_again_lower():
    # a step of Adam is as long as its rate: here 0.004 would leap over the whole valley
    steep = lambda w, x: np.mean((w - 1e-6 * x) ** 2)
    pair = named("adam")
    stepper = prepare(steep, pair, np.zeros(4))
    found = rates.suggest(pair, stepper, source(np.ones((64, 4))), 64, 100, 0)
    assert 1e-9 < found < 1e-5


def test_a_sweep_forgets_what_an_earlier_rate_set_in_motion():
    straight, rolling = (
        rates.sweep(prepare(loss, named(name), np.zeros(4)), (X, Y), 1e-3, 2.0, 12, 0, False)
        for name in ("sgd", "momentum")
    )
    assert [rate for rate, _ in straight] == [rate for rate, _ in rolling]
    np.testing.assert_allclose([at for _, at in straight], [at for _, at in rolling], rtol=1e-9)
    carried = rates.sweep(
        prepare(loss, named("momentum"), np.zeros(4)), (X, Y), 1e-3, 2.0, 12, 0, True
    )
    assert carried[1][1] != pytest.approx(rolling[1][1], rel=1e-3)


def test_the_reach_of_an_optimiser_is_how_far_a_steady_gradient_carries():
    assert rates.reach(named("sgd")) == 1.0
    assert rates.reach(named("momentum")) == pytest.approx((1 - 0.9**20) / (1 - 0.9))
    slow = optimisers.Optimiser(lambda p: (), lambda g, s, p: (-0.5 * g, s))
    assert rates.reach(slow) == 1.0


def test_clipping_bounds_no_small_gradient():
    clipped = optimisers.chain(optimisers.clip_by_norm(1.0), optimisers.sgd(1.0))
    assert not rates.normalises(clipped)


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
