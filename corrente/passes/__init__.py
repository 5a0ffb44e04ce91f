"""Passes: each takes a circuit and returns one that computes the same, in fewer or better steps.

One pass, one file. They know of no function and no run: a circuit in, a circuit out; guards
count as outputs. They leave the place, stack and origin of every step that stays as they are.
"""

from __future__ import annotations

from collections.abc import Callable

from corrente.circuit import Circuit
from corrente.errors import CircuitError
from corrente.passes.fold import fold
from corrente.passes.products import absorb
from corrente.passes.prune import prune
from corrente.passes.share import share
from corrente.passes.simplify import simplify

Pass = Callable[[Circuit], Circuit]

PASSES: tuple[Pass, ...] = (fold, simplify, share, absorb, prune)


def tidy(circuit: Circuit, check: bool = False) -> Circuit:
    """Run all passes in order, and once more if one of them made work for another.

    With `check` the circuit is verified after every pass; a CircuitError then names the pass.

    >>> import numpy as np, corrente as co
    >>> circuit = co.trace(lambda x: -(-(x.T.T * 1.0)))(np.ones((2, 3))).circuit
    >>> print(tidy(circuit))
    def circuit(x):
        return x
    """
    circuit, opened = _round(circuit, check)
    return _round(circuit, check)[0] if opened else circuit


def _round(circuit: Circuit, check: bool) -> tuple[Circuit, bool]:
    """Run every pass once; tell whether one made work for those before it."""
    opened = False
    for run in PASSES:
        fresh = run(circuit)
        if check and fresh is not circuit:
            try:
                fresh.verify()
            except CircuitError as error:
                error.add_note(f"pass: {run.__name__}")
                raise
        opened = opened or _opens(run, circuit, fresh)
        circuit = fresh
    return circuit, opened


def _opens(run: Pass, before: Circuit, after: Circuit) -> bool:
    """Tell whether a pass left steps that others have not seen; merged constants are none."""
    fewer = len(after.steps) < len(before.steps)
    return after is not before if run is simplify else fewer and run is share
