# ruff: noqa  # written as students write
"""Right passes, each with the wrong lines that one rule of the search is for."""

import numpy as np

RNG = np.random.default_rng(77)
RATE = 0.1


# a value is changed on the way back, before it is needed
def learns_forward(x, w, b):
    return x @ w + b, (x, w)


def learns_backward(dout, cache):
    x, w = cache
    dw = x.T @ dout
    new_w = w - RATE * dw
    #! cache: w -= RATE * dw
    db = dout.sum(axis=0)
    dx = dout @ w.T
    return dx, dw, db


# gradient and value exchanged
def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    x = cache
    dx = dout * (x > 0)
    #! swapped: dx = x * (dout > 0)
    return dx


# a local gradient is that of one gate, though there is another path
def interleaved(x, y):
    q = x * y
    dqdx, dqdy = y, x
    s = 1 / (1 + np.exp(-q))
    f = s * x
    dfds, dfdx = x, s
    df = 1.0
    dq = df * dfds * s * (1 - s)
    dx = dq * dqdx + df * dfdx
    #! sign: dx = dq * dqdx - df * dfdx
    dy = dq * dqdy
    return f, dx, dy


# the upstream gradient is two, and so is a factor
def doubled(x, y):
    z = x * y
    f = 2 * z
    df = 1.0
    dz = 2 * df
    dx = y * dz
    #! upstream: dx = y
    dy = x * dz
    return f, dx, dy


# where the other one won
def larger_forward(a, b, c):
    largest = np.maximum(a, b)
    return largest * c, (a > b, largest, c)


def larger_backward(g, cache):
    a_wins, largest, c = cache
    glargest = g * c
    ga, gb = np.zeros_like(c), np.zeros_like(c)
    ga[a_wins] = glargest[a_wins]
    gb[~a_wins] = glargest[~a_wins]
    #! mask: gb[:] = glargest
    return ga, gb, g * largest


# rows and columns of an index
def cross_entropy(x, y):
    N = len(y)
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean()
    dx = p.copy()
    dx[np.arange(N), y] -= 1
    #! axis: dx[y, np.arange(N)] -= 1
    dx /= N
    return loss, dx


# a line that is missing after a loop is not one in the loop
def looped_loss(W, X, y, reg):
    loss = 0.0
    dW = np.zeros_like(W)
    for i in range(len(X)):
        s = X[i] @ W
        p = np.exp(s) / np.exp(s).sum()
        loss -= np.log(p[y[i]])
        for j in range(W.shape[1]):
            dW[:, j] += (p[j] - (j == y[i])) * X[i]
            #! path: dW[:, j] += p[j] * X[i]
    loss = loss / len(X) + reg * (W * W).sum()
    dW /= len(X)
    #! mean: pass
    dW += 2 * reg * W
    #! regularisation: pass
    return loss, dW


# values that only gradients are computed from
def margins_loss(x, y):
    N = len(y)
    right = x[np.arange(N), y]
    margins = np.maximum(0, x - right[:, None] + 1.0)
    margins[np.arange(N), y] = 0
    loss = margins.sum() / N
    number = np.sum(margins > 0, axis=1)
    #! axis: number = np.sum(margins > 0, axis=0)
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    #! mask: dx[x > 0] = 1
    dx[np.arange(N), y] -= number
    #! sum: dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


# places chosen by the gradient itself
def gate_forward(z):
    return np.maximum(z, 0), z


def gate_backward(dout, z):
    dz = dout.copy()
    dz[z <= 0] = 0
    #! mask: dz[dz <= 0] = 0
    return dz


# axes are ordered before they are merged
def channels_forward(x, w):
    n, c, h, k = x.shape
    flat = x.transpose(0, 2, 3, 1).reshape(-1, c)
    return flat * w, (flat, w, x.shape)


def channels_backward(dout, cache):
    flat, w, (n, c, h, k) = cache
    dw = (dout * flat).sum(axis=0)
    dx = (dout * w).reshape(n, h, k, c).transpose(0, 3, 1, 2)
    return dx, dw


def spatial_forward(x, w):
    return x * w[:, None, None], (x, w)


def spatial_backward(dout, cache):
    x, w = cache
    dflat = (dout * x).transpose(0, 2, 3, 1)
    drows = dout.transpose(0, 2, 3, 1).reshape(-1, len(w))
    #! transpose: drows = dout.reshape(-1, len(w))
    dw = (drows * x.transpose(0, 2, 3, 1).reshape(-1, len(w))).sum(axis=0)
    return dout * w[:, None, None], dw


# the mask itself, and not where it is
def dropout_forward(x, p):
    mask = (np.random.rand(*x.shape) < p) / p
    return x * mask, (mask, p)


def dropout_backward(dout, cache):
    mask, p = cache
    kept = mask > 0
    #! cache: mask = (np.random.rand(*dout.shape) < p) / p
    dx = dout * mask
    #! mask: dx = dout * (mask == 0)
    return dx


# kernels are turned round along both axes
def correlate(image, kernel):
    kh, kw = kernel.shape
    oh, ow = image.shape[0] - kh + 1, image.shape[1] - kw + 1
    return sum(kernel[u, v] * image[u : u + oh, v : v + ow] for u in range(kh) for v in range(kw))


def correlate_backward(g, image, kernel):
    kh, kw = kernel.shape
    oh, ow = g.shape
    dkernel = np.array(
        [[(g * image[u : u + oh, v : v + ow]).sum() for v in range(kw)] for u in range(kh)]
    )
    padded = np.pad(g, ((kh - 1, kh - 1), (kw - 1, kw - 1)))
    turned = kernel[::-1, ::-1]
    #! axis: turned = kernel[::-1]
    #! transpose: turned = kernel.T
    dimage = correlate(padded, turned)
    return dimage, dkernel


def slide_forward(x, k):
    n = len(x) - len(k) + 1
    return np.array([x[i : i + len(k)] @ k for i in range(n)]), (x, k)


def slide_backward(dout, cache):
    x, k = cache
    dx, dk = np.zeros_like(x), np.zeros_like(k)
    for i in range(len(dout)):
        dx[i : i + len(k)] += dout[i] * k[::1]
        #! axis: dx[i : i + len(k)] += dout[i] * k[::-1]
        dk += dout[i] * x[i : i + len(k)]
    return dx, dk


# what was right already, but for an axis of length one, is left alone
def centre_forward(x, s):
    mean = np.mean(x, axis=0, keepdims=True)
    return (x - mean) * s, (x - mean, s)


def centre_backward(g, cache):
    c, s = cache
    dmean = -(g * s).sum(axis=0)
    dx = g * s
    dx += dmean / len(g)
    #! mean: dx += dmean
    return dx, (g * c).sum(axis=0)


# another threshold
def floor_forward(x):
    return np.where(x > 2, x * x, 4.0), x


def floor_backward(dout, x):
    dx = 2 * x * dout
    dx[x <= 2] = 0
    #! mask: dx[x <= 3] = 0
    return dx


# a factor too many
def peak_forward(x):
    return x * (x > 0.3), x


def peak_backward(dout, cache):
    x = cache
    mask = x > 0.3
    dx = mask * dout
    #! local: dx = x * mask * dout
    return dx


def vec(*shape):
    return RNG.normal(size=shape)


inputs = {
    "learns_forward": (vec(4, 3), vec(3, 2), vec(2)),
    "relu_forward": (vec(3, 4),),
    "interleaved": (0.7, -1.3),
    "doubled": (1.7, -0.6),
    "larger_forward": (vec(6), vec(6), vec(6)),
    "cross_entropy": (vec(4, 4), np.array([2, 0, 1, 0])),
    "looped_loss": (vec(4, 3), vec(5, 4), np.array([0, 2, 1, 1, 0]), 0.3),
    "margins_loss": (vec(4, 4), np.array([2, 1, 0, 1])),
    "gate_forward": (vec(3, 4),),
    "channels_forward": (vec(2, 3, 4, 2), vec(3)),
    "spatial_forward": (vec(2, 3, 4, 3), vec(3)),
    "dropout_forward": (vec(4, 5), 0.6),
    "correlate": (vec(5, 5), vec(3, 3)),
    "slide_forward": (vec(7), vec(3)),
    "centre_forward": (vec(4, 3), vec(3)),
    "floor_forward": (2 + 1.2 * vec(5, 4),),
    "peak_forward": (vec(3, 4),),
}
