"""Expressions of one element in C or JavaScript: what a gate's `emit` says, written down."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from corrente.source.dialects import BOOL, DOUBLE, Dialect, DType

_FUNCTIONS = """sqrt cbrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan
sinh cosh tanh asinh acosh atanh"""
FUNCTIONS = frozenset(_FUNCTIONS.split())


class Node(NamedTuple):
    """An operation on other nodes; `form` names them {0}, {1} …; an atom has no arguments."""

    form: str
    args: tuple[int, ...]
    dtype: DType
    atom: bool


class Value(NamedTuple):
    """A node of one builder: what `emit` passes around."""

    number: int
    dtype: DType


@dataclass(frozen=True, eq=False)
class Expressions:
    """A builder that answers with expressions; what is used twice becomes a local constant."""

    dialect: Dialect
    nodes: list[Node] = field(default_factory=list)
    known: dict[Node, int] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    """The functions that were called."""
    named: set[int] = field(default_factory=set)
    """The nodes that have become local constants."""

    def _node(self, form: str, args: Sequence[Value], dtype: DType, atom: bool = False) -> Value:
        node = Node(form, tuple(value.number for value in args), dtype, atom)
        number = self.known.setdefault(node, len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append(node)
        return Value(number, dtype)

    def variable(self, text: str, dtype: DType) -> Value:
        """Return a value that is written as it is: an element of an array."""
        return self._node(text.replace("{", "{{").replace("}", "}}"), (), dtype, True)

    def const(self, number: Any, like: Any) -> Value:
        """Return a number of the type of the value beside it."""
        return self.constant(number, like.dtype)

    def constant(self, number: Any, dtype: DType) -> Value:
        """Return a number of a type."""
        return self.variable(self.dialect.number(number, dtype), dtype)

    def converted(self, x: Value, dtype: DType) -> Value:
        """Return a value in another type."""
        if x.dtype == dtype:
            return x
        return self._node(self.dialect.convert("{0}", x.dtype, dtype), (x,), dtype)

    def _joined(self, *values: Value) -> tuple[list[Value], DType]:
        dtype = np.result_type(*(value.dtype for value in values))
        return [self.converted(value, dtype) for value in values], dtype

    def _infix(self, sign: str, x: Value, y: Value) -> Value:
        both, dtype = self._joined(x, y)
        text = self.dialect.rounds(f"{{0}} {sign} {{1}}", dtype)
        return self._node(text, both, dtype)

    def _compared(self, sign: str, x: Value, y: Value) -> Value:
        both, _ = self._joined(x, y)
        return self._node(f"{{0}} {sign} {{1}}", both, BOOL)

    def apply(self, name: str, *values: Value) -> Value:
        """Call a function of C's mathematics, or of the file's own."""
        given, dtype = self._joined(*values)
        if dtype.kind != "f":
            given, dtype = [self.converted(v, DOUBLE) for v in given], DOUBLE
        called = self.dialect.call(name, dtype)
        self.used.add(called)
        text = f"{called}({', '.join(f'{{{k}}}' for k in range(len(given)))})"
        return self._node(self.dialect.rounds(text, dtype), given, dtype)

    def _whole(self, form: str, x: Value, y: Value) -> Value:
        """Divide whole numbers as NumPy does: by zero gives zero."""
        both, dtype = self._joined(x, y)
        zero = self.dialect.number(0, dtype)
        text = f"{{1}} {self.dialect.equal} {zero} ? {zero} : {form}"
        return self._node(text, both, dtype)

    def add(self, x: Value, y: Value) -> Value:
        return self._infix("+", x, y)

    def sub(self, x: Value, y: Value) -> Value:
        return self._infix("-", x, y)

    def mul(self, x: Value, y: Value) -> Value:
        return self._infix("*", x, y)

    def div(self, x: Value, y: Value) -> Value:
        if x.dtype.kind != "f" and y.dtype.kind != "f":
            return self._whole(self.dialect.whole_quotient, x, y)
        return self._infix("/", x, y)

    def fmod(self, x: Value, y: Value) -> Value:
        if x.dtype.kind != "f" and y.dtype.kind != "f":
            return self._whole("{0} % {1}", x, y)
        return self.apply("fmod", x, y)

    def pow(self, x: Value, y: Value) -> Value:
        if x.dtype.kind == "f" or y.dtype.kind == "f":
            return self.apply("pow", x, y)
        both, dtype = self._joined(x, y)
        self.used.add("whole_power")
        return self._node("whole_power({0}, {1})", both, dtype)

    def atan2(self, x: Value, y: Value) -> Value:
        return self.apply("atan2", x, y)

    def neg(self, x: Value) -> Value:
        return self._node("-{0}", (x,), x.dtype)

    def abs(self, x: Value) -> Value:
        if x.dtype.kind == "f":
            return self.apply("fabs", x)
        zero = self.dialect.number(0, x.dtype)
        if x.dtype.kind in "bu":
            return x
        return self._node(f"{{0}} < {zero} ? -{{0}} : {{0}}", (x,), x.dtype)

    def _rounded(self, name: str, x: Value) -> Value:
        return self.apply(name, x) if x.dtype.kind == "f" else x

    def floor(self, x: Value) -> Value:
        return self._rounded("floor", x)

    def ceil(self, x: Value) -> Value:
        return self._rounded("ceil", x)

    def rint(self, x: Value) -> Value:
        return self._rounded("rint", x)

    def trunc(self, x: Value) -> Value:
        return self._rounded("trunc", x)

    def lt(self, x: Value, y: Value) -> Value:
        return self._compared("<", x, y)

    def le(self, x: Value, y: Value) -> Value:
        return self._compared("<=", x, y)

    def eq(self, x: Value, y: Value) -> Value:
        return self._compared(self.dialect.equal, x, y)

    def both(self, p: Value, q: Value) -> Value:
        return self._node("{0} && {1}", (p, q), BOOL)

    def either(self, p: Value, q: Value) -> Value:
        return self._node("{0} || {1}", (p, q), BOOL)

    def negate(self, p: Value) -> Value:
        return self._node("!{0}", (p,), BOOL)

    def select(self, p: Value, x: Value, y: Value) -> Value:
        both, dtype = self._joined(x, y)
        return self._node("{0} ? {1} : {2}", (p, *both), dtype)

    def __getattr__(self, name: str) -> Callable[[Value], Value]:
        """Answer with a function of one number, by its name in C."""
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return lambda x: self.apply(name, x)

    # --- writing ----------------------------------------------------------------------------

    def written(self, value: Value, fresh: Callable[[], str]) -> tuple[list[str], str]:
        """Return the statements that a value needs, and the expression that it is."""
        counts = [0] * len(self.nodes)
        reached = self._reached(value.number)
        for number in reached:
            for arg in self.nodes[number].args:
                place = self.nodes[number].args.index(arg)
                counts[arg] += self.nodes[number].form.count(f"{{{place}}}")
        texts: dict[int, str] = {}
        lines: list[str] = []
        for number in reached:
            node = self.nodes[number]
            text = node.form.format(*(self._operand(arg, texts, node) for arg in node.args))
            if counts[number] > 1 and not node.atom:
                name = fresh()
                lines.append(f"{self.dialect.local(node.dtype)} {name} = {text};")
                text = name
                self.named.add(number)
            texts[number] = text
        self.named.clear()
        return lines, texts[value.number]

    def _reached(self, last: int) -> list[int]:
        """Return the nodes that a node is made of, in order; arguments always come earlier."""
        found = {last}
        for number in range(last, -1, -1):
            if number in found:
                found.update(self.nodes[number].args)
        return sorted(found)

    def _operand(self, number: int, texts: Mapping[int, str], user: Node) -> str:
        """Write an argument, in brackets where it stands between signs."""
        node, text = self.nodes[number], texts[number]
        alone = node.atom and not text.startswith("-")
        called = re.fullmatch(r"[\w.]+\(\{0\}(, \{\d\})*\)", user.form) is not None
        plain = alone or called or number in self.named or _is_call(text)
        return text if plain else f"({text})"


def _is_call(text: str) -> bool:
    """Tell whether a text is one call: brackets need no brackets around them."""
    head, bracket, rest = text.partition("(")
    if not bracket or not head.replace(".", "").replace("_", "").isalnum() or text[-1] != ")":
        return False
    depth = 1
    for k, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return k == len(rest) - 1
    return False
