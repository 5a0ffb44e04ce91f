"""What a wrong statement may have been meant to be: `=` for `+=`, a forgotten copy, a line less."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from corrente.homework.expressions import at, inside
from corrente.homework.instrumenting import Site, owner_of, remade, swap
from corrente.homework.places import indexed
from corrente.homework.syntax import numpy_call
from corrente.homework.vocabulary import Vocabulary, named
from corrente.homework.wholes import Change, whole


class Edit(NamedTuple):
    """A statement mended: the mistake it mends, its cost, and what stands there instead."""

    mistake: str
    cost: float
    nodes: tuple[ast.stmt, ...]

    @property
    def code(self) -> str:
        return "; ".join(ast.unparse(ast.fix_missing_locations(node)) for node in self.nodes)


def edits(site: Site, words: Vocabulary) -> list[Edit]:
    """Return the mended forms of a statement, likeliest first, each once."""
    found: dict[str, Edit] = {}
    here = ast.unparse(site.node)
    for edit in sorted(_edits(site, words), key=lambda edit: edit.cost):
        located = tuple(ast.copy_location(node, site.node) for node in edit.nodes)
        try:
            edit = edit._replace(nodes=located)
            code = edit.code
        except (ValueError, AttributeError, RecursionError):
            continue
        if code != here:
            found.setdefault(code, edit)
    return list(found.values())


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
    for change in whole(value, words):
        yield Edit(change.mistake, change.cost, (remade(node, value=change.node),))
    yield Edit("accumulate", 0.9, (ast.AugAssign(target, ast.Add(), value),))
    yield Edit("accumulate", 1.2, (ast.AugAssign(target, ast.Sub(), value),))
    if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
        copy = ast.Call(ast.Attribute(value, "copy", ast.Load()), [], [])
        yield Edit("cache", 1.0, (remade(node, value=copy),))
    if isinstance(target, ast.Subscript):
        yield from _stored(node, target, words)


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
    if not any(isinstance(part, ast.Slice) for part in ast.walk(target.slice)):
        place = ast.parse(ast.unparse(target.value), mode="eval").body
        added = numpy_call("add.at", place, target.slice, value)
        text = ast.unparse(ast.fix_missing_locations(ast.Expr(added)))
        yield Edit("accumulate", 1.1, (ast.parse(text).body[0],))
    for word in words.scalars:
        yield Edit("local", 2.2, (ast.AugAssign(target, ast.Mult(), word.node),))
    yield Edit("mask", 2.4, (ast.Pass(),))


def _augmented(node: ast.AugAssign, words: Vocabulary) -> Iterator[Edit]:
    target, value = node.target, node.value
    for change in whole(value, words):
        yield Edit(change.mistake, change.cost, (remade(node, value=change.node),))
    if isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield Edit("sign", 1.0, (remade(node, op=other),))
        mistake = "regularisation" if _penal(value, words) else "path"
        yield Edit(mistake, 1.5 if mistake == "regularisation" else 2.3, (ast.Pass(),))
        yield Edit("accumulate", 1.2, (ast.Assign([target], value),))
        if isinstance(target, ast.Subscript):
            base = ast.parse(ast.unparse(target.value), mode="eval").body
            added = numpy_call("add.at", base, target.slice, value)
            if not isinstance(target.slice, ast.Slice):
                call = (
                    ast.parse(ast.unparse(ast.fix_missing_locations(ast.Expr(added)))).body[0]
                    if ("Slice" not in ast.dump(target.slice))
                    else None
                )
                if call is not None:
                    yield Edit("accumulate", 1.05, (call,))
    if isinstance(node.op, ast.Mult | ast.Div):
        mistake = _factor(value, words)
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


def _places(part: ast.Subscript, words: Vocabulary) -> Iterator[Change]:
    for inner in ast.walk(part.slice):
        if isinstance(inner, ast.expr):
            for change in at(inner, words):
                if change.mistake not in ("local", "upstream", "transpose"):
                    yield change._replace(node=swap(part, inner, change.node))
    for change in indexed(part):
        if isinstance(change.node, ast.Subscript):
            yield change
