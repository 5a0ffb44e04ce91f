# homework 2, question 3
import numpy as np


def scale_channels(x, scale, shift):
  """x (N, C, H, W), one scale and one shift per channel, kept as (1, C, 1, 1)."""
  return x * scale + shift


def scale_channels_backward(g, x, scale, shift):
  where = (0, 2, 3)
  return (
    g * scale,
    np.sum(g * x, axis=where, keepdims=True),
    np.sum(g, axis=where),
  )


def example():
  rng = np.random.default_rng(126)
  return rng.normal(size=(2, 3, 2, 2)), rng.normal(size=(1, 3, 1, 1)), rng.normal(size=(1, 3, 1, 1))
