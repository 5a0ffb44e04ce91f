"""The circuits of the exercises: small programs found by a seeded search for pretty numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Run
from corrente.errors import BadValue
from corrente.exercises.answers import write
from corrente.program import trace
from corrente.words import Says

TRIES = 20_000
"""More than any seed has needed; a search that fails says so instead of running on."""


KINDS = 6
"""How many kinds of circuit a level may tell apart."""

DULL = 0.5
"""No larger share of the numbers is nought or one."""

LONGEST = 16
"""Drawings cut longer texts, and an array is drawn as text."""


class Operation(NamedTuple):
    """A gate as exercises write it; `back` is what each input receives where there are arrays."""

    function: Callable[..., Any]
    text: str
    back: tuple[str, ...] = ()


OPERATIONS: Mapping[str, Operation] = {
    "add": Operation(np.add, "{0} + {1}", ("{g}", "{g}")),
    "subtract": Operation(np.subtract, "{0} - {1}", ("{g}", "−{g}")),
    "multiply": Operation(np.multiply, "{0} * {1}", ("{g} * {1}", "{g} * {0}")),
    "max": Operation(np.maximum, "max({0}, {1})", ("{g} * ({0} > {1})", "{g} * ({1} > {0})")),
    "power": Operation(np.power, "{0} ** {1}"),
    "divide": Operation(np.divide, "{0} / {1}"),
    "negate": Operation(np.negative, "-{0}"),
    "exp": Operation(np.exp, "exp({0})"),
    "matmul": Operation(np.matmul, "{0} @ {1}", ("{g} @ {1}ᵀ", "{0}ᵀ @ {g}")),
    "dot": Operation(np.matmul, "{0} @ {1}", ("{g} * {1}", "{g} * {0}")),
    "sum": Operation(np.sum, "sum({0})", ("{g}",)),
}


class Line(NamedTuple):
    """One line of the program: a name, an operation, and the names or numbers it reads."""

    name: str
    operation: str
    reads: tuple[str | float, ...]

    def __str__(self) -> str:
        return f"{self.name} = {self.right}"

    @property
    def right(self) -> str:
        """The line's right-hand side."""
        read = (each if isinstance(each, str) else f"{each:g}" for each in self.reads)
        return OPERATIONS[self.operation].text.format(*read)


class Plan(NamedTuple):
    """A program with its inputs' values; its last line is the output."""

    inputs: dict[str, Any]
    lines: tuple[Line, ...]


class Level(NamedTuple):
    """What a level trains, how its circuits are drawn by lot, and which numbers are pretty.

    `draw` gets one of `KINDS` as well, the same at every try, or the kind that is seldom pretty
    would hardly be found; it gives None for what is no exercise. No number is greater than
    `most`; `parts` are the denominators allowed, None for any number.
    """

    trains: Says
    draw: Callable[[random.Random, int], Plan | None]
    most: float
    parts: frozenset[int] | None = frozenset({1})


def search(level: int, seed: int) -> tuple[Plan, Run]:
    """Find the circuit of a level and a seed, always the same one; BadValue for another level."""
    if level not in LEVELS:
        raise BadValue(
            Says("there is no level {0}.", "não há nível {0}.").fill(level),
            Says("choose one of: {0}.", "escolha um destes: {0}.").fill(
                ", ".join(map(str, LEVELS))
            ),
            False,
        )
    dice = random.Random(f"corrente {level} {seed}")
    kind = dice.randrange(KINDS)
    for _ in range(TRIES):
        plan = LEVELS[level].draw(dice, kind)
        if plan and _is_whole(plan) and _are_pretty(_values(plan).values(), LEVELS[level]):
            run = perform(plan)
            if _is_pretty(run, LEVELS[level]):
                return plan, run
    raise AssertionError(f"no circuit for level {level}, seed {seed}")


def perform(plan: Plan) -> Run:
    """Run a plan forward and backward; its wires bear the plan's names."""
    program = trace(lambda **given: _values(plan._replace(inputs=given))[plan.lines[-1].name])
    run = program(**plan.inputs).run
    circuit = run.circuit
    labels = dict(zip(circuit.ins, plan.inputs, strict=True))
    for step, line in zip(circuit.steps, plan.lines, strict=True):
        labels[step.outs[0]] = line.name
    # the steps' places are the house's own lines, which are nobody's source
    steps = tuple(step._replace(where=None, stack=()) for step in circuit.steps)
    return Run(
        type(circuit)(
            circuit.wires, circuit.ins, circuit.held, steps, circuit.outs, (), labels
        ).verify(),
        run.values,
        run.gradients,
        run.contributions,
        run.parameters,
        plan.lines[-1].name,
    )


def _values(plan: Plan) -> dict[str, Any]:
    values = dict(plan.inputs)
    with np.errstate(all="ignore"):
        for name, operation, reads in plan.lines:
            given = (values[each] if isinstance(each, str) else each for each in reads)
            values[name] = OPERATIONS[operation].function(*given)
    return values


# --- what is pretty -----------------------------------------------------------------------------


def _is_whole(plan: Plan) -> bool:
    """Tell whether everything is read, and no line is written twice."""
    read = {each for line in plan.lines for each in line.reads}
    made = [*plan.inputs, *(line.name for line in plan.lines[:-1])]
    rights = {line[1:] for line in plan.lines}
    return read.issuperset(made) and len(rights) == len(plan.lines)


def _is_pretty(run: Run, level: Level) -> bool:
    """Tell whether the gradients are small and simple, and few of them nought or one; no ties."""
    parts = [part.value for parts in run.contributions.values() for part in parts]
    gradients = list(run.gradients.values())
    if not _are_pretty([*parts, *gradients], level):
        return False
    still = sum(not np.any(gradient) for gradient in gradients)
    for step in run.circuit.steps:
        ins = [np.asarray(run.values[wire]) for wire in step.ins]
        if step.gate.side is not None and np.any(ins[0] == ins[-1]):
            return False
    made = [run.values[step.outs[0]] for step in run.circuit.steps]
    numbers = [abs(x) for value in (*made, *gradients) for x in np.ravel(value).tolist()]
    dull = sum(x in (0.0, 1.0) for x in numbers)
    return still <= 1 and dull <= DULL * len(numbers) and all(np.any(value) for value in made)


def _are_pretty(values: Any, level: Level) -> bool:
    return all(
        len(write(value)) <= LONGEST
        and all(_pretty(number, level) for number in np.ravel(value).tolist())
        for value in values
    )


def _pretty(number: float, level: Level) -> bool:
    if not math.isfinite(number) or abs(number) > level.most:
        return False
    if level.parts is None:
        return True
    nearest = Fraction(number).limit_denominator(max(level.parts))
    return nearest.denominator in level.parts and abs(float(nearest) - number) < 1e-12


# --- the levels ---------------------------------------------------------------------------------


def _whole(dice: random.Random, most: int) -> float:
    """Draw a whole number that is not nought."""
    return float(dice.choice([k for k in range(-most, most + 1) if k]))


def _given(dice: random.Random, names: str, most: int, least: int = 1) -> dict[str, Any]:
    """Give each name a number of its own, no nearer to nought than `least`."""
    numbers = dice.sample([k for k in range(-most, most + 1) if abs(k) >= least], len(names))
    return {name: float(number) for name, number in zip(names, numbers, strict=True)}


def _wired(dice: random.Random, inputs: dict[str, Any], operations: Sequence[str]) -> Plan:
    """Draw what each operation reads from all that is there; the last line is called f."""
    names = [*"qrst"[: len(operations) - 1], "f"]
    there = list(inputs)
    lines = []
    for name, operation in zip(names, operations, strict=True):
        fresh = [each for each in there if all(each not in line.reads for line in lines)]
        reads: tuple[str | float, ...]
        if operation == "power":
            reads = (dice.choice(there), dice.choice([2, 2, 3]))
        elif operation == "divide":
            reads = (1.0, dice.choice(there))
        else:
            # first what nothing has read yet, so that the search is short
            first = dice.choice(fresh)
            reads = (first, dice.choice([each for each in there if each != first]))
            reads = reads if dice.random() < 0.5 else reads[::-1]
        lines.append(Line(name, operation, reads))
        there.append(name)
    return Plan(inputs, tuple(lines))


def _two_gates(dice: random.Random, kind: int) -> Plan:
    del kind
    return _wired(dice, _given(dice, "xyz", 6, least=2), dice.sample(["add", "multiply"], 2))


def _maximum(dice: random.Random, kind: int) -> Plan:
    gates = ["max", "multiply", *dice.choices(["add", "multiply"], k=1 + kind % 2)]
    dice.shuffle(gates)
    # three gates read six times, and there are five things to read: something forks
    return _wired(dice, _given(dice, "xyz"[: 2 + kind // 3], 5), gates)


def _fractions(dice: random.Random, kind: int) -> Plan | None:
    gates = [*(("divide",), ("divide", "power"), ("power", "divide"))[kind % 3]]
    gates += dice.choices(["add", "multiply"], k=1 + kind // 3)
    dice.shuffle(gates)
    plan = _wired(dice, _given(dice, "xyz"[: dice.choice([2, 3])], 5), gates)
    values = _values(plan)
    below = [abs(values[str(line.reads[1])]) for line in plan.lines if line.operation == "divide"]
    return None if 1.0 in below else plan


def _neuron(dice: random.Random, kind: int) -> Plan | None:
    inputs = {name: _whole(dice, 3) for name in ("w0", "x0", "w1", "x1", "w2")}
    score = inputs["w0"] * inputs["x0"] + inputs["w1"] * inputs["x1"] + inputs["w2"]
    lines = (
        Line("p", "multiply", ("w0", "x0")),
        Line("q", "multiply", ("w1", "x1")),
        Line("r", "add", ("p", "q")),
        Line("s", "add", ("r", "w2")),
        Line("n", "negate", ("s",)),
        Line("e", "exp", ("n",)),
        Line("d", "add", (1.0, "e")),
        Line("f", "divide", (1.0, "d")),
    )
    # beyond these the sigmoid is so flat that two decimals show nothing of it
    return Plan(inputs, lines) if score == (-1.0, 1.0, 2.0)[kind % 3] else None


def _matrix(dice: random.Random, kind: int) -> Plan:
    def drawn(*shape: int) -> np.ndarray:
        size = math.prod(shape)
        return np.array([_whole(dice, 3) for _ in range(size)]).reshape(shape)

    layer = Plan(
        {"W": drawn(2, 2), "x": drawn(2), "b": drawn(2), "v": drawn(2)},
        (
            Line("s", "matmul", ("W", "x")),
            Line("h", "add", ("s", "b")),
            Line("r", "max", ("h", 0.0)),
            Line("f", "dot", ("v", "r")),
        ),
    )
    error = Plan(
        {"W": drawn(2, 2), "x": drawn(2), "y": drawn(2)},
        (
            Line("p", "matmul", ("W", "x")),
            Line("e", "subtract", ("p", "y")),
            Line("q", "multiply", ("e", "e")),
            Line("f", "sum", ("q",)),
        ),
    )
    product = Plan(
        {"W": drawn(2, 2), "X": drawn(2, 2), "G": drawn(2, 2)},
        (
            Line("D", "matmul", ("W", "X")),
            Line("P", "multiply", ("D", "G")),
            Line("f", "sum", ("P",)),
        ),
    )
    return (layer, error, product)[kind % 3]


LEVELS: Mapping[int, Level] = {
    1: Level(
        Says("two gates: add and multiply", "duas portas: soma e multiplicação"), _two_gates, 30
    ),
    2: Level(Says("max, and wires that fork", "máximo, e fios que se bifurcam"), _maximum, 40),
    3: Level(
        Says("powers and reciprocals", "potências e recíprocos"),
        _fractions,
        30,
        frozenset({1, 2, 4, 5, 8, 10, 16, 20, 25, 32}),
    ),
    4: Level(Says("a neuron, stage by stage", "um neurônio, etapa por etapa"), _neuron, 12, None),
    5: Level(Says("vectors and a matrix product", "vetores e um produto de matrizes"), _matrix, 40),
}
"""The levels, from the first circuit of the notes to a layer of a network."""
