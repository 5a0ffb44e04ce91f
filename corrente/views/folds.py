"""A circuit as boxes within boxes: calls, loops, their turns, and long stretches cut in pieces."""

from __future__ import annotations

import ast
import dis
import linecache
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from corrente.circuit import Circuit, Composed, Step
from corrente.places import Where, locate, parsed
from corrente.scene.groups import short

MOST = 48
"""More things than this in one box are put into boxes of their own."""

DEEPEST = 16
"""Calls further down than this are not told apart: recursion has no end of boxes."""

Span = tuple[int, int, int, int]  # from a line and a column to others
_LOOPS = ast.For | ast.While | ast.AsyncFor
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_DETOURS = (
    ast.If | ast.IfExp | ast.While | ast.Break | ast.Continue | ast.Return | ast.Try | ast.Match
)
_NEXT = dis.opmap["FOR_ITER"]


class Loop(NamedTuple):
    """A loop in the user's source, the text it begins with, and what it goes over.

    `turns` is how often it turns, where that stands in the source and no turn can be without a
    step: two loops in one another of which only the inner one has steps of its own look like one.
    """

    span: Span
    text: str
    over: Span | None
    turns: int | None


class Fold(NamedTuple):
    """A box that opens. `kind`: whole, function, composed, loop, turn or piece.

    `parent` is its place in the list of folds, −1 for the whole; `number` counts the turns of a
    loop, and tells which turn of its loop a turn is. A turn that is one call has its name, another
    turn and a piece have none.
    """

    parent: int
    kind: str
    name: str
    steps: range
    number: int


class Nest(NamedTuple):
    """All the folds, each behind its parent, and the innermost fold that each step is in."""

    folds: tuple[Fold, ...]
    homes: tuple[int, ...]


class _Key(NamedTuple):
    kind: str
    mark: Hashable
    name: str
    number: int


@dataclass
class _Clock:
    """Counts, while steps go by, the turns of loops and the calls of one place."""

    chain: list[Where] = field(default_factory=list)
    gate: str = ""
    marks: list[Composed] = field(default_factory=list)
    turns: list[dict[Loop, int]] = field(default_factory=list)
    serials: list[int] = field(default_factory=list)

    def advance(self, step: Step) -> list[_Key]:
        """Go on to a step and return the boxes that it is in, outermost first."""
        frames = [frame for frame in step.stack if not isinstance(frame, Composed)]
        marks = [frame for frame in step.stack if isinstance(frame, Composed)]
        chain = [*frames, *([step.where] if step.where is not None else [])][-DEEPEST:]
        again = step.gate.name == self.gate and not set(marks) & set(self.marks)
        self._count(chain, again)
        self.chain, self.gate, self.marks = chain, step.gate.name, marks
        keys = list(self._keys(chain))
        keys += [_Key("composed", mark.serial, short(mark.name), 0) for mark in marks]
        return keys

    def _count(self, chain: Sequence[Where], again: bool) -> None:
        depth = _common(self.chain, chain)
        same = depth == len(chain) == len(self.chain)
        depth -= same
        if depth >= min(len(chain), len(self.chain)) or depth < 0:
            self._forget(max(depth, 0))
            return
        old, new = self.chain[depth], chain[depth]
        if new[1] > old[1] or (same and not again):
            self._forget(depth)
            return
        for level in range(depth, -1, -1):
            if self._turn(level, chain):
                return
        self._forget(max(depth - 1, 0))
        if depth:
            self.serials[depth - 1] += 1

    def _turn(self, depth: int, chain: Sequence[Where]) -> bool:
        """Let the innermost loop that both places at a depth are in, and is not done, turn."""
        after = _loops(chain[depth])
        shared = [loop for loop in _loops(self.chain[depth]) if loop in after]
        self._forget(depth)
        counts = self.turns[depth]
        while shared and counts.get(shared[-1], 0) + 1 == shared[-1].turns:
            shared.pop()
        if not shared:
            return False
        for loop in [loop for loop in counts if loop not in shared]:
            del counts[loop]
        counts[shared[-1]] = counts.get(shared[-1], 0) + 1
        return True

    def _forget(self, depth: int) -> None:
        """Begin anew below a depth."""
        del self.turns[depth + 1 :]
        del self.serials[depth + 1 :]
        while len(self.turns) <= depth:
            self.turns.append({})
            self.serials.append(0)

    def _keys(self, chain: Sequence[Where]) -> Iterator[_Key]:
        self._forget(len(chain))
        for depth, where in enumerate(chain):
            for loop in _loops(where):
                yield _Key("loop", loop, loop.text, 0)
                number = self.turns[depth].get(loop, 0)
                yield _Key("turn", number, "", number)
            if depth + 1 < len(chain):
                mark = (where, self.serials[depth])
                yield _Key("function", mark, chain[depth + 1][0].co_name, 0)


def _common(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    for depth, (frame, twin) in enumerate(zip(one, other, strict=False)):
        if frame != twin:
            return depth
    return min(len(one), len(other))


@lru_cache(maxsize=4096)
def _loops(where: Where) -> tuple[Loop, ...]:
    """Return the loops that a place is inside of, outermost first.

    A loop goes over something that was made before it began, but takes the next one in each turn.
    """
    place = locate(where)
    code, instruction = where
    spot = (place.line, place.column, place.end_line, place.end_column)
    takes = code.co_code[instruction] == _NEXT
    found = []
    for loop in _all_loops(place.file):
        if loop.span[0] < code.co_firstlineno or not _within(spot, loop.span):
            continue
        if spot in (loop.span, loop.over) if takes else spot == loop.span:
            found += [loop] if takes else []
        elif loop.over is None or not _within(spot, loop.over):
            found.append(loop)
    return tuple(found)


def _within(spot: Span, span: Span) -> bool:
    return span[:2] <= spot[:2] and spot[2:] <= span[2:]


@lru_cache(maxsize=256)
def _all_loops(file: str) -> tuple[Loop, ...]:
    tree = parsed(file)
    found = []
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, _LOOPS):
            text = linecache.getline(file, node.lineno).strip().rstrip(":")
            over = None if isinstance(node, ast.While) else node.iter
        elif isinstance(node, _COMPREHENSIONS):
            text = f"for {ast.unparse(node.generators[0].target)} in …"
            over = node.generators[0].iter
        else:
            continue
        found.append(Loop(_span(node), text, over and _span(over), _count(node)))
    return tuple(sorted(found, key=lambda loop: (loop.span[:2], [-end for end in loop.span[2:]])))


def _span(node: ast.expr | ast.stmt) -> Span:
    end = node.end_lineno or node.lineno, node.end_col_offset or 0
    return (node.lineno, node.col_offset, *end)


def _count(loop: ast.AST) -> int | None:
    """Count a loop's turns, where they stand in the source and each of them is like the others."""
    if not isinstance(loop, ast.For) or any(isinstance(each, _DETOURS) for each in ast.walk(loop)):
        return None
    inner = [each for each in ast.walk(loop) if isinstance(each, ast.For) and each is not loop]
    return None if any(_length(each.iter) is None for each in inner) else _length(loop.iter)


def _length(over: ast.expr) -> int | None:
    """Return how many things a literal range, tuple or list gives."""
    if isinstance(over, ast.Tuple | ast.List):
        starred = any(isinstance(each, ast.Starred) for each in over.elts)
        return None if starred else len(over.elts)
    if isinstance(over, ast.Call) and isinstance(over.func, ast.Name) and over.func.id == "range":
        try:
            return len(range(*map(ast.literal_eval, over.args)))
        except (ValueError, TypeError):
            return None  # not literal
    return None


# --- the tree ------------------------------------------------------------------------------------


@dataclass
class _Tree:
    """Boxes while they are built: what each one is, where it is, and whether it was taken out."""

    keys: list[_Key] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    firsts: list[int] = field(default_factory=list)
    homes: list[int] = field(default_factory=list)
    gone: list[bool] = field(default_factory=list)

    def add(self, key: _Key, parent: int, first: int) -> int:
        self.keys.append(key)
        self.parents.append(parent)
        self.firsts.append(first)
        self.gone.append(False)
        return len(self.keys) - 1

    def up(self, box: int) -> int:
        """Return the nearest box that is still there."""
        while self.gone[box]:
            box = self.parents[box]
        return box

    def contents(self) -> list[list[tuple[int, int]]]:
        """List what is in each box in order: (first step, box), or (step, −1) for a step."""
        found: list[list[tuple[int, int]]] = [[] for _ in self.keys]
        for box in range(1, len(self.keys)):
            if not self.gone[box]:
                found[self.up(self.parents[box])].append((self.firsts[box], box))
        for k, home in enumerate(self.homes):
            found[self.up(home)].append((k, -1))
        for each in found:
            each.sort()
        return found


def nest(circuit: Circuit) -> Nest:
    """Put a circuit's steps into boxes by the calls and loops of the user that made them.

    Every box holds at least two things and at most `MOST`.
    """
    tree = _Tree()
    tree.add(_Key("whole", 0, "", 0), -1, 0)
    clock, open_ = _Clock(), [(tree.keys[0], 0)]
    for k, step in enumerate(circuit.steps):
        keys = clock.advance(step)
        depth = _common([key for key, _ in open_[1:]], keys) + 1
        del open_[depth:]
        for key in keys[depth - 1 :]:
            open_.append((key, tree.add(key, open_[-1][1], k)))
        tree.homes.append(open_[-1][1])
    _splice(tree)
    _cut(tree)
    return _frozen(tree)


def _splice(tree: _Tree) -> None:
    """Take out boxes that hold one thing only, loops of one turn, and turns without a loop.

    A turn that is one call takes its name instead.
    """
    for box, inside in enumerate(tree.contents()):
        call = inside[0][1] if len(inside) == 1 else -1
        if tree.keys[box].kind == "turn" and call >= 0 and tree.keys[call].kind != "loop":
            tree.gone[call] = True
            tree.keys[box] = tree.keys[box]._replace(name=tree.keys[call].name)
    for kind in ("loop", ""):
        contents = tree.contents()
        for box in range(len(tree.keys) - 1, 0, -1):
            if (not kind or tree.keys[box].kind == kind) and len(contents[box]) == 1:
                tree.gone[box] = True
    for box in range(1, len(tree.keys)):
        if tree.keys[box].kind == "turn" and tree.keys[tree.up(tree.parents[box])].kind != "loop":
            tree.gone[box] = True
    contents = tree.contents()
    only = contents[0][0][1] if len(contents[0]) == 1 else -1
    if only > 0 and tree.keys[only].kind != "loop":
        tree.gone[only] = True  # one box around everything would show nothing


def _cut(tree: _Tree) -> None:
    """Put the contents of boxes that hold too much into pieces, and those into larger ones."""
    contents = tree.contents()
    boxes = [box for box in range(len(tree.keys)) if not tree.gone[box]]
    while boxes:
        box = boxes.pop()
        inside = contents[box]
        if len(inside) <= MOST:
            continue
        size = -(-len(inside) // -(-len(inside) // MOST)) if len(inside) <= MOST**2 else MOST
        contents[box] = []
        for start in range(0, len(inside), size):
            part = inside[start : start + size]
            piece = tree.add(_Key("piece", (box, start), "", 0), box, part[0][0])
            contents.append(part)
            contents[box].append((part[0][0], piece))
            for k, child in part:
                if child < 0:
                    tree.homes[k] = piece
                else:
                    tree.parents[child] = piece
        boxes.append(box)


def _frozen(tree: _Tree) -> Nest:
    contents = tree.contents()
    order, waiting = [], [0]
    while waiting:
        box = waiting.pop()
        order.append(box)
        waiting += [child for _, child in reversed(contents[box]) if child >= 0]
    places = {box: k for k, box in enumerate(order)}
    stops = [tree.firsts[box] for box in range(len(tree.keys))]
    for k, home in enumerate(tree.homes):
        stops[tree.up(home)] = k + 1
    for box in reversed(order):
        parent = tree.up(tree.parents[box]) if box else 0
        stops[parent] = max(stops[parent], stops[box])
    folds, turns = [], _turns(tree)
    for box in order:
        key = tree.keys[box]
        parent = places[tree.up(tree.parents[box])] if box else -1
        number = turns[box] if key.kind == "loop" else key.number
        folds.append(Fold(parent, key.kind, key.name, range(tree.firsts[box], stops[box]), number))
    homes = tuple(places[tree.up(home)] for home in tree.homes)
    return Nest(tuple(folds), homes)


def _turns(tree: _Tree) -> list[int]:
    """Count the turns of each loop, those without a box too."""
    found = [0] * len(tree.keys)
    for box in range(1, len(tree.keys)):
        key, parent = tree.keys[box], tree.parents[box]
        while key.kind == "turn" and tree.keys[parent].kind == "piece":
            parent = tree.parents[parent]
        if key.kind == "turn":
            found[parent] = max(found[parent], key.number + 1)
    return found
