# -*- coding: utf-8 -*-
# my solution

import numpy as np


def gate(a, b, c):
    largest = np.maximum(a, b)
    return largest * c, (a > b, largest, c)


def gate_backward(gout, cache):
    a_wins, largest, c = cache
    gc = gout * c
    glargest = gout * c
    ga = np.zeros_like(glargest)
    gb = np.zeros_like(glargest)
    ga[a_wins] = glargest[a_wins]
    gb[~a_wins] = glargest[~a_wins]
    return ga, gb, gc


def example():
    r = np.random.RandomState(13)
    return r.randn(5), r.randn(5), r.randn(5)
