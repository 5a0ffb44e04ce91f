import numpy as np


def conv_forward(x, w, b):
    """2 x 2 filters with stride 2 and no overlap: a matrix product over the tiles."""
    N, C, H, W = x.shape
    tiles = x.reshape(N, C, H // 2, 2, W // 2, 2)
    out = np.einsum("ncyuxv,fcuv->nfyx", tiles, w)
    out += b[:, None, None]
    return out, (x, w, b)


def conv_backward(dout, cache):
    x, w, b = cache
    N, C, H, W = x.shape
    tiles = x.reshape(N, C, H // 2, 2, W // 2, 2)
    dw = np.einsum("ncyuxv,nfyx->fcuv", tiles, dout)
    dtiles = np.einsum("nfyx,fcvu->ncyuxv", dout, w)
    dx = dtiles.reshape(x.shape)
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def example():
    rng = np.random.RandomState(144)
    return rng.randn(2, 2, 4, 4), rng.randn(2, 2, 2, 2), rng.randn(2)
