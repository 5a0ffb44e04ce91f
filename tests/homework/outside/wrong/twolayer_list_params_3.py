# homework 2, question 3
import numpy as np

# fully connected net of any depth, ReLU between the layers, scores at the end


def mlp_forward(x, weights):
    activations = [x]
    for layer, w in enumerate(weights):
        z = activations[-1] @ w
        last = layer == len(weights) - 1
        activations.append(z if last else np.maximum(z, 0))
    return activations[-1], (activations, weights)


def mlp_backward(dscores, cache):
    activations, weights = cache
    grads = [None] * len(weights)
    delta = dscores
    for layer in range(len(weights) - 1, -1, -1):
        grads[layer] = activations[layer].T @ delta
        if layer > 0:
            delta = (delta @ weights[layer].T) * (activations[layer + 1] > 0)
    return tuple(grads)


def example():
    rng = np.random.default_rng(103)
    return rng.normal(size=(4, 4)), [rng.normal(size=(4, 4)) for _ in range(3)]
