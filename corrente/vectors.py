"""Nested values as one vector of floats, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadArgument
from corrente.trees import take_apart
from corrente.words import Says


class Flat(NamedTuple):
    """A vector of float64 and the way back to the structure, shapes and dtypes it came from."""

    vector: np.ndarray
    build: Callable[[np.ndarray], Any]


def flatten(value: Any) -> Flat:
    """Lay all leaves of a nested value end to end; whole numbers become floats.

    Raises BadArgument for leaves that are not real numbers.

    >>> flat = flatten({"a": 1.0, "b": [2.0, 3.0]})
    >>> flat.vector, flat.build(flat.vector * 2)
    (array([1., 2., 3.]), {'a': 2.0, 'b': [4.0, 6.0]})
    """
    tree = take_apart(value)
    for path, leaf in zip(tree.paths(), tree.leaves, strict=True):
        kind = np.asarray(leaf).dtype
        if kind.kind not in "fiu":
            raise BadArgument(
                Says("the value{0} is of type {1}.", "o valor{0} é do tipo {1}.").fill(path, kind),
                Says("give real numbers.", "dê números reais."),
            )
    pieces = [np.asarray(leaf, np.float64).ravel() for leaf in tree.leaves]
    ends = np.cumsum([len(piece) for piece in pieces])[:-1]

    def build(vector: np.ndarray) -> Any:
        parts = np.split(np.asarray(vector, np.float64), ends)
        return tree.build(
            [_like(part, leaf) for part, leaf in zip(parts, tree.leaves, strict=True)]
        )

    return Flat(np.concatenate(pieces) if pieces else np.empty(0), build)


def _like(part: np.ndarray, leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray | np.generic):
        kind = leaf.dtype if leaf.dtype.kind == "f" else np.dtype(float)
        shaped = part.reshape(leaf.shape).astype(kind)
        return shaped if isinstance(leaf, np.ndarray) else shaped[()]
    return float(part[0])
