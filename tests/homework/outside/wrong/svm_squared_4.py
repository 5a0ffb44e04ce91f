# homework 2, question 5
import numpy as np


def hinge2(s, y, delta=1.0):
    """Squared hinge, summed over the classes, averaged over the rows."""
    hot = np.zeros(s.shape, dtype=bool)
    hot[np.arange(len(y)), y] = True
    right = s[hot].reshape(-1, 1)
    slack = np.where(hot, 0.0, np.maximum(s - right + delta, 0.0))
    return np.sum(slack ** 2) / len(y), dict(slack=slack, hot=hot)


def hinge2_backward(dl, memory):
    slack, hot = memory["slack"], memory["hot"]
    dslack = 2 * slack * dl / slack.shape[0]
    ds = dslack - dslack.sum(axis=1, keepdims=True)
    return ds


def example():
    rng = np.random.default_rng(33)
    return rng.normal(size=(4, 4)), np.array([0, 2, 2, 3])
