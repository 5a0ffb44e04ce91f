"""Where in the user's source a step was written: file, line, exact expression and variable name.

A place is stored as `(code, instruction)`, which costs nothing to take; it is resolved only
when somebody looks.
"""

from __future__ import annotations

import ast
import contextlib
import linecache
import os
import re
import sys
from functools import lru_cache
from types import CodeType, FrameType
from typing import NamedTuple

import numpy as np

from corrente.words import Says

Where = tuple[CodeType, int]

HOUSE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__))
SCIPY = os.path.join(os.path.dirname(_NUMPY), "scipy", "")
# whose frames are never the user's line: they call back in the middle of their own Python
INSIDE = (HOUSE, _NUMPY + os.sep, SCIPY, contextlib.__file__, "<frozen importlib")


class Place(NamedTuple):
    """A piece of source: lines count from 1, columns from 0, as in `ast`."""

    file: str
    line: int
    end_line: int
    column: int
    end_column: int
    function: str
    text: str

    def __str__(self) -> str:
        return self.into("en")

    def into(self, lang: str) -> str:
        """Say the place in one language: the file, the line and what stands there."""
        name: str | Says = self.file
        if _CELL.search(self.file):
            name = _IN_CELL  # the file of a notebook's cell has the number of a process in its name
        elif not self.file.startswith("<"):
            name = os.path.relpath(self.file)
        line = linecache.getline(self.file, self.line).strip()
        return _AT.fill(name, self.line).into(lang) + (f": {line}" if line else "")


_AT = Says("{0}, line {1}", "{0}, linha {1}")
_CELL = re.compile(r"[/\\]ipykernel_\d+[/\\]\d+\.py$|^<ipython-input-")
_IN_CELL = Says("cell", "célula")


def outside(frame: FrameType) -> FrameType:
    """Walk up from a frame to the nearest one that is neither the house's code nor NumPy's."""
    while frame.f_code.co_filename.startswith(INSIDE) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def here() -> Where:
    """Take the place of the user's line that is running now."""
    frame = outside(sys._getframe(1))
    return frame.f_code, frame.f_lasti


def locate(where: Where) -> Place:
    """Resolve a stored place to file, lines, columns and the text of the expression."""
    return _locate(where[0].co_filename, where)


@lru_cache(maxsize=4096)
def _locate(file: str, where: Where) -> Place:
    # equal code objects may come from different files, so the file is part of the key
    code, instruction = where
    line, end_line, column, end_column = _positions(code)[instruction // 2]
    line = line or code.co_firstlineno
    end_line = end_line or line
    if column is None or end_column is None:
        column, end_column = 0, len(linecache.getline(code.co_filename, line).rstrip())
    text = _cut(code.co_filename, line, end_line, column, end_column)
    return Place(code.co_filename, line, end_line, column, end_column, code.co_name, text)


@lru_cache(maxsize=1024)
def _positions(code: CodeType) -> list[tuple[int | None, int | None, int | None, int | None]]:
    return list(code.co_positions())


def _cut(file: str, line: int, end_line: int, column: int, end_column: int) -> str:
    lines = [linecache.getline(file, k).encode() for k in range(line, end_line + 1)]
    if not lines or not any(lines):
        return ""
    lines[-1] = lines[-1][:end_column]
    lines[0] = lines[0][column:]
    return " ".join(part.decode(errors="replace").strip() for part in lines)


@lru_cache(maxsize=256)
def parsed(file: str) -> ast.Module | None:
    """Parse a source file; None where there is no source, or it is not Python."""
    try:
        return ast.parse("".join(linecache.getlines(file)))
    except (SyntaxError, ValueError):
        return None


Span = tuple[int, int, int, int]


def _span(node: ast.AST) -> Span:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset  # type: ignore[attr-defined]


@lru_cache(maxsize=256)
def _assigned(file: str) -> dict[Span, str]:
    """Map the span of every assigned expression in a file to the name it is given."""
    tree = parsed(file)
    found: dict[Span, str] = {}
    for node in ast.walk(tree) if tree is not None else ():
        pairs: list[tuple[ast.AST, ast.AST | None]] = []
        if isinstance(node, ast.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ast.AnnAssign | ast.NamedExpr):
            pairs = [(node.target, node.value)]
        elif isinstance(node, ast.AugAssign):
            # the instruction of an in-place operator spans the whole statement
            pairs = [(node.target, node)]
        while pairs:
            target, value = pairs.pop()
            if isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List):
                pairs.extend(_paired(target.elts, value.elts))
            elif isinstance(target, ast.Name) and value is not None:
                found.setdefault(_span(value), target.id)
    return found


def _paired(targets: list[ast.expr], values: list[ast.expr]) -> list[tuple[ast.AST, ast.AST]]:
    """Pair the targets of an unpacking with their values; a starred one takes what is left."""
    stars = [k for k, target in enumerate(targets) if isinstance(target, ast.Starred)]
    if any(isinstance(value, ast.Starred) for value in values):
        return []
    if not stars:
        return list(zip(targets, values, strict=False))
    before, after = stars[0], len(targets) - stars[0] - 1
    ends = list(zip(targets[:before], values, strict=False))
    if after:
        ends += zip(targets[-after:], values[-after:], strict=False)
    return list(ends)


def name_at(where: Where) -> str | None:
    """Return the variable that the expression at a place is assigned to, if it is."""
    place = locate(where)
    return _assigned(place.file).get((place.line, place.end_line, place.column, place.end_column))


@lru_cache(maxsize=256)
def _unpacked(file: str) -> list[tuple[int, str, tuple[str, ...]]]:
    tree = parsed(file)
    found = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            for target in node.targets:
                if isinstance(target, ast.Tuple | ast.List) and all(
                    isinstance(part, ast.Name) for part in target.elts
                ):
                    names = tuple(part.id for part in target.elts)  # type: ignore[attr-defined]
                    found.append((node.lineno, node.value.id, names))
    return found


def unpacked(code: CodeType, argument: str) -> tuple[str, ...]:
    """Return the names a function gives to the parts of one argument: `W, b = params`."""
    last = max((line for _, _, line in code.co_lines() if line), default=code.co_firstlineno)
    for line, name, names in _unpacked(code.co_filename):
        if name == argument and code.co_firstlineno <= line <= last:
            return names
    return ()
