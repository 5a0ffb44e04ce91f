"""An exercise as a page: its blanks are filled on the wires, checked and explained there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

import numpy as np

from corrente.exercises import sheets
from corrente.exercises.answers import APART, NEAR, exact, write
from corrente.exercises.blanks import Blank, Exercise
from corrente.exercises.dialogue import BACK, NO_NUMBER, RIGHT, SCORE, WRONG, form
from corrente.exercises.fields import Field, lift_out
from corrente.scene import PIXELS, Scene
from corrente.views.envelope import TONGUES, embedded, enclose, picture
from corrente.words import Says

_METRIC = replace(PIXELS, leading=1.7)  # as high as a field
_SHORT, _LONG = 6, 12  # how much room an answer has: a number, an array

WORDS = {
    "language": Says("Language", "Idioma"),
    "theme": Says("Light or dark", "Claro ou escuro"),
    "task": Says("The task", "A tarefa"),
    "circuit": Says("The circuit; fill its blanks", "O circuito; preencha as suas lacunas"),
    "help": Says("Help", "Ajuda"),
    "blanks": Says("The blanks", "As lacunas"),
    "values": sheets.VALUES,
    "gradients": sheets.GRADIENTS,
    "name": sheets.NAME,
    "keys": Says(
        "Type a number, 3, -1/4, 0.5 or 0,5, and press Enter. A question mark shows a hint.",
        "Digite um número, 3, -1/4, 0.5 ou 0,5, e aperte Enter. Um ponto de interrogação mostra "
        "uma dica.",
    ),
    "later": Says(
        "The gradients open when all the values are there.",
        "Os gradientes se abrem quando todos os valores estiverem aí.",
    ),
    "right": RIGHT,
    "wrong": WRONG,
    "noNumber": NO_NUMBER,
    "back": BACK,
    "score": SCORE,
    "progress": Says(
        "{0} of {1} filled, {2} at the first try.",
        "{0} de {1} preenchidas, {2} na primeira tentativa.",
    ),
    "told": Says("({0}) is {1}.", "({0}) é {1}."),
    "hint": Says("Hint", "Dica"),
    "reveal": Says("Show the next step", "Mostrar o próximo passo"),
    "again": Says("Start again", "Começar de novo"),
    "print": Says("Print", "Imprimir"),
    "open": Says("open", "em aberto"),
    "isRight": Says("right", "certa"),
    "isWrong": Says("not yet right", "ainda não certa"),
    "isTold": Says("shown", "mostrada"),
    "foot": Says(
        "Made by Corrente. This page is one file: it asks nothing of the network and sends "
        "nothing. Its answers are in it.",
        "Feito por Corrente. Esta página é um só arquivo: nada pede à rede e nada envia. As "
        "respostas estão nela.",
    ),
}
"""All that the page says, but for the exercise itself."""


def write_page(task: Exercise, lang: str = "en") -> str:
    """Write an exercise as a self-contained HTML page that checks its answers, "en" or "pt".

    Nothing is fetched from anywhere, and the same exercise gives the same page. Printed, it is a
    sheet with blanks; where no script runs it is one too.

    >>> from corrente.exercises.blanks import exercise
    >>> write_page(exercise(1, 4))[:15]
    '<!doctype html>'
    """
    drawn, fields = lift_out(_scene(task, lang), task.blanks)
    told = {
        "lang": lang,
        "title": sheets.heading(task),
        "instructions": list(sheets.instructions(task)),
        "rounded": task.rounded,
        "near": NEAR,
        "apart": APART,
        "words": WORDS,
        "blanks": [_blank(blank) for blank in task.blanks],
    }
    parts = {
        "lang": TONGUES[lang],
        "title": escape(told["title"].into(lang)),
        "program": escape("\n".join(sheets.program(task))),
        "picture": _with_fields(picture(drawn), fields, task, lang),
        "data": embedded(told),
    }
    style = _look() + _asset("workbook.css")
    return enclose(_asset("workbook.html"), parts, [_asset("workbook.js")], style)


def _scene(task: Exercise, lang: str) -> Scene:
    """Lay the circuit out with room for what is typed, and without a legend: the task is one."""
    long = any(np.ndim(blank.answer) for blank in task.blanks)
    posed = task.posed(line="_" * (_LONG if long else _SHORT))
    scene = sheets.picture(posed, lang, _METRIC)
    below = [box.y + box.height for box in scene.boxes]
    below += [label.y + label.height for label in scene.labels]
    right = [label.x + label.width for label in scene.labels]
    width = max(*right, *(box.x + box.width for box in scene.boxes))
    return replace(scene, legend=(), notes=(), width=width, height=max(below))


def _blank(blank: Blank) -> dict[str, Any]:
    """Tell the page of one blank; a sentence is a pair, English and Portuguese."""
    return {
        "number": blank.number,
        "kind": blank.kind,
        "count": int(np.size(blank.answer)),
        "array": bool(np.ndim(blank.answer)),
        "answer": (np.ravel(blank.answer) + 0.0).tolist(),
        "written": write(blank.answer),
        "exact": exact(blank.answer),
        "form": form(blank),
        **{name: getattr(blank, name) for name in ("asks", "teaches", "hint", "working")},
    }


def _with_fields(drawn: str, fields: list[Field], task: Exercise, lang: str) -> str:
    """Put the fields on a drawing, in the order in which they are filled."""
    drawn = drawn.replace(' role="img"', ' role="group" id="drawing"', 1)
    asks = {blank.number: blank.asks.into(lang) for blank in task.blanks}
    return drawn.replace("</svg>", "".join(_markup(fields, asks)) + "</svg>", 1)


def _markup(fields: list[Field], asks: dict[int, str]) -> Iterator[str]:
    for number, kind, x, y, width, height, base, size, own in fields:
        if not own:
            yield (
                f'<text x="{x:.1f}" y="{base:.1f}" font-size="{size:g}" data-again="{number}" '
                f'class="again corrente-{kind}">({number})</text>'
            )
            continue
        yield (
            f'<foreignObject x="{x - 2:.1f}" y="{y:.1f}" width="{width + 4:.1f}" '
            f'height="{height:.1f}"><input xmlns="http://www.w3.org/1999/xhtml" type="text" '
            f'class="blank {kind}" id="blank-{number}" data-number="{number}" '
            f'aria-label="({number}) {escape(asks[number])}" placeholder="({number})" '
            'autocomplete="off" autocapitalize="off" spellcheck="false"/></foreignObject>'
        )


@lru_cache(maxsize=4)
def _asset(name: str) -> str:
    folder = files("corrente.exercises") / "assets"
    return (folder / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _look() -> str:
    """Read the style that all pages share."""
    return (files("corrente.views") / "assets" / "look.css").read_text(encoding="utf-8")
