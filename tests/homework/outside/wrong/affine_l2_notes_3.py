# homework 2, question 2
import numpy as np


def weighted_l2(W, x):
    q = W.dot(x)          # (m,)
    f = np.sum(q ** 2)    # scalar
    dq = 2.0 * q
    dW = np.outer(x, dq)
    dx = W.T.dot(dq)
    return f, dW, dx


def example():
    np.random.seed(3)
    W = np.random.randn(3, 3)
    x = np.random.randn(3)
    return W, x
