"""What was read once and may be wanted again: kept as long as there is room, the oldest goes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from corrente.trees import take_apart


@dataclass
class Shelf:
    """Values by key, of so many bytes in all; what does not fit is made anew.

    >>> shelf = Shelf(100)
    >>> shelf.get("a", lambda: 1), shelf.get("a", lambda: 2)
    (1, 1)
    """

    room: int
    _kept: OrderedDict[Any, tuple[Any, int]] = field(default_factory=OrderedDict)
    _lock: Any = field(default_factory=Lock)

    def get(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what is kept under a key, or make it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        value = make()
        size = sum(getattr(leaf, "nbytes", 0) for leaf in take_apart(value).leaves)
        with self._lock:
            self._kept[key] = value, size
            while sum(size for _, size in self._kept.values()) > self.room:
                self._kept.popitem(last=False)
        return value


SHELF = Shelf(256 << 20)
"""This process's own."""


def make_room(size: int) -> None:
    """Say how many bytes this process may keep."""
    SHELF.room = size
