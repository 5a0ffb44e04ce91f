"""A function in a file of the user's: import the file, find the function, fit its arguments."""

from __future__ import annotations

import contextlib
import difflib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import ModuleType, TracebackType
from typing import Any

from corrente.errors import BadArgument, CorrenteError
from corrente.places import Where
from corrente.words import Says, plain

_MODEL = plain("corrente view model.py:loss x=1 y=2")


@contextlib.contextmanager
def load(target: str) -> Iterator[Callable[..., Any]]:
    """Import the file of "model.py:loss" (its code RUNS) and give the function of that name.

    Inside the `with`, modules beside the file can be imported, and whatever the user's code
    raises becomes a CorrenteError with the line. Raises BadArgument when there is no such thing.
    """
    path, _, name = target.rpartition(":")
    if not path or not name:
        raise BadArgument(
            Says("{0} is not FILE.py:FUNCTION.", "{0} não é ARQUIVO.py:FUNÇÃO.").fill(
                f"“{target}”"
            ),
            _MODEL,
            False,
        )
    if not os.path.isfile(path) or not path.endswith(".py"):
        raise BadArgument(
            Says("there is no Python file {0}.", "não há arquivo Python {0}.").fill(path),
            _MODEL,
            False,
        )
    path = os.path.abspath(path)
    sys.path.insert(0, os.path.dirname(path))
    try:
        with blaming(path):
            module = _imported(path)
            yield _found(module, path, name)
    finally:
        sys.path.remove(os.path.dirname(path))


def _imported(path: str) -> ModuleType:
    stem = os.path.splitext(os.path.basename(path))[0]
    # a user's file called json.py must not take the place of the library's
    name = f"__corrente_{stem}__" if stem in sys.modules or not stem.isidentifier() else stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name while it is being made
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        sys.modules.pop(name, None)
    return module


def _found(module: ModuleType, path: str, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if callable(function):
        return function
    known = [key for key, value in vars(module).items() if inspect.isfunction(value)]
    near = difflib.get_close_matches(name, known, 1, 0.6) or known[:10]
    raise BadArgument(
        Says("{0} has no function {1}.", "{0} não tem função {1}.").fill(
            os.path.basename(path), name
        ),
        Says("one of its functions: {0}.", "uma das funções dele: {0}.").fill(
            ", ".join(near) or "—"
        ),
        False,
    )


@contextlib.contextmanager
def blaming(path: str) -> Iterator[None]:
    """Turn what a user's file raises into a CorrenteError that names the line in that file."""
    try:
        yield
    except CorrenteError:
        raise
    except SyntaxError as error:
        at = f"{os.path.basename(error.filename or path)}, line {error.lineno}"
        raise _raised(error, plain(f"{at}: {(error.text or '').strip()}"), None) from error
    except (Exception, SystemExit) as error:
        mend = Says(
            "mend that line; python model.py shows whether the file runs by itself.",
            "conserte essa linha; python model.py mostra se o arquivo roda sozinho.",
        )
        raise _raised(error, mend, _last(error.__traceback__, path)) from error


def _raised(error: BaseException, mend: Says, where: Where | None) -> CorrenteError:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return CorrenteError(
        Says("the file raised {0}", "o arquivo lançou {0}").fill(said), mend, where or False
    )


def _last(traceback: TracebackType | None, path: str) -> Where | None:
    """Return the innermost place of a traceback that is in a file."""
    where = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if os.path.abspath(code.co_filename) == path:
            where = code, traceback.tb_lasti
        traceback = traceback.tb_next
    return where


def fit(
    function: Callable[..., Any], name: str, values: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split named values into those a function takes by place only, and those it takes by name.

    Raises BadArgument that names everything missing, and everything too much.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        raise BadArgument(
            Says("{0} does not tell its arguments.", "{0} não informa os seus argumentos.").fill(
                name
            ),
            Says("wrap it in a def of your own.", "envolva-a num def seu."),
            False,
        ) from None
    _match(name, list(parameters), values)
    by_place = [p.name for p in parameters if p.kind is p.POSITIONAL_ONLY and p.name in values]
    named = {key: value for key, value in values.items() if key not in by_place}
    return {name: values[name] for name in by_place}, named


def _match(name: str, parameters: list[inspect.Parameter], values: Mapping[str, Any]) -> None:
    starred = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    named = [parameter for parameter in parameters if parameter.kind not in starred]
    missing = [p.name for p in named if p.default is p.empty and p.name not in values]
    open_ended = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    extra = [] if open_ended else _without(values, [p.name for p in named])
    faults = []
    if missing:
        faults.append(Says("missing: {0}", "falta: {0}").fill(", ".join(missing)))
    if extra:
        faults.append(Says("unknown: {0}", "desconhecido: {0}").fill(", ".join(extra)))
    if faults:
        listed = ", ".join(map(str, parameters)) or "—"
        raise BadArgument(
            Says("{0}: {1}.", "{0}: {1}.").fill(name, _joined(faults)),
            Says("its arguments are: {0}.", "os argumentos dela são: {0}.").fill(listed),
            False,
        )


def _without(names: Iterable[str], known: list[str]) -> list[str]:
    return [name for name in names if name not in known]


def _joined(faults: list[Says]) -> Says:
    return Says(*("; ".join(said) for said in zip(*faults, strict=True)))
