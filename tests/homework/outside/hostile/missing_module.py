import torchlight_not_installed

import numpy as np


def layer_forward(x, w):
    out = x @ w
    return out, (x, w)


def layer_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout


def example():
    rng = np.random.default_rng(1)
    return rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
