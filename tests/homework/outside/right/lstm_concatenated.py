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


def lstm_cell_backward(saved, grad_h, grad_c):
    z, c, forget, inp, cand, outp, squashed, W = saved
    grad_c = grad_c + grad_h * outp * (1 - squashed ** 2)
    grad_gates = np.concatenate(
        [
            grad_c * c * forget * (1 - forget),
            grad_c * cand * inp * (1 - inp),
            grad_c * inp * (1 - cand ** 2),
            grad_h * squashed * outp * (1 - outp),
        ],
        axis=1,
    )
    grad_z = grad_gates @ W.T
    width = grad_h.shape[1]
    start = z.shape[1] - 1 - width
    return {
        "x": grad_z[:, :start],
        "h": grad_z[:, start:-1],
        "c": grad_c * forget,
        "W": z.T @ grad_gates,
    }


def example():
    rng = np.random.default_rng(96)
    return rng.normal(size=(2, 3)), rng.normal(size=(2, 2)), rng.normal(size=(2, 2)), rng.normal(size=(6, 8))
