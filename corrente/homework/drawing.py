"""The part of a circuit around one value, drawn in characters."""

from __future__ import annotations

from dataclasses import replace

from corrente.circuit import Run
from corrente.homework.truth import Truth
from corrente.scene import lay_out
from corrente.views import text
from corrente.words import LANGUAGES, Says

MOST_STEPS = 6
WIDEST = 100


def around(run: Run, wire: int, most: int = MOST_STEPS) -> Run:
    """Cut a run down to the step that makes a wire and the steps that read it, and a bit more."""
    circuit = run.circuit
    chosen: dict[int, None] = {}
    maker = circuit.makers.get(wire)
    if maker is not None:
        chosen[maker] = None
    chosen |= dict.fromkeys(step for step, _ in circuit.readers.get(wire, ()))
    frontier = list(chosen)
    while frontier and len(chosen) < most:
        step = circuit.steps[frontier.pop(0)]
        near = [step for out in step.outs for step, _ in circuit.readers.get(out, ())]
        fresh = [k for k in near if k not in chosen]
        chosen |= dict.fromkeys(fresh)
        frontier += fresh
    steps = tuple(circuit.steps[k] for k in sorted(list(chosen)[:most]))
    made = {out for step in steps for out in step.outs}
    read = {w for step in steps for w in step.ins}
    given = [w for w in dict.fromkeys(w for s in steps for w in s.ins) if w not in made]
    held = {w: circuit.held[w] for w in given if w in circuit.held}
    ins = tuple(w for w in given if w not in held)
    outs = tuple(w for step in steps for w in step.outs if w not in read)
    labels = {w: circuit.names[w] for w in ins if w in circuit.names}
    part = replace(circuit, steps=steps, ins=ins, held=held, outs=outs, guards=(), labels=labels)
    numbers = {k: old for k, old in enumerate(sorted(list(chosen)[:most]))}
    back = {old: k for k, old in numbers.items()}
    sent = {
        w: [c._replace(step=back[c.step]) for c in parts if c.step in back]
        for w, parts in run.contributions.items()
        if w in made or w in ins
    }
    return replace(run, circuit=part, contributions=sent, parameters=frozenset(ins))


def draw(truth: Truth, wire: int, name: str) -> Says | None:
    """Draw the steps around a wire in both languages; None where there is nothing to draw."""
    run = truth.run(name)
    if run is None:
        return None
    part = around(run, wire)
    if not part.circuit.steps:
        return None
    pictures = []
    for lang in LANGUAGES:
        scene = lay_out(part, lang=lang, metric=text.METRIC)
        pictures.append(text.draw(scene, width=WIDEST))
    return Says(*pictures)
