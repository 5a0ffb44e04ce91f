"""Verdicts in words: what was found, where, and what to do about it."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corrente.errors import CorrenteError
from corrente.homework.exercise import Exercise, Ran
from corrente.homework.instrumenting import Note, Site
from corrente.homework.judging import Group
from corrente.homework.mistakes import MISTAKES
from corrente.homework.results import Result
from corrente.homework.verdicts import Verdict
from corrente.words import Says

MOST_NUMBERS = 40


class Hopeless(Exception):
    """Nothing can be compared; carries the verdict that says why."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict


class Unbound(Hopeless):
    """A parameter of the backward pass has no value; carries the forward pass that ran."""

    def __init__(self, verdict: Verdict, ran: Ran) -> None:
        super().__init__(verdict)
        self.ran = ran


def title(exercise: Exercise) -> str:
    """Return what an exercise is called: its backward pass."""
    return exercise.backward


def _about(exercise: Exercise, kind: str, says: Says, **more: Any) -> Verdict:
    return Verdict(
        ok=kind == "right",
        kind=kind,
        says=says,
        name=title(exercise),
        file=exercise.space.file,
        **more,
    )


def right(exercise: Exercise, results: Sequence[Result], *remarks: Says) -> Verdict:
    """Say that every gradient is right, with what else is to be said in brackets."""
    listed = ", ".join(result.name for result in results)
    says = Says("every gradient is right: {0}.", "todos os gradientes estão certos: {0}.")
    says = says.fill(listed)
    for remark in remarks:
        says = Says("{0} ({1})", "{0} ({1})").fill(says, remark)
    return _about(exercise, "right", says, gradients=_errors(results))


KINK = Says(
    "The point is at a kink, where it is a convention.",
    "O ponto está numa quina, onde é convenção.",
)
RANDOM = Says(
    "The forward pass draws at random: it was checked with one seed, the same every time.",
    "O passo de ida sorteia números: foi verificado com uma só semente, sempre a mesma.",
)
_ABSENT = Says("No gradient of {0} came back.", "Não voltou gradiente de {0}.")


def absent(names: Sequence[str]) -> Says:
    """Say of which inputs no gradient came back."""
    return _ABSENT.fill(", ".join(names))


def lent(name: str, stands_for: int | str) -> Says:
    """Say what a parameter without a value of its own was taken for."""
    if isinstance(stands_for, str):
        says = Says("{0} was taken for {1}.", "{0} foi tomado por {1}.")
        return says.fill(name, stands_for)
    says = Says(
        "{0} was taken for what the forward pass returns.",
        "{0} foi tomado pelo que o passo de ida devolve.",
    )
    return says.fill(name)


def gap(exercise: Exercise, says: Says, line: int | None, variable: str | None) -> Verdict:
    """Say that what came back is too little, too much or nothing."""
    code = exercise.space.source(line) if line else ""
    return _about(exercise, "wrong", says, line=line, variable=variable, code=code)


def _errors(results: Sequence[Result]) -> tuple[tuple[str, float], ...]:
    return tuple((result.name, error(result.found, result.true)) for result in results)


def error(found: Any, true: Any) -> float:
    """Return the relative error of a gradient; infinite where the shapes differ."""
    if found is None or np.shape(found) != np.shape(true):
        return float("inf")
    scale = np.maximum(np.max(np.abs(found), initial=0.0), np.max(np.abs(true), initial=0.0))
    far = float(np.max(np.abs(np.asarray(found) - true), initial=0.0))
    return far / float(scale) if scale else 0.0


def wrong_line(
    exercise: Exercise,
    site: Site,
    group: Group,
    *,
    results: Sequence[Result],
    mistake: str | None,
    found: Any,
    true: Any,
    mend: str | None,
    picture: Says | None,
    fault: BaseException | None,
) -> Verdict:
    """Say which line is wrong, and which mistake it is."""
    variable = _variable(site, group, results)
    if fault is not None:
        head = Says("line {0} raises {1}", "a linha {0} levanta {1}").fill(
            _line_of(fault, exercise) or site.line, said(fault)
        )
    else:
        head = Says("{0} is wrong, line {1}", "{0} está errado, linha {1}").fill(
            variable, site.line
        )
    if mistake is not None:
        says = Says("{0}: {1}.", "{0}: {1}.").fill(head, MISTAKES[mistake].name)
    else:
        says = Says("{0}.", "{0}.").fill(head)
    if found is not None and true is not None and np.shape(found) != np.shape(true):
        shapes = Says(
            "{0} Its shape is {1}, and should be {2}.", "{0} A forma é {1}, e deveria ser {2}."
        )
        says = shapes.fill(says, np.shape(found), np.shape(true))
    elif found is not None and not np.all(np.isfinite(found)):
        odd = Says("{0} It is not finite (nan, inf).", "{0} Não é finito (nan, inf).")
        says = odd.fill(says)
    return _about(
        exercise,
        "raised" if fault is not None else "wrong",
        says,
        line=site.line,
        variable=variable,
        mistake=mistake,
        code=exercise.space.source(site.line),
        found=None if found is None else figures(found),
        true=None if true is None else figures(true),
        mend=mend,
        picture=picture,
        gradients=_errors(results),
    )


def _variable(site: Site, group: Group, results: Sequence[Result]) -> str | None:
    if site.writes:
        return group.key if group.key in site.writes else site.writes[0]
    bad = [result.name for result in results if not result.right]
    return bad[0] if bad else None


def figures(value: Any) -> str:
    """Write a value out; of a large one its beginning and its shape."""
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{array[()]:.6g}"
    text = np.array2string(array, precision=4, threshold=MOST_NUMBERS, edgeitems=2)
    return text if array.size <= MOST_NUMBERS else f"{text}  {array.shape}"


def said(error: BaseException) -> Says | str:
    """Return what an exception says, in one line; our own say it in both languages."""
    if isinstance(error, CorrenteError):
        return error.what
    return " ".join("".join(traceback.format_exception_only(error)).split())[:300]


def _line_of(fault: BaseException, exercise: Exercise) -> int | None:
    line, trace = None, fault.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == exercise.space.file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def raised(exercise: Exercise, fault: BaseException, line: int | None) -> Verdict:
    """Say that the backward pass raised, where nothing more is known."""
    line = _line_of(fault, exercise) or line
    says = Says("the backward pass raises {0}.", "o passo de volta levanta {0}.")
    code = exercise.space.source(line) if line else ""
    return _about(exercise, "raised", says.fill(said(fault)), line=line, code=code)


def forward_raised(exercise: Exercise, fault: BaseException) -> Verdict:
    """Say that the forward pass raised on these inputs."""
    line = _line_of(fault, exercise)
    says = Says(
        "the forward pass raises {0} on these inputs.",
        "o passo de ida levanta {0} com estas entradas.",
    )
    code = exercise.space.source(line) if line else ""
    return _about(exercise, "raised", says.fill(said(fault)), line=line, code=code)


def somewhere(exercise: Exercise, results: Sequence[Result]) -> Verdict:
    """Say which gradients are wrong, where no line can be named."""
    bad = ", ".join(result.name for result in results if not result.right)
    says = Says("wrong: {0}.", "errado: {0}.").fill(bad)
    return _about(exercise, "wrong", says, gradients=_errors(results))


def unpaired(exercise: Exercise) -> Verdict:
    """Say that nothing that came back could be matched with an input."""
    says = Says(
        "nothing that came back could be matched with an input: "
        "name the gradients after the inputs (dx for x), or return one for each, in order.",
        "nada do que voltou pôde ser associado a uma entrada: "
        "dê aos gradientes o nome das entradas (dx para x), ou devolva um para cada, em ordem.",
    )
    return _about(exercise, "unpaired", says)


def unbound(exercise: Exercise, parameter: str) -> Verdict:
    """Say that a parameter of the backward pass has no value."""
    says = Says(
        "the backward pass takes {0}, which is neither an upstream gradient, nor the cache, "
        "nor a value of the forward pass.",
        "o passo de volta recebe {0}, que não é gradiente de cima, nem o cache, "
        "nem um valor do passo de ida.",
    )
    return _about(exercise, "unpaired", says.fill(parameter))


def strange_output(exercise: Exercise) -> Verdict:
    """Say that the forward pass did not return numbers."""
    says = Says(
        "the forward pass must return numbers or arrays, and then what the backward pass needs.",
        "o passo de ida deve devolver números ou arrays, e depois o que a volta precisa.",
    )
    return _about(exercise, "unpaired", says)


def untraced(exercise: Exercise, fault: BaseException) -> Verdict:
    """Say that the forward pass could not be followed."""
    says = Says(
        "the forward pass cannot be followed: {0}", "o passo de ida não pôde ser seguido: {0}"
    )
    return _about(exercise, "untraced", says.fill(said(fault)))


def note_of(site: Site) -> Note:
    """Make a note of a statement that was not finished."""
    return Note(site, -1, tuple(None for _ in site.writes))


def ended(name: str, file: str, how: str, seconds: float, status: int) -> Verdict:
    """Say that the process ended before there was a verdict."""
    says = {
        "time": Says(
            "still running after {0:g} s: an endless loop?",
            "ainda rodando depois de {0:g} s: um laço sem fim?",
        ).fill(seconds),
        "memory": Says("it used up its memory.", "usou toda a memória que lhe cabia."),
        "ended": Says(
            "the code ended the process (exit status {0}): no os._exit, no sys.exit.",
            "o código encerrou o processo (estado {0}): nada de os._exit nem sys.exit.",
        ).fill(status),
    }[how]
    return Verdict(ok=False, kind=how, says=says, name=name, file=file)


def unparsable(file: str, fault: SyntaxError) -> Verdict:
    """Say that a file is not Python."""
    says = Says("the file does not parse: {0}.", "o arquivo não é Python válido: {0}.")
    return Verdict(
        ok=False,
        kind="unparsable",
        says=says.fill(fault.msg),
        name=file,
        file=file,
        line=fault.lineno,
        code=(fault.text or "").strip(),
    )


def uncallable(name: str, file: str, why: Says) -> Verdict:
    """Say that there is nothing to call, or nothing to call it with."""
    return Verdict(ok=False, kind="uncallable", says=why, name=name, file=file)


def failed_import(file: str, fault: BaseException) -> Verdict:
    """Say that a file raised while it was imported."""
    line, trace = None, fault.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    says = Says("importing the file raises {0}.", "importar o arquivo levanta {0}.")
    return Verdict(
        ok=False, kind="raised", says=says.fill(said(fault)), name=file, file=file, line=line
    )


def undrawn(fault: BaseException) -> Says:
    """Say, in the place of a picture, why there is none."""
    return Says("(no picture: {0})", "(sem desenho: {0})").fill(said(fault))


def unsearched(verdict: Verdict, fault: BaseException) -> Verdict:
    """Add to a verdict that the search for the mistake failed."""
    says = Says("{0} (The search for the mistake failed: {1})", "{0} (A busca do erro falhou: {1})")
    return replace(verdict, says=says.fill(verdict.says, said(fault)))


def broken(name: str, file: str, fault: BaseException) -> Verdict:
    """Say that the check itself failed."""
    says = Says("the check itself failed: {0}", "a própria verificação falhou: {0}")
    return Verdict(
        ok=False,
        kind="untraced",
        says=says.fill(said(fault)),
        name=name,
        file=file,
    )
