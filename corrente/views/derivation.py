"""A run as aligned equations with its numbers put in: forward, then the chain rule backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from corrente import numerals
from corrente.circuit import Contribution, Run, Step
from corrente.narrator import LIMIT
from corrente.record import Elementwise
from corrente.scene.drafts import local_gradient
from corrente.views.typeset import (
    ATOM,
    MULTIPLY,
    escape,
    expression,
    is_small,
    symbol,
    written,
)
from corrente.words import Says

_INPUTS = Says("Given", "Dados")
_FORWARD = Says("Forward", "Para a frente")
_BACKWARD = Says("Backward", "Para trás")
_LEFT_OUT = Says("leaving out {0} equations", "omitindo {0} equações")
_CARRIED = Says("carried back by the {0} gate", "trazido de volta pela porta {0}")
_SUMMED = Says("summed where it had been repeated", "somado onde tinha sido repetido")
_SUM = Says("the sum over its branches", "a soma sobre os ramos")


@dataclass(frozen=True)
class _Page:
    """A run, the language, and the name of each wire."""

    run: Run
    lang: str
    names: dict[int, str]
    goal: str

    def name(self, wire: int) -> str:
        """Return a wire's name in mathematics; a literal is its own."""
        return symbol(self.names[wire]) if wire in self.names else written(self.run.values[wire])

    def slope(self, wire: int) -> str:
        return _fraction(self.goal, self.name(wire))

    def told(self, value: Any) -> str:
        """Write a value, or say its shape and norm where it is large."""
        if is_small(value):
            return written(value)
        return self.text(numerals.size(value))

    def text(self, says: Says) -> str:
        return rf"\text{{{escape(says.into(self.lang))}}}"


def derive(run: Run, lang: str = "en") -> list[tuple[str, list[str]]]:
    r"""Return headings, each with its equations: lines of an `aligned` environment.

    Numbers are put in wherever they are few; larger arrays are told by shape and norm. Of more
    than `narrator.LIMIT` steps the first and the last are written.

    >>> from corrente.circuit import Circuit, Contribution, Wire
    >>> from corrente.gates.arithmetic import sqrt
    >>> wires = tuple(Wire((), np.dtype(float), k, True) for k in range(2))
    >>> circuit = Circuit(wires, (0,), {}, (Step(sqrt, (0,), (1,), {}),), (1,), labels={0: "x"})
    >>> sent = {0: [Contribution(0, 0, 0.25)]}
    >>> pages = derive(Run(circuit, [4.0, 2.0], {0: 0.25, 1: 1.0}, sent, frozenset({0})))
    >>> print(pages[1][1][0])
    f &= \sqrt{x} = \sqrt{4} = 2
    """
    page = _page(run, lang)
    given = [wire for wire in (*run.circuit.ins, *run.circuit.held) if wire in page.names]
    parts = [
        (_INPUTS, list(_shortened(page, [_equation(page, wire) for wire in given]))),
        (_FORWARD, list(_shortened(page, [_made(page, step) for step in run.circuit.steps]))),
        (_BACKWARD, list(_shortened(page, list(_backward(page))))),
    ]
    return [(says.into(lang), lines) for says, lines in parts if lines]


def _page(run: Run, lang: str) -> _Page:
    circuit = run.circuit
    names = dict(circuit.identifiers)
    title = run.name if run.name.isidentifier() else "f"
    outs = [wire for wire in circuit.outs if wire in circuit.makers]
    if len(circuit.outs) == 1 and outs:
        if outs[0] not in circuit.names and title not in names.values():
            names[outs[0]] = title
        title = names[outs[0]]
    return _Page(run, lang, names, symbol(title))


def _shortened(page: _Page, lines: Sequence[str]) -> Iterator[str]:
    for skipped, k in numerals.gapped(range(len(lines)), 2 * LIMIT):
        if skipped:
            yield rf"& \ldots\ {page.text(_LEFT_OUT.fill(skipped))}"
        yield lines[k]


def _fraction(above: str, below: str) -> str:
    return rf"\frac{{\partial {above}}}{{\partial {below}}}"


def _equation(page: _Page, wire: int) -> str:
    return f"{page.name(wire)} &= {_valued(page, wire)}"


def _valued(page: _Page, wire: int) -> str:
    value = page.run.values[wire]
    return written(value) if is_small(value) else page.text(numerals.summary(value))


# --- forward -------------------------------------------------------------------------------------


def _made(page: _Page, step: Step) -> str:
    """Write one step: names, then numbers, then its value."""
    run, circuit = page.run, page.run.circuit
    code = circuit.code(step)
    wires = {circuit.identifiers[w]: w for w in step.ins if w in circuit.identifiers}

    def named(name: str) -> tuple[str, int]:
        return (page.name(wires[name]) if name in wires else symbol(name)), ATOM

    def numbered(name: str) -> tuple[str, int]:
        if name not in wires:
            return symbol(name), ATOM
        text = written(run.values[wires[name]])
        loose = text.startswith("-") or (" " in text and not text.startswith("\\"))
        return text, MULTIPLY if loose else ATOM

    left = ",\\ ".join(page.name(wire) for wire in step.outs)
    arrays = sum(np.ndim(run.values[wire]) > 0 for wire in step.ins) == len(wires) > 0
    sides = [expression(code, named, arrays=arrays)]
    if wires and all(is_small(run.values[wire]) for wire in wires.values()):
        sides.append(expression(code, numbered, arrays=arrays))
    if len(step.outs) == 1:
        sides.append(_valued(page, step.outs[0]))
    return f"{left} &= {' = '.join(dict.fromkeys(sides))}"


# --- backward ------------------------------------------------------------------------------------


def _backward(page: _Page) -> Iterator[str]:
    run = page.run
    for out in dict.fromkeys(run.circuit.outs):
        if out in run.gradients and not _sent(page, out):
            yield f"{page.slope(out)} &= {page.told(run.gradients[out])}"
    senders = {part.step for wire in run.contributions for part in _sent(page, wire)}
    for k in sorted(senders, reverse=True):
        step = run.circuit.steps[k]
        for position, wire in enumerate(step.ins):
            for part in _sent(page, wire):
                if (part.step, part.position) == (k, position):
                    yield _share(page, step, part)
        for wire in dict.fromkeys(step.ins):
            parts = _sent(page, wire)
            if _forks(page, wire) and k == min(part.step for part in parts):
                yield _sum(page, wire, parts)


def _sent(page: _Page, wire: int) -> Sequence[Contribution]:
    """Return what came back to a wire; data asks for nothing."""
    if wire in page.run.circuit.ins and wire not in page.run.parameters:
        return ()
    return page.run.contributions.get(wire, ())


def _forks(page: _Page, wire: int) -> bool:
    return len(_sent(page, wire)) + (wire in page.run.circuit.outs) > 1


def _share(page: _Page, step: Step, part: Contribution) -> str:
    """Write what one input receives: the upstream gradient times the local one."""
    wire, out = step.ins[part.position], step.outs[0]
    left = page.slope(wire)
    if _forks(page, wire):
        through = page.name(out)
        if step.ins.count(wire) > 1:
            through += rf",\,{part.position + 1}"
        left = rf"\left.{left}\right|_{{{through}}}"
    local = _local(page, step, part)
    if local is None:
        note = page.text(_CARRIED.fill(step.gate.symbol))
        return rf"{left} &= {page.told(part.value)} \quad {note}"
    upstream = page.run.gradients[out]
    arrays = bool(np.ndim(local) or np.ndim(upstream))
    sign = r" \odot " if arrays else r" \cdot "
    sides = [page.slope(out) + sign + _fraction(page.name(out), page.name(wire))]
    if is_small(upstream) and is_small(local):
        sides.append(f"{_closed(written(upstream), True)}{sign}{_closed(written(local))}")
    sides.append(page.told(part.value))
    note = ""
    if arrays and np.shape(part.value) != np.broadcast_shapes(np.shape(upstream), np.shape(local)):
        note = rf" \quad {page.text(_SUMMED)}"
    return f"{left} &= {' = '.join(sides)}{note}"


def _local(page: _Page, step: Step, part: Contribution) -> Any:
    """Return the local gradient that gives what was sent; None where there is none to show."""
    upstream = page.run.gradients.get(step.outs[0])
    if not isinstance(step.gate.kind, Elementwise) or upstream is None:
        return None
    local = local_gradient(page.run, step, part.position)
    if local is None:
        return None
    if np.ndim(upstream) == 0:
        with np.errstate(all="ignore"):
            agrees = np.isclose(upstream * local, part.value, rtol=1e-3, equal_nan=True)
        return local if np.all(agrees) else None
    return np.broadcast_to(local, np.shape(upstream))


def _sum(page: _Page, wire: int, parts: Sequence[Contribution]) -> str:
    """Write the sum of what came back to a fork."""
    run, left = page.run, page.slope(wire)
    total = page.told(run.gradients[wire])
    whole = wire not in run.circuit.outs
    if whole and len(parts) <= ROW_OF_TERMS and all(is_small(part.value) for part in parts):
        first, *rest = (written(part.value) for part in parts)
        terms = " + ".join([first, *map(_closed, rest)])
        return f"{left} &= {terms} = {total}"
    return rf"{left} &= {total} \quad {page.text(_SUM)}"


ROW_OF_TERMS = 6


def _closed(text: str, first: bool = False) -> str:
    """Put a negative number in brackets, unless it opens the line."""
    return rf"\left({text}\right)" if text.startswith("-") and not first else text
