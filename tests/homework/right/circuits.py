# ruff: noqa  # written as students write
"""Right backward passes of small circuits: fused, reordered, renamed, in one function or two."""

import math
from math import exp

import numpy as np

RNG = np.random.default_rng(12)


def first(x, y, z):
    q = x + y
    f = q * z
    return f


def first_backward(x, y, z):
    return z, z, x + y


def second(x, y, z):
    q = x + y
    return q * z, (q, z)


def second_backward(df, cache):
    q, z = cache
    grad_q = df * z
    grad_z = df * q
    return grad_q, grad_q, grad_z


def third(x, y, z):
    q = x + y
    f = q * z
    grad_f = 1
    grad_z = q * grad_f
    grad_q = grad_f * z
    grad_y = grad_q
    grad_x = grad_q
    return grad_x, grad_y, grad_z


def fourth(x, y, z):
    q = x + y
    f = q * z
    dfdq, dfdz = z, q
    dfdx, dfdy = dfdq * 1.0, dfdq * 1.0
    return [dfdx, dfdy, dfdz]


def neuron(w, x):
    dot = w[0] * x[0] + w[1] * x[1] + w[2]
    f = 1.0 / (1 + exp(-dot))
    ddot = (1 - f) * f
    dx = [w[0] * ddot, w[1] * ddot]
    dw = [x[0] * ddot, x[1] * ddot, 1.0 * ddot]
    return f, dw, dx


def neuron_steps(w0, x0, w1, x1, w2):
    a = w0 * x0
    b = w1 * x1
    c = a + b
    d = c + w2
    e = -d
    g = math.exp(e)
    h = 1 + g
    out = 1 / h
    gout = 1.0
    gh = -1 / h**2 * gout
    gg = gh
    ge = gg * g
    gd = -ge
    gc = gd
    gw2 = gd
    ga, gb = gc, gc
    gw0, gx0 = ga * x0, ga * w0
    gw1, gx1 = gb * x1, gb * w1
    return out, gw0, gx0, gw1, gx1, gw2


def fused(x, y):
    sigy = 1.0 / (1 + math.exp(-y))
    num = x + sigy
    sigx = 1.0 / (1 + math.exp(-x))
    xpy = x + y
    den = sigx + xpy**2
    f = num / den
    dnum = 1 / den
    dden = -num / den**2
    dx = dnum + dden * (sigx * (1 - sigx) + 2 * xpy)
    dy = dnum * sigy * (1 - sigy) + 2 * xpy * dden
    return f, dx, dy


def accumulated(x, y):
    sigy = 1.0 / (1 + np.exp(-y))
    num = x + sigy
    sigx = 1.0 / (1 + np.exp(-x))
    xpy = x + y
    f = num / (sigx + xpy**2)
    dx, dy = 0.0, 0.0
    dnum = 1.0 / (sigx + xpy**2)
    dy += dnum * sigy * (1 - sigy)
    dx += dnum
    dden = -f / (sigx + xpy**2)
    dx += dden * sigx * (1 - sigx)
    dxpy = 2 * xpy * dden
    dy += dxpy
    dx += dxpy
    return dict(x=dx, y=dy)


def maximum(x, y, z, w):
    out = (x * y + max(z, w)) * 2
    dout = 1.0
    dsum = 2.0 * dout
    dx, dy = y * dsum, x * dsum
    dz, dw = (dsum, 0.0) if z >= w else (0.0, dsum)
    return out, dx, dy, dz, dw


def vectorised(W, X):
    D = W.dot(X)
    dD = np.random.randn(*D.shape)
    dX = (dD.T @ W).T
    dW = (X @ dD.T).T
    return dW, dX


def quadratic(x, A):
    Ax = A @ x
    f = 0.5 * x @ Ax
    df = 1.0
    dx = 0.5 * (A + A.T) @ x * df
    dA = 0.5 * np.outer(x, x) * df
    return f, dx, dA


def softplus(x):
    return np.log(1 + np.exp(x)), x


def softplus_backward(dout, x):
    return dout / (1 + np.exp(-x))


def norm(x):
    r = np.sqrt(np.sum(x**2))
    return r


def norm_grad(x, dout=1.0):
    return dout * x / np.linalg.norm(x)


def normalise_forward(x):
    r = np.sqrt((x * x).sum(axis=1, keepdims=True))
    out = x / r
    return out, (out, r)


def normalise_backward(dout, cache):
    u, r = cache
    radial = (dout * u).sum(axis=1)[:, None]
    return (dout - u * radial) / r


def logsumexp(x):
    m = np.max(x)
    s = np.sum(np.exp(x - m))
    loss = m + np.log(s)
    p = np.exp(x - loss)
    dloss = 1.0
    dx = p * dloss
    return loss, dx


def polynomial(x, c):
    total = 0.0
    for k in range(len(c)):
        total = total + c[k] * x**k
    dtotal = 1.0
    dx = 0.0
    dc = []
    for k in range(len(c)):
        dc.append(x**k * dtotal)
        if k:
            dx += k * c[k] * x ** (k - 1) * dtotal
    return total, dx, dc


def residual_forward(x, w1, w2):
    h = np.tanh(x @ w1)
    out = x + h @ w2
    return out, (x, w1, w2, h)


def residual_backward(dout, cache):
    x, w1, w2, h = cache
    dh = dout @ w2.T
    dh *= 1 - h**2
    return dout + dh @ w1.T, x.T @ dh, h.T @ dout


def gated_forward(x, w, v):
    g = 1 / (1 + np.exp(-x @ w))
    c = np.tanh(x @ v)
    out = g * c + (1 - g) * x
    return out, (x, w, v, g, c)


def gated_backward(dout, cache):
    x, w, v, g, c = cache
    dg = dout * (c - x)
    dzg = dg * g * (1 - g)
    dzc = dout * g * (1 - c * c)
    dx = dout * (1 - g)
    dx = dx + dzg @ w.T
    dx = dx + dzc @ v.T
    return dx, x.T @ dzg, x.T @ dzc


def huber_forward(pred, target, delta):
    r = pred - target
    small = np.abs(r) <= delta
    loss = np.where(small, 0.5 * r * r, delta * (np.abs(r) - 0.5 * delta)).sum()
    return loss, (r, small, delta)


def huber_backward(dloss, cache):
    r, small, delta = cache
    dpred = dloss * np.clip(r, -delta, delta)
    return dpred, -dpred


def bilinear(a, M, b):
    s = a @ M @ b
    ds = 1.0
    da = ds * (M @ b)
    db = ds * (M.T @ a)
    dM = ds * a[:, None] * b[None, :]
    return s, da, dM, db


def cosine(a, b):
    ab = np.sum(a * b)
    na = np.sqrt(np.sum(a * a))
    nb = np.sqrt(np.sum(b * b))
    sim = ab / (na * nb)
    dab = 1 / (na * nb)
    dna, dnb = -sim / na, -sim / nb
    da = dab * b + dna * a / na
    db = dab * a + dnb * b / nb
    return sim, da, db


_V = RNG.normal(size=4)
inputs = {
    "first": (-2, 5, -4),
    "second": (-2, 5, -4),
    "third": (-2.0, 5.0, -4.0),
    "fourth": (-2.0, 5.0, -4.0),
    "neuron": ([2, -3, -3], [-1, -2]),
    "neuron_steps": (2.0, -1.0, -3.0, -2.0, -3.0),
    "fused": (3, -4),
    "accumulated": (3.0, -4.0),
    "maximum": (3.0, -4.0, 2.0, -1.0),
    "vectorised": (RNG.normal(size=(5, 4)), RNG.normal(size=(4, 3))),
    "quadratic": (_V, RNG.normal(size=(4, 4))),
    "softplus": (_V,),
    "norm": (_V,),
    "normalise_forward": (RNG.normal(size=(3, 4)),),
    "logsumexp": (_V,),
    "polynomial": (1.3, [1.0, -2.0, 0.5, 0.25]),
    "residual_forward": (
        RNG.normal(size=(3, 4)),
        RNG.normal(size=(4, 5)),
        RNG.normal(size=(5, 4)),
    ),
    "gated_forward": (RNG.normal(size=(3, 4)), RNG.normal(size=(4, 4)), RNG.normal(size=(4, 4))),
    "huber_forward": (RNG.normal(size=6), RNG.normal(size=6), 0.7),
    "bilinear": (_V, RNG.normal(size=(4, 3)), RNG.normal(size=3)),
    "cosine": (_V, RNG.normal(size=4)),
}
