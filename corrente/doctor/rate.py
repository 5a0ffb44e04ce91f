"""A learning rate that was given: whether a row of short descents ends lower at another one."""

from __future__ import annotations

import math
from collections.abc import Iterator

from corrente.doctor.budget import length
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Effect, Finding, Plot
from corrente.doctor.trials import STABLE, Bend, Descent, bend, best_descent, descend
from corrente.figures import number
from corrente.words import Says, plain

LOSES = 0.5
"""Part of the loss's fall that a rate must miss before it is called wrong."""
FAR = 4.0
"""How far from the best rate it must be as well."""
LEAP = 100.0
"""How many times their own size weights may move in one step before a rate means nothing."""
ROW = (0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.9, 2.0)


def check_rate(exam: Exam, rate: float) -> Iterator[Finding]:
    """Find out whether a rate of plain gradient descent is far from what the loss allows."""
    model = exam.model()
    bent = bend(model)
    if bent is None:
        return
    best = best_descent(model, bent.stable, exam.steps, ROW)
    if best is None or LEAP < _ratio(exam, best.rate) < math.inf:
        return  # a loss that hardly bends allows any rate: nothing is wrong with a smaller one
    own = descend(model, rate, exam.steps)
    reached = own[-1] if len(own) > exam.steps else math.inf
    fall = best.losses[0] - best.last
    missed = (reached - best.last) / fall if fall > 0 else 0.0
    if missed >= LOSES and not 1 / FAR < rate / best.rate < FAR:
        yield _wrong(exam, rate, reached, bent, best)


def _wrong(exam: Exam, rate: float, reached: float, bent: Bend, best: Descent) -> Finding:
    high = rate > best.rate
    ratio = _ratio(exam, rate)
    says = (
        Says(
            "the rate {0} is too high: the curvature allows {1} at most (2/λ), and after {2} "
            "steps the loss is {3}{4}.",
            "a taxa {0} é alta demais: a curvatura permite no máximo {1} (2/λ), e após {2} passos "
            "a perda é {3}{4}.",
        )
        if high
        else Says(
            "the rate {0} is too low: the curvature allows up to {1} (2/λ), and after {2} steps "
            "the loss is still {3}{4}.",
            "a taxa {0} é baixa demais: a curvatura permite até {1} (2/λ), e após {2} passos a "
            "perda ainda é {3}{4}.",
        )
    ).fill(number(rate, 2), number(bent.stable, 3), exam.steps, number(reached, 3), _moves(ratio))
    advice = Says("use the rate {0}.", "use a taxa {0}.").fill(number(best.rate, 2))
    effects = (
        Effect(
            Says("loss after {0} steps", "perda após {0} passos").fill(exam.steps),
            reached,
            best.last,
        ),
        Effect(
            Says("rate over 2/λ", "taxa sobre 2/λ"), rate / bent.stable, best.rate / bent.stable
        ),
    )
    return Finding(
        "rate", "", None, rate, says, advice, effects, (_row(rate, reached, bent, best),)
    )


def _moves(ratio: float) -> Says:
    """Say how far one step goes, where the weights have a size to compare with."""
    if not math.isfinite(ratio):
        return plain("")
    return Says(
        "; the first step changes the weights by {0} of their size (a thousandth is usual)",
        "; o primeiro passo muda os pesos em {0} do seu tamanho (o usual é um milésimo)",
    ).fill(number(ratio, 2))


def _ratio(exam: Exam, rate: float) -> float:
    """Return how long a step is, as a part of the length of all parameters."""
    wires = list(exam.parameters())
    size = math.hypot(*(length(exam.run.values[wire]) for wire in wires))
    step = rate * math.hypot(*(length(exam.grad(wire)) for wire in wires))
    return step / size if size else math.inf


def _row(rate: float, reached: float, bent: Bend, best: Descent) -> Plot:
    tried = tuple(pair for pair in best.tried if math.isfinite(pair[1]) and pair[1] > 0)
    series = [(Says("descents", "descidas"), tried)]
    if math.isfinite(reached) and reached > 0:
        series.append((Says("the rate given", "a taxa dada"), ((rate, reached),)))
    lowest = min((loss for _, loss in tried), default=1.0)
    highest = max((loss for _, loss in tried), default=1.0)
    series.append((STABLE, ((bent.stable, lowest), (bent.stable, highest))))
    return Plot(Says("loss by rate", "perda por taxa"), tuple(series), log=True)
