"""The check itself: run both passes, compare, find the first wrong line and name the mistake."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corrente.errors import CorrenteError
from corrente.homework import telling
from corrente.homework.drawing import draw
from corrente.homework.exercise import (
    SEED,
    Exercise,
    copied,
    draws,
    run_forward,
    upstream_names,
)
from corrente.homework.instrumenting import Log, Site, instrument
from corrente.homework.judging import (
    KNOWN,
    LOOSE,
    RIGHT,
    UNKNOWN,
    WRONG,
    Group,
    Judged,
    aliasing,
    first_odd,
    grouped,
    readers,
    suspects,
)
from corrente.homework.judging import judge as judge_value
from corrente.homework.looking import Case, look, look_closely, moved
from corrente.homework.relations import is_multiple, relation, sizes_of
from corrente.homework.repairing import (
    Bench,
    Fix,
    is_bare,
    renamed,
    search,
    search_aliases,
    search_forward,
    site_at,
)
from corrente.homework.results import Result, all_targets, wrong
from corrente.homework.returns import find_gap
from corrente.homework.splitting import part
from corrente.homework.truth import close
from corrente.homework.verdicts import Verdict
from corrente.homework.vocabulary import tainted
from corrente.words import Says

SEARCH_SECONDS, CACHE_SECONDS = 8.0, 2.0
MOST_SECONDS = 15.0
Tell = Callable[[Verdict], None]


def judge(exercise: Exercise, tell: Tell) -> None:
    """Check one exercise; `tell` is called with a first verdict, and again with a better one."""
    try:
        case = look_closely(exercise)
    except telling.Hopeless as hopeless:
        tell(hopeless.verdict)
        return
    verdict = _without_search(case) if case.fault is None else None
    if verdict is not None:
        tell(verdict)
    else:
        accuse(case, tell)


def _without_search(case: Case) -> Verdict | None:
    """Judge what came back as a whole; None where a line is to be found."""
    exercise, results = case.exercise, case.results
    is_right = bool(results) and not wrong(results)
    if is_right or not results or case.returned is None:
        gap = find_gap(exercise, case.truth, case.log.sites, case.returned, results)
        if gap is not None:
            return telling.gap(exercise, *gap)
    if not results:
        return telling.unpaired(exercise)
    if is_right:
        return telling.right(exercise, results, *_remarks(case))
    if _right_nearby(case):
        return telling.right(exercise, results, telling.KINK, *_remarks(case))
    return None


def _remarks(case: Case) -> Iterator[Says]:
    """Say what a right verdict rests on: one seed, the gradients that did come back."""
    paired = {result.target.partition("[")[0] for result in case.results}
    absent = [name for name in case.exercise.inputs if name in set(case.truth.inputs) - paired]
    if absent and not case.exercise.joint:
        yield telling.absent(absent)
    for name, lent in case.exercise.lent.items():
        yield telling.lent(name, lent)
    if draws(case.exercise, case.ran):
        yield telling.RANDOM


def _right_nearby(case: Case) -> bool:
    """Tell whether a pass that is wrong here is right a little beside: then this is a kink."""
    rng = np.random.default_rng(SEED)

    def shaken(value: Any) -> Any:
        floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value + 1e-3 * rng.normal(size=value.shape) if floats else value

    for move in (lambda value: moved(value, rng, 1e-3), shaken):
        inputs = {name: move(value) for name, value in case.exercise.inputs.items()}
        if not any(isinstance(value, np.ndarray) for value in inputs.values()):
            return False
        try:
            other = look(replace(case.exercise, inputs=inputs))
        except (telling.Hopeless, CorrenteError):
            continue
        if other.fault is None and other.results and not wrong(other.results):
            return True
    return False


# --- finding the culprit ------------------------------------------------------------------------


def accuse(case: Case, tell: Tell) -> None:
    """Find the first wrong assignment, tell it, then look for the mistake behind it."""
    groups = _backward_groups(case)
    tiers = suspects(groups)
    if case.fault is not None:
        raising = _raising(case, groups)
        if raising is None and not tiers:
            tell(telling.raised(case.exercise, case.fault, None))
            return
        if raising is not None:
            tiers = [_before(raising, tiers), *tiers]
    first = _foremost(tiers[0], groups) if tiers else None
    tell(_verdict(case, first, None))
    known = set(case.truth.names) | case.truth.plain
    wanted = all_targets(case.truth) if case.fault else wrong(case.results)
    bench = Bench(
        case.exercise,
        case.truth,
        case.upstream,
        case.ran,
        case.log,
        frozenset(result.target for result in case.results),
        wanted,
        _receiving(case, known),
        time.process_time() + SEARCH_SECONDS,
        _proved(groups),
        time.monotonic() + MOST_SECONDS,
    )
    bench.second = _second(case, bench)
    fix = search_aliases(bench, aliasing(case.log, groups))
    if fix is None and not case.exercise.joint:
        fix = _in_the_cache(case, bench, overwritten=True)
    fix = fix or search(bench, tiers)
    if (fix is None or not fix.complete) and not case.exercise.joint:
        bench.deadline = max(bench.deadline, time.process_time() + CACHE_SECONDS)
        fix = _in_the_cache(case, bench) or fix
    fix = renamed(fix, bench) if fix else None
    tell(_verdict(case, fix.group if fix else first, fix))


def _proved(groups: Sequence[Group]) -> frozenset[int]:
    """Return the statements that have made a gradient which is right, at least once."""
    sure = [g for g in groups if g.judged.status in (RIGHT, KNOWN) and not g.judged.trivial]
    return frozenset(site.number for group in sure for site in group.sites)


def _receiving(case: Case, known: set[str]) -> frozenset[str]:
    """Return the names that stand for gradients: given ones, and what is made of them."""
    node = case.exercise.backward_node
    parted = part(node) if case.exercise.joint else None
    given = parted.gradients if parted is not None else upstream_names(case.exercise, known)
    return tainted(node, given) - known


def _foremost(tier: Sequence[Group], groups: Sequence[Group]) -> Group:
    """Choose whom to accuse before any change has been tried.

    What several groups read that are all wrong is the likelier cause.
    """
    for group in tier:
        found = readers(group, groups) if group.judged.status == UNKNOWN else []
        if len(found) > 1 and all(reader.judged.status == WRONG for reader in found):
            return group
    return next((group for group in tier if group.judged.status == WRONG), tier[-1])


def _second(case: Case, bench: Bench) -> Bench | None:
    """Prepare the same trials at another point."""
    rng = np.random.default_rng(SEED + 1)
    inputs = {k: moved(v, rng, 0.15) for k, v in case.exercise.inputs.items()}
    try:
        other = look(replace(case.exercise, inputs=inputs))
    except (telling.Hopeless, CorrenteError):
        return None
    wanted = all_targets(other.truth)
    return replace(
        bench,
        exercise=other.exercise,
        truth=other.truth,
        upstream=other.upstream,
        ran=other.ran,
        log=other.log,
        wrong=wanted,
        tried={},
    )


def _backward_groups(case: Case) -> list[Group]:
    groups = grouped(case.log, case.truth)
    if case.exercise.joint:
        parted = part(case.exercise.backward_node)
        assert parted is not None
        helpers = [g for g in groups if g.notes[0].site.function != case.exercise.backward]
        ours = parted.gradients | parted.aids
        wanted = {id(g) for g in groups if g.key in ours} | {id(g) for g in helpers}
        groups = [g for g in groups if id(g) in wanted]
        kept = {id(g) for g in groups}
        for group in groups:
            group.reads = {k: g for k, g in group.reads.items() if id(g) in kept}
    for note in case.log.notes:
        if isinstance(note.site.node, ast.Return):
            reads = {g.key: g for g in groups if g.scope == note.scope and g.key in note.site.reads}
            written = {k for n in case.log.notes if n.scope == note.scope for k in n.site.writes}
            if is_bare(note.site.node) and note.site.reads <= written:
                continue
            _unfinish(reads.values(), case.results)
            groups.append(
                Group("return", note.scope, [note], None, reads, position=len(groups) + 10_000)
            )
    return groups


def _unfinish(read: Collection[Group], results: Sequence[Result]) -> None:
    """Where a return statement finishes gradients, what it reads cannot be told to be wrong.

    It does where one of them is right only once it is handed back.
    """
    right = {result.target for result in results if result.right}
    wrong_groups = [group for group in read if group.judged.status == WRONG]
    if any(group.judged.of in right for group in wrong_groups):
        for group in wrong_groups:
            group.judged = group.judged._replace(status=UNKNOWN)


def _raising(case: Case, groups: Sequence[Group]) -> Group | None:
    """Make a group of the statement that raised."""
    trace = case.fault.__traceback__ if case.fault else None
    found: Group | None = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == case.exercise.space.file:
            site = site_at(case.log.sites, code.co_name, trace.tb_lineno)
            if site is not None:
                case.log.around[site.number] = dict(trace.tb_frame.f_locals)
                note = telling.note_of(site)
                key = site.writes[0] if site.writes else "return"
                reads = {g.key: g for g in groups if g.key in site.reads}
                judged = Judged(WRONG, None)
                found = Group(key, -1, [note], None, reads, judged, len(groups) + 20_000)
        trace = trace.tb_next
    return found


def _before(raising: Group, tiers: Sequence[Sequence[Group]]) -> list[Group]:
    """What may be behind an exception: the line itself, odd values it reads, and what made them."""
    sources = [g for g in raising.reads.values() if g.judged.status in (UNKNOWN, LOOSE, WRONG)]
    wrong_before = tiers[0] if any(g.judged.status == WRONG for g in sources) else ()
    found = {id(group): group for group in (*wrong_before, *sources, raising)}
    return sorted(found.values(), key=lambda group: group.position)


def _in_the_cache(case: Case, bench: Bench, overwritten: bool = False) -> Fix | None:
    """Look for a wrong cache; with `overwritten` only where a value has two names and changes."""
    units, sites = instrument(dict(case.exercise.space.units))
    log = Log(sites, copied)
    run_forward(case.exercise, case.exercise.space.build(units, log.names()), log)
    if overwritten and not log.aliases:
        return None
    return search_forward(bench, log)


def _verdict(case: Case, group: Group | None, fix: Fix | None) -> Verdict:
    """Put what was found into words."""
    if group is None:
        return telling.somewhere(case.exercise, case.results)
    site = fix.site if fix is not None else first_odd(case.truth, group)
    true, found = group.judged.true, _made_at(site, group)
    # a gradient may be right for its name, and still not be what the line should have made of it
    right = true is not None and found is not None and close(found, true)
    if fix is not None and fix.value is not None and (true is None or right):
        true = fix.value
    if not site.writes:
        bad = next((result for result in case.results if not result.right), None)
        found, true = (bad.found, bad.true) if bad is not None else (found, true)
    version = group.judged.version
    mistake = fix.edit.mistake if fix is not None else _betrayed(case, group, found, true)
    if version is None and fix is not None:
        version = judge_value(case.truth, group.key, fix.value).version
    picture = None
    if version is not None and version.shape is None:
        try:
            picture = draw(case.truth, version.wires[0], case.exercise.forward)
        except Exception as error:
            picture = telling.undrawn(error)
    return telling.wrong_line(
        case.exercise,
        site,
        group,
        results=case.results,
        mistake=mistake,
        found=found,
        true=true,
        mend=fix.edit.code if fix is not None else None,
        picture=picture,
        fault=case.fault,
    )


def _made_at(site: Site, group: Group) -> Any:
    """Return what a statement of a group has made, at last."""
    made = [note for note in group.notes if note.site is site and group.key in site.writes]
    return made[-1].values[site.writes.index(group.key)] if made else group.value


def _betrayed(case: Case, group: Group, found: Any, true: Any) -> str | None:
    """Name the mistake that the numbers betray where no change of the code was found."""
    truth, version = case.truth, group.judged.version
    # a penalty is a part of a loss, which is one number
    if all(np.size(upstream) == 1 for upstream in case.upstream):
        if version is not None and is_multiple(found, true, truth.value(version)):
            return "regularisation"
        if version is None and _is_penalty(case):
            return "regularisation"
    return "path" if group.judged.incomplete else relation(found, true, sizes_of(truth))


def _is_penalty(case: Case) -> bool:
    """Tell whether all that is wrong with what came back is a multiple of the values themselves."""
    bad = [result for result in case.results if not result.right]
    versions = [case.truth.inputs.get(result.target) for result in bad]
    return bool(bad) and all(
        version is not None and is_multiple(result.found, result.true, case.truth.value(version))
        for result, version in zip(bad, versions, strict=True)
    )
