"""The remaining functions of each element: signs, steps, parts of numbers, and the sinc."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.gates.calls import refuse
from corrente.gates.own import dispatched
from corrente.record import REALS, Call, Gate, Opaque, Shape, call, composed, elementwise, gate
from corrente.words import Says

_ANSWER = Says(
    en="lets no gradient through: between its jumps the output does not move",
    pt="não deixa passar gradiente: entre os saltos a saída não se move",
)
_WHOLE = Says(
    en="lets no gradient through: whole numbers have no slope",
    pt="não deixa passar gradiente: números inteiros não têm inclinação",
)


def _nothing(g: Any, out: Any, *ins: Any) -> Any:
    """Return zeros of the gradient's own type: 0 × g would turn infinity into NaN."""
    return np.where(False, g, 0.0)


# --- sign and step ------------------------------------------------------------------------------


def _has_minus(b: Any, x: Any) -> Any:
    """Tell −0 from +0 by the infinity on the other side of the division."""
    zero = b.const(0.0, x)
    minus_zero = b.both(b.eq(x, zero), b.lt(b.div(b.const(1.0, x), x), zero))
    return b.either(b.lt(x, zero), minus_zero)


def _emit_copysign(b: Any, x: Any, y: Any) -> Any:
    size = b.abs(x)
    return b.select(_has_minus(b, y), b.neg(size), size)


copysign = elementwise(
    np.copysign,
    symbol="±",
    pulls=(
        lambda g, out, x, y: np.where(
            np.equal(x, 0), 0.0, np.where(np.signbit(x) == np.signbit(y), g, -g)
        ),
        _nothing,
    ),
    emit=_emit_copysign,
    side=lambda x, y: 2 * np.sign(x) + np.signbit(y),
    does=Says(
        en="gives {0} the sign of {1}",
        pt="dá a {0} o sinal de {1}",
    ),
    teaches=Says(
        en="turns the gradient of {0} where its sign was turned, zero at zero; none for {1}",
        pt="inverte o gradiente de {0} onde o sinal foi trocado, zero em zero; nenhum para {1}",
    ),
    domain=(REALS, REALS),
)

heaviside = elementwise(
    np.heaviside,
    symbol="step",
    pulls=(_nothing, lambda g, out, x, y: np.where(np.equal(x, 0), g, 0.0)),
    emit=lambda b, x, y: b.select(
        b.lt(x, b.const(0.0, x)),
        b.const(0.0, x),
        b.select(b.eq(x, b.const(0.0, x)), y, b.select(b.eq(x, x), b.const(1.0, x), x)),
    ),
    side=lambda x, y: np.sign(x),
    does=Says(
        en="gives zero where {0} is negative, one where it is positive, and {1} at zero",
        pt="dá zero onde {0} é negativo, um onde é positivo, e {1} em zero",
    ),
    teaches=Says(
        en="gives {1} the gradient where {0} is zero; to {0} the step has no slope",
        pt="dá a {1} o gradiente onde {0} é zero; para {0} o degrau não tem inclinação",
    ),
    domain=(REALS, REALS),
)


@composed(np.nan_to_num)
def _nan_to_num(
    x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None
) -> Any:
    """Choose a number for what is none; there the gradient stops."""
    refuse("nan_to_num", copy=None if copy else "False")
    if np.iscomplexobj(x):
        real, imag = (_nan_to_num(part, copy, nan, posinf, neginf) for part in (x.real, x.imag))
        return real + 1j * imag
    dtype = np.result_type(x)
    if dtype.kind != "f":
        return np.copy(x)
    most = np.finfo(dtype)
    x = np.where(np.isnan(x), nan, x)
    x = np.where(np.equal(x, np.inf), float(most.max) if posinf is None else posinf, x)
    return np.where(np.equal(x, -np.inf), float(most.min) if neginf is None else neginf, x)


@composed(np.float_power)
def _float_power(x1: Any, x2: Any, /) -> Any:
    """Raise in double precision at least, whatever was given."""
    kind = np.result_type(x1, x2, np.float64)
    return np.power(*(x.astype(kind) if hasattr(x, "astype") else kind.type(x) for x in (x1, x2)))


# --- parts of a number --------------------------------------------------------------------------


@composed(np.divmod)
def _divmod(x1: Any, x2: Any, /) -> Any:
    return np.floor_divide(x1, x2), np.remainder(x1, x2)


@composed(np.modf)
def _modf(x: Any, /) -> Any:
    """Split off the whole part; of infinity nothing is left."""
    endless = np.isinf(x)
    rest = np.where(endless, np.copysign(0.0, x), np.fmod(np.where(endless, 0.0, x), 1.0))
    return rest, np.trunc(x)


def _exponent(x: Any) -> Any:
    return np.frexp(x)[1]


frexp = gate(
    np.frexp,
    kind=Opaque(batch=np.frexp),
    takes=None,
    shape=lambda x: (x, x),
    pulls=(lambda g, out, x: np.ldexp(g[0], -out[1]),),
    symbol="m·2ᵉ",
    code=None,
    does=Says(
        en="splits {0} into a fraction and a power of two",
        pt="separa {0} em uma fração e uma potência de dois",
    ),
    teaches=Says(
        en="divides the fraction's gradient by the power of two; the exponent sends none",
        pt="divide o gradiente da fração pela potência de dois; o expoente não manda nenhum",
    ),
    example=lambda rng: call(rng.uniform(*REALS, size=(3, 4))),
    side=_exponent,
    outs=2,
)


def together(*shapes: Shape) -> Shape:
    """Return the shape of inputs that broadcast."""
    return np.broadcast_shapes(*shapes)


def aligned(of: Callable[..., Any]) -> Callable[..., Any]:
    """Make the rule for a whole batch: the axes of each example broadcast behind the batch's."""

    def batch(*ins: Any) -> Any:
        ndim = max(map(np.ndim, ins))
        shapes = [np.shape(x) for x in ins]
        fills = [(1,) * (ndim - len(shape)) for shape in shapes]
        return of(
            *(
                np.reshape(x, (shape[0], *fill, *shape[1:]))
                for x, shape, fill in zip(ins, shapes, fills, strict=True)
            )
        )

    return batch


def _whole_and_real(rng: np.random.Generator) -> Call:
    return call(rng.normal(size=(3, 4)), rng.integers(-3, 4, size=4))


ldexp = gate(
    np.ldexp,
    kind=Opaque(batch=aligned(np.ldexp)),
    takes=None,
    shape=together,
    pulls=(lambda g, out, x, n: np.ldexp(g, n), _nothing),
    linear=(0,),
    symbol="x·2ⁿ",
    code=None,
    does=Says(
        en="multiplies {0} by two to the power {1}", pt="multiplica {0} por dois elevado a {1}"
    ),
    teaches=Says(
        en="multiplies the gradient by the same power of two",
        pt="multiplica o gradiente pela mesma potência de dois",
    ),
    domain=(REALS, REALS),
    example=_whole_and_real,
)

nextafter = gate(
    np.nextafter,
    kind=Opaque(batch=aligned(np.nextafter)),
    takes=None,
    shape=together,
    pulls=(lambda g, out, x, y: g, _nothing),
    symbol="next",
    code=None,
    does=Says(
        en="takes the number next to {0} on the way to {1}",
        pt="toma o número vizinho de {0} a caminho de {1}",
    ),
    teaches=Says(
        en="passes the gradient on to {0}, which the output goes along with; none for {1}",
        pt="entrega o gradiente a {0}, que a saída acompanha; nenhum para {1}",
    ),
    domain=(REALS, REALS),
    example=lambda rng: call(rng.normal(size=(3, 4)), rng.normal(size=4)),
)

spacing = gate(
    np.spacing,
    kind=Opaque(batch=np.spacing),
    takes=None,
    shape=together,
    pulls=None,
    symbol="ulp",
    code=None,
    does=Says(
        en="measures the gap between {0} and the next number",
        pt="mede a distância entre {0} e o número seguinte",
    ),
    teaches=_ANSWER,
    example=lambda rng: call(rng.normal(size=(3, 4))),
    side=_exponent,
)

# --- whole numbers ------------------------------------------------------------------------------


def _two_whole(rng: np.random.Generator) -> Call:
    return call(rng.integers(1, 9, size=(3, 4)), rng.integers(1, 9, size=4))


def _of_whole(of: Any, symbol: str, en: str, pt: str, *facts: str) -> Gate:
    """Record a function of whole numbers; nothing flows back through it."""
    return gate(
        of,
        kind=Opaque(batch=aligned(of)),
        takes=None,
        shape=together,
        pulls=None,
        symbol=symbol,
        code=None,
        does=Says(en=en, pt=pt),
        teaches=_WHOLE,
        domain=(REALS,) * of.nin,
        example=lambda rng: Call(_two_whole(rng).ins[: of.nin], {}),
        facts=facts,
    )


gcd = _of_whole(
    np.gcd,
    "gcd",
    "finds the greatest whole number that divides {0} and {1}",
    "acha o maior inteiro que divide {0} e {1}",
    "commutative",
)
lcm = _of_whole(
    np.lcm,
    "lcm",
    "finds the smallest whole number that {0} and {1} divide",
    "acha o menor inteiro que {0} e {1} dividem",
    "commutative",
)
left_shift = _of_whole(
    np.left_shift,
    "<<",
    "moves the bits of {0} up by {1} places",
    "move os bits de {0} para cima em {1} casas",
)
right_shift = _of_whole(
    np.right_shift,
    ">>",
    "moves the bits of {0} down by {1} places",
    "move os bits de {0} para baixo em {1} casas",
)
bitwise_count = _of_whole(
    np.bitwise_count, "#1", "counts the set bits of {0}", "conta os bits ligados de {0}"
)

# --- sinc ---------------------------------------------------------------------------------------


def _series(z: Any, n: int) -> Any:
    """Add up the series of the n-th derivative of sin(z)/z around 0."""
    square = np.square(z)
    first = (n + 1) // 2
    term = (-1.0) ** first * (z if n % 2 else 1.0) * np.ones_like(z)
    total = term / (2 * first + 1)
    power = 2 * first - n
    for m in range(first + 1, first + 14 + n):
        term = term * -square / ((power + 1) * (power + 2))
        power += 2
        total = total + term / (2 * m + 1)
    return total


def _recurrence(z: Any, n: int) -> Any:
    """Climb to the n-th derivative of sin(z)/z: its product with z is one of the sine."""
    waves = (np.sin(z), np.cos(z), -np.sin(z), -np.cos(z))
    slope = waves[0] / z
    for k in range(1, n + 1):
        slope = (waves[k % 4] - k * slope) / z
    return slope


@dispatched
def sinc_slope(x: Any, n: int = 1) -> Any:
    """Return the derivative of order n of `np.sinc`, sin(πx)/(πx), without a hole at 0.

    `x` is real, of any shape; its float dtype is kept. `n` is a whole number ≥ 0.

    >>> import numpy as np
    >>> [round(float(sinc_slope(0.0, n)), 4) for n in (1, 2)]
    [0.0, -3.2899]
    """
    x = np.asarray(x)
    dtype = np.result_type(x, 1.0) if x.dtype.kind != "f" else x.dtype
    z = math.pi * x.astype(np.result_type(dtype, np.float64))
    near = np.abs(z) < n + 2
    out = np.where(
        near, _series(np.where(near, z, 0.0), n), _recurrence(np.where(near, n + 2.0, z), n)
    )
    return (math.pi**n * out).astype(dtype)[()]


sinc_slope.__module__ = "corrente.special"

sinc_slope_gate = gate(
    sinc_slope,
    kind=Opaque(batch=lambda x, n: sinc_slope(x, n)),
    takes=lambda x, n=1: call(x, n=int(n)),
    shape=lambda x, n: x,
    pulls=(lambda g, out, x, n: g * sinc_slope(x, n + 1),),
    symbol="sinc′",
    code=lambda names, params: f"special.sinc_slope({names[0]}, {params['n']})",
    does=Says(en="takes a slope of the sinc wave at {0}", pt="toma uma inclinação do sinc em {0}"),
    teaches=Says(
        en="scales the gradient by the slope of the next order",
        pt="multiplica o gradiente pela inclinação da ordem seguinte",
    ),
    example=lambda rng: call(rng.uniform(*REALS, size=(3, 4)), n=1),
)


def _emit_sinc(b: Any, x: Any) -> Any:
    zero = b.eq(x, b.const(0.0, x))
    angle = b.mul(b.const(math.pi, x), b.select(zero, b.const(1.0e-20, x), x))
    return b.div(b.sin(angle), angle)


sinc = elementwise(
    np.sinc,
    takes=lambda x: call(x),
    symbol="sinc",
    partials=(lambda x, out: sinc_slope(x),),
    emit=_emit_sinc,
    does=Says(
        en="takes sin(π·{0}) over π·{0}, which is one at zero",
        pt="toma sin(π·{0}) sobre π·{0}, que é um em zero",
    ),
    teaches=Says(
        en="scales the gradient by (cos(π·{0}) − sinc {0}) / {0}, which is zero at zero",
        pt="multiplica o gradiente por (cos(π·{0}) − sinc {0}) / {0}, que é zero em zero",
    ),
    domain=(REALS,),
)


def _scipys() -> Any:
    from scipy import special  # noqa: PLC0415  (SciPy loads when it is first needed)

    return special


@composed(np.i0)
def _i0(x: Any, /) -> Any:
    """Take SciPy's: NumPy has no function for its slope."""
    return _scipys().i0(x)
