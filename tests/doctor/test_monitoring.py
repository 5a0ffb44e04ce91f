"""A training in attendance: what falls ill on the way is found once, what is well is left alone."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_circles,
    make_friedman1,
    make_moons,
)

import corrente as co
from corrente import nn
from corrente.doctor import IllnessWarning, Monitor, monitor
from corrente.errors import BadValue
from corrente.training.history import Record


def standard(data: tuple[Any, Any]) -> tuple[Any, Any]:
    X, y = data
    return (X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-12), y


def numbers(data: tuple[Any, Any]) -> tuple[Any, Any]:
    X, y = standard(data)
    return X, (y - y.mean()) / y.std()


def layers(rng, sizes, gain=2.0):
    return [
        (rng.normal(size=(n, m)) * np.sqrt(gain / n), np.zeros(m))
        for n, m in itertools.pairwise(sizes)
    ]


def network(bend, classes=True):
    def loss(params, X, y):
        h = X
        for W, b in params[:-1]:
            h = bend(h @ W + b)  # the line
        W, b = params[-1]
        scores = h @ W + b
        return nn.cross_entropy(scores, y) if classes else np.mean((scores[:, 0] - y) ** 2)

    return loss


LINE = network(np.tanh).__code__.co_firstlineno + 3


def quadratic(w, X, y):
    return np.mean((X @ w - y) ** 2)


def logistic(w, X, y):
    scores = X @ w
    return np.mean(np.logaddexp(0.0, scores) - y * scores)


def dropped(params, X, y, rng):
    (W, b), (V, c) = params
    return nn.cross_entropy(nn.dropout(nn.relu(X @ W + b), 0.3, rng) @ V + c, y)


def recurrent(p, x, y):
    h = np.zeros((len(x), 12))
    for t in range(x.shape[1]):
        h = np.tanh(x[:, t] @ p["U"] + h @ p["W"])
    return np.mean(((h @ p["V"])[:, 0] - y) ** 2)


def sums(rng):
    x = rng.normal(size=(200, 8, 2))
    return x, 0.3 * x.sum(axis=(1, 2))


def gates(rng):
    return {
        "U": rng.normal(size=(2, 12)) / 2,
        "W": 0.9 * np.linalg.qr(rng.normal(size=(12, 12)))[0],
        "V": rng.normal(size=(12, 1)) / 4,
    }


MOONS = make_moons(200, noise=0.2, random_state=0)
RNG = np.random.default_rng(0)
SIX = (2, 24, 24, 2)
WELL: dict[str, tuple[Any, ...]] = {
    "moons": (network(nn.relu), layers(RNG, SIX), MOONS, {}),
    "circles": (
        network(np.tanh),
        layers(RNG, SIX, 1.0),
        make_circles(200, noise=0.1, factor=0.5, random_state=0),
        {"optimiser": "momentum"},
    ),
    "iris": (
        network(nn.sigmoid),
        layers(RNG, (4, 16, 3), 1.0),
        standard(load_iris(return_X_y=True)),
        {"rate": 0.03},
    ),
    "wine": (
        network(nn.relu),
        layers(RNG, (13, 24, 3)),
        standard(load_wine(return_X_y=True)),
        {"rate": 0.01},
    ),
    "cancer": (
        network(nn.softplus),
        layers(RNG, (30, 16, 2)),
        standard(load_breast_cancer(return_X_y=True)),
        {"optimiser": "sgd"},
    ),
    "digits": (
        network(nn.relu),
        layers(RNG, (64, 32, 10)),
        (load_digits().data[:600] / 16.0, load_digits().target[:600]),
        {},
    ),
    "diabetes": (
        network(np.tanh, False),
        layers(RNG, (10, 16, 1), 1.0),
        numbers(load_diabetes(return_X_y=True)),
        {"optimiser": "nesterov", "rate": 0.01},
    ),
    "friedman": (
        network(nn.relu, False),
        layers(RNG, (10, 24, 1)),
        numbers(make_friedman1(200, random_state=0)),
        {"optimiser": "rmsprop", "rate": 0.003},
    ),
    "a line from nought": (
        quadratic,
        np.zeros(10),
        numbers(load_diabetes(return_X_y=True)),
        {"optimiser": "sgd", "rate": 0.05, "batch_size": 442},
    ),
    "a line by adam": (
        quadratic,
        np.zeros(10),
        numbers(load_diabetes(return_X_y=True)),
        {"rate": 0.01},
    ),
    "logistic from nought": (
        logistic,
        np.zeros(30),
        standard(load_breast_cancer(return_X_y=True)),
        {"optimiser": "sgd", "rate": 0.5, "batch_size": 569},
    ),
    "dropout": (
        dropped,
        layers(RNG, (2, 32, 2)),
        make_moons(200, noise=0.2, random_state=1),
        {},
    ),
    "a recurrence": (recurrent, gates(RNG), sums(RNG), {"epochs": 12}),
    "single precision": (
        network(nn.relu),
        [tuple(part.astype(np.float32) for part in layer) for layer in layers(RNG, SIX)],
        (MOONS[0].astype(np.float32), MOONS[1]),
        {},
    ),
}


@pytest.mark.parametrize("name", WELL)
def test_a_training_that_is_well_raises_nothing(name):
    loss, params, data, options = WELL[name]
    watching = monitor(loss, *data, every=4)
    options = {"epochs": 30, "compiled": False} | options
    trained = co.train(loss, params, data, callback=watching, **options)
    assert watching.ok, str(watching)
    assert list(watching.diagnoses) == list(range(1, len(trained.history) + 1, 4))
    assert trained.history[-1].loss < trained.history[0].loss
    assert "healthy" in str(watching)


def test_there_are_ten_at_least():
    assert len(WELL) >= 10


def ill(loss, params, data, **options) -> tuple[Monitor, list[IllnessWarning], Any]:
    """Train and gather the warnings."""
    watching = monitor(loss, *data, stop=options.pop("stop", False), lang=options.pop("lang", "en"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        options = {"epochs": 12, "compiled": False} | options
        trained = co.train(loss, params, data, callback=watching, **options)
    told = [w.message for w in caught if isinstance(w.message, IllnessWarning)]
    return watching, told, trained


def codes(watching: Monitor) -> set[str]:
    return {seen.finding.code for seen in watching.findings}


def test_relus_that_die_of_a_high_rate():
    params = layers(np.random.default_rng(4), SIX)
    watching, told, _ = ill(network(nn.relu), params, MOONS, optimiser="sgd", rate=3.0)
    assert codes(watching) == {"dead-relu"}
    (first, *_) = told
    assert (first.code, first.line, first.epoch) == ("dead-relu", LINE, watching.findings[0].since)
    assert f"line {LINE}" in str(first)
    assert f"linha {LINE}" in first.says.pt
    assert co.diagnose(network(nn.relu), params, *MOONS).ok


def test_squashers_that_saturate():
    params = layers(np.random.default_rng(0), SIX, 1.0)
    watching, told, _ = ill(network(np.tanh), params, MOONS, rate=1.0, lang="pt")
    assert codes(watching) == {"saturated"}
    assert str(told[0]).startswith("época 1: saturated")


def test_what_explodes_later_is_found_later_and_warned_of_once():
    def grows(p, x):
        h = np.zeros((len(x), 8))
        for t in range(x.shape[1]):
            h = nn.relu(x[:, t] @ p["U"] + h @ p["W"])
        return -np.mean(h @ p["V"])

    rng = np.random.default_rng(0)
    params = {
        "U": rng.normal(size=(3, 8)) / 2,
        "W": np.linalg.qr(rng.normal(size=(8, 8)))[0],
        "V": rng.normal(size=(8, 1)) / 3,
    }
    data = (rng.normal(size=(64, 30, 3)),)
    watching, told, trained = ill(grows, params, data, rate=0.01, epochs=40)
    (seen,) = [seen for seen in watching.findings if seen.finding.code == "exploding"]
    assert seen.since > 5
    assert seen.until is None
    assert len(told) == len(watching.findings)
    assert len({(w.code, w.line) for w in told}) == len(told)
    stopped = ill(grows, params, data, rate=0.01, epochs=40, stop=True)
    assert stopped[2].stopped == "callback"
    assert len(stopped[2].history) == stopped[0].findings[0].since < len(trained.history)


def test_steps_too_long_and_too_short():
    params = layers(np.random.default_rng(0), SIX, 1.0)
    slow, *_ = ill(network(np.tanh), params, MOONS, optimiser="sgd", rate=1e-7)
    assert codes(slow) == {"rate"}
    assert "too low" in str(slow)
    jumps = lambda w, x: np.mean(np.abs(w - x))
    fast, *_ = ill(jumps, np.full(4, 0.3), (np.zeros((64, 4)),), optimiser="sgd", rate=40.0)
    assert "too high" in str(fast)
    assert "alta demais" in fast.render("pt")


def descend(watching, loss, w, rate, steps, *data):
    """Train by hand, as a loop of one's own would."""
    for k in range(1, steps + 1):
        with np.errstate(invalid="ignore"):
            value, slope = co.value_and_grad(loss)(w, *data)
        record = Record(k, k, float(value), None, 0.0, 1e-3, rate, 0.0)
        if watching(record, w):
            return k
        w = w - rate * slope
    return None


def test_a_nan_at_some_step_is_found_at_that_step():
    def loss(w, x):
        return np.mean(np.log(w * x))  # falls and falls, until w is below 0

    x = np.array([1.0, 2.0, 4.0])
    watching = monitor(loss, x, stop=True)
    with pytest.warns(IllnessWarning, match="nan"):
        at = descend(watching, loss, 1.0, 0.15, 50, x)
    (seen,) = watching.findings
    assert seen.since == at > 1
    assert seen.finding.line == loss.__code__.co_firstlineno + 1


def test_a_batch_that_exploded_is_looked_at():
    watching = monitor(quadratic, np.ones((8, 2)), np.ones(8))
    X = np.ones((4, 2))
    X[2, 1] = np.nan
    with pytest.warns(IllnessWarning, match="only from row 2"):
        assert not watching.exploded(7, np.zeros(2), X, np.ones(4))
    assert watching.findings[0].since == 7


def test_what_has_gone_is_told_with_its_epochs():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.ones(40)
    squashed = lambda w, X, y: np.mean((np.tanh(X @ w) @ np.ones(3) - y) ** 2)
    watching = monitor(squashed, X, y)
    small, large = np.full((2, 3), 0.1), np.full((2, 3), 90.0)
    with pytest.warns(IllnessWarning, match="saturated"):
        watching.look(1, large)
    watching.look(2, small)
    watching.look(3, small)
    (seen,) = watching.findings
    assert (seen.since, seen.until) == (1, 2)
    assert "epochs 1 to 2" in str(watching)
    assert "épocas 1 a 2" in watching.render("pt")
    watching.look(4, large)  # known by now: no second warning
    assert watching.findings[0].until is None


def test_the_sample_is_small_and_fixed():
    X = np.arange(1000.0)[:, None]
    one, other = (monitor(quadratic, X, X[:, 0], rows=16, seed=3) for _ in range(2))
    assert len(one.sample[0]) == 16
    np.testing.assert_array_equal(one.sample[0], other.sample[0])
    assert len(monitor(lambda w, x: w, (X,)).sample[0]) == 128


@pytest.mark.parametrize("bad", [{"every": 0}, {"rows": 0}])
def test_what_makes_no_sense_is_refused(bad):
    with pytest.raises(BadValue):
        monitor(quadratic, np.ones((3, 2)), np.ones(3), **bad)


def test_long_steps_that_help_are_no_illness():
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.ones(40)
    for losses, well in (([9.0, 4.0, 1.0, 0.5], True), ([1.0, 2.0, 2.0, 4.0], False)):
        watching = monitor(quadratic, X, y)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", IllnessWarning)
            for k, loss in enumerate(losses, 1):
                watching(Record(k, k, loss, None, 1.0, 0.5, 1.0, 0.0), np.ones(2))
        assert watching.ok is well
