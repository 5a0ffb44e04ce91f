# ruff: noqa  # written as students write
"""Convolution and pooling with loops, as in the assignments."""

import numpy as np

RNG = np.random.default_rng(4)


def conv_forward_naive(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    Ho = 1 + (H + 2 * pad - HH) // stride
    Wo = 1 + (W + 2 * pad - WW) // stride
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    hs, ws = i * stride, j * stride
                    window = xp[n, :, hs : hs + HH, ws : ws + WW]
                    out[n, f, i, j] = np.sum(window * w[f]) + b[f]
    cache = (x, w, b, conv_param)
    return out, cache


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    F, _, HH, WW = w.shape
    N, _, Ho, Wo = dout.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    db = np.sum(dout, axis=(0, 2, 3))
    #! axis: db = np.sum(dout, axis=(0, 2))
    #! axis: db = np.sum(dout, axis=(1, 2, 3))
    #! mean: db = np.mean(dout, axis=(0, 2, 3))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    hs, ws = i * stride, j * stride
                    window = xp[n, :, hs : hs + HH, ws : ws + WW]
                    dw[f] += window * dout[n, f, i, j]
                    #! accumulate: dw[f] = window * dout[n, f, i, j]
                    #! upstream: dw[f] += window
                    #! index, swapped: dw[f] += window * dout[n, f, j, i]
                    dxp[n, :, hs : hs + HH, ws : ws + WW] += w[f] * dout[n, f, i, j]
                    #! accumulate: dxp[n, :, hs : hs + HH, ws : ws + WW] = w[f] * dout[n, f, i, j]
                    #! sign: dxp[n, :, hs : hs + HH, ws : ws + WW] -= w[f] * dout[n, f, i, j]
    dx = dxp[:, :, pad:-pad, pad:-pad]
    #! sign: dx = -dxp[:, :, pad:-pad, pad:-pad]
    return dx, dw, db


def max_pool_forward(x, pool_param):
    N, C, H, W = x.shape
    ph, pw = pool_param["pool_height"], pool_param["pool_width"]
    s = pool_param["stride"]
    Ho, Wo = 1 + (H - ph) // s, 1 + (W - pw) // s
    out = np.zeros((N, C, Ho, Wo))
    for i in range(Ho):
        for j in range(Wo):
            out[:, :, i, j] = np.max(x[:, :, i * s : i * s + ph, j * s : j * s + pw], axis=(2, 3))
    return out, (x, pool_param)


def max_pool_backward(dout, cache):
    x, pool_param = cache
    N, C, Ho, Wo = dout.shape
    ph, pw = pool_param["pool_height"], pool_param["pool_width"]
    s = pool_param["stride"]
    dx = np.zeros_like(x)
    for n in range(N):
        for c in range(C):
            for i in range(Ho):
                for j in range(Wo):
                    window = x[n, c, i * s : i * s + ph, j * s : j * s + pw]
                    mask = window == np.max(window)
                    #! mask: mask = window != np.max(window)
                    #! mask: mask = window == np.min(window)
                    dx[n, c, i * s : i * s + ph, j * s : j * s + pw] += dout[n, c, i, j] * mask
                    #! mask: dx[n, c, i * s : i * s + ph, j * s : j * s + pw] += dout[n, c, i, j]
                    #! upstream: dx[n, c, i * s : i * s + ph, j * s : j * s + pw] += mask
                    #! accumulate: dx[n, c, i * s : i * s + ph, j * s : j * s + pw] = dout[n, c, i, j] * mask
    return dx


def mean_pool_forward(x):
    N, C, H, W = x.shape
    blocks = x.reshape(N, C, H // 2, 2, W // 2, 2)
    out = blocks.mean(axis=(3, 5))
    return out, x.shape


def mean_pool_backward(dout, cache):
    N, C, H, W = cache
    wide = dout[:, :, :, None, :, None] / 4.0
    #! mean, constant, factor: wide = dout[:, :, :, None, :, None] / 2.0
    dblocks = np.broadcast_to(wide, (N, C, H // 2, 2, W // 2, 2))
    dx = dblocks.reshape(N, C, H, W)
    #! sign: dx = -dblocks.reshape(N, C, H, W)
    return dx


def spatial_batchnorm_forward(x, gamma, beta):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    mu = flat.mean(axis=0)
    var = flat.var(axis=0)
    istd = 1.0 / np.sqrt(var + 1e-5)
    xhat = (flat - mu) * istd
    y = xhat * gamma + beta
    out = y.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return out, (xhat, istd, gamma)


def spatial_batchnorm_backward(dout, cache):
    xhat, istd, gamma = cache
    N, C, H, W = dout.shape
    dy = dout.transpose(0, 2, 3, 1).reshape(-1, C)
    #! transpose: dy = dout.transpose(0, 3, 2, 1).reshape(-1, C)
    dbeta = dy.sum(axis=0)
    dgamma = (dy * xhat).sum(axis=0)
    #! local: dgamma = dy.sum(axis=0)
    dxhat = dy * gamma
    dflat = istd * (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0))
    #! mean: dflat = istd * (dxhat - dxhat.sum(axis=0) - xhat * (dxhat * xhat).mean(axis=0))
    #! sign: dflat = istd * (dxhat - dxhat.mean(axis=0) + xhat * (dxhat * xhat).mean(axis=0))
    #! local: dflat = dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)
    dx = dflat.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    #! transpose: dx = dflat.reshape(N, H, W, C).transpose(0, 3, 2, 1)
    return dx, dgamma, dbeta


inputs = {
    "conv_forward_naive": (
        RNG.normal(size=(2, 2, 4, 4)),
        RNG.normal(size=(3, 2, 3, 3)),
        RNG.normal(size=3),
        {"stride": 1, "pad": 1},
    ),
    "max_pool_forward": (
        RNG.normal(size=(2, 2, 4, 4)),
        {"pool_height": 3, "pool_width": 3, "stride": 1},
    ),
    "mean_pool_forward": (RNG.normal(size=(2, 2, 4, 6)),),
    "spatial_batchnorm_forward": (
        RNG.normal(size=(2, 3, 2, 2)),
        RNG.normal(size=3),
        RNG.normal(size=3),
    ),
}
