"""How a call as users write it is brought into the house's own form, and written back."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from corrente.errors import NotSupported
from corrente.record import Params
from corrente.words import Says

Axis = int | Sequence[int] | None


def axes_of(axis: Axis, x: Any) -> tuple[int, ...]:
    """Return the axes meant as a sorted tuple of ints ≥ 0; None means all of them.

    >>> axes_of(-1, np.ones((2, 3))), axes_of(None, np.ones((2, 3)))
    ((1,), (0, 1))
    """
    ndim = np.ndim(x)
    return tuple(range(ndim)) if axis is None else tuple(sorted(normalize_axis_tuple(axis, ndim)))


def axis_of(axis: int, x: Any) -> int:
    """Return one axis of x as an int ≥ 0."""
    return normalize_axis_index(axis, np.ndim(x))


def numbers(value: Any) -> tuple[int, ...]:
    """Return a whole number, or a sequence of them, as a tuple of Python ints."""
    return tuple(operator.index(item) for item in np.atleast_1d(value))


def refuse(name: str, **given: Any) -> None:
    """Raise NotSupported for each keyword that was given: None and False mean it was not."""
    for key, value in given.items():
        if value is not None and value is not False:
            raise NotSupported(
                Says(
                    "np.{0} of a traced value does not take {1}={2}.",
                    "np.{0} de um valor traçado não aceita {1}={2}.",
                ).fill(name, key, repr(value)),
                Says(
                    "leave {0} out, or write the same with other functions.",
                    "omita {0}, ou escreva o mesmo com outras funções.",
                ).fill(key),
            )


def written(name: str, **usual: Any) -> Callable[[Sequence[str], Params], str]:
    """Make the rule that writes a call, without the parameters that have their usual value.

    >>> written("sum", keepdims=False)(["x"], {"axis": (1,), "keepdims": False})
    'np.sum(x, axis=1)'
    """

    def code(names: Sequence[str], params: Params) -> str:
        words = [
            f"{key}={_plain(key, value)!r}"
            for key, value in params.items()
            if key not in usual or usual[key] != value
        ]
        return f"np.{name}({', '.join([*names, *words])})"

    return code


def _plain(key: str, value: Any) -> Any:
    """Write one axis as users do, without the tuple around it."""
    return value[0] if key == "axis" and isinstance(value, tuple) and len(value) == 1 else value


def listed(name: str) -> Callable[[Sequence[str], Params], str]:
    """Make the rule that writes a call whose inputs stand in a list: `np.stack([x, y], axis=0)`."""
    return lambda names, params: f"np.{name}([{', '.join(names)}], axis={params['axis']})"


def along(axis: int, *index: Any) -> tuple[Any, ...]:
    """Return the index that reads `index` at one axis and everything before it.

    >>> along(1, slice(0, 2))
    (slice(None, None, None), slice(0, 2, None))
    """
    return (slice(None),) * axis + index
