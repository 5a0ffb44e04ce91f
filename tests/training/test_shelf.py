"""The shelf keeps what fits, and makes the rest anew."""

from __future__ import annotations

import numpy as np

from corrente.training.shelf import Shelf


def test_the_oldest_goes_when_there_is_no_room():
    made: list[str] = []

    def ask(shelf: Shelf, name: str, size: int = 40) -> None:
        shelf.get(name, lambda: (made.append(name), np.zeros(size, np.uint8))[1:])

    shelf = Shelf(100)
    for name in "ababca":
        ask(shelf, name)
    assert "".join(made) == "abc" + "a"
    ask(shelf, "large", 1000)
    ask(shelf, "large", 1000)
    assert made[-2:] == ["large", "large"]
