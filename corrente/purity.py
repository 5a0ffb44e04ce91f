"""Purity: does a function do the same again, with the same arguments and surroundings?

A compiled circuit repeats what a function did once, so a function that draws random numbers or
changes a global is refused, with the line.
"""

from __future__ import annotations

import dis
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    FunctionType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import Impure
from corrente.generators import set_aside, stand_in
from corrente.places import Where, locate
from corrente.recording import Recording, function_name, run
from corrente.tracer import Traced
from corrente.trees import Tree, take_apart
from corrente.words import Says, plain


def record_pure(
    f: Callable[..., Any], args: Any, kwargs: Any, wanted: Sequence[int | str] = ()
) -> Recording:
    """Run a function twice on its numbers and return the first run; refuse it if they differ.

    `wanted` are the keys of the arguments that are differentiated. Raises Impure, naming the line.
    """
    code = _code(f)
    before = _surroundings(f)
    states = _states()
    tree = take_apart((args, kwargs))
    # all runs draw the same, whoever draws from these generators meanwhile
    leaves = set_aside([_bare(leaf) for leaf in tree.leaves])
    watched = lambda: _watched(f, tree, leaves, wanted)
    try:
        first, drew = watched()
        changed = sorted(
            name for name, seen in _surroundings(f).items() if before.get(name) != seen
        )
        second, drew_again = watched()
        # another thread may draw meanwhile, but hardly at each of four times
        drawn = drew and drew_again and all(watched()[1] for _ in range(2))
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


def _watched(
    f: Callable[..., Any], tree: Tree, leaves: Sequence[Any], wanted: Sequence[int | str]
) -> tuple[Recording, bool]:
    """Record a function, and tell whether random numbers were drawn meanwhile."""
    before = _states()
    args, kwargs = tree.build(stand_in(leaves))
    recording = run(f, args, kwargs, wanted, all_inputs=True)
    return recording, not _same_states(before, _states())


def _states() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()


def _bare(leaf: Any) -> Any:
    """Return the number in a box, or what is none."""
    while type(leaf) is Traced:
        leaf = leaf.now()
    return leaf


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
        same = placed and a[0].name == b[0].name and a[1:3] == b[1:3] and a[3].keys() == b[3].keys()
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
            if step.opname.startswith("LOAD") and step.argval in (
                "random",
                "normal",
                "rand",
            ):
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
    line = Says(" (line {0})", " (linha {0})").fill(locate(place).line) if place else plain("")
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

_DATA = (np.ndarray, np.generic, float, int, complex, str, bytes, type(None))
_STEADY = (ModuleType, type, BuiltinFunctionType, np.ufunc, np.random.Generator)
_OTHERS = frozenset(("builtins", "corrente", "math", "numpy", "scipy"))
"""Packages in which nothing is exchanged while a program runs."""
_LONG, _DEEP = 256, 6


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
    """Find the numbers, arrays and functions that a function, and those it names, read from around.

    Not whole when there are lists, dicts or objects among them: what those hold may be exchanged
    without their being exchanged.
    """
    seen: dict[tuple[int, str | None], Seen] = {}
    whole, queue, known = True, list(_roots(f)), set()
    while queue:
        variable = queue.pop()
        value = unwrapped(variable.value)
        key = id(variable.place), variable.name
        if key in known or isinstance(value, ModuleType) or _is_of_others(value):
            continue
        known.add(key)
        if not isinstance(variable.place, dict | CellType):
            whole = False  # a class hides where it keeps its attributes
        if isinstance(value, FunctionType):
            queue.extend(_variables(value))
        elif not isinstance(value, _STEADY + _DATA):
            whole = False
            queue.extend(_methods(value))
        elif isinstance(value, type):
            continue
        seen[key] = variable
    return Surroundings(tuple(seen.values()), whole)


def _roots(f: Any) -> Iterator[Seen]:
    """Go through what a callable is made of: functions, what they are bound to, their arguments."""
    f = unwrapped(f)
    if isinstance(f, MethodType):
        yield Seen({"self": f.__self__}, "self", f.__self__)
        yield from _roots(f.__func__)
    elif isinstance(f, partial):
        yield Seen({"given": (f.args, f.keywords)}, "given", (f.args, f.keywords))
        yield from _roots(f.func)
    elif isinstance(f, FunctionType):
        yield from _variables(f)
    elif not isinstance(f, _STEADY):
        yield Seen({"self": f}, "self", f)
        yield from _roots(type(f).__call__)


def _is_of_others(value: Any) -> bool:
    """Tell whether it is a function or a class of a package that stays as it is."""
    home = getattr(value, "__module__", None) if callable(value) else None
    return isinstance(home, str) and home.partition(".")[0] in _OTHERS


def _variables(function: FunctionType) -> Iterator[Seen]:
    names = {name for part in _codes(function.__code__) for name in part.co_names}
    yield from _named(names, function.__globals__)
    for cell in function.__closure__ or ():
        try:
            value = cell.cell_contents
        except ValueError:  # not filled yet: a function that names itself
            continue
        yield Seen(cell, None, value)
        if isinstance(value, ModuleType | type):
            yield from _attributes(names, value)


def _named(names: set[str], outer: Any) -> Iterator[Seen]:
    """Go through the variables of a dict that are named, and through the attributes of modules."""
    for name in sorted(names & outer.keys()):
        value = outer[name]
        yield Seen(outer, name, value)
        if isinstance(value, ModuleType | type):
            yield from _attributes(names, value)


def _attributes(names: set[str], owner: Any) -> Iterator[Seen]:
    """Go through the attributes of a module or a class that are named."""
    home = owner.__name__ if isinstance(owner, ModuleType) else owner.__module__
    if home.partition(".")[0] not in _OTHERS:
        inside = vars(owner)
        names = names - {"__doc__", "__module__", "__name__"}
        yield from (Seen(inside, name, inside[name]) for name in sorted(names & inside.keys()))


def _methods(value: Any) -> Iterator[Seen]:
    """Go through the functions of an object's class."""
    for inside in map(vars, type(value).__mro__):
        for method in inside.values():
            if isinstance(method, FunctionType) and not _is_of_others(method):
                yield from _variables(method)


class _Same:
    """Equal to itself alone; it keeps its object alive, so that no other takes its place."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return type(other) is _Same and self.value is other.value

    def __hash__(self) -> int:
        return id(self.value)


class Photographer:
    """Sees whether what is around a function is as it was; long lists are kept, not listed."""

    def __init__(self) -> None:
        self._long: dict[int, list[Any]] = {}
        self._referred: dict[int, np.ndarray] = {}

    def refer(self, arrays: Iterable[np.ndarray]) -> None:
        """Note arrays that programs read where they lie: their numbers need not be compared."""
        for array in arrays:
            for known in (array, array.base):
                if isinstance(known, np.ndarray):
                    self._referred[id(known)] = known

    def reads(self, around: Surroundings) -> bool:
        """Tell whether there is an array among the variables that no program refers to."""
        values = (seen.now() for seen in around.seen)
        return any(isinstance(v, np.ndarray) and id(v) not in self._referred for v in values)

    def photograph(self, around: Surroundings) -> tuple[Any, ...]:
        """Return what changes when a variable is exchanged, or what an object in it holds."""
        return tuple(self._held(seen.now(), _DEEP) for seen in around.seen)

    def _held(self, value: Any, depth: int) -> Any:
        if isinstance(value, np.ndarray):
            known = id(value) in self._referred or value.size > _LONG * 16
            return _Same(value), None if known else _numbers(value)
        if isinstance(value, _DATA):
            return type(value), repr(value)
        if isinstance(value, list) and len(value) > _LONG:
            return _Same(value), self._edition(value)
        inside = _inside(value) if depth else None
        if inside is None:
            return _Same(value)
        return type(value), tuple(self._held(part, depth - 1) for part in inside)

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


def _numbers(value: np.ndarray) -> Any:
    return tuple(map(_Same, value.flat)) if value.dtype.hasobject else value.tobytes()


def _inside(value: Any) -> Iterable[Any] | None:
    """Return what a container or an object holds; None: it is not looked into."""
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, dict):
        return (*value, *value.values()) if len(value) <= _LONG else None
    if isinstance(value, (*_STEADY, FunctionType, set, frozenset)):
        return None
    found = [vars(value)] if hasattr(value, "__dict__") else []
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    found += [getattr(value, name) for name in slots if hasattr(value, name)]
    return found or None
