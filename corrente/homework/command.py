"""The sub-command: corrente check homework.py."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

from corrente import inputs
from corrente.errors import BadArgument, BadValue
from corrente.homework.files import check_file
from corrente.homework.sandbox import Limits
from corrente.homework.verdicts import summary
from corrente.options import misread
from corrente.words import LANGUAGES, Says, plain

HELP = Says(
    en="""\
usage: corrente check FILE.py[:PASS] [NAME=VALUE ...] [options]

Checks every hand-written backward pass in FILE.py and names the first wrong line and the
mistake. It finds f and f_backward, layer_forward and layer_backward (with cache and dout), classes
with forward and backward, and functions with d… variables below their forward lines. This RUNS
the code of FILE.py, in a process of its own with limits on time and memory.

Inputs: NAME=VALUE, or in the file inputs = {"f": (1.0, 2.0)}; else they are guessed.

options:
  --json          print the verdicts as JSON, and nothing else
  --lang LANG     en or pt
  --seconds S     time for each pass (20)
  --megabytes M   memory for each pass (2048)
  --no-mend       do not show the line that would be right

Exit status: 0 when every pass is right, 1 when one is not, 2 when the command is wrong.""",
    pt="""\
uso: corrente check ARQUIVO.py[:PASSO] [NOME=VALOR ...] [opções]

Verifica cada passo de volta escrito à mão em ARQUIVO.py e diz a primeira linha errada e qual é o
erro. Encontra f e f_backward, layer_forward e layer_backward (com cache e dout), classes com
forward e backward, e funções com variáveis d… abaixo das linhas de ida. Isto EXECUTA o código de
ARQUIVO.py, num processo próprio com limites de tempo e de memória.

Entradas: NOME=VALOR, ou no arquivo inputs = {"f": (1.0, 2.0)}; senão, são adivinhadas.

opções:
  --json          imprime os veredictos em JSON, e nada mais
  --lang LÍNGUA   en ou pt
  --seconds S     tempo para cada passo (20)
  --megabytes M   memória para cada passo (2048)
  --no-mend       não mostra a linha que estaria certa

Estado de saída: 0 quando todo passo está certo, 1 quando algum não está, 2 quando o comando está
errado.""",
)


class Options(NamedTuple):
    """What was asked for."""

    words: tuple[str, ...]
    json: bool
    lang: str
    seconds: float
    megabytes: int
    no_mend: bool
    help: bool


def run(words: Sequence[str]) -> int:
    """Check a file of homework as the command line asks; return the exit status, 0 or 1."""
    options = _options(words)
    if options.help:
        print(HELP.into(options.lang))
        return 0
    if not options.words:
        raise BadArgument(
            Says("no file was given.", "nenhum arquivo foi dado."),
            plain("corrente check homework.py"),
            False,
        )
    target, *rest = options.words
    path, only = _parted(target)
    given = inputs.take(rest, whole=True)
    if given.faults:
        faults = "; ".join(each.into(options.lang) for each in given.faults)
        raise BadArgument(plain(f"{faults}."), inputs.FORMS, False)
    limits = Limits(options.seconds, options.megabytes << 20)
    try:
        verdicts = check_file(path, given.values, only=only, limits=limits)
    except OSError as error:
        raise BadArgument(
            Says("cannot read {0}: {1}.", "não dá para ler {0}: {1}.").fill(path, error.strerror),
            plain("corrente check homework.py"),
            False,
        ) from None
    if options.json:
        print(json.dumps([verdict.json() for verdict in verdicts], ensure_ascii=False))
    else:
        for verdict in verdicts:
            print(verdict.render(options.lang, mend=not options.no_mend), end="\n\n")
        print(summary(verdicts).into(options.lang))
    sys.stdout.flush()
    return 0 if all(verdict.ok for verdict in verdicts) else 1


def _parted(target: str) -> tuple[str, str | None]:
    path, colon, only = target.rpartition(":")
    return (path, only) if colon and path.endswith(".py") else (target, None)


def _click() -> ModuleType:
    import click  # noqa: PLC0415  # only the command line pays for it

    return click


def _options(words: Sequence[str]) -> Options:
    click = _click()
    command = click.Command(
        "check",
        params=[
            click.Argument(["words"], nargs=-1),
            click.Option(["--lang"], default=LANGUAGES[0], type=click.Choice(LANGUAGES)),
            click.Option(["--seconds"], default=20.0, type=click.FloatRange(0.1)),
            click.Option(["--megabytes"], default=2048, type=click.IntRange(64)),
            *(click.Option([f"--{flag}"], is_flag=True) for flag in ("json", "no-mend", "help")),
        ],
        add_help_option=False,
    )
    try:
        return Options(**command.make_context("check", list(words)).params)
    except click.ClickException as error:
        raise BadValue(
            misread(click, error),
            Says("corrente check --help", "corrente check --help --lang pt"),
            False,
        ) from None
