"""What a diagnosis is: findings and the gradient's budget; shown, saved, or as plain data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from corrente.doctor.findings import Finding, plain_number
from corrente.doctor.page import draw
from corrente.doctor.rates import Rates
from corrente.doctor.rows import Contributions
from corrente.errors import BadValue
from corrente.figures import number
from corrente.program import write_whole
from corrente.words import Says


class Budget(NamedTuple):
    """What the gradient lost (−) or gained (+) on its way to a parameter, gate by gate."""

    parameter: str
    decades: float
    gates: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Diagnosis:
    """The findings about one loss at one point; `ok` when there are none.

    `budget` tells for each parameter how many decades the gradient lost or gained on its way.
    With data, `contributions` are the rows by the length of their own gradient, and `rates` what
    is known of the learning rate; where one of these is None, `notes` say why.
    """

    name: str
    value: float
    findings: tuple[Finding, ...]
    budget: tuple[Budget, ...]
    contributions: Contributions | None = None
    rates: Rates | None = None
    notes: tuple[Says, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether nothing is ill."""
        return not self.findings

    @property
    def says(self) -> Says:
        """Say the whole in one sentence."""
        if self.ok:
            return Says("{0} is healthy: loss {1}.", "{0} está saudável: perda {1}.").fill(
                self.name, number(self.value)
            )
        codes = ", ".join(dict.fromkeys(finding.code for finding in self.findings))
        return Says(
            "{0}: {1} finding(s): {2}; loss {3}.", "{0}: {1} achado(s): {2}; perda {3}."
        ).fill(self.name, len(self.findings), codes, number(self.value))

    @property
    def facts(self) -> tuple[Says, ...]:
        """What was measured besides, and is no illness."""
        known = (self.contributions, self.rates)
        return (*(each.says for each in known if each is not None), *self.notes)

    def render(self, lang: str = "en") -> str:
        """Return the whole report as text."""
        parts = [self.says.into(lang), *(finding.render(lang) for finding in self.findings)]
        if self.facts:
            parts.append("\n".join(fact.into(lang) for fact in self.facts))
        return "\n\n".join(parts)

    def __str__(self) -> str:
        return self.render()

    def _repr_html_(self) -> str:
        return draw(self, "en", whole=False)

    def show(self, lang: str = "en", *, file: Any = None) -> None:
        """Print the report in the terminal, in colour where there is any."""
        console, panel, text = _rich()
        out = console(file=file)
        out.print(text(self.says.into(lang), style="bold green" if self.ok else "bold red"))
        for finding in self.findings:
            head, *rest = finding.render(lang).split("\n")
            title = text(finding.code, style="bold")
            body = text(head.removeprefix(f"{finding.code}: "))
            for line in rest:
                body.append("\n" + line.strip(), style=None if ":" not in line else "dim")
            out.print(panel(body, title=title, title_align="left"))
        for fact in self.facts:
            out.print(text(fact.into(lang), style="dim"))

    def json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "version": 1,
            "name": self.name,
            "ok": self.ok,
            "value": plain_number(self.value),
            "findings": [finding.json() for finding in self.findings],
            "budget": [
                {
                    "parameter": each.parameter,
                    "decades": plain_number(each.decades),
                    "gates": [[gate, plain_number(size)] for gate, size in each.gates],
                }
                for each in self.budget
            ],
            "contributions": None if self.contributions is None else self.contributions.json(),
            "rates": None if self.rates is None else self.rates.json(),
            "notes": [note._asdict() for note in self.notes],
        }

    def save(self, path: str | os.PathLike[str], lang: str = "en") -> None:
        """Write the report to a file: .html with plots, .txt or .json; whole or not at all.

        Raises BadValue for another ending and where the folder does not exist.
        """
        path = Path(path)
        makers: dict[str, Callable[[], str]] = {
            ".html": lambda: draw(self, lang),
            ".txt": lambda: self.render(lang) + "\n",
            ".json": lambda: json.dumps(self.json(), indent=1, ensure_ascii=False) + "\n",
        }
        if path.suffix not in makers:
            raise BadValue(
                Says(
                    "cannot save a diagnosis as {0}.", "não sei guardar um diagnóstico como {0}."
                ).fill(repr(path.suffix or path.name)),
                Says("choose one of: {0}.", "escolha um destes: {0}.").fill(", ".join(makers)),
            )
        write_whole(path, makers[path.suffix]())


def _rich() -> tuple[Any, Any, Any]:
    """Load rich when a report is printed: a program that only looks at findings does without."""
    from rich.console import Console  # noqa: PLC0415  # costs 40 ms
    from rich.panel import Panel  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    return Console, Panel, Text
