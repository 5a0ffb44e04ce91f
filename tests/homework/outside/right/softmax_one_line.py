import numpy as np


def nll(s, t):
    return np.mean(np.log(np.exp(s).sum(1)) - s[range(len(t)), t])


def nll_backward(g, s, t):
    return g * (np.exp(s) / np.exp(s).sum(1, keepdims=True) - np.eye(s.shape[1])[t]) / len(t)


def example():
    rng = np.random.default_rng(140)
    return rng.normal(size=(4, 4)), np.array([1, 1, 0, 3])
