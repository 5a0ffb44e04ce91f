"""What a call may have been meant to be: another axis, no sum, the twin of a function."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

from corrente.homework.instrumenting import remade, swap
from corrente.homework.syntax import is_numpy, method, negative, operands, product, reduced
from corrente.homework.vocabulary import Vocabulary
from corrente.homework.wholes import Change, axes_of, axis_code

_TWINS = {"sin": "cos", "cos": "sin", "exp": "log", "log": "exp", "sinh": "cosh", "cosh": "sinh"}


_TWINS |= {"tanh": "cosh", "maximum": "minimum", "minimum": "maximum"}


_TWINS |= {"max": "min", "min": "max", "amax": "amin", "amin": "amax"}
_TWINS |= {"argmax": "argmin", "argmin": "argmax"}


def called(part: ast.Call, words: Vocabulary) -> Iterator[Change]:
    """Mend a call."""
    inner = reduced(part)
    if inner is not None:
        yield from _reductions(part, inner, words)
    elif operands(part) is None and len(part.args) == 1:
        turned = part.args[0]
        turned = turned.operand if isinstance(turned, ast.UnaryOp) else negative(turned)
        yield Change("sign", 1.3, remade(part, args=[turned]))
    yield from _twins(part)
    name = method(part)
    if name in ("copy", "logical_not"):
        base = part.args[0] if part.args else getattr(part.func, "value", part)
        yield Change("mask" if name == "logical_not" else "cache", 1.2, base)
    if name == "where" and len(part.args) == 3:
        test, one, other = part.args
        yield Change("mask", 1.0, remade(part, args=[test, other, one]))
    elif name == "transpose" and len(part.args) > 1:
        yield from _turned(part)
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


def _turned(part: ast.Call) -> Iterator[Change]:
    """Transpose by another order of the axes."""
    places = [k for k, arg in enumerate(part.args) if isinstance(arg, ast.Constant)]
    for order in itertools.permutations(places):
        args = list(part.args)
        for k, source in zip(places, order, strict=True):
            args[k] = part.args[source]
        yield Change("transpose", 1.2, remade(part, args=args))


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
    mistake = "axis" if axis is not None else "sum"
    for axes in (None, *axes_of(max(words.axes, 2))):
        chosen = [] if axes is None else [ast.keyword("axis", axis_code(axes))]
        more = 0.0 if axes is None or len(axes) == 1 else 0.02
        made = remade(part, args=args, keywords=[*chosen, *rest, *kept])
        yield Change(mistake, 1.0 + more, made)
        made = remade(part, args=args, keywords=[*chosen, *rest, *toggled])
        yield Change(mistake, 1.5 + more, made)


def _weighted(part: ast.Call, inner: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Multiply what is summed by a value that was forgotten."""
    for word in words.upstream:
        yield Change("upstream", 1.9, swap(part, inner, product(inner, word.node)))
    for word in words.values:
        yield Change("local", 2.05, swap(part, inner, product(inner, word.node)))
