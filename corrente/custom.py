"""Gates of the user's own: a function with the gradient rule its author gives, or recomputed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import update_wrapper, wraps
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from corrente.derivatives import linearize, vjp
from corrente.errors import BadArgument, NotSupported
from corrente.record import Gate, Params, opaque
from corrente.recording import function_name
from corrente.tape import NOTHING, Tape
from corrente.tracer import Traced, record
from corrente.trees import take_apart
from corrente.words import Says


class CustomGate:
    """A function that is one gate: called on plain values, pulled back by its own rule."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self._function = f
        self._gate = opaque(function_name(f), self, _arity(f))
        update_wrapper(self, f)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            args = inspect.signature(self._function).bind(*args, **kwargs).args
        if not any(type(x) is Traced for x in args):
            return self._function(*args)
        if not self._gate.differentiable:
            raise NotSupported(
                Says(
                    "the gate {0} has no gradient rule.", "a porta {0} não tem regra de gradiente."
                ).fill(self._gate.name),
                Says(
                    "give it one: {0}.defpull(lambda g, out, x: …), one gradient per input.",
                    "dê-lhe uma: {0}.defpull(lambda g, out, x: …), um gradiente por entrada.",
                ).fill(self._gate.name),
            )
        return record(self._gate, args, NOTHING, self._forward)

    def _forward(self, *values: Any) -> Any:
        out = self(*values)
        if isinstance(out, tuple | list):
            raise NotSupported(
                Says(
                    "the gate {0} returned several values.", "a porta {0} devolveu vários valores."
                ).fill(self._gate.name),
                Says("return one array: np.stack([…]).", "devolva um só array: np.stack([…])."),
            )
        return out if isinstance(out, Traced) else np.asarray(out)[()]

    def defpull(self, rule: Callable[..., Any]) -> CustomGate:
        """Set the gradient rule: `rule(g, out, *inputs)` gives one gradient per input.

        Written in plain NumPy it can be differentiated again, drawn and checked like any other.
        A single value may be returned for a single input. Returns the gate.
        """
        name = self._gate.name

        def joint(
            g: Any, out: Any, ins: Sequence[Any], params: Params, wanted: Sequence[int]
        ) -> list[Any]:
            try:
                inspect.signature(rule).bind(g, out, *ins)
            except TypeError:
                raise BadArgument(
                    Says(
                        "the rule of gate {0} does not take (g, out, and {1} inputs).",
                        "a regra da porta {0} não recebe (g, out e {1} entradas).",
                    ).fill(name, len(ins)),
                    Says("write lambda g, out, x, …: …", "escreva lambda g, out, x, …: …"),
                ) from None
            found = rule(g, out, *ins)
            found = found if isinstance(found, tuple | list) else (found,)
            if len(found) != len(ins):
                raise BadArgument(
                    Says(
                        "the rule of gate {0} gave {1} gradients for {2} inputs.",
                        "a regra da porta {0} deu {1} gradientes para {2} entradas.",
                    ).fill(name, len(found), len(ins)),
                    Says("return one for each, in order.", "devolva um para cada, em ordem."),
                )
            for position in wanted:
                _check_gradient(name, position, found[position], np.shape(ins[position]))
            return [found[position] for position in wanted]

        self._gate = replace(self._gate, joint=joint)
        return self


def gate(f: Callable[..., Any]) -> CustomGate:
    """Make a function one gate, with a local gradient of the user's own.

    The function may be anything, compiled code too; its arguments are arrays or numbers and it
    returns one array or number. Give the rule with `.defpull`.

    >>> import corrente as co
    >>> cube = gate(lambda x: x**3).defpull(lambda g, out, x: g * 3.0 * x * x)
    >>> co.grad(cube)(2.0)
    12.0
    """
    return CustomGate(f)


def _check_gradient(name: str, position: int, gradient: Any, shape: tuple[int, ...]) -> None:
    """Refuse what cannot be the gradient of an input, naming the gate."""
    if gradient is not None:
        try:
            if np.shape(gradient) == () or np.broadcast_shapes(np.shape(gradient), shape):
                return
            if shape == ():
                return
        except ValueError:
            pass
    got = "None" if gradient is None else f"shape {np.shape(gradient)}"
    raise BadArgument(
        Says(
            "the rule of gate {0} gave {1} as the gradient of input {2}, which has shape {3}.",
            "a regra da porta {0} deu {1} como gradiente da entrada {2}, que tem forma {3}.",
        ).fill(name, got, position, shape),
        Says(
            "return one gradient for each input, of its shape; zeros where there is none.",
            "devolva um gradiente para cada entrada, da sua forma; zeros onde não há.",
        ),
    )


def _arity(f: Callable[..., Any]) -> int:
    try:
        return max(1, len(inspect.signature(f).parameters))
    except (TypeError, ValueError):
        return 1


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function whose inner values are not kept: the backward pass runs it again.

    Saves the memory of everything inside `f` at the cost of one more forward run. Arguments and
    results may be nested; what `f` closes over must not be traced: pass it as an argument. From a
    generator among the arguments, or closed over, the second run draws what the first one drew. In
    a function given to `jit` it is compiled with the rest, and its second run stays a second run.

    >>> import numpy as np, corrente as co
    >>> co.grad(lambda x: checkpoint(np.sin)(x) * x)(0.0)
    0.0
    """

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tree = take_apart((args, kwargs))
        spots = [k for k, leaf in enumerate(tree.leaves) if _is_number(leaf)]
        traced = [tree.leaves[k] for k in spots if type(tree.leaves[k]) is Traced]
        if not traced or (_OPENING.get() and not any(type(x.value) is Traced for x in traced)):
            return f(*args, **kwargs)
        build: list[Any] = []

        def flattened(run: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
            """Make a function of the numbers alone that returns the leaves of its result."""

            def flat(*numbers: Any) -> tuple[Any, ...]:
                leaves = list(tree.leaves)
                for k, number in zip(spots, numbers, strict=True):
                    leaves[k] = number
                given, named = tree.build(leaves)
                result = take_apart(run(*given, **named))
                build[:] = [result.build]
                return tuple(result.leaves)

            return flat

        draws = _Draws.of(f, tree.leaves)
        # inside an outer trace the forward run is a checkpoint again; the way back opens it
        gate = _recomputed(
            function_name(f), draws.first(flattened(wrapped)), draws.repeated(flattened(f))
        )
        outs = record(gate, [tree.leaves[k] for k in spots], NOTHING)
        _check_closed(outs, f)
        return build[0](outs)

    return wrapped


class _Draws(NamedTuple):
    """The generators that a function may draw from, and their states before its first run."""

    generators: Sequence[np.random.Generator]
    before: Sequence[Any]

    @classmethod
    def of(cls, f: Callable[..., Any], leaves: Sequence[Any]) -> _Draws:
        around = inspect.getclosurevars(f) if inspect.isfunction(f) else None
        seen = (*leaves, *around.nonlocals.values(), *around.globals.values()) if around else leaves
        found = [x for x in seen if isinstance(x, np.random.Generator)]
        return cls(found, [x.bit_generator.state for x in found])

    def first(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Let the first of all runs move the generators on, and each later one repeat it."""
        turns = count()
        again = self.repeated(run)
        return lambda *numbers: (again if next(turns) else run)(*numbers)

    def repeated(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """Let a run draw what the first one drew, and leave the generators as they are."""
        if not self.generators:
            return run

        def repeat(*numbers: Any) -> Any:
            now = [x.bit_generator.state for x in self.generators]
            self._set(self.before)
            try:
                return run(*numbers)
            finally:
                self._set(now)

        return repeat

    def _set(self, states: Sequence[Any]) -> None:
        for generator, state in zip(self.generators, states, strict=True):
            generator.bit_generator.state = state


def _is_number(leaf: Any) -> bool:
    return isinstance(leaf, float | complex | np.ndarray | np.generic | Traced)


def _recomputed(name: str, closed: Callable[..., Any], flat: Callable[..., Any]) -> Gate:
    """Make the gate of a checkpoint: its pull runs the function again, its push too."""

    def joint(
        g: Any, out: Any, ins: Sequence[Any], params: Params, wanted: Sequence[int]
    ) -> list[Any]:
        if _OPENING.get():
            ins = _anew(ins, g if isinstance(g, tuple) else (g,))

        def of_wanted(*chosen: Any) -> tuple[Any, ...]:
            given = list(ins)
            for position, value in zip(wanted, chosen, strict=True):
                given[position] = value
            return flat(*given)

        _, pull = vjp(of_wanted, *(ins[position] for position in wanted))
        return list(pull(g if isinstance(g, tuple) else (g,)))

    def push(tangents: Sequence[Any], out: Any, ins: Sequence[Any], params: Params) -> Any:
        moving = [k for k, t in enumerate(tangents) if t is not None]

        def of_moving(*chosen: Any) -> tuple[Any, ...]:
            given = list(ins)
            for position, value in zip(moving, chosen, strict=True):
                given[position] = value
            return flat(*given)

        _, move = linearize(of_moving, *(ins[k] for k in moving))
        moved = move(*(tangents[k] for k in moving))
        return moved if len(moved) > 1 else moved[0]

    bare = opaque(f"checkpoint({name})", closed, 1)
    return replace(
        bare,
        joint=joint,
        push=push,
        outs=lambda **params: 0,
        facts=_CHECKPOINT,
        does=Says(
            f"runs {name} without keeping its inside",
            f"executa {name} sem guardar o que há dentro",
        ),
        teaches=Says("runs it again on the way back", "executa-a de novo no caminho de volta"),
    )


def _check_closed(outs: Sequence[Any], f: Callable[..., Any]) -> None:
    for box in outs:
        if type(box.value) is Traced and box.value.tape.level >= box.tape.level:
            raise NotSupported(
                Says(
                    "checkpoint({0}) closes over a traced value.",
                    "checkpoint({0}) captura um valor traçado.",
                ).fill(function_name(f)),
                Says("pass it as an argument.", "passe-o como argumento."),
            )


# --- compiled: the second run is recorded, and kept apart from the first

_CHECKPOINT = frozenset(("checkpoint",))
_OPENING: ContextVar[bool] = ContextVar("opening", default=False)


@contextmanager
def opening() -> Iterator[None]:
    """Let checkpoints record their steps instead of one step that hides them.

    The second run reads its inputs through a gate that waits for the gradient: no pass takes its
    steps for those of the first run, or moves them there.
    """
    token = _OPENING.set(True)
    try:
        yield
    finally:
        _OPENING.reset(token)


def holds_checkpoint(tape: Tape) -> bool:
    """Tell whether a checkpoint was recorded as one step."""
    return any(step[0].facts is _CHECKPOINT for step in tape.recorded)


def _anew(ins: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
    """Read inputs once more, after the gradients have come."""
    come = [g for g in gradients if type(g) is Traced]
    return [_again(x, *come) if type(x) is Traced else x for x in ins]


def _again(x: Any, *after: Any) -> Any:
    """Return a value as it is, once the others are there."""
    return record(_AGAIN, (x, *after), NOTHING) if type(x) is Traced else x


_AGAIN = replace(
    opaque("again", _again, 1),
    joint=lambda g, out, ins, params, wanted: [
        g if position == 0 else np.zeros_like(ins[position]) for position in wanted
    ],
    push=lambda tangents, out, ins, params: (
        np.zeros_like(out) if tangents[0] is None else tangents[0]
    ),
    code=lambda names, params: names[0],
    does=Says("reads {0} once more", "lê {0} mais uma vez"),
    teaches=Says("hands the gradient on", "passa o gradiente adiante"),
)
