import numpy as np


def svm_loss_naive(W, X, y, reg):
    """Structured SVM loss function, naive implementation (with loops)."""
    dW = np.zeros(W.shape)
    num_classes = W.shape[1]
    num_train = X.shape[0]
    loss = 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        correct_class_score = scores[y[i]]
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct_class_score + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss /= num_train
    loss += reg * np.sum(W * W)
    dW = dW / num_train + 2 * reg * W
    return loss, dW


def example():
    rng = np.random.RandomState(31)
    return 0.3 * rng.randn(3, 4), rng.randn(5, 3), np.array([3, 0, 1, 2, 0]), 0.2
