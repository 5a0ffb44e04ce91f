import numpy as np


def chain(x, w):
    # u = w x^2, v = sin(u), f = v exp(-x)
    u = w * x ** 2
    v = np.sin(u)
    e = np.exp(-x)
    return v * e, (x, w, u, v, e)


def chain_backward(df, cache):
    x, w, u, v, e = cache
    # local derivatives first
    df_dv = e
    df_de = v
    dv_du = np.cos(u)
    du_dx = 2 * w * x
    du_dw = x ** 2
    de_dx = -e
    # then the chain rule
    dx = df * (df_dv * dv_du * du_dx + df_de * de_dx)
    dw = df_dv * dv_du * du_dw
    return dx, dw


def example():
    rng = np.random.default_rng(122)
    return rng.uniform(0.5, 1.5, 4), rng.uniform(0.5, 1.5, 4)
