"""Circles: sine, cosine, tangent and their inverses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from corrente.native.polynomials import at_most, beyond, nearest, odd

if TYPE_CHECKING:
    from corrente.native.vectors import Value, Vectors

# π and π/2 in three parts, all positive, so that to take 0 times them away keeps the sign of 0
_PI = {
    "double": (3.141592653589793, 1.224646799147353e-16, 2.165713347843828e-32),
    "float": (3.141592502593994, 1.5099578831723193e-07, 1.0780605906948477e-14),
}
_QUARTER = {kind: tuple(0.5 * part for part in parts) for kind, parts in _PI.items()}
# beyond this the parts do not suffice, and the C library is asked
_HARD = {"double": 2.0**30, "float": 2.0**14}
# (sin r − r) / r³ in powers of r², for |r| ≤ π/2
_SIN = {
    "double": (  # 2^−61.5
        -0.16666666666666666,
        0.008333333333333207,
        -0.00019841269841212538,
        2.7557319211591306e-06,
        -2.5052106907425906e-08,
        1.6058941198825355e-10,
        -7.643025541510635e-13,
        2.7214943908777272e-15,
    ),
    "float": (  # 2^−27.0
        -0.16666658222675323,
        0.008333034813404083,
        -0.000198074005311355,
        2.601040023364476e-06,
    ),
}
# (tan r − r) / r³ in powers of r², for |r| ≤ π/4
_TAN = {
    "double": (  # 2^−56.2
        0.33333333333332776,
        0.13333333333414696,
        0.05396825392666363,
        0.021869489608682555,
        0.008863219172377618,
        0.0035922889849986017,
        0.0014547586139480588,
        0.0005950618208750867,
        0.00022238884069579752,
        0.00013650624501534877,
        -2.6358141790851572e-05,
        8.942595326180462e-05,
        -4.486204130606582e-05,
        2.0859714488645008e-05,
    ),
    "float": (  # 2^−29.3
        0.3333335220813751,
        0.1333257108926773,
        0.05407097190618515,
        0.021222678944468498,
        0.010995299555361271,
        -0.00011839156650239602,
        0.004481353331357241,
    ),
}
# (arcsin r − r) / r³ in powers of r², for |r| ≤ ½
_ASIN = {
    "double": (  # 2^−55.9
        0.16666666666665403,
        0.07500000000338446,
        0.04464285682712161,
        0.030381959188166517,
        0.022371756784752922,
        0.01735972443882574,
        0.013885035330325864,
        0.012170563114098814,
        0.006521971701376683,
        0.019545119165441736,
        -0.0162513502022807,
        0.03193127844655696,
    ),
    "float": (  # 2^−27.6
        0.16666752099990845,
        0.07495307922363281,
        0.0454695001244545,
        0.024182332679629326,
        0.04216356575489044,
    ),
}
# (arctan r − r) / r³ in powers of r², for |r| ≤ 1
_ATAN = {
    "double": (  # 2^−57.6
        -0.33333333333333065,
        0.19999999999951049,
        -0.1428571428255411,
        0.11111111006460851,
        -0.09090906993649937,
        0.07692279736017854,
        -0.0666640325050072,
        0.05880523187288623,
        -0.052534985808915184,
        0.04722256171625761,
        -0.04219009714127114,
        0.036638530246020026,
        -0.02989858983525654,
        0.021978476345948367,
        -0.013894631629300679,
        0.007192353489613067,
        -0.002882803874706704,
        0.0008305817831870187,
        -0.00015200185863291653,
        1.3209267699946396e-05,
    ),
    "float": (  # 2^−28.5
        -0.33333298563957214,
        0.1999853402376175,
        -0.14264100790023804,
        0.10951489955186844,
        -0.08401510864496231,
        0.05792567506432533,
        -0.031147092580795288,
        0.01089856680482626,
        -0.001790125505067408,
    ),
}


def _less(b: Vectors, x: Value, n: Value, parts: tuple[float, ...]) -> Value:
    """Take n times a constant in parts from x; what is left is right to its last digits."""
    for part in parts:
        x = b.fma(n, b.const(-part, x), x)
    return x


def _unless_hard(b: Vectors, x: Value, easy: Value, name: str) -> Value:
    return b.unless(b.le(b.const(_HARD[x.kind], x), b.abs(x)), easy, name, x)


def _wave(b: Vectors, r: Value, parity: Value) -> Value:
    """Return sin r for |r| ≤ π/2, its sign turned where the last bit of `parity` is set."""
    # rounding must not carry it above one
    height = at_most(b, odd(b, b.abs(r), _SIN[r.kind]), 1.0)
    top = 63 if r.kind == "double" else 31
    sign = b.whole("xor", b.whole("shl", b.bits(parity), top), b.bits(r))
    return b.copysign(height, b.of_bits(sign))


def sin(b: Vectors, x: Value) -> Value:
    """Take the sine."""
    shifted, n = nearest(b, x, 1.0 / math.pi)
    return _unless_hard(b, x, _wave(b, _less(b, x, n, _PI[x.kind]), shifted), "sin")


def cos(b: Vectors, x: Value) -> Value:
    """Take the cosine: the sine of what is left of x at an odd number of quarter turns."""
    size = b.abs(x)
    turns = b.muladd(size, b.const(1.0 / math.pi, x), b.const(0.5, x))
    shifted, n = nearest(b, turns, 1.0)
    quarters = b.sub(b.add(n, n), b.const(1.0, x))
    wave = _wave(b, _less(b, size, quarters, _QUARTER[x.kind]), shifted)
    return _unless_hard(b, x, wave, "cos")


def tan(b: Vectors, x: Value) -> Value:
    """Take the tangent of what is left of x at whole quarter turns; at odd ones −1 over it."""
    one = b.const(1.0, x)
    shifted, n = nearest(b, x, 2.0 / math.pi)
    first, second, third = (b.const(part, x) for part in _QUARTER[x.kind])
    left = b.fma(b.neg(n), first, x)
    more = b.mul(n, second)
    r = b.sub(left, more)
    lost = b.sub(b.sub(b.sub(left, r), more), b.fma(n, second, b.neg(more)))
    lost = b.muladd(b.neg(n), third, lost)
    square = b.mul(r, r)
    part = beyond(b, r, square, _TAN[x.kind], b.muladd(lost, square, lost))
    t = b.add(r, part)
    t_lost = b.add(b.sub(r, t), part)
    turned = b.div(b.neg(one), t)
    missing = b.fma(b.neg(turned), t_lost, b.fma(b.neg(turned), t, b.neg(one)))
    turned = b.muladd(b.neg(turned), missing, turned)
    bits = b.bits(shifted)
    even = b.eq(b.whole("and", bits, 1), b.number(0, bits.kind))
    y = b.select(b.eq(x, b.const(0.0, x)), x, b.select(even, t, turned))
    return _unless_hard(b, x, y, "tan")


# --- inverses -----------------------------------------------------------------------------------


def _arc(b: Vectors, x: Value) -> tuple[Value, Value, Value]:
    """Return r ≥ 0, arcsin r − r, and whether |x| is at most a half.

    Above a half r is √((1 − |x|)/2), and arcsin |x| is π/2 − 2·arcsin r.
    """
    size, half = b.abs(x), b.const(0.5, x)
    near = b.le(size, half)
    rest = b.muladd(size, b.neg(half), half)
    square = b.select(near, b.mul(x, x), rest)
    r = b.select(near, size, b.sqrt(rest))
    return r, beyond(b, r, square, _ASIN[x.kind]), near


def _less_twice(b: Vectors, whole: tuple[float, ...], r: Value, part: Value) -> Value:
    """Return a constant in parts less 2·(r + part)."""
    high, low = (b.const(piece, r) for piece in whole[:2])
    twice = b.add(r, r)
    first = b.sub(high, twice)
    lost = b.add(low, b.sub(b.sub(high, first), twice))
    return b.add(first, b.sub(lost, b.add(part, part)))


def asin(b: Vectors, x: Value) -> Value:
    """Find the angle whose sine is x."""
    r, part, near = _arc(b, x)
    far = _less_twice(b, _QUARTER[x.kind], r, part)
    return b.copysign(b.select(near, b.add(r, part), far), x)


def acos(b: Vectors, x: Value) -> Value:
    """Find the angle whose cosine is x."""
    r, part, near = _arc(b, x)
    high, low = (b.const(piece, x) for piece in _QUARTER[x.kind][:2])
    arc = b.add(r, part)
    middle = b.sub(high, b.sub(b.copysign(arc, x), low))
    below = _less_twice(b, _PI[x.kind], r, part)
    far = b.select(b.lt(x, b.const(0.0, x)), below, b.add(arc, arc))
    return b.select(near, middle, far)


def atan(b: Vectors, x: Value) -> Value:
    """Find the angle whose tangent is x."""
    size, one = b.abs(x), b.const(1.0, x)
    steep = b.lt(one, size)
    r = b.div(b.select(steep, one, size), b.select(steep, size, one))
    arc = odd(b, r, _ATAN[x.kind])
    high, low, _ = (b.const(part, x) for part in _QUARTER[x.kind])
    return b.copysign(b.select(steep, b.sub(high, b.sub(arc, low)), arc), x)


def atan2(b: Vectors, y: Value, x: Value) -> Value:
    """Find the angle of the point with height y and width x."""
    zero, one = b.const(0.0, x), b.const(1.0, x)
    height, width = b.abs(y), b.abs(x)
    steep = b.lt(width, height)
    low, high = b.select(steep, width, height), b.select(steep, height, width)
    # equal sides: two zeros, or else, were they infinite, one
    equal = b.select(b.eq(low, zero), zero, one)
    r = b.select(b.eq(low, high), equal, b.div(low, high))
    arc = odd(b, r, _ATAN[x.kind])
    quarter, quarter_low, _ = (b.const(part, x) for part in _QUARTER[x.kind])
    half, half_low, _ = (b.const(part, x) for part in _PI[x.kind])
    arc = b.select(steep, b.sub(quarter, b.sub(arc, quarter_low)), arc)
    bits = b.bits(x)
    left = b.lt(bits, b.number(0, bits.kind))
    return b.copysign(b.select(left, b.sub(half, b.sub(arc, half_low)), arc), y)
