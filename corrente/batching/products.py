"""Sums of products: two operands become one matrix product, which BLAS does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def contract(terms: Sequence[str], out: str, operands: Sequence[Any]) -> Any:
    """Carry out an einsum; two operands become one matrix product, which BLAS does.

    >>> contract(["ij", "kj"], "ki", [np.eye(2), np.ones((3, 2))]).shape
    (3, 2)
    """
    plain = all(len(set(term)) == len(term) and "." not in term for term in terms)
    if len(terms) != 2 or not plain or np.result_type(*operands).kind not in "fc":
        return np.einsum(f"{','.join(terms)}->{out}", *operands)
    (left, right), (a, b) = terms, operands
    if out[:1] in right and out[:1] not in left:  # so that the product comes out in order
        left, right, a, b = right, left, b, a
    a, left = _summed(a, left, right + out)
    b, right = _summed(b, right, left + out)
    both = [k for k in out if k in left and k in right]
    rows = [k for k in out if k not in right]
    columns = [k for k in out if k not in left]
    inner = [k for k in left if k in right and k not in out]
    sizes = dict(zip(left + right, (*np.shape(a), *np.shape(b)), strict=True))
    product = np.matmul(
        _as_matrices(a, left, both, rows, inner), _as_matrices(b, right, both, inner, columns)
    )
    shape = (*np.shape(product)[: len(both)], *(sizes[k] for k in rows + columns))
    return _turned(np.reshape(product, shape), "".join(both + rows + columns), out)


def _summed(x: Any, letters: str, kept: str) -> tuple[Any, str]:
    alone = tuple(k for k, letter in enumerate(letters) if letter not in kept)
    if not alone:
        return x, letters
    return np.sum(x, axis=alone), "".join(k for k in letters if k in kept)


def _as_matrices(x: Any, letters: str, both: list[str], rows: list[str], columns: list[str]) -> Any:
    x = _turned(x, letters, "".join(both + rows + columns))
    if len(rows) == len(columns) == 1:
        return x
    shape = np.shape(x)
    middle = len(both) + len(rows)
    sides = [int(np.prod(part, dtype=int)) for part in (shape[len(both) : middle], shape[middle:])]
    return np.reshape(x, (*shape[: len(both)], *sides))


def _turned(x: Any, letters: str, wanted: str) -> Any:
    return x if letters == wanted else np.transpose(x, [letters.index(k) for k in wanted])
