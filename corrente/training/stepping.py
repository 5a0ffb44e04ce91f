"""One step of training, gradient and update together, as one compiled program on flat leaves."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, partial
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from corrente.compiler import jit
from corrente.derivatives import value_and_grad
from corrente.errors import BadArgument, BadValue
from corrente.optimisers import OPTIMISERS, Optimiser, in_kind, moved, norm, over
from corrente.trees import take_apart
from corrente.words import Says

Leaves = tuple[Any, ...]


class Outcome(NamedTuple):
    """What a step gave: new leaves, and the loss, gradient norm and update ratio on the way."""

    leaves: Leaves
    loss: Any
    gradient_norm: Any
    update_ratio: Any


class Stepper(NamedTuple):
    """A loss and an optimiser made ready for parameters of one structure.

    `start` are the leaves of parameters and state; `advance(leaves, scale, batch, rng)` takes a
    step `scale` times as long as the optimiser's; `measure(leaves, batch, rng)` is the loss.
    """

    start: Leaves
    advance: Callable[[Leaves, float, tuple[Any, ...], Any], Outcome]
    measure: Callable[[Leaves, tuple[Any, ...], Any], Any]
    params: Callable[[Leaves], Any]
    state: Callable[[Leaves], Any]
    size: int
    """How many of the leaves are parameters; they come first."""
    draws: bool
    """Whether the loss takes a random generator."""


class Away(NamedTuple):
    """Where a loss is worked out, if not here.

    `slopes(params, batch, rng)` gives the loss and the leaves of its gradient, and
    `measure(params, batch, rng)` what is measured on validation data.
    """

    slopes: Callable[[Any, tuple[Any, ...], Any], tuple[Any, Leaves]]
    measure: Callable[[Any, tuple[Any, ...], Any], Any]


def takes_generator(loss: Callable[..., Any]) -> bool:
    """Tell whether a loss has an argument called `rng`."""
    try:
        return "rng" in inspect.signature(loss).parameters
    except (TypeError, ValueError):
        return False


def named(optimiser: Any) -> Optimiser:
    """Return an optimiser by its name, by the function that makes it from a rate, or itself."""
    if isinstance(optimiser, Optimiser):
        return optimiser
    if isinstance(optimiser, str) and optimiser in OPTIMISERS:
        return _with_rate_one(OPTIMISERS[optimiser])
    if callable(optimiser):
        made = _with_rate_one(optimiser)
        if isinstance(made, Optimiser):
            return made
    raise BadArgument(
        Says("{0} is no optimiser.", "{0} não é um otimizador.").fill(repr(optimiser)),
        Says(
            "one of {0}, or a pair such as co.optimisers.adam(1e-3).",
            "um de {0}, ou um par como co.optimisers.adam(1e-3).",
        ).fill(", ".join(OPTIMISERS)),
    )


@lru_cache(maxsize=32)
def _with_rate_one(make: Callable[[float], Any]) -> Any:
    # the same pair for the same name, so that its compiled step can be used again
    return make(1.0)


def prepare(
    loss: Callable[..., Any],
    optimiser: Optimiser,
    params: Any,
    compiled: bool = True,
    measured: Callable[..., Any] | None = None,
    away: Away | None = None,
    memory: str | int | None = None,
) -> Stepper:
    """Make a loss and an optimiser ready to step from these parameters.

    `measured` is what is measured on validation data, the loss itself when not given; `away` has
    both worked out elsewhere, and only the update here; `memory` is the budget of a compiled step.
    """
    params = over(_differentiable, params)
    tree, states = take_apart(params), take_apart(optimiser.init(params))
    if not tree.leaves:
        raise BadValue(
            Says("there are no parameters to train.", "não há parâmetros a treinar."),
            Says("give arrays or floats, nested as you like.", "dê arrays ou reais, aninhados."),
        )
    start = (*tree.leaves, *states.leaves)
    count = len(tree.leaves)
    shape = _Shape(tree.build, states.build, count)
    draws = takes_generator(loss)
    kind = (tree.structure, states.structure, compiled, memory)
    update = optimiser.update
    compile_ = partial(jit, memory=memory) if compiled else lambda step: step
    make = lambda: _whole(loss, update, shape, compile_, draws)
    if away is not None:
        step, value = _apart(away.slopes, update, shape, compile_), away.measure
    else:
        step = _once(loss, (loss, optimiser, *kind), make)
        value = _measuring(measured or loss, kind, compiled)
    small = tuple(k for k, leaf in enumerate(start) if np.ndim(leaf) == 0)

    def advance(leaves: Leaves, scale: float, batch: tuple[Any, ...], rng: Any) -> Outcome:
        outcome = Outcome(*step(leaves, scale, batch, rng))
        if not small:
            return outcome
        mended = list(outcome.leaves)
        for k in small:
            mended[k] = in_kind(mended[k], start[k])
        return outcome._replace(leaves=tuple(mended))

    def measure(leaves: Leaves, batch: tuple[Any, ...], rng: Any) -> Any:
        return value(tree.build(list(leaves[:count])), batch, rng)

    return Stepper(
        start,
        advance,
        measure,
        lambda leaves: tree.build(list(leaves[:count])),
        lambda leaves: states.build(list(leaves[count:])),
        count,
        draws,
    )


def _measuring(seen: Callable[..., Any], kind: Any, compiled: bool) -> Callable[..., Any]:
    value = _once(seen, (seen, *kind), lambda: jit(seen)) if compiled else seen
    if takes_generator(seen):
        return lambda params, batch, rng: value(params, *batch, rng=rng)
    return lambda params, batch, rng: value(params, *batch)


_MADE: dict[Any, Any] = {}
_MOST_MADE = 16


def _once(loss: Callable[..., Any], key: Any, make: Callable[[], Any]) -> Any:
    """Make a program, or find it again: only for a loss that keeps no data alive by itself."""
    bare = isinstance(loss, FunctionType) and loss.__closure__ is None
    if not bare and not getattr(loss, "shared", False):
        return make()
    if key not in _MADE:
        while len(_MADE) >= _MOST_MADE:
            _MADE.pop(next(iter(_MADE)), None)
        _MADE[key] = make()
    return _MADE[key]


class _Shape(NamedTuple):
    params: Any
    state: Any
    size: int


def _whole(
    loss: Any, update: Any, shape: _Shape, compile_: Callable[..., Any], draws: bool
) -> Callable[..., Any]:
    """Return the whole step as one function; compiled, one program."""
    both = value_and_grad(loss)
    build, count = shape.params, shape.size

    # functions of ours, and no objects, around a step: only so is it called without a look at them
    def move(leaves: Leaves, scale: Any, slopes: Any) -> Any:
        return _move(update, shape, leaves, scale, slopes)

    def step(leaves: Leaves, scale: float, rng: Any, *batch: Any) -> Any:
        named = {} if rng is None else {"rng": rng}
        value, slopes = both(build(list(leaves[:count])), *batch, **named)
        new, length, ratio = move(leaves, scale, slopes)
        return new, value, length, ratio

    program = compile_(step)
    return lambda leaves, scale, batch, rng: program(leaves, scale, rng if draws else None, *batch)


def _apart(
    slopes: Any, update: Any, shape: _Shape, compile_: Callable[..., Any]
) -> Callable[..., Any]:
    """Return a step whose gradient comes from somewhere else; the update is one program."""
    build, count = shape.params, shape.size

    def apply(leaves: Leaves, scale: float, found: Leaves) -> Any:
        return _move(update, shape, leaves, scale, build(list(found)))

    program = compile_(apply)

    def step(leaves: Leaves, scale: float, batch: tuple[Any, ...], rng: Any) -> Any:
        value, found = slopes(build(list(leaves[:count])), batch, rng)
        new, length, ratio = program(leaves, scale, found)
        return new, value, length, ratio

    return step


def _move(update: Any, shape: _Shape, leaves: Leaves, scale: Any, slopes: Any) -> Any:
    params, state = shape.params(list(leaves[: shape.size])), leaves[shape.size :]
    moves, after = update(slopes, shape.state(list(state)), params)
    moves = over(lambda m: scale * m, moves)
    new = moved(params, moves)
    # a model that starts at nought has no length to compare with
    ratio = norm(moves) / np.maximum(norm(params), 1e-12)
    leaves = (*take_apart(new).leaves, *take_apart(after).leaves)
    return leaves, norm(slopes), ratio


def _differentiable(leaf: Any) -> Any:
    return float(leaf) if type(leaf) is int else leaf
