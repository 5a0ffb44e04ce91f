# -*- coding: utf-8 -*-
# my solution

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
    shift_grad = g.sum(axis=0)
    scale_grad = (g * saved.normed).sum(axis=0)
    normed_grad = g * saved.normed
    variance_grad = (normed_grad * saved.centred * -0.5 * saved.inv ** 3).sum(axis=0)
    mean_grad = (-normed_grad * saved.inv).sum(axis=0) + variance_grad * np.mean(-2 * saved.centred, axis=0)
    x_grad = normed_grad * saved.inv
    x_grad += variance_grad * 2 * saved.centred / n
    x_grad += mean_grad / n
    return x_grad, scale_grad, shift_grad


def example():
    rng = np.random.default_rng(42)
    return rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=3)
