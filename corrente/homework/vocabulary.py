"""What an expression could have been written with: the values in reach of a statement, by role."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.instrumenting import Site, key_of
from corrente.homework.names import is_gradient, local, primal


class Word(NamedTuple):
    """An expression in reach of a statement, and its value there."""

    node: ast.expr
    value: Any
    key: str


class Vocabulary(NamedTuple):
    """The words in reach of a statement, by what they can be used for."""

    upstream: tuple[Word, ...]
    values: tuple[Word, ...]
    masks: tuple[Word, ...]
    scalars: tuple[Word, ...]
    sizes: tuple[Word, ...]
    axes: int
    indices: tuple[Word, ...] = ()
    own: str | None = None
    """The forward value whose gradient the statement computes."""

    def find(self, key: str) -> Word | None:
        words = (*self.upstream, *self.values, *self.masks, *self.scalars)
        return next((word for word in words if word.key == key), None)


def vocabulary(
    site: Site,
    around: Mapping[str, Any],
    known: Collection[str],
    receiving: Collection[str],
    function: ast.AST | None = None,
) -> Vocabulary:
    """Sort what a statement could read: gradients, values, masks, scalars and sizes.

    Entries of arrays (`x[:, t]`) count as well where `function` reads them somewhere.
    """
    entries = _entries(site, around, function)
    taken = {word.key for word in entries}
    entries += [word for word in _looped(site, around, function) if word.key not in taken]
    words = [*_words(site, around), *entries]
    upstream, values, masks, scalars = [], [], [], []
    array: Any
    for word in words:
        array = word.value
        base = word.key.partition("[")[0] if isinstance(word.node, ast.Subscript) else word.key
        if any(k in receiving or is_gradient(k, known) for k in (word.key, base)) or (
            _looks_gradient(base)
        ):
            upstream.append(word)
        elif np.ndim(array) == 0 and not isinstance(array, bool | np.bool_):
            scalars.append(word)
            if np.asarray(array).dtype.kind == "f":
                values.append(word)
        else:
            if _is_mask(array):
                masks.append(word)
            if np.asarray(array).dtype.kind == "f":
                values.append(word)
    axes = max((np.ndim(word.value) for word in words), default=0)
    found = {word.key: word for word in values}
    numbers = tuple(word for word in scalars if np.asarray(word.value).dtype.kind == "f")
    return Vocabulary(
        tuple(upstream),
        tuple(found.values()),
        tuple(masks),
        numbers,
        tuple(_sizes(words)),
        axes,
        tuple(w for w in words if np.asarray(w.value).dtype.kind in "iu" and np.ndim(w.value)),
        _own(site, known),
    )


def _own(site: Site, known: Collection[str]) -> str | None:
    """Return the forward value whose gradient a statement computes."""
    if not site.writes:
        return None
    of, pair = primal(site.writes[0], known), local(site.writes[0], known)
    return of if of is not None or pair is None else pair[1]


def _entries(site: Site, around: Mapping[str, Any], function: ast.AST | None) -> list[Word]:
    """Find the entries of arrays that a function reads, where their index has a value here."""
    found: dict[str, Word] = {}
    for node in ast.walk(function) if function is not None else ():
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            continue
        if node.value.id in site.writes or not isinstance(node.ctx, ast.Load):
            continue
        text = ast.unparse(node)
        if text in found or len(found) >= MOST_ENTRIES or not _plain_index(node.slice):
            continue
        try:
            value = eval(compile(ast.Expression(node), "<entry>", "eval"), {}, dict(around))
        except Exception:
            continue
        if _is_number(value) and not isinstance(value, int):
            found[text] = Word(node, value, text)
    return list(found.values())


MOST_ENTRIES = 12


def _looped(site: Site, around: Mapping[str, Any], function: ast.AST | None) -> list[Word]:
    """Make the entries that the loops around a statement run over: x[t], x[:, t], x[n, c, i, j]."""
    if function is None:
        return []
    counters = [
        node.target.id
        for node in ast.walk(function)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        if any(inner is site.node for inner in ast.walk(node))
    ]
    made = []
    for name, value in around.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "bf" and name not in site.writes:
            for index in _indices(counters, value.ndim):
                text = f"{name}[{index}]"
                try:
                    entry = eval(text, {}, {**around})
                except Exception:
                    continue
                node = ast.parse(text, mode="eval").body
                made.append(Word(node, entry, text))
    return made


def _indices(counters: list[str], axes: int) -> list[str]:
    if not counters or not axes:
        return []
    if len(counters) == 1:
        return [counters[0], f":, {counters[0]}"] if axes > 1 else counters
    return [", ".join(counters[:axes])]


def _plain_index(index: ast.expr) -> bool:
    """Tell whether an index is made of names, numbers and slices alone."""
    kinds = (ast.Name, ast.Constant, ast.Slice, ast.Tuple, ast.BinOp, ast.operator, ast.UnaryOp)
    kinds += (ast.unaryop, ast.expr_context)
    return all(isinstance(part, kinds) for part in ast.walk(index))


def _looks_gradient(key: str) -> bool:
    name = key.rpartition(".")[2]
    return len(name) > 1 and name.startswith(("d", "grad", "delta")) and name not in ("data", "den")


def _words(site: Site, around: Mapping[str, Any]) -> list[Word]:
    found: dict[str, Word] = {}
    for name, value in around.items():
        if isinstance(value, list | tuple) and value and all(type(v) is float for v in value):
            found[name] = Word(ast.Name(name, ast.Load()), np.array(value), name)
        elif not name.startswith("__") and _is_number(value):
            found[name] = Word(ast.Name(name, ast.Load()), value, name)
        elif isinstance(value, dict):
            for key, part in value.items():
                if isinstance(key, str) and _is_number(part):
                    node = ast.Subscript(ast.Name(name, ast.Load()), ast.Constant(key), ast.Load())
                    found[f"{name}['{key}']"] = Word(node, part, f"{name}['{key}']")
        elif name == "self":
            for key, part in vars(value).items():
                node = ast.Attribute(ast.Name(name, ast.Load()), key, ast.Load())
                if _is_number(part):
                    found[f"self.{key}"] = Word(node, part, f"self.{key}")
    # the variable itself is no use in its own definition
    return [word for key, word in found.items() if key not in site.writes]


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "biuf" and value.size <= 100_000
    return isinstance(value, bool | int | float | np.number | np.bool_)


def _is_mask(array: Any) -> bool:
    if array.dtype.kind == "b":
        return True
    # a dropout mask may be scaled by the keep probability
    different = np.unique(array)
    return len(different) == 2 and different[0] == 0


def _sizes(words: list[Word]) -> list[Word]:
    """Find what a mean may divide by: whole numbers, lengths of arrays, numbers of elements."""
    found: dict[int, Word] = {}
    for word in words:
        whole = isinstance(word.value, int | np.integer) and not isinstance(word.value, bool)
        if whole and word.value > 1:
            found.setdefault(int(word.value), word)
    arrays = [word for word in words if np.ndim(word.value)]
    for word in arrays:
        for axis, length in enumerate(np.shape(word.value)):
            if length > 1:
                shape = ast.Attribute(word.node, "shape", ast.Load())
                node = ast.Subscript(shape, ast.Constant(axis), ast.Load())
                found.setdefault(length, Word(node, length, f"{word.key}.shape[{axis}]"))
    for word in arrays:
        size = int(np.size(word.value))
        if size > 1:
            node = ast.Attribute(word.node, "size", ast.Load())
            found.setdefault(size, Word(node, size, f"{word.key}.size"))
    return list(found.values())


def named(node: ast.AST) -> str | None:
    """Return the key of a name or attribute; None for any other expression."""
    return key_of(node) if isinstance(node, ast.Name | ast.Attribute) else None
