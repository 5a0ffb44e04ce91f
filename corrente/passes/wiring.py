"""How the steps of a repeated stretch are wired: within an iteration, to the last one, outside."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from corrente.passes.periods import LONGEST_LAG, Region, Table


class Local(NamedTuple):
    """Made earlier in the same iteration, by this step of it."""

    step: int
    slot: int


class Carried(NamedTuple):
    """Made by this step in an earlier iteration; the first ones read `initials` instead."""

    step: int
    slot: int
    initials: tuple[int, ...]

    @property
    def lag(self) -> int:
        """How many iterations back it was made."""
        return len(self.initials)


class Same(NamedTuple):
    """Made outside, the same wire in every iteration."""

    wire: int


class Varied(NamedTuple):
    """Made outside, another wire in every iteration."""

    wires: tuple[int, ...]


Link = Local | Carried | Same | Varied


def read_wiring(table: Table, region: Region) -> list[list[Link]] | None:
    """Return the link of every input of every step of an iteration; None if there is no rule.

    Iterations may differ in nothing but their numbers: gates, parameters, shapes and dtypes are
    compared here, and so is where each input was made.
    """
    if not _alike(table, region):
        return None
    start, period, times = region
    entries = slice(table.first[start], table.first[region.stop])
    wires = table.ins[entries].reshape(times, -1)
    made = table.maker[wires] - start
    inside = made >= 0
    number = np.arange(times)[:, None]
    lag = np.where(inside, number - made // period, -1)
    source = np.where(inside, made % period * _SLOTS + table.slot[wires], -1)
    usual = lag[-1]
    settled = number >= usual
    regular = np.where(settled, (lag == usual) & (source == source[-1]), ~inside)
    if not regular.all() or usual.max(initial=0) > LONGEST_LAG:
        return None
    if not _typed(table, region, wires, settled):
        return None
    same = (wires == wires[0]).all(axis=0)
    steps = table.reader[entries][: wires.shape[1]] - start
    links: list[list[Link]] = [[] for _ in range(period)]
    for k, step in enumerate(steps):
        links[step].append(_link(wires[:, k], int(usual[k]), int(source[-1, k]), bool(same[k])))
    return links


_SLOTS = 1 << 20


def _link(wires: np.ndarray, lag: int, source: int, same: bool) -> Link:
    if lag < 0:
        return Same(int(wires[0])) if same else Varied(tuple(wires.tolist()))
    step, slot = divmod(source, _SLOTS)
    return Carried(step, slot, tuple(wires[:lag].tolist())) if lag else Local(step, slot)


def _alike(table: Table, region: Region) -> bool:
    """Tell whether the gates, parameters, arities and outputs agree in all iterations."""
    start, period, times = region
    stretch = slice(start, region.stop)
    for counts in (table.kinds, np.diff(table.first), np.diff(table.made)):
        rows = counts[stretch].reshape(times, period)
        if not (rows == rows[0]).all():
            return False
    outs = table.outs[table.made[start] : table.made[region.stop]]
    types = table.types[outs].reshape(times, -1)
    return bool((types == types[0]).all())


def _typed(table: Table, region: Region, wires: np.ndarray, settled: np.ndarray) -> bool:
    """Tell whether inputs agree in type; an easy gate may be given a Python number at first."""
    types = table.types[wires]
    fits = types == types[-1]
    for k, entry in np.argwhere(~fits):
        place = table.first[region.start] + k * wires.shape[1] + entry
        first, later = (table.circuit.wires[wires[row, entry]] for row in (k, -1))
        number = first.weak and not later.weak and first.shape == later.shape
        exact = later.dtype.kind in "fc" and first.dtype.kind in "biuf"
        if settled[k, entry] or not (number and exact and table.easy[table.reader[place]]):
            return False
    return True
