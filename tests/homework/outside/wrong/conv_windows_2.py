# -*- coding: utf-8 -*-
# my solution

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv_layer(inputs, filters):
    """inputs (N, C, H, W), filters (F, C, 2, 2), stride 1."""
    patches = sliding_window_view(inputs, filters.shape[2:], axis=(2, 3))
    return np.tensordot(patches, filters, axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2), (patches, filters, inputs)


def conv_layer_backward(delta, cache):
    patches, filters, inputs = cache
    filters_grad = np.einsum("nfij,ncijuv->fcuv", delta, patches)
    inputs_grad = np.zeros(inputs.shape)
    rows, columns = delta.shape[2:]
    for u in range(filters.shape[2]):
        for v in range(filters.shape[3]):
            inputs_grad[:, :, u:u + rows, v:v + columns] += np.einsum("nfij,cf->ncij", delta, filters[:, :, u, v])
    return inputs_grad, filters_grad


def example():
    rng = np.random.default_rng(73)
    return rng.normal(size=(2, 2, 4, 4)), rng.normal(size=(2, 2, 2, 2))
