"""A training's progress in the terminal: a bar, the loss, the gradient's norm, the update ratio."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from corrente.training.history import Record
from corrente.words import Says

_EPOCH = Says("epoch", "época")
_LINE = Says(
    "loss {loss}  validation {validation}  gradient {gradient}  update/weight {ratio}",
    "perda {loss}  validação {validation}  gradiente {gradient}  passo/peso {ratio}",
)
_SHORT = Says(
    "loss {loss}  gradient {gradient}  update/weight {ratio}",
    "perda {loss}  gradiente {gradient}  passo/peso {ratio}",
)


def sentence(record: Record) -> Says:
    """Say where a training stands, in one line."""
    said = _SHORT if record.validation is None else _LINE
    return said.fill(
        loss=f"{record.loss:.4g}",
        validation="" if record.validation is None else f"{record.validation:.4g}",
        gradient=f"{record.gradient_norm:.2e}",
        ratio=f"{record.update_ratio:.1e}",
    )


@contextmanager
def watch(
    epochs: int, shown: bool | None, lang: str, done: int = 0
) -> Iterator[Callable[[Record], None]]:
    """Give a function that is told each epoch's record; it draws where a terminal is watching.

    `shown=True` draws anyway, False never.
    """
    if shown is False or (shown is None and not sys.stderr.isatty()):
        yield lambda record: None
        return
    console, bars = _rich()
    with bars.Progress(
        bars.TextColumn(f"{_EPOCH.into(lang)} {{task.completed}}/{{task.total}}"),
        bars.BarColumn(bar_width=20),
        bars.TextColumn("{task.fields[line]}"),
        bars.TimeRemainingColumn(),
        console=console.Console(stderr=True),
    ) as progress:
        task = progress.add_task("", total=epochs, completed=done, line="")

        def tell(record: Record) -> None:
            progress.update(task, completed=record.epoch, line=sentence(record).into(lang))

        yield tell


def _rich() -> tuple[Any, Any]:
    import rich.console  # noqa: PLC0415  # a third party that only a watched training needs
    import rich.progress  # noqa: PLC0415

    return rich.console, rich.progress
