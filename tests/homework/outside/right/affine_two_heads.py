import numpy as np

# one input, two linear heads


def two_heads_forward(x, w1, w2):
    s = x @ w1
    t = x @ w2
    return s, t, {"x": x, "w1": w1, "w2": w2}


def two_heads_backward(ds, dt, cache):
    x = cache["x"]
    dw1 = x.T @ ds
    dx = ds @ cache["w1"].T
    dw2 = x.T @ dt
    dx += dt @ cache["w2"].T
    return dx, dw1, dw2


def example():
    rng = np.random.default_rng(5)
    return rng.standard_normal((5, 3)), rng.standard_normal((3, 2)), rng.standard_normal((3, 4))
