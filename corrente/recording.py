"""Running a user's function on a tape: arguments in, boxes through, results out."""

from __future__ import annotations

import inspect
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente import numerals
from corrente.circuit import Circuit
from corrente.errors import BadArgument, CorrenteError, Escaped, Leak, UnreachedWarning
from corrente.generators import StandIn
from corrente.places import INSIDE, Where, here, locate, unpacked
from corrente.tape import Tape
from corrente.tracer import Traced, lift
from corrente.tracer.box import refuse_own_arithmetic
from corrente.trees import Tree, take_apart
from corrente.words import Says, plain


class Argument(NamedTuple):
    """One argument taken apart: the key it was passed by, its leaves and their wires."""

    key: int | str
    tree: Tree
    wires: list[int | None]
    wanted: bool


class Recording(NamedTuple):
    """What a run left: the tape, the arguments as wires, and what the function returned."""

    tape: Tape
    arguments: list[Argument]
    result: Any
    aux: Any
    function: Callable[..., Any]


def function_name(function: Callable[..., Any]) -> str:
    """Return what to call a function in messages."""
    return getattr(function, "__name__", type(function).__name__)


def run(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: dict[str, Any],
    keys: Iterable[int | str] | None,
    *,
    all_inputs: bool = False,
    detailed: bool = False,
    has_aux: bool = False,
) -> Recording:
    """Run a function with the arguments under `keys` boxed as differentiated inputs.

    `keys` are positions or keyword names; None means every float leaf there is. `all_inputs`
    boxes the others too, as data. The tape is closed when the function returns.
    """
    tape = Tape(detailed)
    tape.base = sys._getframe() if detailed else None
    chosen = None if keys is None else set(keys)
    arguments: list[Argument] = []
    boxed: dict[int | str, Any] = dict(enumerate(args)) | kwargs
    for key, value in boxed.items():
        wanted = chosen is None or key in chosen
        if wanted or all_inputs:
            argument, boxed[key] = _box(tape, key, value, wanted, explicit=chosen is not None)
            arguments.append(argument)
    positional = [boxed[k] for k in range(len(args))]
    try:
        result = function(*positional, **{name: boxed[name] for name in kwargs})
    except ValueError as error:
        # NumPy wraps what __float__ raises when a value is written into a plain array
        if isinstance(error.__cause__, Leak) and not isinstance(error, CorrenteError):
            raise error.__cause__ from None
        raise
    except TypeError as error:
        if "no callable" in str(error):
            raise _mixed_array(error) from None
        raise
    finally:
        tape.close()
    aux = None
    if has_aux:
        result, aux = _with_aux(function, result)
        aux = unboxed(tape, aux)
    return Recording(tape, arguments, result, aux, function)


def _mixed_array(error: TypeError) -> BadArgument:
    """Explain an object array of traced and plain numbers that met a NumPy function."""
    trace = error.__traceback__
    place: Where | bool = False
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(INSIDE):
            place = (code, trace.tb_lasti)
        trace = trace.tb_next
    return BadArgument(
        Says(
            "a NumPy function met an array that mixes traced and plain numbers ({0}).",
            "uma função do NumPy encontrou um array que mistura números traçados e comuns ({0}).",
        ).fill(error),
        Says(
            "make it with np.stack([…]), or with np.array([…], like=x).",
            "faça-o com np.stack([…]), ou com np.array([…], like=x).",
        ),
        place,
    )


def _with_aux(function: Callable[..., Any], result: Any) -> tuple[Any, Any]:
    if not (isinstance(result, tuple) and len(result) == 2):
        raise BadArgument(
            Says(
                "has_aux=True, but {0} did not return a pair (value, extras).",
                "has_aux=True, mas {0} não devolveu um par (valor, extras).",
            ).fill(function_name(function)),
            Says("return value, extras.", "devolva valor, extras."),
        )
    return result[0], result[1]


def _box(
    tape: Tape, key: int | str, value: Any, wanted: bool, explicit: bool
) -> tuple[Argument, Any]:
    tree = take_apart(value)
    boxes, wires = [], []
    for leaf in tree.leaves:
        take = wanted
        if wanted:
            leaf, take = differentiable(leaf, key, tree.is_leaf, explicit)
        if take or (isinstance(leaf, Traced | np.ndarray | np.generic | float | complex)):
            wire = tape.argument(leaf, take)
            boxes.append(Traced(tape, wire, leaf))
            wires.append(wire)
        else:
            boxes.append(leaf)
            wires.append(leaf.chain.enter(tape) if type(leaf) is StandIn else None)
    return Argument(key, tree, wires, wanted), tree.build(boxes)


def differentiable(leaf: Any, key: int | str, alone: bool, explicit: bool) -> tuple[Any, bool]:
    """Tell whether a leaf is differentiated; make a Python int a float where it stands alone.

    Integer arrays, strings and the like raise where they were asked for by argument, and are
    data where every float leaf was meant.
    """
    kind = type(leaf)
    refuse_own_arithmetic(kind)
    if kind is float or kind is complex:
        return leaf, True
    if kind is int and alone:
        return float(leaf), True
    dtype = getattr(leaf, "dtype", None)
    if dtype is not None and dtype.kind in "fc":
        return leaf, True
    if not explicit:
        return leaf, False
    what = f"{dtype} array" if getattr(leaf, "shape", ()) else str(dtype or kind.__name__)
    raise BadArgument(
        Says(
            "argument {0} holds a value of type {1}, which has no gradient.",
            "o argumento {0} contém um valor do tipo {1}, que não tem gradiente.",
        ).fill(repr(key), what),
        Says(
            "make it floats, x.astype(float), or choose other arguments with argnums.",
            "use números reais, x.astype(float), ou escolha outros argumentos com argnums.",
        ),
        where=here(),
    )


def unboxed(tape: Tape, value: Any) -> Any:
    """Replace the boxes of a finished tape in a result by their values."""
    if type(value) is Traced:
        if value.tape is not tape:
            return value
        found = tape.snapshot(value.wire)
        # a result shares memory with nothing: it may be a view of an argument
        return np.array(found) if isinstance(found, np.ndarray) else found
    if isinstance(value, np.ndarray) and value.dtype == object:
        if not any(type(part) is Traced for part in value.flat):
            return value
        return np.array([unboxed(tape, part) for part in value.flat]).reshape(value.shape)
    if isinstance(value, float | int | np.ndarray | np.generic | str):
        return value
    tree = take_apart(value)
    if tree.is_leaf:
        return value
    return tree.build([unboxed(tape, leaf) for leaf in tree.leaves])


def result_wires(recording: Recording) -> tuple[Tree, list[int | None]]:
    """Take a result apart into leaves and their wires; None for a leaf that is no wire here."""
    tape = recording.tape
    result = recording.result
    if isinstance(result, np.ndarray) and result.dtype == object:
        tape.steps = tape.recorded  # an array of traced numbers becomes a stack step at the end
        result = lift(result)
        tape.close()
    tree = take_apart(result)
    wires = []
    for leaf in tree.leaves:
        if type(leaf) is Traced and leaf.tape is tape:
            if leaf.source is not None:
                tape.steps = tape.recorded
                leaf.now()
                tape.close()
            wires.append(leaf.wire)
        else:
            if type(leaf) is Traced and leaf.tape.steps is not leaf.tape.recorded:
                raise Escaped()
            wires.append(None)
    return tree, wires


def last_place(recording: Recording) -> Where | None:
    """Return the place of the last step, near which a result was made."""
    steps = recording.tape.recorded
    return steps[-1][4] if steps else None


def labels(recording: Recording) -> dict[int, str]:
    """Name the argument wires as the user's source does: `x`, `W1` (unpacked), `params['b']`."""
    function: Any = recording.function
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    found: dict[int, str] = {}
    for argument in recording.arguments:
        name = _parameter_name(function, argument.key)
        parts = () if argument.tree.is_leaf else _part_names(function, name)
        for k, (wire, path) in enumerate(zip(argument.wires, argument.tree.paths(), strict=True)):
            if wire is not None:
                unpacks = len(parts) == len(argument.wires)
                found[wire] = parts[k] if unpacks else name + path
    return found


def _parameter_name(function: Callable[..., Any], key: int | str) -> str:
    if isinstance(key, str):
        return key
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return f"x{key}"
    positional = (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    )
    if key < len(parameters) and parameters[key].kind in positional:
        return parameters[key].name
    for place, parameter in enumerate(parameters):
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return f"{parameter.name}[{key - place}]"
    return f"x{key}"


def _part_names(function: Callable[..., Any], argument: str) -> tuple[str, ...]:
    code = getattr(function, "__code__", None)
    return unpacked(code, argument) if code is not None else ()


def freeze(recording: Recording, wires: Iterable[int]) -> Circuit:
    """Make the Circuit of a recording, with the user's names on its inputs."""
    return recording.tape.freeze(wires, labels(recording))


def warn_unreached(recording: Recording, reached: Iterable[int], output: int | None) -> None:
    """Warn about differentiated arguments that the output does not depend on."""
    missing = recording.tape.wanted - set(reached)
    if not missing:
        return
    names = labels(recording)
    unnamed = Says("input {0}", "entrada {0}")
    listed = numerals.joined(
        ", ",
        [plain(names[w]) if w in names else unnamed.fill(w) for w in sorted(missing)],
    )
    cut = _cut(recording, missing, output)
    message = Says(
        "the output of {0} does not depend on {1}: its gradient is zero{2}.",
        "a saída de {0} não depende de {1}: o gradiente é zero{2}.",
    ).fill(function_name(recording.function), listed, cut)
    warnings.warn(UnreachedWarning(message), stacklevel=_outside_depth())


def _cut(recording: Recording, missing: set[int], output: int | None) -> Says:
    """Say where the path from an unreached argument ends at a gate without gradient."""
    touched = set(missing)
    for gate, ins, outs, _, where, *_ in recording.tape.recorded:
        if not touched.isdisjoint(ins):
            if not gate.differentiable and output is not None:
                says = Says(" (cut at {0}, {1})", " (cortado em {0}, {1})")
                return says.fill(gate.name, locate(where))
            touched.update(outs)
    return plain("")


def _outside_depth() -> int:
    """Return the stacklevel of the nearest frame outside the house."""
    depth, frame = 1, sys._getframe(1)
    target = here()[0]
    while frame is not None and frame.f_code is not target:
        depth, frame = depth + 1, frame.f_back
    return depth
