"""Steps put together before they are drawn: calls of one function, and more than anyone reads."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from corrente.circuit import Circuit, Composed, Frame, Step
from corrente.errors import BadValue
from corrente.words import Says

FOLDS = ("auto", "functions", "none")
"""What may be asked for: fold when it helps, fold always, draw every gate there is room for."""

PLAIN = 16
"""A circuit of no more gates than this is drawn gate by gate."""

WINDOW = 40
"""Where the middle is cut out, this many boxes stay: more would not make it clearer."""


class Group(NamedTuple):
    """Neighbouring steps that become one box.

    `fold` is "" for a gate, "steps" for what has no name, or the short name of a function.
    """

    steps: range
    fold: str = ""


def is_compact(circuit: Circuit, fold: str) -> bool:
    """Tell whether functions are folded and gates that only decide left out; or BadValue."""
    if fold not in FOLDS:
        raise BadValue(
            Says(
                "fold={0} is not a way to fold a drawing.",
                "fold={0} não é um modo de recolher um desenho.",
            ).fill(repr(fold)),
            Says("choose one of: {0}.", "escolha um destes: {0}.").fill(", ".join(FOLDS)),
            False,
        )
    return fold == "functions" or (fold == "auto" and len(circuit.steps) > PLAIN)


def deciding(circuit: Circuit) -> frozenset[int]:
    """Find the steps that only decide the path: they feed guards and reach nothing else."""
    asked, used = {guard.wire for guard in circuit.guards}, set(circuit.outs)
    found = []
    for k in reversed(range(len(circuit.steps)) if asked else ()):
        step = circuit.steps[k]
        if used.isdisjoint(step.outs) and not asked.isdisjoint(step.outs):
            asked.update(step.ins)
            found.append(k)
        else:
            used.update(step.ins)
    return frozenset(found)


def singles(circuit: Circuit) -> list[Group]:
    """Let every step be a group of its own."""
    return [Group(range(k, k + 1)) for k in range(len(circuit.steps))]


def calls(circuit: Circuit, quiet: frozenset[int]) -> list[Group]:
    """Group the steps of each composed function, the outermost where they are nested.

    A function around everything is no group, but those in it are: one box would show nothing.
    Groups of nothing but `quiet` steps are left out.
    """
    level = _around(circuit, quiet)
    found: list[Group] = []
    before = None
    for k, step in enumerate(circuit.steps):
        mark = next(iter(_marks(step)[level:]), None)
        if mark is not None and mark == before:
            found[-1] = Group(range(found[-1].steps.start, k + 1), short(mark.name))
        else:
            found.append(Group(range(k, k + 1)))
        before = mark
    return [group for group in found if not quiet.issuperset(group.steps)]


def _around(circuit: Circuit, quiet: frozenset[int]) -> int:
    """Count the composed functions that all steps but the quiet ones came from."""
    common: Sequence[Composed] | None = None
    for k, step in enumerate(circuit.steps):
        if k in quiet:
            continue
        marks = _marks(step)
        common = marks if common is None else common[: _common(common, marks)]
        if not common:
            return 0
    return len(common or ())


def _marks(step: Step) -> list[Composed]:
    """Return the composed functions a step came from, outermost first; they end its stack."""
    marks = []
    for frame in reversed(step.stack):
        if not isinstance(frame, Composed):
            break
        marks.append(frame)
    return marks[::-1]


def short(name: str) -> str:
    """Return a function's name without its modules.

    >>> short("co.nn.cross_entropy")
    'cross_entropy'
    """
    return name.rpartition(".")[2]


# --- too many ------------------------------------------------------------------------------------


def fewer(circuit: Circuit, groups: Sequence[Group], most: int) -> list[Group]:
    """Join groups by the deepest call stack that leaves few enough, then cut the middle."""
    depth = _depth(circuit, groups, most)
    runs: list[list[Group]] = []
    for group in groups:
        if runs and depth and _shared(circuit, runs[-1][-1], group) >= depth:
            runs[-1].append(group)
        else:
            runs.append([group])
    if len(runs) > most:
        most = min(most, WINDOW)
        first = most // 2
        last = most - first - 1
        middle = [group for run in runs[first : len(runs) - last] for group in run]
        runs = [*runs[:first], middle, *runs[len(runs) - last :]]
    return [_joined(circuit, run) for run in runs]


def _joined(circuit: Circuit, groups: Sequence[Group]) -> Group:
    if len(groups) == 1:
        return groups[0]
    steps = range(groups[0].steps.start, groups[-1].steps.stop)
    return Group(steps, _function(circuit, steps))


def _depth(circuit: Circuit, groups: Sequence[Group], most: int) -> int:
    """Return the greatest depth of stack that makes between 3 and `most` groups; 0 if none."""
    counts: dict[int, int] = {}
    for before, group in pairwise(groups):
        common = _shared(circuit, before, group)
        counts[common] = counts.get(common, 0) + 1
    made, best = 1, 0
    for depth in range(1, max(counts, default=0) + 1):
        made += counts.get(depth - 1, 0)
        if 3 <= made <= most:
            best = depth
    return best


def _shared(circuit: Circuit, before: Group, group: Group) -> int:
    """Count the frames that a group's stack has in common with that of the group before."""
    stack, other = circuit.steps[group.steps[0]].stack, circuit.steps[before.steps[-1]].stack
    return len(stack) if stack is other else _common(stack, other)


def _common(one: Sequence[Frame], other: Sequence[Frame]) -> int:
    """Count the frames that two stacks begin with."""
    for depth, (frame, twin) in enumerate(zip(one, other, strict=False)):
        if frame != twin:
            return depth
    return min(len(one), len(other))


def _function(circuit: Circuit, steps: range) -> str:
    """Name the user's function that a group of steps came from, if one did."""
    first, last = circuit.steps[steps[0]].stack, circuit.steps[steps[-1]].stack
    depth = _common(first, last)
    if depth == 0:
        return "steps"
    if isinstance(first[depth - 1], Composed):
        return _frame_name(first[depth - 1])
    if depth < len(first):
        return _frame_name(first[depth])
    where = circuit.steps[steps[0]].where
    return where[0].co_name if where else "steps"


def _frame_name(frame: Frame) -> str:
    return short(frame.name) if isinstance(frame, Composed) else frame[0].co_name
