# homework 2, question 5
import numpy as np


def step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, next_h, Wx, Wh)


def step_backward(dnext_h, cache):
    x, prev_h, next_h, Wx, Wh = cache
    da = dnext_h * (1 - next_h * next_h)
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    """x is (N, T, D); returns the hidden states (N, T, H)."""
    N, T, D = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    caches = []
    prev = h0
    for t in range(T):
        prev, c = step_forward(x[:, t, :], prev, Wx, Wh, b)
        h[:, t, :] = prev
        caches.append(c)
    return h, caches


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    x, prev_h, next_h, Wx, Wh = cache[0]
    dx = np.zeros((N, T, x.shape[1]))
    dWx = np.zeros_like(Wx)
    dWh = np.zeros_like(Wh)
    db = np.zeros(H)
    dprev = np.zeros((N, H))
    for t in reversed(range(T)):
        dcur = dh[:, t, :] + dprev
        dx[:, t, :], dprev, dWx_t, dWh_t, db_t = step_backward(dcur, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db = db_t
    dh0 = dprev
    return dx, dh0, dWx, dWh, db


def example():
    rng = np.random.RandomState(1425)
    return rng.randn(2, 4, 3), rng.randn(2, 3), rng.randn(3, 3) / 2, rng.randn(3, 3) / 2, rng.randn(3)
