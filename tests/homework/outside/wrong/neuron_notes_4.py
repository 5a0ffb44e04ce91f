import math

import numpy as np


def neuron(w, x):
    # forward pass
    dot = w[0] * x[0] + w[1] * x[1] + w[2]
    f = 1.0 / (1 + math.exp(-dot))  # sigmoid function

    # backward pass through the neuron
    ddot = (f - 1) * f  # gradient on dot variable, using the sigmoid gradient derivation
    dx = np.array([w[0] * ddot, w[1] * ddot])
    dw = np.array([x[0] * ddot, x[1] * ddot, 1.0 * ddot])
    return f, dw, dx


def example():
    return np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0])
