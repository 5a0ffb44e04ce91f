import numpy as np


def roll(xs, h, w):
    """h <- tanh(x + h w) for every row of xs; all the states are kept for the way back."""
    state = h.copy()
    kept = [state.copy()]
    for x in xs:
        state[:] = np.tanh(x + state @ w)
        kept.append(state.copy())
    return state, (kept, w)


def roll_backward(dh, cache):
    kept, w = cache
    gxs = np.zeros((len(kept) - 1, dh.shape[0]))
    dw = np.zeros_like(w)
    for t in reversed(range(len(gxs))):
        gxs[t] = dh * (1 - kept[t + 1] ** 2)
        dw += np.outer(kept[t], gxs[t])
        dh = gxs[t] @ w
    return gxs, dh, dw


def example():
    rng = np.random.default_rng(132)
    return rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(4, 4)) / 2
