"""One step on a batch: its operands, and the way that is open to every gate."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from corrente.record import Gate, Params, Shape


class Given(NamedTuple):
    """One step and its operands: where `batched`, the values of all examples along axis 0."""

    gate: Gate
    params: Params
    values: list[Any]
    batched: list[bool]
    size: int
    ours: bool
    """Whether the first operand's memory may be written."""

    @property
    def shapes(self) -> list[Shape]:
        """The shapes that one example has."""
        pairs = zip(self.values, self.batched, strict=True)
        return [np.shape(value)[1:] if batched else np.shape(value) for value, batched in pairs]

    def whole(self, position: int) -> Any:
        """Return an operand with the batch axis, repeated if all examples share it."""
        value = self.values[position]
        if self.batched[position]:
            return value
        return np.broadcast_to(value, (self.size, *np.shape(value)))


class Misfit(Exception):
    """Some examples cannot go on with the others: their values have other shapes."""

    def __init__(self, fits: np.ndarray) -> None:
        self.fits = fits


def aligned(x: Any, ndim: int) -> Any:
    """Put axes of length one behind the batch axis until an example has `ndim` axes."""
    size, *own = np.shape(x)
    if len(own) == ndim:
        return x
    # an array may be written with one that has more axes, all of length one
    kept = own[len(own) - min(ndim, len(own)) :]
    return np.reshape(x, (size, *(1,) * (ndim - len(kept)), *kept))


def one_by_one(given: Given) -> Any:
    """Call the gate for each example: the way of every gate that has no rule."""
    pairs = list(zip(given.values, given.batched, strict=True))
    results = [
        given.gate.forward(*(x[k] if batched else x for x, batched in pairs), **given.params)
        for k in range(given.size)
    ]
    parts = [results] if given.gate.outs == 1 else list(zip(*results, strict=True))
    shapes = [list(map(np.shape, example)) for example in zip(*parts, strict=True)]
    fits = np.array([shape == shapes[0] for shape in shapes])
    if not fits.all():
        raise Misfit(fits)
    stacks = tuple(np.stack(part) for part in parts)
    return stacks[0] if given.gate.outs == 1 else stacks
