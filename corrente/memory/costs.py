"""What a step costs, and what it takes to make only some of its outputs again.

The rates are those of one core of a common machine; only their ratios matter to a plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from corrente.blocks import fused, loop
from corrente.circuit import Circuit, Step, Wire
from corrente.record import NAMES, Contract, Elementwise, Opaque

CALL = 1e-7
"""Seconds that any step takes at least."""
BACK = 5e-6
"""Seconds that a call back to NumPy takes before it begins."""
PER_BYTE = 2e-10
PER_PRODUCT = 1.2e-10
"""Seconds for a multiplication and an addition of a product, in float64."""
PER_PLAIN = 2e-10
PER_CURVE = 2e-9
"""Seconds for an element: an addition or a choice, a curve."""
PER_OTHER = 5e-9
"""Seconds for an element of a call back."""
_PLAIN = frozenset(
    (
        *("add", "subtract", "multiply", "negative", "positive", "absolute", "square", "sign"),
        *("maximum", "minimum", "fmax", "fmin", "clip", "where", "astype", "copy", "divide"),
        *("stop_gradient", "reciprocal", "sqrt", "floor", "ceil", "trunc", "rint"),
        *("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"),
        *("logical_and", "logical_or", "logical_xor", "logical_not"),
    )
)


def nbytes(wire: Wire) -> int:
    """Return the bytes that a wire's elements take."""
    return math.prod(wire.shape) * wire.dtype.itemsize


def cost(circuit: Circuit) -> float:
    """Estimate how many seconds a run of a circuit takes."""
    return sum(seconds(circuit, step) for step in circuit.steps)


def seconds(circuit: Circuit, step: Step) -> float:
    """Estimate how long a step takes."""
    wires = circuit.wires
    ins, outs = [wires[w] for w in step.ins], [wires[w] for w in step.outs]
    body = step.params.get("body")
    if step.gate is loop and isinstance(body, Circuit):
        return step.params["count"] * sum(seconds(body, inner) for inner in body.steps)
    traffic = CALL + PER_BYTE * sum(map(nbytes, (*ins, *outs)))
    if step.gate is fused and isinstance(body, Circuit):
        return traffic + sum(_elements(body, inner) for inner in body.steps)
    kind = step.gate.kind
    if isinstance(kind, Contract) and len(ins) == 2:
        rate = PER_PRODUCT * (outs[0].dtype.itemsize / 8)
        return traffic + rate * _products(step, ins)
    if isinstance(kind, Elementwise):
        return traffic + _elements(circuit, step)
    if isinstance(kind, Opaque):
        return BACK + PER_OTHER * sum(math.prod(wire.shape) for wire in (*ins, *outs))
    return traffic


def _elements(circuit: Circuit, step: Step) -> float:
    shapes = (circuit.wires[w].shape for w in (*step.ins, *step.outs))
    rate = PER_PLAIN if step.gate.name in _PLAIN else PER_CURVE
    if not isinstance(step.gate.kind, Elementwise):
        rate = PER_PLAIN  # a sum over the loop
    return rate * max(map(math.prod, shapes))


def _products(step: Step, ins: Iterable[Wire]) -> int:
    """Return how many multiplications a contraction of two arrays does."""
    shapes = [wire.shape for wire in ins]
    kind = step.gate.kind
    assert isinstance(kind, Contract)
    spec = kind.spec(tuple(map(len, shapes)), step.params)
    sizes: dict[str, int] = {}
    for part, shape in zip(spec.split("->")[0].split(","), shapes, strict=True):
        letters = part.replace("...", "")
        for letter, n in zip(reversed(letters), reversed(shape), strict=False):
            sizes[letter] = max(n, sizes.get(letter, 1))
    return math.prod(sizes.values())


def may_run_again(step: Step) -> bool:
    """Tell whether a step may be run a second time: it is our own, and no call back to Python."""
    if step.gate in (fused, loop):
        return True
    return NAMES.get(step.gate.name) is step.gate and not isinstance(step.gate.kind, Opaque)


def reduced(step: Step, wanted: tuple[int, ...]) -> Step:
    """Return a step that makes only these of its outputs; only a fused step can do less.

    >>> import corrente as co
    >>> from corrente.passes.fuse import fuse
    >>> circuit = co.trace(lambda x, y: (x * 2.0, y + 1.0))(1.0, 2.0).circuit
    >>> step = fuse(circuit).steps[0]
    >>> [len(reduced(step, outs).params["body"].steps) for outs in (step.outs, step.outs[:1])]
    [2, 1]
    """
    if step.gate is not fused or len(wanted) == len(step.outs):
        return step
    body = step.params["body"]
    kept = [p for p, out in enumerate(step.outs) if out in wanted]
    used = {body.outs[p] for p in kept}
    steps = []
    for inner in reversed(body.steps):
        if not used.isdisjoint(inner.outs):
            steps.append(inner)
            used.update(inner.ins, inner.outs)
    pairs = [pair for pair in zip(body.ins, step.ins, strict=True) if pair[0] in used]
    smaller = replace(
        body,
        ins=tuple(inner for inner, _ in pairs),
        outs=tuple(body.outs[p] for p in kept),
        steps=tuple(reversed(steps)),
    )
    return step._replace(
        ins=tuple(outer for _, outer in pairs),
        outs=tuple(step.outs[p] for p in kept),
        params={"body": _counted(smaller, used)},
    )


def _counted(body: Circuit, used: set[int]) -> Circuit:
    """Number the used wires from zero on: equal bodies then have equal texts."""
    number = {w: k for k, w in enumerate(sorted(used))}

    def renumbered(wires: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(number[w] for w in wires)

    held: dict[int, Any] = {number[w]: v for w, v in body.held.items() if w in used}
    return Circuit(
        wires=tuple(body.wires[w]._replace(id=k) for w, k in number.items()),
        ins=renumbered(body.ins),
        held=held,
        steps=tuple(
            step._replace(ins=renumbered(step.ins), outs=renumbered(step.outs))
            for step in body.steps
        ),
        outs=renumbered(body.outs),
    )
