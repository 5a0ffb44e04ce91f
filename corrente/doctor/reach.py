"""Parameters that the loss does not reach, and the step at which they are cut off."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from corrente.doctor.again import Change
from corrente.doctor.budget import length
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Effect, Finding
from corrente.figures import number
from corrente.words import Says


def check_reach(exam: Exam) -> Iterator[Finding]:
    """Find parameters without a gradient: never read, or read only by gates that have none."""
    for wire in exam.parameters():
        if exam.grad(wire) is None and wire not in exam.circuit.outs:
            yield _unreached(exam, wire)


def _unreached(exam: Exam, wire: int) -> Finding:
    name, cut = exam.name(wire), _cut(exam, wire)
    size = np.size(exam.run.values[wire])
    if cut is None:
        says = Says(
            "the loss does not depend on {0} ({1} numbers): {2}.",
            "a perda não depende de {0} ({1} números): {2}.",
        ).fill(name, size, _UNREAD if not exam.readers(wire) else _LOST)
        return Finding("unreached", name, _last_place(exam, wire), size, says, _USE)
    step = exam.circuit.steps[cut]
    says = Says(
        "the loss does not reach {0} ({1} numbers): {2} lets no gradient through.",
        "a perda não alcança {0} ({1} números): {2} não deixa passar gradiente.",
    ).fill(name, size, exam.name(step.outs[0]))
    advice = (_STOPPED if "stops" in step.gate.facts else _HARD).fill(step.gate.name)
    return Finding("unreached", name, exam.place(cut), size, says, advice, _opened(exam, wire, cut))


_UNREAD = Says("nothing reads it", "nada o lê")
_LOST = Says("what is made of it is not used", "o que se faz com ele não é usado")
_USE = Says(
    "use it in the loss, or leave it out of the parameters.",
    "use-o na perda, ou tire-o dos parâmetros.",
)
_STOPPED = Says(
    "take {0} away if this parameter is to learn.",
    "tire {0} se este parâmetro deve aprender.",
)
_HARD = Says(
    "put something smooth in the place of {0} (a sigmoid for a threshold, softmax for argmax), or "
    "let the gradient pass it by: x + co.stop_gradient({0}(x) - x).",
    "ponha algo suave no lugar de {0} (uma sigmoide para um limiar, softmax para argmax), ou deixe "
    "o gradiente contorná-lo: x + co.stop_gradient({0}(x) - x).",
)


def _cut(exam: Exam, wire: int) -> int | None:
    """Return the last step without gradient among those that lead from a parameter to the loss."""
    needed = _needed(exam)
    touched, cut = {wire}, None
    for k, step in enumerate(exam.circuit.steps):
        if not touched.isdisjoint(step.ins):
            touched.update(step.outs)
            if not step.gate.differentiable and not needed.isdisjoint(step.outs):
                cut = k if cut is None else cut
    return cut


def _needed(exam: Exam) -> set[int]:
    needed = set(exam.circuit.outs)
    for step in reversed(exam.circuit.steps):
        if not needed.isdisjoint(step.outs):
            needed.update(step.ins)
    return needed


def _last_place(exam: Exam, wire: int):
    readers = exam.readers(wire)
    return exam.place(max(readers)[0]) if readers else None


def _opened(exam: Exam, wire: int, cut: int) -> tuple[Effect, ...]:
    """Let the gradient pass the cut by, and measure what arrives."""
    step = exam.circuit.steps[cut]
    shapes = {exam.circuit.wires[w].shape for w in (step.ins[0], step.outs[0])}
    kinds = {exam.circuit.wires[w].dtype.kind for w in (step.ins[0], step.outs[0])}
    if len(step.ins) != 1 or len(shapes) != 1 or kinds != {"f"}:
        return ()
    value = exam.run.values[step.outs[0]]
    shift = value - exam.run.values[step.ins[0]]
    trial = exam.model(Change(instead={cut: lambda x: x + shift}))
    _, slope = trial.gradient(trial.start)
    arrived = length(slope[trial.wires.index(wire)])
    what = Says("gradient that arrives at {0}", "gradiente que chega a {0}").fill(exam.name(wire))
    return (Effect(what, 0.0, arrived),) if number(arrived) != "0" else ()
