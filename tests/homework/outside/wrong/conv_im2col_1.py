import numpy as np


def im2col(x, k):
    """All k x k patches as columns: (C k k, N Ho Wo)."""
    n, c, h, w = x.shape
    ho, wo = h - k + 1, w - k + 1
    cols = np.zeros((c, k, k, n, ho, wo))
    for a in range(k):
        for b in range(k):
            cols[:, a, b] = x[:, :, a:a + ho, b:b + wo].transpose(1, 0, 2, 3)
    return cols.reshape(c * k * k, -1)


def col2im(cols, shape, k):
    n, c, h, w = shape
    ho, wo = h - k + 1, w - k + 1
    cols = cols.reshape(c, k, k, n, ho, wo)
    x = np.zeros(shape)
    for a in range(k):
        for b in range(k):
            x[:, :, a:a + ho, b:b + wo] += cols[:, a, b].transpose(1, 0, 2, 3)
    return x


def conv(x, w, b):
    f, c, k, _ = w.shape
    n, _, h, _ = x.shape
    cols = im2col(x, k)
    res = w.reshape(f, -1) @ cols + b[:, None]
    out = res.reshape(f, n, h - k + 1, -1).transpose(1, 0, 2, 3)
    return out, (x.shape, w, cols)


def conv_backward(d_out, cache):
    shape, w, cols = cache
    f, c, k, _ = w.shape
    d_res = d_out.reshape(f, -1)
    d_b = d_res.sum(axis=1)
    d_w = (d_res @ cols.T).reshape(w.shape)
    d_cols = w.reshape(f, -1).T @ d_res
    d_x = col2im(d_cols, shape, k)
    return d_x, d_w, d_b


def example():
    rng = np.random.default_rng(71)
    return rng.normal(size=(2, 2, 4, 4)), rng.normal(size=(2, 2, 3, 3)), rng.normal(size=2)
