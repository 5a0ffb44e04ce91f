"""Odds, entropies and losses: simple curves that SciPy computes with care for the extremes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special as sc

from corrente.gates.calls import numbers
from corrente.gates.specials.forms import printed, scales, scales_by, special
from corrente.record import (
    NONZERO,
    POSITIVE,
    REALS,
    Call,
    Opaque,
    call,
    composed,
    elementwise,
    gate,
)
from corrente.words import Says

_LN10 = math.log(10.0)
_DEGREE = math.pi / 180.0
_PROBABILITY = (0.1, 0.9)

# --- odds ---------------------------------------------------------------------------------------

expit = elementwise(
    sc.expit,
    symbol="σ",
    partials=(lambda x, out: out * sc.expit(-x),),
    emit=lambda b, x: b.div(b.const(1.0, x), b.add(b.const(1.0, x), b.exp(b.neg(x)))),
    code=printed("expit"),
    does=Says(en="squashes {0} between 0 and 1", pt="comprime {0} entre 0 e 1"),
    teaches=Says(
        en="scales the gradient by its output times one minus its output: a quarter at most",
        pt="multiplica o gradiente pela saída vezes um menos a saída: um quarto, no máximo",
    ),
    domain=(REALS,),
)

logit = special(
    sc.logit,
    symbol="logit",
    partials=(lambda x, out: 1.0 / (x * (1.0 - x)),),
    does=Says(
        en="takes the logarithm of the odds of the probability {0}",
        pt="tira o logaritmo da chance de probabilidade {0}",
    ),
    teaches=scales("1 / ({0} · (1 − {0}))"),
    domain=(_PROBABILITY,),
)

log_expit = special(
    sc.log_expit,
    symbol="log σ",
    partials=(lambda x, out: sc.expit(-x),),
    does=Says(
        en="takes the logarithm of {0} squashed between 0 and 1",
        pt="tira o logaritmo de {0} comprimido entre 0 e 1",
    ),
    teaches=scales_by("one minus the squashed input", "um menos a entrada comprimida"),
    domain=(REALS,),
)

wrightomega = special(
    sc.wrightomega,
    symbol="ω",
    partials=(lambda z, out: out / (1.0 + out),),
    does=Says(
        en="finds the number whose sum with its logarithm is {0}",
        pt="acha o número cuja soma com o seu logaritmo é {0}",
    ),
    teaches=scales("ω({0}) / (1 + ω({0}))"),
    domain=(REALS,),
)


def _takes_lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> Call:
    return call(z, k=numbers(k)[0], tol=float(tol))


# scipy.special.lambertw is a plain function that calls a ufunc
branch = sc.lambertw.__globals__["_lambertw"]

lambertw = gate(
    branch,
    forward=sc.lambertw,
    kind=Opaque(batch=sc.lambertw),
    takes=_takes_lambertw,
    shape=lambda z, k, tol: z,
    pulls=(lambda g, out, z, k, tol: g / (z + np.exp(out)),),
    name="lambertw",
    symbol="W",
    code=lambda names, params: f"special.lambertw({names[0]}, {params['k']}, {params['tol']})",
    does=Says(
        en="finds the number that, times e to its own power, is {0}",
        pt="acha o número que, vezes e elevado a ele mesmo, é {0}",
    ),
    teaches=scales("1 / ({0} + exp W({0}))"),
    domain=(POSITIVE,),
    example=lambda rng: call(rng.uniform(0.3, 2.5, size=(3, 4)), k=0, tol=1e-8),
    facts=("promotes",),
)

# --- entropies ----------------------------------------------------------------------------------


def _share(x: Any, y: Any) -> Any:
    """Return x / y, and 0 where x is 0, even over 0."""
    none = np.equal(x, 0)
    return np.where(none, 0.0, x / np.where(none, 1.0, y))


xlogy = special(
    sc.xlogy,
    symbol="x log y",
    partials=(lambda x, y, out: np.log(y), lambda x, y, out: _share(x, y)),
    does=Says(
        en="multiplies {0} by the logarithm of {1}, zero where {0} is zero",
        pt="multiplica {0} pelo logaritmo de {1}, zero onde {0} é zero",
    ),
    teaches=Says(
        en="gives {0} the gradient times the logarithm of {1}, and {1} it times {0}/{1}",
        pt="dá a {0} o gradiente vezes o logaritmo de {1}, e a {1} ele vezes {0}/{1}",
    ),
    domain=(REALS, POSITIVE),
)

xlog1py = special(
    sc.xlog1py,
    symbol="x log(1+y)",
    partials=(lambda x, y, out: np.log1p(y), lambda x, y, out: _share(x, 1.0 + y)),
    does=Says(
        en="multiplies {0} by the logarithm of one plus {1}, zero where {0} is zero",
        pt="multiplica {0} pelo logaritmo de um mais {1}, zero onde {0} é zero",
    ),
    teaches=Says(
        en="gives {0} the gradient times log(1 + {1}), and {1} it times {0}/(1 + {1})",
        pt="dá a {0} o gradiente vezes log(1 + {1}), e a {1} ele vezes {0}/(1 + {1})",
    ),
    domain=(REALS, POSITIVE),
)

entr = special(
    sc.entr,
    symbol="−x log x",
    partials=(lambda x, out: -1.0 - np.log(x),),
    does=Says(en="takes the part of {0} in an entropy", pt="toma a parte de {0} numa entropia"),
    teaches=scales("−1 − log {0}"),
    domain=(POSITIVE,),
)

rel_entr = special(
    sc.rel_entr,
    symbol="x log(x/y)",
    partials=(lambda x, y, out: np.log(x / y) + 1.0, lambda x, y, out: -x / y),
    does=Says(
        en="takes the part of {0} against {1} in a relative entropy",
        pt="toma a parte de {0} contra {1} numa entropia relativa",
    ),
    teaches=Says(
        en="gives {0} the gradient times log({0}/{1}) + 1, and {1} it times −{0}/{1}",
        pt="dá a {0} o gradiente vezes log({0}/{1}) + 1, e a {1} ele vezes −{0}/{1}",
    ),
    domain=(POSITIVE, POSITIVE),
)

kl_div = special(
    sc.kl_div,
    symbol="KL",
    partials=(lambda x, y, out: np.log(x / y), lambda x, y, out: 1.0 - x / y),
    does=Says(
        en="takes the part of {0} against {1} in a Kullback-Leibler divergence",
        pt="toma a parte de {0} contra {1} numa divergência de Kullback-Leibler",
    ),
    teaches=Says(
        en="gives {0} the gradient times log({0}/{1}), and {1} it times 1 − {0}/{1}",
        pt="dá a {0} o gradiente vezes log({0}/{1}), e a {1} ele vezes 1 − {0}/{1}",
    ),
    domain=(POSITIVE, POSITIVE),
)

# --- losses -------------------------------------------------------------------------------------

huber = special(
    sc.huber,
    symbol="huber",
    partials=(
        lambda delta, r, out: np.maximum(np.abs(r) - delta, 0.0),
        lambda delta, r, out: np.clip(r, -delta, delta),
    ),
    side=lambda delta, r: np.sign(np.abs(r) - delta),
    does=Says(
        en="takes half the square of {1}, and beyond {0} a straight line",
        pt="toma metade do quadrado de {1}, e além de {0} uma reta",
    ),
    teaches=Says(
        en="scales the gradient by {1}, kept between −{0} and {0}",
        pt="multiplica o gradiente por {1}, mantido entre −{0} e {0}",
    ),
    domain=(POSITIVE, REALS),
)


def _bend(delta: Any, r: Any) -> Any:
    return np.sqrt(1.0 + np.square(r / delta))


pseudo_huber = special(
    sc.pseudo_huber,
    symbol="huber~",
    partials=(
        lambda delta, r, out: 2.0 * out / delta - r * r / (delta * _bend(delta, r)),
        lambda delta, r, out: r / _bend(delta, r),
    ),
    does=Says(
        en="takes half the square of {1}, bent smoothly into a line around {0}",
        pt="toma metade do quadrado de {1}, dobrada suavemente em reta por volta de {0}",
    ),
    teaches=scales("{1} / √(1 + ({1}/{0})²)"),
    domain=(POSITIVE, REALS),
)

# --- powers -------------------------------------------------------------------------------------

exp10 = special(
    sc.exp10,
    symbol="10ˣ",
    partials=(lambda x, out: _LN10 * out,),
    does=Says(en="raises ten to the power {0}", pt="eleva dez à potência {0}"),
    teaches=scales_by("its output times the logarithm of ten", "a saída vezes o logaritmo de dez"),
    domain=(REALS,),
)

powm1 = special(
    sc.powm1,
    symbol="xʸ−1",
    partials=(
        lambda x, y, out: y * np.power(x, y - 1.0),
        lambda x, y, out: (out + 1.0) * np.log(x),
    ),
    does=Says(
        en="raises {0} to the power {1} and takes one away",
        pt="eleva {0} à potência {1} e tira um",
    ),
    teaches=Says(
        en="gives the base the gradient times {1} · {0}^({1} − 1), "
        "and the exponent it times {0}^{1} · log {0}",
        pt="dá à base o gradiente vezes {1} · {0}^({1} − 1), "
        "e ao expoente ele vezes {0}^{1} · log {0}",
    ),
    domain=(POSITIVE, REALS),
)


def _by_lambda(log: Any, lmbda: Any) -> Any:
    """Return the slope of (e^(λ·log) − 1)/λ in λ, without a hole at λ = 0."""
    return 0.5 * log * log * sc.hyp1f1(2.0, 3.0, lmbda * log)


_BOXED = Says(
    en="gives {0} the gradient times a power of it, and {1} the slope of that power in {1}",
    pt="dá a {0} o gradiente vezes uma potência sua, e a {1} a inclinação dela em {1}",
)

boxcox = special(
    sc.boxcox,
    symbol="Box–Cox",
    partials=(
        lambda x, lmbda, out: np.power(x, lmbda - 1.0),
        lambda x, lmbda, out: _by_lambda(np.log(x), lmbda),
    ),
    does=Says(
        en="bends {0} by the Box–Cox transformation of power {1}",
        pt="curva {0} pela transformação de Box–Cox de potência {1}",
    ),
    teaches=_BOXED,
    domain=(POSITIVE, REALS),
)

boxcox1p = special(
    sc.boxcox1p,
    symbol="Box–Cox 1+x",
    partials=(
        lambda x, lmbda, out: np.exp((lmbda - 1.0) * np.log1p(x)),
        lambda x, lmbda, out: _by_lambda(np.log1p(x), lmbda),
    ),
    does=Says(
        en="bends one plus {0} by the Box–Cox transformation of power {1}",
        pt="curva um mais {0} pela transformação de Box–Cox de potência {1}",
    ),
    teaches=_BOXED,
    domain=(POSITIVE, REALS),
)

inv_boxcox = special(
    sc.inv_boxcox,
    symbol="Box–Cox⁻¹",
    partials=(
        lambda y, lmbda, out: np.power(out, 1.0 - lmbda),
        lambda y, lmbda, out: -_by_lambda(np.log(out), lmbda) * np.power(out, 1.0 - lmbda),
    ),
    does=Says(
        en="undoes the Box–Cox transformation of {0} of power {1}",
        pt="desfaz a transformação de Box–Cox de {0} de potência {1}",
    ),
    teaches=_BOXED,
    domain=(NONZERO, _PROBABILITY),
)

inv_boxcox1p = special(
    sc.inv_boxcox1p,
    symbol="Box–Cox⁻¹−1",
    partials=(
        lambda y, lmbda, out: np.exp((1.0 - lmbda) * np.log1p(out)),
        lambda y, lmbda, out: (
            -_by_lambda(np.log1p(out), lmbda) * np.exp((1.0 - lmbda) * np.log1p(out))
        ),
    ),
    does=Says(
        en="undoes the Box–Cox transformation of {0} of power {1}, and takes one away",
        pt="desfaz a transformação de Box–Cox de {0} de potência {1}, e tira um",
    ),
    teaches=_BOXED,
    domain=(NONZERO, _PROBABILITY),
)

# --- angles -------------------------------------------------------------------------------------

cosm1 = special(
    sc.cosm1,
    symbol="cos−1",
    partials=(lambda x, out: -np.sin(x),),
    does=Says(
        en="takes the cosine of {0} and takes one away", pt="toma o cosseno de {0} e tira um"
    ),
    teaches=scales("−sin {0}"),
    domain=(REALS,),
)

sindg = special(
    sc.sindg,
    symbol="sin°",
    partials=(lambda x, out: _DEGREE * sc.cosdg(x),),
    does=Says(en="takes the sine of {0} degrees", pt="toma o seno de {0} graus"),
    teaches=scales("cos {0}° · π/180"),
    domain=((-90.0, 90.0),),
)

cosdg = special(
    sc.cosdg,
    symbol="cos°",
    partials=(lambda x, out: -_DEGREE * sc.sindg(x),),
    does=Says(en="takes the cosine of {0} degrees", pt="toma o cosseno de {0} graus"),
    teaches=scales("−sin {0}° · π/180"),
    domain=((-90.0, 90.0),),
)

tandg = special(
    sc.tandg,
    symbol="tan°",
    partials=(lambda x, out: _DEGREE * (1.0 + out * out),),
    does=Says(en="takes the tangent of {0} degrees", pt="toma a tangente de {0} graus"),
    teaches=scales("(1 + tan² {0}°) · π/180"),
    domain=((-60.0, 60.0),),
)

cotdg = special(
    sc.cotdg,
    symbol="cot°",
    partials=(lambda x, out: -_DEGREE * (1.0 + out * out),),
    does=Says(en="takes the cotangent of {0} degrees", pt="toma a cotangente de {0} graus"),
    teaches=scales("−(1 + cot² {0}°) · π/180"),
    domain=((30.0, 150.0),),
)


@composed(sc.radian)
def _radian(d: Any, m: Any, s: Any, /) -> Any:
    """Bring minutes and seconds into degrees, and those into radians."""
    return _DEGREE * (d + m / 60.0 + s / 3600.0)


# --- what NumPy has too -------------------------------------------------------------------------

composed(sc.cbrt)(np.cbrt)
composed(sc.exp2)(np.exp2)
composed(sc.expm1)(np.expm1)
composed(sc.log1p)(np.log1p)
composed(sc.round)(np.rint)
