"""What a backward pass handed back, set against the true gradients of the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.exercise import Exercise
from corrente.homework.names import primal
from corrente.homework.splitting import returned_names
from corrente.homework.truth import Truth


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
    targets = {name: truth.gradient(version) for name, version in truth.inputs.items()}
    targets = {name: true for name, true in targets.items() if true is not None}
    entries = _entries(exercise, returned, set(targets))
    results = _paired(entries, targets, exercise, truth)
    if owner is not None:
        results += _attributes(owner, exercise, targets, truth)
    if not results:
        found = {key: primal(key, set(targets)) for key in variables}
        results = [
            _result(key, target, variables[key], targets[target], truth)
            for key, target in found.items()
            if target is not None
        ]
    return results


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


def _entries(exercise: Exercise, returned: Any, known: set[str]) -> list[tuple[str | None, Any]]:
    """List what came back with the names it goes by."""
    if isinstance(returned, dict):
        return [(f"grads['{key}']", value) for key, value in returned.items()]
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
            found += [(f"grads['{key}']", part) for key, part in value.items()]
        elif not (exercise.joint and name in exercise.outs):
            found.append((name, value))
    return found


def _paired(
    entries: Sequence[tuple[str | None, Any]],
    targets: Mapping[str, Any],
    exercise: Exercise,
    truth: Truth,
) -> list[Result]:
    taken: dict[int, str] = {}
    for k, (name, _) in enumerate(entries):
        of = _target(name, targets)
        if of is not None and of not in taken.values():
            taken[k] = of
    left = [name for name in targets if name not in taken.values() and name in exercise.inputs]
    loose = [k for k, (_, v) in enumerate(entries) if k not in taken and plain(v) is not None]
    loose = [k for k in loose if not (exercise.joint and _is_output(entries[k][1]))]
    if len(loose) == len(left):
        taken |= dict(zip(loose, left, strict=True))
    else:
        for k in loose:
            shape = np.shape(plain(entries[k][1]))
            fitting = [name for name in left if np.shape(targets[name]) == shape]
            if fitting:
                taken[k] = fitting[0]
                left.remove(fitting[0])
    return [
        _result(entries[k][0] or f"d{taken[k]}", taken[k], entries[k][1], targets[taken[k]], truth)
        for k in sorted(taken)
    ]


def _is_output(value: Any) -> bool:
    return value is None


def _target(name: str | None, targets: Mapping[str, Any]) -> str | None:
    return None if name is None else primal(name, targets)


def _attributes(
    owner: Any, exercise: Exercise, targets: Mapping[str, Any], truth: Truth
) -> list[Result]:
    """Compare gradients that a layer keeps on itself: self.dW, self.grads['W']."""
    found: list[Result] = []
    for attribute, value in vars(owner).items():
        entries = {f"self.{attribute}": value}
        if isinstance(value, dict):
            entries = {f"self.{attribute}['{key}']": part for key, part in value.items()}
        for key, part in entries.items():
            target = primal(key, targets)
            if target is not None and target in exercise.attributes() and plain(part) is not None:
                found.append(_result(key, target, part, targets[target], truth))
    return found


def wrong(results: Sequence[Result]) -> frozenset[str]:
    """Return the targets whose gradients are wrong."""
    return frozenset(result.target for result in results if not result.right)
