import numpy as np

def layer_forward(x, w):
    return x @ w, (x, w)

def layer_backward(dout, cache):
    x, w = cache
    dx = dout @ (w.T
    dw = x.T @ dout
    return dx, dw
