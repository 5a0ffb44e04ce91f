import numpy as np


def train_loss(syn0, syn1, X, y, lam):
    # forward propagation
    l1 = 1 / (1 + np.exp(-(np.dot(X, syn0))))
    l2 = 1 / (1 + np.exp(-(np.dot(l1, syn1))))
    loss = 0.5 * np.sum((y - l2) ** 2) + 0.5 * lam * (np.sum(syn0 ** 2) + np.sum(syn1 ** 2))
    # back propagation
    l2_delta = (l2 - y) * (l2 * (1 - l2))
    dsyn1 = l1.T.dot(l2_delta) + lam * syn1
    l1_delta = (l2 - y).dot(syn1.T) * (l1 * (1 - l1))
    dsyn0 = X.T.dot(l1_delta) + lam * syn0
    return loss, dsyn0, dsyn1


def example():
    rng = np.random.RandomState(102)
    return rng.randn(3, 4), rng.randn(4, 1), rng.randn(5, 3), rng.rand(5, 1), 0.01 * 10
