"""The arena: places never overlap, come back whole, and begin at cache lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from passes.agreeing import SETTINGS

from corrente.native.memory import Arena

LINE = 64


@SETTINGS
@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 8)), max_size=40))
def test_places_in_use_never_overlap(requests: list[tuple[int, int]]):
    arena = Arena()
    used: list[tuple[int, int]] = []
    for nbytes, which in requests:
        if which < len(used):
            arena.give_back(*used.pop(which))
        offset = arena.take(nbytes)
        assert offset % LINE == 0
        assert offset + max(nbytes, 1) <= arena.size
        for other, length in used:
            assert offset + max(nbytes, 1) <= other or other + max(length, 1) <= offset
        used.append((offset, nbytes))
    for place in used:
        arena.give_back(*place)
    assert arena._free == ([(0, arena.size)] if arena.size else [])


def test_what_was_given_back_is_taken_again():
    arena = Arena()
    places = [arena.take(100) for _ in range(3)]
    arena.give_back(places[1], 100)
    assert arena.take(128) == places[1]
    assert arena.size == 3 * 128


def test_neighbours_that_come_back_are_one_gap():
    arena = Arena()
    places = [arena.take(64) for _ in range(4)]
    for k in (2, 0, 1):
        arena.give_back(places[k], 64)
    assert arena.take(192) == 0


def test_the_smallest_gap_that_fits_is_taken():
    arena = Arena()
    large, _, small, _ = arena.take(640), arena.take(1), arena.take(64), arena.take(1)
    arena.give_back(large, 640)
    arena.give_back(small, 64)
    assert arena.take(10) == small


def test_the_last_gap_grows():
    arena = Arena()
    arena.take(64)
    last = arena.take(64)
    arena.give_back(last, 64)
    assert arena.take(640) == last
    assert arena.size == 64 + 640
