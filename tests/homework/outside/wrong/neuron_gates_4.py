import numpy as np


def neuron_by_gates(w0, x0, w1, x1, w2):
  a = w0 * x0
  b = w1 * x1
  s = a + b + w2
  n = -s
  e = np.exp(n)
  d = 1 + e
  f = 1 / d

  dd = -1.0 / d ** 2
  de = dd
  dn = np.exp(n) * de
  ds = -1 * dn
  da, db, dw2 = ds, ds, ds
  dw0 = x0 * da
  dx0 = w0 * da
  dw1 = w1 * db
  dx1 = w1 * db
  return f, dw0, dx0, dw1, dx1, dw2


def example():
  return 0.8, -1.2, -0.5, 0.4, 0.3
