"""What a page is told of a run, as plain data: wires, gates, boxes, sentences and source."""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from corrente import listing
from corrente.circuit import Composed, Run, Step, call_code, is_literal, literal
from corrente.figures import clip, span, summarise, tile
from corrente.narrator import narrate
from corrente.numerals import number
from corrente.places import HOUSE, Where, locate
from corrente.record import Elementwise, Gate
from corrente.scene.drafts import brief, local_gradient
from corrente.scene.groups import deciding
from corrente.views.folds import nest
from corrente.words import LANGUAGES

NUMBERS = 300_000
"""So many elements of arrays are put into a page whole; the others only as means of blocks."""

LOCALS = 20_000
"""The most gates whose local gradients are worked out, and the largest array for it."""

_BLOCKS = 32
_LONGEST = 160


class Kept(NamedTuple):
    """One array of a run in a page: its place there is how wires refer to it."""

    place: int
    value: np.ndarray


class Arrays:
    """The arrays of a run, each once however many wires share it."""

    def __init__(self) -> None:
        self.places: dict[int, Kept] = {}

    def entry(self, value: Any) -> Any:
        """Return what a page is told of one value: a number, or where its array is."""
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            return plain(value)
        if id(value) not in self.places:
            self.places[id(value)] = Kept(len(self.places), value)
        return {"array": self.places[id(value)].place}

    def table(self) -> list[dict[str, Any]]:
        """Describe all arrays, and put in the numbers of the smallest ones while there is room."""
        found: list[dict[str, Any]] = []
        for kept in self.places.values():
            figure = summarise(kept.value)
            entry: dict[str, Any] = {"lines": brief(figure), "full": figure.full}
            if figure.alarm:
                entry["alarm"] = True
            if figure.tile is not None:
                entry["tile"] = figure.tile
            found.append(entry | _sizes(kept.value))
        room = NUMBERS
        for kept in sorted(self.places.values(), key=lambda kept: kept.value.size):
            if kept.value.dtype.kind not in "biuf" or kept.value.size == 0:
                continue
            room -= kept.value.size
            if room >= 0:
                found[kept.place]["data"] = packed(kept.value)
            elif found[kept.place].get("tile"):
                found[kept.place]["blocks"] = tile(kept.value, _BLOCKS)
        return found


def _sizes(array: np.ndarray) -> dict[str, Any]:
    if array.dtype.kind not in "biuf" or not array.size:
        return {"shape": list(array.shape)}
    with np.errstate(all="ignore"):
        norm = plain(float(np.linalg.norm(np.ravel(array).astype(np.float64))))
    return {"shape": list(array.shape), "norm": norm}


def packed(array: np.ndarray) -> str:
    """Write an array's elements as base64 of little-endian float64, in C order."""
    return base64.b64encode(np.ascontiguousarray(array, dtype="<f8").tobytes()).decode()


def _said(where: Where | None) -> list[str]:
    """Say a place in every language, for the page to choose."""
    return [] if where is None else [locate(where).into(lang) for lang in LANGUAGES]


def plain(value: Any) -> Any:
    """Write one number for JSON, which has none for NaN and infinity: those become texts."""
    if type(value) is float and math.isfinite(value):
        return value  # as nearly all are
    if value is None or isinstance(value, bool | np.bool_):
        return value if value is None else bool(value)
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else str(value)
    return clip(number(value) if isinstance(value, complex) else str(value), 40)


# --- the whole -----------------------------------------------------------------------------------


def describe(run: Run, kept: Mapping[int, int]) -> dict[str, Any]:
    """Say all that a page shows of a run; `kept` are the wires that the way back reads."""
    arrays, circuit = Arrays(), run.circuit
    source = _Source(run)
    gates = list(dict.fromkeys(step.gate for step in circuit.steps))
    nested = nest(circuit)
    quiet, inputs = deciding(circuit), frozenset(circuit.ins)
    found: dict[str, Any] = {
        "name": run.name,
        "gates": [_gate(gate) for gate in gates],
        "wires": [_wire(run, wire.id, wire.id in inputs, arrays) for wire in circuit.wires],
        "steps": [
            [
                gates.index(step.gate),
                step.ins,
                step.outs,
                clip(_code(run, step), _LONGEST),
                _locals(run, step),
                source.rows_of(step),
                nested.homes[k],
                int(k in quiet),
            ]
            for k, step in enumerate(circuit.steps)
        ],
        "folds": [
            [fold.parent, fold.kind, fold.name, fold.steps.start, fold.steps.stop, fold.number]
            for fold in nested.folds
        ],
        "sent": {
            str(wire): [[part.step, part.position, arrays.entry(part.value)] for part in parts]
            for wire, parts in run.contributions.items()
        },
        "guards": [
            [guard.wire, plain(guard.value), _said(guard.where)] for guard in circuit.guards
        ],
        "ins": circuit.ins,
        "outs": circuit.outs,
        "parameters": sorted(run.parameters),
        "kept": sorted(kept),
        "sentences": _sentences(run),
        "source": source.blocks,
    }
    found["arrays"] = arrays.table()
    return found


def _sentences(run: Run) -> list[list[Any]]:
    """Tell the run; the page finds words of its own where a rule has no answer for a number."""
    try:
        told = narrate(run)
    except ArithmeticError:
        return []
    return [[each.phase, each.step, each.wire, each.says.en, each.says.pt] for each in told]


def _gate(gate: Gate) -> dict[str, Any]:
    return {
        "name": gate.name,
        "symbol": gate.symbol,
        "does": gate.does,
        "teaches": gate.teaches if gate.differentiable else None,
        "elementwise": isinstance(gate.kind, Elementwise),
    }


def _wire(run: Run, wire: int, given: bool, arrays: Arrays) -> list[Any]:
    """Tell of one wire: name, as code writes it, role, value, gradient, dtype, is it data."""
    circuit = run.circuit
    role = "made" if wire in circuit.makers else "constant"
    if given:
        role = "ours" if wire in run.parameters else "given"
    value = run.values[wire]
    return [
        circuit.names.get(wire, ""),
        _operand(run, wire),
        role,
        arrays.entry(value),
        arrays.entry(run.gradients[wire]) if wire in run.gradients else None,
        _dtype(circuit.wires[wire].dtype),
    ]


@lru_cache(maxsize=64)
def _dtype(dtype: np.dtype[Any]) -> str:
    return str(dtype)


def _operand(run: Run, wire: int) -> str:
    held = run.circuit.held
    if wire in held and is_literal(held[wire]):
        return clip(literal(held[wire]), 40)
    return run.circuit.identifiers[wire]


def _code(run: Run, step: Step) -> str:
    names = [_operand(run, wire) for wire in step.ins]
    if step.gate.code is not None:
        return step.gate.code(names, step.params)
    return call_code(step.gate.name, names, step.params)


def _locals(run: Run, step: Step) -> list[Any]:
    """Write the local gradients of a step shortly, one for each input, None where none is shown."""
    wires = run.circuit.wires
    if len(run.circuit.steps) > LOCALS or not isinstance(step.gate.kind, Elementwise):
        return []
    if any(np.prod(wires[wire].shape) > LOCALS for wire in (*step.ins, *step.outs)):
        return []
    found = []
    for position, wire in enumerate(step.ins):
        local = local_gradient(run, step, position) if wire in run.gradients else None
        scalar = local is not None and np.ndim(local) == 0
        found.append(None if local is None else plain(local) if scalar else span(local))
    return found


# --- the source ----------------------------------------------------------------------------------


class _Source:
    """The user's functions, line by line, with the wires that belong beside each line."""

    def __init__(self, run: Run) -> None:
        # the listing's own blocks and rows, so that the page and `t.listing()` never differ
        self.rows: dict[tuple[str, int], int] = {}
        self.blocks: list[dict[str, Any]] = []
        self.count = 0
        for name, file, first, lines in listing.blocks(run):
            title = f"{name} – {os.path.basename(file)}" if name else ""
            for k in range(len(lines) if name else 0):
                self.rows.setdefault((file, first + k), self.count + k)
            self._add(title, first, lines)

    def _add(self, title: str, first: int, lines: list[Any]) -> None:
        rows = [
            [text, [[note.name, note.wire, note.times] for note in notes]] for text, notes in lines
        ]
        self.count += len(rows)
        self.blocks.append({"title": title, "first": first, "rows": rows})

    def rows_of(self, step: Step) -> list[int]:
        """Return the rows of the lines that a step was made on, the innermost first."""
        return list(dict.fromkeys(self._found(step)))

    def _found(self, step: Step) -> Iterator[int]:
        chain: list[Where] = [each for each in step.stack if not isinstance(each, Composed)]
        chain += [step.where] if step.where is not None else []
        for where in reversed(chain):
            if not where[0].co_filename.startswith(HOUSE):
                row = self.rows.get((where[0].co_filename, locate(where).line))
                if row is not None:
                    yield row
