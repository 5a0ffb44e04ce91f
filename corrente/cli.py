"""The command line: parse, call the rooms, print."""

from __future__ import annotations

import contextlib
import difflib
import io
import itertools
import json
import os
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple, TextIO

import numpy as np

from corrente import expression, inputs, loading
from corrente.consultation import Visit, consult
from corrente.errors import (
    BadArgument,
    BadValue,
    CorrenteError,
    CorrenteWarning,
    ExpressionError,
    NotScalar,
)
from corrente.places import here
from corrente.program import Program, trace
from corrente.scene import lay_out
from corrente.usage import HELP
from corrente.views import text
from corrente.views.surroundings import RADIUS, surround
from corrente.words import LANGUAGES, Says, plain

COMMANDS = {
    "check": "homework.command:run",
    "exercise": "exercises:command",
    "predict": "learning:predict",
    "train": "learning:train",
}
"""Sub-commands that have rooms of their own, loaded when they are asked for."""
BAD_INPUT, INTERRUPTED, BROKEN_PIPE = 2, 130, 141

_NONE = Says(
    "none: whole numbers are data (1.0 is differentiated, 1 in an array is not)",
    "nenhum: números inteiros são dados (1.0 é derivado, 1 num array não é)",
)
_SEE_HELP = Says("corrente --help shows what there is.", "corrente --help mostra o que há.")


class Options(NamedTuple):
    """What was asked for on the command line; `words` are the words that are no options."""

    words: tuple[str, ...]
    wrt: str | None
    rate: str | None
    save: tuple[str, ...]
    lang: str
    focus: str | None
    radius: int
    explain: bool
    listing: bool
    json: bool
    ascii: bool
    open: bool
    help: bool
    version: bool


class Traced(NamedTuple):
    """A program with the names of the arguments that were differentiated, in order."""

    program: Program
    names: tuple[str, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; no input ends in a traceback."""
    words = list(sys.argv[1:] if argv is None else argv)
    lang = _language(words)
    caller = here()[0]
    try:
        _steady()
        status = _run(words)
        sys.stdout.flush()
    except CorrenteError as error:
        if isinstance(error.where, tuple) and error.where[0] is caller:
            error.where = None  # whoever called the command line is not the user's source
        return _complain(error, lang)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # what is still buffered would raise once more when the interpreter closes
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return BROKEN_PIPE
    except Exception as error:
        return _complain(_unexpected(error), lang)
    return status


def _complain(error: CorrenteError, lang: str) -> int:
    print(f"corrente: {error.render(lang)}", file=sys.stderr)
    return BAD_INPUT


def _unexpected(error: Exception) -> CorrenteError:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return CorrenteError(
        Says("something unexpected went wrong: {0}", "algo inesperado deu errado: {0}").fill(said),
        Says(
            "a smaller input; and please report it, with the command you typed.",
            "uma entrada menor; e, por favor, relate o caso, com o comando que você digitou.",
        ),
        False,
    )


def _steady() -> None:
    """Let a terminal that lacks a character show a question mark instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


# --- options ------------------------------------------------------------------------------------


def _language(words: Sequence[str]) -> str:
    """Find the language before anything else can go wrong."""
    for word, following in itertools.zip_longest(words, words[1:], fillvalue=""):
        asked = following if word == "--lang" else word.removeprefix("--lang=")
        if word.startswith("--lang") and asked in LANGUAGES:
            return asked
    return LANGUAGES[0]


def _click() -> ModuleType:
    import click  # noqa: PLC0415  # only the command line pays for it

    return click


def _options(words: Sequence[str]) -> Options:
    click = _click()
    flags = ["explain", "listing", "json", "ascii", "open", "help", "version"]
    command = click.Command(
        "corrente",
        params=[
            click.Argument(["words"], nargs=-1),
            click.Option(["--wrt"]),
            click.Option(["--rate"]),
            click.Option(["--save"], multiple=True),
            click.Option(["--lang"], default=LANGUAGES[0]),
            click.Option(["--focus"]),
            click.Option(["--radius"], type=int, default=RADIUS),
            *(click.Option([f"--{flag}"], is_flag=True) for flag in flags),
        ],
        add_help_option=False,
        # an expression may begin with a minus sign
        context_settings={"ignore_unknown_options": True},
    )
    _refuse_unknown(words, [*flags, "wrt", "rate", "save", "lang", "focus", "radius"])
    try:
        options = Options(**command.make_context("corrente", list(words)).params)
    except click.BadOptionUsage as error:
        flag = error.option_name.lstrip("-") in flags
        fault = (
            Says("{0} takes no value.", "{0} não leva valor.")
            if flag
            else Says("{0} needs a value.", "{0} precisa de um valor.")
        )
        raise BadArgument(fault.fill(error.option_name), _SEE_HELP, False) from None
    except click.BadParameter:
        raise BadValue(
            Says("--radius takes a whole number.", "--radius leva um número inteiro."),
            plain("--radius 2"),
            False,
        ) from None
    if options.lang not in LANGUAGES:
        raise BadValue(
            Says("there is no language {0} here.", "não há aqui a língua {0}.").fill(options.lang),
            plain("--lang en, --lang pt"),
            False,
        )
    return options


def _refuse_unknown(words: Sequence[str], known: Sequence[str]) -> None:
    """Tell a mistyped option from an expression such as --x*y or -x."""
    for word in words:
        if word == "--":
            return
        option = re.fullmatch(r"--([A-Za-z][A-Za-z-]+)(=.*)?", word, re.DOTALL)
        if option and option[1] not in known:
            near = difflib.get_close_matches(option[1], known, 1, 0.5)
            raise BadArgument(
                Says("there is no option --{0}.", "não há opção --{0}.").fill(option[1]),
                plain(f"--{near[0]}") if near else _SEE_HELP,
                False,
            )


# --- the commands -------------------------------------------------------------------------------


def _run(words: Sequence[str]) -> int:
    if words[:1] and words[0] in COMMANDS:
        room, name = COMMANDS[words[0]].split(":")
        return getattr(import_module(f"corrente.{room}"), name)(words[1:]) or 0
    options = _options(words)
    if options.words[:1] == ("diagnose",) and not (options.help or options.version):
        asked = options.words[1:], options.wrt, options.rate, options.save
        return consult(Visit(*asked, lang=options.lang, json=options.json))
    if options.help:
        print(HELP.into(options.lang))
    elif options.version:
        # the front door is above this room, but already open: a package loads before its parts
        print(f"corrente {vars(sys.modules['corrente'])['__version__']}")
    elif not options.words:
        raise BadArgument(
            Says("no expression was given.", "nenhuma expressão foi dada."),
            plain('corrente "(x + y) * z" x=-2 y=5 z=-4, corrente --help'),
            False,
        )
    elif options.words[0] == "view":
        with contextlib.ExitStack() as stack:
            if options.json:
                # what the user's file prints must not end up in the JSON
                stack.enter_context(contextlib.redirect_stdout(sys.stderr))
            traced = _trace_file(options)
        _report(traced, options)
    else:
        _report(_trace_expression(options), options)
    return 0


def _trace_expression(options: Options) -> Traced:
    text, *words = options.words
    if options.listing:
        raise BadArgument(
            Says("--listing needs a source file.", "--listing precisa de um arquivo-fonte."),
            plain("corrente view model.py:loss --listing"),
            False,
        )
    needed = expression.needs(text)
    given = inputs.take(words)
    _refuse_faults(given, [name for name in needed if name not in given.names], needed)
    function = expression.parse(text, given.values)
    wanted = _wanted(options.wrt, given.names)
    try:
        program = _traced(lambda: trace(function, argnames=wanted)(**given.values), options.lang)
    except NotScalar as error:
        raise ExpressionError(
            error.what,
            Says('sum it: corrente "sum({0})" …', 'some-a: corrente "sum({0})" …').fill(text),
        ) from None
    return Traced(program, given.names if wanted is None else wanted)


def _trace_file(options: Options) -> Traced:
    target, *words = options.words[1:] or ("",)
    given = inputs.take(words, whole=True)
    _refuse_faults(given, [], [])
    with loading.load(target) as function:
        args, kwargs = loading.fit(function, target.rpartition(":")[2], given.values)
        wanted = _wanted(options.wrt, given.names)
        traced = trace(function, argnames=wanted)
        program = _traced(lambda: traced(*args.values(), **kwargs), options.lang)
    return Traced(program, (*args, *kwargs) if wanted is None else wanted)


def _traced(run: Callable[[], Program], lang: str) -> Program:
    """Run a trace; of the warnings on the way only the house's own are passed on, shortly."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = run()
        program.grads  # noqa: B018  # a refusal comes before anything is printed
    for warning in caught:
        if isinstance(warning.message, CorrenteWarning):
            print(f"corrente: {warning.message.render(lang)}", file=sys.stderr)
    return program


def _refuse_faults(given: inputs.Given, missing: Sequence[str], needed: Sequence[str]) -> None:
    """Raise one error that names every fault of the arguments."""
    faults = list(given.faults)
    if missing:
        faults.append(
            Says("missing: {0}", "falta: {0}").fill(", ".join(missing)),
        )
    if not faults:
        return
    what = Says(*("; ".join(said) + "." for said in zip(*faults, strict=True)))
    if given.faults:
        mend = inputs.FORMS
    else:
        mend = Says("give a value to each of: {0}.", "dê um valor a cada um de: {0}.").fill(
            ", ".join(f"{name}=…" for name in needed)
        )
    raise BadArgument(what, mend, False)


def _wanted(wrt: str | None, names: Sequence[str]) -> tuple[str, ...] | None:
    """Read --wrt x,y; None for all."""
    if wrt is None:
        return None
    chosen = list(dict.fromkeys(name.strip() for name in wrt.split(",") if name.strip()))
    strange = [name for name in chosen if name not in names]
    if strange or not chosen:
        raise BadArgument(
            Says("--wrt: no argument is called {0}.", "--wrt: nenhum argumento se chama {0}.").fill(
                ", ".join(strange) or "“”"
            ),
            Says("the arguments are: {0}.", "os argumentos são: {0}.").fill(
                ", ".join(names) or "—"
            ),
            False,
        )
    return tuple(chosen)


# --- printing -----------------------------------------------------------------------------------


def _report(traced: Traced, options: Options) -> None:
    program, lang = traced.program, options.lang
    for path in options.save:
        program.save(path, lang)
    if options.json:
        print(json.dumps(program.json(), ensure_ascii=False, allow_nan=False))
        return
    if options.ascii:
        _show_plainly(program, options)
    else:
        _show(program, options)
    print()
    if options.listing:
        print(program.listing(lang), end="\n\n")
    if options.explain:
        print(program.explain(lang), end="\n\n")
    _list(traced, lang)
    if options.open:
        program.show(lang, browser=True)
    for path in options.save:
        print(Says("saved: {0}", "gravado: {0}").fill(path).into(lang))


def _show(program: Program, options: Options, file: TextIO | None = None) -> None:
    """Draw the circuit, or what lies around one of its wires."""
    if options.focus is None:
        program.show(lang=options.lang, file=file)
        return
    near = surround(program.run, options.focus, options.radius)
    text.show(lay_out(near, lang=options.lang, metric=text.METRIC), options.lang, file=file)


def _show_plainly(program: Program, options: Options) -> None:
    """Draw as for a file that holds only ASCII."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="replace")
    _show(program, options, file)
    file.seek(0)
    print(file.read(), end="")


def _list(traced: Traced, lang: str) -> None:
    """Print the value and each gradient under the other, aligned."""
    rows: list[tuple[str, Any]] = [(Says("value", "valor").into(lang), traced.program.value)]
    word = Says("gradient of {0}", "gradiente de {0}")
    grads = traced.program.grads
    grads = grads.values() if isinstance(grads, dict) else grads
    rows += [
        (word.fill(name).into(lang), grad) for name, grad in zip(traced.names, grads, strict=True)
    ]
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        figure = _NONE.into(lang) if value is None else _figure(value, " " * (width + 2))
        print(f"{label:<{width}}  {figure}")


def _figure(value: Any, indent: str) -> str:
    if isinstance(value, np.ndarray) and value.ndim:
        text = np.array2string(value, precision=6, threshold=60, suppress_small=True)
        return text.replace("\n", "\n" + indent)
    if isinstance(value, np.ndarray):
        value = value[()]
    return f"{value:.12g}" if isinstance(value, float | np.floating) else str(value)
