"""The command `corrente diagnose`: a loss in a file, or an expression, is examined and reported."""

from __future__ import annotations

import contextlib
import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente import expression, inputs, loading
from corrente.doctor import Diagnosis, diagnose
from corrente.errors import BadArgument, BadValue
from corrente.trees import take_apart
from corrente.words import Says, plain

ILL = 1
"""The exit status when something was found."""
_MODEL = plain("corrente diagnose model.py:loss W=@weights.npy X=@data.npz:X --wrt W")


class Visit(NamedTuple):
    """What was asked for: the target with its values, which are parameters, a rate, where to."""

    words: tuple[str, ...]
    wrt: str | None = None
    rate: str | None = None
    save: tuple[str, ...] = ()
    lang: str = "en"
    json: bool = False


def consult(visit: Visit) -> int:
    """Examine a loss and print what was found; return the exit status, 1 for an ill one.

    The first word is FILE.py:FUNCTION, whose code RUNS, or an expression, read against the white
    list; the others are NAME=VALUE. Without `wrt` all floats are parameters (all numbers, where
    none of those given is a float). Raises BadArgument
    and BadValue for what does not fit, and what the loss itself raises as a CorrenteError.
    """
    if not visit.words:
        raise BadArgument(Says("no loss was given.", "nenhuma perda foi dada."), _MODEL, False)
    rate = _number(visit.rate)
    target, *words = visit.words
    given = inputs.take(words, whole=_is_file(target))
    if given.faults:
        what = Says(*("; ".join(said) + "." for said in zip(*given.faults, strict=True)))
        raise BadArgument(what, inputs.FORMS, False)
    with contextlib.ExitStack() as stack:
        if visit.json:
            # what the user's file prints must not end up in the JSON
            stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        if _is_file(target):
            function = stack.enter_context(loading.load(target))
            loading.fit(function, target.rpartition(":")[2], given.values)
            function, values = _from_file(function, given.values)
        else:
            function, values = _from_expression(target, given.values)
        chosen = _chosen(values, given.names, visit.wrt)
        found = _examined(function, values, chosen, rate)
    return _report(found, visit)


def _is_file(target: str) -> bool:
    return ".py:" in target or target.endswith(".py")


def _number(text: str | None) -> float | None:
    try:
        rate = None if text is None else float(text)
    except ValueError:
        rate = 0.0
    if rate is not None and not rate > 0:
        raise BadValue(
            Says("--rate {0} is no positive number.", "--rate {0} não é um número positivo.").fill(
                text
            ),
            plain("--rate 0.1"),
            False,
        )
    return rate


Call = tuple[Callable[..., Any], dict[str, Any]]


def _from_file(function: Callable[..., Any], values: Mapping[str, Any]) -> Call:
    """Put the values in the order of the function's parameters, with its defaults between."""
    named = inspect.signature(function).parameters
    own = {
        name: values.get(name, parameter.default)
        for name, parameter in named.items()
        if name in values or parameter.default is not parameter.empty
    }
    return _by_place(function, own, [n for n, p in named.items() if p.kind is p.KEYWORD_ONLY])


def _from_expression(text: str, values: Mapping[str, Any]) -> Call:
    missing = [name for name in expression.needs(text) if name not in values]
    if missing:
        raise BadArgument(
            Says("missing: {0}.", "falta: {0}.").fill(", ".join(missing)), inputs.FORMS, False
        )
    return _by_place(expression.parse(text, values), dict(values), list(values))


def _by_place(function: Callable[..., Any], values: dict[str, Any], by_name: list[str]) -> Call:
    """Let a function be called by place, and keep the names of its arguments."""
    if not by_name:
        return function, values

    def call(*args: Any) -> Any:
        given = dict(zip(values, args, strict=True))
        named = {name: given.pop(name) for name in by_name}
        return function(*given.values(), **named)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    names = [inspect.Parameter(name, kind) for name in values]
    call.__signature__ = inspect.Signature(names)
    call.__name__ = getattr(function, "__name__", "loss")
    return call, values


def _examined(
    function: Callable[..., Any], values: dict[str, Any], chosen: list[str], rate: float | None
) -> Diagnosis:
    """Examine a loss by the chosen arguments, whose whole numbers become floats."""
    ready = {name: _floated(v) if name in chosen else v for name, v in values.items()}
    dull = [name for name in chosen if not _has_floats(ready[name])]
    if dull or not chosen:
        raise BadArgument(
            Says(
                "there are no numbers to differentiate by in: {0}.",
                "não há números para derivar em: {0}.",
            ).fill(", ".join(dull or values) or "()"),
            inputs.FORMS,
            False,
        )
    argnums = tuple(list(values).index(name) for name in chosen)
    return diagnose(function, *ready.values(), argnums=argnums, rate=rate)


def _chosen(values: Mapping[str, Any], typed: Sequence[str], wrt: str | None) -> list[str]:
    """Return the names of the parameters: those asked for, else all floats.

    Where none of the values given is a float, their whole numbers count as such.
    """
    if wrt is None:
        floats = [name for name in values if _has_floats(values[name])]
        if not any(name in typed for name in floats):
            floats += [name for name in typed if _has_floats(_floated(values[name]))]
        return [name for name in values if name in floats]
    chosen = list(dict.fromkeys(name.strip() for name in wrt.split(",")))
    strange = [name for name in chosen if name not in values]
    if strange:
        raise BadArgument(
            Says("--wrt: no argument is called {0}.", "--wrt: nenhum argumento se chama {0}.").fill(
                ", ".join(name or "“”" for name in strange)
            ),
            Says("the arguments are: {0}.", "os argumentos são: {0}.").fill(", ".join(values)),
            False,
        )
    return chosen


def _floated(value: Any) -> Any:
    """Turn the whole numbers in a value into floats."""
    tree = take_apart(value)
    return tree.build([_float(leaf) for leaf in tree.leaves])


def _float(leaf: Any) -> Any:
    if type(leaf) is int:
        return float(leaf)
    whole = isinstance(leaf, np.ndarray | np.generic) and leaf.dtype.kind in "iu"
    return leaf.astype(float) if whole else leaf


def _has_floats(value: Any) -> bool:
    kind = lambda leaf: getattr(getattr(leaf, "dtype", None), "kind", "")
    return any(isinstance(leaf, float) or kind(leaf) == "f" for leaf in take_apart(value).leaves)


def _report(found: Diagnosis, visit: Visit) -> int:
    for path in visit.save:
        found.save(path, visit.lang)
    if visit.json:
        print(json.dumps(found.json(), ensure_ascii=False, allow_nan=False))
    else:
        found.show(visit.lang)
        for path in visit.save:
            print(Says("saved: {0}", "gravado: {0}").fill(path).into(visit.lang))
    return 0 if found.ok else ILL
