"""Waves in odd rooms: functions that come with their slope, whose own slope is a wave equation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.bundles import Slopes, bundle
from corrente.gates.specials.characteristics import mathieu_a, mathieu_b
from corrente.record import Interval, call
from corrente.words import Says

_ORDER: Interval = (0.0, 3.0)
_DEGREE = np.pi / 180.0

_TEACHES = Says(
    en="scales the gradient of the function by its slope, and that of the slope by what the "
    "equation of the wave says of its bend",
    pt="multiplica o gradiente da função pela inclinação, e o da inclinação pelo que a equação "
    "da onda diz da sua curvatura",
)


def _with_slope(en: str, pt: str, last: int) -> Says:
    return Says(
        en=f"takes {en} at {{{last}}}, and its slope", pt=f"toma {pt} em {{{last}}}, e a inclinação"
    )


def _wave(
    of: Callable[..., Any],
    bend: Callable[..., Any],
    *fixed: str,
    symbol: str,
    named: tuple[str, str],
    orders: tuple[int, ...],
    domain: Interval,
    unit: float = 1.0,
) -> None:
    """Record a wave: `bend(*fixed, x, y, slope)` is the second slope, by its equation.

    `unit` is the size of the unit of x in that of the equation.
    """

    def moves(*given: Any) -> tuple[Any, ...]:
        *ins, (value, slope) = given
        second = bend(*ins, value, slope)
        return (slope, second) if unit == 1.0 else (unit * slope, unit * second)

    slopes: tuple[Slopes, ...] = (*fixed, moves)
    bundle(
        of,
        outs=2,
        slopes=slopes,
        symbol=symbol,
        does=_with_slope(*named, len(fixed)),
        teaches=_TEACHES,
        domain=(*(_ORDER,) * len(fixed), domain),
        example=lambda rng: call(*orders, rng.uniform(*domain, size=(3, 4))),
    )


# --- Mathieu: a drum that is an ellipse ---------------------------------------------------------


def _round(value: Callable[..., Any]) -> Callable[..., Any]:
    """Make the bend of an angular function, whose x is in degrees."""
    return lambda m, q, x, y, slope: (2.0 * q * np.cos(2.0 * _DEGREE * x) - value(m, q)) * y


def _outward(value: Callable[..., Any]) -> Callable[..., Any]:
    return lambda m, q, x, y, slope: (value(m, q) - 2.0 * q * np.cosh(2.0 * x)) * y


for _of, _value, _en, _pt in (
    (sc.mathieu_cem, mathieu_a, "the even Mathieu function", "a função de Mathieu par"),
    (sc.mathieu_sem, mathieu_b, "the odd Mathieu function", "a função de Mathieu ímpar"),
):
    _wave(
        _of,
        _round(_value),
        *("m", "q"),
        symbol=_of.__name__[-3:-1],
        named=(f"{_en} of {{0}} and {{1}}", f"{_pt} de {{0}} e {{1}}"),
        orders=(2, 2),
        domain=(10.0, 80.0),
        unit=_DEGREE,
    )

for _of, _value in (
    (sc.mathieu_modcem1, mathieu_a),
    (sc.mathieu_modcem2, mathieu_a),
    (sc.mathieu_modsem1, mathieu_b),
    (sc.mathieu_modsem2, mathieu_b),
):
    _name = _of.__name__
    _parity = ("even", "par") if _value is mathieu_a else ("odd", "ímpar")
    _wave(
        _of,
        _outward(_value),
        *("m", "q"),
        symbol=f"M{_name[-4:-2]}{'₁₂'[int(_name[-1]) - 1]}",
        named=(
            f"the {_parity[0]} modified Mathieu function of {{0}} and {{1}}",
            f"a função de Mathieu modificada {_parity[1]} de {{0}} e {{1}}",
        ),
        orders=(2, 2),
        domain=(0.3, 1.2),
    )

# --- parabolic cylinders ------------------------------------------------------------------------

for _of, _bend, _symbol, _fixed in (
    (sc.pbdv, lambda v, x, y, slope: (0.25 * x * x - v - 0.5) * y, "D", "v"),
    (sc.pbvv, lambda v, x, y, slope: (0.25 * x * x - v - 0.5) * y, "V", "v"),
    (sc.pbwa, lambda a, x, y, slope: (a - 0.25 * x * x) * y, "W", "a"),
):
    _wave(
        _of,
        _bend,
        _fixed,
        symbol=_symbol,
        named=(
            f"the parabolic cylinder function {_symbol} of {{0}}",
            f"a função do cilindro parabólico {_symbol} de {{0}}",
        ),
        orders=(2,),
        domain=(-1.5, 1.5),
    )
