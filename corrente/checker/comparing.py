"""Two numbers for one derivative: by the rules, and by differences of the values."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.backprop import mark
from corrente.checker.leaves import draw, inner, pack, scale_of, unpack
from corrente.checker.paths import Kink, Mark, crossed, path_of
from corrente.circuit import Circuit
from corrente.derivatives import jvp, vjp
from corrente.errors import NoGate, NotSupported
from corrente.interpreter import interpret
from corrente.recording import result_wires, run

DIRECTIONS = 2
HALVINGS = 5
SMALLEST_STEP = 1e-9
GOOD_ENOUGH = 1e-7
SINGLE_RTOL = 1e-3


class Rules(NamedTuple):
    """How much two numbers may differ beyond the error of the difference itself."""

    rtol: float
    atol: float


class Problem(NamedTuple):
    """A function from float leaves to float leaves, and the point where it is looked at."""

    function: Callable[..., tuple[Any, ...]]
    point: tuple[Any, ...]


class Look(NamedTuple):
    """A problem looked at in its point: results, path, circuit, precision, greatest number."""

    problem: Problem
    outs: tuple[Any, ...]
    path: list[Mark]
    circuit: Circuit
    precision: float
    magnitude: float


def look_at(problem: Problem) -> Look:
    """Run a problem's function in its point, plainly and on a tape."""
    recording = run(problem.function, problem.point, {}, range(len(problem.point)))
    tape = recording.tape
    circuit = tape.freeze(wire for wire in result_wires(recording)[1] if wire is not None)
    active = mark(circuit.steps, tape.wanted, len(circuit.wires))
    wires = [wire for wire in circuit.wires if wire.dtype.kind in "fc" and active[wire.id]]
    precision = max((float(np.finfo(wire.dtype).eps) for wire in wires), default=0.0)
    sizes = [np.abs(tape.values[wire.id]) for wire in wires]
    magnitude = max((float(np.max(s, initial=0.0, where=np.isfinite(s))) for s in sizes), default=0)
    outs = problem.function(*problem.point)
    return Look(problem, outs, path_of(recording), circuit, precision, magnitude)


class Numeric(NamedTuple):
    """A derivative from differences, its own error, and the step it was taken with."""

    value: float
    error: float
    step: float


class Comparison(NamedTuple):
    """An analytic and a numeric number for ⟨weights, J·direction⟩, and how far they may part."""

    chain: tuple[str, ...]
    direction: np.ndarray
    weights: np.ndarray
    analytic: float
    numeric: float
    noise: float
    allowed: float
    single: bool = False
    broken: Exception | None = None

    @property
    def wrong(self) -> bool:
        return self.broken is not None or not self.difference <= self.allowed

    @property
    def difference(self) -> float:
        return abs(self.analytic - self.numeric)

    @property
    def telling(self) -> bool:
        """Tell whether the numbers stand out of the noise: else their relative error is none."""
        return max(abs(self.analytic), abs(self.numeric)) > self.noise / GOOD_ENOUGH


def differences(look: Look, direction: np.ndarray, weights: np.ndarray) -> Numeric | Kink:
    """Take central differences with smaller and smaller steps; keep the surest.

    Richardson: the difference of two steps, h and h/2, shows the error of both.
    """
    best: Numeric | None = None
    kink: Kink | None = None
    step = look.precision**0.2
    while step > SMALLEST_STEP:
        found = _difference(look, direction, weights, step)
        if isinstance(found, Kink):
            kink = kink or found
        elif best is None or found.error < best.error:
            best = found
        if best is not None and best.error <= GOOD_ENOUGH * abs(best.value):
            break
        step /= 8.0
    if best is None:
        return kink or Kink("?", None)
    return refined(look, direction, weights, best)


def _difference(
    look: Look, direction: np.ndarray, weights: np.ndarray, step: float
) -> Numeric | Kink:
    function, point = look.problem
    start = pack(point)
    slopes, size = [], 0.0
    for h in (step, 0.5 * step):
        ends = []
        for sign in (1.0, -1.0):
            moved = unpack(start + sign * h * direction, point)
            recording = run(function, moved, {}, range(len(point)))
            kink = crossed(look.path, path_of(recording))
            if kink is not None:
                return kink
            ends.append(pack(function(*moved)))
        slopes.append(inner((ends[0] - ends[1]) / (2.0 * h), weights)[0])
        size = inner(ends[0], weights)[1]
    rounding = 4.0 * look.precision * (size + abs(slopes[1])) / step
    value = (4.0 * slopes[1] - slopes[0]) / 3.0
    return Numeric(value, abs(slopes[1] - slopes[0]) + rounding, step)


def refined(look: Look, direction: np.ndarray, weights: np.ndarray, rough: Numeric) -> Numeric:
    """Step into the imaginary, which loses no digits, where the program is analytic.

    Trusted only where it agrees with the difference: a gate that drops imaginary parts
    without a word cannot mislead.
    """
    steps = look.circuit.steps
    if any(step.gate.side or not step.gate.differentiable for step in steps):
        return rough
    start, point = pack(look.problem.point), look.problem.point
    moved = unpack(start + 1e-30j * direction, [np.asarray(leaf, complex) for leaf in point])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ends = pack(interpret(look.circuit, *moved))
    except Exception:
        return rough
    if ends.size != weights.size:
        return rough
    value = float(np.sum(np.imag(ends * weights))) * 1e30
    near = abs(value - rough.value) <= rough.error
    # exact but for rounding, which is allowed for where numbers are compared
    return rough._replace(value=value, error=0.0) if near else rough


def slope(look: Look, direction: np.ndarray, weights: np.ndarray, mode: str) -> tuple[float, float]:
    """Return the analytic ⟨weights, J·direction⟩ and the size of what was added up for it."""
    function, point = look.problem
    if mode == "fwd":
        moved = jvp(function, point, unpack(direction, point))[1]
        return inner(pack(moved), weights)
    gradient = vjp(function, *point)[1](unpack(weights, look.outs))
    return inner(pack(gradient), direction)


def compare(
    look: Look,
    direction: np.ndarray,
    weights: np.ndarray,
    numeric: Numeric,
    chain: tuple[str, ...],
    rules: Rules,
) -> Comparison:
    try:
        analytic, size = slope(look, direction, weights, chain[-1])
    except (NoGate, NotSupported):
        raise
    except Exception as broken:
        none = math.nan, numeric.value, 0.0, 0.0
        return Comparison(chain, direction, weights, *none, broken=broken)
    reach = max(1.0, float(np.abs(direction).max(initial=0.0))) * float(
        np.abs(weights).max(initial=0.0)
    )
    rounding = size / numeric.step + look.magnitude * reach
    noise = numeric.error + 4.0 * look.precision * rounding
    allowed = rules.atol + rules.rtol * max(abs(analytic), abs(numeric.value)) + noise
    return Comparison(chain, direction, weights, analytic, numeric.value, noise, allowed)


def jitter(
    look: Look, direction: np.ndarray, weights: np.ndarray, mode: str, analytic: float
) -> float:
    """Tell how much rounding there is in a derivative: how it changes a rounding error away."""
    point = look.problem.point
    changes = []
    for away in (2.0, -3.0):
        moved = unpack(pack(point) + away * look.precision * direction, point)
        near = look._replace(problem=look.problem._replace(point=moved))
        changes.append(abs(slope(near, direction, weights, mode)[0] - analytic))
    return 10.0 * max(changes)


Event = Comparison | Kink


def examine(
    problem: Problem,
    order: int,
    modes: tuple[str, ...],
    rng: np.random.Generator,
    rules: Rules,
    chain: tuple[str, ...] = (),
) -> Iterator[Event]:
    """Compare the derivatives of one order in all modes, then those of each derivative."""
    try:
        look = look_at(problem)
    except (NoGate, NotSupported):
        raise
    except Exception as broken:
        if not chain:
            raise
        nothing = np.zeros(0)
        yield Comparison(
            (*chain, modes[0]), nothing, nothing, math.nan, math.nan, 0.0, 0.0, broken=broken
        )
        return
    for _ in range(DIRECTIONS):
        direction = draw(problem.point, rng) * scale_of(problem.point)
        weights = draw(look.outs, rng)
        yield from along(look, direction, weights, modes, rules, chain, HALVINGS)
    if order > 1:
        for mode in modes:
            further = derived(look, mode, rng)
            yield from examine(further, order - 1, modes, rng, rules, (*chain, mode))


def along(
    look: Look,
    direction: np.ndarray,
    weights: np.ndarray,
    modes: tuple[str, ...],
    rules: Rules,
    chain: tuple[str, ...],
    halvings: int,
) -> Iterator[Event]:
    """Compare along a direction; where it crosses a kink, along each half of its elements."""
    numeric = differences(look, direction, weights)
    if isinstance(numeric, Numeric):
        for mode in modes:
            yield compare(look, direction, weights, numeric, (*chain, mode), rules)
    elif halvings and np.count_nonzero(direction) > 1:
        for half in halves(direction):
            yield from along(look, half, weights, modes, rules, chain, halvings - 1)
    else:
        yield numeric


def halves(direction: np.ndarray) -> list[np.ndarray]:
    places = np.flatnonzero(direction)
    parts = [np.zeros_like(direction), np.zeros_like(direction)]
    for part, kept in zip(parts, np.array_split(places, 2), strict=True):
        part[kept] = direction[kept]
    return parts


def derived(look: Look, mode: str, rng: np.random.Generator) -> Problem:
    """Make the problem of the next order: the gradient, or the tangent, as a function."""
    function, point = look.problem
    if mode == "rev":
        weights = unpack(draw(look.outs, rng), look.outs)
        return Problem(lambda *x: tuple(vjp(function, *x)[1](weights)), point)
    direction = unpack(draw(point, rng), point)
    return Problem(lambda *x: tuple(jvp(function, x, direction)[1]), point)


def in_single(
    problem: Problem, wide: Problem, modes: Sequence[str], seed: int, rules: Rules
) -> Iterator[Event]:
    """Compare the derivative in the arguments' own precision with the one in float64."""
    look, sure = look_at(problem), look_at(wide)
    kink = crossed(sure.path, look.path)
    if kink is not None:
        yield kink
        return
    rng = np.random.default_rng(seed)
    direction = draw(problem.point, rng) * scale_of(problem.point)
    weights = draw(look.outs, rng)
    for mode in modes:
        analytic, size = slope(look, direction, weights, mode)
        numeric, _ = slope(sure, direction, weights, mode)
        noise = jitter(look, direction, weights, mode, analytic)
        noise += 100.0 * look.precision * size
        allowed = rules.atol + SINGLE_RTOL * max(abs(analytic), abs(numeric)) + noise
        yield Comparison(
            (mode,), direction, weights, analytic, numeric, noise, allowed, single=True
        )
