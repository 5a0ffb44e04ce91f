"""Products: a product reads its inputs, and gives its output, with the axes in any order.

So a transpose before it, or after it, becomes part of it, and no array is turned for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from corrente.circuit import Circuit, Step, Wire
from corrente.gates.arrays import transpose
from corrente.gates.einsum import einsum
from corrente.gates.linalg import matmul, tensordot
from corrente.passes.rewiring import rewired
from corrente.record import Contract, Gate, Params


class Product(NamedTuple):
    """A sum of products, said with letters: one term for each input, and the output's."""

    terms: tuple[str, ...]
    result: str
    ins: tuple[int, ...]


def absorb(circuit: Circuit) -> Circuit:
    """Let products read the arrays that a transpose before them would have turned.

    The step becomes a tensordot (a matmul, if that is what is left) where it says the same, for
    BLAS reads either order; else an einsum. A product that only a transpose reads gives its
    result turned. The order in which a product adds up is its own, so the last bit may differ.

    >>> import numpy as np, corrente as co
    >>> circuit = co.trace(lambda x, y: x.T @ y)(np.ones((3, 2)), np.ones((3, 4))).circuit
    >>> print(absorb(circuit))
    def circuit(x, y):
        v2 = x.T
        v3 = np.tensordot(x, y, axes=((0,), (0,)))
        return v3
    """
    turned: dict[int, Step] = {}
    products: dict[int, Step] = {}
    once: set[int] | None = None
    steps: list[Step] = []
    changed = False
    for step in circuit.steps:
        gate, ins, outs = step[0], step[1], step[2]
        if type(gate.kind) is Contract:
            if turned and any(wire in turned for wire in ins):
                fresh = _with_inputs_turned(circuit.wires, step, turned)
                changed = changed or fresh is not step
                step = fresh
            products[outs[0]] = step
        elif gate is transpose:
            turned[outs[0]] = step
            if ins[0] in products:
                once = _read_once(circuit) if once is None else once
                fresh = _with_output_turned(circuit.wires, products[ins[0]], step, once)
                if fresh is not None:
                    changed, step = True, fresh
                    del turned[outs[0]]
                    products[outs[0]] = fresh
        steps.append(step)
    return rewired(circuit, steps, {}, circuit.held) if changed else circuit


def _read_once(circuit: Circuit) -> set[int]:
    """Return the wires that exactly one step reads, once, and nobody outside."""
    counts = Counter(wire for step in circuit.steps for wire in step.ins)
    counts.update(circuit.outs)
    counts.update(guard.wire for guard in circuit.guards)
    return {wire for wire, count in counts.items() if count == 1}


def _with_inputs_turned(wires: Sequence[Wire], step: Step, turned: dict[int, Step]) -> Step:
    product = _product(wires, step)
    if product is None:
        return step
    terms, ins = list(product.terms), list(product.ins)
    for k, wire in enumerate(ins):
        if wire in turned:
            axes = turned[wire].params["axes"]
            # the k-th axis of what was turned is axis axes[k] of what it was made from
            letters = dict(zip(axes, terms[k], strict=True))
            terms[k] = "".join([letters[axis] for axis in range(len(axes))])
            ins[k] = turned[wire].ins[0]
    fresh = Product(tuple(terms), product.result, tuple(ins))
    return _written(wires, step, fresh, bool(step.params.get("optimize")))


def _with_output_turned(
    wires: Sequence[Wire], step: Step, turn: Step, once: Iterable[int]
) -> Step | None:
    product = _product(wires, step)
    if product is None or step.outs[0] not in once:
        return None
    result = "".join([product.result[axis] for axis in turn.params["axes"]])
    optimize = bool(step.params.get("optimize"))
    return _written(wires, turn, product._replace(result=result), optimize)


def _product(wires: Sequence[Wire], step: Step) -> Product | None:
    """Say a step with letters; None for what sums nothing, or mixes types."""
    kind = step.gate.kind
    assert isinstance(kind, Contract)
    dtypes = {wires[wire].dtype for wire in (*step.ins, *step.outs)}
    if len(dtypes) > 1 or any(wires[wire].weak for wire in step.ins):
        return None
    spec = kind.spec(tuple(len(wires[wire].shape) for wire in step.ins), step.params)
    left, _, result = spec.partition("->")
    sums = not set(left) <= {*result, ","}
    return Product(tuple(left.split(",")), result, step.ins) if sums else None


def _written(wires: Sequence[Wire], step: Step, product: Product, optimize: bool) -> Step:
    """Write a product in the place of a step, as the plainest gate that says it."""
    gate, ins, params = _plainest(wires, product, optimize)
    return step._replace(gate=gate, ins=ins, params=params)


def _plainest(
    wires: Sequence[Wire], product: Product, optimize: bool
) -> tuple[Gate, tuple[int, ...], Params]:
    if len(product.terms) == 2:
        swapped = Product(product.terms[::-1], product.result, product.ins[::-1])
        for way in (product, swapped):
            axes = _shared_axes(wires, way)
            if axes == ((1,), (0,)) and len(way.terms[0]) == len(way.terms[1]) == 2:
                return matmul, way.ins, {}
            if axes is not None:
                return tensordot, way.ins, {"axes": axes}
    spec = f"{','.join(product.terms)}->{product.result}"
    several = len(product.terms) > 1
    return einsum, product.ins, {"subscripts": spec, "optimize": optimize or several}


def _shared_axes(
    wires: Sequence[Wire], product: Product
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Return the axes of both inputs that a tensordot would sum over; None if it is none."""
    left, right = product.terms
    bound = [c for c in left if c in right]
    free = [c for c in left + right if c not in bound]
    repeats = len(set(left)) < len(left) or len(set(right)) < len(right)
    if not bound or repeats or "".join(free) != product.result:
        return None
    first = tuple([left.index(c) for c in bound])
    second = tuple([right.index(c) for c in bound])
    a, b = (wires[wire].shape for wire in product.ins)
    fits = all(a[i] == b[j] for i, j in zip(first, second, strict=True))
    return (first, second) if fits else None
