"""Expressions of Python code: a step's text with its operands put in, as the grammar has it."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from corrente.circuit import Circuit, Step, call_code, dtype_code, is_literal, literal
from corrente.source.spellings import SPELLINGS

FEW = 64


class _Operands(ast.NodeTransformer):
    """Puts expressions in the place of the names that stand for them.

    Functions of the house's own lose its name: the file defines them itself.
    """

    def __init__(self, operands: Mapping[str, ast.expr]) -> None:
        self.operands = operands

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.operands.get(node.id, node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        home = node.value.id if isinstance(node.value, ast.Name) else ""
        if home == "nn" or (home == "special" and node.attr in SPELLINGS):
            return ast.Name(node.attr)
        self.generic_visit(node)
        return node


# folds that, told no axis, fold them all
_OVER_ALL = frozenset(
    ("sum", "mean", "prod", "var", "std", "max", "min", "any", "all", "count_nonzero")
)


def phrase(step: Step, operands: Sequence[ast.expr], ndim: int) -> ast.expr:
    """Return the right-hand side of a step, with brackets where they are needed.

    `ndim` is that of its first input.
    """
    names = [f"_{k}" for k in range(len(operands))]
    params = step.params
    if step.gate.name in _OVER_ALL and params["axis"] == tuple(range(ndim)):
        params = {key: value for key, value in params.items() if key != "axis"}
    if step.gate.code is not None:
        text = step.gate.code(names, params)
    else:
        text = call_code(step.gate.name, names, params)
    tree = ast.parse(text, mode="eval").body
    return _Operands(dict(zip(names, operands, strict=True))).visit(tree)


def parsed(text: str) -> ast.expr:
    """Parse an expression."""
    return ast.parse(text, mode="eval").body


def subscript(written: ast.expr) -> ast.expr:
    """Return the index of a write: the gate spells it as the last argument, `np.s_[…]`."""
    assert isinstance(written, ast.Call)
    assert isinstance(written.args[2], ast.Subscript)
    return written.args[2].slice


def as_argument(index: ast.expr) -> str:
    """Write an index as a value of its own."""
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    if any(isinstance(part, ast.Slice) for part in parts):
        return ast.unparse(ast.Subscript(parsed("np.s_"), index))
    return ast.unparse(index)


_SINGLE = frozenset((np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.complex64)))


def number(circuit: Circuit, wire: int, step: Step) -> str:
    """Write a held number; a float64 as a plain one where that promotes nothing differently."""
    value = circuit.held[wire]
    if isinstance(value, np.float64) and np.isfinite(value):
        others = [circuit.wires[w] for w in step.ins if w != wire and w not in circuit.held]
        typed = [other for other in others if not other.weak]
        if typed and not any(other.dtype in _SINGLE for other in typed):
            return repr(float(value))
    return literal(value)


def array(value: np.ndarray) -> str | None:
    """Write a small or regular array; None where it is neither.

    >>> array(np.zeros((2, 3))), array(np.arange(3)), array(np.array([0.5, 2.0]))
    ('np.zeros((2, 3))', 'np.arange(3)', 'np.array([0.5, 2.0])')
    """
    plain = value.dtype in (np.dtype(float), np.dtype(int), np.dtype(bool))
    dtype = "" if plain else f", {dtype_code(value.dtype)}"
    if value.dtype.kind not in "biufc" or not value.size:
        return f"np.zeros({value.shape}, {dtype_code(value.dtype)})" if not value.size else None
    counts = value.dtype.kind in "iu" and value.ndim == 1 and value.size > 1
    if counts and np.array_equal(value, np.arange(value.size)):
        return f"np.arange({value.size}{dtype})"
    same = np.full(value.shape, value.flat[0], value.dtype)
    if value.size > 1 and same.tobytes() == value.tobytes():  # so that −0.0 stays what it is
        return _uniform(value)
    if value.size > FEW or not np.isfinite(value).all():
        return None
    return f"np.array({value.tolist()!r}{dtype})"


def _uniform(value: np.ndarray) -> str:
    item = value.flat[0]
    shape = str(value.shape[0]) if value.ndim == 1 else str(value.shape)
    usual = value.dtype == np.dtype(float)
    if value.dtype.kind in "fiu" and not np.signbit(item) and item in (0, 1):
        dtype = "" if usual else f", {dtype_code(value.dtype)}"
        return f"np.{'ones' if item else 'zeros'}({shape}{dtype})"
    dtype = "" if usual or value.dtype.kind == "b" else f", {dtype_code(value.dtype)}"
    return f"np.full({shape}, {literal(item.item())}{dtype})"


def held(value: Any) -> str | None:
    """Write a value held from outside; None for an array that is too large."""
    return array(value) if not is_literal(value) else literal(value)
