"""The scaling page: what the measured parts of a step predict for many machines and many rows."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

DOCS = Path(__file__).parent
FIGURES = DOCS.parent / "benchmarks" / "scaling.json"

WORKERS = (1, 10, 100, 1000)
ROWS = tuple(10**k for k in range(6, 10))
BATCH = 1 << 20
"""Rows of a minibatch in the tables."""
FAN, MOST_SHARDS, TASKS_EACH = 8, 1024, 2

INTRODUCTION = """# Scaling · *Escala*

<!-- Made by docs/scaling_page.py from benchmarks/scaling.json: measure anew, do not edit. -->

What a step on a cluster costs, part by part, measured on two processes of one machine, and what
these parts add up to for more workers and more rows than one machine has. The tables are
**predictions**; no cluster of that size was at hand. [Training on many machines](cluster.md) tells
what a shard, a task and the tree are. `python -m benchmarks.scaling` measures anew.

*Quanto custa um passo num cluster, parte por parte, medido em dois processos de uma só máquina, e
quanto essas partes somam com mais trabalhadores e mais linhas do que cabem numa máquina. As tabelas
são **previsões**; não havia cluster desse tamanho. [Treinar em muitas máquinas](cluster.pt.md)
conta o que são partes, tarefas e a árvore. `python -m benchmarks.scaling` mede de novo.*
"""

MODEL = """## The model · *O modelo*

With *W* workers, minibatches of *B* rows, *S* shards and parameters of *P* bytes, a step takes

    step + task · T + byte there · P · (1 + ⌈log₂ W⌉) + row · ⌈S / W⌉ · B / S
         + (byte back + byte added) · P · 8 · (depth + 1)

where *S* is the power of two below √*B* (1024 at most), *T* the tasks: for each branch of the tree
one, at least two for each worker where there are shards enough, and one for every eight that are
summed away from the client; *depth* is how many times that happens. Parameters spread from worker
to worker, and each sum takes eight gradients. The scheduler handles the tasks of a step one after
the other, whatever *W* is: that is what bounds the gain.

*O escalonador trata as tarefas de um passo uma após a outra, seja qual for* W*: é isso que limita o
ganho.*
"""


class Step(NamedTuple):
    """The seconds of a step, by part."""

    tasks: float
    parameters: float
    gradient: float
    tree: float


def made_files() -> Iterator[tuple[Path, str]]:
    """Make the page: path and content; nothing where nothing was measured."""
    if FIGURES.exists():
        yield DOCS / "scaling.md", page(json.loads(FIGURES.read_text(encoding="utf-8")))


def predict(figures: dict[str, Any], network: str, workers: int, batch: int) -> Step:
    """Return what a step is to take with so many workers and rows in a minibatch."""
    about = figures["networks"][network]
    shards = min(1 << (batch.bit_length() - 1) // 2, MOST_SHARDS)
    run = 1
    while shards // (2 * run) >= TASKS_EACH * workers:
        run *= 2
    tasks = parts = math.ceil(shards / run)
    depth = 0
    while parts > FAN:
        parts = math.ceil(parts / FAN)
        tasks, depth = tasks + parts, depth + 1
    hops = 1 + math.ceil(math.log2(workers))
    back = figures["byte_back_s"] + figures["byte_added_s"]
    return Step(
        figures["step_s"] + figures["task_s"] * tasks,
        figures["byte_there_s"] * about["bytes"] * hops,
        about["row_s"] * math.ceil(shards / workers) * batch / shards,
        back * about["bytes"] * FAN * (depth + 1),
    )


def epoch(figures: dict[str, Any], network: str, workers: int, rows: int) -> float:
    """Return what an epoch is to take, in seconds."""
    batch = min(BATCH, rows)
    return math.ceil(rows / batch) * sum(predict(figures, network, workers, batch))


def page(figures: dict[str, Any]) -> str:
    """Write the page."""
    parts = [INTRODUCTION, *costs(figures), MODEL]
    for name, about in figures["networks"].items():
        widths = "-".join(map(str, about["widths"]))
        parts += [f"## {widths}, float32, {about['bytes'] / 1e6:.3g} MB\n"]
        parts += [*times(figures, name), *shares(figures, name)]
    return "\n".join(parts)


def costs(figures: dict[str, Any]) -> Iterator[str]:
    """Write what was measured."""
    machine = ", ".join(f"{name} {value}" for name, value in figures["machine"].items())
    yield f"## Measured · *Medido*\n\nWith {machine}.\n"
    yield "| part · *parte* | cost · *custo* |\n|---|--:|"
    yield f"| a step that does nothing · *um passo que nada faz* | {time(figures['step_s'])} |"
    yield f"| each task · *cada tarefa* | {time(figures['task_s'])} |"
    yield f"| a MB of parameters, there · *1 MB de ida* | {time(1e6 * figures['byte_there_s'])} |"
    yield f"| a MB of gradient, back · *1 MB de volta* | {time(1e6 * figures['byte_back_s'])} |"
    yield f"| a MB added · *1 MB somado* | {time(1e6 * figures['byte_added_s'])} |"
    for about in figures["networks"].values():
        widths = "-".join(map(str, about["widths"]))
        yield f"| a row's gradient, {widths} · *gradiente de uma linha* | {time(about['row_s'])} |"
    yield ""


def times(figures: dict[str, Any], name: str) -> Iterator[str]:
    """Write how long an epoch is to take, and how much of it is not waiting."""
    yield f"An epoch, minibatches of {grouped(BATCH)} rows · *uma época*; in brackets what is left"
    yield "of the ideal gain · *entre parênteses, o que resta do ganho ideal*:\n"
    yield "| rows · *linhas* | " + " | ".join(f"{n} w" for n in WORKERS) + " |"
    yield "|--:|" + "--:|" * len(WORKERS)
    for rows in ROWS:
        one = epoch(figures, name, 1, rows)
        found = [(epoch(figures, name, n, rows), n) for n in WORKERS]
        cells = [f"{time(seconds)} ({one / seconds / n:.0%})" for seconds, n in found]
        yield f"| {grouped(rows)} | " + " | ".join(cells) + " |"
    yield ""


def shares(figures: dict[str, Any], name: str) -> Iterator[str]:
    """Write where a step's time goes."""
    yield "Where a step goes · *para onde vai um passo*:\n"
    heads = ("workers", "tasks · *tarefas*", "parameters · *parâmetros*", "gradient", "tree")
    yield "| " + " | ".join(heads) + " |\n|" + "--:|" * len(heads)
    for workers in WORKERS:
        step = predict(figures, name, workers, BATCH)
        yield f"| {workers} | " + " | ".join(time(part) for part in step) + " |"
    yield ""


def time(seconds: float) -> str:
    """Write a time in the unit that suits it.

    >>> time(0.0000025), time(0.5), time(7200)
    ('2.5 µs', '500 ms', '2 h')
    """
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"


def grouped(number: int) -> str:
    """Write a number with its digits in groups."""
    return f"{number:,}".replace(",", " ")
