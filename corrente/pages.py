"""The living page of a run: its picture, its code and the program that moves it, put together."""

from __future__ import annotations

import math
from collections.abc import Mapping

from corrente.circuit import Run
from corrente.errors import CorrenteError
from corrente.replay import replay
from corrente.scene import lay_out
from corrente.source import javascript
from corrente.source.joining import Joined, join
from corrente.source.lines import trace_lines
from corrente.views import page
from corrente.words import LANGUAGES, Says

CODE = 600
"""Of circuits of more gates than this the page holds no generated code."""

MOVES = 300
"""Circuits of more gates than this show what was recorded."""

NUMBERS = 40_000
"""And so do those with more numbers on their wires, forward and backward."""

TEXT = 2_000_000
"""And those whose program is longer than this, in characters."""

_NO_BACKWARD = Says(
    "There is no backward pass: the circuit does not end in one number.",
    "Não há passagem para trás: o circuito não termina em um só número.",
)
_LONG_CODE = Says(
    "The code of {0} gates is not in the page; t.code() writes it.",
    "O código de {0} portas não está na página; t.code() o escreve.",
)
_LONG = Says(
    "This circuit is too large to move in the page ({0} gates, {1} numbers).",
    "Este circuito é grande demais para se mover na página ({0} portas, {1} números).",
)
_NO_SCRIPT = Says(
    "It cannot move: {0}",
    "Ela não pode se mover: {0}",
)


def write_page(
    run: Run, backward: Run | None, kept: Mapping[int, int], lang: str = "en", fold: str = "auto"
) -> str:
    """Write a run as one HTML page; `fold` is how it opens, as in `scene.lay_out`.

    Small circuits move in the page: it holds a program, made of the circuit, that works out
    every value and every gradient anew. Of larger ones it shows what was recorded, and says so.
    """
    code, why_no_code = _code(run, backward, kept)
    living, why_not = _living(run, backward)
    extras = page.Extras(code, why_no_code, living, why_not)
    return page.draw(lay_out(run, lang=lang, fold=fold), run, kept, extras, fold)


def _code(
    run: Run, backward: Run | None, kept: Mapping[int, int]
) -> tuple[dict[str, list[tuple[object, ...]]], Says]:
    """Write both passes as Python in both languages, or say why not."""
    count = len(run.circuit.steps)
    if count > CODE:
        return {}, _LONG_CODE.fill(count)
    try:
        joined = join(run, backward, kept)
        lines = {lang: trace_lines(joined, run.values, lang) for lang in LANGUAGES}
    except CorrenteError as error:
        return {}, error.what
    return {lang: [tuple(line) for line in each] for lang, each in lines.items()}, Says("", "")


def _living(run: Run, backward: Run | None) -> tuple[page.Living | None, Says]:
    """Make the program that works the circuit out anew, or say why there is none."""
    circuit = run.circuit
    if backward is None or len(circuit.outs) != 1:
        return None, _NO_BACKWARD
    numbers = sum(math.prod(wire.shape) for wire in circuit.wires) * 2
    if len(circuit.steps) > MOVES or numbers > NUMBERS:
        return None, _LONG.fill(len(circuit.steps), numbers)
    try:
        found = replay(run)
        joined = Joined(run.name, found.circuit, found.circuit.outs, None, {}, {}, {}, ())
        text = javascript.write(joined, run.values)
    except CorrenteError as error:
        return None, _NO_SCRIPT.fill(error.what)
    if len(text) > TEXT:
        return None, _LONG.fill(len(circuit.steps), numbers)
    shown = [(each.kind, each.wire, each.step, each.position) for each in found.shown]
    return page.Living(text, shown), Says("", "")
