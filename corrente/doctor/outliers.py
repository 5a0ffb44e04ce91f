"""Rows that make the gradient by themselves, and what the other rows gain when they are held."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from corrente.derivatives import value_and_grad
from corrente.doctor.again import Model
from corrente.doctor.budget import length
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Effect, Finding
from corrente.doctor.oddities import Oddity, find_odd, find_oddity
from corrente.doctor.rows import Contributions, Parted, Rows, by_row, row_list
from corrente.doctor.trials import PARTS, STABLE, bend, quickened, stepped
from corrente.figures import number
from corrente.words import Says

HALF = 0.5
"""Part of the norm that the loudest rows must make."""
FEW = 0.05
"""Part of the rows that they may be at most (one row always)."""
ROWS = 8
"""Rows from which on a single one can be called loud."""
FAR = 10.0
"""How many times as long as the median of the others' each of their gradients must be."""
GAIN = 0.15
"""Part of the fall of the other rows' loss that they must prevent."""
MATTERS = 0.01
"""Part of itself by which they must raise the other rows' loss."""
BOUNDED = 10_000_000
"""Numbers in all rows' gradients up to which bounding each row is tried as well."""


def check_rows(exam: Exam, parted: Parted, found: Contributions) -> Iterator[Finding]:
    """Find a few rows that make most of the gradient and keep the others from being learned.

    They must be odd in their data too: of hard examples, which are not, a trained classifier's
    gradient consists by nature.
    """
    if found.broken or len(found.rows) < ROWS or not found.norms[0] > 0:
        return
    count = _loud_count(found)
    if count is None:
        return
    # of rows as like the others as any, only those stay that are louder than an odd one
    strange = find_odd(parted, np.array(sorted(found.rows[:count])))
    count = max((k for k, row in enumerate(found.rows[:count], 1) if row in strange), default=count)
    loud = np.array(sorted(found.rows[:count]))
    odd = find_oddity(parted, loud)
    trial = _without(exam, parted, loud) if odd.far else None
    if trial is not None and trial.gain >= GAIN and trial.harm >= MATTERS:
        yield _finding(exam, parted, found, loud, trial, odd)


def _loud_count(found: Contributions) -> int | None:
    """Return how many rows are loud: all that stand out, or, if those are many, the first few."""
    norms, most = np.array(found.norms), max(1, int(FEW * len(found.rows)))
    needed = found.needed(HALF)
    for count in (int(np.count_nonzero(norms >= FAR * np.median(norms))), needed):
        if needed <= count <= most and norms[count - 1] >= FAR * np.median(norms[count:]):
            return count
    return None


class _Trial(NamedTuple):
    """The loss of the other rows after descents with the loud ones, and without them."""

    others: Rows
    rate: float
    start: float
    before: float
    after: float
    stable: tuple[float, float]

    @property
    def gain(self) -> float:
        """Return which part of the fall of the others' loss the loud rows prevent."""
        fall = self.start - self.after
        return (self.before - self.after) / fall if fall > 0 else 0.0

    @property
    def harm(self) -> float:
        """Return by which part of itself the loud rows raise the others' loss."""
        lower = self.before - self.after
        return lower / max(abs(self.before), 1e-300) if math.isfinite(lower) else math.inf


Gradient = Callable[[list[Any]], tuple[float, list[Any]]]


def _without(exam: Exam, parted: Parted, loud: Rows) -> _Trial | None:
    """Descend with all rows and with the others alone, each at its best rate for the others."""
    others = np.setdiff1d(np.arange(parted.total), loud)
    whole, rest = parted.model(np.arange(parted.total)), parted.model(others)
    bends = bend(whole), bend(rest)
    if bends[0] is None or bends[1] is None:
        return None
    judge = quickened(rest)
    start = judge(rest.start)[0]
    ends = [_ends(quickened(whole), rest.start, bends[0].stable, exam.steps)]
    ends += [_ends(judge, rest.start, bends[1].stable, exam.steps)]
    if not ends[1]:
        return None
    before = min([start, *(_finite(judge(point)[0]) for _, point in ends[0])])
    after, rate = min((_finite(judge(point)[0]), rate) for rate, point in ends[1])
    stable = bends[0].stable, bends[1].stable
    return _Trial(others, rate, start, before, after, stable)


def _ends(
    gradient: Gradient, start: list[Any], stable: float, steps: int
) -> list[tuple[float, list[Any]]]:
    """Go downhill at several rates; return those that ended somewhere, with the point."""
    tried = [(part * stable, _descended(gradient, start, part * stable, steps)) for part in PARTS]
    return [(rate, point) for rate, point in tried if point is not None]


def _descended(gradient: Gradient, point: list[Any], rate: float, steps: int) -> list[Any] | None:
    for _ in range(steps):
        value, slope = gradient(point)
        if not math.isfinite(value):
            return None
        point = [stepped(p, g, rate) for p, g in zip(point, slope, strict=True)]
    return point


def _finite(value: float) -> float:
    return value if math.isfinite(value) else math.inf


def _finding(
    exam: Exam, parted: Parted, found: Contributions, loud: Rows, trial: _Trial, odd: Oddity
) -> Finding:
    share = math.fsum(found.shares[: len(loud)])
    says = Says(
        "{0} of {1} {2} of the gradient's norm: {3:.0%} (the median row makes {4}%){5}. As it is, "
        "the loss of the others falls to {6}; without that, to {7}.",
        "{0} de {1} {2} da norma do gradiente: {3:.0%} (a linha mediana faz {4}%){5}. Assim, a "
        "perda das outras cai a {6}; sem isso, a {7}.",
    ).fill(
        row_list(loud),
        found.of,
        _MAKES if len(loud) == 1 else _MAKE,
        share,
        number(100.0 * float(np.median(found.shares)), 2),
        odd.says,
        number(trial.before, 3),
        number(trial.after, 3),
    )
    advice = Says(
        "look at {0}: mend or leave out what is wrong there, or bound what one row can do: a loss "
        "that grows more slowly far out, or each row's gradient clipped.",
        "examine {0}: conserte ou exclua o que houver de errado ali, ou limite o que uma linha "
        "pode fazer: uma perda que cresça mais devagar longe, ou o gradiente de cada linha "
        "podado.",
    ).fill(row_list(loud))
    effects = _effects(exam, parted, found, trial)
    # the plot of rows is part of the report whatever is found
    return Finding("row-share", odd.name, odd.place, share, says, advice, effects)


_MAKES, _MAKE = Says("makes most", "faz a maior parte"), Says("make most", "fazem a maior parte")


def _effects(exam: Exam, parted: Parted, found: Contributions, trial: _Trial) -> tuple[Effect, ...]:
    """Measure what leaving the rows out changes, and what bounding them does."""
    sizes = [_size(parted.model(rows)) for rows in (np.arange(parted.total), trial.others)]
    after = Says(
        "loss of the other rows after {0} steps, {1}",
        "perda das outras linhas após {0} passos, {1}",
    )
    effects = [
        Effect(
            Says("size of the gradient, without them", "tamanho do gradiente, sem elas"), *sizes
        ),
        Effect(after.fill(exam.steps, _LEFT_OUT), trial.before, trial.after),
        Effect(STABLE, *trial.stable),
    ]
    judge = quickened(parted.model(trial.others))
    bound = float(np.median(found.norms))
    small = parted.total * parted.size <= BOUNDED
    cures = ((_ROBUST, _robust(parted)), (_CLIPPED, _clipped(parted, bound))) if small else ()
    for what, gradient in cures:
        if gradient is None:
            continue
        point = _descended(gradient, parted.start, trial.rate, exam.steps)
        reached = math.inf if point is None else _finite(judge(point)[0])
        if math.isfinite(reached):
            effects.append(Effect(after.fill(exam.steps, what), trial.before, reached))
    return tuple(effects)


_LEFT_OUT = Says("with them left out", "com elas excluídas")
_ROBUST = Says("with c·log(1 + loss/c) for each row's loss", "com c·log(1 + perda/c) em cada linha")
_CLIPPED = Says(
    "with each row's gradient clipped to the median",
    "com o gradiente de cada linha podado na mediana",
)


def _robust(parted: Parted) -> Gradient | None:
    """Let each row's loss grow like a logarithm far out; None where a loss is negative."""
    every = np.arange(parted.total)
    losses = np.asarray(parted.each(parted.start, every))
    scale, weight = float(np.median(losses)), _weight(parted, losses)
    if not scale > 0 or losses.min() < 0:
        return None
    bounded = lambda p: weight * np.sum(scale * np.log1p(parted.each(p, every) / scale))
    return Model(bounded, parted.start, []).gradient


def _weight(parted: Parted, losses: np.ndarray) -> float:
    """Return what one row weighs in the loss: 1 in a sum, a row's part in a mean."""
    whole = abs(float(parted.value(parted.start, list(parted.data))))
    mean = abs(float(np.mean(losses)))
    return 1.0 if whole > math.sqrt(parted.total) * mean else 1.0 / parted.total


def _clipped(parted: Parted, most: float) -> Gradient:
    """Take the mean of the rows' gradients, none longer than the median was."""
    every = np.arange(parted.total)

    weight = _weight(parted, np.asarray(parted.each(parted.start, every)))

    def gradient(point: list[Any]) -> tuple[float, list[Any]]:
        values, slopes = parted.slopes(point, every)
        with np.errstate(all="ignore"):
            kept = weight * np.minimum(1.0, most / np.maximum(by_row(slopes), 1e-300))
        return weight * float(np.sum(values)), [np.tensordot(kept, g, 1) for g in slopes]

    return gradient


def _size(model: Model) -> float:
    with np.errstate(all="ignore"):
        return math.hypot(*map(length, value_and_grad(model.loss)(model.start)[1]))


# --- rows that make NaN ---------------------------------------------------------------------------


def blame(exam: Exam, parted: Parted, found: Contributions, ill: Finding) -> Finding:
    """Say in a finding of NaN or infinity from which rows alone it comes, where it is from some."""
    broken = np.array(found.broken, int)
    if not 0 < len(broken) < len(broken) + len(found.rows):
        return ill
    says = Says("{0} It comes only from {1} ({2} of {3}).", "{0} Vem só d{1} ({2} de {3}).").fill(
        ill.says, row_list(found.broken), len(broken), found.of
    )
    model = parted.model(np.array(sorted(found.rows)))
    value, _ = model.gradient(model.start)
    without = Effect(Says("loss without these rows", "perda sem essas linhas"), exam.value, value)
    return ill._replace(says=says, effects=(*ill.effects, without))
