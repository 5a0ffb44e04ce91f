"""Logarithms, and the inverses of the hyperbolic curves, which are made of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from corrente.native.polynomials import FORM, LN2, LOG10_2, as_float, fraction, horner, normal

if TYPE_CHECKING:
    from corrente.native.vectors import Value, Vectors

# twice (artanh s − s) / s³ in powers of s², for |s| ≤ (√2 − 1)/(√2 + 1): 2^−59.5
_ARTANH = tuple(
    2.0 * c
    for c in (
        0.3333333333333367,
        0.199999999997085,
        0.14285714370955763,
        0.11111099309420185,
        0.09091781045480389,
        0.0765705234724148,
        0.0739771750521314,
    )
)
# (ln(1 + f) − f + f²/2) / f³ for √½ ≤ 1 + f ≤ √2: 2^−27.3
_LOG = (
    0.3333333134651184,
    -0.250008225440979,
    0.20001240074634552,
    -0.16623318195343018,
    0.1420159488916397,
    -0.1316043883562088,
    0.1276228278875351,
    -0.07634344696998596,
)
# (log(1 + f) − f·log e) / f² to the base 2: 2^−27.7; to the base 10: 2^−27.7
_LOG2 = (
    -0.7213473320007324,
    0.4808982014656067,
    -0.3606979548931122,
    0.2885703444480896,
    -0.23959380388259888,
    0.20453688502311707,
    -0.19117026031017303,
    0.18658636510372162,
    -0.11020657420158386,
)
_LOG10 = (
    -0.21714718639850616,
    0.14476478099822998,
    -0.10858073830604553,
    0.08686830848455429,
    -0.07212835550308228,
    0.061574697494506836,
    -0.057525694370269775,
    0.05613957718014717,
    -0.033188991248607635,
)
# log₂ e and log₁₀ e in two parts
_LOG2_E = {
    "double": (1.4426950408889634, 2.0355273740931033e-17),
    "float": (1.4426950216293335, 1.925963033500011e-08),
}
_LOG10_E = {
    "double": (0.4342944819032518, 1.098319650216765e-17),
    "float": (0.4342944920063019, -1.0103049952192578e-08),
}


def _with_ends(b: Vectors, x: Value, y: Value) -> Value:
    """Give the logarithm y its values at the ends: −∞ at 0, NaN below, ∞ at ∞."""
    zero, infinity = b.const(0.0, x), b.const(math.inf, x)
    outside = b.select(b.eq(x, zero), b.const(-math.inf, x), b.const(math.nan, x))
    return b.select(b.eq(x, infinity), x, b.select(b.lt(zero, x), y, outside))


def _taken_apart(b: Vectors, x: Value) -> tuple[Value, Value]:
    """Return f and n of x = (1 + f)·2ⁿ."""
    lifted, bias = normal(b, x)
    m, exponent = fraction(b, lifted)
    return b.sub(m, b.const(1.0, x)), as_float(b, exponent, bias)


def _parts(b: Vectors, f: Value) -> tuple[Value, Value]:
    """Return h and t with ln(1 + f) = f − (h − t), where h is f²/2."""
    h = b.mul(b.mul(b.const(0.5, f), f), f)
    s = b.div(f, b.add(b.const(2.0, f), f))
    square = b.mul(s, s)
    return h, b.mul(s, b.muladd(square, horner(b, square, _ARTANH), h))


def _natural(b: Vectors, f: Value, n: Value) -> Value:
    """Return ln(1 + f) + n·ln 2."""
    high, low = (b.const(part, f) for part in LN2[f.kind])
    if f.kind == "double":
        h, t = _parts(b, f)
        rest = b.sub(b.sub(h, b.muladd(n, low, t)), f)
        return b.muladd(n, high, b.neg(rest))
    square = b.mul(f, f)
    tail = b.muladd(b.mul(square, f), horner(b, f, _LOG), b.mul(n, low))
    tail = b.muladd(square, b.const(-0.5, f), tail)
    return b.muladd(n, high, b.add(f, tail))


def log(b: Vectors, x: Value) -> Value:
    """Take the natural logarithm."""
    return _with_ends(b, x, _natural(b, *_taken_apart(b, x)))


def log1p(b: Vectors, x: Value) -> Value:
    """Take the natural logarithm of 1 + x."""
    one = b.const(1.0, x)
    u = b.add(one, x)
    lost = b.sub(x, b.sub(u, one))
    m, exponent = fraction(b, u)
    digits, bias, _ = FORM[x.kind]
    # what the sum lost is scaled as its fraction is; by twice that, which is never subnormal
    turned = b.whole("sub", b.number(2 * bias + 1, exponent.kind), exponent)
    doubled = b.mul(lost, b.of_bits(b.whole("shl", turned, digits)))
    f = b.muladd(doubled, b.const(0.5, x), b.sub(m, one))
    y = _natural(b, f, as_float(b, exponent, bias))
    return _with_ends(b, u, b.copysign(y, x))


def _to_base(b: Vectors, x: Value, unit: tuple[float, float], step: tuple[float, float]) -> Value:
    """Return the logarithm whose value at e is `unit` and at 2 is `step`."""
    f, n = _taken_apart(b, x)
    u_high, u_low, s_high, s_low = (b.const(part, x) for part in (*unit, *step))
    if x.kind == "double":
        h, t = _parts(b, f)
        high = b.sub(f, h)
        low = b.add(b.sub(b.sub(f, high), h), t)
        product = b.mul(high, u_high)
        rest = b.fma(high, u_high, b.neg(product))
        rest = b.muladd(low, u_high, b.muladd(high, u_low, rest))
    else:
        product = b.mul(f, u_high)
        table = _LOG2 if step[1] == 0.0 else _LOG10
        rest = b.fma(f, u_high, b.neg(product))
        rest = b.muladd(b.mul(f, f), horner(b, f, table), b.muladd(f, u_low, rest))
    whole = b.mul(n, s_high)
    total = b.add(whole, product)
    rest = b.add(b.add(b.sub(whole, total), product), b.muladd(n, s_low, rest))
    return _with_ends(b, x, b.add(total, rest))


def log2(b: Vectors, x: Value) -> Value:
    """Take the logarithm to the base 2."""
    return _to_base(b, x, _LOG2_E[x.kind], (1.0, 0.0))


def log10(b: Vectors, x: Value) -> Value:
    """Take the logarithm to the base 10."""
    return _to_base(b, x, _LOG10_E[x.kind], LOG10_2[x.kind])


# --- inverses of the hyperbolic curves ----------------------------------------------------------

# from here on one beside the square does not count
_FAR = {"double": 2.0**28, "float": 2.0**13}


def _with_far(b: Vectors, size: Value, near: Value, lost: Value | None = None) -> Value:
    """Return ln(1 + near + lost), and ln(2·size) where the size is great."""
    far = b.lt(b.const(_FAR[size.kind], size), size)
    zero, one, doubled = (b.const(number, size) for number in (0.0, 1.0, math.log(2.0)))
    y = b.log1p(b.select(far, b.sub(size, one), near))
    more = zero if lost is None else b.div(lost, b.add(one, near))
    return b.add(y, b.select(far, doubled, more))


def asinh(b: Vectors, x: Value) -> Value:
    """Find the number whose hyperbolic sine is x."""
    one, size = b.const(1.0, x), b.abs(x)
    square = b.mul(x, x)
    root = b.sqrt(b.add(one, square))
    near = b.add(size, b.div(square, b.add(one, root)))
    return b.copysign(_with_far(b, size, near), x)


def acosh(b: Vectors, x: Value) -> Value:
    """Find the number ≥ 0 whose hyperbolic cosine is x."""
    one = b.const(1.0, x)
    over = b.sub(x, one)
    root = b.sqrt(b.muladd(over, over, b.add(over, over)))
    near = b.add(root, over)
    lost = b.add(b.sub(root, near), over)
    return b.select(b.lt(x, one), b.const(math.nan, x), _with_far(b, x, near, lost))


def atanh(b: Vectors, x: Value) -> Value:
    """Find the number whose hyperbolic tangent is x."""
    one, size = b.const(1.0, x), b.abs(x)
    twice = b.add(size, size)
    near = b.muladd(twice, b.div(size, b.sub(one, size)), twice)
    y = b.copysign(b.mul(b.const(0.5, x), b.log1p(near)), x)
    return b.select(b.lt(one, size), b.const(math.nan, x), y)
