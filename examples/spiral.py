"""The spiral of the lecture notes: three arms that no straight line parts."""

import numpy as np

import corrente as co
from corrente import nn


def spiral(rng, points=100, arms=3):
    """Return points on spiral arms and the arm each lies on, as CS231n's case study draws them."""
    radius = np.tile(np.linspace(0.0, 1.0, points), arms)
    label = np.repeat(np.arange(arms), points)
    angle = 4.0 * (radius + label) + 0.2 * rng.normal(size=points * arms)
    return np.column_stack([radius * np.sin(angle), radius * np.cos(angle)]), label


def scores(params, x):
    (W1, b1), (W2, b2) = params
    return nn.relu(x @ W1 + b1) @ W2 + b2


def loss(params, x, labels):
    penalty = sum(np.sum(W * W) for W, b in params)
    return nn.cross_entropy(scores(params, x), labels) + 0.5e-3 * penalty


def main():
    rng = np.random.default_rng(0)
    X, y = spiral(rng)
    params = [
        (rng.normal(size=(2, 100)), np.zeros(100)),
        (0.01 * rng.normal(size=(100, 3)), np.zeros(3)),
    ]
    print(co.check_grads(lambda p: loss(p, X[20:30], y[20:30]), (params,), order=1).says.en)
    trained = co.train(loss, params, (X, y), epochs=300)
    print(trained)
    right = np.mean(scores(trained.params, X).argmax(axis=1) == y)
    print(f"right: {right:.1%}")
    assert right >= 0.98


if __name__ == "__main__":
    main()
