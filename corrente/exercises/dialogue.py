"""The exercise in a terminal: each blank is asked for, and a wrong answer is explained."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from corrente.exercises import sheets
from corrente.exercises.answers import exact
from corrente.exercises.blanks import Blank, Exercise
from corrente.scene import CELLS, Scene
from corrente.views import text
from corrente.words import Says

_HELP = Says(
    "Type a number: 3, -1/4, 0.5 or 0,5. A question mark shows the rule; Ctrl-D ends.",
    "Digite um número: 3, -1/4, 0.5 ou 0,5. Um ponto de interrogação mostra a regra; Ctrl-D "
    "termina.",
)
NO_NUMBER = Says("That is no answer of this form: {0}.", "Isso não é resposta desta forma: {0}.")
NUMBER = Says("a number, such as -1/4 or 0.5", "um número, como -1/4 ou 0,5")
ROWS = Says("{0} numbers, such as {1}", "{0} números, como {1}")
RIGHT = Says("Right.", "Certo.")
WRONG = Says("Not yet.", "Ainda não.")
TOLD = Says("It is {0}.", "É {0}.")
BACK = Says(
    "Every value is there. Now back, from right to left.",
    "Todos os valores estão aí. Agora para trás, da direita para a esquerda.",
)
SCORE = Says("{0} of {1} right at the first try.", "{0} de {1} certas na primeira tentativa.")
_LEFT = Says("To go on later: {0}", "Para continuar depois: {0}")


class Score(NamedTuple):
    """How it went: blanks filled at the first try, blanks seen, and whether all were seen."""

    first: int
    seen: int
    done: bool


def ask(
    task: Exercise,
    lang: str = "en",
    *,
    hear: Callable[[str], str] = input,
    say: Callable[[str], object] = print,
    show: Callable[[Scene], object] = text.show,
) -> Score:
    """Ask for each blank in turn; end early at the end of input.

    `hear` is asked with a prompt and returns a line or raises EOFError; `say` prints, and `show`
    draws a scene. After a wrong answer the gate's rule is told, with the local and the upstream
    gradient; after a second one the result.
    """

    def draw(filled: int) -> None:
        say("")
        show(sheets.picture(task.posed(range(1, filled + 1)), lang, CELLS))
        say("")

    say(sheets.heading(task).into(lang) + "\n")
    for says in (*sheets.instructions(task), _HELP):
        say(says.into(lang))
    say("\n" + "\n".join(f"    {line}" for line in sheets.program(task)))
    draw(0)
    first = 0
    values = sum(blank.kind == "value" for blank in task.blanks)
    for blank in task.blanks:
        if blank.number == values + 1:
            draw(values)
            say(BACK.into(lang))
        try:
            first += _fill(task, blank, lang, hear, say)
        except EOFError:
            again = f"corrente exercise --level {task.level} --seed {task.seed}"
            again += "" if lang == "en" else f" --lang {lang}"
            say("\n" + _LEFT.fill(again).into(lang))
            return Score(first, blank.number - 1, False)
    draw(len(task.blanks))
    say(SCORE.fill(first, len(task.blanks)).into(lang))
    return Score(first, len(task.blanks), True)


def _fill(
    task: Exercise,
    blank: Blank,
    lang: str,
    hear: Callable[[str], str],
    say: Callable[[str], object],
) -> bool:
    """Ask until a blank is right or told; return whether it was right at once."""
    wrong = 0
    helped = False
    while True:
        typed = hear(f"({blank.number}) {blank.asks.into(lang)}? ").strip()
        if typed in ("", "?"):
            helped = helped or typed == "?"
            _explain(blank, blank.hint, lang, say) if typed else say(_HELP.into(lang))
            continue
        found = task.check(blank.number, typed)
        if found is None:
            say("  " + NO_NUMBER.fill(form(blank)).into(lang))
            continue
        if found:
            say("  " + RIGHT.into(lang))
            return not wrong and not helped
        wrong += 1
        if wrong > 1:
            _explain(blank, blank.working, lang, say)
            say("  " + TOLD.fill(exact(blank.answer)).into(lang))
            return False
        say("  " + WRONG.into(lang))
        _explain(blank, blank.hint, lang, say)


def _explain(blank: Blank, working: Says, lang: str, say: Callable[[str], object]) -> None:
    for says in (blank.teaches, working):
        if says.into(lang):
            say("  " + says.into(lang))


def form(blank: Blank) -> Says:
    """Say what an answer looks like."""
    shape = getattr(blank.answer, "shape", ())
    if shape == (2,):
        return ROWS.fill(2, "[1 -2]")
    return ROWS.fill(4, "[1 -2; 0 3]") if shape else NUMBER
