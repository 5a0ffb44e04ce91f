"""The forward pass on a tape: NumPy and math stand-ins that let plain student code be traced."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np

from corrente.tracer import Traced
from corrente.trees import take_apart

_ALIKE = {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2"}
_ALIKE |= {"pow": "power", "fabs": "abs", "asinh": "arcsinh", "acosh": "arccosh"}


class StandIn:
    """A module with some of its functions replaced."""

    def __init__(self, module: ModuleType, instead: Mapping[str, Any]) -> None:
        self._module = module
        self._instead = instead

    def __getattr__(self, name: str) -> Any:
        return self._instead[name] if name in self._instead else getattr(self._module, name)


def stand_in(names: dict[str, Any], like: Any) -> None:
    """Replace NumPy, math and float in a namespace, so that buffers and numbers stay traced.

    A student writes `out = np.zeros(shape)` and fills it: on a tape that buffer must be traced
    as well, which `like`, any traced value, brings about.
    """
    numpy_, math_ = StandIn(np, _numpy(like)), StandIn(math, _math())
    modules = {id(np): numpy_, id(math): math_}
    functions = {id(getattr(math, name)): f for name, f in _math().items()}
    functions |= {id(getattr(np, name)): f for name, f in _numpy(like).items()}
    for name, value in list(names.items()):
        if not name.startswith("__"):
            instead = modules.get(id(value)) or functions.get(id(value))
            if instead is not None:
                names[name] = instead
    names["float"] = _unless_traced(builtins.float)


class _Kind(type):
    """A type of numbers that leaves a traced value as it is, and still serves as a dtype."""

    real: type

    def __call__(cls, x: Any = 0.0, *more: Any) -> Any:
        return x if isinstance(x, Traced) else cls.real(x, *more)

    def __instancecheck__(cls, x: Any) -> bool:
        return isinstance(x, cls.real) or (isinstance(x, Traced) and not x.ndim)


def _unless_traced(kind: type) -> Any:
    return _Kind(kind.__name__, (), {"real": kind, "dtype": np.dtype(kind)})


def _math() -> dict[str, Any]:
    made = {}
    for name in dir(math):
        ours = getattr(np, _ALIKE.get(name, name), None)
        if callable(getattr(math, name)) and callable(ours) and not name.startswith("_"):
            made[name] = _either(getattr(math, name), ours)
    return made


def _either(plain: Callable[..., Any], ours: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: (ours if any(isinstance(x, Traced) for x in args) else plain)(*args)


def _numpy(like: Any) -> dict[str, Any]:
    def maker(function: Callable[..., Any]) -> Callable[..., Any]:
        def made(shape: Any, *args: Any, **options: Any) -> Any:
            found = function(shape, *args, **options)
            return np.array(found, like=like) if found.dtype.kind == "f" else found

        return made

    def resembling(fill: float) -> Callable[..., Any]:
        def made(array: Any, dtype: Any = None, **options: Any) -> Any:
            kind = np.dtype(dtype or getattr(array, "dtype", None) or np.result_type(array))
            found = np.full(options.get("shape") or np.shape(array), fill, kind)
            return np.array(found, like=like) if found.dtype.kind == "f" else found

        return made

    def array(value: Any, dtype: Any = None, **options: Any) -> Any:
        if isinstance(value, Traced):
            return np.copy(value)
        if any(isinstance(leaf, Traced) for leaf in _leaves(value)):
            return np.array(value, like=like)
        return np.array(value, dtype, **options)

    def asarray(value: Any, *args: Any, **options: Any) -> Any:
        return value if isinstance(value, Traced) else array(value, *args, **options)

    made: dict[str, Any] = {name: maker(getattr(np, name)) for name in ("zeros", "ones", "full")}
    made |= {"empty": maker(np.zeros), "array": array, "asarray": asarray}
    made |= {"zeros_like": resembling(0.0), "ones_like": resembling(1.0)}
    made |= {"empty_like": resembling(0.0)}
    return made | {f"float{n}": _unless_traced(getattr(np, f"float{n}")) for n in (32, 64)}


def _leaves(value: Any) -> Iterable[Any]:
    return take_apart(value).leaves if isinstance(value, list | tuple) else ()
