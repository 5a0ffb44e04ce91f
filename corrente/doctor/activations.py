"""Activations that let nothing through: dead relus, saturated squashers, ties."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Step
from corrente.convention import ties
from corrente.derivatives import value_and_grad
from corrente.doctor.again import Change, slope_at
from corrente.doctor.budget import length
from corrente.doctor.exam import Exam, at
from corrente.doctor.findings import Effect, Finding, Plot, rms
from corrente.figures import number
from corrente.gates.networks import relu, sigmoid
from corrente.trees import take_apart
from corrente.words import Says

DEAD = 0.8
"""Part of a layer's units that must be dead before the layer is called ill for that alone."""
DEEP = 3.0
"""A unit is dead for sure when even its best example is this many layer scales below the bend."""
DYING = 0.25
"""Part of a layer's units that must be dead for sure during training, where a few always die."""
FLAT = 1e-3
"""Local gradient below which an element counts as saturated."""
SATURATED = 0.5
"""Part of a layer's elements that may be saturated."""
LEARNED = 2.0
"""How many times as high the loss may become when a hidden layer is made less saturated: beyond,
what the network knows is in those signs."""
MATTERS = 0.01
"""Part of the gradient that must hang on how ties are shared."""
_REACHING = Says("gradient that arrives at {0}", "gradiente que chega a {0}")


# --- dead relus -----------------------------------------------------------------------------------


Leaks = dict[int, Callable[..., Any]]


class _Rectifier(NamedTuple):
    """A step that passes positive numbers only: its index, the operand, and is it shut at 0."""

    step: int
    position: int
    shut: bool = True


def _rectifiers(exam: Exam) -> Iterator[_Rectifier]:
    for k, step in enumerate(exam.circuit.steps):
        if step.gate.of is relu:
            yield _Rectifier(k, 0)
        elif step.gate.of in (np.maximum, np.fmax, np.where):
            position = _kept(exam, step)
            if position is not None:
                yield _Rectifier(k, position, step.gate.of is np.where)
        elif step.gate.of is np.multiply and _gated(exam, step) is not None:
            yield _Rectifier(k, _gated(exam, step) or 0)


def _kept(exam: Exam, step: Step) -> int | None:
    """Return which operand a choice against zero keeps; None if it is no relu."""
    choices = (0, 1) if step.gate.of is not np.where else (1, 2)
    for p, q in (choices, choices[::-1]):
        other = exam.run.values[step.ins[q]]
        if not exam.depends[step.ins[q]] and np.ndim(other) == 0 and other == 0:
            return p if exam.depends[step.ins[p]] and _is_positive_part(exam, step, p) else None
    return None


def _is_positive_part(exam: Exam, step: Step, position: int) -> bool:
    kept = np.asarray(exam.run.values[step.ins[position]])
    return np.array_equal(exam.run.values[step.outs[0]], np.maximum(kept, 0))


def _gated(exam: Exam, step: Step) -> int | None:
    """Return which factor is kept by `x * (x > 0)`."""
    for p in (0, 1):
        other = np.asarray(exam.run.values[step.ins[1 - p]])
        if other.dtype.kind == "b" and exam.depends[step.ins[p]]:
            return p if _is_positive_part(exam, step, p) else None
    return None


def check_relus(exam: Exam) -> Iterator[Finding]:
    """Find hidden layers whose units are shut for every example: no gradient can open them."""
    relus = list(_rectifiers(exam))
    leaks: Leaks = {k: _leaky(position) for k, position, _ in relus}
    for k, position, shut in relus:
        step = exam.circuit.steps[k]
        wire = step.ins[position]
        z = np.asarray(exam.run.values[wire])
        if z.ndim and z.size > 1 and exam.weighs(step.outs[0]):
            found = _dead(exam, k, position, _by_unit(z), shut, leaks)
            if found is not None:
                yield found


def _by_unit(z: np.ndarray) -> np.ndarray:
    """Lay examples down and units across; units of images are their channels."""
    if z.ndim == 1:
        return z[None]
    axis = 1 if z.ndim == 4 else z.ndim - 1
    return np.moveaxis(z, axis, -1).reshape(-1, z.shape[axis])


def _dead(
    exam: Exam, k: int, position: int, units: np.ndarray, shut: bool, leaks: Leaks
) -> Finding | None:
    rows, count = units.shape
    best = units.max(axis=0)
    dead = best <= 0 if shut else best < 0
    alive = units[:, ~dead]
    scale = rms(alive) if alive.size else 0.0
    sure = dead & (best < -DEEP * scale) if scale else dead & False
    whole = dead.mean() >= (DEAD if rows >= 8 else 1.0) and count > 1
    deep = rows >= 8 and sure.any() and sure.mean() >= (DYING if exam.training else 0.0)
    if not (whole or deep):
        return None
    which = dead if whole else sure
    out, place = exam.name(exam.circuit.steps[k].outs[0]), exam.place(k)
    wire = exam.circuit.steps[k].ins[position]
    says = Says(
        "{0} of {1} units of {2} are dead: {3} is negative for all {4} examples (unit {5} reaches "
        "{6} at most), so no gradient passes and they cannot come back.",
        "{0} de {1} unidades de {2} estão mortas: {3} é negativo em todos os {4} exemplos (a "
        "unidade {5} chega no máximo a {6}); nenhum gradiente passa, e elas não voltam.",
    ).fill(
        int(which.sum()),
        count,
        out,
        exam.name(wire),
        rows,
        int(np.argmax(which)),
        number(best[np.argmax(which)], 3),
    )
    advice = Says(
        "start the biases at 0 and the weights smaller, lower the rate, or let a little through: "
        "co.nn.leaky_relu.",
        "comece com vieses em 0 e pesos menores, baixe a taxa, ou deixe passar um pouco: "
        "co.nn.leaky_relu.",
    )
    effects = _leaking(exam, wire, leaks)
    bars = tuple((float(unit), float(top)) for unit, top in enumerate(best))
    title = Says("greatest {0} of each unit", "maior {0} de cada unidade").fill(exam.name(wire))
    plot = Plot(title, ((Says("units", "unidades"), bars),), bars=True)
    return Finding("dead-relu", out, place, int(which.sum()), says, advice, effects, (plot,))


def _leaky(position: int) -> Callable[..., Any]:
    def leaky(*operands: Any) -> Any:
        x = operands[position]
        return np.where(np.greater(x, 0), x, 0.01 * x)

    return leaky


def _leaking(exam: Exam, wire: int, leaks: Leaks) -> tuple[Effect, ...]:
    """Let a hundredth through where relus are shut, and measure what arrives before one."""
    units = [
        _by_unit(np.asarray(slope_at(exam.circuit, exam.run.values, wire, change)))
        for change in (Change(), Change(instead=leaks))
    ]
    shut = [int(np.sum(~each.any(axis=0))) for each in units]
    return (
        Effect(Says("units without gradient", "unidades sem gradiente"), shut[0], shut[1]),
        Effect(_REACHING.fill(exam.name(wire)), length(units[0]), length(units[1])),
    )


# --- saturated squashers --------------------------------------------------------------------------


def _squashers(exam: Exam) -> Iterator[tuple[int, int, np.ndarray]]:
    """Go through sigmoids and tanhs: step, the wire that is squashed, and the local gradients."""
    for k, step in enumerate(exam.circuit.steps):
        if not exam.depends[step.outs[0]]:
            continue
        out = np.asarray(exam.run.values[step.outs[0]])
        if step.gate.of is np.tanh and out.dtype.kind == "f":
            yield k, step.ins[0], 1.0 - out**2
        elif step.gate.of is sigmoid:
            yield k, step.ins[0], 4.0 * out * (1.0 - out)
        elif (wire := _spelled_out(exam, k)) is not None:
            yield k, wire, 4.0 * out * (1.0 - out)


def _spelled_out(exam: Exam, k: int) -> int | None:
    """Return the wire under exp in `1 / (1 + np.exp(-z))`; None for anything else."""
    steps, makers = exam.circuit.steps, exam.circuit.makers
    if steps[k].gate.of is not np.divide or not _is_one(exam, steps[k].ins[0]):
        return None
    add = makers.get(steps[k].ins[1])
    if add is None or steps[add].gate.of is not np.add:
        return None
    for p in (0, 1):
        power = makers.get(steps[add].ins[1 - p])
        if _is_one(exam, steps[add].ins[p]) and power is not None:
            return steps[power].ins[0] if steps[power].gate.of is np.exp else None
    return None


def _is_one(exam: Exam, wire: int) -> bool:
    return wire in exam.circuit.held and bool(np.all(exam.run.values[wire] == 1))


def check_squashers(exam: Exam) -> Iterator[Finding]:
    """Find layers most of whose sigmoids or tanhs stand where they are flat."""
    for k, wire, local in _squashers(exam):
        flat = float(np.mean(local < FLAT)) if local.size else 0.0
        if flat >= SATURATED and not exam.house(k):
            found = _saturated(exam, k, wire, flat)
            if found is not None:
                yield found


def _saturated(exam: Exam, k: int, wire: int, flat: float) -> Finding | None:
    out = exam.circuit.steps[k].outs[0]
    size = exam.size_of(wire)
    shrink = Change(swap={key: _divided(size) for key in exam.readers(wire)})
    trial = exam.model(shrink)
    # a last layer may be sure of itself, and right; in a hidden one's signs may be what was learned
    limit = exam.value + (LEARNED - 1.0) * abs(exam.value) * exam.weighs(out)
    if trial.gradient(trial.start)[0] >= limit:
        return None
    before = length(slope_at(exam.circuit, exam.run.values, wire, Change()))
    after = length(slope_at(exam.circuit, exam.run.values, wire, shrink))
    if after <= before:
        return None
    says = Says(
        "{0:.0%} of {1} is saturated: {2} is about {3}, where the slope is below {4}, and the "
        "gradient ends here.",
        "{0:.0%} de {1} está saturado: {2} vale cerca de {3}, onde a inclinação é menor que {4}, "
        "e o gradiente acaba aqui.",
    ).fill(flat, exam.name(out), exam.name(wire), number(size, 2), number(FLAT))
    advice = Says(
        "make {0} smaller: divide the weights before it by {1}, or standardise what comes in.",
        "diminua {0}: divida por {1} os pesos que vêm antes, ou padronize o que entra.",
    ).fill(exam.name(wire), number(size, 2))
    effects = (Effect(_REACHING.fill(exam.name(wire)), before, after),)
    return Finding("saturated", exam.name(out), exam.place(k), flat, says, advice, effects)


def _divided(size: float) -> Callable[[Any, Any], Any]:
    return lambda value, values: value / size


# --- ties -----------------------------------------------------------------------------------------


def check_ties(exam: Exam) -> Iterator[Finding]:
    """Find ties on which the gradient hangs: another convention would give another one."""
    tied = [found for k in range(len(exam.circuit.steps)) for found in _tied(exam, k)]
    if not tied:
        return
    changes = _by_convention(exam, exam.args)
    if changes < MATTERS:
        return
    k, count, index = max(tied, key=lambda each: each[1])
    step = exam.circuit.steps[k]
    says = Says(
        "{0} ties of {1} (first at element {2}) decide {3:.0%} of the gradient: there it is a "
        "convention, not a derivative.",
        "{0} empates em {1} (o primeiro no elemento {2}) decidem {3:.0%} do gradiente: ali ele é "
        "uma convenção, não uma derivada.",
    ).fill(count, exam.name(step.outs[0]), at(index) or "()", changes)
    advice = Says(
        "break the symmetry: start from small random numbers instead of equal ones (or choose "
        'the convention, with co.ties("first")).',
        "quebre a simetria: parta de números aleatórios pequenos em vez de iguais (ou escolha a "
        'convenção, com co.ties("first")).',
    )
    effect = Effect(
        Says(
            "part of the gradient that hangs on the convention",
            "parte do gradiente que depende da convenção",
        ),
        changes,
        _by_convention(exam, _shaken(exam)),
    )
    yield Finding("tie", exam.name(step.outs[0]), exam.place(k), count, says, advice, (effect,))


def _tied(exam: Exam, k: int) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    step = exam.circuit.steps[k]
    g = exam.grad(step.outs[0])
    if g is None:
        return
    values = [np.asarray(exam.run.values[wire]) for wire in step.ins]
    if step.gate.of in (np.maximum, np.minimum, np.fmax, np.fmin):
        found = np.equal(*values) & (np.asarray(g) != 0)
    elif step.gate.of in (np.max, np.min):
        axes = tuple(step.params.get("axis") or range(values[0].ndim))
        out = values[0].max(axis=axes, keepdims=True)
        if step.gate.of is np.min:
            out = values[0].min(axis=axes, keepdims=True)
        found = np.sum(values[0] == out, axis=axes, keepdims=True) > 1
    else:
        return
    if found.any():
        yield k, int(np.count_nonzero(found)), tuple(int(n) for n in np.argwhere(found)[0])


def _by_convention(exam: Exam, args: tuple[Any, ...]) -> float:
    """Return how much of the gradient changes when ties are shared in another way."""
    found = []
    for rule in ("split", "first", "both"):
        with ties(rule), np.errstate(all="ignore"):
            slope = value_and_grad(exam.loss, argnums=exam.argnums)(*args)[1]
        found.append(take_apart(slope).leaves)
    size = math.hypot(*(length(leaf) for leaf in found[0]))
    away = max(
        math.hypot(*(length(np.subtract(a, b)) for a, b in zip(found[0], other, strict=True)))
        for other in found[1:]
    )
    return away / size if size else float(away > 0)


def _shaken(exam: Exam) -> tuple[Any, ...]:
    """Move every parameter by a random millionth."""
    rng = np.random.default_rng(0)
    chosen = exam.argnums if isinstance(exam.argnums, tuple | list) else (exam.argnums,)
    args = list(exam.args)
    for position in chosen:
        tree = take_apart(args[position])
        args[position] = tree.build([_nudged(leaf, rng) for leaf in tree.leaves])
    return tuple(args)


def _nudged(leaf: Any, rng: np.random.Generator) -> Any:
    step = 1e-6 * (1.0 + rms(leaf))
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
        return leaf + (step * rng.normal(size=leaf.shape)).astype(leaf.dtype)
    return leaf + step * float(rng.normal()) if isinstance(leaf, float) else leaf
