"""Compilation: today the identity, which already keeps its promises about impurity."""

from __future__ import annotations

import copy
import dis
import random
from collections.abc import Callable, Iterator
from functools import wraps
from types import CodeType
from typing import Any

import numpy as np

from corrente.errors import Impure
from corrente.places import Where, locate
from corrente.recording import Recording, function_name, run
from corrente.tracer import Traced
from corrente.trees import take_apart
from corrente.words import Says, plain


def jit(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return `f` ready to be compiled: checked, at the first call of a kind, for impurity.

    A function that draws from `np.random` or changes a global would not do the same when its
    compiled circuit runs, so it is refused with the line. Pass an `np.random.Generator` as an
    argument for randomness. Arrays that `f` closes over are seen anew at every call. For now
    the function then runs as plain Python.

    >>> import numpy as np, corrente as co
    >>> co.jit(lambda x: np.sin(x))(0.0)
    np.float64(0.0)
    """
    checked: set[Any] = set()

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        key = _specialisation(args, kwargs)
        if key not in checked:
            _check_pure(f, args, kwargs)
            checked.add(key)
        return f(*args, **kwargs)

    return wrapped


def _specialisation(args: Any, kwargs: Any) -> Any:
    """Return what a compiled program would depend on: structure, shapes, dtypes, fixed values."""
    tree = take_apart((args, tuple(sorted(kwargs.items()))))
    return str(tree.structure), tuple(_kind(leaf) for leaf in tree.leaves)


def _kind(leaf: Any) -> Any:
    if isinstance(leaf, np.ndarray | np.generic | Traced):
        return leaf.shape, str(leaf.dtype)
    if isinstance(leaf, float | complex):
        return type(leaf).__name__
    if isinstance(leaf, int | str | bool | None):
        return leaf
    return type(leaf).__qualname__, id(type(leaf))


def _check_pure(f: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """Run the function twice on its numbers and refuse it if anything differs."""
    code = _code(f)
    before = _surroundings(f)
    states = random.getstate(), np.random.get_state()
    try:
        first = _record(f, args, kwargs)
        drawn = not _same_states(states, (random.getstate(), np.random.get_state()))
        changed = sorted(
            name for name, seen in _surroundings(f).items() if before.get(name) != seen
        )
        second = _record(f, args, kwargs)
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


def _record(f: Callable[..., Any], args: Any, kwargs: Any) -> Recording:
    tree = take_apart((args, kwargs))
    leaves = [_own(leaf) for leaf in tree.leaves]
    args, kwargs = tree.build(leaves)
    return run(f, args, kwargs, (), all_inputs=True)


def _own(leaf: Any) -> Any:
    """Return an argument that a trial run may use up: the number in a box, a copied generator."""
    while type(leaf) is Traced:
        leaf = leaf.now()
    return copy.deepcopy(leaf) if isinstance(leaf, np.random.Generator) else leaf


def _code(f: Any) -> CodeType | None:
    while hasattr(f, "__wrapped__"):
        f = f.__wrapped__
    return getattr(f, "__code__", None)


def _codes(code: CodeType | None) -> Iterator[CodeType]:
    if code is not None:
        yield code
        for part in code.co_consts:
            if isinstance(part, CodeType):
                yield from _codes(part)


def _surroundings(f: Any) -> dict[str, Any]:
    """Photograph the globals and enclosing variables that a function names, one level deep."""
    while hasattr(f, "__wrapped__"):
        f = f.__wrapped__
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
    for k, (a, b) in enumerate(zip(one.recorded, other.recorded, strict=False)):
        # the interpreter may move an instruction between two runs, not the text it stands for
        same = a[:3] == b[:3] and a[3].keys() == b[3].keys() and locate(a[4]) == locate(b[4])
        if not same or not all(_alike(one.values[w], other.values[w]) for w in a[1]):
            return one.recorded[k][4]
    if len(one.recorded) != len(other.recorded):
        longer = max(one.recorded, other.recorded, key=len)
        return longer[min(len(one.recorded), len(other.recorded))][4]
    return None


def _alike(a: Any, b: Any) -> bool:
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
