"""The steps of one example, run on a whole batch by the kinds of their gates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from corrente.batching.elements import gather, scatter
from corrente.batching.operands import Given, Misfit, aligned, one_by_one
from corrente.batching.products import contract
from corrente.circuit import Guard
from corrente.record import Contract, Elementwise, Gather, Kind, Reduce, Scatter
from corrente.tracer import follows_writes

Get = Callable[[int], Any]


def _elementwise(given: Given) -> Any:
    ndim = max(map(len, given.shapes))
    pairs = zip(given.values, given.batched, strict=True)
    ins = [aligned(x, ndim) if batched else x for x, batched in pairs]
    return given.gate.forward(*ins, **given.params)


def _reduce(given: Given) -> Any:
    axis = given.params["axis"]
    if not isinstance(axis, tuple) or len(given.values) > 1:
        return one_by_one(given)
    params = {**given.params, "axis": tuple(k + 1 for k in axis)}
    return given.gate.forward(*given.values, **params)


def _by_own_rule(given: Given) -> Any:
    rule = getattr(given.gate.kind, "batch", None)
    if rule is None:
        return one_by_one(given)
    return rule(*map(given.whole, range(len(given.values))), **given.params)


def _contract(given: Given) -> Any:
    kind = given.gate.kind
    assert isinstance(kind, Contract)
    spec = kind.spec(tuple(map(len, given.shapes)), given.params)
    before, out = spec.replace(" ", "").split("->")
    batch = next(letter for letter in "zyxwvutsrqponmlkjihgfedcbaZYX" if letter not in spec)
    terms = [
        batch + term if batched else term
        for term, batched in zip(before.split(","), given.batched, strict=True)
    ]
    return contract(terms, batch + out, given.values)


_RULES: dict[type[Kind], Callable[[Given], Any]] = {
    Elementwise: _elementwise,
    Reduce: _reduce,
    Contract: _contract,
    Gather: gather,
    Scatter: scatter,
}


@dataclass
class Batch:
    """Values by wire, the batch axis in front, for the examples that are still together.

    `rows` are the numbers of these examples; the first of all is always among them, for the
    steps are its own. A wire that is not here has the first example's value for all.
    """

    get: Get
    values: dict[int, Any]
    rows: np.ndarray
    owned: set[int] = field(default_factory=set)
    """Wires whose memory nobody else sees: it may be written in place."""

    def keep(self, fits: np.ndarray) -> None:
        """Part with the examples that do not fit."""
        if not fits.all():
            kept = np.flatnonzero(fits)
            self.rows = self.rows[kept]
            self.values = {wire: value[kept] for wire, value in self.values.items()}

    def decide(self, wires: Iterable[int], decisions: Mapping[int, Sequence[Guard]]) -> None:
        """Part with the examples for which a decision of the program would have been another."""
        for guard in (guard for wire in wires for guard in decisions.get(wire, ())):
            self.keep(_agrees(guard.value, self.values[guard.wire]))

    def carry_out(self, step: Any, writable: bool) -> None:
        """Run one step on the batch."""
        gate, ins, outs, params = step[:4]
        rule = _RULES.get(type(gate.kind), _by_own_rule)
        while True:
            batched = [wire in self.values for wire in ins]
            values = [
                self.values[w] if b else self.get(w) for w, b in zip(ins, batched, strict=True)
            ]
            ours = writable and ins[0] in self.owned
            try:
                out = rule(Given(gate, params, values, batched, len(self.rows), ours))
                break
            except Misfit as misfit:
                self.keep(misfit.fits)
        if gate.outs == 1 and not isinstance(gate.kind, Scatter):
            for wire in self.owned.intersection(ins):
                if follows_writes(out, self.values[wire]):
                    out = np.copy(out)  # a view must not follow later writes in place
        if isinstance(gate.kind, Scatter):
            self.owned.add(outs[0])
        self.values.update(zip(outs, (out,) if gate.outs == 1 else out, strict=True))

    def forget(self, wires: Iterable[int]) -> None:
        """Let go of values that nothing reads any more."""
        for wire in wires:
            self.values.pop(wire, None)
            self.owned.discard(wire)


def batch(
    steps: Sequence[Any],
    get: Get,
    size: int,
    batched: Mapping[int, Any],
    outs: Iterable[int] = (),
    guards: Iterable[Guard] = (),
) -> Batch:
    """Run the steps of one example, the first, on all `size` examples, in plain NumPy.

    `get` reads the first example's values by wire; `batched` are the inputs that differ, the
    batch axis in front. Examples for which a guard does not hold are left out as soon as that
    is known; the result tells which ones stayed, and holds the `outs` that differ. Of a first
    example that is left alone nothing is computed: its values are known.
    """
    many = Batch(get, dict(batched), np.arange(size))
    decisions: dict[int, list[Guard]] = {}
    for guard in guards:
        decisions.setdefault(guard.wire, []).append(guard)
    last = {wire: k for k, step in enumerate(steps) for wire in step[1]}
    last.update(dict.fromkeys(outs, len(steps)))
    many.decide(batched, decisions)
    for k, (_, ins, made, *_) in enumerate(steps):
        if many.rows.size == 1:
            break
        if any(wire in many.values for wire in ins):
            many.carry_out(steps[k], writable=last[ins[0]] == k)
            many.decide(made, decisions)
            many.forget(wire for wire in (*ins, *made) if last.get(wire, k) == k)
    if many.rows.size == 1:
        many.values.clear()
    return many


def _agrees(value: Any, decisions: Any) -> np.ndarray:
    """Tell for which examples a decision came out as the first example's value."""
    if type(value) is bool and decisions.dtype != np.bool_:
        decisions = np.not_equal(decisions, 0)
    elif type(value) is int and decisions.dtype.kind == "f":
        decisions = np.trunc(decisions)
    same = np.equal(decisions, value)
    if isinstance(value, float | complex) and value != value:
        same = np.not_equal(decisions, decisions)
    plain = np.asarray(same)
    return np.asarray(plain.reshape(len(plain), -1).all(axis=1))
