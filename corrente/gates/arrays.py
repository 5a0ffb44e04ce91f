"""Rearranging: new shapes, turned axes, copies along an axis, diagonals; no arithmetic forward.

Each `Rearrange(batch)` rule is the same gate for inputs with one more axis in front, in plain
NumPy.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from corrente.gates.calls import axes_of, axis_of, numbers, refuse, written
from corrente.gates.indexing import blank
from corrente.record import Call, Params, Rearrange, Shape, call, composed, gate
from corrente.words import Says


def unbroadcast(g: Any, shape: Shape) -> Any:
    """Sum a gradient over the axes along which a value of the given shape was repeated.

    >>> unbroadcast(np.ones((2, 3, 4)), (3, 1))
    array([[8.],
           [8.],
           [8.]])
    """
    have = np.shape(g)
    lead = len(have) - len(shape)
    axes = (*range(lead), *(lead + k for k, n in enumerate(shape) if n == 1 != have[lead + k]))
    if axes:
        g = np.sum(g, axis=axes)
    return g if np.shape(g) == shape else np.reshape(g, shape)


# --- new shapes ---------------------------------------------------------------------------------


def _ordered(name: str, order: str | None) -> str:
    refuse(name, order=order if order not in ("C", "F", None) else None)
    return order or "C"


def _takes_reshape(
    a: Any, /, shape: Any = None, order: str | None = "C", *, copy: bool | None = None
) -> Call:
    refuse("reshape", copy=copy)
    wanted = list(numbers(shape))
    if wanted.count(-1) == 1:
        known = math.prod(n for n in wanted if n != -1)
        wanted[wanted.index(-1)] = np.size(a) // known if known else -1
    return call(a, shape=tuple(wanted), order=_ordered("reshape", order))


def _batch_reshape(x: Any, shape: Shape, order: Any) -> Any:
    return np.reshape(x, (np.shape(x)[0], *shape), order=order)


def _written_reshape(names: Sequence[str], params: Params) -> str:
    order = "" if params["order"] == "C" else f", order={params['order']!r}"
    return f"np.reshape({names[0]}, {params['shape']}{order})"


reshape = gate(
    np.reshape,
    kind=Rearrange(_batch_reshape),
    takes=_takes_reshape,
    shape=lambda x, shape, order: shape,
    pulls=(lambda g, out, x, shape, order: np.reshape(g, np.shape(x), order=order),),
    linear=(0,),
    symbol="reshape",
    code=_written_reshape,
    does=Says(
        en="gives the elements of {0} another shape",
        pt="dá outra forma aos elementos de {0}",
    ),
    teaches=Says(
        en="gives the gradient the input's shape again",
        pt="devolve ao gradiente a forma da entrada",
    ),
    example=lambda rng: call(rng.normal(size=(2, 3, 2)), shape=(4, 3), order="C"),
    facts=("linear",),
)


@composed(np.ravel)
def _ravel(a: Any, order: str | None = "C") -> Any:
    flat = np.reshape(a, (np.size(a),), order=_ordered("ravel", order))  # type: ignore[arg-type]
    # where the elements do not lie in a row ravel copies, and reshape may still give a view
    return flat if _in_a_row(a) else np.copy(flat)


def _in_a_row(a: Any) -> bool:
    while hasattr(a, "now"):
        a = a.now()
    return not isinstance(a, np.ndarray) or a.flags.c_contiguous


expand_dims = gate(
    np.expand_dims,
    kind=Rearrange(lambda x, axis: np.expand_dims(x, tuple(k + 1 for k in axis))),
    takes=lambda a, axis: _call_expand(a, axis),
    shape=lambda x, axis: np.expand_dims(np.broadcast_to(0.0, x), axis).shape,
    pulls=(lambda g, out, x, axis: np.reshape(g, np.shape(x)),),
    linear=(0,),
    symbol="+axis",
    code=written("expand_dims"),
    does=Says(en="gives {0} an axis of length one", pt="dá a {0} um eixo de comprimento um"),
    teaches=Says(
        en="takes the axis of length one off the gradient",
        pt="tira do gradiente o eixo de comprimento um",
    ),
    example=lambda rng: call(rng.normal(size=(2, 3)), axis=(0, 2)),
    facts=("linear",),
)


def _call_expand(a: Any, axis: Any) -> Call:
    places = numbers(axis)
    return call(a, axis=tuple(sorted(normalize_axis_tuple(places, np.ndim(a) + len(places)))))


def _takes_squeeze(a: Any, axis: Any = None) -> Call:
    shape = np.shape(a)
    if axis is None:
        return call(a, axis=tuple(k for k, n in enumerate(shape) if n == 1))
    return call(a, axis=axes_of(axis, a))


squeeze = gate(
    np.squeeze,
    kind=Rearrange(lambda x, axis: np.squeeze(x, tuple(k + 1 for k in axis))),
    takes=_takes_squeeze,
    shape=lambda x, axis: tuple(n for k, n in enumerate(x) if k not in axis),
    pulls=(lambda g, out, x, axis: np.reshape(g, np.shape(x)),),
    linear=(0,),
    symbol="−axis",
    code=written("squeeze"),
    does=Says(
        en="takes axes of length one off {0}",
        pt="tira de {0} eixos de comprimento um",
    ),
    teaches=Says(
        en="gives the gradient its axes of length one back",
        pt="devolve ao gradiente os seus eixos de comprimento um",
    ),
    example=lambda rng: call(rng.normal(size=(1, 3, 1)), axis=(0,)),
    facts=("linear",),
)


# --- turned axes --------------------------------------------------------------------------------


def _takes_transpose(a: Any, axes: Any = None) -> Call:
    ndim = np.ndim(a)
    turned = range(ndim)[::-1] if axes is None else normalize_axis_tuple(axes, ndim)
    return call(a, axes=tuple(turned))


def _written_transpose(names: Sequence[str], params: Params) -> str:
    axes = params["axes"]
    if len(axes) > 1 and axes == tuple(range(len(axes)))[::-1]:
        return f"{names[0]}.T"
    return f"np.transpose({names[0]}, {axes})"


def inverse(axes: Sequence[int]) -> tuple[int, ...]:
    """Return the order of axes that undoes another one."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


transpose = gate(
    np.transpose,
    kind=Rearrange(lambda x, axes: np.transpose(x, (0, *(k + 1 for k in axes)))),
    takes=_takes_transpose,
    shape=lambda x, axes: tuple(x[k] for k in axes),
    pulls=(lambda g, out, x, axes: np.transpose(g, inverse(axes)),),
    linear=(0,),
    symbol="ᵀ",
    code=_written_transpose,
    does=Says(en="turns the axes of {0}", pt="troca os eixos de {0}"),
    teaches=Says(
        en="turns the axes of the gradient back",
        pt="devolve os eixos do gradiente à ordem de antes",
    ),
    example=lambda rng: call(rng.normal(size=(2, 3, 4)), axes=(2, 0, 1)),
    facts=("linear",),
)


@composed(np.matrix_transpose)
def _matrix_transpose(x: Any, /) -> Any:
    return np.swapaxes(x, -1, -2)


@composed(np.swapaxes)
def _swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    first, second = axis_of(axis1, a), axis_of(axis2, a)
    axes = list(range(np.ndim(a)))
    axes[first], axes[second] = second, first
    return np.transpose(a, axes)


@composed(np.moveaxis)
def _moveaxis(a: Any, source: Any, destination: Any) -> Any:
    # NumPy knows the order; which axis went where is read off the shape of an empty array
    marked = np.moveaxis(np.empty(range(np.ndim(a))), source, destination)
    return np.transpose(a, marked.shape)


flip = gate(
    np.flip,
    kind=Rearrange(lambda x, axis: np.flip(x, tuple(k + 1 for k in axis))),
    takes=lambda m, axis=None: call(m, axis=axes_of(axis, m)),
    shape=lambda x, axis: x,
    pulls=(lambda g, out, x, axis: np.flip(g, axis),),
    linear=(0,),
    symbol="flip",
    code=written("flip"),
    does=Says(en="reads {0} backwards", pt="lê {0} de trás para a frente"),
    teaches=Says(
        en="reads the gradient backwards too",
        pt="lê também o gradiente de trás para a frente",
    ),
    example=lambda rng: call(rng.normal(size=(2, 3)), axis=(1,)),
    facts=("linear",),
)


@composed(np.fliplr)
def _fliplr(m: Any) -> Any:
    return np.flip(m, 1)


@composed(np.flipud)
def _flipud(m: Any) -> Any:
    return np.flip(m, 0)


@composed(np.rot90)
def _rot90(m: Any, k: int = 1, axes: Sequence[int] = (0, 1)) -> Any:
    first, second = axes
    k = k % 4
    if k == 2:
        return np.flip(m, (first, second))
    if k == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    return np.flip(np.swapaxes(m, first, second), second) if k else m


def _takes_roll(a: Any, shift: Any, axis: Any = None) -> Call:
    if axis is None:
        return call(a, shift=(sum(numbers(shift)),), axis=None)
    pairs = np.broadcast(numbers(shift), numbers(axis))
    shifts, places = zip(*((int(s), axis_of(int(k), a)) for s, k in pairs), strict=True)
    return call(a, shift=shifts, axis=places)


def _roll(x: Any, shift: tuple[int, ...], axis: tuple[int, ...] | None) -> Any:
    return np.roll(x, shift[0] if axis is None else shift, axis)


def _batch_roll(x: Any, shift: tuple[int, ...], axis: tuple[int, ...] | None) -> Any:
    if axis is not None:
        return np.roll(x, shift, tuple(k + 1 for k in axis))
    rows = np.reshape(x, (np.shape(x)[0], -1))
    return np.reshape(np.roll(rows, shift[0], 1), np.shape(x))


roll = gate(
    np.roll,
    kind=Rearrange(_batch_roll),
    takes=_takes_roll,
    forward=_roll,
    shape=lambda x, shift, axis: x,
    pulls=(lambda g, out, x, shift, axis: _roll(g, tuple(-n for n in shift), axis),),
    linear=(0,),
    symbol="roll",
    code=written("roll", axis=None),
    does=Says(
        en="shifts {0} along an axis, and what falls off comes in at the other end",
        pt="desloca {0} ao longo de um eixo, e o que sai entra pela outra ponta",
    ),
    teaches=Says(
        en="shifts the gradient back",
        pt="desloca o gradiente de volta",
    ),
    example=lambda rng: call(rng.normal(size=(3, 4)), shift=(1, -2), axis=(0, 1)),
    facts=("linear",),
)


# --- repeated along axes ------------------------------------------------------------------------


def _takes_broadcast(array: Any, shape: Any, subok: bool = False) -> Call:
    refuse("broadcast_to", subok=subok)
    return call(array, shape=numbers(shape))


def _batch_broadcast(x: Any, shape: Shape) -> Any:
    size, *own = np.shape(x)
    return np.broadcast_to(
        np.reshape(x, (size, *(1,) * (len(shape) - len(own)), *own)), (size, *shape)
    )


broadcast_to = gate(
    np.broadcast_to,
    kind=Rearrange(_batch_broadcast),
    takes=_takes_broadcast,
    shape=lambda x, shape: shape,
    pulls=(lambda g, out, x, shape: unbroadcast(g, np.shape(x)),),
    linear=(0,),
    symbol="broadcast",
    code=lambda names, params: f"np.broadcast_to({names[0]}, {params['shape']})",
    does=Says(
        en="repeats {0} along axes to fill a larger shape",
        pt="repete {0} ao longo de eixos para preencher uma forma maior",
    ),
    teaches=Says(
        en="adds up the gradients of all the copies",
        pt="soma os gradientes de todas as cópias",
    ),
    example=lambda rng: call(rng.normal(size=(3, 1)), shape=(2, 3, 4)),
    facts=("linear",),
)


@composed(np.broadcast_arrays)
def _broadcast_arrays(*args: Any) -> Any:
    shape = np.broadcast_shapes(*map(np.shape, args))
    return tuple(np.broadcast_to(x, shape) for x in args)


# --- diagonals ----------------------------------------------------------------------------------


def _on_diagonal(v: Any, rows: int, columns: int, k: int) -> Any:
    """Write the last axis of v on the k-th diagonal of matrices that are zero elsewhere."""
    buffer = blank((*np.shape(v)[:-1], rows, columns), v)
    at = np.arange(np.shape(v)[-1])
    buffer[..., at + max(-k, 0), at + max(k, 0)] = v
    return buffer


def _takes_diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Call:
    return call(a, offset=int(offset), axis1=axis_of(axis1, a), axis2=axis_of(axis2, a))


def _pull_diagonal(g: Any, out: Any, x: Any, offset: int, axis1: int, axis2: int) -> Any:
    shape = np.shape(x)
    placed = _on_diagonal(g, shape[axis1], shape[axis2], offset)
    return np.moveaxis(placed, (-2, -1), (axis1, axis2))


diagonal = gate(
    np.diagonal,
    kind=Rearrange(lambda x, offset, axis1, axis2: np.diagonal(x, offset, axis1 + 1, axis2 + 1)),
    takes=_takes_diagonal,
    shape=lambda x, **params: np.diagonal(np.broadcast_to(0.0, x), **params).shape,
    pulls=(_pull_diagonal,),
    linear=(0,),
    symbol="diagonal",
    code=written("diagonal", offset=0, axis1=0, axis2=1),
    does=Says(en="reads the diagonal of {0}", pt="lê a diagonal de {0}"),
    teaches=Says(
        en="puts the gradient back on the diagonal; elsewhere zero",
        pt="devolve o gradiente à diagonal; no resto, zero",
    ),
    example=lambda rng: call(rng.normal(size=(3, 2, 4)), offset=1, axis1=0, axis2=2),
    facts=("linear",),
)


def _diag_shape(x: Shape, k: int) -> Shape:
    return np.diag(np.broadcast_to(0.0, x), k).shape


def _pull_diag(g: Any, out: Any, x: Any, k: int) -> Any:
    if np.ndim(x) == 1:
        return np.diagonal(g, k)
    rows, columns = np.shape(x)
    return _on_diagonal(g, rows, columns, k)


def _batch_diag(x: Any, k: int) -> Any:
    if np.ndim(x) == 3:
        return np.diagonal(x, k, 1, 2)
    side = np.shape(x)[1] + abs(k)
    return _on_diagonal(x, side, side, k)


diag = gate(
    np.diag,
    kind=Rearrange(_batch_diag),
    takes=lambda v, k=0: call(v, k=int(k)),
    shape=_diag_shape,
    pulls=(_pull_diag,),
    linear=(0,),
    symbol="diag",
    code=written("diag", k=0),
    does=Says(
        en="makes {0} the diagonal of a matrix, or reads the diagonal of one",
        pt="faz de {0} a diagonal de uma matriz, ou lê a diagonal de uma",
    ),
    teaches=Says(
        en="sends the gradient of the diagonal back to where it came from",
        pt="manda o gradiente da diagonal de volta ao lugar de onde veio",
    ),
    example=lambda rng: call(rng.normal(size=3), k=-1),
    facts=("linear",),
)


@composed(np.trace)
def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@composed(np.tril)
def _tril(m: Any, k: int = 0) -> Any:
    return np.where(np.tri(*np.shape(m)[-2:], k=k, dtype=bool), m, 0)


@composed(np.triu)
def _triu(m: Any, k: int = 0) -> Any:
    return np.where(np.tri(*np.shape(m)[-2:], k=k - 1, dtype=bool), 0, m)
