"""Score the checker on the outside set: right lines, right mistakes, false alarms, clear verdicts.

Run `python tests/homework/outside/scoring.py [working|held-out] [PART OF A NAME …]` from the root
of the repository.
"""

from __future__ import annotations

import collections
import importlib.util
import json
import multiprocessing
import re
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from corrente.homework import check_backward
from corrente.homework.files import check_file
from corrente.homework.sandbox import Limits
from corrente.homework.verdicts import Verdict

HERE = Path(__file__).resolve().parent
PATIENT = Limits(seconds=60.0, memory=1 << 30)
HASTY = Limits(seconds=6.0, memory=1 << 29)
# our codes for what the outside set calls otherwise
CODES = {
    "missing-sum": {"sum"},
    "overwrite": {"accumulate", "path"},
    "missing-mean": {"mean"},
    "missing-local-gradient": {"local"},
    "stale-cache": {"cache"},
    "factor-two": {"factor"},
    "upstream-forgotten": {"upstream"},
}

Label = dict[str, Any]


class Score(NamedTuple):
    """How a verdict compares with a label: strictly, and with what the label allows as well."""

    label: Label
    verdict: Verdict
    line: bool
    line_also: bool
    mistake: bool
    mistake_also: bool
    seconds: float

    @property
    def missed(self) -> bool:
        return not (self.line_also and self.mistake_also)


def read_labels() -> list[Label]:
    """Read the labels of all files of the set."""
    return json.loads((HERE / "labels.json").read_text(encoding="utf-8"))


def base_of(label: Label) -> str:
    """Return the name that the mutations of one pass share."""
    return re.sub(r"_\d+$", "", Path(label["file"]).stem)


def is_held_out(label: Label) -> bool:
    """Tell whether a file belongs to the half that was kept back while the other was mended."""
    return zlib.crc32(base_of(label).encode()) % 2 == 1


def check(label: Label, limits: Limits = PATIENT) -> Verdict:
    """Check one file, with its own example as input.

    Pairs that are found by their names are checked as a file; others as two functions.
    """
    text = (HERE / label["file"]).read_text(encoding="utf-8")
    forward, backward = label["forward"], label["backward"] or label["forward"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / Path(label["file"]).name
        given = f"\n\ninputs = {{{forward!r}: lambda: tuple(example())}}\n" if forward else ""
        file.write_text(text + given, encoding="utf-8")
        found = check_file(file, only=backward if forward else None, limits=limits)
        if label["kind"] == "hostile" or found[0].kind != "uncallable":
            return found[0]
        module = load(file)
        passes = [getattr(module, name) for name in dict.fromkeys((forward, backward))]
        bounds = {"seconds": limits.seconds, "memory": limits.memory}
        return check_backward(*passes, *module.example(), **bounds)


def load(file: Path) -> Any:
    """Import a file of the set that is known to do no harm."""
    spec = importlib.util.spec_from_file_location(f"outside_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def score(label: Label) -> Score:
    """Check one file and compare the verdict with its label."""
    start = time.monotonic()
    if label["kind"] == "hostile":
        verdict = check(label, HASTY)
        clear = is_clear(label, verdict)
        return Score(label, verdict, clear, clear, clear, clear, time.monotonic() - start)
    verdict = check(label)
    seconds = time.monotonic() - start
    if label["kind"] == "right":
        return Score(label, verdict, *[verdict.ok] * 4, seconds)
    lines = {label["line"], *label["lines_also"]}
    return Score(
        label,
        verdict,
        verdict.line == label["line"],
        verdict.line in lines,
        verdict.mistake in codes_of([label["mistake"]]),
        verdict.mistake in codes_of([label["mistake"], *label["mistakes_also"]]),
        seconds,
    )


def codes_of(names: Iterable[str]) -> set[str]:
    """Return our codes for the mistakes of a label."""
    return {code for name in names for code in CODES.get(name, {name})}


def is_clear(label: Label, verdict: Verdict) -> bool:
    """Tell whether a verdict on a hostile file is one that its label names."""
    expected = label["expected"]
    mention = expected["mentions"]
    return bool(names_of(verdict) & {expected["verdict"], *expected["also"]}) and (
        mention is None or mention in verdict.render()
    )


def names_of(verdict: Verdict) -> set[str]:
    """Return what the outside set calls a verdict."""
    found = {verdict.kind}
    found |= {"raised": {"exception"}, "unparsable": {"syntax"}}.get(verdict.kind, set())
    says = {
        "wrong-shape": "shape is",
        "not-finite": "not finite",
        "too-few-gradients": "not handed back",
        "too-many-gradients": "more gradients",
        "returns-nothing": "returns nothing",
        "not-deterministic": "at random",
        "no-forward": "no forward pass",
    }
    return found | {name for name, words in says.items() if words in verdict.message}


def share(scores: Sequence[Score], good: Callable[[Score], bool]) -> str:
    """Write how many of some scores are good."""
    count = sum(map(good, scores))
    return f"{count:>4} of {len(scores):>3} {count / max(len(scores), 1):>7.1%}"


def rows(scores: Sequence[Score]) -> Iterator[str]:
    """Write the figures of the wrong, the right and the hostile files."""
    wrong = [s for s in scores if s.label["kind"] == "wrong"]
    firm = [s for s in wrong if not s.label["loose"]]
    yield f"right line, strict           {share(wrong, lambda s: s.line)}"
    yield f"right line, or as fair       {share(wrong, lambda s: s.line_also)}"
    yield f"right mistake, strict        {share(firm, lambda s: s.mistake)}"
    yield f"right mistake, or as fair    {share(firm, lambda s: s.mistake_also)}"
    yield f"  with the loose ones        {share(wrong, lambda s: s.mistake_also)}"
    for kind, says in (("right", "no false alarm"), ("hostile", "hostile, clear verdict")):
        found = [s for s in scores if s.label["kind"] == kind]
        yield f"{says:<28} {share(found, lambda s: s.line)}"


def table(scores: Sequence[Score], field: str) -> Iterator[str]:
    """Write lines, mistakes and alarms for each value of a field."""
    found = collections.defaultdict(list)
    for each in scores:
        if each.label["kind"] != "hostile" and each.label.get(field):
            found[each.label[field]].append(each)
    yield f"\n{field:<24} {'line':<19} {'mistake':<19} false alarms"
    for value, mine in sorted(found.items()):
        wrong = [s for s in mine if s.label["kind"] == "wrong"]
        alarms = sum(s.label["kind"] == "right" and not s.line for s in mine)
        line, mistake = (
            share(wrong, lambda s: s.line_also),
            share(wrong, lambda s: s.mistake_also),
        )
        yield f"{value:<24} {line} {mistake} {alarms}"


def failures(scores: Iterable[Score]) -> Iterator[str]:
    """Write what was wanted and what was found instead."""
    for s in scores:
        if not s.missed:
            continue
        label, verdict = s.label, s.verdict
        wanted = label.get("expected") or (
            [label.get("line"), *label.get("lines_also", ())],
            [label.get("mistake"), *label.get("mistakes_also", ())],
        )
        loose = " (loose)" if label.get("loose") else ""
        yield f"{label['file']}{loose}: wanted {wanted}"
        yield f"    {verdict.kind} {verdict.line} {verdict.mistake}: {verdict.message}"
        yield f"    {verdict.code}  =>  {verdict.mend}"


def measure(labels: Sequence[Label], processes: int = 2) -> list[Score]:
    """Check many files, two at a time."""
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        return pool.map(score, labels, chunksize=1)


def main(words: Sequence[str]) -> int:
    """Measure the files whose names hold one of the words; return 1 where a floor is missed.

    "working" and "held-out" keep to one half.
    """
    halves = {"working": False, "held-out": True}
    wanted = [word for word in words if word not in halves]
    labels = [
        label
        for label in read_labels()
        if not wanted or any(word in label["file"] for word in wanted)
        if not any(word in halves and is_held_out(label) != halves[word] for word in words)
    ]
    scores = measure(labels)
    print(*failures(scores), sep="\n")
    for name, held_out in halves.items():
        half = [s for s in scores if is_held_out(s.label) == held_out]
        print(f"\n{name} half", *rows(half), sep="\n")
    print("\nwhole", *rows(scores), sep="\n")
    for field in ("subject", "style", "mistake"):
        print(*table(scores, field), sep="\n")
    slowest = max(scores, key=lambda s: s.seconds)
    total = sum(s.seconds for s in scores)
    print(f"\n{total:.0f} s of checking; slowest {slowest.label['file']}, {slowest.seconds:.1f} s")
    wrong = [s for s in scores if s.label["kind"] == "wrong"]
    firm = [s for s in wrong if not s.label["loose"]]
    good = sum(s.line_also for s in wrong) >= 0.95 * len(wrong)
    good &= sum(s.mistake_also for s in firm) >= 0.80 * len(firm)
    good &= all(s.line for s in scores if s.label["kind"] != "wrong")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
