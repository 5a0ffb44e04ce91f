"""A wire and what lies around it: the part of a run that is near, as a run of its own."""

from __future__ import annotations

import difflib
from dataclasses import replace

from corrente.circuit import Circuit, Contribution, Run
from corrente.errors import BadValue
from corrente.words import Says

RADIUS = 2
"""How many gates away from the wire is still near."""


def surround(run: Run, name: str, radius: int = RADIUS) -> Run:
    """Return the gates at most `radius` away from a wire, forward or backward, as a run.

    `name` is a variable of the user's (of several wires of that name the last one), or a name
    that drawings and the printed circuit give: v7. The values and gradients are those of the
    whole run: what came back from gates that are not near stays in the sums. Raises BadValue for
    a name that there is not, and for a radius below 1.

    >>> from corrente.program import trace
    >>> import numpy as np
    >>> near = surround(trace(lambda x: np.exp(np.sin(x * x)))(1.0).run, "v1", 1)
    >>> [step.gate.name for step in near.circuit.steps]
    ['multiply', 'sin']
    """
    if radius < 1:
        raise BadValue(
            Says("a radius of {0} shows nothing.", "um raio de {0} não mostra nada.").fill(radius),
            Says("--radius 2", "--radius 2"),
            False,
        )
    near = _near(run.circuit, _wire(run.circuit, name), radius)
    return _cut(run, near)


def _wire(circuit: Circuit, name: str) -> int:
    named = [wire for wire, known in circuit.names.items() if known == name]
    named = named or [wire for wire, known in circuit.identifiers.items() if known == name]
    if named:
        return max(named)
    known = list(dict.fromkeys((*circuit.names.values(), *circuit.identifiers.values())))
    close = difflib.get_close_matches(name, known, 6, 0.4) or known[:12]
    raise BadValue(
        Says(
            "no wire is called {0} in this circuit.", "nenhum fio se chama {0} neste circuito."
        ).fill(repr(name)),
        Says("some that are: {0}.", "alguns que há: {0}.").fill(", ".join(close)),
        False,
    )


def _near(circuit: Circuit, wire: int, radius: int) -> list[int]:
    """Find the steps at most `radius` gates away, going along the wires in both directions."""
    found: set[int] = set()
    front = {wire}
    for _ in range(radius):
        reached = {k for each in front for k, _ in circuit.readers.get(each, ())}
        reached |= {circuit.makers[each] for each in front if each in circuit.makers}
        fresh = reached - found
        found |= fresh
        front = {
            each
            for k in fresh
            for each in (*circuit.steps[k].ins, *circuit.steps[k].outs)
            if each in circuit.makers  # an input that all share brings nothing near
        }
    return sorted(found)


def _cut(run: Run, near: list[int]) -> Run:
    """Cut some steps out: what they read becomes an input, what others read of them an output."""
    circuit = run.circuit
    steps = tuple(circuit.steps[k] for k in near)
    made = {out for step in steps for out in step.outs}
    read = dict.fromkeys(wire for step in steps for wire in step.ins)
    kept = {wire: circuit.held[wire] for wire in read if wire in circuit.held}
    ins = tuple(wire for wire in read if wire not in made and wire not in kept)
    inside = set(near)
    outs = [out for step in steps for out in step.outs if _leaves(circuit, out, inside)]
    # an input that others read as well goes on to them, so that its sum is whole
    sent = {w: [part.step in inside for part in run.contributions.get(w, ())] for w in ins}
    outs += [wire for wire in ins if any(sent[wire]) and not all(sent[wire])]
    place = {k: index for index, k in enumerate(near)}
    contributions = {
        wire: [
            Contribution(place[part.step], part.position, part.value)
            for part in parts
            if part.step in place
        ]
        for wire, parts in run.contributions.items()
        if wire in made or wire in read
    }
    # names come from lines of source, and those of a step within a composed function from the
    # step after it, which may be gone
    labels = {w: name for w, name in circuit.names.items() if w in made or w in read}
    part = replace(
        circuit, ins=ins, held=kept, steps=steps, outs=tuple(outs), guards=(), labels=labels
    )
    gradients = {w: g for w, g in run.gradients.items() if w in made or w in read}
    return replace(run, circuit=part, gradients=gradients, contributions=contributions)


def _leaves(circuit: Circuit, out: int, inside: set[int]) -> bool:
    """Tell whether a wire is wanted outside: returned, read by others, or by nobody."""
    readers = circuit.readers.get(out, ())
    return out in circuit.outs or not readers or any(k not in inside for k, _ in readers)
