"""Exercises as sheets to print: text, SVG and HTML; and as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np

from corrente.circuit import Run
from corrente.errors import BadValue
from corrente.exercises.answers import exact, write
from corrente.exercises.blanks import Blank, Exercise
from corrente.exercises.plans import LEVELS
from corrente.scene import CELLS, PIXELS, Label, Metric, Scene, lay_out
from corrente.views import svg, text
from corrente.words import Says

HEADING = Says("Exercise, level {0}: {1}", "Exercício, nível {0}: {1}")
SEED = Says("seed {0}", "semente {0}")
TASK = Says(
    "Fill the blanks: the values from left to right, above the wires; then, from right to left, "
    "the gradients below them. The gradient of {0} itself is 1.",
    "Preencha as lacunas: os valores da esquerda para a direita, acima dos fios; depois, da "
    "direita para a esquerda, os gradientes abaixo deles. O gradiente do próprio {0} é 1.",
)
FORKS = Says(
    "Where a wire forks, find each part and add them up.",
    "Onde um fio se bifurca, ache cada parcela e some-as.",
)
ROUNDED = Says("Two decimals are enough.", "Duas casas decimais bastam.")
ARRAYS = Says(
    "Write a matrix row by row: [1 2; 3 4].", "Escreva uma matriz linha por linha: [1 2; 3 4]."
)
SOLUTION = Says("Solution", "Solução")
VALUES = Says("Values", "Valores")
GRADIENTS = Says("Gradients", "Gradientes")
NAME = Says("Name", "Nome")

SUFFIXES = (".svg", ".html", ".txt")
_ROOM = "______"


def sheet(task: Exercise, suffix: str, lang: str = "en", *, solution: bool = False) -> str:
    """Write an exercise as a sheet to print, ".svg", ".html" or ".txt", with its solution if asked.

    An SVG is one picture: with `solution` it is the circuit with all its numbers.

    >>> from corrente.exercises.blanks import exercise
    >>> print(sheet(exercise(1, 4), ".txt"))
    Exercise, level 1: two gates: add and multiply (seed 4)
    ...
    """
    makers = dict(zip(SUFFIXES, (_svg, _html, _text), strict=True))
    if suffix not in makers:
        raise BadValue(
            Says("no sheet is written as {0}.", "nenhuma folha se escreve como {0}.").fill(
                repr(suffix)
            ),
            Says("choose one of: {0}.", "escolha um destes: {0}.").fill(", ".join(SUFFIXES)),
            False,
        )
    return makers[suffix](task, lang, solution)


def plain_data(task: Exercise, lang: str = "en", *, solution: bool = False) -> dict[str, Any]:
    """Return an exercise as plain data; answers and workings only with `solution`."""
    data: dict[str, Any] = {
        "version": 1,
        "level": task.level,
        "seed": task.seed,
        "lang": lang,
        "inputs": {name: np.asarray(value).tolist() for name, value in task.plan.inputs.items()},
        "program": [str(line) for line in task.plan.lines],
        "output": task.run.name,
        "blanks": [],
    }
    for blank in task.blanks:
        entry = {
            "number": blank.number,
            "kind": blank.kind,
            "wire": task.run.circuit.operand(blank.wire),
            "asks": blank.asks.into(lang),
            "shape": list(np.shape(blank.answer)),
        }
        if solution:
            entry["answer"] = (np.asarray(blank.answer) + 0.0).tolist()
            entry["teaches"] = blank.teaches.into(lang)
            entry["working"] = blank.working.into(lang)
        data["blanks"].append(entry)
    return data


def heading(task: Exercise) -> Says:
    """Say which exercise it is, so that it can be made again."""
    return Says("{0} ({1})", "{0} ({1})").fill(
        HEADING.fill(task.level, LEVELS[task.level].trains), SEED.fill(task.seed)
    )


def instructions(task: Exercise) -> Iterator[Says]:
    """Say what is to be done."""
    yield TASK.fill(task.run.name)
    if any(blank.kind == "part" for blank in task.blanks):
        yield FORKS
    if task.rounded:
        yield ROUNDED
    if any(np.ndim(value) for value in task.plan.inputs.values()):
        yield ARRAYS


def program(task: Exercise) -> list[str]:
    """Write the inputs and the lines of the program."""
    given = [f"{name} = {write(value)}" for name, value in task.plan.inputs.items()]
    return [*given, *map(str, task.plan.lines)]


def picture(run: Run, lang: str, metric: Metric) -> Scene:
    """Lay a run out without what it says when pointed at: that would tell the answers."""
    scene = lay_out(run, lang=lang, metric=metric)
    return replace(
        scene,
        boxes=tuple(box._replace(tip="") for box in scene.boxes),
        arrows=tuple(arrow._replace(tip="") for arrow in scene.arrows),
        labels=tuple(label._replace(tip="") for label in scene.labels),
    )


def workings(blanks: Iterable[Blank], lang: str) -> Iterator[str]:
    """Tell how each blank is found; a gate's rule is told once for all that it sends back."""
    told = ""
    for blank in blanks:
        teaches = blank.teaches.into(lang)
        if teaches and teaches != told:
            yield f"     {teaches}"
        told = teaches
        answer = exact(blank.answer)
        working = blank.working.into(lang)
        # the fraction, where it says more than the decimals of the working
        more = f" = {answer.partition(' = ')[0]}" if "/" in answer else ""
        yield f"{f'({blank.number})':>4} {working}{more}"


# --- text ----------------------------------------------------------------------------------------


def _text(task: Exercise, lang: str, solution: bool) -> str:
    lines = [heading(task).into(lang), "", *(says.into(lang) for says in instructions(task)), ""]
    lines += [f"    {line}" for line in program(task)]
    lines += ["", text.draw(picture(task.posed(line=_ROOM), lang, CELLS)), ""]
    lines += [f"{f'({k})':>4} {asks}: {_ROOM}{_ROOM}" for k, asks in _asked(task, lang)]
    if solution:
        lines += ["", SOLUTION.into(lang), ""]
        lines += [text.draw(picture(task.solved(), lang, CELLS)), ""]
        lines += workings(task.blanks, lang)
    return "\n".join(lines) + "\n"


def _asked(task: Exercise, lang: str) -> Iterator[tuple[int, str]]:
    for blank in task.blanks:
        asks = blank.asks.into(lang)
        yield blank.number, asks[0].upper() + asks[1:]


# --- SVG -----------------------------------------------------------------------------------------


def _svg(task: Exercise, lang: str, solution: bool) -> str:
    run = task.solved() if solution else task.posed(line=_ROOM)
    scene = picture(run, lang, PIXELS)
    lines = [heading(task).into(lang), *(says.into(lang) for says in instructions(task))]
    lines = lines[:1] if solution else lines
    lines += ["; ".join(line.replace(" ", "\N{NO-BREAK SPACE}") for line in program(task))]
    return svg.draw(_noted(scene, lines))


def _noted(scene: Scene, lines: list[str]) -> Scene:
    """Put lines of text below a picture."""
    metric, y, notes = scene.metric, scene.height + 8.0, list(scene.notes)
    high, size = metric.high(1, "note"), metric.size("note")
    for line in (part for each in lines for part in _wrapped(each)):
        wide = metric.wide(line, "note")
        notes.append(Label("note", 0, y, wide, high, size, (line,), -1, False))
        y += high + 6
    width = max(scene.width, *(note.width for note in notes))
    return replace(scene, notes=tuple(notes), width=width, height=y)


def _wrapped(text_: str, most: int = 90) -> Iterator[str]:
    line = ""
    for word in text_.split(" "):
        if line and len(line) + 1 + len(word) > most:
            yield line
            line = word
        else:
            line = f"{line} {word}" if line else word
    yield line


# --- HTML ----------------------------------------------------------------------------------------

_STYLE = """\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1f2328;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.1rem}
pre,li span{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
figure{margin:1rem 0;overflow-x:auto}
.name{border-bottom:1px solid;display:inline-block;width:16rem}
ol{columns:2;column-gap:2rem;padding-left:2.2rem}
li{break-inside:avoid;margin-bottom:.6rem}
ol.work{columns:1}
.room{border-bottom:1px solid;display:inline-block;min-width:7rem}
.rule{color:#59636e}
@media print{body{margin:0;max-width:none}.solution{break-before:page}}
@media screen and (prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}
.rule{color:#9aa4af}}"""


def _html(task: Exercise, lang: str, solution: bool) -> str:
    title = escape(heading(task).into(lang))
    drawn = svg.draw(picture(task.posed(line=_ROOM), lang, PIXELS))
    lines = [
        "<!DOCTYPE html>",
        f'<html lang="{lang}"><head><meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width">',
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main>",
        f'<p>{NAME.into(lang)}: <span class="name"></span></p>',
        f"<h1>{title}</h1>",
        *(f"<p>{escape(says.into(lang))}</p>" for says in instructions(task)),
        f"<pre>{escape(chr(10).join(program(task)))}</pre>",
        f"<figure>{drawn}</figure>",
    ]
    values = [blank for blank in task.blanks if blank.kind == "value"]
    asked = dict(_asked(task, lang))
    for says, blanks in ((VALUES, values), (GRADIENTS, task.blanks[len(values) :])):
        lines.append(f'<h2>{says.into(lang)}</h2><ol start="{blanks[0].number}">')
        for blank in blanks:
            lines.append(f'<li>{escape(asked[blank.number])}: <span class="room"></span></li>')
        lines.append("</ol>")
    if solution:
        lines += _html_solution(task, lang)
    return "\n".join([*lines, "</main></body></html>\n"])


def _html_solution(task: Exercise, lang: str) -> Iterator[str]:
    yield f'<section class="solution"><h2>{SOLUTION.into(lang)}</h2>'
    yield f"<figure>{svg.draw(picture(task.solved(), lang, PIXELS))}</figure>"
    yield '<ol class="work">'
    rule = ""
    for line in workings(task.blanks, lang):
        if line.startswith("     "):
            rule = f'<p class="rule">{escape(line.strip())}</p>'
            continue
        told = line.strip().partition(") ")[2]
        yield f"<li>{rule}<span>{escape(told)}</span></li>"
        rule = ""
    yield "</ol></section>"
