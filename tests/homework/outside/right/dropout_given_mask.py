import numpy as np


def drop(a, keep, rate):
    # keep is a boolean array, rate the part that is dropped
    b = np.zeros_like(a)
    b[keep] = a[keep] / (1.0 - rate)
    return b


def drop_backward(gb, keep, rate):
    ga = np.zeros_like(gb)
    ga[keep] = gb[keep] / (1.0 - rate)
    return ga


def example():
    rng = np.random.default_rng(61)
    keep = rng.random((3, 6)) < 0.7
    return rng.normal(size=(3, 6)), keep, 0.3
