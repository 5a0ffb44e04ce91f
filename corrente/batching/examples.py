"""Functions of one example, applied to many: arguments apart, paths followed, results together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, NamedTuple

import numpy as np

from corrente.batching.steps import batch
from corrente.errors import BadArgument, BadValue
from corrente.recording import Recording, function_name, result_wires, run, unboxed
from corrente.tracer import Traced, lift
from corrente.trees import Tree, take_apart
from corrente.words import Says

Axes = Any  # an int, None, or a nested structure of them


class Inputs(NamedTuple):
    """The arguments of a batched call: trees by key, and the arrays that differ by example."""

    trees: dict[int | str, Tree]
    arrays: dict[tuple[int | str, int], Any]
    size: int

    def example(self, row: int) -> dict[int | str, Any]:
        """Return the arguments of one example."""
        found: dict[int | str, Any] = {}
        for key, tree in self.trees.items():
            leaves = [
                self.arrays[key, k][row] if (key, k) in self.arrays else leaf
                for k, leaf in enumerate(tree.leaves)
            ]
            found[key] = tree.build(leaves)
        return found


class Part(NamedTuple):
    """The results of the examples that took one path: leaves with the batch axis in front."""

    rows: np.ndarray
    tree: Tree
    leaves: list[Any]


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """Return a function that applies `f` to many examples at once, along an axis of its arrays.

    `in_axes` says along which axis the examples lie: one for all arguments, or a sequence with
    an entry for each argument, None where all examples share it; an entry may itself be nested
    as its argument is. Numbers and 0-d arrays are shared; keyword arguments lie along axis 0.
    Results are stacked along `out_axes`. Shapes and dtypes are those of a loop and `np.stack`.

    `f` runs once, on the first example, and its steps are carried out on whole batches; where an
    `if` or a `while` goes another way for other examples, it runs once for each way. So it must
    not draw random numbers of its own. Raises BadValue where sizes do not agree.

    >>> import numpy as np, corrente as co
    >>> vmap(lambda x: x * 2.0 if x > 0 else -x)(np.array([1.0, -2.0, 3.0]))
    array([2., 2., 6.])
    >>> vmap(np.dot, in_axes=(None, 0))(np.eye(2), np.ones((3, 2))).shape
    (3, 2)
    """

    @wraps(f)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        inputs = _parted(f, args, kwargs, in_axes)
        parts: list[Part] = []
        left = np.arange(inputs.size)
        while left.size:
            parts.append(_along_one_path(f, inputs, left))
            left = np.setdiff1d(left, parts[-1].rows, assume_unique=True)
        return _joined(f, inputs, parts, out_axes)

    return mapped


def _parted(f: Any, args: Sequence[Any], kwargs: dict[str, Any], in_axes: Axes) -> Inputs:
    """Find the arrays that differ by example and bring their batch axis to the front."""
    each = list(in_axes) if isinstance(in_axes, tuple | list) else [in_axes] * len(args)
    if len(each) != len(args):
        raise BadValue(
            Says(
                "in_axes has {0} entries, but {1} was called with {2} positional arguments.",
                "in_axes tem {0} entradas, mas {1} foi chamada com {2} argumentos posicionais.",
            ).fill(len(each), function_name(f), len(args)),
            Says("give one entry for each.", "dê uma entrada para cada um."),
        )
    values: dict[int | str, Any] = dict(enumerate(args)) | kwargs
    axes = dict(enumerate(each)) | dict.fromkeys(kwargs, 0)
    trees = {key: take_apart(value) for key, value in values.items()}
    arrays = {
        (key, k): _in_front(leaf, axis)
        for key, tree in trees.items()
        for k, (leaf, axis) in enumerate(
            zip(tree.leaves, _leaf_axes("in_axes", axes[key], values[key], tree), strict=True)
        )
        if axis is not None and isinstance(leaf, np.ndarray | Traced) and np.ndim(leaf)
    }
    sizes = {np.shape(array)[0] for array in arrays.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise _sizes_differ(f, trees, arrays)
    return Inputs(trees, arrays, sizes.pop())


def _in_front(array: Any, axis: int) -> Any:
    if array.dtype == object:
        array = lift(array)
    if not -np.ndim(array) <= axis < np.ndim(array):
        raise BadValue(
            Says(
                "in_axes names axis {0} of an array of shape {1}.",
                "in_axes nomeia o eixo {0} de um array de forma {1}.",
            ).fill(axis, np.shape(array)),
            Says(
                "axes count from 0; None shares an argument.",
                "os eixos contam de 0; None compartilha um argumento.",
            ),
        )
    return np.moveaxis(array, axis, 0) if axis else array


def _sizes_differ(f: Any, trees: Mapping[Any, Tree], arrays: Mapping[Any, Any]) -> BadValue:
    shapes = ", ".join(
        f"{key}{trees[key].paths()[k]}: {np.shape(array)}" for (key, k), array in arrays.items()
    )
    if not arrays:
        what = Says(
            "no argument of {0} is an array with examples to go over.",
            "nenhum argumento de {0} é um array com exemplos a percorrer.",
        )
    elif any(np.shape(array)[0] == 0 for array in arrays.values()):
        what = Says(
            "the batch for {0} holds no example: {1}.", "o lote para {0} não contém exemplo: {1}."
        )
    else:
        what = Says(
            "the arguments of {0} hold different numbers of examples (batch axis first): {1}.",
            "os argumentos de {0} têm números diferentes de exemplos (eixo do lote à frente): {1}.",
        )
    return BadValue(
        what.fill(function_name(f), shapes),
        Says(
            "check in_axes: None for what all examples share.",
            "confira in_axes: None para o que todos os exemplos compartilham.",
        ),
    )


def _leaf_axes(name: str, axes: Axes, value: Any, tree: Tree) -> list[int | None]:
    """Give each leaf of a nested value its axis, from one for all or a structure like it."""
    if axes is None or isinstance(axes, int):
        return [axes] * len(tree.leaves)
    try:
        if tree.is_leaf:
            raise ValueError(repr(axes))
        entries, spec = _optree().tree_flatten(
            axes, none_is_leaf=True, namespace=tree.structure.namespace
        )
        parts = [take_apart(part) for part in spec.flatten_up_to(value)]
    except ValueError as misfit:
        raise BadValue(
            Says(
                "{0} is not built as its value is: {1}.", "{0} não tem a forma do seu valor: {1}."
            ).fill(name, misfit),
            Says(
                "give an axis, or axes nested as the value is.",
                "dê um eixo, ou eixos aninhados como o valor.",
            ),
        ) from misfit
    return [axis for axis, part in zip(entries, parts, strict=True) for _ in part.leaves]


def _optree() -> Any:
    """Load optree when nested axes are first met."""
    import optree  # noqa: PLC0415  # a third party that costs 13 ms to import

    return optree


def _along_one_path(f: Callable[..., Any], inputs: Inputs, rows: np.ndarray) -> Part:
    """Run f on the first of some examples, and on all others that follow its path."""
    given = inputs.example(rows[0])
    args = [given[key] for key in given if isinstance(key, int)]
    kwargs = {key: value for key, value in given.items() if isinstance(key, str)}
    recording = run(f, args, kwargs, (), all_inputs=True)
    tree, wires = result_wires(recording)
    tape = recording.tape
    tape.check()
    outs = [wire for wire in wires if wire is not None]
    many = batch(
        tape.recorded, tape.snapshot, rows.size, _wired(recording, inputs, rows), outs, tape.guards
    )
    size = many.rows.size
    leaves = [
        many.values[wire] if wire in many.values else _repeated(f, unboxed(tape, leaf), size)
        for wire, leaf in zip(wires, tree.leaves, strict=True)
    ]
    return Part(rows[many.rows], tree, leaves)


def _wired(recording: Recording, inputs: Inputs, rows: np.ndarray) -> dict[int, Any]:
    """Map the wires of the arguments that differ to their values for some examples."""
    found: dict[int, Any] = {}
    for argument in recording.arguments:
        for k, wire in enumerate(argument.wires):
            if (argument.key, k) in inputs.arrays and wire is not None:
                array = inputs.arrays[argument.key, k]
                found[wire] = array if rows.size == inputs.size else array[rows]
    return found


def _repeated(f: Any, value: Any, size: int) -> Any:
    """Repeat a result that does not depend on the example."""
    if not isinstance(value, np.ndarray | np.generic | Traced | bool | int | float | complex):
        raise BadArgument(
            Says(
                "{0} returned a value of type {1}, which cannot be stacked.",
                "{0} devolveu um valor do tipo {1}, que não pode ser empilhado.",
            ).fill(function_name(f), type(value).__name__),
            Says("return numbers and arrays.", "devolva números e arrays."),
        )
    return np.broadcast_to(value, (size, *np.shape(value)))


def _joined(f: Any, inputs: Inputs, parts: list[Part], out_axes: Axes) -> Any:
    """Put the results of all paths together, in the order of the examples."""
    tree = parts[0].tree
    forms = {
        (str(part.tree.structure), *(np.shape(leaf)[1:] for leaf in part.leaves)) for part in parts
    }
    if len(forms) > 1:
        raise BadValue(
            Says(
                "{0} returned results of different forms for different examples: {1}.",
                "{0} devolveu resultados de formas diferentes para exemplos diferentes: {1}.",
            ).fill(
                function_name(f), "; ".join(sorted(", ".join(map(str, form[1:])) for form in forms))
            ),
            Says("return arrays of one shape.", "devolva arrays de uma só forma."),
        )
    leaves = parts[0].leaves
    if len(parts) > 1:
        order = np.argsort(np.concatenate([part.rows for part in parts]))
        columns = zip(*(part.leaves for part in parts), strict=True)
        leaves = [np.concatenate(column)[order] for column in columns]
    axes = _leaf_axes("out_axes", out_axes, tree.build(leaves), tree)
    return tree.build(
        [
            _own(np.moveaxis(leaf, 0, axis) if axis else leaf, inputs)
            for leaf, axis in zip(leaves, axes, strict=True)
        ]
    )


def _own(result: Any, inputs: Inputs) -> Any:
    """Return a result in memory of its own: it never aliases an input or another result."""
    if (
        type(result) is Traced
        and result.source is None
        and all(result is not x for x in inputs.arrays.values())
    ):
        return result
    return np.copy(result)
