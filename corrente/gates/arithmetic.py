"""Adding, multiplying and their relatives: the gates every circuit is made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corrente.record import NONZERO, POSITIVE, REALS, elementwise
from corrente.words import Says

add = elementwise(
    np.add,
    symbol="+",
    partials=(1.0, 1.0),
    linear=(),
    emit=lambda b, x, y: b.add(x, y),
    code=lambda names, params: f"{names[0]} + {names[1]}",
    does=Says(en="adds {0} and {1}", pt="soma {0} e {1}"),
    teaches=Says(
        en="passes the gradient on unchanged to both inputs",
        pt="entrega o gradiente, sem mudança, às duas entradas",
    ),
    domain=(REALS, REALS),
    facts=("commutative",),
)

subtract = elementwise(
    np.subtract,
    symbol="−",
    partials=(1.0, -1.0),
    emit=lambda b, x, y: b.sub(x, y),
    code=lambda names, params: f"{names[0]} - {names[1]}",
    does=Says(en="subtracts {1} from {0}", pt="subtrai {1} de {0}"),
    teaches=Says(
        en="passes the gradient on to the first input, and with its sign turned to the second",
        pt="entrega o gradiente à primeira entrada e, com o sinal trocado, à segunda",
    ),
    domain=(REALS, REALS),
)

multiply = elementwise(
    np.multiply,
    symbol="×",
    partials=(lambda x, y, out: y, lambda x, y, out: x),
    linear=(0, 1),
    emit=lambda b, x, y: b.mul(x, y),
    code=lambda names, params: f"{names[0]} * {names[1]}",
    does=Says(en="multiplies {0} by {1}", pt="multiplica {0} por {1}"),
    teaches=Says(
        en="switches the inputs: each receives the gradient times the other's value",
        pt="troca as entradas: cada uma recebe o gradiente vezes o valor da outra",
    ),
    domain=(REALS, REALS),
    facts=("commutative",),
)

divide = elementwise(
    np.divide,
    symbol="÷",
    partials=(lambda x, y, out: 1.0 / y, lambda x, y, out: -out / y),
    linear=(0,),
    emit=lambda b, x, y: b.div(x, y),
    code=lambda names, params: f"{names[0]} / {names[1]}",
    does=Says(en="divides {0} by {1}", pt="divide {0} por {1}"),
    teaches=Says(
        en="divides the gradient by {1}; the divisor receives that times minus the quotient",
        pt="divide o gradiente por {1}; o divisor recebe isso vezes menos o quociente",
    ),
    domain=(REALS, NONZERO),
)

negative = elementwise(
    np.negative,
    symbol="−",
    partials=(-1.0,),
    linear=(0,),
    emit=lambda b, x: b.neg(x),
    code=lambda names, params: f"-{names[0]}",
    does=Says(en="turns the sign of {0}", pt="troca o sinal de {0}"),
    teaches=Says(en="turns the sign of the gradient too", pt="troca também o sinal do gradiente"),
    domain=(REALS,),
    facts=("linear",),
)

positive = elementwise(
    np.positive,
    symbol="+",
    partials=(1.0,),
    linear=(0,),
    emit=lambda b, x: x,
    does=Says(en="keeps {0} as it is", pt="mantém {0} como está"),
    teaches=Says(en="keeps the gradient as it is", pt="mantém o gradiente como está"),
    domain=(REALS,),
    facts=("linear", "identity"),
)


def _is_literal(x: Any) -> bool:
    """Tell whether x is a Python number, which promotes nothing; np.float64 is not one."""
    return type(x) in (int, float)


def _by_base(x: Any, y: Any, out: Any) -> Any:
    """Return y·x^(y−1), and 0 where y is 0, even at x = 0."""
    if _is_literal(y):
        return 2.0 * x if y == 2 else y * np.power(x, y - 1) if y else 0.0
    exponent = np.where(y == 0, 1, y)
    return np.where(y == 0, 0.0, exponent * np.power(x, exponent - 1))


def _by_exponent(x: Any, y: Any, out: Any) -> Any:
    """Return out·log x; 0 at x = 0 while y ≥ 0; NaN where x < 0 and y real: no slope there."""
    if np.iscomplexobj(out):
        return out * np.log(np.where(x == 0, 1.0, x) + 0j)
    if _is_literal(x):
        return out * (math.log(x) if x > 0 else math.nan if x < 0 else 0.0)
    # the logarithm must not meet the other elements: it would warn about them
    return np.where(x < 0, np.nan, out * np.log(np.where(x > 0, x, 1.0)))


def _power_code(names: Any, params: Any) -> str:
    base = f"({names[0]})" if names[0].startswith("-") else names[0]
    return f"{base} ** {names[1]}"


power = elementwise(
    np.power,
    symbol="xʸ",
    partials=(_by_base, _by_exponent),
    emit=lambda b, x, y: b.pow(x, y),
    code=_power_code,
    does=Says(en="raises {0} to the power {1}", pt="eleva {0} à potência {1}"),
    teaches=Says(
        en="gives the base the gradient times {1} times {0} to one power less; "
        "the exponent, times the output and the logarithm of {0}",
        pt="dá à base o gradiente vezes {1} vezes {0} com um grau a menos; "
        "ao expoente, vezes a saída e o logaritmo de {0}",
    ),
    domain=(POSITIVE, REALS),
)

square = elementwise(
    np.square,
    symbol="x²",
    partials=(lambda x, out: 2.0 * x,),
    emit=lambda b, x: b.mul(x, x),
    does=Says(en="squares {0}", pt="eleva {0} ao quadrado"),
    teaches=Says(
        en="scales the gradient by twice its input",
        pt="multiplica o gradiente pelo dobro da entrada",
    ),
    domain=(REALS,),
)

reciprocal = elementwise(
    np.reciprocal,
    symbol="1/x",
    partials=(lambda x, out: -out * out,),
    emit=lambda b, x: b.div(b.const(1.0, x), x),
    does=Says(en="takes one over {0}", pt="toma um sobre {0}"),
    teaches=Says(
        en="scales the gradient by minus its output squared",
        pt="multiplica o gradiente por menos a saída ao quadrado",
    ),
    domain=(NONZERO,),
)

sqrt = elementwise(
    np.sqrt,
    symbol="√",
    partials=(lambda x, out: 0.5 / out,),
    emit=lambda b, x: b.sqrt(x),
    does=Says(en="takes the square root of {0}", pt="tira a raiz quadrada de {0}"),
    teaches=Says(
        en="scales the gradient by one over twice its output: large near zero",
        pt="multiplica o gradiente por um sobre o dobro da saída: grande perto de zero",
    ),
    domain=(POSITIVE,),
)

cbrt = elementwise(
    np.cbrt,
    symbol="∛",
    partials=(lambda x, out: 1.0 / (3.0 * out * out),),
    emit=lambda b, x: b.cbrt(x),
    does=Says(en="takes the cube root of {0}", pt="tira a raiz cúbica de {0}"),
    teaches=Says(
        en="scales the gradient by one over three times its output squared: large near zero",
        pt="multiplica o gradiente por um sobre o triplo da saída ao quadrado: "
        "grande perto de zero",
    ),
    domain=(NONZERO,),
)


def _is_zero(b: Any, x: Any) -> Any:
    return b.eq(x, b.const(0.0, x))


def _is_negative(b: Any, x: Any) -> Any:
    return b.lt(x, b.const(0.0, x))


def _leans_away(b: Any, rest: Any, y: Any) -> Any:
    """Tell whether a remainder of C's fmod and the divisor have opposite signs."""
    other = b.either(
        b.both(_is_negative(b, y), b.negate(_is_negative(b, rest))),
        b.both(b.negate(_is_negative(b, y)), _is_negative(b, rest)),
    )
    return b.both(b.negate(_is_zero(b, rest)), other)


def _emit_remainder(b: Any, x: Any, y: Any) -> Any:
    rest = b.fmod(x, y)
    zero = b.select(_is_negative(b, y), b.const(-0.0, y), b.const(0.0, y))
    rest = b.select(_is_zero(b, rest), zero, rest)
    return b.select(_leans_away(b, rest, y), b.add(rest, y), rest)


def _emit_floor_divide(b: Any, x: Any, y: Any) -> Any:
    rest = b.fmod(x, y)
    ratio = b.div(x, y)
    one = b.const(1.0, x)
    whole = b.div(b.sub(x, rest), y)
    whole = b.select(_leans_away(b, rest, y), b.sub(whole, one), whole)
    below = b.floor(whole)
    above = b.lt(b.const(0.5, x), b.sub(whole, below))
    floored = b.select(above, b.add(below, one), below)
    # a zero keeps the sign of the ratio
    floored = b.select(_is_zero(b, whole), b.mul(b.const(0.0, x), ratio), floored)
    return b.select(_is_zero(b, y), ratio, floored)


remainder = elementwise(
    np.remainder,
    symbol="mod",
    partials=(1.0, lambda x, y, out: -np.floor_divide(x, y)),
    emit=_emit_remainder,
    side=lambda x, y: np.floor_divide(x, y),
    code=lambda names, params: f"{names[0]} % {names[1]}",
    does=Says(
        en="takes what is left of {0} after whole steps of {1}",
        pt="toma o que sobra de {0} depois de passos inteiros de {1}",
    ),
    teaches=Says(
        en="passes the gradient on to {0}; {1} receives it times minus the number of whole steps",
        pt="entrega o gradiente a {0}; {1} o recebe vezes menos o número de passos inteiros",
    ),
    domain=(REALS, NONZERO),
)

fmod = elementwise(
    np.fmod,
    symbol="fmod",
    # the rounded quotient of what was taken away is exact; trunc(x / y) may miss by one
    partials=(1.0, lambda x, y, out: np.rint((out - x) / y)),
    emit=lambda b, x, y: b.fmod(x, y),
    side=lambda x, y: np.trunc(x / y),
    does=Says(
        en="takes what is left of {0} after whole steps of {1}, with the sign of {0}",
        pt="toma o que sobra de {0} depois de passos inteiros de {1}, com o sinal de {0}",
    ),
    teaches=Says(
        en="passes the gradient on to {0}; {1} receives it times minus the number of whole steps",
        pt="entrega o gradiente a {0}; {1} o recebe vezes menos o número de passos inteiros",
    ),
    domain=(REALS, NONZERO),
)

floor_divide = elementwise(
    np.floor_divide,
    symbol="⌊÷⌋",
    emit=_emit_floor_divide,
    side=lambda x, y: np.floor_divide(x, y),
    code=lambda names, params: f"{names[0]} // {names[1]}",
    does=Says(
        en="counts the whole steps of {1} that fit in {0}",
        pt="conta os passos inteiros de {1} que cabem em {0}",
    ),
    teaches=Says(
        en="lets no gradient through: between its jumps the output does not move",
        pt="não deixa passar gradiente: entre os saltos a saída não se move",
    ),
    domain=(REALS, NONZERO),
)
