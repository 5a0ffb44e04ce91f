"""Joining and parting: arrays one after another, copies side by side, margins, pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from corrente.errors import BadArgument, NotSupported
from corrente.gates.calls import along, axis_of, listed, numbers, refuse
from corrente.gates.indexing import blank
from corrente.record import Call, Params, Rearrange, Shape, call, composed, gate
from corrente.words import Says

# --- one after another --------------------------------------------------------------------------


def _cast(arrays: Any, dtype: Any, casting: str) -> Any:
    """Bring the parts of a join to the dtype that is asked for, if one is."""
    if dtype is None:
        return arrays
    parts = [part if hasattr(part, "astype") else np.array(part) for part in arrays]
    for part in parts:
        if not np.can_cast(part.dtype, dtype, casting):  # type: ignore[arg-type]
            raise BadArgument(
                Says(
                    "a join of {0} into {1} loses something (casting={2}).",
                    "juntar {0} em {1} perde alguma coisa (casting={2}).",
                ).fill(part.dtype, np.dtype(dtype), repr(casting)),
                Says('say casting="unsafe" if it may.', 'diga casting="unsafe" se pode.'),
            )
    return [part.astype(dtype) for part in parts]


def _takes_concatenate(
    arrays: Any,
    /,
    axis: int | None = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Call:
    refuse("concatenate", out=out)
    arrays = _cast(arrays, dtype, casting)
    if axis is None:
        return call(*map(np.ravel, arrays), axis=0)
    return call(*arrays, axis=axis_of(axis, arrays[0]))


def _all_parts(g: Any, out: Any, ins: Any, params: Params, wanted: Any) -> list[Any]:
    """Cut the gradient once for all inputs: part by part would add up all earlier ones anew."""
    axis = params["axis"]
    ends = np.cumsum([np.shape(x)[axis] for x in ins])
    return [
        g[along(axis, slice(int(ends[k]) - np.shape(ins[k])[axis], int(ends[k])))] for k in wanted
    ]


def _joined(*shapes: Shape, axis: int) -> Shape:
    first = shapes[0]
    return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])


concatenate = gate(
    np.concatenate,
    kind=Rearrange(lambda *arrays, axis: np.concatenate(arrays, axis=axis + 1)),
    takes=_takes_concatenate,
    forward=lambda *arrays, axis: np.concatenate(arrays, axis=axis),
    shape=_joined,
    pulls=None,
    joint=_all_parts,
    symbol="join",
    code=listed("concatenate"),
    does=Says(
        en="joins its inputs one after another",
        pt="junta as entradas uma após a outra",
    ),
    teaches=Says(
        en="cuts the gradient where it joined: each input receives its own part",
        pt="corta o gradiente onde juntou: cada entrada recebe a sua parte",
    ),
    example=lambda rng: call(
        rng.normal(size=(2, 3)), rng.normal(size=(2, 1)), rng.normal(size=(2, 2)), axis=1
    ),
    facts=("linear",),
)


def _takes_stack(
    arrays: Any,
    axis: int = 0,
    out: Any = None,
    *,
    dtype: Any = None,
    casting: str = "same_kind",
) -> Call:
    refuse("stack", out=out)
    parts = tuple(_cast(arrays, dtype, casting))
    place = axis_of(axis, np.empty((1,) * (np.ndim(parts[0]) + 1))) if parts else 0
    return call(*parts, axis=place)


stack = gate(
    np.stack,
    kind=Rearrange(lambda *arrays, axis: np.stack(arrays, axis=axis + 1)),
    takes=_takes_stack,
    forward=lambda *arrays, axis: np.stack(arrays, axis=axis),
    shape=lambda *shapes, axis: (*shapes[0][:axis], len(shapes), *shapes[0][axis:]),
    pulls=None,
    joint=lambda g, out, ins, params, wanted: [g[along(params["axis"], k)] for k in wanted],
    symbol="stack",
    code=listed("stack"),
    does=Says(
        en="stacks its inputs along a new axis",
        pt="empilha as entradas ao longo de um eixo novo",
    ),
    teaches=Says(
        en="hands each input its own layer of the gradient",
        pt="entrega a cada entrada a sua camada do gradiente",
    ),
    example=lambda rng: call(*(rng.normal(size=(2, 3)) for _ in range(3)), axis=1),
    facts=("linear",),
)


@composed(np.atleast_1d)
def _atleast_1d(*arys: Any) -> Any:
    return _each(lambda x: x if np.ndim(x) else np.reshape(x, (1,)), arys)


@composed(np.atleast_2d)
def _atleast_2d(*arys: Any) -> Any:
    return _each(lambda x: x if np.ndim(x) > 1 else np.reshape(x, (1, np.size(x))), arys)


@composed(np.atleast_3d)
def _atleast_3d(*arys: Any) -> Any:
    # a row becomes (1, n, 1) and a matrix (m, n, 1), as in NumPy
    return _each(
        lambda x: x if np.ndim(x) > 2 else np.reshape(x, (*np.shape(np.atleast_2d(x)), 1)), arys
    )


def _each(rule: Callable[[Any], Any], arrays: Sequence[Any]) -> Any:
    found = tuple(rule(x) for x in arrays)
    return found[0] if len(found) == 1 else found


@composed(np.vstack)
def _vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    rows = [np.atleast_2d(x) for x in tup]
    return np.concatenate(rows, axis=0, dtype=dtype, casting=casting)


@composed(np.hstack)
def _hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    parts = [np.atleast_1d(x) for x in tup]
    axis = 0 if np.ndim(parts[0]) == 1 else 1
    return np.concatenate(parts, axis=axis, dtype=dtype, casting=casting)


@composed(np.dstack)
def _dstack(tup: Any) -> Any:
    return np.concatenate([np.atleast_3d(x) for x in tup], axis=2)


@composed(np.column_stack)
def _column_stack(tup: Any) -> Any:
    columns = [x if np.ndim(x) > 1 else np.reshape(x, (np.size(x), 1)) for x in tup]
    return np.concatenate(columns, axis=1)


@composed(np.append)
def _append(arr: Any, values: Any, axis: int | None = None) -> Any:
    return np.concatenate([arr, values], axis=axis)


# --- copies side by side ------------------------------------------------------------------------


def _takes_tile(A: Any, reps: Any) -> Call:
    reps = numbers(reps)
    shape = np.shape(A)
    if len(reps) > len(shape):
        A = np.reshape(A, (*(1,) * (len(reps) - len(shape)), *shape))
    return call(A, reps=(*(1,) * (len(shape) - len(reps)), *reps))


def _add_tiles(g: Any, out: Any, x: Any, reps: tuple[int, ...]) -> Any:
    apart = [n for pair in zip(reps, np.shape(x), strict=True) for n in pair]
    return np.sum(np.reshape(g, apart), axis=tuple(range(0, len(apart), 2)))


tile = gate(
    np.tile,
    kind=Rearrange(lambda x, reps: np.tile(x, (1, *reps))),
    takes=_takes_tile,
    shape=lambda x, reps: tuple(n * times for n, times in zip(x, reps, strict=True)),
    pulls=(_add_tiles,),
    linear=(0,),
    symbol="tile",
    code=lambda names, params: f"np.tile({names[0]}, {params['reps']})",
    does=Says(
        en="lays copies of {0} side by side, like tiles",
        pt="põe cópias de {0} lado a lado, como azulejos",
    ),
    teaches=Says(
        en="adds up the gradients of all the tiles",
        pt="soma os gradientes de todos os azulejos",
    ),
    example=lambda rng: call(rng.normal(size=(2, 3)), reps=(3, 2)),
    facts=("linear",),
)


def _takes_repeat(a: Any, repeats: Any, axis: int | None = None) -> Call:
    if axis is None:
        a, axis = np.ravel(a), 0
    times = numbers(repeats)
    return call(a, repeats=times[0] if len(times) == 1 else times, axis=axis_of(axis, a))


def _add_repeats(g: Any, out: Any, x: Any, repeats: Any, axis: int) -> Any:
    shape = np.shape(x)
    if isinstance(repeats, int):
        apart = (*shape[: axis + 1], repeats, *shape[axis + 1 :])
        return np.sum(np.reshape(g, apart), axis=axis + 1)
    sums = blank(shape, g)
    np.add.at(sums, along(axis, np.repeat(np.arange(shape[axis]), repeats)), g)
    return sums


def _repeat_shape(x: Shape, repeats: Any, axis: int) -> Shape:
    total = x[axis] * repeats if isinstance(repeats, int) else sum(repeats)
    return (*x[:axis], total, *x[axis + 1 :])


repeat = gate(
    np.repeat,
    kind=Rearrange(lambda x, repeats, axis: np.repeat(x, repeats, axis=axis + 1)),
    takes=_takes_repeat,
    shape=_repeat_shape,
    pulls=(_add_repeats,),
    linear=(0,),
    symbol="repeat",
    code=lambda names, params: f"np.repeat({names[0]}, {params['repeats']}, axis={params['axis']})",
    does=Says(
        en="repeats each element of {0} in its place",
        pt="repete cada elemento de {0} no seu lugar",
    ),
    teaches=Says(
        en="adds up the gradients of each element's copies",
        pt="soma os gradientes das cópias de cada elemento",
    ),
    example=lambda rng: call(rng.normal(size=(2, 3)), repeats=(2, 0, 3), axis=1),
    facts=("linear",),
)


# --- margins ------------------------------------------------------------------------------------

_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _pairs(value: Any, ndim: int) -> tuple[Any, ...]:
    return tuple(map(tuple, np.broadcast_to(np.asarray(value), (ndim, 2)).tolist()))


def _takes_pad(
    array: Any, pad_width: Any, mode: Any = "constant", *, constant_values: Any = 0
) -> Call:
    if mode not in _MODES:
        raise NotSupported(
            Says(
                "np.pad of a traced value does not take mode={0}.",
                "np.pad de um valor traçado não aceita mode={0}.",
            ).fill(repr(mode)),
            Says("one of {0}.", "um destes: {0}.").fill(", ".join(_MODES)),
        )
    ndim = np.ndim(array)
    fill = np.asarray(constant_values)
    value = fill.item() if fill.ndim == 0 else _pairs(fill, ndim)
    return call(array, pad_width=_pairs(pad_width, ndim), mode=mode, constant_values=value)


def _pad(x: Any, pad_width: Any, mode: Any, constant_values: Any) -> Any:
    if mode == "constant":
        return np.pad(x, pad_width, mode, constant_values=constant_values)
    return np.pad(x, pad_width, mode)


def _unpad(g: Any, out: Any, x: Any, pad_width: Any, mode: Any, constant_values: Any) -> Any:
    shape = np.shape(x)
    if mode == "constant":
        return g[tuple(slice(a, a + n) for (a, _), n in zip(pad_width, shape, strict=True))]
    # where each element of the output was read, axis by axis
    came = (np.pad(np.arange(n), ends, mode) for n, ends in zip(shape, pad_width, strict=True))
    sums = blank(shape, g)
    np.add.at(sums, np.ix_(*came), g)
    return sums


def _batch_pad(x: Any, pad_width: Any, mode: Any, constant_values: Any) -> Any:
    if isinstance(constant_values, tuple):
        constant_values = ((0, 0), *constant_values)
    return _pad(x, ((0, 0), *pad_width), mode, constant_values)


def _written_pad(names: Sequence[str], params: Params) -> str:
    value = params["constant_values"]
    fill = f", constant_values={value!r}" if params["mode"] == "constant" and value else ""
    return f"np.pad({names[0]}, {params['pad_width']}, {params['mode']!r}{fill})"


def _push_pad(tangents: Any, out: Any, ins: Any, params: Params) -> Any:
    return _pad(tangents[0], params["pad_width"], params["mode"], 0)


pad = gate(
    np.pad,
    kind=Rearrange(_batch_pad),
    takes=_takes_pad,
    forward=_pad,
    shape=lambda x, pad_width, **_: tuple(
        a + n + b for n, (a, b) in zip(x, pad_width, strict=True)
    ),
    pulls=(_unpad,),
    push=_push_pad,
    symbol="pad",
    code=_written_pad,
    does=Says(en="puts a margin around {0}", pt="põe uma margem em volta de {0}"),
    teaches=Says(
        en="takes the margin off the gradient; where the margin repeats elements, "
        "adds it to theirs",
        pt="tira a margem do gradiente; onde a margem repete elementos, soma-a à deles",
    ),
    example=lambda rng: call(
        rng.normal(size=(3, 4)),
        pad_width=((1, 2), (0, 3)),
        mode="reflect",
        constant_values=0,
    ),
)


# --- pieces -------------------------------------------------------------------------------------


def _cut(rule: Callable[..., Any], x: Any, at: Any, axis: int) -> list[Any]:
    """Read the pieces of x as slices: they stay views, as NumPy's are."""
    axis = axis_of(axis, x)
    pieces = rule(np.arange(np.shape(x)[axis]), at)
    ends = [(int(piece[0]), int(piece[-1]) + 1) if piece.size else (0, 0) for piece in pieces]
    return [x[along(axis, slice(*end))] for end in ends]


@composed(np.split)
def _split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    return _cut(np.split, ary, indices_or_sections, axis)


@composed(np.array_split)
def _array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    return _cut(np.array_split, ary, indices_or_sections, axis)


@composed(np.vsplit)
def _vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return _cut(np.split, ary, indices_or_sections, 0)


@composed(np.hsplit)
def _hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return _cut(np.split, ary, indices_or_sections, 0 if np.ndim(ary) == 1 else 1)


@composed(np.dsplit)
def _dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    return _cut(np.split, ary, indices_or_sections, 2)


@composed(np.unstack)
def _unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    axis = axis_of(axis, x)
    return tuple(x[along(axis, k)] for k in range(np.shape(x)[axis]))
