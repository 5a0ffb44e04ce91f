"""Purity: does a function do the same again, with the same arguments and surroundings?

A compiled circuit repeats what a function did once, so a function that draws random numbers or
changes a global is refused, with the line.
"""

from __future__ import annotations

import copy
import dis
import random
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import Impure
from corrente.places import Where, locate
from corrente.recording import Recording, function_name, run
from corrente.tracer import Traced
from corrente.trees import take_apart
from corrente.words import Says, plain


def record_pure(
    f: Callable[..., Any], args: Any, kwargs: Any, wanted: Sequence[int | str] = ()
) -> Recording:
    """Run a function twice on its numbers and return the first run; refuse it if they differ.

    `wanted` are the keys of the arguments that are differentiated. Raises Impure, naming the line.
    """
    code = _code(f)
    before = _surroundings(f)
    states = random.getstate(), np.random.get_state()
    try:
        first = _record(f, args, kwargs, wanted)
        drawn = not _same_states(states, (random.getstate(), np.random.get_state()))
        changed = sorted(
            name for name, seen in _surroundings(f).items() if before.get(name) != seen
        )
        second = _record(f, args, kwargs, wanted)
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
    place = _difference(first, second)
    if drawn:
        raise _impure(f, Says("draws random numbers", "sorteia números"), _drawing(code) or place)
    if changed:
        what = Says("changes {0}", "muda {0}").fill(", ".join(changed))
        raise _impure(f, what, _changing(code, set(changed)) or place)
    if place is not None:
        raise _impure(f, Says("does not do the same twice", "não faz o mesmo duas vezes"), place)
    return first


def _record(
    f: Callable[..., Any], args: Any, kwargs: Any, wanted: Sequence[int | str]
) -> Recording:
    tree = take_apart((args, kwargs))
    leaves = [_own(leaf) for leaf in tree.leaves]
    args, kwargs = tree.build(leaves)
    return run(f, args, kwargs, wanted, all_inputs=True)


def _own(leaf: Any) -> Any:
    """Return an argument that a trial run may use up: the number in a box, a copied generator."""
    while type(leaf) is Traced:
        leaf = leaf.now()
    return copy.deepcopy(leaf) if isinstance(leaf, np.random.Generator) else leaf


def _code(f: Any) -> CodeType | None:
    return getattr(unwrapped(f), "__code__", None)


def unwrapped(f: Any) -> Any:
    """Return the user's own function under `grad`, `jit` and other wrappers."""
    while True:
        inside = getattr(f, "__wrapped__", None)
        if inside is None:  # a compiled function is a method of what compiled it
            inside = getattr(getattr(f, "__self__", None), "__wrapped__", None)
        if inside is None:
            return f
        f = inside


def _codes(code: CodeType | None) -> Iterator[CodeType]:
    if code is not None:
        yield code
        for part in code.co_consts:
            if isinstance(part, CodeType):
                yield from _codes(part)


def _surroundings(f: Any) -> dict[str, Any]:
    """Photograph the globals and enclosing variables that a function names, one level deep."""
    f = unwrapped(f)
    found: dict[str, Any] = {}
    names = {name for code in _codes(_code(f)) for name in code.co_names}
    outer = getattr(f, "__globals__", {})
    for name in names & outer.keys():
        found[name] = _photograph(outer[name])
    cells = getattr(f, "__closure__", None) or ()
    for name, cell in zip(getattr(_code(f), "co_freevars", ()), cells, strict=False):
        found[name] = _photograph(cell.cell_contents)
    return found


def _photograph(value: Any) -> Any:
    if isinstance(value, list | dict | set):
        return id(value), len(value)
    if isinstance(value, np.ndarray) and value.size <= 4096:
        return id(value), value.tobytes()
    return id(value)


def _same_states(before: Any, after: Any) -> bool:
    python, (_, keys, *rest) = before
    python_after, (_, keys_after, *rest_after) = after
    return python == python_after and np.array_equal(keys, keys_after) and rest == rest_after


def _difference(first: Recording, second: Recording) -> Where | None:
    """Return the place of the first step that two runs did not do alike."""
    one, other = first.tape, second.tape
    # what steps make of equal numbers is equal: only what came from outside can differ
    made = set(one.inputs).union(*(step[2] for step in one.recorded))
    for a, b in zip(one.recorded, other.recorded, strict=False):
        # the interpreter may move an instruction between two runs, not the text it stands for
        placed = a[4] == b[4] or locate(a[4]) == locate(b[4])
        same = placed and a[:3] == b[:3] and a[3].keys() == b[3].keys()
        outside = (wire for wire in a[1] if wire not in made)
        if not same or not all(_alike(one.values[w], other.values[w]) for w in outside):
            return a[4]
    if len(one.recorded) != len(other.recorded):
        longer = max(one.recorded, other.recorded, key=len)
        return longer[min(len(one.recorded), len(other.recorded))][4]
    return None


def _alike(a: Any, b: Any) -> bool:
    if a is b or (type(a) is type(b) is float and a == b):
        return True
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")


def _drawing(code: CodeType | None) -> Where | None:
    for part in _codes(code):
        for step in dis.get_instructions(part):
            if step.opname.startswith("LOAD") and step.argval in ("random", "normal", "rand"):
                return part, step.offset
    return None


def _changing(code: CodeType | None, names: set[str]) -> Where | None:
    fallback = None
    for part in _codes(code):
        for step in dis.get_instructions(part):
            if step.argval in names and isinstance(step.argval, str):
                if step.opname in ("STORE_GLOBAL", "STORE_DEREF", "DELETE_GLOBAL"):
                    return part, step.offset
                fallback = fallback or (part, step.offset)
    return fallback


def _impure(f: Callable[..., Any], what: Says, place: Where | None) -> Impure:
    line = plain(f" (line {locate(place).line})" if place else "")
    return Impure(
        Says(
            "{0} {1}{2}: its compiled circuit would not.",
            "{0} {1}{2}: o circuito compilado não o faria.",
        ).fill(function_name(f), what, line),
        Says(
            "pass what changes as an argument (an np.random.Generator for random numbers).",
            "passe como argumento o que muda (um np.random.Generator para números aleatórios).",
        ),
        place or False,
    )


# --- what a function reads beside its arguments -------------------------------------------------

_DATA = (np.ndarray, np.generic, float, int, complex, str, type(None))
_FIXED = (ModuleType, type, FunctionType, np.ufunc)


class Seen(NamedTuple):
    """A variable around a function: where it is kept (a cell or a dict), its name and value."""

    place: Any
    name: str | None
    value: Any

    def now(self) -> Any:
        """Return the variable's value now."""
        if self.name is None:
            return self.place.cell_contents
        return self.place.get(self.name)


class Surroundings(NamedTuple):
    """Variables that a compiled program stands on; `whole` when nothing else could change."""

    seen: tuple[Seen, ...]
    whole: bool


def surroundings(f: Callable[..., Any]) -> Surroundings:
    """Find the numbers and arrays that a function, and the functions it names, read from around.

    Not whole when there are lists, dicts or objects among them: what those hold may be exchanged
    without their being exchanged.
    """
    seen: dict[tuple[int, str | None], Seen] = {}
    whole, queue, known = True, [unwrapped(f)], set()
    while queue:
        function = queue.pop()
        if id(function) in known:
            continue
        known.add(id(function))
        for variable in _variables(function):
            value = variable.value
            if isinstance(value, _DATA):
                seen[id(variable.place), variable.name] = variable
            elif isinstance(unwrapped(value), FunctionType):
                queue.append(unwrapped(value))
            elif not isinstance(value, _FIXED) and not callable(value):
                whole = False
                seen[id(variable.place), variable.name] = variable
    return Surroundings(tuple(seen.values()), whole)


def _variables(function: Any) -> Iterator[Seen]:
    code = getattr(function, "__code__", None)
    names = {name for part in _codes(code) for name in part.co_names}
    outer = getattr(function, "__globals__", {})
    for name in sorted(names & outer.keys()):
        yield Seen(outer, name, outer[name])
    for cell in getattr(function, "__closure__", None) or ():
        try:
            yield Seen(cell, None, cell.cell_contents)
        except ValueError:  # not filled yet: a function that names itself
            continue


class Photographer:
    """Sees whether what is around a function is as it was; long lists are kept, not listed."""

    def __init__(self) -> None:
        self._long: dict[int, list[Any]] = {}

    def photograph(self, around: Surroundings) -> tuple[Any, ...]:
        """Return what changes when a variable is exchanged, or what an object in it holds."""
        return tuple(self._held(seen.now()) for seen in around.seen)

    def _held(self, value: Any) -> Any:
        if isinstance(value, list) and len(value) > _LONG:
            return id(value), self._edition(value)
        if isinstance(value, list | tuple):
            return id(value), tuple(map(id, value))
        if isinstance(value, dict):
            return id(value), tuple(value), tuple(map(id, value.values()))
        inside = getattr(value, "__dict__", None)
        if inside is not None and not isinstance(value, _DATA):
            return id(value), tuple(map(id, inside.values()))
        return id(value)

    def _edition(self, value: list[Any]) -> int:
        """Return a number that grows when an element of a long list is exchanged."""
        entry = self._long.setdefault(id(value), [list(value), 0])
        try:
            alike = entry[0] == value  # the same elements are not looked into
        except ValueError:  # arrays, not the same
            alike = False
        if not alike:
            entry[:] = [list(value), entry[1] + 1]
        return entry[1]


_LONG = 256
