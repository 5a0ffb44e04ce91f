"""The benchmark page: the figures that `python -m benchmarks --json` kept, as tables and a plot."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).parent
FIGURES = DOCS.parent / "benchmarks" / "figures.json"

LIMITS = ("C", "its two GEMMs")
OURS = "corrente"
PARTS = ("first call: ", "first call, cache warm: ", "peak memory: ")
STARTS = (*PARTS, "import")
OBJECTIVE = ", objective"

Rows = dict[str, dict[str, dict[str, Any]]]


class Mark(NamedTuple):
    """How a contestant is drawn: colour is never the only sign."""

    who: str
    shape: str
    colour: str


MARKS = (
    Mark("corrente", "disc", "#1a7f37"),
    Mark("corrente eager", "ring", "#1a7f37"),
    Mark("C or GEMMs", "bar", "#57606a"),
    Mark("jax", "diamond", "#8250df"),
    Mark("torch", "square", "#bc4c00"),
    Mark("torch compiled", "box", "#bc4c00"),
    Mark("autograd", "triangle", "#0969da"),
    Mark("other peers", "cross", "#9a6700"),
)

INTRODUCTION = """# Benchmarks

<!-- Made by docs/benchmark_page.py from benchmarks/figures.json: measure anew, do not edit. -->

Every row is one program, written once as plain NumPy and given to whoever can run it; PyTorch and
CasADi need their own words. All answers are compared before anything is timed, and the contestants
of a row are timed turn by turn in one process. The figures are medians, in microseconds. The limit
is a gradient written by hand in C and compiled with `cc -O3 -march=native`, or, where products of
matrices rule, those products alone. `python -m benchmarks` measures the rows anew with the peers
that are installed; run it on a quiet machine.

*Cada linha é um só programa, escrito uma vez em NumPy comum e dado a quem puder executá-lo; o
PyTorch e o CasADi pedem palavras próprias. Todas as respostas são comparadas antes de qualquer
medida, e os concorrentes de uma linha são medidos um após o outro, em rodadas, no mesmo processo.
Os números são medianas, em microssegundos. O limite é um gradiente escrito à mão em C e compilado
com `cc -O3 -march=native` ou, onde os produtos de matrizes mandam, só esses produtos.
`python -m benchmarks` mede tudo de novo com os pacotes instalados; execute-o numa máquina sem
outras tarefas.*
"""


def made_files() -> Iterator[tuple[Path, str]]:
    """Make the page and its plot: path and content; nothing where nothing was measured."""
    if FIGURES.exists():
        record = json.loads(FIGURES.read_text(encoding="utf-8"))
        yield DOCS / "benchmarks.md", page(record)
        yield DOCS / "pictures" / "benchmarks.svg", plot(by_row(record))


def by_row(record: dict[str, Any]) -> Rows:
    """Return the figures by row and contestant, in the order in which they were measured."""
    rows: Rows = {}
    for figure in record["figures"]:
        rows.setdefault(figure["row"], {})[figure["who"]] = figure
    return rows


def timed(rows: Rows) -> Rows:
    """Keep the rows that are measured turn by turn, and in them who ran."""
    kept = {
        name: {who: figure for who, figure in row.items() if "median_us" in figure}
        for name, row in rows.items()
        if not name.startswith(STARTS)
    }
    return {name: row for name, row in kept.items() if row}


def page(record: dict[str, Any]) -> str:
    """Write the page."""
    rows = by_row(record)
    machine = record["machine"]
    made = ", ".join(f"{name} {value}" for name, value in machine.items() if name != "processor")
    parts = [
        INTRODUCTION,
        f"Measured with {made} ({machine['processor']}).\n",
        "![Times of every row beside ours](pictures/benchmarks.svg)\n",
        "\n".join(summary(timed(rows))) + "\n",
        "## Gradient and objective · *Gradiente e objetivo*\n",
        "\n".join(against_objective(timed(rows))) + "\n",
        "## First call and memory · *Primeira chamada e memória*\n",
        "\n".join(starts(rows)) + "\n",
        "## Every figure · *Todos os números*\n",
        "\n".join(everything(timed(rows))),
    ]
    return "\n".join(parts) + "\n"


def limit(row: dict[str, Any], fast: bool = False) -> float | None:
    """Return the best time of what is written by hand, with or without `-ffast-math`."""
    return min(
        (
            figure["median_us"]
            for who, figure in row.items()
            if who.startswith(LIMITS) and ("fast-math" in who) == fast
        ),
        default=None,
    )


def best_peer(row: dict[str, Any]) -> tuple[str, float] | None:
    """Return the fastest peer."""
    times = [
        (who, figure["median_us"])
        for who, figure in row.items()
        if not who.startswith(OURS) and not who.startswith(LIMITS) and who != "numpy"
    ]
    return min(times, key=lambda pair: pair[1], default=None)


def number(value: float | None) -> str:
    """Write a number with three meaningful digits, and digits in groups."""
    if value is None:
        return "–"
    digits = max(0, 2 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{min(digits, 3)}f}".replace(",", " ")


def ratio(a: float | None, b: float | None) -> str:
    return "–" if a is None or b is None else f"{a / b:.2f}×"


def summary(rows: Rows) -> Iterator[str]:
    """Write ours beside the limit and the best peer."""
    yield (
        "| | corrente | limit<br>*limite* | ours ÷ limit<br>*nosso ÷ limite* | `-ffast-math` | "
        "best peer<br>*melhor par* | | peer ÷ ours<br>*par ÷ nosso* |"
    )
    yield "|---|--:|--:|--:|--:|---|--:|--:|"
    for name, row in rows.items():
        if name.endswith(OBJECTIVE) or "corrente" not in row:
            continue
        ours, least, peer = row["corrente"]["median_us"], limit(row), best_peer(row)
        who, theirs = peer or ("–", None)
        yield (
            f"| {name} | {number(ours)} | {number(least)} | {ratio(ours, least)} | "
            f"{number(limit(row, fast=True))} | {who} | {number(theirs)} | {ratio(theirs, ours)} |"
        )


def against_objective(rows: Rows) -> Iterator[str]:
    """Write what the gradient costs beside the objective alone."""
    whose = ("corrente", "jax", "torch")
    yield "| | " + " | ".join(whose) + " |"
    yield "|---|" + "--:|" * len(whose)
    for name, row in rows.items():
        if (alone := rows.get(name + OBJECTIVE)) is None:
            continue
        cells = [ratio(median(row, who), median(alone, who)) for who in whose]
        yield f"| {name} | " + " | ".join(cells) + " |"


def median(row: dict[str, Any], who: str) -> float | None:
    return row[who]["median_us"] if who in row else None


def starts(rows: Rows) -> Iterator[str]:
    """Write the first calls of fresh processes and their memory, then what an import takes."""
    yield (
        "| | | first call, ms<br>*primeira chamada* | cache warm, ms<br>*cache quente* | "
        "memory, MB<br>*memória* |"
    )
    yield "|---|---|--:|--:|--:|"
    for name in rows:
        if name.startswith("first call: "):
            row = name.removeprefix("first call: ")
            for who, figure in rows[name].items():
                if "failure" in figure:
                    continue
                parts = (rows[part + row][who] for part in PARTS)
                cells = " | ".join(number(part["median"]) for part in parts)
                yield f"| {row} | {who} | {cells} |"
        elif name.startswith("import"):
            for who, figure in rows[name].items():
                yield f"| {name} | {who} | {number(figure['median'])} | | |"


def everything(rows: Rows) -> Iterator[str]:
    yield "| | | median<br>*mediana* µs | least<br>*mínimo* | most<br>*máximo* | first call, ms |"
    yield "|---|---|--:|--:|--:|--:|"
    for name, row in rows.items():
        for who, figure in row.items():
            cells = [figure[part] for part in ("median_us", "min_us", "max_us", "first_ms")]
            yield f"| {name} | {who} | " + " | ".join(map(number, cells)) + " |"


# --- the plot -----------------------------------------------------------------------------------

WIDTH, LEFT, RIGHT, LINE, TOP = 860, 230, 20, 22, 64
STYLE = (
    "<style>text{font:12px sans-serif;fill:#1f2328}.grid{stroke:#d0d7de}"
    "@media screen and (prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#30363d}}</style>"
)


def plot(rows: Rows) -> str:
    """Draw every row as a line of marks: times as multiples of ours, on a logarithmic scale."""
    shown = {
        name: row
        for name, row in timed(rows).items()
        if "corrente" in row and not name.endswith(OBJECTIVE)
    }
    scale = [
        math.log10(figure["median_us"] / row["corrente"]["median_us"])
        for row in shown.values()
        for figure in row.values()
    ]
    low, high = math.floor(min(scale, default=0)), math.ceil(max(scale, default=0)) or 1

    def across(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    height = TOP + LINE * len(shown) + 12
    title = "Times as multiples of ours · tempos como múltiplos do nosso"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">',
        f"<title>{title}</title>",
        STYLE,
        *legend(),
    ]
    for power in range(low, high + 1):
        x = across(power)
        parts.append(f'<path class="grid" d="M{x:.1f} {TOP - 8}V{height - 12}"/>')
        sign = f"{10.0**power:g}×"
        parts.append(f'<text x="{x:.1f}" y="{TOP - 12}" text-anchor="middle">{sign}</text>')
    for place, (name, row) in enumerate(shown.items()):
        y = TOP + LINE * place + LINE / 2
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<path class="grid" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>')
        base = row["corrente"]["median_us"]
        for who, figure in row.items():
            x = across(math.log10(figure["median_us"] / base))
            words = f"{name}, {who}: {number(figure['median_us'])} µs"
            parts.append(f"<g><title>{escape(words)}</title>{draw(mark_of(who), x, y)}</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def mark_of(who: str) -> Mark:
    """Return a contestant's mark; the peers of few rows share one."""
    name = "C or GEMMs" if who.startswith(LIMITS) else who.partition(",")[0]
    return next((mark for mark in MARKS if mark.who == name), MARKS[-1])


def legend() -> Iterator[str]:
    step = (WIDTH - 20) / len(MARKS)
    for place, mark in enumerate(MARKS):
        x = 20 + step * place
        yield draw(mark, x, 18) + f'<text x="{x + 9:.1f}" y="22">{mark.who}</text>'


def draw(mark: Mark, x: float, y: float) -> str:
    """Draw one mark."""
    left, top = f"{x - 4:.1f}", f"{y - 4:.1f}"
    shapes = {
        "disc": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{mark.colour}"/>',
        "ring": f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="none" ',
        "bar": f'<path d="M{x:.1f} {y - 7:.1f}v14" fill="none" ',
        "diamond": f'<path d="M{x:.1f} {y - 5:.1f}l5 5l-5 5l-5 -5z" fill="{mark.colour}"/>',
        "square": f'<path d="M{left} {top}h8v8h-8z" fill="{mark.colour}"/>',
        "box": f'<path d="M{left} {top}h8v8h-8z" fill="none" ',
        "triangle": f'<path d="M{x:.1f} {y - 5:.1f}l5 9h-10z" fill="{mark.colour}"/>',
        "cross": f'<path d="M{left} {top}l8 8m0 -8l-8 8" fill="none" ',
    }
    shape = shapes[mark.shape]
    return shape if shape.endswith("/>") else f'{shape}stroke="{mark.colour}" stroke-width="2"/>'


if __name__ == "__main__":
    for path, content in made_files():
        path.write_text(content, encoding="utf-8")
