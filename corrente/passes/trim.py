"""Trimming: loops give out only what is read."""

from __future__ import annotations

from dataclasses import replace

from corrente.blocks import Layout, loop
from corrente.circuit import Circuit, Step
from corrente.passes.prune import prune


def trim(circuit: Circuit) -> Circuit:
    """Drop the outputs of loops that nothing reads, and what only they need.

    Which carries a loop must keep is known when the way back has been made. Final carries stay.
    """
    read = {w for step in circuit.steps for w in step.ins}.union(circuit.outs)
    read.update(guard.wire for guard in circuit.guards)
    steps = [_trimmed(step, read) if step.gate is loop else step for step in circuit.steps]
    if all(a is b for a, b in zip(steps, circuit.steps, strict=True)):
        return circuit
    return replace(circuit, steps=tuple(steps))


def _trimmed(step: Step, read: set[int]) -> Step:
    layout = Layout(**step.params)
    ends = layout.carries, layout.carries + len(layout.kept)
    finals, before, results = (
        step.outs[: ends[0]],
        step.outs[ends[0] : ends[1]],
        step.outs[ends[1] :],
    )
    kept = [k for k, wire in enumerate(before) if wire in read]
    used = [k for k, wire in enumerate(results) if wire in read]
    if len(kept) + len(used) == len(before) + len(results):
        return step
    outs = layout.body.outs
    body = layout.body
    if len(used) < len(results):
        body = replace(body, outs=(*outs[: ends[0]], *(outs[ends[0] + k] for k in used)))
    fresh = replace(layout, body=trim(prune(body)), kept=tuple(layout.kept[k] for k in kept))
    return step._replace(
        outs=(*finals, *(before[k] for k in kept), *(results[k] for k in used)),
        params=fresh.params,
    )
