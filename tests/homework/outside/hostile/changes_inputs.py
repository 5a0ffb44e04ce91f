import numpy as np


def layer_forward(x, w):
    cache = (x.copy(), w.copy())
    x *= 2.0
    w += 1.0
    out = (x / 2.0) @ (w - 1.0)
    return out, cache


def layer_backward(dout, cache):
    x, w = cache
    dx, dw = dout @ w.T, x.T @ dout
    dout[:] = 0
    return dx, dw


def example():
    rng = np.random.default_rng(1)
    return rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
