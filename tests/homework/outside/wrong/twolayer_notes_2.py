# -*- coding: utf-8 -*-
# my solution

import numpy as np


def two_layer_loss(params, X, y, reg=0.1):
    """Affine - ReLU - affine - softmax, with L2 regularisation on the weights."""
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    N = X.shape[0]
    hidden = np.maximum(0, X.dot(W1) + b1)
    scores = hidden.dot(W2) + b2
    scores = scores - scores.max(axis=1, keepdims=True)
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    data_loss = -np.log(probs[np.arange(N), y]).mean()
    loss = data_loss + 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))

    grads = {}
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    grads["W2"] = hidden.T.dot(dscores)
    grads["b2"] = dscores.sum(axis=0)
    dhidden = dscores.dot(W2.T)
    dhidden[dhidden <= 0] = 0
    grads["W1"] = X.T.dot(dhidden)
    grads["b1"] = dhidden.sum(axis=0)
    grads["W2"] += reg * W2
    grads["W1"] += reg * W1
    return loss, grads


def example():
    rng = np.random.RandomState(100)
    params = {"W1": rng.randn(4, 4), "b1": rng.randn(4), "W2": rng.randn(4, 4), "b2": rng.randn(4)}
    return params, rng.randn(6, 4), np.array([0, 1, 2, 3, 1, 0])
