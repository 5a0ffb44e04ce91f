"""Einsum: any sum of products, said with one letter for each axis."""

from __future__ import annotations

import operator
import string
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.errors import BadValue
from corrente.gates.calls import refuse
from corrente.gates.indexing import blank
from corrente.record import Call, Contract, Every, Params, Shape, call, gate
from corrente.words import Says

_LETTERS = string.ascii_uppercase + string.ascii_lowercase
"""The letters of axis numbers, in the order in which an output left out sorts both."""


def lettered(operands: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Turn arrays with lists of axis numbers into subscripts and the arrays alone.

    >>> lettered(("a", [0, 1], "b", [..., 1, 2], [0, 2]))
    ('AB,...BC->AC', ('a', 'b'))
    """
    if len(operands) < 2:
        raise BadValue(
            Says("np.einsum was given no subscripts.", "np.einsum não recebeu índices."),
            Says(
                'write them first: np.einsum("ij,jk->ik", a, b).',
                'escreva-os primeiro: np.einsum("ij,jk->ik", a, b).',
            ),
        )
    pairs = len(operands) // 2 * 2
    left = ",".join(map(_term, operands[1:pairs:2]))
    right = "".join(f"->{_term(axes)}" for axes in operands[pairs:])
    return left + right, tuple(operands[:pairs:2])


def _term(axes: Sequence[Any]) -> str:
    return "".join("..." if axis is Ellipsis else _letter(axis) for axis in axes)


def _letter(axis: Any) -> str:
    number = operator.index(axis)
    if not 0 <= number < len(_LETTERS):
        raise BadValue(
            Says(
                "np.einsum cannot name axis number {0}.", "np.einsum não nomeia o eixo número {0}."
            ).fill(number),
            Says("number the axes from 0 to 51.", "numere os eixos de 0 a 51."),
        )
    return _LETTERS[number]


def explicit(subscripts: str, ndims: Sequence[int]) -> str:
    """Spell subscripts out: letters for every axis, and an output, for operands of these ndims.

    What does not fit the operands is returned as it is: NumPy will say so.

    >>> explicit("...ij, jk", (3, 2)), explicit("ii", (2,))
    ('aij,jk->aik', 'ii->')
    """
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    own = [ndim - len(term.replace("...", "")) for term, ndim in zip(terms, ndims, strict=False)]
    if len(terms) != len(ndims) or min(own) < 0:
        return text
    wide = max((n for n, term in zip(own, terms, strict=True) if "..." in term), default=0)
    rest = "".join([c for c in string.ascii_letters if c not in text][:wide])
    if arrow and wide and "..." not in right:
        return text
    if not arrow:
        counts = Counter(left.replace("...", "").replace(",", ""))
        right = "..." + "".join(sorted(c for c, times in counts.items() if times == 1))
    spelled = [term.replace("...", rest[wide - n :]) for term, n in zip(terms, own, strict=True)]
    return f"{','.join(spelled)}->{right.replace('...', rest)}"


def _takes(
    subscripts: Any,
    /,
    *operands: Any,
    optimize: Any = False,
    out: Any = None,
    dtype: Any = None,
    order: Any = None,
    casting: str = "safe",
) -> Call:
    if not isinstance(subscripts, str):
        subscripts, operands = lettered((subscripts, *operands))
    refuse("einsum", out=out, dtype=dtype, order=None if order == "K" else order)
    spelled = explicit(subscripts, [np.ndim(x) for x in operands])
    return call(*operands, subscripts=spelled, optimize=bool(optimize))


def _einsum(*operands: Any, subscripts: str, optimize: bool) -> Any:
    return np.einsum(subscripts, *operands, optimize=optimize)


def _pull(position: int, g: Any, out: Any, *ins: Any, subscripts: str, optimize: bool) -> Any:
    """Contract the gradient with the other operands: what is left has this operand's letters."""
    left, _, result = subscripts.partition("->")
    terms = left.split(",")
    term, shape = terms.pop(position), np.shape(ins[position])
    others = ins[:position] + ins[position + 1 :]
    known = set(result).union(*terms)
    sizes = dict(zip(term, shape, strict=True))
    # an axis of length one may have been repeated: leaving its letter out adds the copies up
    kept = "".join(c for c, n in sizes.items() if c in known and n != 1)
    d = np.einsum(f"{','.join([result, *terms])}->{kept}", g, *others, optimize=optimize)
    # an axis that no one else has was summed on its own: each element receives the same
    spread = np.reshape(d, [np.shape(d)[kept.index(c)] if c in kept else 1 for c in sizes])
    full = np.broadcast_to(spread, tuple(sizes.values()))
    return full if len(sizes) == len(term) else _on_diagonal(full, term, shape)


def _on_diagonal(d: Any, term: str, shape: Shape) -> Any:
    """Write d where axes that share a letter have the same index; elsewhere zero."""
    letters = list(dict.fromkeys(term))
    grid = np.ogrid[tuple(slice(0, n) for n in np.shape(d))]
    buffer = blank(shape, d)
    buffer[tuple(grid[letters.index(c)] for c in term)] = d
    return buffer


def _push(tangents: Any, out: Any, ins: Any, params: Params) -> Any:
    """Move one operand at a time and add up: an einsum is linear in each."""
    parts = [
        _einsum(*ins[:k], t, *ins[k + 1 :], **params)
        for k, t in enumerate(tangents)
        if t is not None
    ]
    return sum(parts[1:], parts[0])


def _shape(*shapes: Shape, subscripts: str, optimize: bool) -> Shape:
    left, _, result = subscripts.partition("->")
    sizes: dict[str, int] = {}
    for term, shape in zip(left.split(","), shapes, strict=True):
        for c, n in zip(term, shape, strict=True):
            sizes[c] = n if sizes.get(c, 1) == 1 else sizes[c]
    return tuple(sizes[c] for c in result)


def _written(names: Sequence[str], params: Params) -> str:
    optimize = ", optimize=True" if params["optimize"] else ""
    return f'np.einsum("{params["subscripts"]}", {", ".join(names)}{optimize})'


einsum = gate(
    np.einsum,
    kind=Contract(lambda ndims, params: params["subscripts"]),
    takes=_takes,
    forward=_einsum,
    shape=_shape,
    pulls=Every(_pull),
    push=_push,
    symbol="einsum",
    code=_written,
    does=Says(
        en="multiplies its inputs and adds up along the axes that the output does not have",
        pt="multiplica as entradas e soma ao longo dos eixos que a saída não tem",
    ),
    teaches=Says(
        en="gives each input the gradient times all the others, added up along the axes that "
        "this input does not have",
        pt="dá a cada entrada o gradiente vezes todas as outras, somado ao longo dos eixos que "
        "essa entrada não tem",
    ),
    example=lambda rng: call(
        rng.normal(size=(2, 2, 3)),
        rng.normal(size=(3, 4)),
        rng.normal(size=4),
        subscripts="iij,jk,k->ik",
        optimize=False,
    ),
)
