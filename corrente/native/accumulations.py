"""Accumulations: running sums and products along one axis, added up in order as NumPy does."""

from __future__ import annotations

import math
from collections.abc import Sequence

from corrente.circuit import Step
from corrente.native.code import Code, scaled
from corrente.native.elements import KINDS, kind_of
from corrente.native.gathers import Write
from corrente.native.layouts import Layout
from corrente.native.vectors import Module

_KINDS = KINDS.keys() - {"b1"}
_WORDS = {"cumsum": ("fadd", "add"), "cumprod": ("fmul", "mul")}


def fits(step: Step, layouts: Sequence[Layout], out: Layout) -> bool:
    """Tell whether an accumulation has a native body."""
    if step.gate.name not in _WORDS:
        return False
    x = layouts[0]
    return x.dtype == out.dtype and x.dtype.str[1:] in _KINDS and x.size > 0


def accumulate(step: Step, layouts: list[Layout], out: Layout, module: Module) -> Write:
    """Return what writes the kernel: every row is the one before it and its own elements."""
    x, axis = layouts[0], step.params["axis"]
    kind = kind_of(x.dtype)
    word = _WORDS[step.gate.name][x.dtype.kind == "i"]
    key = step.gate.name, axis, x[2:], out[2:]
    before, count, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]

    def write(head: str) -> str:
        code = Code(module)
        total = code.local(kind)

        def at(pointer: str, layout: Layout, indices: Sequence[str]) -> str:
            terms = list(zip(indices, layout.strides, strict=True))
            return code.at(pointer, scaled(code, terms))

        def element(indices: list[str], have: str | None) -> None:
            new = code.let(f"load {kind}, ptr {at('%in0', x, indices)}")
            if have is not None:
                new = code.let(f"{word} {kind} {code.let(f'load {kind}, ptr {have}')}, {new}")
            code.add(f"store {kind} {new}, ptr {at('%out0', out, indices)}")
            if alone:
                code.add(f"store {kind} {new}, ptr {total}")

        # in the last axis the sum so far stays in a register
        alone = math.prod(after) == 1

        def rows(outer: list[str]) -> None:
            code.over(after, lambda inner: element([*outer, "0", *inner], None))
            if count == 1:
                return
            with code.loop(1, count) as k:
                last = code.let(f"sub i64 {k}, 1")

                def row(inner: list[str]) -> None:
                    have = total if alone else at("%out0", out, [*outer, last, *inner])
                    element([*outer, k, *inner], have)

                code.over(after, row)

        code.over(before, rows)
        code.add("ret void")
        return code.text(head)

    return key, write, layouts[:1], [out]
