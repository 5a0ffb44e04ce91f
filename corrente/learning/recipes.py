"""How the columns of a table become numbers: learned once, applied the same ever after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadArgument, BadValue
from corrente.learning.tables import Table
from corrente.words import Says

MOST_CATEGORIES = 50
MOST_CLASSES = 20
_SKEWED = 2.0


class Column(NamedTuple):
    """One column's recipe; plain data, so that a model can be kept without code.

    `kind` is "number" (filled, perhaps by its logarithm, centred, scaled), "category" (one column
    of 0 and 1 for each) or "left" (out). `holes` adds a column that tells where one was missing.
    """

    name: str
    kind: str
    fill: float = 0.0
    log: bool = False
    centre: float = 0.0
    scale: float = 1.0
    holes: bool = False
    categories: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Return how many columns of numbers it becomes."""
        if self.kind == "left":
            return 0
        return len(self.categories) if self.kind == "category" else 1 + self.holes

    @property
    def says(self) -> Says:
        """Say what is done with the column."""
        if self.kind == "left":
            return Says(
                "left out: it says the same, or another, in every row",
                "omitida: diz o mesmo, ou outra coisa, em cada linha",
            )
        if self.kind == "category":
            return Says("{0} categories", "{0} categorias").fill(len(self.categories))
        log = Says("logarithm, ", "logaritmo, ") if self.log else Says("", "")
        holes = Says(", holes marked", ", lacunas marcadas") if self.holes else Says("", "")
        return Says(
            "{0}mean {1:.4g}, spread {2:.4g}{3}", "{0}média {1:.4g}, desvio {2:.4g}{3}"
        ).fill(log, self.centre, self.scale, holes)


class Target(NamedTuple):
    """What is to be predicted: numbers, centred and scaled, or classes by name."""

    name: str
    classes: tuple[str, ...] = ()
    centre: float = 0.0
    scale: float = 1.0
    whole: bool = False
    """Whether the classes were whole numbers in the table."""


def learn(table: Table, names: Sequence[str]) -> tuple[Column, ...]:
    """Learn the recipes of some columns from the rows of a table."""
    return tuple(_learned(name, table[name]) for name in names)


def encode(columns: Sequence[Column], table: Table) -> np.ndarray:
    """Turn a table into a matrix by the recipes; raise BadArgument where columns are missing."""
    used = [column for column in columns if column.kind != "left"]
    missing = [column.name for column in used if column.name not in table]
    if missing:
        raise BadArgument(
            Says("the table lacks {0}.", "faltam na tabela: {0}.").fill(", ".join(missing)),
            Says(
                "give the columns that the model was trained on.",
                "dê as colunas com que o modelo foi treinado.",
            ),
            False,
        )
    return np.column_stack([_encoded(column, table[column.name]) for column in used])


def aim(table: Table, name: str, kind: str | None = None) -> Target:
    """Find out what a target column is; `kind` "class" or "number" overrules.

    Text is classes, and so are few whole numbers. Raises BadValue for a target that never changes.
    """
    values = table[name]
    present = values[~holes(values)]
    if len(set(present.tolist())) < 2:
        raise BadValue(
            Says("{0} says the same in every row.", "{0} diz o mesmo em todas as linhas.").fill(
                name
            ),
            Says("choose another --target.", "escolha outro --target."),
            False,
        )
    if values.dtype == object and kind == "number":
        raise BadValue(
            Says("{0} is text, not numbers.", "{0} é texto, não números.").fill(name),
            Says("leave out --kind number.", "omita --kind number."),
            False,
        )
    if values.dtype == object:
        return Target(name, tuple(sorted(set(present))))
    distinct = np.unique(present)
    whole = bool((distinct == np.round(distinct)).all())
    few = whole and len(distinct) <= min(MOST_CLASSES, max(2, len(present) // 10))
    if kind == "class" or (kind is None and few):
        return Target(name, tuple(_number(v) for v in distinct), whole=whole)
    return Target(name, (), float(present.mean()), float(present.std()))


def hit(target: Target, values: np.ndarray) -> np.ndarray:
    """Turn the values of a target column, none missing, into what is trained on."""
    if not target.classes:
        return ((values - target.centre) / target.scale)[:, None]
    place = {name: k for k, name in enumerate(target.classes)}
    shown = [value if isinstance(value, str) else _number(value) for value in values]
    return np.array([place[value] for value in shown], np.intp)


def holes(values: np.ndarray) -> np.ndarray:
    """Tell where values are missing."""
    if values.dtype == object:
        return np.array([value is None for value in values], bool)
    return np.isnan(values)


def _number(value: Any) -> str:
    return repr(int(value)) if value == int(value) else repr(float(value))


def _learned(name: str, values: np.ndarray) -> Column:
    gone = holes(values)
    present = values[~gone]
    if values.dtype == object:
        counts = Counter(present.tolist())
        if len(counts) < 2 or len(counts) > max(MOST_CLASSES, len(present) // 2):
            return Column(name, "left")
        common = [category for category, _ in counts.most_common(MOST_CATEGORIES)]
        return Column(name, "category", categories=tuple(sorted(common)))
    finite = present[np.isfinite(present)]
    if not len(finite) or finite.min() == finite.max():
        return Column(name, "left")
    log = bool(finite.min() >= 0 and _skew(finite) > _SKEWED > _skew(np.log1p(finite)))
    fill = float(np.median(finite))
    whole = _filled(values, fill)
    whole = np.log1p(whole) if log else whole
    return Column(
        name, "number", fill, log, float(whole.mean()), float(whole.std()), bool(gone.any())
    )


def _skew(values: np.ndarray) -> float:
    spread = values.std()
    return float(np.mean(((values - values.mean()) / spread) ** 3)) if spread else 0.0


def _filled(values: np.ndarray, fill: float) -> np.ndarray:
    return np.where(np.isfinite(values), values, fill)


def _encoded(column: Column, values: np.ndarray) -> np.ndarray:
    if column.kind == "category":
        shown = [v if v is None or isinstance(v, str) else _number(v) for v in values]
        return np.array([[v == c for c in column.categories] for v in shown], np.float64)
    if values.dtype == object:
        raise BadValue(
            Says(
                "{0} holds text, and was numbers in training.",
                "{0} contém texto, e no treino eram números.",
            ).fill(column.name),
            Says("mend the column.", "conserte a coluna."),
            False,
        )
    whole = _filled(values, column.fill)
    if column.log:
        whole = np.log1p(np.maximum(whole, 0.0))
    scaled = (whole - column.centre) / column.scale
    if not column.holes:
        return scaled[:, None]
    return np.column_stack([scaled, np.isnan(values).astype(float)])
