"""What a backward pass handed back, set against the true gradients of the inputs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.exercise import Exercise
from corrente.homework.names import primal
from corrente.homework.splitting import returned_names
from corrente.homework.truth import Truth, Version


class Result(NamedTuple):
    """One gradient handed back: what it is called, of which input, and whether it is right."""

    name: str
    target: str
    found: Any
    true: Any
    right: bool


def compare(
    exercise: Exercise,
    truth: Truth,
    returned: Any,
    owner: Any,
    variables: Mapping[str, Any],
) -> list[Result]:
    """Pair what came back with the inputs, by name, else by place and shape, and compare."""
    listed, targets = entries(exercise, returned), targets_of(truth)
    apart = targets_of(truth, apart=True)
    if len(listed) in (len(apart), sum("[" in name for name in apart)):
        targets = apart
    results = _paired(listed, targets, exercise, truth)
    if owner is not None:
        left = set(exercise.inputs) - {result.target for result in results}
        results += _attributes(owner, exercise, targets, truth, left)
    if not results:
        found = {key: primal(key, set(targets)) for key in variables}
        results = [
            _result(key, target, variables[key], targets[target], truth)
            for key, target in found.items()
            if target is not None
        ]
    return results


def targets_of(truth: Truth, apart: bool = False) -> dict[str, Any]:
    """Return the true gradients of the inputs.

    A list of arrays has one for each where their shapes differ, or with `apart`.
    """
    found: dict[str, Any] = {}
    for name, version in truth.inputs.items():
        whole = truth.gradient(version)
        of_arrays = len(version.shape or ()) == 1 and np.ndim(truth.values[version.wires[0]])
        if whole is not None and not (apart and of_arrays):
            found[name] = whole
        elif of_arrays:
            parts = [Version("", None, (wire,), None) for wire in version.wires]
            found |= {f"{name}[{k}]": truth.gradient(part) for k, part in enumerate(parts)}
    return found


def _result(name: str, target: str, found: Any, true: Any, truth: Truth) -> Result:
    value = plain(found)
    right = value is not None and truth.agrees(value, true, strict=True)
    return Result(name, target, value, true, right)


def plain(value: Any) -> Any:
    """Turn what was handed back into one array; None if it is none."""
    try:
        array = np.asarray(value)
    except (ValueError, TypeError):
        return None
    return array if array.dtype.kind in "biufc" else None


def entries(exercise: Exercise, returned: Any) -> list[tuple[str | None, Any]]:
    """List what came back with the names it goes by."""
    returned = _fields(returned)
    if isinstance(returned, dict):
        return list(_inside("grads", returned))
    names = returned_names(exercise.backward_node)
    if isinstance(returned, tuple | list) and len(names) == len(returned) != 1:
        pairs = list(zip(names, returned, strict=True))
    elif isinstance(returned, tuple):
        pairs = [(None, value) for value in returned]
    else:
        pairs = [(names[0] if len(names) == 1 else None, returned)]
    found: list[tuple[str | None, Any]] = []
    for name, value in pairs:
        if isinstance(value, dict):
            found += _inside("grads", value)
        elif isinstance(value, list | tuple) and plain(value) is None:
            leaves = enumerate(_leaves(value))
            found += [(name and f"{name}[{k}]", part) for k, part in leaves]
        elif not (exercise.joint and name in exercise.outs):
            found.append((name, value))
    return found


def _fields(returned: Any) -> Any:
    """Read a named tuple, a dataclass or another plain object as a dictionary of its fields."""
    if hasattr(returned, "_asdict"):
        return returned._asdict()
    plain_object = hasattr(returned, "__dict__") and not isinstance(returned, np.ndarray | type)
    return vars(returned) if plain_object and not callable(returned) else returned


def _inside(holder: str, held: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """List the entries of a dictionary; those of one inside another by both keys."""
    for key, value in held.items():
        if isinstance(value, dict):
            inner = {f"{key}.{name}": part for name, part in value.items()}
            yield from _inside(holder, inner)
        else:
            yield f"{holder}['{key}']", value


def _leaves(value: Any) -> Iterator[Any]:
    """Give the arrays of nested lists and tuples, in order."""
    for part in value:
        if isinstance(part, list | tuple) and plain(part) is None:
            yield from _leaves(part)
        else:
            yield part


def _paired(
    listed: Sequence[tuple[str | None, Any]],
    targets: Mapping[str, Any],
    exercise: Exercise,
    truth: Truth,
) -> list[Result]:
    taken: dict[int, str] = {}
    for k, (name, _) in enumerate(listed):
        of = _target(name, targets)
        if of is not None and of not in taken.values():
            taken[k] = of
    left = [name for name in targets if name not in taken.values()]
    left = [name for name in left if name.partition("[")[0] in exercise.inputs]
    loose = [k for k, (_, v) in enumerate(listed) if k not in taken and plain(v) is not None]
    loose = [k for k in loose if not (exercise.joint and _is_output(listed[k][1]))]
    parts = [name for name in left if "[" in name]
    if len(loose) == len(parts):
        taken |= dict(zip(loose, parts, strict=True))
    elif len(loose) == len(left):
        taken |= dict(zip(loose, left, strict=True))
    else:
        for k in loose:
            shape = np.shape(plain(listed[k][1]))
            fitting = [name for name in left if np.shape(targets[name]) == shape]
            if fitting:
                taken[k] = fitting[0]
                left.remove(fitting[0])
    return [
        _result(listed[k][0] or f"d{taken[k]}", taken[k], listed[k][1], targets[taken[k]], truth)
        for k in sorted(taken)
    ]


def _is_output(value: Any) -> bool:
    return value is None


def _target(name: str | None, targets: Mapping[str, Any]) -> str | None:
    if name is None:
        return None
    base, bracket, index = name.partition("[")
    if bracket and index.rstrip("]").isdigit():
        of = primal(base, {target.partition("[")[0] for target in targets})
        found = f"{of}[{index}"
        return found if found in targets else None
    return primal(name, targets)


def _attributes(
    owner: Any,
    exercise: Exercise,
    targets: Mapping[str, Any],
    truth: Truth,
    left: Collection[str],
) -> list[Result]:
    """Compare gradients that a layer keeps on itself: self.dW, self.grads['W']."""
    found: list[Result] = []
    ours = exercise.parameters() | set(left)
    for attribute, value in vars(owner).items():
        held = {f"self.{attribute}": value}
        if isinstance(value, dict):
            held = dict(_inside(f"self.{attribute}", value))
        elif isinstance(value, list | tuple) and plain(value) is None:
            held = {f"self.{attribute}[{k}]": part for k, part in enumerate(_leaves(value))}
        for key, part in held.items():
            target = _target(key, targets)
            is_ours = target is not None and target.partition("[")[0] in ours
            if target is not None and is_ours and plain(part) is not None:
                found.append(_result(key, target, part, targets[target], truth))
    return found


def all_targets(truth: Truth) -> frozenset[str]:
    """Return the names of all gradients that may come back, of lists as a whole and apart."""
    return frozenset(targets_of(truth)) | frozenset(targets_of(truth, apart=True))


def wrong(results: Sequence[Result]) -> frozenset[str]:
    """Return the targets whose gradients are wrong."""
    return frozenset(result.target for result in results if not result.right)
