"""The user's own source with the numbers in the margin: each line's value and its gradient."""

from __future__ import annotations

import ast
import linecache
import os
import re
import site
import sysconfig
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from corrente import numerals
from corrente.circuit import Composed, Run, Step
from corrente.places import HOUSE, Where, locate, name_at, parsed
from corrente.words import Says, plain

LIMIT = 200
"""The most steps listed when there is no source, and the most rows beside one line."""

_ROWS = 12
_NARROWEST = 20
_LIBRARIES = (
    *(sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "purelib", "platlib")),
    site.getusersitepackages() + os.sep,
)


class _Block(NamedTuple):
    """One function's lines in a file, both ends included."""

    file: str
    first: int
    last: int
    name: str


class _Note(NamedTuple):
    """What stands beside a line: a wire under the name it has there, and how often it was made."""

    name: str
    wire: int
    times: int = 1


@dataclass
class _Made:
    """What one instruction made, or a call there returned: the last wire, and how many times."""

    wire: int | None = None
    counts: Counter[str] = field(default_factory=Counter)
    mark: Any = None

    @property
    def times(self) -> int:
        # one operator may have become several steps, each of another gate
        return min(self.counts.values())

    def count(self, step: Step) -> bool:
        """Count a step that the instruction made; tell whether the instruction ran once more."""
        top = step.stack[-1] if step.stack else None
        composed = top if isinstance(top, Composed) else None
        before = self.times if self.counts else 0
        name = composed.name if composed is not None else step.gate.name
        self.counts[name] += composed is None or composed != self.mark
        self.mark = composed
        return self.times > before


@dataclass
class _Ledger:
    """Blocks in order of first use, and what each instruction made, by file and line.

    `entry` is the code of the traced function, `before` the chain of the step entered last.
    """

    entry: CodeType | None = None
    before: list[Where] = field(default_factory=list)
    blocks: list[_Block] = field(default_factory=list)
    made: dict[tuple[str, int], dict[Where, _Made]] = field(default_factory=dict)


def annotate(run: Run, lang: str = "en", width: int | None = None) -> str:
    """Return the source of the traced function with values and gradients in the margin.

    Each line is followed by the value it assigned or made and the gradient that came back to it;
    a line that ran several times shows its last value and how often. Every function of the user
    that was entered stands once, in order of first use; where there is no source to read, the
    steps of the circuit stand instead. `width` cuts the lines to so many columns.

    >>> from corrente.circuit import Circuit, Step, Wire
    >>> from corrente.gates.arithmetic import sqrt
    >>> wires = tuple(Wire((), np.dtype(float), k, True) for k in range(2))
    >>> circuit = Circuit(wires, (0,), {}, (Step(sqrt, (0,), (1,), {}),), (1,), labels={0: "x"})
    >>> print(annotate(Run(circuit, [4.0, 2.0], {0: 0.25, 1: 1.0}, {}, frozenset({0}))))
    x                │ x = 4 | ∂ 0.25
    f = np.sqrt(x)   │ f = 2 | ∂ 1
    """
    ledger = _ledger(run)
    if not ledger.blocks:
        return _print(run, [("", list(_steps(run)))], lang, width)
    parts = []
    for block in ledger.blocks:
        title = f"{block.name} ({os.path.relpath(block.file)}:{block.first})"
        lines = list(_lines(run, ledger, block))
        parts.append((title if len(ledger.blocks) > 1 else "", lines))
    return _print(run, parts, lang, width)


# --- which lines made which wires ---------------------------------------------------------------


def blocks(run: Run) -> list[tuple[str, str, int, list[Row]]]:
    """Return each function's name, file, first line and rows; steps where there is no source."""
    ledger = _ledger(run)
    found = [(b.name, b.file, b.first, list(_lines(run, ledger, b))) for b in ledger.blocks]
    return found or [("", "", 0, list(_steps(run)))]


def _ledger(run: Run) -> _Ledger:
    """Go through the steps once and enter each under the lines of the user that made it."""
    ledger = _Ledger()
    chains = [_chain(step) for step in run.circuit.steps]
    files = {where[0].co_filename for chain in chains for where in chain}
    own = {file for file in files if not file.startswith(_LIBRARIES)}
    # equal code of two files compares equal: a file's name must stand beside its code
    blocks: dict[tuple[str, CodeType], _Block | None] = {}
    for step, chain in zip(run.circuit.steps, chains, strict=True):
        # a function of a library is listed only when the user's trace began inside one
        mine = [where for where in chain if where[0].co_filename in own or not own]
        if mine and ledger.entry is None:
            ledger.entry = mine[0][0]
        for code, _ in mine:
            if (code.co_filename, code) not in blocks:
                blocks[code.co_filename, code] = _block(code)
        _enter(ledger, step, mine)
    for block in blocks.values():
        if block is not None:
            _place(ledger.blocks, block)
    return ledger


def _chain(step: Step) -> list[Where]:
    """Return the user's frames that lead to a step, outermost first."""
    stack = [frame for frame in step.stack if not isinstance(frame, Composed)]
    frames = [*stack, *([step.where] if step.where is not None else [])]
    return [
        where
        for where in frames
        if not where[0].co_filename.startswith(HOUSE)
        and (where[0].co_name != "<module>" or where is step.where)
    ]


def _enter(ledger: _Ledger, step: Step, chain: list[Where]) -> None:
    """Enter a step where it was written, and where each call that returned it was written."""
    reaches, anew = True, True
    for depth in range(len(chain) - 1, -1, -1):
        where = chain[depth]
        line = (where[0].co_filename, locate(where).line)
        made = ledger.made.setdefault(line, {}).setdefault(where, _Made())
        if depth + 1 == len(chain):
            anew = made.count(step)
        else:
            reaches = reaches and _is_returned(chain[depth + 1], chain[depth + 1][0].co_filename)
            anew = _is_called_anew(ledger.before, chain, depth + 1, anew)
            made.counts["call"] += anew
        if reaches:
            made.wire = step.outs[0]
    ledger.before = chain


def _is_called_anew(before: list[Where], chain: list[Where], depth: int, anew: bool) -> bool:
    """Tell whether a step begins a new call of the function at a depth of its chain.

    It does not if the step before it was in the same call: further up in the code, or further
    down in a loop. `anew` tells whether the instruction at that depth runs once more.
    """
    if len(before) <= depth or before[:depth] != chain[:depth]:
        return True
    old, new = before[depth], chain[depth]
    file = new[0].co_filename
    return (new[1] < old[1] or (new == old and anew)) and not _loops(old, file) & _loops(new, file)


def _place(blocks: list[_Block], new: _Block) -> None:
    """Add a block, unless it stands inside another; one that encloses others replaces them."""
    if any(_encloses(block, new) for block in blocks):
        return
    inside = [k for k, block in enumerate(blocks) if _encloses(new, block)]
    at = inside[0] if inside else len(blocks)
    blocks[:] = [block for block in blocks if not _encloses(new, block)]
    blocks.insert(at, new)


def _is_in(code: CodeType, block: _Block) -> bool:
    own = _block(code)
    return own is not None and _encloses(block, own)


def _encloses(outer: _Block, inner: _Block) -> bool:
    return outer.file == inner.file and outer.first <= inner.first and inner.last <= outer.last


# --- what the source says -----------------------------------------------------------------------


Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@lru_cache(maxsize=256)
def _functions(file: str) -> dict[int, list[Function]]:
    """Map the first line of each function in a file to the functions that begin there."""
    tree = parsed(file)
    found: dict[int, list[Function]] = {}
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, Function):
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(part.lineno for part in decorators)])
            found.setdefault(first, []).append(node)
    return found


def _function(code: CodeType, file: str) -> Function | None:
    """Find the node in a file that a code object was compiled from."""
    for node in _functions(file).get(code.co_firstlineno, ()):
        if getattr(node, "name", "<lambda>") == code.co_name:
            return node
    return None


def _block(code: CodeType) -> _Block | None:
    """Return the lines of a function, None where its source cannot be read."""
    if not linecache.getlines(code.co_filename):
        return None
    node = _function(code, code.co_filename)
    lines = [line for _, _, line in code.co_lines() if line]
    last = max([code.co_firstlineno, *lines])
    if node is not None and node.end_lineno is not None:
        last = max(last, node.end_lineno)
    return _Block(code.co_filename, code.co_firstlineno, last, code.co_name)


@lru_cache(maxsize=4096)
def _is_returned(where: Where, file: str) -> bool:
    """Tell whether the expression at a place in a file is what its function returns."""
    node = _function(where[0], file)
    if node is None:
        return False
    if isinstance(node, ast.Lambda):
        return _stands_at(node.body, where)
    name = name_at(where)
    values = [part.value for part in ast.walk(node) if isinstance(part, ast.Return)]
    return any(
        _stands_at(value, where) or (isinstance(value, ast.Name) and value.id == name)
        for value in values
        if value is not None
    )


@lru_cache(maxsize=4096)
def _loops(where: Where, file: str) -> frozenset[ast.AST]:
    """Return the loops of its function that a place in a file is in."""
    node, line = _function(where[0], file), locate(where).line
    return frozenset(
        part
        for part in (ast.walk(node) if node is not None else ())
        if isinstance(part, ast.For | ast.While | ast.AsyncFor)
        and part.lineno <= line <= (part.end_lineno or line)
    )


def _stands_at(node: ast.expr, where: Where) -> bool:
    place = locate(where)
    return (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset) == (
        place.line,
        place.end_line,
        place.column,
        place.end_column,
    )


# --- the notes beside the lines -----------------------------------------------------------------


Row = tuple[str, list[_Note]]


def _lines(run: Run, ledger: _Ledger, block: _Block) -> Iterator[Row]:
    """Yield each line of a block with its notes; the arguments stand where they are named."""
    source = linecache.getlines(block.file)[block.first - 1 : block.last]
    texts = [line.rstrip().expandtabs(4) for line in source]
    indent = min((len(t) - len(t.lstrip()) for t in texts if t), default=0)
    given = _arguments(run, ledger.entry) if ledger.entry and _is_in(ledger.entry, block) else {}
    for k, text in enumerate(texts, block.first):
        made = ledger.made.get((block.file, k), {})
        yield text[indent:], [*given.get(k, ()), *_notes(run, made)]


def _notes(run: Run, made: dict[Where, _Made]) -> list[_Note]:
    """Choose what a line is about: what it assigns, else the widest expression it worked out."""
    wires = {where: found.wire for where, found in made.items() if found.wire is not None}
    named = {name: where for where in wires if (name := name_at(where)) is not None}
    if not named and wires:
        where = max(wires, key=_extent)
        named = {_name(run, wires[where]): where}
    return [_Note(name, wires[where], made[where].times) for name, where in named.items()]


def _extent(where: Where) -> tuple[int, int, int]:
    place = locate(where)
    return place.end_line - place.line, place.end_column - place.column, where[1]


def _arguments(run: Run, entry: CodeType) -> dict[int, list[_Note]]:
    """Map lines of the traced function's signature to the inputs that are named there."""
    node = _function(entry, entry.co_filename)
    at: dict[str, int] = {}
    if node is not None:
        parts = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        at = {part.arg: part.lineno for part in parts}
    found: dict[int, list[_Note]] = {}
    for wire in run.circuit.ins:
        label = run.circuit.labels.get(wire) or _name(run, wire)
        root = re.split(r"\W", label, maxsplit=1)[0]
        line = entry.co_firstlineno if node is None else node.lineno
        found.setdefault(at.get(root, line), []).append(_Note(label, wire))
    return found


def _name(run: Run, wire: int) -> str:
    """Name a wire as the user did; several may share a name."""
    return run.circuit.names.get(wire) or _symbol(run, wire)


def _symbol(run: Run, wire: int) -> str:
    """Name a wire as no other is; the nameless output takes the function's name."""
    circuit = run.circuit
    if circuit.outs == (wire,) and wire not in circuit.names:
        return run.name if run.name.isidentifier() else "f"
    return circuit.identifiers.get(wire, "")


def _steps(run: Run) -> Iterator[Row]:
    """Yield the circuit's own lines, for a function without source."""
    circuit = run.circuit
    for wire in circuit.ins:
        yield circuit.identifiers[wire], [_Note(_name(run, wire), wire)]
    half, out = LIMIT // 2, len(circuit.steps) - LIMIT
    for k, step in enumerate(circuit.steps):
        if out > 0 and k == half:
            yield f"… ({out})", []
        if out <= 0 or k < half or k >= half + out:
            names = [_symbol(run, wire) for wire in step.outs]
            notes = [_Note(name, wire) for name, wire in zip(names, step.outs, strict=True)]
            yield f"{', '.join(names)} = {circuit.code(step)}", notes


# --- printing -----------------------------------------------------------------------------------


def _print(run: Run, parts: list[tuple[str, list[Row]]], lang: str, width: int | None) -> str:
    """Set the source in one column and the notes in others, the same in every part."""
    rows = [(title, _spread(run, lines, lang)) for title, lines in parts]
    notes = [note for _, part in rows for _, note in part if note is not None]
    left = max((len(value) for value, _ in notes), default=0)
    margins = {note: f"{note[0]:<{left}}{note[1]}".rstrip() for note in notes}
    column = max((len(text) for _, part in rows for text, _ in part), default=0)
    if width is not None:
        wanted = max((len(margin) for margin in margins.values()), default=0)
        column = min(column, max(_NARROWEST, width - wanted - 4))
    out = []
    for title, part in rows:
        if title:
            out += [*([""] if out else []), f"── {title}"]
        for text, note in part:
            line = f"{_cut(text, column):<{column}}  │ {margins[note]}" if note else text
            out.append(_cut(line, width))
    return "\n".join(out)


def _spread(run: Run, lines: Iterable[Row], lang: str) -> list[tuple[str, tuple[str, str] | None]]:
    """Give every note a row of its own; those after the first stand beside nothing."""
    rows: list[tuple[str, tuple[str, str] | None]] = []
    for text, notes in lines:
        shown = [_margin(run, note, lang) for note in notes[:_ROWS]]
        if len(notes) > _ROWS:
            shown.append((f"… ({len(notes) - _ROWS})", ""))
        rows.append((text, shown[0] if shown else None))
        rows += [("", margin) for margin in shown[1:]]
    return rows


def _margin(run: Run, note: _Note, lang: str) -> tuple[str, str]:
    """Write one note: the value with its name, and the gradient with what goes after it."""
    value = _value(run.values[note.wire]).into(lang)
    times = f"  × {note.times}" if note.times > 1 else ""
    if note.wire in run.gradients:
        gradient = f" | ∂ {_gradient(run.gradients[note.wire]).into(lang)}"
    elif note.wire in run.circuit.ins and run.parameters and note.wire not in run.parameters:
        gradient = " | " + Says("data", "dado").into(lang)
    else:
        gradient = ""
    return f"{note.name} = {value}", gradient + times


def _value(value: Any) -> Says:
    array = np.asarray(value)
    if not array.ndim:
        return plain(numerals.number(value))
    if array.dtype.kind not in "iuf" or not array.size:
        return plain(str(array.shape))
    finite = array[np.isfinite(array)]
    if not finite.size:
        return Says("{0} non-finite", "{0} não finito").fill(array.shape)
    with np.errstate(all="ignore"):
        numbers = [numerals.number(measure(finite)) for measure in (np.min, np.max, np.mean)]
    says = Says("{0} {1}…{2}, mean {3}", "{0} {1}…{2}, média {3}").fill(array.shape, *numbers)
    if finite.size == array.size:
        return says
    return Says("{0}, non-finite {1}", "{0}, não finitos {1}").fill(says, array.size - finite.size)


def _gradient(value: Any) -> Says:
    if not np.ndim(value):
        return plain(numerals.number(value))
    with np.errstate(all="ignore"):
        norm = float(np.linalg.norm(np.ravel(value)))
    return Says("norm {0}", "norma {0}").fill(numerals.number(norm))


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: width - 1] + "…"
