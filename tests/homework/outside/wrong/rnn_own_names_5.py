import numpy as np


def recur(inputs, params):
    """inputs (T, D) -> last state (H,), with a linear readout missing on purpose."""
    states = [np.zeros(params["V"].shape[0])]
    for row in inputs:
        states.append(np.tanh(params["U"] @ row + params["V"] @ states[-1]))
    return states[-1], dict(states=states, inputs=inputs, params=params)


def recur_backward(grad_state, saved):
    states, inputs = saved["states"], saved["inputs"]
    U, V = saved["params"]["U"], saved["params"]["V"]
    grads = {"inputs": np.zeros_like(inputs), "U": 0.0, "V": 0.0}
    for t in range(len(inputs) - 1, -1, -1):
        grad_sum = grad_state * (1.0 - states[t + 1] ** 2)
        grads["U"] = grads["U"] + np.outer(grad_sum, inputs[t])
        grads["V"] = grads["V"] + np.outer(grad_sum, states[t])
        grads["inputs"][t] = grad_sum @ V
        grad_state = grad_sum @ V
    return grads


def example():
    rng = np.random.default_rng(93)
    return rng.normal(size=(3, 4)), {"U": rng.normal(size=(4, 4)), "V": rng.normal(size=(4, 4)) / 2}
