"""Complex numbers taken apart: conjugate, real and imaginary part, angle.

None of these is holomorphic. The gradient of a real number with respect to z = x + iy is written
∂/∂x − i·∂/∂y (the convention of HIPS autograd), so that what dz changes is Re(gradient · dz).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.errors import NotSupported
from corrente.record import REALS, composed, elementwise
from corrente.words import Says


def conjugated(x: Any) -> Any:
    """Return the conjugate of complex numbers; real ones are given back as they are.

    >>> conjugated(np.array([1 + 2j])), conjugated(np.array([3.0]))
    (array([1.-2.j]), array([3.]))
    """
    return np.conjugate(x) if np.iscomplexobj(x) else x


conjugate = elementwise(
    np.conjugate,
    symbol="x̄",
    pulls=(lambda g, out, x: conjugated(g),),
    linear=(0,),
    emit=lambda b, x: x,
    does=Says(
        en="turns the sign of the imaginary part of {0}",
        pt="troca o sinal da parte imaginária de {0}",
    ),
    teaches=Says(
        en="conjugates the gradient too",
        pt="conjuga também o gradiente",
    ),
    domain=(REALS,),
    facts=("linear",),
)

real = elementwise(
    np.real,
    symbol="Re",
    pulls=(lambda g, out, x: g,),
    linear=(0,),
    emit=lambda b, x: x,
    does=Says(en="takes the real part of {0}", pt="toma a parte real de {0}"),
    teaches=Says(
        en="gives the gradient to the real part; the imaginary part receives none",
        pt="dá o gradiente à parte real; a imaginária não recebe nada",
    ),
    domain=(REALS,),
    facts=("linear",),
)

imag = elementwise(
    np.imag,
    symbol="Im",
    pulls=(lambda g, out, x: -1j * g if np.iscomplexobj(x) else np.where(False, g, 0.0),),
    linear=(0,),
    emit=lambda b, x: b.const(0.0, x),
    does=Says(en="takes the imaginary part of {0}", pt="toma a parte imaginária de {0}"),
    teaches=Says(
        en="gives the gradient, times −i, to the imaginary part; the real part receives none",
        pt="dá o gradiente, vezes −i, à parte imaginária; a real não recebe nada",
    ),
    domain=(REALS,),
    facts=("linear",),
)


@composed(np.angle)
def _angle(z: Any, deg: bool = False) -> Any:
    turned = np.arctan2(np.imag(z), np.real(z))
    return turned * (180 / np.pi) if deg else turned


@composed(np.iscomplex)
def _iscomplex(x: Any) -> Any:
    return np.not_equal(np.imag(x), 0)


@composed(np.isreal)
def _isreal(x: Any) -> Any:
    return np.equal(np.imag(x), 0)


@composed(np.real_if_close)
def _real_if_close(a: Any, tol: float = 100) -> Any:
    if not np.iscomplexobj(a):
        return a
    raise NotSupported(
        Says(
            "np.real_if_close of complex numbers is refused.",
            "np.real_if_close de complexos é recusado.",
        ),
        Says(
            en="whether it drops the imaginary part depends on the numbers: write np.real(x).",
            pt="se ela descarta a parte imaginária depende dos números: escreva np.real(x).",
        ),
    )
