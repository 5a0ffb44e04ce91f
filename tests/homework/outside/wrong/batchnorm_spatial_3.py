import numpy as np


def spatial_batchnorm_forward(x, gamma, beta):
    N, C, H, W = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, C)
    mu = flat.mean(0)
    sigma = np.sqrt(flat.var(0) + 1e-5)
    norm = (flat - mu) / sigma
    out = (gamma * norm + beta).reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return out, (norm, sigma, gamma)


def spatial_batchnorm_backward(dout, cache):
    norm, sigma, gamma = cache
    N, C, H, W = dout.shape
    dflat = dout.transpose(0, 2, 3, 1).reshape(-1, C)
    dgamma = np.sum(dflat * norm, axis=0)
    dbeta = np.sum(dflat, axis=0)
    dnorm = dflat * gamma
    dx = (dnorm - dnorm.mean(0) - norm * (dnorm * norm).sum(0)) / sigma
    dx = dx.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    return dx, dgamma, dbeta


def example():
    rng = np.random.RandomState(1265)
    return rng.randn(2, 3, 3, 3), rng.rand(3) + 1, rng.randn(3)
