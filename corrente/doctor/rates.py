"""The learning rate a loss allows: from its curvature, and from a range test beside it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from corrente.doctor.again import Model
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Plot, plain_number
from corrente.doctor.trials import STABLE, bend, stepped
from corrente.errors import CorrenteError
from corrente.figures import number
from corrente.words import Says

WHOLE, LEAST_WHOLE = 32, 4
"""Parameters up to which the whole Hessian is taken, and how few they become."""
PRODUCTS, LEAST_PRODUCTS = 24, 6
"""Products with the Hessian, and how few they become for a long circuit."""
TESTS, LEAST_TESTS = 32, 8
"""Steps of the range test, and how few they become for a long circuit."""
STEPS, NUMBERS = 100, 3_000_000
"""Steps of a circuit, and numbers on its wires, up to which all of these are taken."""
MOST = 100.0
"""How many times as long a circuit may be before nothing is measured."""
LOW, HIGH = 1e-3, 30.0
"""Where the range test begins and ends, in units of 2/λ."""
BLOWN = 4.0
"""How many times its least value the loss may be when the range test ends."""


class Rates(NamedTuple):
    """What is known of the rate of plain gradient descent at one point.

    `stable` is 2/λ_max, `best` the best fixed rate for a quadratic, 2/(λ_max + λ_min) (NaN where
    the loss does not bend up everywhere, or λ_min was not found); `test` are pairs (rate, loss) of
    the range test, in which the rate grows from step to step; `turn` is its rate of least loss.
    """

    stable: float
    best: float
    test: tuple[tuple[float, float], ...]

    @property
    def turn(self) -> float:
        return min(self.test, key=lambda pair: pair[1])[0] if self.test else math.nan

    @property
    def says(self) -> Says:
        """Say the whole in one sentence."""
        parts = [
            Says(
                "rate: the largest stable one is {0} (2/λ)",
                "taxa: a maior estável é {0} (2/λ)",
            ).fill(number(self.stable, 3))
        ]
        if math.isfinite(self.best):
            parts.append(
                Says(
                    "; the best fixed one for a quadratic is {0}",
                    "; a melhor fixa para uma quadrática é {0}",
                ).fill(number(self.best, 3))
            )
        if self.test:
            parts.append(
                Says(
                    "; in a range test the loss falls up to {0}",
                    "; num teste de faixa a perda cai até {0}",
                ).fill(number(self.turn, 2))
            )
        return Says(*("".join(said) + "." for said in zip(*parts, strict=True)))

    @property
    def plot(self) -> Plot:
        """Draw the range test, with the rates that the curvature gives beside it."""
        losses = [loss for _, loss in self.test] or [1.0]
        low, high = min(losses), max(losses)
        marks = [(STABLE, self.stable)]
        if math.isfinite(self.best):
            marks.append((Says("best for a quadratic", "melhor para quadrática"), self.best))
        series = [(Says("range test", "teste de faixa"), self.test)] if self.test else []
        series += [(name, ((rate, low), (rate, high))) for name, rate in marks]
        return Plot(
            Says("loss while the rate grows", "perda enquanto a taxa cresce"),
            tuple(series),
            log=True,
        )

    def json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {
            "stable": plain_number(self.stable),
            "best": plain_number(self.best),
            "turn": plain_number(self.turn),
            "test": [[plain_number(part) for part in pair] for pair in self.test],
            "says": self.says._asdict(),
        }


def measure_rates(exam: Exam) -> Rates | Says:
    """Measure what rate the loss allows; say why where that cannot be had.

    Costs about a hundred gradients of a short circuit, and fewer of a long one.
    """
    size = sum(math.prod(wire.shape) for wire in exam.circuit.wires)
    effort = max(1.0, len(exam.circuit.steps) / STEPS, size / NUMBERS)
    if effort > MOST:
        return _TOO_LONG.fill(len(exam.circuit.steps), size)
    model = exam.model()
    try:
        whole = max(LEAST_WHOLE, int(WHOLE / effort))
        bent = bend(model, max(LEAST_PRODUCTS, int(PRODUCTS / effort)), whole)
    except CorrenteError as error:
        return _NO_CURVATURE.fill(error.what)
    if bent is None:
        return _NO_CURVATURE.fill(_FLAT)
    test = _range_test(model, bent.stable, max(LEAST_TESTS, int(TESTS / effort)))
    return Rates(bent.stable, bent.best, test)


_TOO_LONG = Says(
    "rate: not measured, as the circuit is too long ({0} steps, {1} numbers); co.find_rate takes "
    "minibatches.",
    "taxa: não medida, pois o circuito é longo demais ({0} passos, {1} números); co.find_rate usa "
    "lotes.",
)
_NO_CURVATURE = Says(
    "rate: not measured, as there is no curvature to measure it by: {0}",
    "taxa: não medida, pois não há curvatura pela qual medi-la: {0}",
)
_FLAT = Says("nothing bends up here.", "nada se curva para cima aqui.")


def _range_test(model: Model, stable: float, steps: int) -> tuple[tuple[float, float], ...]:
    """Let the rate grow from step to step until the loss does. Source: Smith (2017)."""
    gradient, point, found = model.gradient, model.start, []
    _, slope = gradient(point)
    for k in range(steps):
        rate = stable * LOW * (HIGH / LOW) ** (k / (steps - 1))
        point = [stepped(p, g, rate) for p, g in zip(point, slope, strict=True)]
        value, slope = gradient(point)
        if not math.isfinite(value):
            break
        found.append((rate, value))
        least = min(loss for _, loss in found)
        if value > least + (BLOWN - 1.0) * abs(least):
            break
    return tuple(found)
