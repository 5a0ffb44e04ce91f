"""What a wrong expression may have been meant to be, by one usual mistake in it at a time."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from corrente.homework.calls import called
from corrente.homework.instrumenting import remade, swap
from corrente.homework.places import flipped, indexed, replaced, right_class
from corrente.homework.syntax import (
    factors,
    is_transposed,
    matrix,
    method,
    negative,
    operands,
    product,
    quotient,
    reduced,
    terms,
    total,
    transposed,
)
from corrente.homework.vocabulary import Vocabulary, named
from corrente.homework.wholes import Change, masks, means, shaped, sums, whole


def inside(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Mend one place inside an expression."""
    powers = {id(p.right) for p in ast.walk(node) if _is_power(p)}  # type: ignore[attr-defined]
    places = [part for part in ast.walk(node) if isinstance(part, ast.expr)]
    direct = {id(node), *(id(factor) for part in places for factor in _direct(part))}
    compared, axes, summed = _contexts(node)
    steps = _steps(node)
    beside = _beside(node)
    for part in places:
        for change in at(part, words):
            if id(part) in powers:
                change = change._replace(mistake="local", cost=change.cost + 0.4)
            elif id(part) in compared:
                change = change._replace(mistake="mask")
            elif id(part) in axes or (change.mistake == "transpose" and id(part) in summed):
                change = change._replace(mistake="axis")
            elif id(part) in steps:
                change = change._replace(mistake="axis" if steps[id(part)] else "index")
            elif change.mistake == "swapped" and named(part) and id(part) not in direct:
                change = change._replace(mistake="cache", cost=1.75)
            if named(change.node) in beside.get(id(part), ()):
                # x * x for x * mask: rather one factor less
                change = change._replace(cost=change.cost + 0.6)
            yield change._replace(node=swap(node, part, change.node))
    yield from _terms(node, words)
    yield from _renamed(node, words)
    yield from _exchanged(node, words)


def _exchanged(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Exchange a gradient and a value that stand in each other's place."""
    places = [part for part in ast.walk(node) if isinstance(part, ast.Name)]
    for one, other in itertools.combinations(places, 2):
        first, second = words.find(one.id), words.find(other.id)
        if (
            first is None
            or second is None
            or (first in words.upstream) == (second in words.upstream)
        ):
            continue
        if np.shape(first.value) == np.shape(second.value):
            made = swap(swap(node, one, second.node), other, first.node)
            yield Change("swapped", 1.6, made)


def _contexts(node: ast.expr) -> tuple[set[int], set[int], set[int]]:
    """Return what stands in a comparison, numbers that name an axis, and what is summed."""
    compared: set[int] = set()
    axes: set[int] = set()
    summed: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.Compare):
            compared |= {id(inner) for inner in ast.walk(part) if inner is not part}
        elif isinstance(part, ast.Call):
            if any(method(side) == "ones" for side in operands(part) or ()):
                summed.add(id(part))  # a product with ones is a sum
            given = [*part.args, *(k.value for k in part.keywords if k.arg == "axis")]
            axes |= {id(arg) for arg in given if isinstance(arg, ast.Constant)}
            summed.add(id(reduced(part)))
    return compared, axes, summed


def _beside(node: ast.expr) -> dict[int, set[str]]:
    """Map each factor of a product to the names it is multiplied with."""
    found: dict[int, set[str]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mult):
            mine = list(factors(part))
            names = {key for factor in mine if (key := named(factor)) is not None}
            for factor in mine:
                found.setdefault(id(factor), set()).update(names - {named(factor)})
    return found


def _steps(node: ast.expr) -> dict[int, bool]:
    """Map the numbers in slices to whether they are the step, such as that of a reversal."""
    found: dict[int, bool] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Slice):
            found |= {id(inner): False for inner in ast.walk(part) if inner is not part}
            found |= {id(inner): True for inner in ast.walk(part.step or ast.Pass())}
    return found


_FLIPPED = {
    ast.Gt: (ast.LtE, ast.Lt, ast.GtE),
    ast.GtE: (ast.Lt, ast.LtE, ast.Gt),
    ast.Lt: (ast.GtE, ast.Gt, ast.LtE),
    ast.LtE: (ast.Gt, ast.GtE, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}


_DERIVATIVES = ("1 - {0} ** 2", "{0} * (1 - {0})", "2 * {0}", "1 / {0} ** 2", "-1 / {0} ** 2")


def _is_power(node: ast.AST) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)


def _direct(node: ast.expr) -> Iterator[ast.expr]:
    """Give the expressions that are multiplied as they stand."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult):
        yield from (node.left, node.right)
    for factor in operands(node) or ():
        yield transposed(factor) if is_transposed(factor) else factor
        if isinstance(factor, ast.Subscript):
            yield factor.value


def _renamed(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Use another value wherever one stands that stands more than once."""
    places: dict[str, list[ast.Name]] = {}
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            places.setdefault(part.id, []).append(part)
    for name, parts in places.items():
        here = words.find(name)
        if here is None or len(parts) < 2:
            continue
        is_upstream = here in words.upstream
        for word in words.upstream if is_upstream else words.values:
            if word.key != name and np.ndim(word.value) == np.ndim(here.value):
                made = node
                for part in parts:
                    made = swap(made, part, word.node)
                mistake = "upstream" if is_upstream else "cache"
                is_own = name == words.own and word.base not in words.below
                mistake = "swapped" if is_own else mistake
                yield Change(mistake, 1.7, made)


def at(part: ast.expr, words: Vocabulary) -> Iterator[Change]:
    if isinstance(part, ast.BinOp):
        yield from _binary(part, words)
    elif isinstance(part, ast.UnaryOp):
        yield Change("mask" if isinstance(part.op, ast.Invert) else "sign", 1.0, part.operand)
    elif isinstance(part, ast.Compare):
        yield from _compared(part)
    elif isinstance(part, ast.Constant):
        yield from _numbers(part)
    elif isinstance(part, ast.Call):
        yield from called(part, words)
    elif isinstance(part, ast.Subscript):
        yield from indexed(part, words)
    elif isinstance(part, ast.Attribute) and part.attr == "T":
        yield Change("transpose", 1.0, part.value)
        yield Change("transpose", 1.9, flipped(part.value))
    elif isinstance(part, ast.List | ast.Tuple) and isinstance(part.ctx, ast.Load):
        yield from _listed(part, words)
    pair = operands(part)
    if pair is not None:
        yield from _arranged(*pair)
    yield from replaced(part, words)


def _listed(part: ast.List | ast.Tuple, words: Vocabulary) -> Iterator[Change]:
    """Exchange two entries of a list, or mend one as a whole."""
    for k, j in itertools.combinations(range(len(part.elts)), 2):
        elts = list(part.elts)
        elts[k], elts[j] = elts[j], elts[k]
        yield Change("index", 1.6, remade(part, elts=elts))
    if isinstance(part, ast.List):
        for entry in part.elts:
            for change in whole(entry, words):
                if change.cost < 2.0:
                    yield change._replace(node=swap(part, entry, change.node))


def _binary(part: ast.BinOp, words: Vocabulary) -> Iterator[Change]:
    left, op, right = part.left, part.op, part.right
    if isinstance(op, ast.Add | ast.Sub):
        flipped = ast.Sub() if isinstance(op, ast.Add) else ast.Add()
        yield Change("sign", 1.0, remade(part, op=flipped))
        for kept, gone in ((left, right), (right, left)):
            mistake = "regularisation" if _penalty(gone, words) else "path"
            yield Change(mistake, 1.3 if mistake == "regularisation" else 2.2, kept)
        if isinstance(op, ast.Sub):
            yield Change("sign", 1.1, remade(part, left=right, right=left))
    if isinstance(op, ast.Mult | ast.Div):
        yield from _unmultiplied(part, words)
        if isinstance(op, ast.Div):
            yield Change("swapped", 1.7, remade(part, left=right, right=left))
        other = ast.Div() if isinstance(op, ast.Mult) else ast.Mult()
        mistake = "mean" if _size(right, words) else "local"
        yield Change(mistake, 1.2 if mistake == "mean" else 1.6, remade(part, op=other))
        yield Change("swapped", 1.9, remade(part, op=ast.MatMult()))
    if isinstance(op, ast.Pow):
        yield Change("local", 1.5, left)
        for step in (1, -1):
            power = total(right, ast.Constant(step))
            yield Change("local", 1.5, remade(part, right=power))
        yield Change("local", 1.4, remade(part, right=negative(right)))
    if isinstance(op, ast.MatMult):
        yield Change("swapped", 2.2, remade(part, op=ast.Mult()))


def _penalty(term: ast.expr, words: Vocabulary) -> bool:
    scalars = {word.key for word in words.scalars}
    return any(named(factor) in scalars for factor in factors(term))


def _size(node: ast.expr, words: Vocabulary) -> bool:
    text = ast.unparse(node)
    if any(word.key == text for word in words.sizes) or ".shape" in text or ".size" in text:
        return True
    if method(node) in ("len", "float") or text in ("N", "n", "m", "batch", "num_train", "M", "B"):
        return True
    return isinstance(node, ast.BinOp) and all(
        _size(side, words) for side in (node.left, node.right)
    )


def _unmultiplied(part: ast.BinOp, words: Vocabulary) -> Iterator[Change]:
    """Take one factor away."""
    left, right = part.left, part.right
    sides = [(left, right)]
    if isinstance(part.op, ast.Mult):
        sides.append((right, left))
    for kept, gone in sides:
        mistake, cost = "local", 1.8
        if isinstance(gone, ast.Constant):
            mistake, cost = ("factor", 1.0) if gone.value in (2, 0.5) else ("constant", 1.3)
            if gone.value == -1:
                mistake = "sign"
        elif _size(gone, words) or _one_over(gone, words):
            mistake, cost = "mean", 1.0
        elif isinstance(gone, ast.Compare) or named(gone) in {w.key for w in words.masks}:
            mistake, cost = "mask", 1.1
        elif named(gone) in {w.key for w in words.upstream}:
            mistake, cost = "upstream", 1.6
        yield Change(mistake, cost, kept)


def _one_over(node: ast.expr, words: Vocabulary) -> bool:
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and isinstance(node.left, ast.Constant)
        and _size(node.right, words)
    )


def _compared(part: ast.Compare) -> Iterator[Change]:
    yield Change("mask", 1.2, part.left)
    for k, kind in enumerate(_FLIPPED.get(type(part.ops[0]), ())):
        yield Change("mask", 1.0 + 0.05 * k, remade(part, ops=[kind()]))
    for kind in (ast.Gt, ast.Lt):
        made = remade(part, ops=[kind()], comparators=[ast.Constant(0)])
        yield Change("mask", 1.3, made)


def _numbers(part: ast.Constant) -> Iterator[Change]:
    value: Any = part.value
    if type(value) not in (int, float):
        return
    for mistake, cost, new in (
        ("factor", 1.0, value * 2),
        ("factor", 1.0, value / 2),
        ("sign", 1.2, -value),
        ("constant", 1.4, value + 1),
        ("constant", 1.4, value - 1),
    ):
        if type(value) is int and float(new).is_integer():
            new = int(new)
        yield Change(mistake, cost, ast.copy_location(ast.Constant(new), part))


def _arranged(left: ast.expr, right: ast.expr) -> Iterator[Change]:
    """Try the other arrangements of a matrix product."""
    for swapped, one, other in itertools.product((False, True), repeat=3):
        a = transposed(left) if one else left
        b = transposed(right) if other else right
        changes = one + other
        if swapped:
            cost = 1.05 + 0.3 * changes
            yield Change("swapped", cost, matrix(b, a))
        elif changes:
            yield Change("transpose", 0.7 + 0.3 * changes, matrix(a, b))


def _terms(node: ast.expr, words: Vocabulary) -> Iterator[Change]:
    """Mend one term of a sum, or one factor, as if it were the whole."""
    parts = {id(p): p for p in terms(node)}
    inner = [p for p in ast.walk(node) if isinstance(p, ast.BinOp | ast.Call) and p is not node]
    for part in inner:
        parts |= {id(p): p for p in terms(part)}
    for part in ast.walk(node):
        parts |= {id(p): p for p in operands(part) or ()}
    for part in parts.values():
        if part is node or is_transposed(part):
            continue
        made: list[Change] = [
            Change("factor", 1.55, product(ast.Constant(2), part)),
            Change("factor", 1.55, quotient(part, ast.Constant(2))),
        ]
        made += means(part, words, 1.6)
        made += [c for c in sums(part, words, 1.7)] if not isinstance(part, ast.Constant) else []
        made += masks(part, words, 1.7)
        made += [Change("upstream", 1.8, product(part, word.node)) for word in words.upstream]
        made += [Change("path", 2.3, ast.BinOp(part, ast.Sub(), one)) for one in right_class(words)]
        for word in words.values:
            made.append(Change("local", 2.1, product(part, word.node)))
            made.append(Change("local", 2.2, quotient(part, word.node)))
            for shape in (*_DERIVATIVES, *(f"{name}({{0}})" for name in words.helpers)):
                made.append(Change("local", 2.3, product(part, shaped(shape, word))))
        for change in made:
            yield change._replace(node=swap(node, part, change.node))
