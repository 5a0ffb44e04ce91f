import numpy as np


def svm_vectorized(W, X, y, lam):
    n = X.shape[0]
    rows = np.arange(n)
    S = X @ W.T                        # classes are the rows of W here
    M = S - S[rows, y][:, None] + 1
    M[rows, y] = 0
    loss = np.maximum(M, 0).sum() / n + 0.5 * lam * (W ** 2).sum()

    dM = np.ones_like(M) / n
    dS = dM
    dS[rows, y] = -dM.sum(axis=1)
    dW = dS.T @ X + lam * W
    return loss, dW


def example():
    rng = np.random.default_rng(32)
    return rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), np.array([1, 3, 0, 1]), 0.05
