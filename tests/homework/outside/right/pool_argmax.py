import numpy as np


def pool_rows(signal, size=3):
    """1-d max pooling of (batch, length), remembering the winners' places."""
    blocks = signal.reshape(signal.shape[0], -1, size)
    winner = blocks.argmax(axis=2)
    pooled = np.take_along_axis(blocks, winner[..., None], axis=2)[..., 0]
    return pooled, (winner, blocks.shape, signal.shape)


def pool_rows_backward(grad, cache):
    winner, block_shape, shape = cache
    result = np.zeros(block_shape)
    np.put_along_axis(result, winner[..., None], grad[..., None], axis=2)
    return result.reshape(shape)


def example():
    rng = np.random.default_rng(82)
    return (rng.normal(size=(2, 9)),)
