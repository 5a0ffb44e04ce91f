# ruff: noqa  # written as students write
"""Fully connected layers, activations and dropout, with cache and dout."""

import numpy as np

RNG = np.random.default_rng(1)


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    #! transpose: dx = dout.dot(w).reshape(x.shape)
    #! sign: dx = -dout.dot(w.T).reshape(x.shape)
    #! factor: dx = 2 * dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    #! transpose: dw = x.reshape(x.shape[0], -1).dot(dout)
    #! mean: dw = x.reshape(x.shape[0], -1).T.dot(dout) / x.shape[0]
    #! swapped, transpose: dw = dout.T.dot(x.reshape(x.shape[0], -1))
    db = dout.sum(axis=0)
    #! axis: db = dout.sum(axis=1)
    #! sum: db = dout
    #! axis, sum: db = dout.sum()
    #! mean: db = dout.mean(axis=0)
    #! keepdims: db = dout.sum(axis=0, keepdims=True)
    return dx, dw, db


def matrix_forward(x, w, b):
    out = x @ w + b
    return out, (x, w)


def matrix_backward(dout, cache):
    x, w = cache
    dx = dout @ w.T
    #! swapped, transpose: dx = w @ dout
    #! transpose: dx = dout @ w
    #! upstream, local: dx = np.ones_like(dout) @ w.T
    dw = x.T @ dout
    #! transpose: dw = x @ dout
    #! swapped: dw = dout @ x.T
    #! swapped, transpose: dw = dout.T @ x
    db = np.sum(dout, axis=0)
    #! sum: db = dout
    #! sum: db = dout[0]
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    dx = dout * (x > 0)
    #! mask: dx = dout
    #! mask: dx = dout * (x < 0)
    #! mask: dx = dout * (x <= 0)
    #! upstream: dx = 1.0 * (x > 0)
    #! local, mask: dx = dout * x
    #! sign: dx = -dout * (x > 0)
    #! local, mask: dx = dout * np.maximum(0, x)
    return dx


def leaky_forward(x, slope=0.1):
    out = np.where(x > 0, x, slope * x)
    return out, (x, slope)


def leaky_backward(dout, cache):
    x, slope = cache
    dx = dout.copy()
    dx[x <= 0] *= slope
    #! mask: dx[x > 0] *= slope
    #! local, mask: dx[x <= 0] = 0
    #! local, mask, mean, constant: dx[x <= 0] /= slope
    return dx


def clip_forward(x):
    out = x.copy()
    out[out < 0] = 0
    return out, (x, out)


def clip_backward(dout, cache):
    x, out = cache
    dx = dout.copy()
    dx[x < 0] = 0
    #! mask: dx[x > 0] = 0
    #! mask: pass
    return dx


def sigmoid_forward(x):
    out = 1 / (1 + np.exp(-x))
    return out, out


def sigmoid_backward(dout, cache):
    s = cache
    dx = dout * s * (1 - s)
    #! local: dx = dout * s
    #! local: dx = dout * (1 - s)
    #! upstream: dx = s * (1 - s)
    #! sign: dx = dout * s * (s - 1)
    #! sign, local: dx = dout * s * (1 + s)
    #! local: dx = dout * s * (1 - s**2)
    return dx


def tanh_forward(x):
    out = np.tanh(x)
    cache = (x, out)
    return out, cache


def tanh_backward(dout, cache):
    x, out = cache
    dx = dout * (1 - out**2)
    #! local, cache: dx = dout * (1 - x**2)
    #! local: dx = dout * (1 - out)
    #! sign: dx = dout * (1 + out**2)
    #! upstream: dx = 1 - out**2
    #! sign: dx = -dout * (1 - out**2)
    #! cache, local: dx = dout * (1 - np.tanh(out) ** 2)
    return dx


def dropout_forward(x, mask, p):
    out = x * mask / p
    return out, (mask, p)


def dropout_backward(dout, cache):
    mask, p = cache
    dx = dout * mask / p
    #! mask: dx = dout / p
    #! mask: dx = dout * (1 - mask) / p
    #! mean, local, constant: dx = dout * mask
    #! mean, local, constant: dx = dout * mask * p
    return dx


def two_layer_forward(x, w1, b1, w2, b2):
    a = x @ w1 + b1
    h = np.maximum(a, 0)
    out = h @ w2 + b2
    return out, (x, w1, a, h, w2)


def two_layer_backward(dout, cache):
    x, w1, a, h, w2 = cache
    dw2 = h.T @ dout
    #! cache: dw2 = a.T @ dout
    db2 = dout.sum(0)
    #! axis: db2 = dout.sum(1)
    dh = dout @ w2.T
    #! factor: dh = 0.5 * dout @ w2.T
    da = dh * (a > 0)
    #! mask: da = dh
    #! mask: da = dh * (a < 0)
    #! upstream, mask, cache: da = dh * (dh > 0)
    dw1 = x.T @ da
    #! upstream: dw1 = x.T @ dh
    db1 = da.sum(0)
    #! upstream: db1 = dh.sum(0)
    #! sum: db1 = da
    dx = da @ w1.T
    #! upstream: dx = dh @ w1.T
    return dx, dw1, db1, dw2, db2


def residual_forward(x, w):
    h = np.tanh(x @ w)
    out = x + h
    return out, (x, w, h)


def residual_backward(dout, cache):
    x, w, h = cache
    dx = dout.copy()
    #! accumulate, path: dx = np.zeros_like(x)
    #! cache: dx = dout
    da = dout * (1 - h * h)
    #! local: da = dout * (1 - h)
    dx += da @ w.T
    #! accumulate: dx = da @ w.T
    #! transpose: dx += da @ w
    #! sign: dx -= da @ w.T
    dw = x.T @ (dout * (1 - h * h))
    #! local, upstream: dw = x.T @ dout
    #! upstream, local: dw = x.T @ (1 - h * h)
    return dx, dw


_X, _W = RNG.normal(size=(4, 5)), RNG.normal(size=(5, 3))
inputs = {
    "affine_forward": (RNG.normal(size=(4, 2, 3)), RNG.normal(size=(6, 3)), RNG.normal(size=3)),
    "matrix_forward": (_X, _W, RNG.normal(size=3)),
    "relu_forward": (_X,),
    "leaky_forward": (_X,),
    "clip_forward": (_X,),
    "sigmoid_forward": (_X,),
    "tanh_forward": (_X,),
    "dropout_forward": (_X, (RNG.random((4, 5)) < 0.6) * 1.0, 0.6),
    "two_layer_forward": (_X, _W, RNG.normal(size=3), RNG.normal(size=(3, 6)), RNG.normal(size=6)),
    "residual_forward": (_X, RNG.normal(size=(5, 5))),
}
