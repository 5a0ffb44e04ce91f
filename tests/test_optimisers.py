"""Optimisers and schedules: formulas, promises over all of them, dtypes, compiled and plain."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import optimisers
from corrente.errors import BadValue
from corrente.optimisers import OPTIMISERS, Optimiser, chain

ALL = pytest.mark.parametrize("name", OPTIMISERS)
SCHEDULES: dict[str, Any] = {
    "constant": optimisers.constant(0.1),
    "step": optimisers.step(0.1, every=3),
    "cosine": optimisers.cosine(0.1, steps=20),
    "warm_up": optimisers.warm_up(0.1, steps=4),
    "one_cycle": optimisers.one_cycle(0.1, steps=20),
}


def descend(optimiser: Optimiser, loss: Any, params: Any, steps: int) -> Any:
    state = optimiser.init(params)
    for _ in range(steps):
        moves, state = optimiser.update(co.grad(loss)(params), state, params)
        params = optimisers.moved(params, moves)
    return params


def parabola(p: Any) -> Any:
    return np.sum((p["w"] - np.array([1.0, -2.0])) ** 2) + (p["b"] - 3.0) ** 2


def bowl() -> dict[str, Any]:
    return {"w": np.zeros(2), "b": 0.0}


@ALL
def test_every_optimiser_finds_the_bottom_of_a_parabola(name: str):
    rate = 1.0 if name == "adagrad" else 0.05
    found = descend(OPTIMISERS[name](rate), parabola, bowl(), 300)
    assert parabola(found) < 0.05
    assert parabola(found) < 0.01 * parabola(bowl())


@ALL
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_optimiser_keeps_structure_and_dtype(name: str, dtype: Any, schedule: str):
    params = {"w": np.ones(2, dtype), "c": np.array(1.0, dtype), "b": 1.0, "s": dtype(1)}
    optimiser = chain(
        optimisers.clip_by_norm(1.0),
        optimisers.clip_by_value(0.5),
        optimisers.weight_decay(1e-3),
        OPTIMISERS[name](SCHEDULES[schedule]),
    )
    slopes = {"w": np.ones(2, dtype), "c": np.array(2.0, dtype), "b": 3.0, "s": dtype(1)}
    state = optimiser.init(params)
    for _ in range(3):
        moves, state = optimiser.update(slopes, state, params)
        params = optimisers.moved(params, moves)
    kinds = {key: (type(value), getattr(value, "dtype", None)) for key, value in params.items()}
    assert kinds == {
        "w": (np.ndarray, dtype),
        "c": (np.ndarray, dtype),
        "b": (float, None),
        "s": (dtype, dtype),
    }


@ALL
def test_a_compiled_step_is_the_plain_one(name: str):
    optimiser = chain(optimisers.clip_by_norm(1.0), OPTIMISERS[name](SCHEDULES["one_cycle"]))

    def step(params: Any, state: Any) -> Any:
        moves, state = optimiser.update(co.grad(parabola)(params), state, params)
        return optimisers.moved(params, moves), state

    plain = fast = (bowl(), optimiser.init(bowl()))
    for _ in range(4):
        plain, fast = step(*plain), co.jit(step)(*fast)
    np.testing.assert_allclose(fast[0]["w"], plain[0]["w"], rtol=1e-12)
    np.testing.assert_allclose(fast[0]["b"], plain[0]["b"], rtol=1e-12)


@ALL
def test_every_optimiser_goes_downhill_on_complex_parameters(name: str):
    loss = lambda z: np.sum(np.abs(z - (1 + 2j)) ** 2)
    start = np.zeros(2, complex)
    found = descend(OPTIMISERS[name](1.0 if name == "adagrad" else 0.05), loss, start, 300)
    assert found.dtype == complex
    assert loss(found) < 0.05


def test_the_squares_of_complex_slopes_are_real():
    state = OPTIMISERS["adam"](0.1).init({"z": np.zeros(2, complex), "c": 0j})
    assert state[0].second["z"].dtype == float
    assert type(state[0].second["c"]) is float
    assert state[0].first["z"].dtype == complex


def test_every_optimiser_in_the_table_is_found_by_its_name():
    for name, make in OPTIMISERS.items():
        assert getattr(optimisers, name) is make
        assert next(iter(inspect.signature(make).parameters)) == "rate"


def test_three_steps_by_hand():
    slopes = [1.0, -2.0, 0.5]
    rate, b1, b2 = 0.1, 0.9, 0.999
    first = second = 0.0
    by_hand = {"sgd": 0.0, "momentum": 0.0, "nesterov": 0.0, "adagrad": 0.0, "rmsprop": 0.0}
    by_hand |= {"adam": 0.0}
    speed = squares = mean = 0.0
    for k, g in enumerate(slopes, 1):
        speed = 0.9 * speed + g
        squares += g * g
        mean = 0.9 * mean + 0.1 * g * g
        first, second = b1 * first + (1 - b1) * g, b2 * second + (1 - b2) * g * g
        by_hand["sgd"] -= rate * g
        by_hand["momentum"] -= rate * speed
        by_hand["nesterov"] -= rate * (0.9 * speed + g)
        by_hand["adagrad"] -= rate * g / (np.sqrt(squares) + 1e-8)
        by_hand["rmsprop"] -= rate * g / (np.sqrt(mean) + 1e-8)
        by_hand["adam"] -= rate * first / (1 - b1**k) / (np.sqrt(second / (1 - b2**k)) + 1e-8)
    for name, expected in by_hand.items():
        optimiser = OPTIMISERS[name](rate)
        point, state = 0.0, optimiser.init(0.0)
        for g in slopes:
            move, state = optimiser.update(g, state, point)
            point = point + move
        assert point == pytest.approx(expected, rel=1e-12), name


def test_adamw_decays_the_weights_and_not_the_gradient():
    adam, adamw = OPTIMISERS["adam"](0.1), OPTIMISERS["adamw"](0.1, decay=0.5)
    plain = adam.update(1.0, adam.init(4.0), 4.0)[0]
    decayed = adamw.update(1.0, adamw.init(4.0), 4.0)[0]
    assert decayed == pytest.approx(plain - 0.1 * 0.5 * 4.0)


def test_clipping_by_norm_keeps_direction_and_short_gradients():
    clip = optimisers.clip_by_norm(1.0)
    long, _ = clip.update({"a": 3.0, "b": np.array([4.0])}, (), None)
    assert long["a"] == pytest.approx(0.6)
    assert long["b"] == pytest.approx(0.8)
    short, _ = clip.update({"a": 0.3, "b": np.array([0.4])}, (), None)
    assert short["a"] == pytest.approx(0.3)
    nought, _ = clip.update({"a": 0.0, "b": np.zeros(1)}, (), None)
    assert nought["a"] == 0.0


def test_clipping_by_value_cuts_each_element():
    moves, _ = optimisers.clip_by_value(0.5).update(np.array([-2.0, 0.1, 3.0]), (), np.zeros(3))
    assert moves.tolist() == [-0.5, 0.1, 0.5]


def test_schedules_at_their_corners():
    at = lambda name, count: float(SCHEDULES[name](float(count)))
    assert at("constant", 99) == 0.1
    assert [at("step", k) for k in (0, 2, 3, 6)] == pytest.approx([0.1, 0.1, 0.05, 0.025])
    assert [at("cosine", k) for k in (0, 10, 20, 50)] == pytest.approx([0.1, 0.05, 0.0, 0.0])
    assert [at("warm_up", k) for k in (0, 1, 3, 9)] == pytest.approx([0.025, 0.05, 0.1, 0.1])
    assert [at("one_cycle", k) for k in (0, 6, 20)] == pytest.approx([0.004, 0.1, 0.0])
    both = optimisers.warm_up(optimisers.cosine(1.0, 10), 5)
    assert [float(both(float(k))) for k in (4, 5, 10, 15)] == pytest.approx([1, 1, 0.5, 0])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: optimisers.sgd(0.0),
        lambda: optimisers.adam(float("nan")),
        lambda: optimisers.adam(0.1, first=1.0),
        lambda: optimisers.momentum(0.1, decay=-0.1),
        lambda: optimisers.clip_by_norm(-1.0),
        lambda: optimisers.cosine(0.1, 0),
        lambda: optimisers.one_cycle(0.1, 10, rise=1.0),
    ],
)
def test_numbers_without_a_meaning_are_refused(wrong: Any):
    with pytest.raises(BadValue, match="makes no sense"):
        wrong()
