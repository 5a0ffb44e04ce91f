"""What a wrong statement may have been meant to be: `=` for `+=`, a forgotten copy, a line less."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from corrente.homework.expressions import at, inside
from corrente.homework.instrumenting import Site, key_of, owner_of, remade, swap
from corrente.homework.places import indexed
from corrente.homework.syntax import numpy_call, product
from corrente.homework.vocabulary import Vocabulary, named
from corrente.homework.wholes import Change, whole


class Edit(NamedTuple):
    """A statement mended: the mistake it mends, its cost, and what stands there instead."""

    mistake: str
    cost: float
    nodes: tuple[ast.stmt, ...]

    @property
    def code(self) -> str:
        return "; ".join(map(ast.unparse, self.nodes))


def edits(site: Site, words: Vocabulary) -> list[Edit]:
    """Return the mended forms of a statement, likeliest first; the same one may come again."""
    found = sorted(_edits(site, words), key=lambda edit: edit.cost)
    for edit in found:
        for node in edit.nodes:
            ast.copy_location(node, site.node)
    return found


def _edits(site: Site, words: Vocabulary) -> Iterator[Edit]:
    node = site.node
    value = getattr(node, "value", None)
    if isinstance(value, ast.expr):
        for change in inside(value, words):
            yield Edit(change.mistake, change.cost, (remade(node, value=change.node),))
    if isinstance(node, ast.Assign):
        yield from _assigned(node, words)
    elif isinstance(node, ast.AugAssign):
        yield from _augmented(node, words)
    elif isinstance(node, ast.Return):
        yield from _returned(node, words)
    elif isinstance(node, ast.Expr):
        yield Edit("path", 2.6, (ast.Pass(),))
    yield from _targets(node, words)
    yield from _toggled(node, words)


def _toggled(node: ast.stmt, words: Vocabulary) -> Iterator[Edit]:
    """Invert a mask wherever a statement uses it: what should be kept and what not are mixed up."""
    for word in words.masks:
        if np.asarray(word.value).dtype.kind != "b":
            continue
        made: Any = node
        turned = [
            part
            for part in ast.walk(node)
            if isinstance(part, ast.UnaryOp)
            if isinstance(part.op, ast.Invert) and named(part.operand) == word.key
        ]
        inner = {id(part.operand) for part in turned}
        plain = [p for p in ast.walk(node) if named(p) == word.key and id(p) not in inner]
        for part in turned:
            made = swap(made, part, part.operand)
        for part in plain:
            made = swap(made, part, ast.UnaryOp(ast.Invert(), word.node))
        if len(turned) + len(plain) > 1:
            yield Edit("mask", 1.05, (made,))


def _assigned(node: ast.Assign, words: Vocabulary) -> Iterator[Edit]:
    value, target = node.value, node.targets[0]
    if len(node.targets) > 1 or isinstance(target, ast.Tuple | ast.List):
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            for part in value.elts:
                for change in whole(part, words):
                    made = swap(value, part, change.node)
                    yield Edit(change.mistake, change.cost, (remade(node, value=made),))
        return
    assert isinstance(target, ast.Name | ast.Attribute | ast.Subscript)
    # a line that only gives another name is where something may have been lost
    sooner = 0.1 if isinstance(value, ast.Name) else 0.0
    for change in whole(value, words):
        yield Edit(change.mistake, change.cost - sooner, (remade(node, value=change.node),))
    if not (isinstance(value, ast.Constant) and value.value == 0):
        yield Edit("accumulate", 0.9, (ast.AugAssign(target, ast.Add(), value),))
        yield Edit("accumulate", 1.55, (ast.AugAssign(target, ast.Sub(), value),))
    if key_of(target) in words.known and isinstance(target, ast.Name):
        yield Edit("cache", 1.3, (ast.Pass(),))  # the value was there already
    # what was in the variable is thrown away
    yield Edit("upstream", 1.3, (ast.AugAssign(target, ast.Mult(), value),))
    yield from _followed(node, target, words)
    if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
        copy = ast.Call(ast.Attribute(value, "copy", ast.Load()), [], [])
        yield Edit("cache", 1.0, (remade(node, value=copy),))
    if isinstance(target, ast.Subscript):
        yield from _stored(node, target, words)


def _followed(
    node: ast.Assign, target: ast.Name | ast.Attribute | ast.Subscript, words: Vocabulary
) -> Iterator[Edit]:
    """A line may be missing after a statement: one that scales where a mask says so."""
    if not isinstance(target, ast.Name):
        return
    scales = [word for word in words.scalars if np.asarray(word.value).dtype.kind == "f"]
    for word in words.values if scales else ():
        for kind in (ast.Lt, ast.Gt) if np.ndim(word.value) else ():
            where = ast.Compare(word.node, [kind()], [ast.Constant(0)])
            place = ast.Subscript(_loaded(target), where, ast.Store())
            for scale in scales[:MOST_SCALES]:
                yield Edit("local", 2.2, (node, ast.AugAssign(place, ast.Mult(), scale.node)))


MOST_SCALES = 3


def _stored(node: ast.Assign, target: ast.Subscript, words: Vocabulary) -> Iterator[Edit]:
    """A write into an array may have been meant for a copy of it."""
    base = owner_of(target)
    load = ast.parse(ast.unparse(base), mode="eval").body
    copy = ast.Call(ast.Attribute(load, "copy", ast.Load()), [], [])
    store = ast.parse(f"{ast.unparse(base)} = 0").body[0]
    assert isinstance(store, ast.Assign)
    first = ast.copy_location(remade(store, value=copy), node)
    yield Edit("cache", 1.15, (first, node))
    value = node.value
    yield from _scattered(target, value, 1.1)
    for word in words.scalars:
        yield Edit("local", 2.2, (ast.AugAssign(target, ast.Mult(), word.node),))
    for mistake, cost, found in (("upstream", 1.5, words.upstream), ("local", 2.1, words.values)):
        for word in found:
            if np.ndim(word.value) and isinstance(word.node, ast.Name | ast.Attribute):
                read = ast.Subscript(word.node, target.slice, ast.Load())
                yield Edit(mistake, cost, (remade(node, value=product(value, read)),))
    yield Edit("mask", 2.4, (ast.Pass(),))


def _augmented(node: ast.AugAssign, words: Vocabulary) -> Iterator[Edit]:
    target, value = node.target, node.value
    for change in whole(value, words):
        yield Edit(change.mistake, change.cost, (remade(node, value=change.node),))
    if isinstance(node.op, ast.Add | ast.Sub):
        yield from _added(node, words)
    if isinstance(node.op, ast.Mult | ast.Div):
        mistake = _factor(value, words)
        if key_of(target) in words.known:
            mistake = "cache"  # a value of the forward pass is changed on the way back
        other = ast.Div() if isinstance(node.op, ast.Mult) else ast.Mult()
        yield Edit(mistake, 1.3, (remade(node, op=other),))
        yield Edit(mistake, 1.3, (ast.Pass(),))
    plain = ast.BinOp(_loaded(target), node.op, value)
    if isinstance(target, ast.Name):
        yield Edit("cache", 1.05, (ast.Assign([target], plain),))
    # what follows is done to the whole variable, after the statement
    store = owner_of(target)
    load = _loaded(store)
    for change in whole(load, words):
        if change.cost < 2.0:
            after = ast.Assign([_stored_form(store)], change.node)
            yield Edit(change.mistake, change.cost + 0.25, (node, after))
            yield Edit(change.mistake, change.cost + 0.35, (after, node))


def _added(node: ast.AugAssign, words: Vocabulary) -> Iterator[Edit]:
    """Mend what is added to a variable, or taken from it."""
    target, value = node.target, node.value
    other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
    yield Edit("sign", 1.0, (remade(node, op=other),))
    mistake, cost = ("regularisation", 1.2) if _penal(value, words) else ("path", 2.3)
    if key_of(target) in words.known:
        mistake, cost = "cache", 1.1  # a value of the forward pass is changed on the way back
    yield Edit(mistake, cost, (ast.Pass(),))
    yield Edit("accumulate", 1.2, (ast.Assign([target], value),))
    if isinstance(target, ast.Subscript):
        yield from _scattered(target, value, 1.05)
    for word in (*words.values, *words.indices) if isinstance(value, ast.Constant) else ():
        if np.ndim(word.value) == 1:  # how many there were, and not one
            yield Edit("sum", 1.9, (remade(node, value=word.node),))


def _scattered(target: ast.Subscript, value: ast.expr, cost: float) -> Iterator[Edit]:
    """Add at every place an index names, however often it names it."""
    is_nothing = isinstance(value, ast.Constant) and value.value == 0
    if not is_nothing and not any(isinstance(p, ast.Slice) for p in ast.walk(target.slice)):
        added = numpy_call("add.at", _loaded(target.value), target.slice, value)
        text = ast.unparse(ast.fix_missing_locations(ast.Expr(added)))
        yield Edit("accumulate", cost, (ast.parse(text).body[0],))


def _loaded(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body


def _stored_form(target: ast.expr) -> ast.expr:
    statement = ast.parse(f"{ast.unparse(target)} = 0").body[0]
    assert isinstance(statement, ast.Assign)
    return statement.targets[0]


def _penal(value: ast.expr, words: Vocabulary) -> bool:
    scalars = {word.key for word in words.scalars}
    arrays = {word.key for word in words.values if np.ndim(word.value)}
    found = {named(part) for part in ast.walk(value)}
    return bool(found & scalars) and bool(found & arrays)


def _factor(value: ast.expr, words: Vocabulary) -> str:
    key = named(value)
    if key in {word.key for word in words.masks} or isinstance(value, ast.Compare):
        return "mask"
    if key in {word.key for word in words.upstream}:
        return "upstream"
    if key in {word.key for word in words.values} and key not in {w.key for w in words.scalars}:
        return "local"
    return "factor" if isinstance(value, ast.Constant) and value.value in (2, 0.5) else "mean"


def _returned(node: ast.Return, words: Vocabulary) -> Iterator[Edit]:
    value = node.value
    if value is None:
        return
    parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    if isinstance(value, ast.Dict):
        parts = value.values
    for part in parts:
        for change in whole(part, words):
            if change.cost < 2.6:
                made = swap(value, part, change.node)
                yield Edit(change.mistake, change.cost + 0.1, (remade(node, value=made),))
    if isinstance(value, ast.Tuple):
        for k in range(len(parts)):
            for j in range(k + 1, len(parts)):
                elts = list(parts)
                elts[k], elts[j] = elts[j], elts[k]
                yield Edit("swapped", 1.7, (remade(node, value=remade(value, elts=elts)),))


def _targets(node: ast.stmt, words: Vocabulary) -> Iterator[Edit]:
    """Mend the place that is written to: its index or its mask."""
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        for part in ast.walk(target) if target is not None else ():
            if isinstance(part, ast.Subscript):
                for change in _places(part, words):
                    yield Edit(change.mistake, change.cost + 0.05, (swap(node, part, change.node),))


def _masked(part: ast.Subscript, words: Vocabulary) -> Iterator[Change]:
    """Compare another value, of the same shape, to find the places to write to."""
    tests = [inner for inner in ast.walk(part.slice) if isinstance(inner, ast.Compare)]
    for test, word in itertools.product(tests, words.values):
        if np.shape(word.value) == words.shape:
            yield Change("mask", 1.6, swap(part, test.left, word.node))


def _places(part: ast.Subscript, words: Vocabulary) -> Iterator[Change]:
    compared = {
        id(inner)
        for test in ast.walk(part.slice)
        if isinstance(test, ast.Compare)
        for inner in ast.walk(test)
    }
    yield from _masked(part, words)
    for inner in ast.walk(part.slice):
        if isinstance(inner, ast.expr) and not isinstance(inner, ast.Tuple):
            for change in at(inner, words):
                made = swap(part, inner, change.node)
                if id(inner) in compared:
                    yield Change("mask", change.cost, made)
                elif change.mistake not in ("local", "upstream", "transpose"):
                    yield change._replace(node=made)
    for change in indexed(part, words):
        if isinstance(change.node, ast.Subscript):
            yield change
