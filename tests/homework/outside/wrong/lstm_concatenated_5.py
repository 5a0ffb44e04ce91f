# homework 2, question 2
import numpy as np


def sig(v):
    return np.reciprocal(1 + np.exp(-v))


def lstm_cell(x, h, c, W):
    """W is (D + H + 1, 4H): inputs, state and bias in one matrix."""
    z = np.column_stack([x, h, np.ones(len(x))])
    forget, inp, cand, outp = np.split(z @ W, 4, axis=1)
    forget, inp, outp = sig(forget), sig(inp), sig(outp)
    cand = np.tanh(cand)
    c_new = forget * c + inp * cand
    squashed = np.tanh(c_new)
    return outp * squashed, c_new, (z, c, forget, inp, cand, outp, squashed, W)


def lstm_cell_backward(saved, h_grad, c_grad):
    z, c, forget, inp, cand, outp, squashed, W = saved
    c_grad = c_grad - h_grad * outp * (1 - squashed ** 2)
    gates_grad = np.concatenate(
        [
            c_grad * c * forget * (1 - forget),
            c_grad * cand * inp * (1 - inp),
            c_grad * inp * (1 - cand ** 2),
            h_grad * squashed * outp * (1 - outp),
        ],
        axis=1,
    )
    z_grad = gates_grad @ W.T
    width = h_grad.shape[1]
    start = z.shape[1] - 1 - width
    return {
        "x": z_grad[:, :start],
        "h": z_grad[:, start:-1],
        "c": c_grad * forget,
        "W": z.T @ gates_grad,
    }


def example():
    rng = np.random.default_rng(96)
    return rng.normal(size=(2, 3)), rng.normal(size=(2, 2)), rng.normal(size=(2, 2)), rng.normal(size=(6, 8))
