"""The operators and methods of arrays, given to traced values from the gate table."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.errors import NotSupported
from corrente.gates.indexing import split_index
from corrente.record import COMPOSED, NAMES, TABLE, Gate
from corrente.tape import NOTHING
from corrente.tracer.box import Traced, defers, frame, record
from corrente.tracer.writing import SETITEM, assign, write
from corrente.words import Says

_PLAIN = frozenset({float, int, np.float64, np.float32})
_GETITEM = NAMES["getitem"]
_REAL = (float, int)


class _Methods:
    """Methods whose signature is not their function's; given to Traced one by one."""

    def __getitem__(self: Any, index: Any) -> Any:
        tape, value = self.tape, self.value
        plain = type(value) is np.ndarray and value.ndim == 1 and type(index) is int
        if plain and self.source is None and not tape.versions:
            # one element of a vector: no view to follow, and loops are made of these
            out = value[index]
            wire = tape.put(_GETITEM, (self.wire,), (out,), {"index": (index,)}, frame(1))
            return Traced(tape, wire, out)
        items, arrays = split_index(index)
        return record(_GETITEM, (self, *arrays), {"index": items})

    def __setitem__(self: Any, index: Any, value: Any) -> None:
        write(self, index, value, SETITEM)

    def __getattr__(self: Any, name: str) -> Any:
        # np.exp of an object array of traced numbers calls their method .exp()
        gate = NAMES.get(name)
        if gate is not None and isinstance(gate.of, np.ufunc) and gate.of.nin == 1:
            return lambda: record(gate, (self,), NOTHING)
        raise AttributeError(f"a traced array has no attribute {name!r}")

    def reshape(self: Any, *shape: Any, order: Any = "C") -> Any:
        listed = len(shape) == 1 and isinstance(shape[0], tuple | list)
        return np.reshape(self, tuple(shape[0] if listed else shape), order=order)

    def transpose(self: Any, *axes: Any) -> Any:
        listed = len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list))
        return np.transpose(self, (axes[0] if listed else axes) or None)

    def flatten(self: Any, order: Any = "C") -> Any:
        return np.copy(np.ravel(self, order=order))

    def astype(self: Any, dtype: Any, copy: bool = True) -> Any:
        dtype = np.dtype(dtype)
        if dtype == self.dtype and not isinstance(self.value, float | int):
            return np.copy(self) if copy else self
        if self.dtype.kind == "c" and dtype.kind == "f":
            return np.real(self).astype(dtype)
        # whole numbers carry no gradient: say so with a step of its own
        x = self if dtype.kind in "fc" else record(NAMES["stop_gradient"], (self,), NOTHING)
        return record(NAMES["astype"], (x,), {"dtype": dtype})

    def copy(self: Any, order: str = "C") -> Any:
        # the method copies to rows, as NumPy's does; np.copy keeps the order of memory
        return record(NAMES["copy"], (self,), NOTHING, lambda x: x.copy() if np.ndim(x) else x)

    def conj(self: Any) -> Any:
        return np.conjugate(self)

    def __copy__(self: Any) -> Any:
        return np.copy(self)

    def __deepcopy__(self: Any, memo: Any) -> Any:
        return np.copy(self)

    def __round__(self: Any, digits: int | None = None) -> Any:
        return np.round(self, digits or 0)

    def __divmod__(self: Any, other: Any) -> Any:
        return self // other, self % other

    def __rdivmod__(self: Any, other: Any) -> Any:
        return other // self, other % self

    def fill(self: Any, value: Any) -> None:
        self[...] = value

    def sort(
        self: Any, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None
    ) -> None:
        assign(self, np.sort(self, axis=axis, kind=kind, order=order, stable=stable))

    def partition(
        self: Any, kth: Any, axis: int = -1, kind: Any = "introselect", order: Any = None
    ) -> None:
        assign(self, np.partition(self, kth, axis=axis, kind=kind, order=order))

    def compress(self: Any, condition: Any, axis: int | None = None, out: Any = None) -> Any:
        return np.compress(condition, self, axis=axis, out=out)

    def resize(self: Any, *shape: Any, refcheck: bool = True) -> None:
        raise NotSupported(
            Says(
                "x.resize changes the memory of x, which a trace holds.",
                "x.resize muda a memória de x, que um traçado guarda.",
            ),
            Says("x = np.resize(x, shape).", "x = np.resize(x, forma)."),
        )


def _careful(gate: Gate, fast: Callable[..., Any]) -> Callable[..., Any]:
    """Give Python numbers NumPy's results where Python would raise: 1.0 / 0.0 is inf."""

    def forward(*values: Any) -> Any:
        try:
            return fast(*values)
        except (ZeroDivisionError, OverflowError):
            out = gate.of(*(np.float64(v) if type(v) in (float, int) else v for v in values))
            return float(out) if all(type(v) in (float, int) for v in values) else out

    return forward


def _power(x: Any, y: Any) -> Any:
    out = x**y
    # Python leaves the real numbers where NumPy says NaN: (-2.0) ** 0.5
    left = type(out) is complex and type(x) in _REAL and type(y) in _REAL
    return float("nan") if left else out


def _binary(name: str, fast: Callable[..., Any]) -> Callable[[Traced, Any], Any]:
    gate = NAMES[name]
    careful = _careful(gate, fast)

    def method(self: Traced, other: Any) -> Any:
        tape = self.tape
        kind = type(other)
        if self.source is not None or tape.versions:
            return (
                NotImplemented if defers(other) else record(gate, (self, other), NOTHING, careful)
            )
        values = tape.values
        if kind is Traced and other.tape is tape and other.source is None:
            right, wire = other.value, other.wire
        elif kind in _PLAIN:
            right, wire = other, len(values)
            values.append(other)
        elif kind is not Traced and defers(other):
            return NotImplemented
        else:
            return record(gate, (self, other), NOTHING, careful)
        try:
            out = fast(self.value, right)
        except (ZeroDivisionError, OverflowError, ValueError):
            return record(gate, (self, other), NOTHING, careful)
        wire = tape.put(gate, (self.wire, wire), (out,), NOTHING, frame(1))
        return Traced(tape, wire, out)

    return method


def _reversed(name: str, fast: Callable[..., Any]) -> Callable[[Traced, Any], Any]:
    gate = NAMES[name]
    careful = _careful(gate, fast)

    def method(self: Traced, other: Any) -> Any:
        return NotImplemented if defers(other) else record(gate, (other, self), NOTHING, careful)

    return method


def _unary(name: str, fast: Callable[..., Any]) -> Callable[[Traced], Any]:
    gate = NAMES[name]
    return lambda self: record(gate, (self,), NOTHING, fast)


def _in_place(method: Callable[..., Any]) -> Callable[[Traced, Any], Any]:
    def write_back(self: Traced, other: Any) -> Any:
        out = method(self, other)
        return out if out is NotImplemented else assign(self, out)

    return write_back


_BINARY = {
    "add": ("add", operator.add),
    "sub": ("subtract", operator.sub),
    "mul": ("multiply", operator.mul),
    "truediv": ("divide", operator.truediv),
    "pow": ("power", _power),
    "matmul": ("matmul", operator.matmul),
    "mod": ("remainder", operator.mod),
    "floordiv": ("floor_divide", operator.floordiv),
    "and": ("bitwise_and", operator.and_),
    "or": ("bitwise_or", operator.or_),
    "xor": ("bitwise_xor", operator.xor),
}
_COMPARE = {
    "lt": ("less", operator.lt),
    "le": ("less_equal", operator.le),
    "gt": ("greater", operator.gt),
    "ge": ("greater_equal", operator.ge),
    "eq": ("equal", operator.eq),
    "ne": ("not_equal", operator.ne),
}
_UNARY = {
    "neg": ("negative", operator.neg),
    "pos": ("positive", operator.pos),
    "abs": ("absolute", abs),
    "invert": ("invert", operator.invert),
}
# methods that work in place, or whose arguments stand in another order than the function's
_OWN_MANNER = frozenset(("sort", "partition", "compress", "resize", "fill"))


def furnish() -> None:
    """Give Traced its operators and the array methods whose functions have records."""
    for name, method in vars(_Methods).items():
        if callable(method):
            setattr(Traced, name, method)
    for word, (name, fast) in _BINARY.items():
        method = _binary(name, fast)
        setattr(Traced, f"__{word}__", method)
        setattr(Traced, f"__r{word}__", _reversed(name, fast))
        setattr(Traced, f"__i{word}__", _in_place(method))
    for word, (name, fast) in _COMPARE.items():
        setattr(Traced, f"__{word}__", _binary(name, fast))
    for word, (name, one) in _UNARY.items():
        setattr(Traced, f"__{word}__", _unary(name, one))
    for func in (*TABLE, *COMPOSED):
        name = getattr(func, "__name__", "_")
        if hasattr(np.ndarray, name) and name not in Traced.__dict__ and name not in _OWN_MANNER:
            setattr(Traced, name, _method(func))


def _method(func: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, *args, **kwargs: func(self, *args, **kwargs)
