def max_gate_circuit(x, y, z, w):
  p = x * y
  m = max(z, w)
  s = p + m
  f = 2 * s

  ds = 2.0
  dp = ds
  dm = ds
  dz = dm
  dw = dm if w > z else 0.0
  dx = y * dp
  dy = x * dp
  return f, dx, dy, dz, dw


def example():
  return 3.0, -4.0, -2.0, -1.0
