# ruff: noqa  # written as students write
"""Right backward passes with misleading names, odd kinks and both passes mixed up in one function."""

import math

import numpy as np

RNG = np.random.default_rng(31)


# backward lines between forward lines, as soon as they can be written
def interleaved(x, y):
    q = x * y
    dqdx, dqdy = y, x
    s = 1 / (1 + math.exp(-q))
    dsdq = s * (1 - s)
    f = s * x
    dfds, dfdx = x, s
    df = 1
    dq = df * dfds * dsdq
    dx = dq * dqdx + df * dfdx
    dy = dq * dqdy
    return f, dx, dy


# a value called d, a value called dx that is a difference
def spring(x1, x2, k):
    dx = x2 - x1
    d = abs(dx)
    energy = 0.5 * k * d**2
    grad_d = k * d
    grad_dx = grad_d * (1 if dx > 0 else -1)
    grad_x2 = grad_dx
    grad_x1 = -grad_dx
    grad_k = energy / k
    return energy, (grad_x1, grad_x2, grad_k)


# one name for every gradient
def one_name(x, w, v):
    h = np.tanh(w @ x)
    loss = v @ h
    g = 1.0
    gv = g * h
    g = g * v
    g = g * (1 - h * h)
    gw = np.outer(g, x)
    g = w.T @ g
    return loss, g, gw, gv


# delta of the layer before the activation, kept in a list filled from behind
def layered_forward(x, W1, W2):
    acts = [x]
    for W in (W1, W2):
        acts.append(1 / (1 + np.exp(-acts[-1] @ W)))
    return acts[-1], (acts, [W1, W2])


def layered_backward(dout, cache):
    acts, Ws = cache
    deltas = [None] * len(Ws)
    for k in range(len(Ws) - 1, -1, -1):
        err = dout if k == len(Ws) - 1 else deltas[k + 1] @ Ws[k + 1].T
        deltas[k] = err * acts[k + 1] * (1 - acts[k + 1])
    grads = [a.T @ d for a, d in zip(acts, deltas)]
    return deltas[0] @ Ws[0].T, *grads


# at the kinks: zeros and ties, each with a convention of its own
def kinks_forward(x, y):
    return np.maximum(x, y) + np.abs(x) + np.maximum(y, 0), (x, y)


def kinks_backward(dout, cache):
    x, y = cache
    dx = dout * (x > y) + dout * np.where(x >= 0, 1, -1)
    dy = dout * (y >= x) + dout * (y >= 0)
    return dx, dy


def leaky_forward(x):
    return np.where(x > 0, x, 0.1 * x), x


def leaky_backward(dout, cache):
    slope = np.full_like(dout, 0.1)
    slope[cache >= 0] = 1
    return slope * dout


# dW is the transpose kept on the side, then turned for the way home
def transposed_forward(x, W):
    return x @ W, (x, W)


def transposed_backward(dout, cache):
    x, W = cache
    dW = dout.T @ x
    dx = W @ dout.T
    return dx.T, dW.T


# scaled on the way, unscaled at the end, so that nothing in between is right
def unscaled_forward(x, W, b):
    return np.tanh(x @ W + b), (x, W, b)


def unscaled_backward(dout, cache):
    x, W, b = cache
    N = x.shape[0]
    dz = dout * (1 - np.tanh(x @ W + b) ** 2) / N
    dW = x.T @ dz
    db = dz.mean(axis=0)
    dx = dz @ W.T
    return N * dx, N * dW, N * N * db


# an accumulator that counts twice and is halved
def halved(x, A):
    f = x @ A @ x
    dx = np.zeros_like(x)
    dA = np.zeros_like(A)
    for i in range(len(x)):
        for j in range(len(x)):
            dx[i] += A[i, j] * x[j] + A[j, i] * x[j]
            dA[i, j] += 2 * x[i] * x[j]
    dA /= 2
    return f, dx, dA


# the caller's upstream gradient is changed in place and used again
def forked_forward(a, b):
    c = a * b
    return c + np.exp(a), (a, b)


def forked_backward(dout, cache):
    a, b = cache
    da = dout * np.exp(a)
    dout *= a
    db = dout
    return da + db / a * b, db


# masked weights, dead columns: gradients that are zero
def dead_forward(x, w, u):
    h = np.maximum(x @ w - 100, 0)
    return h @ u + x.sum(axis=1, keepdims=True), (x, w, u, h)


def dead_backward(dout, cache):
    x, w, u, h = cache
    dh = dout @ u.T
    dh[h == 0] = 0
    return dh @ w.T + dout.sum(axis=1, keepdims=True), x.T @ dh, h.T @ dout


# two outputs, the gradients in another order than the values
def polar_forward(r, t):
    x, y = r * np.cos(t), r * np.sin(t)
    return x, y, (r, t)


def polar_backward(dy, dx, cache):
    r, t = cache
    dr = np.cos(t) * dx + np.sin(t) * dy
    dt = r * (np.cos(t) * dy - np.sin(t) * dx)
    return dr, dt


# convolution as a product with a Toeplitz matrix made by hand
def toeplitz_forward(x, k):
    n, m = len(x), len(k)
    T = np.zeros((n - m + 1, n))
    for i in range(n - m + 1):
        T[i, i : i + m] = k
    return T @ x, (T, x, m)


def toeplitz_backward(dout, cache):
    T, x, m = cache
    dT = np.outer(dout, x)
    dk = np.array([np.trace(dT, offset=j) for j in range(m)])
    return T.T @ dout, dk


# a loss with labels as one-hot rows; extra results are ignored by the caller
def focal_loss(z, onehot, power=2.0):
    e = np.exp(z - z.max(1, keepdims=True))
    p = (e / e.sum(1, keepdims=True) * onehot).sum(1)
    loss = np.mean(-((1 - p) ** power) * np.log(p))
    dp = power * (1 - p) ** (power - 1) * np.log(p) - (1 - p) ** power / p
    dp /= len(p)
    soft = e / e.sum(1, keepdims=True)
    dz = (dp * p)[:, None] * (onehot - soft)
    return loss, dz


# a determinant, through the inverse
def logdet_forward(A):
    sign, value = np.linalg.slogdet(A)
    return value, A


def logdet_backward(dout, cache):
    return dout * np.linalg.solve(cache, np.eye(len(cache))).T


# a solve: the adjoint system
def solve_forward(A, b):
    x = np.linalg.solve(A, b)
    return x, (A, x)


def solve_backward(dx, cache):
    A, x = cache
    db = np.linalg.solve(A.T, dx)
    dA = -np.outer(db, x)
    return dA, db


# grouped means by bincount
def groups_forward(x, label):
    sums = np.bincount(label, weights=x)
    return sums / np.bincount(label), label


def groups_backward(dout, label):
    return (dout / np.bincount(label))[label]


# the forward pass writes into its input's copy, in blocks
def blocks_forward(x):
    out = x.copy()
    out[:, :2] *= 3.0
    out[:, 2:] = np.sin(out[:, 2:])
    out[0] += out[1]
    return out, x


def blocks_backward(dout, cache):
    x = cache
    dx = dout.copy()
    dx[1] += dx[0]
    dx[:, 2:] *= np.cos(x[:, 2:])
    dx[:, :2] *= 3.0
    return dx


# attention with masks of minus infinity
def causal_forward(q, k, v):
    s = q @ k.T / np.sqrt(q.shape[1])
    s = np.where(np.tril(np.ones_like(s)) > 0, s, -np.inf)
    a = np.exp(s - s.max(-1, keepdims=True))
    a /= a.sum(-1, keepdims=True)
    return a @ v, (q, k, v, a)


def causal_backward(do, cache):
    q, k, v, a = cache
    da = do @ v.T
    ds = a * (da - np.einsum("ij,ij->i", a, da)[:, None])
    ds /= math.sqrt(q.shape[1])
    return ds @ k, ds.T @ q, a.T @ do


def vec(*shape):
    return RNG.normal(size=shape)


inputs = {
    "interleaved": (0.7, -1.3),
    "spring": (0.3, 1.9, 2.5),
    "one_name": (vec(4), vec(3, 4), vec(3)),
    "layered_forward": (vec(5, 4), vec(4, 3), vec(3, 2)),
    "kinks_forward": (np.array([1.0, 0.0, 2.0, -1.5]), np.array([1.0, -1.0, 0.0, -1.5])),
    "leaky_forward": (np.array([-1.0, 0.0, 2.0]),),
    "transposed_forward": (vec(4, 3), vec(3, 2)),
    "unscaled_forward": (vec(4, 3), vec(3, 2), vec(2)),
    "halved": (vec(3), vec(3, 3)),
    "forked_forward": (vec(4), vec(4)),
    "dead_forward": (vec(4, 3), vec(3, 5), vec(5, 2)),
    "polar_forward": (1.3, 0.4),
    "toeplitz_forward": (vec(7), vec(3)),
    "focal_loss": (vec(4, 3), np.eye(3)[[0, 2, 1, 2]]),
    "logdet_forward": (vec(3, 3),),
    "solve_forward": (vec(3, 3), vec(3)),
    "groups_forward": (vec(6), np.array([0, 2, 1, 0, 2, 2])),
    "blocks_forward": (vec(3, 4),),
    "causal_forward": (vec(4, 3), vec(4, 3), vec(4, 2)),
}
