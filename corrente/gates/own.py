"""How a function of our own reaches a tracer: through `__array_function__`, as NumPy's do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np

from corrente.record import composed

Given = ParamSpec("Given")
Result = TypeVar("Result")

HOME = "corrente.nn"


def speaker(things: Iterable[Any]) -> Any:
    """Find the first argument with a protocol of its own, in lists and object arrays too.

    >>> speaker([1.0, np.ones(3), [2.0, (3.0,)]]) is None
    True
    """
    for thing in things:
        kind = type(thing)
        if kind is np.ndarray:
            found = speaker(thing.ravel()) if thing.dtype == object else None
        elif kind is list or kind is tuple:
            found = speaker(thing)
        else:
            found = thing if _protocol(kind) not in _NUMPYS else None
        if found is not None:
            return found
    return None


def _protocol(kind: type) -> Any:
    return getattr(kind, "__array_function__", None)


_NUMPYS = (None, np.ndarray.__array_function__)


def dispatched(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a function ask its traced arguments, wherever they stand, before it computes.

    The function itself then meets plain values only, unless an argument declines to answer.
    Messages and pickles know it by its public name, `corrente.nn.relu`.
    """

    @wraps(function)
    def public(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        asked = speaker((*args, *kwargs.values())) if kwargs else speaker(args)
        if asked is not None:
            kind = type(asked)
            answer = _protocol(kind)(asked, public, (kind,), args, kwargs)
            if answer is not NotImplemented:
                return answer
        return function(*args, **kwargs)

    public.__module__ = HOME
    return public


def composition(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Record a function written in plain NumPy: traced, its steps are marked as one function's."""
    public = dispatched(function)
    composed(public)(function)
    return public
