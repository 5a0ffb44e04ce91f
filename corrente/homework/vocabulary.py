"""What an expression could have been written with: the values in reach of a statement, by role."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Collection, Iterator, Mapping
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.instrumenting import Site, flat, key_of, reads_of
from corrente.homework.names import is_gradient, local, primal


class Word(NamedTuple):
    """An expression in reach of a statement, and its value there."""

    node: ast.expr
    value: Any
    key: str

    @property
    def base(self) -> str:
        """The variable that holds it: `x` for `x[i]`."""
        return self.key.partition("[")[0] if isinstance(self.node, ast.Subscript) else self.key


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
    known: frozenset[str] = frozenset()
    """The names of the forward pass."""
    counters: tuple[str, ...] = ()
    """The variables of the loops around the statement."""
    shape: tuple[int, ...] | None = None
    """The shape of what the statement computes."""
    helpers: tuple[str, ...] = ()
    """The functions of the student that the passes may call: `sigmoid_prime`."""
    below: frozenset[str] = frozenset()
    """The names of what is computed from `own`: no operand that was multiplied with it."""

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
    counters = counters_of(site, function)
    words = [*_words(site, around, bool(counters)), *entries]
    upstream, values, masks, scalars = [], [], [], []
    array: Any
    for word in words:
        array = word.value
        if _is_upstream(word, known, receiving):
            upstream.append(word)
        elif np.ndim(array) == 0 and not isinstance(array, bool | np.bool_):
            scalars.append(word)
            if np.asarray(array).dtype.kind == "f":
                values.append(word)
        else:
            if _is_mask(np.asarray(array)):
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
        frozenset(known),
        tuple(counters),
        _shape(site, around),
    )


def _shape(site: Site, around: Mapping[str, Any]) -> tuple[int, ...] | None:
    """Return the shape of what a statement computes; None if that is no array."""
    made: Any = around.get(site.writes[0]) if site.writes else None
    return np.shape(made) if _is_number(made) else None


def _is_upstream(word: Word, known: Collection[str], receiving: Collection[str]) -> bool:
    """Tell whether a word is a gradient: it is named so, or made of one."""
    if np.asarray(word.value).dtype.kind != "f":
        return False
    base = word.base
    if any(key in receiving or is_gradient(key, known) for key in (word.key, base)):
        return True
    return _looks_gradient(base) and base not in known


def tainted(function: ast.AST, receiving: Collection[str]) -> frozenset[str]:
    """Return the variables of a backward pass that are made of upstream gradients."""
    found = set(receiving)
    statements = [n for n in ast.walk(function) if isinstance(n, ast.Assign | ast.AugAssign)]
    growing = bool(found)
    while growing:
        before = len(found)
        for node in statements:
            if reads_of(node.value) & found:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                keys = (key_of(part) for target in targets for part in flat(target))
                found |= {key for key in keys if key is not None}
        growing = len(found) > before
    return frozenset(found)


def _own(site: Site, known: Collection[str]) -> str | None:
    """Return the forward value whose gradient a statement computes."""
    if not site.writes:
        return None
    of, pair = primal(site.writes[0], known), local(site.writes[0], known)
    return of if of is not None or pair is None else pair[1]


def _entries(site: Site, around: Mapping[str, Any], function: ast.AST | None) -> list[Word]:
    """Find entries of arrays at the places where a function reads or writes any array like them."""
    places: dict[str, list[str]] = {}
    for node in ast.walk(function) if function is not None else ():
        if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
            continue
        if _plain_index(node.slice):
            index = ast.unparse(node)[len(node.value.id) + 1 : -1]
            places.setdefault(index, []).append(node.value.id)
    found: dict[str, Word] = {}
    for near in (True, False):
        for index, bases in places.items():
            for name in bases if near else around:
                alike = near or any(_is_alike(around[name], around.get(base)) for base in bases)
                word = _entry(f"{name}[{index}]", around) if alike else None
                if word is not None and name not in site.writes and len(found) < MOST_ENTRIES:
                    found.setdefault(word.key, word)
    return list(found.values())


def _is_alike(value: Any, other: Any) -> bool:
    """Tell whether two values can be read at the same places."""
    if isinstance(value, np.ndarray) and isinstance(other, np.ndarray):
        return value.shape == other.shape and value.dtype.kind in "bf"
    return type(value) is type(other) and isinstance(value, dict | list)


def _entry(text: str, around: Mapping[str, Any]) -> Word | None:
    """Read an entry; None if there is none of that name here."""
    try:
        value = eval(text, {}, dict(around))
    except Exception:
        return None
    if not _is_number(value) or isinstance(value, int):
        return None
    return Word(ast.parse(text, mode="eval").body, value, text)


MOST_ENTRIES = 24


def _looped(site: Site, around: Mapping[str, Any], function: ast.AST | None) -> list[Word]:
    """Make the entries that the loops around a statement run over: x[t], x[:, t], x[n, c, i, j]."""
    counters = counters_of(site, function)
    made = []
    for name, value in around.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "bf" and name not in site.writes:
            found = (_entry(f"{name}[{i}]", around) for i in _indices(counters, value.ndim))
            made += [word for word in found if word is not None]
        elif isinstance(value, list | dict) and name not in site.writes:
            places = (f"{c}{step}" for c in counters[:1] for step in ("", " + 1", " - 1"))
            found = (_entry(f"{name}[{place}]", around) for place in places)
            made += [word for word in found if word is not None]
    return made


def counters_of(site: Site, function: ast.AST | None) -> list[str]:
    """Return the variables of the loops around a statement."""
    return [
        node.target.id
        for node in (ast.walk(function) if function is not None else ())
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        if any(inner is site.node for inner in ast.walk(node))
    ]


def _indices(counters: list[str], axes: int) -> list[str]:
    if not counters or not axes:
        return []
    if len(counters) == 1:
        return [counters[0], f":, {counters[0]}"] if axes > 1 else counters
    if axes <= len(counters) <= MOST_COUNTERS:
        return [", ".join(order) for order in itertools.permutations(counters, axes)]
    return [", ".join(counters[:axes])]


MOST_COUNTERS = 3


def _plain_index(index: ast.expr) -> bool:
    """Tell whether an index is made of names, numbers and slices alone."""
    kinds = (ast.Name, ast.Constant, ast.Slice, ast.Tuple, ast.BinOp, ast.operator, ast.UnaryOp)
    kinds += (ast.unaryop, ast.expr_context)
    return all(isinstance(part, kinds) for part in ast.walk(index))


def _looks_gradient(key: str) -> bool:
    name = key.rpartition(".")[2]
    return len(name) > 1 and name.startswith(("d", "grad", "delta")) and name not in ("data", "den")


def _words(site: Site, around: Mapping[str, Any], looped: bool) -> list[Word]:
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
        else:
            for key, part in _fields(value).items():
                node = ast.Attribute(ast.Name(name, ast.Load()), key, ast.Load())
                if _is_number(part):
                    found[f"{name}.{key}"] = Word(node, part, f"{name}.{key}")
    for word in _one_hot(list(found.values())):
        found[word.key] = word
    # the variable itself is no use in its own definition, unless a loop comes by again
    return [word for key, word in found.items() if looped or key not in site.writes]


def _fields(value: Any) -> Mapping[str, Any]:
    """Return what an object of a student's own class holds: a layer, a named tuple, a namespace."""
    if isinstance(value, tuple):
        return dict(zip(getattr(value, "_fields", ()), value, strict=False))
    is_thing = not isinstance(value, type | ModuleType) and not callable(value)
    return vars(value) if is_thing and hasattr(value, "__dict__") else {}


def _one_hot(words: list[Word]) -> Iterator[Word]:
    """Make the rows of an identity that labels choose, as an array like the scores."""
    scores = [w for w in words if np.ndim(w.value) == 2 and np.asarray(w.value).dtype.kind == "f"]
    for word in words:
        labels = np.asarray(word.value)
        if labels.ndim == 1 and labels.dtype.kind in "iu" and labels.size:
            sizes = [s for s in scores if len(s.value) == len(labels)]
            columns = np.shape(sizes[0].value)[1] if sizes else 0
            if 0 <= labels.min() <= labels.max() < columns:
                text = f"np.eye({ast.unparse(sizes[0].node)}.shape[1])[{word.key}]"
                node = ast.parse(text, mode="eval").body
                yield Word(node, np.eye(columns)[labels], text)


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
    """Return the key of a name, an attribute or an entry by a word; None for any other."""
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Constant):
        return None
    if isinstance(node, ast.Subscript) and not isinstance(node.slice.value, str):  # type: ignore[union-attr]
        return None
    return key_of(node) if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) else None
