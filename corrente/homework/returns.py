"""What is amiss with what a backward pass handed back: nothing, too little, too much."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from corrente.homework.exercise import Exercise
from corrente.homework.instrumenting import Site
from corrente.homework.names import primal, stems
from corrente.homework.results import Result, entries, plain
from corrente.homework.splitting import parameters
from corrente.homework.truth import Truth
from corrente.words import Says


class Gap(NamedTuple):
    """What is amiss, and where; the line of the variable that should have been handed back."""

    says: Says
    line: int | None = None
    variable: str | None = None


_NOTHING = Says(
    "the backward pass returns nothing: end it with return and the gradients, one for each input.",
    "o passo de volta não devolve nada: termine-o com return e os gradientes, um para cada "
    "entrada.",
)
_NO_NUMBERS = Says(
    "what came back is no gradient: {0} is a {1}, not a number or an array.",
    "o que voltou não é gradiente: {0} é do tipo {1}, não um número nem um array.",
)
_FEW = Says(
    "{0} is computed and not handed back: return it, in the order of the inputs.",
    "{0} é calculado e não é devolvido: devolva-o, na ordem das entradas.",
)
_MANY = Says(
    "more gradients came back than there are inputs: {0} belongs to none of {1}.",
    "voltaram mais gradientes do que há entradas: {0} não pertence a nenhuma de {1}.",
)


def find_gap(
    exercise: Exercise,
    truth: Truth,
    sites: Sequence[Site],
    returned: Any,
    results: Sequence[Result],
) -> Gap | None:
    """Find what is amiss with what came back, beside the numbers; None if nothing is."""
    if exercise.joint or exercise.owner is not None:
        return None
    if returned is None:
        return Gap(_NOTHING)
    listed = list(entries(exercise, returned))
    if not results:
        odd = [(n, v) for n, v in listed if plain(v) is None and v is not None]
        return Gap(_NO_NUMBERS.fill(_called(*odd[0]), type(odd[0][1]).__name__)) if odd else None
    kept_back = next(_kept_back(exercise, truth, sites, results), None)
    if kept_back is not None:
        return kept_back
    extra = next(_extra(exercise, truth, listed, results), None)
    return Gap(_MANY.fill(extra, ", ".join(truth.inputs))) if extra is not None else None


def _called(name: str | None, value: Any) -> str:
    return name or repr(value)[:40]


def _kept_back(
    exercise: Exercise, truth: Truth, sites: Sequence[Site], results: Sequence[Result]
) -> Iterator[Gap]:
    """Find gradients of inputs that nothing reads once they are made.

    The first input is often the data, whose gradient nobody wants: it may be left.
    """
    node = exercise.backward_node
    read = {
        part.id
        for part in ast.walk(node)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    }
    first = parameters(exercise.forward_node)[:1]
    paired = {result.target.partition("[")[0] for result in results}
    for site in sites:
        if site.function == exercise.backward and isinstance(site.node, ast.Assign):
            for key in site.writes:
                of = primal(key, set(truth.inputs)) if key.isidentifier() else None
                if of is not None and key not in read and of not in (*paired, *first):
                    yield Gap(_FEW.fill(key), site.line, key)


def _extra(
    exercise: Exercise,
    truth: Truth,
    listed: Sequence[tuple[str | None, Any]],
    results: Sequence[Result],
) -> Iterator[str]:
    """Name the gradients that came back and belong to nothing in the forward pass."""
    holders = any(isinstance(v, dict | list | tuple) for v in exercise.inputs.values())
    numbers = [(name, value) for name, value in listed if plain(value) is not None]
    if holders or len(numbers) <= len(exercise.inputs) or len(results) < len(truth.inputs):
        return
    known = set(truth.names) | truth.plain
    taken = {result.name for result in results} | known
    for name, _ in numbers:
        if name is None or name in taken or primal(name, known) is not None:
            continue
        if any(stems(name)):
            yield name
