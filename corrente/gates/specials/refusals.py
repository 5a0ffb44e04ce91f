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
    "bdtri bdtrik bdtrin btdtria btdtrib chdtriv chndtridf chndtrinc chndtrix fdtridfd gdtria "
    "gdtrib kolmogi nbdtri nbdtrik nbdtrin ncfdtri ncfdtridfd ncfdtridfn ncfdtrinc nctdtridf "
    "nctdtrinc nctdtrit nrdtrimn nrdtrisd pdtri pdtrik smirnovi stdtridf",
)

_refuse(
    Says(
        "SciPy has the distribution but not its density: integrate a density of your own.",
        "o SciPy tem a distribuição mas não a sua densidade: integre uma densidade sua.",
    ),
    "chndtr kolmogorov ncfdtr nctdtr smirnov tklmbda",
)

_refuse(
    Says(
        "it gives the values and the derivatives of several functions at once, as one answer of "
        "many parts: give co.gate(f) the parts you need, with the derivatives it returns.",
        "ela dá de uma vez os valores e as derivadas de várias funções, numa resposta de muitas "
        "partes: dê a co.gate(f) as partes que quer, com as derivadas que ela devolve.",
    ),
    "ellipj kelvin lmbda lqmn lqn modfresnelm modfresnelp pbdn_seq pbdv pbdv_seq pbvv "
    "pbvv_seq pbwa riccati_jn riccati_yn mathieu_cem mathieu_modcem1 mathieu_modcem2 "
    "mathieu_modsem1 mathieu_modsem2 mathieu_sem obl_ang1 obl_ang1_cv obl_rad1 obl_rad1_cv "
    "obl_rad2 obl_rad2_cv pro_ang1 pro_ang1_cv pro_rad1 pro_rad1_cv pro_rad2 pro_rad2_cv "
    "it2i0k0 it2j0y0 itairy iti0k0 itj0y0 assoc_legendre_p_all legendre_p_all sph_harm_y_all "
    "sph_legendre_p_all",
)

_refuse(
    Says(
        "it moves with a parameter for which SciPy has no derivative: co.gate(f) takes your own.",
        "ela anda com um parâmetro para o qual o SciPy não tem derivada: co.gate(f) aceita a sua.",
    ),
    "mathieu_a mathieu_b mathieu_even_coef mathieu_odd_coef obl_cv obl_cv_seq pro_cv pro_cv_seq "
    "ellip_harm ellip_harm_2 ellip_normal besselpoly it2struve0 itmodstruve0 itstruve0 "
    "wright_bessel log_wright_bessel",
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
        "on it does (jvp with jv, assoc_laguerre with eval_genlaguerre, lpmv with eval_legendre, "
        "softplus with co.nn.softplus, voigt_profile with wofz).",
        "ela é uma função comum de outras que têm porta: escreva-a com essas, como faz a página "
        "do SciPy sobre ela (jvp com jv, assoc_laguerre com eval_genlaguerre, lpmv com "
        "eval_legendre, softplus com co.nn.softplus, voigt_profile com wofz).",
    ),
    "airye assoc_laguerre assoc_legendre_p eval_sh_jacobi h1vp h2vp ivp jve jvp kvp legendre_p "
    "lpmv softplus sph_harm_y sph_legendre_p voigt_profile yve yvp",
)

_refuse(
    Says(
        "its local gradient is a formula of its own output: give it to co.gate(f), such as "
        "W ÷ (x·(1 + W)) for lambertw; ellipkinc and ellipeinc have gates.",
        "o seu gradiente local é uma fórmula da própria saída: dê-a a co.gate(f), como "
        "W ÷ (x·(1 + W)) para lambertw; ellipkinc e ellipeinc têm porta.",
    ),
    "elliprc elliprd elliprf elliprg elliprj lambertw zeta",
)
