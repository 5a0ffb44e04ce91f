"""Functions of the house's own that NumPy lacks, as a file that runs alone defines them."""

from __future__ import annotations

import re

SPELLINGS = {
    "relu": '''
def relu(x):
    """Return x where it is positive and 0 elsewhere."""
    return np.maximum(x, 0) + 0
''',
    "sigmoid": '''
def sigmoid(x):
    """Return 1 / (1 + exp(-x))."""
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-1.0 * x))
''',
    "softplus": '''
def softplus(x):
    """Return log(1 + exp(x)), so that no x overflows."""
    return np.maximum(x, 0) + np.log1p(np.exp(-1.0 * np.abs(x)))
''',
    "logsumexp": '''
def logsumexp(x, axis, keepdims=False):
    """Return log(sum(exp(x))); the greatest element is taken out first."""
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore", over="ignore"):
        out = shift + np.log(np.sum(np.exp(x - shift), axis=axis, keepdims=True))
    return (out if keepdims else np.squeeze(out, axis))[()]
''',
    "windows": '''
def windows(x, size, stride=None, dilation=None):
    """Read every window of a size along the last axes: a view of shape (…, *positions, *size)."""
    n = len(size)
    stride, dilation = stride or (1,) * n, dilation or (1,) * n
    reach = tuple((k - 1) * d + 1 for k, d in zip(size, dilation))
    axes = tuple(range(np.ndim(x) - n, np.ndim(x)))
    every = np.lib.stride_tricks.sliding_window_view(x, reach, axes)
    return every[(..., *(slice(None, None, step) for step in (*stride, *dilation)))]
''',
    "overlap_add": '''
def overlap_add(x, length, stride=None, dilation=None):
    """Put windows back where they were read, adding up where they overlap."""
    n = len(length)
    stride, dilation = stride or (1,) * n, dilation or (1,) * n
    counts, size = x.shape[-2 * n : -n], x.shape[-n:]
    out = np.zeros((*x.shape[: -2 * n], *length), x.dtype)
    for offset in np.ndindex(size):
        at = tuple(
            slice(k * d, k * d + (count - 1) * s + 1, s)
            for k, d, s, count in zip(offset, dilation, stride, counts)
        )
        out[(..., *at)] += x[(..., *offset)]
    return out
''',
    "sinc_slope": '''
def sinc_slope(x, n):
    """Return the n-th slope of sin(pi x) / (pi x), as an integral of cosines."""
    points, weights = np.polynomial.legendre.leggauss(64)
    angles = 0.5 * np.pi * (points + 1.0)
    waves = np.cos(np.multiply.outer(x, angles) + 0.5 * np.pi * n)
    return np.sum(0.5 * weights * angles**n * waves, axis=-1)
''',
}


def needed(text: str) -> list[str]:
    """Return the definitions that a text calls, in the order of the table."""
    return [
        definition.strip("\n")
        for name, definition in SPELLINGS.items()
        if re.search(rf"(?<![\w.]){name}\(", text)
    ]
