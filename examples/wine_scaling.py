"""Wine, raw against standardised: the doctor names the column, foretells the gain, and it comes."""

import numpy as np
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

import corrente as co
from corrente import nn
from corrente.doctor import diagnose

STEPS = 200


def loss(params, X, labels):
    W, b = params
    return nn.cross_entropy(X @ W + b, labels)


def descend(X, labels, rate):
    """Go 200 steps downhill; return the last loss and what was learned."""
    params, step = (np.zeros((13, 3)), np.zeros(3)), co.jit(co.grad(loss))
    for _ in range(STEPS):
        dW, db = step(params, X, labels)
        params = params[0] - rate * dW, params[1] - rate * db
    return loss(params, X, labels), params


def best(X, labels):
    """Try a rate every half decade and return the one that ends lowest, with its run."""
    with np.errstate(all="ignore"):
        runs = {rate: descend(X, labels, rate) for rate in 10.0 ** np.arange(-8, 1.1, 0.5)}
    rate = min((r for r in runs if np.isfinite(runs[r][0])), key=lambda r: runs[r][0])
    return rate, *runs[rate]


def main():
    data = load_wine()
    X, X_test, y, y_test = train_test_split(data.data, data.target, test_size=0.3, random_state=0)
    draw, params = np.random.default_rng(0).normal, (np.zeros((13, 3)), np.zeros(3))
    few = lambda W: loss((W, params[1]), X[:20] / 100, y[:20])
    print(co.check_grads(few, (draw(size=(13, 3)),), order=1).says.en)
    (finding,) = diagnose(loss, params, X, y, columns=data.feature_names, steps=STEPS).findings
    print(f"\n{finding.render()}\n")
    assert "proline" in finding.says.en
    mean, spread = X.mean(axis=0), X.std(axis=0)
    reached = {}
    sets = {"raw": (X, X_test), "standardised": ((X - mean) / spread, (X_test - mean) / spread)}
    for name, (seen, new) in sets.items():
        rate, last, (W, b) = best(seen, y)
        right = np.mean(np.argmax(new @ W + b, axis=1) == y_test)
        reached[name] = last, right
        print(f"{name:>12}: rate {rate:.0e}, loss {last:.3f}, right on new wines {right:.1%}")
    told = finding.effects[0]
    assert reached["raw"][0] > 10 * reached["standardised"][0]
    assert told.before > 10 * told.after
    assert reached["standardised"][1] > max(0.95, reached["raw"][1] + 0.1)


if __name__ == "__main__":
    main()
