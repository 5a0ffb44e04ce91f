import numpy as np


def affine_forward(x, w, b):
  """
  Computes the forward pass for an affine (fully-connected) layer.

  Inputs:
  - x: input data, of shape (N, d_1, ..., d_k)
  - w: weights, of shape (D, M)
  - b: biases, of shape (M,)
  """
  N = x.shape[0]
  x_flat = x.reshape(N, -1)
  out = x_flat.dot(w) + b
  cache = (x, w, b)
  return out, cache


def affine_backward(dout, cache):
  x, w, b = cache
  N = x.shape[0]
  x_flat = x.reshape(N, -1)
  dx = dout.dot(w.T).reshape(x.shape)
  dw = dout.T.dot(x_flat)
  db = np.sum(dout, axis=0)
  return dx, dw, db


def example():
  rng = np.random.RandomState(0)
  return rng.randn(6, 6), rng.randn(6, 6), rng.randn(6)
