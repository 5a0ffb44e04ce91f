"""What to try where NumPy or SciPy asked a traced value for a plain array."""

from __future__ import annotations

import os
from types import FrameType
from typing import Any

import numpy as np

from corrente.places import HOUSE, INSIDE, SCIPY
from corrente.words import Says

_SPECIAL = os.path.join(SCIPY, "special", "")

_SAME_NAME = Says(
    "the function of the same name in corrente.special (from corrente import special), "
    "or wrap SciPy's with co.gate and give it a gradient.",
    "a função de mesmo nome em corrente.special (from corrente import special), "
    "ou envolva a da SciPy com co.gate e dê-lhe um gradiente.",
)
_OF_SCIPY = Says(
    "the same written with NumPy's functions (np.linalg, np.fft) and those of corrente.special, "
    "or wrap SciPy's with co.gate and give it a gradient.",
    "o mesmo escrito com as funções do NumPy (np.linalg, np.fft) e as de corrente.special, "
    "ou envolva a da SciPy com co.gate e dê-lhe um gradiente.",
)
ONE_BY_ONE = Says(
    "np.stack([f(u) for u in x]) in place of np.vectorize or np.frompyfunc, or co.vmap(f)(x) "
    "where f decides nothing by the numbers.",
    "np.stack([f(u) for u in x]) no lugar de np.vectorize ou np.frompyfunc, ou co.vmap(f)(x) "
    "onde f não decide nada pelos números.",
)
_JOIN = Says(
    "np.concatenate([x, y]) in place of np.r_[x, y], and np.column_stack([x, y]) in place of "
    "np.c_[x, y].",
    "np.concatenate([x, y]) no lugar de np.r_[x, y], e np.column_stack([x, y]) no lugar de "
    "np.c_[x, y].",
)
_LIST = Says(
    "np.stack([x, y]), or np.array([x, y], like=x), in place of a list of traced values; if there "
    "is no list, this function of NumPy's wants a plain array: write it with others.",
    "np.stack([x, y]), ou np.array([x, y], like=x), no lugar de uma lista de valores traçados; "
    "se não há lista, esta função do NumPy quer um array comum: escreva-a com outras.",
)
_WALK = Says(
    "for k in np.ndindex(x.shape), and x[k], in place of np.ndenumerate(x).",
    "for k in np.ndindex(x.shape), e x[k], no lugar de np.ndenumerate(x).",
)
_WHOLE = Says(
    "x.astype(int) where whole numbers are meant: no gradient passes through them.",
    "x.astype(int) onde se querem números inteiros: por eles não passa gradiente.",
)


_ASKING: tuple[tuple[type, Says], ...] = (
    (np.vectorize, ONE_BY_ONE),
    (np.ndenumerate, _WALK),
    (type(np.r_), _JOIN),
    (type(np.c_), _JOIN),
)


def advise(caller: FrameType | None, dtype: Any = None) -> Says | None:
    """Return what to try, from the library's frame that asked; None where the user's code did.

    `dtype` is the type of array that was asked for, if one was named.
    """
    if dtype is not None and np.dtype(dtype).kind in "iu":
        return _WHOLE
    nearest = None
    while caller is not None and caller.f_code.co_filename.startswith(INSIDE):
        owner = caller.f_locals.get("self")
        for kind, says in _ASKING:
            if isinstance(owner, kind):
                return says
        nearest = nearest or _by_file(caller.f_code.co_filename)
        caller = caller.f_back
    return nearest


def _by_file(name: str) -> Says | None:
    if name.startswith(SCIPY):
        return _SAME_NAME if name.startswith(_SPECIAL) else _OF_SCIPY
    return None if name.startswith(HOUSE) else _LIST
