# ruff: noqa  # written as students write
"""Layers as classes, with forward and backward methods."""

import numpy as np

RNG = np.random.default_rng(7)


class Linear:
    def __init__(self, W, b):
        self.W = W
        self.b = b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        #! transpose: self.dW = self.x @ grad
        #! mean: self.dW = self.x.T @ grad / len(grad)
        self.db = grad.sum(axis=0)
        #! axis: self.db = grad.sum(axis=1)
        return grad @ self.W.T
        #! transpose: return grad @ self.W
        #! sign: return -grad @ self.W.T


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, dout):
        return dout * self.out * (1 - self.out)
        #! local: return dout * self.out
        #! upstream: return self.out * (1 - self.out)


class Scale:
    def __init__(self, gain):
        self.gain = gain
        self.grads = {}

    def forward(self, x):
        self.cache = x
        return x * self.gain

    def backward(self, dout):
        x = self.cache
        self.grads["gain"] = (dout * x).sum(axis=0)
        #! sum: self.grads["gain"] = dout * x
        #! axis: self.grads["gain"] = (dout * x).sum(axis=1)
        dx = dout * self.gain
        #! local: dx = dout
        return dx


inputs = {
    "Linear.forward": lambda: (
        Linear(RNG.normal(size=(5, 3)), RNG.normal(size=3)),
        RNG.normal(size=(4, 5)),
    ),
    "Sigmoid.forward": lambda: (Sigmoid(), RNG.normal(size=(4, 5))),
    "Scale.forward": lambda: (Scale(RNG.normal(size=5)), RNG.normal(size=(4, 5))),
}
