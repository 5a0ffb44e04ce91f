import numpy as np


def sigmoid_layer(x, w, b):
    buffer = x @ w
    buffer += b
    pre = buffer
    np.negative(buffer, out=buffer)
    np.exp(buffer, out=buffer)
    buffer += 1
    np.reciprocal(buffer, out=buffer)
    return buffer, (x, w, pre)


def sigmoid_layer_backward(g, cache):
    x, w, pre = cache
    s = 1 / (1 + np.exp(-pre))
    gp = g * s * (1 - s)
    gx = gp @ w.T
    gw = x.T @ gp
    gb = gp.sum(axis=0)
    return gx, gw, gb


def example():
    rng = np.random.default_rng(1625)
    return rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)
