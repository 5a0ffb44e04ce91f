"""Polynomials: what the curves share. Horner's scheme, powers of two, exponents and fractions.

Coefficients are minimax fits made by `docs/minimax.py`; each table names the error of its fit,
relative to the curve. A constant in two parts has zeros at the end of the first, so that a whole
number times it is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from corrente.native.vectors import Value, Vectors


class Form(NamedTuple):
    """How a kind of float is made, and what its range asks for."""

    digits: int
    """Bits of the fraction after the leading one."""
    bias: int
    """What is added to an exponent when it is stored."""
    lift: int
    """A power of two that brings any subnormal number among the normal ones; a multiple of 3."""


FORM = {"double": Form(52, 1023, 54), "float": Form(23, 127, 24)}
# ln 2 and log₁₀ 2 in two parts
LN2 = {
    "double": (0.6931471805598903, 5.497923018708371e-14),
    "float": (0.693145751953125, 1.428606765330187e-06),
}
LOG10_2 = {
    "double": (0.30102999566383914, 1.42050232272661e-13),
    "float": (0.301025390625, 4.605039066518657e-06),
}


def horner(b: Vectors, x: Value, coefficients: Sequence[float]) -> Value:
    """Evaluate a polynomial, the coefficients given from the lowest order up."""
    total = b.const(coefficients[-1], x)
    for coefficient in reversed(coefficients[:-1]):
        total = b.muladd(total, x, b.const(coefficient, x))
    return total


def beyond(
    b: Vectors, x: Value, square: Value, coefficients: Sequence[float], lost: Value | None = None
) -> Value:
    """Evaluate x³·p(x²): what an odd curve has beyond x; `lost` is added."""
    cube, p = b.mul(x, square), horner(b, square, coefficients)
    return b.mul(cube, p) if lost is None else b.muladd(cube, p, lost)


def odd(b: Vectors, x: Value, coefficients: Sequence[float]) -> Value:
    """Evaluate x + x³·p(x²)."""
    square = b.mul(x, x)
    return b.muladd(b.mul(x, square), horner(b, square, coefficients), x)


def magic(kind: str) -> float:
    """Return the number whose last bits hold a whole number once that is added."""
    return 1.5 * 2.0 ** FORM[kind].digits


def nearest(b: Vectors, x: Value, scale: float) -> tuple[Value, Value]:
    """Round scale·x; return it with the magic number added, and as a float."""
    shifter = b.const(magic(x.kind), x)
    shifted = b.muladd(x, b.const(scale, x), shifter)
    return shifted, b.sub(shifted, shifter)


def power_of_two(b: Vectors, shifted: Value, extra: Value | int = 0) -> Value:
    """Return 2 to a whole number that was added to the magic one, times 2 to `extra`."""
    digits, bias, _ = FORM[shifted.kind]
    exponent = b.whole("shl", b.bits(shifted), digits)
    extra = (bias + extra) << digits if isinstance(extra, int) else extra
    return b.of_bits(b.whole("add", exponent, extra))


def scaled(b: Vectors, p: Value, shifted: Value, down: Value) -> Value:
    """Return p times a power of two that may lie beyond all numbers, on the side `down` says."""
    digits, bias, _ = FORM[p.kind]
    step = 64 if p.kind == "double" else 32
    whole = f"i{digits + 12 if p.kind == 'double' else 32}"
    towards = b.select(
        down,
        b.number((bias + step) << digits, whole),
        b.number((bias - step) << digits, whole),
    )
    back = b.select(down, b.const(2.0**-step, p), b.const(2.0**step, p))
    return b.mul(b.mul(p, power_of_two(b, shifted, towards)), back)


def between(b: Vectors, x: Value, low: float, high: float) -> Value:
    """Keep x between two numbers; NaN passes."""
    return at_most(b, at_least(b, x, low), high)


def at_least(b: Vectors, x: Value, low: float) -> Value:
    """Raise x to a number; NaN passes."""
    bound = b.const(low, x)
    return b.select(b.lt(x, bound), bound, x)


def at_most(b: Vectors, x: Value, high: float) -> Value:
    """Lower x to a number; NaN passes."""
    bound = b.const(high, x)
    return b.select(b.lt(bound, x), bound, x)


# the fraction lies between √½ and √2
_ROOT_HALF = {"double": 0x3FE6A09E667F3BCD, "float": 0x3F3504F3}


def fraction(b: Vectors, x: Value, unit: int | None = None) -> tuple[Value, Value]:
    """Return m and the biased exponent e of a positive normal number, x = m·2ᵉ.

    The fraction m begins at √½, or at the number whose bits `unit` gives.
    """
    digits, bias, _ = FORM[x.kind]
    start = _ROOT_HALF[x.kind] if unit is None else unit
    moved = b.whole("add", b.bits(x), (bias << digits) - start)
    m = b.whole("add", b.whole("and", moved, (1 << digits) - 1), start)
    return b.of_bits(m), b.whole("lshr", moved, digits)


def as_float(b: Vectors, exponent: Value, minus: float | Value) -> Value:
    """Turn a small whole number ≥ 0 into a float, less another one."""
    kind = "double" if exponent.kind == "i64" else "float"
    base = 1 << FORM[kind].digits
    bits = b.whole("or", exponent, (FORM[kind].bias + FORM[kind].digits) << FORM[kind].digits)
    shift = b.number(base + minus, kind) if isinstance(minus, int | float) else minus
    return b.sub(b.of_bits(bits), shift)


def normal(b: Vectors, x: Value) -> tuple[Value, Value]:
    """Lift subnormal numbers; return the number, and what `as_float` has to take away."""
    digits, bias, lift = FORM[x.kind]
    tiny = b.lt(x, b.const(2.0 ** (1 - bias), x))
    lifted = b.select(tiny, b.mul(x, b.const(2.0**lift, x)), x)
    base = (1 << digits) + bias
    return lifted, b.select(tiny, b.const(base + lift, x), b.const(base, x))
