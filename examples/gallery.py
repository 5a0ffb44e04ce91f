"""Circuits worth looking at, drawn in every way there is: `python examples/gallery.py [FOLDER]`."""

import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from circuits_of_the_notes import first, mixed, neuron, staged

import corrente as co

ENDINGS = ("txt", "svg", "html", "tex", "json")


def fork(a):
    b = a + a
    return b + b


def moons(params, X, y):
    W1, b1, W2, b2, W3, b3 = params
    h1 = np.maximum(X @ W1 + b1, 0.0)
    h2 = np.maximum(h1 @ W2 + b2, 0.0)
    scores = (h2 @ W3 + b3)[:, 0]
    margins = np.maximum(1.0 - y * scores, 0.0)
    penalty = np.sum(W1**2) + np.sum(W2**2) + np.sum(W3**2)
    return np.mean(margins) + 1e-4 * penalty


def batch_norm(x, gamma, beta):
    centred = x - np.mean(x, axis=0)
    variance = np.mean(centred**2, axis=0)
    xhat = centred / np.sqrt(variance + 1e-5)
    out = gamma * xhat + beta
    return np.sum(out**3)


def lstm_step(params, x, h, c):
    W, b = params
    n = len(c)
    a = np.concatenate([x, h]) @ W + b
    s = 1.0 / (1.0 + np.exp(-a[: 3 * n]))
    i, f, o, g = s[:n], s[n : 2 * n], s[2 * n :], np.tanh(a[3 * n :])
    new = f * c + i * g
    return np.sum(o * np.tanh(new))


def attention_head(x, Q, K, V):
    q, k, v = x @ Q, x @ K, x @ V
    scores = q @ k.T / np.sqrt(k.shape[1])
    powers = np.exp(scores)
    weights = powers / np.sum(powers, axis=1, keepdims=True)
    return np.mean((weights @ v) ** 2)


def normal(*shape, seed=0, scale=1.0):
    """Draw numbers of two decimals, so that the pictures are the same on every machine."""
    return np.round(scale * np.random.default_rng([seed, *shape]).normal(size=shape), 2)


def two_moons():
    """Return a hundred points on two half circles, and the side of each."""
    angle = np.linspace(0.0, np.pi, 50)
    above = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.concatenate([above, [1.0, 0.5] - above]) + normal(100, 2, scale=0.1)
    return np.round(points, 2), np.repeat([-1.0, 1.0], 50)


def network(*sizes):
    """Return weights and biases, layer after layer."""
    return [
        leaf
        for m, n in pairwise(sizes)
        for leaf in (normal(m, n, seed=5, scale=np.sqrt(2 / m)), np.zeros(n))
    ]


class Circuit(NamedTuple):
    """A function, the point where it is looked at, and which arguments are ours to change."""

    function: Callable
    point: tuple
    argnums: int | tuple[int, ...] | None = None

    def trace(self):
        return co.trace(self.function, argnums=self.argnums)(*self.point)


cell = ((normal(5, 12), np.zeros(12)), normal(2), normal(3), normal(3, seed=1))
head = (normal(5, 4), *(normal(4, 3, seed=k, scale=0.5) for k in range(3)))
CIRCUITS = {
    "first": Circuit(first, (-2.0, 5.0, -4.0)),
    "neuron": Circuit(neuron, (2.0, -1.0, -3.0, -2.0, -3.0), (0, 2, 4)),
    "staged": Circuit(staged, (3.0, -4.0)),
    "mixed": Circuit(mixed, (3.0, -4.0, 2.0, -1.0)),
    "fork": Circuit(fork, (1.0,)),
    "moons": Circuit(moons, (network(2, 16, 16, 1), *two_moons()), 0),
    "batch-norm": Circuit(batch_norm, (normal(6, 4), np.ones(4), np.zeros(4))),
    "lstm-step": Circuit(lstm_step, cell, 0),
    "attention-head": Circuit(attention_head, head, (1, 2, 3)),
}


def main():
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, circuit in CIRCUITS.items():
            t = circuit.trace()
            drawn = [folder / f"{name}.{ending}" for ending in ENDINGS]
            for path in drawn:
                t.save(path)
            assert all(path.stat().st_size for path in drawn)
            told = co.check_grads(circuit.function, circuit.point, argnums=circuit.argnums)
            print(f"{name}: {len(t.circuit.steps)} gates, value {t.value:.4g}; {told.says.en}")
        print(f"drawn as {', '.join(ENDINGS)} in {folder}")


if __name__ == "__main__":
    main()
