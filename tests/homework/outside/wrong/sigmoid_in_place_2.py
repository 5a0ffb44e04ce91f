import numpy as np


def sigmoid_layer(x, w, b):
    buffer = x @ w
    buffer += b
    pre = buffer.copy()
    np.negative(buffer, out=buffer)
    np.exp(buffer, out=buffer)
    buffer += 1
    np.reciprocal(buffer, out=buffer)
    return buffer, (x, w, pre)


def sigmoid_layer_backward(g, cache):
    x, w, pre = cache
    s = 1 / (1 + np.exp(-pre))
    gp = g * s
    dx = gp @ w.T
    dw = x.T @ gp
    db = gp.sum(axis=0)
    return dx, dw, db


def example():
    rng = np.random.default_rng(131)
    return rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=4)
