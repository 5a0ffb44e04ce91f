"""Lengths and sizes: the norms of vectors and matrices, condition numbers, ranks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.gates.calls import Axis, axes_of, axis_of
from corrente.gates.complexes import conjugated
from corrente.gates.own import dispatched
from corrente.gates.reductions import folded, restore
from corrente.record import Call, Opaque, Params, Reduce, call, composed, gate
from corrente.words import Says

Axes = tuple[int, ...]

# --- the Euclidean norm -------------------------------------------------------------------------


@dispatched
def _length(x: Any, axis: Axes, keepdims: Any, whole: bool = False) -> Any:
    """Return the square root of the sum of squares over axes; `whole`: the user named none."""
    if whole and len(axis) == np.ndim(x):
        return np.linalg.norm(x, keepdims=keepdims)
    if len(axis) in (1, 2):
        return np.linalg.norm(x, axis=axis if len(axis) == 2 else axis[0], keepdims=keepdims)
    return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims)


def _pull_length(g: Any, out: Any, x: Any, axis: Axes, keepdims: bool, whole: bool) -> Any:
    still = np.equal(out, 0)  # a kink, as of |x| at 0, and the same convention
    share = np.where(still, 0.0, g / np.where(still, 1.0, out))
    return conjugated(x) * restore(share, axis, keepdims)


def _push_length(tangents: Any, out: Any, ins: Any, params: Params) -> Any:
    local = _pull_length(np.ones_like(out), out, *ins, **params)
    moved = np.real(local * tangents[0]) if np.iscomplexobj(ins[0]) else local * tangents[0]
    return np.sum(moved, axis=params["axis"], keepdims=params["keepdims"])


def _written_norm(names: Sequence[str], params: Params) -> str:
    axis = params["axis"]
    words = [names[0]]
    if not params["whole"]:
        words.append(f"axis={axis[0] if len(axis) == 1 else axis}")
    if params["keepdims"]:
        words.append("keepdims=True")
    named = "norm" if params["whole"] or len(axis) in (1, 2) else "vector_norm"
    return f"np.linalg.{named}({', '.join(words)})"


norm = gate(
    _length,
    name="norm",
    kind=Reduce(),
    takes=lambda x, axis, keepdims, whole=False: call(
        x, axis=axis, keepdims=bool(keepdims), whole=whole
    ),
    shape=folded,
    pulls=(_pull_length,),
    push=_push_length,
    side=lambda x, axis, **_: np.any(np.not_equal(x, 0), axis=axis),
    symbol="‖x‖",
    code=_written_norm,
    does=Says(
        en="measures the length of {0}: the square root of the sum of its squares",
        pt="mede o comprimento de {0}: a raiz quadrada da soma dos seus quadrados",
    ),
    teaches=Says(
        en="gives each element the gradient times its part in the length; zero where all is zero",
        pt="dá a cada elemento o gradiente vezes a sua parte no comprimento; zero onde tudo é zero",
    ),
    example=lambda rng: call(
        rng.uniform(0.3, 2.5, size=(3, 2, 4)), axis=(0, 2), keepdims=False, whole=False
    ),
)


# --- norms by order -----------------------------------------------------------------------------


def _by_order(x: Any, order: Any, axes: Axes, keepdims: bool) -> Any:
    """Return the norm of vectors that lie along axes, for an order other than two."""
    size = np.abs(x)
    if order == math.inf:
        return np.max(size, axis=axes, keepdims=keepdims)
    if order == -math.inf:
        return np.min(size, axis=axes, keepdims=keepdims)
    if order == 0:
        return np.sum(np.not_equal(x, 0).astype(size.dtype), axis=axes, keepdims=keepdims)
    if order == 1:
        return np.sum(size, axis=axes, keepdims=keepdims)
    total = np.sum(np.power(size, order), axis=axes, keepdims=keepdims)
    still = np.equal(total, 0)
    return np.where(still, 0.0, np.power(np.where(still, 1.0, total), 1.0 / order))


def _matrix_by_order(x: Any, order: Any) -> Any:
    """Return the norm of matrices in the last two axes, for an order other than "fro"."""
    if order in (2, -2, "nuc"):
        fold = {2: np.max, -2: np.min, "nuc": np.sum}[order]
        return fold(np.linalg.svd(x, compute_uv=False), axis=-1)
    sums = np.sum(np.abs(x), axis=-2 if abs(order) == 1 else -1)
    return (np.max if order > 0 else np.min)(sums, axis=-1)


_OF_MATRICES = ("nuc", 1, -1, 2, -2, math.inf, -math.inf)


@composed(np.linalg.norm)
def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    named = range(np.ndim(x)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    places = tuple(axis_of(k, x) for k in named)
    euclidean = ord is None or ord == 2 if len(places) == 1 else ord in (None, "fro", "f")
    if euclidean and (len(places) in (1, 2) or (axis is None and ord is None)):
        return _length(x, axes_of(places, x), keepdims, axis is None)
    if len(places) == 1 and not isinstance(ord, str):
        return _by_order(x, ord, places, keepdims)
    if len(places) == 2 and ord in _OF_MATRICES:
        last = (np.ndim(x) - 2, np.ndim(x) - 1)
        out = _matrix_by_order(x if places == last else np.moveaxis(x, places, last), ord)
        return np.expand_dims(out, places) if keepdims else out
    mistaken: Any = np.linalg.norm  # NumPy has its own words for the mistake
    return mistaken(np.zeros(np.shape(x)), ord, axis)


@composed(np.linalg.vector_norm)
def _vector_norm(x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: Any = 2) -> Any:
    axes = axes_of(axis, x)
    return _length(x, axes, keepdims) if ord == 2 else _by_order(x, ord, axes, keepdims)


@composed(np.linalg.matrix_norm)
def _matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    return np.linalg.norm(x, ord, (-2, -1), keepdims)


@composed(np.linalg.cond)
def _cond(x: Any, p: Any = None) -> Any:
    if p in (None, 2, -2):
        sizes = np.linalg.svd(x, compute_uv=False)
        with np.errstate(divide="ignore"):  # of a singular matrix it is infinite, as in NumPy
            ends = sizes[..., 0], sizes[..., -1]
            return ends[1] / ends[0] if p == -2 else ends[0] / ends[1]
    inverse = np.linalg.inv(x)
    return np.linalg.norm(x, p, (-2, -1)) * np.linalg.norm(inverse, p, (-2, -1))


# --- rank ---------------------------------------------------------------------------------------


def _takes_rank(A: Any, tol: Any = None, hermitian: bool = False, *, rtol: Any = None) -> Call:
    return call(A, tol=tol, hermitian=bool(hermitian), rtol=rtol)


def _rank(A: Any, tol: Any, hermitian: bool, rtol: Any) -> Any:
    return np.linalg.matrix_rank(A, tol, hermitian, rtol=rtol)


def _written_rank(names: Sequence[str], params: Params) -> str:
    given = {
        key: value for key, value in params.items() if value is not None and value is not False
    }
    words = [f"{key}={value!r}" for key, value in given.items()]
    return f"np.linalg.matrix_rank({', '.join([names[0], *words])})"


matrix_rank = gate(
    np.linalg.matrix_rank,
    kind=Opaque(),
    takes=_takes_rank,
    forward=_rank,
    shape=lambda A, **_: A[:-2],
    pulls=None,
    symbol="rank",
    code=_written_rank,
    does=Says(
        en="counts the independent columns of {0}",
        pt="conta as colunas independentes de {0}",
    ),
    teaches=Says(
        en="lets no gradient through: a rank moves in jumps",
        pt="não deixa passar gradiente: um posto anda aos saltos",
    ),
    example=lambda rng: call(rng.normal(size=(2, 4, 3)), tol=None, hermitian=False, rtol=None),
)
