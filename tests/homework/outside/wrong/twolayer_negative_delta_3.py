import numpy as np


def cost(X, A, B, T):
    H = np.tanh(X @ A)
    Y = H @ B
    J = 0.5 * np.sum((T - Y) ** 2)

    # the delta is target minus output, as in the old books; the minus comes at the end
    delta_out = T - Y
    delta_hidden = delta_out @ B.T
    dB = -H.T @ delta_out
    dA = -X.T @ delta_hidden
    dX = -delta_hidden @ A.T
    return J, dX, dA, dB


def example():
    rng = np.random.default_rng(121)
    return tuple(rng.normal(size=(3, 3)) for _ in range(4))
