"""One loop nest for each step of a circuit: which writer writes which kind of gate."""

from __future__ import annotations

from corrente.circuit import Step, call_code
from corrente.record import Contract, Elementwise, Gather, Rearrange, Reduce, Scatter
from corrente.source.dialects import C_TYPES
from corrente.source.folding import FOLDS, OTHERS
from corrente.source.loops import Loops
from corrente.source.moving import gather, rearrange, scatter
from corrente.source.pointwise import each_element, sum_of_products


def translate(loops: Loops) -> None:
    """Write the loops of every step; raise NotSupported for a gate that has none, with its line."""
    for k, step in enumerate(loops.steps):
        for wire in (*step.ins, *step.outs):
            if loops.dtype(wire).name not in C_TYPES:
                raise loops.refused(step, str(loops.dtype(wire)))
        if any(loops.shape(wire) for wire in step.outs):
            _comment(loops, step)
        if not isinstance(step.gate.kind, Scatter):
            for wire in step.outs:
                loops.declare(wire)
        _translate(loops, k, step)


def _comment(loops: Loops, step: Step) -> None:
    """Say above a loop nest what it does, as NumPy."""
    held, names = loops.circuit.held, []
    for wire in step.ins:
        number = loops.uniform(wire)
        names.append(loops.name(wire) if number is None else f"{held[wire]!r:.20}")
    gate = step.gate
    code = gate.code(names, step.params) if gate.code else call_code(gate.name, names, step.params)
    names = ", ".join(loops.name(wire) for wire in step.outs)
    loops.say(f"/* {names} = {code.replace('nn.', '').replace('*/', '* /')} */")


def _translate(loops: Loops, k: int, step: Step) -> None:
    kind = step.gate.kind
    if isinstance(kind, Elementwise):
        each_element(loops, step)
    elif isinstance(kind, Reduce) and step.gate.name in FOLDS:
        FOLDS[step.gate.name](loops, step)
    elif isinstance(kind, Contract):
        sum_of_products(loops, step, kind.spec)
    elif isinstance(kind, Rearrange):
        rearrange(loops, step)
    elif isinstance(kind, Gather):
        gather(loops, step)
    elif isinstance(kind, Scatter):
        scatter(loops, k, step, kind.adds)
    elif step.gate.name in OTHERS:
        OTHERS[step.gate.name](loops, step)
    else:
        raise loops.refused(step)
