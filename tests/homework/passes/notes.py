# ruff: noqa  # written as students write
"""The circuits of the lecture notes: one function, d… variables below the forward lines."""

import math

import numpy as np

RNG = np.random.default_rng(6)


def product(x, y, z):
    q = x + y
    f = q * z
    df = 1.0
    dq = z * df
    #! swapped: dq = q * df
    #! sign: dq = -z * df
    dz = q * df
    #! swapped: dz = z * df
    dx = 1.0 * dq
    #! upstream: dx = 1.0
    dy = 1.0 * dq
    #! sign: dy = -1.0 * dq
    #! upstream: dy = 1.0 * dz
    return f, dx, dy, dz


def neuron(w, x):
    dot = w[0] * x[0] + w[1] * x[1] + w[2]
    f = 1.0 / (1 + math.exp(-dot))
    ddot = (1 - f) * f
    #! local: ddot = 1 - f
    #! sign, local: ddot = (1 + f) * f
    dx = [w[0] * ddot, w[1] * ddot]
    #! swapped, cache: dx = [x[0] * ddot, x[1] * ddot]
    #! index: dx = [w[1] * ddot, w[0] * ddot]
    dw = [x[0] * ddot, x[1] * ddot, 1.0 * ddot]
    #! upstream: dw = [x[0] * ddot, x[1] * ddot, 1.0]
    #! swapped, cache: dw = [w[0] * ddot, w[1] * ddot, 1.0 * ddot]
    return f, dw, dx


def staged(x, y):
    sigy = 1.0 / (1 + math.exp(-y))
    num = x + sigy
    sigx = 1.0 / (1 + math.exp(-x))
    xpy = x + y
    xpysqr = xpy**2
    den = sigx + xpysqr
    invden = 1.0 / den
    f = num * invden
    dnum = invden
    #! swapped: dnum = num
    dinvden = num
    dden = (-1.0 / (den**2)) * dinvden
    #! sign: dden = (1.0 / (den**2)) * dinvden
    #! local: dden = (-1.0 / den) * dinvden
    #! upstream: dden = -1.0 / (den**2)
    dsigx = 1 * dden
    #! sign: dsigx = -1 * dden
    dxpysqr = 1 * dden
    dxpy = (2 * xpy) * dxpysqr
    #! factor: dxpy = xpy * dxpysqr
    #! upstream: dxpy = 2 * xpy
    #! cache, local: dxpy = (2 * xpysqr) * dxpysqr
    dx = 1 * dxpy
    dy = 1 * dxpy
    dx += ((1 - sigx) * sigx) * dsigx
    #! accumulate: dx = ((1 - sigx) * sigx) * dsigx
    #! local: dx += (1 - sigx) * dsigx
    #! cache: dx += ((1 - sigy) * sigy) * dsigx
    dx += 1 * dnum
    #! accumulate: dx = 1 * dnum
    #! sign: dx -= 1 * dnum
    #! path: pass
    dsigy = 1 * dnum
    dy += ((1 - sigy) * sigy) * dsigy
    #! accumulate: dy = ((1 - sigy) * sigy) * dsigy
    #! sign: dy -= ((1 - sigy) * sigy) * dsigy
    #! local: dy += dsigy
    return f, dx, dy


def vectorised(W, X):
    D = W.dot(X)
    dD = np.random.randn(*D.shape)
    dW = dD.dot(X.T)
    #! transpose: dW = dD.dot(X)
    #! swapped, transpose: dW = X.dot(dD.T)
    dX = W.T.dot(dD)
    #! transpose: dX = W.dot(dD)
    #! factor: dX = 2 * W.T.dot(dD)
    return dW, dX


def gates(x, y, z, w):
    m = max(z, w)
    p = x * y
    s = p + m
    out = s * 2
    dout = 1.0
    ds = 2 * dout
    #! factor, constant: ds = 1 * dout
    dp = ds
    dm = ds
    dx = y * dp
    #! swapped: dx = x * dp
    #! local, swapped: dx = dp
    dy = x * dp
    dz = dm if z > w else 0.0
    #! mask: dz = dm if z < w else 0.0
    dw = dm if w > z else 0.0
    #! mask: dw = dm if w < z else 0.0
    #! mask: dw = dm
    return out, dx, dy, dz, dw


def local_names(x, y, z):
    q = x + y
    f = q * z
    dfdz = q
    #! swapped: dfdz = z
    dfdq = z
    #! sign: dfdq = -z
    dqdx = 1.0
    dqdy = 1.0
    #! sign: dqdy = -1.0
    dfdx = dqdx * dfdq
    #! sign: dfdx = -dqdx * dfdq
    dfdy = dqdy * dfdq
    #! upstream: dfdy = dqdy
    return f, dfdx, dfdy, dfdz


def distance(a, b):
    diff = a - b
    sq = diff**2
    total = sq.sum()
    dist = np.sqrt(total)
    d_dist = 1.0
    d_total = d_dist * 0.5 / dist
    #! factor: d_total = d_dist / dist
    #! local: d_total = d_dist * 0.5 * dist
    d_sq = d_total * np.ones_like(sq)
    d_diff = 2 * diff * d_sq
    #! factor: d_diff = diff * d_sq
    #! sign: d_diff = -2 * diff * d_sq
    d_a = d_diff
    d_b = -d_diff
    #! sign: d_b = d_diff
    return dist, d_a, d_b


inputs = {
    "product": (-2.0, 5.0, -4.0),
    "neuron": ([2.0, -3.0, -3.0], [-1.0, -2.0]),
    "staged": (3.0, -4.0),
    "vectorised": (RNG.normal(size=(5, 4)), RNG.normal(size=(4, 3))),
    "gates": (3.0, -4.0, 2.0, -1.0),
    "local_names": (-2.0, 5.0, -4.0),
    "distance": (RNG.normal(size=4), RNG.normal(size=4)),
}
