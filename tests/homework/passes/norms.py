# ruff: noqa  # written as students write
"""Batch and layer normalisation, step by step and in closed form."""

import numpy as np

RNG = np.random.default_rng(3)


def batchnorm_forward(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
    return out, cache


def batchnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    #! axis: dbeta = np.sum(dout, axis=1)
    #! mean: dbeta = np.mean(dout, axis=0)
    dgammax = dout
    dgamma = np.sum(dgammax * xhat, axis=0)
    #! sum: dgamma = dgammax * xhat
    #! cache: dgamma = np.sum(dgammax * xmu, axis=0)
    #! local: dgamma = np.sum(dgammax, axis=0)
    dxhat = dgammax * gamma
    #! local: dxhat = dgammax
    #! local, swapped: dxhat = dgammax / gamma
    divar = np.sum(dxhat * xmu, axis=0)
    #! sum: divar = dxhat * xmu
    #! cache: divar = np.sum(dxhat * xhat, axis=0)
    dxmu1 = dxhat * ivar
    #! cache, local: dxmu1 = dxhat * sqrtvar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    #! sign: dsqrtvar = 1.0 / (sqrtvar**2) * divar
    #! local: dsqrtvar = -1.0 / sqrtvar * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    #! factor: dvar = 1.0 / np.sqrt(var + eps) * dsqrtvar
    #! upstream: dvar = 0.5 * 1.0 / np.sqrt(var + eps)
    #! local: dvar = 0.5 * np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    #! mean: dsq = np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    #! factor: dxmu2 = xmu * dsq
    dx1 = dxmu1 + dxmu2
    #! path, accumulate: dx1 = dxmu1
    #! sign: dx1 = dxmu1 - dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    #! sign: dmu = np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    #! mean: dx2 = np.ones((N, D)) * dmu
    dx = dx1 + dx2
    #! path, accumulate: dx = dx1
    #! sign: dx = dx1 - dx2
    return dx, dgamma, dbeta


def batchnorm2_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    std = np.sqrt(var + eps)
    x_hat = (x - mu) / std
    out = gamma * x_hat + beta
    cache = (x, mu, var, std, x_hat, gamma)
    return out, cache


def batchnorm2_backward(dout, cache):
    x, mu, var, std, x_hat, gamma = cache
    N = x.shape[0]
    dbeta = dout.sum(axis=0)
    #! sign: dbeta = -dout.sum(axis=0)
    dgamma = (dout * x_hat).sum(axis=0)
    #! cache: dgamma = (dout * x).sum(axis=0)
    #! axis: dgamma = (dout * x_hat).sum(axis=1)
    dx_hat = dout * gamma
    #! local: dx_hat = dout
    dx = (N * dx_hat - dx_hat.sum(axis=0) - x_hat * (dx_hat * x_hat).sum(axis=0)) / (N * std)
    #! mean: dx = (N * dx_hat - dx_hat.sum(axis=0) - x_hat * (dx_hat * x_hat).sum(axis=0)) / std
    #! sign: dx = (N * dx_hat + dx_hat.sum(axis=0) - x_hat * (dx_hat * x_hat).sum(axis=0)) / (N * std)
    #! path: dx = (N * dx_hat - x_hat * (dx_hat * x_hat).sum(axis=0)) / (N * std)
    #! mean: dx = (dx_hat - dx_hat.sum(axis=0) - x_hat * (dx_hat * x_hat).sum(axis=0)) / (N * std)
    #! cache: dx = (N * dx_hat - dx_hat.sum(axis=0) - x_hat * (dx_hat * x_hat).sum(axis=0)) / (N * var)
    #! axis, sum: dx = (N * dx_hat - dx_hat.sum() - x_hat * (dx_hat * x_hat).sum(axis=0)) / (N * std)
    return dx, dgamma, dbeta


def layernorm_forward(x, gamma, beta, eps=1e-5):
    mean = np.mean(x, axis=1, keepdims=True)
    centred = x - mean
    var = np.mean(centred**2, axis=1, keepdims=True)
    inv = 1.0 / np.sqrt(var + eps)
    norm = centred * inv
    out = gamma * norm + beta
    return out, (centred, inv, norm, gamma)


def layernorm_backward(dout, cache):
    centred, inv, norm, gamma = cache
    D = dout.shape[1]
    dbeta = np.sum(dout, axis=0)
    #! axis: dbeta = np.sum(dout, axis=1)
    dgamma = np.sum(dout * norm, axis=0)
    #! axis: dgamma = np.sum(dout * norm, axis=1)
    dnorm = dout * gamma
    #! upstream: dnorm = gamma * np.ones_like(dout)
    dinv = np.sum(dnorm * centred, axis=1, keepdims=True)
    #! axis: dinv = np.sum(dnorm * centred, axis=0, keepdims=True)
    #! keepdims: dinv = np.sum(dnorm * centred, axis=1)
    dvar = -0.5 * inv**3 * dinv
    #! sign: dvar = 0.5 * inv**3 * dinv
    #! local: dvar = -0.5 * inv**2 * dinv
    #! factor: dvar = -(inv**3) * dinv
    dcentred = dnorm * inv + 2.0 / D * centred * dvar
    #! factor: dcentred = dnorm * inv + 1.0 / D * centred * dvar
    #! path: dcentred = dnorm * inv
    #! mean: dcentred = dnorm * inv + 2.0 * centred * dvar
    dmean = -np.sum(dcentred, axis=1, keepdims=True)
    #! sign: dmean = np.sum(dcentred, axis=1, keepdims=True)
    dx = dcentred + dmean / D
    #! mean: dx = dcentred + dmean
    #! path: dx = dcentred
    return dx, dgamma, dbeta


_X = RNG.normal(size=(5, 4))
inputs = {
    "batchnorm_forward": (_X, RNG.normal(size=4), RNG.normal(size=4)),
    "batchnorm2_forward": (_X, RNG.normal(size=4), RNG.normal(size=4), {"mode": "train"}),
    "layernorm_forward": (_X, RNG.normal(size=4), RNG.normal(size=4)),
}
