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
    dX = np.zeros_like(X)
    dW = np.zeros_like(W)
    db = np.zeros_like(b)
    for i in range(n):
        for j in range(m):
            db[j] = gY[i, j]
            for k in range(d):
                dX[i, k] += gY[i, j] * W[k, j]
                dW[k, j] += gY[i, j] * X[i, k]
    return {"dX": dX, "dW": dW, "db": db}


def example():
    r = np.random.RandomState(4)
    return r.normal(0, 1, (3, 4)), r.normal(0, 1, (4, 2)), r.normal(0, 1, 2)
