# -*- coding: utf-8 -*-
# my solution

import numpy as np


def product(a, b, c):
    ab = a * b
    abc = ab * c
    return abc, [a.copy(), b.copy(), c.copy()]


def product_backward(grad, cache):
    a, b, c = cache
    ga = grad * b * c
    gb = grad * a * c
    a *= grad
    gc = a * b * grad
    return ga, gb, gc


def example():
    rng = np.random.default_rng(133)
    return rng.normal(size=5), rng.normal(size=5), rng.normal(size=5)
