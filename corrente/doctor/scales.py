"""Scales that do not fit: products of large and small, and gradients that vanish or explode."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from corrente.circuit import Step
from corrente.doctor.again import Change, slope_at
from corrente.doctor.budget import Way, length
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Effect, Finding, Plot, decades, listed, rms
from corrente.doctor.trials import STABLE, Bend, bend
from corrente.figures import clip, number
from corrente.gates.networks import sigmoid
from corrente.places import Place
from corrente.record import Contract, Elementwise
from corrente.words import Says

MISMATCH = 3.0
"""Decades between two operands from which on a product is called mismatched."""
UNEVEN = 4.0
"""Decades between the relative steps of two factors from which on one rate cannot serve both."""
FADES = 4.0
"""Decades that a gradient may lose or gain, without its worst gate, before it is ill."""
FEW = 4
"""Elements from which on a value that is computed has a scale."""
SPREAD = 3
"""Gates that must take part: one alone is saturation, or a loss that is nearly at its least."""


# --- products of large and small ------------------------------------------------------------------


def check_products(exam: Exam, told: set[int], decayed: bool) -> Iterator[Finding]:
    """Find products whose operands differ by decades, one a line.

    `told` are steps found ill already. Where gradients vanish or explode (`decayed`), a hidden
    layer of another scale than its weights is a part of that, and only parameters are compared.
    """
    places: set[Place | None] = set()
    for k, step in enumerate(exam.circuit.steps):
        if k in told or exam.place(k) in places or not _is_product(exam, k, step):
            continue
        live = [bool(exam.depends[wire]) for wire in step.ins]
        if all(live):
            own = all(_is_parameter(exam, wire) for wire in step.ins)
            found = _two_factors(exam, k, step) if own or not decayed else ()
        else:
            found = _raw_data(exam, k, step, live.index(True))
        for finding in found:
            places.add(finding.where)
            yield finding


def _is_product(exam: Exam, k: int, step: Step) -> bool:
    product = isinstance(step.gate.kind, Contract) or step.gate.name == "multiply"
    if not product or len(step.ins) != 2 or exam.grad(step.outs[0]) is None or exam.house(k):
        return False
    square = exam.origin(step.ins[0]) == exam.origin(step.ins[1])
    return not square and any(exam.depends[wire] for wire in step.ins)


def _is_parameter(exam: Exam, wire: int) -> bool:
    """Tell whether a value is a parameter, or a function of one element by element."""
    while wire not in exam.run.parameters:
        wire = exam.origin(wire)
        if wire in exam.run.parameters:
            break
        step = exam.circuit.steps[exam.circuit.makers[wire]]
        live = [each for each in step.ins if exam.depends[each]]
        if not isinstance(step.gate.kind, Elementwise) or len(live) != 1:
            return False
        wire = live[0]
    return True


def _two_factors(exam: Exam, k: int, step: Step) -> Iterator[Finding]:
    own = all(_is_parameter(exam, wire) for wire in step.ins)
    if not own and min(np.size(exam.run.values[wire]) for wire in step.ins) < FEW:
        return  # one number that passes through 0 has no scale
    sizes = [exam.size_of(wire) for wire in step.ins]
    if not all(sizes) or abs(decades(*sizes)) < MISMATCH:
        return
    sent = [_part(exam, k, position) for position in (0, 1)]
    if not all(sent):
        return
    # how far a step moves each factor, in units of its own size
    relative = [g / size for g, size in zip(sent, sizes, strict=True)]
    if abs(decades(*relative)) < UNEVEN:
        return
    small, large = (0, 1) if sizes[0] < sizes[1] else (1, 0)
    names = [exam.name(wire) for wire in step.ins]
    apart = abs(decades(*sizes))
    says = Says(
        "the factors of {0} are {1:.1f} decades apart: {2} is about {3}, {4} about {5}. Each "
        "receives the gradient times the other, so {2} gets {6} and {4} only {7}.",
        "os fatores de {0} estão a {1:.1f} décadas um do outro: {2} vale cerca de {3}, {4} cerca "
        "de {5}. Cada um recebe o gradiente vezes o outro: {2} recebe {6} e {4} só {7}.",
    ).fill(
        exam.name(step.outs[0]),
        apart,
        names[small],
        number(sizes[small], 2),
        names[large],
        number(sizes[large], 2),
        number(sent[small], 2),
        number(sent[large], 2),
    )
    scales = [math.sqrt(sizes[1 - p] / sizes[p]) for p in (0, 1)]
    advice = Says(
        "bring both to one scale: {0} times {1}, {2} times {3} (the product stays what it is).",
        "ponha os dois numa só escala: {0} vezes {1}, {2} vezes {3} (o produto fica o mesmo).",
    ).fill(names[0], number(scales[0], 2), names[1], number(scales[1], 2))
    effects = _balanced(exam, k, scales, relative)
    yield Finding("scale-mismatch", names[small], exam.place(k), apart, says, advice, effects)


def _part(exam: Exam, k: int, position: int) -> float:
    """Return the size of what one step sends to one of its inputs."""
    wire = exam.circuit.steps[k].ins[position]
    for part in exam.sent(wire):
        if part.step == k and part.position == position:
            return rms(part.value)
    return 0.0


def _balanced(exam: Exam, k: int, scales: list[float], relative: list[float]) -> tuple[Effect, ...]:
    """Measure both factors at one scale: the relative steps, and the largest stable rate."""
    step = exam.circuit.steps[k]
    after = [each / scale**2 for each, scale in zip(relative, scales, strict=True)]
    effects = [
        Effect(
            Says(
                "relative step of one factor over that of the other",
                "passo relativo de um fator sobre o do outro",
            ),
            max(relative) / min(relative),
            max(after) / min(after),
        )
    ]
    model = exam.model()
    if all(wire in model.wires for wire in step.ins):
        units = dict(zip(step.ins, scales, strict=True))
        even = model.scaled([1.0 / units.get(wire, 1.0) for wire in model.wires])
        effects += _stable(bend(model), bend(even))
    return tuple(effects)


def _stable(before: Bend | None, after: Bend | None) -> list[Effect]:
    if before is None or after is None:
        return []
    return [Effect(STABLE, before.stable, after.stable)]


def _raw_data(exam: Exam, k: int, step: Step, live: int) -> Iterator[Finding]:
    """Find data far from scale one that multiply a parameter."""
    data, factor = step.ins[1 - live], step.ins[live]
    size, other = exam.size_of(data), exam.size_of(factor)
    few = np.size(exam.run.values[data]) < FEW or exam.origin(factor) not in exam.run.parameters
    if few or not size or abs(math.log10(size)) < (MISMATCH if not other else 2.0):
        return
    if other and abs(decades(size, other)) < MISMATCH:
        return
    name, weights = exam.name(data), exam.name(factor)
    sent = _part(exam, k, live)
    says = Says(
        "{0} is about {1}, and {2} about {3}: the gradient of {2} is multiplied by {0}, and is "
        "{4}; the rate must shrink with the square of that scale.",
        "{0} vale cerca de {1}, e {2} cerca de {3}: o gradiente de {2} é multiplicado por {0}, e "
        "vale {4}; a taxa precisa encolher com o quadrado dessa escala.",
    ).fill(name, number(size, 2), weights, number(other, 2), number(sent, 2))
    advice = Says(
        "divide {0} by its scale before training: {0} / {1} (or standardise its columns).",
        "divida {0} pela sua escala antes de treinar: {0} / {1} (ou padronize as colunas).",
    ).fill(name, number(size, 3))
    trial = exam.model(Change(swap={(k, 1 - live): lambda value, values: value / size}))
    effects = tuple(_stable(bend(exam.model()), bend(trial)))
    apart = abs(decades(size, other)) if other else abs(math.log10(size))
    yield Finding("scale-mismatch", name, exam.place(k), apart, says, advice, effects)


# --- gradients that vanish or explode -------------------------------------------------------------


def check_decay(exam: Exam, found: Sequence[Way], told: set[int]) -> Iterator[Finding]:
    """Find the parameter whose gradient lost or gained most over many gates on its way."""
    last = max((way.reader for way in found), default=0)
    cut = {way: _inner(way, last) for way in found}
    for sign, code in ((-1, "vanishing"), (1, "exploding")):
        ill = [way for way in found if _ill(cut[way], sign) and not _blamed(cut[way], told, sign)]
        if ill:
            worst = max(ill, key=lambda way: sign * cut[way].total)
            yield _decay(exam, code, worst, cut[worst], len(ill), sign)


def _inner(way: Way, last: int) -> Way:
    """Leave out what comes after the last parameter: near its least, a loss is flat by right."""
    inner = tuple(entry for entry in way.entries if entry.step <= last)
    return way._replace(entries=inner if len(inner) >= SPREAD else way.entries)


def _ill(way: Way, sign: int) -> bool:
    part = [entry for entry in way.entries if sign * entry.decades >= 0.15]
    return len(part) >= SPREAD and sign * way.without_worst(sign) >= FADES


def _blamed(way: Way, told: set[int], sign: int) -> bool:
    """Tell whether gates that were found ill already account for most of it."""
    by_told = math.fsum(entry.decades for entry in way.entries if entry.step in told)
    return sign * by_told > 0.5 * sign * way.total


def _decay(exam: Exam, code: str, way: Way, inner: Way, count: int, sign: int) -> Finding:
    worst = sorted(inner.entries, key=lambda entry: -sign * entry.decades)
    steps = exam.circuit.steps
    shown = listed(
        [f"{clip(exam.name(steps[e.step].outs[0]), 30)} ({e.decades:+.1f})" for e in worst[:3]]
    )
    name = exam.name(way.parameter)
    says = {
        "vanishing": Says(
            "the gradient loses {0:.1f} decades over {1} gates before it reaches {2} ({3} "
            "parameters in all); the worst: {4}.",
            "o gradiente perde {0:.1f} décadas ao longo de {1} portas antes de chegar a {2} ({3} "
            "parâmetros ao todo); as piores: {4}.",
        ),
        "exploding": Says(
            "the gradient grows by {0:.1f} decades over {1} gates before it reaches {2} ({3} "
            "parameters in all); the worst: {4}.",
            "o gradiente cresce {0:.1f} décadas ao longo de {1} portas antes de chegar a {2} ({3} "
            "parâmetros ao todo); as piores: {4}.",
        ),
    }[code].fill(abs(inner.total), len(inner.entries), name, count, shown)
    advice, effects = _rescaled(exam, way, inner)
    place = exam.place(worst[0].step)
    return Finding(code, name, place, inner.total, says, advice, effects, (_drawn(exam, inner),))


def _drawn(exam: Exam, way: Way) -> Plot:
    heights, total = [], 0.0
    for position, entry in enumerate(reversed(way.entries)):
        total += entry.decades
        heights.append((float(position), total))
    title = Says(
        "decades of the gradient, from the loss to {0}", "décadas do gradiente, da perda até {0}"
    ).fill(exam.name(way.parameter))
    return Plot(title, ((Says("decades", "décadas"), tuple(heights)),))


Cure = tuple[Says, Callable[[Exam, Way], Change]]


def _even_weights(exam: Exam, way: Way) -> dict[int, Any]:
    """Scale each weight matrix on the way so that it neither shrinks nor stretches."""
    given = {}
    for step in exam.circuit.steps:
        if not isinstance(step.gate.kind, Contract):
            continue
        for wire in step.ins:
            matrix = exam.run.values[wire]
            if wire in exam.run.parameters and np.ndim(matrix) == 2 and rms(matrix):
                aim = 1.0 / math.sqrt(np.shape(matrix)[0])
                given[wire] = (matrix * (aim / rms(matrix))).astype(matrix.dtype)
    return given


def _squashers(exam: Exam) -> dict[int, Callable[..., Any]]:
    steps = exam.circuit.steps
    return {k: np.tanh for k, step in enumerate(steps) if step.gate.of is sigmoid}


_CURES: tuple[Cure, ...] = (
    (
        Says(
            "draw each weight matrix with standard deviation 1/√(inputs).",
            "sorteie cada matriz de pesos com desvio padrão 1/√(entradas).",
        ),
        lambda exam, way: Change(given=_even_weights(exam, way)),
    ),
    (
        Says(
            "use tanh (or relu) in place of the sigmoid, with weights of standard deviation "
            "1/√(inputs).",
            "use tanh (ou relu) em vez da sigmoide, com pesos de desvio padrão 1/√(entradas).",
        ),
        lambda exam, way: Change(given=_even_weights(exam, way), instead=_squashers(exam)),
    ),
    (
        Says(
            "use tanh (or relu) in place of the sigmoid.",
            "use tanh (ou relu) em vez da sigmoide.",
        ),
        lambda exam, way: Change(instead=_squashers(exam)),
    ),
)
_OTHERWISE = Says(
    "shorten the path: add the input of each layer to its output, or normalise between layers.",
    "encurte o caminho: some a entrada de cada camada à sua saída, ou normalize entre camadas.",
)


def _rescaled(exam: Exam, way: Way, inner: Way) -> tuple[Says, tuple[Effect, ...]]:
    """Try better starts; return the advice under which the gradient arrives most evenly."""
    before = abs(inner.total)
    best: tuple[Says, tuple[Effect, ...]] = (_OTHERWISE, ())
    least = before - 1.0
    for says, cure in _CURES:
        change = cure(exam, way)
        if not change.given and not change.instead:
            continue
        after = _decades_with(exam, way, inner, change)
        if after is not None and abs(after) < least:
            least = abs(after)
            what = Says("decades between the loss and {0}", "décadas entre a perda e {0}").fill(
                exam.name(way.parameter)
            )
            best = (says, (Effect(what, inner.total, after),))
    return best


def _decades_with(exam: Exam, way: Way, inner: Way, change: Change) -> float | None:
    """Measure the gradient at both ends of a path when a change is made."""
    ends = [exam.circuit.steps[way.reader].outs[0]]
    ends.append(exam.circuit.steps[inner.entries[-1].step].outs[0])
    lengths = [
        1.0
        if wire in exam.circuit.outs
        else length(slope_at(exam.circuit, exam.run.values, wire, change))
        for wire in ends
    ]
    if not all(math.isfinite(each) and each > 0 for each in lengths):
        return None
    return decades(lengths[0], lengths[1])
