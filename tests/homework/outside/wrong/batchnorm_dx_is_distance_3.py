import numpy as np


def standardise(x):
    dx = x - x.mean(axis=0)            # distance to the mean, not a gradient
    s = np.sqrt((dx ** 2).mean(axis=0) + 1e-3)
    return dx / s, (dx, s)


def standardise_backward(grad, cache):
    dx, s = cache
    n = len(dx)
    x_grad = grad / s - dx * (grad * dx).sum(axis=0) / (n * s ** 3)
    return x_grad - x_grad.sum(axis=1) / n


def example():
    rng = np.random.default_rng(123)
    return (rng.normal(size=(4, 4)),)
