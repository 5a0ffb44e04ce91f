"""The verdict on a backward pass: right or wrong, and if wrong, the first wrong line and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from corrente.homework.mistakes import MISTAKES
from corrente.words import Says


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    `ok`; `line` and `variable` of the first wrong assignment; `mistake`, a code of `MISTAKES`
    (None where no usual mistake explains it); `says`, the whole finding in both languages;
    `found` and `true`, what the value is and what it should be; `mend`, the line that would be
    right; `picture`, the part of the circuit around the value; `gradients`, each gradient that
    was handed back with its relative error. `kind` tells a wrong pass from one that could not
    be judged: "right", "wrong", "raised", "time", "memory", "ended", "unparsable", "unpaired",
    "untraced", "uncallable".
    """

    ok: bool
    kind: str
    says: Says
    name: str = ""
    file: str = ""
    line: int | None = None
    variable: str | None = None
    mistake: str | None = None
    code: str = ""
    found: str | None = None
    true: str | None = None
    mend: str | None = None
    picture: Says | None = None
    gradients: tuple[tuple[str, float], ...] = ()

    def __bool__(self) -> bool:
        return self.ok

    @property
    def message(self) -> str:
        """The finding in one English sentence."""
        return self.says.en

    def render(self, lang: str = "en", *, mend: bool = True) -> str:
        """Return the whole verdict as text; without `mend` the right line is not given away."""
        lines = [f"{'✓' if self.ok else '✗'} {self.name}: {self.says.into(lang)}"]
        if self.line is not None:
            lines.append(_ROW.format(_WHERE.into(lang), f"{self.file}:{self.line}"))
            lines.append(_ROW.format("", self.code)) if self.code else None
        if self.found is not None:
            lines.append(_ROW.format(_FOUND.into(lang), _hung(self.found)))
        if self.true is not None:
            lines.append(_ROW.format(_TRUE.into(lang), _hung(self.true)))
        if self.mistake is not None:
            lines.append(_ROW.format(_WHY.into(lang), MISTAKES[self.mistake].why.into(lang)))
        if self.mend is not None and mend:
            lines.append(_ROW.format(_MEND.into(lang), self.mend))
        if not self.ok:
            for name, error in self.gradients:
                lines.append(_ROW.format(name, _ERROR.fill(error).into(lang)))
        if self.picture is not None:
            lines += ["", self.picture.into(lang)]
        return "\n".join(line.rstrip() for line in lines)

    def __str__(self) -> str:
        return self.render()

    def json(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        made = asdict(self)
        made["says"] = dict(zip(("en", "pt"), self.says, strict=True))
        made["picture"] = self.picture and dict(zip(("en", "pt"), self.picture, strict=True))
        made["gradients"] = [list(pair) for pair in self.gradients]
        return made


_ROW = "  {0:<10} {1}"
_WHERE = Says("where", "onde")
_FOUND = Says("is", "é")
_TRUE = Says("should be", "deveria ser")
_WHY = Says("because", "porque")
_MEND = Says("try", "tente")
_ERROR = Says("relative error {0:.1e}", "erro relativo {0:.1e}")


def _hung(text: str) -> str:
    return text.replace("\n", "\n" + " " * 13)


def from_json(data: Mapping[str, Any]) -> Verdict:
    """Make a verdict of plain data, such as the checking process sends."""
    known = {field.name for field in fields(Verdict)}
    made = {key: value for key, value in data.items() if key in known}
    made["says"] = Says(data["says"]["en"], data["says"]["pt"])
    if data.get("picture"):
        made["picture"] = Says(data["picture"]["en"], data["picture"]["pt"])
    made["gradients"] = tuple((str(n), float(e)) for n, e in data.get("gradients", ()))
    return Verdict(**made)


def summary(verdicts: Sequence[Verdict]) -> Says:
    """Count the verdicts in one sentence."""
    right = sum(verdict.ok for verdict in verdicts)
    return Says("{0} of {1} right.", "{0} de {1} certos.").fill(right, len(verdicts))
