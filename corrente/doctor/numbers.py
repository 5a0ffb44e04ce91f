"""NaN and infinity, both ways: the first step that made one, and the `where` that hides it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from corrente.circuit import Step
from corrente.doctor.again import Change, Swap, Swaps, Values
from corrente.doctor.exam import Exam, at
from corrente.doctor.findings import Effect, Finding
from corrente.doctor.mending import Fault, first, guarded, harmless, operands, sick, subsets, tried
from corrente.doctor.traps import left_out, trap
from corrente.figures import number
from corrente.record import Elementwise
from corrente.words import Says


def check_numbers(exam: Exam) -> Iterator[Finding]:
    """Find where NaN or infinity began: on the way forward, or else on the way back.

    What a `where` leaves out, and an infinity that turns into a number again (a mask of −∞ under
    exp), is no illness as long as loss and gradients are finite.
    """
    if not exam.circuit.outs:
        return
    (out,) = exam.circuit.outs
    if sick(exam.run.values[out]).any():
        yield _forward(exam, out)
    elif any(sick(exam.grad(w)).any() for w in exam.parameters() if exam.grad(w) is not None):
        yield from _backward(exam)


# --- forward ------------------------------------------------------------------------------------


def _forward(exam: Exam, out: int) -> Finding:
    wire, reader = _source(exam, out)
    if wire not in exam.circuit.makers:
        return _in_argument(exam, wire, reader)
    k = exam.circuit.makers[wire]
    step, value = exam.circuit.steps[k], np.asarray(exam.run.values[wire])
    bad = sick(value) & ~_fed(exam, step, value.shape)
    index = first(bad if bad.any() else sick(value))
    made = value[index]
    count = int(np.count_nonzero(sick(value)))
    code = "nan" if np.isnan(made) else "inf"
    says = Says(
        "the first {0} is made here: {1} gives {2} at element {3} from {4}; {5} of {6} elements.",
        "o primeiro {0} nasce aqui: {1} dá {2} no elemento {3} a partir de {4}; "
        "{5} de {6} elementos.",
    ).fill(
        "NaN" if code == "nan" else Says("infinity", "infinito"),
        exam.text(wire),
        number(made),
        at(index) or "()",
        operands(exam, step, index, value.shape),
        count,
        value.size,
    )
    advice, effects = _repaired(exam, k, sick(value))
    return Finding(code, exam.name(wire), exam.place(k), count, says, advice, effects)


def _source(exam: Exam, wire: int) -> tuple[int, int | None]:
    """Follow a sick value back to the wire where it began, and the step that read it there."""
    reader: int | None = None
    while wire in exam.circuit.makers:
        k = exam.circuit.makers[wire]
        step = exam.circuit.steps[k]
        ill = [w for p, w in enumerate(step.ins) if _taken(exam, step, p).any()]
        nans = [w for w in ill if np.isnan(exam.run.values[w]).any()]
        if np.isnan(exam.run.values[wire]).any() and not nans and ill:
            # a NaN made of infinities: it began with them, if a step of ours made those
            deeper = [_source(exam, w) for w in ill]
            made = [found for found in deeper if found[0] in exam.circuit.makers]
            return made[0] if made else (wire, reader)
        if not ill:
            break
        wire, reader = (nans or ill)[0], k
    return wire, reader


def _taken(exam: Exam, step: Step, position: int) -> np.ndarray:
    """Return where an operand is sick and not left out by a choice."""
    ill = sick(exam.run.values[step.ins[position]])
    if step.gate.name == "where" and position in (1, 2) and ill.any():
        condition = np.asarray(exam.run.values[step.ins[0]], bool)
        chosen = condition if position == 1 else ~condition
        return np.logical_and(chosen, ill)
    return ill


def _fed(exam: Exam, step: Step, shape: tuple[int, ...]) -> np.ndarray:
    """Return where an elementwise output met an operand that was sick already."""
    fed = np.zeros(shape, bool)
    if isinstance(step.gate.kind, Elementwise):
        for wire in step.ins:
            fed |= np.broadcast_to(sick(exam.run.values[wire]), shape)
    return fed


def _in_argument(exam: Exam, wire: int, reader: int | None) -> Finding:
    value = np.asarray(exam.run.values[wire])
    ill = sick(value)
    index, count = first(ill), int(np.count_nonzero(ill))
    code = "nan" if np.isnan(value).any() else "inf"
    says = Says(
        "{0} comes in with {1} at element {2}; {3} of {4} elements are not finite.",
        "{0} já chega com {1} no elemento {2}; {3} de {4} elementos não são finitos.",
    ).fill(exam.name(wire), number(value[index]), at(index) or "()", count, value.size)
    advice = Says(
        "mend the data before the call: leave those rows out, or fill them in.",
        "conserte os dados antes da chamada: deixe essas linhas fora, ou preencha-as.",
    )
    rows = np.unique(np.argwhere(ill)[:, 0]) if value.ndim else []
    filled = np.where(ill, 0.0, value)
    effects = tried(exam, Change(given={wire: filled}))
    if len(rows):
        effects = (*effects, Effect(Says("rows to mend", "linhas a consertar"), len(rows), 0))
    place = None if reader is None else exam.place(reader)
    return Finding(code, exam.name(wire), place, count, says, advice, effects)


_MENDS = {
    "exp": Says(
        "take the greatest element away before exp; ratios stay what they are, and after a "
        "logarithm it is added again (co.nn.softmax and co.nn.logsumexp do so).",
        "tire o maior elemento antes da exp; as razões não mudam, e depois de um logaritmo ele é "
        "somado de volta (co.nn.softmax e co.nn.logsumexp fazem isso).",
    ),
    "log": Says(
        "keep the operand away from 0: np.log(np.maximum(x, 1e-12)), or work with logarithms "
        "from the start (co.nn.log_softmax).",
        "mantenha o operando longe de 0: np.log(np.maximum(x, 1e-12)), ou trabalhe com "
        "logaritmos desde o começo (co.nn.log_softmax).",
    ),
    "divide": Says(
        "keep the divisor away from 0: y / np.where(x == 0, 1.0, x).",
        "mantenha o divisor longe de 0: y / np.where(x == 0, 1.0, x).",
    ),
    "sqrt": Says(
        "give sqrt a positive number: np.sqrt(np.maximum(x, 1e-12)).",
        "dê à raiz um número positivo: np.sqrt(np.maximum(x, 1e-12)).",
    ),
}
_MEND = Says(
    "keep the operand inside the domain of {0}, with np.clip or np.where, before this step{1}.",
    "mantenha o operando dentro do domínio de {0}, com np.clip ou np.where, antes deste passo{1}.",
)
_PUT = Says(" (measured with {0} put there)", " (medido com {0} no lugar)")
_NOTHING = Says("", "")


def _less(value: Any, values: Values) -> Any:
    return value - np.max(value, axis=-1 if np.ndim(value) else None, keepdims=True)


_CURES: dict[str, tuple[int, Swap]] = {
    "exp": (0, _less),
    "log": (0, lambda value, values: np.maximum(value, 1e-12)),
    "divide": (1, lambda value, values: np.where(value == 0, 1.0, value)),
    "sqrt": (0, lambda value, values: np.maximum(value, 1e-12)),
}
"""What each of `_MENDS` advises, done: the operand that it changes, and how."""


def _repaired(
    exam: Exam, k: int, ill: np.ndarray, others: Swaps | None = None
) -> tuple[Says, tuple[Effect, ...]]:
    """Do what is advised at the step that failed, and measure what that mends.

    Without advice of its own, a harmless operand is put there.
    """
    step = exam.circuit.steps[k]
    name = step.gate.name
    if name in _CURES:
        return _cured(exam, k, others or {})
    advice = _MEND.fill(name, _NOTHING)
    if not isinstance(step.gate.kind, Elementwise):
        return advice, ()
    for positions in subsets(step):
        swap: Swaps = {(k, p): guarded(lambda values: ~ill, harmless(step, p)) for p in positions}
        effects = tried(exam, Change(swap=(others or {}) | swap))
        if all(math.isfinite(effect.after) for effect in effects):
            put = " / ".join(number(harmless(step, p)) for p in positions)
            return _MEND.fill(name, _PUT.fill(put)), effects
    return advice, ()


def _cured(exam: Exam, k: int, others: Swaps) -> tuple[Says, tuple[Effect, ...]]:
    """Measure a cure by itself, or, where it is not enough, with that of one later step."""
    name = exam.circuit.steps[k].gate.name
    position, cure = _CURES[name]
    swap = others | {(k, position): cure}
    effects = tried(exam, Change(swap=swap))
    if all(math.isfinite(effect.after) for effect in effects):
        return _MENDS[name], _candid(exam, k, effects) if name == "exp" else effects
    for later, step in enumerate(exam.circuit.steps[k + 1 :], k + 1):
        if step.gate.name in _CURES:
            position, cure = _CURES[step.gate.name]
            effects = tried(exam, Change(swap=swap | {(later, position): cure}))
            if all(math.isfinite(effect.after) for effect in effects):
                text = exam.text(step.outs[0])
                return _ALSO.fill(_MENDS[name], text, _MENDS[step.gate.name]), effects
    return _MENDS[name], ()


_ALSO = Says(
    "{0} That is not enough here; at {1} as well: {2}",
    "{0} Aqui isso não basta; também em {1}: {2}",
)


def _candid(exam: Exam, k: int, effects: tuple[Effect, ...]) -> tuple[Effect, ...]:
    """Say of a loss without the greatest exponent that it is another one, where it is."""
    further = Change(swap={(k, 0): lambda value, values: _less(value, values) - 1.0})
    loss, *others = effects
    same = math.isclose(tried(exam, further)[0].after, loss.after, rel_tol=1e-4, abs_tol=1e-12)
    return effects if same else (loss._replace(what=_SHIFTED), *others)


_SHIFTED = Says(
    "loss, with nothing added again for it", "perda, sem somar nada de volta no lugar dele"
)


# --- backward -----------------------------------------------------------------------------------


def _backward(exam: Exam) -> Iterator[Finding]:
    """Describe each step that turns a finite gradient into another one, the others mended."""
    faults = list(_faults(exam))
    for fault in faults:
        others = {
            key: way for each in faults if each is not fault for key, way in _mended(exam, each)
        }
        step = exam.circuit.steps[fault.step]
        upstream = exam.grad(step.outs[0])
        same = isinstance(step.gate.kind, Elementwise) and np.shape(upstream) == fault.bad.shape
        stopped = same and bool(np.all(np.asarray(upstream)[fault.bad] == 0))
        choice = left_out(exam, step.outs[0]) if stopped else None
        if choice is not None:
            yield trap(exam, fault, choice, others)
        else:
            yield _singular(exam, fault, upstream if same else None, others)


def _faults(exam: Exam) -> Iterator[Fault]:
    """Go through the steps where NaN or infinity begins on the way back, the last step first."""
    faults: dict[int, Fault] = {}
    for wire, parts in exam.run.contributions.items():
        for part in parts:
            bad = sick(part.value)
            if bad.any() and part.step not in faults:
                outs = exam.circuit.steps[part.step].outs
                if not any(sick(g).any() for g in map(exam.grad, outs) if g is not None):
                    shape = np.shape(exam.run.values[wire])
                    faults[part.step] = Fault(part.step, part.position, np.broadcast_to(bad, shape))
    for k in sorted(faults, reverse=True):
        yield faults[k]


def _mended(exam: Exam, fault: Fault) -> Iterator[tuple[tuple[int, int], Swap]]:
    """Do at a step that failed what is advised there, or put a harmless operand."""
    step = exam.circuit.steps[fault.step]
    if step.gate.name in _CURES:
        position, cure = _CURES[step.gate.name]
        yield (fault.step, position), cure
    elif isinstance(step.gate.kind, Elementwise):
        safe = harmless(step, fault.position)
        yield (fault.step, fault.position), guarded(lambda values: ~fault.bad, safe)


def _singular(exam: Exam, fault: Fault, upstream: Any, others: Swaps) -> Finding:
    index = first(fault.bad)
    k, step = fault.step, exam.circuit.steps[fault.step]
    wire = step.ins[fault.position]
    arrived = [exam.grad(w) for w in exam.parameters() if exam.grad(w) is not None]
    code = "nan" if any(np.isnan(g).any() for g in arrived) else "inf"
    count = int(np.count_nonzero(fault.bad))
    says = Says(
        "the loss is finite, but {0} has no finite slope at element {1} ({2}): what came from "
        "above, {3}, goes on as {4}; {5} of {6} elements.",
        "a perda é finita, mas {0} não tem inclinação finita no elemento {1} ({2}): o que veio "
        "de cima, {3}, segue como {4}; {5} de {6} elementos.",
    ).fill(
        exam.text(step.outs[0]),
        at(index) or "()",
        operands(exam, step, index, fault.bad.shape),
        "—" if upstream is None else number(np.asarray(upstream)[index]),
        "NaN" if code == "nan" else "∞",
        count,
        fault.bad.size,
    )
    advice, effects = _repaired(exam, k, fault.bad, others)
    return Finding(code, exam.name(wire), exam.place(k), count, says, advice, effects)
