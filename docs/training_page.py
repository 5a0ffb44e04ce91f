"""The tables of the training pages: what `python -m benchmarks.rates` and `.accuracy` kept."""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corrente.words import Says

DOCS = Path(__file__).parent
FOLDER = DOCS.parent / "benchmarks"
PAGES = {"en": DOCS / "training.md", "pt": DOCS / "training.pt.md"}

Record = dict[str, Any]


def made_files() -> Iterator[tuple[Path, str]]:
    """Make the two pages anew: their own words, and between the marks the tables."""
    for lang, path in PAGES.items():
        text = path.read_text(encoding="utf-8")
        for name, table in (("accuracy", accuracy), ("rates", rates)):
            figures = FOLDER / f"{name}.json"
            if figures.exists():
                record = json.loads(figures.read_text(encoding="utf-8"))
                text = between(text, name, "\n".join(table(record, lang)))
        yield path, text


def between(text: str, name: str, table: str) -> str:
    """Put a table between the marks of its name; raise LookupError where there are none."""
    marks = re.compile(rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- /{name} -->)", re.DOTALL)
    if not marks.search(text):
        raise LookupError(f"no place for the table: {name}")
    return marks.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", text)


# --- time to accuracy ---------------------------------------------------------------------------

_HEADS = Says(
    "| | epochs | first epoch | to the accuracy | … code in the cache | … without compiling |",
    "| | épocas | 1ª época | até a acurácia | … código no cache | … sem compilar |",
)
_TASK = Says(
    "**{0}** to {1:.0%}, batches of {2}, rate {3:g}",
    "**{0}** até {1:.0%}, lotes de {2}, taxa {3:g}",
)
_ABOUT = ("processor", "cores", "system", "python", "numpy", "scikit-learn", "torch", "jax")
_MADE = Says(
    "Measured with {0}, {1} thread(s); medians of {2} seeds, in seconds.",
    "Medido com {0}, {1} thread(s); medianas de {2} sementes, em segundos.",
)


def accuracy(record: Record, lang: str) -> Iterator[str]:
    """Write the table of the times to an accuracy."""
    figures, machine = record["figures"], dict(record["machine"])
    threads, runs = machine.pop("threads"), figures[0]["runs"]
    about = ", ".join(f"{name} {machine[name]}" for name in _ABOUT if name in machine)
    yield _MADE.fill(about, threads, runs).into(lang)
    yield ""
    yield _HEADS.into(lang)
    yield "|---|---:|---:|---:|---:|---:|"
    tasks = dict.fromkeys(figure["task"] for figure in figures)
    for task in tasks:
        rows = [figure for figure in figures if figure["task"] == task]
        about = (task, rows[0]["accuracy"], rows[0]["batch_size"], rows[0]["rate"])
        yield f"| {_TASK.fill(*about).into(lang)} | | | | | |"
        yield from (_in(lang, _times(row, rows)) for row in rows)


def _times(row: Record, rows: list[Record]) -> str:
    cells = [f"{row['epochs']:g}"]
    for part in ("first", "total", "again", "running"):
        least = min(other[part] for other in rows)
        text = "–" if row[part] == float("inf") else f"{row[part]:.3f}"
        cells.append(f"**{text}**" if row[part] == least else text)
    return f"| {row['who']} | {' | '.join(cells)} |"


# --- rates --------------------------------------------------------------------------------------

_RATES = Says(
    "| | optimiser | median | 1 of 10 worse than | worst | over 1.5× | cost | of the time |",
    "| | otimizador | mediana | 1 em 10 pior que | pior | acima de 1,5× | custo | do tempo |",
)
_KINDS = (
    Says("{0} sets looked at", "{0} conjuntos examinados"),
    Says("{0} sets kept out", "{0} conjuntos deixados de fora"),
)


def rates(record: Record, lang: str) -> Iterator[str]:
    """Write the table of how good the automatic rate is: sets looked at, then those kept out."""
    yield _RATES.into(lang)
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for kept_out, kind in enumerate(_KINDS):
        figures = [figure for figure in record["figures"] if figure["kept_out"] == bool(kept_out)]
        sets = len({figure["set"] for figure in figures})
        for optimiser in dict.fromkeys(figure["optimiser"] for figure in figures):
            rows = [figure for figure in figures if figure["optimiser"] == optimiser]
            cells = [kind.fill(sets).into(lang), optimiser, *_quality(rows)]
            yield _in(lang, f"| {' | '.join(cells)} |")


def _quality(rows: list[Record]) -> Iterator[str]:
    ratios = sorted(row["ratio"] for row in rows)
    tenth = ratios[min(len(ratios) - 1, (9 * len(ratios)) // 10)]
    for ratio in (statistics.median(ratios), tenth, ratios[-1]):
        yield f"{ratio:.2f}×"
    yield f"{sum(ratio > 1.5 for ratio in ratios)} / {len(ratios)}"
    yield f"{statistics.median(row['cost'] + row['again'] for row in rows):.1%}"
    yield f"{statistics.median(row['seconds'] for row in rows):.1%}"


def _in(lang: str, numbers: str) -> str:
    """Write numbers as a language does."""
    return numbers.replace(".", ",") if lang == "pt" else numbers
