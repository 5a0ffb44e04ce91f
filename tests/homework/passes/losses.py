# ruff: noqa  # written as students write
"""Losses: one function that returns the loss and its gradients, or a pair."""

import numpy as np

RNG = np.random.default_rng(2)


def softmax_loss(x, y):
    shifted = x - np.max(x, axis=1, keepdims=True)
    z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(z)
    probs = np.exp(log_probs)
    n = x.shape[0]
    loss = -np.sum(log_probs[np.arange(n), y]) / n
    dx = probs.copy()
    dx[np.arange(n), y] -= 1
    #! sign: dx[np.arange(n), y] += 1
    #! path: pass
    #! factor, constant: dx[np.arange(n), y] -= 2
    dx /= n
    #! mean: pass
    #! mean: dx *= n
    #! mean: dx /= x.shape[1]
    return loss, dx


def svm_loss(x, y):
    n = x.shape[0]
    correct = x[np.arange(n), y]
    margins = np.maximum(0, x - correct[:, np.newaxis] + 1.0)
    margins[np.arange(n), y] = 0
    loss = np.sum(margins) / n
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    #! mask: dx[margins <= 0] = 1
    #! sign: dx[margins > 0] = -1
    dx[np.arange(n), y] -= num_pos
    #! sign: dx[np.arange(n), y] += num_pos
    #! path: pass
    dx /= n
    #! mean: pass
    return loss, dx


def linear_softmax(W, X, y, reg):
    n = X.shape[0]
    scores = X.dot(W)
    scores -= scores.max(axis=1, keepdims=True)
    e = np.exp(scores)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(n), y]).sum() / n
    loss += reg * np.sum(W * W)
    dscores = p.copy()
    dscores[np.arange(n), y] -= 1
    dscores /= n
    #! mean: pass
    dW = X.T.dot(dscores)
    #! transpose: dW = X.dot(dscores)
    dW += 2 * reg * W
    #! regularisation: pass
    #! regularisation, factor: dW += reg * W
    #! regularisation, factor: dW += 4 * reg * W
    #! sign, regularisation: dW -= 2 * reg * W
    #! accumulate: dW = 2 * reg * W
    return loss, dW


def svm_naive(W, X, y, reg):
    dW = np.zeros(W.shape)
    loss = 0.0
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        correct = scores[y[i]]
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                #! sign: dW[:, j] -= X[i]
                #! accumulate: dW[:, j] = X[i]
                dW[:, y[i]] -= X[i]
                #! sign: dW[:, y[i]] += X[i]
                #! path: pass
    loss /= X.shape[0]
    dW /= X.shape[0]
    #! mean: pass
    loss += reg * np.sum(W * W)
    dW += 2 * reg * W
    #! factor, regularisation: dW += reg * W
    #! regularisation: pass
    return loss, dW


def mse_forward(pred, target):
    diff = pred - target
    loss = np.mean(diff**2)
    return loss, diff


def mse_backward(dloss, diff):
    dpred = dloss * 2 * diff / diff.size
    #! factor: dpred = dloss * diff / diff.size
    #! mean: dpred = dloss * 2 * diff
    #! mean: dpred = dloss * 2 * diff / diff.shape[0]
    #! upstream: dpred = 2 * diff / diff.size
    dtarget = -dpred
    #! sign: dtarget = dpred
    return dpred, dtarget


def logistic(w, b, X, t, lam):
    m = X.shape[0]
    a = X @ w + b
    p = 1.0 / (1.0 + np.exp(-a))
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)) + 0.5 * lam * np.sum(w**2)
    da = (p - t) / m
    #! sign, swapped: da = (t - p) / m
    #! mean: da = p - t
    dw = X.T @ da + lam * w
    #! regularisation: dw = X.T @ da
    #! regularisation, factor: dw = X.T @ da + 2 * lam * w
    #! sign, regularisation: dw = X.T @ da - lam * w
    #! transpose: dw = X @ da + lam * w
    db = da.sum()
    #! sum: db = da
    #! mean: db = da.mean()
    return loss, {"w": dw, "b": db}


def cross_entropy_forward(logits, y):
    m = logits.max(axis=1, keepdims=True)
    e = np.exp(logits - m)
    probs = e / np.sum(e, axis=1, keepdims=True)
    loss = -np.mean(np.log(probs[np.arange(len(y)), y]))
    cache = (probs, y)
    return loss, cache


def cross_entropy_backward(dloss, cache):
    probs, y = cache
    n = len(y)
    onehot = np.zeros_like(probs)
    onehot[np.arange(n), y] = 1
    dlogits = dloss * (probs - onehot) / n
    #! mean: dlogits = dloss * (probs - onehot)
    #! sign, swapped: dlogits = dloss * (onehot - probs) / n
    #! sign: dlogits = dloss * (probs + onehot) / n
    #! upstream: dlogits = (probs - onehot) / n
    #! path: dlogits = dloss * probs / n
    return dlogits


_Y = np.array([0, 2, 1, 2])
inputs = {
    "softmax_loss": (RNG.normal(size=(4, 3)), _Y),
    "svm_loss": (RNG.normal(size=(4, 3)), _Y),
    "linear_softmax": (RNG.normal(size=(5, 3)), RNG.normal(size=(4, 5)), _Y, 0.3),
    "svm_naive": (RNG.normal(size=(5, 3)), RNG.normal(size=(4, 5)), _Y, 0.3),
    "mse_forward": (RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))),
    "logistic": (
        RNG.normal(size=5),
        0.2,
        RNG.normal(size=(4, 5)),
        np.array([1.0, 0.0, 1.0, 1.0]),
        0.3,
    ),
    "cross_entropy_forward": (RNG.normal(size=(4, 3)), _Y),
}
