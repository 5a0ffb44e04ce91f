import numpy as np


def linear_classifier(W, b, X, labels):
    Z = X @ W + b
    Z = Z - Z.max(axis=1, keepdims=True)
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    picked = P[np.arange(len(labels)), labels]
    return -np.log(picked).mean(), (X, labels, P)


def linear_classifier_backward(up, cache):
    X, labels, P = cache
    dZ = P.copy()
    dZ[np.arange(len(labels)), labels] -= 1.0   # the 1/N comes at the very end
    dW = X.T @ dZ
    db = dZ.sum(axis=0)
    n = X.shape[0]
    return dW / n, up * db / n


def example():
    rng = np.random.default_rng(120)
    return rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(5, 3)), np.array([0, 3, 1, 2, 2])
