"""Forks whose parts cancel: what several readers send back nearly adds up to nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from corrente.doctor.budget import length
from corrente.doctor.exam import Exam
from corrente.doctor.findings import Effect, Finding, rms
from corrente.figures import clip, number
from corrente.program import Program, trace
from corrente.trees import take_apart
from corrente.words import Says

LEFT = {"float16": 1e-2, "float32": 1e-4}
"""What may be left of the parts, by type; 1e-6 in double precision."""
MOVES = 3
"""Points nearby at which the parts must cancel as well: at a minimum they do so only there."""
FEW = 600
"""Forks that are looked at."""


def check_forks(exam: Exam) -> Iterator[Finding]:
    """Find wires whose contributions cancel, here and at every point nearby."""
    suspects = [
        wire for wire in _forks(exam.program) if _left(exam.program, wire) <= _least(exam, wire)
    ]
    if not suspects:
        return
    suspects = [wire for wire in suspects if not _inside(exam, wire)]
    for program in _nearby(exam) if suspects else ():
        same = len(program.circuit.wires) == len(exam.circuit.wires)
        suspects = [w for w in suspects if same and _left(program, w) <= _least(exam, w)]
    if suspects:
        yield _cancelled(exam, suspects[-1])


def _forks(program: Program) -> list[int]:
    """Return the wires that several steps read; two inputs of one gate are its own affair."""
    parts = program.run.contributions
    return [w for w in sorted(parts) if len({part.step for part in parts[w]}) > 1][:FEW]


def _left(program: Program, wire: int) -> float:
    """Return the length of the sum over the sum of the lengths."""
    parts = [part.value for part in program.run.contributions.get(wire, ())]
    whole = math.fsum(length(part) for part in parts)
    total = program.run.gradients.get(wire)
    largest = max((length(part) for part in parts), default=0.0)
    if not whole or whole < 1.5 * largest * (1.0 - 1e-9):
        return 1.0  # one part alone cannot cancel
    return length(total) / whole


def _least(exam: Exam, wire: int) -> float:
    return LEFT.get(str(exam.circuit.wires[wire].dtype), 1e-6)


def _inside(exam: Exam, wire: int) -> bool:
    """Tell whether all readers belong to one function of the house, which knows what it does."""
    houses = {exam.house(k) for k, _ in exam.readers(wire)}
    return len(houses) == 1 and houses != {None}


def _nearby(exam: Exam) -> Iterator[Program]:
    rng = np.random.default_rng(1)
    chosen = exam.argnums if isinstance(exam.argnums, tuple | list) else (exam.argnums,)
    for _ in range(MOVES):
        args = list(exam.args)
        for position in chosen:
            tree = take_apart(args[position])
            args[position] = tree.build([_moved(leaf, rng) for leaf in tree.leaves])
        with np.errstate(all="ignore"):
            yield trace(exam.loss, argnums=exam.argnums)(*args)


def _moved(leaf: Any, rng: np.random.Generator) -> Any:
    step = 0.1 * (rms(leaf) or 1.0)
    if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f":
        return leaf + (step * rng.normal(size=leaf.shape)).astype(leaf.dtype)
    return leaf + step * float(rng.normal()) if isinstance(leaf, float) else leaf


def _cancelled(exam: Exam, wire: int) -> Finding:
    parts = exam.sent(wire)
    sizes = [length(part.value) for part in parts]
    left = _left(exam.program, wire)
    lost = -math.log10(left) if left else 16.0
    reader = min(p.step for p, size in zip(parts, sizes, strict=True) if 2 * size >= max(sizes))
    texts = [clip(exam.name(exam.circuit.steps[part.step].outs[0]), 40) for part in parts]
    says = Says(
        "what {0} receives from its {1} readers cancels: parts of {2} ({3}) add up to {4}; {5} "
        "digits are lost.",
        "o que {0} recebe dos seus {1} leitores se cancela: partes de {2} ({3}) somam {4}; "
        "perdem-se {5} algarismos.",
    ).fill(
        exam.name(wire),
        len(parts),
        number(max(sizes), 2),
        "; ".join(dict.fromkeys(texts[:3])),
        number(length(exam.grad(wire)), 2),
        f"{lost:.0f}",
    )
    advice = Says(
        "take the difference before it is made of large parts: simplify by hand what the readers "
        "have in common (x is in both, and leaves again).",
        "tire a diferença antes que ela seja feita de partes grandes: simplifique à mão o que os "
        "leitores têm em comum (x entra em ambos, e sai de novo).",
    )
    return Finding(
        "cancellation",
        exam.name(wire),
        exam.place(reader),
        lost,
        says,
        advice,
        _rounding(exam, wire),
    )


def _rounding(exam: Exam, wire: int) -> tuple[Effect, ...]:
    """Estimate the rounding in the sum of large parts, and in a sum that has none."""
    parts = exam.sent(wire)
    noise = np.finfo(np.asarray(exam.run.values[wire]).dtype).eps
    whole = math.fsum(length(part.value) for part in parts)
    total = length(exam.grad(wire))
    what = Says(
        "rounding (estimated), as a part of the gradient of {0}",
        "arredondamento (estimado), como parte do gradiente de {0}",
    ).fill(exam.name(wire))
    return (Effect(what, noise * whole / total if total else math.inf, float(noise)),)
