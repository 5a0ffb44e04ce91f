"""Answers: numbers as people type them, how near is right, and how they are written back."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np

NEAR, APART = 0.006, 0.02
"""Two decimals are enough; where stages were rounded on the way, two percent are allowed."""

_DECIMAL = r"\d{1,12}(?:[.,]\d{1,12})?|[.,]\d{1,12}"
_NUMBER = re.compile(rf"([+-]?)({_DECIMAL})(?:/([+-]?)({_DECIMAL}))?")
_SIGNS = str.maketrans("−–—⁄∕", "---//")


def read(text: str, shape: tuple[int, ...] = ()) -> Any:
    """Read an answer: a number, a fraction, or an array row by row; None if it is none.

    The comma is a decimal comma, or parts the elements where only that gives the right number of
    them; rows end with `;`. Arrays come flat or in rows.

    >>> read("-3/4"), read("0,5"), read("½")
    (-0.75, 0.5, None)
    >>> read("[1 2; 3 -4]", (2, 2)).tolist(), read("1, 2", (2,)).tolist()
    ([[1.0, 2.0], [3.0, -4.0]], [1.0, 2.0])
    """
    text = re.sub(r"\s*/\s*", "/", text.translate(_SIGNS).strip())
    if not shape:
        return _number(text)
    text = re.sub(r"[\[\]();\s]+", " ", re.sub(r"[,;](?=\s)", " ", text)).strip()
    for parts in (text.split(), text.replace(",", " ").split()):
        numbers = [_number(part) for part in parts]
        if len(numbers) == np.prod(shape) and None not in numbers:
            return np.array(numbers, dtype=float).reshape(shape)
    return None


def _number(text: str) -> float | None:
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    sign, above, sign_below, below = found.groups()
    top = Fraction(above.replace(",", "."))
    bottom = Fraction(below.replace(",", ".")) if below else Fraction(1)
    if not bottom:
        return None
    value = float(top / bottom)
    return -value if (sign == "-") != (sign_below == "-") else value


def right(given: Any, answer: Any, rounded: bool = False) -> bool:
    """Tell whether an answer is right; `rounded` where those before it may have been rounded."""
    near = NEAR + APART * np.abs(answer) if rounded else NEAR
    return bool(np.all(np.abs(np.subtract(given, answer)) <= near))


def write(value: Any) -> str:
    """Write a number or a small array as answers are typed.

    >>> write(np.array([[1.0, -2.0], [0.5, 3.0]])), write(0.196612), write(-12.0)
    ('[1 -2; 0.5 3]', '0.1966', '-12')
    """
    array = np.asarray(value, dtype=float)
    if array.ndim == 0:
        return f"{float(array) + 0.0:.4g}"
    rows = array.reshape(-1, array.shape[-1])
    return "[" + "; ".join(" ".join(write(each) for each in row) for row in rows) + "]"


def exact(value: Any) -> str:
    """Write a number as an answer, with the fraction it is: `1/4 = 0.25`.

    >>> exact(-0.125), exact(3.0), exact(0.196612)
    ('-1/8 = -0.125', '3', '0.1966')
    """
    if np.ndim(value):
        return write(value)
    number = float(value)
    fraction = Fraction(number).limit_denominator(50)
    if fraction.denominator == 1 or abs(float(fraction) - number) > 1e-12:
        return write(value)
    return f"{fraction} = {write(value)}"
