"""Train a network on scikit-learn's handwritten digits with one line."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import corrente as co
from corrente import nn


def scores(params, x):
    hidden = nn.relu(x @ params["W1"] + params["b1"])
    return hidden @ params["W2"] + params["b2"]


def loss(params, x, labels):
    return nn.cross_entropy(scores(params, x), labels)


def start(rng, inputs=64, hidden=128, classes=10):
    draw = lambda m, n: rng.normal(size=(m, n)) * np.sqrt(2.0 / m)
    return {
        "W1": draw(inputs, hidden),
        "b1": np.zeros(hidden),
        "W2": draw(hidden, classes),
        "b2": np.zeros(classes),
    }


def main():
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16.0, y, test_size=0.25, random_state=0)
    params = start(np.random.default_rng(0))
    print(co.check_grads(lambda p: loss(p, X[:5], y[:5]), (params,), order=1).says.en)
    trained = co.train(loss, params, (X, y), epochs=40)
    print(trained)
    last = trained.history[-1]
    print(f"{last.steps} steps in {last.seconds:.2f} s, update/weight {last.update_ratio:.1e}")
    right = np.mean(scores(trained.params, X_test).argmax(axis=1) == y_test)
    print(f"right on {len(y_test)} digits never seen: {right:.1%}")
    assert right >= 0.97


if __name__ == "__main__":
    main()
