"""Arcs of ellipses: Carlson's symmetric integrals and Jacobi's elliptic functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.specials.bundles import bundle
from corrente.gates.specials.forms import special
from corrente.record import Call, Interval
from corrente.words import Says

# apart from each other: where two inputs meet, some slopes are 0/0
_SMALL: Interval = (0.2, 0.8)
_MIDDLE: Interval = (1.1, 1.8)
_LARGE: Interval = (2.2, 3.0)
_LARGEST: Interval = (3.5, 4.5)


def _integral(which: str, inputs: str) -> Says:
    return Says(
        en=f"takes Carlson's elliptic integral {which} of {inputs}",
        pt=f"toma a integral elíptica {which} de Carlson de {inputs.replace(' and ', ' e ')}",
    )


# --- Carlson ------------------------------------------------------------------------------------


def _by_first_of_c(x: Any, y: Any) -> Any:
    # as a series it has no hole at x = y, and so have its own slopes
    return -sc.hyp2f1(1.5, 1.5, 2.5, 1.0 - x / y) / (6.0 * y * np.sqrt(y))


elliprc = special(
    sc.elliprc,
    symbol="R_C",
    partials=(
        lambda x, y, out: _by_first_of_c(x, y),
        lambda x, y, out: -(0.5 * out + x * _by_first_of_c(x, y)) / y,
    ),
    does=_integral("R_C", "{0} and {1}"),
    teaches=Says(
        en="gives {0} the gradient times the integral with one more factor of it; the two local "
        "gradients, weighed by {0} and {1}, make minus half the output",
        pt="dá a {0} o gradiente vezes a integral com mais um fator dele; os dois gradientes "
        "locais, pesados por {0} e {1}, fazem menos metade da saída",
    ),
    domain=((0.3, 3.0), (1.0, 4.0)),
)

elliprf = special(
    sc.elliprf,
    symbol="R_F",
    partials=(
        lambda x, y, z, out: -sc.elliprd(y, z, x) / 6.0,
        lambda x, y, z, out: -sc.elliprd(x, z, y) / 6.0,
        lambda x, y, z, out: -sc.elliprd(x, y, z) / 6.0,
    ),
    does=_integral("R_F", "{0}, {1} and {2}"),
    teaches=Says(
        en="gives each input the gradient times −R_D/6, with that input in the last place",
        pt="dá a cada entrada o gradiente vezes −R_D/6, com essa entrada no último lugar",
    ),
    domain=(_SMALL, _MIDDLE, _LARGE),
)


def _by_side_of_d(x: Any, y: Any, z: Any, out: Any) -> Any:
    """Return the slope of R_D in x; in the other plain input it is the same with both exchanged."""
    return -0.5 * (out - sc.elliprd(y, z, x)) / (x - z)


def _by_last_of_d(x: Any, y: Any, z: Any, out: Any) -> Any:
    sides = x * _by_side_of_d(x, y, z, out) + y * _by_side_of_d(y, x, z, out)
    return -(1.5 * out + sides) / z


elliprd = special(
    sc.elliprd,
    symbol="R_D",
    partials=(
        _by_side_of_d,
        lambda x, y, z, out: _by_side_of_d(y, x, z, out),
        _by_last_of_d,
    ),
    does=_integral("R_D", "{0}, {1} and {2}"),
    teaches=Says(
        en="gives {0} and {1} differences of such integrals over their distance to {2}, which is "
        "0/0 where they meet it, and {2} the rest of −3/2 of the output",
        pt="dá a {0} e {1} diferenças de integrais assim sobre a distância até {2}, que são 0/0 "
        "onde o encontram, e a {2} o resto de −3/2 da saída",
    ),
    domain=(_SMALL, _MIDDLE, _LARGE),
)


def _by_one_of_g(x: Any, y: Any, z: Any) -> Any:
    return 0.25 * sc.elliprf(x, y, z) - x * sc.elliprd(y, z, x) / 12.0


elliprg = special(
    sc.elliprg,
    symbol="R_G",
    partials=(
        lambda x, y, z, out: _by_one_of_g(x, y, z),
        lambda x, y, z, out: _by_one_of_g(y, x, z),
        lambda x, y, z, out: _by_one_of_g(z, x, y),
    ),
    does=_integral("R_G", "{0}, {1} and {2}"),
    teaches=Says(
        en="gives each input the gradient times R_F/4 less the input times R_D/12",
        pt="dá a cada entrada o gradiente vezes R_F/4 menos a entrada vezes R_D/12",
    ),
    domain=(_SMALL, _MIDDLE, _LARGE),
)


def _by_side_of_j(x: Any, y: Any, z: Any, p: Any, out: Any) -> Any:
    return -0.5 * (out - sc.elliprd(y, z, x)) / (x - p)


def _by_last_of_j(x: Any, y: Any, z: Any, p: Any, out: Any) -> Any:
    sides = (
        x * _by_side_of_j(x, y, z, p, out)
        + y * _by_side_of_j(y, x, z, p, out)
        + z * _by_side_of_j(z, x, y, p, out)
    )
    return -(1.5 * out + sides) / p


elliprj = special(
    sc.elliprj,
    symbol="R_J",
    partials=(
        _by_side_of_j,
        lambda x, y, z, p, out: _by_side_of_j(y, x, z, p, out),
        lambda x, y, z, p, out: _by_side_of_j(z, x, y, p, out),
        _by_last_of_j,
    ),
    does=_integral("R_J", "{0}, {1}, {2} and {3}"),
    teaches=Says(
        en="gives the first three differences with R_D over their distance to {3}, which is 0/0 "
        "where they meet it, and {3} the rest of −3/2 of the output",
        pt="dá às três primeiras diferenças com R_D sobre a distância até {3}, que são 0/0 onde "
        "o encontram, e a {3} o resto de −3/2 da saída",
    ),
    domain=(_SMALL, _MIDDLE, _LARGE, _LARGEST),
    example=lambda rng: Call(
        tuple(rng.uniform(*ends, size=(3, 4)) for ends in (_SMALL, _MIDDLE, _LARGE, _LARGEST)),
        {},
    ),
)

# --- Jacobi -------------------------------------------------------------------------------------


def _turned(m: Any, sn: Any, cn: Any, dn: Any, turn: Any) -> tuple[Any, ...]:
    """Return the slopes of all four when the amplitude turns by `turn`, at a fixed modulus."""
    return cn * turn, -sn * turn, -m * sn * cn / dn * turn, turn


def _by_modulus(u: Any, m: Any, out: Any) -> tuple[Any, ...]:
    sn, cn, dn, angle = out
    rest = 1.0 - m
    corner = sn * cn / (2.0 * rest * dn)
    turn = -dn * ((sc.ellipeinc(angle, m) / rest - u) / (2.0 * m) - corner)
    by_sn, by_cn, by_dn, _ = _turned(m, sn, cn, dn, turn)
    return by_sn, by_cn, by_dn - sn * sn / (2.0 * dn), turn


def _by_time(u: Any, m: Any, out: Any) -> tuple[Any, ...]:
    sn, cn, dn, _ = out
    return _turned(m, sn, cn, dn, dn)


ellipj = bundle(
    sc.ellipj,
    outs=4,
    slopes=(_by_time, _by_modulus),
    symbol="sn cn dn",
    does=Says(
        en="takes Jacobi's elliptic functions sn, cn, dn and the amplitude of {0} and {1}",
        pt="toma as funções elípticas sn, cn, dn de Jacobi e a amplitude de {0} e {1}",
    ),
    teaches=Says(
        en="gives {0} the gradients times how each turns with the amplitude, times dn, and {1} "
        "the slopes in {1}, which at zero are 0/0",
        pt="dá a {0} os gradientes vezes o quanto cada uma gira com a amplitude, vezes dn, e a "
        "{1} as inclinações em {1}, que em zero são 0/0",
    ),
    domain=((-1.5, 1.5), (0.1, 0.9)),
)
