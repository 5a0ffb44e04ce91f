"""How the record of a special function with several answers is written: values beside slopes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from corrente.gates.specials.forms import printed, refusal
from corrente.gates.ufuncs import aligned, together
from corrente.record import Call, Gate, Interval, Opaque, Pull, gate
from corrente.words import Says

Slopes = Callable[..., Sequence[Any]] | str
"""The slopes of all answers in one input, `(*ins, out)`, or the name of one that has none."""


def bundle(
    of: Callable[..., Any],
    *also: Any,
    outs: int,
    slopes: Sequence[Slopes],
    symbol: str,
    does: Says,
    teaches: Says,
    domain: tuple[Interval, ...],
    example: Callable[..., Call] | None = None,
    name: str | None = None,
    promotes: bool = False,
) -> Gate:
    """Record a function of one or more inputs that gives several answers, element by element.

    A string among the slopes names an input whose derivative is refused, as in `forms.special`.
    """
    name = name or of.__name__
    shapes = lambda *shapes: (together(*shapes),) * outs
    return gate(
        of,
        *also,
        kind=Opaque(batch=aligned(of) if promotes else narrow(of)),
        takes=None,
        shape=shapes,
        pulls=tuple(_pull(name, rule) for rule in slopes),
        symbol=symbol,
        does=does,
        teaches=teaches,
        example=example or _scattered(domain),
        domain=domain,
        name=name,
        code=printed(name),
        outs=outs,
        facts=("promotes",) if promotes else (),
    )


def narrow(of: Callable[..., Any]) -> Callable[..., Any]:
    """Make the rule for a whole batch, in which whole numbers widen no float."""
    spread = aligned(of)

    def batch(*ins: Any) -> Any:
        floats = [x.dtype for x in ins if x.dtype.kind in "fc"]
        if not floats:
            return spread(*ins)
        dtype = np.result_type(*floats)
        return spread(*(x.astype(dtype) if x.dtype.kind in "iu" else x for x in ins))

    return batch


def _scattered(domain: tuple[Interval, ...]) -> Callable[[np.random.Generator], Call]:
    return lambda rng: Call(tuple(rng.uniform(*ends, size=(3, 4)) for ends in domain), {})


def _pull(name: str, rule: Slopes) -> Pull:
    """Make the pull: the upstream gradients times the slopes, added up, as precise as those."""
    if isinstance(rule, str):
        return refusal(name, rule)

    def pull(g: Any, out: Any, *ins: Any) -> Any:
        parts = [one * slope for one, slope in zip(g, rule(*ins, out), strict=True)]
        d: Any = sum(parts[1:], parts[0])
        have, want = np.result_type(d), np.result_type(g[0])
        return d.astype(want) if have != want and have.kind == want.kind else d

    return pull
