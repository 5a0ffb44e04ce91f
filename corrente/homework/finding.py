"""The backward passes in a file: which functions belong together, by their names."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from corrente.homework.exercise import CACHES, sounds_upstream
from corrente.homework.space import Function
from corrente.homework.splitting import parameters, part


class Pair(NamedTuple):
    """A forward and a backward pass, by their paths in the file; equal for one of both."""

    forward: str
    backward: str
    line: int


_FORWARD = ("{0}_forward{1}", "{0}{1}", "forward_{0}", "{0}_fwd", "{0}_naive{1}")
_BACKWARD = (
    (r"(.+)_backward(.*)", (*_FORWARD, "{0}_forward", "{0}")),
    (r"backward_(.+)", ("forward_{0}", "{0}", "{0}_forward")),
    (r"(.+)_bwd", ("{0}_fwd", "{0}", "{0}_forward")),
    (r"(.+)_(?:grad|gradient|gradients|grads|prime|back|backprop|vjp)", ("{0}", "{0}_forward")),
    (r"(?:grad|gradient|d|back|backprop|vjp)_(.+)", ("{0}", "{0}_forward")),
    (r"backward", ("forward", "f", "model", "net", "loss")),
    (r"df", ("f",)),
)


def pairs(tree: ast.Module) -> list[Pair]:
    """Find the forward and backward passes of a file, in the order of the backward ones."""
    functions = {n.name: n for n in tree.body if isinstance(n, Function)}
    found = list(_methods(tree))
    taken: set[str] = set()
    for name, node in functions.items():
        forward = _forward(name, functions)
        if forward is not None:
            found.append(Pair(forward, name, node.lineno))
            taken |= {name, forward}
    for name, node in functions.items():
        free = name not in taken and node.args.args and not _is_helper(name)
        if free and not _is_backward(node) and part(node) is not None:
            found.append(Pair(name, name, node.lineno))
    return sorted(found, key=lambda pair: pair.line)


def widows(tree: ast.Module) -> list[str]:
    """Name the functions that are called as backward passes are, and have no forward pass."""
    functions = {n.name: n for n in tree.body if isinstance(n, Function)}
    return [
        name
        for name in functions
        if any(re.fullmatch(pattern, name) for pattern in _PLAINLY)
        if _forward(name, functions) is None
    ]


_PLAINLY = [pattern for pattern, _ in _BACKWARD if "back" in pattern or "bwd" in pattern]


def _is_backward(node: Any) -> bool:
    """Tell whether a function is a backward pass alone: called so, and given a gradient."""
    given = any(name in CACHES or sounds_upstream(name) for name in parameters(node))
    return given and any(re.fullmatch(pattern, node.name) for pattern in _PLAINLY)


def _forward(name: str, functions: Mapping[str, Any]) -> str | None:
    for pattern, forms in _BACKWARD:
        match = re.fullmatch(pattern, name)
        for form in forms if match else ():
            assert match is not None
            forward = form.format(*match.groups())
            if forward in functions and forward != name:
                return forward
    return None


def _is_helper(name: str) -> bool:
    return name.startswith(("_", "test_", "check_", "eval_numerical"))


def _methods(tree: ast.Module) -> Iterator[Pair]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = {m.name: m for m in node.body if isinstance(m, Function)}
            if {"forward", "backward"} <= set(methods):
                paths = f"{node.name}.forward", f"{node.name}.backward"
                yield Pair(*paths, methods["backward"].lineno)
