"""The question a user asks: is this backward pass right for this forward pass?"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from corrente.errors import BadArgument
from corrente.homework import telling
from corrente.homework.checking import judge
from corrente.homework.exercise import Exercise
from corrente.homework.sandbox import Limits, Outcome, Send, confined
from corrente.homework.space import of_functions
from corrente.homework.verdicts import Verdict, from_json
from corrente.words import Says

LIMITS = Limits()


def check_backward(
    forward: Callable[..., Any],
    *rest: Any,
    upstream: Any = None,
    seconds: float = LIMITS.seconds,
    memory: int = LIMITS.memory,
) -> Verdict:
    """Check a hand-written backward pass: is it right, and if not, which line is the first wrong?

    Call it as `check_backward(forward, backward, *inputs)`, or `check_backward(both, *inputs)`
    for a function that holds both passes. `forward` returns its outputs and then, if it likes, a
    cache; `backward` takes upstream gradients (random ones unless `upstream` gives them), the
    cache or whatever values of the forward pass it names, and returns gradients of the inputs.

    The functions RUN, several times, in a process of their own with at most `seconds` of time
    and `memory` bytes beyond what is in use; a wrong pass is a Verdict, not an exception. Raises
    BadArgument where the functions cannot be called with these inputs, or have no source.

    >>> import numpy as np
    >>> def forward(x, w):
    ...     return x @ w, (x, w)
    >>> bool(check_backward(forward, lambda dout, cache: (dout @ cache[1].T, cache[0].T @ dout),
    ...     np.ones((2, 3)), np.ones((3, 4))))  # doctest: +SKIP
    True
    """
    backward, inputs = (rest[0], rest[1:]) if rest and callable(rest[0]) else (forward, rest)
    exercise = _exercise(forward, backward, inputs, upstream)
    return verdict_of(exercise, Limits(seconds, memory))


def _exercise(
    forward: Callable[..., Any], backward: Callable[..., Any], inputs: Any, upstream: Any
) -> Exercise:
    space = of_functions(forward, backward)
    if space is None:
        raise BadArgument(
            Says(
                "the source of these functions cannot be found.",
                "não se acha o código-fonte destas funções.",
            ),
            Says(
                "write them with def, in a file or a notebook cell.",
                "escreva-as com def, num arquivo ou numa célula de notebook.",
            ),
        )
    try:
        bound = inspect.signature(forward).bind(*inputs)
    except TypeError as error:
        raise BadArgument(
            Says("the forward pass: {0}.", "o passo de ida: {0}.").fill(error),
            Says("give one input for each parameter.", "dê uma entrada para cada parâmetro."),
        ) from None
    given = None
    if upstream is not None:
        given = tuple(upstream) if isinstance(upstream, tuple) else (upstream,)
    return Exercise(
        space,
        _path(forward),
        _path(backward),
        dict(bound.arguments),
        getattr(forward, "__self__", None),
        upstream=given,
    )


def _path(function: Any) -> str:
    owner = getattr(function, "__self__", None)
    name = inspect.unwrap(getattr(function, "__func__", function)).__name__
    return name if owner is None else f"{type(owner).__name__}.{name}"


def verdict_of(exercise: Exercise, limits: Limits = LIMITS) -> Verdict:
    """Check one exercise in a process of its own."""
    outcome = confined(lambda send: report(exercise, send), limits)
    return concluded(outcome, telling.title(exercise), exercise.space.file, limits)


def report(exercise: Exercise, send: Send) -> None:
    """Check one exercise here, and send what is found as plain data."""
    last: list[Mapping[str, Any]] = []

    def tell(verdict: Verdict) -> None:
        message = {"verdict": verdict.json()}
        last.append(message)
        send(dict(message))

    try:
        judge(exercise, tell)
    except MemoryError:
        raise
    except Exception as error:
        if last:
            found = telling.unsearched(from_json(last[-1]["verdict"]), error)
        else:
            found = telling.broken(telling.title(exercise), exercise.space.file, error)
        last.append({"verdict": found.json()})
    send(dict(last[-1]) | {"final": True})


def concluded(outcome: Outcome, name: str, file: str, limits: Limits) -> Verdict:
    """Make a verdict of how a checking process ended; one sent in time stands."""
    message = outcome.message
    if message is not None and "verdict" in message:
        return from_json(message["verdict"])
    how = outcome.ended if outcome.ended != "done" else "ended"
    return telling.ended(name, file, how, limits.seconds, outcome.status)
