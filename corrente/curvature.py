"""How a loss bends: the extreme eigenvalues of its Hessian, from Hessian-vector products alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from corrente.compiler import jit
from corrente.derivatives import hvp
from corrente.errors import BadValue
from corrente.vectors import flatten
from corrente.words import Says

Product = Callable[[np.ndarray], np.ndarray]


class Curvature(NamedTuple):
    """The extreme eigenvalues of a symmetric matrix, and how they were found.

    `direction` belongs to the largest one; `products` counts the products with vectors, and
    `error` bounds how far the largest is from an eigenvalue.
    """

    largest: float
    smallest: float
    direction: Any
    products: int
    error: float

    @property
    def stable_rate(self) -> float:
        """Return the largest rate at which steps downhill do not swing up: 2 / largest."""
        return 2.0 / self.largest if self.largest > 0 else math.inf


def lanczos(
    product: Product, size: int, steps: int = 40, tolerance: float = 1e-4, seed: int = 0
) -> Curvature:
    """Find the extreme eigenvalues of a symmetric matrix, given its product with vectors.

    Stops after `steps` products, or when the largest is known to the relative `tolerance`.
    Source: Lanczos (1950); every vector is made orthogonal to all before it, twice.

    >>> found = lanczos(lambda v: v * [1.0, 2.0, 5.0], 3)
    >>> round(found.largest, 6), round(found.smallest, 6)
    (5.0, 1.0)
    """
    start = np.random.default_rng(seed).normal(size=size)
    basis = [start / np.linalg.norm(start)]
    diagonal: list[float] = []
    beside: list[float] = []
    while True:
        bent = np.array(product(basis[-1]), float)
        if not np.isfinite(bent).all():
            raise _not_finite()
        diagonal.append(float(basis[-1] @ bent))
        for _ in range(2):  # once leaves what rounding left
            known = np.array(basis)
            bent -= known.T @ (known @ bent)
        length = float(np.linalg.norm(bent))
        values, vectors = _tridiagonal(diagonal, beside)
        error = length * abs(vectors[-1, -1])
        scale = max(abs(values[0]), abs(values[-1]))
        if len(basis) >= min(steps, size) or error <= tolerance * scale or length <= 1e-12 * scale:
            direction = np.array(basis).T @ vectors[:, -1]
            return Curvature(
                float(values[-1]), float(values[0]), direction, len(diagonal), float(error)
            )
        beside.append(length)
        basis.append(bent / length)


def power(
    product: Product, size: int, steps: int = 100, tolerance: float = 1e-4, seed: int = 0
) -> tuple[float, np.ndarray]:
    """Find the eigenvalue largest in absolute value, and its vector, by repeated products.

    >>> value, vector = power(lambda v: v * [1.0, -7.0], 2)
    >>> round(value, 3), abs(vector).round(3)
    (-7.0, array([0., 1.]))
    """
    vector = np.random.default_rng(seed).normal(size=size)
    vector /= np.linalg.norm(vector)
    value = 0.0
    for _ in range(steps):
        bent = np.asarray(product(vector), float)
        if not np.isfinite(bent).all():
            raise _not_finite()
        value = float(vector @ bent)
        length = float(np.linalg.norm(bent))
        if length == 0 or np.linalg.norm(bent - value * vector) <= tolerance * length:
            break
        vector = bent / length
    return value, vector


def curvature(
    loss: Callable[..., Any],
    params: Any,
    *data: Any,
    steps: int = 40,
    tolerance: float = 1e-3,
    seed: int = 0,
    compiled: bool = True,
) -> Curvature:
    """Find the extreme eigenvalues of the Hessian of `loss(params, *data)` at `params`.

    Each step costs one Hessian-vector product, a few times the cost of the gradient; the Hessian
    itself is never made. `direction` has the structure of `params`. Raises BadValue where the
    curvature is not finite.

    >>> found = curvature(lambda w: 2.0 * w[0] ** 2 + 3.0 * w[1] ** 2, [1.0, 1.0])
    >>> round(found.largest, 6), round(found.stable_rate, 6)
    (6.0, 0.333333)
    """
    flat = flatten(params)
    here = flat.build(flat.vector)

    def bend(point: Any, direction: Any, *data: Any) -> Any:
        return hvp(lambda p: loss(p, *data), (point,), (direction,))

    program = jit(bend) if compiled else bend
    product = lambda vector: flatten(program(here, flat.build(vector), *data)).vector
    found = lanczos(product, len(flat.vector), steps, tolerance, seed)
    return found._replace(direction=flat.build(found.direction))


def _tridiagonal(diagonal: list[float], beside: list[float]) -> tuple[np.ndarray, np.ndarray]:
    matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    return np.linalg.eigh(matrix)


def _not_finite() -> BadValue:
    return BadValue(
        Says("the curvature here is not finite.", "a curvatura aqui não é finita."),
        Says(
            "look for the step that makes a NaN or an infinity, or start from other parameters.",
            "procure o passo que produz um NaN ou infinito, ou parta de outros parâmetros.",
        ),
    )
