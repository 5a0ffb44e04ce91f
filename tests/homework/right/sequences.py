# ruff: noqa  # written as students write
"""Right backward passes over time, of gates, and of layers written as classes."""

import numpy as np

RNG = np.random.default_rng(13)


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    z = x.dot(Wx) + prev_h.dot(Wh) + b
    next_h = np.tanh(z)
    return next_h, (x, prev_h, Wx, Wh, b, z)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, b, z = cache
    dz = dnext_h / np.cosh(z) ** 2
    return dz.dot(Wx.T), dz.dot(Wh.T), x.T.dot(dz), prev_h.T.dot(dz), dz.sum(axis=0)


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    hs, caches = [], []
    h = h0
    for t in range(T):
        h, cache = rnn_step_forward(x[:, t, :], h, Wx, Wh, b)
        hs.append(h)
        caches.append(cache)
    return np.stack(hs, axis=1), caches


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    x0, h0, Wx, Wh, b, _ = cache[0]
    dx = np.zeros((N, T, x0.shape[1]))
    dh0 = np.zeros_like(h0)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    for t in range(T - 1, -1, -1):
        step = rnn_step_backward(dh[:, t, :] + dh0, cache[t])
        dx[:, t, :], dh0, dWx_t, dWh_t, db_t = step
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    return dx, dh0, dWx, dWh, db


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    N, H = prev_h.shape
    a = x @ Wx + prev_h @ Wh + b
    ifo = 1 / (1 + np.exp(-a[:, : 3 * H]))
    i, f, o = np.split(ifo, 3, axis=1)
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (i, f, o, g, x, prev_h, prev_c, Wx, Wh, next_c)
    return next_h, next_c, cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    i, f, o, g, x, prev_h, prev_c, Wx, Wh, next_c = cache
    t = np.tanh(next_c)
    dnext_c = dnext_c + dnext_h * o * (1 - t * t)
    da = np.concatenate(
        [
            dnext_c * g * i * (1 - i),
            dnext_c * prev_c * f * (1 - f),
            dnext_h * t * o * (1 - o),
            dnext_c * i * (1 - g * g),
        ],
        axis=1,
    )
    dx, dprev_h = da @ Wx.T, da @ Wh.T
    dWx, dWh, db = x.T @ da, prev_h.T @ da, da.sum(0)
    return dx, dprev_h, dnext_c * f, dWx, dWh, db


def embedding_forward(x, W):
    N, T = x.shape
    out = W[x, :]
    return out, (x, W.shape)


def embedding_backward(dout, cache):
    x, shape = cache
    dW = np.zeros(shape)
    for n in range(x.shape[0]):
        for t in range(x.shape[1]):
            dW[x[n, t]] += dout[n, t]
    return dW


def temporal_affine_forward(x, w, b):
    N, T, D = x.shape
    M = b.shape[0]
    out = x.reshape(N * T, D).dot(w).reshape(N, T, M) + b
    cache = x, w, b, out
    return out, cache


def temporal_affine_backward(dout, cache):
    x, w, b, out = cache
    N, T, D = x.shape
    M = b.shape[0]
    dx = dout.reshape(N * T, M).dot(w.T).reshape(N, T, D)
    dw = dout.reshape(N * T, M).T.dot(x.reshape(N * T, D)).T
    db = dout.sum(axis=(0, 1))
    return dx, dw, db


def attention_forward(Q, K, V):
    A = Q @ K.T / np.sqrt(Q.shape[1])
    A = A - A.max(axis=1, keepdims=True)
    P = np.exp(A)
    P = P / P.sum(axis=1, keepdims=True)
    return P @ V, (Q, K, V, P)


def attention_backward(dO, cache):
    Q, K, V, P = cache
    dP = dO @ V.T
    dA = P * dP - P * (P * dP).sum(axis=1)[:, None]
    dA /= np.sqrt(Q.shape[1])
    return dA @ K, dA.T @ Q, P.T @ dO


def cumulative_forward(x):
    out = np.cumsum(x, axis=1)
    return out, None


def cumulative_backward(dout, cache):
    return np.cumsum(dout[:, ::-1], axis=1)[:, ::-1]


def fork_forward(x, w):
    a = x * w
    out = a * a + np.sin(a) + x
    return out, (x, w, a)


def fork_backward(dout, cache):
    x, w, a = cache
    da_square = dout * 2 * a
    da_sine = dout * np.cos(a)
    da = da_square + da_sine
    dx_direct = dout
    dx_product = da * w
    dx = dx_direct + dx_product
    dw = (da * x).sum(axis=0)
    return dx, dw


def mixed_forward(x, w, b):
    scores = x @ w + b
    out = scores**2
    return out, {"x": x, "w": w, "scores": scores}


def mixed_backward(upstream, cache):
    delta = 2 * cache["scores"] * upstream
    gradients = {}
    gradients["b"] = delta.sum(0)
    gradients["w"] = cache["x"].T @ delta
    gradients["x"] = delta @ cache["w"].T
    return gradients


class Linear:
    def __init__(self, W, b):
        self.W, self.b = W, b
        self.grads = {"W": None, "b": None}

    def forward(self, x):
        self.inp = x
        return np.dot(x, self.W) + self.b

    def backward(self, dout):
        self.grads["W"] = np.dot(self.inp.T, dout)
        self.grads["b"] = np.sum(dout, 0)
        return np.dot(dout, self.W.T)


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        out = x.copy()
        out[~self.mask] = 0
        return out

    def backward(self, dout):
        dx = dout.copy()
        dx[~self.mask] = 0
        return dx


class Softmax:
    def forward(self, x, y):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.p = e / e.sum(axis=-1, keepdims=True)
        self.y = y
        return -np.log(self.p[np.arange(len(y)), y]).mean()

    def backward(self, dout=1.0):
        dx = self.p.copy()
        dx[np.arange(len(self.y)), self.y] -= 1
        return dx * dout / len(self.y)


class BatchNorm:
    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        self.mu = x.mean(0)
        self.xc = x - self.mu
        self.std = np.sqrt(np.mean(self.xc**2, axis=0) + 1e-7)
        self.xn = self.xc / self.std
        return self.gamma * self.xn + self.beta

    def backward(self, dout):
        self.dbeta = dout.sum(axis=0)
        self.dgamma = np.sum(self.xn * dout, axis=0)
        dxn = self.gamma * dout
        dxc = dxn / self.std
        dstd = -np.sum((dxn * self.xc) / (self.std * self.std), axis=0)
        dvar = 0.5 * dstd / self.std
        dxc += (2.0 / len(dout)) * self.xc * dvar
        dmu = np.sum(dxc, axis=0)
        return dxc - dmu / len(dout)


def _rnn(*lead):
    shapes = (5, 4), (4, 4), (4,)
    return (RNG.normal(size=(*lead, 5)), RNG.normal(size=(lead[0], 4)), *map(_n, shapes))


def _n(shape):
    return RNG.normal(size=shape)


inputs = {
    "rnn_step_forward": _rnn(3),
    "rnn_forward": _rnn(3, 4),
    "lstm_step_forward": (_n((3, 5)), _n((3, 4)), _n((3, 4)), _n((5, 16)), _n((4, 16)), _n(16)),
    "embedding_forward": (np.array([[0, 3, 1], [2, 2, 0]]), _n((5, 4))),
    "temporal_affine_forward": (_n((2, 3, 4)), _n((4, 5)), _n(5)),
    "attention_forward": (_n((4, 3)), _n((4, 3)), _n((4, 5))),
    "cumulative_forward": (_n((2, 5)),),
    "fork_forward": (_n((3, 4)), _n(4)),
    "mixed_forward": (_n((3, 4)), _n((4, 2)), _n(2)),
    "Linear.forward": lambda: (Linear(_n((5, 3)), _n(3)), _n((4, 5))),
    "ReLU.forward": lambda: (ReLU(), _n((4, 5))),
    "Softmax.forward": lambda: (Softmax(), _n((4, 3)), np.array([0, 2, 1, 2])),
    "BatchNorm.forward": lambda: (BatchNorm(_n(5), _n(5)), _n((4, 5))),
}
