# ruff: noqa  # written as students write
"""Right backward passes in the style of course assignments, written in different ways."""

import numpy as np

RNG = np.random.default_rng(11)


def affine_forward(x, w, b):
    N = x.shape[0]
    out = np.dot(x.reshape(N, -1), w) + b[None, :]
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    N = x.shape[0]
    rows = np.reshape(x, (N, -1))
    db = np.ones(N).dot(dout)
    dw = np.dot(rows.T, dout)
    dx = (w @ dout.T).T.reshape(*x.shape)
    return dx, dw, db


def affine2_forward(x, w, b):
    out = np.einsum("nd,dm->nm", x, w) + b
    cache = x, w
    return out, cache


def affine2_backward(dout, cache):
    x, w = cache
    return np.einsum("nm,dm->nd", dout, w), np.einsum("nd,nm->dm", x, dout), dout.sum(0)


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    dx = np.array(dout, copy=True)
    dx[cache <= 0] = 0
    return dx


def relu2_forward(x):
    mask = x > 0
    return x * mask, mask


def relu2_backward(dout, cache):
    return np.where(cache, dout, 0.0)


def relu3_forward(x):
    out = 0.5 * (x + np.abs(x))
    return out, out


def relu3_backward(grad_out, cache):
    grad_x = grad_out * np.sign(cache)
    return grad_x


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    cache = (fc_cache, relu_cache)
    return out, cache


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    da = relu_backward(dout, relu_cache)
    dx, dw, db = affine_backward(da, fc_cache)
    return dx, dw, db


def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    if mode == "train":
        mean = x.mean(axis=0)
        var = x.var(axis=0)
        running_mean = momentum * running_mean + (1 - momentum) * mean
        running_var = momentum * running_var + (1 - momentum) * var
        x_norm = (x - mean) / np.sqrt(var + eps)
        out = gamma * x_norm + beta
        cache = {"x": x, "mean": mean, "var": var, "x_norm": x_norm, "gamma": gamma, "eps": eps}
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


def batchnorm_backward(dout, cache):
    x, mean, var = cache["x"], cache["mean"], cache["var"]
    x_norm, gamma, eps = cache["x_norm"], cache["gamma"], cache["eps"]
    m = x.shape[0]
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * x_norm, axis=0)
    dx_norm = dout * gamma
    dvar = np.sum(dx_norm * (x - mean) * -0.5 * (var + eps) ** -1.5, axis=0)
    dmean = np.sum(-dx_norm / np.sqrt(var + eps), axis=0)
    dmean = dmean + dvar * np.mean(-2 * (x - mean), axis=0)
    dx = dx_norm / np.sqrt(var + eps) + dvar * 2 * (x - mean) / m + dmean / m
    return dx, dgamma, dbeta


def batchnorm_alt_forward(x, gamma, beta):
    mu = np.mean(x, axis=0)
    v = np.var(x, axis=0)
    s = (v + 1e-5) ** 0.5
    z = (x - mu) / s
    out = z * gamma + beta
    return out, (z, s, gamma)


def batchnorm_alt_backward(dout, cache):
    z, s, gamma = cache
    g = dout * gamma
    dx = (g - g.mean(0) - z * (g * z).mean(0)) / s
    return dx, (dout * z).sum(0), dout.sum(0)


def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    xt = x.T
    mu = xt.mean(axis=0)
    var = xt.var(axis=0)
    std = np.sqrt(var + eps)
    z = (xt - mu) / std
    out = gamma * z.T + beta
    cache = (z, std, gamma)
    return out, cache


def layernorm_backward(dout, cache):
    z, std, gamma = cache
    dbeta = dout.sum(axis=0)
    dgamma = (dout * z.T).sum(axis=0)
    dz = (dout * gamma).T
    D = z.shape[0]
    inner = D * dz - dz.sum(axis=0) - z * (dz * z).sum(axis=0)
    dx = (inner / (D * std)).T
    return dx, dgamma, dbeta


def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = None
    out = None
    if mode == "train":
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    elif mode == "test":
        out = x
    cache = (dropout_param, mask)
    out = out.astype(x.dtype, copy=False)
    return out, cache


def dropout_backward(dout, cache):
    dropout_param, mask = cache
    mode = dropout_param["mode"]
    dx = None
    if mode == "train":
        dx = dout * mask
    elif mode == "test":
        dx = dout
    return dx


def conv_forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    Hn, Wn = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    padded = np.pad(x, ((0,), (0,), (pad,), (pad,)), "constant")
    out = np.zeros((N, F, Hn, Wn))
    for i in range(Hn):
        for j in range(Wn):
            piece = padded[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
            out[:, :, i, j] = piece.reshape(N, -1) @ w.reshape(F, -1).T + b
    return out, (x, w, b, conv_param)


def conv_backward(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    padded = np.pad(x, ((0,), (0,), (pad,), (pad,)), "constant")
    dpadded = np.zeros(padded.shape)
    dw = np.zeros(w.shape)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            rows = slice(i * stride, i * stride + HH)
            cols = slice(j * stride, j * stride + WW)
            d = dout[:, :, i, j]
            dpadded[:, :, rows, cols] += (d @ w.reshape(F, -1)).reshape(N, C, HH, WW)
            dw += (d.T @ padded[:, :, rows, cols].reshape(N, -1)).reshape(w.shape)
    db = np.einsum("nfhw->f", dout)
    dx = dpadded[:, :, pad : pad + H, pad : pad + W]
    return dx, dw, db


def max_pool_forward(x, pool_param):
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    N, C, H, W = x.shape
    out = np.zeros((N, C, (H - ph) // s + 1, (W - pw) // s + 1))
    for n in range(N):
        for c in range(C):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    out[n, c, i, j] = x[n, c, i * s : i * s + ph, j * s : j * s + pw].max()
    return out, (x, pool_param)


def max_pool_backward(dout, cache):
    x, pool_param = cache
    ph, pw, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(*dout.shape):
        window = x[n, c, i * s : i * s + ph, j * s : j * s + pw]
        a, b = np.unravel_index(np.argmax(window), window.shape)
        dx[n, c, i * s + a, j * s + b] += dout[n, c, i, j]
    return dx


def svm_loss(x, y):
    N = x.shape[0]
    correct_class_scores = x[np.arange(N), y]
    margins = np.maximum(0, x - correct_class_scores[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N
    dx = (margins > 0).astype(float)
    dx[np.arange(N), y] = -dx.sum(axis=1)
    return loss, dx / N


def softmax_loss(x, y):
    probs = np.exp(x - np.max(x, axis=1, keepdims=True))
    probs /= np.sum(probs, axis=1, keepdims=True)
    N = x.shape[0]
    loss = -np.sum(np.log(probs[np.arange(N), y])) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def softmax_naive(W, X, y, reg):
    loss = 0.0
    dW = np.zeros_like(W)
    num_train = X.shape[0]
    for i in range(num_train):
        f = X[i].dot(W)
        f -= np.max(f)
        p = np.exp(f) / np.sum(np.exp(f))
        loss += -np.log(p[y[i]])
        for k in range(W.shape[1]):
            dW[:, k] += (p[k] - (k == y[i])) * X[i]
    loss /= num_train
    loss += reg * np.sum(W * W)
    dW /= num_train
    dW += reg * 2 * W
    return loss, dW


def svm_vectorised(W, X, y, reg):
    n = X.shape[0]
    scores = X @ W
    correct = scores[np.arange(n), y].reshape(-1, 1)
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(n), y] = 0
    loss = margins.sum() / n + reg * np.sum(W**2)
    binary = margins
    binary[margins > 0] = 1
    binary[np.arange(n), y] = -np.sum(binary, axis=1)
    dW = X.T @ binary / n + 2 * reg * W
    return loss, dW


def two_layer_net(X, params, y, reg):
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    N = X.shape[0]
    h1 = np.maximum(0, X @ W1 + b1)
    scores = h1 @ W2 + b2
    shifted = scores - scores.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean()
    loss += reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    grads = {}
    dscores = p
    dscores[np.arange(N), y] -= 1
    dscores /= N
    grads["W2"] = h1.T @ dscores + 2 * reg * W2
    grads["b2"] = dscores.sum(axis=0)
    dh1 = dscores @ W2.T
    dh1[h1 <= 0] = 0
    grads["W1"] = X.T @ dh1 + 2 * reg * W1
    grads["b1"] = dh1.sum(axis=0)
    return loss, grads


_X = RNG.normal(size=(4, 5))
_Y = np.array([0, 2, 1, 2])
_BN = (_X, RNG.normal(size=5), RNG.normal(size=5))
inputs = {
    "affine_forward": (RNG.normal(size=(4, 2, 3)), RNG.normal(size=(6, 3)), RNG.normal(size=3)),
    "affine2_forward": (_X, RNG.normal(size=(5, 3)), RNG.normal(size=3)),
    "relu_forward": (np.array([[0.0, -1.0, 2.0], [3.0, 0.0, -2.0]]),),
    "relu2_forward": (_X,),
    "relu3_forward": (_X,),
    "affine_relu_forward": (_X, RNG.normal(size=(5, 3)), RNG.normal(size=3)),
    "batchnorm_forward": (*_BN, {"mode": "train"}),
    "batchnorm_alt_forward": _BN,
    "layernorm_forward": (*_BN, {}),
    "dropout_forward": (_X, {"mode": "train", "p": 0.6, "seed": 3}),
    "conv_forward": (
        RNG.normal(size=(2, 3, 5, 5)),
        RNG.normal(size=(4, 3, 3, 3)),
        RNG.normal(size=4),
        {"stride": 2, "pad": 1},
    ),
    "max_pool_forward": (
        RNG.integers(0, 3, size=(2, 2, 4, 4)).astype(float),
        {"pool_height": 2, "pool_width": 2, "stride": 2},
    ),
    "svm_loss": (RNG.normal(size=(4, 3)), _Y),
    "softmax_loss": (RNG.normal(size=(4, 3)), _Y),
    "softmax_naive": (RNG.normal(size=(5, 3)), _X, _Y, 0.2),
    "svm_vectorised": (RNG.normal(size=(5, 3)), _X, _Y, 0.2),
    "two_layer_net": (
        _X,
        {
            "W1": RNG.normal(size=(5, 4)),
            "b1": RNG.normal(size=4),
            "W2": RNG.normal(size=(4, 3)),
            "b2": RNG.normal(size=3),
        },
        _Y,
        0.1,
    ),
}
