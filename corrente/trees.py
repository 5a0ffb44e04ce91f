"""Nested arguments: tuples, lists, dicts, named tuples and dataclasses, taken apart by optree."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_NAMESPACE = "corrente"
_LEAF_TYPES = (float, int, np.ndarray, np.generic, complex)
_known: set[type] = set()


class Tree(NamedTuple):
    """The leaves of a nested value, the way back, and a path such as `['W'].b[0]` for each."""

    leaves: list[Any]
    build: Callable[[list[Any]], Any]
    paths: Callable[[], list[str]]
    structure: Any

    @property
    def is_leaf(self) -> bool:
        """Tell whether the value was no container at all."""
        return self.structure is None


def take_apart(value: Any) -> Tree:
    """Flatten a nested value; a number or an array is its own only leaf.

    >>> take_apart({"W": 1.0, "b": (2.0, 3.0)}).leaves
    [1.0, 2.0, 3.0]
    """
    if isinstance(value, _LEAF_TYPES) or not _is_container(value):
        return Tree([value], lambda leaves: leaves[0], lambda: [""], None)
    optree = _optree()
    leaves, spec = optree.tree_flatten(value, is_leaf=_registers, namespace=_NAMESPACE)
    if optree.treespec_is_leaf(spec):
        return Tree([value], lambda leaves: leaves[0], lambda: [""], None)
    return Tree(leaves, lambda new: optree.tree_unflatten(spec, new), lambda: _paths(spec), spec)


def _is_container(value: Any) -> bool:
    return isinstance(value, tuple | list | dict | deque) or value is None or _is_dataclass(value)


def _is_dataclass(value: Any) -> bool:
    return dataclasses.is_dataclass(value) and not isinstance(value, type)


def _registers(value: Any) -> bool:
    """Make optree know a dataclass when it first meets one; nothing is a leaf on account of it."""
    kind = type(value)
    if _is_dataclass(value) and kind not in _known:
        names = tuple(field.name for field in dataclasses.fields(value))

        def flatten(part: Any) -> tuple[tuple[Any, ...], None, tuple[str, ...]]:
            return tuple(getattr(part, name) for name in names), None, names

        def unflatten(_: None, children: Any) -> Any:
            # not through __init__: it may check or convert what is a traced value now
            part = object.__new__(kind)
            for name, child in zip(names, children, strict=True):
                object.__setattr__(part, name, child)
            return part

        _optree().register_pytree_node(kind, flatten, unflatten, namespace=_NAMESPACE)
        _known.add(kind)
    return False


def _paths(spec: Any) -> list[str]:
    return [accessor.codify("") for accessor in spec.accessors()]


def _optree() -> Any:
    """Load optree when nested values are first met: flat programs start without it."""
    import optree  # noqa: PLC0415  # a third party that costs 13 ms to import

    return optree
