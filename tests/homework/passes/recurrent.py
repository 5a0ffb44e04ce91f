# ruff: noqa  # written as students write
"""One step of an RNN and of an LSTM, a whole sequence, an embedding, and attention."""

import numpy as np

RNG = np.random.default_rng(5)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    cache = (x, prev_h, Wx, Wh, next_h)
    return next_h, cache


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    #! local: da = dnext_h * (1 - next_h)
    #! local, cache: da = dnext_h * (1 - prev_h**2)
    #! local: da = dnext_h
    #! upstream: da = 1 - next_h**2
    dx = da @ Wx.T
    #! upstream: dx = dnext_h @ Wx.T
    dprev_h = da @ Wh.T
    #! transpose: dprev_h = da @ Wh
    #! sign: dprev_h = -da @ Wh.T
    dWx = x.T @ da
    #! transpose: dWx = x @ da
    dWh = prev_h.T @ da
    #! cache: dWh = next_h.T @ da
    #! swapped, transpose: dWh = da.T @ prev_h
    db = da.sum(axis=0)
    #! axis: db = da.sum(axis=1)
    #! sum: db = da
    return dx, dprev_h, dWx, dWh, db


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H : 2 * H])
    o = sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    tanh_c = np.tanh(next_c)
    next_h = o * tanh_c
    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c, tanh_c)
    return next_h, next_c, cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c, tanh_c = cache
    do = dnext_h * tanh_c
    #! cache, local: do = dnext_h * next_c
    dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
    #! path, accumulate: dc = dnext_h * o * (1 - tanh_c**2)
    #! local: dc = dnext_c + dnext_h * o
    #! local, cache: dc = dnext_c + dnext_h * o * (1 - next_c**2)
    #! sign: dc = dnext_c - dnext_h * o * (1 - tanh_c**2)
    df = dc * prev_c
    #! cache: df = dc * next_c
    #! upstream: df = dnext_c * prev_c
    di = dc * g
    #! swapped: di = dc * i
    dg = dc * i
    #! swapped: dg = dc * g
    dprev_c = dc * f
    #! cache, swapped: dprev_c = dc * i
    #! upstream: dprev_c = dnext_c * f
    dai = di * i * (1 - i)
    #! local: dai = di * i
    daf = df * f * (1 - f)
    #! local: daf = df * (1 - f)
    dao = do * o * (1 - o)
    #! sign, local: dao = do * o * (1 + o)
    dag = dg * (1 - g**2)
    #! local: dag = dg * (1 - g)
    #! local: dag = dg * g * (1 - g)
    da = np.hstack([dai, daf, dao, dag])
    #! swapped, index, upstream: da = np.hstack([dai, dao, daf, dag])
    dx = da @ Wx.T
    dprev_h = da @ Wh.T
    #! factor: dprev_h = da @ Wh.T * 2
    dWx = x.T @ da
    dWh = prev_h.T @ da
    #! mean: dWh = prev_h.T @ da / x.shape[0]
    db = np.sum(da, axis=0)
    #! axis: db = np.sum(da, axis=1)
    return dx, dprev_h, dprev_c, dWx, dWh, db


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H))
    prev = h0
    for t in range(T):
        prev = np.tanh(x[:, t] @ Wx + prev @ Wh + b)
        h[:, t] = prev
    cache = (x, h0, Wx, Wh, h)
    return h, cache


def rnn_backward(dh, cache):
    x, h0, Wx, Wh, h = cache
    N, T, D = x.shape
    dx = np.zeros_like(x)
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    db = np.zeros(Wh.shape[0])
    dprev = np.zeros_like(h0)
    for t in reversed(range(T)):
        dnow = dh[:, t] + dprev
        #! path, accumulate: dnow = dh[:, t]
        #! accumulate, path: dnow = dprev
        da = dnow * (1 - h[:, t] ** 2)
        #! local: da = dnow
        #! index, cache: da = dnow * (1 - h[:, t - 1] ** 2)
        before = h[:, t - 1] if t > 0 else h0
        #! cache, index: before = h[:, t] if t > 0 else h0
        dx[:, t] = da @ Wx.T
        dprev = da @ Wh.T
        #! transpose: dprev = da @ Wh
        dWx += x[:, t].T @ da
        #! accumulate: dWx = x[:, t].T @ da
        dWh += before.T @ da
        #! accumulate: dWh = before.T @ da
        #! sign: dWh -= before.T @ da
        db += da.sum(axis=0)
        #! axis: db += da.sum(axis=1)
        #! accumulate: db = da.sum(axis=0)
    dh0 = dprev
    return dx, dh0, dWx, dWh, db


def embedding_forward(x, W):
    out = W[x]
    return out, (x, W)


def embedding_backward(dout, cache):
    x, W = cache
    dW = np.zeros_like(W)
    np.add.at(dW, x, dout)
    #! accumulate: dW[x] = dout
    #! accumulate: dW[x] += dout
    return dW


def attention_forward(Q, K, V):
    scale = 1.0 / np.sqrt(Q.shape[1])
    S = Q @ K.T * scale
    E = np.exp(S - S.max(axis=1, keepdims=True))
    A = E / E.sum(axis=1, keepdims=True)
    out = A @ V
    return out, (Q, K, V, A, scale)


def attention_backward(dout, cache):
    Q, K, V, A, scale = cache
    dV = A.T @ dout
    #! transpose: dV = A @ dout
    dA = dout @ V.T
    #! sign: dA = -dout @ V.T
    dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
    #! sign: dS = A * (dA + np.sum(dA * A, axis=1, keepdims=True))
    #! axis: dS = A * (dA - np.sum(dA * A, axis=0, keepdims=True))
    #! keepdims: dS = A * (dA - np.sum(dA * A, axis=1))
    #! path, local: dS = A * dA
    dQ = dS @ K * scale
    #! mean, local, constant: dQ = dS @ K
    #! transpose: dQ = dS.T @ K * scale
    dK = dS.T @ Q * scale
    #! transpose: dK = dS @ Q * scale
    #! mean, local, constant: dK = dS.T @ Q / scale
    return dQ, dK, dV


_X, _H, _C = RNG.normal(size=(3, 5)), RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4))
inputs = {
    "rnn_step_forward": (
        _X,
        _H,
        RNG.normal(size=(5, 4)),
        RNG.normal(size=(4, 4)),
        RNG.normal(size=4),
    ),
    "lstm_step_forward": (
        _X,
        _H,
        _C,
        RNG.normal(size=(5, 16)),
        RNG.normal(size=(4, 16)),
        RNG.normal(size=16),
    ),
    "rnn_forward": (
        RNG.normal(size=(2, 3, 5)),
        RNG.normal(size=(2, 4)),
        RNG.normal(size=(5, 4)),
        RNG.normal(size=(4, 4)),
        RNG.normal(size=4),
    ),
    "embedding_forward": (np.array([[0, 3, 1], [2, 2, 0]]), RNG.normal(size=(5, 4))),
    "attention_forward": (
        RNG.normal(size=(4, 3)),
        RNG.normal(size=(4, 3)),
        RNG.normal(size=(4, 5)),
    ),
}
