"""Reading and writing elements: gathers, scatters and how an index is kept.

An index is kept as a tuple of fixed items (ints, slices, `None`, `...`) in which `Slot(k)`
stands for the k-th index array, which flows in on a wire like any other value.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.record import Call, Gather, Scatter, call, gate
from corrente.words import Says


class Slot(NamedTuple):
    """The place of one index array in an index."""

    number: int

    def __repr__(self) -> str:
        return f"Slot({self.number})"


Index = tuple[Any, ...]


def fill(index: Index, arrays: Sequence[Any]) -> Index:
    """Put the index arrays back into an index."""
    return tuple(arrays[item.number] if isinstance(item, Slot) else item for item in index)


def is_basic(index: Index) -> bool:
    """Tell whether an index reads a view: no index arrays in it."""
    return not any(isinstance(item, Slot) for item in index)


def split_index(index: Any) -> tuple[Index, list[Any]]:
    """Part an index as the user wrote it into fixed items and index arrays."""
    items: list[Any] = []
    arrays: list[Any] = []
    for item in index if isinstance(index, tuple) else (index,):
        if isinstance(item, slice):
            items.append(slice(*(_whole(end) for end in (item.start, item.stop, item.step))))
        elif item is None or item is Ellipsis:
            items.append(item)
        elif isinstance(item, int | np.integer) and not isinstance(item, bool):
            items.append(int(item))
        else:
            if isinstance(item, range):
                item = np.arange(item.start, item.stop, item.step)
            elif isinstance(item, list | bool | np.bool_):
                item = np.asarray(item, dtype=np.intp if item == [] else None)
            items.append(Slot(len(arrays)))
            arrays.append(item)
    return tuple(items), arrays


def _whole(end: Any) -> int | None:
    return None if end is None else operator.index(end)


def _index_code(names: Sequence[str], index: Index) -> str:
    parts = []
    for item in fill(index, names):
        if isinstance(item, slice):
            ends = ["" if end is None else str(end) for end in (item.start, item.stop)]
            parts.append(":".join(ends) + (f":{item.step}" if item.step is not None else ""))
        elif item is Ellipsis:
            parts.append("...")
        else:
            parts.append(str(item))
    return ", ".join(parts) if parts else "()"


def _read(x: Any, *arrays: Any, index: Index) -> Any:
    if isinstance(x, np.ndarray):
        # a plain array read at a traced index follows it, instead of asking it for its number
        follows = next((a for a in arrays if is_traced(a)), None)
        x = x if follows is None else np.array(x, like=follows)
    return x[fill(index, arrays)]


def is_traced(value: Any) -> bool:
    """Tell whether a value answers NumPy's functions itself, as arrays of an outer trace do."""
    return hasattr(value, "__array_function__") and not isinstance(value, np.ndarray)


def blank(shape: tuple[int, ...], like: Any) -> Any:
    """Make zeros that can be written with values like the one given: traced if it is."""
    if isinstance(like, np.ndarray | np.generic | float | int | complex):
        return np.zeros(shape, np.result_type(like))
    return np.zeros(shape, like.dtype, like=like)


def _spread(g: Any, out: Any, x: Any, *arrays: Any, index: Index) -> Any:
    buffer = blank(np.shape(x), g)
    np.add.at(buffer, fill(index, arrays), g)
    return buffer


def _read_shape(x: tuple[int, ...], *arrays: tuple[int, ...], index: Index) -> Any:
    blanks = [np.zeros(shape, np.intp) for shape in arrays]
    return np.broadcast_to(np.zeros(()), x)[fill(index, blanks)].shape


getitem = gate(
    operator.getitem,
    name="getitem",
    kind=Gather(),
    takes=lambda x, index: _call_read(x, index),
    forward=_read,
    shape=None,  # a mask's count is known only when it runs
    pulls=(_spread,),
    linear=(0,),
    symbol="[ ]",
    code=lambda names, params: f"{names[0]}[{_index_code(names[1:], params['index'])}]",
    does=Says(en="reads elements of {0}", pt="lê elementos de {0}"),
    teaches=Says(
        en="puts the gradient back where the elements were read; the others receive zero",
        pt="devolve o gradiente ao lugar de onde os elementos foram lidos; os outros recebem zero",
    ),
    example=lambda rng: Call((rng.normal(size=(4, 3)), np.array([2, 0, 2])), {"index": (Slot(0),)}),
)


def _call_read(x: Any, index: Any) -> Call:
    items, arrays = split_index(index)
    return call(x, *arrays, index=items)


def _own_copy(x: Any, value: Any) -> Any:
    """Copy an array so that a value can be written into it: traced if the value is."""
    return np.array(x, like=value) if is_traced(value) and isinstance(x, np.ndarray) else np.copy(x)


def _write(x: Any, value: Any, *arrays: Any, index: Index, into: Any = None) -> Any:
    out = _own_copy(x, value) if into is None else into
    out[fill(index, arrays)] = value
    return out


def _keep_unwritten(g: Any, out: Any, x: Any, value: Any, *arrays: Any, index: Index) -> Any:
    rest = np.copy(g)
    rest[fill(index, arrays)] = 0.0
    return rest


def _take_written(g: Any, out: Any, x: Any, value: Any, *arrays: Any, index: Index) -> Any:
    where = fill(index, arrays)
    if is_basic(index):
        return g[where]
    # of several values written to one element only the last one stayed
    order = np.zeros(np.shape(x), np.intp)
    count = np.arange(np.size(order[where])).reshape(np.shape(order[where]))
    order[where] = count
    return np.where(order[where] == count, g[where], 0.0)


setitem = gate(
    operator.setitem,
    name="setitem",
    kind=Scatter(adds=False),
    takes=None,
    forward=_write,
    shape=lambda x, value, *arrays, index: x,
    pulls=(_keep_unwritten, _take_written),
    facts=("linear",),
    symbol="[ ]=",
    code=lambda names, params: (
        f"nn.written({names[0]}, {names[1]}, np.s_[{_index_code(names[2:], params['index'])}])"
    ),
    does=Says(en="writes {1} into elements of {0}", pt="escreve {1} em elementos de {0}"),
    teaches=Says(
        en="the written elements' gradient goes to what was written; "
        "what they held before gets zero",
        pt="o gradiente dos elementos escritos vai para o que foi escrito; "
        "o que havia antes recebe zero",
    ),
    example=lambda rng: Call((rng.normal(size=(4, 3)), rng.normal(size=3)), {"index": (1,)}),
)


def _add_at(x: Any, value: Any, *arrays: Any, index: Index, into: Any = None) -> Any:
    out = _own_copy(x, value) if into is None else into
    np.add.at(out, fill(index, arrays), value)
    return out


add_at = gate(
    np.add.at,
    name="add_at",
    kind=Scatter(adds=True),
    takes=None,
    forward=_add_at,
    shape=lambda x, value, *arrays, index: x,
    pulls=(
        lambda g, out, x, value, *arrays, index: g,
        lambda g, out, x, value, *arrays, index: g[fill(index, arrays)],
    ),
    facts=("linear",),
    symbol="[ ]+=",
    code=lambda names, params: (
        f"nn.added({names[0]}, {names[1]}, np.s_[{_index_code(names[2:], params['index'])}])"
    ),
    does=Says(en="adds {1} into elements of {0}", pt="soma {1} a elementos de {0}"),
    teaches=Says(
        en="passes the gradient on to {0}, and the touched elements' gradient to {1} as well",
        pt="entrega o gradiente a {0}, e o dos elementos tocados também a {1}",
    ),
    example=lambda rng: Call(
        (rng.normal(size=4), rng.normal(size=3), np.array([2, 0, 2])), {"index": (Slot(0),)}
    ),
)
