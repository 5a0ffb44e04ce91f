# homework 2, question 1
import numpy as np


def tanh_layer(x, w):
    z = x @ w
    t = np.tanh(z)
    memo = {"x": t, "w": w, "t": t}
    return t, memo


def tanh_layer_backward(g, memo):
    slope = 1 - memo["t"] ** 2
    gz = g * slope
    return gz @ memo["w"].T, memo["x"].T @ gz


def example():
    rng = np.random.default_rng(1620)
    return rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
