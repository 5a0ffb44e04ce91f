"""Exponentials: exp and what is made of it, by one polynomial around the nearest power of two."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from corrente.native.polynomials import (
    FORM,
    LN2,
    at_most,
    between,
    beyond,
    horner,
    magic,
    nearest,
    power_of_two,
    scaled,
)

if TYPE_CHECKING:
    from corrente.native.vectors import Value, Vectors

_LOG2_E = math.log2(math.e)
# (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2
_EXP = {
    "double": (  # 2^−57.9
        0.5000000000000011,
        0.16666666666666427,
        0.04166666666652696,
        0.008333333333485191,
        0.001388888894434672,
        0.00019841269526583657,
        2.480149244423957e-05,
        2.755756857304018e-06,
        2.7630458946230913e-07,
        2.500567406778087e-08,
    ),
    "float": (  # 2^−28.3
        0.4999999403953552,
        0.1666652113199234,
        0.04166826233267784,
        0.008368670009076595,
        0.0013821019092574716,
    ),
}
# the same, with the error relative to eʳ − 1
_EXPM1 = {
    "double": (  # 2^−61.6
        0.5,
        0.16666666666666677,
        0.04166666666666663,
        0.008333333333321482,
        0.0013888888888911888,
        0.00019841269886412382,
        2.4801587261219327e-05,
        2.7557243981038423e-06,
        2.755733314867825e-07,
        2.5109101878033022e-08,
        2.0895395836397775e-09,
    ),
    "float": (  # 2^−26.1
        0.4999999701976776,
        0.1666654348373413,
        0.041667502373456955,
        0.008366533555090427,
        0.001386452466249466,
    ),
}
# (2ʳ − 1) / r for |r| ≤ ½
_EXP2 = {
    "double": (  # 2^−57.8
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
    ),
    "float": (  # 2^−28.3
        0.6931471824645996,
        0.24022647738456726,
        0.05550359562039375,
        0.009618500247597694,
        0.0013390976237133145,
        0.00015328943845815957,
    ),
}
# (sinh r − r) / r³ and (cosh r − 1) / r² in powers of r², for |r| ≤ ½ ln 2
_SINH = {
    "double": (  # 2^−61.7
        0.16666666666666677,
        0.008333333333321459,
        0.00019841269886495709,
        2.7557243883725498e-06,
        2.5109138258471268e-08,
    ),
    "float": (0.1666654348373413, 0.008366534486413002),  # 2^−26.2
}
_COSH = {
    "double": (  # 2^−58.1
        0.5000000000000012,
        0.04166666666651933,
        0.0013888888946082488,
        2.4801490835767764e-05,
        2.763098249294413e-07,
    ),
    "float": (0.5, 0.041666459292173386, 0.0013935419265180826),  # 2^−33.3
}

# beyond these the result is 0 or infinite, or what the curve ends in
_EXP_ENDS = {"double": (-746.0, 710.0), "float": (-104.0, 89.0)}
_EXP2_ENDS = {"double": (-1076.0, 1025.0), "float": (-151.0, 129.0)}
_EXPM1_ENDS = {"double": (-40.0, 710.0), "float": (-20.0, 89.0)}
_TANH_END = {"double": 20.0, "float": 10.0}
_SINH_END = {"double": 710.6, "float": 89.6}


def _reduced(b: Vectors, x: Value) -> tuple[Value, Value, Value]:
    """Return r, what r lost, and the whole number n (on the magic one) of x = n·ln 2 + r."""
    shifted, n = nearest(b, x, _LOG2_E)
    high, low = (b.const(-part, x) for part in LN2[x.kind])
    near = b.muladd(n, high, x)
    r = b.muladd(n, low, near)
    return r, b.muladd(n, low, b.sub(near, r)), shifted


def _beyond_linear(b: Vectors, r: Value, lost: Value) -> Value:
    """Return eʳ − 1 − r, and what r lost."""
    return b.muladd(b.mul(r, r), horner(b, r, _EXPM1[r.kind]), lost)


def _less(b: Vectors, power: Value, r: Value, part: Value, one: Value) -> Value:
    """Return power·(1 + r + part) − one; the first sum is exact where something cancels."""
    return b.muladd(power, part, b.muladd(power, r, b.sub(power, one)))


def exp(b: Vectors, x: Value) -> Value:
    """Raise e to the power x."""
    down = b.lt(x, b.const(0.0, x))
    r, _, shifted = _reduced(b, between(b, x, *_EXP_ENDS[x.kind]))
    return scaled(b, horner(b, r, (1.0, 1.0, *_EXP[x.kind])), shifted, down)


def exp2(b: Vectors, x: Value) -> Value:
    """Raise 2 to the power x."""
    down = b.lt(x, b.const(0.0, x))
    x = between(b, x, *_EXP2_ENDS[x.kind])
    shifted, n = nearest(b, x, 1.0)
    return scaled(b, horner(b, b.sub(x, n), (1.0, *_EXP2[x.kind])), shifted, down)


def expm1(b: Vectors, x: Value) -> Value:
    """Raise e to the power x and take one away."""
    r, lost, shifted = _reduced(b, between(b, x, *_EXPM1_ENDS[x.kind]))
    part, half = _beyond_linear(b, r, lost), b.const(0.5, x)
    # half of it, so that the greatest power of two is a number too
    power = power_of_two(b, shifted, -1)
    halved = _less(b, power, r, part, half)
    whole = b.select(b.eq(power, half), b.add(r, part), b.add(halved, halved))
    return b.copysign(whole, x)


def _sides(b: Vectors, x: Value) -> tuple[Value, Value]:
    """Return sinh and cosh of 0 ≤ x, both halved."""
    x = at_most(b, x, _SINH_END[x.kind])
    r, lost, shifted = _reduced(b, x)
    square = b.mul(r, r)
    sinh_r = b.add(r, beyond(b, r, square, _SINH[x.kind], lost))
    cosh_r = b.mul(square, horner(b, square, _COSH[x.kind]))
    above = power_of_two(b, shifted, -2)
    # where the power of two below is too small to be a number, it is too small to count
    turned = b.sub(b.const(2.0 * magic(x.kind), x), shifted)
    end = b.const(magic(x.kind) - FORM[x.kind].digits - 8, x)
    below = power_of_two(b, b.select(b.lt(turned, end), end, turned), -2)
    difference, total = b.sub(above, below), b.add(above, below)
    sinh = b.add(difference, b.muladd(difference, cosh_r, b.mul(total, sinh_r)))
    cosh = b.add(total, b.muladd(total, cosh_r, b.mul(difference, sinh_r)))
    return sinh, cosh


def sinh(b: Vectors, x: Value) -> Value:
    """Take the hyperbolic sine."""
    size = b.abs(x)
    half = _sides(b, size)[0]
    near = b.lt(size, b.const(2.0 ** (-FORM[x.kind].digits // 2 - 2), x))
    return b.select(near, x, b.copysign(b.add(half, half), x))


def cosh(b: Vectors, x: Value) -> Value:
    """Take the hyperbolic cosine."""
    half = _sides(b, b.abs(x))[1]
    return b.add(half, half)


def tanh(b: Vectors, x: Value) -> Value:
    """Take the hyperbolic tangent: (e²ˣ − 1) over (e²ˣ + 1), with one division."""
    size = at_most(b, b.abs(x), _TANH_END[x.kind])
    r, lost, shifted = _reduced(b, b.add(size, size))
    above = _less(b, power_of_two(b, shifted), r, _beyond_linear(b, r, lost), b.const(1.0, x))
    inverse = b.div(b.const(1.0, x), b.add(above, b.const(2.0, x)))
    quotient = b.mul(above, inverse)
    # what is missing, from a divisor that was not rounded
    turned = b.neg(quotient)
    missing = b.muladd(turned, above, b.muladd(turned, b.const(2.0, x), above))
    return b.copysign(b.muladd(missing, inverse, quotient), x)
