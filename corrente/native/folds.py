"""Folds: sums, products and extremes; lanes folded onto lanes, sums with their errors."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from corrente.native.code import Code
from corrente.native.vectors import FLOATS, Value


class Fold(NamedTuple):
    """One reduction of the body: its operation, what it folds and which output it makes."""

    name: str
    wire: int
    out: int
    kind: str
    """How it counts: truth values, which are folded as they lie in memory, as i8."""

    @property
    def drifts(self) -> bool:
        """Tell whether rounding errors add up: a sum of floats is kept with its error."""
        return self.name == "sum" and self.kind in FLOATS


_ENDS = {"i8": (0, 1), "i32": (-(2**31), 2**31 - 1), "i64": (-(2**63), 2**63 - 1)}
_WORDS = {"sum": ("fadd", "add"), "prod": ("fmul", "mul")}
_BEATS = {"max": ("fcmp ogt", "icmp sgt"), "min": ("fcmp olt", "icmp slt")}


def identity(fold: Fold) -> str:
    """Return what a fold begins with."""
    whole = fold.kind not in FLOATS
    if fold.name == "sum":
        # as in NumPy: a sum of negative zeros is a positive one
        return "0" if whole else "0.0"
    if fold.name == "prod":
        return "1" if whole else "1.0"
    if whole:
        return str(_ENDS[fold.kind][fold.name == "min"])
    infinity = {"max": -math.inf, "min": math.inf}[fold.name]
    return "0xFFF0000000000000" if infinity < 0 else "0x7FF0000000000000"


def combine(code: Code, type_of: Any, fold: Fold, have: Value, more: Value) -> Value:
    """Fold one value into another: add, multiply or take the greater or smaller; NaN stays NaN."""
    kind, whole = type_of(fold.kind), fold.kind not in FLOATS
    if fold.name in _WORDS:
        word = _WORDS[fold.name][whole]
        return Value(code.let(f"{word} {kind} {have.name}, {more.name}"), fold.kind)
    takes = code.let(f"{_BEATS[fold.name][whole]} {kind} {more.name}, {have.name}")
    flags = type_of("i1")
    if not whole:
        unknown = code.let(f"fcmp uno {kind} {more.name}, {more.name}")
        takes = code.let(f"or {flags} {takes}, {unknown}")
    return Value(
        code.let(f"select {flags} {takes}, {kind} {more.name}, {kind} {have.name}"), fold.kind
    )


def fold_lanes(code: Code, fold: Fold, text: str, lanes: int) -> str:
    """Fold a vector half onto half until one number is left."""
    while lanes > 1:
        half, kind = lanes // 2, f"<{lanes} x {fold.kind}>"
        parts = []
        for begin in (0, half):
            mask = ", ".join(f"i32 {begin + k}" for k in range(half))
            parts.append(
                code.let(f"shufflevector {kind} {text}, {kind} poison, <{half} x i32> <{mask}>")
            )

        def type_of(element: str, half: int = half) -> str:
            return f"<{half} x {element}>"

        low, high = (Value(part, fold.kind) for part in parts)
        text = combine(code, type_of, fold, low, high).name
        lanes = half
        if lanes == 1:
            text = code.let(f"extractelement <1 x {fold.kind}> {text}, i64 0")
    return text


def compensated_add(code: Code, kind: str, total: str, error: str, value: str) -> None:
    """Add a number to a sum and what rounding lost to its error (Knuth's two-sum)."""
    s = code.let(f"load {kind}, ptr {total}")
    e = code.let(f"load {kind}, ptr {error}")
    t = code.let(f"fadd {kind} {s}, {value}")
    b = code.let(f"fsub {kind} {t}, {s}")
    lost_s = code.let(f"fsub {kind} {s}, {code.let(f'fsub {kind} {t}, {b}')}")
    lost_v = code.let(f"fsub {kind} {value}, {b}")
    lost = code.let(f"fadd {kind} {lost_s}, {lost_v}")
    code.add(f"store {kind} {t}, ptr {total}")
    code.add(f"store {kind} {code.let(f'fadd {kind} {e}, {lost}')}, ptr {error}")


def compensated_end(code: Code, kind: str, total: str, error: str) -> str:
    """Add the error to the sum where there is one; of an infinite sum it is no number."""
    whole = code.let(f"fadd {kind} {total}, {error}")
    wrong = code.let(f"fcmp one {kind} {error}, 0.0")
    return code.let(f"select i1 {wrong}, {kind} {whole}, {kind} {total}")
