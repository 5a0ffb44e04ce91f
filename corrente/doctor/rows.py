"""The rows of the data: how much of the gradient each one makes, and which make it NaN."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.batching import vmap
from corrente.derivatives import value_and_grad
from corrente.doctor.again import Model
from corrente.doctor.budget import length
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Plot
from corrente.figures import clip
from corrente.trees import Tree, take_apart
from corrente.words import Says

Rows = np.ndarray

MOST = 2048
"""Rows whose own gradients are taken; of more data the loudest blocks and an even sample."""
FEWEST = 32
"""Rows whose own gradients are taken however many parameters there are."""
NUMBERS = 50_000_000
"""Numbers that the rows' gradients may have in all."""
AT_ONCE = 2_000_000
"""Numbers that the gradients may have of the rows that are taken together."""
BLOCKS, LOUDEST = 64, 2
"""Into how many blocks many rows are parted, again and again, and how many are looked into."""
TRIED = 12
"""Rows on which it is found out whether the loss is a mean or a sum over rows."""
SHOWN = 40
"""Rows that a plot shows."""


class Contributions(NamedTuple):
    """The rows looked at, by the length of their own gradient, the longest first.

    `shares` are those lengths over their sum; `broken` are rows whose loss or gradient is not
    finite, and which are in no other list; `of` is how many rows the data have.
    """

    rows: tuple[int, ...]
    norms: tuple[float, ...]
    shares: tuple[float, ...]
    broken: tuple[int, ...]
    of: int

    @property
    def says(self) -> Says:
        """Say the whole in one sentence."""
        seen = len(self.rows) + len(self.broken)
        parts = [
            Says("rows: {0} of {1} looked at", "linhas: {0} de {1} examinadas").fill(seen, self.of)
        ]
        if self.norms and self.norms[0] > 0:
            few = self.needed(0.5)
            parts.append(
                Says(
                    "; half of the gradient's norm comes from {0} of them, {2:.1%} from row {1}",
                    "; metade da norma do gradiente vem de {0} delas, {2:.1%} só da linha {1}",
                ).fill(few, self.rows[0], self.shares[0])
            )
        if self.broken:
            parts.append(
                Says("; not finite: {0}", "; não finitas: {0}").fill(row_list(self.broken))
            )
        return Says(*("".join(said) + "." for said in zip(*parts, strict=True)))

    def needed(self, part: float) -> int:
        """Return how many of the first rows make a part of the norm."""
        reached = int(np.searchsorted(np.cumsum(self.shares), part - 1e-12)) + 1
        return min(reached, len(self.shares))

    @property
    def plot(self) -> Plot:
        """Draw the rows' parts of the norm, the loudest first."""
        shown = min(SHOWN, len(self.rows))
        bars = tuple((float(k), self.shares[k]) for k in range(shown))
        title = Says(
            "part of the gradient's norm, by row", "parte da norma do gradiente, por linha"
        )
        names = tuple(str(row) for row in self.rows[:shown])
        return Plot(title, ((Says("rows", "linhas"), bars),), bars=True, names=names)

    def json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        lists = {name: list(v) if isinstance(v, tuple) else v for name, v in self._asdict().items()}
        return lists | {"says": self.says._asdict()}


def row_list(rows: Sequence[int] | Rows, most: int = 5) -> Says:
    """Name rows in a sentence; beyond a few it says how many more there are.

    >>> row_list([3, 5]).en, row_list(range(9)).pt
    ('rows 3, 5', 'as linhas 0, 1, 2, 3, 4 e mais 4')
    """
    shown, rest = ", ".join(str(row) for row in rows[:most]), len(rows) - most
    if len(rows) == 1:
        return Says("row {0}", "a linha {0}").fill(shown)
    if rest <= 0:
        return Says("rows {0}", "as linhas {0}").fill(shown)
    return Says("rows {0} and {1} more", "as linhas {0} e mais {1}").fill(shown, rest)


class Parted(NamedTuple):
    """A call with the rows of its data apart: which leaves have rows, and how many those are."""

    exam: Exam
    trees: list[Tree]
    parameters: tuple[tuple[int, int], ...]
    """The parameters' leaves, each by its argument and its place there."""
    rowed: tuple[tuple[int, int], ...]
    total: int

    @property
    def start(self) -> list[Any]:
        """The parameters as they are."""
        leaves = [self.trees[arg].leaves[k] for arg, k in self.parameters]
        return [float(leaf) if type(leaf) is int else leaf for leaf in leaves]

    @property
    def size(self) -> int:
        """How many numbers the parameters are."""
        return sum(np.size(leaf) for leaf in self.start)

    @property
    def data(self) -> list[np.ndarray]:
        """The leaves that have rows."""
        return [self.trees[arg].leaves[k] for arg, k in self.rowed]

    def value(self, point: list[Any], data: list[Any]) -> Any:
        """Call the loss with other parameters, and other rows."""
        new = dict(zip(self.parameters, point, strict=True))
        new |= dict(zip(self.rowed, data, strict=True))
        return self.exam.loss(
            *(
                tree.build([new.get((arg, k), leaf) for k, leaf in enumerate(tree.leaves)])
                for arg, tree in enumerate(self.trees)
            )
        )

    def model(self, rows: Rows) -> Model:
        """Make the loss over some of the rows a function of the parameters alone."""
        data = [leaf[rows] for leaf in self.data]
        return Model(lambda point: self.value(point, data), self.start, [])

    def each(self, point: list[Any], rows: Rows) -> Any:
        """Return the loss of each row by itself."""
        one = lambda row: self.value(point, [leaf[None] for leaf in row])
        return vmap(one)([leaf[rows] for leaf in self.data])

    def slopes(self, point: list[Any], rows: Rows) -> tuple[np.ndarray, list[np.ndarray]]:
        """Return the loss of each row and its gradient, row by row along the first axis."""

        def one(row: list[Any]) -> Any:
            return value_and_grad(lambda p: self.value(p, [leaf[None] for leaf in row]))(point)

        with np.errstate(all="ignore"):
            return vmap(one)([leaf[rows] for leaf in self.data])


def part(exam: Exam) -> Parted | None:
    """Find the rows of the data: arrays that are no parameters and equally long; None without."""
    argnums = exam.argnums if isinstance(exam.argnums, Sequence) else (exam.argnums,)
    chosen = {range(len(exam.args))[number] for number in argnums}
    trees = [take_apart(arg) for arg in exam.args]
    where = [(arg, k) for arg, tree in enumerate(trees) for k in range(len(tree.leaves))]
    arrays = [(arg, k) for arg, k in where if arg not in chosen and _has_rows(trees[arg].leaves[k])]
    if not arrays:
        return None
    count = len(trees[arrays[0][0]].leaves[arrays[0][1]])
    rowed = tuple((arg, k) for arg, k in arrays if len(trees[arg].leaves[k]) == count)
    parameters = tuple((arg, k) for arg, k in where if arg in chosen)
    return Parted(exam, trees, parameters, rowed, count)


def _has_rows(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray) and leaf.ndim > 0 and len(leaf) > 1


def contributions(parted: Parted) -> Contributions | Says:
    """Take the gradient of each row by itself; say why where that means nothing."""
    try:
        reason = _apart(parted)
        if reason is not None:
            return reason
        rows = _chosen(parted)
        lengths = _lengths(parted, rows)
    except Exception as error:  # the user's own code may fail in any way when given a single row
        return _REFUSED.fill(clip(f"{type(error).__name__}: {error}", 120))
    fine = np.isfinite(lengths)
    order = rows[fine][np.argsort(-lengths[fine], kind="stable")]
    norms = np.sort(lengths[fine])[::-1]
    whole = float(norms.sum())
    shares = norms / whole if whole > 0 else np.zeros(len(norms))
    broken = tuple(int(row) for row in rows[~fine])
    return Contributions(
        tuple(order.tolist()), tuple(norms.tolist()), tuple(shares.tolist()), broken, parted.total
    )


_REFUSED = Says(
    "rows: the loss cannot be taken of one row alone ({0}), so what each row contributes is not "
    "known.",
    "linhas: a perda não pode ser tirada de uma linha sozinha ({0}), então não se sabe quanto cada "
    "uma contribui.",
)
_MIXED = Says(
    "rows: the loss is no mean or sum over the rows of {0}, so no row has a gradient of its own.",
    "linhas: a perda não é média nem soma sobre as linhas de {0}, então nenhuma tem gradiente "
    "próprio.",
)
_BROKEN = Says(
    "rows: {0} of {1} rows tried give NaN or infinity by themselves, so what each row contributes "
    "is not known.",
    "linhas: {0} de {1} linhas experimentadas dão NaN ou infinito por si, então não se sabe quanto "
    "cada uma contribui.",
)


def _apart(parted: Parted) -> Says | None:
    """Tell why rows cannot be looked at by themselves; None where their losses add up."""
    every = np.unique(np.linspace(0, parted.total - 1, TRIED).astype(int))
    value = lambda rows: float(parted.value(parted.start, [leaf[rows] for leaf in parted.data]))
    with np.errstate(all="ignore"):
        alone = np.array([value(np.array([row])) for row in every])
        fine = np.isfinite(alone)
        rows, alone = every[fine], alone[fine]
        if len(rows) < 2:
            return _BROKEN.fill(len(every) - len(rows), len(every))
        tests = [(value(rows[:n]), alone[:n]) for n in {len(rows), max(2, len(rows) // 2)}]
    return None if _adds_up(tests) else _MIXED.fill(_names(parted))


def _adds_up(tests: list[tuple[float, np.ndarray]]) -> bool:
    """Tell whether losses of rows make the loss of all: as a mean, or a sum with one penalty."""
    rough = 1e-4 if any(np.float32(whole) == whole for whole, _ in tests) else 1e-7
    close = lambda a, b, alone: abs(a - b) <= rough * (1e-300 + np.abs(alone).max() * len(alone))
    if all(close(whole, alone.mean(), alone) for whole, alone in tests):
        return True
    whole, alone = max(tests, key=lambda test: len(test[1]))
    penalty = (alone.sum() - whole) / (len(alone) - 1)
    return all(
        close(whole, alone.sum() - (len(alone) - 1) * penalty, alone) for whole, alone in tests
    )


def _names(parted: Parted) -> str:
    return ", ".join(wire_name(parted, k) for k in range(len(parted.rowed)))


def wire_of(parted: Parted, k: int) -> int | None:
    """Return the wire on which one of the leaves with rows came in."""
    leaf, values = parted.data[k], parted.exam.run.values
    for wire in parted.exam.circuit.ins:
        same = np.shape(values[wire]) == leaf.shape
        if same and np.array_equal(values[wire], leaf, equal_nan=leaf.dtype.kind in "fc"):
            return wire
    return None


def wire_name(parted: Parted, k: int) -> str:
    """Call one of the leaves with rows by the user's name."""
    wire = wire_of(parted, k)
    return f"data[{k}]" if wire is None else parted.exam.name(wire)


def _chosen(parted: Parted) -> Rows:
    """Choose the rows to look at: all, or those in the loudest blocks and an even sample."""
    most = max(FEWEST, min(MOST, NUMBERS // max(parted.size, 1)))
    every = np.arange(parted.total)
    if parted.total <= most:
        return every
    loud = every
    while len(loud) > most // 2:
        blocks = np.array_split(loud, min(BLOCKS, len(loud)))
        sizes = [_sum_length(parted, block) for block in blocks]
        order = sorted(range(len(blocks)), key=lambda k: (np.isfinite(sizes[k]), -sizes[k]))
        loud = np.concatenate([blocks[k] for k in order[:LOUDEST]])
    return np.union1d(loud, np.linspace(0, parted.total - 1, most // 2).astype(int))


def _sum_length(parted: Parted, block: Rows) -> float:
    model = parted.model(block)
    return float(len(block) * math.hypot(*map(length, model.gradient(model.start)[1])))


def _lengths(parted: Parted, rows: Rows) -> np.ndarray:
    step = max(1, min(256, AT_ONCE // max(parted.size, 1)))
    found = []
    for begin in range(0, len(rows), step):
        values, slopes = parted.slopes(parted.start, rows[begin : begin + step])
        found.append(np.where(np.isfinite(values), by_row(slopes), np.nan))
    return np.concatenate(found)


def by_row(slopes: list[np.ndarray]) -> np.ndarray:
    """Return the length of each row's gradient.

    >>> by_row([np.array([[3.0], [0.0]]), np.array([4.0, 2.0])])
    array([5., 2.])
    """
    flat = [np.abs(np.reshape(slope, (len(slope), -1))).astype(float) for slope in slopes]
    with np.errstate(all="ignore"):
        return np.sqrt(sum(np.sum(part**2, axis=1) for part in flat))
