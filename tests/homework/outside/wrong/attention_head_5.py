import numpy as np


def attention(q, k, v):
    """One head: softmax(q k^T / sqrt(d)) v."""
    scale = 1.0 / np.sqrt(q.shape[1])
    scores = (q @ k.T) * scale
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    return weights @ v, (q, k, v, weights, scale)


def attention_backward(d_out, cache):
    q, k, v, weights, scale = cache
    d_v = weights.T @ d_out
    d_weights = d_out @ v.T
    d_scores = weights * (d_weights - (d_weights * weights).sum(axis=0, keepdims=True))
    d_scores *= scale
    d_q = d_scores @ k
    d_k = d_scores.T @ q
    return d_q, d_k, d_v


def example():
    rng = np.random.default_rng(110)
    return rng.normal(size=(4, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
