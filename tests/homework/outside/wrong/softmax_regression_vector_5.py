# homework 2, question 1
import numpy as np


def softmax_classifier(W, b, X, y, reg=1e-1):
    num_examples = X.shape[0]
    # evaluate class scores, [N x K]
    scores = np.dot(X, W) + b
    # compute the class probabilities
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    # compute the loss: average cross-entropy loss and regularization
    correct_logprobs = -np.log(probs[range(num_examples), y])
    data_loss = np.sum(correct_logprobs) / num_examples
    reg_loss = 0.5 * reg * np.sum(W * W)
    loss = data_loss + reg_loss
    # compute the gradient on scores
    dscores = probs
    dscores[range(num_examples), y] -= 1
    dscores /= num_examples
    # backpropagate the gradient to the parameters (W,b)
    dW = np.dot(X.T, dscores)
    db = np.sum(dscores, axis=0)
    dW += reg * W
    return loss, dW, db


def example():
    rng = np.random.default_rng(1152)
    return rng.normal(size=(2, 3)), np.zeros((1, 3)), rng.normal(size=(7, 2)), np.array([0, 1, 2, 2, 1, 0, 0])
