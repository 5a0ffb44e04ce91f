"""What is refused of `scipy.special`: functions whose derivative is nowhere to be had, and why."""

from __future__ import annotations

from scipy import special as sc

from corrente.record import REFUSED
from corrente.words import Says


def _refuse(says: Says, names: str) -> None:
    """Refuse functions by name; what the installed SciPy does not have is passed over."""
    for name in names.split():
        function = getattr(sc, name, None)
        if function is not None:
            REFUSED[function] = says


_refuse(
    Says(
        "it inverts a distribution, or solves it for a parameter, and SciPy has no derivative of "
        "that: give co.gate(f) your own, one over the derivative of what is inverted.",
        "ela inverte uma distribuição, ou a resolve para um parâmetro, e o SciPy não tem derivada "
        "disso: dê a co.gate(f) a sua, um sobre a derivada do que se inverte.",
    ),
    "chndtridf ncfdtridfd ncfdtridfn",
)

_refuse(
    Says(
        "its values and its slopes do not agree in SciPy, not even to the first digit, so nothing "
        "can be built on them: pro_rad1 and obl_rad1 have gates.",
        "os valores e as inclinações dela não concordam no SciPy, nem no primeiro dígito, e nada "
        "se pode construir sobre eles: pro_rad1 e obl_rad1 têm porta.",
    ),
    "pro_rad2 pro_rad2_cv obl_rad2 obl_rad2_cv",
)

_refuse(
    Says(
        "it moves with a parameter for which SciPy has no derivative: co.gate(f) takes your own.",
        "ela anda com um parâmetro para o qual o SciPy não tem derivada: co.gate(f) aceita a sua.",
    ),
    "ellip_harm ellip_harm_2 ellip_normal",
)

_refuse(
    Says(
        "it makes an object that holds plain coefficients: the eval_ function of the same family "
        "(eval_legendre for legendre) keeps the gradient in x.",
        "ela faz um objeto com coeficientes comuns: a função eval_ da mesma família "
        "(eval_legendre para legendre) mantém o gradiente em x.",
    ),
    "gegenbauer genlaguerre jacobi sh_jacobi",
)
