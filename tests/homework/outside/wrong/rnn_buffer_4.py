# homework 2, question 3
import numpy as np


def roll(xs, h, w):
    """h <- tanh(x + h w) for every row of xs; all the states are kept for the way back."""
    state = h.copy()
    kept = [state.copy()]
    for x in xs:
        state[:] = np.tanh(x + state @ w)
        kept.append(state.copy())
    return state, (kept, w)


def roll_backward(gh, cache):
    kept, w = cache
    gxs = np.zeros((len(kept) - 1, gh.shape[0]))
    gw = np.zeros_like(w)
    for t in reversed(range(len(gxs))):
        gxs[t] = gh * (1 - kept[t + 1] ** 2)
        gw = np.outer(kept[t], gxs[t])
        gh = w @ gxs[t]
    return gxs, gh, gw


def example():
    rng = np.random.default_rng(1634)
    return rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 4)) / 2
