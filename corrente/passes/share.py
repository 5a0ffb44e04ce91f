"""Sharing: equal steps are done once, equal constants are held once."""

from __future__ import annotations

from struct import pack
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Step, Wire
from corrente.gates.arithmetic import multiply
from corrente.gates.choices import fmax, fmin, maximum, minimum
from corrente.passes.rewiring import LARGEST, alike, is_constant, is_ours, rewired
from corrente.record import Gate

# where two zeros, or two NaN, meet, these return one of the two by its place
_PICKS = frozenset((maximum, minimum, fmax, fmin))
# a fused multiply and add rounds one of the two products of the imaginary part, not the other
_LEANS_IF_COMPLEX = frozenset((multiply,))


def share(circuit: Circuit) -> Circuit:
    """Let one step stand for all steps with the same gate, inputs and parameters.

    The inputs of a commutative gate may be swapped where that changes no bit. Constants are
    equal if type, dtype and bits are (0.0 and −0.0 are two); other held values if they are the
    same object. The first of the equal steps stays, with its place and name. A user's own gates
    are not merged.

    >>> import numpy as np, corrente as co
    >>> circuit = co.trace(lambda x: np.sin(2.0 * x) + np.sin(x * 2.0))(1.0).circuit
    >>> print(share(circuit))
    def circuit(x):
        v2 = 2.0 * x
        v3 = np.sin(v2)
        v7 = v3 + v3
        return v7
    """
    wires = circuit.wires
    same, held = _equal_held(circuit)
    known: dict[Any, tuple[int, ...]] = {}
    steps: list[Step] = []
    for step in circuit.steps:
        gate, ins, outs, params, where, stack, origin = step
        if same:
            for wire in ins:
                if wire in same:
                    ins = tuple([same.get(w, w) for w in ins])
                    step = Step(gate, ins, outs, params, where, stack, origin)
                    break
        if "commutative" in gate.facts and ins[0] > ins[1] and _commutes(gate, wires[outs[0]]):
            ins = (ins[1], ins[0])
        first = known.setdefault((gate, ins, fingerprint(params)) if params else (gate, ins), outs)
        if first is not outs and is_ours(gate) and _all_alike(wires, first, outs):
            same.update(zip(outs, first, strict=True))
        else:
            steps.append(step)
    return rewired(circuit, steps, same, held) if same else circuit


def _equal_held(circuit: Circuit) -> tuple[dict[int, int], dict[int, Any]]:
    """Return which held wires give way to which, and what is still held."""
    same: dict[int, int] = {}
    held: dict[int, Any] = {}
    known: dict[Any, int] = {}
    for wire, value in circuit.held.items():
        key = fingerprint(value) if is_constant(value) else (object, id(value))
        first = known.setdefault(key, wire)
        if first == wire:
            held[wire] = value
        else:
            same[wire] = first
    return same, held


def _commutes(gate: Gate, out: Wire) -> bool:
    """Tell whether a commutative gate gives the same bits when its inputs are swapped."""
    if gate in _PICKS:
        return out.dtype.kind in "biu"
    return not (gate in _LEANS_IF_COMPLEX and out.dtype.kind == "c")


def _all_alike(wires: tuple[Wire, ...], first: tuple[int, ...], outs: tuple[int, ...]) -> bool:
    # Python's power of two numbers and NumPy's are one gate, and only one of them is weak
    return all(alike(wires[a], wires[b]) for a, b in zip(first, outs, strict=True))


def fingerprint(value: Any) -> Any:
    """Return something hashable that is equal for two values only if nothing tells them apart.

    Numbers keep their type and bits, lists and dicts their parts, small arrays their elements;
    what else cannot be looked into is known by its identity.

    >>> fingerprint(0.0) == fingerprint(-0.0), fingerprint(1) == fingerprint(True)
    (False, False)
    >>> fingerprint({"index": (slice(0, 3), ...)}) == fingerprint({"index": (slice(0, 3), ...)})
    True
    """
    kind = type(value)
    if kind in _PLAIN:
        return kind, value
    if kind is float:
        return kind, pack("d", value)
    if kind is complex:
        return kind, pack("dd", value.real, value.imag)
    if kind is dict:
        return kind, tuple([(key, fingerprint(part)) for key, part in value.items()])
    if isinstance(value, tuple | list):
        return kind, tuple([fingerprint(part) for part in value])
    if kind is slice:
        return kind, fingerprint((value.start, value.stop, value.step))
    return _fingerprint_of_numpy(value)


_PLAIN = frozenset((int, bool, str, bytes, type(None), type(...)))


def _fingerprint_of_numpy(value: Any) -> Any:
    kind = type(value)
    if isinstance(value, np.dtype):
        return np.dtype, value
    bits = isinstance(value, np.generic | np.ndarray) and not value.dtype.hasobject
    if bits and value.size <= LARGEST:
        return kind, value.dtype, value.shape, value.tobytes()
    return kind, id(value)
