import numpy as np
from numpy.typing import NDArray


def rectify(z: NDArray) -> NDArray:
    return (z + np.abs(z)) / 2.0


def rectify_backward(grad_a: NDArray, a: NDArray) -> NDArray:
    """The output is enough: it is positive exactly where the input was."""
    grad_z = grad_a.copy()
    grad_z[a > 0] = 0
    return grad_z


def example():
    z = np.linspace(-2.0, 2.2, 12).reshape(3, 4)
    return (z,)
