"""One look at an exercise: both passes run at one point, beside the truth."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from corrente.homework import telling
from corrente.homework.exercise import (
    SEED,
    Exercise,
    Ran,
    Unfit,
    copied,
    readings,
    run_backward,
    run_forward,
    upstream_names,
    with_floats,
)
from corrente.homework.instrumenting import Log, instrument
from corrente.homework.names import primal
from corrente.homework.results import Result, compare, wrong
from corrente.homework.splitting import part
from corrente.homework.truth import Truth, find_truth, numeric_truth, wires_of


class Case(NamedTuple):
    """An exercise run at one point: the truth, the backward pass, and how they compare."""

    exercise: Exercise
    truth: Truth
    ran: Ran
    upstream: list[Any]
    log: Log
    results: list[Result]
    fault: BaseException | None
    returned: Any = None


def _joint(exercise: Exercise) -> Exercise:
    """Find the forward pass in a function of both."""
    if exercise.forward != exercise.backward:
        return exercise
    parted = part(exercise.backward_node)
    if parted is None:
        return exercise
    return replace(exercise, outs=parted.outs)


def look_closely(exercise: Exercise) -> Case:
    """Run both passes; where a parameter has no value, with whatever fits best in its place."""
    exercise = _joint(exercise)
    try:
        return look(exercise)
    except telling.Unbound as unbound:
        cases = [look(each) for each in readings(exercise, unbound.ran)]
        if not cases:
            raise
        return min(cases, key=_badness)


def _badness(case: Case) -> tuple[bool, bool, int]:
    return case.fault is not None, not case.results, len(wrong(case.results))


def look(exercise: Exercise) -> Case:
    """Run both passes of an exercise, and find the truth."""
    exercise, ran, truth_of = _forward(exercise)
    truth, upstream = truth_of
    units, sites = instrument(dict(exercise.space.units))
    log = Log(sites, copied)
    names = exercise.space.build(units, log.names())
    fault: BaseException | None = None
    try:
        returned, owner = run_backward(exercise, names, ran, upstream)
    except Unfit as unfit:
        raise telling.Unbound(telling.unbound(exercise, str(unfit)), ran) from None
    except MemoryError:
        raise
    except Exception as error:
        fault = error
    else:
        variables = _variables(log, exercise)
        results = compare(exercise, truth, returned, owner, variables)
        return Case(exercise, truth, ran, upstream, log, results, None, returned)
    return Case(exercise, truth, ran, upstream, log, [], fault)


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


def moved(value: Any, rng: np.random.Generator, far: float) -> Any:
    """Move floats a little; whole numbers among arrays stay, so that masks stay masks."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        step = far * rng.normal(size=value.shape)
        return value * (1 + step) + far * 0.1 * (value != np.rint(value)) * step
    if isinstance(value, float):
        return value * (1 + far * rng.normal())
    if type(value) is list and all(type(part) is float for part in value):
        return [moved(part, rng, far) for part in value]
    return value
