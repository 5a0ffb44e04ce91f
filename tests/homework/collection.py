"""The set of right and wrong backward passes: wrong ones stand as comments below right lines."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from corrente.homework.files import check_file
from corrente.homework.verdicts import Verdict

HERE = Path(__file__).parent
_WRONG = re.compile(r"(\s*)#! ([\w, ]+): (.*)")


class Wrong(NamedTuple):
    """One wrong pass: the file, the line that was changed, what it became, which mistakes it is.

    Several mistakes stand where several names fit the same change.
    """

    file: Path
    line: int
    right: str
    wrong: str
    mistakes: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.file.stem}:{self.line}:{self.wrong}"


def wrongs(folder: str = "passes") -> Iterator[Wrong]:
    """Read the wrong passes out of the comments."""
    for file in sorted((HERE / folder).glob("*.py")):
        last, right = 0, ""
        for number, text in enumerate(file.read_text().splitlines(), 1):
            found = _WRONG.fullmatch(text)
            if found is None:
                last, right = number, text.strip()
                continue
            yield Wrong(file, last, right, found[3], tuple(found[2].split(", ")))


def source_of(wrong: Wrong) -> str:
    """Write the file out with one line wrong, and without the comments; lines keep their number."""
    lines = wrong.file.read_text().splitlines()
    lines = ["" if _WRONG.fullmatch(text) else text for text in lines]
    old = lines[wrong.line - 1]
    lines[wrong.line - 1] = old[: len(old) - len(old.lstrip())] + wrong.wrong
    return "\n".join(lines) + "\n"


def name_at(wrong: Wrong) -> str:
    """Return the pass that a line is in: "f" or "Layer.backward"."""
    name = holder = ""
    for text in wrong.file.read_text().splitlines()[: wrong.line]:
        found = re.match(r"(\s*)(def|class) (\w+)", text)
        if found and found[2] == "class":
            holder = found[3]
        elif found:
            name = f"{holder}.{found[3]}" if found[1] else found[3]
            holder = holder if found[1] else ""
    return name


def check(wrong: Wrong, folder: Path | None = None) -> Verdict:
    """Write a wrong pass to a file and check it there."""
    with tempfile.TemporaryDirectory(dir=folder) as where:
        file = Path(where) / wrong.file.name
        file.write_text(source_of(wrong))
        (verdict,) = check_file(file, only=name_at(wrong))
        return verdict


def lines_of(wrong: Wrong) -> set[int]:
    """Return the lines that may be named: a deleted line shows where its variable was last made."""
    if wrong.wrong != "pass":
        return {wrong.line}
    variable = re.split(r"[\[ ]", wrong.right)[0]
    lines = wrong.file.read_text().splitlines()
    found = {wrong.line}
    for number in range(wrong.line - 1, 0, -1):
        if lines[number - 1].startswith("def "):
            break
        if re.match(rf"\s*{re.escape(variable)}\b.*=", lines[number - 1]):
            found.add(number)
    for number in range(wrong.line + 1, len(lines) + 1):
        if lines[number - 1].startswith("def "):
            break
        if re.match(rf"\s*{re.escape(variable)}\b.*=", lines[number - 1]):
            return found | {number}
    return found
