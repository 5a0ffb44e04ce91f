"""Boxes before they have a place: what each one says inside, and on the wires that leave it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import Any, NamedTuple

import numpy as np

from corrente.circuit import Run, Step, call_code, is_literal, literal
from corrente.convention import rule, ties
from corrente.figures import Figure, Grid, clip, number, span, summarise
from corrente.places import locate
from corrente.record import Elementwise
from corrente.scene import sentences
from corrente.scene.groups import deciding
from corrente.scene.outline import Link, Outline, Part, Reader, forks
from corrente.scene.picture import Term
from corrente.words import Says

LONGEST = 22
TERMS = 4
INSIDE = 24
_SUMMABLE = 10_000_000
_REACH = {"given": 3, "ours": 3, "constant": 0, "fork": 0}


class Ink(NamedTuple):
    """A text, with the tile that stands before it, still without a place."""

    kind: str
    lines: tuple[str, ...]
    tile: Grid | None = None
    alarm: bool = False
    tip: str = ""


class Outlet(NamedTuple):
    """What stands at one port on the right: texts above and below the wire that leaves."""

    wires: tuple[int, ...]
    above: tuple[Ink, ...]
    below: tuple[Ink, ...]
    tip: str


class Draft(NamedTuple):
    """One box to be: `ports` holds the local gradient at each input, None where there is none."""

    kind: str
    title: tuple[str, ...]
    ports: tuple[Ink | None, ...]
    outlets: tuple[Outlet, ...]
    tip: str
    part: Part
    reach: int | None


class Joint(NamedTuple):
    """An arrow to be: from a draft's outlet to a draft's input."""

    tail: int
    port: int
    head: int
    slot: int
    wires: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Sketch:
    """A run, what is shown of it, and the words for each wire, part and contribution."""

    run: Run
    found: Outline
    lang: str

    def say(self, says: Says, *things: Any) -> str:
        """Fill a sentence and return it in the picture's language."""
        return says.fill(*things).into(self.lang)

    @cached_property
    def forks(self) -> dict[int, list[int]]:
        """Map each forked wire to its links."""
        return forks(self.run, self.found)

    @cached_property
    def leaving(self) -> list[dict[tuple[int, ...], list[int]]]:
        """Map, for each part, the wires or bundles that leave it to their links."""
        found: list[dict[tuple[int, ...], list[int]]] = [{} for _ in self.found.parts]
        for k, link in enumerate(self.found.links):
            found[link.tail].setdefault(link.wires, []).append(k)
        return found

    @cached_property
    def entering(self) -> list[list[int]]:
        """List the links that enter each part, in the order of its inputs."""
        found: list[list[int]] = [[] for _ in self.found.parts]
        for k, link in enumerate(self.found.links):
            found[link.head].append(k)
        return found

    @cached_property
    def received(self) -> dict[int, dict[Reader, Any]]:
        """Map each wire that is drawn to what its readers sent back."""
        given = self.run.contributions
        return {
            wire: {(each.step, each.position): each.value for each in given[wire]}
            for wire in {wire for link in self.found.links for wire in link.wires}
            if wire in given
        }

    @cached_property
    def sums(self) -> dict[int, tuple[Term, ...]]:
        """Map each forked wire to its named contributions, in the order of its branches."""
        return {wire: tuple(self._terms(wire, links)) for wire, links in self.forks.items()}

    @cached_property
    def guards(self) -> dict[int, Any]:
        """Map wires that decide the path to the value they must keep."""
        return {guard.wire: guard.value for guard in self.run.circuit.guards}

    @cached_property
    def deciding(self) -> frozenset[int]:
        """The steps that only decide the path."""
        return deciding(self.run.circuit)

    @cached_property
    def calls(self) -> dict[int, int]:
        """Map the wires that leave a folded function to its part."""
        return {
            wire: link.tail
            for link in self.found.links
            if self.found.parts[link.tail].is_function
            for wire in link.wires
        }

    @cached_property
    def given(self) -> frozenset[int]:
        """The wires that folded functions read: what they do with them is their own affair."""
        heads = ((link, self.found.parts[link.head]) for link in self.found.links)
        return frozenset(wire for link, head in heads if head.is_function for wire in link.wires)

    def call(self, k: int) -> str:
        """Write a folded function as a call on the wires that enter it."""
        links = (self.found.links[each] for each in self.entering[k])
        names = dict.fromkeys(self.operand(wire) for link in links for wire in link.wires)
        return f"{self.found.parts[k].fold}({', '.join(names)})"

    def name(self, wire: int) -> str:
        """Return the user's name of a wire, "" if it has none."""
        return self.run.circuit.names.get(wire, "")

    def called(self, wire: int) -> str:
        """Return the name of a wire, or the code that made it."""
        name = self.name(wire)
        if name:
            return name
        if wire in self.calls:
            return clip(self.call(self.calls[wire]), 40)
        if wire in self.run.circuit.makers:
            step = self.run.circuit.steps[self.run.circuit.makers[wire]]
            return clip(self.code(step), 40)
        return self.operand(wire)

    def operand(self, wire: int) -> str:
        """Return a wire as code writes it."""
        held = self.run.circuit.held
        return (
            literal(held[wire])
            if wire in held and is_literal(held[wire])
            else (self.run.circuit.identifiers[wire])
        )

    def code(self, step: Step) -> str:
        """Return the right-hand side of a step as NumPy."""
        if step.gate.code is not None:
            return self.run.circuit.code(step)
        return call_code(step.gate.name, [self.operand(wire) for wire in step.ins], step.params)

    def reaches(self, wire: int) -> bool:
        """Tell whether the backward pass reached a wire."""
        return wire in self.run.gradients

    def figure(self, wire: int) -> Figure:
        """Return the summary of a wire's value."""
        return summarise(self.run.values[wire])

    def sender(self, k: int) -> str:
        """Say who sends back on a link: a function or a gate's code, and which of its inputs."""
        link = self.found.links[k]
        part = self.found.parts[link.head]
        if part.is_function:
            slot = self.entering[link.head].index(k)
            return self.say(sentences.SENDER, part.fold, slot + 1)
        (step, position), *others = link.readers
        if others:
            return sentences.count(len(link.readers), sentences.READERS).into(self.lang)
        if step >= len(self.run.circuit.steps):
            return sentences.SEED.into(self.lang)
        made = self.run.circuit.steps[step]
        name = self.name(made.outs[0])
        code = (f"{name} = " if name else "") + self.code(made)
        return self.say(sentences.SENDER, clip(code, 48), position + 1)

    def sent(self, wire: int, readers: Sequence[Reader]) -> Any:
        """Add up what some readers of a wire sent back; None if nothing, or too much to add."""
        received = self.received.get(wire, {})
        values = [received[reader] for reader in readers if reader in received]
        if not values and any(step >= len(self.run.circuit.steps) for step, _ in readers):
            return self._seed(wire)
        if not values or len(values) * np.size(values[0]) > _SUMMABLE:
            return None
        with np.errstate(all="ignore"):
            return reduce(add, values)

    def _seed(self, wire: int) -> Any:
        """Return what the output itself gave: the gradient less what the readers sent."""
        if not self.reaches(wire):
            return None
        with np.errstate(all="ignore"):
            sent = reduce(add, self.received.get(wire, {}).values(), 0.0)
            return np.round(self.run.gradients[wire] - sent, 12)

    def _terms(self, wire: int, links: Sequence[int]) -> Iterator[Term]:
        for k in links:
            sent = self.sent(wire, self.found.links[k].readers)
            if sent is not None:
                yield Term(" ".join(brief(summarise(sent))), self.sender(k))

    def wire_tip(self, wire: int) -> str:
        """Say everything about a wire: name, value, gradient and where the gradient came from."""
        lines = [self.called(wire), self.say(sentences.VALUE, self.figure(wire).full)]
        if self.reaches(wire):
            gradient = summarise(self.run.gradients[wire]).full
            lines.append(self.say(sentences.GRADIENT, gradient))
            lines += [f"  {term.value} ← {term.sender}" for term in self.sums.get(wire, ())]
        if wire in self.guards:
            lines.append(self.say(sentences.DECIDES, self.guards[wire]))
        return "\n".join(lines)


def draft(sketch: Sketch) -> tuple[list[Draft], list[Joint]]:
    """Turn an outline into drafts of boxes and arrows; forks stand right after what they fork."""
    drafts: list[Draft] = []
    joints: list[Joint] = []
    exits: dict[int, tuple[int, int]] = {}
    heads: list[int] = []
    for k in range(len(sketch.found.parts)):
        here = len(drafts)
        heads.append(here)
        leaving = _leaving(sketch, k)
        drafts.append(_draft_part(sketch, k, list(leaving)))
        for port, (wires, links) in enumerate(leaving.items()):
            if len(wires) == 1 and wires[0] in sketch.forks:
                joints.append(Joint(here, port, len(drafts), 0, wires))
                exits.update((link, (len(drafts), slot)) for slot, link in enumerate(links))
                drafts.append(_draft_fork(sketch, wires[0], links))
            else:
                exits.update((link, (here, port)) for link in links)
    for entering, head in zip(sketch.entering, heads, strict=True):
        for slot, k in enumerate(entering):
            joints.append(Joint(*exits[k], head, slot, sketch.found.links[k].wires))
    return drafts, joints


def _leaving(sketch: Sketch, k: int) -> dict[tuple[int, ...], list[int]]:
    """Map what leaves a part to its links, a gate's outputs in order; nothing may read a wire."""
    part, links = sketch.found.parts[k], sketch.leaving[k]
    made = part.wires if part.kind in ("given", "ours") else ()
    if part.kind == "gate":
        made = sketch.run.circuit.steps[part.steps.start].outs
    return {(wire,): links.get((wire,), []) for wire in made} | links


def _draft_part(sketch: Sketch, k: int, leaving: list[tuple[int, ...]]) -> Draft:
    part = sketch.found.parts[k]
    links = [sketch.found.links[each] for each in sketch.entering[k]]
    outlets = tuple(_outlet(sketch, part, wires) for wires in leaving)
    kind = part.kind
    if kind == "gate":
        kind = "deciding" if part.steps.start in sketch.deciding else kind
        step = sketch.run.circuit.steps[part.steps.start]
        ports = tuple(None if kind == "deciding" else _local(sketch, step, x) for x in links)
        title: tuple[str, ...] = (clip(step.gate.symbol, LONGEST),)
        tip = _gate_tip(sketch, step)
    else:
        ports = (None,) * len(links)
        title, tip = _fold_heading(sketch, k) if part.fold else _heading(sketch, part)
    return Draft(kind, title, ports, outlets, tip, part, _REACH.get(part.kind))


def _heading(sketch: Sketch, part: Part) -> tuple[tuple[str, ...], str]:
    """Return the title and the tip of an input or an output."""
    wire = part.wires[0]
    if part.kind == "out":
        alone = len(sketch.run.circuit.outs) == 1
        name = sketch.run.name if alone else sketch.name(wire) or sketch.run.name
        return (clip(name, LONGEST),), sketch.say(sentences.OUTPUT, sketch.run.name)
    says = {"given": sentences.GIVEN, "ours": sentences.OURS}.get(part.kind, sentences.CONSTANT)
    if part.kind == "constant" and is_literal(sketch.run.circuit.held[wire]):
        return (number(sketch.run.circuit.held[wire]),), says.into(sketch.lang)
    return (clip(sketch.operand(wire), LONGEST),), says.into(sketch.lang)


def _fold_heading(sketch: Sketch, k: int) -> tuple[tuple[str, ...], str]:
    part = sketch.found.parts[k]
    if part.fold in ("inputs", "outputs"):
        says = sentences.INPUTS if part.fold == "inputs" else sentences.OUTPUTS
        size = sentences.count(len(part.wires), says).into(sketch.lang)
    else:
        size = sentences.counted(len(part.steps), sentences.GATES).into(sketch.lang)
    if not part.is_function:
        return ("⋯", size), size
    return (clip(part.fold, LONGEST), size), _fold_tip(sketch, k, size)


def _fold_tip(sketch: Sketch, k: int, size: str) -> str:
    """Say what a folded function was called with, which gates are in it, and where it stands."""
    steps = [sketch.run.circuit.steps[each] for each in sketch.found.parts[k].steps[:INSIDE]]
    names = [step.gate.name for step in steps]
    if len(sketch.found.parts[k].steps) > INSIDE:
        names.append("…")
    lines = [clip(sketch.call(k), 80), size, sketch.say(sentences.INSIDE, ", ".join(names))]
    if steps[0].where is not None:
        lines.append(locate(steps[0].where).into(sketch.lang))
    return "\n".join(lines)


def _outlet(sketch: Sketch, part: Part, wires: tuple[int, ...]) -> Outlet:
    wire, *others = wires
    if others:
        text = sentences.count(len(wires), sentences.WIRES).into(sketch.lang)
        return Outlet(wires, (Ink("fold", (text,)),), (), text)
    tip = sketch.wire_tip(wire)
    above = []
    name = sketch.name(wire)
    named = part.kind in ("gate", "folded") and name and name != sketch.run.name
    if named:
        above.append(Ink("name", (clip(name, LONGEST),), tip=tip))
    if not (part.kind == "constant" and is_literal(sketch.run.circuit.held[wire])):
        above.append(_ink("value", sketch.figure(wire), tip))
    return Outlet(wires, tuple(above), _gradient_inks(sketch, wire, tip), tip)


def brief(figure: Figure) -> tuple[str, ...]:
    """Return a figure's lines, narrower: an array's mean stands below its least and greatest.

    >>> brief(summarise(np.arange(12.0).reshape(3, 4)))
    ('(3, 4)', '0 … 11', 'μ 5.5')
    """
    bounds = figure.lines[-1].split(" ≤ ")
    if len(bounds) != 3:
        return figure.lines
    least, mean, greatest = bounds
    return (*figure.lines[:-1], f"{least} … {greatest}", f"μ {mean}")


def _ink(kind: str, figure: Figure, tip: str, prefix: str = "") -> Ink:
    first, *rest = brief(figure)
    return Ink(kind, (prefix + first, *rest), figure.tile, figure.alarm, tip)


def _gradient_inks(sketch: Sketch, wire: int, tip: str) -> tuple[Ink, ...]:
    if not sketch.reaches(wire):
        return ()
    figure = summarise(sketch.run.gradients[wire])
    ink = _ink("gradient", figure, tip, "∂ ")
    terms = sketch.sums.get(wire, ())
    if len(terms) > 1 and len(figure.lines) == 1 and figure.tile is None:
        return (ink._replace(lines=(f"∂ {_sum(terms)} = {figure.lines[0]}",)),)
    folded = len(sketch.run.contributions.get(wire, ()))
    if folded > 1 and wire not in sketch.forks and wire not in sketch.given:
        text = sentences.count(folded, sentences.SUMMED).into(sketch.lang)
        return (ink, Ink("fold", (f"({text})",)))
    return (ink,)


def _sum(terms: Sequence[Term]) -> str:
    shown = [terms[0].value, *(_signed(term.value) for term in terms[1:TERMS])]
    if len(terms) > TERMS:
        shown[-1] = f"… ({len(terms)})"
    return " + ".join(shown)


def _signed(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _draft_fork(sketch: Sketch, wire: int, links: list[int]) -> Draft:
    """Draft the mark where a wire forks, with what each reader sent back on its branch."""
    outlets = []
    for k in links:
        link = sketch.found.links[k]
        tip = sketch.wire_tip(wire)
        figure = sketch.figure(wire)
        above = (_ink("value", figure, tip),) if len(figure.lines) == 1 else ()
        sent = sketch.sent(wire, link.readers)
        below: tuple[Ink, ...] = ()
        if sent is not None:
            named = f"{sketch.sender(k)}\n{sketch.called(wire)}"
            below = (_ink("gradient", summarise(sent), named, "∂ "),)
        outlets.append(Outlet((wire,), above, below, tip))
    tip = "\n".join(
        [
            sketch.say(sentences.FORK, sketch.called(wire), len(links)),
            *(f"  {term.value} ← {term.sender}" for term in sketch.sums.get(wire, ())),
        ]
    )
    part = Part("fork", range(0), (wire,))
    return Draft("fork", ("Σ",), (None,), tuple(outlets), tip, part, _REACH["fork"])


def local_gradient(run: Run, step: Step, position: int) -> Any:
    """Return an elementwise gate's local gradient at one input; None for other kinds of gate.

    That is its pull of ones: how fast the output moves with that input alone.
    """
    gate = step.gate
    if not isinstance(gate.kind, Elementwise) or gate.pulls is None:
        return None
    out = run.values[step.outs[0]]
    ins = [run.values[wire] for wire in step.ins]
    with np.errstate(all="ignore"), warnings.catch_warnings(), ties(rule()):
        warnings.simplefilter("ignore")
        try:
            return gate.pulls[position](np.ones_like(out), out, *ins, **step.params)
        except (ArithmeticError, ValueError, TypeError):
            return None  # a number the rule has no answer for: the picture goes without


def _local(sketch: Sketch, step: Step, link: Link) -> Ink | None:
    if len(link.readers) != 1 or not sketch.reaches(link.wires[0]):
        return None
    position = link.readers[0][1]
    found = local_gradient(sketch.run, step, position)
    if found is None:
        return None
    tip = sketch.say(sentences.LOCAL, position + 1, summarise(found).full)
    return Ink("local", (f"·{span(found)}",), tip=tip)


def _gate_tip(sketch: Sketch, step: Step) -> str:
    names = [clip(sketch.operand(wire), 40) for wire in step.ins] + ["…"] * 4
    outs = [sketch.name(wire) for wire in step.outs]
    left = f"{', '.join(outs)} = " if all(outs) else ""
    lines = [left + clip(sketch.code(step), 80), step.gate.does.fill(*names).into(sketch.lang)]
    if step.gate.differentiable:
        lines.append(sketch.say(sentences.BACKWARD, step.gate.teaches.fill(*names)))
    if step.where is not None:
        lines.append(locate(step.where).into(sketch.lang))
    return "\n".join(lines)
