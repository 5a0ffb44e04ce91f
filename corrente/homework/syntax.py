"""Small pieces of syntax, built and taken apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import UnionType

NP_REDUCTIONS = frozenset({"sum", "mean", "max", "min", "prod", "amax", "amin"})
PRODUCTS = frozenset({"dot", "matmul"})


def product(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, ast.Mult(), right)


def quotient(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, ast.Div(), right)


def matrix(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, ast.MatMult(), right)


def total(left: ast.expr, right: ast.expr) -> ast.expr:
    return ast.BinOp(left, ast.Add(), right)


def negative(node: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.USub(), node)


def transposed(node: ast.expr) -> ast.expr:
    """Transpose an expression; a transpose of it is taken away."""
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    if method(node) == "transpose" and isinstance(node, ast.Call) and not node.args:
        assert isinstance(node.func, ast.Attribute)
        return node.func.value
    return ast.Attribute(node, "T", ast.Load())


def is_transposed(node: ast.expr) -> bool:
    return transposed(node) is not None and not (
        isinstance(made := transposed(node), ast.Attribute) and made.value is node
    )


def numpy_call(name: str, *args: ast.expr, **keywords: ast.expr) -> ast.Call:
    function = ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load())
    return ast.Call(function, list(args), [ast.keyword(k, v) for k, v in keywords.items()])


def method(node: ast.AST) -> str | None:
    """Return the name of the function or method that is called."""
    if not isinstance(node, ast.Call):
        return None
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else None


def is_numpy(node: ast.AST) -> bool:
    """Tell whether a call goes to a function of NumPy, and not to a method."""
    function = node.func if isinstance(node, ast.Call) else None
    base = function.value if isinstance(function, ast.Attribute) else None
    return isinstance(base, ast.Name) and base.id in ("np", "numpy")


def operands(node: ast.AST) -> tuple[ast.expr, ast.expr] | None:
    """Return the two sides of a matrix product, however it is written."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return node.left, node.right
    if isinstance(node, ast.Call) and method(node) in PRODUCTS:
        if is_numpy(node) and len(node.args) == 2:
            return node.args[0], node.args[1]
        if isinstance(node.func, ast.Attribute) and len(node.args) == 1:
            return node.func.value, node.args[0]
    return None


def reduced(node: ast.AST) -> ast.expr | None:
    """Return what a reduction such as np.sum(x, axis=0) or x.sum(0) is taken of."""
    if not isinstance(node, ast.Call) or method(node) not in NP_REDUCTIONS:
        return None
    if is_numpy(node):
        return node.args[0] if node.args else None
    return node.func.value if isinstance(node.func, ast.Attribute) else None


def terms(node: ast.expr) -> Iterator[ast.expr]:
    """Give the terms of a sum, through signs and brackets."""
    return _parts(node, ast.Add | ast.Sub)


def factors(node: ast.expr) -> Iterator[ast.expr]:
    """Give the factors of a product, through signs and brackets."""
    return _parts(node, ast.Mult | ast.Div)


def _parts(node: ast.expr, joined_by: UnionType) -> Iterator[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, joined_by):
        yield from _parts(node.left, joined_by)
        yield from _parts(node.right, joined_by)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield from _parts(node.operand, joined_by)
    else:
        yield node
