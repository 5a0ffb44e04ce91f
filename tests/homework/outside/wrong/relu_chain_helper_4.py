# homework 2, question 4
import numpy as np


def relu_net(w, v, x):
    # f = v . relu(W x) + sum(relu(v))
    z = w @ x
    a = np.maximum(z, 0)
    r = np.maximum(v, 0)
    f = v @ a + r.sum()
    # backward
    dr = np.ones_like(r)
    dv = dr * (v > 0)
    dv += a
    da = v
    dz = np.where(z > 0, da, 0)
    dw = dz[None, :] * x[:, None]
    return f, dw, dv


def example():
    rng = np.random.default_rng(1605)
    return rng.normal(size=(4, 4)), rng.normal(size=4), rng.normal(size=4)
