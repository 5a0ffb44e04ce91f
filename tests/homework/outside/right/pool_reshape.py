import numpy as np


def maxpool2(x):
    """2 x 2 max pooling with a reshape."""
    n, c, h, w = x.shape
    tiles = x.reshape(n, c, h // 2, 2, w // 2, 2)
    y = tiles.max(axis=(3, 5))
    winners = tiles == y[:, :, :, None, :, None]
    return y, {"winners": winners, "shape": x.shape}


def maxpool2_backward(cache, y_grad):
    spread = y_grad[:, :, :, None, :, None]
    x_grad = np.where(cache["winners"], spread, 0.0).reshape(cache["shape"])
    return x_grad


def example():
    rng = np.random.default_rng(81)
    return (rng.normal(size=(1, 2, 4, 4)),)
