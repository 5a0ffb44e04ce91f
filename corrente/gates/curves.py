"""Smooth functions of one number or two: exponentials, logarithms, angles, hyperbolas."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from corrente.record import ABOVE_ONE, NONZERO, POSITIVE, REALS, UNIT, elementwise
from corrente.words import Says

_LN2 = math.log(2.0)
_LN10 = math.log(10.0)
_DEGREE = math.pi / 180.0

exp = elementwise(
    np.exp,
    symbol="exp",
    partials=(lambda x, out: out,),
    emit=lambda b, x: b.exp(x),
    does=Says(en="raises e to the power {0}", pt="eleva e à potência {0}"),
    teaches=Says(
        en="scales the gradient by its own output",
        pt="multiplica o gradiente pela própria saída",
    ),
    domain=(REALS,),
)

exp2 = elementwise(
    np.exp2,
    symbol="2ˣ",
    partials=(lambda x, out: _LN2 * out,),
    emit=lambda b, x: b.exp2(x),
    does=Says(en="raises two to the power {0}", pt="eleva dois à potência {0}"),
    teaches=Says(
        en="scales the gradient by its output times the logarithm of two",
        pt="multiplica o gradiente pela saída vezes o logaritmo de dois",
    ),
    domain=(REALS,),
)

expm1 = elementwise(
    np.expm1,
    symbol="exp−1",
    partials=(lambda x, out: out + 1.0,),
    emit=lambda b, x: b.expm1(x),
    does=Says(
        en="raises e to the power {0} and takes one away",
        pt="eleva e à potência {0} e tira um",
    ),
    teaches=Says(
        en="scales the gradient by its output plus one",
        pt="multiplica o gradiente pela saída mais um",
    ),
    domain=(REALS,),
)

log = elementwise(
    np.log,
    symbol="log",
    partials=(lambda x, out: 1.0 / x,),
    emit=lambda b, x: b.log(x),
    does=Says(en="takes the natural logarithm of {0}", pt="tira o logaritmo natural de {0}"),
    teaches=Says(
        en="divides the gradient by its input: large near zero",
        pt="divide o gradiente pela entrada: grande perto de zero",
    ),
    domain=(POSITIVE,),
)

log2 = elementwise(
    np.log2,
    symbol="log₂",
    partials=(lambda x, out: 1.0 / (_LN2 * x),),
    emit=lambda b, x: b.log2(x),
    does=Says(en="takes the base-two logarithm of {0}", pt="tira o logaritmo de base dois de {0}"),
    teaches=Says(
        en="divides the gradient by its input times the logarithm of two",
        pt="divide o gradiente pela entrada vezes o logaritmo de dois",
    ),
    domain=(POSITIVE,),
)

log10 = elementwise(
    np.log10,
    symbol="log₁₀",
    partials=(lambda x, out: 1.0 / (_LN10 * x),),
    emit=lambda b, x: b.log10(x),
    does=Says(en="takes the base-ten logarithm of {0}", pt="tira o logaritmo de base dez de {0}"),
    teaches=Says(
        en="divides the gradient by its input times the logarithm of ten",
        pt="divide o gradiente pela entrada vezes o logaritmo de dez",
    ),
    domain=(POSITIVE,),
)

log1p = elementwise(
    np.log1p,
    symbol="log(1+x)",
    partials=(lambda x, out: 1.0 / (1.0 + x),),
    emit=lambda b, x: b.log1p(x),
    does=Says(
        en="takes the natural logarithm of one plus {0}",
        pt="tira o logaritmo natural de um mais {0}",
    ),
    teaches=Says(
        en="divides the gradient by one plus its input",
        pt="divide o gradiente por um mais a entrada",
    ),
    domain=(UNIT,),
)

sin = elementwise(
    np.sin,
    symbol="sin",
    partials=(lambda x, out: np.cos(x),),
    emit=lambda b, x: b.sin(x),
    does=Says(en="takes the sine of {0}", pt="tira o seno de {0}"),
    teaches=Says(
        en="scales the gradient by the cosine of its input",
        pt="multiplica o gradiente pelo cosseno da entrada",
    ),
    domain=(REALS,),
)

cos = elementwise(
    np.cos,
    symbol="cos",
    partials=(lambda x, out: -np.sin(x),),
    emit=lambda b, x: b.cos(x),
    does=Says(en="takes the cosine of {0}", pt="tira o cosseno de {0}"),
    teaches=Says(
        en="scales the gradient by minus the sine of its input",
        pt="multiplica o gradiente por menos o seno da entrada",
    ),
    domain=(REALS,),
)

tan = elementwise(
    np.tan,
    symbol="tan",
    partials=(lambda x, out: 1.0 + out * out,),
    emit=lambda b, x: b.tan(x),
    does=Says(en="takes the tangent of {0}", pt="tira a tangente de {0}"),
    teaches=Says(
        en="scales the gradient by one plus its output squared",
        pt="multiplica o gradiente por um mais a saída ao quadrado",
    ),
    domain=((-1.2, 1.2),),
)

arcsin = elementwise(
    np.arcsin,
    symbol="arcsin",
    partials=(lambda x, out: 1.0 / np.sqrt((1.0 - x) * (1.0 + x)),),
    emit=lambda b, x: b.asin(x),
    does=Says(en="finds the angle whose sine is {0}", pt="acha o ângulo cujo seno é {0}"),
    teaches=Says(
        en="divides the gradient by the cosine of the angle: large near ±1",
        pt="divide o gradiente pelo cosseno do ângulo: grande perto de ±1",
    ),
    domain=(UNIT,),
)

arccos = elementwise(
    np.arccos,
    symbol="arccos",
    partials=(lambda x, out: -1.0 / np.sqrt((1.0 - x) * (1.0 + x)),),
    emit=lambda b, x: b.acos(x),
    does=Says(en="finds the angle whose cosine is {0}", pt="acha o ângulo cujo cosseno é {0}"),
    teaches=Says(
        en="divides the gradient by minus the sine of the angle: large near ±1",
        pt="divide o gradiente por menos o seno do ângulo: grande perto de ±1",
    ),
    domain=(UNIT,),
)

arctan = elementwise(
    np.arctan,
    symbol="arctan",
    partials=(lambda x, out: 1.0 / (1.0 + x * x),),
    emit=lambda b, x: b.atan(x),
    does=Says(en="finds the angle whose tangent is {0}", pt="acha o ângulo cuja tangente é {0}"),
    teaches=Says(
        en="divides the gradient by one plus its input squared",
        pt="divide o gradiente por um mais a entrada ao quadrado",
    ),
    domain=(REALS,),
)

sinh = elementwise(
    np.sinh,
    symbol="sinh",
    partials=(lambda x, out: np.cosh(x),),
    emit=lambda b, x: b.sinh(x),
    does=Says(en="takes the hyperbolic sine of {0}", pt="tira o seno hiperbólico de {0}"),
    teaches=Says(
        en="scales the gradient by the hyperbolic cosine of its input",
        pt="multiplica o gradiente pelo cosseno hiperbólico da entrada",
    ),
    domain=(REALS,),
)

cosh = elementwise(
    np.cosh,
    symbol="cosh",
    partials=(lambda x, out: np.sinh(x),),
    emit=lambda b, x: b.cosh(x),
    does=Says(en="takes the hyperbolic cosine of {0}", pt="tira o cosseno hiperbólico de {0}"),
    teaches=Says(
        en="scales the gradient by the hyperbolic sine of its input",
        pt="multiplica o gradiente pelo seno hiperbólico da entrada",
    ),
    domain=(REALS,),
)

tanh = elementwise(
    np.tanh,
    symbol="tanh",
    partials=(lambda x, out: 1.0 - out * out,),
    emit=lambda b, x: b.tanh(x),
    does=Says(en="squashes {0} between −1 and 1", pt="comprime {0} entre −1 e 1"),
    teaches=Says(
        en="scales the gradient by one minus its output squared",
        pt="multiplica o gradiente por um menos a saída ao quadrado",
    ),
    domain=(REALS,),
)

arcsinh = elementwise(
    np.arcsinh,
    symbol="arcsinh",
    partials=(lambda x, out: 1.0 / np.sqrt(1.0 + x * x),),
    emit=lambda b, x: b.asinh(x),
    does=Says(
        en="finds the number whose hyperbolic sine is {0}",
        pt="acha o número cujo seno hiperbólico é {0}",
    ),
    teaches=Says(
        en="divides the gradient by the root of one plus its input squared",
        pt="divide o gradiente pela raiz de um mais a entrada ao quadrado",
    ),
    domain=(REALS,),
)

arccosh = elementwise(
    np.arccosh,
    symbol="arccosh",
    # two roots, not one of x² − 1: the branch is right for complex numbers too
    partials=(lambda x, out: 1.0 / (np.sqrt(x - 1.0) * np.sqrt(x + 1.0)),),
    emit=lambda b, x: b.acosh(x),
    does=Says(
        en="finds the number whose hyperbolic cosine is {0}",
        pt="acha o número cujo cosseno hiperbólico é {0}",
    ),
    teaches=Says(
        en="divides the gradient by the root of its input squared minus one: large near 1",
        pt="divide o gradiente pela raiz da entrada ao quadrado menos um: grande perto de 1",
    ),
    domain=(ABOVE_ONE,),
)

arctanh = elementwise(
    np.arctanh,
    symbol="arctanh",
    partials=(lambda x, out: 1.0 / ((1.0 - x) * (1.0 + x)),),
    emit=lambda b, x: b.atanh(x),
    does=Says(
        en="finds the number whose hyperbolic tangent is {0}",
        pt="acha o número cuja tangente hiperbólica é {0}",
    ),
    teaches=Says(
        en="divides the gradient by one minus its input squared: large near ±1",
        pt="divide o gradiente por um menos a entrada ao quadrado: grande perto de ±1",
    ),
    domain=(UNIT,),
)


def _log_share(x: Any, out: Any) -> Any:
    """Return x − out, the logarithm of x's share of the sum; at infinities 0 or −∞, never NaN."""
    above = x == np.inf
    return np.where(above, 0.0, x) - np.where(above | (out == -np.inf), 0.0, out)


def _emit_logaddexp(b: Any, x: Any, y: Any, exp: Any, log: Any, tied: float) -> Any:
    """Add in the world of exponentials: greater + log(1 + exp(smaller − greater))."""
    zero = b.const(0.0, x)
    ahead = b.sub(x, y)
    behind = b.sub(y, x)
    x_leads = b.add(x, log(exp(behind)))
    y_leads = b.add(y, log(exp(ahead)))
    apart = b.select(b.lt(zero, ahead), x_leads, b.select(b.le(ahead, zero), y_leads, ahead))
    # equal infinities have no difference
    return b.select(b.eq(x, y), b.add(x, b.const(tied, x)), apart)


logaddexp = elementwise(
    np.logaddexp,
    symbol="log(eˣ+eʸ)",
    partials=(
        lambda x, y, out: np.exp(_log_share(x, out)),
        lambda x, y, out: np.exp(_log_share(y, out)),
    ),
    emit=lambda b, x, y: _emit_logaddexp(b, x, y, b.exp, b.log1p, _LN2),
    does=Says(
        en="takes the logarithm of the exponentials of {0} and {1} added",
        pt="tira o logaritmo da soma das exponenciais de {0} e {1}",
    ),
    teaches=Says(
        en="shares the gradient out by each input's part in the sum of exponentials",
        pt="reparte o gradiente conforme a parte de cada entrada na soma das exponenciais",
    ),
    domain=(REALS, REALS),
    facts=("commutative",),
)

logaddexp2 = elementwise(
    np.logaddexp2,
    symbol="log₂(2ˣ+2ʸ)",
    partials=(
        lambda x, y, out: np.exp2(_log_share(x, out)),
        lambda x, y, out: np.exp2(_log_share(y, out)),
    ),
    emit=lambda b, x, y: _emit_logaddexp(
        b, x, y, b.exp2, lambda t: b.mul(b.const(1.0 / _LN2, t), b.log1p(t)), 1.0
    ),
    does=Says(
        en="takes the base-two logarithm of the powers of two of {0} and {1} added",
        pt="tira o logaritmo de base dois da soma das potências de dois de {0} e {1}",
    ),
    teaches=Says(
        en="shares the gradient out by each input's part in the sum of powers",
        pt="reparte o gradiente conforme a parte de cada entrada na soma das potências",
    ),
    domain=(REALS, REALS),
    facts=("commutative",),
)


def _squared_distance(y: Any, x: Any) -> Any:
    # at the origin every angle is as good as another: the gradient is zero there, not NaN
    r = x * x + y * y
    return np.where(np.equal(r, 0.0), 1.0, r)


arctan2 = elementwise(
    np.arctan2,
    symbol="arctan₂",
    partials=(
        lambda y, x, out: x / _squared_distance(y, x),
        lambda y, x, out: -y / _squared_distance(y, x),
    ),
    emit=lambda b, y, x: b.atan2(y, x),
    does=Says(
        en="finds the angle of the point with height {0} and width {1}",
        pt="acha o ângulo do ponto de altura {0} e largura {1}",
    ),
    teaches=Says(
        en="gives each input the other's value over the squared distance to the origin, "
        "with a minus for {1}",
        pt="dá a cada entrada o valor da outra sobre a distância à origem ao quadrado, "
        "com um menos para {1}",
    ),
    domain=(REALS, NONZERO),
)


def _emit_hypot(b: Any, x: Any, y: Any) -> Any:
    """Scale by the greater side, so that no square overflows; infinity wins over NaN."""
    x, y, infinity = b.abs(x), b.abs(y), b.const(math.inf, x)
    greater = b.select(b.lt(x, y), y, x)
    smaller = b.select(b.lt(x, y), x, y)
    ratio = b.div(smaller, greater)
    scaled = b.mul(greater, b.sqrt(b.add(b.const(1.0, x), b.mul(ratio, ratio))))
    length = b.select(b.eq(greater, b.const(0.0, x)), b.add(greater, smaller), scaled)
    return b.select(b.either(b.eq(x, infinity), b.eq(y, infinity)), infinity, length)


hypot = elementwise(
    np.hypot,
    symbol="√(x²+y²)",
    # 0 at the origin, as for the absolute value
    partials=(
        lambda x, y, out: x / np.where(out == 0, 1.0, out),
        lambda x, y, out: y / np.where(out == 0, 1.0, out),
    ),
    emit=_emit_hypot,
    does=Says(
        en="measures the diagonal over the sides {0} and {1}",
        pt="mede a diagonal sobre os lados {0} e {1}",
    ),
    teaches=Says(
        en="gives each side the gradient times its part in the diagonal",
        pt="dá a cada lado o gradiente vezes a sua parte na diagonal",
    ),
    domain=(NONZERO, REALS),
    facts=("commutative",),
)

deg2rad = elementwise(
    np.deg2rad,
    np.radians,
    symbol="° → rad",
    partials=(_DEGREE,),
    linear=(0,),
    emit=lambda b, x: b.mul(x, b.const(_DEGREE, x)),
    does=Says(en="turns {0} from degrees into radians", pt="converte {0} de graus para radianos"),
    teaches=Says(
        en="scales the gradient by π over 180", pt="multiplica o gradiente por π sobre 180"
    ),
    domain=(REALS,),
    facts=("linear",),
)

rad2deg = elementwise(
    np.rad2deg,
    np.degrees,
    symbol="rad → °",
    partials=(1.0 / _DEGREE,),
    linear=(0,),
    emit=lambda b, x: b.mul(x, b.const(1.0 / _DEGREE, x)),
    does=Says(en="turns {0} from radians into degrees", pt="converte {0} de radianos para graus"),
    teaches=Says(
        en="scales the gradient by 180 over π", pt="multiplica o gradiente por 180 sobre π"
    ),
    domain=(REALS,),
    facts=("linear",),
)
