import numpy as np


def product(a, b, c):
    ab = a * b
    abc = ab * c
    return abc, [a.copy(), b.copy(), c.copy()]


def product_backward(grad, cache):
    a, b, c = cache
    ga = grad * b * c
    gb = np.multiply(grad * a, c, out=b)
    gc = grad * a * b
    return ga, gb, gc


def example():
    rng = np.random.default_rng(1639)
    return rng.normal(size=5), rng.normal(size=5), rng.normal(size=5)
