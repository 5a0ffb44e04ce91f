import numpy as np


def layernorm_sum(x, w):
  # forward, rows are normalised, then a weighted sum of everything
  D = x.shape[1]
  mean = x.mean(axis=1, keepdims=True)
  c = x - mean
  var = (c ** 2).mean(axis=1, keepdims=True)
  std = np.sqrt(var + 1e-5)
  y = c / std
  f = np.sum(w * y)

  # backward
  dw = y
  dy = w
  dc = dy / std
  dstd = np.sum(-dy * c / std ** 2, axis=1, keepdims=True)
  dvar = dstd / (2 * std)
  dc = dc + 2 * c * dvar / D
  dmean = np.sum(dc, axis=1, keepdims=True)
  dx = dc + dmean / D
  return f, dx, dw


def example():
  rng = np.random.default_rng(52)
  return rng.normal(size=(4, 4)), rng.normal(size=(4, 4))
