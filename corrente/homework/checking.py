"""The check itself: run both passes, compare, find the first wrong line and name the mistake."""

from __future__ import annotations

import ast
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import CorrenteError
from corrente.homework import telling
from corrente.homework.drawing import draw
from corrente.homework.exercise import (
    SEED,
    Exercise,
    Ran,
    Unfit,
    copied,
    run_backward,
    run_forward,
    upstream_names,
    with_floats,
)
from corrente.homework.instrumenting import Log, instrument
from corrente.homework.judging import (
    LOOSE,
    UNKNOWN,
    WRONG,
    Group,
    Judged,
    aliasing,
    first_odd,
    grouped,
    suspects,
)
from corrente.homework.judging import judge as judge_value
from corrente.homework.names import primal
from corrente.homework.relations import relation, sizes_of
from corrente.homework.repairing import (
    Bench,
    Fix,
    is_bare,
    search,
    search_aliases,
    search_forward,
    site_at,
)
from corrente.homework.results import Result, compare, wrong
from corrente.homework.splitting import part
from corrente.homework.truth import Truth, find_truth, numeric_truth, wires_of
from corrente.homework.verdicts import Verdict

SEARCH_SECONDS, CACHE_SECONDS = 6.0, 2.0
Tell = Callable[[Verdict], None]


class Case(NamedTuple):
    """An exercise run at one point: the truth, the backward pass, and how they compare."""

    exercise: Exercise
    truth: Truth
    ran: Ran
    upstream: list[Any]
    log: Log
    results: list[Result]
    fault: BaseException | None


def judge(exercise: Exercise, tell: Tell) -> None:
    """Check one exercise; `tell` is called with a first verdict, and again with a better one."""
    exercise = _joint(exercise)
    try:
        case = look(exercise)
    except telling.Hopeless as hopeless:
        tell(hopeless.verdict)
        return
    if case.fault is None and not case.results:
        tell(telling.unpaired(exercise))
        return
    if case.fault is None and not wrong(case.results):
        tell(telling.right(exercise, case.results))
        return
    if case.fault is None and _right_nearby(case):
        tell(telling.right(exercise, case.results, kink=True))
        return
    accuse(case, tell)


def _joint(exercise: Exercise) -> Exercise:
    """Find the forward pass in a function of both."""
    if exercise.forward != exercise.backward:
        return exercise
    parted = part(exercise.backward_node)
    if parted is None:
        return exercise
    return replace(exercise, outs=parted.outs)


def look(exercise: Exercise) -> Case:
    """Run both passes of an exercise, and find the truth."""
    exercise, ran, truth_of = _forward(exercise)
    truth, upstream = truth_of
    units, sites = instrument(dict(exercise.space.units))
    log = Log(sites, copied)
    names = exercise.space.build(units, log.names())
    fault: BaseException | None = None
    results: list[Result] = []
    try:
        returned, owner = run_backward(exercise, names, ran, upstream)
    except Unfit as unfit:
        raise telling.Hopeless(telling.unbound(exercise, str(unfit))) from None
    except MemoryError:
        raise
    except Exception as error:
        fault = error
    else:
        variables = _variables(log, exercise)
        results = compare(exercise, truth, returned, owner, variables)
    return Case(exercise, truth, ran, upstream, log, results, fault)


def _variables(log: Log, exercise: Exercise) -> dict[str, Any]:
    return {
        key: value
        for note in log.notes
        if note.site.function == exercise.backward
        for key, value in zip(note.site.writes, note.values, strict=True)
        if value is not None
    }


def _forward(exercise: Exercise) -> tuple[Exercise, Ran, tuple[Truth, list[Any]]]:
    """Run the forward pass plainly, with whole numbers as floats if it takes them so."""
    error: BaseException | None = None
    for candidate in (with_floats(exercise), exercise):
        changed = _forward_units(candidate)
        units, sites = instrument(dict(candidate.space.units) | changed)
        log = Log(sites, copied)
        names = candidate.space.build(units, log.names())
        try:
            ran = run_forward(candidate, names, log)
        except MemoryError:
            raise
        except Exception as fault:
            error = error or fault
            continue
        upstream = _upstream(candidate, ran)
        return candidate, ran, (_truth(candidate, ran, upstream, changed), upstream)
    assert error is not None
    raise telling.Hopeless(telling.forward_raised(exercise, error)) from error


def _forward_units(exercise: Exercise) -> dict[str, Any]:
    if not exercise.joint:
        return {}
    parted = part(exercise.backward_node)
    assert parted is not None
    return {exercise.forward: parted.forward}


def _upstream(exercise: Exercise, ran: Ran) -> list[Any]:
    """Make an upstream gradient for each output: given, random, or one for a plain scalar."""
    outs = ran.split.outs
    arrays = [np.asarray(out) for out in outs]
    if any(array.dtype.kind not in "fiub" for array in arrays):
        raise telling.Hopeless(telling.strange_output(exercise))
    if exercise.upstream is not None:
        return list(exercise.upstream)
    if exercise.joint:
        return [_seed(exercise, name, a) for name, a in zip(exercise.outs, arrays, strict=True)]
    receiving = upstream_names(exercise, set(ran.plain))
    rng = np.random.default_rng(SEED)
    made: list[Any] = []
    for array in arrays:
        if not receiving:
            made.append(np.ones(array.shape) if array.ndim else 1.0)
        else:
            drawn = rng.normal(size=array.shape) + 0.1
            made.append(drawn if array.ndim else float(drawn))
    return made


def _seed(exercise: Exercise, name: str, array: Any) -> Any:
    """The seed of a function of both: one, or what the student draws for an array."""
    if name != exercise.outs[0]:
        return np.zeros(array.shape)
    if not array.ndim:
        return 1.0
    units, sites = instrument(dict(exercise.space.units))
    log = Log(sites, copied)
    # where it raises, what was noted until then is enough
    with contextlib.suppress(Exception):
        run_backward(exercise, exercise.space.build(units, log.names()), _NO_RUN, ())
    known = {name}
    for note in log.notes:
        for key, value in zip(note.site.writes, note.values, strict=True):
            if primal(key, known) == name and np.shape(value) == array.shape:
                return value
    return np.ones(array.shape)


_NO_RUN: Any = None


def _truth(
    exercise: Exercise, ran: Ran, upstream: Sequence[Any], changed: Mapping[str, Any]
) -> Truth:
    units, sites = instrument(dict(exercise.space.units) | dict(changed))
    log = Log(sites, wires_of)
    try:
        with np.errstate(all="ignore"):
            return find_truth(exercise, log, units, upstream, set(ran.plain))
    except MemoryError:
        raise
    except Exception as error:
        try:
            return numeric_truth(exercise, upstream, set(ran.plain))
        except Exception:
            raise telling.Hopeless(telling.untraced(exercise, error)) from error


def _moved(value: Any, rng: np.random.Generator, far: float) -> Any:
    """Move floats a little; whole numbers among arrays stay, so that masks stay masks."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        step = far * rng.normal(size=value.shape)
        return value * (1 + step) + far * 0.1 * (value != np.rint(value)) * step
    if isinstance(value, float):
        return value * (1 + far * rng.normal())
    if type(value) is list and all(type(part) is float for part in value):
        return [_moved(part, rng, far) for part in value]
    return value


def _right_nearby(case: Case) -> bool:
    """Tell whether a pass that is wrong here is right a little beside: then this is a kink."""
    rng = np.random.default_rng(SEED)

    def shaken(value: Any) -> Any:
        floats = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value + 1e-3 * rng.normal(size=value.shape) if floats else value

    for move in (lambda value: _moved(value, rng, 1e-3), shaken):
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
    first = _foremost(tiers[0]) if tiers else None
    tell(_verdict(case, first, None))
    known = set(case.truth.names) | case.truth.plain
    wanted = frozenset(case.truth.inputs) if case.fault else wrong(case.results)
    bench = Bench(
        case.exercise,
        case.truth,
        case.upstream,
        case.ran,
        case.log,
        wanted,
        frozenset(upstream_names(case.exercise, known)),
        time.monotonic() + SEARCH_SECONDS,
    )
    bench.second = _second(case, bench)
    fix = search_aliases(bench, aliasing(case.log, groups)) or search(bench, tiers)
    if (fix is None or not fix.complete) and not case.exercise.joint:
        bench.deadline = max(bench.deadline, time.monotonic() + CACHE_SECONDS)
        fix = _in_the_cache(case, bench) or fix
    tell(_verdict(case, fix.group if fix else first, fix))


def _foremost(tier: Sequence[Group]) -> Group:
    """Choose whom to accuse before any change has been tried."""
    return next((group for group in tier if group.judged.status == WRONG), tier[-1])


def _second(case: Case, bench: Bench) -> Bench | None:
    """Prepare the same trials at another point."""
    rng = np.random.default_rng(SEED + 1)
    inputs = {k: _moved(v, rng, 0.15) for k, v in case.exercise.inputs.items()}
    try:
        other = look(replace(case.exercise, inputs=inputs))
    except (telling.Hopeless, CorrenteError):
        return None
    wanted = frozenset(other.truth.inputs)
    return replace(
        bench,
        exercise=other.exercise,
        truth=other.truth,
        upstream=other.upstream,
        ran=other.ran,
        log=other.log,
        wrong=wanted,
    )


def _backward_groups(case: Case) -> list[Group]:
    groups = grouped(case.log, case.truth)
    if case.exercise.joint:
        parted = part(case.exercise.backward_node)
        assert parted is not None
        helpers = [g for g in groups if g.notes[0].site.function != case.exercise.backward]
        wanted = {id(g) for g in groups if g.key in parted.gradients} | {id(g) for g in helpers}
        groups = [g for g in groups if id(g) in wanted]
    for note in case.log.notes:
        if isinstance(note.site.node, ast.Return):
            reads = {g.key: g for g in groups if g.scope == note.scope and g.key in note.site.reads}
            written = {k for n in case.log.notes if n.scope == note.scope for k in n.site.writes}
            if is_bare(note.site.node) and note.site.reads <= written:
                continue
            groups.append(
                Group("return", note.scope, [note], None, reads, position=len(groups) + 10_000)
            )
    return groups


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


def _in_the_cache(case: Case, bench: Bench) -> Fix | None:
    units, sites = instrument(dict(case.exercise.space.units))
    log = Log(sites, copied)
    run_forward(case.exercise, case.exercise.space.build(units, log.names()), log)
    return search_forward(bench, log)


def _verdict(case: Case, group: Group | None, fix: Fix | None) -> Verdict:
    """Put what was found into words."""
    if group is None:
        return telling.somewhere(case.exercise, case.results)
    site = fix.site if fix is not None else first_odd(case.truth, group)
    true, found = group.judged.true, group.value
    if fix is not None and true is None and fix.value is not None:
        true = fix.value
    if not site.writes:
        bad = next((result for result in case.results if not result.right), None)
        found, true = (bad.found, bad.true) if bad is not None else (found, true)
    mistake = fix.edit.mistake if fix is not None else relation(found, true, sizes_of(case.truth))
    if fix is None and group.judged.incomplete:
        mistake = "path"
    version = group.judged.version
    if version is None and fix is not None:
        version = judge_value(case.truth, group.key, fix.value).version
    picture = None
    if version is not None and version.shape is None:
        try:
            picture = draw(case.truth, version.wires[0], case.exercise.forward)
        except Exception:
            picture = None
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
