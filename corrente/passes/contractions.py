"""Sums of products, spelled as products of two arrays that sum over one axis at most.

A diagonal is read first, what only one array has is summed first, several arrays are taken two by
two, and axes that do not lie side by side are made one before they are summed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from corrente.circuit import Step, Wire
from corrente.passes.writer import Writer
from corrente.record import Contract, Params


class Term(NamedTuple):
    """An array with a letter for each of its axes."""

    letters: str
    wire: Wire


def _contract(write: Writer, step: Step, ins: Sequence[Wire], params: Params) -> Wire | None:
    kind, dtype = step.gate.kind, write.wires[step.outs[0]].dtype
    assert isinstance(kind, Contract)
    spec = kind.spec(tuple(len(x.shape) for x in ins), params)
    left, _, result = spec.partition("->")
    terms = [Term(*pair) for pair in zip(left.split(","), ins, strict=True)]
    if dtype.kind != "f" or not all(map(_consistent, terms)) or _is_plain(terms, result):
        return None
    terms = [
        term if term.wire.dtype == dtype else term._replace(wire=_cast(write, term.wire, dtype))
        for term in terms
    ]
    return _taken_together(write, [_without_repeats(write, t) for t in terms], result)


def _cast(write: Writer, wire: Wire, dtype: np.dtype) -> Wire:
    return write("astype", wire, dtype=dtype)


def _consistent(term: Term) -> bool:
    """Tell whether letters that stand twice name axes of one length."""
    return len(set(zip(term.letters, term.wire.shape, strict=True))) == len(set(term.letters))


def _is_plain(terms: Sequence[Term], result: str) -> bool:
    """Tell whether it is a matrix product already: two arrays, and one stretch of axes summed."""
    if len(terms) != 2 or len({term.wire.dtype for term in terms}) > 1:
        return False
    left, right = (term.letters for term in terms)
    if len(set(left)) < len(left) or len(set(right)) < len(right):
        return False
    if (set(left) ^ set(right)) - set(result):
        return False  # a letter that only one has is summed
    summed = [c for c in left if c not in result]
    return bool(summed) and "".join(summed) in left and "".join(summed) in right


# --- one array ----------------------------------------------------------------------------------


def _without_repeats(write: Writer, term: Term) -> Term:
    """Read the diagonal of axes that share a letter."""
    letters, wire = term
    for c in dict.fromkeys(letters):
        while letters.count(c) > 1:
            first = letters.index(c)
            second = letters.index(c, first + 1)
            wire = write("diagonal", wire, offset=0, axis1=first, axis2=second)
            rest = [a for k, a in enumerate(letters) if k not in (first, second)]
            letters = "".join([*rest, c])
    return Term(letters, wire)


def _summed_alone(write: Writer, term: Term, needed: set[str]) -> Term:
    """Sum over the axes that no other array and not the result has."""
    axis = tuple(k for k, c in enumerate(term.letters) if c not in needed)
    if not axis:
        return term
    kept = "".join(c for c in term.letters if c in needed)
    return Term(kept, write("sum", term.wire, axis=axis, keepdims=False))


def _turned(write: Writer, term: Term, letters: str) -> Wire:
    axes = tuple(term.letters.index(c) for c in letters)
    if axes == tuple(range(len(axes))):
        return term.wire
    return write("transpose", term.wire, axes=axes)


# --- several arrays -----------------------------------------------------------------------------


def _taken_together(write: Writer, terms: list[Term], result: str) -> Wire:
    """Multiply the arrays two by two, in the order that costs least."""
    for group in _order(terms, result):
        chosen = [terms[k] for k in group]
        terms = [term for k, term in enumerate(terms) if k not in group]
        while len(chosen) > 1:
            first, second, *chosen = chosen
            needed = set(result).union(*(t.letters for t in (*terms, *chosen)))
            last = not terms and not chosen
            chosen.insert(0, _pair(write, first, second, needed, result if last else None))
        terms.append(chosen[0])
    return _turned(write, _summed_alone(write, terms[0], set(result)), result)


def _order(terms: Sequence[Term], result: str) -> list[tuple[int, ...]]:
    if len(terms) < 3:
        return [tuple(range(len(terms)))]
    spec = f"{','.join(term.letters for term in terms)}->{result}"
    models = [np.broadcast_to(0.0, term.wire.shape) for term in terms]
    path, _ = np.einsum_path(spec, *models, optimize="greedy")
    return list(path[1:])


def _pair(write: Writer, a: Term, b: Term, needed: set[str], result: str | None) -> Term:
    """Multiply two arrays and sum over what is not needed any more."""
    a = _summed_alone(write, a, needed | set(b.letters))
    b = _summed_alone(write, b, needed | set(a.letters))
    summed = [c for c in a.letters if c not in needed]
    if result is None:
        both = [c for c in a.letters if c in needed and c in b.letters]
        own = [[c for c in t.letters if c in needed and c not in both] for t in (a, b)]
        result = "".join([*both, *own[0], *own[1]])
    if not summed:
        return Term(result, _multiplied(write, a, b, result))
    if len(summed) > 1:
        sizes = {c: max(t.wire.shape[t.letters.index(c)] for t in (a, b)) for c in summed}
        a, b = _merged(write, a, sizes), _merged(write, b, sizes)
    spec = f"{a.letters},{b.letters}->{result}"
    return Term(result, write("einsum", a.wire, b.wire, subscripts=spec, optimize=False))


def _multiplied(write: Writer, a: Term, b: Term, result: str) -> Wire:
    """Multiply element by element: between its own axes each gets one for what it has not."""
    spread = []
    for term in (a, b):
        turned = _turned(write, term, "".join(c for c in result if c in term.letters))
        own = result[min((result.index(c) for c in term.letters), default=len(result)) :]
        missing = tuple(k for k, c in enumerate(own) if c not in term.letters)
        spread.append(write("expand_dims", turned, axis=missing) if missing else turned)
    return write("multiply", *spread)


def _merged(write: Writer, term: Term, summed: Mapping[str, int]) -> Term:
    """Make one axis of the summed ones: under the first one's letter, where they lie together."""
    stretch = "".join(summed)
    letters = term.letters
    if stretch not in letters:
        letters = "".join(c for c in letters if c not in summed) + stretch
    wire, at = _turned(write, term, letters), letters.index(stretch)
    before, after = wire.shape[:at], wire.shape[at + len(summed) :]
    full = (*before, *summed.values(), *after)
    if wire.shape != full:  # an axis of one element is repeated
        wire = write("broadcast_to", wire, shape=full)
    shape = (*before, math.prod(summed.values()), *after)
    merged = write("reshape", wire, shape=shape, order="C")
    return Term(letters[:at] + stretch[0] + letters[at + len(summed) :], merged)


SPELLINGS = dict.fromkeys(("einsum", "tensordot", "dot", "outer", "matmul"), _contract)
