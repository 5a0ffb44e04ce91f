"""The rolled loop: a body, how its inputs and outputs are laid out, and how it runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Wire
from corrente.interpreter import interpret, run
from corrente.record import Params, Shape

_SKETCHING: ContextVar[bool] = ContextVar("sketching", default=False)


@contextmanager
def sketching() -> Iterator[None]:
    """Let loops run one iteration and repeat what it gave, where only shapes and dtypes matter.

    The numbers that come out of a loop are wrong inside; what is recorded is the same.
    """
    token = _SKETCHING.set(True)
    try:
        yield
    finally:
        _SKETCHING.reset(token)


@dataclass(frozen=True)
class Layout:
    """What the inputs and outputs of a loop are; the parameters of its step, in this order.

    Inputs of the loop and of its body: carries (state that goes from iteration to iteration),
    constants (the same in each), slices (the rest: iteration k reads element k of the loop's
    input). Outputs of the body: the next carries, then results. Outputs of the loop: the final
    carries, then for each carry in `kept` its values before every iteration, then the results,
    stacked. Element k belongs to iteration k, also when a `reverse` loop begins with the last.
    """

    body: Circuit
    count: int
    carries: int
    constants: int
    kept: tuple[int, ...] = ()
    reverse: bool = False

    @property
    def params(self) -> dict[str, Any]:
        """The same as the parameters of a step."""
        return dict(self.__dict__)

    @property
    def order(self) -> range:
        """The iterations in the order in which they run."""
        return range(self.count - 1, -1, -1) if self.reverse else range(self.count)

    @property
    def sliced(self) -> int:
        """The position of the first slice among the inputs."""
        return self.carries + self.constants

    def entering(self, position: int) -> Wire:
        """Return the body's wire for an input."""
        return self.body.wires[self.body.ins[position]]

    def leaving(self, position: int) -> Wire:
        """Return the body's wire for an output."""
        return self.body.wires[self.body.outs[position]]


def iterate(ins: Sequence[Any], layout: Layout) -> tuple[Any, ...]:
    body, carries = layout.body, layout.carries
    state = [formed(layout.entering(c), ins[c]) for c in range(carries)]
    fixed = [formed(layout.entering(p), ins[p]) for p in range(carries, layout.sliced)]
    sliced = range(layout.sliced, len(ins))
    before = [_blank(layout, layout.entering(c)) for c in layout.kept]
    results = [_blank(layout, layout.leaving(p)) for p in range(carries, len(body.outs))]
    for k in layout.order:
        rows: Any = slice(None) if _SKETCHING.get() else k
        for stacked, c in zip(before, layout.kept, strict=True):
            stacked[rows] = state[c]
        elements = [formed(layout.entering(p), ins[p][k]) for p in sliced]
        found = interpret(body, *state, *fixed, *elements)
        state = [formed(layout.entering(c), found[c]) for c in range(carries)]
        for stacked, value in zip(results, found[carries:], strict=True):
            stacked[rows] = value
        if _SKETCHING.get():
            break
    return (*(_own(value, ins) for value in state), *before, *results)


def _blank(layout: Layout, wire: Wire) -> np.ndarray:
    return np.empty((layout.count, *wire.shape), wire.dtype)


def formed(wire: Wire, value: Any) -> Any:
    """Give a number the form it has in the body: a Python number where the wire is weak."""
    if wire.weak:
        return value.item() if isinstance(value, np.generic | np.ndarray) else value
    return wire.dtype.type(value) if type(value) in _NUMBERS else value


_NUMBERS = frozenset((bool, int, float, complex))


def _own(value: Any, ins: Iterable[Any]) -> Any:
    """Copy a result that is a view of an input, which may be written later."""
    if isinstance(value, np.ndarray):
        for x in ins:
            if isinstance(x, np.ndarray) and np.may_share_memory(value, x):
                return value.copy()
    return value


def unrolled(*ins: Any, **params: Any) -> tuple[Any, ...]:
    """Run a loop on traced values, so that every step of every iteration is recorded."""
    layout = Layout(**params)
    state, fixed = list(ins[: layout.carries]), ins[layout.carries : layout.sliced]
    before: list[list[Any]] = [[None] * layout.count for _ in layout.kept]
    results: list[list[Any]] = [[None] * layout.count for _ in layout.body.outs[layout.carries :]]
    for k in layout.order:
        for stacked, c in zip(before, layout.kept, strict=True):
            stacked[k] = state[c]
        found = inside(layout.body, *state, *fixed, *(x[k] for x in ins[layout.sliced :]))
        state = found[: layout.carries]
        for stacked, value in zip(results, found[layout.carries :], strict=True):
            stacked[k] = value
    return (*state, *(np.stack(stacked) for stacked in (*before, *results)))


def inside(body: Circuit, *ins: Any) -> list[Any]:
    given = [formed(body.wires[w], x) for w, x in zip(body.ins, ins, strict=True)]
    values = run(body, *given, keep=True)  # traced buffers are not written in place
    return [values[wire] for wire in body.outs]


def shapes_of(*shapes: Shape, **params: Any) -> tuple[Shape, ...]:
    layout = Layout(**params)
    for position, shape in enumerate(shapes):
        lead = () if position < layout.sliced else (layout.count,)
        if shape != (*lead, *layout.entering(position).shape):
            raise ValueError(f"input {position} of the loop has shape {shape}")
    leaving = [layout.leaving(p).shape for p in range(len(layout.body.outs))]
    entering = [layout.entering(c).shape for c in range(layout.carries)]
    if leaving[: layout.carries] != entering:
        raise ValueError(f"the loop carries shapes {leaving[: layout.carries]} into {entering}")
    stacked = [*(entering[c] for c in layout.kept), *leaving[layout.carries :]]
    return (*entering, *((layout.count, *shape) for shape in stacked))


def code_of(names: Sequence[str], params: Params) -> str:
    """Write a loop as a call; a name more than there are inputs is that of the body."""
    layout = Layout(**params)
    body = ["body", *names[: len(names) - len(layout.body.ins)]][-1]
    given = names[len(names) - len(layout.body.ins) :]
    parts = {
        "carries": given[: layout.carries],
        "constants": given[layout.carries : layout.sliced],
        "slices": given[layout.sliced :],
    }
    words = [f"{key}=({', '.join(part)},)" for key, part in parts.items() if part]
    words += [f"kept={layout.kept}"] if layout.kept else []
    words += ["reverse=True"] if layout.reverse else []
    return f"nn.loop({', '.join([body, str(layout.count), *words])})"
