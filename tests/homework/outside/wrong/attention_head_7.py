import numpy as np


def attention(q, k, v):
    """One head: softmax(q k^T / sqrt(d)) v."""
    scale = 1.0 / np.sqrt(q.shape[1])
    scores = (q @ k.T) * scale
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ v, (q, k, v, weights, scale)


def attention_backward(grad_out, cache):
    q, k, v, weights, scale = cache
    grad_v = weights.T @ grad_out
    grad_weights = grad_out @ v.T
    grad_scores = weights * (grad_weights - (grad_weights * weights).sum(axis=1, keepdims=True))
    grad_scores *= scale
    grad_q = grad_scores @ k
    grad_k = grad_scores.T @ k
    return grad_q, grad_k, grad_v


def example():
    rng = np.random.default_rng(1532)
    return rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
