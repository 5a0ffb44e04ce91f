"""Batch normalisation over axis 0, with the three paths to x written out."""
import numpy as np


class Saved:
    def __init__(self, **fields):
        self.__dict__.update(fields)


def normalise(x, scale, shift, eps=1e-4):
    mean = np.mean(x, axis=0, keepdims=True)
    centred = x - mean
    variance = np.mean(np.square(centred), axis=0, keepdims=True)
    inv = np.power(variance + eps, -0.5)
    normed = centred * inv
    return normed * scale + shift, Saved(centred=centred, inv=inv, normed=normed, scale=scale)


def normalise_backward(g, saved):
    n = g.shape[0]
    grad_shift = g.sum(axis=0)
    grad_scale = (g * saved.normed).sum(axis=0)
    grad_normed = g * saved.scale
    grad_variance = (grad_normed * saved.centred * -0.5 * saved.inv ** 2).sum(axis=0)
    grad_mean = (-grad_normed * saved.inv).sum(axis=0) + grad_variance * np.mean(-2 * saved.centred, axis=0)
    grad_x = grad_normed * saved.inv
    grad_x += grad_variance * 2 * saved.centred / n
    grad_x += grad_mean / n
    return grad_x, grad_scale, grad_shift


def example():
    rng = np.random.default_rng(42)
    return rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=3)
