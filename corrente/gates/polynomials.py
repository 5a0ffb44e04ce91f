"""Polynomials as rows of coefficients, the highest power first: values, roots, products, fits."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from corrente.gates.calls import refuse
from corrente.gates.given import given
from corrente.record import Call, Opaque, call, composed, gate
from corrente.words import Says


def _row(p: Any) -> Any:
    return np.atleast_1d(given(p))


@composed(np.polyval)
def _polyval(p: Any, x: Any) -> Any:
    x = given(x)
    out = np.zeros_like(x)
    for coefficient in given(p):
        out = out * x + coefficient
    return out


def _aligned(a1: Any, a2: Any) -> tuple[Any, Any]:
    """Fill up the shorter of two rows with zeros in front."""
    a1, a2 = _row(a1), _row(a2)
    length = max(len(a1), len(a2))
    return np.pad(a1, (length - len(a1), 0)), np.pad(a2, (length - len(a2), 0))


@composed(np.polyadd)
def _polyadd(a1: Any, a2: Any) -> Any:
    first, second = _aligned(a1, a2)
    return first + second


@composed(np.polysub)
def _polysub(a1: Any, a2: Any) -> Any:
    first, second = _aligned(a1, a2)
    return first - second


@composed(np.polymul)
def _polymul(a1: Any, a2: Any) -> Any:
    return np.convolve(_row(a1), _row(a2))


@composed(np.polydiv)
def _polydiv(u: Any, v: Any) -> Any:
    rest, v = _row(u) + 0.0, _row(v) + 0.0
    width, quotients = len(v), []
    for _ in range(len(rest) - width + 1):
        quotient = rest[:1] / v[0]
        quotients.append(quotient)
        rest = np.concatenate(
            [rest[:1] - quotient * v[0], rest[1:width] - quotient * v[1:], rest[width:]]
        )
        rest = rest[1:] if len(rest) > 1 else rest
    return (np.concatenate(quotients) if quotients else rest[:1] * 0.0), _led(rest)


def _led(rest: Any) -> Any:
    """Drop what is next to nothing in front of a remainder, as NumPy does."""
    while len(rest) > 1 and np.allclose(rest[0], 0, rtol=1e-14):
        rest = rest[1:]
    return rest


@composed(np.polyder)
def _polyder(p: Any, m: int = 1) -> Any:
    p = given(p)
    for _ in range(operator.index(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@composed(np.polyint)
def _polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    p = given(p)
    constants = np.atleast_1d(np.zeros(m, p.dtype) if k is None else given(k))
    if len(constants) == 1 and m > 1:
        constants = np.repeat(constants, m)
    if len(constants) < m:
        raise ValueError("k must be a scalar or a rank-1 array of length 1 or >m.")
    for order in range(operator.index(m)):
        lifted = p / np.arange(len(p), 0, -1)
        p = np.concatenate([lifted, constants[order : order + 1]])
    return p


@composed(np.poly)
def _poly(seq_of_zeros: Any) -> Any:
    zeros = _row(seq_of_zeros)
    if np.ndim(zeros) == 2:
        zeros = np.linalg.eigvals(zeros)
    if len(zeros) == 0:
        return 1.0
    product = np.ones(1, zeros.dtype)
    for k in range(len(zeros)):
        product = np.convolve(product, np.concatenate([np.ones(1, zeros.dtype), -zeros[k : k + 1]]))
    if np.iscomplexobj(product):
        # conjugate pairs of zeros make a real polynomial
        paired = np.array_equal(np.sort(zeros), np.sort(np.conjugate(zeros)))
        return np.real(product) if paired else product
    return product


@composed(np.vander)
def _vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    x = given(x)
    powers = np.arange(len(x) if N is None else N)
    return x[:, None] ** (powers if increasing else powers[::-1])


@composed(np.polyfit)
def _polyfit(
    x: Any, y: Any, deg: int, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    refuse("polyfit", full=full, cov=cov)
    x, y = given(x) + 0.0, given(y) + 0.0
    left = np.vander(x, operator.index(deg) + 1)
    if w is not None:
        w = given(w)
        left, y = left * w[:, None], y * (w[:, None] if np.ndim(y) == 2 else w)
    scale = np.sqrt(np.sum(left * left, axis=0))
    rcond = len(x) * np.finfo(x.dtype).eps if rcond is None else rcond
    found = np.linalg.lstsq(left / scale, y, rcond)[0]
    return np.transpose(np.transpose(found) / scale)


# --- roots --------------------------------------------------------------------------------------


def _takes_roots(p: Any) -> Call:
    p = _row(p)
    if np.ndim(p) != 1:
        raise ValueError("Input must be a rank-1 array.")
    return call(p)


def _local(p: Any, out: Any) -> Any:
    """Return how each root (rows) moves with each coefficient (columns).

    A root r of p stays one, p(r) = 0, so it moves by minus its power over p′(r).
    """
    degree = len(p) - 1
    powers = np.stack([out**k for k in range(degree, -1, -1)], axis=1)
    slope = powers[:, 1:] @ (p[:-1] * np.arange(degree, 0, -1, dtype=p.dtype))
    return -powers / slope[:, None]


def _pull_roots(g: Any, out: Any, p: Any) -> Any:
    gradient = g @ _local(p, out)
    return gradient if np.iscomplexobj(p) or not np.iscomplexobj(gradient) else np.real(gradient)


roots = gate(
    np.roots,
    kind=Opaque(),
    takes=_takes_roots,
    shape=None,  # leading zeros make fewer roots
    pulls=(_pull_roots,),
    push=lambda tangents, out, ins, params: _local(ins[0], out) @ tangents[0],
    symbol="roots",
    code=None,
    does=Says(en="finds the roots of the polynomial {0}", pt="encontra as raízes do polinômio {0}"),
    teaches=Says(
        en="gives each coefficient the gradient of each root times minus the root's power, "
        "divided by the slope there; infinite at a repeated root",
        pt="dá a cada coeficiente o gradiente de cada raiz vezes menos a potência da raiz, "
        "dividido pela inclinação ali; infinito numa raiz repetida",
    ),
    example=lambda rng: call(np.array([1.0, -2.0, -1.0, 2.5, 3.0]) + 0.1 * rng.normal(size=5)),
)
