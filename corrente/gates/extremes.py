"""Finding: the greatest and the smallest element, where they are, and the order of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from corrente import convention
from corrente.gates.calls import Axis, axes_of, axis_of, refuse, written
from corrente.gates.reductions import back_in_place, folded, in_a_row, length, restore
from corrente.record import Call, Opaque, Pull, Reduce, Shape, call, composed, gate
from corrente.words import Says

# --- the greatest and the smallest --------------------------------------------------------------


def _is_first(find: Callable[..., Any], x: Any, axis: tuple[int, ...]) -> Any:
    """Mark the first winner of each output, in the order of the elements."""
    row = in_a_row(x, axis)
    first = np.expand_dims(find(row, axis=-1), -1)
    return back_in_place(np.arange(length(x, axis)) == first, np.shape(x), axis)


def _to_winners(loses: Callable[..., Any], find: Callable[..., Any]) -> Pull:
    """Make the pull that selects the gradient at the winners; ties follow the rule in force.

    What is not comparable (NaN) did not lose, so that a NaN never turns into a zero gradient.
    """

    def pull(g: Any, out: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
        lost = loses(x, restore(out, axis, keepdims))
        one = np.result_type(g).type(1)
        number = np.sum(np.where(lost, 0.0, one), axis=axis, keepdims=True)
        convention.note(np.greater(number, 1), out)
        g = restore(g, axis, keepdims)
        rule = convention.rule()
        if rule == "first":
            return np.where(_is_first(find, x, axis), g, 0.0)
        return np.where(lost, 0.0, g / number if rule == "split" else g)

    return pull


def _takes(name: str) -> Callable[..., Call]:
    def takes(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Call:
        refuse(name, out=out)
        return call(a, axis=axes_of(axis, a), keepdims=bool(keepdims))

    return takes


def _apart(rng: np.random.Generator, *shape: int) -> Any:
    """Draw numbers that no small step makes equal."""
    spaced = 0.3 * np.arange(np.prod(shape, dtype=int)) + rng.uniform(-0.1, 0.1, size=shape).ravel()
    return rng.permutation(spaced - 1.0).reshape(shape)


def _example(rng: np.random.Generator) -> Call:
    return call(_apart(rng, 3, 2, 4), axis=(0, 2), keepdims=False)


_WINNER = Says(
    en="gives the winner the whole gradient and the others zero; a tie is shared",
    pt="dá ao vencedor o gradiente inteiro e aos outros zero; o empate é repartido",
)

max_ = gate(
    np.max,
    np.amax,
    kind=Reduce(),
    takes=_takes("max"),
    shape=folded,
    pulls=(_to_winners(np.less, np.argmax),),
    side=lambda x, axis, keepdims: x == np.max(x, axis=axis, keepdims=True),
    symbol="max",
    code=written("max", keepdims=False),
    does=Says(en="finds the greatest element of {0}", pt="encontra o maior elemento de {0}"),
    teaches=_WINNER,
    example=_example,
)

min_ = gate(
    np.min,
    np.amin,
    kind=Reduce(),
    takes=_takes("min"),
    shape=folded,
    pulls=(_to_winners(np.greater, np.argmin),),
    side=lambda x, axis, keepdims: x == np.min(x, axis=axis, keepdims=True),
    symbol="min",
    code=written("min", keepdims=False),
    does=Says(en="finds the smallest element of {0}", pt="encontra o menor elemento de {0}"),
    teaches=_WINNER,
    example=_example,
)


@composed(np.ptp)
def _ptp(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Any:
    refuse("ptp", out=out)
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


# --- where they are -----------------------------------------------------------------------------

_PLACE = Says(
    en="lets no gradient through: a place moves in jumps",
    pt="não deixa passar gradiente: uma posição anda aos saltos",
)


def _takes_place(name: str) -> Callable[..., Call]:
    def takes(a: Any, axis: int | None = None, out: Any = None, *, keepdims: bool = False) -> Call:
        refuse(name, out=out)
        place = None if axis is None else axis_of(axis, a)
        return call(a, axis=place, keepdims=bool(keepdims))

    return takes


def _place_shape(x: Shape, axis: int | None, keepdims: bool) -> Shape:
    return folded(x, tuple(range(len(x))) if axis is None else (axis,), keepdims)


def _example_place(rng: np.random.Generator) -> Call:
    return call(_apart(rng, 3, 4), axis=1, keepdims=True)


argmax = gate(
    np.argmax,
    kind=Opaque(),
    takes=_takes_place("argmax"),
    shape=_place_shape,
    pulls=None,
    symbol="argmax",
    code=written("argmax", axis=None, keepdims=False),
    does=Says(
        en="finds where the greatest element of {0} is",
        pt="encontra onde está o maior elemento de {0}",
    ),
    teaches=_PLACE,
    example=_example_place,
)

argmin = gate(
    np.argmin,
    kind=Opaque(),
    takes=_takes_place("argmin"),
    shape=_place_shape,
    pulls=None,
    symbol="argmin",
    code=written("argmin", axis=None, keepdims=False),
    does=Says(
        en="finds where the smallest element of {0} is",
        pt="encontra onde está o menor elemento de {0}",
    ),
    teaches=_PLACE,
    example=_example_place,
)


def _takes_order(
    a: Any,
    axis: int | None = -1,
    kind: str | None = None,
    order: Any = None,
    *,
    stable: bool | None = None,
) -> Call:
    refuse("argsort", order=order)
    stable = bool(stable) or kind in ("stable", "mergesort")
    if axis is None:
        return call(np.ravel(a), axis=0, stable=stable)
    return call(a, axis=axis_of(axis, a), stable=stable)


argsort = gate(
    np.argsort,
    kind=Opaque(batch=lambda x, axis, stable: np.argsort(x, axis=axis + 1, stable=stable)),
    takes=_takes_order,
    shape=lambda x, axis, stable: x,
    pulls=None,
    symbol="argsort",
    code=written("argsort", stable=False),
    does=Says(
        en="finds the order that sorts {0}",
        pt="encontra a permutação que ordena {0}",
    ),
    teaches=Says(
        en="lets no gradient through: an order moves in jumps",
        pt="não deixa passar gradiente: uma ordem anda aos saltos",
    ),
    example=lambda rng: call(_apart(rng, 3, 4), axis=0, stable=True),
)


def _takes_search(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Call:
    return call(a if sorter is None else a[sorter], v, side=side)


searchsorted = gate(
    np.searchsorted,
    kind=Opaque(),
    takes=_takes_search,
    shape=lambda a, v, side: v,
    pulls=None,
    symbol="search",
    code=written("searchsorted", side="left"),
    does=Says(
        en="finds where {1} would go in the sorted {0}",
        pt="encontra onde {1} entraria em {0}, que está em ordem",
    ),
    teaches=_PLACE,
    example=lambda rng: call(np.sort(_apart(rng, 6)), rng.normal(size=(2, 3)), side="right"),
)


argwhere = gate(
    np.argwhere,
    kind=Opaque(),
    takes=lambda a: call(a),
    shape=None,  # how many there are is known only when it runs
    pulls=None,
    symbol="argwhere",
    code=None,
    does=Says(
        en="finds where {0} is not zero",
        pt="encontra onde {0} não é zero",
    ),
    teaches=_PLACE,
    example=lambda rng: call(rng.random((3, 4)) < 0.5),
)


@composed(np.nonzero)
def _nonzero(a: Any) -> Any:
    found = np.argwhere(a)
    return tuple(found[:, k] for k in range(np.ndim(a)))


@composed(np.flatnonzero)
def _flatnonzero(a: Any) -> Any:
    return np.argwhere(np.ravel(a))[:, 0]
