"""Folding axes: sums, means, products, spreads and counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.gates.calls import Axis, along, axes_of, axis_of, refuse, written
from corrente.record import Call, Opaque, Reduce, Shape, call, composed, gate
from corrente.words import Says


def restore(g: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Put the folded axes back with length one, so that g broadcasts against the input."""
    return g if keepdims or np.ndim(g) == 0 else np.expand_dims(g, axis)


def folded(x: Shape, axis: tuple[int, ...], keepdims: bool = False, **_: Any) -> Shape:
    """Return the shape that is left when some axes are folded."""
    if keepdims:
        return tuple(1 if k in axis else n for k, n in enumerate(x))
    return tuple(n for k, n in enumerate(x) if k not in axis)


def length(x: Any, axis: tuple[int, ...]) -> int:
    """Return how many elements are folded into each output."""
    shape = np.shape(x)
    return math.prod(shape[k] for k in axis)


def in_a_row(x: Any, axis: tuple[int, ...]) -> Any:
    """Move the folded axes to the end and make one of them."""
    rest = [k for k in range(np.ndim(x)) if k not in axis]
    moved = np.transpose(x, (*rest, *axis))
    return np.reshape(moved, (*np.shape(moved)[: len(rest)], length(x, axis)))


def back_in_place(row: Any, shape: Shape, axis: tuple[int, ...]) -> Any:
    """Undo `in_a_row` for an input of the given shape."""
    order = [k for k in range(len(shape)) if k not in axis] + list(axis)
    inverse = tuple(order.index(k) for k in range(len(shape)))
    return np.transpose(np.reshape(row, tuple(shape[k] for k in order)), inverse)


def _example(rng: np.random.Generator) -> Call:
    return call(rng.uniform(0.3, 2.5, size=(3, 2, 4)), axis=(0, 2), keepdims=False)


# --- sums and means -----------------------------------------------------------------------------


def _takes(name: str) -> Callable[..., Call]:
    def takes(
        a: Any, axis: Axis = None, dtype: Any = None, out: Any = None, keepdims: bool = False
    ) -> Call:
        refuse(name, dtype=dtype, out=out)
        return call(a, axis=axes_of(axis, a), keepdims=bool(keepdims))

    return takes


sum_ = gate(
    np.sum,
    kind=Reduce(),
    takes=_takes("sum"),
    shape=folded,
    pulls=(
        lambda g, out, x, axis, keepdims: np.broadcast_to(restore(g, axis, keepdims), np.shape(x)),
    ),
    linear=(0,),
    symbol="Σ",
    code=written("sum", keepdims=False),
    does=Says(en="adds up the elements of {0}", pt="soma os elementos de {0}"),
    teaches=Says(
        en="copies the gradient to every element it added up",
        pt="copia o gradiente para cada elemento que somou",
    ),
    example=_example,
    facts=("linear",),
)

mean = gate(
    np.mean,
    kind=Reduce(),
    takes=_takes("mean"),
    shape=folded,
    pulls=(
        lambda g, out, x, axis, keepdims: np.broadcast_to(
            restore(g, axis, keepdims) / max(length(x, axis), 1), np.shape(x)
        ),
    ),
    linear=(0,),
    symbol="mean",
    code=written("mean", keepdims=False),
    does=Says(en="takes the mean of the elements of {0}", pt="tira a média dos elementos de {0}"),
    teaches=Says(
        en="gives every element the same share: the gradient divided by how many there are",
        pt="dá a cada elemento a mesma parte: o gradiente dividido pelo número deles",
    ),
    example=_example,
    facts=("linear",),
)


# --- products -----------------------------------------------------------------------------------


def _levels(row: Any) -> list[Any]:
    """Multiply neighbours until one product is left; return every level on the way."""
    levels = [row]
    while np.shape(levels[-1])[-1] > 1:
        row = levels[-1]
        half = np.shape(row)[-1] // 2
        pairs = row[..., : 2 * half : 2] * row[..., 1::2]
        levels.append(np.concatenate([pairs, row[..., 2 * half :]], axis=-1))
    return levels


def _product_of_others(g: Any, out: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Return g times the product of the other factors, exact where factors are zero.

    No division: going down the tree of products, each half receives what came from above
    times the other half. So derivatives of any order are right at zeros too.
    """
    row = in_a_row(x, axis)
    down = np.expand_dims(np.reshape(g, np.shape(row)[:-1]), -1)
    for level in reversed(_levels(row)[:-1]):
        half = np.shape(level)[-1] // 2
        first, second, above = level[..., : 2 * half : 2], level[..., 1::2], down[..., :half]
        pairs = np.stack([above * second, above * first], axis=-1)
        flat = np.reshape(pairs, (*np.shape(pairs)[:-2], 2 * half))
        down = np.concatenate([flat, down[..., half:]], axis=-1)
    return back_in_place(np.broadcast_to(down, np.shape(row)), np.shape(x), axis)


prod = gate(
    np.prod,
    kind=Reduce(),
    takes=_takes("prod"),
    shape=folded,
    pulls=(_product_of_others,),
    symbol="∏",
    code=written("prod", keepdims=False),
    does=Says(en="multiplies the elements of {0}", pt="multiplica os elementos de {0}"),
    teaches=Says(
        en="gives each element the gradient times the product of all the others",
        pt="dá a cada elemento o gradiente vezes o produto de todos os outros",
    ),
    example=_example,
)


# --- spreads ------------------------------------------------------------------------------------


def _takes_spread(name: str) -> Callable[..., Call]:
    def takes(
        a: Any,
        axis: Axis = None,
        dtype: Any = None,
        out: Any = None,
        ddof: float = 0,
        keepdims: bool = False,
        *,
        correction: float | None = None,
    ) -> Call:
        refuse(name, dtype=dtype, out=out)
        ddof = ddof if correction is None else correction
        return call(a, axis=axes_of(axis, a), ddof=ddof, keepdims=bool(keepdims))

    return takes


def _from_the_mean(x: Any, axis: tuple[int, ...]) -> Any:
    """Return how far each element is from the mean; of a complex one, the conjugate."""
    far = x - np.mean(x, axis=axis, keepdims=True)
    return np.conjugate(far) if np.iscomplexobj(x) else far


def _per_degree(g: Any, x: Any, axis: tuple[int, ...], ddof: float, keepdims: bool) -> Any:
    return _from_the_mean(x, axis) / (length(x, axis) - ddof) * restore(g, axis, keepdims)


def _pull_var(g: Any, out: Any, x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
    return _per_degree(2.0 * g, x, axis, ddof, keepdims)


def _pull_std(g: Any, out: Any, x: Any, axis: Any, ddof: float, keepdims: bool) -> Any:
    still = out == 0  # all elements equal: a kink, as of |x| at 0, and the same convention
    g = np.where(still, 0.0, g / np.where(still, 1.0, out))
    return _per_degree(g, x, axis, ddof, keepdims)


def _push_spread(pull: Callable[..., Any]) -> Callable[..., Any]:
    """Make forward mode: what each element's gradient would be, times how it moves, summed."""

    def push(tangents: Any, out: Any, ins: Any, params: Any) -> Any:
        local = pull(np.ones_like(out), out, *ins, **params)
        return np.sum(local * tangents[0], axis=params["axis"], keepdims=params["keepdims"])

    return push


def _example_spread(rng: np.random.Generator) -> Call:
    return call(rng.normal(size=(3, 2, 4)), axis=(0, 2), ddof=1, keepdims=True)


var = gate(
    np.var,
    kind=Reduce(),
    takes=_takes_spread("var"),
    shape=folded,
    pulls=(_pull_var,),
    push=_push_spread(_pull_var),
    symbol="var",
    code=written("var", ddof=0, keepdims=False),
    does=Says(
        en="takes the variance of {0}: how far its elements lie from their mean, squared",
        pt="tira a variância de {0}: a distância dos elementos à média, ao quadrado",
    ),
    teaches=Says(
        en="gives each element the gradient times twice its distance from the mean, "
        "divided by how many there are",
        pt="dá a cada elemento o gradiente vezes o dobro da sua distância à média, "
        "dividido pelo número deles",
    ),
    example=_example_spread,
)

std = gate(
    np.std,
    kind=Reduce(),
    takes=_takes_spread("std"),
    shape=folded,
    pulls=(_pull_std,),
    push=_push_spread(_pull_std),
    side=lambda x, axis, ddof, keepdims: np.sign(np.std(x, axis=axis)),
    symbol="std",
    code=written("std", ddof=0, keepdims=False),
    does=Says(
        en="takes the standard deviation of {0}: how far its elements lie from their mean",
        pt="tira o desvio padrão de {0}: a distância típica dos elementos à média",
    ),
    teaches=Says(
        en="gives each element the gradient times its distance from the mean, in standard "
        "deviations, divided by how many there are; zero where all are equal",
        pt="dá a cada elemento o gradiente vezes a sua distância à média, em desvios padrão, "
        "dividido pelo número deles; zero onde todos são iguais",
    ),
    example=_example_spread,
)


# --- questions and counts -----------------------------------------------------------------------

_ANSWER = Says(
    en="lets no gradient through: a yes or no has no slope",
    pt="não deixa passar gradiente: um sim ou não não tem inclinação",
)


def _takes_question(name: str) -> Callable[..., Call]:
    def takes(a: Any, axis: Axis = None, out: Any = None, keepdims: bool = False) -> Call:
        refuse(name, out=out)
        return call(a, axis=axes_of(axis, a), keepdims=bool(keepdims))

    return takes


def _example_question(rng: np.random.Generator) -> Call:
    return call(rng.random((3, 4)) < 0.3, axis=(1,), keepdims=True)


any_ = gate(
    np.any,
    kind=Reduce(),
    takes=_takes_question("any"),
    shape=folded,
    pulls=None,
    symbol="any",
    code=written("any", keepdims=False),
    does=Says(en="asks if any element of {0} holds", pt="pergunta se algum elemento de {0} vale"),
    teaches=_ANSWER,
    example=_example_question,
)

all_ = gate(
    np.all,
    kind=Reduce(),
    takes=_takes_question("all"),
    shape=folded,
    pulls=None,
    symbol="all",
    code=written("all", keepdims=False),
    does=Says(
        en="asks if every element of {0} holds",
        pt="pergunta se todos os elementos de {0} valem",
    ),
    teaches=_ANSWER,
    example=_example_question,
)

count_nonzero = gate(
    np.count_nonzero,
    kind=Reduce(),
    takes=lambda a, axis=None, *, keepdims=False: call(
        a, axis=axes_of(axis, a), keepdims=bool(keepdims)
    ),
    shape=folded,
    pulls=None,
    symbol="count≠0",
    code=written("count_nonzero", keepdims=False),
    does=Says(
        en="counts the elements of {0} that are not zero",
        pt="conta os elementos de {0} que não são zero",
    ),
    teaches=Says(
        en="lets no gradient through: a count moves in jumps",
        pt="não deixa passar gradiente: uma contagem anda aos saltos",
    ),
    example=_example_question,
)


# --- running sums and differences ---------------------------------------------------------------


def _takes_running(a: Any, axis: int | None = None, dtype: Any = None, out: Any = None) -> Call:
    refuse("cumsum", dtype=dtype, out=out)
    if axis is None:
        return call(np.ravel(a), axis=0)
    return call(a, axis=axis_of(axis, a))


cumsum = gate(
    np.cumsum,
    kind=Opaque(batch=lambda x, axis: np.cumsum(x, axis=axis + 1)),
    takes=_takes_running,
    shape=lambda x, axis: x,
    pulls=(lambda g, out, x, axis: np.flip(np.cumsum(np.flip(g, axis), axis=axis), axis),),
    linear=(0,),
    symbol="Σ…",
    code=None,
    does=Says(en="adds up {0} step by step", pt="soma {0} passo a passo"),
    teaches=Says(
        en="gives each element the sum of the gradients from its place on: "
        "it is in every later sum",
        pt="dá a cada elemento a soma dos gradientes do seu lugar em diante: "
        "ele está em todas as somas seguintes",
    ),
    example=lambda rng: call(rng.normal(size=(3, 4)), axis=1),
    facts=("linear",),
)


@composed(np.diff)
def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    axis = axis_of(axis, a)
    for _ in range(n):
        a = a[along(axis, slice(1, None))] - a[along(axis, slice(None, -1))]
    return a


@composed(np.average)
def _average(a: Any, axis: Axis = None, weights: Any = None, *, keepdims: bool = False) -> Any:
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    if np.ndim(weights) != np.ndim(a):
        weighed = axes_of(axis, a)
        refuse("average", axis=axis if len(weighed) != 1 else None)
        weights = np.reshape(weights, tuple(-1 if k in weighed else 1 for k in range(np.ndim(a))))
    total = np.sum(np.broadcast_to(weights, np.shape(a)), axis=axis, keepdims=keepdims)
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / total
