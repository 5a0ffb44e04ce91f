# homework 2, question 2
from types import SimpleNamespace

import numpy as np


def one_hot(labels, k):
  return np.eye(k)[labels]


def cross_entropy(logits, labels):
  """Mean cross-entropy through log-sum-exp; the context remembers what backward wants."""
  top = logits.max(-1)
  lse = top + np.log(np.exp(logits - top[:, None]).sum(-1))
  target = one_hot(labels, logits.shape[-1])
  ctx = SimpleNamespace(logits=logits, lse=lse, target=target)
  return (lse - (target * logits).sum(-1)).mean(), ctx


def cross_entropy_backward(loss_grad, ctx):
  n = len(ctx.lse)
  p = np.exp(ctx.logits - ctx.lse[:, None])
  logits_grad = loss_grad * (ctx.target - p) / n
  return logits_grad


def example():
  rng = np.random.default_rng(23)
  return rng.normal(scale=2, size=(4, 4)), np.array([3, 0, 2, 1])
