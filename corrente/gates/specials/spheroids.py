"""Waves in spheroids: the angular functions and those of the first kind along the radius."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.errors import BadValue
from corrente.gates.specials.bundles import bundle
from corrente.gates.specials.characteristics import obl_cv, pro_cv
from corrente.gates.specials.forms import kept, public
from corrente.record import Interval, call, composed
from corrente.words import Says

Bend = Callable[..., Any]
"""The second slope `(m, c², λ, x, y, slope)`, by the equation of the wave."""


def _angular(sign: float) -> Bend:
    """Make the second slope of an angular function: 0/0 at the poles."""

    def bend(m: Any, square: Any, value: Any, x: Any, y: Any, slope: Any) -> Any:
        rest = 1.0 - x * x
        return (2.0 * x * slope - (value - sign * square * x * x - m * m / rest) * y) / rest

    return bend


def _radial(sign: float) -> Bend:
    """Make the second slope along the radius: 0/0 on the surface x = 1 of a prolate one."""

    def bend(m: Any, square: Any, value: Any, x: Any, y: Any, slope: Any) -> Any:
        rest = x * x - sign
        return ((value - square * x * x + sign * m * m / rest) * y - 2.0 * x * slope) / rest

    return bend


def _spheroidal(
    of: Callable[..., Any], told: Any, bend: Bend, value: Any, domain: Interval
) -> Callable[..., Any]:
    """Record a function of a spheroid, and its twin that is told the characteristic value.

    It computes in double precision: in single, SciPy's own may hang.
    """
    name = of.__name__

    def function(m: Any, n: Any, c: Any, x: Any) -> Any:
        ins = (m, n, c, x)
        return tuple(kept(out, *ins)[()] for out in of(*(np.float64(given) for given in ins)))

    def moves(m: Any, n: Any, c: Any, x: Any, out: Any) -> tuple[Any, Any]:
        y, slope = out
        return slope, bend(m, c * c, value(m, n, c), x, y, slope)

    function.__name__ = function.__qualname__ = name
    asking = public(function)
    way = ("along the radius", "ao longo do raio") if "rad" in name else ("by angle", "por ângulo")
    kind = ("prolate", "prolato") if value is pro_cv else ("oblate", "oblato")
    bundle(
        asking,
        of,
        outs=2,
        slopes=("m", "n", "c", moves),
        symbol="R" if "rad" in name else "S",
        does=Says(
            en=f"takes the {kind[0]} spheroidal function {way[0]} at {{3}}, and its slope",
            pt=f"toma a função esferoidal {way[1]}, de {kind[1]}, em {{3}}, e a inclinação",
        ),
        teaches=_TEACHES,
        domain=((0.0, 3.0),) * 3 + (domain,),
        example=lambda rng: call(1, 2, 2, rng.uniform(*domain, size=(3, 4))),
    )
    composed(told)(_told(told.__name__, asking, value))
    return asking


def _told(name: str, of: Callable[..., Any], value: Any) -> Callable[..., Any]:
    """Make the function that is told the characteristic value; of another it makes no sense."""

    def function(m: Any, n: Any, c: Any, cv: Any, x: Any, /) -> Any:
        own = value(m, n, c)
        if not np.all(np.abs(cv - own) <= 1e-5 * (1.0 + np.abs(own))):
            raise BadValue(
                Says(
                    "special.{0} was told a characteristic value that is not that of m, n and c.",
                    "special.{0} recebeu um valor característico que não é o de m, n e c.",
                ).fill(name),
                Says(
                    "give special.{0}(m, n, c), or leave it to special.{1}.",
                    "dê special.{0}(m, n, c), ou deixe-o com special.{1}.",
                ).fill(value.__name__, of.__name__),
            )
        # whoever moves cv is told, as for c, that no slope is known
        return of(m, n, c + 0.0 * cv, x)

    return function


_TEACHES = Says(
    en="scales the gradient of the function by its slope, and that of the slope by what the "
    "equation of the spheroid says of its bend",
    pt="multiplica o gradiente da função pela inclinação, e o da inclinação pelo que a "
    "equação do esferoide diz da sua curvatura",
)

pro_ang1 = _spheroidal(sc.pro_ang1, sc.pro_ang1_cv, _angular(1.0), pro_cv, (-0.8, 0.8))
obl_ang1 = _spheroidal(sc.obl_ang1, sc.obl_ang1_cv, _angular(-1.0), obl_cv, (-0.8, 0.8))
pro_rad1 = _spheroidal(sc.pro_rad1, sc.pro_rad1_cv, _radial(1.0), pro_cv, (1.2, 3.0))
obl_rad1 = _spheroidal(sc.obl_rad1, sc.obl_rad1_cv, _radial(-1.0), obl_cv, (0.3, 3.0))
