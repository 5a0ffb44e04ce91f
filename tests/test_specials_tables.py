"""Tables, harmonics, spheroids and shapes of distributions: ends, refusals, complex numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import special as sc

import corrente as co
from corrente import special
from corrente.errors import BadValue, Leak, NotSupported

STEP = 1e-5
LEFT = np.array([-0.9, -0.2, 0.7])
THETA, PHI = np.array([0.4, 1.3, 2.6]), np.array([0.2, 3.0, 5.0])


def numeric(f: Any, x: Any, step: Any = STEP) -> Any:
    return (f(x + step) - f(x - step)) / (2 * step)


# --- shapes of distributions --------------------------------------------------------------------

SHAPES: list[tuple[Any, tuple[float, ...], int]] = [
    *((f, (a, a * r), 0) for f in (sc.gammainc, sc.gammaincc) for a in (0.3, 2.0, 90.0, 2e3)
      for r in (0.2, 0.95, 1.05, 3.0)),
    *((f, (a, p), 0) for f in (sc.gammaincinv, sc.gammainccinv) for a in (0.5, 30.0)
      for p in (0.1, 0.8)),
    *((f, (a, b, x), k) for f in (sc.betainc, sc.betaincc)
      for a, b in ((0.5, 3.0), (300.0, 40.0), (4e3, 4e3))
      for x in (0.05, 0.5, 0.87, 0.9, 0.999) for k in (0, 1)),
    *((f, (2.5, 4.0, p), k) for f in (sc.betaincinv, sc.betainccinv) for p in (0.1, 0.8)
      for k in (0, 1)),
    *((sc.stdtr, (df, t), 0) for df in (1.5, 40.0) for t in (-3.0, -0.4, 0.0, 2.0)),
    *((sc.stdtrit, (df, p), 0) for df in (1.5, 40.0) for p in (0.2, 0.9)),
]  # fmt: skip


def shape_of(f: Any, ins: tuple[float, ...], k: int) -> Any:
    return lambda a: f(*ins[:k], a, *ins[k + 1 :])


@pytest.mark.parametrize(("f", "ins", "k"), SHAPES)
def test_a_shape_has_its_slope(f: Any, ins: tuple[float, ...], k: int):
    g, a = shape_of(f, ins, k), ins[k]
    slope = co.grad(g)(a)
    np.testing.assert_allclose(slope, numeric(g, a, STEP * a), rtol=2e-6, atol=1e-9 / a)
    np.testing.assert_allclose(co.jvp(g, (a,), (1.0,))[1], slope, rtol=1e-12)
    bend = numeric(co.grad(g), a, STEP * a)
    np.testing.assert_allclose(co.grad(co.grad(g))(a), bend, rtol=1e-5, atol=1e-7 / a**2)


def test_shapes_move_nothing_at_the_ends():
    assert [co.grad(sc.gammainc)(1.5, x) for x in (0.0, np.inf)] == [0.0, 0.0]
    for f, k in ((sc.betainc, 0), (sc.betainc, 1), (sc.betaincc, 0)):
        assert [co.grad(f, k)(1.5, 2.0, x) for x in (0.0, 1.0)] == [0.0, 0.0]


def test_shapes_and_numbers_mix_alike():
    f = lambda a, x: np.sum(sc.gammainc(a, x) ** 2)
    a, x = np.array([0.7, 2.1]), np.array([[1.0], [2.8]])
    co.check_grads(f, (a, x), order=2)
    assert co.grad(f)(a.astype(np.float32), x.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("f", [sc.bdtr, sc.bdtrc, sc.nbdtr, sc.nbdtrc])
def test_counts_are_whole_and_have_no_slope(f: Any):
    value, slope = co.value_and_grad(lambda n: n + f(2, n, 0.3))(5.0)
    np.testing.assert_allclose((value, slope), (5.0 + f(2, 5, 0.3), 1.0), rtol=1e-14)


def test_the_slopes_of_students_law_agree_in_the_middle():
    f = lambda v: sc.stdtr(v[0], v[1])
    for t in (0.0, -0.3, 1.7, 1.8):  # on both sides of √df
        at, nudge = np.array([3.0, t]), np.diag([STEP, STEP])
        bends = [(co.grad(f)(at + d) - co.grad(f)(at - d)) / (2 * STEP) for d in nudge]
        np.testing.assert_allclose(co.hessian(f)(at), bends, rtol=1e-7, atol=1e-9)


# --- zeta ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (2.0, -0.9375482543158437),
        (0.5, -3.922646139209151),
        (0.0, -0.5 * math.log(2.0 * math.pi)),
        (-1.0, -0.16542114370045092),
        (-2.0, -0.030448457058393272),
        (-2.5, -0.006265736372189758),
        (-4.0, 0.00798381145026856),
    ],
)
def test_the_exponent_of_zeta_has_its_slope(x: float, expected: float):
    np.testing.assert_allclose(co.grad(sc.zetac)(x), expected, rtol=1e-12)
    np.testing.assert_allclose(co.grad(sc.zeta)(x), expected, rtol=1e-12)


@pytest.mark.parametrize("q", [0.3, 1.0, 7.0])
@pytest.mark.parametrize("x", [1.2, 3.0, 30.0])
def test_the_exponent_of_hurwitz_zeta_has_its_slopes(x: float, q: float):
    f = lambda x: sc.zeta(x, q)
    np.testing.assert_allclose(co.grad(f)(x), numeric(f, x), rtol=1e-8, atol=1e-11)
    np.testing.assert_allclose(co.grad(co.grad(f))(x), numeric(co.grad(f), x), rtol=1e-8)


def test_zeta_of_complex_numbers_is_refused():
    with pytest.raises(NotSupported, match=r"special\.zeta in its argument x"):
        co.grad(lambda z: np.real(sc.zeta(z)))(2.0 + 1.0j)


# --- Legendre -----------------------------------------------------------------------------------


@pytest.mark.parametrize("branch", [2, 3])
@pytest.mark.parametrize("m", [-2, -1, 0, 1, 2])
def test_associated_legendre_of_complex_numbers(m: int, branch: int):
    z = LEFT + 0.3j
    f = lambda z: special.assoc_legendre_p(3, m, z, branch_cut=branch)[0]
    want = sc.assoc_legendre_p(3, m, z, branch_cut=branch, diff_n=1)
    np.testing.assert_allclose(f(z), want[0], rtol=1e-12)
    y, pull = co.vjp(f, z)
    np.testing.assert_allclose(y, want[0], rtol=1e-12)
    np.testing.assert_allclose(pull(np.ones(3, complex))[0], want[1], rtol=1e-11)


@pytest.mark.parametrize("m", [0, 2, -2])
def test_even_orders_are_smooth_at_the_ends(m: int):
    for z in (-1.0, 1.0):
        f = lambda z: special.assoc_legendre_p(4, m, z)[0]
        polynomial = np.polynomial.polynomial.Polynomial.fit(
            inside := np.linspace(-0.9, 0.9, 9), sc.assoc_legendre_p(4, m, inside)[0], 4
        )
        np.testing.assert_allclose(co.grad(f)(z), polynomial.deriv()(z), rtol=1e-9)
        np.testing.assert_allclose(co.grad(co.grad(f))(z), polynomial.deriv(2)(z), rtol=1e-8)


def test_outside_the_cut_there_is_no_number():
    for branch, z in ((2, 1.3), (3, 0.3)):
        assert np.isnan(special.assoc_legendre_p(2, 1, z, branch_cut=branch)).all()


@pytest.mark.parametrize("m", [-3, -1, 0, 2])
@pytest.mark.parametrize("diff_n", [0, 1, 2])
def test_harmonics_are_scipys_with_their_slopes(m: int, diff_n: int):
    ours = special.sph_harm_y(3, m, THETA, PHI, diff_n=diff_n)
    want = sc.sph_harm_y(3, m, THETA, PHI, diff_n=diff_n)
    for one, other in zip(np.atleast_1d(ours) if diff_n == 0 else ours,
                          np.atleast_1d(want) if diff_n == 0 else want, strict=True):  # fmt: skip
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-13)

    def loss(theta: Any, phi: Any) -> Any:
        out = special.sph_harm_y(3, m, theta, phi, diff_n=diff_n)
        last = out if diff_n == 0 else out[-1]
        return np.sum(np.square(np.real(last)) + np.imag(last))

    co.check_grads(loss, (THETA, PHI), order=2)


def test_tables_of_harmonics_are_scipys():
    for ours, want in zip(
        special.sph_harm_y_all(3, 2, THETA, PHI[:1], diff_n=2),
        sc.sph_harm_y_all(3, 2, THETA, PHI[:1], diff_n=2),
        strict=True,
    ):
        assert ours.shape == want.shape
        np.testing.assert_allclose(ours, want, rtol=1e-12, atol=1e-13)


def test_at_the_poles_the_slope_is_that_from_within():
    f = lambda theta: special.sph_legendre_p(3, 1, theta)[0]
    for pole, side in ((0.0, 1.0), (np.pi, -1.0)):
        ahead = (f(pole + side * 1e-6) - f(pole)) / (side * 1e-6)
        np.testing.assert_allclose(co.grad(f)(pole), ahead, rtol=1e-5)


def test_harmonics_keep_single_precision():
    theta, phi = THETA.astype(np.float32), PHI.astype(np.float32)
    y, gradient = special.sph_harm_y(2, 1, theta, phi, diff_n=1)
    assert (y.dtype, gradient.dtype) == (np.complex64, np.complex64)
    loss = lambda theta: np.sum(np.real(special.sph_harm_y(2, 1, theta, phi)))
    assert co.grad(loss)(theta).dtype == np.float32


def test_what_legendre_is_not_given():
    for make in (
        lambda: special.legendre_p(2, 0.3, diff_n=3),
        lambda: special.sph_harm_y(2, 0, 0.3, 0.4, diff_n=-1),
        lambda: special.assoc_legendre_p(2, 1, 0.3, branch_cut=1),
    ):
        with pytest.raises(BadValue, match=r"special\.\w+"):
            make()


@pytest.mark.parametrize(
    ("name", "before"),
    [("legendre_p", (2,)), ("assoc_legendre_p", (2, 1)), ("sph_legendre_p_all", (2, 1))],
)
def test_scipys_own_names_the_way(name: str, before: tuple[int, ...]):
    with pytest.raises(Leak, match=r"corrente\.special"):
        co.grad(lambda x: np.sum(getattr(sc, name)(*before, x)))(LEFT)
    assert np.all(co.grad(lambda x: np.sum(getattr(special, name)(*before, x)))(LEFT) != 0.0)


# --- sequences ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lqn", "lqmn"])
def test_the_second_kind_of_complex_numbers_and_batches(name: str):
    before = (3,) if name == "lqn" else (2, 3)
    f = lambda z: getattr(special, name)(*before, z)
    z = LEFT + 0.3j
    y, pull = co.vjp(lambda z: f(z)[0], z)
    np.testing.assert_allclose(
        pull(np.ones_like(y))[0], f(z)[1].sum(tuple(range(len(before)))), rtol=1e-11
    )
    many = co.vmap(f)(LEFT)
    for k, x in enumerate(LEFT):
        for one, other in zip(many, f(x), strict=True):
            np.testing.assert_allclose(one[k], other, rtol=1e-12)


def test_lambda_is_right_where_scipys_slopes_are_not():
    for v, x in ((2, 0.0), (2.5, -0.7)):
        value, slope = special.lmbda(v, x)
        np.testing.assert_allclose(value, special.lmbda(v, -x)[0])
        np.testing.assert_allclose(
            slope, numeric(lambda x, v=v: special.lmbda(v, x)[0], x), rtol=1e-7, atol=1e-9
        )


def test_parabolic_cylinders_of_complex_numbers():
    z = 0.7 + 0.2j
    values, slopes = special.pbdn_seq(3, z)
    np.testing.assert_allclose(values[:2], np.array([1.0, z]) * np.exp(-z * z / 4), rtol=1e-13)
    np.testing.assert_allclose(slopes, numeric(lambda z: special.pbdn_seq(3, z)[0], z), rtol=1e-8)


@pytest.mark.parametrize("name", ["lmbda", "riccati_jn", "riccati_yn", "pbdv_seq", "pbdn_seq"])
def test_an_order_out_of_range_is_named(name: str):
    with pytest.raises(BadValue, match=rf"special\.{name}"):
        getattr(special, name)(-1, 0.7)


@pytest.mark.parametrize("x", [0.2, 0.7, -0.5, 4.0])
def test_areas_under_airys_waves(x: float):
    waves = sc.airy(x)[0], sc.airy(x)[2], sc.airy(-x)[0], sc.airy(-x)[2]
    for k, wave in enumerate(waves):
        np.testing.assert_allclose(co.grad(lambda x, k=k: sc.itairy(x)[k])(x), wave, rtol=1e-13)


# --- characteristic values and spheroids --------------------------------------------------------


@pytest.mark.parametrize("q", [-2.0, 0.0, 0.7, 30.0, 400.0])
@pytest.mark.parametrize("m", [1, 2, 3, 8])
@pytest.mark.parametrize("f", [sc.mathieu_a, sc.mathieu_b])
def test_mathieus_values_move_with_q(f: Any, m: int, q: float):
    g = lambda q: f(m, q)
    atol = 1e-7 if m == 8 else 1e-8  # of high order SciPy's own value has fewer digits
    np.testing.assert_allclose(co.grad(g)(q), numeric(g, q), rtol=1e-7, atol=atol)
    bend = numeric(co.grad(g), q)
    np.testing.assert_allclose(co.grad(co.grad(g))(q), bend, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("m", [1, 3, 8])
@pytest.mark.parametrize(("f", "shift"), [(sc.mathieu_a, 1), (sc.mathieu_b, -1)])
def test_mathieus_slopes_are_right_for_large_q(f: Any, shift: int, m: int):
    q, s = 9e3, 2.0 * m + shift  # where SciPy's own values are not: DLMF 28.8
    expected = -2.0 + s / np.sqrt(q) + (s**3 + 3 * s) / (256 * q**1.5)
    np.testing.assert_allclose(co.grad(lambda q: f(m, q))(q), expected, rtol=1e-6)


@pytest.mark.parametrize("c", [0.5, 3.0, 12.0, 40.0, 120.0])
@pytest.mark.parametrize(("m", "n"), [(0, 0), (0, 1), (1, 2), (3, 8)])
@pytest.mark.parametrize("f", [sc.pro_cv, sc.obl_cv])
def test_values_of_spheroids_move_with_c(f: Any, m: int, n: int, c: float):
    g = lambda c: f(m, n, c)
    np.testing.assert_allclose(co.grad(g)(c), numeric(g, c), rtol=1e-7)
    np.testing.assert_allclose(co.grad(co.grad(g))(c), numeric(co.grad(g), c), rtol=1e-6, atol=1e-8)


def test_orders_of_characteristic_values_may_be_many():
    orders, q = np.array([[0], [1], [2]]), np.array([0.7, 2.0])
    slope = lambda m: co.grad(lambda q: np.sum(sc.mathieu_a(m, q)))(q)
    np.testing.assert_allclose(slope(orders), sum(slope(m) for m in range(3)), rtol=1e-12)


SPHEROIDS: list[tuple[Any, Any, Any, float]] = [
    (sc.pro_ang1, sc.pro_ang1_cv, sc.pro_cv, 0.4),
    (sc.obl_ang1, sc.obl_ang1_cv, sc.obl_cv, 0.4),
    (sc.pro_rad1, sc.pro_rad1_cv, sc.pro_cv, 1.4),
    (sc.obl_rad1, sc.obl_rad1_cv, sc.obl_cv, 0.7),
]


@pytest.mark.parametrize(("f", "told", "value", "x"), SPHEROIDS)
def test_spheroids_in_both_orders_and_precisions(f: Any, told: Any, value: Any, x: float):
    for m, n, c in ((0, 0, 1.0), (1, 2, 1.5), (2, 4, 3.0)):
        for k in range(2):
            g = lambda x, ins=(m, n, c), k=k: f(*ins, x)[k]
            np.testing.assert_allclose(co.grad(g)(x), numeric(g, x), rtol=1e-6)
            known = (m, n, c, value(m, n, c))
            by_value = lambda x, ins=known, k=k: told(*ins, x)[k]
            np.testing.assert_allclose(co.grad(by_value)(x), co.grad(g)(x), rtol=1e-12)
    assert co.grad(lambda x: f(1, 2, 1.5, x)[0])(np.float32(x)).dtype == np.float32


@pytest.mark.parametrize(("f", "told", "value", "x"), SPHEROIDS)
def test_what_of_spheroids_is_refused(f: Any, told: Any, value: Any, x: float):
    own = value(1, 2, 1.5)
    for make in (
        lambda: co.grad(lambda c: f(1, 2, c, x)[0])(1.5),
        lambda: co.grad(lambda cv: told(1, 2, 1.5, cv, x)[0])(own),
    ):
        with pytest.raises(NotSupported, match="in its argument c has no formula"):
            make()
    with pytest.raises(BadValue, match=told.__name__) as wrong:
        co.grad(lambda x: told(1, 2, 1.5, own + 1.0, x)[0])(x)
    assert "valor característico" in wrong.value.render("pt")


@pytest.mark.parametrize("f", [sc.pro_rad2, sc.obl_rad2])
def test_functions_whose_values_are_not_to_be_trusted_are_refused(f: Any):
    with pytest.raises(NotSupported, match=f.__name__) as refused:
        co.grad(lambda x: f(1, 2, 1.5, x)[0])(1.4)
    assert "nem no primeiro dígito" in refused.value.render("pt")


@pytest.mark.parametrize(
    ("name", "at_zero"), [("mathieu_even_coef", 1 / 4 - 1.4 / 12), ("mathieu_odd_coef", -1.2 / 12)]
)
def test_a_mathieu_series_turns_with_q(name: str, at_zero: float):
    f = lambda q, m: np.sum(getattr(special, name)(m, q)[:6] * np.linspace(1.0, 2.0, 6))
    np.testing.assert_allclose(co.grad(f)(0.0, 2), at_zero, rtol=1e-13)  # DLMF 28.6
    for m, q in ((2, 5.0), (3, 60.0)):
        g = lambda q, m=m: f(q, m)
        np.testing.assert_allclose(co.grad(g)(q), numeric(g, q), rtol=1e-7)
        np.testing.assert_allclose(
            co.grad(co.grad(g))(q), numeric(co.grad(g), q), rtol=1e-6, atol=1e-9
        )
