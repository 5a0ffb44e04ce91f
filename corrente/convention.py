"""What the gradient is where a choice is tied: a convention, chosen here and counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from corrente.errors import BadValue
from corrente.words import Says


@dataclass
class Ties:
    """The rule in force ("split", "first" or "both") and how many ties it has met."""

    rule: str
    hit: int = 0
    last: Any = None
    """The output whose ties were counted last: each of its inputs would count them again."""


RULES = ("split", "first", "both")
_IN_FORCE: ContextVar[Ties | None] = ContextVar("ties", default=None)
_DEFAULT = "split"


@contextmanager
def ties(rule: str) -> Iterator[Ties]:
    """Choose how tied operands of `maximum`, `max`, … share the gradient, inside a `with`.

    "split" shares equally among the winners, "first" gives all to the first winner, "both"
    gives all to each, as the CS231n formula `(x >= y) * g` does.

    >>> import numpy as np, corrente as co
    >>> with co.ties("both") as met:
    ...     co.grad(np.maximum, argnums=(0, 1))(3.0, 3.0)
    (1.0, 1.0)
    >>> met.hit
    1
    """
    if rule not in RULES:
        raise BadValue(
            Says("{0} is no rule for ties.", "{0} não é uma regra para empates.").fill(repr(rule)),
            Says("the rule for ties must be one of: {0}.", "use uma destas regras: {0}.").fill(
                ", ".join(RULES)
            ),
        )
    token = _IN_FORCE.set(Ties(rule))
    try:
        state = _IN_FORCE.get()
        assert state is not None
        yield state
    finally:
        _IN_FORCE.reset(token)


def rule() -> str:
    """Return the rule in force."""
    state = _IN_FORCE.get()
    return _DEFAULT if state is None else state.rule


def note(tied: Any, out: Any) -> None:
    """Count the ties met under the rule in force, once for each output.

    A traced comparison is counted by the value it holds.
    """
    state = _IN_FORCE.get()
    if state is None or out is state.last:
        return
    while hasattr(tied, "now"):
        tied = tied.now()
    state.hit += int(np.count_nonzero(tied))
    state.last = out
