"""All leaves of an argument or result in one vector, and the vectors that are drawn for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.tracer import Traced


def kind_of(leaf: Any) -> str:
    if isinstance(leaf, float | complex | int | Traced | np.ndarray | np.generic):
        return getattr(leaf, "dtype", np.result_type(type(leaf))).kind
    return "O"


def widen(leaf: Any) -> Any:
    dtype = getattr(leaf, "dtype", None)
    if dtype is None or np.finfo(dtype).eps <= np.finfo(float).eps:
        return leaf
    return leaf.astype(complex if dtype.kind == "c" else float)


def pack(leaves: Sequence[Any]) -> np.ndarray:
    """Lay all leaves end to end, in float64 or complex128."""
    flat = [np.ravel(np.asarray(leaf)) for leaf in leaves]
    kind = complex if any(part.dtype.kind == "c" for part in flat) else float
    return np.concatenate([part.astype(kind) for part in flat]) if flat else np.zeros(0)


def unpack(vector: np.ndarray, like: Sequence[Any]) -> tuple[Any, ...]:
    """Cut a vector into leaves with the types and shapes of those given."""
    found, start = [], 0
    for leaf in like:
        shape = np.shape(leaf)
        part = vector[start : start + math.prod(shape)]
        start += math.prod(shape)
        part = part if kind_of(leaf) == "c" else np.real(part)
        if isinstance(leaf, float | complex) and not isinstance(leaf, np.generic):
            found.append(part[0].item())
        else:
            part = part.astype(leaf.dtype).reshape(shape)
            found.append(part if isinstance(leaf, np.ndarray) else part[()])
    return tuple(found)


def draw(leaves: Sequence[Any], rng: np.random.Generator) -> np.ndarray:
    """Draw a direction without small components; a single number gets 1."""
    parts = []
    for leaf in leaves:
        size = math.prod(np.shape(leaf))
        part = rng.uniform(0.5, 1.5, size) * rng.choice([-1.0, 1.0], size)
        parts.append(part + 1j * rng.uniform(0.5, 1.5, size) if kind_of(leaf) == "c" else part)
    drawn = pack(parts)
    return np.ones_like(drawn) if drawn.size == 1 and drawn.dtype.kind == "f" else drawn


def scale_of(leaves: Sequence[Any]) -> np.ndarray:
    """Return each element's step: between its own size and that of the leaf it is in."""
    parts = []
    for leaf in leaves:
        size = np.abs(np.ravel(np.asarray(leaf)))
        whole = float(np.sqrt(np.mean(size**2))) if size.size else 1.0
        whole = whole if 0 < whole < math.inf else 1.0
        parts.append(np.sqrt(whole * np.where(size > 0, size, whole)))
    return pack(parts)


def inner(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the sum of products, and of their sizes: what rounding is measured against."""
    products = np.real(a * b)
    return float(np.sum(products)), float(np.sum(np.abs(products)))
