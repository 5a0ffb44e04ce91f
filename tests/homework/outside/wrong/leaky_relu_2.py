# homework 2, question 2
import numpy as np


def leaky_relu_forward(x, alpha=0.1):
    out = np.where(x > 0, x, alpha * x)
    return out, (x, alpha)


def leaky_relu_backward(dout, cache):
    x, alpha = cache
    dx = dout.copy()
    dx[x < 0] = 0
    return dx


def example():
    rng = np.random.default_rng(1055)
    return (rng.normal(size=(3, 4)),)
