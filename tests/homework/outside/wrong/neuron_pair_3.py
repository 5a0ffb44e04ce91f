# -*- coding: utf-8 -*-
# my solution

import numpy as np

sigma = lambda t: 1 / (1 + np.exp(-t))


def unit(w, x):
    """w has one entry more than x: the last one is the bias."""
    t = np.dot(w[:-1], x) + w[-1]
    return sigma(t), (w, x, t)


def unit_backward(g, memory):
    w, x, t = memory
    g_t = 2 * g * sigma(t) * sigma(-t)
    g_w = np.append(x, 1.0) * g_t
    g_x = w[:-1] * g_t
    return g_w, g_x


def example():
    return np.array([1.0, -0.5, 0.25, 0.1]), np.array([0.3, 0.6, -0.9])
