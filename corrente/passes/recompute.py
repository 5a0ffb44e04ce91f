"""Recomputing: values that a plan does not keep are made again right before they are read."""

from __future__ import annotations

from dataclasses import replace

from corrente.circuit import Circuit, Step, Wire
from corrente.memory import Plan, reduced


def recompute(circuit: Circuit, plan: Plan) -> Circuit:
    """Return the circuit whose steps run in the order of a plan; a repeated step is a copy.

    A copy has the place and the origin of its step, and wires of its own, which the steps behind
    it read; of a fused step it makes only what the plan asks for. The circuit must be the one that
    was planned, and no pass may share equal steps after this one.
    """
    wires: list[Wire] = list(circuit.wires)
    now: dict[int, int] = {}
    """Wire of the circuit → the copy of it that is read at this point."""
    done: set[int] = set()
    steps: list[Step] = []
    for number, outs in plan.order:
        step = circuit.steps[number]
        again = number in done
        done.add(number)
        if again:
            step = _copy(reduced(step, outs), outs, wires, now)
        else:
            step = step._replace(ins=tuple(now.get(w, w) for w in step.ins))
        steps.append(step)
    return replace(circuit, wires=tuple(wires), steps=tuple(steps))


def _copy(step: Step, wanted: tuple[int, ...], wires: list[Wire], now: dict[int, int]) -> Step:
    """Return a copy of a step, on fresh wires; those that are wanted stand for the old ones."""
    ins = tuple(now.get(w, w) for w in step.ins)
    outs = []
    for w in step.outs:
        outs.append(len(wires))
        wires.append(wires[w]._replace(id=outs[-1]))
        if w in wanted:
            now[w] = outs[-1]
    return step._replace(ins=ins, outs=tuple(outs))
