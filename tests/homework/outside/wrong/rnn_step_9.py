# homework 2, question 4
import numpy as np


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """A single timestep of a vanilla RNN with a tanh."""
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)
    cache = (x, prev_h, Wx, Wh, next_h)
    return next_h, cache


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dtanh = dnext_h * (next_h ** 2 - 1)
    dx = dtanh.dot(Wx.T)
    dprev_h = dtanh.dot(Wh.T)
    dWx = x.T.dot(dtanh)
    dWh = prev_h.T.dot(dtanh)
    db = np.sum(dtanh, axis=0)
    return dx, dprev_h, dWx, dWh, db


def example():
    rng = np.random.RandomState(90)
    return rng.randn(4, 4), rng.randn(4, 4), rng.randn(4, 4) / 2, rng.randn(4, 4) / 2, rng.randn(4)
