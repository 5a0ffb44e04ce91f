"""A small regression network: tanh hidden layer, mean squared error and weight decay."""
import numpy as np


def net(x, target, w1, w2, decay):
    hidden = np.tanh(x @ w1)
    prediction = hidden @ w2
    error = prediction - target
    cost = np.mean(error ** 2) + decay * (np.sum(w1 ** 2) + np.sum(w2 ** 2))
    return cost, (x, w1, w2, decay, hidden, error)


def net_backward(cache, grad_cost):
    x, w1, w2, decay, hidden, error = cache
    grad_prediction = grad_cost * error / error.size
    w2_grad = hidden.T @ grad_prediction + grad_cost * 2 * decay * w2
    grad_hidden = grad_prediction @ w2.T
    grad_pre = grad_hidden - grad_hidden * hidden ** 2
    w1_grad = x.T @ grad_pre + grad_cost * 2 * decay * w1
    x_grad = grad_pre @ w1.T
    return x_grad, w1_grad, w2_grad


def example():
    rng = np.random.default_rng(101)
    return rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), 0.1
