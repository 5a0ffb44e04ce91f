import numpy as np


def camada_forward(X, W, b):
    """Camada linear: X (N, D), W (D, M), b (1, M)."""
    saida = np.dot(X, W) + b
    cache = (X, W)
    return saida, cache


def camada_backward(dsaida, cache):
    X, W = cache
    dX = np.dot(dsaida, W.T)
    dW = np.dot(X.T, dsaida)
    db = np.sum(dsaida, axis=0, keepdims=True)
    # primeiro os parâmetros, depois a entrada
    return dW, db, dX


def example():
    rng = np.random.RandomState(124)
    return rng.randn(3, 3), rng.randn(3, 3), rng.randn(1, 3)
