"""Elements: how vectors of them are read and written, and turned from one kind into another."""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.native.code import Code, scaled
from corrente.native.vectors import Value, Vectors

KINDS = {"f8": "double", "f4": "float", "b1": "i1", "i8": "i64", "i4": "i32"}


def kind_of(dtype: np.dtype[Any]) -> str:
    """Return the LLVM type of an element in a register."""
    return KINDS[dtype.str[1:]]


def stored(kind: str) -> str:
    """Return the LLVM type of an element in memory."""
    return "i8" if kind == "i1" else kind


def load(code: Code, pointer: str, kind: str) -> Value:
    """Read one element."""
    text = code.let(f"load {stored(kind)}, ptr {pointer}", "x")
    if kind == "i1":
        text = code.let(f"icmp ne i8 {text}, 0", "x")
    return Value(text, kind)


def load_vector(
    code: Code, vectors: Vectors, pointer: str, stride: int, index: str, kind: str
) -> Value:
    """Read a vector whose elements lie `stride` bytes apart."""
    element = stored(kind)
    first = code.at(pointer, scaled(code, [(index, stride)]))
    size = bytes_of(element)
    if vectors.lanes == 1:
        text = code.let(f"load {element}, ptr {first}", "x")
    elif stride == size:
        text = code.let(f"load {vectors.type(element)}, ptr {first}, align {size}", "x")
    else:
        text = "poison"
        for lane in range(vectors.lanes):
            one = code.let(f"load {element}, ptr {code.at(first, lane * stride)}", "x")
            text = code.let(
                f"insertelement {vectors.type(element)} {text}, {element} {one}, i64 {lane}"
            )
    if kind == "i1":
        zero = "0" if vectors.lanes == 1 else "zeroinitializer"
        text = code.let(f"icmp ne {vectors.type('i8')} {text}, {zero}", "x")
    return Value(text, kind)


def store_vector(
    code: Code, vectors: Vectors, pointer: str, stride: int, index: str, value: Value
) -> None:
    """Write a vector to elements that lie `stride` bytes apart."""
    text, element = value.name, stored(value.kind)
    if value.kind == "i1":
        text = code.let(f"zext {vectors.type('i1')} {text} to {vectors.type('i8')}")
    first = code.at(pointer, scaled(code, [(index, stride)]))
    size = bytes_of(element)
    if vectors.lanes == 1 or stride == size:
        code.add(f"store {vectors.type(element)} {text}, ptr {first}, align {size}")
        return
    for lane in range(vectors.lanes):
        one = code.let(f"extractelement {vectors.type(element)} {text}, i64 {lane}")
        code.add(f"store {element} {one}, ptr {code.at(first, lane * stride)}")


def as_kind(vectors: Vectors, value: Value, kind: str) -> Value:
    """Cast a value to an element kind; a number becomes a flag by asking whether it is not 0."""
    if value.kind == kind:
        return value
    if kind == "i1":
        return vectors.negate(vectors.eq(value, vectors.const(0.0, value)))
    return vectors.cast(value, kind)


def splat(code: Code, vectors: Vectors, value: Value) -> Value:
    """Put one element into every lane."""
    if vectors.lanes == 1:
        return value
    kind = vectors.type(value.kind)
    one = code.let(f"insertelement {kind} poison, {value.kind} {value.name}, i64 0")
    text = code.let(
        f"shufflevector {kind} {one}, {kind} poison, <{vectors.lanes} x i32> zeroinitializer"
    )
    return Value(text, value.kind)


def flag(vectors: Vectors, holds: bool) -> str:
    """Write a constant truth value."""
    text = "true" if holds else "false"
    return text if vectors.lanes == 1 else f"splat (i1 {text})"


def bytes_of(element: str) -> int:
    """Return the length of an element in memory."""
    return {"double": 8, "float": 4, "i8": 1, "i64": 8, "i32": 4}[element]
