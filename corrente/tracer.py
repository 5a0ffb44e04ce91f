"""The traced value: a small box that NumPy's own protocols lead to, so that programs stay plain."""

from __future__ import annotations

import inspect
import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import corrente.gates
from corrente.errors import (
    BadArgument,
    CorrenteError,
    Leak,
    NoGate,
    NotSupported,
    ShapeError,
    WriteError,
)
from corrente.gates.indexing import fill, is_basic, split_index
from corrente.places import here
from corrente.record import COMPOSED, NAMES, REFUSED, TABLE, Elementwise, Gate, Gather, Params
from corrente.record import Rearrange as Rearranging
from corrente.tape import NOTHING, Log, Tape
from corrente.words import Says, plain

_frame = sys._getframe
_PLAIN = frozenset({float, int, np.float64, np.float32})
_GETITEM, _SETITEM, _ADD_AT = NAMES["getitem"], NAMES["setitem"], NAMES["add_at"]


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

    Made by the house only; never stored beyond the function that is traced.
    """

    __slots__ = ("source", "tape", "value", "wire")
    __hash__ = None  # type: ignore[assignment]  # == is elementwise, as for arrays

    def __init__(self, tape: Tape, wire: int, value: Any, source: View | None = None) -> None:
        self.tape = tape
        self.wire = wire
        self.value = value
        self.source = source

    # --- NumPy's protocols ------------------------------------------------------------------

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for other in inputs:
            if _defers_to(other):
                return NotImplemented
        if not kwargs and method == "__call__":
            gate = TABLE.get(ufunc)
            if gate is not None and gate.takes is None:
                return record(gate, inputs, NOTHING)
            return dispatch(ufunc, inputs, kwargs)
        return _ufunc_call(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        make = _CREATE.get(func)
        if make is not None and not _holds_traced((*args, *kwargs.values())):
            return _created(self, func, args, kwargs)
        return dispatch(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        value = self.now()
        if self.dtype.kind in "biu" and not self.tape.depends(self.wire):
            self.tape.guard(self.wire, value, here())
            return np.asarray(value, dtype)
        if self.ndim == 0 and (dtype is None or dtype == object):
            box = np.empty((), object)
            box[()] = self
            return box
        raise Leak(
            Says(
                "a traced array was about to become a plain array, losing its gradient.",
                "um array traçado ia tornar-se um array comum, perdendo o gradiente.",
            )
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
        return float(self[index] if index else self.reshape(()))

    def tolist(self) -> Any:
        """Return nested lists of the elements, each still traced."""
        return [part.tolist() for part in self] if self.ndim else self

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
        return iter(np.ravel(self))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    # --- indexing and writing ---------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        items, arrays = split_index(index)
        return record(_GETITEM, (self, *arrays), {"index": items})

    def __setitem__(self, index: Any, value: Any) -> None:
        write(self, index, value, _SETITEM)

    # --- methods whose signature is not the function's --------------------------------------

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        shape = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return np.reshape(self, tuple(shape), order=order)  # type: ignore[arg-type]

    def transpose(self, *axes: Any) -> Any:
        if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], tuple | list)):
            axes = axes[0]
        return np.transpose(self, axes or None)  # type: ignore[arg-type]

    def flatten(self, order: str = "C") -> Any:
        return np.copy(np.ravel(self, order=order))  # type: ignore[arg-type]

    def astype(self, dtype: Any, copy: bool = True, **_: Any) -> Any:
        dtype = np.dtype(dtype)
        if dtype == self.dtype and not isinstance(self.value, float | int):
            return np.copy(self) if copy else self
        if self.dtype.kind == "c" and dtype.kind == "f":
            return np.real(self).astype(dtype)
        # whole numbers carry no gradient: say so with a step of its own
        x = self if dtype.kind in "fc" else record(NAMES["stop_gradient"], (self,), NOTHING)
        return record(NAMES["astype"], (x,), {"dtype": dtype})

    def copy(self, order: str = "C") -> Any:
        return np.copy(self)

    def fill(self, value: Any) -> None:
        self[...] = value

    def __getattr__(self, name: str) -> Any:
        # np.exp of an object array of traced numbers calls their method .exp()
        gate = NAMES.get(name)
        if gate is not None and isinstance(gate.of, np.ufunc) and gate.of.nin == 1:
            return lambda: record(gate, (self,), NOTHING)
        raise AttributeError(f"a traced array has no attribute {name!r}")


def _defers_to(other: Any) -> bool:
    """Tell whether another operand's type has a protocol of its own that should be asked."""
    kind = type(other)
    return (
        kind is not Traced
        and kind is not np.ndarray
        and getattr(kind, "__array_ufunc__", np.ndarray.__array_ufunc__)
        is not np.ndarray.__array_ufunc__
    )


# --- recording --------------------------------------------------------------------------------


def record(
    gate: Gate, ins: Sequence[Any], params: Params, forward: Callable[..., Any] | None = None
) -> Any:
    """Run a gate forward on the innermost tape among its inputs and record the step."""
    tape = _innermost(ins)
    wires, values = [], []
    for x in ins:
        if type(x) is Traced and x.tape is tape:
            values.append(x.now())
            wires.append(x.wire)
        else:
            value = operand(x)
            values.append(value)
            wires.append(constant(tape, value))
    out = run_forward(gate, forward or gate.forward, values, params)
    if gate.outs == 1:
        wire = tape.put(gate, tuple(wires), (out,), params, _frame(1))
        box = Traced(tape, wire, out)
        if isinstance(gate.kind, Gather | Rearranging):
            _note_view(box, ins, values, gate, params)
        return box
    first = tape.put(gate, tuple(wires), tuple(out), params, _frame(1))
    return [Traced(tape, first + k, value) for k, value in enumerate(out)]


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
            inner = [part for part in _flatten(x) if type(part) is Traced]
            for part in inner:
                if tape is None or part.tape.level > tape.level:
                    tape = part.tape
    assert tape is not None, "record needs a traced input"
    return tape


def _flatten(x: Any) -> Iterator[Any]:
    parts = x.ravel() if isinstance(x, np.ndarray) else x
    for part in parts:
        if isinstance(part, list | tuple):
            yield from _flatten(part)
        else:
            yield part


def _holds_traced(args: Any) -> bool:
    return any(type(part) is Traced for part in _flatten(args))


def operand(x: Any) -> Any:
    """Bring an untraced operand into the form a tape holds: array, number or outer box."""
    if isinstance(x, np.ndarray):
        return lift(x) if x.dtype == object else x
    if isinstance(x, list | tuple):
        return lift(x) if _holds_traced(x) else np.asarray(x)
    return x


def lift(x: Any) -> Any:
    """Turn nested lists or an object array of traced numbers into one traced array."""
    if isinstance(x, np.ndarray):
        x = x.tolist()
    return np.stack([lift(part) for part in x]) if isinstance(x, list | tuple) else x


def constant(tape: Tape, value: Any) -> int:
    """Enter a value from outside the tape and return its wire."""
    if type(value) is np.ndarray and value.ndim:
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


# --- writing ----------------------------------------------------------------------------------


def write(box: Traced, index: Any, value: Any, gate: Gate) -> None:
    """Write into a traced array in place, as `box[index] = value` or `np.add.at` do."""
    box.now()
    items, arrays = split_index(index)
    if box.source is not None:
        _write_through(box, box.source, items, arrays, value, gate)
        return
    _check_writable(box, value)
    if type(value) is Traced and value.tape.level > box.tape.level:
        _adopt(box, value.tape)
    tape = box.tape
    wires, values = [box.wire], []
    for x in (value, *arrays):
        if type(x) is Traced and x.tape is tape:
            values.append(x.now())
            wires.append(x.wire)
        else:
            values.append(operand(x))
            wires.append(constant(tape, values[-1]))
    buffer, log = _own_buffer(box, values[0])
    at = fill(items, values[1:])
    params = {"index": items}
    if log is not None:
        replaced = np.copy(buffer[at])
    run_forward(gate, _into(buffer), (gate, *values), params)
    result = buffer if log is not None else Traced(buffer.tape, buffer.wire, buffer.value)
    wire = tape.put(gate, tuple(wires), (result,), params, _frame(1))
    if log is not None:
        log.add(at, replaced)
        tape.versions[wire] = (log, log.at)
    box.wire, box.value = wire, buffer


def _into(buffer: Any) -> Callable[..., Any]:
    return lambda gate, *values, **params: gate.forward(buffer, *values, **params, into=buffer)


def _own_buffer(box: Traced, value: Any) -> tuple[Any, Log | None]:
    """Return the memory a write goes to: a copy of its own the first time, the same afterwards.

    A buffer of outer boxes needs no log: each version is a snapshot of its box.
    """
    log, version = box.tape.versions.get(box.wire, (None, 0))
    if log is not None and version == len(log.writes) and type(value) is not Traced:
        log.move(version)
        return log.buffer, log
    buffer = box.value
    if type(buffer) is Traced:
        return np.copy(buffer) if buffer.source is not None else _again(buffer), None
    if type(value) is Traced:
        return np.array(buffer, like=value), None  # type: ignore[call-overload]
    buffer = np.array(box.now())
    return buffer, Log(buffer)


def _again(buffer: Traced) -> Traced:
    return Traced(buffer.tape, buffer.wire, buffer.value)


def _check_writable(box: Traced, value: Any) -> None:
    if box.wire in box.tape.inputs:
        raise WriteError(
            Says(
                "writing into an argument would change the caller's array.",
                "escrever num argumento mudaria o array de quem chamou.",
            ),
            Says("copy it first: x = x.copy().", "copie-o antes: x = x.copy()."),
        )
    if not isinstance(box.value, np.ndarray | Traced):
        raise WriteError(
            Says("a number has no elements to write.", "um número não tem elementos a escrever."),
            Says("assign to the name instead.", "atribua ao nome."),
        )
    if box.dtype.kind not in "fc" and type(value) is Traced and value.dtype.kind in "fc":
        raise BadArgument(
            Says(
                "writing a {0} into an array of {1} would cut its gradient.",
                "escrever um {0} num array de {1} cortaria o gradiente.",
            ).fill(value.dtype, box.dtype),
            Says(
                "make the array with a float dtype: np.zeros(n, like=x).",
                "crie o array com dtype real: np.zeros(n, like=x).",
            ),
        )


def _adopt(box: Traced, tape: Tape) -> None:
    """Move an outer box to an inner tape, because a value from there is written into it."""
    outer = Traced(box.tape, box.wire, box.value)
    box.tape, box.wire, box.value = tape, constant(tape, outer), outer


def _write_through(
    box: Traced, view: View, items: Any, arrays: list[Any], value: Any, gate: Gate
) -> None:
    if view.gate is not _GETITEM or view.arrays:
        raise WriteError(
            Says(
                "writing through a view made by {0} is not followed.",
                "escrever através de uma vista feita por {0} não é seguido.",
            ).fill(view.gate.name),
            Says(
                "write into the array itself, or copy the view first.",
                "escreva no próprio array, ou copie a vista antes.",
            ),
        )
    outer = view.params["index"]
    whole = compose(view.base.shape, outer, items) if is_basic(items) else None
    if whole is not None:
        write(view.base, whole, value, gate)
        return
    part = np.copy(box)
    write(part, fill(items, arrays), value, gate)  # type: ignore[arg-type]
    write(view.base, outer, part, _SETITEM)


def compose(shape: tuple[int, ...], outer: Any, inner: Any) -> tuple[Any, ...] | None:
    """Return the one basic index that reads `x[outer][inner]`; None if there is a new axis."""
    axes: list[Any] = [range(length) for length in shape]
    for index in (outer, inner):
        if any(item is None for item in index):
            return None
        free = [k for k, axis in enumerate(axes) if isinstance(axis, range)]
        items = list(index)
        if Ellipsis in items:
            k = items.index(Ellipsis)
            items[k : k + 1] = [slice(None)] * (len(free) - len(items) + 1)
        for k, item in zip(free, items, strict=False):
            axes[k] = axes[k][item]
    return tuple(axis if isinstance(axis, int) else _as_slice(axis) for axis in axes)


def _as_slice(axis: range) -> slice:
    if not axis:
        return slice(0, 0)
    stop = axis.stop if axis.step > 0 or axis.stop >= 0 else None
    return slice(axis.start, stop, axis.step)


def assign(box: Traced, out: Any) -> Any:
    """Finish an in-place operator: numbers are rebound, arrays change where they are."""
    if not box.shape and not isinstance(box.value, np.ndarray | Traced):
        return out
    if out.shape != box.shape:
        raise ShapeError("in-place operator", (box.shape, out.shape), "the result does not fit")
    if out.dtype != box.dtype:
        if not np.can_cast(out.dtype, box.dtype, "same_kind"):
            raise BadArgument(
                Says(
                    "an array of {0} cannot take a result of {1} in place.",
                    "um array de {0} não pode receber no lugar um resultado de {1}.",
                ).fill(box.dtype, out.dtype),
                Says("write x = x + y instead of x += y.", "escreva x = x + y em vez de x += y."),
            )
        out = out.astype(box.dtype)
    box.now()
    if box.source is not None:
        write(box, ..., out, _SETITEM)
        return box
    _check_writable(box, out)
    box.tape, box.wire, box.value = out.tape, out.wire, out.value
    return box


# --- NumPy functions --------------------------------------------------------------------------


def dispatch(func: Any, args: Any, kwargs: Any) -> Any:
    """Find what a NumPy function means here, and do it: gate, composition, or refusal by name."""
    gate = TABLE.get(func)
    if gate is not None:
        ins, params = _normalised(gate, func, args, kwargs)
        return record(gate, ins, params)
    rule = COMPOSED.get(func) or _INSPECT.get(func)
    if rule is None:
        if func in REFUSED:
            raise NotSupported(plain(function_name(func)), REFUSED[func])
        raise NoGate(function_name(func))
    _bind(rule, func, args, kwargs)
    traced = [part for part in _flatten((*args, *kwargs.values())) if type(part) is Traced]
    if func in _INSPECT or not traced:
        return rule(*args, **kwargs)
    with max(traced, key=lambda box: box.tape.level).tape.composed(function_name(func)):
        return rule(*args, **kwargs)


def function_name(func: Any) -> str:
    """Return a function's name as users write it: np.linalg.norm."""
    module = getattr(func, "__module__", None) or "numpy"
    name = getattr(func, "__qualname__", None) or func.__name__
    return f"{module.replace('numpy', 'np').replace('corrente', 'co')}.{name}"


def _normalised(gate: Gate, func: Any, args: Any, kwargs: Any) -> tuple[Sequence[Any], Params]:
    if gate.takes is None:
        if kwargs or (isinstance(func, np.ufunc) and len(args) != func.nin):
            raise _refused_keyword(func, ", ".join(kwargs) or f"{len(args)} arguments")
        return args, NOTHING
    _bind(gate.takes, func, args, kwargs)
    return gate.takes(*args, **kwargs)


def _bind(rule: Callable[..., Any], func: Any, args: Any, kwargs: Any) -> None:
    try:
        inspect.signature(rule).bind(*args, **kwargs)
    except TypeError as misfit:
        raise _refused_keyword(func, str(misfit)) from None


def _refused_keyword(func: Any, what: str) -> NotSupported:
    return NotSupported(
        Says("{0}: not supported here: {1}.", "{0}: não suportado aqui: {1}.").fill(
            function_name(func), what
        ),
        Says(
            "leave that argument out, or write the same with other functions.",
            "omita esse argumento, ou escreva o mesmo com outras funções.",
        ),
    )


_REDUCTIONS: dict[Any, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logical_and: np.all,
    np.logical_or: np.any,
}


def _ufunc_call(ufunc: Any, method: str, inputs: Any, kwargs: Any) -> Any:
    """Handle `out=` and the methods of a ufunc; whatever else is refused by name."""
    out = kwargs.pop("out", (None,))[0]
    if out is not None and type(out) is not Traced:
        raise Leak(
            Says(
                "{0} was to write a traced result into a plain array.",
                "{0} ia escrever um resultado traçado num array comum.",
            ).fill(function_name(ufunc))
        )
    if method == "at" and ufunc is np.add and not kwargs:
        box, index, value = inputs
        if type(box) is not Traced:
            raise Leak(
                Says(
                    "np.add.at was to add a traced value into a plain array.",
                    "np.add.at ia somar um valor traçado num array comum.",
                )
            )
        write(box, index, value, _ADD_AT)
        return None
    if method == "reduce" and ufunc in _REDUCTIONS:
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        result = _REDUCTIONS[ufunc](inputs[0], axis=axis, **kwargs)
    elif method == "accumulate" and ufunc is np.add:
        result = np.cumsum(inputs[0], kwargs.pop("axis", 0), **kwargs)
    elif method == "outer" and len(inputs) == 2:
        a, b = (x if type(x) is Traced else np.asarray(x) for x in inputs)
        result = ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kwargs)
    elif method == "__call__":
        result = dispatch(ufunc, inputs, kwargs)
    else:
        raise _refused_keyword(ufunc, f".{method}")
    return result if out is None else assign(out, result)


def _like(func: Callable[..., Any]) -> Callable[..., Any]:
    def make(x: Any, *args: Any, **kwargs: Any) -> Any:
        kwargs.pop("subok", None)
        return _anchored(x, func(x.now(), *args, **kwargs))

    return make


def _full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> Any:
    out = np.zeros_like(a, dtype=dtype, shape=shape)
    if type(out) is not Traced:  # the array is plain, the filling is traced
        out = np.zeros(out.shape, out.dtype, like=fill_value)
    out[...] = fill_value
    return out


def _anchored(like: Traced, value: Any) -> Traced:
    """Hold a new constant on the tape of a traced value, as a box that can be written."""
    like.tape.values.append(value)
    return Traced(like.tape, len(like.tape.values) - 1, value)


def _created(like: Traced, func: Any, args: Any, kwargs: Any) -> Any:
    inner = like.now()
    made = func(*args, like=inner, **kwargs) if type(inner) is Traced else func(*args, **kwargs)
    return _anchored(like, made)


def _array(obj: Any, dtype: Any = None, copy: Any = None, **_: Any) -> Any:
    out = lift(obj) if type(obj) is not Traced else np.copy(obj)
    return out if dtype is None else out.astype(dtype)


def _full(shape: Any, fill_value: Any, dtype: Any = None, **_: Any) -> Any:
    out = np.copy(np.broadcast_to(fill_value, shape))
    return out if dtype is None else out.astype(dtype)


_CREATE: dict[Any, bool] = dict.fromkeys(
    (np.zeros, np.ones, np.empty, np.full, np.array, np.asarray, np.asanyarray, np.arange)
    + (np.eye, np.identity, np.linspace, np.fromfunction, np.loadtxt, np.tri),
    True,
)  # fmt: skip

_INSPECT: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.isrealobj: lambda x: x.dtype.kind != "c",
    np.result_type: lambda *args: np.result_type(*map(_typed, args)),
    np.can_cast: lambda a, to, casting="safe": np.can_cast(_typed(a), to, casting),
    np.may_share_memory: lambda a, b, max_work=None: False,
    np.shares_memory: lambda a, b, max_work=None: False,
    np.array_repr: lambda a, *args, **kwargs: repr(a),
    np.array_str: lambda a, *args, **kwargs: str(a),
    np.array2string: lambda a, *args, **kwargs: str(a),
    np.zeros_like: _like(np.zeros_like),
    np.ones_like: _like(np.ones_like),
    np.empty_like: _like(np.zeros_like),
    np.full_like: _full_like,
    np.array: _array,
    np.asarray: _array,
    np.asanyarray: _array,
    np.full: _full,
}


def _typed(x: Any) -> Any:
    """Return what stands for an operand where only its type counts."""
    if type(x) is not Traced:
        return x
    return x.value if type(x.value) in (float, int, bool, complex) else x.dtype


# --- operators and methods --------------------------------------------------------------------


def _careful(gate: Gate, fast: Callable[..., Any]) -> Callable[..., Any]:
    """Give Python numbers NumPy's results where Python would raise: 1.0 / 0.0 is inf."""

    def forward(*values: Any) -> Any:
        try:
            return fast(*values)
        except (ZeroDivisionError, OverflowError):
            return float(gate.of(*map(np.float64, values)))

    return forward


def _power(x: Any, y: Any) -> Any:
    out = x**y
    return float("nan") if type(out) is complex and type(x) is float else out


def _binary(name: str, fast: Callable[..., Any]) -> Callable[[Traced, Any], Any]:
    gate = NAMES[name]
    careful = _careful(gate, fast)

    def method(self: Traced, other: Any) -> Any:
        tape = self.tape
        kind = type(other)
        if self.source is not None or tape.versions:
            return NotImplemented if _defers_to(other) else record(
                gate, (self, other), NOTHING, careful
            )
        values = tape.values
        if kind is Traced and other.tape is tape and other.source is None:
            right, wire = other.value, other.wire
        elif kind in _PLAIN:
            right, wire = other, len(values)
            values.append(other)
        elif kind is not Traced and _defers_to(other):
            return NotImplemented
        else:
            return record(gate, (self, other), NOTHING, careful)
        try:
            out = fast(self.value, right)
        except (ZeroDivisionError, OverflowError, ValueError):
            return record(gate, (self, other), NOTHING, careful)
        wire = tape.put(gate, (self.wire, wire), (out,), NOTHING, _frame(1))
        return Traced(tape, wire, out)

    return method


def _reversed(name: str, fast: Callable[..., Any]) -> Callable[[Traced, Any], Any]:
    gate = NAMES[name]
    careful = _careful(gate, fast)

    def method(self: Traced, other: Any) -> Any:
        return NotImplemented if _defers_to(other) else record(
            gate, (other, self), NOTHING, careful
        )

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
_OWN_MANNER = frozenset(("sort", "partition", "compress", "put", "resize", "fill"))


def _furnish() -> None:
    """Give Traced its operators and the array methods whose functions have records."""
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


_furnish()
