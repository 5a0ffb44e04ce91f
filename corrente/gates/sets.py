"""Sets and questions: elements without repetition, what is among what, whether arrays agree."""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.gates.calls import refuse, written
from corrente.gates.given import given
from corrente.record import Call, Opaque, call, composed, gate
from corrente.words import Says

# --- without repetition -------------------------------------------------------------------------


def _firsts(ordered: Any, equal_nan: bool) -> Any:
    """Mark the first of each run of equal elements."""
    before, after = ordered[:-1], ordered[1:]
    differs = before != after
    if equal_nan and ordered.dtype.kind in "fc":
        differs = differs & ~(np.isnan(before) & np.isnan(after))
    return np.concatenate([np.ones(min(len(ordered), 1), bool), differs])


@composed(np.unique)
def _unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    refuse("unique", axis=axis)
    shape, row = np.shape(ar), np.ravel(given(ar))
    order = np.argsort(row, stable=True)
    ordered = row[order]
    first = _firsts(ordered, equal_nan)
    found = [ordered[first]]
    if return_index:
        found.append(order[first])
    if return_inverse:
        found.append(np.reshape((np.cumsum(first) - 1)[np.argsort(order)], shape))
    if return_counts:
        ends = np.concatenate([np.flatnonzero(first), np.array([np.size(row)])])
        found.append(ends[1:] - ends[:-1])
    return found[0] if len(found) == 1 else tuple(found)


def _answer(function: Any, *parts: Any) -> Any:
    """Return what a function of NumPy's returns, its named tuple, with other contents."""
    return type(function(np.empty(0)))(*parts)


@composed(np.unique_values)
def _unique_values(x: Any, /) -> Any:
    return np.unique(x, equal_nan=False)


@composed(np.unique_counts)
def _unique_counts(x: Any, /) -> Any:
    return _answer(np.unique_counts, *np.unique(x, return_counts=True, equal_nan=False))


@composed(np.unique_inverse)
def _unique_inverse(x: Any, /) -> Any:
    return _answer(np.unique_inverse, *np.unique(x, return_inverse=True, equal_nan=False))


@composed(np.unique_all)
def _unique_all(x: Any, /) -> Any:
    return _answer(np.unique_all, *np.unique(x, True, True, True, equal_nan=False))


# --- what is among what -------------------------------------------------------------------------


def _takes_isin(
    element: Any,
    test_elements: Any,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    kind: str | None = None,
) -> Call:
    return call(element, test_elements, invert=bool(invert))


isin = gate(
    np.isin,
    kind=Opaque(),
    takes=_takes_isin,
    shape=lambda x, y, invert: x,
    pulls=None,
    symbol="∈",
    code=written("isin", invert=False),
    does=Says(
        en="asks of each element of {0} if it is among {1}",
        pt="pergunta de cada elemento de {0} se está em {1}",
    ),
    teaches=Says(
        en="lets no gradient through: a yes or no has no slope",
        pt="não deixa passar gradiente: um sim ou não não tem inclinação",
    ),
    example=lambda rng: call(rng.normal(size=(2, 3)), rng.normal(size=4), invert=False),
)


def _distinct(x: Any, assume_unique: bool) -> Any:
    return np.ravel(given(x)) if assume_unique else np.unique(given(x))


@composed(np.union1d)
def _union1d(ar1: Any, ar2: Any) -> Any:
    return np.unique(np.concatenate([np.ravel(given(ar1)), np.ravel(given(ar2))]))


@composed(np.intersect1d)
def _intersect1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False
) -> Any:
    refuse("intersect1d", return_indices=return_indices)
    ours = _distinct(ar1, assume_unique)
    return np.sort(ours[np.isin(ours, given(ar2))])


@composed(np.setdiff1d)
def _setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    ours = _distinct(ar1, assume_unique)
    return ours[np.isin(ours, given(ar2), invert=True)]


@composed(np.setxor1d)
def _setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> Any:
    ours, theirs = np.setdiff1d(ar1, ar2, assume_unique), np.setdiff1d(ar2, ar1, assume_unique)
    return np.sort(np.concatenate([ours, theirs]))


# --- whether arrays agree -----------------------------------------------------------------------


@composed(np.isclose)
def _isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    a, b = given(a), given(b)
    finite = np.isfinite(a) & np.isfinite(b)
    apart = np.abs(np.where(finite, a, 0) - np.where(finite, b, 0))
    close = (apart <= atol + rtol * np.abs(b)) & finite | (a == b)
    return close | (np.isnan(a) & np.isnan(b)) if equal_nan else close


@composed(np.allclose)
def _allclose(
    a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False
) -> bool:
    return bool(np.all(np.isclose(a, b, rtol, atol, equal_nan)))


@composed(np.array_equal)
def _array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    a1, a2 = given(a1), given(a2)
    if np.shape(a1) != np.shape(a2):
        return False
    equal = a1 == a2
    if equal_nan:
        equal = equal | (np.isnan(a1) & np.isnan(a2))
    return bool(np.all(equal))


@composed(np.array_equiv)
def _array_equiv(a1: Any, a2: Any) -> bool:
    a1, a2 = given(a1), given(a2)
    try:
        np.broadcast_shapes(np.shape(a1), np.shape(a2))
    except ValueError:
        return False
    return bool(np.all(a1 == a2))


@composed(np.isneginf)
def _isneginf(x: Any, out: Any = None) -> Any:
    refuse("isneginf", out=out)
    return x == -np.inf


@composed(np.isposinf)
def _isposinf(x: Any, out: Any = None) -> Any:
    refuse("isposinf", out=out)
    return x == np.inf
