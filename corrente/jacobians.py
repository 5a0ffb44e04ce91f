"""Jacobians and Hessians: one batched sweep over the rows of the identity, not a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import numpy as np

from corrente.backprop import push, sweep
from corrente.batching import vmap
from corrente.derivatives import Argnums, Choice, choose, vjp
from corrente.errors import BadValue, NotSupported
from corrente.recording import Recording, function_name, result_wires, run
from corrente.tape import Tape
from corrente.trees import Tree, take_apart
from corrente.words import Says

Function = Callable[..., Any]
Values = dict[int, Any]
"""Values, or rows of derivatives, by wire."""
Blocks = dict[tuple[int | None, int], Any]
"""Derivatives by (output wire, input wire), each of shape `out.shape + in.shape`."""

_LIMIT = 2**24
"""How many elements a batch of the largest value may have."""


def jacobian(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that gives all derivatives of all outputs of `f`.

    For an array in and an array out the result has shape `out.shape + in.shape` and the dtype of
    the argument. Outputs and arguments may be nested: the result has the structure of the
    output, and each leaf of it the structure of the argument (a tuple of them where `argnums`
    is a sequence). Forward or reverse mode, whichever has fewer rows. Raises BadArgument.

    >>> jacobian(lambda x: np.array([x[0] * x[1], x[1]], like=x))(np.array([2.0, 3.0]))
    array([[3., 2.],
           [0., 1.]])
    """
    return _mapped(f, argnums, _cheaper)


def jacrev(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that gives the Jacobian of `f` in reverse mode, as `jacobian` does.

    One sweep back for each element of the output, all at once: for few outputs of many inputs.

    >>> jacrev(lambda x: np.sum(x**2))(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return _mapped(f, argnums, _always_back)


def jacfwd(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that gives the Jacobian of `f` in forward mode, as `jacobian` does.

    One push forward for each element of the argument, all at once: for few inputs of many
    outputs.

    >>> jacfwd(lambda x: np.stack([x, x**2]))(3.0)
    array([1., 6.])
    """
    return _mapped(f, argnums, _never_back)


def hessian(f: Function, argnums: Argnums = 0) -> Function:
    """Return a function that gives the second derivatives of `f`: forward mode over reverse.

    For a scalar function of an array the result has shape `x.shape + x.shape`; nested arguments
    as for `jacobian`, the structure of the argument within itself.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 4.0]))
    array([[8., 6.],
           [6., 0.]])
    """
    return jacfwd(jacrev(f, argnums), argnums)


def elementwise_grad(f: Function, argnums: int = 0) -> Function:
    """Return a function that gives the derivative of each output element by its own input.

    For functions that work on each element alone, such as `np.tanh`: the result has the shape
    of the argument. Raises BadValue where the output has another shape than the argument.

    >>> elementwise_grad(np.square)(np.array([1.0, 2.0, 3.0]))
    array([2., 4., 6.])
    """

    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        key = choose(f, argnums, None, args, kwargs).keys[0]
        assert isinstance(key, int)

        def of_one(x: Any) -> Any:
            return f(*args[:key], x, *args[key + 1 :], **kwargs)

        y, pull = vjp(of_one, args[key])
        if not take_apart(y).is_leaf or np.shape(y) != np.shape(args[key]):
            raise _not_elementwise(f, np.shape(args[key]), y)
        return pull(1.0 if isinstance(y, float) else np.ones_like(y))[0]

    return wrapped


def _not_elementwise(f: Function, shape: tuple[int, ...], y: Any) -> BadValue:
    got = np.shape(y) if take_apart(y).is_leaf else type(y).__name__
    return BadValue(
        Says(
            "{0} took shape {1} and returned {2}: it does not work on each element alone.",
            "{0} recebeu a forma {1} e devolveu {2}: não trabalha cada elemento por si.",
        ).fill(function_name(f), shape, got),
        Says(
            "ask for co.jacobian, or for co.grad of a sum.",
            "peça co.jacobian, ou co.grad de uma soma.",
        ),
    )


# --- rows of the identity -----------------------------------------------------------------------


def _mapped(f: Function, argnums: Argnums, reverse: Callable[[Values, Values], bool]) -> Function:
    @wraps(f)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        choice = choose(f, argnums, None, args, kwargs)
        recording = run(f, args, kwargs, choice.keys)
        tree, wires = result_wires(recording)
        values = recording.tape.values
        ins = {wire: values[wire] for wire in sorted(recording.tape.wanted)}
        outs = {w: values[w] for w in wires if w is not None and _kind(values[w]) in "fc"}
        blocks = (_backward if reverse(ins, outs) else _forward)(recording.tape, ins, outs)
        return _arranged(recording, choice, tree, wires, blocks)

    return wrapped


def _always_back(ins: Values, outs: Values) -> bool:
    if _complex(outs) and not _complex(ins):
        raise _half_complex(Says("jacrev", "jacrev"), Says("co.jacfwd", "co.jacfwd"))
    return True


def _never_back(ins: Values, outs: Values) -> bool:
    if _complex(ins) and not _complex(outs):
        raise _half_complex(Says("jacfwd", "jacfwd"), Says("co.jacrev", "co.jacrev"))
    return False


def _cheaper(ins: Values, outs: Values) -> bool:
    """Go back where there are fewer outputs than inputs, or where only that is defined."""
    if _complex(ins) != _complex(outs):
        return _complex(ins)
    return sum(map(np.size, outs.values())) <= sum(map(np.size, ins.values()))


def _kind(value: Any) -> str:
    return np.dtype(getattr(value, "dtype", type(value))).kind


def _complex(values: Values) -> bool:
    return any(_kind(value) == "c" for value in values.values())


def _half_complex(this: Says, other: Says) -> NotSupported:
    return NotSupported(
        Says(
            "{0} between real and complex numbers loses a part of the derivative.",
            "{0} entre números reais e complexos perde uma parte da derivada.",
        ).fill(this),
        Says("ask for {0}.", "peça {0}.").fill(other),
    )


def _backward(tape: Tape, ins: Values, outs: Values) -> Blocks:
    """Sweep back from every element of every output."""
    blocks: Blocks = {}
    steps, get, count = tape.recorded, _reader(tape), len(tape.values)
    for wire, out in outs.items():
        rows = _rows(tape, out, lambda g, wire=wire: sweep(steps, get, count, {wire: g}, ins))
        for of, block in rows.items():
            blocks[wire, of] = np.reshape(block, np.shape(out) + np.shape(ins[of]))
    return blocks


def _forward(tape: Tape, ins: Values, outs: Values) -> Blocks:
    """Push forward from every element of every input."""
    blocks: Blocks = {}
    steps, get, count = tape.recorded, _reader(tape), len(tape.values)

    def pushed(of: int, t: Any) -> Values:
        moved = push(steps, get, count, {of: t}, outs)
        return {wire: moved[wire] for wire in outs if moved[wire] is not None}

    for of, x in ins.items():
        for wire, block in _rows(tape, x, lambda t, of=of: pushed(of, t)).items():
            columns = np.moveaxis(block, 0, -1)
            blocks[wire, of] = np.reshape(columns, np.shape(outs[wire]) + np.shape(x))
    return blocks


def _reader(tape: Tape) -> Callable[[int], Any]:
    """Return how the tape's values are read: a buffer that is written must not change later."""
    tape.check()
    return tape.snapshot if tape.versions else tape.values.__getitem__


def _rows(tape: Tape, x: Any, move: Callable[[Any], Values]) -> Values:
    """Apply a linear function to each row of the identity of x, in batches of bounded size.

    Returns by wire the results for all rows, one after another along axis 0.
    """
    total = np.size(x)
    dtype = getattr(x, "dtype", np.float64)
    if total == 1:
        one = 1.0 if type(x) is float else np.ones(np.shape(x), dtype)[()]
        return {wire: np.expand_dims(found, 0) for wire, found in move(one).items()}
    at_once = max(1, _LIMIT // max(total, *map(np.size, tape.values)))
    parts: list[Values] = []
    for start in range(0, total, at_once):
        rows = np.eye(min(at_once, total - start), total, start, dtype)
        parts.append(vmap(move)(np.reshape(rows, (len(rows), *np.shape(x)))))
    if len(parts) == 1:
        return parts[0]
    return (
        {wire: np.concatenate([part[wire] for part in parts]) for wire in parts[0]} if parts else {}
    )


def _arranged(
    recording: Recording, choice: Choice, tree: Tree, wires: Sequence[int | None], blocks: Blocks
) -> Any:
    """Arrange blocks by wire: the structure of the output, in each leaf that of the arguments."""
    results = []
    for wire, leaf in zip(wires, tree.leaves, strict=True):
        out = leaf if wire is None else recording.tape.values[wire]
        found: dict[int | str, Any] = {}
        for argument in recording.arguments:
            entries = [
                None if of is None else _entry(blocks.get((wire, of)), out, x)
                for of, x in zip(argument.wires, argument.tree.leaves, strict=True)
            ]
            found[argument.key] = argument.tree.build(entries)
        results.append(choice.arrange(found))
    return tree.build(results)


def _entry(block: Any, out: Any, x: Any) -> Any:
    """Finish one block: zeros if nothing was reached, the argument's dtype, numbers as numbers."""
    dtype = np.dtype(getattr(x, "dtype", complex if type(x) is complex else float))
    if block is None:
        block = np.zeros(np.shape(out) + np.shape(x), dtype)
    elif block.dtype != dtype and block.dtype.kind == dtype.kind:
        block = block.astype(dtype)
    if not isinstance(block, np.ndarray | np.generic) or np.ndim(block):
        return block
    return block.item() if type(x) in (float, int) and type(out) is float else np.asarray(block)[()]
