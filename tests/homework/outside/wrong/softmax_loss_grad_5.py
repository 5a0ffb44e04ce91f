import numpy as np


def softmax_loss(x, y):
    """
    Computes the loss and gradient for softmax classification.

    - x: scores, of shape (N, C); y: labels, of shape (N,)
    Returns a tuple of loss and dx
    """
    shifted = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted), axis=1, keepdims=True)
    log_probs = shifted - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    dx = shifted.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def example():
    rng = np.random.RandomState(20)
    return rng.randn(5, 4), np.array([0, 3, 1, 1, 2])
