"""The search for the one change that makes a wrong backward pass right."""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, NamedTuple

from corrente.homework import statements
from corrente.homework.exercise import Exercise, Ran, run_backward, run_forward
from corrente.homework.instrumenting import Instrumenter, Log, Site
from corrente.homework.judging import KNOWN, PART, RIGHT, VALUE, WRONG, Group, Judged, judge
from corrente.homework.results import compare, wrong
from corrente.homework.space import find
from corrente.homework.statements import Edit
from corrente.homework.truth import Truth, close
from corrente.homework.vocabulary import vocabulary


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
    wrong: frozenset[str]
    receiving: frozenset[str]
    deadline: float
    second: Bench | None = None
    """The same at another point, where a change that is right by chance is wrong."""
    _edits: dict[int, list[Edit]] = field(default_factory=dict)
    _prepared: dict[tuple[int, int], Prepared] = field(default_factory=dict)

    @property
    def late(self) -> bool:
        return time.monotonic() > self.deadline

    def edits(self, site: Site) -> list[Edit]:
        if site.number not in self._edits:
            around = self.log.around.get(site.number, {})
            known = set(self.truth.names) | self.truth.plain
            function = find(site.function, self.exercise.space.units)
            words = vocabulary(site, around, known, self.receiving, function)
            self._edits[site.number] = statements.edits(site, words)
        return self._edits[site.number]

    def attempt(self, group: Group, site: Site, edit: Edit, forward: bool = False) -> Fix | None:
        """Run the backward pass with one statement changed; None if that does not help."""
        prepared = self._prepare(group, site)
        log = Log(prepared.sites, self.log.keep)
        try:
            code = prepared.compiled(edit, self.exercise.space.file)
            names = self.exercise.space.build({site.unit: code}, log.names())
            ran = self._again(names) if forward else self.ran
            if ran is None:
                return None
            returned, owner = run_backward(self.exercise, names, ran, self.upstream)
        except Exception:
            return None
        values = {
            key: value
            for note in log.notes
            for key, value in zip(note.site.writes, note.values, strict=True)
        }
        results = compare(self.exercise, self.truth, returned, owner, values)
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
        pairs = zip(ran.split.outs, self.ran.split.outs, strict=True)
        if not all(close(new, old) for new, old in pairs):
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
    pool = [
        (edit.cost, group, site, edit)
        for group in tier
        for site in group.sites
        for edit in bench.edits(site)
        if edit.cost <= most and only in (None, edit.mistake)
    ]
    for cost, group, site, edit in sorted(pool, key=lambda each: each[0]):
        if bench.late or (complete and cost > complete[0][0] + _MARGIN):
            break
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


_CHEAP = 1.9
_MARGIN = 0.15


def _holds(bench: Bench, fix: Fix) -> bool:
    """Tell whether a change is right at another point as well."""
    if bench.second is None:
        return True
    again = bench.second.attempt(fix.group, fix.site, fix.edit)
    return again is not None and again.complete


def _doubt(fix: Fix) -> float:
    """Charge a change whose value is not one that is known to be right."""
    if fix.judged.status == RIGHT or not fix.group.judged.of:
        return 0.0
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
        for edit in statements.edits(site, words):
            if edit.mistake != "cache" or bench.late:
                continue
            fix = bench.attempt(group, site, edit, forward=True)
            if fix is not None and fix.complete:
                return fix
    return None


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
