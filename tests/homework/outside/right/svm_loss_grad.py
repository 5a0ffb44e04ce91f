import numpy as np


def svm_loss(x, y):
    """Multiclass SVM loss and its gradient with respect to the scores."""
    N = x.shape[0]
    correct_class_scores = x[np.arange(N), y]
    margins = np.maximum(0, x - correct_class_scores[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= num_pos
    dx /= N
    return loss, dx


def example():
    rng = np.random.RandomState(30)
    return rng.randn(4, 4), np.array([2, 1, 0, 1])
