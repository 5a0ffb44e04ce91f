"""The chain rule in sentences: each gate forward, each gate backward, with the numbers put in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from corrente import numerals
from corrente.circuit import Contribution, Run, Step, call_code
from corrente.convention import rule, ties
from corrente.record import Elementwise, Gather
from corrente.words import Says, plain

LIMIT = 60
"""The most steps, and the most inputs, that are told one by one."""

_PARTS = 6
_HEADINGS = {
    "intro": None,
    "forward": Says("Forward", "Para a frente"),
    "backward": Says("Backward", "Para trás"),
    "result": Says("What the gradients say", "O que dizem os gradientes"),
}


class Sentence(NamedTuple):
    """One sentence of the story and what it speaks of, for views that point at it.

    `phase` is "intro", "forward", "backward", "fork" or "result"; `step` is a step's index and
    `wire` a wire's id, None where the sentence speaks of no single one.
    """

    phase: str
    step: int | None
    wire: int | None
    says: Says


@dataclass(frozen=True)
class _Story:
    """A run with the words for it: a name for each wire, and what is differentiated."""

    run: Run
    names: dict[int, str]
    symbol: str
    goal: Says

    def value(self, wire: int) -> Any:
        return self.run.values[wire]

    def name(self, wire: int) -> str:
        """Name a wire; a literal is its own name."""
        return self.names[wire] if wire in self.names else numerals.number(self.value(wire))

    def slope(self, wire: int) -> str:
        return f"∂{self.symbol}/∂{self.name(wire)}"

    def code(self, step: Step) -> str:
        return _code(step, [self.name(wire) for wire in step.ins])

    def sent(self, wire: int) -> Sequence[Contribution]:
        """Return what the readers of a wire sent back; data asks for nothing."""
        data = wire in self.run.circuit.ins and wire not in self.run.parameters
        return () if data else self.run.contributions.get(wire, ())

    def forks(self, wire: int) -> bool:
        """Tell whether a wire's gradient is a sum: several readers, or one and the outside."""
        return len(self.sent(wire)) + (wire in self.run.circuit.outs) > 1

    def seed(self, out: int) -> Any:
        """Return the gradient an output was given from outside: what its readers did not send."""
        total = self.run.gradients[out]
        parts = [part.value for part in self.sent(out)]
        same = all(np.shape(part) == np.shape(total) for part in parts)
        return total - sum(parts) if parts and same else total


def explain(run: Run, lang: str = "en") -> str:
    """Tell a run step by step: values forward, then the chain rule backward, with its numbers.

    `lang` is "en" or "pt". Circuits of more than `LIMIT` steps are told by their first and last
    ones, and the text says how many it left out.

    >>> from corrente.circuit import Circuit, Step, Wire
    >>> from corrente.gates.arithmetic import sqrt
    >>> wires = tuple(Wire((), np.dtype(float), k, True) for k in range(2))
    >>> circuit = Circuit(wires, (0,), {}, (Step(sqrt, (0,), (1,), {}),), (1,), labels={0: "x"})
    >>> print(explain(Run(circuit, [4.0, 2.0])))
    f: 1 gate. ...
    Forward
      1. f = np.sqrt(x): takes the square root of x: sqrt(4) = 2
    ...
    """
    lines: list[str] = []
    section = ""
    for sentence in narrate(run):
        here = "backward" if sentence.phase == "fork" else sentence.phase
        heading = _HEADINGS[here]
        if here != section and heading is not None:
            lines += ["", heading.into(lang)]
        section = here
        lines.append(_margin(sentence) + sentence.says.into(lang))
    return "\n".join(lines)


def _margin(sentence: Sentence) -> str:
    if sentence.phase == "intro":
        return "" if sentence.wire is None else "  "
    if sentence.step is None:
        return "  "
    number = f"  {sentence.step + 1}. "
    opens = sentence.phase == "forward" or sentence.wire is None
    return number if opens else " " * len(number)


def narrate(run: Run) -> tuple[Sentence, ...]:
    """Return the sentences that `explain` joins, each with the step and the wire it is about."""
    story = _story(run)
    return (*_opening(story), *_forward(story), *_backward(story), *_ending(story))


def _story(run: Run) -> _Story:
    circuit = run.circuit
    names = dict(circuit.identifiers)
    title = run.name if run.name.isidentifier() else "f"
    if len(circuit.outs) != 1 or circuit.outs[0] not in circuit.makers:
        return _Story(run, names, title, plain(title))
    out = circuit.outs[0]
    if circuit.names.get(out) != names[out] and title not in names.values():
        names[out] = title
    name, goal = names[out], plain(names[out])
    if np.ndim(run.values[out]) and out in run.gradients:
        summed = bool(np.all(np.asarray(run.gradients[out]) == 1))
        goal = (
            Says("the sum of {0}", "a soma de {0}")
            if summed
            else Says("the weighted sum of {0}", "a soma ponderada de {0}")
        ).fill(name)
    return _Story(run, names, name, goal)


# --- the opening --------------------------------------------------------------------------------


def _opening(story: _Story) -> Iterator[Sentence]:
    circuit = story.run.circuit
    yield Sentence(
        "intro",
        None,
        None,
        Says(
            "{0}: {1}. Forward, each gate makes a value from its inputs. Backward, each gate "
            "multiplies the gradient that reaches it by its own local gradient: the chain rule.",
            "{0}: {1}. Para a frente, cada porta faz um valor a partir das suas entradas. Para "
            "trás, cada porta multiplica o gradiente que chega a ela pelo seu gradiente local: é "
            "a regra da cadeia.",
        ).fill(story.symbol, numerals.counted(len(circuit.steps), _GATES)),
    )
    closed = [wire for wire in circuit.held if wire in story.names]
    wires = [*circuit.ins, *closed]
    for skipped, wire in numerals.gapped(wires, LIMIT):
        if skipped:
            yield Sentence("intro", None, None, _left_out(skipped, _INPUTS))
        yield Sentence("intro", None, wire, _given(story, wire))


def _given(story: _Story, wire: int) -> Says:
    if wire in story.run.parameters:
        role = Says("{0}: a parameter, ours to change.", "{0}: um parâmetro, que podemos mudar.")
    elif wire in story.run.circuit.ins:
        role = Says("{0}: data, given; no gradient.", "{0}: dado, fixo; sem gradiente.")
    else:
        role = Says(
            "{0}: a constant from outside; no gradient.",
            "{0}: uma constante vinda de fora; sem gradiente.",
        )
    return role.fill(_equals(story, wire))


# --- forward ------------------------------------------------------------------------------------


def _forward(story: _Story) -> Iterator[Sentence]:
    steps = story.run.circuit.steps
    for skipped, k in numerals.gapped(range(len(steps)), LIMIT):
        if skipped:
            yield Sentence("forward", None, None, _left_out(skipped, _GATES))
        yield Sentence("forward", k, steps[k].outs[0], _made(story, steps[k]))


def _made(story: _Story, step: Step) -> Says:
    """Say one step forward: `q = x + y: adds x and y: −2 + 5 = 3`."""
    left = ", ".join(story.name(wire) for wire in step.outs)
    names = [story.name(wire) for wire in step.ins]
    does = step.gate.does.fill(*names, *["…"] * 4)
    if _all_scalars(story, step):
        result = plain(
            f"{_substituted(story, step)} = {numerals.number(story.value(step.outs[0]))}"
        )
    elif len(step.outs) == 1 and np.ndim(story.value(step.outs[0])):
        result = numerals.summary(story.value(step.outs[0]))
    else:
        result = numerals.joined("; ", [_equals(story, wire) for wire in step.outs])
    return Says("{0} = {1}: {2}: {3}", "{0} = {1}: {2}: {3}").fill(
        left, story.code(step), does, result
    )


def _all_scalars(story: _Story, step: Step) -> bool:
    return isinstance(step.gate.kind, Elementwise) and all(
        np.ndim(story.value(wire)) == 0 for wire in step.ins
    )


def _code(step: Step, names: list[str]) -> str:
    if step.gate.code is not None:
        return step.gate.code(names, step.params)
    return call_code(step.gate.name, names, step.params)


def _substituted(story: _Story, step: Step) -> str:
    """Write a step with numbers for names, and brackets only where they are needed."""
    text = _code(step, [_bracketed(story.value(wire)) for wire in step.ins])
    text = re.sub(r"\b(np|nn)\.", "", text).replace(" * ", " × ").replace("-", "−")
    return re.sub(r"(?<=[(,])( ?)\((−[^() ]+)\)(?=[,)])", r"\1\2", numerals.first_bare(text))


def _bracketed(value: Any) -> str:
    text = numerals.number(value)
    return f"({text})" if text.startswith("−") or " " in text else text


# --- backward -----------------------------------------------------------------------------------


def _backward(story: _Story) -> Iterator[Sentence]:
    run = story.run
    if not run.gradients:
        says = Says(
            "This run has no gradients: there was no backward pass.",
            "Esta execução não tem gradientes: não houve passagem para trás.",
        )
        yield Sentence("backward", None, None, says)
        return
    for out in dict.fromkeys(run.circuit.outs):
        if out in run.gradients:
            yield Sentence("backward", None, out, _seed(story, out))
    told = sorted(_senders(story), reverse=True)
    for skipped, k in numerals.gapped(told, LIMIT):
        if skipped:
            yield Sentence("backward", None, None, _left_out(skipped, _GATES))
        yield from _back(story, k)
    quiet = len(run.circuit.steps) - len(told)
    if quiet:
        yield Sentence("backward", None, None, _quiet(story, quiet))


def _senders(story: _Story) -> set[int]:
    """Return the steps that sent a gradient to an input that asked for one."""
    return {part.step for wire in story.run.contributions for part in story.sent(wire)}


def _quiet(story: _Story, number: int) -> Says:
    return Says(
        "Nothing comes back through {1}: {0} does not depend on what is made there, only data is "
        "read there, or there is no gradient by nature.",
        "Nada volta por {1}: {0} não depende do que ali se faz, ali só se leem dados, ou por "
        "natureza não há gradiente.",
    ).fill(story.symbol, numerals.counted(number, _GATES))


def _seed(story: _Story, out: int) -> Says:
    gradient = story.seed(out)
    ones = bool(np.all(np.asarray(gradient) == 1))
    if ones and story.name(out) == story.symbol and np.ndim(gradient) == 0:
        return Says(
            "The gradient of {0} with respect to itself is 1: {1} = 1",
            "O gradiente de {0} em relação a si mesmo é 1: {1} = 1",
        ).fill(story.symbol, story.slope(out))
    if ones and np.ndim(gradient):
        return Says(
            "{0} has shape {1}: the gradient starts as 1 on every element, "
            "as if they were all summed.",
            "{0} tem forma {1}: o gradiente começa em 1 em cada elemento, "
            "como se todos fossem somados.",
        ).fill(story.name(out), np.shape(gradient))
    return Says(
        "The backward pass starts at {0}, with the gradient {1}.",
        "A passagem para trás começa em {0}, com o gradiente {1}.",
    ).fill(story.name(out), numerals.size(gradient))


def _back(story: _Story, k: int) -> Iterator[Sentence]:
    """Tell one step backward: what its gate teaches, each input's share, the forks it closes."""
    step = story.run.circuit.steps[k]
    names = [story.name(wire) for wire in step.ins]
    teaches = Says("{0}. The {1} gate {2}.", "{0}. A porta {1} {2}.").fill(
        f"{', '.join(story.name(wire) for wire in step.outs)} = {story.code(step)}",
        step.gate.symbol,
        step.gate.teaches.fill(*names, *["…"] * 4),
    )
    yield Sentence("backward", k, None, teaches)
    for position, wire in enumerate(step.ins):
        for part in story.sent(wire):
            if (part.step, part.position) == (k, position):
                yield Sentence("backward", k, wire, _share(story, k, position, part.value))
    for wire in dict.fromkeys(step.ins):
        if story.forks(wire) and k == min(part.step for part in story.sent(wire)):
            yield Sentence("fork", k, wire, _fork(story, wire))


def _share(story: _Story, k: int, position: int, sent: Any) -> Says:
    """Say what one input receives: upstream gradient times local gradient."""
    step = story.run.circuit.steps[k]
    wire, out = step.ins[position], step.outs[0]
    slope, name = story.slope(wire), story.name(wire)
    product = f"{story.slope(out)} · ∂{story.name(out)}/∂{name}"
    local = _local(story, step, position, sent)
    if local is None:
        says = _carried(story, step, sent)
    elif np.ndim(local) == 0:
        numbers = numerals.first_bare(
            f"{_bracketed(story.run.gradients[out])} × {_bracketed(local)}"
        )
        says = plain(f"{product} = {numbers} = {numerals.number(sent)}")
    else:
        says = _spread(story, product, out, local, sent)
    head = plain(slope)
    if story.forks(wire):
        head = Says("one part of {0}", "uma parcela de {0}").fill(slope)
        if step.ins.count(wire) > 1:
            head = Says("{0} (input {1})", "{0} (entrada {1})").fill(head, position + 1)
    return Says("{0} = {1}", "{0} = {1}").fill(head, says)


def _local(story: _Story, step: Step, position: int, sent: Any) -> Any:
    """Return the local gradient of an elementwise step, None where there is none to show.

    A local gradient that does not give what was sent (a tie under another rule) is not shown.
    """
    pulls, out = step.gate.pulls, step.outs[0]
    upstream = story.run.gradients.get(out)
    if not isinstance(step.gate.kind, Elementwise) or pulls is None or upstream is None:
        return None
    ins = [story.value(wire) for wire in step.ins]
    # the rule's own counter, so that telling a tie does not count it a second time
    with ties(rule()), np.errstate(all="ignore"):
        one = np.ones_like(upstream)[()]
        try:
            local = pulls[position](one, story.value(out), *ins, **step.params)
        except (ArithmeticError, ValueError, TypeError):
            return None  # Python refuses to divide its own numbers by zero
        if np.ndim(upstream) == 0:
            agrees = np.isclose(upstream * local, sent, rtol=1e-3, equal_nan=True)
            return local if agrees else None
    return np.broadcast_to(local, np.shape(upstream))


def _carried(story: _Story, step: Step, sent: Any) -> Says:
    """Say what a gate with no local gradient of its own per element sends back."""
    reached = [wire for wire in step.outs if wire in story.run.gradients]
    sources = [
        Says("{0} ({1})", "{0} ({1})").fill(
            story.slope(wire), numerals.size(story.run.gradients[wire])
        )
        for wire in reached
    ]
    says = Says("{0}, carried back from {1}", "{0}, trazido de volta de {1}")
    if isinstance(step.gate.kind, Gather):
        says = Says(
            "{0}, put where the elements were read, from {1}",
            "{0}, posto onde os elementos foram lidos, vindo de {1}",
        )
    return says.fill(numerals.size(sent), numerals.joined(", ", sources))


def _spread(story: _Story, product: str, out: int, local: Any, sent: Any) -> Says:
    """Say an elementwise product of arrays, by shapes and sizes instead of numbers."""
    says = Says(
        "{0}, element by element: upstream {1}; local gradient {2}{3}; gives {4}",
        "{0}, elemento a elemento: de cima vem {1}; gradiente local {2}{3}; resulta em {4}",
    )
    summed = Says("", "")
    if np.shape(sent) != np.shape(local):
        summed = Says(
            "; summed where the value had been repeated",
            "; somado onde o valor tinha sido repetido",
        )
    return says.fill(
        product,
        numerals.size(story.run.gradients[out]),
        _between(local),
        summed,
        numerals.size(sent),
    )


def _between(local: np.ndarray) -> Says:
    """Say between which numbers the elements of an array lie."""
    finite = local[np.isfinite(local)]
    if not finite.size or np.iscomplexobj(local):
        return Says("complex", "complexo") if finite.size else Says("non-finite", "não finito")
    low, high = numerals.number(finite.min()), numerals.number(finite.max())
    says = Says("from {0} to {1}", "de {0} a {1}") if low != high else plain("{0}")
    if finite.size < local.size:
        says = numerals.NON_FINITE.fill(says, local.size - finite.size)
    return says.fill(low, high)


def _fork(story: _Story, wire: int) -> Says:
    """Say that the gradients of a wire with several readers add up."""
    parts, total = story.sent(wire), story.run.gradients[wire]
    readers = len({part.step for part in parts})
    values = [part.value for part in parts]
    if wire in story.run.circuit.outs:
        if np.ndim(total) == 0:
            values.append(story.seed(wire))
        feeds = Says(
            "{0} is an output and is used inside too, so its gradients add up",
            "{0} é uma saída e também é usado por dentro, então os seus gradientes se somam",
        )
    elif readers == len(parts):
        feeds = Says(
            "{0} feeds {1} gates, so its gradients add up",
            "{0} alimenta {1} portas, então os seus gradientes se somam",
        )
    elif readers == 1:
        feeds = Says(
            "{0} enters the same gate {1} times, so its gradients add up",
            "{0} entra {1} vezes na mesma porta, então os seus gradientes se somam",
        )
    else:
        feeds = Says(
            "{0} is used {1} times, so its gradients add up",
            "{0} é usado {1} vezes, então os seus gradientes se somam",
        )
    feeds = feeds.fill(story.name(wire), len(parts))
    if np.ndim(total):
        norms = _added([numerals.number(numerals.norm(value)) for value in values], ", ")
        return Says(
            "{0}: parts of norm {1}; {2}, {3}", "{0}: parcelas de norma {1}; {2}, {3}"
        ).fill(feeds, norms, story.slope(wire), numerals.size(total))
    terms = numerals.first_bare(_added([_bracketed(value) for value in values], " + "))
    return Says("{0}: {1} = {2} = {3}", "{0}: {1} = {2} = {3}").fill(
        feeds, story.slope(wire), terms, numerals.number(total)
    )


def _added(terms: list[str], sign: str) -> str:
    if len(terms) > _PARTS:
        terms = [*terms[: _PARTS - 2], "…", terms[-1]]
    return sign.join(terms)


# --- the ending ---------------------------------------------------------------------------------


def _ending(story: _Story) -> Iterator[Sentence]:
    run = story.run
    asked = [wire for wire in run.circuit.ins if wire in run.parameters]
    if not run.gradients:
        return
    for skipped, wire in numerals.gapped(asked, LIMIT):
        if skipped:
            yield Sentence("result", None, None, _left_out(skipped, _INPUTS))
        yield Sentence("result", None, wire, _direction(story, wire))
    slope = sum(numerals.norm(run.gradients[wire]) ** 2 for wire in asked if wire in run.gradients)
    if np.isfinite(slope) and slope > 0:
        against = Says("against this gradient", "contra esse gradiente")
        if len(asked) > 1:
            against = Says("against all these gradients", "contra todos esses gradientes")
        says = Says(
            "A small step of rate r {2} changes {0} by about {1} × r.",
            "Um pequeno passo de taxa r {2} muda {0} em cerca de {1} × r.",
        )
        yield Sentence(
            "result", None, None, says.fill(story.goal, numerals.number(-slope), against)
        )


def _direction(story: _Story, wire: int) -> Says:
    """Say a parameter's gradient and where a small step against it goes."""
    slope, name = story.slope(wire), story.name(wire)
    if wire not in story.run.gradients:
        return Says(
            "{0} = 0: no gradient finds a way from {1} back to {2}.",
            "{0} = 0: nenhum gradiente acha caminho de {1} de volta a {2}.",
        ).fill(slope, story.symbol, name)
    gradient = np.asarray(story.run.gradients[wire])
    says = Says("{0}: {1}: {2}", "{0}: {1}: {2}") if gradient.ndim else _EQUATION
    return says.fill(slope, numerals.size(gradient), _tendency(gradient, name, story.goal))


def _tendency(gradient: np.ndarray, name: str, goal: Says) -> Says:
    if not np.all(np.isfinite(gradient)):
        return Says("not finite, no step can follow it.", "não é finito, nenhum passo o segue.")
    if not np.any(gradient):
        return Says(
            "at this point, moving {0} a little does not change {1}.",
            "neste ponto, mexer um pouco em {0} não muda {1}.",
        ).fill(name, goal)
    if np.iscomplexobj(gradient):
        return Says("complex, one slope per direction.", "complexo, uma inclinação por direção.")
    if gradient.ndim:
        return Says(
            "a small step against it raises {1} and lowers {2} of the {3} elements of {0}.",
            "um pequeno passo contra ele aumenta {1} e diminui {2} dos {3} elementos de {0}.",
        ).fill(name, int(np.sum(gradient < 0)), int(np.sum(gradient > 0)), gradient.size)
    up = bool(gradient > 0)
    moves = Says("grows", "cresce") if up else Says("falls", "cai")
    against = Says("lowers", "diminui") if up else Says("raises", "aumenta")
    return Says(
        "if {0} grows a little, {1} {2} {3}; a small step against the gradient {4} {0}.",
        "se {0} cresce um pouco, {1} {2} {3}; um pequeno passo contra o gradiente {4} {0}.",
    ).fill(name, goal, moves, numerals.times(numerals.norm(gradient)), against)


_EQUATION = Says("{0} = {1}: {2}", "{0} = {1}: {2}")
_GATES = (Says("{0} gate", "{0} porta"), Says("{0} gates", "{0} portas"))
_INPUTS = (Says("{0} input", "{0} entrada"), Says("{0} inputs", "{0} entradas"))


def _left_out(number: int, things: tuple[Says, Says]) -> Says:
    return Says("… leaving out {0}", "… omitindo {0}").fill(numerals.counted(number, things))


def _equals(story: _Story, wire: int) -> Says:
    """Say a wire's name with its value: `x = −2`, or `h: shape (3,), …`."""
    value = story.value(wire)
    sign = ": " if np.ndim(value) else " = "
    return Says("{0}{1}{2}", "{0}{1}{2}").fill(story.name(wire), sign, numerals.summary(value))
