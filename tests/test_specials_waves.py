"""Waves, areas and ellipses against differences, and what of them is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special as sc

import corrente as co
from corrente.errors import NotSupported
from corrente.gates import specials

specials.load()
STEP = 1e-5

CASES: list[tuple[Any, tuple[float, ...], int]] = [
    *((sc.elliprc, (0.7, 1.3), k) for k in range(2)),
    (sc.elliprc, (1.3, 1.3), 1),
    (sc.elliprf, (1.5, 1.5, 1.5), 1),
    *((f, (0.5, 1.5, 2.5), k) for f in (sc.elliprd, sc.elliprf, sc.elliprg) for k in range(3)),
    *((sc.elliprj, (0.5, 1.5, 2.5, 4.0), k) for k in range(4)),
    (sc.ellipj, (0.7, 0.4), 0),
    (sc.ellipj, (0.7, 0.4), 1),
    *((f, (2, 2, 40.0), 2) for f in (sc.mathieu_cem, sc.mathieu_sem)),
    *((f, (2, 2, 0.7), 2) for f in (sc.mathieu_modcem1, sc.mathieu_modcem2)),
    *((f, (2, 2, 0.7), 2) for f in (sc.mathieu_modsem1, sc.mathieu_modsem2)),
    *((f, (2, 0.7), 1) for f in (sc.pbdv, sc.pbvv, sc.pbwa)),
    *((f, (1.3,), 0) for f in (sc.itj0y0, sc.iti0k0, sc.it2j0y0, sc.it2i0k0, sc.kelvin)),
    *((f, (1.3,), 0) for f in (sc.itstruve0, sc.it2struve0, sc.itmodstruve0)),
    *((f, (1.3,), 0) for f in (sc.modfresnelp, sc.modfresnelm)),
    (sc.wright_bessel, (2, 3, 0.7), 2),
    (sc.log_wright_bessel, (2, 3, 0.7), 2),
    (sc.besselpoly, (0.7, 1, 2), 0),
    (sc.airye, (0.7,), 0),
    (sc.jve, (2, 0.7), 1),
    (sc.yve, (2, 0.7), 1),
    (sc.lpmv, (1, 3, 0.4), 2),
    (sc.lpmv, (0, 0, 0.4), 2),
    (sc.eval_sh_jacobi, (3, 4, 2, 0.3), 3),
    *((f, (1, 0.7), 1) for f in (sc.jvp, sc.yvp, sc.ivp, sc.kvp, sc.h1vp, sc.h2vp)),
    (sc.assoc_laguerre, (0.7, 2, 1), 0),
    *((f, (0.7,), 0) for f in (sc.softplus, sc.lambertw)),
    (sc.zeta, (3.0, 2.0), 1),
]


@pytest.mark.parametrize(("f", "ins", "k"), CASES)
def test_the_slope_is_the_difference(f: Any, ins: tuple[float, ...], k: int):
    outs = f(*ins)
    for part in range(len(outs)) if isinstance(outs, tuple) else (None,):

        def g(x: Any, part: int | None = part) -> Any:
            out = f(*ins[:k], x, *ins[k + 1 :])
            return np.real(out if part is None else out[part])

        x = float(ins[k])
        expected = (g(x + STEP) - g(x - STEP)) / (2 * STEP)
        np.testing.assert_allclose(co.grad(g)(x), expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(
    ("f", "ins"), [(sc.mathieu_cem, (2.0, 40.0)), (sc.pbdv, (0.7,)), (sc.wright_bessel, (3.0, 0.7))]
)
def test_an_order_is_refused_by_name(f: Any, ins: tuple[float, ...]):
    def g(order: Any) -> Any:
        out = f(order, *ins)
        return out if f is sc.wright_bessel else out[0]

    with pytest.raises(NotSupported, match="has no formula here"):
        co.grad(g)(2.0)
