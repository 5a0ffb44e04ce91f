import numpy as np


def softmax_classifier(W, b, X, y, reg=1e-1):
    num_examples = X.shape[0]
    scores = np.dot(X, W) + b
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    correct_logprobs = -np.log(probs[range(num_examples), y])
    data_loss = np.sum(correct_logprobs) / num_examples
    reg_loss = 0.5 * reg * np.sum(W * W)
    loss = data_loss + reg_loss
    dscores = probs
    dscores[range(num_examples), y] -= 1
    dscores /= num_examples
    dW = np.dot(X.T, dscores) + reg * W
    db = np.sum(dscores, axis=0, keepdims=True)
    dW += reg * W
    return loss, dW, db


def example():
    rng = np.random.default_rng(1148)
    return rng.normal(size=(2, 3)), np.zeros((1, 3)), rng.normal(size=(7, 2)), np.array([0, 1, 2, 2, 1, 0, 0])
