import numpy as np


def relu_(x):
    out = x * 1.0
    dead = out < 0
    out[dead] = 0.0
    return out, dead


def relu__backward(gradient, dead):
    gradient = gradient * 1.0
    np.putmask(gradient, dead, 0.0)
    return gradient


def example():
    rng = np.random.default_rng(12)
    return (rng.uniform(-1, 1, size=(2, 3, 4)),)
