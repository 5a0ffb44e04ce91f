"""Questions, steps and bits: gates whose output does not move when their input does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corrente.record import REALS, Call, Opaque, Shape, call, composed, elementwise, gate
from corrente.words import Says

_ANSWER = Says(
    en="lets no gradient through: a yes or no has no slope",
    pt="não deixa passar gradiente: um sim ou não não tem inclinação",
)
_STEPS = Says(
    en="lets no gradient through: between its jumps the output does not move",
    pt="não deixa passar gradiente: entre os saltos a saída não se move",
)
_BITS = Says(
    en="lets no gradient through: bits have no slope",
    pt="não deixa passar gradiente: bits não têm inclinação",
)


def _truth(b: Any, x: Any) -> Any:
    return b.negate(b.eq(x, b.const(0.0, x)))


# --- comparisons --------------------------------------------------------------------------------

greater = elementwise(
    np.greater,
    symbol=">",
    emit=lambda b, x, y: b.lt(y, x),
    side=lambda x, y: x > y,
    code=lambda names, params: f"{names[0]} > {names[1]}",
    does=Says(en="asks if {0} is greater than {1}", pt="pergunta se {0} é maior que {1}"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
)

greater_equal = elementwise(
    np.greater_equal,
    symbol="≥",
    emit=lambda b, x, y: b.le(y, x),
    side=lambda x, y: x >= y,
    code=lambda names, params: f"{names[0]} >= {names[1]}",
    does=Says(en="asks if {0} is at least {1}", pt="pergunta se {0} é pelo menos {1}"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
)

less = elementwise(
    np.less,
    symbol="<",
    emit=lambda b, x, y: b.lt(x, y),
    side=lambda x, y: x < y,
    code=lambda names, params: f"{names[0]} < {names[1]}",
    does=Says(en="asks if {0} is less than {1}", pt="pergunta se {0} é menor que {1}"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
)

less_equal = elementwise(
    np.less_equal,
    symbol="≤",
    emit=lambda b, x, y: b.le(x, y),
    side=lambda x, y: x <= y,
    code=lambda names, params: f"{names[0]} <= {names[1]}",
    does=Says(en="asks if {0} is at most {1}", pt="pergunta se {0} é no máximo {1}"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
)

equal = elementwise(
    np.equal,
    symbol="=",
    emit=lambda b, x, y: b.eq(x, y),
    side=lambda x, y: x == y,
    code=lambda names, params: f"{names[0]} == {names[1]}",
    does=Says(en="asks if {0} equals {1}", pt="pergunta se {0} é igual a {1}"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
    facts=("commutative",),
)

not_equal = elementwise(
    np.not_equal,
    symbol="≠",
    emit=lambda b, x, y: b.negate(b.eq(x, y)),
    side=lambda x, y: x != y,
    code=lambda names, params: f"{names[0]} != {names[1]}",
    does=Says(en="asks if {0} differs from {1}", pt="pergunta se {0} é diferente de {1}"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
    facts=("commutative",),
)


# --- logic --------------------------------------------------------------------------------------


def _two_masks(rng: np.random.Generator) -> Call:
    return call(rng.random((3, 4)) < 0.5, rng.random(4) < 0.5)


def _one_mask(rng: np.random.Generator) -> Call:
    return call(rng.random((3, 4)) < 0.5)


logical_and = elementwise(
    np.logical_and,
    symbol="and",
    emit=lambda b, x, y: b.both(_truth(b, x), _truth(b, y)),
    does=Says(en="asks if both {0} and {1} hold", pt="pergunta se {0} e {1} valem ambos"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
    example=_two_masks,
    facts=("commutative",),
)

logical_or = elementwise(
    np.logical_or,
    symbol="or",
    emit=lambda b, x, y: b.either(_truth(b, x), _truth(b, y)),
    does=Says(en="asks if {0} or {1} holds", pt="pergunta se {0} ou {1} vale"),
    teaches=_ANSWER,
    domain=(REALS, REALS),
    example=_two_masks,
    facts=("commutative",),
)


def _emit_xor(b: Any, x: Any, y: Any) -> Any:
    p, q = _truth(b, x), _truth(b, y)
    return b.both(b.either(p, q), b.negate(b.both(p, q)))


logical_xor = elementwise(
    np.logical_xor,
    symbol="xor",
    emit=_emit_xor,
    does=Says(
        en="asks if exactly one of {0} and {1} holds",
        pt="pergunta se exatamente um entre {0} e {1} vale",
    ),
    teaches=_ANSWER,
    domain=(REALS, REALS),
    example=_two_masks,
    facts=("commutative",),
)

logical_not = elementwise(
    np.logical_not,
    symbol="not",
    emit=lambda b, x: b.eq(x, b.const(0.0, x)),
    does=Says(en="asks if {0} does not hold", pt="pergunta se {0} não vale"),
    teaches=_ANSWER,
    domain=(REALS,),
    example=_one_mask,
)


# --- what kind of number ------------------------------------------------------------------------

isnan = elementwise(
    np.isnan,
    symbol="NaN?",
    emit=lambda b, x: b.negate(b.eq(x, x)),
    does=Says(en="asks if {0} is not a number", pt="pergunta se {0} não é um número"),
    teaches=_ANSWER,
    domain=(REALS,),
)

isinf = elementwise(
    np.isinf,
    symbol="∞?",
    emit=lambda b, x: b.eq(b.abs(x), b.const(math.inf, x)),
    does=Says(en="asks if {0} is infinite", pt="pergunta se {0} é infinito"),
    teaches=_ANSWER,
    domain=(REALS,),
)

isfinite = elementwise(
    np.isfinite,
    symbol="finite?",
    emit=lambda b, x: b.lt(b.abs(x), b.const(math.inf, x)),
    does=Says(en="asks if {0} is a finite number", pt="pergunta se {0} é um número finito"),
    teaches=_ANSWER,
    domain=(REALS,),
)


def _emit_signbit(b: Any, x: Any) -> Any:
    """Tell −0 from +0 by the infinity on the other side of the division."""
    zero = b.const(0.0, x)
    minus_zero = b.both(b.eq(x, zero), b.lt(b.div(b.const(1.0, x), x), zero))
    return b.either(b.lt(x, zero), minus_zero)


signbit = elementwise(
    np.signbit,
    symbol="−?",
    emit=_emit_signbit,
    side=lambda x: np.signbit(x),
    does=Says(en="asks if {0} carries a minus sign", pt="pergunta se {0} tem sinal de menos"),
    teaches=_ANSWER,
    domain=(REALS,),
)


# --- steps --------------------------------------------------------------------------------------

floor = elementwise(
    np.floor,
    symbol="⌊x⌋",
    emit=lambda b, x: b.floor(x),
    side=lambda x: np.floor(x),
    does=Says(en="rounds {0} down", pt="arredonda {0} para baixo"),
    teaches=_STEPS,
    domain=(REALS,),
)

ceil = elementwise(
    np.ceil,
    symbol="⌈x⌉",
    emit=lambda b, x: b.ceil(x),
    side=lambda x: np.ceil(x),
    does=Says(en="rounds {0} up", pt="arredonda {0} para cima"),
    teaches=_STEPS,
    domain=(REALS,),
)

rint = elementwise(
    np.rint,
    symbol="round",
    emit=lambda b, x: b.rint(x),
    side=lambda x: np.rint(x),
    does=Says(
        en="rounds {0} to the nearest whole number",
        pt="arredonda {0} para o inteiro mais próximo",
    ),
    teaches=_STEPS,
    domain=(REALS,),
)

trunc = elementwise(
    np.trunc,
    np.fix,
    symbol="trunc",
    emit=lambda b, x: b.trunc(x),
    side=lambda x: np.trunc(x),
    does=Says(en="cuts the fraction off {0}", pt="corta a fração de {0}"),
    teaches=_STEPS,
    domain=(REALS,),
)


@composed(np.round, np.around)
def _round(a: Any, decimals: int = 0) -> Any:
    """Round as NumPy does: scale by a power of ten, round to whole numbers, scale back."""
    if hasattr(a, "dtype") and a.dtype.kind in "iub":
        # whole numbers stay as they are down to the unit
        return a if decimals >= 0 else np.floor_divide(_nearest(a, 10**-decimals), 1)
    if decimals == 0:
        return np.rint(a)
    if decimals > 0:
        return np.rint(a * 10.0**decimals) / 10.0**decimals
    return np.rint(a / 10.0**-decimals) * 10.0**-decimals


def _nearest(a: Any, unit: int) -> Any:
    """Return the multiple of `unit` nearest to each whole number, a half going to the even one."""
    below = a // unit
    twice = 2 * (a - below * unit)
    up = (twice > unit) | ((twice == unit) & (below % 2 == 1))
    return (below + up) * unit


# --- bits ---------------------------------------------------------------------------------------


def _together(*shapes: Shape) -> Shape:
    return np.broadcast_shapes(*shapes)


bitwise_and = gate(
    np.bitwise_and,
    kind=Opaque(),
    takes=None,
    shape=_together,
    pulls=None,
    symbol="&",
    code=lambda names, params: f"{names[0]} & {names[1]}",
    does=Says(en="keeps the bits set in both {0} and {1}", pt="guarda os bits de {0} e {1}"),
    teaches=_BITS,
    domain=(REALS, REALS),
    example=_two_masks,
    facts=("commutative",),
)

bitwise_or = gate(
    np.bitwise_or,
    kind=Opaque(),
    takes=None,
    shape=_together,
    pulls=None,
    symbol="|",
    code=lambda names, params: f"{names[0]} | {names[1]}",
    does=Says(en="joins the bits of {0} and {1}", pt="une os bits de {0} e {1}"),
    teaches=_BITS,
    domain=(REALS, REALS),
    example=_two_masks,
    facts=("commutative",),
)

bitwise_xor = gate(
    np.bitwise_xor,
    kind=Opaque(),
    takes=None,
    shape=_together,
    pulls=None,
    symbol="^",
    code=lambda names, params: f"{names[0]} ^ {names[1]}",
    does=Says(
        en="keeps the bits set in just one of {0} and {1}",
        pt="guarda os bits de só um entre {0} e {1}",
    ),
    teaches=_BITS,
    domain=(REALS, REALS),
    example=_two_masks,
    facts=("commutative",),
)

invert = gate(
    np.invert,
    kind=Opaque(),
    takes=None,
    shape=_together,
    pulls=None,
    symbol="~",
    does=Says(en="turns every bit of {0}", pt="inverte cada bit de {0}"),
    teaches=_BITS,
    domain=(REALS,),
    example=_one_mask,
)
