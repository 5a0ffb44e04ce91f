import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv_layer(inputs, filters):
    """inputs (N, C, H, W), filters (F, C, 2, 2), stride 1."""
    patches = sliding_window_view(inputs, filters.shape[2:], axis=(2, 3))
    return np.tensordot(patches, filters, axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2), (patches, filters, inputs)


def conv_layer_backward(delta, cache):
    patches, filters, inputs = cache
    grad_filters = np.einsum("nfij,ncijuv->fcuv", delta, patches)
    grad_inputs = np.zeros(inputs.shape)
    rows, columns = delta.shape[2:]
    for u in range(filters.shape[2]):
        for v in range(filters.shape[3]):
            grad_inputs[:, :, u:u + rows, v:v + columns] = np.einsum("nfij,fc->ncij", delta, filters[:, :, u, v])
    return grad_inputs, grad_filters


def example():
    rng = np.random.default_rng(73)
    return rng.normal(size=(2, 2, 4, 4)), rng.normal(size=(2, 2, 2, 2))
