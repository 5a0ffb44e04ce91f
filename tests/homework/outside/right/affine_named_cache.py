"""Linear layer, exercise 1. I keep the cache in a namedtuple so I do not mix the order up."""
from collections import namedtuple

import numpy as np

LinearCache = namedtuple("LinearCache", ["x", "weight"])


def linear(x, weight, bias):
    # weight is stored as (out_features, in_features)
    y = np.einsum("ni,oi->no", x, weight) + bias[None, :]
    return y, LinearCache(x, weight)


def linear_backward(grad_y, saved):
    grad_x = np.einsum("no,oi->ni", grad_y, saved.weight)
    grad_weight = np.einsum("no,ni->oi", grad_y, saved.x)
    grad_bias = np.einsum("no->o", grad_y)
    return grad_x, grad_weight, grad_bias


def example():
    g = np.random.default_rng(1)
    return g.normal(size=(3, 4)), g.normal(size=(2, 4)), g.normal(size=2)
