"""Derivatives of functions: gradients, products with vectors, jacobians, of any order."""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from corrente.backprop import push, spread, sweep
from corrente.errors import BadArgument, BadValue, NotScalar
from corrente.recording import (
    Recording,
    function_name,
    last_place,
    result_wires,
    run,
    unboxed,
    warn_unreached,
)
from corrente.tape import Tape
from corrente.tracer import Traced
from corrente.trees import Tree, take_apart
from corrente.words import Says

Function = Callable[..., Any]
Argnums = int | Sequence[int]


def value_and_grad(
    f: Function,
    argnums: Argnums = 0,
    argnames: str | Sequence[str] | None = None,
    has_aux: bool = False,
) -> Function:
    """Return a function that gives the value of `f` and its gradient.

    `f` must return a scalar (with `has_aux=True`, a pair of a scalar and extras). The gradient
    has the structure, shapes and dtypes of the argument under `argnums`: a tuple of gradients
    when `argnums` is a sequence; with `argnames`, a dict by name. Raises NotScalar, BadArgument.

    >>> import corrente as co
    >>> value_and_grad(lambda x, y, z: (x + y) * z, argnums=(0, 1, 2))(-2.0, 5.0, -4.0)
    (-12.0, (-4.0, -4.0, 3.0))
    """
    if (derived := getattr(getattr(f, "__self__", None), "derived", None)) is not None:
        return derived(value_and_grad, argnums, argnames, has_aux)

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        choice = choose(f, argnums, argnames, args, kwargs)
        recording = run(f, args, kwargs, choice.keys, has_aux=has_aux)
        value, wire = scalar(recording)
        found = _gradients(recording, wire, value)
        gradient = choice.arrange(gradient_trees(recording, found))
        return ((value, recording.aux) if has_aux else value), gradient

    wrapped.derivative = Derivative(f, argnums, argnames, has_aux, True)  # type: ignore[attr-defined]
    return wrapped


def grad(
    f: Function,
    argnums: Argnums = 0,
    argnames: str | Sequence[str] | None = None,
    has_aux: bool = False,
) -> Function:
    """Return a function that gives the gradient of the scalar function `f`.

    Arguments as for `value_and_grad`; with `has_aux=True` returns `(gradient, extras)`.

    >>> import numpy as np, corrente as co
    >>> grad(lambda w: np.sum(w * w))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    if (derived := getattr(getattr(f, "__self__", None), "derived", None)) is not None:
        return derived(grad, argnums, argnames, has_aux)
    both = value_and_grad(f, argnums, argnames, has_aux)

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    wrapped.derivative = Derivative(f, argnums, argnames, has_aux, False)  # type: ignore[attr-defined]
    return wrapped


class Derivative(NamedTuple):
    """What `grad` or `value_and_grad` was asked for: a compiler need not trace through it."""

    f: Function
    argnums: Argnums
    argnames: str | Sequence[str] | None
    has_aux: bool
    with_value: bool


class Choice(NamedTuple):
    """Which arguments are differentiated, and in what form their gradients go back."""

    keys: list[int | str]
    names: list[str] | None
    single: bool

    def arrange(self, found: dict[int | str, Any]) -> Any:
        """Give gradients by key the form they were asked for in: one, a tuple, or a dict."""
        if self.single:
            return found[self.keys[0]]
        if self.names is not None:
            return {name: found[key] for name, key in zip(self.names, self.keys, strict=True)}
        return tuple(found[key] for key in self.keys)


def choose(
    f: Function,
    argnums: Argnums,
    argnames: str | Sequence[str] | None,
    args: Sequence[Any],
    kwargs: dict[str, Any],
) -> Choice:
    """Find the arguments that are differentiated; raise if one does not exist."""
    if argnames is not None:
        names = [argnames] if isinstance(argnames, str) else list(argnames)
        found = [_find_name(f, name, args, kwargs) for name in names]
        return Choice(found, names, isinstance(argnames, str))
    single = hasattr(argnums, "__index__")
    try:
        numbers = [operator.index(n) for n in ([argnums] if single else argnums)]  # type: ignore[union-attr]
    except TypeError:
        raise BadArgument(
            Says("argnums={0} is no position.", "argnums={0} não é uma posição.").fill(
                repr(argnums)
            ),
            Says(
                "give an int or several, or argnames for names.",
                "dê um inteiro ou vários, ou argnames para nomes.",
            ),
        ) from None
    keys: list[int | str] = []
    for number in numbers:
        key = number + len(args) if number < 0 else number
        if not 0 <= key < len(args):
            raise BadArgument(
                Says(
                    "argnums={0}, but {1} was called with {2} positional arguments.",
                    "argnums={0}, mas {1} foi chamada com {2} argumentos posicionais.",
                ).fill(number, function_name(f), len(args)),
                Says(
                    "positions count from 0; use argnames for keyword arguments.",
                    "as posições contam de 0; use argnames para argumentos nomeados.",
                ),
            )
        keys.append(key)
    return Choice(keys, None, single)


def _find_name(f: Function, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> int | str:
    if name in kwargs:
        return name
    try:
        bound = inspect.signature(f).bind_partial(*args)
    except (TypeError, ValueError):
        bound = None
    if bound is not None and name in bound.arguments:
        position = list(bound.signature.parameters).index(name)
        if position < len(args) and args[position] is bound.arguments[name]:
            return position
    raise BadArgument(
        Says(
            "argnames={0}, but {1} was called without it.",
            "argnames={0}, mas {1} foi chamada sem ele.",
        ).fill(repr(name), function_name(f)),
        Says("pass it by that name.", "passe-o com esse nome."),
    )


def scalar(recording: Recording) -> tuple[Any, int | None]:
    """Return the one number a function ended in, and its wire; raise if it is not one number."""
    tree, wires = result_wires(recording)
    leaf = tree.leaves[0] if len(tree.leaves) == 1 else None
    shape = getattr(leaf, "shape", ()) if leaf is not None else None
    if not tree.is_leaf or shape is None or math.prod(shape) != 1:
        raise NotScalar(
            function_name(recording.function),
            shape if tree.is_leaf else None,
            last_place(recording),
        )
    kind = getattr(leaf, "dtype", np.result_type(type(leaf))).kind if leaf is not None else "O"
    if kind != "f":
        what = getattr(leaf, "dtype", type(leaf).__name__)
        if wires[0] is not None or kind not in "iu":
            raise BadArgument(
                Says(
                    "{0} returned a value of type {1}, which has no gradient.",
                    "{0} devolveu um valor do tipo {1}, que não tem gradiente.",
                ).fill(function_name(recording.function), what),
                Says("return a real number.", "devolva um número real."),
                last_place(recording) or False,
            )
    return unboxed(recording.tape, leaf), wires[0]


def seed(value: Any) -> Any:
    """Return the gradient of a scalar with respect to itself: one, of its own type."""
    if isinstance(value, float):
        return 1.0
    return value.dtype.type(1) if isinstance(value, np.generic) else np.ones_like(value)


def _gradients(recording: Recording, wire: int | None, value: Any) -> dict[int, Any]:
    tape = recording.tape
    seeds = {} if wire is None else {wire: seed(value)}
    found = sweep_tape(tape, seeds)
    if not _nested(recording):
        warn_unreached(recording, found, wire)
    return found


def _nested(recording: Recording) -> bool:
    """Tell whether a recording runs inside another trace: there, zeros are part of the work."""
    return any(type(recording.tape.values[wire]) is Traced for wire in recording.tape.inputs)


def sweep_tape(tape: Tape, seeds: dict[int, Any]) -> dict[int, Any]:
    """Sweep back over a finished tape to its differentiated arguments."""
    tape.check()
    get = reader(tape, seeds.values())
    outer = [value.tape for value in tape.values if type(value) is Traced]
    mark = max(outer, key=lambda t: t.level).composed("co.grad") if outer else nullcontext()
    try:
        with mark:
            return sweep(tape.recorded, get, len(tape.values), seeds, sorted(tape.wanted))
    finally:
        if tape.versions:
            tape.settle()


def reader(tape: Tape, given: Iterable[Any]) -> Callable[[int], Any]:
    """Return the way to read a finished tape's values for what is sent through its steps.

    A written buffer is read in place, at the version each step saw; an outer trace, which would
    keep the buffer itself, is given copies.
    """
    if not tape.versions:
        return tape.values.__getitem__
    return tape.snapshot if any(type(g) is Traced for g in given) else tape.value


def own(gradient: Any, like: Any = None) -> Any:
    """Return a gradient in memory of its own: results never alias each other or the inputs.

    The gradient of a number is such a number: of a float a float, of a NumPy scalar one of its
    type, of a 0-d array a 0-d array.
    """
    if isinstance(gradient, Traced):
        return gradient
    if isinstance(like, np.generic):
        return like.dtype.type(gradient)
    if type(like) in (float, complex):
        return type(like)(gradient)
    if isinstance(like, np.ndarray) and not like.shape:
        return np.array(gradient, like.dtype)
    return np.array(gradient) if isinstance(gradient, np.ndarray) else gradient


def zero(value: Any) -> Any:
    """Return the gradient that nothing reached: zeros of the value's own kind."""
    if isinstance(value, np.generic):
        return value.dtype.type(0)
    return type(value)(0) if type(value) in (float, complex) else np.zeros_like(value)


def gradient_trees(recording: Recording, grads: dict[int, Any]) -> dict[int | str, Any]:
    """Arrange gradients by wire in the structure of each differentiated argument."""
    arranged: dict[int | str, Any] = {}
    values = recording.tape.values
    for argument in recording.arguments:
        if argument.wanted:
            leaves = [
                None if w is None else own(grads[w], values[w]) if w in grads else zero(values[w])
                for w in argument.wires
            ]
            arranged[argument.key] = argument.tree.build(leaves)
    return arranged


# --- products with vectors --------------------------------------------------------------------


def vjp(f: Function, *args: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """Return `f(*args)` and a function that pulls an output gradient back to every argument.

    `pull(g)` takes a gradient shaped like the output and returns a tuple, one entry for each
    argument, in its structure.

    >>> import numpy as np, corrente as co
    >>> y, pull = vjp(lambda x: x * x, np.array([1.0, 2.0]))
    >>> pull(np.array([1.0, 10.0]))
    (array([ 2., 40.]),)
    """
    recording = run(f, args, {}, range(len(args)))
    tree, wires = result_wires(recording)
    value = tree.build([unboxed(recording.tape, leaf) for leaf in tree.leaves])

    def pull(g: Any) -> tuple[Any, ...]:
        return tuple(_pulled(recording, tree, wires, g).values())

    return value, pull


def _pulled(
    recording: Recording, tree: Tree, wires: Sequence[int | None], g: Any
) -> dict[int | str, Any]:
    pieces = take_apart(np.asarray(g) if tree.is_leaf and isinstance(g, list) else g)
    given = pieces.leaves
    _check_like("pull", tree.leaves, given, pieces.structure == tree.structure)
    seeds: dict[int, Any] = {}
    for wire, leaf, d in zip(wires, tree.leaves, given, strict=True):
        if wire is not None:
            d = spread(_as_wire(d), leaf.value)
            seeds[wire] = seeds[wire] + d if wire in seeds else d
    return gradient_trees(recording, sweep_tape(recording.tape, seeds))


def _as_wire(d: Any) -> Any:
    return float(d) if type(d) is int else np.asarray(d) if isinstance(d, list) else d


def _check_like(what: str, expected: Sequence[Any], given: Sequence[Any], alike: bool) -> None:
    if len(expected) == len(given) and not alike:
        raise BadValue(
            Says(
                "{0} was given another structure than the one it belongs to.",
                "{0} recebeu outra estrutura que não a sua.",
            ).fill(what),
            Says(
                "nest it as the function's own value or argument.",
                "aninhe-a como o valor ou o argumento da função.",
            ),
        )
    shapes = [np.shape(leaf) for leaf in expected]
    got = [np.shape(leaf) for leaf in given]
    if shapes != got:
        raise BadValue(
            Says(
                "{0} was given values of shapes {1}, and needs {2}.",
                "{0} recebeu valores de formas {1}, e precisa de {2}.",
            ).fill(what, got, shapes),
            Says("give one value for each, of its shape.", "dê um valor para cada, da sua forma."),
        )


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """Return `f(*primals)` and its derivative along `tangents` (forward mode).

    >>> jvp(lambda x, y: x * y, (3.0, 4.0), (1.0, 0.0))
    (12.0, 4.0)
    """
    y, move = linearize(f, *primals)
    return y, move(*tangents)


def linearize(f: Function, *args: Any) -> tuple[Any, Callable[..., Any]]:
    """Return `f(*args)` and the linear function closest to `f` there: tangents in, tangent out.

    The tangent line or plane at a point: `f(x + t) ≈ y + move(t)` for small `t`.

    >>> y, move = linearize(lambda x: x**3, 2.0)
    >>> y, move(1.0)
    (8.0, 12.0)
    """
    recording = run(f, args, {}, range(len(args)))
    tape = recording.tape
    tree, wires = result_wires(recording)
    value = tree.build([unboxed(tape, leaf) for leaf in tree.leaves])
    points = [leaf for argument in recording.arguments for leaf in argument.tree.leaves]
    inputs = [wire for argument in recording.arguments for wire in argument.wires]

    def move(*tangents: Any) -> Any:
        pieces = [take_apart(tangent) for tangent in tangents]
        given = [leaf for piece in pieces for leaf in piece.leaves]
        alike = [p.structure for p in pieces] == [a.tree.structure for a in recording.arguments]
        _check_like("linearize", points, given, alike)
        pairs = zip(inputs, points, given, strict=True)
        seeds = {w: spread(_as_wire(t), x) for w, x, t in pairs if w is not None}
        tape.check()
        get = reader(tape, seeds.values())
        moved = push(tape.recorded, get, len(tape.values), seeds, wires)
        tape.settle()
        return tree.build(
            [
                zero(unboxed(tape, leaf))
                if w is None or moved[w] is None
                else own(moved[w], tape.values[w])
                for w, leaf in zip(wires, tree.leaves, strict=True)
            ]
        )

    return value, move


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the Hessian of the scalar function `f` times a vector, without making the Hessian.

    Forward over reverse: the cost of a few gradients. One argument gives one result, several
    give a tuple.

    >>> import numpy as np
    >>> hvp(lambda x: np.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    array([6., 0.])
    """
    argnums: Argnums = 0 if len(primals) == 1 else tuple(range(len(primals)))
    return jvp(grad(f, argnums), primals, tangents)[1]
