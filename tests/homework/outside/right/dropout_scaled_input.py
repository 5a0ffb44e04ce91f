import numpy as np


def noisy_affine_forward(x, w, seed=7, keep=0.5):
    r = np.random.default_rng(seed)
    mask = r.random(x.shape) < keep
    dropped = np.where(mask, x / keep, 0)
    out = dropped @ w
    cache = dropped, mask, keep, w
    return out, cache


def noisy_affine_backward(dout, cache):
    dropped, mask, keep, w = cache
    ddropped = dout @ w.T
    dw = dropped.T @ dout
    dx = np.where(mask, ddropped, 0) / keep
    return dx, dw


def example():
    rng = np.random.default_rng(145)
    return rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
