import numpy as np


def multiclass_hinge(scores, labels):
    total = 0.0
    for row, label in zip(scores, labels):
        others = np.delete(row, label)
        total = total + np.maximum(others - row[label] + 1.0, 0.0).sum()
    return total


def multiclass_hinge_backward(grad_total, scores, labels):
    scores_grad = np.zeros(scores.shape)
    for i, label in enumerate(labels):
        violating = scores[i] - scores[i, label] > 0
        violating[label] = False
        scores_grad[i, violating] = grad_total
        scores_grad[i, label] = -grad_total * np.count_nonzero(violating)
    return scores_grad


def example():
    rng = np.random.default_rng(34)
    return rng.normal(size=(3, 5)), np.array([4, 0, 2])
