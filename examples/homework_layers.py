"""Homework to be checked: two layers and a small circuit, each with one mistake in it."""

import numpy as np


def affine_forward(x, w, b):
    out = x @ w + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = dout.sum(axis=1)
    return dx, dw, db


def tanh_forward(x):
    out = np.tanh(x)
    return out, out


def tanh_backward(dout, out):
    dx = dout * (1 - out)
    return dx  # noqa: RET504  # as students write


def fork(x, y):
    s = 1 / (1 + np.exp(-x))
    p = x * y
    f = s + p
    df = 1.0
    dp = df
    dy = x * dp
    dx = s * (1 - s) * df
    dx = y * dp
    return f, dx, dy


def softmax_loss(scores, y):
    n = len(y)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(n), y]).mean()
    dscores = p.copy()
    dscores[np.arange(n), y] -= 1
    dscores /= n
    return loss, dscores


if __name__ == "__main__":
    print("check me: corrente check homework_layers.py")
