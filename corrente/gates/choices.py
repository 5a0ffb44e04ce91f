"""Choosing, keeping and stopping: greater and smaller, clip, where, absolute value, casts.

A choice *selects* the gradient instead of multiplying it by zero: what lies in the branch that
was not taken, infinite or NaN, never reaches the input.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente import convention
from corrente.errors import NotSupported
from corrente.gates.own import dispatched
from corrente.record import REALS, Call, Params, Pull, call, composed, elementwise
from corrente.words import Says


def _nothing(g: Any, out: Any, *ins: Any) -> Any:
    """Return zeros of the gradient's own type: 0 × g would turn infinity into NaN."""
    return np.where(False, g, 0.0)


def _is_nan(b: Any, x: Any) -> Any:
    return b.negate(b.eq(x, x))


# --- the greater and the smaller ----------------------------------------------------------------


def _shared(g: Any, out: Any, x: Any, y: Any, loses: Any, second: bool) -> Any:
    """Select the gradient where x won against y; ties follow the rule in force.

    What is not comparable (NaN) did not lose, so that a NaN never turns into a zero gradient.
    """
    tied = x == y
    convention.note(tied, out)
    rule = convention.rule()
    if rule == "split":
        return np.where(loses, 0.0, np.where(tied, 0.5 * g, g))
    return np.where(loses | tied if second and rule == "first" else loses, 0.0, g)


_GREATER: tuple[Pull, Pull] = (
    lambda g, out, x, y: _shared(g, out, x, y, x < y, False),
    lambda g, out, x, y: _shared(g, out, y, x, y < x, True),
)
_SMALLER: tuple[Pull, Pull] = (
    lambda g, out, x, y: _shared(g, out, x, y, x > y, False),
    lambda g, out, x, y: _shared(g, out, y, x, y > x, True),
)
# a NaN loses against a number here
_GREATER_NUMBER: tuple[Pull, Pull] = (
    lambda g, out, x, y: _shared(g, out, x, y, (x < y) | ((x != x) & (y == y)), False),
    lambda g, out, x, y: _shared(g, out, y, x, (y < x) | ((y != y) & (x == x)), True),
)
_SMALLER_NUMBER: tuple[Pull, Pull] = (
    lambda g, out, x, y: _shared(g, out, x, y, (x > y) | ((x != x) & (y == y)), False),
    lambda g, out, x, y: _shared(g, out, y, x, (y > x) | ((y != y) & (x == x)), True),
)


def _which(x: Any, y: Any) -> Any:
    """Tell which of the two is greater: −1, 0 or 1; without a difference, as ∞ − ∞ has none."""
    return np.greater(x, y) * 1 - np.less(x, y) * 1


_WINNER = Says(
    en="gives the winner the whole gradient and the other zero; a tie is shared",
    pt="dá ao vencedor o gradiente inteiro e ao outro zero; o empate é repartido",
)

maximum = elementwise(
    np.maximum,
    symbol="max",
    pulls=_GREATER,
    emit=lambda b, x, y: b.select(b.either(b.lt(y, x), _is_nan(b, x)), x, y),
    side=_which,
    does=Says(en="takes the greater of {0} and {1}", pt="toma o maior entre {0} e {1}"),
    teaches=_WINNER,
    domain=(REALS, REALS),
    facts=("commutative",),
)

minimum = elementwise(
    np.minimum,
    symbol="min",
    pulls=_SMALLER,
    emit=lambda b, x, y: b.select(b.either(b.lt(x, y), _is_nan(b, x)), x, y),
    side=_which,
    does=Says(en="takes the smaller of {0} and {1}", pt="toma o menor entre {0} e {1}"),
    teaches=_WINNER,
    domain=(REALS, REALS),
    facts=("commutative",),
)

fmax = elementwise(
    np.fmax,
    symbol="fmax",
    pulls=_GREATER_NUMBER,
    emit=lambda b, x, y: b.select(b.either(b.lt(y, x), _is_nan(b, y)), x, y),
    side=_which,
    does=Says(
        en="takes the greater of {0} and {1}, passing over NaN",
        pt="toma o maior entre {0} e {1}, sem contar NaN",
    ),
    teaches=_WINNER,
    domain=(REALS, REALS),
    facts=("commutative",),
)

fmin = elementwise(
    np.fmin,
    symbol="fmin",
    pulls=_SMALLER_NUMBER,
    emit=lambda b, x, y: b.select(b.either(b.lt(x, y), _is_nan(b, y)), x, y),
    side=_which,
    does=Says(
        en="takes the smaller of {0} and {1}, passing over NaN",
        pt="toma o menor entre {0} e {1}, sem contar NaN",
    ),
    teaches=_WINNER,
    domain=(REALS, REALS),
    facts=("commutative",),
)


# --- clip ---------------------------------------------------------------------------------------


def _open_end(x: Any, end: str) -> Any:
    """Return a bound that holds nothing back, in a type that does not promote x."""
    dtype = getattr(x, "dtype", None)
    if dtype is None or dtype.kind not in "iu":
        return -math.inf if end == "min" else math.inf
    return int(getattr(np.iinfo(dtype), end))


def _clip_call(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None
) -> Call:
    lower = min if a_min is None else a_min
    upper = max if a_max is None else a_max
    return call(
        a,
        _open_end(a, "min") if lower is None else lower,
        _open_end(a, "max") if upper is None else upper,
    )


def _emit_clip(b: Any, x: Any, lower: Any, upper: Any) -> Any:
    x = b.select(b.either(b.lt(x, lower), _is_nan(b, lower)), lower, x)
    return b.select(b.both(b.either(b.lt(upper, x), _is_nan(b, upper)), b.eq(x, x)), upper, x)


clip = elementwise(
    np.clip,
    takes=_clip_call,
    symbol="clip",
    pulls=(
        # both bounds belong to the inside: there x passes, and receives the whole gradient
        lambda g, out, x, lower, upper: np.where((x < lower) | (x > upper), 0.0, g),
        lambda g, out, x, lower, upper: np.where((x < lower) & (lower <= upper), g, 0.0),
        lambda g, out, x, lower, upper: np.where((x > upper) | (lower > upper), g, 0.0),
    ),
    emit=_emit_clip,
    side=lambda x, lower, upper: _which(x, lower) + _which(x, upper),
    does=Says(en="keeps {0} between {1} and {2}", pt="mantém {0} entre {1} e {2}"),
    teaches=Says(
        en="passes the gradient on from the bounds inwards; outside, the bound receives it",
        pt="entrega o gradiente dos limites para dentro; fora deles, quem o recebe é o limite",
    ),
    domain=(REALS, (-1.5, -0.5), (0.5, 1.5)),
)


# --- where --------------------------------------------------------------------------------------


def _where_call(condition: Any, *choices: Any) -> Call:
    if len(choices) != 2:
        raise NotSupported(
            Says(
                "np.where with a condition alone has no gate: it finds indices.",
                "np.where só com a condição não tem porta: ela procura índices.",
            ),
            Says(
                "np.nonzero(condition), or give both branches: np.where(condition, x, y).",
                "np.nonzero(condition), ou dê os dois ramos: np.where(condition, x, y).",
            ),
        )
    known = isinstance(condition, bool) or getattr(condition, "dtype", None) == np.bool_
    return call(condition if known else np.not_equal(condition, 0), *choices)


where = elementwise(
    np.where,
    takes=_where_call,
    symbol="where",
    pulls=(
        _nothing,
        lambda g, out, condition, x, y: np.where(condition, g, 0.0),
        lambda g, out, condition, x, y: np.where(condition, 0.0, g),
    ),
    emit=lambda b, condition, x, y: b.select(condition, x, y),
    side=lambda condition, x, y: np.broadcast_arrays(condition, x, y)[0],
    does=Says(
        en="takes {1} where {0} holds and {2} elsewhere",
        pt="toma {1} onde {0} vale e {2} no resto",
    ),
    teaches=Says(
        en="sends each element's gradient to the branch it came from; the other receives zero",
        pt="manda o gradiente de cada elemento ao ramo de onde veio; o outro recebe zero",
    ),
    domain=(REALS, REALS, REALS),
    example=lambda rng: call(rng.random((3, 4)) < 0.5, rng.normal(size=4), rng.normal(size=(3, 1))),
)


# --- absolute value and sign --------------------------------------------------------------------


def _outwards(g: Any, out: Any, x: Any) -> Any:
    """Turn the gradient where x is negative; zero at zero, and NaN does not hide."""
    if np.iscomplexobj(x):
        return g * np.conjugate(x) / np.where(out == 0, 1.0, out)
    return np.where(x < 0, -g, np.where(x == 0, 0.0, g))


def _push_outwards(tangents: Any, out: Any, ins: Any, params: Any) -> Any:
    pushed = _outwards(tangents[0], out, ins[0])
    return np.real(pushed) if np.iscomplexobj(ins[0]) else pushed


absolute = elementwise(
    np.absolute,
    symbol="|x|",
    pulls=(_outwards,),
    push=_push_outwards,
    emit=lambda b, x: b.abs(x),
    side=lambda x: np.sign(np.real(x)),
    does=Says(en="takes the absolute value of {0}", pt="toma o valor absoluto de {0}"),
    teaches=Says(
        en="turns the gradient where its input is negative; zero at zero",
        pt="inverte o gradiente onde a entrada é negativa; zero em zero",
    ),
    domain=(REALS,),
)

fabs = elementwise(
    np.fabs,
    symbol="|x|",
    pulls=(_outwards,),
    emit=lambda b, x: b.abs(x),
    side=lambda x: np.sign(x),
    does=Says(
        en="takes the absolute value of {0} as a real number",
        pt="toma o valor absoluto de {0} como número real",
    ),
    teaches=Says(
        en="turns the gradient where its input is negative; zero at zero",
        pt="inverte o gradiente onde a entrada é negativa; zero em zero",
    ),
    domain=(REALS,),
)


def _emit_sign(b: Any, x: Any) -> Any:
    zero, one = b.const(0.0, x), b.const(1.0, x)
    unless_nan = b.select(b.eq(x, zero), zero, x)
    return b.select(b.lt(zero, x), one, b.select(b.lt(x, zero), b.neg(one), unless_nan))


def _takes_sign(x: Any) -> Call:
    if np.iscomplexobj(x):
        raise NotSupported(
            Says("np.sign of complex numbers is refused.", "np.sign de complexos é recusado."),
            Says(
                "it turns with its input and has a gradient: write x / np.abs(x).",
                "ele gira com a entrada e tem gradiente: escreva x / np.abs(x).",
            ),
        )
    return call(x)


sign = elementwise(
    np.sign,
    takes=_takes_sign,
    symbol="sign",
    emit=_emit_sign,
    side=lambda x: np.sign(x),
    does=Says(en="keeps only the sign of {0}", pt="guarda só o sinal de {0}"),
    teaches=Says(
        en="lets no gradient through: the sign does not move when its input does",
        pt="não deixa passar gradiente: o sinal não se move quando a entrada se move",
    ),
    domain=(REALS,),
)


# --- gates of our own: cast, stop, copy ---------------------------------------------------------


def astype(x: Any, dtype: Any) -> Any:
    """Return x in another dtype, as the method `x.astype(dtype)` does; numbers stay numbers.

    >>> astype(np.array([1.5, 2.5]), np.float32).dtype
    dtype('float32')
    """
    return x.astype(dtype) if hasattr(x, "astype") else np.dtype(dtype).type(x)


@composed(np.astype)
def _astype(x: Any, dtype: Any, /, *, copy: bool = True) -> Any:
    return x.astype(dtype, copy=copy)


def _cast_code(names: Sequence[str], params: Params) -> str:
    # the type called as a function keeps an array an array and a number a number
    return f"np.{np.dtype(params['dtype']).type.__name__}({names[0]})"


cast = elementwise(
    astype,
    takes=lambda x, dtype, copy=True: call(x, dtype=np.dtype(dtype)),
    symbol="cast",
    pulls=(lambda g, out, x, dtype: g,),
    linear=(0,),
    emit=lambda b, x: x,
    code=_cast_code,
    does=Says(en="casts {0} to another type", pt="converte {0} para outro tipo"),
    teaches=Says(
        en="hands the gradient back in the input's own type",
        pt="devolve o gradiente no tipo da própria entrada",
    ),
    domain=(REALS,),
    example=lambda rng: call(rng.normal(size=(2, 3)), dtype=np.dtype(np.float64)),
    facts=("linear",),
)


@dispatched
def stop_gradient(x: Any) -> Any:
    """Return x unchanged, as a value that no gradient flows back through.

    >>> stop_gradient(3.0)
    3.0
    """
    # an array gets memory of its own: the other may be written later
    return x.copy() if isinstance(x, np.ndarray) else x


stop = elementwise(
    stop_gradient,
    symbol="⊣",
    emit=lambda b, x: x,
    code=lambda names, params: f"nn.stop_gradient({names[0]})",
    does=Says(
        en="passes {0} on and closes the way back",
        pt="entrega {0} e fecha o caminho de volta",
    ),
    teaches=Says(
        en="stops the gradient here: to what lies before, the value is a constant",
        pt="detém aqui o gradiente: para o que vem antes, o valor é uma constante",
    ),
    domain=(REALS,),
    facts=("stops",),
)

copy = elementwise(
    np.copy,
    takes=lambda a, order="K", subok=False: call(a),
    symbol="copy",
    partials=(1.0,),
    linear=(0,),
    emit=lambda b, x: x,
    does=Says(en="copies {0}", pt="copia {0}"),
    teaches=Says(
        en="passes the gradient on unchanged to what was copied",
        pt="entrega o gradiente, sem mudança, ao que foi copiado",
    ),
    domain=(REALS,),
    facts=("linear", "identity"),
)
