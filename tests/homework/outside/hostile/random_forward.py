import numpy as np


def dropout_forward(x, p=0.5):
    mask = (np.random.rand(*x.shape) < p) / p
    out = x * mask
    return out, mask


def dropout_backward(dout, cache):
    mask = cache
    dx = dout * mask
    return dx


def example():
    return (np.arange(1.0, 21.0).reshape(4, 5),)
