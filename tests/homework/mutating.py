"""Mutants made blindly: every backward pass of the set with one small thing changed by rule."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from corrente.homework.finding import pairs
from corrente.homework.instrumenting import flat, key_of
from corrente.homework.space import Function
from corrente.homework.splitting import part


class Mutant(NamedTuple):
    """One mutant: the pass, the line, the rule, and the whole source."""

    file: Path
    name: str
    line: int
    rule: str
    before: str
    after: str
    source: str


MISTAKES = {
    "minus": {"sign"},
    "sign": {"sign"},
    "transpose": {"transpose", "swapped"},
    "operands": {"swapped", "transpose"},
    "axis": {"axis", "sum"},
    "sum": {"sum", "axis"},
    "mean": {"mean"},
    "overwrite": {"accumulate", "path"},
    "compare": {"mask"},
    "factor": {"local", "upstream", "mask", "mean", "factor", "constant", "sign", "swapped"},
    "double": {"factor", "constant"},
    "power": {"local", "constant", "factor"},
}


def _changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Give (rule, changed node) for one node."""
    if isinstance(node, ast.BinOp):
        yield from _binary(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "minus", node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", node.value
    elif isinstance(node, ast.Compare):
        flip = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.LtE: ast.Gt, ast.GtE: ast.Lt}
        kind = flip.get(type(node.ops[0]))
        if kind:
            yield "compare", ast.Compare(node.left, [kind()], node.comparators)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        yield from _called(node)


def _binary(node: ast.BinOp) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node.op, ast.Add):
        yield "sign", ast.BinOp(node.left, ast.Sub(), node.right)
    elif isinstance(node.op, ast.Sub):
        yield "sign", ast.BinOp(node.left, ast.Add(), node.right)
    elif isinstance(node.op, ast.Mult):
        yield "factor", node.left
        yield "factor", node.right
        yield "double", ast.BinOp(ast.Constant(2), ast.Mult(), node)
    elif isinstance(node.op, ast.Div):
        yield "factor", node.left
    elif isinstance(node.op, ast.MatMult):
        yield "operands", ast.BinOp(node.right, ast.MatMult(), node.left)
        for side in ("left", "right"):
            changed = copy.copy(node)
            setattr(changed, side, ast.Attribute(getattr(node, side), "T", ast.Load()))
            yield "transpose", changed
    elif isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
        yield "power", node.left


def _called(node: ast.Call) -> Iterator[tuple[str, ast.AST]]:
    assert isinstance(node.func, ast.Attribute)
    name = node.func.attr
    is_numpy = isinstance(node.func.value, ast.Name) and node.func.value.id == "np"
    if name in ("sum", "mean"):
        yield "sum", node.args[0] if is_numpy else node.func.value
        changed = copy.deepcopy(node)
        assert isinstance(changed.func, ast.Attribute)
        changed.func.attr = "mean" if name == "sum" else "sum"
        yield "mean", changed
        for k, keyword in enumerate(node.keywords):
            if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant):
                changed = copy.deepcopy(node)
                changed.keywords[k].value = ast.Constant(0 if keyword.value.value else 1)
                yield "axis", changed
    if name == "dot":
        operands = node.args if is_numpy else [node.func.value, node.args[0]]
        yield "operands", ast.BinOp(operands[1], ast.MatMult(), operands[0])


def mutants(file: Path) -> Iterator[Mutant]:
    """Give every mutant of the backward passes in a file."""
    text = file.read_text()
    tree = ast.parse(text)
    backward = {pair.backward for pair in pairs(tree)}
    joint = {pair.backward for pair in pairs(tree) if pair.forward == pair.backward}
    for owner in tree.body:
        inner = owner.body if isinstance(owner, ast.ClassDef) else [owner]
        for function in inner:
            if not isinstance(function, Function):
                continue
            prefix = f"{owner.name}." if isinstance(owner, ast.ClassDef) else ""
            name = prefix + function.name
            if name in backward:
                yield from _of_function(file, text, function, name, name in joint)


def _of_function(
    file: Path, text: str, function: Function, name: str, joint: bool
) -> Iterator[Mutant]:
    for statement in ast.walk(function):
        if not isinstance(statement, ast.Assign | ast.AugAssign | ast.Return):
            continue
        if joint and not _is_gradient(statement, function):
            continue
        if statement.lineno != statement.end_lineno or statement.value is None:
            continue
        for node in ast.walk(statement.value):
            for rule, changed in _changes(node):
                yield _made(file, text, name, statement, node, changed, rule)
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
            new = ast.Assign([statement.target], statement.value)
            yield _made(file, text, name, statement, statement, new, "overwrite")


def _is_gradient(statement: ast.Assign | ast.AugAssign | ast.Return, function: Function) -> bool:
    parted = part(function)
    if isinstance(statement, ast.Return) or parted is None:
        return False
    first = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    return key_of(next(flat(first))) in parted.gradients


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


def _made(
    file: Path, text: str, name: str, statement: ast.stmt, old: ast.AST, new: ast.AST, rule: str
) -> Mutant:
    memory: dict[int, ast.AST] = {}
    whole = copy.deepcopy(statement, memory)
    target = memory[id(old)]
    changed = _Replace(target, copy.deepcopy(new)).visit(whole)
    after = ast.unparse(ast.fix_missing_locations(changed))
    lines = text.splitlines()
    here = lines[statement.lineno - 1]
    lines[statement.lineno - 1] = here[: len(here) - len(here.lstrip())] + after
    source = "\n".join(lines) + "\n"
    return Mutant(file, name, statement.lineno, rule, here.strip(), after, source)


def sample(folders: list[Path], count: int, seed: int = 0) -> list[Mutant]:
    """Choose some mutants of all files, the same ones for the same seed."""
    found = [m for folder in folders for f in sorted(folder.glob("*.py")) for m in mutants(f)]
    return random.Random(seed).sample(found, min(count, len(found)))
