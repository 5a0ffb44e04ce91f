"""How the record of a special function is written: the same fields, with less to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from corrente.errors import NotSupported
from corrente.gates.own import Given, Result, dispatched
from corrente.gates.ufuncs import aligned, together
from corrente.record import Call, Gate, Interval, Opaque, Params, Pull, composed, gate
from corrente.words import Says

HOME = "corrente.special"
Partial = Callable[..., Any] | str
"""A local gradient `(*ins, out)`, or the name of an argument in which there is none."""


def scales(formula: str) -> Says:
    """Say that the gradient is scaled by a formula, which reads the same in every language."""
    return Says(en=f"scales the gradient by {formula}", pt=f"multiplica o gradiente por {formula}")


def scales_by(en: str, pt: str) -> Says:
    """Say by what the gradient is scaled, in words."""
    return Says(en=f"scales the gradient by {en}", pt=f"multiplica o gradiente por {pt}")


def public(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Let a function of our own ask its traced arguments; it is known as `corrente.special`'s."""
    asking = dispatched(function)
    asking.__module__ = HOME
    return asking


def composition(function: Callable[Given, Result]) -> Callable[Given, Result]:
    """Record a function written in plain NumPy, known as `corrente.special`'s."""
    asking = public(function)
    composed(asking)(function)
    return asking


def kept(out: Any, *like: Any) -> Any:
    """Bring back the precision of some inputs to what was computed in another."""
    have, want = np.result_type(out), np.result_type(*like)
    if have.kind not in "fc" or want.kind not in "fc" or have == want:
        return out
    want = np.result_type(want, 1j) if have.kind == "c" else want
    return out.astype(want) if have != want and have.kind == want.kind else out


def special(
    of: Callable[..., Any],
    *also: Any,
    symbol: str,
    partials: Sequence[Partial] | None,
    does: Says,
    teaches: Says,
    domain: tuple[Interval, ...],
    name: str | None = None,
    example: Callable[..., Call] | None = None,
    takes: Callable[..., Call] | None = None,
    side: Callable[..., Any] | None = None,
    code: Callable[[Sequence[str], Params], str] | None = None,
    promotes: bool = False,
) -> Gate:
    """Record a function of each element alone that no loop body can be written for.

    A string among the partials names an argument whose derivative is refused (the order of a
    Bessel function): it is data, or the backward pass says so. `promotes` says that SciPy
    itself answers in double precision to a float32 array beside a whole number.
    """
    name = name or of.__name__
    rules = None if partials is None else tuple(_rule(name, partial) for partial in partials)
    return gate(
        of,
        *also,
        kind=Opaque(batch=aligned(of) if promotes else _batch(of)),
        takes=takes,
        shape=together,
        pulls=None if rules is None else tuple(map(_pull, rules)),
        push=None if rules is None else _push(rules),
        symbol=symbol,
        does=does,
        teaches=teaches,
        example=example,
        domain=domain,
        name=name,
        side=side,
        code=code or printed(name),
        facts=("promotes",) if promotes else (),
    )


def printed(name: str) -> Callable[[Sequence[str], Params], str]:
    """Make the rule that writes a call as the user would: `special.erf(x)`."""
    return lambda names, params: f"special.{name}({', '.join(names)})"


def _batch(of: Callable[..., Any]) -> Callable[..., Any]:
    """Make the rule for a whole batch.

    A whole number, repeated for each example, would promote what the number alone does not.
    """
    spread = aligned(of)

    def batch(*ins: Any) -> Any:
        floats = [x.dtype for x in ins if x.dtype.kind in "fc"]
        if not floats:
            return spread(*ins)
        dtype = np.result_type(*floats)
        return spread(*(x.astype(dtype) if x.dtype.kind in "iu" else x for x in ins))

    return batch


def weak(of: Callable[..., Any], *ins: Any) -> Any:
    """Call a function; of Python's numbers it makes one of them, which promotes nothing."""
    out = of(*ins)
    return float(out) if all(type(x) in (int, float) for x in ins) else out


def _rule(name: str, partial: Partial) -> Callable[..., Any]:
    return partial if callable(partial) else refusal(name, partial)


def refusal(name: str, argument: str) -> Callable[..., Any]:
    """Make a rule that refuses by name: the function has no derivative there that is known."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise NotSupported(
            Says(
                "the derivative of special.{0} in its argument {1} has no formula here.",
                "a derivada de special.{0} no argumento {1} não tem fórmula aqui.",
            ).fill(name, argument),
            Says(
                "keep {0} out of what is differentiated: a constant, or co.stop_gradient({0}).",
                "deixe {0} fora do que é derivado: uma constante, ou co.stop_gradient({0}).",
            ).fill(argument),
        )

    return refuse


def _pull(partial: Callable[..., Any]) -> Pull:
    """Make the pull: upstream gradient times local one, in the precision of the former.

    Some of SciPy's functions answer in double precision, whatever they are asked in.
    """

    def pull(g: Any, out: Any, *ins: Any) -> Any:
        d = g * partial(*ins, out)
        have, want = np.result_type(d), np.result_type(g)
        return d.astype(want) if have != want and have.kind == want.kind else d

    return pull


def _push(partials: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    """Make forward mode: how each input moves, times its local gradient, added up."""

    def push(tangents: Any, out: Any, ins: Any, params: Any) -> Any:
        moved = [
            t * partial(*ins, out)
            for t, partial in zip(tangents, partials, strict=True)
            if t is not None
        ]
        return sum(moved[1:], moved[0])

    return push


def several(
    of: Callable[..., Any],
    count: int,
    *,
    symbol: str,
    pull: Pull,
    does: Says,
    teaches: Says,
    domain: tuple[Interval, ...],
) -> Gate:
    """Record a function of one number with several outputs."""
    return gate(
        of,
        kind=Opaque(batch=of),
        takes=None,
        shape=lambda x: (x,) * count,
        pulls=(pull,),
        symbol=symbol,
        does=does,
        teaches=teaches,
        example=lambda rng: Call((rng.uniform(*domain[0], size=(3, 4)),), {}),
        domain=domain,
        code=printed(of.__name__),
        outs=count,
    )
