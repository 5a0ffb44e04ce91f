import numpy as np


def gap_forward(x):
    """Global average pooling, (N, C, H, W) -> (N, C)."""
    out = x.mean(axis=(2, 3))
    cache = x.shape
    return out, cache


def gap_backward(dout, cache):
    N, C, H, W = cache
    dx = np.broadcast_to(dout[:, :, None, None], (N, C, H, W)) / (H * W)
    return dx


def example():
    rng = np.random.default_rng(147)
    return (rng.normal(size=(3, 3, 2, 3)),)
