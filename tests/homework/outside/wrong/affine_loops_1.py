import numpy as np


def dense(X, W, b):
    n, d = X.shape
    m = W.shape[1]
    Y = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            Y[i, j] = b[j]
            for k in range(d):
                Y[i, j] += X[i, k] * W[k, j]
    return Y


def dense_backward(gY, X, W, b):
    n, d = X.shape
    m = W.shape[1]
    gX = np.zeros_like(X)
    gW = np.zeros_like(W)
    gb = np.zeros_like(b)
    for i in range(n):
        for j in range(m):
            gb[j] += gY[i, j]
            for k in range(d):
                gX[i, k] += gY[i, j] * W[k, j]
                gW[k, j] = gY[i, j] * X[i, k]
    return {"gX": gX, "gW": gW, "gb": gb}


def example():
    r = np.random.RandomState(4)
    return r.normal(0, 1, (3, 4)), r.normal(0, 1, (4, 2)), r.normal(0, 1, 2)
