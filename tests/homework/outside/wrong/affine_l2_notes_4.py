import numpy as np


# f(x, W) = ||W . x||^2 , the vectorised example
def weighted_l2(W, x):
  # forward pass
  q = W.dot(x)          # (m,)
  f = np.sum(q ** 2)    # scalar
  # backward pass
  dq = 2.0 * q
  dW = np.outer(dq, x)
  dx = W.sum(axis=0)
  return f, dW, dx


def example():
  np.random.seed(3)
  W = np.random.randn(3, 3)
  x = np.random.randn(3)
  return W, x
