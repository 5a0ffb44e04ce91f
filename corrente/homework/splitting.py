"""Parting a function that holds both passes: its forward pass alone, and what it returns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

from corrente.homework.instrumenting import flat, key_of, reads_of, remade
from corrente.homework.names import is_gradient, last_part, primal
from corrente.homework.space import Function


class Parted(NamedTuple):
    """The forward pass of a function of both, and the names of its outputs."""

    forward: Function
    outs: tuple[str, ...]
    gradients: frozenset[str]
    aids: frozenset[str] = frozenset()
    """Values that gradients alone are computed from."""


@lru_cache(maxsize=512)
def part(function: Function) -> Parted | None:
    """Take the gradient statements out of a function; None if there are none.

    A variable is of the backward pass if it is named as a gradient of another one, or is
    computed from such a variable.
    """
    statements = [node for node in ast.walk(function) if _writes(node)]
    assigned = {key for node in statements for key in _writes(node)}
    known = assigned | set(parameters(function))
    gradients = {key for key in assigned if is_gradient(key, known - {key})}
    if not gradients:
        return None
    gradients |= _holders(gradients) & assigned
    gradients |= _nameless(statements, assigned, gradients)
    growing = True
    while growing:
        more = {
            key
            for key in assigned - gradients
            if all(
                reads_of(_value(node)) & gradients for node in statements if key in _writes(node)
            )
        }
        growing = bool(more)
        gradients |= more
    returned = returned_names(function)
    outs = tuple(name for name in returned if name is not None and name not in gradients)
    if not outs or not (set(outs) & known):
        outs = _output(function, gradients, known)
    outs = tuple(name for name in outs if name in known)
    if not outs:
        return None
    body = _without(function.body, gradients, outs)
    last = ast.Return(ast.Tuple([ast.Name(name, ast.Load()) for name in outs], ast.Load()))
    ast.copy_location(last, function.body[-1])
    read = {
        key
        for node in statements
        if not set(_writes(node)) <= gradients
        for key in reads_of(_value(node))
    }
    aids = assigned - gradients - read - set(outs)
    forward = remade(function, body=[*body, last])
    return Parted(forward, outs, frozenset(gradients), frozenset(aids))


def _holders(gradients: set[str]) -> set[str]:
    """Return what gradients are kept in: grads for grads['W']."""
    return {last_part(key)[0] for key in gradients} - {"", "self"}


def _nameless(statements: list[ast.AST], assigned: set[str], gradients: set[str]) -> set[str]:
    """Find variables such as dden, of a value that has no name, that only gradients are made of."""
    lines = {id(node): getattr(node, "lineno", 0) for node in statements}
    first = min(lines[id(node)] for node in statements if gradients & set(_writes(node)))
    found = {
        key
        for key in assigned - gradients
        if re.fullmatch(r"(?:d|grad|delta)_?\w+|g|up|upstream", key)
        # a gradient spelled out, or a seed, may come before the first that is named after a value
        if key.startswith(("grad", "delta"))
        or any(_is_one(node) for node in statements if key in _writes(node))
        or all(lines[id(node)] > first for node in statements if key in _writes(node))
    }
    shrinking = True
    while shrinking:
        read = {
            key
            for node in statements
            if not set(_writes(node)) <= gradients | found
            for key in reads_of(_value(node))
        }
        shrinking = bool(found & read)
        found -= read
    return found


def _is_one(node: ast.AST) -> bool:
    """Tell whether a statement is the seed of a backward pass: `g = 1.0`."""
    value = _value(node)
    return isinstance(value, ast.Constant) and value.value == 1


def parameters(function: Function) -> list[str]:
    """Return the names of a function's parameters, without self."""
    args = function.args
    names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    return [name for name in names if name != "self"]


@lru_cache(maxsize=512)
def returned_names(function: Function) -> list[str | None]:
    """Return the names in a function's last return statement; None for an unnamed entry."""
    returns = [node for node in _own(function) if isinstance(node, ast.Return)]
    value = returns[-1].value if returns else None
    if value is None:
        return []
    if isinstance(value, ast.Tuple | ast.List):
        return [key_of(part) for part in value.elts]
    return [key_of(value)]


def _own(function: Function) -> Iterable[ast.AST]:
    """Walk a function without the functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, Function | ast.Lambda):
            waiting[:0] = list(ast.iter_child_nodes(node))


def _writes(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Assign):
        keys = [key_of(part) for target in node.targets for part in flat(target)]
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        keys = [key_of(node.target)]
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args:
        function = node.value.func
        base = key_of(function.value) if isinstance(function, ast.Attribute) else None
        is_module = base is None or base.partition(".")[0] in ("np", "numpy")
        keys = [key_of(node.value.args[0]) if is_module else base]
    else:
        keys = []
    return [key for key in keys if key is not None]


def _value(node: ast.AST) -> ast.AST | None:
    return getattr(node, "value", None)


def _output(function: Function, gradients: set[str], known: set[str]) -> tuple[str, ...]:
    """Find what is differentiated: the seed's owner (`df = 1.0`), or the last value computed."""
    last: str | None = None
    for node in function.body:
        for key in _writes(node):
            if key not in gradients:
                last = key
            elif not (reads_of(_value(node)) & gradients) and isinstance(node, ast.Assign):
                of = primal(key, known - gradients)
                value = node.value
                number = value.operand if isinstance(value, ast.UnaryOp) else value
                if of is not None and (isinstance(number, ast.Constant) or _random(value)):
                    return (of,)
    return (last,) if last is not None else ()


def _random(value: ast.AST) -> bool:
    return any("random" in key for key in reads_of(value))


def _without(body: list[ast.stmt], gradients: set[str], outs: tuple[str, ...]) -> list[ast.stmt]:
    kept: list[ast.stmt] = []
    for node in body:
        writes = _writes(node)
        if (writes and all(key in gradients for key in writes)) or isinstance(node, ast.Return):
            continue
        changed: dict[str, Any] = {}
        for name in ("body", "orelse"):
            inner = getattr(node, name, None)
            if isinstance(inner, list) and inner and not isinstance(node, Function):
                left = _without(inner, gradients, outs)
                changed[name] = left or ([ast.copy_location(ast.Pass(), node)])
        kept.append(remade(node, **changed) if changed else node)
    return kept
