def forked(a, b, c):
    """f = (a + b) * (b + 1) - c * b, b is used three times."""
    p = a + b
    q = b + 1.0
    r = c * b
    f = p * q - r
    # backprop
    df = 1.0
    dp = q * df
    dq = p * df
    dr = df
    dc = b * dr
    db = c * dr
    db += dq
    db += dp
    da = dp
    return f, da, db, dc


def example():
    return 1.5, -0.7, 2.0
