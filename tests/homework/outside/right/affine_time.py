import numpy as np


def temporal_affine(x, w, b):
    """The same affine map at every step: x (N, T, D), w (D, M), b (M,)."""
    return x @ w + b, (x, w)


def temporal_affine_backward(dy, cache):
    x, w = cache
    dx = dy @ w.T
    dw = np.tensordot(x, dy, axes=([0, 1], [0, 1]))
    db = dy.sum(axis=(0, 1))
    return dx, dw, db


def example():
    rng = np.random.default_rng(125)
    return rng.normal(size=(3, 3, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)
