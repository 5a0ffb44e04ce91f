import numpy as np


def moments(x):
    return x.mean(-1, keepdims=True), x.std(-1, keepdims=True)


def ln(x):
    m, s = moments(x)
    return (x - m) / s


def ln_backward(g, x):
    m, s = moments(x)
    u = (x - m) / s
    return (g - g.mean(-1, keepdims=True) - u * (g * u).mean(-1, keepdims=True)) / s


def example():
    rng = np.random.default_rng(141)
    return (rng.normal(size=(4, 4)),)
