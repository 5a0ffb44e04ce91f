import numpy as np


def tanh_layer(x, w):
    z = x @ w
    t = np.tanh(z)
    memo = {"x": x, "w": w, "t": t}
    return t, memo


def tanh_layer_backward(g, memo):
    slope = 1 - memo["t"] ** 2
    dz = g * slope
    return dz @ memo["w"].T, memo["t"].T @ dz


def example():
    rng = np.random.default_rng(130)
    return rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
