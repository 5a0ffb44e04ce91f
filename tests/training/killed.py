"""A training that saves at every step, for the tests that kill it."""

import sys

import numpy as np

from corrente.training.trainer import train


def loss(params, x, y):
    hidden = np.tanh(x @ params["W"] + params["b"])
    return np.mean((hidden @ params["v"] - y) ** 2)


def main():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3)).astype(np.float32)
    y = np.sin(X[:, 0]) * X[:, 1]
    params = {
        "W": rng.normal(size=(3, 12)).astype(np.float32),
        "b": np.zeros(12, np.float32),
        "v": rng.normal(size=12).astype(np.float32),
    }
    path, out = sys.argv[1:]
    given = {"rate": 0.02, "epochs": 8, "batch_size": 32, "save_every": 0.0}
    trained = train(loss, params, (X, y), checkpoint=path, validation=0.1, **given)
    records = [record._replace(seconds=0.0) for record in trained.history]
    found = b"".join(value.tobytes() for value in trained.params.values())
    with open(out, "wb") as file:
        file.write(found + repr((records, trained.best_loss)).encode())


if __name__ == "__main__":
    main()
