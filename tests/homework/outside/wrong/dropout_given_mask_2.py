import numpy as np


def drop(a, keep, rate):
    b = np.zeros_like(a)
    b[keep] = a[keep] / (1.0 - rate)
    return b


def drop_backward(gb, keep, rate):
    ga = np.zeros_like(gb)
    ga[keep] = gb[keep]
    return ga


def example():
    rng = np.random.default_rng(1327)
    keep = rng.random((3, 6)) < 0.7
    return rng.normal(size=(3, 6)), keep, 0.3
