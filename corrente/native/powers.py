"""Powers: roots of the third order, powers of any number, and remainders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from corrente.native.polynomials import (
    FORM,
    as_float,
    between,
    fraction,
    horner,
    nearest,
    normal,
    odd,
    power_of_two,
    scaled,
)

if TYPE_CHECKING:
    from corrente.native.vectors import Value, Vectors

Pair = tuple["Value", "Value"]
"""A number in two parts: the second holds what the first could not."""

# m^(−1/3) for 1 ≤ m ≤ 2: 2^−14.7, to begin with
_CBRT = (
    1.6699012517929077,
    -1.1725832223892212,
    0.6951754093170166,
    -0.2210993468761444,
    0.02856803685426712,
)
# (artanh s / s − 1 − s²/3) / s⁴ in powers of s², for |s| ≤ (√2 − 1)/(√2 + 1): 2^−66.3
_ARTANH = (
    0.2000000000000113,
    0.14285714285048673,
    0.11111111260135047,
    0.09090892170036396,
    0.07693379228555318,
    0.06628396895361534,
    0.06598266842790992,
)
# for single precision: (artanh s − s) / s³ to 2^−45, (2ʳ − 1) / r to 2^−34
_SHORT_ARTANH = (
    0.3333333333789229,
    0.19999997814057247,
    0.14286054230342443,
    0.11088109195709425,
    0.09791861054340469,
)
_SHORT_EXP2 = (
    0.6931471807051371,
    0.24022651067347373,
    0.055504103643093564,
    0.009618038020266617,
    0.0013333936163112269,
    0.00015466792017494496,
    1.5195958816108316e-05,
)
_EXP2 = (  # (2ʳ − 1) / r for |r| ≤ ½: 2^−57.8
    0.6931471805599453,
    0.2402265069591011,
    0.055504108664821736,
    0.009618129107600659,
    0.0013333558146540574,
    0.00015403530450092048,
    1.5252733641071236e-05,
    1.3215438358109454e-06,
    1.0178156636191512e-07,
    7.073308860514588e-09,
    4.4394248227255683e-10,
)
_THIRD = (0.3333333333333333, 1.850371707708594e-17)
_TWICE_LOG2_E = (2.8853900817779268, 4.0710547481862066e-17)


def fmod(b: Vectors, x: Value, y: Value) -> Value:
    """Take what is left of x after whole steps of y, with the sign of x."""
    return b.each("fmod", x, y)


def cbrt(b: Vectors, x: Value) -> Value:
    """Take the cube root: Newton's steps for its reciprocal, and a last one with what is left."""
    size = b.abs(x)
    lifted, bias = normal(b, size)
    m, exponent = fraction(b, lifted, FORM[x.kind].bias << FORM[x.kind].digits)
    n = as_float(b, exponent, bias)
    third = b.const(1.0 / 3.0, x)
    shifted, whole = nearest(b, n, 1.0 / 3.0)
    rest = b.muladd(whole, b.const(-3.0, x), n)
    step = [b.eq(rest, b.const(k, x)) for k in (1.0, -1.0)]
    w = b.mul(m, _one_of(b, x, step, (2.0, 0.5, 1.0)))
    start = _one_of(b, x, step, (2.0 ** (-1.0 / 3.0), 2.0 ** (1.0 / 3.0), 1.0))
    g = b.mul(horner(b, m, _CBRT), start)
    for _ in range(2 if x.kind == "double" else 1):
        missing = b.muladd(b.mul(b.neg(w), g), b.mul(g, g), b.const(1.0, x))
        g = b.muladd(b.mul(g, third), missing, g)
    square = b.mul(g, g)
    z = b.mul(w, square)
    zz = b.mul(z, z)
    left = b.muladd(b.fma(z, z, b.neg(zz)), b.neg(z), b.fma(b.neg(zz), z, w))
    z = b.muladd(b.mul(left, square), third, z)
    root = b.copysign(b.mul(z, power_of_two(b, shifted)), x)
    finite = b.lt(size, b.const(math.inf, x))
    return b.select(b.both(finite, b.lt(b.const(0.0, x), size)), root, x)


def _one_of(
    b: Vectors, like: Value, where: list[Value], numbers: tuple[float, float, float]
) -> Value:
    first, second, third = (b.const(number, like) for number in numbers)
    return b.select(where[0], first, b.select(where[1], second, third))


# --- numbers in two parts -----------------------------------------------------------------------


def _sum(b: Vectors, x: Value, y: Value, rest: Value) -> Pair:
    """Add y to the greater x, and `rest` to what is lost."""
    high = b.add(x, y)
    return high, b.add(b.add(b.sub(x, high), y), rest)


def _product(b: Vectors, x: Pair, y: Pair) -> Pair:
    high = b.mul(x[0], y[0])
    low = b.fma(x[0], y[0], b.neg(high))
    return high, b.muladd(x[0], y[1], b.muladd(x[1], y[0], low))


def _two(b: Vectors, like: Value, parts: tuple[float, float]) -> Pair:
    return b.const(parts[0], like), b.const(parts[1], like)


def _log2(b: Vectors, x: Value) -> Pair:
    """Return the logarithm to the base 2 of a positive number, to about 64 digits."""
    lifted, bias = normal(b, x)
    m, exponent = fraction(b, lifted)
    n = as_float(b, exponent, bias)
    one = b.const(1.0, x)
    # s = (m − 1) / (m + 1)
    f, below = b.sub(m, one), b.add(m, one)
    inverse = b.div(one, below)
    s = b.mul(f, inverse)
    left = b.fma(b.neg(s), below, f)
    left = b.muladd(b.neg(s), b.sub(m, b.sub(below, one)), left)
    pair = (s, b.mul(left, inverse))
    square = _product(b, pair, pair)
    third, third_low = _two(b, x, _THIRD)
    tail = b.mul(square[0], horner(b, square[0], _ARTANH))
    more = _product(b, pair, _product(b, square, _sum(b, third, tail, third_low)))
    whole = _sum(b, s, more[0], b.add(pair[1], more[1]))
    product = _product(b, whole, _two(b, x, _TWICE_LOG2_E))
    return _sum(b, n, product[0], product[1])


def _short_log2(b: Vectors, x: Value) -> Value:
    """Return the logarithm to the base 2 of a positive normal number, to 40 digits."""
    m, exponent = fraction(b, x)
    one = b.const(1.0, x)
    s = b.div(b.sub(m, one), b.add(m, one))
    curve = b.mul(odd(b, s, _SHORT_ARTANH), b.const(_TWICE_LOG2_E[0], x))
    return b.add(as_float(b, exponent, FORM[x.kind].bias), curve)


# --- powers -------------------------------------------------------------------------------------


def pow(b: Vectors, x: Value, y: Value) -> Value:
    """Raise x to the power y."""
    size = b.abs(x)
    power = (_power if x.kind == "double" else _short_power)(b, size, y)
    return _signed(b, x, y, power)


def _ends(b: Vectors, size: Value, logarithm: Value) -> Value:
    infinity = b.const(math.inf, size)
    found = b.select(b.eq(size, infinity), infinity, logarithm)
    return b.select(b.eq(size, b.const(0.0, size)), b.const(-math.inf, size), found)


def _power(b: Vectors, size: Value, y: Value) -> Value:
    """Raise a number ≥ 0 to the power y, in two parts."""
    high, low = _log2(b, size)
    high = _ends(b, size, high)
    product = b.mul(y, high)
    rest = b.muladd(y, low, b.fma(y, high, b.neg(product)))
    zero = b.const(0.0, y)
    # where the power is 0 or infinite the second part means nothing
    rest = b.select(b.lt(b.abs(product), b.const(1080.0, y)), rest, zero)
    down = b.lt(product, zero)
    product = between(b, product, -1077.0, 1025.0)
    shifted, n = nearest(b, product, 1.0)
    r = b.add(b.sub(product, n), rest)
    return scaled(b, horner(b, r, (1.0, *_EXP2)), shifted, down)


def _short_power(b: Vectors, size: Value, y: Value) -> Value:
    """Raise a number ≥ 0 to the power y: single precision, by way of double."""
    wide, exponent = b.cast(size, "double"), b.cast(y, "double")
    product = b.mul(exponent, _ends(b, wide, _short_log2(b, wide)))
    product = between(b, product, -200.0, 200.0)
    shifted, n = nearest(b, product, 1.0)
    p = horner(b, b.sub(product, n), (1.0, *_SHORT_EXP2))
    return b.cast(b.mul(p, power_of_two(b, shifted)), "float")


def _signed(b: Vectors, x: Value, y: Value, power: Value) -> Value:
    """Give the power of |x| the sign and the exceptions that C99 asks for."""
    zero, one, nan = (b.const(number, x) for number in (0.0, 1.0, math.nan))
    half = b.mul(y, b.const(0.5, y))
    whole = b.eq(b.rint(y), y)
    uneven = b.both(whole, b.negate(b.eq(b.rint(half), half)))
    signed = b.select(uneven, b.copysign(power, x), power)
    finite = b.lt(b.const(-math.inf, x), x)
    undefined = b.both(b.both(b.lt(x, zero), finite), b.negate(whole))
    y_nan, x_nan = b.negate(b.eq(y, y)), b.negate(b.eq(x, x))
    found = b.select(b.either(undefined, b.either(x_nan, y_nan)), nan, signed)
    # one to any power is one, and so is minus one to an infinite one
    endless = b.both(b.eq(b.abs(y), b.const(math.inf, y)), b.eq(x, b.const(-1.0, x)))
    always = b.either(b.either(b.eq(x, one), b.eq(y, zero)), endless)
    return b.select(always, one, found)


def short(b: Vectors, x: Value, power: float | None) -> Value | None:
    """Write a small constant power as products; None for any other."""
    if power == 1.0:
        return x
    if power == 0.5:
        # as NumPy does: −0 stays −0, and −∞ has no root
        return b.sqrt(x)
    if power == -1.0:
        return b.div(b.const(1.0, x), x)
    if power in (2.0, 4.0):
        square = b.mul(x, x)
        return square if power == 2.0 else b.mul(square, square)
    if power == 3.0:
        return b.mul(b.mul(x, x), x)
    return None
