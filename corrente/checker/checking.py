"""The check itself: ask, compare, and tell what was seen or who is to blame."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente import numerals
from corrente.checker.bands import band, relative_error
from corrente.checker.blaming import accusation
from corrente.checker.comparing import Comparison, Rules, examine, in_single
from corrente.checker.paths import Kink
from corrente.checker.question import Question, flatten, refuse_function, widened, with_floats
from corrente.derivatives import Argnums, choose
from corrente.errors import BadValue, TieWarning
from corrente.words import Says

MODES = ("rev", "fwd")


class Checked(NamedTuple):
    """What a passed check saw: the worst relative error, and how many numbers were compared.

    Only numbers that are themselves exact to 1e-7 have a say in `worst`. `kinks` are the places
    where the function bends so close by that no difference could be taken; what crosses them
    was not compared.
    """

    worst: float
    comparisons: int
    kinks: tuple[Kink, ...] = ()

    @property
    def says(self) -> Says:
        """Put the result in one sentence, with the band of its worst relative error."""
        return Says(
            "{0} comparisons, worst relative error {1:.1e} ({2}), {3} kinks not crossed.",
            "{0} comparações, pior erro relativo {1:.1e} ({2}), {3} quinas não atravessadas.",
        ).fill(self.comparisons, self.worst, band(self.worst), len(self.kinks))


def check_grads(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    order: int = 2,
    modes: Sequence[str] = ("fwd", "rev"),
    *,
    rtol: float = 1e-6,
    atol: float = 0.0,
    kwargs: Mapping[str, Any] | None = None,
    argnums: Argnums | None = None,
    seed: int = 0,
) -> Checked:
    """Compare the derivatives of `f` at `args` with differences of its values; raise if wrong.

    `args` may hold nested values; all of it is differentiated unless `argnums` says which
    arguments are. `f` may return numbers, arrays, or nests of them. Forward and reverse mode are
    compared along random directions (the same ones for the same `seed`), up to the given order.
    The differences are taken in float64, float32 arguments being cast if `f` allows it, and the
    tolerance is `atol + rtol·max(|a|, |n|)` plus the error that two step sizes show the
    difference itself to have.

    Where a gate has a kink (`maximum`, `abs`, an `if`), only directions along which nothing
    changes side are compared; what is left over comes back as `kinks`, with a TieWarning.

    Raises GradientError, which names the gate, the wire and the line whose local gradient is
    wrong; BadArgument for arguments or results that cannot be differentiated, BadValue where
    there is nothing to compare.

    >>> import numpy as np, corrente as co
    >>> co.check_grads(lambda x, w: np.sum(np.tanh(x * w)), (np.ones(3), 0.5)).worst < 1e-7
    True
    """
    refuse_options(order, modes)
    args = args if isinstance(args, tuple) else (args,)
    given = dict(kwargs or {})
    numbers = tuple(range(len(args))) if argnums is None else argnums
    keys = [int(key) for key in choose(f, numbers, None, args, given).keys]
    rules = Rules(rtol, atol)
    # what is wrong in both modes is told of the backward one
    wanted = tuple(mode for mode in MODES if mode in modes)
    question = with_floats(Question(f, args, given, keys))
    wide = widened(question)
    refuse_function(wide)
    seen: list[Comparison] = []
    kinks: dict[Kink, None] = {}
    with np.errstate(all="ignore"):
        problem = flatten(wide)
        stages = [examine(problem, order, wanted, np.random.default_rng(seed), rules)]
        if wide is not question:
            stages.append(in_single(flatten(question), problem, wanted, seed, rules))
        for event in itertools.chain.from_iterable(stages):
            if isinstance(event, Kink):
                kinks[event] = None
            elif event.wrong:
                asked = question if event.single else wide
                error = accusation(asked, event, seed, rules)
                if event.broken is not None and not error.gate:
                    raise event.broken
                raise error from event.broken
            else:
                seen.append(event)
    if kinks:
        _warn(tuple(kinks))
    told = [relative_error(c.analytic, c.numeric) for c in seen if c.telling and not c.single]
    return Checked(max(told, default=0.0), len(seen), tuple(kinks))


def refuse_options(order: int, modes: Sequence[str]) -> None:
    if order < 1 or not modes or not set(modes) <= set(MODES):
        raise BadValue(
            Says(
                "order={0} and modes={1} leave nothing to check.",
                "order={0} e modes={1} não deixam nada a conferir.",
            ).fill(order, modes),
            Says(
                'order counts from 1, and modes are "fwd", "rev" or both.',
                'order conta de 1, e modes são "fwd", "rev" ou ambos.',
            ),
        )


def _warn(kinks: tuple[Kink, ...]) -> None:
    says = Says(
        "not all directions could be compared: {0}",
        "nem todas as direções puderam ser comparadas: {0}",
    ).fill(numerals.joined(", ", [kink.says for kink in kinks]))
    warnings.warn(TieWarning(says), stacklevel=3)
