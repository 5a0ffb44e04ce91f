"""Losses with one illness each, planted on the line that ends in `# ill`."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import corrente as co
from corrente import nn
from corrente.doctor import Diagnosis, diagnose
from corrente.training.contributions import shares

SHARDS = 8
"""Shards of the cases whose data are parted; the first one is what lies here."""


class Planted(NamedTuple):
    """A case: the code to be found, how to build it, and the line (None: an argument's)."""

    name: str
    code: str
    build: Callable[[np.random.Generator], tuple[Any, ...]]
    line: int | None
    options: dict[str, Any]

    def call(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return the loss and its arguments."""
        loss, *args = self.build(np.random.default_rng(0))
        return loss, tuple(args)

    def examined(self, seed: int = 0) -> Diagnosis:
        """Diagnose the loss: where it is sharded, here are the first shard and all shares."""
        loss, params, *data = self.build(np.random.default_rng(seed))
        options = dict(self.options)
        if options.pop("sharded", False):
            whole = shares(loss, params, tuple(data), batch_size=SHARDS**2, compiled=False)
            options["shards"] = whole
            data = [part[: len(part) // SHARDS] for part in data]
        return diagnose(loss, params, *data, **options)


CASES: list[Planted] = []


def ill(code: str, **options: Any) -> Callable[..., Any]:
    """Register a case under the code that is to be found."""

    def enter(build: Callable[..., Any]) -> Callable[..., Any]:
        lines, first = inspect.getsourcelines(build)
        marked = [first + k for k, line in enumerate(lines) if line.rstrip().endswith("# ill")]
        CASES.append(Planted(build.__name__, code, build, marked[0] if marked else None, options))
        return build

    return enter


# --- NaN and infinity, forward --------------------------------------------------------------------


@ill("nan")
def root_of_negative(rng):
    def loss(x):
        y = np.sqrt(x)  # ill
        return np.sum(y)

    return loss, np.array([1.0, -4.0, 9.0])


@ill("nan")
def log_of_negative(rng):
    def loss(w, X):
        p = X @ w
        logs = np.log(p)  # ill
        return -np.mean(logs)

    return loss, np.array([1.0, -1.0]), rng.normal(size=(10, 2))


@ill("nan")
def nought_by_nought(rng):
    def loss(w, x):
        total = w * x
        return np.sum(total / x)  # ill

    return loss, np.array([1.0, 2.0]), np.array([0.0, 3.0])


@ill("nan")
def data_with_a_gap(rng):
    X = rng.normal(size=(20, 3))
    X[7, 1] = np.nan

    def loss(w, X, y):
        scores = X @ w  # ill
        return np.mean((scores - y) ** 2)

    return loss, np.zeros(3), X, np.ones(20)


@ill("nan")
def correlation_of_constants(rng):
    def loss(w, x):
        y = w * x
        z = (y - np.mean(y)) / np.std(y)  # ill
        return np.sum(z**3)

    return loss, 2.0, np.ones(5)


@ill("inf")
def softmax_by_hand(rng):
    def loss(w, X, y):
        e = np.exp(X @ w)  # ill
        p = e / np.sum(e, axis=1, keepdims=True)
        return -np.mean(np.log(p[np.arange(len(y)), y]))

    W, X = rng.random(size=(4, 3)), 1000.0 * (1.0 + rng.random(size=(6, 4)))
    return loss, W, X, np.arange(6) % 3


@ill("inf")
def log_of_nought(rng):
    def loss(p, y):
        return -np.mean(y * np.log(p))  # ill

    return loss, np.array([0.5, 0.0, 0.5]), np.array([0.0, 1.0, 0.0])


@ill("inf")
def divided_by_nought(rng):
    def loss(w, x):
        return np.sum(w / x)  # ill

    return loss, np.array([1.0, 2.0]), np.array([0.0, 3.0])


@ill("inf")
def overflow_in_single(rng):
    def loss(w):
        big = np.exp(w)  # ill
        return np.sum(big)

    return loss, np.array([1.0, 100.0], np.float32)


@ill("inf")
def an_infinite_target(rng):
    def loss(w, x, y):
        return np.mean((w * x - y) ** 2)  # ill

    return loss, 1.0, np.ones(3), np.array([1.0, np.inf, 2.0])


# --- NaN and infinity, backward -------------------------------------------------------------------


@ill("nan")
def distance_from_itself(rng):
    def loss(x):
        away = x[:, None] - x[None, :]
        d = np.sqrt(np.sum(away**2, axis=-1))  # ill
        return np.sum(d)

    return loss, rng.normal(size=(4, 2))


@ill("nan")
def root_of_a_square(rng):
    def loss(x):
        return np.sqrt(x**2)  # ill

    return loss, 0.0


@ill("inf")
def root_at_nought(rng):
    def loss(w):
        return np.sum(np.sqrt(w))  # ill

    return loss, np.array([0.0, 1.0])


@ill("inf")
def small_power_at_nought(rng):
    def loss(w):
        return np.sum(w**0.3)  # ill

    return loss, np.array([0.0, 1.0])


@ill("inf")
def arcsine_at_its_end(rng):
    def loss(w):
        return np.sum(np.arcsin(w))  # ill

    return loss, np.array([0.5, 1.0])


# --- the where trap -------------------------------------------------------------------------------


@ill("where-trap")
def jax_issue_347(rng):
    def loss(x):
        x = np.sqrt(np.sum(x**2, axis=1))  # ill
        return np.sum(np.where(x > 0.5, x, np.ones_like(x)))

    return loss, np.array([[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]])


@ill("where-trap")
def root_or_line(rng):
    def loss(x):
        return np.sum(np.where(x > 0, np.sqrt(x), x))  # ill

    return loss, np.array([-1.0, 4.0, 0.0])


@ill("where-trap")
def sine_over_x(rng):
    def loss(x):
        ratio = np.sin(x) / x  # ill
        return np.sum(np.where(x == 0, 1.0, ratio))

    return loss, np.array([1.0, 0.0, -2.0])


@ill("where-trap")
def guarded_exponential(rng):
    def loss(x):
        grown = np.exp(x)  # ill
        return np.sum(np.where(x <= 10, grown, x))

    return loss, np.array([1.0, 1e3])


@ill("where-trap")
def logarithm_or_line(rng):
    def loss(x):
        return np.sum(np.where(x > 2, np.log2(x), 2 * x))  # ill

    return loss, np.array([0.0, 2.0, 3.0])


@ill("where-trap")
def energy_of_pairs(rng):
    def loss(x):
        away = x[:, None] - x[None, :]
        d = np.sqrt(np.sum(away**2, axis=-1))  # ill
        return np.sum(np.where(np.eye(len(x)) > 0, 0.0, d))

    return loss, rng.normal(size=(4, 2))


@ill("where-trap")
def a_step_further_on(rng):
    def loss(w, x):
        root = np.sqrt(w * x)  # ill
        scaled = 3.0 * root + 1.0
        kept = np.where(x > 0, scaled, 0.0)
        return np.mean(kept)

    return loss, np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.0, 2.0])


# --- what the loss does not reach -----------------------------------------------------------------


@ill("unreached")
def never_read(rng):
    def loss(params, x):
        W, _b = params
        return np.sum((x @ W) ** 2)

    return loss, (rng.normal(size=(3, 2)), np.zeros(2)), rng.normal(size=(5, 3))


@ill("unreached")
def a_sign_in_the_way(rng):
    def loss(params, x, y):
        W, b = params
        hidden = np.sign(x @ W)  # ill
        return np.mean((np.sum(hidden, axis=1) + b - y) ** 2)

    return loss, (rng.normal(size=(3, 2)), 0.5), rng.normal(size=(5, 3)), np.ones(5)


@ill("unreached")
def rounded(rng):
    def loss(w, x):
        return np.mean((np.round(w * x) - 1.0) ** 2)  # ill

    return loss, 1.3, rng.normal(size=8)


@ill("unreached")
def stopped_on_purpose(rng):
    def loss(params, x):
        a, b = params
        held = co.stop_gradient(a * x)  # ill
        return np.sum((held + b) ** 2)

    return loss, (2.0, 1.0), rng.normal(size=4)


@ill("unreached")
def counted(rng):
    def loss(params, x):
        w, b = params
        return np.mean(x > w) + b**2  # ill

    return loss, (0.1, 1.0), rng.normal(size=9)


# --- activations ----------------------------------------------------------------------------------


def _data(rng, rows=40, inputs=5):
    X = rng.normal(size=(rows, inputs))
    return X, np.sin(X[:, 0]) + 0.1 * rng.normal(size=rows)


def _two_layers(rng, inputs=5, hidden=16):
    return {
        "W1": rng.normal(size=(inputs, hidden)) * np.sqrt(2.0 / inputs),
        "b1": np.zeros(hidden),
        "W2": rng.normal(size=(hidden, 1)) / np.sqrt(hidden),
        "b2": np.zeros(1),
    }


@ill("dead-relu")
def a_whole_layer_dead(rng):
    def loss(p, X, y):
        h = nn.relu(X @ p["W1"] + p["b1"])  # ill
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    return loss, _two_layers(rng) | {"b1": np.full(16, -20.0)}, *_data(rng)


@ill("dead-relu")
def two_units_dead(rng):
    def loss(p, X, y):
        h = np.maximum(0.0, X @ p["W1"] + p["b1"])  # ill
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    b1 = np.zeros(16)
    b1[[3, 9]] = -30.0
    return loss, _two_layers(rng) | {"b1": b1}, *_data(rng)


@ill("dead-relu")
def dead_by_a_mask(rng):
    def loss(p, X, y):
        z = X @ p["W1"] + p["b1"]
        h = z * (z > 0)  # ill
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    return loss, _two_layers(rng) | {"b1": np.full(16, -20.0)}, *_data(rng)


@ill("dead-relu")
def dead_channels(rng):
    def loss(p, images):
        h = nn.relu(nn.conv(images, p["kernel"]) + p["bias"])  # ill
        return np.mean((h.reshape(len(images), -1) @ p["W"]) ** 2)

    params = {
        "kernel": rng.normal(size=(4, 1, 3, 3)) * np.sqrt(2 / 9),
        "bias": np.array([0.0, 0.0, -40.0, 0.0])[:, None, None],
        "W": rng.normal(size=(64, 3)) / 8,
    }
    return loss, params, rng.normal(size=(12, 1, 6, 6))


@ill("saturated")
def tanh_of_large(rng):
    def loss(p, X, y):
        h = np.tanh(X @ p["W1"] + p["b1"])  # ill
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    params = _two_layers(rng)
    return loss, params | {"W1": 20 * params["W1"]}, *_data(rng)


@ill("saturated")
def sigmoid_of_large(rng):
    def loss(p, X, y):
        h = nn.sigmoid(X @ p["W1"] + p["b1"])  # ill
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    return loss, _two_layers(rng) | {"b1": np.full(16, 25.0)}, *_data(rng)


@ill("saturated")
def logistic_by_hand(rng):
    def loss(p, X, y):
        z = X @ p["W1"] + p["b1"]
        h = 1 / (1 + np.exp(-z))  # ill
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    return loss, _two_layers(rng) | {"b1": np.full(16, -25.0)}, *_data(rng)


@ill("saturated")
def sure_and_wrong(rng):
    def loss(w, X, y):
        p = nn.sigmoid(X @ w)  # ill
        return np.mean((p - y) ** 2)

    X = rng.normal(size=(30, 3))
    w = np.array([40.0, 0.0, 0.0])
    return loss, w, X, (X[:, 0] < 0).astype(float)


@ill("tie")
def equal_parameters(rng):
    def loss(w):
        top = np.maximum(w["a"], w["b"])  # ill
        return np.sum(top**2)

    return loss, {"a": np.ones(3), "b": np.ones(3)}


@ill("tie")
def zero_hidden_layer(rng):
    def loss(p, X, y):
        z = X @ p["W1"] + p["b1"]
        h = np.maximum(z, 0.0)  # ill
        return np.mean(((h @ p["W2"])[:, 0] - y) ** 2)

    X, y = _data(rng)
    params = {"W1": np.zeros((5, 4)), "b1": np.zeros(4), "W2": rng.normal(size=(4, 1))}
    return loss, params, X, y


@ill("tie")
def worst_of_equals(rng):
    def loss(w, x):
        return np.max(w * x)  # ill

    return loss, np.array([1.0, 2.0, 4.0]), np.array([4.0, 2.0, 1.0])


# --- cancellation ---------------------------------------------------------------------------------


@ill("cancellation")
def enters_and_leaves(rng):
    def loss(p, x):
        a, b = p
        shifted = a * x + 1e9 * b  # ill
        back = shifted - 1e9 * b
        return np.sum(back**2)

    return loss, (2.0, 1.0), np.array([1.0, 2.0])


@ill("cancellation")
def twice_with_both_signs(rng):
    def loss(w, x):
        u = w * x
        return np.sum(np.exp(u) * 0.0 + (u + x) - u)  # ill

    return loss, np.array([1.0, 2.0]), np.array([0.5, 0.25])


@ill("cancellation")
def variance_by_moments(rng):
    def loss(m, x):
        y = m + x
        return np.mean(y * y) - np.mean(y) ** 2  # ill

    return loss, 1e7, rng.normal(size=20)


# --- scales ---------------------------------------------------------------------------------------


@ill("scale-mismatch")
def tiny_times_huge(rng):
    def loss(p, x):
        a, b = p["a"], p["b"]
        y = a * b  # ill
        return np.mean((y * x - 3.0) ** 2)

    params = {"a": 1e-4 * rng.normal(size=4), "b": 1e4 * rng.normal(size=4)}
    return loss, params, np.ones(4)


@ill("scale-mismatch")
def factors_of_a_matrix(rng):
    def loss(p, target):
        U, V = p
        product = U @ V  # ill
        return np.mean((product - target) ** 2)

    params = (300.0 * rng.normal(size=(6, 2)), 0.003 * rng.normal(size=(2, 5)))
    return loss, params, rng.normal(size=(6, 5))


@ill("scale-mismatch")
def metres_and_microns(rng):
    def loss(p, x, y):
        w, b = p
        line = w * x + b  # ill
        return np.mean((line - y) ** 2)

    x = 1e5 * rng.uniform(1, 2, 12)
    return loss, (np.array([1e-5]), np.array([0.1])), x, 2e-5 * x


@ill("scale-mismatch")
def a_tiny_feature(rng):
    def loss(w, X, y):
        return np.mean((X @ w - y) ** 2)  # ill

    X = 1e-5 * rng.normal(size=(6, 3))
    return loss, np.ones(3), X, np.ones(6)


def _deep(rng, depth, width, scale, inputs=5):
    sizes = [inputs, *[width] * depth, 1]
    return [scale * rng.normal(size=(n, m)) / np.sqrt(n) for n, m in itertools.pairwise(sizes)]


@ill("vanishing")
def ten_sigmoids(rng):
    def loss(layers, X, y):
        h = X
        for W in layers[:-1]:
            h = nn.sigmoid(h @ W)  # ill
        return np.mean(((h @ layers[-1])[:, 0] - y) ** 2)

    return loss, _deep(rng, 10, 12, 1.0), *_data(rng)


@ill("vanishing")
def small_weights(rng):
    def loss(layers, X, y):
        h = X
        for W in layers[:-1]:
            z = h @ W  # ill
            h = np.tanh(z)
        return np.mean(((h @ layers[-1])[:, 0] - y) ** 2)

    return loss, _deep(rng, 8, 12, 0.1), *_data(rng)


@ill("vanishing")
def one_weight_many_sigmoids(rng):
    def loss(w, x):
        h = w * x
        for _ in range(12):
            h = nn.sigmoid(h)  # ill
        return np.sum(h)

    return loss, np.array([0.5, 1.0]), np.array([1.0, -1.0])


@ill("exploding")
def large_weights(rng):
    def loss(layers, X, y):
        h = X
        for W in layers[:-1]:
            z = h @ W  # ill
            h = nn.relu(z)
        return np.mean(((h @ layers[-1])[:, 0] - y) ** 2)

    return loss, _deep(rng, 9, 16, 8.0), *_data(rng)


@ill("exploding")
def a_growing_recurrence(rng):
    def loss(p, x):
        h = p["U"] @ x
        for _ in range(20):
            h = p["W"] @ h  # ill
        return np.sum(p["v"] * h)

    W = 3.0 * np.linalg.qr(rng.normal(size=(6, 6)))[0]
    params = {"U": rng.normal(size=(6, 3)), "W": W, "v": rng.normal(size=6)}
    return loss, params, rng.normal(size=3)


@ill("exploding")
def logistic_map(rng):
    def loss(p, y):
        r, start = p
        x = start
        for _ in range(25):
            x = r * x * (1.0 - x)  # ill
        return (x - y) ** 2

    return loss, (3.99, 0.314), 0.5


# --- the data, and the rate -----------------------------------------------------------------------


@ill("preprocessing")
def one_loud_column(rng):
    X = rng.normal(size=(80, 4)) * [1.0, 1000.0, 1.0, 0.1] + [0.0, 3000.0, 0.0, 0.0]
    y = (X[:, 0] + 10 * X[:, 3] > 0).astype(int)

    def loss(p, X, y):
        W, b = p
        return nn.cross_entropy(X @ W + b, y)  # ill

    return loss, (np.zeros((4, 2)), np.zeros(2)), X, y


@ill("preprocessing")
def years(rng):
    year = rng.uniform(1990, 2020, 60)
    X = np.stack([year, rng.normal(size=60)], axis=1)
    y = 0.1 * (year - 2005) + X[:, 1]

    def loss(p, X, y):
        w, b = p
        return np.mean((X @ w + b - y) ** 2)  # ill

    return loss, (np.zeros(2), 0.0), X, y


@ill("preprocessing")
def a_network_on_raw_columns(rng):
    X = rng.normal(size=(80, 5)) * 10.0 ** np.arange(-1, 4)
    y = np.tanh(10 * X[:, 0]) + X[:, 1]

    def loss(p, X, y):
        h = np.tanh(X @ p["W1"] + p["b1"])  # ill
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    params = _two_layers(rng)
    return loss, params | {"W1": 1e-4 * params["W1"]}, X, y


def _line(rng):
    X = rng.normal(size=(50, 3))
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(3), X, X @ [1.0, -2.0, 0.5]


@ill("rate", rate=5.0)
def too_fast(rng):
    return _line(rng)


@ill("rate", rate=1e-6)
def too_slow(rng):
    return _line(rng)


@ill("rate", rate=100.0)
def too_fast_for_a_network(rng):
    def loss(p, X, y):
        h = np.tanh(X @ p["W1"] + p["b1"])
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)

    return loss, _two_layers(rng), *_data(rng)


# --- rows and shards ------------------------------------------------------------------------------


@ill("row-share")
def a_target_far_away(rng):
    X = rng.normal(size=(60, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=60)
    y[17] = 4000.0

    def loss(w, X, y):
        return np.mean((X @ w - y) ** 2)  # ill

    return loss, np.zeros(3), X, y


@ill("row-share")
def a_target_far_away_in_a_sum(rng):
    _, w, X, y = a_target_far_away(rng)

    def total(w, X, y):
        return 0.5 * np.sum((X @ w - y) ** 2) + 0.1 * np.sum(w**2)  # ill

    return total, w, X, y


@ill("row-share")
def two_targets_in_other_units(rng):
    X, y = _data(rng, rows=80)
    y[[3, 50]] *= 1e4

    def loss(p, X, y):
        h = np.tanh(X @ p["W1"] + p["b1"])
        return np.mean(((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)  # ill

    return loss, _two_layers(rng), X, y + np.where(np.isin(np.arange(80), [3, 50]), 900.0, 0.0)


@ill("row-share")
def a_row_of_another_scale(rng):
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, -2.0, 0.5]
    X[31] *= 3000.0

    def loss(w, X, y):
        return np.mean((X @ w - y) ** 2)  # ill

    return loss, np.ones(3), X, y


@ill("row-share")
def a_weight_that_is_a_typing_error(rng):
    X, y = _data(rng, rows=60)
    weight = np.ones(60)
    weight[8] = 1e5

    def loss(p, X, y, weight):
        h = nn.relu(X @ p["W1"] + p["b1"])
        return np.mean(weight * ((h @ p["W2"] + p["b2"])[:, 0] - y) ** 2)  # ill

    return loss, _two_layers(rng), X, y + 1.0, weight


@ill("row-share")
def a_count_too_many(rng):
    X = rng.normal(size=(90, 2))
    y = rng.poisson(np.exp(0.4 * X[:, 0])).astype(float)
    y[40] = 9999.0

    def loss(w, X, y):
        eta = X @ w
        return np.mean(np.exp(eta) - y * eta)  # ill

    return loss, np.zeros(2), X, y


def _parted_line(rng):
    X = rng.normal(size=(160, 3))
    return X, X @ [1.0, -2.0, 0.5] + 0.1 * rng.normal(size=160)


@ill("shard-share", sharded=True)
def a_shard_in_other_units(rng):
    X, y = _parted_line(rng)
    y[100:120] *= 1000.0
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(3), X, y


@ill("shard-share", sharded=True)
def a_shard_with_an_outlier(rng):
    X, y = _parted_line(rng)
    y[77] = 1e4
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(3), X, y


@ill("shard-share", sharded=True)
def a_shard_of_raw_rows(rng):
    X, y = _parted_line(rng)
    X[140:] *= 100.0
    return lambda w, X, y: np.mean((np.tanh(0.01 * X) @ w - y) ** 2), np.ones(3), X, y


@ill("nan", sharded=True)
def a_gap_far_away(rng):
    X, y = _parted_line(rng)
    X[65, 1] = np.nan
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(3), X, y


@ill("inf", sharded=True)
def an_overflow_far_away(rng):
    X, y = _parted_line(rng)
    y[150] = 1e200
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(3), X, y


# --- what others met ------------------------------------------------------------------------------


@ill("where-trap")
def pytorch_issue_108618(rng):
    def loss(x):
        return np.sum(np.where(x > 2, np.log2(x), 2 * x))  # ill

    return loss, np.array([0.0, 2.0, 3.0])


@ill("where-trap")
def pytorch_issue_68425(rng):
    def loss(a):
        return np.where(a <= 0, np.exp(a), 1 + a)  # ill

    return loss, 1000.0


@ill("nan")
def pytorch_issue_2421(rng):
    def loss(x):
        return np.sqrt(np.sum(x**2))  # ill

    return loss, np.zeros(3)


@ill("where-trap")
def pytorch_issue_23395(rng):
    def loss(x):
        y = x / 2
        z = np.sqrt(x) + 1  # ill
        return np.sum(np.where(x == 0, y, z))

    return loss, np.array([16.0, 0.0])


@ill("where-trap")
def pytorch_issue_156212(rng):
    def loss(x):
        return np.sum(np.where(x <= 10, np.exp(x), 1.0))  # ill

    return loss, np.array([1.0, -2.0, 1e10])


@ill("where-trap")
def pytorch_issue_16317(rng):
    def loss(x, n):
        y = x / n  # ill
        return np.sum(np.where(n == 0, 0.0, y))

    return loss, np.array([0.0, 1.0]), np.array([0.0, 2.0])
