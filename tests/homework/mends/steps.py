# ruff: noqa  # written as students write
"""Right passes over time and of larger pieces, with the wrong lines that one rule is for."""

import numpy as np

RNG = np.random.default_rng(78)


def logistic(t):
    return 1 / (1 + np.exp(-t))


def logistic_prime(t):
    return logistic(t) * (1 - logistic(t))


# a wrong cache in the forward pass
def step(x, h, W):
    new = np.tanh(x + h @ W)
    return new, (x, h, new, W)


def unrolled_forward(x, h0, W):
    h, caches = h0, []
    for t in range(len(x)):
        h, kept = step(x[t], h, W)
        kept = tuple(kept)
        #! cache: kept = (kept[0], h0, kept[2], kept[3])
        caches.append(kept)
    return h, caches


def unrolled_backward(dout, cache):
    T = len(cache)
    dx, dW = np.zeros((T, len(dout))), np.zeros_like(cache[0][3])
    g = dout
    for t in reversed(range(T)):
        x, h, new, W = cache[t]
        da = g * (1 - new * new)
        dx[t] = da
        dW += np.outer(h, da)
        g = W @ da
    return dx, g, dW


# what a loop has made is used when it comes by again
def deep_forward(x, weights):
    kept = [x]
    for w in weights:
        kept.append(np.tanh(kept[-1] @ w))
    return kept[-1], (kept, weights)


def deep_backward(dout, cache):
    kept, weights = cache
    grads = [None] * len(weights)
    delta = dout * (1 - kept[-1] ** 2)
    for k in range(len(weights) - 1, -1, -1):
        grads[k] = kept[k].T @ delta
        if k > 0:
            delta = (delta @ weights[k].T) * (1 - kept[k] ** 2)
            #! upstream: delta = (dout @ weights[k].T) * (1 - kept[k] ** 2)
    return tuple(grads)


# a line that only gives another name has lost its factor
def chars_loss(Wx, Wh, Wy, h0, inputs, targets):
    hs, ps = {-1: h0}, {}
    loss = 0
    for t in range(len(inputs)):
        hs[t] = np.tanh(Wx[:, [inputs[t]]] + Wh @ hs[t - 1])
        y = Wy @ hs[t]
        ps[t] = np.exp(y) / np.exp(y).sum()
        loss += -np.log(ps[t][targets[t], 0])
    dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy)
    dnext = np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWy += dy @ hs[t].T
        dh = Wy.T @ dy + dnext
        draw = dh * (1 - hs[t] ** 2)
        #! local: draw = dh
        dWx[:, inputs[t]] += draw[:, 0]
        dWh += draw @ hs[t - 1].T
        dnext = Wh.T @ draw
    return loss, dWx, dWh, dWy


# the state is kept in a list: the one after this step
def roll_forward(xs, h, W):
    kept = [h]
    for x in xs:
        kept.append(np.tanh(x + kept[-1] @ W))
    return kept[-1], (kept, W)


def roll_backward(dout, cache):
    kept, W = cache
    dxs, dW = np.zeros((len(kept) - 1, len(dout))), np.zeros_like(W)
    for t in reversed(range(len(dxs))):
        dxs[t] = dout * (1 - kept[t + 1] ** 2)
        #! local: dxs[t] = dout
        dW += np.outer(kept[t], dxs[t])
        dout = W @ dxs[t]
    return dxs, dout, dW


# a path that was forgotten: a gradient from above times one minus a gate
def gru_forward(x, h, Wz, Wc):
    z = logistic(x @ Wz + h)
    c = np.tanh(x @ Wc)
    return (1 - z) * h + z * c, (x, h, z, c, Wz, Wc)


def gru_backward(dout, cache):
    x, h, z, c, Wz, Wc = cache
    gz = dout * (c - h) * z * (1 - z)
    gc = dout * z * (1 - c**2)
    gx = gz @ Wz.T + gc @ Wc.T
    gh = gz + dout * (1 - z)
    #! path: gh = gz
    return gx, gh, x.T @ gz, x.T @ gc


# … and through the output of a cell
def cell_forward(f, i, o, c):
    new = f * c + i
    squashed = np.tanh(new)
    return o * squashed, new, (f, i, o, c, squashed)


def cell_backward(dout, dnew, cache):
    f, i, o, c, squashed = cache
    total = dnew + dout * o * (1 - squashed**2)
    #! path: total = dnew
    return total * c, total, dout * squashed, total * f


# the sum that all entries of a softmax share
def attend_forward(q, k, v):
    s = q @ k.T
    a = np.exp(s - s.max(-1, keepdims=True))
    a = a / a.sum(-1, keepdims=True)
    return a @ v, (q, k, v, a)


def attend_backward(dout, cache):
    q, k, v, a = cache
    da = dout @ v.T
    ds = a * (da - (a * da).sum(-1, keepdims=True))
    #! local: ds = a * da
    return ds @ k, ds.T @ q, a.T @ dout


# functions of the student's own
def staged(x, y):
    return (x + logistic(y)) / (1 + x * x + y * y)


def staged_backward(up, x, y):
    top, bottom = x + logistic(y), 1 + x * x + y * y
    dx = up * (1 / bottom - top * 2 * x / bottom**2)
    dy = up * (logistic_prime(y) / bottom - top * 2 * y / bottom**2)
    #! local: dy = up * (1 / bottom - top * 2 * y / bottom**2)
    return dx, dy


# operands of one product, in a value without a name
def pair_forward(a, b):
    i, g = logistic(a), np.tanh(b)
    return i * g, (i, g)


def pair_backward(dout, cache):
    i, g = cache
    both = np.stack([dout * g * i * (1 - i), dout * i * (1 - g**2)])
    #! swapped: both = np.stack([dout * i * i * (1 - i), dout * i * (1 - g**2)])
    return both[0], both[1]


def vec(*shape):
    return RNG.normal(size=shape)


inputs = {
    "unrolled_forward": (vec(4, 3), vec(3), vec(3, 3) / 2),
    "deep_forward": (vec(4, 4), [vec(4, 4) for _ in range(3)]),
    "chars_loss": (vec(4, 4), vec(4, 4) / 2, vec(4, 4), vec(4, 1), [0, 2, 1], [2, 1, 3]),
    "roll_forward": (vec(3, 4), vec(4), vec(4, 4) / 2),
    "gru_forward": (vec(3, 2), vec(3, 4), vec(2, 4), vec(2, 4)),
    "cell_forward": (vec(2, 3), vec(2, 3), vec(2, 3), vec(2, 3)),
    "attend_forward": (vec(4, 3), vec(4, 3), vec(4, 2)),
    "staged": (vec(4), vec(4)),
    "pair_forward": (vec(2, 3), vec(2, 3)),
}
