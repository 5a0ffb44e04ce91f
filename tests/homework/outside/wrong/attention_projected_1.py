from dataclasses import dataclass

import numpy as np


@dataclass
class Memory:
    x: np.ndarray
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    a: np.ndarray
    y: np.ndarray
    ws: tuple


def self_attention(x, Wq, Wk, Wv, Wo):
    """Causal self-attention on (B, T, D), one head."""
    B, T, D = x.shape
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    s = np.einsum("bid,bjd->bij", q, k) / D ** 0.5
    s = np.where(np.tril(np.ones((T, T), dtype=bool)), s, -1e30)
    e = np.exp(s - s.max(-1, keepdims=True))
    a = e / e.sum(-1, keepdims=True)
    y = np.einsum("bij,bjd->bid", a, v)
    return y @ Wo, Memory(x, q, k, v, a, y, (Wq, Wk, Wv, Wo))


def self_attention_backward(dout, m: Memory):
    Wq, Wk, Wv, Wo = m.ws
    root = m.x.shape[-1] ** 0.5
    dWo = np.einsum("bid,bie->de", m.y, dout)
    dy = dout @ Wo.T
    dv = np.einsum("bij,bid->bjd", m.a, dy)
    da = np.einsum("bid,bjd->bij", dy, m.v)
    ds = m.a * da - m.a * (m.a * da).sum(-1, keepdims=True)
    dq = np.einsum("bij,bjd->bid", ds, m.k) / root
    dk = np.einsum("bij,bid->bjd", ds, m.q) / root
    dWq = np.einsum("btd,bte->de", m.x, dq)
    dWk = np.einsum("btd,bte->de", m.x, dk)
    dWv = np.einsum("btd,bte->de", m.x, dv)
    dx = dq @ Wq.T + dv @ Wv.T
    return dx, dWq, dWk, dWv, dWo


def example():
    rng = np.random.default_rng(111)
    return (rng.normal(size=(2, 3, 3)), *(rng.normal(size=(3, 3)) for _ in range(4)))
