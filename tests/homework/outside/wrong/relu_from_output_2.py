# -*- coding: utf-8 -*-
# my solution

import numpy as np
from numpy.typing import NDArray


def rectify(z: NDArray) -> NDArray:
    return (z + np.abs(z)) / 2.0


def rectify_backward(a_grad: NDArray, a: NDArray) -> NDArray:
    """The output is enough: it is positive exactly where the input was."""
    z_grad = a_grad.copy()
    z_grad[z_grad <= 0] = 0
    return z_grad


def example():
    z = np.linspace(-2.0, 2.2, 12).reshape(3, 4)
    return (z,)
