"""The records of the structural gates: the loop and the group, with their rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from corrente.backprop import mark, push, sweep
from corrente.blocks.deriving import Derived, derive, draw_along, draw_back, moving_inputs
from corrente.blocks.loops import Layout, code_of, inside, iterate, shapes_of, unrolled
from corrente.circuit import Circuit, Wire
from corrente.interpreter import interpret
from corrente.record import Gate, Params, opaque
from corrente.tape import Tape
from corrente.tracer import Traced, record
from corrente.tracer.writing import innermost
from corrente.words import Says


def looped(*ins: Any, **params: Any) -> Any:
    """Run a loop: its outputs as `Layout` has them, recorded as one step if an input is traced.

    The parameters are those of `Layout`. Raises ValueError where the inputs do not fit the body.

    >>> import corrente as co
    >>> body = co.trace(lambda h, w, x: (h * w + x, h))(1.0, 2.0, 3.0).circuit
    >>> looped(1.0, 2.0, np.array([5.0, 6.0]), body=body, count=2, carries=1, constants=1)
    (20.0, array([1., 7.]))
    """
    layout = Layout(**params)
    if any(type(x) is Traced for x in ins):
        return record(loop, ins, layout.params)
    if layout.count == 0 or len(ins) != len(layout.body.ins):
        raise ValueError(f"{len(ins)} inputs of a loop that has {len(layout.body.ins)}")
    return iterate(ins, layout)


def _run_derived(
    derived: Derived,
    layout: Layout,
    carries: Sequence[Any],
    given: Mapping[int, Any] | Sequence[Any],
    ins: Sequence[Any],
    out: Sequence[Any],
    kept: Sequence[int] | None = None,
    reverse: bool = False,
) -> Any:
    """Run a derived loop, or record it; one on a tape keeps its carries, for the next order."""
    sources = (*derived.constants, *derived.slices)
    missing = {s.position for s in sources if s.kind == "kept"}.difference(layout.kept)
    stacked = {c: out[layout.carries + k] for k, c in enumerate(layout.kept)}
    if missing:
        again = replace(layout, kept=tuple(sorted(missing)))
        found = looped(*ins, **again.params)
        stacked |= {c: found[layout.carries + k] for k, c in enumerate(again.kept)}
    groups = {"value": ins, "kept": stacked, "given": given}
    given_in = [*carries, *(groups[source.kind][source.position] for source in sources)]
    if kept is None:
        traced = any(type(x) is Traced for x in given_in)
        kept = range(derived.carries) if traced else ()
    return looped(
        *given_in,
        body=derived.body,
        count=layout.count,
        carries=derived.carries,
        constants=len(derived.constants),
        kept=tuple(kept),
        reverse=layout.reverse != reverse,
    )


def _zeros(wire: Wire) -> Any:
    return np.zeros(wire.shape, wire.dtype)[()]


def _loop_back(
    g: Any, out: Any, ins: Sequence[Any], params: Params, wanted: Sequence[int]
) -> list[Any]:
    """Send the gradients of a loop back by a loop that runs the other way."""
    layout = Layout(**params)
    g, out = (x if isinstance(x, tuple | list) else (x,) for x in (g, out))
    moving = moving_inputs(layout, wanted)
    present = [j for j in range(layout.carries, len(g)) if not _is_blank(g[j])]
    of_kept = range(layout.carries, layout.carries + len(layout.kept))
    present = [j for j in present if j not in of_kept or layout.kept[j - layout.carries] in moving]
    derived = derive(draw_back, layout, ins, moving, tuple(present))
    if derived is None:
        return _reopened(unrolled)[0](g, out, ins, params, wanted)
    carries = [
        g[p] if p < layout.carries else _zeros(layout.entering(p))
        for p in moving
        if p < layout.sliced
    ]
    found = _run_derived(derived, layout, carries, g, ins, out, reverse=True)
    results = dict(
        zip(moving, (*found[: derived.carries], *_last(found, moving, layout)), strict=True)
    )
    return [
        results[p] if p in results else np.zeros(np.shape(ins[p]), layout.entering(p).dtype)
        for p in wanted
    ]


def _last(found: Sequence[Any], moving: Sequence[int], layout: Layout) -> Sequence[Any]:
    """Return the stacked results: they stand at the end, after what was kept."""
    count = sum(p >= layout.sliced for p in moving)
    return found[len(found) - count :]


def _loop_along(tangents: Sequence[Any], out: Any, ins: Sequence[Any], params: Params) -> Any:
    """Take tangents along a loop by a loop that runs beside it."""
    layout = Layout(**params)
    out = out if isinstance(out, tuple | list) else (out,)
    told = [p for p, t in enumerate(tangents) if t is not None]
    moving = moving_inputs(layout, told)
    wires = [layout.body.ins[p] for p in moving]
    active = mark(layout.body.steps, wires, len(layout.body.wires))
    present = tuple(
        p for p in range(layout.carries, len(layout.body.outs)) if active[layout.body.outs[p]]
    )
    given = {p: _zeros(layout.entering(p)) if tangents[p] is None else tangents[p] for p in moving}
    derived = derive(draw_along, layout, ins, moving, present)
    if derived is None:
        return _reopened(unrolled)[1](tangents, out, ins, params)
    carries = [given[p] for p in moving if p < layout.carries]
    carried = {c: k for k, c in enumerate(p for p in moving if p < layout.carries)}
    kept = [c for c in layout.kept if c in carried]
    found = _run_derived(derived, layout, carries, given, ins, out, kept=[carried[c] for c in kept])
    stacked = dict(zip(kept, found[derived.carries :], strict=False))
    results = dict(zip(present, found[derived.carries + len(kept) :], strict=True))
    moved = [found[carried[c]] if c in carried else None for c in range(layout.carries)]
    moved += [stacked.get(c) for c in layout.kept]
    moved += [results.get(p) for p in range(layout.carries, len(layout.body.outs))]
    return tuple(moved) if len(moved) > 1 else moved[0]


def _is_blank(d: Any) -> bool:
    """Tell whether a gradient is nothing but zeros that nobody computed."""
    while type(d) is Traced:
        tape, wire = d.tape, d.wire
        if wire in tape.inputs or any(wire in step[2] for step in tape.recorded):
            return False
        d = tape.values[wire]
    return not np.any(d)


# --- any block, opened


def _reopened(forward: Callable[..., Sequence[Any]]) -> tuple[Callable[..., Any], ...]:
    """Return the two rules, back and along, of a block whose inside is recorded and swept."""

    def opened(ins: Sequence[Any], params: Params, moving: Sequence[int]) -> tuple[Tape, Any, Any]:
        tape = Tape()
        given = list(ins)
        for p in moving:
            given[p] = Traced(tape, tape.argument(ins[p], wanted=True), ins[p])
        boxes = [given[p] for p in moving]
        outs = forward(*given, **params)
        wires = [y.wire if type(y) is Traced and y.tape is tape else None for y in outs]
        tape.close()
        return tape, [box.wire for box in boxes], wires

    def back(
        g: Any, out: Any, ins: Sequence[Any], params: Params, wanted: Sequence[int]
    ) -> list[Any]:
        tape, boxes, wires = opened(ins, params, wanted)
        seeds: dict[int, Any] = {}
        for wire, d in zip(wires, g if isinstance(g, tuple | list) else (g,), strict=True):
            if wire is not None:
                seeds[wire] = seeds[wire] + d if wire in seeds else d
        found = sweep(tape.recorded, tape.snapshot, len(tape.values), seeds, boxes)
        zeros = (np.zeros(np.shape(ins[p]), np.result_type(innermost(ins[p]))) for p in wanted)
        return [found.get(wire, zero) for wire, zero in zip(boxes, zeros, strict=True)]

    def along(tangents: Sequence[Any], out: Any, ins: Sequence[Any], params: Params) -> Any:
        moving = [p for p, t in enumerate(tangents) if t is not None]
        tape, boxes, wires = opened(ins, params, moving)
        given = {wire: tangents[p] for wire, p in zip(boxes, moving, strict=True)}
        moved = push(tape.recorded, tape.snapshot, len(tape.values), given, wires)
        found = [None if wire is None else moved[wire] for wire in wires]
        return tuple(found) if len(found) > 1 else found[0]

    return back, along


def together(*ins: Any, body: Circuit) -> tuple[Any, ...]:
    """Run a group of steps: recorded as one step if an input is traced.

    >>> import corrente as co
    >>> together(2.0, body=co.trace(lambda x: (x * x, x + 1.0))(1.0).circuit)
    (4.0, 3.0)
    """
    if any(type(x) is Traced for x in ins):
        return tuple(record(fused, ins, {"body": body}))
    return tuple(interpret(body, *ins))


def _opened_group(*ins: Any, body: Circuit) -> list[Any]:
    return inside(body, *ins)


def _group_code(names: Sequence[str], params: Params) -> str:
    body = ["body", *names[: len(names) - len(params["body"].ins)]][-1]
    return f"{body}({', '.join(names[len(names) - len(params['body'].ins) :])})"


def _block(
    name: str,
    of: Callable[..., Any],
    rules: Sequence[Callable[..., Any]],
    shape: Callable[..., Any],
    outs: Callable[..., int],
    code: Callable[..., str],
    does: Says,
    teaches: Says,
    symbol: str,
) -> Gate:
    return replace(
        opaque(name, of, 1),
        symbol=symbol,
        shape=shape,
        joint=rules[0],
        push=rules[1],
        code=code,
        does=does,
        teaches=teaches,
        outs=outs,
    )


loop = _block(
    "loop",
    looped,
    (_loop_back, _loop_along),
    shape=shapes_of,
    outs=lambda body, carries, kept=(), **params: len(body.outs) + len(kept),
    code=code_of,
    symbol="↻",
    does=Says(
        en="repeats a group of steps, each time from the state the last one left",
        pt="repete um grupo de passos, cada vez a partir do estado que a anterior deixou",
    ),
    teaches=Says(
        en="goes through its iterations from the last to the first, each handing its state's "
        "gradient to the one before",
        pt="percorre as iterações da última à primeira, cada uma entregando o gradiente do seu "
        "estado à anterior",
    ),
)

fused = _block(
    "fused",
    together,
    _reopened(_opened_group),
    shape=lambda *shapes, body: tuple(body.wires[wire].shape for wire in body.outs),
    outs=lambda body: len(body.outs),
    code=_group_code,
    symbol="▦",
    does=Says(
        en="does several steps in one go, element by element",
        pt="faz vários passos de uma vez, elemento a elemento",
    ),
    teaches=Says(
        en="sends the gradient back through each of its steps",
        pt="devolve o gradiente através de cada um dos seus passos",
    ),
)
