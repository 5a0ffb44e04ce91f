"""The main job on real input: two circuits with every number, drawn, explained, and one step.

First `(x + y) * z` from the lecture notes, then a two-layer network on handwritten digits,
where images and labels are given and weights and biases are ours to change.
"""

from __future__ import annotations

import sys

import numpy as np
from rich.console import Console
from rich.rule import Rule
from sklearn.datasets import load_digits

import corrente as co


def f(x, y, z):
    q = x + y
    return q * z


def loss(params, X, Y):
    W1, b1, W2, b2 = params
    hidden = co.nn.relu(X @ W1 + b1)
    scores = hidden @ W2 + b2
    return co.nn.cross_entropy(scores, Y)


def first_circuit() -> None:
    point = (-2.0, 5.0, -4.0)
    t = co.trace(f)(*point)
    t.show()
    print(t.explain())
    t.save("circuit.svg")
    print("written: circuit.svg")
    rate = 0.01
    stepped = [x - rate * g for x, g in zip(point, t.grads, strict=True)]
    print(f"one step against the gradient, rate {rate}: loss {t.value:g} -> {f(*stepped):g}")


def digits() -> None:
    images, labels = load_digits(return_X_y=True)
    X, Y = images[:200] / 16.0, labels[:200]
    rng = np.random.default_rng(0)
    params = (
        rng.normal(size=(64, 32)) * np.sqrt(2.0 / 64),
        np.zeros(32),
        rng.normal(size=(32, 10)) * np.sqrt(2.0 / 32),
        np.zeros(10),
    )
    t = co.trace(loss, argnums=0)(params, X, Y)
    t.show()
    print(t.listing())
    t.save("digits.svg")
    print("written: digits.svg")
    rate = 0.5
    stepped = tuple(p - rate * g for p, g in zip(params, t.grads, strict=True))
    after = loss(stepped, X, Y)
    print(f"one step against the gradient, rate {rate}: loss {t.value:.4f} -> {after:.4f}")
    if not after < t.value:
        sys.exit("the loss did not fall")


def main() -> None:
    console = Console()
    console.print(Rule("(x + y) * z at x = -2, y = 5, z = -4"))
    first_circuit()
    console.print(Rule("a two-layer network on 200 handwritten digits: X, Y given, W, b ours"))
    digits()


if __name__ == "__main__":
    main()
