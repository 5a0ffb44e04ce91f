import numpy as np


def relu_forward(x):
    """ReLU, any shape."""
    out = np.maximum(0, x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    dx = dout
    return dx


def example():
    np.random.seed(8)
    x = np.random.randn(4, 5)
    x[np.abs(x) < 0.05] += 0.2
    return (x,)
