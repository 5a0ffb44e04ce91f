"""A student's functions as syntax trees and the names around them, made anew as often as needed."""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType, FunctionType, ModuleType
from typing import Any

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Space:
    """The definitions that belong to an exercise, and the names they see.

    `units` are the function and class definitions that are run anew for every variant; `names`
    is all else they refer to.
    """

    file: str
    names: Mapping[str, Any]
    units: Mapping[str, ast.stmt]
    _codes: dict[str, CodeType] = field(default_factory=dict)

    def build(
        self,
        changed: Mapping[str, ast.stmt | CodeType] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Run every definition, some of them changed, in a namespace of its own."""
        changed = changed or {}
        made = {**self.names, **_anew(self.names, self._mentioned), **(extra or {})}
        for name, unit in self.units.items():
            if name in changed:
                given = changed[name]
                code = given if isinstance(given, CodeType) else self._compiled(given)
            elif name in self._codes:
                code = self._codes[name]
            else:
                code = self._codes[name] = self._compiled(unit)
            exec(code, made)
        return made

    def memory(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a run has left in the names around the definitions, for a later run.

        A forward pass may keep its cache in a list or dictionary of the module, or in a variable
        that it declares global.
        """
        kept = {name: value for name, value in made.items() if name in self._mentioned}
        return {name: value for name, value in kept.items() if _is_data(value)}

    @cached_property
    def _mentioned(self) -> frozenset[str]:
        """The names that the definitions speak of, without their own."""
        parts = [part for unit in self.units.values() for part in ast.walk(unit)]
        found = {part.id for part in parts if isinstance(part, ast.Name)}
        found |= {name for part in parts if isinstance(part, ast.Global) for name in part.names}
        return frozenset(found - set(self.units))

    def _compiled(self, unit: ast.stmt) -> CodeType:
        module = ast.Module([unit], [])
        return compile(ast.fix_missing_locations(module), self.file, "exec")

    def source(self, line: int) -> str:
        """Return one line of the student's file."""
        return linecache.getline(self.file, line).strip()


def _is_data(value: Any) -> bool:
    """Tell whether a name holds something that a run may change: no module, function or type."""
    plain = isinstance(value, ModuleType | type | str | int | float | complex | None)
    return not plain and not callable(value)


def _anew(names: Mapping[str, Any], wanted: Collection[str]) -> dict[str, Any]:
    """Copy what a run may change, so that every run begins alike; generators draw the same."""
    found = {name: names[name] for name in wanted if _is_data(names.get(name))}
    try:
        return copy.deepcopy(found)
    except Exception:
        return found  # what cannot be copied is shared by all runs


def find(path: str, units: Mapping[str, ast.stmt]) -> Function | None:
    """Return the definition of "f" or "Layer.forward"."""
    holder, _, name = path.rpartition(".")
    if not holder:
        unit = units.get(name)
        return unit if isinstance(unit, Function) else None
    owner = units.get(holder)
    for node in owner.body if isinstance(owner, ast.ClassDef) else ():
        if isinstance(node, Function) and node.name == name:
            return node
    return None


def of_module(file: str, tree: ast.Module, names: Mapping[str, Any]) -> Space:
    """Take all definitions at the top of a file."""
    units = {
        node.name: _bare(node)
        for node in tree.body
        if isinstance(node, Function | ast.ClassDef) and node.name in names
    }
    return Space(file, names, units)


def of_functions(*functions: Callable[..., Any]) -> Space | None:
    """Take functions and whatever of the same file they call; None where there is no source."""
    plain = [inspect.unwrap(getattr(f, "__func__", f)) for f in functions]
    file = getattr(getattr(plain[0], "__code__", None), "co_filename", None)
    if file is None:
        return None
    linecache.checkcache(file)
    try:
        tree = ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None
    names: dict[str, Any] = {}
    for f in plain:
        if isinstance(f, FunctionType):
            names |= {**f.__globals__, **inspect.getclosurevars(f).nonlocals}
    units: dict[str, ast.stmt] = {}
    both: list[tuple[Any, Any]] = list(zip(functions, plain, strict=True))
    for bound, f in both:
        owner = getattr(bound, "__self__", None)
        _take(type(owner) if owner is not None else f, tree, file, names, units)
    wanted = [type(f.__self__) if hasattr(f, "__self__") else p for f, p in both]
    if not all(getattr(f, "__name__", "") in units for f in wanted):
        return None
    return Space(file, names, dict(reversed(units.items())))


def _take(
    thing: Any, tree: ast.Module, file: str, names: dict[str, Any], units: dict[str, ast.stmt]
) -> None:
    node = _definition(thing, tree, file)
    if node is None or node.name in units:
        return
    units[node.name] = _bare(node)
    names[node.name] = thing
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in names and part.id not in units:
            other = names[part.id]
            if isinstance(other, FunctionType):
                names |= inspect.getclosurevars(other).nonlocals
            if isinstance(other, FunctionType | type):
                _take(other, tree, file, names, units)


def _definition(thing: Any, tree: ast.Module, file: str) -> Function | ast.ClassDef | None:
    """Find the statement that defined a function or class."""
    if isinstance(thing, FunctionType):
        if thing.__code__.co_filename != file:
            return None
        for node in ast.walk(tree):
            if isinstance(node, Function) and node.name == thing.__name__:
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                if first == thing.__code__.co_firstlineno:
                    return node
        return None
    methods = [f for f in vars(thing).values() if isinstance(f, FunctionType)]
    if not any(f.__code__.co_filename == file for f in methods):
        return None
    found = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == thing.__name__]
    return found[0] if len(found) == 1 else None


def _bare(node: Any) -> Any:
    """Leave out decorators: they have done their work when the file was imported."""
    if isinstance(node, Function) and node.decorator_list:
        fields: dict[str, Any] = dict(ast.iter_fields(node)) | {"decorator_list": []}
        return ast.copy_location(type(node)(**fields), node)
    return node
