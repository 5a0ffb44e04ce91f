"""Measures the checker on the whole set: right lines, right mistakes, false alarms, seconds."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from corrente.homework.files import check_file

sys.path.insert(0, str(Path(__file__).parent))
import collection
import mutating


def main(folder: str = "passes", only: str = "") -> None:
    total = lines = names = 0
    slowest = 0.0
    for wrong in collection.wrongs(folder):
        if only and only not in wrong.id:
            continue
        start = time.monotonic()
        verdict = collection.check(wrong)
        slowest = max(slowest, time.monotonic() - start)
        total += 1
        line = verdict.line in collection.lines_of(wrong)
        name = verdict.mistake in wrong.mistakes
        lines, names = lines + line, names + name
        if not (line and name):
            print(f"{wrong.id}\n    wanted {wrong.mistakes}, got line {verdict.line}, "
                  f"{verdict.mistake} ({verdict.kind}): {verdict.mend}")  # fmt: skip
    alarms = [
        (v.name, v.message)
        for file in sorted((collection.HERE / folder).glob("*.py"))
        for v in check_file(file)
        if not v.ok
    ]
    print(f"{total} wrong: line right {lines / total:.1%}, mistake right {names / total:.1%}, "
          f"slowest {slowest:.1f} s")  # fmt: skip
    print(f"false alarms: {len(alarms)}", *alarms, sep="\n")
    if lines < 0.95 * total or names < 0.80 * total or alarms:
        sys.exit("below the goal: 95 % of the lines, 80 % of the mistakes, no false alarm")


def blind(count: int, seed: int) -> None:
    """Measure on mutants made by rule; those that are right after all do not count."""
    wrong = lines = names = 0
    folders = [collection.HERE / "passes", collection.HERE / "right"]
    for mutant in mutating.sample(folders, count, seed):
        with tempfile.TemporaryDirectory() as where:
            file = Path(where) / mutant.file.name
            file.write_text(mutant.source)
            (verdict,) = check_file(file, only=mutant.name)
        if not verdict.ok:
            wrong += 1
            lines += verdict.line == mutant.line
            names += verdict.mistake in mutating.MISTAKES[mutant.rule]
    print(
        f"{wrong} blind mutants: line right {lines / wrong:.1%}, mistake right {names / wrong:.1%}"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["blind"]:
        blind(*map(int, sys.argv[2:]))
    else:
        main(*sys.argv[1:])
