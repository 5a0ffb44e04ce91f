"""A file of homework: parsed here, imported and checked in a process of its own."""

from __future__ import annotations

import ast
import inspect
import linecache
import os
import re
import sys
import warnings
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

from corrente.homework import telling
from corrente.homework.asking import LIMITS, concluded, report
from corrente.homework.exercise import Exercise, run_forward
from corrente.homework.finding import Pair, pairs, widows
from corrente.homework.guessing import guesses
from corrente.homework.sandbox import Limits, Send, confined
from corrente.homework.space import Space, find, of_module
from corrente.homework.splitting import parameters, part
from corrente.homework.verdicts import Verdict
from corrente.words import Says

INPUTS = ("inputs", "INPUTS", "check_inputs")


def check_file(
    path: str | os.PathLike[str],
    given: Mapping[str, Any] | None = None,
    *,
    only: str | None = None,
    limits: Limits = LIMITS,
) -> list[Verdict]:
    """Check every backward pass in a file (its code RUNS) and return a verdict for each.

    Inputs are `given` by parameter name, or by the file itself: `inputs = {"f": (1.0, 2.0)}`,
    where a value may also be a function without parameters that returns them; else they are
    guessed. `only` keeps to the pass of that name. A file that does not parse gives one verdict.
    """
    file = os.path.abspath(os.fspath(path))
    linecache.checkcache(file)
    try:
        with open(file, "rb") as source, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source.read(), file)
    except (SyntaxError, ValueError) as fault:
        made = fault if isinstance(fault, SyntaxError) else SyntaxError(str(fault))
        return [telling.unparsable(file, made)]
    found = [pair for pair in pairs(tree) if only in (None, pair.backward, pair.forward)]
    if not found:
        alone = widows(tree)
        why = _NO_FORWARD.fill(", ".join(alone)) if alone else _NOTHING
        return [telling.uncallable(os.path.basename(file), file, why)]
    return [_check(pair, file, tree, given or {}, limits) for pair in found]


_NOTHING = Says(
    "there is no backward pass here: name the functions f and f_backward, or "
    "layer_forward and layer_backward, or use d… variables below the forward lines.",
    "não há passo de volta aqui: chame as funções de f e f_backward, ou de "
    "layer_forward e layer_backward, ou use variáveis d… abaixo das linhas de ida.",
)
_NO_FORWARD = Says(
    "there is no forward pass for {0}: define it in the same file, and call the two "
    "layer_forward and layer_backward, or f and f_backward.",
    "não há passo de ida para {0}: defina-o no mesmo arquivo, e chame os dois de "
    "layer_forward e layer_backward, ou f e f_backward.",
)
_NO_INPUTS = Says(
    'no inputs: give NAME=VALUE for each of {0}, or write inputs = {{"{1}": (…)}} in the file.',
    'sem entradas: dê NOME=VALOR para cada um de {0}, ou escreva inputs = {{"{1}": (…)}} '
    "no arquivo.",
)


_FAILED = Says("With those that were guessed: {0}.", "Com as que foram supostas: {0}.")


def _check(
    pair: Pair, file: str, tree: ast.Module, given: Mapping[str, Any], limits: Limits
) -> Verdict:
    def work(send: Send) -> None:
        try:
            names = _imported(file, tree)
        except Exception as fault:
            send({"verdict": telling.failed_import(file, fault).json(), "final": True})
            return
        space = of_module(file, tree, names)
        try:
            exercise = _with_inputs(pair, space, names, given)
        except Exception as fault:
            send({"verdict": telling.broken(pair.backward, file, fault).json(), "final": True})
            return
        if isinstance(exercise, str):
            function = space.units.get(pair.forward.partition(".")[0])
            needed = parameters(function) if isinstance(function, ast.FunctionDef) else []
            why = _NO_INPUTS.fill(", ".join(needed), pair.forward)
            if exercise:
                why = Says("{0} {1}", "{0} {1}").fill(why, _FAILED.fill(exercise))
            found = telling.uncallable(pair.backward, file, why)
            send({"verdict": found.json(), "final": True})
            return
        report(exercise, send)

    return concluded(confined(work, limits), pair.backward, file, limits)


def _imported(file: str, tree: ast.Module) -> dict[str, Any]:
    """Run a file as a module; only ever called in the checking process."""
    stem = os.path.splitext(os.path.basename(file))[0]
    module = ModuleType(f"__homework_{stem}__")
    module.__file__ = file
    sys.modules[module.__name__] = module
    sys.path.insert(0, os.path.dirname(file))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(tree, file, "exec"), vars(module))
    return vars(module)


def _with_inputs(
    pair: Pair, space: Space, names: Mapping[str, Any], given: Mapping[str, Any]
) -> Exercise | str:
    """Find inputs for a pair of passes; without them, what the last that were tried came to."""
    holder = pair.forward.partition(".")[0]
    declared = _declared(names, pair)
    owner = None
    function: Any = names.get(holder)
    if "." in pair.forward:
        if declared is not None:
            owner, *rest = declared if isinstance(declared, tuple | list) else (declared,)
            if not isinstance(owner, function):  # methods of the class itself need no layer
                owner, rest = function(), [owner, *rest]
            declared = tuple(rest)
        else:
            owner = function()
        function = owner.forward
    if declared is not None:
        if isinstance(declared, Mapping):
            declared = inspect.signature(function).bind(**declared).arguments
        else:
            declared = inspect.signature(function).bind(*declared).arguments
        return Exercise(
            space, pair.forward, pair.backward, dict(declared) | _fitting(function, given), owner
        )
    needed = _needed(function)
    if all(name in given for name in needed):
        return Exercise(space, pair.forward, pair.backward, _fitting(function, given), owner)
    indices = _indices(find(pair.forward, space.units))
    arrays = _works_on_arrays(space, pair)
    failed: str | None = ""
    for guess in guesses(needed, indices, arrays):
        guess |= {name: given[name] for name in needed if name in given}
        exercise = Exercise(space, pair.forward, pair.backward, guess, owner)
        failed = _failure(exercise)
        if failed is None:
            return exercise
    return failed or ""


def _declared(names: Mapping[str, Any], pair: Pair) -> Any:
    for table in INPUTS:
        found = names.get(table)
        if isinstance(found, Mapping):
            for key in (pair.forward, pair.backward, pair.forward.partition(".")[0]):
                if key in found:
                    value = found[key]
                    return value() if callable(value) else value
    return None


def _needed(function: Any) -> list[str]:
    found = inspect.signature(function).parameters.values()
    return [p.name for p in found if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD]


def _fitting(function: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in given.items() if k in inspect.signature(function).parameters}


def _indices(function: ast.AST | None) -> set[str]:
    """Return the names that a function indexes with."""
    return {
        part.id
        for node in ast.walk(function or ast.Pass())
        if isinstance(node, ast.Subscript)
        for part in ast.walk(node.slice)
        if isinstance(part, ast.Name)
    }


_SIGNS = re.compile(r"\.(dot|shape|T|sum|mean|reshape|max|copy)\b|axis=|@|\bsum\(|_like|\blen\(")


def _works_on_arrays(space: Space, pair: Pair) -> bool:
    """Tell whether a pair of passes is written for arrays, as far as can be seen."""
    nodes = [find(path, space.units) for path in (pair.forward, pair.backward)]
    layered = pair.forward.endswith("_forward") or "." in pair.forward
    return layered or any(_SIGNS.search(ast.unparse(node)) for node in nodes if node is not None)


def _failure(exercise: Exercise) -> str | None:
    """Say why a forward pass gives no finite numbers for guessed inputs; None where it does."""
    node = exercise.backward_node
    if exercise.forward == exercise.backward and part(node) is None:
        return ""
    try:
        ran = run_forward(exercise, exercise.space.build(), None)
        out = np.asarray(ran.split.outs[0])
        return None if out.dtype.kind in "fiu" and bool(np.isfinite(out).all()) else ""
    except Exception as error:
        return f"{type(error).__name__}: {error}"
