import numpy as np


def lstm_toy(w, u, xs):
    """A scalar LSTM without biases run over a sequence; w and u hold i, f, o, g."""
    h = c = 0.0
    saved = []
    for x in xs:
        a = w * x + u * h
        s = 1 / (1 + np.exp(-a))
        i, f, o, g = s[0], s[1], s[2], np.tanh(a[3])
        c_old, h_old = c, h
        c = f * c + i * g
        h = o * np.tanh(c)
        saved.append((x, h_old, c_old, i, f, o, g, c))
    loss = h ** 2

    dh, dc = 2 * h, 0.0
    dw, du = np.zeros(4), np.zeros(4)
    for x, h_old, c_old, i, f, o, g, c in reversed(saved):
        tc = np.tanh(c)
        dc += dh * o * (1 - tc ** 2)
        da = np.array([
            dc * g * i * (1 - i),
            dc * c_old * f * (1 - f),
            dh * tc * o * (1 - o),
            dc * i * (1 - g ** 2),
        ])
        dw = da * x
        du += da * h_old
        dh = np.dot(da, u)
        dc = dc * f
    return loss, dw, du


def example():
    rng = np.random.default_rng(143)
    return rng.normal(size=4), rng.normal(size=4), [0.5, -1.0, 1.5]
