"""The `where` trap: NaN from the branch that was not taken, and the rewrite that is safe."""

from __future__ import annotations

import ast
import contextlib
import math
from typing import Any, NamedTuple

import numpy as np

from corrente.doctor.again import Change, Model, Swaps, Values
from corrente.doctor.exam import Exam, at
from corrente.doctor.findings import Effect, Finding
from corrente.doctor.mending import (
    Fault,
    first,
    fits,
    guarded,
    harmless,
    operands,
    sick,
    subsets,
    tried,
)
from corrente.figures import number
from corrente.words import Says

_CHOOSERS = {"where": (1, 2)}
NEARBY = 3
"""Points beside the given one at which a rewrite is compared with the original."""


class Choice(NamedTuple):
    """The step that left a branch out, the wire of its condition, and whether it is negated."""

    step: int
    condition: int
    negated: bool


def left_out(exam: Exam, wire: int) -> Choice | None:
    """Look forward from a wire for the `where` that did not take it."""
    reach, seen = [wire], {wire}
    while reach:
        wire = reach.pop(0)
        for k, position in exam.readers(wire):
            step = exam.circuit.steps[k]
            if position in _CHOOSERS.get(step.gate.name, ()):
                return Choice(k, step.ins[0], position == 2)
            for out in step.outs:
                if out not in seen:
                    seen.add(out)
                    reach.append(out)
    return None


def trap(exam: Exam, fault: Fault, choice: Choice, others: Swaps) -> Finding:
    """Describe a trap at the step whose slope is not finite, with the rewrite that was tried."""
    index = first(fault.bad)
    k, step = fault.step, exam.circuit.steps[fault.step]
    count = int(np.count_nonzero(fault.bad))
    wire = step.ins[fault.position]
    says = Says(
        "the branch that np.where does not take still sends NaN back: {0} has no finite slope at "
        "element {1} ({2}), and 0 × ∞ is NaN; {3} of {4} elements.",
        "o ramo que o np.where não toma ainda devolve NaN: {0} não tem inclinação finita no "
        "elemento {1} ({2}), e 0 × ∞ é NaN; {3} de {4} elementos.",
    ).fill(
        exam.text(step.outs[0]),
        at(index) or "()",
        operands(exam, step, index, fault.bad.shape),
        count,
        fault.bad.size,
    )
    cure = _double_where(exam, fault, choice, others)
    guarded = exam.text(step.ins[cure.position] if cure else wire)
    safe = number(cure.safe if cure else 1.0)
    advice = Says(
        "choose before as well as after: safe = np.where({0}, {1}, {2}), and write safe in place "
        "of {1} in {3}.{4}",
        "escolha antes e também depois: safe = np.where({0}, {1}, {2}), e escreva safe em lugar "
        "de {1} em {3}.{4}",
    ).fill(
        _condition(exam, choice), guarded, safe, exam.text(step.outs[0]), cure.proof if cure else ""
    )
    effects = cure.effects if cure else ()
    return Finding("where-trap", exam.name(wire), exam.place(k), count, says, advice, effects)


class _Cure(NamedTuple):
    """A rewrite that worked: the operand that was guarded, with what, and what it changed."""

    position: int
    safe: float
    effects: tuple[Effect, ...]
    proof: Says


def _double_where(exam: Exam, fault: Fault, choice: Choice, others: Swaps) -> _Cure | None:
    """Try the safe rewrite on each operand; return the first that is finite and agrees."""
    step = exam.circuit.steps[fault.step]
    ready = exam.circuit.makers.get(choice.condition, -1) < fault.step

    def kept(values: Values) -> Any:
        condition = values[choice.condition] if ready else exam.run.values[choice.condition]
        return np.logical_not(condition) if choice.negated else condition

    for positions in subsets(step):
        swap = dict(others)
        for p in positions:
            shape = np.shape(exam.run.values[step.ins[p]])
            broad = fits(np.shape(exam.run.values[choice.condition]), shape)
            mask = kept if broad else lambda values: ~fault.bad
            swap[fault.step, p] = guarded(mask, harmless(step, p))
        change = Change(swap=swap)
        effects = tried(exam, change)
        agreeing = agreement(exam, change) if math.isfinite(effects[1].after) else None
        if agreeing is not None:
            return _Cure(positions[0], harmless(step, positions[0]), effects, agreeing)
    return None


def agreement(exam: Exam, change: Change) -> Says | None:
    """Compare the rewrite with the original here and nearby; None where they differ."""
    before, after = exam.model(), exam.model(change)
    rng = np.random.default_rng(0)
    compared, sloped = 0, 0
    for k in range(NEARBY + 1):
        point = [p + (1e-3 * k) * np.abs(p) * rng.normal(size=np.shape(p)) for p in before.start]
        (old, olds), (new, news) = before.gradient(point), after.gradient(point)
        agrees = _agrees_downhill(before, point, news, rng)
        if old != new or agrees is False:
            return None
        sloped += agrees is True
        for a, b in zip(olds, news, strict=True):
            fine = ~sick(a)
            compared += int(np.count_nonzero(fine))
            if not np.allclose(np.asarray(a)[fine], np.asarray(b)[fine], rtol=1e-9, atol=0):
                return None
    return _promise(compared, sloped)


def _promise(compared: int, sloped: int) -> Says:
    parts = [
        Says(
            " Tried here and at {0} points nearby: the loss is the same to the last bit",
            " Experimentado aqui e em {0} pontos vizinhos: a perda é a mesma até o último bit",
        ).fill(NEARBY),
        Says(
            ", so are the {0} gradients that were finite before",
            ", e também os {0} gradientes que já eram finitos",
        ).fill(compared),
        Says(
            ", and the slope agrees with differences of the original at {0} of them",
            ", e a inclinação concorda com diferenças da original em {0} deles",
        ).fill(sloped),
    ]
    kept = [part for part, holds in zip(parts, (1, compared, sloped), strict=True) if holds]
    return Says(*("".join(said) + "." for said in zip(*kept, strict=True)))


def _agrees_downhill(
    before: Model, point: list[Any], slope: list[Any], rng: np.random.Generator
) -> bool | None:
    """Compare a gradient with differences of the original loss; None where there is a kink.

    What is 0 stays 0: that is where branches end.
    """
    if any(np.asarray(p).dtype.itemsize < 8 for p in point):
        return None  # differences in single precision say little
    step = [1e-6 * np.abs(p) * rng.normal(size=np.shape(p)) for p in point]
    down, here, up = (
        float(before.loss([p + sign * d for p, d in zip(point, step, strict=True)]))
        for sign in (-1, 0, 1)
    )
    sides, told = (up - here, here - down), _inner_product(slope, step)
    smooth = abs(sides[0] - sides[1]) <= 1e-2 * (abs(sides[0]) + abs(sides[1]))
    if not math.isfinite(up + down) or not smooth or not told:
        return None
    size = _inner_product([np.abs(g) for g in slope], [np.abs(d) for d in step])
    return abs((up - down) / 2.0 - told) <= 1e-4 * size + 1e-12 * abs(here)


def _inner_product(xs: list[Any], ys: list[Any]) -> float:
    return math.fsum(float(np.sum(x * y)) for x, y in zip(xs, ys, strict=True))


def _condition(exam: Exam, choice: Choice) -> str:
    """Write the condition of a `where` as it stands in the source."""
    place = exam.place(choice.step)
    text = exam.text(choice.condition)
    with contextlib.suppress(SyntaxError):
        tree = ast.parse(place.text if place is not None else "", mode="eval").body
        if isinstance(tree, ast.Call) and tree.args:
            text = ast.unparse(tree.args[0])
    return f"~({text})" if choice.negated else text
