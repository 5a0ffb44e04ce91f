"""The data's columns: their scales, what standardising would change, and which are to blame."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from corrente.doctor.again import Change
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Effect, Finding, Plot, listed
from corrente.doctor.trials import Comparison, bend, compare
from corrente.figures import number
from corrente.record import Contract
from corrente.words import Says

ROWS = 8
"""Rows from which on data have columns to speak of."""
UNEVEN = 30.0
"""Ratio of the largest peak of a column to the smallest from which on a cure is tried: rare values
make a root mean square small (a pixel seldom lit, a class seldom met), but not a peak."""
OFFSET = 5.0
"""Mean over standard deviation from which on a column is tried centred."""
FAR = 30.0
"""Scale from which on, up or down, data are tried standardised whatever their columns."""
PROMISE = 0.15
"""Part of a linear model's directions that must become learnable before descents are tried."""
GAIN = 0.2
"""Part of the loss's fall that must be missing without the cure."""
BLAME = 0.1
"""Part of the curvature that a column must make to be named."""


class Data(NamedTuple):
    """A matrix of examples that meets parameters in a product: its wire, step and position."""

    wire: int
    step: int
    position: int


class Columns(NamedTuple):
    """Statistics of the columns of a matrix."""

    mean: np.ndarray
    spread: np.ndarray
    scale: np.ndarray
    peak: np.ndarray

    @property
    def varying(self) -> np.ndarray:
        return self.spread > 1e-12 * np.maximum(self.scale, 1e-300)

    @property
    def uneven(self) -> float:
        """The largest peak over the smallest."""
        peak = self.peak[self.peak > 0]
        return float(peak.max() / peak.min()) if len(peak) else 1.0

    @property
    def offset(self) -> np.ndarray:
        """How many standard deviations each column's mean is away from 0; 0 for a constant."""
        return np.where(self.varying, np.abs(self.mean) / np.maximum(self.spread, 1e-300), 0.0)


def check_columns(exam: Exam) -> Iterator[tuple[int, Finding]]:
    """Find data whose scales slow the descent down, by trying it on standardised columns.

    Gives the step with each finding.
    """
    tried: set[int] = set()
    for data in _data(exam):
        if data.wire in tried:
            continue
        tried.add(data.wire)
        matrix = np.asarray(exam.run.values[data.wire], float)
        columns = measure(matrix)
        if not _suspect(columns) or not _promising(matrix, columns, exam.steps):
            continue
        found = compare(exam.model(), exam.model(_standardised(exam, data, columns)), exam.steps)
        if found is not None and found.gain >= GAIN:
            yield data.step, _finding(exam, data, columns, found)


def _data(exam: Exam) -> Iterator[Data]:
    for k, step in enumerate(exam.circuit.steps):
        if not isinstance(step.gate.kind, Contract) or len(step.ins) != 2:
            continue
        for position in (0, 1):
            wire, other = step.ins[position], step.ins[1 - position]
            value = exam.run.values[wire]
            if exam.depends[wire] or not exam.depends[other] or np.ndim(value) != 2:
                continue
            kind = np.asarray(value).dtype.kind
            if position == 0 and len(value) >= ROWS and kind in "fiu":
                yield Data(wire, k, position)


def measure(matrix: np.ndarray) -> Columns:
    """Measure mean, standard deviation, root mean square and peak of each column."""
    return Columns(
        matrix.mean(axis=0),
        matrix.std(axis=0),
        np.sqrt((matrix**2).mean(axis=0)),
        np.abs(matrix).max(axis=0),
    )


def _suspect(columns: Columns) -> bool:
    scale = columns.scale[columns.scale > 0]
    if not len(scale):
        return False
    far = not 1 / FAR < float(np.median(scale)) < FAR
    return columns.uneven > UNEVEN or float(columns.offset.max()) > OFFSET or far


def _promising(matrix: np.ndarray, columns: Columns, steps: int) -> bool:
    """Tell whether standardising would let a linear model learn more directions in these steps."""
    slow = [_unlearned(each, steps) for each in (matrix, _standard(matrix, columns))]
    return slow[0] - slow[1] >= PROMISE


def _unlearned(matrix: np.ndarray, steps: int) -> float:
    """Return the part of a linear model's directions too flat for so many steps downhill."""
    wide = np.concatenate([matrix, np.ones((len(matrix), 1))], axis=1)
    curved = np.linalg.eigvalsh(wide.T @ wide)
    curved = curved[curved > 1e-12 * curved[-1]]
    return float(np.mean(curved * steps < curved[-1])) if len(curved) else 0.0


def _standard(matrix: np.ndarray, columns: Columns) -> np.ndarray:
    """Centre and scale; a constant column stays: it may be there for a bias."""
    vary = columns.varying
    mean = np.where(vary, columns.mean, 0.0)
    return (matrix - mean) / np.where(vary, columns.spread, 1.0)


def _standardised(exam: Exam, data: Data, columns: Columns) -> Change:
    matrix = np.asarray(exam.run.values[data.wire], float)
    return _instead(exam, data, _standard(matrix, columns))


def _instead(exam: Exam, data: Data, matrix: np.ndarray) -> Change:
    kind = np.asarray(exam.run.values[data.wire]).dtype
    return Change(given={data.wire: matrix.astype(kind if kind.kind == "f" else float)})


def _whitened(exam: Exam, data: Data, columns: Columns) -> Change:
    matrix = np.asarray(exam.run.values[data.wire], float)
    centred = matrix - np.where(columns.varying, columns.mean, 0.0)
    left, sizes, right = np.linalg.svd(centred, full_matrices=False)
    kept = np.where(sizes > 1e-6 * sizes[0], 1.0, 0.0)
    white = (left * kept) @ right * math.sqrt(len(matrix))
    return _instead(exam, data, white)


def _finding(exam: Exam, data: Data, columns: Columns, found: Comparison) -> Finding:
    names = _names(exam, data.wire, len(columns.scale))
    share = columns.scale**2 / np.sum(columns.scale**2)
    order = np.argsort(-share)
    name = exam.name(data.wire)
    if columns.uneven > UNEVEN or columns.offset.max() <= OFFSET:
        says, number_ = _loud(name, names, columns, share), columns.uneven
    else:
        says, number_ = _away(name, names, columns), float(columns.offset.max())
    advice = Says(
        "standardise the columns: {0} = ({0} - {0}.mean(axis=0)) / {0}.std(axis=0), with the "
        "training data's numbers for new data too.",
        "padronize as colunas: {0} = ({0} - {0}.mean(axis=0)) / {0}.std(axis=0), com os números "
        "dos dados de treino também para dados novos.",
    ).fill(name)
    effects = found.effects(exam.steps) + _other_cures(exam, data, columns, found)
    plots = (_bars(name, names, columns, order), curves(found))
    place = exam.place(data.step)
    return Finding("preprocessing", name, place, number_, says, advice, effects, plots)


def _loud(name: str, names: list[str], columns: Columns, share: np.ndarray) -> Says:
    """Name the columns that make the curvature."""
    order = np.argsort(-share)
    guilty = [int(j) for j in order if share[j] >= BLAME] or [int(order[0])]
    positive = columns.scale[columns.scale > 0]
    return Says(
        "the columns of {0} have scales from {1} to {2}; {4:.0%} of the curvature comes from {3}, "
        "which sets the largest rate for all the others.",
        "as colunas de {0} têm escalas de {1} a {2}; {4:.0%} da curvatura vem de {3}, o que fixa a "
        "maior taxa para todas as outras.",
    ).fill(
        name,
        number(float(positive.min()), 2),
        number(float(positive.max()), 3),
        listed([f"{names[j]} ({number(columns.scale[j], 3)})" for j in guilty]),
        float(share[guilty].sum()),
    )


def _away(name: str, names: list[str], columns: Columns) -> Says:
    """Name the columns that lie far from 0: what they have in common drowns what differs."""
    order = np.argsort(-columns.offset)
    guilty = [int(j) for j in order if columns.offset[j] > OFFSET]
    return Says(
        "columns of {0} lie far from 0: {1} standard deviations away. The direction that they all "
        "share makes the curvature, and sets the largest rate for all the others.",
        "há colunas de {0} longe de 0: a {1} desvios padrão. A direção que todas têm em comum faz "
        "a curvatura, e fixa a maior taxa para todas as outras.",
    ).fill(name, listed([f"{names[j]} ({number(columns.offset[j], 3)})" for j in guilty]))


def _other_cures(exam: Exam, data: Data, columns: Columns, found: Comparison) -> tuple[Effect, ...]:
    """Measure the condition under centring alone, and under whitening."""
    if not math.isfinite(found.bends[0].condition):
        return ()
    matrix = np.asarray(exam.run.values[data.wire], float)
    vary = np.where(columns.varying, columns.mean, 0.0)
    cures = (
        (Says("if only centred", "se só centradas"), _instead(exam, data, matrix - vary)),
        (Says("if whitened", "se branqueadas"), _whitened(exam, data, columns)),
    )
    effects = []
    for what, change in cures:
        bent = bend(exam.model(change))
        if bent is not None:
            said = Says("condition number {0}", "número de condição {0}").fill(what)
            effects.append(Effect(said, found.bends[0].condition, bent.condition))
    return tuple(effects)


def _names(exam: Exam, wire: int, count: int) -> list[str]:
    if len(exam.columns) == count:
        return list(exam.columns)
    return [f"{exam.name(wire)}[:, {j}]" for j in range(count)]


def _bars(name: str, names: list[str], columns: Columns, order: np.ndarray) -> Plot:
    shown = [int(j) for j in order if columns.scale[j] > 0][:40]
    heights = tuple((float(k), float(columns.scale[j])) for k, j in enumerate(shown))
    title = Says("scale of the columns of {0}", "escala das colunas de {0}").fill(name)
    series = ((Says("root mean square", "raiz da média dos quadrados"), heights),)
    return Plot(title, series, bars=True, names=tuple(names[j] for j in shown), log=True)


def curves(found: Comparison) -> Plot:
    """Plot the loss on the way, before and after."""
    names = (Says("as it is", "como está"), Says("standardised", "padronizadas"))
    series = tuple(
        (name, tuple((float(k), loss) for k, loss in enumerate(descent.losses)))
        for name, descent in zip(names, found.descents, strict=True)
    )
    return Plot(Says("loss by step", "perda por passo"), series)
