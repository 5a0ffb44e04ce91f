"""Sums of products: matrix products and their relatives."""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from corrente.gates.arrays import inverse, unbroadcast
from corrente.gates.calls import numbers, refuse
from corrente.record import REALS, Call, Contract, Params, Shape, call, composed, gate
from corrente.words import Says

Axes = tuple[tuple[int, ...], tuple[int, ...]]

_TURNED = Says(
    en="gives {0} the gradient times {1} transposed, and {1} the transposed {0} times the "
    "gradient: the only order in which the shapes fit",
    pt="dá a {0} o gradiente vezes {1} transposta, e a {1} a transposta de {0} vezes o "
    "gradiente: a única ordem em que as formas se encaixam",
)


def _upto(count: int) -> tuple[int, ...]:
    return tuple(range(count))


# --- matmul -------------------------------------------------------------------------------------


def _turned(x: Any) -> Any:
    """Exchange the last two axes."""
    n = np.ndim(x)
    return np.transpose(x, (*range(n - 2), n - 1, n - 2))


def _matmul_left(g: Any, out: Any, a: Any, b: Any) -> Any:
    na, nb = np.ndim(a), np.ndim(b)
    if nb == 1:
        return np.expand_dims(g, -1) * b
    if na == 1 and nb == 2:
        return np.matmul(b, g)
    if na <= 2 < nb:  # one matrix met a whole batch: one product adds the batch up
        batch = _upto(nb - 2)
        return np.tensordot(g, b, axes=((*batch, np.ndim(g) - 1), (*batch, nb - 1)))
    return unbroadcast(np.matmul(g, _turned(b)), np.shape(a))


def _matmul_right(g: Any, out: Any, a: Any, b: Any) -> Any:
    na, nb = np.ndim(a), np.ndim(b)
    if na == 1:
        return a * g if nb == 1 else np.expand_dims(a, -1) * np.expand_dims(g, -2)
    if na == 2 and nb == 1:
        return np.matmul(g, a)
    if nb <= 2 < na:
        rows = _upto(na - 1)
        return np.tensordot(a, g, axes=(rows, rows))
    return unbroadcast(np.matmul(_turned(a), g), np.shape(b))


def _matmul_spec(ndims: tuple[int, ...], params: Params) -> str:
    na, nb = ndims
    batch = string.ascii_uppercase[: max(na, nb, 2) - 2]
    left = batch[len(batch) - na + 2 :] + "ik" if na > 1 else "k"
    right = batch[len(batch) - nb + 2 :] + "kj" if nb > 1 else "k"
    return f"{left},{right}->{batch}{'i' * (na > 1)}{'j' * (nb > 1)}"


def _matmul_shape(a: Shape, b: Shape) -> Shape:
    batch = np.broadcast_shapes(a[:-2], b[:-2])
    return (*batch, *a[-2:-1], *(b[-1:] if len(b) > 1 else ()))


matmul = gate(
    np.matmul,
    kind=Contract(_matmul_spec),
    takes=None,
    shape=_matmul_shape,
    pulls=(_matmul_left, _matmul_right),
    linear=(0, 1),
    symbol="@",
    code=lambda names, params: f"{names[0]} @ {names[1]}",
    does=Says(en="multiplies the matrices {0} and {1}", pt="multiplica as matrizes {0} e {1}"),
    teaches=_TURNED,
    domain=(REALS, REALS),
    example=lambda rng: call(rng.normal(size=(4, 1, 2, 3)), rng.normal(size=(5, 3, 2))),
)


# --- tensordot and dot --------------------------------------------------------------------------


def _free(x: Any, bound: Sequence[int]) -> tuple[int, ...]:
    return tuple(k for k in range(np.ndim(x)) if k not in bound)


def _contract_left(g: Any, a: Any, b: Any, axes: Axes) -> Any:
    """Return the gradient of a: g meets b along b's free axes, and the axes go back in order."""
    kept, given = _free(a, axes[0]), _free(b, axes[1])
    count = len(kept)
    d = np.tensordot(g, b, axes=(tuple(range(count, count + len(given))), given))
    order = (*kept, *(axes[0][k] for k in inverse(axes[1])))
    return d if order == _upto(len(order)) else np.transpose(d, inverse(order))


def _contract_right(g: Any, a: Any, b: Any, axes: Axes) -> Any:
    kept, given = _free(b, axes[1]), _free(a, axes[0])
    d = np.tensordot(a, g, axes=(given, _upto(len(given))))
    order = (*(axes[1][k] for k in inverse(axes[0])), *kept)
    return d if order == _upto(len(order)) else np.transpose(d, inverse(order))


def _takes_tensordot(a: Any, b: Any, axes: Any = 2) -> Call:
    if hasattr(axes, "__iter__"):
        ends = map(numbers, axes)
    else:
        ends = range(np.ndim(a) - axes, np.ndim(a)), range(axes)
    first, second = (
        normalize_axis_tuple(end, np.ndim(x)) for end, x in zip(ends, (a, b), strict=True)
    )
    return call(a, b, axes=(first, second))


def _tensordot_spec(ndims: tuple[int, ...], params: Params) -> str:
    bound = dict(zip(params["axes"][1], params["axes"][0], strict=True))
    left = string.ascii_letters[: ndims[0]]
    fresh = iter(string.ascii_letters[ndims[0] :])
    right = "".join(left[bound[k]] if k in bound else next(fresh) for k in range(ndims[1]))
    kept = [c for k, c in enumerate(left) if k not in params["axes"][0]]
    kept += [c for k, c in enumerate(right) if k not in params["axes"][1]]
    return f"{left},{right}->{''.join(kept)}"


def _tensordot_shape(a: Shape, b: Shape, axes: Axes) -> Shape:
    kept = [n for k, n in enumerate(a) if k not in axes[0]]
    return (*kept, *(n for k, n in enumerate(b) if k not in axes[1]))


tensordot = gate(
    np.tensordot,
    kind=Contract(_tensordot_spec),
    takes=_takes_tensordot,
    shape=_tensordot_shape,
    pulls=(
        lambda g, out, a, b, axes: _contract_left(g, a, b, axes),
        lambda g, out, a, b, axes: _contract_right(g, a, b, axes),
    ),
    linear=(0, 1),
    symbol="tensordot",
    code=None,
    does=Says(
        en="multiplies {0} and {1} and adds up along the axes they share",
        pt="multiplica {0} e {1} e soma ao longo dos eixos que compartilham",
    ),
    teaches=Says(
        en="gives each input the gradient contracted with the other, along the other's own axes",
        pt="dá a cada entrada o gradiente contraído com a outra, ao longo dos eixos só da outra",
    ),
    domain=(REALS, REALS),
    example=lambda rng: call(
        rng.normal(size=(2, 3, 4)), rng.normal(size=(4, 5, 2)), axes=((0, 2), (2, 0))
    ),
)


def _dot_axes(na: int, nb: int) -> Axes:
    return ((na - 1,), (max(nb - 2, 0),)) if na and nb else ((), ())


def _dot_left(g: Any, out: Any, a: Any, b: Any) -> Any:
    na, nb = np.ndim(a), np.ndim(b)
    if nb == 0:
        return g * b
    if 0 < na <= 2 and nb <= 2:
        return _matmul_left(g, out, a, b)
    return _contract_left(g, a, b, _dot_axes(na, nb))


def _dot_right(g: Any, out: Any, a: Any, b: Any) -> Any:
    na, nb = np.ndim(a), np.ndim(b)
    if na == 0:
        return a * g
    if na <= 2 and 0 < nb <= 2:
        return _matmul_right(g, out, a, b)
    return _contract_right(g, a, b, _dot_axes(na, nb))


def _takes_dot(a: Any, b: Any, out: Any = None) -> Call:
    refuse("dot", out=out)
    return call(a, b)


dot = gate(
    np.dot,
    kind=Contract(lambda ndims, params: _tensordot_spec(ndims, {"axes": _dot_axes(*ndims)})),
    takes=_takes_dot,
    shape=lambda a, b: _tensordot_shape(a, b, _dot_axes(len(a), len(b))),
    pulls=(_dot_left, _dot_right),
    linear=(0, 1),
    symbol="·",
    code=None,
    does=Says(
        en="takes the dot product of {0} and {1}",
        pt="faz o produto escalar de {0} e {1}",
    ),
    teaches=_TURNED,
    domain=(REALS, REALS),
    example=lambda rng: call(rng.normal(size=(2, 3)), rng.normal(size=(4, 3, 2))),
)


@composed(np.inner)
def _inner(a: Any, b: Any, /) -> Any:
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(a) == np.ndim(b) == 1:
        return np.dot(a, b)  # a number, where tensordot gives an array of no axes
    return np.tensordot(a, b, axes=(-1, -1))


@composed(np.vdot)
def _vdot(a: Any, b: Any, /) -> Any:
    return np.dot(np.ravel(np.conjugate(a) if np.iscomplexobj(a) else a), np.ravel(b))


# --- outer --------------------------------------------------------------------------------------


def _takes_outer(a: Any, b: Any, out: Any = None) -> Call:
    refuse("outer", out=out)
    return call(*(x if np.ndim(x) == 1 else np.ravel(x) for x in (a, b)))


outer = gate(
    np.outer,
    kind=Contract(lambda ndims, params: "i,j->ij"),
    takes=_takes_outer,
    shape=lambda a, b: (*a, *b),
    pulls=(
        lambda g, out, a, b: np.matmul(g, b),
        lambda g, out, a, b: np.matmul(a, g),
    ),
    linear=(0, 1),
    symbol="⊗",
    code=None,
    does=Says(
        en="multiplies each element of {0} by each element of {1}",
        pt="multiplica cada elemento de {0} por cada elemento de {1}",
    ),
    teaches=Says(
        en="gives {0} the gradient's rows weighted by {1}, and {1} its columns weighted by {0}",
        pt="dá a {0} as linhas do gradiente ponderadas por {1}, "
        "e a {1} as colunas ponderadas por {0}",
    ),
    domain=(REALS, REALS),
    example=lambda rng: call(rng.normal(size=3), rng.normal(size=4)),
)
