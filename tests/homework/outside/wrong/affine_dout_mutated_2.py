# -*- coding: utf-8 -*-
# my solution

import numpy as np


def residual_forward(x, w):
    """out = x + relu(x w)"""
    pre = x.dot(w)
    out = x + pre * (pre > 0)
    return out, (x, w, pre)


def residual_backward(dout, cache):
    x, w, pre = cache
    dpre = dout.copy()
    dpre[pre <= 0] = 0
    dw = x.T.dot(dpre)
    dx = dpre.dot(w.T)
    dx = dout
    return dx, dw


def example():
    rng = np.random.RandomState(134)
    return rng.randn(4, 4), rng.randn(4, 4)
