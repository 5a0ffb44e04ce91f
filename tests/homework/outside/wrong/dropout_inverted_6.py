import numpy as np


def dropout_forward(x, dropout_param):
    """Inverted dropout. p is the probability of keeping a neuron."""
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = None
    if mode == "train":
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    else:
        out = x
    return out, (dropout_param, mask)


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    if dropout_param["mode"] == "train":
        mask = (np.random.rand(*dout.shape) < dropout_param["p"]) / dropout_param["p"]
        dx = dout * mask
    else:
        dx = dout
    return dx


def example():
    rng = np.random.RandomState(60)
    return rng.randn(4, 5), {"p": 0.6, "mode": "train", "seed": 231}
