"""The search for the one change that makes a wrong backward pass right."""

from __future__ import annotations

import ast
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from corrente.gates.arithmetic import multiply
from corrente.gates.linalg import matmul
from corrente.homework import statements
from corrente.homework.exercise import Exercise, Ran, run_backward, run_forward
from corrente.homework.instrumenting import Instrumenter, Log, Site
from corrente.homework.judging import KNOWN, LOOSE, PART, RIGHT, VALUE, WRONG, Group, Judged, judge
from corrente.homework.names import is_delta
from corrente.homework.results import compare, wrong
from corrente.homework.space import Function, find
from corrente.homework.statements import Edit
from corrente.homework.truth import Truth, close
from corrente.homework.vocabulary import named, vocabulary


class Fix(NamedTuple):
    """A change that helps: where, what, and whether everything is right with it."""

    group: Group
    site: Site
    edit: Edit
    complete: bool
    better: bool
    """Whether fewer results are wrong, or the value was plainly wrong and is right now."""
    judged: Judged
    value: Any


class Prepared(NamedTuple):
    """A unit with one place where a changed statement is put in."""

    tree: Any
    body: list[ast.stmt]
    place: int
    note: list[ast.stmt]
    sites: list[Site]

    def compiled(self, edit: Edit, file: str) -> CodeType:
        """Compile the unit with a change in it; the tree is left as it was."""
        old = self.body[self.place]
        for node in edit.nodes:
            ast.fix_missing_locations(node)
        self.body[self.place : self.place + 1] = [*edit.nodes, *self.note]
        try:
            return compile(ast.Module([self.tree], []), file, "exec")
        finally:
            self.body[self.place : self.place + len(edit.nodes) + len(self.note)] = [old]


def _place(tree: ast.AST, node: ast.stmt) -> tuple[list[ast.stmt], int]:
    """Find the block that holds a statement, and where in it."""
    for parent in ast.walk(tree):
        for _, block in ast.iter_fields(parent):
            if isinstance(block, list):
                for place, each in enumerate(block):
                    if each is node:
                        return block, place
    raise LookupError(ast.unparse(node))


@dataclass(eq=False)
class Bench:
    """What every trial needs: the exercise, the truth, and how the backward pass stands."""

    exercise: Exercise
    truth: Truth
    upstream: Sequence[Any]
    ran: Ran
    log: Log
    targets: frozenset[str]
    """The inputs whose gradients came back: a change must not lose one."""
    wrong: frozenset[str]
    receiving: frozenset[str]
    deadline: float
    """In processor time, so that a busy machine finds no less than an idle one."""
    proved: frozenset[int]
    """The statements that have made a right value at least once."""
    last: float
    """In time of the clock: when the search gives up whatever the processor did."""
    second: Bench | None = None
    """The same at another point, where a change that is right by chance is wrong."""
    _edits: dict[int, list[Edit]] = field(default_factory=dict)
    tried: dict[tuple[int, int, str], Fix | None] = field(default_factory=dict)
    _prepared: dict[tuple[int, int], Prepared] = field(default_factory=dict)

    @property
    def late(self) -> bool:
        return time.process_time() > self.deadline or time.monotonic() > self.last

    @cached_property
    def helpers(self) -> tuple[str, ...]:
        """The functions of one parameter beside the two passes."""
        units, passes = self.exercise.space.units, (self.exercise.forward, self.exercise.backward)
        functions = [unit for unit in units.values() if isinstance(unit, Function)]
        alone = [unit.name for unit in functions if len(unit.args.args) == 1]
        return tuple(name for name in alone if name not in passes)

    def edits(self, site: Site) -> list[Edit]:
        if site.number not in self._edits:
            around = self.log.around.get(site.number, {})
            known = set(self.truth.names) | self.truth.plain
            function = find(site.function, self.exercise.space.units)
            words = vocabulary(site, around, known, self.receiving, function)
            words = words._replace(helpers=self.helpers)
            if words.own is not None:
                words = words._replace(below=self.truth.below(words.own))
            self._edits[site.number] = statements.edits(site, words)
        return self._edits[site.number]

    def attempt(self, group: Group, site: Site, edit: Edit) -> Fix | None:
        """Run the backward pass with one statement changed, once; None if that does not help."""
        key = (id(group), site.number, edit.code)
        if key not in self.tried:
            self.tried[key] = self.trial(group, site, edit)
        return self.tried[key]

    def trial(self, group: Group, site: Site, edit: Edit, forward: bool = False) -> Fix | None:
        """Run the backward pass, or both, with one statement changed; None if no help."""
        prepared = self._prepare(group, site)
        log = Log(prepared.sites, self.log.keep)
        try:
            code = prepared.compiled(edit, self.exercise.space.file)
        except (SyntaxError, ValueError, TypeError):
            return None  # no Python came out of the change
        try:
            names = self.exercise.space.build({site.unit: code}, log.names())
            ran = self._again(names) if forward else self.ran
            if ran is None:
                return None
            returned, owner = run_backward(self.exercise, names, ran, self.upstream)
        except Exception as error:
            if not raised_in(error, self.exercise.space.file):
                raise
            return None  # the changed code does not run: the change was none
        values = {
            key: value
            for note in log.notes
            for key, value in zip(note.site.writes, note.values, strict=True)
        }
        results = compare(self.exercise, self.truth, returned, owner, values)
        if self.targets - {result.target for result in results}:
            return None
        left = wrong(results)
        value = values.get(group.key)
        judged = judge(self.truth, group.key, value)
        better = left < self.wrong and bool(results)
        if not better and not (judged.status == RIGHT and not judged.trivial):
            return None
        if left - self.wrong:
            return None
        better = better or group.judged.status == WRONG
        return Fix(group, site, edit, bool(results) and not left, better, judged, value)

    def _prepare(self, group: Group, site: Site) -> Prepared:
        """Instrument a unit once for all changes of one statement."""
        key = (id(group), site.number)
        if key not in self._prepared:
            unit = self.exercise.space.units[site.unit]
            others = [s.node for s in group.sites if s.node is not site.node]
            sites: list[Site] = []
            marker = Instrumenter(sites, site.unit, lambda node: any(node is n for n in others))
            tree = ast.fix_missing_locations(marker.definition(unit))
            body, place = _place(tree, site.node)
            self._prepared[key] = Prepared(tree, body, place, marker.after(site), sites)
        return self._prepared[key]

    def _again(self, names: Mapping[str, Any]) -> Ran | None:
        """Run the forward pass as well, for a change in it that leaves its outputs alone."""
        ran = run_forward(self.exercise, names, None)
        new, old = ran.split.outs, self.ran.split.outs
        if len(new) != len(old) or not all(map(close, new, old)):
            return None
        return ran._replace(plain=self.ran.plain)


def search(bench: Bench, tiers: Sequence[Sequence[Group]]) -> Fix | None:
    """Try the usual mistakes, tier by tier and likeliest first.

    Where the first tier is only oddly named, the cheap changes of the next one go before its
    dear ones.
    """
    if tiers and not any(group.judged.status == WRONG for group in tiers[0]):
        for tier in tiers[:2]:
            fix = _search_tier(bench, tier, _CHEAP).complete
            if fix is not None:
                return fix
    helping: Fix | None = None
    if tiers and len(tiers[0]) > 1 and _stands_alone(tiers[0][0], tiers[0]):
        # in a loop everything is wrong at once: the first line before all the others
        found = _search_tier(bench, tiers[0][:1], _FIRST)
        if found.complete is not None:
            return found.complete
    for number, tier in enumerate(tiers):
        found = _search_tier(bench, tier)
        if found.complete is not None:
            return found.complete
        helping = helping or (found.other if number == 0 else None)
        if bench.late or (helping is not None and number == 1):
            break
    return helping


class Found(NamedTuple):
    """The best change of a tier, and one that helps without making everything right."""

    complete: Fix | None
    other: Fix | None


def search_aliases(bench: Bench, groups: Sequence[Group]) -> Fix | None:
    """Try copies where a value is changed under another name."""
    return _search_tier(bench, groups, only="cache").complete


def _search_tier(
    bench: Bench, tier: Sequence[Group], most: float = float("inf"), only: str | None = None
) -> Found:
    helping: list[Fix] = []
    complete: list[tuple[float, Fix]] = []
    tried = {(site.number, ast.unparse(site.node)) for group in tier for site in group.sites}
    for cost, group, site, edit in _pool(bench, tier, most, only):
        if bench.late or (complete and cost > complete[0][0] + _MARGIN):
            break
        if (site.number, edit.code) in tried:
            continue
        tried.add((site.number, edit.code))
        fix = bench.attempt(group, site, edit)
        if fix is None:
            continue
        if fix.complete and _holds(bench, fix):
            complete.append((cost + _doubt(fix), fix))
        elif fix.complete:
            helping.insert(0, fix)
        elif fix.judged.status == RIGHT and fix.better:
            helping.append(fix)
    order = bench.log.order
    best = min(complete, key=lambda e: (e[0], order.get(e[1].site.number, 0)), default=None)
    return Found(best[1] if best else None, helping[0] if helping else None)


def _pool(
    bench: Bench, tier: Sequence[Group], most: float, only: str | None
) -> list[tuple[float, Group, Site, Edit]]:
    """Gather the changes of the statements of a tier, the likeliest first."""
    pool: list[tuple[float, Group, Site, Edit]] = []
    pooled: set[int] = set()
    suspect = next((group for group in tier if _stands_alone(group, tier)), None)
    for group in tier:
        # the first that is plainly wrong is tried a little before the others
        later = _LATER if suspect is not None and group is not suspect else 0.0
        for site in group.sites:
            if site.number not in pooled and not _only_starts(group, site):
                pooled.add(site.number)
                doubt = _PROVED if site.number in bench.proved else 0.0
                pool += [
                    (edit.cost + later + doubt, group, site, edit)
                    for edit in bench.edits(site)
                    if edit.cost <= most and only in (None, edit.mistake)
                ]
    return sorted(pool, key=lambda each: each[0])


def _stands_alone(group: Group, tier: Sequence[Group]) -> bool:
    """Tell whether a group is plainly wrong, and nothing it read is in doubt."""
    others = [g for g in tier if g is not group and g.judged.status != WRONG]
    doubted = [g for g in others if np.asarray(g.value).dtype.kind != "b"]
    return group.judged.status == WRONG and not any(
        source is other for source in group.reads.values() for other in doubted
    )


def _only_starts(group: Group, site: Site) -> bool:
    """Tell whether a statement only makes the zeros that others add to."""
    values = [
        note.values[site.writes.index(group.key)]
        for note in group.notes
        if note.site is site and group.key in site.writes
    ]
    return (
        len(group.sites) > 1
        and bool(values)
        and all(value is not None and not np.any(value) for value in values)
    )


_LATER, _PROVED = 0.1, 0.1
_CHEAP, _FIRST = 1.9, 2.1
_MARGIN = 0.15


def _holds(bench: Bench, fix: Fix) -> bool:
    """Tell whether a change is right at another point as well."""
    if bench.second is None:
        return True
    again = bench.second.attempt(fix.group, fix.site, fix.edit)
    return again is not None and again.complete


def _doubt(fix: Fix) -> float:
    """Charge a change whose value is not one that is known to be right."""
    if fix.judged.status == RIGHT or not fix.group.judged.of or is_delta(fix.group.key):
        return 0.0
    if fix.group.judged.status in (RIGHT, LOOSE) and fix.judged.status != LOOSE:
        return 0.7  # it was right
    return 0.05 if fix.judged.status in (KNOWN, PART, VALUE) else 0.2


def search_forward(bench: Bench, log: Log) -> Fix | None:
    """Look for a wrong cache: a change in the forward pass that leaves its outputs alone."""
    for site in log.sites:
        if site.function != bench.exercise.forward or bench.exercise.joint:
            continue
        bench.log.around.setdefault(-1, {})
        around = log.around.get(site.number)
        if around is None:
            continue
        words = vocabulary(site, around, set(), frozenset())
        group = Group(", ".join(site.writes) or "return", 0, [], None)
        without = Edit("cache", 1.3, (ast.copy_location(ast.Pass(), site.node),))
        for edit in (*statements.edits(site, words), without):
            if edit.mistake != "cache" or bench.late:
                continue
            fix = bench.trial(group, site, edit, forward=True)
            if fix is not None and fix.complete:
                return fix
    return None


def renamed(fix: Fix, bench: Bench) -> Fix:
    """Call it swapped operands where a value stands in the gradient of itself."""
    if fix.edit.mistake != "cache":
        return fix
    before, after = (
        Counter(key for part in ast.walk(node) if (key := named(part)) is not None)
        for node in (fix.site.node, fix.edit.nodes[0])
    )
    gone = {key.partition("['")[2].rstrip("']") or key for key in before - after}
    truth, around = bench.truth, bench.log.around.get(fix.site.number, {})
    if any(truth.below(key) & set(after - before) for key in gone):
        return fix  # what is computed from a value was not multiplied with it
    known = set(truth.names) | truth.plain
    words = vocabulary(fix.site, around, known, bench.receiving)
    own = [
        truth.values[wire]
        for wire, gradient in truth.gradients.items()
        if fix.value is not None and truth.agrees(fix.value, gradient, strict=True)
    ]
    removed = [word.value for key in before - after if (word := words.find(key)) is not None]
    is_own = any(close(value, each, strict=True) for value in removed for each in own)
    is_own = is_own or (isinstance(fix.site.node, ast.Return) and bool(gone & bench.wrong))
    added = [word.value for key in after - before if (word := words.find(key)) is not None]
    is_own = is_own or _were_multiplied(truth, removed, added)
    return fix._replace(edit=fix.edit._replace(mistake="swapped")) if is_own else fix


def _were_multiplied(truth: Truth, removed: Sequence[Any], added: Sequence[Any]) -> bool:
    """Tell whether two values were the operands of one product on the way forward."""
    for step in truth.circuit.steps if truth.circuit is not None else ():
        if step.gate in (multiply, matmul):
            values = [truth.values[wire] for wire in step.ins]
            for one, other in (values, values[::-1]):
                if any(close(value, one, strict=True) for value in removed) and any(
                    close(value, other, strict=True) for value in added
                ):
                    return True
    return False


def raised_in(error: BaseException, file: str) -> bool:
    """Tell whether an exception comes out of a student's code, and not out of ours."""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            return True
        trace = trace.tb_next
    return False


def site_at(sites: Sequence[Site], function: str, line: int) -> Site | None:
    """Return the site of a function that covers a line."""
    for site in sites:
        last = site.node.end_lineno or site.line
        if site.function.rpartition(".")[2] == function and site.line <= line <= last:
            return site
    return None


def is_bare(node: ast.stmt) -> bool:
    """Tell whether a return statement only names things."""
    value = getattr(node, "value", None)
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    if isinstance(value, ast.Dict):
        parts = value.values
    return all(isinstance(p, ast.Name | ast.Attribute | ast.Constant | None) for p in parts)
