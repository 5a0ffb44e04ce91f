"""Losses that are well: the examples' own, networks, physics, statistics."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import corrente as co
from corrente import nn

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Healthy(NamedTuple):
    """A case: a name, and how to build loss and arguments."""

    name: str
    build: Callable[[np.random.Generator], tuple[Any, ...]]
    options: dict[str, Any]

    def call(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Return the loss and its arguments."""
        loss, *args = self.build(np.random.default_rng(0))
        return loss, tuple(args)


CASES: list[Healthy] = []


def healthy(build: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Register a case."""

    def enter(build: Callable[..., Any]) -> Callable[..., Any]:
        CASES.append(Healthy(build.__name__, build, options))
        return build

    return enter if build is None else enter(build)


@lru_cache
def example(name: str) -> Any:
    """Import an example without running its main."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- the examples -----------------------------------------------------------------------------


@healthy
def attention_head(rng):
    e = example("attention_head")
    params = {
        name: rng.normal(size=(rows, e.DEPTH)) / np.sqrt(e.DEPTH)
        for name, rows in (("table", e.WORDS), ("Q", e.DEPTH), ("V", e.DEPTH))
    } | {"scale": np.ones(e.DEPTH)}
    return e.loss, params, e.sequences(rng, 16)


@healthy
def attention_head_trained(rng):
    loss, params, _ = attention_head(rng)
    e = example("attention_head")
    for _ in range(60):
        slope = co.grad(loss)(params, e.sequences(rng, 16))
        params = {name: p - 0.5 * slope[name] for name, p in params.items()}
    return loss, params, e.sequences(rng, 16)


@healthy
def digits_cnn(rng):
    load = example("digits_cnn").load_digits
    images, labels = load(return_X_y=True)
    images = (images / 16.0).reshape(-1, 1, 8, 8)[:50]
    e = example("digits_cnn")
    return e.loss, e.start(rng, np.float64), images, labels[:50]


@healthy
def digits_cnn_single(rng):
    loss, params, images, labels = digits_cnn(rng)
    narrow = {name: value.astype(np.float32) for name, value in params.items()}
    return loss, narrow, images.astype(np.float32), labels


@healthy
def fourier_filter(rng):
    e, t = example("fourier_filter"), np.arange(64) / 64
    clean = np.stack([np.sin(2 * np.pi * (3 * t + rng.random())) for _ in range(10)])
    return e.misfit, np.ones(33), clean + 0.5 * rng.normal(size=clean.shape), clean


@healthy
def gaussian_process(rng):
    x = np.sort(rng.uniform(0, 6, 40))
    return example("gaussian_process").log_likelihood, np.zeros(3), x, np.sin(2 * x)


@healthy
def k_means(rng):
    points = rng.normal(size=(60, 2))
    return example("k_means").objective, points[:3] + 0.5, points


@healthy
def kalman_filter(rng):
    e = example("kalman_filter")
    return e.log_likelihood, np.log([0.5, 1.0]), e.measure(rng, 40, np.array([2.0, 0.3]))


@healthy
def landing(rng):
    e = example("landing")
    return e.cost, np.tile(-e.GRAVITY, (e.STEPS, 1))


@healthy
def landing_solved(rng):
    e = example("landing")
    return e.cost, e.newton(np.tile(-e.GRAVITY, (e.STEPS, 1)), 2)


@healthy
def logistic_regression(rng):
    X, y = example("logistic_regression").load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return example("logistic_regression").loss, np.zeros(31), X, 2.0 * y - 1.0


@healthy
def lstm_text(rng):
    e = example("lstm_text")
    alphabet = sorted(set(e.TEXT))
    numbers = np.array([alphabet.index(c) for c in e.TEXT])
    text = np.stack([numbers[k : k + 24] for k in range(0, len(numbers) - 24, 12)])
    size, letters = 32, len(alphabet)
    params = {
        "letters": 0.5 * rng.normal(size=(letters, 12)),
        "W": rng.normal(size=(12 + size, 4 * size)) / np.sqrt(12 + size),
        "b": np.repeat([0.0, 1.0, 0.0, 0.0], size),
        "out": rng.normal(size=(size, letters)) / np.sqrt(size),
    }
    return e.loss, params, text


@healthy
def pendulum(rng):
    e = example("pendulum")
    seen = e.swing(1.3, 0.25, [1.0, 0.0], 0.05, 40)
    return e.misfit, np.array([1.0, 0.1]), seen, 0.05


@healthy
def pendulum_solved(rng):
    e = example("pendulum")
    seen = e.swing(1.3, 0.25, [1.0, 0.0], 0.05, 40) + 0.01 * rng.normal(size=40)
    return e.misfit, np.array([1.3, 0.25]), seen, 0.05


@healthy
def spline(rng):
    e, x = example("spline"), np.linspace(-1, 1, 120)
    y = np.sin(4 * x) + 0.005 * rng.normal(size=120)
    return e.misfit, np.array([-0.1, 0.7]), x, y


@healthy
def spiral(rng):
    e = example("spiral")
    X, y = e.spiral(rng)
    params = [
        (rng.normal(size=(2, 100)), np.zeros(100)),
        (0.01 * rng.normal(size=(100, 3)), np.zeros(3)),
    ]
    return e.loss, params, X, y


@healthy
def train_digits(rng):
    e = example("train_digits")
    X, y = e.load_digits(return_X_y=True)
    return e.loss, e.start(rng), X[:200] / 16.0, y[:200]


@healthy
def raw_digits(rng):
    e = example("train_digits")
    X, y = e.load_digits(return_X_y=True)
    return e.loss, e.start(rng, hidden=32), X[:400], y[:400]


@healthy
def raw_digits_linear(rng):
    X, y = example("train_digits").load_digits(return_X_y=True)

    def loss(p, X, y):
        W, b = p
        return nn.cross_entropy(X @ W + b, y)

    return loss, (np.zeros((64, 10)), np.zeros(10)), X, y


def _note(k: int) -> None:
    def build(rng):
        f, point, _ = example("circuits_of_the_notes").CASES[k]
        return f, *point

    build.__name__ = f"circuit_{k}_of_the_notes"
    healthy(argnums=tuple(range(len(example("circuits_of_the_notes").CASES[k][1]))))(build)


for _k in range(6):
    _note(_k)


# --- networks ---------------------------------------------------------------------------------


def _data(rng, rows=60, inputs=6):
    X = rng.normal(size=(rows, inputs))
    return X, np.sin(X[:, 0]) + 0.5 * X[:, 1] + 0.1 * rng.normal(size=rows)


def _layers(rng, sizes, gain=2.0):
    return [
        (rng.normal(size=(n, m)) * np.sqrt(gain / n), np.zeros(m))
        for n, m in itertools.pairwise(sizes)
    ]


def _forward(layers, h, squash):
    for W, b in layers[:-1]:
        h = squash(h @ W + b)
    W, b = layers[-1]
    return h @ W + b


def _network(name, sizes, squash, gain, classes=False, seed=0):
    def build(rng):
        rng = np.random.default_rng(seed)
        X, y = _data(rng, inputs=sizes[0])

        def loss(layers, X, y):
            out = _forward(layers, X, squash)
            if classes:
                return nn.cross_entropy(out, y)
            return np.mean((out[:, 0] - y) ** 2)

        return loss, _layers(rng, sizes, gain), X, (y > 0).astype(int) if classes else y

    build.__name__ = name
    healthy(build)


for _seed in range(3):
    _network(f"tanh_network_{_seed}", (6, 16, 16, 1), np.tanh, 1.0, seed=_seed)
    _network(f"relu_network_{_seed}", (6, 24, 24, 1), nn.relu, 2.0, seed=_seed)
    _network(f"relu_classifier_{_seed}", (6, 32, 2), nn.relu, 2.0, True, seed=_seed)
_network("two_sigmoid_layers", (6, 12, 12, 1), nn.sigmoid, 1.0)
_network("deep_relu", (6, *[32] * 8, 1), nn.relu, 2.0)
_network("deep_tanh", (6, *[32] * 8, 1), np.tanh, 1.0)
_network("leaky", (6, 16, 16, 1), nn.leaky_relu, 2.0)
_network("softplus", (6, 16, 16, 1), nn.softplus, 1.0)
_network("relu_by_hand", (6, 24, 1), lambda z: np.maximum(z, 0.0), 2.0)
_network("relu_by_mask", (6, 24, 1), lambda z: z * (z > 0), 2.0)
_network("elu", (6, 16, 16, 1), lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), 1.0)
_network("gelu", (6, 16, 2), lambda z: z * nn.sigmoid(1.702 * z), 2.0, True)


@healthy
def two_units_of_sixteen_saturated(rng):
    X, y = _data(rng)
    b1 = np.zeros(16)
    b1[:2] = 20.0

    def loss(p, X, y):
        return np.mean(((np.tanh(X @ p["W1"] + p["b1"]) @ p["W2"])[:, 0] - y) ** 2)

    params = {"W1": rng.normal(size=(6, 16)) / 3, "b1": b1, "W2": rng.normal(size=(16, 1)) / 4}
    return loss, params, X, y


@healthy
def small_start_of_the_notes(rng):
    X, y = _data(rng)

    def loss(p, X, y):
        h = nn.relu(X @ p["W1"] + p["b1"])
        scores = h @ p["W2"] + p["b2"]
        return nn.cross_entropy(scores, y) + 1e-3 * np.sum(p["W1"] ** 2)

    params = {
        "W1": 0.01 * rng.normal(size=(6, 50)),
        "b1": np.zeros(50),
        "W2": 0.01 * rng.normal(size=(50, 2)),
        "b2": np.zeros(2),
    }
    return loss, params, X, (y > 0).astype(int)


@healthy
def trained_classifier(rng):
    X = rng.normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(int)

    def loss(layers, X, y):
        scores = _forward(layers, X, nn.relu)
        shifted = scores - np.max(scores, axis=1, keepdims=True)
        logs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
        return -np.mean(logs[np.arange(len(y)), y])

    layers = _layers(rng, (4, 16, 2))
    for _ in range(400):
        slope = co.grad(loss)(layers, X, y)
        layers = [
            (W - 0.5 * dW, b - 0.5 * db) for (W, b), (dW, db) in zip(layers, slope, strict=True)
        ]
    return loss, layers, X, y


@healthy
def sure_and_right(rng):
    X = rng.normal(size=(40, 3))

    def loss(w, X, y):
        p = nn.sigmoid(X @ w)
        return -np.mean(y * np.log(p + 1e-12) + (1 - y) * np.log(1 - p + 1e-12))

    return loss, np.array([60.0, 0.0, 0.0]), X, (X[:, 0] > 0).astype(float)


@healthy
def batch_normalised(rng):
    X, y = _data(rng)

    def loss(p, X, y):
        h = nn.relu(nn.batch_norm(X @ p["W1"], p["scale"], p["shift"])[0])
        return np.mean(((h @ p["W2"])[:, 0] - y) ** 2)

    params = {
        "W1": rng.normal(size=(6, 20)),
        "scale": np.ones(20),
        "shift": np.zeros(20),
        "W2": rng.normal(size=(20, 1)) / np.sqrt(20),
    }
    return loss, params, X, y


@healthy
def normalised_by_hand(rng):
    X, y = _data(rng)

    def loss(p, X, y):
        z = X @ p["W1"]
        z = (z - z.mean(axis=0)) / np.sqrt(z.var(axis=0) + 1e-5)
        return np.mean(((np.tanh(z) @ p["W2"])[:, 0] - y) ** 2)

    return loss, {"W1": rng.normal(size=(6, 12)), "W2": 0.3 * rng.normal(size=(12, 1))}, X, y


@healthy
def residual(rng):
    X, y = _data(rng, inputs=12)

    def loss(p, X, y):
        h = X
        for W1, W2 in p["blocks"]:
            h = h + nn.relu(nn.layer_norm(h) @ W1) @ W2
        return np.mean(((h @ p["out"])[:, 0] - y) ** 2)

    blocks = [(rng.normal(size=(12, 24)) / 3, rng.normal(size=(24, 12)) * 0.1) for _ in range(8)]
    return loss, {"blocks": blocks, "out": rng.normal(size=(12, 1)) / 4}, X, y


@healthy
def masked_attention_by_hand(rng):
    x = rng.normal(size=(7, 8))

    def loss(p, x):
        q, k, v = x @ p["Q"], x @ p["K"], x @ p["V"]
        scores = np.where(np.tri(7, dtype=bool), q @ k.T / np.sqrt(8), -np.inf)
        e = np.exp(scores - np.max(scores, axis=1, keepdims=True))
        return np.mean((e / np.sum(e, axis=1, keepdims=True) @ v - x) ** 2)

    return loss, {n: rng.normal(size=(8, 8)) / np.sqrt(8) for n in "QKV"}, x


@healthy
def transformer_block(rng):
    x = rng.normal(size=(3, 9, 16))

    def loss(p, x):
        h = nn.layer_norm(x, p["s1"])
        h = x + nn.attention(h @ p["Q"], h @ p["K"], h @ p["V"])
        g = nn.relu(nn.layer_norm(h, p["s2"]) @ p["W1"]) @ p["W2"]
        return np.mean((h + g) ** 2)

    params = {n: rng.normal(size=(16, 16)) / 4 for n in ("Q", "K", "V", "W1", "W2")}
    return loss, params | {"s1": np.ones(16), "s2": np.ones(16)}, x


@healthy
def plain_recurrence(rng):
    x = rng.normal(size=(20, 8, 3))

    def loss(p, x):
        h = np.zeros((8, 16))
        total = 0.0
        for now in x:
            h = np.tanh(now @ p["U"] + h @ p["W"])
            total = total + np.mean((h @ p["V"] - now[:, :1]) ** 2)
        return total / len(x)

    params = {
        "U": rng.normal(size=(3, 16)) / 2,
        "W": 0.9 * np.linalg.qr(rng.normal(size=(16, 16)))[0],
        "V": rng.normal(size=(16, 1)) / 4,
    }
    return loss, params, x


@healthy
def forgetful_recurrence(rng):
    """Return a recurrence whose first steps fade away: its weights learn from the last ones."""
    x = rng.normal(size=(30, 8, 3))

    def loss(p, x):
        h = np.zeros((8, 6))
        for now in x:
            h = np.tanh(now @ p["U"] + h @ p["W"])
        return np.mean((h @ p["V"] - 1.0) ** 2)

    shapes = {"U": (3, 6), "W": (6, 6), "V": (6, 1)}
    return loss, {n: 0.3 * rng.normal(size=s) for n, s in shapes.items()}, x


@healthy
def gated_recurrence(rng):
    x = rng.normal(size=(12, 6, 4))

    def loss(p, x):
        h = np.zeros((6, 8))
        for now in x:
            both = np.concatenate([now, h], axis=1)
            z, r = nn.sigmoid(both @ p["Z"]), nn.sigmoid(both @ p["R"])
            new = np.tanh(np.concatenate([now, r * h], axis=1) @ p["H"])
            h = (1 - z) * h + z * new
        return np.mean((h @ p["out"]) ** 2)

    params = {n: rng.normal(size=(12, 8)) / np.sqrt(12) for n in "ZRH"}
    return loss, params | {"out": rng.normal(size=(8, 2))}, x


@healthy
def autoencoder(rng):
    X = rng.normal(size=(50, 10))

    def loss(layers, X):
        return np.mean((_forward(layers, X, np.tanh) - X) ** 2)

    return loss, _layers(rng, (10, 4, 10), 1.0), X


@healthy
def variational_autoencoder(rng):
    X, noise = rng.normal(size=(30, 8)), rng.normal(size=(30, 2))

    def loss(p, X, noise):
        h = np.tanh(X @ p["E"])
        mean, spread = h @ p["M"], h @ p["S"]
        z = mean + np.exp(0.5 * spread) * noise
        divergence = -0.5 * np.mean(np.sum(1 + spread - mean**2 - np.exp(spread), axis=1))
        return np.mean((np.tanh(z @ p["D"]) @ p["O"] - X) ** 2) + divergence

    shapes = {"E": (8, 12), "M": (12, 2), "S": (12, 2), "D": (2, 12), "O": (12, 8)}
    return loss, {n: rng.normal(size=s) / np.sqrt(s[0]) for n, s in shapes.items()}, X, noise


@healthy
def dropout(rng):
    X, y = _data(rng)

    def loss(layers, X, y):
        (W1, b1), (W2, b2) = layers
        h = nn.dropout(nn.relu(X @ W1 + b1), 0.5, np.random.default_rng(3))
        return np.mean(((h @ W2 + b2)[:, 0] - y) ** 2)

    return loss, _layers(rng, (6, 32, 1)), X, y


@healthy
def max_pooled(rng):
    images = np.maximum(rng.normal(size=(10, 1, 8, 8)), 0.0)

    def loss(p, images):
        h = nn.max_pool(nn.relu(nn.conv(images, p["kernel"], padding="same")), 2)
        return np.mean((h.reshape(len(images), -1) @ p["W"]) ** 2)

    params = {"kernel": rng.normal(size=(4, 1, 3, 3)) / 2, "W": rng.normal(size=(64, 3)) / 8}
    return loss, params, images


# --- statistics and physics -------------------------------------------------------------------


@healthy
def least_squares_solved(rng):
    X, y = _data(rng)
    w = np.linalg.lstsq(X, y, rcond=None)[0]
    return lambda w, X, y: np.mean((X @ w - y) ** 2), w, X, y


@healthy
def ridge_solved(rng):
    X, y = _data(rng)
    w = np.linalg.solve(X.T @ X / 60 + 0.1 * np.eye(6), X.T @ y / 60)
    return lambda w, X, y: np.mean((X @ w - y) ** 2) + 0.1 * w @ w, w, X, y


@healthy
def lasso_from_nought(rng):
    X, y = _data(rng)
    loss = lambda w, X, y: np.mean((X @ w - y) ** 2) + 0.01 * np.sum(np.abs(w))
    return loss, np.zeros(6), X, y


@healthy
def hinge(rng):
    X, y = _data(rng)

    def loss(w, X, y):
        return np.mean(np.maximum(0.0, 1.0 - y * (X @ w))) + 0.01 * w @ w

    return loss, 0.1 * rng.normal(size=6), X, np.sign(y)


@healthy
def hinge_without_a_miss(rng):
    X = rng.normal(size=(30, 2)) + np.repeat([[5.0], [-5.0]], 15, axis=0)
    y = np.repeat([1.0, -1.0], 15)
    loss = lambda w, X, y: np.mean(np.maximum(0.0, 1 - y * (X @ w))) + 0.01 * w @ w
    return loss, np.ones(2), X, y


@healthy
def polynomial(rng):
    x = np.linspace(-1, 1, 40)
    X = np.stack([x**k for k in range(4)], axis=1)
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(4), X, np.sin(2 * x)


@healthy
def with_a_column_of_ones(rng):
    X, y = _data(rng)
    X = np.concatenate([np.ones((60, 1)), X], axis=1)
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(7), X, y + 1.0


@healthy
def one_hot_columns(rng):
    kinds = rng.integers(0, 8, 200)
    X = np.concatenate([np.eye(8)[kinds], rng.normal(size=(200, 2))], axis=1)
    y = (kinds % 2 + X[:, 8] > 0.5).astype(float)

    def loss(p, X, y):
        w, b = p
        return np.mean(np.logaddexp(0.0, X @ w + b) - y * (X @ w + b))

    return loss, (np.zeros(10), 0.0), X, y


@healthy
def counts(rng):
    X = rng.normal(size=(60, 3))
    y = rng.poisson(np.exp(0.5 * X[:, 0]))

    def loss(w, X, y):
        eta = X @ w
        return np.mean(np.exp(eta) - y * eta)

    return loss, 0.1 * rng.normal(size=3), X, y


@healthy
def mixture_of_gaussians(rng):
    x = np.concatenate([rng.normal(-2, 1, 40), rng.normal(2, 0.5, 40)])

    def loss(p, x):
        weights, means, logs = p
        scaled = (x[:, None] - means) / np.exp(logs)
        density = nn.log_softmax(weights) - logs - 0.5 * scaled**2
        return -np.mean(nn.logsumexp(density, axis=1))

    return loss, (np.zeros(2), np.array([-1.0, 1.0]), np.zeros(2)), x


@healthy
def factorised_matrix(rng):
    target = rng.normal(size=(12, 3)) @ rng.normal(size=(3, 9))
    loss = lambda p, target: np.mean((p[0] @ p[1] - target) ** 2)
    return loss, (0.1 * rng.normal(size=(12, 3)), 0.1 * rng.normal(size=(3, 9))), target


@healthy
def springs(rng):
    x = rng.normal(size=(6, 2))

    def energy(x):
        away = x[:, None] - x[None, :]
        squares = np.sum(away**2, axis=-1) + np.eye(len(x))
        return np.sum(np.triu((np.sqrt(squares) - 1.0) ** 2, 1))

    return energy, x


@healthy
def lennard_jones(rng):
    x = np.stack(np.meshgrid(*[np.arange(3.0) * 1.2] * 2), -1).reshape(-1, 2)

    def energy(x):
        i, j = np.triu_indices(len(x), 1)
        inverse = 1.0 / np.sum((x[i] - x[j]) ** 2, axis=1)
        return np.sum(4.0 * (inverse**6 - inverse**3))

    return energy, x + 0.05 * rng.normal(size=x.shape)


@healthy
def predator_and_prey(rng):
    def loss(p, seen):
        a, b, c, d = p
        x, y, total = 1.0, 0.5, 0.0
        for row in seen:
            for _ in range(5):
                x, y = x + 0.02 * x * (a - b * y), y + 0.02 * y * (d * x - c)
            total = total + (x - row[0]) ** 2 + (y - row[1]) ** 2
        return total

    return loss, np.array([1.0, 0.8, 1.0, 0.7]), 1.0 + 0.1 * rng.normal(size=(15, 2))


@healthy
def heat_equation(rng):
    x = np.linspace(0, 1, 30)

    def loss(p, seen):
        conductivity, u = np.exp(p[0]), np.sin(np.pi * x) * p[1]
        for _ in range(40):
            inner = u[:-2] - 2 * u[1:-1] + u[2:]
            u = np.concatenate([u[:1], u[1:-1] + 0.2 * conductivity * inner, u[-1:]])
        return np.mean((u - seen) ** 2)

    return loss, np.array([0.1, 0.9]), 0.5 * np.sin(np.pi * x)


@healthy
def safe_where(rng):
    def loss(x):
        safe = np.where(x > 0, x, 1.0)
        return np.sum(np.where(x > 0, np.sqrt(safe) * np.log(safe), 0.0))

    return loss, np.array([1.0, 0.0, -2.0, 4.0])


@healthy
def jax_issue_1052(rng):
    """Return what JAX gives NaN for: our arctan2 has the slope 0 at the origin."""

    def loss(a):
        b = np.arctan2(a, a)
        return np.sum(np.where(np.array([0.0, 1.0, 0.0]) > 0.5, 0.0, b))

    return loss, np.array([3.0, 0.0, -5.0])


@healthy
def norm_at_nought(rng):
    return lambda v: np.linalg.norm(v) + np.sum(v), np.zeros(3)


@healthy
def rosenbrock(rng):
    return lambda x: np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2), np.ones(5) / 2


@healthy(rate=0.1)
def a_good_rate(rng):
    X, y = _data(rng)
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(6), X, y


@healthy(rate=0.05)
def a_good_rate_for_a_network(rng):
    X, y = _data(rng)

    def loss(layers, X, y):
        return np.mean((_forward(layers, X, np.tanh)[:, 0] - y) ** 2)

    return loss, _layers(rng, (6, 16, 1), 1.0), X, y


# --- rows of unequal weight, as rows are ------------------------------------------------------


@healthy
def long_tailed_noise(rng):
    X = rng.normal(size=(80, 4))
    y = X @ [1.0, -1.0, 0.5, 0.0] + 0.3 * rng.laplace(size=80)
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(4), X, y


@healthy
def long_tailed_targets(rng):
    X = rng.normal(size=(100, 3))
    y = np.exp(X @ [0.5, 0.3, -0.2] + 0.5 * rng.normal(size=100))

    def loss(layers, X, y):
        return np.mean((_forward(layers, X, np.tanh)[:, 0] - y) ** 2)

    return loss, _layers(rng, (3, 16, 1), 1.0), X, y


@healthy
def few_of_a_class(rng):
    X = rng.normal(size=(120, 3))
    y = (np.arange(120) < 5).astype(float)
    X[:5] += 2.0

    def loss(p, X, y):
        w, b = p
        return np.mean(np.logaddexp(0.0, X @ w + b) - y * (X @ w + b))

    return loss, (np.zeros(3), 0.0), X, y


@healthy
def few_of_a_class_learned(rng):
    loss, p, X, y = few_of_a_class(rng)
    for _ in range(300):
        dw, db = co.grad(loss)(p, X, y)
        p = p[0] - 0.5 * dw, p[1] - 0.5 * db
    return loss, p, X, y


@healthy
def one_wrong_label_learned_around(rng):
    X = rng.normal(size=(60, 4))
    y = (X[:, 0] > 0).astype(float)
    y[np.argmax(X[:, 0])] = 0.0

    def loss(w, X, y):
        return np.mean(np.logaddexp(0.0, X @ w) - y * (X @ w)) + 0.01 * w @ w

    w = np.zeros(4)
    for _ in range(200):
        w = w - 0.5 * co.grad(loss)(w, X, y)
    return loss, w, X, y


@healthy
def a_sum_with_weights(rng):
    X, y = _data(rng)
    weight = rng.integers(0, 4, 60).astype(float)
    loss = lambda w, X, y, weight: 0.5 * np.sum(weight * (X @ w - y) ** 2) + w @ w
    return loss, np.zeros(6), X, y, weight


@healthy
def many_rows(rng):
    X, y = _data(rng, rows=6000)
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.zeros(6), X, y


@healthy
def a_rare_pixel(rng):
    X = np.zeros((60, 16))
    X[:, :8] = rng.random(size=(60, 8))
    X[11, 12] = 1.0
    y = (X[:, 0] > 0.5).astype(int)

    def loss(layers, X, y):
        return nn.cross_entropy(_forward(layers, X, nn.relu), y)

    return loss, _layers(rng, (16, 12, 2)), X, y


@healthy
def converged_but_for_one(rng):
    """Return a fit that is exact but for one row, which only differs a little."""
    X = rng.normal(size=(40, 2))
    y = X @ [1.0, 2.0]
    y[5] += 0.01
    return lambda w, X, y: np.mean((X @ w - y) ** 2), np.array([1.0, 2.0]), X, y
