"""What a training went through, epoch by epoch: records, a frame and a plot."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from corrente.extras import load
from corrente.words import Says


class Record(NamedTuple):
    """One epoch: means over its steps; `validation` is None where nothing was held back."""

    epoch: int
    steps: int
    """Steps taken since the beginning."""
    loss: float
    validation: float | None
    gradient_norm: float
    update_ratio: float
    """Length of a step beside that of the parameters: 10⁻³ is the rule of thumb."""
    rate: float
    seconds: float


_LOSS = Says("loss", "perda")
_VALIDATION = Says("validation", "validação")
_EPOCH = Says("epoch", "época")
_GRADIENT = Says("gradient norm", "norma do gradiente")
_RATIO = Says("update / weight", "passo / peso")


@dataclass(frozen=True)
class History:
    """The records in order; reads like a list.

    >>> len(History([])), list(History([]))
    (0, [])
    """

    records: list[Record]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __getitem__(self, index: Any) -> Any:
        return self.records[index]

    def frame(self) -> Any:
        """Return the records as a pandas frame; raise MissingExtra where pandas is missing."""
        pandas = load("pandas", "data", Says("a frame of the history", "um frame do histórico"))
        return pandas.DataFrame(self.records, columns=list(Record._fields)).set_index("epoch")

    def plot(self, path: str | os.PathLike[str] | None = None, lang: str = "en") -> Any:
        """Draw losses, gradient norm and update ratio; return matplotlib's figure.

        With `path` the figure is written there too. Raises MissingExtra without matplotlib.
        """
        figures = load("matplotlib.figure", "plot", Says("a plot", "um gráfico"))
        # a figure of its own: pyplot would keep it, and change the user's settings
        figure = figures.Figure(figsize=(8, 6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True)
        epochs = [record.epoch for record in self.records]
        upper.plot(epochs, [r.loss for r in self.records], label=_LOSS.into(lang))
        held = [(r.epoch, r.validation) for r in self.records if r.validation is not None]
        if held:
            upper.plot(*zip(*held, strict=True), linestyle="--", label=_VALIDATION.into(lang))
        lower.plot(epochs, [r.gradient_norm for r in self.records], label=_GRADIENT.into(lang))
        ratios = [r.update_ratio for r in self.records]
        lower.plot(epochs, ratios, linestyle="--", label=_RATIO.into(lang))
        lower.axhline(1e-3, color="grey", linewidth=0.8, linestyle=":")
        lower.set_xlabel(_EPOCH.into(lang))
        for axes, values in ((upper, [r.loss for r in self.records]), (lower, ratios)):
            if values and min(values) > 0:
                axes.set_yscale("log")
            axes.legend()
        if path is not None:
            figure.savefig(path)
        return figure
