"""The traced value: a box around what the user's variable holds, and how a step is recorded."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from corrente.errors import BadArgument, CorrenteError, Leak, ShapeError
from corrente.places import here
from corrente.record import Gate, Gather, Params, Rearrange
from corrente.tape import Tape
from corrente.tracer.advice import advise
from corrente.words import Says

frame = sys._getframe


class View:
    """Where a view came from, so that it follows writes to its base and writes reach the base."""

    __slots__ = ("arrays", "base", "gate", "params", "seen")

    def __init__(self, base: Traced, gate: Gate, arrays: tuple[Any, ...], params: Params) -> None:
        self.base = base
        self.gate = gate
        self.arrays = arrays
        self.params = params
        self.seen = base.wire


class Traced:
    """A value on a tape: behaves as the array or number it holds, and records what is done to it.

    Made by the house only; never stored beyond the function that is traced. Its operators and
    methods come from the gate table (`operators`), NumPy's protocols from `functions`.
    """

    __slots__ = ("source", "tape", "value", "wire")
    # given by `operators` when the tracer is assembled
    __getitem__: Any
    __setitem__: Any
    reshape: Any
    __hash__ = None  # type: ignore[assignment]  # == is elementwise, as for arrays

    def __init__(self, tape: Tape, wire: int, value: Any, source: View | None = None) -> None:
        self.tape = tape
        self.wire = wire
        self.value = value
        self.source = source

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.now()
        free = self.ndim > 0 or self.dtype.kind in "biu"
        if free and dtype is not object and not self.tape.depends(self.wire):
            self.tape.guard(self.wire, value, here())
            return np.asarray(value, dtype)
        if self.ndim == 0 and (dtype is None or dtype in (object, np.dtype(object))):
            box = np.empty((), object)
            box[()] = self
            return box
        raise Leak(
            Says(
                "a traced array was about to become a plain array, losing its gradient.",
                "um array traçado ia tornar-se um array comum, perdendo o gradiente.",
            ),
            advise(frame(1), dtype),
        )

    # --- leaving the trace ------------------------------------------------------------------

    def now(self) -> Any:
        """Return the value, after following writes to what this is a view of."""
        if self.source is not None:
            refresh(self)
        return self.tape.value(self.wire) if self.tape.versions else self.value

    def __bool__(self) -> bool:
        value = bool(self.now())
        self.tape.guard(self.wire, value, here())
        return value

    def _leave(self, kind: Callable[[Any], Any], integers: bool) -> Any:
        value = self.now()
        if (integers and self.dtype.kind in "biu") or not self.tape.depends(self.wire):
            left = kind(value)
            self.tape.guard(self.wire, left, here())
            return left
        raise Leak(
            Says(
                "{0}() of a value that depends on a differentiated input would cut its gradient.",
                "{0}() de um valor que depende de uma entrada derivada cortaria o gradiente.",
            ).fill(kind.__name__)
        )

    def __float__(self) -> float:
        return self._leave(float, integers=False)

    def __int__(self) -> int:
        return self._leave(int, integers=True)

    def __complex__(self) -> complex:
        return self._leave(complex, integers=False)

    def __index__(self) -> int:
        if self.dtype.kind not in "iu":
            raise BadArgument(
                Says(
                    "a traced {0} cannot be used as an index.",
                    "um {0} traçado não pode servir de índice.",
                ).fill(self.dtype),
                Says(
                    "use an integer, or co.stop_gradient(x) and int().",
                    "use um inteiro, ou co.stop_gradient(x) e int().",
                ),
            )
        return self._leave(operator.index, integers=True)

    def item(self, *index: Any) -> Any:
        """Refuse to become a Python number where a gradient would be lost."""
        if len(index) == 1 and isinstance(index[0], int) and self.ndim != 1:
            one = self.reshape(-1)[index[0]]
        else:
            one = self[index] if index else self.reshape(())
        return {"b": bool, "i": int, "u": int, "c": complex}.get(self.dtype.kind, float)(one)

    def tolist(self) -> Any:
        """Return nested lists of the elements, each still traced."""
        return [part.tolist() for part in self] if self.ndim else self

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise Leak(
            Says(
                "a traced value was about to be pickled.",
                "um valor traçado ia ser serializado (pickle).",
            )
        )

    def __repr__(self) -> str:
        return f"Traced({self.now()!r})"

    def __str__(self) -> str:
        return str(self.now())

    def __format__(self, spec: str) -> str:
        return format(self.now(), spec)

    # --- attributes -------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, ...]:
        value = self.value
        return () if type(value) in (float, int, bool, complex) else value.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=int))

    @property
    def dtype(self) -> np.dtype[Any]:
        value = self.value
        kind = type(value)
        return np.result_type(kind) if kind in (float, int, bool, complex) else value.dtype

    @property
    def itemsize(self) -> int:
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        return self.size * self.itemsize

    @property
    def T(self) -> Any:
        return np.transpose(self)

    @property
    def mT(self) -> Any:
        return np.swapaxes(self, -1, -2)

    @property
    def real(self) -> Any:
        return np.real(self) if self.dtype.kind == "c" else self

    @property
    def imag(self) -> Any:
        return np.imag(self)

    @property
    def flat(self) -> Any:
        return np.ravel(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))


def refuse_own_arithmetic(kind: type) -> None:
    """Raise for arrays whose mask would be forgotten, or whose `*` is another product."""
    if kind.__name__ in ("MaskedArray", "matrix"):
        raise BadArgument(
            Says(
                "a {0} has an arithmetic of its own, which the trace does not follow.",
                "um {0} tem uma aritmética própria, que o traçado não segue.",
            ).fill(kind.__name__),
            Says(
                "pass np.asarray(x), or x.filled(0.0).",
                "passe np.asarray(x), ou x.filled(0.0).",
            ),
        )


def defers(other: Any) -> bool:
    """Tell whether another operand's type has a protocol of its own that should be asked."""
    kind = type(other)
    refuse_own_arithmetic(kind)
    return (
        kind is not Traced
        and kind is not np.ndarray
        and getattr(kind, "__array_ufunc__", np.ndarray.__array_ufunc__)
        is not np.ndarray.__array_ufunc__
    )


def record(
    gate: Gate, ins: Sequence[Any], params: Params, forward: Callable[..., Any] | None = None
) -> Any:
    """Run a gate forward on the innermost tape among its inputs and record the step."""
    tape = _shared_tape(ins) or _innermost(ins)
    wires, values = [], []
    for x in ins:
        if type(x) is not Traced:
            x = operand(x)
        if type(x) is Traced and x.tape is tape:
            values.append(x.now())
            wires.append(x.wire)
        else:
            values.append(x)
            wires.append(constant(tape, x))
    out = run_forward(gate, forward or gate.forward, values, params)
    if gate.outs == 1:
        wire = tape.put(gate, tuple(wires), (out,), params, frame(1))
        box = Traced(tape, wire, out)
        if isinstance(gate.kind, Gather | Rearrange):
            _note_view(box, ins, values, gate, params)
        return box
    first = tape.put(gate, tuple(wires), tuple(out), params, frame(1))
    return [Traced(tape, first + k, value) for k, value in enumerate(out)]


def _shared_tape(ins: Sequence[Any]) -> Tape | None:
    """Return the tape of all inputs in the usual case: one tape, numbers and plain arrays."""
    tape: Tape | None = None
    for x in ins:
        kind = type(x)
        if kind is Traced:
            if tape is None:
                tape = x.tape
            elif x.tape is not tape:
                return None
        elif kind is list or kind is tuple or (kind is np.ndarray and x.dtype == object):
            return None
    return tape


def run_forward(
    gate: Gate, forward: Callable[..., Any], values: Sequence[Any], params: Params
) -> Any:
    """Run a gate's forward rule; shapes that do not fit become an error that names them."""
    try:
        return forward(*values, **params)
    except CorrenteError:
        raise
    except ValueError as mismatch:
        if type(mismatch) is not ValueError:
            raise
        shapes = tuple(np.shape(value) for value in values)
        raise ShapeError(gate.name, shapes, str(mismatch)) from mismatch


def _innermost(ins: Sequence[Any]) -> Tape:
    tape: Tape | None = None
    for x in ins:
        if type(x) is Traced:
            if tape is None or x.tape.level > tape.level:
                tape = x.tape
        elif isinstance(x, list | tuple) or (isinstance(x, np.ndarray) and x.dtype == object):
            inner = [part for part in flat(x) if type(part) is Traced]
            for part in inner:
                if tape is None or part.tape.level > tape.level:
                    tape = part.tape
    assert tape is not None, "record needs a traced input"
    return tape


def flat(x: Any) -> Iterator[Any]:
    parts = x.ravel() if isinstance(x, np.ndarray) else x
    for part in parts:
        if isinstance(part, list | tuple):
            yield from flat(part)
        else:
            yield part


def holds_traced(args: Any) -> bool:
    return any(type(part) is Traced for part in flat(args))


def operand(x: Any) -> Any:
    """Bring an untraced operand into the form a tape holds: array, number or outer box."""
    if isinstance(x, np.ndarray):
        return lift(x) if x.dtype == object else x
    if isinstance(x, list | tuple):
        return lift(x) if holds_traced(x) else np.asarray(x)
    return x


def lift(x: Any) -> Any:
    """Turn nested lists or an object array of traced numbers into one traced array."""
    if isinstance(x, np.ndarray):
        x = x.tolist()
    return np.stack([lift(part) for part in x]) if isinstance(x, list | tuple) else x


def constant(tape: Tape, value: Any) -> int:
    """Enter a value from outside the tape and return its wire."""
    if isinstance(value, np.ndarray):
        return tape.hold(value)
    if type(value) is Traced:
        value = Traced(value.tape, value.wire, value.value)  # the outer box may be written later
    tape.values.append(value)
    return len(tape.values) - 1


def _note_view(
    box: Traced, ins: Sequence[Any], values: Sequence[Any], gate: Gate, params: Params
) -> None:
    """Tie a result that shares memory with its input to it, as NumPy's views are."""
    base, out, held = ins[0], box.value, values[0]
    if type(base) is not Traced or base.tape is not box.tape:
        return
    if type(out) is Traced:
        shared = out is held or out.source is not None
    else:
        shared = (
            isinstance(out, np.ndarray)
            and isinstance(held, np.ndarray)
            and (out is held or (out.base is not None and np.may_share_memory(out, held)))
        )
    if shared:
        box.source = View(base, gate, tuple(ins[1:]), params)
        if base.wire in box.tape.versions:
            box.tape.versions[box.wire] = box.tape.versions[base.wire]


def follows_writes(out: Any, base: Any) -> bool:
    """Tell whether a result would change with later writes into what it was made from."""
    if type(out) is Traced:
        return out.source is not None or out is base
    return isinstance(base, np.ndarray) and np.may_share_memory(out, base)


def refresh(box: Traced) -> None:
    """Bring a view up to date with writes to its base."""
    source = box.source
    assert source is not None
    if source.base.source is not None:
        refresh(source.base)
    if source.base.wire != source.seen:
        fresh = record(source.gate, (source.base, *source.arrays), source.params)
        box.wire, box.value = fresh.wire, fresh.value
        source.seen = source.base.wire
