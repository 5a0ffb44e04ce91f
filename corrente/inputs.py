"""Values typed on a command line: NAME=VALUE, where a value is a number, JSON or a file."""

from __future__ import annotations

import json
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadValue, ExpressionError
from corrente.expression import parse
from corrente.words import Says

MOST_CHARACTERS = 1_000_000
MOST_BRACKETS = 32

FORMS = Says(
    "a value is a number (x=-2, x=pi/2), a JSON array (W=[[1,2],[3,4]]) "
    "or a file (X=@data.npy, X=@data.npz:key).",
    "um valor é um número (x=-2, x=pi/2), um array JSON (W=[[1,2],[3,4]]) "
    "ou um arquivo (X=@dados.npy, X=@dados.npz:chave).",
)

_NO_ARRAY = Says(
    "it holds no plain array (pickled objects are never loaded)",
    "não contém um array comum (objetos em pickle nunca são carregados)",
)


class Given(NamedTuple):
    """What was typed: the values by name, the names in order, and what is wrong with the rest."""

    values: dict[str, Any]
    names: tuple[str, ...]
    faults: tuple[Says, ...]


def take(words: Sequence[str], *, whole: bool = False) -> Given:
    """Read words of the form NAME=VALUE; every fault is noted, none is raised.

    Numbers become floats, arrays arrays of floats; with `whole` (a Python function is waiting)
    whole numbers stay whole, and true, false and JSON objects are allowed.

    >>> take(["x=-2", "y=[1, 2]", "z"]).values
    {'x': -2.0, 'y': array([1., 2.])}
    """
    values: dict[str, Any] = {}
    names: list[str] = []
    faults: list[Says] = []
    for word in words:
        name, equals, text = word.partition("=")
        name = unicodedata.normalize("NFKC", name.strip())
        if not equals or not name.isidentifier():
            faults.append(Says("{0} is not NAME=VALUE", "{0} não é NOME=VALOR").fill(_shown(word)))
        elif name in names:
            faults.append(Says("{0} is given twice", "{0} foi dado duas vezes").fill(name))
        else:
            names.append(name)
            try:
                values[name] = value(text.strip(), whole=whole)
            except BadValue as fault:
                faults.append(Says("{0}: {1}", "{0}: {1}").fill(name, fault.what))
    return Given(values, tuple(names), tuple(faults))


def value(text: str, *, whole: bool = False) -> Any:
    """Read one value; raises BadValue."""
    if not text:
        raise _bad(Says("there is no value after =", "não há valor depois do ="))
    if text.startswith("@"):
        return _from_file(text[1:], whole)
    if text[0] in '[{"':
        return _from_json(text, whole)
    if whole and re.fullmatch(r"[+-]?\d{1,18}", text):
        return int(text)
    if whole and text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return parse(text, {})()
    except ExpressionError:
        raise _bad(
            Says("cannot read {0} as a number", "não dá para ler {0} como número").fill(
                _shown(text)
            )
        ) from None


def _bad(what: Says) -> BadValue:
    return BadValue(what, FORMS, False)


def _shown(text: str) -> str:
    """Quote a piece of what was typed, short and printable."""
    text = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in text)
    return f"“{text}”" if len(text) <= 40 else f"“{text[:39]}…”"


# --- JSON ---------------------------------------------------------------------------------------


def _from_json(text: str, whole: bool) -> Any:
    if len(text) > MOST_CHARACTERS:
        raise _bad(
            Says("more than {0} characters of JSON", "mais de {0} caracteres de JSON").fill(
                MOST_CHARACTERS
            )
        )
    if _depth(text) > MOST_BRACKETS:
        raise _bad(
            Says("lists are nested more than {0} deep", "mais de {0} listas, uma na outra").fill(
                MOST_BRACKETS
            )
        )
    try:
        loaded = json.loads(text, parse_int=_whole)
    except ValueError as error:
        at = getattr(error, "pos", 0) + 1
        raise _bad(
            Says("not JSON, at character {0}: {1}", "não é JSON, no caractere {0}: {1}").fill(
                at, _shown(text[at - 1 :] or text)
            )
        ) from None
    return _tree(loaded, whole)


def _whole(digits: str) -> int | float:
    """Read a whole number; one beyond 64 bits is a float."""
    return int(digits) if len(digits) <= 18 else float(digits)


def _depth(text: str) -> int:
    deepest = depth = 0
    for sign in re.findall(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        depth += (sign in "[{") - (sign in "]}")
        deepest = max(deepest, depth)
    return deepest


def _tree(loaded: Any, whole: bool) -> Any:
    """Turn what JSON gave into numbers and arrays."""
    if whole and isinstance(loaded, dict):
        return {key: _tree(part, whole) for key, part in loaded.items()}
    shape = _shape(loaded, whole)
    if shape == () and whole:
        return loaded
    array = np.array(loaded)
    if not whole or not array.size:
        array = array.astype(float)
    return array if shape else float(array)


def _shape(loaded: Any, whole: bool) -> tuple[int, ...]:
    """Return the shape of nested lists of numbers; refuse ragged ones and what is no number."""
    if isinstance(loaded, list):
        shapes = list(dict.fromkeys(_shape(part, whole) for part in loaded))
        if len(shapes) > 1:
            raise _bad(
                Says(
                    "the rows differ in shape: {0} and {1}",
                    "as linhas diferem na forma: {0} e {1}",
                ).fill(*map(_length, shapes[:2]))
            )
        return (len(loaded), *(shapes[0] if shapes else ()))
    if isinstance(loaded, bool) and whole:
        return ()
    if isinstance(loaded, bool) or not isinstance(loaded, int | float):
        raise _bad(
            Says("{0} is not a number", "{0} não é um número").fill(_shown(json.dumps(loaded)))
        )
    return ()


def _length(shape: tuple[int, ...]) -> Any:
    return shape if shape else Says("a single number", "um número só")


# --- files --------------------------------------------------------------------------------------


def _from_file(name: str, whole: bool) -> Any:
    path, key = name, None
    archive = re.fullmatch(r"(.+\.npz):(.+)", name, re.DOTALL)
    if archive:
        path, key = archive.groups()
    if not path.endswith((".npy", ".npz")):
        raise _bad(
            Says("{0} is not a .npy or .npz file", "{0} não é um arquivo .npy ou .npz").fill(
                _shown(path)
            )
        )
    try:
        # opened here, because np.load leaves a broken archive open
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return _numeric(loaded)
            return _from_archive(loaded, key, whole)
    except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        if isinstance(error, BadValue):
            raise
        detail = getattr(error, "strerror", None) or _NO_ARRAY
        raise _bad(
            Says("cannot read {0}: {1}", "não dá para ler {0}: {1}").fill(_shown(path), detail)
        ) from None


def _from_archive(archive: Any, key: str | None, whole: bool) -> Any:
    keys = archive.files
    if key is None and whole:
        return {name: _numeric(archive[name]) for name in keys}
    if key is None and len(keys) == 1:
        key = keys[0]
    if key not in keys:
        raise _bad(
            Says("choose one of its arrays: {0}", "escolha um dos arrays dele: {0}").fill(
                ", ".join(keys[:20])
            )
        )
    return _numeric(archive[key])


def _numeric(array: np.ndarray) -> Any:
    if array.dtype.kind not in "biufc":
        raise _bad(
            Says("an array of {0} holds no numbers", "um array de {0} não contém números").fill(
                array.dtype
            )
        )
    return array.astype(array.dtype.newbyteorder("="), copy=False)[()]
