import numpy as np


def batchnorm_forward(x, gamma, beta, bn_param={"eps": 1e-5}):
  mean, var = x.mean(axis=0), x.var(axis=0)
  std = np.sqrt(var + bn_param["eps"])
  x_hat = (x - mean) / std
  return x_hat * gamma + beta, (x_hat, std, gamma)


def batchnorm_backward_alt(dout, cache):
  """Simplified on paper, one line for dx."""
  x_hat, std, gamma = cache
  N = dout.shape[0]
  dgamma = (dout * x_hat).sum(axis=0)
  dbeta = dout.sum(axis=0)
  dx = gamma / (N * std) * (dout - dbeta - x_hat * dgamma)
  return dx, dgamma, dbeta


def example():
  rng = np.random.RandomState(1247)
  return 3 * rng.randn(6, 6), rng.randn(6), rng.randn(6)
