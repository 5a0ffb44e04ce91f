import numpy as np


def soft_target_loss(scores, targets, T):
    # forward pass: cross-entropy against soft targets at temperature T
    s = scores / T
    e = np.exp(s)
    total = np.sum(e, axis=1)[:, np.newaxis]
    probs = e / total
    logs = np.log(probs)
    loss = -np.mean(np.sum(targets * logs, axis=1))

    # backward pass, every gate by itself
    dlogs = -targets / len(scores)
    dprobs = dlogs / probs
    de = dprobs / total
    dtotal = np.sum(-dprobs * e / total ** 2, axis=1)[:, np.newaxis]
    de += dtotal * np.ones_like(e)
    ds = de * e
    dscores = ds / T
    return loss, dscores


def example():
    rng = np.random.default_rng(26)
    t = rng.random((3, 3))
    return rng.normal(size=(3, 3)), t / t.sum(axis=1, keepdims=True), 2.0
