def circuit(x, y, z):
    # forward
    q = x + y
    f = q * z
    # backward, in reverse order
    dq = z
    dz = z
    dx = 1.0 * dq
    dy = 1.0 * dq
    return f, dx, dy, dz


def example():
    return -2.0, 5.0, -4.0
