"""The sub-command `corrente exercise`."""

from __future__ import annotations

import json
import random
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from corrente.errors import BadArgument
from corrente.exercises.blanks import exercise
from corrente.exercises.dialogue import ask
from corrente.exercises.sheets import plain_data, sheet
from corrente.exercises.workbook import write_page
from corrente.options import misread
from corrente.program import write_whole
from corrente.words import LANGUAGES, Says

HELP = Says(
    en="""\
A circuit with blanks to fill: the values forward, then the gradients backward.

usage: corrente exercise [--level 1..5] [--seed N] [options]

In a terminal each blank is asked for; a wrong answer is explained. --open does the same in the
browser. Answers are numbers: 3, -1/4, 0.5 or 0,5; arrays are written row by row: [1 2; 3 4].

levels:
  1  two gates: add and multiply     4  a neuron, stage by stage
  2  max, and wires that fork        5  vectors and a matrix product
  3  powers and reciprocals

options:
  --level N      which level; 1 if not given
  --seed N       which exercise: the same number gives the same one; a new one if not given
  --sheet PATH   write a sheet to print: .svg, .html or .txt; may be repeated
  --html PATH    write a page to fill in: it checks the answers and explains them
  --open         open that page in the browser
  --solution     print the solution, or write it on the sheet too
  --json         print the exercise as JSON (with --solution: the answers too)
  --lang LANG    en or pt
  --help         print this""",
    pt="""\
Um circuito com lacunas para preencher: os valores para a frente, depois os gradientes para trás.

uso: corrente exercise [--level 1..5] [--seed N] [opções]

No terminal, cada lacuna é perguntada; uma resposta errada é explicada. --open faz o mesmo no
navegador. As respostas são números: 3, -1/4, 0.5 ou 0,5; matrizes se escrevem linha por linha:
[1 2; 3 4].

níveis:
  1  duas portas: soma e multiplicação     4  um neurônio, etapa por etapa
  2  máximo, e fios que se bifurcam        5  vetores e um produto de matrizes
  3  potências e recíprocos

opções:
  --level N        qual nível; 1 se não for dado
  --seed N         qual exercício: o mesmo número dá o mesmo; um novo se não for dado
  --sheet CAMINHO  grava uma folha para imprimir: .svg, .html ou .txt; pode ser repetida
  --html CAMINHO   grava uma página para preencher: ela confere as respostas e as explica
  --open           abre essa página no navegador
  --solution       mostra a solução, ou a grava também na folha
  --json           imprime o exercício em JSON (com --solution: também as respostas)
  --lang LÍNGUA    en ou pt
  --help           imprime isto""",
)

_SEE_HELP = Says("corrente exercise --help shows what there is.", "veja corrente exercise --help.")


_FLAGS = ("open", "solution", "json", "help")


class Options(NamedTuple):
    """What was asked for on the command line."""

    level: int
    seed: int | None
    lang: str
    sheet: tuple[str, ...]
    html: str | None
    open: bool
    solution: bool
    json: bool
    help: bool


def command(words: Sequence[str]) -> None:
    """Run `corrente exercise` with the words after it; raises CorrenteError for wrong ones."""
    options = _options(words)
    if options.help:
        print(HELP.into(options.lang))
        return
    seed = random.SystemRandom().randrange(10_000) if options.seed is None else options.seed
    task = exercise(options.level, seed)
    lang, solution = options.lang, options.solution
    written = list(options.sheet)
    for path in written:
        write_whole(Path(path), sheet(task, Path(path).suffix, lang, solution=solution))
    if options.html is not None or options.open:
        path = options.html or str(Path(tempfile.mkdtemp(prefix="corrente-")) / "exercise.html")
        write_whole(Path(path), write_page(task, lang))
        written.append(path)
    if options.json:
        print(json.dumps(plain_data(task, lang, solution=solution), ensure_ascii=False))
    elif written:
        for path in written:
            print(Says("saved: {0}", "gravado: {0}").fill(path).into(lang))
    elif solution:
        print(sheet(task, ".txt", lang, solution=True), end="")
    else:
        ask(task, lang)
    if options.open:
        webbrowser.open(Path(written[-1]).absolute().as_uri())


def _click() -> ModuleType:
    import click  # noqa: PLC0415  # only the command line pays for it

    return click


def _options(words: Sequence[str]) -> Options:
    click = _click()
    parser = click.Command(
        "exercise",
        params=[
            click.Option(["--level"], type=int, default=1),
            click.Option(["--seed"], type=int),
            click.Option(["--lang"], type=click.Choice(LANGUAGES), default=LANGUAGES[0]),
            click.Option(["--sheet"], multiple=True),
            click.Option(["--html"]),
            *(click.Option([f"--{flag}"], is_flag=True) for flag in _FLAGS),
        ],
        add_help_option=False,
    )
    try:
        return Options(**parser.make_context("exercise", list(words)).params)
    except click.UsageError as error:
        raise BadArgument(misread(click, error), _SEE_HELP, False) from None
