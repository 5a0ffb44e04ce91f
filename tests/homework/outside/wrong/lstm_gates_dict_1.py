import numpy as np


def squash(v):
    return 1 / (1 + np.exp(-v))


def lstm(x, h, c, Wi, Wf, Wo, Wg):
    s = np.hstack([x, h])
    m = {"s": s, "c": c, "Wi": Wi, "Wf": Wf, "Wo": Wo, "Wg": Wg}
    m["i"], m["f"], m["o"] = squash(s @ Wi), squash(s @ Wf), squash(s @ Wo)
    m["g"] = np.tanh(s @ Wg)
    c_next = m["f"] * c + m["i"] * m["g"]
    m["tc"] = np.tanh(c_next)
    return m["o"] * m["tc"], c_next, m


def lstm_backward(dh, dc, m):
    dc = dc + dh * m["o"] * (1 - m["tc"] ** 2)
    dzo = dh * m["tc"] * m["o"] * (1 - m["o"])
    dzf = dc * m["c"] * m["f"] * (1 - m["f"])
    dzi = dc * m["g"] * m["i"] * (1 - m["i"])
    dzg = dc * m["i"] * (1 - m["g"] ** 2)
    dWi, dWf, dWo, dWg = (m["s"].T @ dz for dz in (dzi, dzf, dzo, dzg))
    ds = dzi @ m["Wi"].T
    ds += dzf @ m["Wf"].T
    ds = dzo @ m["Wo"].T
    ds += dzg @ m["Wg"].T
    n = ds.shape[1] - dh.shape[1]
    dx, dh_prev = ds[:, :n], ds[:, n:]
    dc_prev = dc * m["f"]
    return dx, dh_prev, dc_prev, dWi, dWf, dWo, dWg


def example():
    rng = np.random.default_rng(1475)
    w = [rng.normal(size=(4, 2)) for _ in range(4)]
    return (rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), *w)
