# -*- coding: utf-8 -*-
# my solution

import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def softmax_backward(gp, p):
    """Row-wise vector-Jacobian product without building the Jacobian."""
    inner = np.sum(gp * p, axis=1, keepdims=True)
    return gp * (p - inner)


def example():
    rng = np.random.default_rng(24)
    return (rng.normal(size=(4, 4)),)
