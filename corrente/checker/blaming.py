"""Who is to blame: every gate on the path is checked alone, and the first wrong one is named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.backprop import mark
from corrente.checker.bands import band, relative_error
from corrente.checker.comparing import (
    Comparison,
    Look,
    Problem,
    Rules,
    along,
    derived,
    examine,
    halves,
    in_single,
    look_at,
)
from corrente.checker.leaves import widen
from corrente.checker.question import Question, flatten
from corrente.circuit import Circuit, Step
from corrente.errors import GradientError
from corrente.recording import Recording, freeze, function_name, labels, result_wires
from corrente.tracer import Traced, record
from corrente.words import Says, plain

FEW = 32


def accusation(question: Question, event: Comparison, seed: int, rules: Rules) -> GradientError:
    """Check every gate on the path alone, in order, and accuse the first one that is wrong."""
    recording = question.record()
    tape = recording.tape
    circuit = freeze(recording, [w for w in result_wires(recording)[1] if w is not None])
    active = mark(circuit.steps, tape.wanted, len(circuit.wires))
    for step in circuit.steps:
        places = [p for p, wire in enumerate(step.ins) if active[wire]]
        if step.gate.differentiable and places:
            values = [tape.snapshot(wire) for wire in step.ins]
            found = tried(step, values, places, event, seed, rules)
            if found is not None:
                return against_gate(circuit, step, *found)
    return against_none(question, recording, circuit, event, seed, rules)


def tried(
    step: Step,
    values: list[Any],
    places: list[int],
    event: Comparison,
    seed: int,
    rules: Rules,
) -> tuple[int, str, Comparison] | None:
    """Look for what is wrong with one gate: the input, the element in it, and the numbers."""
    look, wrong = first_wrong(alone(step, values, places), event, seed, rules)
    if wrong is None:
        return None
    if look is None or wrong.broken is not None:
        for place in places if len(places) > 1 else ():
            if first_wrong(alone(step, values, [place]), event, seed, rules)[1] is not None:
                return place, "", wrong
        return places[0], "", wrong
    wrong = narrowed(look, wrong, rules)
    # at order 2 the outputs are the gradients of the inputs: they tell whose rule is wrong
    by_output = len(wrong.chain) > 1 and wrong.chain[-2] == "rev"
    vector, leaves = (
        (wrong.weights, look.outs) if by_output else (wrong.direction, look.problem.point)
    )
    leaf, index = _element(vector, leaves)
    return places[leaf], index, wrong


def alone(step: Step, values: list[Any], places: list[int]) -> Problem:
    """Make a problem of one gate at its recorded values."""

    def function(*moved: Any) -> tuple[Any, ...]:
        ins = list(values)
        for place, value in zip(places, moved, strict=True):
            ins[place] = value
        if any(type(value) is Traced for value in moved):
            out = record(step.gate, ins, step.params)
        else:
            out = step.gate.forward(*ins, **step.params)
        return tuple(out) if isinstance(out, list | tuple) else (out,)

    return Problem(function, tuple(values[place] for place in places))


def first_wrong(
    problem: Problem, event: Comparison, seed: int, rules: Rules
) -> tuple[Look | None, Comparison | None]:
    """Repeat on a problem what went wrong in an event; return the first comparison that fails."""
    rng = np.random.default_rng(seed)
    look: Look | None = None
    try:
        if event.single:
            wide = problem._replace(point=tuple(map(widen, problem.point)))
            events = list(in_single(problem, wide, event.chain, seed, rules))
        else:
            look = look_at(problem)
            for mode in event.chain[:-1]:
                look = look_at(derived(look, mode, rng))
            events = list(examine(look.problem, 1, event.chain[-1:], rng, rules, event.chain[:-1]))
    except Exception as broken:
        return None, event._replace(broken=broken)
    wrong = [found for found in events if isinstance(found, Comparison) and found.wrong]
    return look, wrong[0] if wrong else None


def narrowed(look: Look, wrong: Comparison, rules: Rules) -> Comparison:
    """Halve direction and weights, then take one element of each: the worst of what is left."""
    for field in ("direction", "weights"):
        while np.count_nonzero(getattr(wrong, field)) > 1:
            pieces = _pieces(getattr(wrong, field))
            parts = [wrong._replace(**{field: piece}) for piece in pieces]
            still = [
                found
                for part in parts
                for found in along(
                    look, part.direction, part.weights, part.chain[-1:], rules, part.chain[:-1], 0
                )
                if isinstance(found, Comparison) and found.wrong
            ]
            if not still:
                break
            wrong = max(still, key=_apart)
    unit = _greatest(wrong.direction) * _greatest(wrong.weights)
    return wrong._replace(analytic=wrong.analytic / unit, numeric=wrong.numeric / unit)


def _pieces(vector: np.ndarray) -> list[np.ndarray]:
    """Cut a vector in two; a short one, into its elements."""
    places = np.flatnonzero(vector)
    if len(places) > FEW:
        return halves(vector)
    return [np.where(np.arange(len(vector)) == place, vector, 0.0) for place in places]


def _apart(found: Comparison) -> float:
    """Return how far the numbers are apart for a step of one."""
    return found.difference / abs(_greatest(found.direction) * _greatest(found.weights))


def _greatest(vector: np.ndarray) -> float:
    """Return the component of a vector that is greatest in size; of a complex one, its size."""
    found = vector[np.argmax(np.abs(vector))]
    return float(found) if vector.dtype.kind == "f" else float(np.abs(found))


def _element(vector: np.ndarray, leaves: Sequence[Any]) -> tuple[int, str]:
    """Tell which leaf the greatest component of a vector is in, and its index there."""
    place = int(np.argmax(np.abs(vector)))
    for number, leaf in enumerate(leaves):
        shape = np.shape(leaf)
        if place < math.prod(shape):
            index = ", ".join(str(int(k)) for k in np.unravel_index(place, shape))
            return number, f"[{index}]" if shape else ""
        place -= math.prod(shape)
    return 0, ""


_WAYS = {"rev": Says("reverse mode", "modo reverso"), "fwd": Says("forward mode", "modo direto")}


def _way(event: Comparison) -> Says:
    way = _WAYS[event.chain[-1]]
    if len(event.chain) > 1:
        way = Says("{0} at order {1}", "{0} na ordem {1}").fill(way, len(event.chain))
    return Says("{0} in low precision", "{0} em baixa precisão").fill(way) if event.single else way


def _numbers(event: Comparison) -> Says:
    if event.broken is not None:
        kind = type(event.broken).__name__
        return plain(f"{kind}: {event.broken}".split("\n", 1)[0])
    error = relative_error(event.analytic, event.numeric)
    return Says(
        "{0:.6g} by the rule, {1:.6g} by the numbers, relative error {2:.1e} ({3})",
        "{0:.6g} pela regra, {1:.6g} pelos números, erro relativo {2:.1e} ({3})",
    ).fill(event.analytic, event.numeric, error, band(error))


def against_gate(
    circuit: Circuit, step: Step, place: int, index: str, event: Comparison
) -> GradientError:
    wire, gate = step.ins[place], step.gate
    name = (circuit.names.get(wire) or circuit.operand(wire)) + index
    if gate.joint is not None:
        mend = Says(
            "correct the rule given to {0}.defpull, input {1}.",
            "corrija a regra dada a {0}.defpull, entrada {1}.",
        )
    else:
        mend = Says(
            "correct the local gradient of input {1} in the record of gate {0}.",
            "corrija o gradiente local da entrada {1} no registro da porta {0}.",
        )
    return GradientError(
        Says(
            "the local gradient of gate {0} with respect to {1} is wrong in {2}: {3}.",
            "o gradiente local da porta {0} em relação a {1} está errado no {2}: {3}.",
        ).fill(gate.name, name, _way(event), _numbers(event)),
        mend.fill(gate.name, place),
        step.where,
        gate.name,
        name,
    )


def against_none(
    question: Question,
    recording: Recording,
    circuit: Circuit,
    event: Comparison,
    seed: int,
    rules: Rules,
) -> GradientError:
    """Every gate is right by itself: name the worst element, and where the gradient was cut."""
    look, wrong = first_wrong(flatten(question), event, seed, rules)
    name = ""
    if look is not None and wrong is not None and wrong.broken is None:
        event = narrowed(look, wrong, rules)
        leaf, index = _element(event.direction, look.problem.point)
        wires = [w for argument in recording.arguments for w in argument.wires if w is not None]
        name = labels(recording)[wires[leaf]] + index
    cut = next((s for s in circuit.steps if s.gate.name == "stop_gradient"), None)
    mend = Says(
        "the gradient is stopped on purpose here, and the numbers go on.",
        "o gradiente é parado de propósito aqui, e os números seguem.",
    )
    if cut is None:
        mend = Says(
            "look for what the gates do not see: a value kept from an earlier call, "
            "a plain copy of an argument.",
            "procure o que as portas não veem: um valor guardado de uma chamada anterior, "
            "uma cópia comum de um argumento.",
        )
    return GradientError(
        Says(
            "the gradient of {0} with respect to {1} is wrong in {2}, though each gate alone "
            "is right: {3}.",
            "o gradiente de {0} em relação a {1} está errado no {2}, embora cada porta, "
            "sozinha, esteja certa: {3}.",
        ).fill(
            function_name(question.function),
            name or Says("its arguments", "seus argumentos"),
            _way(event),
            _numbers(event),
        ),
        mend,
        cut.where if cut is not None else None,
        "",
        name,
    )
