"""Backpropagation: one sweep back, one push forward, both in plain NumPy over the gates' rules.

Called on arrays it computes; called on traced values it leaves a circuit behind, which can be
drawn, compiled and differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from corrente.gates.indexing import blank, fill
from corrente.record import Gate, Gather, Params, Scatter
from corrente.tape import Tape
from corrente.tracer import Traced, follows_writes

Get = Callable[[int], Any]
_SCALARS = frozenset({float, np.float64})


class Observer(Protocol):
    """Somebody who watches a sweep: told of each step entered and each contribution sent."""

    def enter(self, step: int, wires: tuple[int, ...], gradients: Sequence[Any]) -> None: ...
    def contribute(self, wire: int, step: int, position: int, gradient: Any) -> None: ...


def sweep(
    steps: Sequence[Any],
    get: Get,
    count: int,
    seeds: Mapping[int, Any],
    wanted: Iterable[int],
    observe: Observer | None = None,
) -> dict[int, Any]:
    """Send gradients back through steps and return those of the wanted wires that were reached.

    `steps` are in program order, `get` reads a wire's forward value, `seeds` are the upstream
    gradients of the outputs. Every gate multiplies the gradient from above by its own local
    gradient; where wires fork, the gradients add up. Only what leads to a wanted wire is
    computed.
    """
    active = mark(steps, wanted, count)
    slots = Slots(count, seeds, observe)
    gradients = slots.gradients
    for k in range(len(steps) - 1, -1, -1):
        gate, ins, outs, params, _, _, _ = steps[k]
        out = outs[0]
        if len(outs) == 1:
            g = gradients[out]
        else:
            g = tuple(gradients[wire] for wire in outs)
            g = None if all(d is None for d in g) else g
        if g is None or not active[out]:
            continue
        if observe is not None:
            observe.enter(k, outs, g if len(outs) > 1 else (g,))
        slots.step = k
        for wire in outs:
            gradients[wire] = None
        _step_back(slots, gate, ins, outs, params, g, get, active)
    return {wire: gradients[wire] for wire in wanted if gradients[wire] is not None}


def mark(steps: Sequence[Any], wanted: Iterable[int], count: int) -> bytearray:
    """Mark the wires that depend on wanted ones through gates that carry gradients."""
    active = bytearray(count)
    for wire in wanted:
        active[wire] = 1
    for step in steps:
        if step[0].differentiable:
            for wire in step[1]:
                if active[wire]:
                    for out in step[2]:
                        active[out] = 1
                    break
    return active


class Slots:
    """The gradients that are being added up, one slot a wire, and which of them are our own.

    A slot that is our own memory may be written in place: that keeps loops over the elements
    of an array linear.
    """

    __slots__ = ("gradients", "observe", "owned", "step")

    def __init__(self, count: int, seeds: Mapping[int, Any], observe: Observer | None) -> None:
        self.gradients: list[Any] = [None] * count
        self.owned: set[int] = set()
        self.observe = observe
        self.step = 0
        for wire, g in seeds.items():
            self.gradients[wire] = g

    def add(self, wire: int, position: int, d: Any, own: bool = False) -> None:
        """Add what one reader of a wire sends back."""
        if self.observe is not None:
            self.observe.contribute(wire, self.step, position, d)
        old = self.gradients[wire]
        if old is None:
            self.gradients[wire] = d
            (self.owned.add if own else self.owned.discard)(wire)
        else:
            self.gradients[wire] = old + d
            self.owned.add(wire)

    def own(self, wire: int, shape: tuple[int, ...], like: Any) -> Any:
        """Return a slot that can be written in place with values like the one given."""
        slot = self.gradients[wire]
        if slot is None:
            slot = blank(shape, like)
        elif wire not in self.owned:
            slot = np.array(slot) if not isinstance(slot, Traced) else np.copy(slot)
        if isinstance(like, Traced) and not isinstance(slot, Traced):
            slot = np.array(slot, like=like)  # type: ignore[call-overload]
        self.gradients[wire] = slot
        self.owned.add(wire)
        return slot


def _step_back(
    slots: Slots,
    gate: Gate,
    ins: tuple[int, ...],
    outs: tuple[int, ...],
    params: Params,
    g: Any,
    get: Get,
    active: bytearray,
) -> None:
    kind = type(gate.kind)
    if kind is Gather:
        _gather_back(slots, ins, params, g, get)
        return
    if kind is Scatter:
        _scatter_back(slots, gate, ins, outs, params, g, get, active)
        return
    x = [get(wire) for wire in ins]
    if len(outs) == 1:
        out = get(outs[0])
    else:
        out = tuple(get(wire) for wire in outs)
        g = tuple(np.zeros_like(y) if d is None else d for d, y in zip(g, out, strict=True))
    pulls = gate.pulls
    if pulls is None:
        _joint_back(slots, gate, ins, params, g, out, x, active)
        return
    for position, wire in enumerate(ins):
        if active[wire]:
            try:
                d = pulls[position](g, out, *x, **params)
            except (ZeroDivisionError, OverflowError):
                d = pulls[position](g, *map(_as_numpy, (out, *x)), **params)
            slots.add(wire, position, fit(d, x[position]))


def _as_numpy(value: Any) -> Any:
    """Give a Python number NumPy's arithmetic, in which 1 / 0 is infinity."""
    return np.float64(value) if type(value) in (float, int) else value


def _joint_back(
    slots: Slots,
    gate: Gate,
    ins: tuple[int, ...],
    params: Params,
    g: Any,
    out: Any,
    x: Sequence[Any],
    active: bytearray,
) -> None:
    """Ask the one rule for all inputs at once."""
    assert gate.joint is not None
    wanted = [position for position, wire in enumerate(ins) if active[wire]]
    found = gate.joint(g, out, x, params, wanted)
    for position, d in zip(wanted, found, strict=True):
        slots.add(ins[position], position, fit(d, x[position]))


def _gather_back(slots: Slots, ins: tuple[int, ...], params: Params, g: Any, get: Get) -> None:
    """Add the gradient of read elements where they were read, in one buffer for all reads."""
    wire = ins[0]
    x = get(wire)
    g = fit_dtype(g, x)
    if slots.observe is not None:
        slots.observe.contribute(wire, slots.step, 0, g)
    buffer = slots.own(wire, x.shape, g)
    index = params["index"]
    if len(ins) > 1:
        np.add.at(buffer, fill(index, [get(w) for w in ins[1:]]), g)
    elif type(buffer) is np.ndarray:
        buffer[index] += g
    else:
        np.add.at(buffer, index, g)


def _scatter_back(
    slots: Slots,
    gate: Gate,
    ins: tuple[int, ...],
    outs: tuple[int, ...],
    params: Params,
    g: Any,
    get: Get,
    active: bytearray,
) -> None:
    """Part the gradient of a written array between what was written and what stayed."""
    x, value, *arrays = (get(wire) for wire in ins)
    assert gate.pulls is not None
    if active[ins[1]]:
        d = np.copy(gate.pulls[1](g, None, x, value, *arrays, **params))
        slots.add(ins[1], 1, fit(d, value))
    if not active[ins[0]]:
        return
    if not isinstance(gate.kind, Scatter) or gate.kind.adds:
        slots.add(ins[0], 0, fit_dtype(g, x))
        return
    if outs[0] not in slots.owned:
        g = np.copy(g)
    g[fill(params["index"], arrays)] = 0.0
    slots.add(ins[0], 0, fit_dtype(g, x), own=True)


# --- fitting a gradient to its wire -----------------------------------------------------------


def fit(d: Any, x: Any) -> Any:
    """Give a gradient the shape and dtype of its wire: un-broadcasting happens here, once."""
    if type(x) in _SCALARS and type(d) in _SCALARS:
        return d
    shape = getattr(x, "shape", ())
    if getattr(d, "shape", ()) != shape:
        d = unbroadcast(d, shape)
    return fit_dtype(d, x)


def fit_dtype(d: Any, x: Any) -> Any:
    """Cast a gradient to its wire's dtype; of a complex one a real wire takes the real part."""
    if type(d) is np.ndarray and not d.shape and type(x) is not np.ndarray:
        d = d[()]
    have, want = _dtype(d), _dtype(x)
    if have == want:
        return d
    if have.kind == "c" and want.kind != "c":
        d = np.real(d)
    return d.astype(want) if hasattr(d, "astype") else want.type(d)


_FLOAT, _COMPLEX = np.dtype(np.float64), np.dtype(np.complex128)


def _dtype(value: Any) -> np.dtype[Any]:
    found = getattr(value, "dtype", None)
    return found if found is not None else _COMPLEX if type(value) is complex else _FLOAT


def unbroadcast(d: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which its wire was repeated."""
    have = np.shape(d)
    lead = len(have) - len(shape)
    if lead < 0:
        return np.broadcast_to(d, shape)
    axes = (*range(lead), *(lead + k for k, n in enumerate(shape) if n == 1 != have[lead + k]))
    if axes:
        d = np.sum(d, axis=axes, keepdims=True)
    if lead:
        d = np.reshape(d, np.shape(d)[lead:])
    return d if np.shape(d) == shape else np.broadcast_to(d, shape)


# --- forward mode -----------------------------------------------------------------------------


def push(
    steps: Sequence[Any],
    get: Get,
    count: int,
    tangents: Mapping[int, Any],
    outs: Iterable[int | None] = (),
) -> list[Any]:
    """Send tangents forward through steps and return one per wire; None where there is none.

    Only those of the wires in `outs` are sure to last: the tangent of a written array is written
    in place where nothing else reads it, which keeps loops of writes linear.
    """
    moved: list[Any] = [None] * count
    for wire, t in tangents.items():
        moved[wire] = t
    last: dict[int | None, int] = {}
    if any(type(step[0].kind) is Scatter for step in steps):
        last = {wire: k for k, step in enumerate(steps) for wire in step[1]}
        last.update(dict.fromkeys(outs, len(steps)))
    owned: set[int] = set()
    for k, step in enumerate(steps):
        gate, ins, made, params = step[:4]
        given = [moved[wire] for wire in ins]
        if not gate.differentiable or all(t is None for t in given):
            continue
        x = [get(wire) for wire in ins]
        if type(gate.kind) is Scatter:
            into = given[0] if ins[0] in owned and last[ins[0]] == k else None
            moved[made[0]] = _push_write(gate, given, x, params, into)
            owned.add(made[0])
            continue
        out = get(made[0]) if len(made) == 1 else tuple(get(wire) for wire in made)
        t_out = push_step(gate, given, out, x, params)
        for wire, t in zip(made, (t_out,) if len(made) == 1 else t_out, strict=True):
            moved[wire] = None if t is None else spread(t, get(wire))
            if t is not None and any(
                follows_writes(moved[wire], moved[w]) for w in owned.intersection(ins)
            ):
                moved[wire] = np.copy(moved[wire])  # it must not follow later writes in place
    return moved


def _push_write(
    gate: Gate, tangents: Sequence[Any], x: Sequence[Any], params: Params, into: Any
) -> Any:
    """Write a tangent into the tangent of the written array, in place where that is ours."""
    base, value = (
        np.zeros(v.shape, v.dtype)
        if t is None and isinstance(v, np.ndarray)
        else np.zeros_like(v)
        if t is None
        else t
        for t, v in zip(tangents[:2], x[:2], strict=True)
    )
    if isinstance(value, Traced) and isinstance(into, np.ndarray):
        into = None
    return gate.forward(base, value, *x[2:], **params, into=into)


def spread(t: Any, out: Any) -> Any:
    """Give a tangent the shape and dtype of its output."""
    shape = getattr(out, "shape", ())
    t = t if getattr(t, "shape", ()) == shape else np.broadcast_to(t, shape)
    return fit_dtype(t, out)


def push_step(
    gate: Gate, tangents: Sequence[Any], out: Any, x: Sequence[Any], params: Params
) -> Any:
    """Move tangents through one gate, by the first of its own ways that exists."""
    if gate.push is not None:
        return gate.push(tangents, out, x, params)
    if "linear" in gate.facts:
        count = 2 if isinstance(gate.kind, Scatter) else len(x)
        moved = [np.zeros_like(v) if t is None else t for t, v in zip(tangents, x, strict=True)]
        return gate.forward(*moved[:count], *x[count:], **params)
    total: Any = None
    rest = list(tangents)
    for position, t in enumerate(tangents):
        if t is None:
            continue
        if position in gate.linear:
            part = gate.forward(*x[:position], t, *x[position + 1 :], **params)
        elif gate.partials is not None:
            part = _times(t, gate.partials[position], x, out)
        else:
            continue
        rest[position] = None
        total = part if total is None else total + part
    if any(t is not None for t in rest):
        part = _pull_of_pull(gate, rest, out, x, params)
        total = part if total is None else total + part
    return total


def _times(t: Any, partial: Any, x: Sequence[Any], out: Any) -> Any:
    if not callable(partial):
        return t if partial == 1 else t * partial
    try:
        return t * partial(*x, out)
    except (ZeroDivisionError, OverflowError):
        return t * partial(*map(_as_numpy, (*x, out)))


def _pull_of_pull(
    gate: Gate, tangents: Sequence[Any], out: Any, x: Sequence[Any], params: Params
) -> Any:
    """A pull is linear in its gradient, so the pull of the pull is the push."""
    several = isinstance(out, tuple)
    tape = Tape()
    zeros = [np.zeros_like(y) for y in (out if several else (out,))]
    boxes = [Traced(tape, tape.argument(z, wanted=True), z) for z in zeros]
    g = tuple(boxes) if several else boxes[0]
    seeds: dict[int, Any] = {}
    wanted = [position for position, t in enumerate(tangents) if t is not None]
    if gate.joint is not None:
        pulled = gate.joint(g, out, x, params, wanted)
    else:
        assert gate.pulls is not None
        pulled = [gate.pulls[position](g, out, *x, **params) for position in wanted]
    for position, d in zip(wanted, pulled, strict=True):
        d = fit(d, x[position])
        if isinstance(d, Traced) and d.tape is tape:
            old = seeds.get(d.wire)
            seeds[d.wire] = tangents[position] if old is None else old + tangents[position]
    tape.close()
    found = sweep(tape.recorded, tape.value, len(tape.values), seeds, range(len(boxes)))
    results = [found.get(wire, zero) for wire, zero in enumerate(zeros)]
    return tuple(results) if several else results[0]
