"""What C and JavaScript write differently: types, numbers, functions, declarations."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

DType = np.dtype[Any]
BOOL = np.dtype(bool)
DOUBLE = np.dtype(np.float64)
SINGLE = np.dtype(np.float32)


class Dialect(NamedTuple):
    """What C and JavaScript write differently."""

    name: str
    local: Callable[[DType], str]
    """How a variable is declared, before its name: `const double`, `const`."""
    number: Callable[[Any, DType], str]
    """A constant."""
    call: Callable[[str, DType], str]
    """The function of a name in C's mathematics, for a type."""
    convert: Callable[[str, DType, DType], str]
    """An expression of one type as one of another."""
    equal: str
    whole_quotient: str
    """The quotient of whole numbers, {0} by {1}, rounded towards zero."""
    rounds: Callable[[str, DType], str]
    """What an operation must do to have its type's digits: `Math.fround` for float32."""
    declare: str
    """How a loop variable is declared."""
    changing: Callable[[DType], str]
    """How a variable that changes is declared, before its name."""
    array: Callable[[str, DType, int], str]
    """The statement that makes an array of a size."""
    read: Callable[[str, DType], str]
    """An element as a value of its type."""
    truth: Callable[[str], str]
    """A number as a truth value."""


# --- C ------------------------------------------------------------------------------------------

C_TYPES = {
    "bool": "unsigned char",
    "float64": "double",
    "float32": "float",
    **{f"{sign}int{size}": f"{sign}int{size}_t" for sign in ("", "u") for size in (8, 16, 32, 64)},
}


def c_type(dtype: DType) -> str:
    """Return the C type of a dtype.

    >>> c_type(np.dtype(np.float32)), c_type(np.dtype(bool))
    ('float', 'unsigned char')
    """
    return C_TYPES[dtype.name]


def c_number(number: Any, dtype: DType) -> str:
    """Write a number as C.

    >>> c_number(0.5, np.dtype(np.float32)), c_number(-math.inf, np.dtype(float))
    ('0.5f', '-INFINITY')
    """
    if dtype.kind == "b":
        return "1" if number else "0"
    if dtype.kind in "iu":
        return _whole_number(int(number), dtype)
    value = dtype.type(number)
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    text = repr(float(value)) if dtype != SINGLE else str(np.float32(value))
    if "e" not in text and "." not in text:
        text += ".0"
    return f"{text}f" if dtype == SINGLE else text


def _whole_number(number: int, dtype: DType) -> str:
    if dtype.kind == "u":
        return f"{number}u" if number < 2**31 else f"{number}ull"
    if number == -(2**63):
        return "INT64_MIN"
    return str(number) if abs(number) < 2**31 else f"{number}ll"


def _c_convert(text: str, before: DType, after: DType) -> str:
    if after.kind == "b":
        return f"{text} != 0"
    return f"({c_type(after)}){text}" if before.kind == "f" or after.kind == "f" else text


C = Dialect(
    name="C",
    local=lambda dtype: f"const {c_type(dtype)}",
    number=c_number,
    call=lambda name, dtype: f"{name}f" if dtype == SINGLE else name,
    convert=_c_convert,
    equal="==",
    whole_quotient="{0} / {1}",
    rounds=lambda text, dtype: text,
    declare="int",
    changing=c_type,
    array=lambda name, dtype, size: f"static {c_type(dtype)} {name}[{size}];",
    read=lambda text, dtype: text,
    truth=lambda text: text,
)

# --- JavaScript ---------------------------------------------------------------------------------


def script_number(number: Any, dtype: DType) -> str:
    """Write a number as JavaScript.

    >>> script_number(np.inf, np.dtype(float)), script_number(2, np.dtype(bool))
    ('Infinity', 'true')
    """
    if dtype.kind == "b":
        return "true" if number else "false"
    if dtype.kind in "iu":
        return str(int(number))
    value = float(dtype.type(number))
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _script_convert(text: str, before: DType, after: DType) -> str:
    if after.kind == "b":
        return f"{text} !== 0" if before.kind != "b" else text
    if after == SINGLE:
        return f"Math.fround({text})"
    if after.kind in "iu" and before.kind == "f":
        return f"Math.trunc({text})"
    return f"Number({text})" if before.kind == "b" else text


def script_array(dtype: DType) -> str:
    """Return the typed array of JavaScript that holds a dtype; 64-bit integers go as doubles."""
    if dtype.kind == "b":
        return "Uint8Array"
    if dtype.kind in "iu":
        sign = "Uint" if dtype.kind == "u" else "Int"
        return "Float64Array" if dtype.itemsize == 8 else f"{sign}{8 * dtype.itemsize}Array"
    return f"Float{8 * dtype.itemsize}Array"


_SCRIPT = {"fabs": "Math.abs", "fmod": "modulo", "exp2": "exp2", "rint": "rint", "pow": "power"}

JAVASCRIPT = Dialect(
    name="JavaScript",
    local=lambda dtype: "const",
    number=script_number,
    call=lambda name, dtype: _SCRIPT.get(name, f"Math.{name}"),
    convert=_script_convert,
    equal="===",
    whole_quotient="Math.trunc({0} / {1})",
    rounds=lambda text, dtype: f"Math.fround({text})" if dtype == SINGLE else text,
    declare="let",
    changing=lambda dtype: "let",
    array=lambda name, dtype, size: f"const {name} = new {script_array(dtype)}({size});",
    # a truth value is a number in an array, and a boolean outside
    read=lambda text, dtype: f"({text} == true)" if dtype == BOOL else text,
    truth=lambda text: f"({text}) !== 0",
)
