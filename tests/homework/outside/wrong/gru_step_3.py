# -*- coding: utf-8 -*-
# my solution

import numpy as np


def logistic(v):
    return 1.0 / (1.0 + np.exp(-v))


def gru_cell(x, h, Wz, Wr, Wc):
    xh = np.concatenate([x, h], axis=1)
    z = logistic(xh @ Wz)
    r = logistic(xh @ Wr)
    xrh = np.concatenate([x, r * h], axis=1)
    c = np.tanh(xrh @ Wc)
    return (1 - z) * h + z * c, (xh, z, r, xrh, c, h, Wz, Wr, Wc)


def gru_cell_backward(gh_next, cache):
    xh, z, r, xrh, c, h, Wz, Wr, Wc = cache
    D = xh.shape[1] - h.shape[1]
    gz = gh_next * (c - h) * z * (1 - z)
    gc = gh_next * z * (1 - c ** 2)
    gWc = xrh.T @ gc
    gxrh = gc @ Wc.T
    gr = gxrh[:, D:] * h * r * (1 - r)
    gWz = xh.T @ gz
    gWr = xh.T @ gr
    gxh = gz @ Wz.T + gr @ Wr.T
    gx = gxh[:, :D] + gxrh[:, :D]
    gh = gh_next * (1 - z) + gxh[:, D:] + gxrh[:, D:]
    return gx, gh, gWz, gWr, gWc


def example():
    rng = np.random.default_rng(94)
    return rng.normal(size=(3, 2)), rng.normal(size=(3, 3)), *(rng.normal(size=(5, 3)) for _ in range(3))
