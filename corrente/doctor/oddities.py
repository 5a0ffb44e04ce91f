"""What is odd about a row: the element that lies furthest from where all the others lie."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from corrente.doctor.rows import Parted, Rows, wire_name, wire_of
from corrente.figures import number
from corrente.places import Place
from corrente.words import Says

STRANGE = 8.0
"""Robust standard deviations from which on an element may be odd."""
OUTSIDE = 2.0
"""How many times as far from the middle as any of the others it must be as well."""


class Oddity(NamedTuple):
    """The data on which some rows are least like the others: name, line that reads them, how.

    `far` tells whether that is far enough to call the rows odd; otherwise `says` is empty.
    """

    name: str
    place: Place | None
    far: bool
    says: Says


class _Element(NamedTuple):
    """An element of a row by its leaf, row and column, and how far away it is."""

    leaf: int
    row: int
    column: int
    away: float


def find_oddity(parted: Parted, rows: Rows) -> Oddity:
    """Find the element of some rows that lies furthest from its column in the others."""
    found = [_furthest(parted, leaf, rows) for leaf in range(len(parted.data))]
    element = max(found, key=lambda each: each.away)
    wire = wire_of(parted, element.leaf)
    readers = [] if wire is None else parted.exam.readers(wire)
    place = parted.exam.place(readers[0][0]) if readers else None
    far = element.away > 0
    said = _described(parted, element, rows) if far else Says("", "")
    return Oddity(wire_name(parted, element.leaf), place, far, said)


def find_odd(parted: Parted, rows: Rows) -> set[int]:
    """Find those of some rows that have an element far outside of its column in the others."""
    away = [_away(parted, leaf, rows) for leaf in range(len(parted.data))]
    return {int(row) for each in away for row in rows[np.any(each > 0, axis=1)]}


def _furthest(parted: Parted, leaf: int, rows: Rows) -> _Element:
    """Return the oddest element of a leaf; one that is not odd is 0 away."""
    away = _away(parted, leaf, rows)
    if not away.size:
        return _Element(leaf, int(rows[0]), 0, 0.0)
    row, column = np.unravel_index(int(np.argmax(away)), away.shape)
    return _Element(leaf, int(rows[row]), int(column), float(away[row, column]))


def _away(parted: Parted, leaf: int, rows: Rows) -> np.ndarray:
    """Return how far away each element of some rows is, in reaches of the others; 0: not odd."""
    data = np.reshape(parted.data[leaf], (parted.total, -1))
    if data.dtype.kind not in "fiu" or not data.shape[1]:
        return np.zeros((len(rows), 0))
    data = data.astype(float)
    others = np.delete(data, rows, axis=0)
    middle = np.median(others, axis=0)
    spread = 1.4826 * np.median(np.abs(others - middle), axis=0)
    reach = np.max(np.abs(others - middle), axis=0)
    # a column in which the others are all alike (a pixel never lit) is measured by its neighbours
    spread, reach = (np.maximum(each, np.median(each)) for each in (spread, reach))
    far = np.abs(data[rows] - middle)
    odd = (far > STRANGE * spread) & (far > OUTSIDE * reach)
    return np.where(odd, far / np.maximum(reach, 1e-300), 0.0)


def _described(parted: Parted, element: _Element, rows: Rows) -> Says:
    data = np.reshape(parted.data[element.leaf], (parted.total, -1))[:, element.column]
    others = np.delete(data, rows)
    at = [str(element.row)]
    if parted.data[element.leaf].ndim > 1:
        columns = parted.exam.columns
        known = len(columns) == parted.data[element.leaf].shape[1]
        at.append(columns[element.column] if known else str(element.column))
    return Says(
        "; {0}[{1}] = {2}, elsewhere {3} to {4}", "; {0}[{1}] = {2}, nas demais {3} a {4}"
    ).fill(
        wire_name(parted, element.leaf),
        ", ".join(at),
        number(data[element.row], 3),
        number(others.min(), 3),
        number(others.max(), 3),
    )
