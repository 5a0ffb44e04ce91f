"""Pruning: steps that nothing needs are dropped, and the wires are counted anew."""

from __future__ import annotations

from dataclasses import replace

from corrente.circuit import Circuit, Step, Wire


def prune(circuit: Circuit) -> Circuit:
    """Drop the steps that neither an output nor a guard needs, and the wires nobody uses.

    Inputs stay, used or not; so do all outputs of a step of which one is needed. The wires are
    numbered 0, 1, 2 … in their old order. `origin` is left alone: it counts the steps of another
    circuit. Takes time linear in the steps and wires.

    >>> import numpy as np, corrente as co
    >>> circuit = co.trace(lambda x, y: (np.sin(x * y), x + y)[1])(1.0, 2.0).circuit
    >>> print(prune(circuit))
    def circuit(x, y):
        v2 = x + y
        return v2
    """
    used = bytearray(len(circuit.wires))
    for wire in circuit.outs:
        used[wire] = 1
    for guard in circuit.guards:
        used[guard.wire] = 1
    steps: list[Step] = []
    for step in reversed(circuit.steps):
        for out in step[2]:
            if used[out]:
                break
        else:
            continue
        steps.append(step)
        for wire in step[1]:
            used[wire] = 1
        for out in step[2]:
            used[out] = 1
    for wire in circuit.ins:
        used[wire] = 1
    if all(used) and len(steps) == len(circuit.steps):
        return circuit
    steps.reverse()
    return _compacted(circuit, steps, used)


def _compacted(circuit: Circuit, steps: list[Step], used: bytearray) -> Circuit:
    """Number the used wires from zero on, in their old order."""
    number = [0] * len(used)
    wires: list[Wire] = []
    for wire in circuit.wires:
        if used[wire.id]:
            number[wire.id] = count = len(wires)
            shape, dtype, known, weak = wire
            wires.append(wire if known == count else Wire(shape, dtype, count, weak))
    return replace(
        circuit,
        wires=tuple(wires),
        ins=tuple([number[w] for w in circuit.ins]),
        held={number[w]: value for w, value in circuit.held.items() if used[w]},
        steps=tuple(
            [
                Step(
                    gate,
                    tuple([number[w] for w in ins]),
                    tuple([number[w] for w in outs]),
                    params,
                    where,
                    stack,
                    origin,
                )
                for gate, ins, outs, params, where, stack, origin in steps
            ]
        ),
        outs=tuple([number[w] for w in circuit.outs]),
        guards=tuple([guard._replace(wire=number[guard.wire]) for guard in circuit.guards]),
        labels={number[w]: name for w, name in circuit.labels.items() if used[w]},
    )
