"""The circuits of the CS231n notes, each gradient beside the number that the notes give."""

import numpy as np

import corrente as co
from corrente import nn


def first(x, y, z):
    q = x + y
    return q * z


def neuron(w0, x0, w1, x1, w2):
    return 1 / (1 + np.exp(-(w0 * x0 + w1 * x1 + w2)))


def mixed(x, y, z, w):
    return 2 * (x * y + np.maximum(z, w))


def staged(x, y):
    return (x + nn.sigmoid(y)) / (nn.sigmoid(x) + (x + y) ** 2)


def by_hand(x, y):
    """Go back through `staged` line by line, as the notes do."""
    sigy, sigx, xpy = 1 / (1 + np.exp(-y)), 1 / (1 + np.exp(-x)), x + y
    num, den = x + sigy, sigx + xpy**2
    dnum, dden = 1 / den, -num / den**2
    dxpy = 2 * xpy * dden
    return dnum + dden * (1 - sigx) * sigx + dxpy, dnum * (1 - sigy) * sigy + dxpy


CASES = [
    (np.multiply, (4.0, -3.0), (-3.0, 4.0)),
    (np.maximum, (4.0, 2.0), (1.0, 0.0)),
    (first, (-2.0, 5.0, -4.0), (-4.0, -4.0, 3.0)),
    (neuron, (2.0, -1.0, -3.0, -2.0, -3.0), (-0.20, 0.39, -0.39, -0.59, 0.20)),
    (mixed, (3.0, -4.0, 2.0, -1.0), (-8.0, 6.0, 2.0, 0.0)),
    (staged, (3.0, -4.0), by_hand(3.0, -4.0)),
]


def main():
    for f, point, told in CASES:
        t = co.trace(f)(*point)
        print(f"{f.__name__}{point} = {t.value:.4g}, gradients {np.round(t.grads, 4)}")
        assert np.allclose(t.grads, told, atol=0.006 if f is neuron else 1e-12)
        co.check_grads(f, point)

    W, X = np.random.default_rng(9).normal(size=(2, 5, 5))
    D, pull = co.vjp(np.matmul, W, X)
    dW, dX = pull(np.ones_like(D))
    assert all(map(np.allclose, (dW, dX), (np.ones_like(D) @ X.T, W.T @ np.ones_like(D))))
    print("D = W @ X: dW = dD @ X.T and dX = W.T @ dD")


if __name__ == "__main__":
    main()
