import numpy as np


def avg_pool(x, k):
  h, w = x.shape
  return np.array([[x[i:i + k, j:j + k].mean() for j in range(0, w, k)] for i in range(0, h, k)])


def avg_pool_backward(dy, x, k):
  dx = np.kron(dy, np.ones((k, k))) / k
  return dx


def example():
  rng = np.random.default_rng(1401)
  return rng.normal(size=(4, 6)), 2
