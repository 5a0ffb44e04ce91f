# ruff: noqa  # written as students write
"""Right backward passes that keep things in odd places: globals, contexts, tuples, generators."""

import random
from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

RNG = np.random.default_rng(4)
NOISE = np.random.default_rng(7)
SAVED = {}
STACK = []
last = None


# a module's own dictionary is the cache
def outer_forward(a, b):
    SAVED["a"], SAVED["b"] = a, b
    return np.outer(a, b)


def outer_backward(dout):
    return dout @ SAVED["b"], SAVED["a"] @ dout


# a global variable is the cache
def elu_forward(x):
    global last
    last = x
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def elu_backward(dout):
    return dout * np.where(last > 0, 1, np.exp(np.minimum(last, 0)))


# a stack: pushed on the way there, popped on the way back
def twice_forward(x, w):
    for _ in range(2):
        STACK.append(x)
        x = np.tanh(x @ w)
    STACK.append(x)
    return x


def twice_backward(grad):
    dw = 0.0
    h = STACK.pop()
    while STACK:
        grad = grad * (1 - h**2)
        h = STACK.pop()
        dw = dw + h.T @ grad
        grad = grad @ TWICE_W.T
    return grad, dw


TWICE_W = RNG.normal(size=(3, 3))


# a generator of the module draws the mask
def dropout_forward(x, keep=0.7):
    mask = NOISE.random(x.shape) < keep
    return x * mask / keep, (mask, keep)


def dropout_backward(dout, cache):
    mask, keep = cache
    return np.where(mask, dout / keep, 0)


# the module random draws; a generator without a seed draws
def jitter_forward(x):
    factor = 1 + random.random()
    noise = np.random.default_rng().normal(size=x.shape)
    return factor * x * noise, factor * noise


def jitter_backward(dout, cache):
    return cache * dout


# the forward pass fills a dictionary that it is given
def hinge_forward(s, t, cache):
    m = 1 - s * t
    cache["hit"], cache["t"] = m > 0, t
    return np.maximum(m, 0).mean()


def hinge_backward(dout, cache):
    return -dout * cache["hit"] * cache["t"] / cache["t"].size


# a context, as in a well-known library
class Context:
    def save_for_backward(self, *tensors):
        self.saved_tensors = tensors


class Multiply:
    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_backward(a, b)
        return a * b

    @staticmethod
    def backward(ctx, grad_output):
        a, b = ctx.saved_tensors
        return grad_output * b, grad_output * a


# gradients as a named tuple, a dataclass, a namespace, nested dictionaries, pairs
Grads = namedtuple("Grads", "dx dw")


def line_forward(x, w):
    return x * w, (x, w)


def line_backward(dout, cache):
    x, w = cache
    return Grads(dw=(dout * x).sum(0), dx=dout * w)


@dataclass
class Gradients:
    w: np.ndarray
    x: np.ndarray


def ray_forward(x, w):
    return x / w, (x, w)


def ray_backward(dout, cache):
    x, w = cache
    return Gradients(w=-(dout * x / w**2).sum(0), x=dout / w)


def arc_forward(x, w):
    return np.sin(x) + w, x


def arc_backward(dout, x):
    return SimpleNamespace(dx=np.cos(x) * dout, dw=dout.sum(0))


def stack_forward(x, layers):
    hs = [x]
    for W, b in layers:
        hs.append(np.tanh(hs[-1] @ W + b))
    return hs[-1], (hs, layers)


def stack_backward(dout, cache):
    hs, layers = cache
    grads = []
    for k in reversed(range(len(layers))):
        dout = dout * (1 - hs[k + 1] ** 2)
        grads.insert(0, (hs[k].T @ dout, dout.sum(0)))
        dout = dout @ layers[k][0].T
    return dout, grads


def net_forward(x, params):
    h = np.maximum(x @ params["first"]["W"] + params["first"]["b"], 0)
    return h @ params["second"]["W"], (x, h, params)


def net_backward(dout, cache):
    x, h, params = cache
    dh = (dout @ params["second"]["W"].T) * (h > 0)
    grads = {
        "second": {"W": h.T @ dout},
        "first": {"W": x.T @ dh, "b": dh.sum(0)},
    }
    return dh @ params["first"]["W"].T, grads


# the loss comes back with the gradients, in a dictionary
def logistic_loss(params, X, t, need_grad=True):
    z = X @ params["w"] + params["b"]
    p = 1 / (1 + np.exp(-z))
    loss = -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
    if not need_grad:
        return loss
    dz = (p - t) / len(t)
    grads = {"w": X.T @ dz, "b": dz.sum()}
    return loss, grads


# the backward pass learns as well
class Dense:
    def __init__(self):
        self.W = RNG.normal(size=(3, 2))
        self.b = RNG.normal(size=2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, error, learning_rate):
        input_error = error @ self.W.T
        self.dW, self.db = self.x.T @ error, error.sum(0)
        self.W -= learning_rate * self.dW
        self.b -= learning_rate * self.db
        return input_error


# everything stays on the layer, nothing is handed back
class Shift:
    def __init__(self):
        self.b = RNG.normal(size=3)

    def forward(self, x):
        self.x = x
        return np.tanh(x + self.b)

    def backward(self, dout):
        self.dx = dout / np.cosh(self.x + self.b) ** 2
        self.db = self.dx.sum(axis=0)


# what comes first and what second, under any name
def square(x):
    return x * x


def square_backward(point, ct):
    return 2 * point * ct


def expm(x):
    return np.exp(x)


def expm_vjp(y, ct):
    return y * ct


# a gradient that is zero, but for rounding
def whiten_forward(x, w, b):
    z = 100 * (x @ w + b)
    c = z - z.mean(0)
    s = np.sqrt((c * c).mean(0))
    return c / s, (x, w, c / s, s)


def whiten_backward(dout, cache):
    x, w, n, s = cache
    dz = 100 * (dout - dout.mean(0) - n * (dout * n).mean(0)) / s
    return dz @ w.T, x.T @ dz, dz.sum(0)


# single precision on the way there
def half_forward(x, w):
    x32, w32 = x.astype(np.float32), w.astype(np.float32)
    h = np.tanh(x32 @ w32)
    return h, (x32, w32, h)


def half_backward(dout, cache):
    x32, w32, h = cache
    dz = dout * (1 - h * h)
    return dz @ w32.T, x32.T @ dz


# whole numbers go in
def area(sides):
    return sides[0] * sides[1] + sides[2] ** 2


def area_backward(dout, sides):
    return dout * np.array([sides[1], sides[0], 2 * sides[2]])


# a recursion each way
def tree_forward(x):
    if len(x) == 1:
        return x[0], None
    left, a = tree_forward(x[: len(x) // 2])
    right, b = tree_forward(x[len(x) // 2 :])
    return left * right, (left, right, a, b)


def tree_backward(dout, cache):
    if cache is None:
        return np.array([dout])
    left, right, a, b = cache
    return np.concatenate([tree_backward(dout * right, a), tree_backward(dout * left, b)])


# parameters and gradients in dictionaries of the layer
class Affine:
    def __init__(self):
        self.params = {"W": RNG.normal(size=(3, 2)), "b": RNG.normal(size=2)}
        self.grads = {}

    def forward(self, x):
        self.cache = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads = {"W": self.cache.T @ dout, "b": dout.sum(axis=0)}
        return dout @ self.params["W"].T


# lists of weights on the layer, as in books on networks from scratch
class Perceptron:
    def __init__(self):
        self.weights = [RNG.normal(size=(4, 3)), RNG.normal(size=(2, 4))]
        self.biases = [RNG.normal(size=(4, 1)), RNG.normal(size=(2, 1))]

    def forward(self, x):
        self.activations = [x]
        for w, b in zip(self.weights, self.biases):
            self.activations.append(1 / (1 + np.exp(-(w @ self.activations[-1] + b))))
        return self.activations[-1]

    def backward(self, delta):
        nabla_w, nabla_b = [None] * 2, [None] * 2
        for k in (1, 0):
            a = self.activations[k + 1]
            delta = delta * a * (1 - a)
            nabla_w[k] = delta @ self.activations[k].T
            nabla_b[k] = delta.sum(axis=1, keepdims=True)
            delta = self.weights[k].T @ delta
        self.nabla_weights, self.nabla_biases = nabla_w, nabla_b
        return delta


# an own class keeps what is needed; the gradient has the name of another value
class Memory:
    pass


def filter_forward(signal, taps):
    m = Memory()
    m.signal, m.taps = signal, taps
    m.n = len(signal) - len(taps) + 1
    out = np.zeros(m.n, dtype=np.float64)
    for k, tap in enumerate(taps):
        out += tap * signal[k : k + m.n].astype(float)
    return out, m


def filter_backward(ct, m):
    taps = np.array([float(ct @ m.signal[k : k + m.n]) for k in range(len(m.taps))])
    signal = np.convolve(ct, m.taps)
    return signal, taps


# what comes first is what came out
def sig(z):
    return 1 / (1 + np.exp(-z))


def sig_backward(a, above):
    return above * a * (1 - a)


# no layer has to be made for static methods
class Halve:
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x > 1)
        return np.where(x > 1, x / 2, x)

    @staticmethod
    def backward(ctx, grad_output):
        (big,) = ctx.saved_tensors
        grad_input = grad_output.copy()
        grad_input[big] /= 2
        return grad_input


# written out with while, break and try
def newton_forward(a):
    x, n = a, 0
    while n < 4:
        x = 0.5 * (x + a / x)
        n += 1
    return x, (a, n)


def newton_backward(dout, cache):
    a, n = cache
    xs = [a]
    while True:
        if len(xs) > n:
            break
        xs.append(0.5 * (xs[-1] + a / xs[-1]))
    g, da = dout, np.zeros_like(a)
    for x in xs[-2::-1]:
        try:
            da += g * 0.5 / x
        finally:
            g = g * 0.5 * (1 - a / x**2)
    return da + g


def vec(*shape):
    return RNG.normal(size=shape)


inputs = {
    "outer_forward": (vec(3), vec(4)),
    "elu_forward": (vec(3, 4),),
    "twice_forward": (vec(2, 3), TWICE_W),
    "dropout_forward": (vec(4, 5),),
    "jitter_forward": (vec(4, 5),),
    "hinge_forward": lambda: (vec(6), np.sign(vec(6)), {}),
    "Multiply": lambda: (Multiply(), Context(), vec(3), vec(3)),
    "line_forward": (vec(4, 3), vec(3)),
    "ray_forward": (vec(4, 3), vec(3)),
    "arc_forward": (vec(4, 3), vec(3)),
    "stack_forward": (vec(4, 3), [(vec(3, 2), vec(2)), (vec(2, 3), vec(3))]),
    "net_forward": (
        vec(4, 3),
        {"first": {"W": vec(3, 5), "b": vec(5)}, "second": {"W": vec(5, 2)}},
    ),
    "logistic_loss": ({"w": vec(3), "b": 0.3}, vec(5, 3), (vec(5) > 0) * 1.0),
    "Dense": lambda: (Dense(), vec(4, 3)),
    "Shift": lambda: (Shift(), vec(4, 3)),
    "square": (vec(4),),
    "expm": (vec(4),),
    "whiten_forward": (vec(40, 3), vec(3, 5), vec(5)),
    "half_forward": (vec(4, 3), vec(3, 5)),
    "area": (np.array([2, 3, 5]),),
    "tree_forward": (vec(5),),
    "Affine": lambda: (Affine(), vec(4, 3)),
    "Perceptron": lambda: (Perceptron(), vec(3, 5)),
    "filter_forward": (vec(7), vec(3)),
    "sig": (vec(4),),
    "Halve": lambda: (Context(), 2 * vec(4)),
    "newton_forward": (1 + vec(3) ** 2,),
}
