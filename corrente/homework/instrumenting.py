"""Rewriting a function so that it tells, after each statement, what it has just assigned."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.space import Function

NOTE, ENTER = "__corrente_note__", "__corrente_enter__"
MOST_NOTES = 20_000


class Site(NamedTuple):
    """One statement that assigns: where it is, what it writes, what it reads.

    `builds` says that it goes on with a variable it also reads (`dx += …`, `dx[i] = …`).
    """

    number: int
    unit: str
    function: str
    node: ast.stmt
    writes: tuple[str, ...]
    targets: tuple[ast.expr, ...]
    reads: frozenset[str]
    builds: bool

    @property
    def line(self) -> int:
        return self.node.lineno


class Note(NamedTuple):
    """What one execution of a statement assigned; `scope` numbers the call it belongs to."""

    site: Site
    scope: int
    values: tuple[Any, ...]


@dataclass(eq=False)
class Log:
    """Everything that an instrumented run told, in order."""

    sites: list[Site]
    keep: Callable[[Any], Any]
    notes: list[Note] = field(default_factory=list)
    entered: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    around: dict[int, dict[str, Any]] = field(default_factory=dict)
    """What the names were bound to when a site was last left."""
    aliases: dict[int, set[str]] = field(default_factory=dict)
    """Other names for the memory that a site has written into."""
    _scopes: dict[int, int] = field(default_factory=dict)
    _last: dict[int, int] = field(default_factory=dict)

    @property
    def order(self) -> dict[int, int]:
        """Map each site to the place of its first execution."""
        found: dict[int, int] = {}
        for place, note in enumerate(self.notes):
            found.setdefault(note.site.number, place)
        return found

    def enter(self, function: str) -> None:
        frame = sys._getframe(1)
        self._scopes[id(frame)] = len(self.entered)
        kept = {name: self.keep(value) for name, value in frame.f_locals.items()}
        self.entered.append((function, kept))

    def note(self, number: int, value: Any = None) -> Any:
        frame, site = sys._getframe(1), self.sites[number]
        values = tuple(self.keep(_read(target, frame)) for target in site.targets)
        note = Note(site, self._scopes.get(id(frame), -1), values)
        if len(self.notes) >= MOST_NOTES and number in self._last:
            self.notes[self._last[number]] = note
        else:
            self._last[number] = len(self.notes)
            self.notes.append(note)
        self.around[number] = dict(frame.f_locals)
        if site.builds:
            self._note_aliases(site, frame)
        return value

    def _note_aliases(self, site: Site, frame: FrameType) -> None:
        """Note which other names see what a statement has written in place."""
        for key, target in zip(site.writes, site.targets, strict=True):
            written = _read(target, frame)
            if isinstance(written, np.ndarray):
                for name, other in frame.f_locals.items():
                    is_other = name != key and isinstance(other, np.ndarray)
                    if is_other and np.may_share_memory(written, other):
                        self.aliases.setdefault(site.number, set()).add(name)

    def names(self) -> dict[str, Any]:
        """Return the two functions that instrumented code calls."""
        return {NOTE: self.note, ENTER: self.enter}


def _read(target: ast.expr, frame: FrameType) -> Any:
    """Read a variable, an attribute or an entry out of a running frame."""
    try:
        if isinstance(target, ast.Name):
            name = target.id
            return frame.f_locals[name] if name in frame.f_locals else frame.f_globals[name]
        if isinstance(target, ast.Attribute):
            return getattr(_read(target.value, frame), target.attr)
        if isinstance(target, ast.Subscript):
            base = _read(target.value, frame)
            return base[_key(target)] if isinstance(base, dict) else base
    except (KeyError, AttributeError, TypeError):
        pass
    return None


def _key(target: ast.Subscript) -> Any:
    return target.slice.value if isinstance(target.slice, ast.Constant) else None


def key_of(node: ast.expr) -> str | None:
    """Return how a variable is called here: `dx`, `self.dW`, `grads['W1']`; the base of `dx[i]`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        base = key_of(node.value)
        return None if base is None else f"{base}.{node.attr}"
    if isinstance(node, ast.Subscript):
        base, key = key_of(node.value), _key(node)
        return f"{base}['{key}']" if base is not None and isinstance(key, str) else base
    return key_of(node.value) if isinstance(node, ast.Starred) else None


def owner_of(node: ast.expr) -> ast.expr:
    """Return the expression of the variable itself: `dx` for `dx[i][j]`."""
    while isinstance(node, ast.Subscript) and not isinstance(_key(node), str):
        node = node.value
    return node.value if isinstance(node, ast.Starred) else node


def reads_of(node: ast.AST | None) -> frozenset[str]:
    """Return the keys of everything that is read in a piece of code."""
    found = set()
    for part in ast.walk(node) if node is not None else ():
        if isinstance(part, ast.Name | ast.Attribute | ast.Subscript):
            key = key_of(part)
            if key is not None:
                found.add(key)
    return frozenset(found)


def flat(target: ast.expr) -> Iterator[ast.expr]:
    """Give the single targets of an unpacking."""
    if isinstance(target, ast.Tuple | ast.List):
        for part in target.elts:
            yield from flat(part)
    else:
        yield target


def _site(number: int, unit: str, function: str, node: ast.stmt) -> Site | None:
    targets: list[ast.expr] = []
    reads: frozenset[str] = frozenset()
    if isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in flat(target)]
        reads = reads_of(node.value)
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets, reads = [node.target], reads_of(node.value)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        base = call.func.value if isinstance(call.func, ast.Attribute) else None
        targets = [each for each in (base, *call.args[:1]) if each is not None and key_of(each)]
        reads = reads_of(call)
    elif isinstance(node, ast.Return):
        reads = reads_of(node.value)
    else:
        return None
    keys = [key_of(target) for target in targets]
    inside = [t for t in targets if owner_of(t) is not t]
    for target in inside:
        reads |= reads_of(target)
    builds = isinstance(node, ast.AugAssign | ast.Expr) or bool(inside)
    builds = builds or any(key in reads for key in keys)
    kept = [(key, owner_of(t)) for key, t in zip(keys, targets, strict=True) if key is not None]
    writes = tuple(key for key, _ in kept)
    return Site(number, unit, function, node, writes, tuple(t for _, t in kept), reads, builds)


class Instrumenter:
    """Adds a note after every assignment of a unit; `only` keeps to some statements."""

    def __init__(self, sites: list[Site], unit: str, only: Callable[[ast.stmt], bool]) -> None:
        self.sites = sites
        self.unit = unit
        self.only = only

    def after(self, site: Site) -> list[ast.stmt]:
        """Return the note to be made after a statement; none after a return."""
        if isinstance(site.node, ast.Return):
            return []
        number = len(self.sites)
        self.sites.append(site._replace(number=number))
        return [ast.fix_missing_locations(_call(site.node, NOTE, ast.Constant(number)))]

    def definition(self, node: Any, prefix: str = "") -> Any:
        """Return a function or class definition with notes in it."""
        path = f"{prefix}{node.name}"
        if isinstance(node, ast.ClassDef):
            inner = [
                self.definition(part, f"{path}.") if isinstance(part, Function) else part
                for part in node.body
            ]
            return remade(node, body=inner)
        body = self.block(node.body, path)
        return remade(node, body=[_call(node, ENTER, ast.Constant(path)), *body])

    def block(self, body: list[ast.stmt], path: str) -> list[ast.stmt]:
        made: list[ast.stmt] = []
        for node in body:
            made += self.statement(node, path)
        return made

    def statement(self, node: ast.stmt, path: str) -> list[ast.stmt]:
        if isinstance(node, Function):
            return [self.definition(node, f"{path}.")]
        site = _site(len(self.sites), self.unit, path, node) if self.only(node) else None
        if site is not None:
            self.sites.append(site)
            number = ast.Constant(site.number)
            if isinstance(node, ast.Return):
                value = node.value or ast.copy_location(ast.Constant(None), node)
                return [remade(node, value=_expression(node, NOTE, number, value))]
            return [node, _call(node, NOTE, number)]
        changed: dict[str, Any] = {}
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, None)
            if isinstance(inner, list) and inner and isinstance(inner[0], ast.stmt):
                changed[name] = self.block(inner, path)
        for name in ("handlers", "cases"):
            parts = getattr(node, name, None)
            if parts:
                changed[name] = [remade(p, body=self.block(p.body, path)) for p in parts]
        return [remade(node, **changed) if changed else node]


def remade(node: Any, **changed: Any) -> Any:
    """Copy a node with some of its fields changed."""
    fields = dict(ast.iter_fields(node)) | changed
    return ast.copy_location(type(node)(**fields), node)


def _expression(at: ast.stmt, name: str, *args: ast.expr) -> ast.expr:
    call = ast.Call(ast.Name(name, ast.Load()), list(args), [])
    for part in (call, call.func, *args):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, at)
    return call


def _call(at: ast.stmt, name: str, *args: ast.expr) -> ast.stmt:
    return ast.copy_location(ast.Expr(_expression(at, name, *args)), at)


def instrument(
    units: dict[str, ast.stmt], only: Callable[[ast.stmt], bool] = lambda node: True
) -> tuple[dict[str, ast.stmt], list[Site]]:
    """Return the units with notes in them, and the sites the notes speak of."""
    sites: list[Site] = []
    made = {name: Instrumenter(sites, name, only).definition(unit) for name, unit in units.items()}
    return made, sites


def swap(tree: Any, old: ast.AST, new: Any) -> Any:
    """Return a syntax tree with one node replaced; a list replaces a statement by several."""
    if tree is old:
        return new
    if isinstance(tree, list):
        made: list[Any] = []
        for part in tree:
            fresh = swap(part, old, new)
            made.extend(fresh if isinstance(fresh, list) else [fresh])
        return (
            made
            if any(a is not b for a, b in zip(made, tree, strict=False)) or len(made) != len(tree)
            else tree
        )
    if not isinstance(tree, ast.AST):
        return tree
    changed = {}
    for name, value in ast.iter_fields(tree):
        if isinstance(value, ast.AST | list):
            fresh = swap(value, old, new)
            if fresh is not value:
                changed[name] = fresh
    return remade(tree, **changed) if changed else tree
