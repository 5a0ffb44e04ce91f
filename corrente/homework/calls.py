"""What a call may have been meant to be: another axis, no sum, the twin of a function."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

import numpy as np

from corrente.homework.instrumenting import remade, swap
from corrente.homework.syntax import (
    is_numpy,
    matrix,
    method,
    negative,
    operands,
    product,
    reduced,
    transposed,
)
from corrente.homework.vocabulary import Vocabulary
from corrente.homework.wholes import Change, axes_of, axis_code

_TWINS = {"sin": "cos", "cos": "sin", "exp": "log", "log": "exp", "sinh": "cosh", "cosh": "sinh"}


_TWINS |= {"tanh": "cosh", "maximum": "minimum", "minimum": "maximum"}


_TWINS |= {"max": "min", "min": "max", "amax": "amin", "amin": "amax"}
_TWINS |= {"argmax": "argmin", "argmin": "argmax"}


def called(part: ast.Call, words: Vocabulary) -> Iterator[Change]:
    """Mend a call."""
    inner, name = reduced(part), method(part)
    if inner is not None:
        yield from _reductions(part, inner, words)
    elif name == "einsum":
        yield from _lettered(part)
    elif operands(part) is None and len(part.args) == 1:
        turned = part.args[0]
        turned = turned.operand if isinstance(turned, ast.UnaryOp) else negative(turned)
        yield Change("sign", 1.3, remade(part, args=[turned]))
    yield from _twins(part)
    if is_numpy(part) and len(part.args) == 1 and inner is None:
        yield Change("local", 1.7, part.args[0])
    kept = [keyword for keyword in part.keywords if keyword.arg != "out"]
    if len(kept) < len(part.keywords):
        yield Change("cache", 1.0, remade(part, keywords=kept))
    yield from _named(part, name, words)


def _named(part: ast.Call, name: str | None, words: Vocabulary) -> Iterator[Change]:
    """Mend a call by what the function does."""
    if name in ("copy", "logical_not"):
        base = part.args[0] if part.args else getattr(part.func, "value", part)
        yield Change("mask" if name == "logical_not" else "cache", 1.2, base)
    if name == "where" and len(part.args) == 3:
        test, one, other = part.args
        yield Change("mask", 1.0, remade(part, args=[test, other, one]))
    elif name == "transpose" and len(part.args) > 1:
        yield from _turned(part)
    elif name == "reshape":
        yield from _laid_out(part, words)
    elif len(part.args) >= 2 and operands(part) is None:
        args = [part.args[1], part.args[0], *part.args[2:]]
        yield Change("swapped", 1.9, remade(part, args=args))


def _twins(part: ast.Call) -> Iterator[Change]:
    """Call the function that this one is easily taken for."""
    name = method(part)
    if isinstance(part.func, ast.Attribute) and name in _TWINS:
        other = remade(part.func, attr=_TWINS[name])
        mistake = "mask" if name in _EXTREMES else "local"
        yield Change(mistake, 1.2, remade(part, func=other))


_EXTREMES = ("max", "min", "amax", "amin")


def _lettered(part: ast.Call) -> Iterator[Change]:
    """Change the letters of an einsum: two of one operand exchanged, or one for another."""
    text = part.args[0].value if isinstance(part.args[0], ast.Constant) else None
    if not isinstance(text, str) or "->" not in text:
        return
    left, _, right = text.partition("->")
    sides = [*left.split(","), right]
    letters = sorted({letter for side in sides for letter in side if letter.isalpha()})
    for k, side in enumerate(sides):
        for mistake, cost, other in _spelled(side, letters, k == len(sides) - 1):
            if len(sides) == 2 and len(sides[0]) > len(sides[1]):
                mistake = "axis"  # which letter of one operand is summed
            made = [*sides[:k], other, *sides[k + 1 :]]
            text = f"{','.join(made[:-1])}->{made[-1]}"
            yield Change(mistake, cost, remade(part, args=[ast.Constant(text), *part.args[1:]]))


def _spelled(side: str, letters: list[str], is_output: bool) -> Iterator[tuple[str, float, str]]:
    for i, j in itertools.combinations(range(len(side)), 2):
        spelled = list(side)
        spelled[i], spelled[j] = spelled[j], spelled[i]
        yield "transpose", 1.0 + 0.01 * (j - i), "".join(spelled)
    for i in range(len(side)):
        for letter in letters:
            yield "axis", 1.2, side[:i] + letter + side[i + 1 :]
        if is_output:
            yield "sum", 1.1, side[:i] + side[i + 1 :]
    for letter in letters if is_output else ():
        yield "sum", 1.3, side + letter


def _turned(part: ast.Call) -> Iterator[Change]:
    """Transpose by another order of the axes."""
    places = [k for k, arg in enumerate(part.args) if isinstance(arg, ast.Constant)]
    for order in itertools.permutations(places):
        args = list(part.args)
        for k, source in zip(places, order, strict=True):
            args[k] = part.args[source]
        yield Change("transpose", 1.2, remade(part, args=args))


def _laid_out(part: ast.Call, words: Vocabulary) -> Iterator[Change]:
    """Order the axes before an array is given another shape."""
    if is_numpy(part) or not isinstance(part.func, ast.Attribute):
        return
    base = part.func.value
    here = words.find(ast.unparse(base))
    count = np.ndim(here.value) if here is not None else 0
    for order in itertools.permutations(range(count)) if 2 < count <= MOST_AXES else ():
        turned = ast.Attribute(base, "transpose", ast.Load())
        ordered = ast.Call(turned, [ast.Constant(axis) for axis in order], [])
        if order != tuple(range(count)):
            yield Change("transpose", 1.8, swap(part, base, ordered))


MOST_AXES = 4


def _reductions(part: ast.Call, inner: ast.expr, words: Vocabulary) -> Iterator[Change]:
    name = method(part)
    assert isinstance(part.func, ast.Attribute)
    if name in ("sum", "mean"):
        other = "mean" if name == "sum" else "sum"
        yield Change("mean", 1.0, remade(part, func=remade(part.func, attr=other)))
        yield Change("sum", 1.3, inner)
    place = 1 if is_numpy(part) else 0
    args = part.args[:place]
    axis = next((k.value for k in part.keywords if k.arg == "axis"), None)
    axis = part.args[place] if len(part.args) > place else axis
    rest = [k for k in part.keywords if k.arg not in ("axis", "keepdims")]
    kept = [k for k in part.keywords if k.arg == "keepdims"]
    flag = not (kept and isinstance(kept[0].value, ast.Constant) and kept[0].value.value)
    toggled = [ast.keyword("keepdims", ast.Constant(True))] if flag else []
    same = [ast.keyword("axis", axis)] if axis is not None else []
    if words.upstream or words.values:
        yield from _weighted(part, inner, words)
    yield Change("keepdims", 1.0, remade(part, args=args, keywords=[*same, *rest, *toggled]))
    old = _axes(axis)
    for axes in (None, *axes_of(max(words.axes, 2))):
        # one axis more or less is a sum more or less, and not another axis
        nested = old is None or axes is None or old < set(axes) or old > set(axes)
        mistake = "sum" if axis is None or (nested and old is not None) else "axis"
        chosen = [] if axes is None else [ast.keyword("axis", axis_code(axes))]
        more = 0.0 if axes is None or len(axes) == 1 else 0.02
        made = remade(part, args=args, keywords=[*chosen, *rest, *kept])
        yield Change(mistake, 1.0 + more, made)
        made = remade(part, args=args, keywords=[*chosen, *rest, *toggled])
        yield Change(mistake, 1.5 + more, made)


def _axes(axis: ast.expr | None) -> set[int] | None:
    """Read the axes that a reduction names as numbers; None where it does not."""
    parts = axis.elts if isinstance(axis, ast.Tuple) else [axis]
    found = {p.value for p in parts if isinstance(p, ast.Constant) and isinstance(p.value, int)}
    return found if len(found) == len(parts) else None


def _weighted(part: ast.Call, inner: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Multiply what is summed by a value that was forgotten."""
    for word in words.upstream:
        yield Change("upstream", 1.9, swap(part, inner, product(inner, word.node)))
        if np.ndim(word.value):
            yield Change("upstream", 2.0, matrix(transposed(inner), word.node))
            yield Change("upstream", 2.0, matrix(inner, word.node))
    for word in words.values:
        yield Change("local", 2.05, swap(part, inner, product(inner, word.node)))
