"""Arguments as users give them: traced values stay as they are, everything else becomes arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.gates.indexing import is_traced
from corrente.gates.own import speaker


def given(x: Any) -> Any:
    """Return a traced value as it is, a list that holds some stacked, anything else as an array.

    >>> given([1.0, 2.0])
    array([1., 2.])
    """
    if is_traced(x):
        return x
    if isinstance(x, list | tuple) and speaker(x) is not None:
        return np.stack([given(part) for part in x])
    return np.asarray(x)


def readable(x: Any, *index: Any) -> Any:
    """Return x so that it can be read at an index: a plain array follows a traced index."""
    x = given(x)
    follows = next((part for part in index if is_traced(part)), None)
    return x if follows is None or is_traced(x) else np.array(x, like=follows)


def in_type(x: Any, dtype: Any) -> Any:
    """Return x as an array of a dtype; unchanged where it is one already."""
    x = given(x)
    return x if x.dtype == dtype else np.astype(x, dtype)


def in_range(index: Any, length: int, mode: str) -> Any:
    """Bring places into an axis as NumPy's `mode` says: "raise", "wrap" or "clip".

    >>> in_range(np.array([-1, 4]), 3, "wrap")
    array([2, 1])
    """
    index = given(index)
    if mode == "wrap":
        return index % length
    if mode == "clip":
        return np.clip(index, 0, length - 1)
    if mode != "raise":
        raise ValueError(f"mode must be 'raise', 'wrap' or 'clip', not {mode!r}")
    return index


def repeated(values: Any, size: int) -> Any:
    """Return values in a row, over and over, until there are as many as asked for.

    >>> repeated([1.0, 2.0], 5)
    array([1., 2., 1., 2., 1.])
    """
    row = np.ravel(given(values))
    return row if np.size(row) == size else row[np.arange(size) % np.size(row)]


def spread_out(places: Any, shape: tuple[int, ...]) -> tuple[Any, ...]:
    """Turn places in the flattened array into one index array for each axis.

    Places before the first count from the end; the first axis is left to tell of those beyond.

    >>> spread_out(np.array([4, -1]), (2, 3))
    (array([ 1, -1]), array([1, 2]))
    """
    index: list[Any] = []
    for length in reversed(shape[1:]):
        index.append(places % length)
        places = places // length
    return (places, *reversed(index))
