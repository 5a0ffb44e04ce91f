"""Optimisers as pairs of functions, `init` and `update`, that compose by `chain`; and schedules.

`init(params)` makes a state; `update(slopes, state, params)` turns gradients into moves to be
added to the parameters, and the state into the next one. Both are plain NumPy on nested values,
so that a whole training step compiles. Numbers that count steps are Python floats, which promote
nothing: float32 parameters keep their type.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from corrente.errors import BadValue
from corrente.trees import take_apart
from corrente.words import Says

Schedule = Callable[[Any], Any]
Rate = float | Schedule


class Optimiser(NamedTuple):
    """A pair: `init(params) -> state` and `update(slopes, state, params) -> (moves, state)`.

    >>> halve = Optimiser(lambda params: (), lambda slopes, state, params: (slopes / -2, state))
    >>> halve.update(4.0, (), 1.0)
    (-2.0, ())
    """

    init: Callable[[Any], Any]
    update: Callable[[Any, Any, Any], tuple[Any, Any]]


def over(f: Callable[..., Any], first: Any, *others: Any) -> Any:
    """Apply a function to the leaves of nested values of one structure.

    >>> over(lambda x, y: x + y, {"a": 1.0}, {"a": 2.0})
    {'a': 3.0}
    """
    tree = take_apart(first)
    rows = zip(tree.leaves, *(take_apart(other).leaves for other in others), strict=True)
    return tree.build([f(*row) for row in rows])


def moved(params: Any, moves: Any) -> Any:
    """Return the parameters after a move; a number stays a number of its own type.

    >>> moved({"w": 1.0}, {"w": 0.5})
    {'w': 1.5}
    """
    return over(lambda p, m: in_kind(p + m, p), params, moves)


def in_kind(new: Any, old: Any) -> Any:
    """Return a plain value in the kind of another: float, NumPy scalar, or array of 0 axes."""
    if not isinstance(new, np.generic):
        return new
    if type(old) in (float, complex):
        return new.item()
    return type(old)(new) if isinstance(old, np.generic) else np.asarray(new)


def norm(tree: Any) -> Any:
    """Return the Euclidean norm over all leaves of a nested value.

    >>> norm({"a": 3.0, "b": (4.0,)})
    np.float64(5.0)
    """
    return np.sqrt(sum((np.sum(_square(leaf)) for leaf in take_apart(tree).leaves), 0.0))


def chain(*parts: Optimiser) -> Optimiser:
    """Join transformations of gradients: each takes the moves that the one before it made.

    >>> clipped = chain(clip_by_norm(1.0), sgd(0.1))
    >>> clipped.update(5.0, clipped.init(2.0), 2.0)[0]
    np.float64(-0.1)
    """

    def init(params: Any) -> Any:
        return tuple(part.init(params) for part in parts)

    def update(slopes: Any, state: Any, params: Any) -> tuple[Any, Any]:
        states = []
        for part, own in zip(parts, state, strict=True):
            slopes, own = part.update(slopes, own, params)
            states.append(own)
        return slopes, tuple(states)

    return Optimiser(init, update)


# --- transformations ----------------------------------------------------------------------------


def scaled(rate: Rate) -> Optimiser:
    """Step against the gradient, `rate` times it; a schedule is asked with the count of steps."""
    if not callable(rate):
        _positive("rate", rate)
        return _stateless(lambda g, p: -rate * _downhill(g))

    def update(slopes: Any, count: Any, params: Any) -> tuple[Any, Any]:
        now = rate(count)
        return over(lambda g, p: -_in_type(now, p) * _downhill(g), slopes, params), (count + 1.0)

    return Optimiser(lambda params: 0.0, update)


def clip_by_norm(limit: float) -> Optimiser:
    """Shrink the whole gradient to the norm `limit` where it is longer; its direction stays.

    Source: Pascanu, Mikolov, Bengio (2013), "On the difficulty of training recurrent neural
    networks".
    """
    _positive("limit", limit)

    def update(slopes: Any, state: Any, params: Any) -> tuple[Any, Any]:
        # the larger of the two: a gradient of nothing but zeros must not divide by zero
        factor = limit / np.maximum(norm(slopes), limit)
        return over(lambda g: _in_type(factor, g) * g, slopes), state

    return Optimiser(lambda params: (), update)


def clip_by_value(limit: float) -> Optimiser:
    """Cut every element of the gradient to the interval from −limit to limit; real only."""
    _positive("limit", limit)
    return _stateless(lambda g, p: np.minimum(np.maximum(g, -limit), limit))


def weight_decay(decay: float) -> Optimiser:
    """Add `decay` times the parameters to the gradient, as a penalty ½·decay·‖w‖² would."""
    _positive("decay", decay, zero=True)
    # our gradient of a complex parameter is the conjugate of the direction uphill
    return _stateless(lambda g, p: g + decay * _downhill(p))


def averaged(decay: float, nesterov: bool = False) -> Optimiser:
    """Give the gradient momentum: a sum of past gradients that fades by `decay` a step.

    Source: Sutskever et al. (2013), "On the importance of initialization and momentum".
    """
    _fraction("decay", decay)

    def update(slopes: Any, speed: Any, params: Any) -> tuple[Any, Any]:
        speed = over(lambda s, g: decay * s + g, speed, slopes)
        if nesterov:
            slopes = over(lambda s, g: decay * s + g, speed, slopes)
        return (slopes if nesterov else speed), speed

    return Optimiser(_zeros, update)


def scaled_by_sum(tiny: float = 1e-8) -> Optimiser:
    """Divide each element by the root of the sum of its squares so far (Adagrad)."""

    def update(slopes: Any, sums: Any, params: Any) -> tuple[Any, Any]:
        sums = over(lambda s, g: s + _square(g), sums, slopes)
        return over(lambda g, s: g / (np.sqrt(s) + tiny), slopes, sums), sums

    return Optimiser(_real_zeros, update)


def scaled_by_mean(decay: float = 0.9, tiny: float = 1e-8) -> Optimiser:
    """Divide each element by the root of the fading mean of its squares (RMSProp)."""
    _fraction("decay", decay)

    def update(slopes: Any, means: Any, params: Any) -> tuple[Any, Any]:
        means = over(lambda m, g: decay * m + (1.0 - decay) * _square(g), means, slopes)
        return over(lambda g, m: g / (np.sqrt(m) + tiny), slopes, means), means

    return Optimiser(_real_zeros, update)


class Moments(NamedTuple):
    """Adam's state: steps taken, and the fading means of the gradient and of its square."""

    count: Any
    first: Any
    second: Any


def scaled_by_moments(first: float = 0.9, second: float = 0.999, tiny: float = 1e-8) -> Optimiser:
    """Divide the fading mean of the gradient by the root of that of its square (Adam)."""
    _fraction("first", first)
    _fraction("second", second)

    def update(slopes: Any, state: Moments, params: Any) -> tuple[Any, Moments]:
        count = state.count + 1.0
        means = over(lambda m, g: first * m + (1.0 - first) * g, state.first, slopes)
        squares = over(lambda v, g: second * v + (1.0 - second) * _square(g), state.second, slopes)
        # both means start at nought: this is what they would be had they begun at their value
        a, b = 1.0 / (1.0 - first**count), 1.0 / (1.0 - second**count)
        moves = over(lambda m, v: (a * m) / (np.sqrt(b * v) + tiny), means, squares)
        return moves, Moments(count, means, squares)

    return Optimiser(lambda params: Moments(0.0, _zeros(params), _real_zeros(params)), update)


# --- optimisers, in order of difficulty ---------------------------------------------------------


def sgd(rate: Rate) -> Optimiser:
    """Go downhill: `rate` times the gradient, a number or a schedule.

    >>> sgd(0.1).update(2.0, (), 1.0)
    (-0.2, ())
    """
    return scaled(rate)


def momentum(rate: Rate, decay: float = 0.9) -> Optimiser:
    """Go downhill with momentum: a ball that is heavy. Source: Polyak (1964).

    >>> ball = momentum(0.1)
    >>> ball.update(1.0, ball.init(0.0), 0.0)
    (-0.1, (1.0, ()))
    """
    return chain(averaged(decay), scaled(rate))


def nesterov(rate: Rate, decay: float = 0.9) -> Optimiser:
    """Go downhill with momentum, looking ahead to where it will have carried us.

    Source: Nesterov (1983), in the form of Sutskever et al. (2013).
    """
    return chain(averaged(decay, nesterov=True), scaled(rate))


def adagrad(rate: Rate, tiny: float = 1e-8) -> Optimiser:
    """Give rarely moved parameters longer steps. Source: Duchi, Hazan, Singer (2011)."""
    return chain(scaled_by_sum(tiny), scaled(rate))


def rmsprop(rate: Rate, decay: float = 0.9, tiny: float = 1e-8) -> Optimiser:
    """Divide by the recent size of the gradient. Source: Hinton (2012), CS321 lecture 6."""
    return chain(scaled_by_mean(decay, tiny), scaled(rate))


def adam(rate: Rate, first: float = 0.9, second: float = 0.999, tiny: float = 1e-8) -> Optimiser:
    """Combine momentum with division by the recent size. Source: Kingma and Ba (2015).

    >>> import numpy as np
    >>> moves, state = adam(0.1).update(np.array([5.0]), adam(0.1).init(np.zeros(1)), np.zeros(1))
    >>> moves.round(6)
    array([-0.1])
    """
    return chain(scaled_by_moments(first, second, tiny), scaled(rate))


def adamw(
    rate: Rate,
    decay: float = 0.01,
    first: float = 0.9,
    second: float = 0.999,
    tiny: float = 1e-8,
) -> Optimiser:
    """Use Adam with weights that fade by themselves. Source: Loshchilov and Hutter (2019)."""
    return chain(scaled_by_moments(first, second, tiny), weight_decay(decay), scaled(rate))


OPTIMISERS: dict[str, Callable[..., Optimiser]] = {
    made.__name__: made for made in (sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw)
}


# --- schedules: from the count of steps taken to the rate ---------------------------------------


def constant(rate: float) -> Schedule:
    """Keep one rate."""
    _positive("rate", rate)
    return lambda count: rate + 0.0 * count


def step(rate: float, every: float, factor: float = 0.5) -> Schedule:
    """Multiply the rate by `factor` after each `every` steps.

    >>> float(step(1.0, every=10)(25.0))
    0.25
    """
    _positive("rate", rate)
    _positive("every", every)
    return lambda count: rate * factor ** np.floor(count / every)


def cosine(rate: float, steps: float, final: float = 0.0) -> Schedule:
    """Fall from `rate` to `final` over `steps` steps along half a cosine, and stay there.

    Source: Loshchilov and Hutter (2017), "SGDR".

    >>> float(cosine(1.0, 100)(50.0))
    0.5
    """
    _positive("rate", rate)
    _positive("steps", steps)

    def schedule(count: Any) -> Any:
        part = np.minimum(count / steps, 1.0)
        return final + (rate - final) * 0.5 * (1.0 + np.cos(math.pi * part))

    return schedule


def warm_up(rate: Rate, steps: float) -> Schedule:
    """Rise from nought in a straight line over `steps` steps to `rate`, a number or a schedule.

    The schedule starts when the rise is over.

    >>> [float(warm_up(1.0, 4)(count)) for count in (0.0, 1.0, 9.0)]
    [0.25, 0.5, 1.0]
    """
    _positive("steps", steps)
    after = rate if callable(rate) else constant(rate)

    def schedule(count: Any) -> Any:
        rise = np.minimum((count + 1.0) / steps, 1.0)
        return rise * after(np.maximum(count - steps, 0.0))

    return schedule


def one_cycle(rate: float, steps: float, rise: float = 0.3, start: float = 0.04) -> Schedule:
    """Rise from `start`·rate to the rate and fall to nought, each along half a cosine.

    `rise` is the part of the steps that go up. Source: Smith and Topin (2018),
    "Super-convergence".
    """
    _positive("rate", rate)
    _positive("steps", steps)
    _fraction("rise", rise)

    def schedule(count: Any) -> Any:
        up = np.minimum(count / max(rise * steps, 1.0), 1.0)
        down = np.minimum(np.maximum((count - rise * steps) / ((1.0 - rise) * steps), 0.0), 1.0)
        climb = start + (1.0 - start) * 0.5 * (1.0 - np.cos(math.pi * up))
        return rate * climb * 0.5 * (1.0 + np.cos(math.pi * down))

    return schedule


# --- leaves -------------------------------------------------------------------------------------


def _stateless(move: Callable[[Any, Any], Any]) -> Optimiser:
    return Optimiser(
        lambda params: (), lambda slopes, state, params: (over(move, slopes, params), state)
    )


def _complex(leaf: Any) -> bool:
    return np.result_type(leaf).kind == "c"


def _square(g: Any) -> Any:
    return (g * np.conj(g)).real if _complex(g) else g * g


def _downhill(g: Any) -> Any:
    """Return the direction in which a real loss falls, but for the sign."""
    return np.conj(g) if _complex(g) else g


def _in_type(number: Any, leaf: Any) -> Any:
    """Give a number that is no Python float the type of a leaf, so that it promotes nothing."""
    kind = np.result_type(leaf)
    real = np.dtype(kind.char.lower()) if kind.kind == "c" else kind
    if isinstance(number, float) and not isinstance(number, np.generic):
        return number
    typed: Any = number
    return typed if typed.dtype == real else typed.astype(real)


def _zeros(params: Any) -> Any:
    return over(lambda p: 0.0 * p if np.ndim(p) == 0 else np.zeros_like(p), params)


def _real_zeros(params: Any) -> Any:
    return over(lambda p: p.real if _complex(p) else p, _zeros(params))


def _positive(name: str, value: Any, zero: bool = False) -> None:
    if not (np.ndim(value) == 0 and (value > 0 or (zero and value == 0)) and value < math.inf):
        raise _unfit(name, value, Says("greater than 0", "maior que 0"))


def _fraction(name: str, value: Any) -> None:
    if not 0 <= value < 1:
        raise _unfit(name, value, Says("from 0 up to but not including 1", "de 0 até 1, sem o 1"))


def _unfit(name: str, value: Any, wanted: Says) -> BadValue:
    return BadValue(
        Says("{0}={1} makes no sense here.", "{0}={1} não faz sentido aqui.").fill(name, value),
        Says("give a number {0}.", "dê um número {0}.").fill(wanted),
    )
