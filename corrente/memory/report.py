"""The report: how much memory a compiled program takes, what it keeps, what it makes again, why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from corrente.memory.planning import Use
from corrente.memory.sizes import as_text
from corrente.places import Where, locate
from corrente.words import Says, plain

REASONS = {
    "again": Says("made again when it is read", "refeito quando é lido"),
    "opaque": Says(
        "a call back to Python is never run twice", "uma chamada ao Python nunca roda duas vezes"
    ),
    "start": Says("others are made again from here", "outros são refeitos a partir daqui"),
    "fits": Says("there is room for it", "há lugar para ele"),
}
FORMS = {
    "rolled": Says("repeated lines run as a loop", "linhas repetidas rodam como um laço"),
    "nested": Says(
        "the loop is cut into about √n segments: each runs again from its first state",
        "o laço é cortado em cerca de √n trechos: cada um roda de novo do seu primeiro estado",
    ),
    "open": Says("every step stands for itself", "cada passo está por si"),
    "numbers": Says("single numbers, interpreted", "números avulsos, interpretados"),
}


@dataclass(frozen=True)
class Report:
    """What one compiled program takes, measured after it was laid out in memory.

    The bytes are those a program keeps to itself between its arguments and its results: measured,
    not estimated. `natural` is what it would take if every value were kept until its last use.
    """

    name: str
    budget: int | None
    natural: int
    peak: int
    form: str
    """How the program is written, a key of FORMS."""
    extra: float
    """The share of the run's time that making values again adds: an estimate."""
    uses: tuple[Use, ...]

    @property
    def kept(self) -> tuple[Use, ...]:
        """The values that lie in memory from when they are made to when they are last read."""
        return tuple(use for use in self.uses if not use.again)

    @property
    def recomputed(self) -> tuple[Use, ...]:
        """The values that are made again."""
        return tuple(use for use in self.uses if use.again)

    def render(self, lang: str = "en") -> str:
        """Return the whole report in one language, "en" or "pt"."""
        return "\n".join(line.into(lang) for line in self._lines())

    def __str__(self) -> str:
        return self.render()

    def _lines(self) -> Iterable[Says]:
        yield Says("memory of {0}", "memória de {0}").fill(self.name)
        yield Says("  everything kept: {0}", "  tudo guardado: {0}").fill(as_text(self.natural))
        if self.budget is not None:
            yield Says("  budget:          {0}", "  orçamento:     {0}").fill(as_text(self.budget))
        yield Says("  peak now:        {0}", "  pico agora:    {0}").fill(as_text(self.peak))
        yield Says("  more time:       about {0}", "  mais tempo:    cerca de {0}").fill(
            f"{self.extra:.0%}"
        )
        yield Says("  form:            {0}", "  forma:         {0}").fill(FORMS[self.form])
        for title, uses in (
            (Says("kept at the peak", "guardados no pico"), self.kept),
            (Says("made again", "refeitos"), self.recomputed),
        ):
            if uses:
                total = as_text(sum(use.nbytes for use in uses))
                yield Says("{0}: {1}", "{0}: {1}").fill(title, total)
                yield from _rows(uses)


def _rows(uses: Iterable[Use]) -> Iterable[Says]:
    """Write values of one line and one reason as one row, the largest first."""
    groups: dict[tuple[str, str], list[Use]] = {}
    for use in uses:
        groups.setdefault((_line(use.where), use.reason), []).append(use)
    ordered = sorted(groups.items(), key=lambda item: -sum(use.nbytes for use in item[1]))
    for (line, reason), group in ordered:
        total = as_text(sum(use.nbytes for use in group))
        runs = sum(use.again for use in group) / len(group)
        times = plain(f" × {runs:.1f}" if runs else "")
        yield Says("  {0:>7}  {1:>5} values  {2}", "  {0:>7}  {1:>5} valores  {2}").fill(
            total, len(group), line
        )
        yield Says("           {0}{1}", "           {0}{1}").fill(REASONS[reason], times)


def _line(where: Where | None) -> str:
    return "?" if where is None else str(locate(where))
