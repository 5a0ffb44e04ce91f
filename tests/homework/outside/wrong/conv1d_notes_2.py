import numpy as np


def smooth_loss(x, k, b, t):
    # y[i] = sum_j k[j] x[i + j] + b, then a squared error
    n = len(x) - len(k) + 1
    y = np.empty(n)
    for i in range(n):
        y[i] = k.dot(x[i:i + len(k)]) + b
    r = y - t
    loss = np.sum(r ** 2) / n

    dr = 2 * r / n
    dy = dr
    dx = np.zeros_like(x)
    dk = np.zeros_like(k)
    for i in range(n):
        dx[i:i + len(k)] += dy[i] * k
        dk = dy[i] * x[i:i + len(k)]
    db = dy.sum()
    return loss, dx, dk, db


def example():
    rng = np.random.RandomState(74)
    return rng.randn(8), rng.randn(3), 0.4, rng.randn(6)
