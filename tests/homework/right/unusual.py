# ruff: noqa  # written as students write
"""Right backward passes that look odd: fused, reordered, renamed, in place, rewritten."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

RNG = np.random.default_rng(42)


# everything in one einsum, the cache a dictionary
def bilinear_forward(x, A, y):
    out = np.einsum("ni,ijk,nj->nk", x, A, y)
    return out, {"left": x, "right": y, "core": A}


def bilinear_backward(dout, cache):
    g = dict(zip("xAy", (None,) * 3))
    g["A"] = np.einsum("ni,nj,nk->ijk", cache["left"], cache["right"], dout)
    g["y"] = np.einsum("nk,ijk,ni->nj", dout, cache["core"], cache["left"])
    g["x"] = np.einsum("nk,ijk,nj->ni", dout, cache["core"], cache["right"])
    return g


# negated deltas all the way down; dx is a step, not a gradient
def least_squares_forward(x, w, b, target):
    pred = x @ w + b
    loss = 0.5 * np.mean((target - pred) ** 2)
    return loss, (x, w, target - pred)


def least_squares_backward(dout, cache):
    x, w, err = cache
    delta = err * dout / err.size  # minus the gradient of the prediction
    dx = 0.01  # a step for the walk below, nothing to do with x
    w_step, b_step = x.T @ delta, delta.sum()
    walk = w + dx * w_step
    dw = -(walk - w) / dx
    return -np.outer(delta, w), dw, -b_step, delta


# softmax through the log, the loss scaled and given back with the gradient
def nll_loss(scores, y, temperature=2.0):
    z = scores / temperature
    top = z.max(axis=1, keepdims=True)
    logp = z - top - np.log(np.exp(z - top).sum(axis=1, keepdims=True))
    n = len(y)
    loss = -logp[np.arange(n), y].sum() / n
    grad_scores = np.exp(logp)
    np.subtract.at(grad_scores, (np.arange(n), y), 1.0)
    grad_scores /= n * temperature
    return loss, grad_scores


# scattering instead of a one-hot product
def embedding_forward(idx, table):
    return table[idx], (idx, table.shape)


def embedding_backward(dout, cache):
    idx, shape = cache
    order = np.argsort(idx, axis=None)
    dtable = np.zeros(shape)
    for row in order:
        dtable[idx.ravel()[row]] += dout.reshape(-1, shape[1])[row]
    return dtable


# windows by stride tricks there, an add.at back
def blur_forward(x, k):
    win = sliding_window_view(x, k.shape[0])
    return win @ k, (x.shape[0], k, win.copy())


def blur_backward(dout, cache):
    n, k, win = cache
    dx = np.zeros(n)
    places = np.arange(len(dout))[:, None] + np.arange(len(k))[None]
    np.add.at(dx, places, dout[:, None] * k)
    return dx, dout @ win


# the whole backward pass in the upstream gradient's own memory
def swish_forward(x):
    s = 1.0 / (1.0 + np.exp(-x))
    return x * s, (x, s)


def swish_backward(dout, cache):
    x, s = cache
    x *= 1.0 - s
    x += 1.0
    x *= s
    dout *= x
    return dout


# names of another course: a for adjoint, capital letters, Greek
def centre_forward(X, γ):
    μ = X.mean(axis=0)
    return γ * (X - μ), (X, γ, μ)


def centre_backward(adjoint, memo):
    X, γ, μ = memo
    Ā = γ * adjoint
    X̄ = Ā - np.ones((len(X), 1)) * Ā.mean(axis=0)
    γ̄ = ((X - μ) * adjoint).sum(0)
    return X̄, γ̄


# a stable rewrite with masks where the forward pass has plain formulas
def softplus_forward(x):
    return np.log1p(np.exp(x)), x


def softplus_backward(dout, cache):
    x = cache
    pos = x >= 0
    out = np.empty_like(x)
    out[pos] = dout[pos] / (1 + np.exp(-x[pos]))
    e = np.exp(x[~pos])
    out[~pos] = dout[~pos] * e / (1 + e)
    return out


# logsumexp: the cache is the answer
def lse_forward(x):
    m = x.max(axis=-1, keepdims=True)
    out = m[..., 0] + np.log(np.exp(x - m).sum(axis=-1))
    return out, (x, out)


def lse_backward(dout, cache):
    x, out = cache
    x -= out[..., None]
    np.exp(x, out=x)
    np.multiply(x, dout[..., None], out=x)
    return x


# the Jacobian, in full, and a loop over it
def normalise_forward(v):
    r = np.sqrt((v * v).sum())
    return v / r, (v, r)


def normalise_backward(dout, cache):
    v, r = cache
    J = np.eye(len(v)) / r - np.outer(v, v) / r**3
    dv = [sum(dout[i] * J[i, j] for i in range(len(v))) for j in range(len(v))]
    return np.array(dv)


# gradients in a list, last layer first, turned round at the end
def deep_forward(x, Ws):
    hs = [x]
    for W in Ws:
        hs.append(np.tanh(hs[-1] @ W))
    return hs[-1], (hs, Ws)


def deep_backward(dout, cache):
    hs, Ws = cache
    grads = []
    for W, h, below in zip(Ws[::-1], hs[:0:-1], hs[-2::-1]):
        dout = dout * (1 - h * h)
        grads.append(below.T @ dout)
        dout = dout @ W.T
    return dout, grads[::-1]


# single precision, on purpose
def scale32_forward(x, s):
    out = x * s
    return out, (x, s)


def scale32_backward(dout, cache):
    x, s = (part.astype(np.float32) for part in cache)
    d32 = dout.astype(np.float32)
    return d32 * s, (d32 * x).sum(axis=0, dtype=np.float32)


# the penalty first, the data after; everything fused into the return
def ridge_loss(w, X, t, lam=0.3):
    r = X @ w - t
    loss = r @ r / len(t) + lam * w @ w
    dw = 2 * lam * w
    dw += (2 / len(t)) * (r @ X)
    return loss, dw


# closures: the forward pass hands back the way home
def gate_forward(a, b):
    s = 1 / (1 + np.exp(-a))

    def home(g):
        return g * b * s * (1 - s), g * s

    return s * b, home


def gate_backward(dout, cache):
    return cache(dout)


# scans: a cumulative sum is its own mirror
def cumsum_forward(x):
    return np.cumsum(x), None


def cumsum_backward(dout, cache):
    return np.flip(np.cumsum(np.flip(dout)))


# sorting: the permutation is put back
def sort_forward(x):
    p = np.argsort(x)
    return x[p], p


def sort_backward(dout, cache):
    dx = np.empty_like(dout)
    dx[cache] = dout
    return dx


# max pooling by reshape, ties apart, no loop
def pool_forward(x):
    n, c, h, w = x.shape
    v = x.reshape(n, c, h // 2, 2, w // 2, 2)
    out = v.max(axis=(3, 5))
    return out, (v, out)


def pool_backward(dout, cache):
    v, out = cache
    hit = (v == out[:, :, :, None, :, None]).astype(float)
    hit *= dout[:, :, :, None, :, None]
    return hit.reshape(v.shape[0], v.shape[1], 2 * v.shape[2], -1)


# the output is all that is kept, under another name
def squash(x):
    return np.tanh(x)


def squash_backward(upstream, y):
    return upstream - upstream * y**2


# the input under another name
def cube(x):
    return x**3


def cube_grad(g, point):
    return 3 * point * point * g


# batch norm in one line, by the projection it is
def bn_forward(x, gamma, beta):
    mu, var = x.mean(0), x.var(0)
    inv = (var + 1e-5) ** -0.5
    xn = (x - mu) * inv
    return gamma * xn + beta, (xn, inv, gamma)


def bn_backward_projected(dout, cache):
    xn, inv, gamma = cache
    n = len(dout)
    basis = np.stack([np.ones_like(xn), xn])
    coef = np.einsum("knd,nd->kd", basis, dout)
    dx = (dout - np.einsum("kd,knd->nd", coef, basis) / n) * (gamma * inv)
    return dx, coef[1], coef[0]


# a helper does the work, and is called with keywords
def _vjp_matmul(*, g, a, b):
    return g @ b.T, a.T @ g


def mlp_forward(x, w1, w2):
    h = np.maximum(0, x @ w1)
    return h @ w2, (x, h, w1, w2)


def mlp_backward(dout, cache):
    x, h, w1, w2 = cache
    back, g2 = _vjp_matmul(g=dout, a=h, b=w2)
    back, g1 = _vjp_matmul(g=np.where(h > 0, back, 0.0), a=x, b=w1)
    return back, g1, g2


# lambdas and a walrus
def mix_forward(a, b, t):
    return (1 - t) * a + t * b, (a, b, t)


def mix_backward(d, cache):
    (a, b, t), pull = cache, lambda factor: factor * d
    return (da := pull(1 - t)), d - da, float(np.vdot(b - a, d))


# complex of old: an average through the FFT
def smooth_forward(x):
    n = len(x)
    k = np.ones(3) / 3
    out = np.array([sum(k[j] * x[(i + j - 1) % n] for j in range(3)) for i in range(n)])
    return out, k


def smooth_backward(dout, k):
    return sum(c * np.roll(dout, s - 1) for s, c in enumerate(k))


# layers as classes: self.cache, gradients in a dictionary of the layer's own
class Scale:
    def __init__(self, gain=np.array([0.5, -1.5, 2.5])):
        self.params = gain
        self.grads = {}

    def forward(self, x):
        self.cache = x
        return x * self.params

    def backward(self, dout):
        x = self.cache
        self.grads["params"] = np.einsum("nd,nd->d", dout, x)
        return dout * self.params


class Residual:
    """Two paths, added the other way round."""

    def __init__(self):
        self.W = RNG.normal(size=(4, 4))
        self.dW = None

    def forward(self, x):
        self._saved = [x]
        pre = x.dot(self.W)
        self._saved.append(pre > 0)
        return x + pre * self._saved[1]

    def backward(self, grad):
        on = self._saved.pop()
        through = grad * on
        self.dW = self._saved.pop().T.dot(through)
        through = through.dot(self.W.T)
        through += grad
        return through


def vec(*shape):
    return RNG.normal(size=shape)


inputs = {
    "bilinear_forward": (vec(3, 2), vec(2, 4, 5), vec(3, 4)),
    "least_squares_forward": (vec(5, 3), vec(3), 0.7, vec(5)),
    "nll_loss": (vec(4, 3), np.array([0, 2, 1, 2])),
    "embedding_forward": (np.array([[0, 3, 3], [1, 0, 3]]), vec(5, 2)),
    "blur_forward": (vec(9), vec(3)),
    "swish_forward": (vec(3, 4),),
    "centre_forward": (vec(4, 3), vec(3)),
    "softplus_forward": (vec(3, 5),),
    "lse_forward": (vec(3, 4),),
    "normalise_forward": (vec(4),),
    "deep_forward": (vec(3, 4), [vec(4, 5), vec(5, 4), vec(4, 2)]),
    "scale32_forward": (vec(3, 4), vec(4)),
    "ridge_loss": (vec(3), vec(6, 3), vec(6)),
    "gate_forward": (vec(2, 3), vec(2, 3)),
    "cumsum_forward": (vec(6),),
    "sort_forward": (vec(6),),
    "pool_forward": (vec(2, 3, 4, 6),),
    "squash": (vec(3, 2),),
    "cube": (vec(4),),
    "bn_forward": (vec(6, 3), vec(3), vec(3)),
    "mlp_forward": (vec(4, 3), vec(3, 5), vec(5, 2)),
    "mix_forward": (vec(3), vec(3), 0.3),
    "smooth_forward": (vec(6),),
    "Scale": lambda: (Scale(), vec(4, 3)),
    "Residual": lambda: (Residual(), vec(3, 4)),
}
