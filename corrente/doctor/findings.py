"""What the doctor says: findings, measured effects of their cures, and the plots beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.figures import number
from corrente.places import Place
from corrente.words import Says


class Effect(NamedTuple):
    """A quantity as it is, and as it was measured with the advice followed."""

    what: Says
    before: float
    after: float

    @property
    def says(self) -> Says:
        """Say the quantity with both numbers."""
        return Says("{0}: {1} → {2}", "{0}: {1} → {2}").fill(
            self.what, number(self.before, 3), number(self.after, 3)
        )


class Plot(NamedTuple):
    """Curves (`bars=False`) or bars: each series is a name with its points (x, y).

    `names` stand under the bars; `log` draws both axes of curves, or the height of bars, in
    decades.
    """

    title: Says
    series: tuple[tuple[Says, tuple[tuple[float, float], ...]], ...]
    bars: bool = False
    names: tuple[str, ...] = ()
    log: bool = False


class Finding(NamedTuple):
    """One illness: what it is called, where it sits, its number, and a cure that was tried.

    `wire` is the name of the value it was seen on and `where` the place in the source that made
    it (None for an argument); `number` is explained by `says`; `effects` are what following the
    advice changed when it was simulated.
    """

    code: str
    wire: str
    where: Place | None
    number: float
    says: Says
    advice: Says
    effects: tuple[Effect, ...] = ()
    plots: tuple[Plot, ...] = ()

    @property
    def line(self) -> int | None:
        """The line of source; None for an argument."""
        return self.where.line if self.where is not None else None

    def render(self, lang: str = "en") -> str:
        """Return the whole finding as text in one language."""
        at, do, measured = _LABELS[LANGUAGE_ORDER.index(lang)]
        lines = [f"{self.code}: {self.says.into(lang)}"]
        if self.where is not None:
            lines.append(f"  {at}: {self.where.into(lang)}")
        lines.append(f"  {do}: {self.advice.into(lang)}")
        lines += [f"  {measured}: {effect.says.into(lang)}" for effect in self.effects]
        return "\n".join(lines)

    def json(self) -> dict[str, Any]:
        """Return the finding as plain data, with both languages."""
        return {
            "code": self.code,
            "wire": self.wire,
            "file": None if self.where is None else self.where.file,
            "line": self.line,
            "text": None if self.where is None else self.where.text,
            "number": plain_number(self.number),
            "says": self.says._asdict(),
            "advice": self.advice._asdict(),
            "effects": [
                {
                    "what": effect.what._asdict(),
                    "before": plain_number(effect.before),
                    "after": plain_number(effect.after),
                }
                for effect in self.effects
            ],
        }


LANGUAGE_ORDER = ("en", "pt")
_LABELS = (("where", "try", "measured"), ("onde", "tente", "medido"))


def plain_number(value: float) -> float | str:
    """Return a number as JSON knows it; NaN and infinity become words."""
    value = float(value)
    return value if math.isfinite(value) else str(value)


def rms(value: Any) -> float:
    """Return the root mean square of an array, without overflow; 0.0 for an empty one.

    >>> rms(np.array([3.0, -4.0, 0.0, 0.0]))
    2.5
    """
    array = np.abs(np.asarray(value)).astype(float)
    peak = float(array.max(initial=0.0))
    if not 0 < peak < math.inf:
        return peak
    return peak * float(np.sqrt(np.mean((array / peak) ** 2)))


def decades(above: float, below: float) -> float:
    """Return the base ten logarithm of a ratio; infinite where one of the two is 0.

    >>> decades(1.0, 1e-3)
    3.0
    """
    if above == below:
        return 0.0
    if above == 0 or below == 0:
        return math.inf if below == 0 else -math.inf
    return math.log10(above) - math.log10(below)


def listed(names: Sequence[str], most: int = 4) -> Says:
    """Join names for a sentence; beyond a few it says how many more there are.

    >>> listed(["a", "b", "c"], 2).pt
    'a, b e mais 1'
    """
    shown = ", ".join(names[:most])
    rest = len(names) - most
    if rest <= 0:
        return Says(shown, shown)
    return Says(f"{shown} and {rest} more", f"{shown} e mais {rest}")
