"""An exercise: a run whose narrated sentences each leave one number blank."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Contribution, Run
from corrente.exercises.answers import read, right, write
from corrente.exercises.plans import LEVELS, OPERATIONS, Line, Plan, search
from corrente.narrator import Sentence, narrate
from corrente.words import Says, plain


class Blank(NamedTuple):
    """One number to find. `kind`: value, part (what one reader sends back to a fork) or gradient.

    `asks` is what is asked, `teaches` the rule of the gate, `working` the calculation with its
    result at the end, after the last equals sign.
    """

    number: int
    kind: str
    wire: int
    asks: Says
    teaches: Says
    working: Says
    answer: Any

    @property
    def hint(self) -> Says:
        """The calculation without its result."""
        return Says(*(f"{text.rpartition(' = ')[0]} = ?" for text in self.working))


@dataclass(frozen=True)
class Exercise:
    """A circuit at one point, with blanks for the values and then for the gradients."""

    level: int
    seed: int
    plan: Plan
    run: Run

    @property
    def rounded(self) -> bool:
        """Whether its numbers are not simple, so that answers are rounded on the way."""
        return LEVELS[self.level].parts is None

    @cached_property
    def blanks(self) -> tuple[Blank, ...]:
        """What is to be found, in the order of work."""
        return tuple(_blanks(self))

    def check(self, number: int, text: str) -> bool | None:
        """Tell whether an answer, as typed, fills a blank; None if it is no number."""
        blank = self.blanks[number - 1]
        given = read(text, np.shape(blank.answer))
        return None if given is None else right(given, blank.answer, self.rounded)

    def posed(self, filled: Collection[int] = (), line: str = "") -> Run:
        """Return the run with the blanks in place of the numbers, but for those filled.

        A blank is its number in brackets, followed by `line`; local gradients are left out.
        """
        run, steps = self.run, len(self.run.circuit.steps)
        # a drawing shows the local gradients of gates that have pulls: here they are to be found
        mute = [step._replace(gate=replace(step.gate, pulls=None)) for step in run.circuit.steps]

        def mark(blank: Blank) -> Any:
            return _shown(blank.answer) if blank.number in filled else f"({blank.number}){line}"

        values = {wire.id: _shown(run.values[wire.id]) for wire in run.circuit.wires}
        values |= {blank.wire: mark(blank) for blank in self.blanks if blank.kind == "value"}
        gradients = {wire: _shown(value) for wire, value in run.gradients.items()}
        gradients |= {blank.wire: mark(blank) for blank in self.blanks if blank.kind == "gradient"}
        parts: dict[int, list[str]] = {}
        for blank in self.blanks:
            if blank.kind == "part":
                parts.setdefault(blank.wire, []).append(mark(blank))
        contributions = {}
        for wire, sent in run.contributions.items():
            order = sorted(sent, key=lambda part: (steps - part.step, part.position))
            marks = parts.get(wire, [gradients[wire]])
            contributions[wire] = [
                Contribution(*part[:2], shown) for part, shown in zip(order, marks, strict=True)
            ]
        circuit = replace(run.circuit, steps=tuple(mute))
        return replace(
            run, circuit=circuit, values=values, gradients=gradients, contributions=contributions
        )

    def solved(self) -> Run:
        """Return the run with all its numbers, arrays written out."""
        posed = self.posed([blank.number for blank in self.blanks])
        return replace(posed, circuit=self.run.circuit)


def exercise(level: int = 1, seed: int = 0) -> Exercise:
    """Make the exercise of a level, 1 to 5, and a seed: always the same one.

    Raises BadValue for a level that there is not.

    >>> found = exercise(level=1, seed=4)
    >>> [str(line) for line in found.plan.lines], found.plan.inputs
    (['q = ...', 'f = ...'], {'x': ..., 'y': ..., 'z': ...})
    >>> len(found.blanks), found.check(1, "0,5")
    (6, False)
    """
    return Exercise(level, seed, *search(level, seed))


def _shown(value: Any) -> Any:
    """Return a value that a drawing shows whole: small arrays as text."""
    return write(value) if np.ndim(value) else float(value) + 0.0


def _blanks(task: Exercise) -> list[Blank]:
    """Turn the narrator's sentences, but for what they open and close with, into blanks."""
    found: list[Blank] = []
    told: dict[tuple[int, int], int] = {}
    teaches = plain("")
    for sentence in narrate(task.run):
        phase, step, wire, says = sentence
        if phase == "backward" and step is not None and wire is None:
            teaches = says
        if step is None or wire is None or phase not in ("forward", "backward", "fork"):
            continue
        line = task.plan.lines[step]
        number = len(found) + 1
        if phase == "forward":
            value = task.run.values[wire]
            working = _forward(task, line, says)
            asks = Says("the value of {0}", "o valor de {0}").fill(line)
            found.append(Blank(number, "value", wire, asks, plain(""), working, value))
            continue
        told[step, wire] = told.get((step, wire), -1) + 1
        found.append(_back(task, number, sentence, teaches, told[step, wire]))
    return found


def _back(task: Exercise, number: int, sentence: Sentence, teaches: Says, again: int) -> Blank:
    """Make the blank of what one input receives, or of a fork's sum."""
    phase, step, wire, says = sentence
    assert step is not None
    assert wire is not None
    run, line = task.run, task.plan.lines[step]
    slope = f"∂{run.name}/∂{run.circuit.operand(wire)}"
    sent = run.contributions[wire]
    if phase == "fork":
        asks = Says(
            "the gradient {0}: the sum of its parts", "o gradiente {0}: a soma das parcelas"
        )
        working = _fork(task, wire, slope, says)
        return Blank(
            number, "gradient", wire, asks.fill(slope), _FORK, working, run.gradients[wire]
        )
    part = [each for each in sent if each.step == step][again]
    working = _product(task, part, slope, line, says)
    if len(sent) == 1:
        asks = Says("the gradient {0}", "o gradiente {0}").fill(slope)
        return Blank(number, "gradient", wire, asks, teaches, working, part.value)
    asks = Says("the part of {0} through {1}", "a parcela de {0} por {1}").fill(slope, line)
    if len([each for each in sent if each.step == step]) > 1:
        asks = Says("{0}, input {1}", "{0}, entrada {1}").fill(asks, part.position + 1)
    return Blank(number, "part", wire, asks, teaches, working, part.value)


_FORK = Says(
    "Where a wire forks, what comes back on its branches adds up.",
    "Onde um fio se bifurca, o que volta pelos ramos se soma.",
)


# --- workings with arrays, where the narrator tells sizes only -----------------------------------


def _forward(task: Exercise, line: Line, says: Says) -> Says:
    ins = [_number(task, each) for each in line.reads]
    value = _named(task, line.name)
    if not np.ndim(value) and not any(text.startswith("[") for text in ins):
        return says
    numbers = OPERATIONS[line.operation].text.format(*ins)
    return plain(f"{line} = {numbers} = {write(value)}")


def _product(task: Exercise, part: Contribution, slope: str, line: Line, says: Says) -> Says:
    upstream = task.run.gradients[task.run.circuit.steps[part.step].outs[0]]
    if not np.ndim(part.value) and not np.ndim(upstream):
        return says
    rule = OPERATIONS[line.operation].back[part.position]
    names = rule.format(*map(_name, line.reads), g=f"∂{task.run.name}/∂{line.name}")
    numbers = rule.format(*(_number(task, each) for each in line.reads), g=write(upstream))
    result = write(part.value)
    middle = f"{numbers} = " if numbers != result else ""
    return plain(f"{slope} = {names} = {middle}{result}")


def _fork(task: Exercise, wire: int, slope: str, says: Says) -> Says:
    if not np.ndim(task.run.gradients[wire]):
        return says
    terms = " + ".join(write(part.value) for part in task.run.contributions[wire])
    return plain(f"{slope} = {terms} = {write(task.run.gradients[wire])}")


def _named(task: Exercise, name: str) -> Any:
    names = {known: wire for wire, known in task.run.circuit.names.items()}
    return task.run.values[names[name]]


def _name(each: str | float) -> str:
    return each if isinstance(each, str) else f"{each:g}"


def _number(task: Exercise, each: str | float) -> str:
    return write(_named(task, each)) if isinstance(each, str) else _name(each)
