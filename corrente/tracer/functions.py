"""What a NumPy function means on traced values: a gate, a composition, or a refusal by name."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from corrente.errors import Leak, NoGate, NotSupported
from corrente.gates import specials
from corrente.record import COMPOSED, NAMES, REFUSED, TABLE, Gate, Params
from corrente.tape import NOTHING
from corrente.tracer.advice import ONE_BY_ONE
from corrente.tracer.box import Traced, defers, flat, frame, holds_traced, lift, record, run_forward
from corrente.tracer.writing import assign, write
from corrente.words import Says, plain

_ADD_AT = NAMES["add_at"]


def array_ufunc(self: Traced, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """Answer a ufunc or one of its methods: `Traced.__array_ufunc__`."""
    if len(inputs) > 1:
        for other in inputs:
            if defers(other):
                return NotImplemented
    if not kwargs and method == "__call__":
        gate = TABLE.get(ufunc)
        if gate is not None and gate.takes is None:
            if len(inputs) == gate.outs == 1 and self.source is None and not self.tape.versions:
                # the common case, without the questions that several operands raise
                out = run_forward(gate, gate.forward, (self.value,), NOTHING)
                wire = self.tape.put(gate, (self.wire,), (out,), NOTHING, frame(1))
                return Traced(self.tape, wire, out)
            return record(gate, inputs, NOTHING)
        return dispatch(ufunc, inputs, kwargs)
    return _ufunc_call(ufunc, method, inputs, kwargs)


def array_function(self: Traced, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
    """Answer any other NumPy function: `Traced.__array_function__`."""
    make = _CREATE.get(func)
    if make is not None and not holds_traced((*args, *kwargs.values())):
        return _created(self, func, args, kwargs)
    return dispatch(func, args, kwargs)


def dispatch(func: Any, args: Any, kwargs: Any) -> Any:
    """Find what a NumPy function means here, and do it: gate, composition, or refusal by name."""
    gate = TABLE.get(func)
    if gate is None and func not in COMPOSED and isinstance(func, np.ufunc):
        specials.load()  # none of NumPy's that is known: SciPy's are entered when first met
        gate = TABLE.get(func)
    if gate is not None:
        ins, params = _normalised(gate, func, args, kwargs)
        return record(gate, ins, params)
    rule = COMPOSED.get(func) or _INSPECT.get(func)
    if rule is None:
        if func in REFUSED:
            raise NotSupported(plain(function_name(func)), REFUSED[func])
        raise _unknown(func)
    traced = [part for part in flat((*args, *kwargs.values())) if type(part) is Traced]
    try:
        if func in _INSPECT or not traced:
            return rule(*args, **kwargs)
        with max(traced, key=lambda box: box.tape.level).tape.composed(function_name(func)):
            return rule(*args, **kwargs)
    except TypeError:
        _check_signature(rule, func, args, kwargs)
        raise


def _unknown(func: Any) -> NoGate:
    """Make the error for a function without record; np.frompyfunc's ufuncs are told apart."""
    if not isinstance(func, np.ufunc) or getattr(np, func.__name__, None) is func:
        return NoGate(function_name(func))
    error = NoGate(func.__name__)  # all of SciPy's are known: it is somebody else's
    if set("".join(func.types)) == set("O->"):
        error.mend = ONE_BY_ONE
    return error


def function_name(func: Any) -> str:
    """Return a function's name as users write it: np.linalg.norm."""
    name = getattr(func, "__qualname__", None) or func.__name__
    ours = not isinstance(func, np.ufunc) or getattr(np, name, None) is func
    module = getattr(func, "__module__", None) or ("numpy" if ours else "scipy.special")
    return f"{module.replace('numpy', 'np').replace('corrente', 'co')}.{name}"


def _normalised(gate: Gate, func: Any, args: Any, kwargs: Any) -> tuple[Sequence[Any], Params]:
    if gate.takes is None:
        if kwargs or (isinstance(func, np.ufunc) and len(args) != func.nin):
            counted = Says("{0} arguments", "{0} argumentos").fill(len(args))
            raise _refused_keyword(func, ", ".join(kwargs) or counted)
        return args, NOTHING
    try:
        return gate.takes(*args, **kwargs)
    except TypeError:
        _check_signature(gate.takes, func, args, kwargs)
        raise


def _check_signature(rule: Callable[..., Any], func: Any, args: Any, kwargs: Any) -> None:
    """Refuse by name an argument that a rule does not take."""
    try:
        inspect.signature(rule).bind(*args, **kwargs)
    except TypeError as misfit:
        raise _refused_keyword(func, str(misfit)) from None


def _refused_keyword(func: Any, what: Says | str) -> NotSupported:
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
_RUNNING: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


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
    if out is not None and not out.shape:
        raise _refused_keyword(ufunc, Says("out=, a number", "out=, um número"))
    if method == "at" and ufunc in (np.add, np.subtract) and not kwargs:
        _add_at(*inputs, less=ufunc is np.subtract)
        return None
    if method == "reduce" and ufunc in _REDUCTIONS:
        axis = kwargs.pop("axis", inputs[1] if len(inputs) > 1 else 0)
        result = _REDUCTIONS[ufunc](inputs[0], axis=axis, **kwargs)
    elif method == "accumulate" and ufunc in _RUNNING:
        result = _RUNNING[ufunc](inputs[0], kwargs.pop("axis", 0), **kwargs)
    elif method == "outer" and len(inputs) == 2:
        a, b = (x if type(x) is Traced else np.asarray(x) for x in inputs)
        result = ufunc(np.reshape(a, a.shape + (1,) * b.ndim), b, **kwargs)
    elif method == "__call__":
        result = dispatch(ufunc, inputs, kwargs)
    else:
        raise _refused_keyword(ufunc, f".{method}")
    return result if out is None else assign(out, result)


def _add_at(box: Any, index: Any, value: Any, less: bool) -> None:
    if type(box) is not Traced:
        raise Leak(
            Says(
                "np.add.at was to add a traced value into a plain array.",
                "np.add.at ia somar um valor traçado num array comum.",
            )
        )
    write(box, index, np.negative(value) if less else value, _ADD_AT)


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


def _can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(_typed(from_), to, casting)


_CREATE: dict[Any, bool] = dict.fromkeys(
    (
        *(np.zeros, np.ones, np.empty, np.full, np.array, np.asarray, np.asanyarray),
        *(np.arange, np.eye, np.identity, np.linspace, np.fromfunction, np.tri),
    ),
    True,
)  # fmt: skip

_INSPECT: dict[Any, Callable[..., Any]] = {
    np.shape: lambda a: a.shape,
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.size if axis is None else a.shape[axis],
    np.iscomplexobj: lambda x: x.dtype.kind == "c",
    np.isrealobj: lambda x: x.dtype.kind != "c",
    np.result_type: lambda *args: np.result_type(*map(_typed, args)),
    np.can_cast: _can_cast,
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
