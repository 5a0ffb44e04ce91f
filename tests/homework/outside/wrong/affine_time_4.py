# homework 2, question 2
import numpy as np


def temporal_affine(x, w, b):
    """The same affine map at every step: x (N, T, D), w (D, M), b (M,)."""
    return x @ w + b, (x, w)


def temporal_affine_backward(dy, cache):
    x, w = cache
    dx = dy @ w.T
    dw = x.transpose(0, 2, 1) @ dy
    db = dy.sum(axis=(0, 1))
    return dx, dw, db


def example():
    rng = np.random.default_rng(1591)
    return rng.normal(size=(3, 3, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)
