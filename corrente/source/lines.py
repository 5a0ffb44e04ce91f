"""The generated Python line by line: which wire each line makes, and which kept values it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from corrente.source import python
from corrente.source.joining import Joined
from corrente.source.statements import Writer


class CodeLine(NamedTuple):
    """One line of code. `of` are the forward wires whose gates it belongs to, the named one first.

    `gradients` are the forward wires whose gradients the line makes; `needs` the forward wires
    whose kept values it reads; `backward` tells which pass it is in.
    """

    text: str
    of: tuple[int, ...]
    gradients: tuple[int, ...]
    needs: tuple[int, ...]
    backward: bool


def trace_lines(
    joined: Joined, values: Mapping[int, Any] | Sequence[Any], lang: str = "en"
) -> list[CodeLine]:
    """Write a function and its gradient as Python, and say what each line is about.

    Raises NotSupported where `python.write` does.
    """
    text = python.write(joined, values, lang)
    names = _names(joined)
    lines = text.splitlines()
    found = [CodeLine(line, (), (), (), False) for line in lines]
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name in ("forward", "backward"):
            _enter(found, node, names)
    return found


class _Names(NamedTuple):
    """Which wire a name stands for on the way there, and whose gradient on the way back."""

    values: dict[str, int]
    slopes: dict[str, int]
    together: dict[int, tuple[int, ...]]
    """The wires that one line works out, by the one that it names."""


def _names(joined: Joined) -> _Names:
    """Write the same lines once more for the names that they give."""
    writer = Writer(joined)
    writer.name_inputs()
    writer.find_buffers()
    writer.lines(0, writer.turn)
    writer.share_lines()
    writer.find_sums()
    writer.lines(writer.turn, len(writer.steps))
    back = {out for step in writer.steps[writer.turn :] for out in step.outs}
    back.add(-1 if joined.upstream is None else joined.upstream)
    values = {name: wire for wire, name in writer.names.items() if wire not in back}
    slopes = {
        name: joined.slopes[wire] for wire, name in writer.names.items() if wire in joined.slopes
    }
    slopes |= {f"d{writer.names[wire]}": wire for wire in joined.gradients}
    if joined.upstream is not None:
        slopes[writer.names[joined.upstream]] = joined.values[0]
    together: dict[int, list[int]] = {}
    for k in range(writer.turn - 1, -1, -1):
        line = writer.steps[writer.group(k)].outs[0]
        together.setdefault(line, []).extend(writer.steps[k].outs)
    return _Names(values, slopes, {wire: tuple(each) for wire, each in together.items()})


def _enter(found: list[CodeLine], node: ast.FunctionDef, names: _Names) -> None:
    """Say of each line of a function what it is about; a comment opens what belongs to a gate."""
    backward = node.name == "backward"
    texts = {line.text.strip(): line.of for line in found if line.of and not line.backward}
    of: tuple[int, ...] = ()
    statements = {line: part for part in node.body for line in _span(part)}
    for k in range(node.lineno, (node.end_lineno or node.lineno) + 1):
        text = found[k - 1].text
        if backward and text.startswith("    # "):
            of = texts.get(text.strip()[2:], of)
            found[k - 1] = CodeLine(text, of, (), (), True)
        part = statements.get(k)
        if isinstance(part, ast.Assign | ast.AugAssign) or _is_call(part):
            found[k - 1] = _told(text, part, names, backward, of)


def _is_call(part: ast.stmt | None) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Call)


def _span(part: ast.stmt) -> Iterator[int]:
    yield from range(part.lineno, (part.end_lineno or part.lineno) + 1)


def _told(text: str, part: Any, names: _Names, backward: bool, of: tuple[int, ...]) -> CodeLine:
    made, read = _made_and_read(part)
    if "cache" in (*made, *read):
        needs = tuple(names.values[name] for name in (*made, *read) if name in names.values)
        return CodeLine(text, (), (), needs, backward)
    if not backward:
        wires = [names.values[name] for name in made if name in names.values]
        return CodeLine(text, names.together.get(wires[0], ()) if wires else (), (), (), False)
    gradients = tuple(names.slopes[name] for name in made if name in names.slopes)
    needs = tuple(names.values[name] for name in read if name in names.values)
    return CodeLine(text, of, gradients, needs, True)


def _made_and_read(part: ast.stmt) -> tuple[list[str], list[str]]:
    """Return the variables that a statement makes or writes into, and the others, in order."""
    found = [node for node in ast.walk(part) if isinstance(node, ast.Name)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    written = {
        node.value
        for node in ast.walk(part)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    }
    if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call):
        written.add(part.value.args[0])  # np.add.at(dx, …) writes into its first argument
    made = [node.id for node in found if isinstance(node.ctx, ast.Store) or node in written]
    read = [node.id for node in found if node.id not in made]
    return list(dict.fromkeys(made)), list(dict.fromkeys(read))
