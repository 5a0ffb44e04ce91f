"""SciPy's special functions on traced values: slopes, special points, refusals, late loading."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special as sc

import corrente as co
from corrente.errors import NoGate, NotSupported
from corrente.gates import specials
from corrente.record import COMPOSED, REFUSED, TABLE, Gate

specials.load()
STEP = 1e-6
inf, nan = np.inf, np.nan
GATES = sorted(
    (gate for gate in set(TABLE.values()) if getattr(sc, gate.name, None) is gate.of),
    key=lambda gate: gate.name,
)


def each(f: Callable[..., Any], x: Any) -> Any:
    """Return the slope of an elementwise function at each element."""
    return co.vjp(f, x)[1](np.ones_like(f(x)))[0]


def numeric(f: Callable[..., Any], x: Any, step: float = STEP) -> Any:
    return (f(x + step) - f(x - step)) / (2 * step)


# --- loaded when met ----------------------------------------------------------------------------


def run(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_scipy_is_imported_when_a_special_function_is_met_and_not_before():
    assert run(
        "import sys, numpy as np, corrente as co\n"
        "co.grad(lambda x: np.sum(np.exp(x) * np.fft.fft(x).real))(np.ones(3))\n"
        "print('scipy.special' in sys.modules, 'corrente.gates.specials.bells' in sys.modules)\n"
        "from scipy.special import erf\n"
        "print(round(co.grad(erf)(0.5), 6), 'corrente.gates.specials.bells' in sys.modules)"
    ).split() == ["False", "False", "0.878783", "True"]


def test_a_composition_of_scipys_is_met_first():
    program = "import corrente as co, scipy.special as sc\nprint(co.grad(sc.exp2)(1.0) == 2 ** 0.5)"
    assert run(program.replace("2 ** 0.5", "2 * __import__('math').log(2)")) == "True"


def test_every_ufunc_of_scipys_has_a_gate_a_composition_or_a_reason():
    ufuncs = {f for f in vars(sc).values() if isinstance(f, np.ufunc)}
    assert not ufuncs - set(TABLE) - set(COMPOSED) - set(REFUSED)
    assert not set(REFUSED) & (set(TABLE) | set(COMPOSED))


def test_what_is_refused_is_named_with_its_home_and_the_reason():
    with pytest.raises(NotSupported, match=r"scipy\.special\.chndtridf") as refused:
        co.grad(lambda p: sc.chndtridf(1.0, p, 1.0))(0.3)
    assert "a sua, um sobre a derivada" in refused.value.render("pt")


def test_a_ufunc_of_nobody_known_is_named():
    with pytest.raises(NoGate, match="has no gate yet"):
        co.grad(np.frompyfunc(lambda x: 3 * x, 1, 1))(0.5)


# --- every gate ---------------------------------------------------------------------------------


def sample(gate: Gate, dtype: Any = np.float64) -> tuple[Any, ...]:
    rng = np.random.default_rng(list(gate.name.encode()))
    if gate.example is not None:
        ins = gate.example(rng).ins
    else:
        ins = tuple(rng.uniform(*ends, size=(3, 4)) for ends in gate.domain)
    return tuple(x.astype(dtype) if isinstance(x, np.ndarray) else x for x in ins)


def test_there_are_many():
    assert len(GATES) > 110


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_only_what_scipy_promotes_is_promoted(gate: Gate):
    ins = sample(gate, np.float32)
    outs = gate.of(*ins)
    first = outs[0] if gate.outs != 1 else outs
    assert (first.dtype.itemsize > (8 if first.dtype.kind == "c" else 4)) == (
        "promotes" in gate.facts
    )
    if gate.differentiable:
        place = next(k for k, x in enumerate(ins) if isinstance(x, np.ndarray))

        def loss(x: Any) -> Any:
            out = gate.of(*ins[:place], x, *ins[place + 1 :])
            return np.sum(np.real(out if gate.outs == 1 else out[0]))

        assert co.grad(loss)(ins[place]).dtype == np.float32


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_a_batch_gives_what_its_examples_give(gate: Gate):
    for dtype in (np.float64, np.float32):
        ins = sample(gate, dtype)
        places = [k for k, x in enumerate(ins) if isinstance(x, np.ndarray)]
        axes = tuple(0 if k in places else None for k in range(len(ins)))
        many, want = co.vmap(gate.of, axes)(*ins), gate.of(*ins)
        for out, expected in zip(
            *((x,) if gate.outs == 1 else x for x in (many, want)), strict=True
        ):
            assert out.dtype == expected.dtype
            np.testing.assert_allclose(out, expected, rtol=1e-6 if dtype is np.float32 else 1e-13)


@pytest.mark.parametrize(
    ("f", "ins"),
    [
        (sc.jv, (1.5, 2.0)),
        (sc.kv, (0.5, 2.0)),
        (sc.eval_legendre, (2.0, 0.3)),
        (sc.hyp1f1, (1.5, 2.0, 0.3)),
        (sc.wright_bessel, (2.0, 3.0, 0.7)),
        (sc.lpmv, (1.0, 3.0, 0.4)),
    ],
)
def test_an_argument_without_a_formula_is_refused_by_name(f: Any, ins: tuple[float, ...]):
    last = len(ins) - 1
    assert np.isfinite(co.grad(f, last)(*ins))
    for make in (
        lambda: co.grad(f, 0)(*ins),
        lambda: co.jvp(lambda t: f(t, *ins[1:]), ins[:1], (1.0,)),
    ):
        with pytest.raises(NotSupported, match="has no formula here") as refused:
            make()
        assert "co.stop_gradient" in refused.value.render("pt")
    stopped = co.grad(lambda v, x: f(co.stop_gradient(v), *ins[1:-1], x), (0, 1))
    with pytest.warns(co.UnreachedWarning):
        by_order, by_last = stopped(ins[0], ins[-1])
    assert (by_order, by_last) == (0.0, co.grad(f, last)(*ins))


# --- compositions -------------------------------------------------------------------------------

COMPOSITIONS: list[tuple[Any, tuple[Any, ...], int]] = [
    (sc.agm, (1.3, 0.4), 1),
    (sc.agm, (0.7, 0.7), 0),
    (sc.bdtr, (2, 5, 0.3), 2),
    (sc.bdtrc, (2, 5, 0.3), 2),
    (sc.cbrt, (0.7,), 0),
    (sc.chdtr, (3, 1.2), 1),
    (sc.chdtrc, (3, 1.2), 1),
    (sc.chdtri, (3, 0.3), 1),
    (sc.exp2, (0.7,), 0),
    (sc.expm1, (0.7,), 0),
    (sc.fdtr, (3, 5, 0.7), 2),
    (sc.fdtrc, (3, 5, 0.7), 2),
    (sc.fdtri, (3, 5, 0.7), 2),
    (sc.gdtr, (1.2, 2, 0.7), 0),
    (sc.gdtr, (1.2, 2, 0.7), 2),
    (sc.gdtrc, (1.2, 2, 0.7), 2),
    (sc.gdtrix, (1.2, 2, 0.7), 2),
    (sc.log1p, (0.7,), 0),
    (sc.nbdtr, (2, 5, 0.3), 2),
    (sc.nbdtrc, (2, 5, 0.3), 2),
    (sc.pdtr, (2, 1.3), 1),
    (sc.pdtrc, (2, 1.3), 1),
    (sc.radian, (10.0, 20.0, 30.0), 1),
    (sc.jvp, (1, 0.7), 1),
    (sc.kvp, (1, 0.7), 1),
    (sc.softplus, (0.7,), 0),
    (sc.sinc, (0.7,), 0),
    (sc.lambertw, (0.7,), 0),
    (sc.chdtr, (3.0, 1.2), 0),
    (sc.fdtr, (3.0, 5.0, 0.7), 0),
    (sc.fdtr, (3.0, 5.0, 0.7), 1),
    (sc.zeta, (3.0,), 0),
    (sc.pro_ang1_cv, (1, 2, 1.5, sc.pro_cv(1, 2, 1.5), 0.4), 4),
    (sc.obl_ang1_cv, (1, 2, 1.5, sc.obl_cv(1, 2, 1.5), 0.4), 4),
    (sc.pro_rad1_cv, (1, 2, 1.5, sc.pro_cv(1, 2, 1.5), 1.4), 4),
    (sc.obl_rad1_cv, (1, 2, 1.5, sc.obl_cv(1, 2, 1.5), 1.4), 4),
]


@pytest.mark.parametrize(("f", "ins", "k"), COMPOSITIONS)
def test_compositions_are_scipys_own(f: Any, ins: tuple[Any, ...], k: int):

    def g(x: Any) -> Any:
        out = f(*ins[:k], x, *ins[k + 1 :])
        return np.real(out[0] if isinstance(out, tuple | list) else out)

    value, slope = co.value_and_grad(g)(ins[k])
    np.testing.assert_allclose(value, g(ins[k]), rtol=1e-13)
    np.testing.assert_allclose(slope, numeric(g, ins[k]), rtol=1e-7)


def test_every_ufunc_composed_is_tested():
    ufuncs = {f for f in COMPOSED if getattr(sc, f.__name__, None) is f and isinstance(f, np.ufunc)}
    assert ufuncs - {f for f, _, _ in COMPOSITIONS} == {sc.round}
    assert co.grad(lambda x: x * sc.round(x))(2.4) == 2.0


# --- special points -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (sc.expit, inf, 0.0),
        (sc.expit, -inf, 0.0),
        (sc.expit, -800.0, 0.0),
        (sc.expit, 50.0, np.exp(-50.0)),
        (sc.log_expit, -800.0, 1.0),
        (sc.log_ndtr, -40.0, 40.024968847207265),
        (sc.log_ndtr, 60.0, 0.0),
        (sc.exprel, 0.0, 0.5),
        (sc.spence, 1.0, -1.0),
        (sc.ellipk, 0.0, np.pi / 8),
        (sc.ellipe, 0.0, -np.pi / 8),
        (sc.j1, 0.0, 0.5),
        (sc.i1, 0.0, 0.5),
        (sc.erf, inf, 0.0),
        (lambda x: sc.jv(0, x), 0.0, 0.0),
        (lambda x: sc.jv(1, x), 0.0, 0.5),
        (lambda x: sc.eval_legendre(3, x), 1.0, 6.0),
        (lambda x: sc.eval_legendre(0, x), 0.3, 0.0),
        (lambda x: sc.eval_chebyu(2, x), 1.0, 8.0),
        (lambda x: sc.eval_hermite(1, x), 0.0, 2.0),
        (lambda x: sc.expn(1, x), 2.0, -np.exp(-2.0) / 2.0),
        (lambda x: sc.expn(0, x), 2.0, -np.exp(-2.0) * 0.75),
        (lambda x: sc.sici(x)[0], np.pi / 2, 2 / np.pi),
        (lambda x: sc.gammainc(1, x), 0.0, 1.0),
        (lambda y: sc.xlogy(0.0, y), 0.0, 0.0),
        (lambda y: sc.xlog1py(0.0, y), -1.0, 0.0),
        (lambda lmbda: sc.boxcox(2.0, lmbda), 0.0, np.log(2.0) ** 2 / 2),
        (lambda lmbda: sc.boxcox1p(1.0, lmbda), 0.0, np.log(2.0) ** 2 / 2),
        (lambda r: sc.huber(1.0, r), 3.0, 1.0),
        (lambda r: sc.huber(1.0, r), -0.5, -0.5),
    ],
)
def test_special_points(f: Any, x: float, expected: float):
    np.testing.assert_allclose(co.grad(f)(x), expected, rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (sc.exprel, 0.0, 1 / 3),
        (sc.spence, 1.0, 0.5),
        (sc.ellipk, 0.0, 9 * np.pi / 64),
        (sc.log_ndtr, -100.0, -0.99990005995802),
        (lambda x: sc.jv(1, x), 0.0, 0.0),
        (lambda x: sc.eval_legendre(1, x), 0.3, 0.0),
    ],
)
def test_second_slopes_at_special_points(f: Any, x: float, expected: float):
    np.testing.assert_allclose(co.grad(co.grad(f))(x), expected, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 5])
@pytest.mark.parametrize(
    "f",
    [
        *(sc.eval_legendre, sc.eval_chebyt, sc.eval_chebyu, sc.eval_chebyc, sc.eval_chebys),
        *(sc.eval_sh_legendre, sc.eval_sh_chebyt, sc.eval_sh_chebyu, sc.eval_hermite),
        *(sc.eval_hermitenorm, sc.eval_laguerre, sc.jv, sc.yn, sc.iv, sc.kn, sc.kv, sc.yv),
    ],
)
def test_every_degree_and_order(f: Any, n: int):
    x = np.linspace(0.1, 0.95, 7)
    g = lambda x: f(n, x)
    np.testing.assert_allclose(each(g, x), numeric(g, x, 1e-7), rtol=2e-6, atol=1e-6)
    orders = np.full(7, n)
    np.testing.assert_allclose(each(lambda x: f(orders, x), x), each(g, x), rtol=1e-12, atol=1e-12)


# --- complex numbers ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "f",
    [
        *(sc.erf, sc.erfc, sc.erfcx, sc.erfi, sc.dawsn, sc.wofz, sc.gamma, sc.loggamma, sc.rgamma),
        *(sc.expi, sc.exp1, sc.spence, sc.wrightomega, sc.ndtr, sc.log_ndtr, sc.fresnel, sc.sici),
        *(sc.shichi, sc.airy, lambda z: sc.jv(1.5, z), lambda z: sc.yv(2, z), sc.lambertw),
        *(lambda z: sc.iv(1, z), lambda z: sc.kv(1, z), lambda z: sc.hankel1(1, z)),
        *(lambda z: sc.hankel2e(1, z), lambda z: sc.hyp1f1(2, 3, z), lambda z: sc.xlogy(z, z)),
        *(lambda z: sc.hyp2f1(1, 2, 3, z), lambda z: sc.eval_legendre(3, z)),
    ],
)
def test_complex_slopes_do_not_depend_on_the_way(f: Any):
    z = np.array([0.5 + 0.3j, 0.8 - 0.2j, 0.4 + 0.1j])
    first = lambda z: f(z)[0] if isinstance(f(z), tuple) else f(z)
    outs = f(z)
    many = len(outs) if isinstance(outs, tuple) else 1
    for k in range(many):
        g = (lambda z, k=k: f(z)[k]) if many > 1 else first
        d = co.vjp(g, z)[1](np.ones(3, complex))[0]
        for way in (STEP, STEP * 1j):
            np.testing.assert_allclose(d, (g(z + way) - g(z - way)) / (2 * way), rtol=1e-6)
