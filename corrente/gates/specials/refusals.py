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
        "it gives the values and the derivatives of several functions at once, as one answer of "
        "many parts: give co.gate(f) the parts you need, with the derivatives it returns.",
        "ela dá de uma vez os valores e as derivadas de várias funções, numa resposta de muitas "
        "partes: dê a co.gate(f) as partes que quer, com as derivadas que ela devolve.",
    ),
    "lmbda lqmn lqn pbdn_seq pbdv_seq pbvv_seq riccati_jn riccati_yn "
    "obl_ang1 obl_ang1_cv obl_rad1 obl_rad1_cv obl_rad2 obl_rad2_cv pro_ang1 pro_ang1_cv "
    "pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv "
    "itairy assoc_legendre_p_all legendre_p_all sph_harm_y_all sph_legendre_p_all",
)

_refuse(
    Says(
        "it moves with a parameter for which SciPy has no derivative: co.gate(f) takes your own.",
        "ela anda com um parâmetro para o qual o SciPy não tem derivada: co.gate(f) aceita a sua.",
    ),
    "mathieu_a mathieu_b mathieu_even_coef mathieu_odd_coef obl_cv obl_cv_seq pro_cv pro_cv_seq "
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

_refuse(
    Says(
        "it is a plain function of others that have gates: write it with those, as SciPy's page "
        "on it does (legendre_p with eval_legendre).",
        "ela é uma função comum de outras que têm porta: escreva-a com essas, como faz a página "
        "do SciPy sobre ela (legendre_p com eval_legendre).",
    ),
    "assoc_legendre_p legendre_p sph_harm_y sph_legendre_p",
)
