"""`corrente.special`: the functions that SciPy computes without asking, under the same names."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special as sc

import corrente as co
from corrente import special
from corrente.errors import BadValue, Leak, NotSupported

STEP = 1e-6
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(3, 4))
WEIGHTS = RNG.uniform(0.1, 1.0, size=(3, 4))
MIXED = WEIGHTS * np.array([1.0, -1.0, 1.0, -0.5])
NUMBERS = np.array([0.7, 1.6, 2.3])
INSIDE = np.array([-0.6, 0.1, 0.8])
ANGLES = np.array([0.4, -1.3, 2.6])
ONE = np.asarray(1.3)

CASES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *(("logsumexp", (ROWS,), {"axis": axis}) for axis in (None, 0, -1, (0, 1))),
    ("logsumexp", (ROWS,), {"axis": 1, "keepdims": True}),
    ("logsumexp", (ROWS,), {"axis": 1, "b": WEIGHTS}),
    ("logsumexp", (ROWS,), {"b": WEIGHTS[0], "keepdims": True}),
    ("logsumexp", (ROWS,), {"axis": 0, "b": MIXED, "return_sign": True}),
    ("logsumexp", (ROWS,), {"axis": 1, "return_sign": True}),
    *(("softmax", (ROWS,), {"axis": axis}) for axis in (None, 0, -1, (0, 1))),
    *(("log_softmax", (ROWS,), {"axis": axis}) for axis in (None, 0, -1)),
    *(("polygamma", (n, NUMBERS), {}) for n in (0, 1, 2, 5)),
    ("polygamma", (np.array([0, 1, 3]), NUMBERS), {}),
    *(("multigammaln", (NUMBERS + 1.0, d), {}) for d in (1, 2, 4)),
    ("factorial", (NUMBERS,), {}),
    ("factorial", (NUMBERS - 3.05,), {}),
    ("comb", (NUMBERS + 3.0, 2), {}),
    ("comb", (NUMBERS, 1.7), {}),
    ("comb", (NUMBERS + 3.0, 2), {"repetition": True}),
    ("perm", (NUMBERS + 3.0, 2), {}),
    ("perm", (NUMBERS, 1.7), {}),
    *(("diric", (np.array([-7.1, -1.0, 0.0, 2.0, 9.5]), n), {}) for n in (1, 2, 3, 6)),
    *((f"spherical_{k}n", (n, NUMBERS), {}) for k in "jyik" for n in (0, 1, 3)),
    *((f"spherical_{k}n", (n, NUMBERS, True), {}) for k in "jyik" for n in (0, 2)),
    ("spherical_jn", (np.array([0, 1, 2]), NUMBERS), {}),
    *(("legendre_p", (n, INSIDE), {"diff_n": k}) for n in (0, 1, 4) for k in range(3)),
    ("legendre_p", (np.array([0, 2, 5]), INSIDE), {}),
    *(("legendre_p_all", (3, INSIDE), {"diff_n": k}) for k in range(3)),
    *(("assoc_legendre_p", (3, m, INSIDE), {"diff_n": 2}) for m in range(-3, 5)),
    *(("assoc_legendre_p", (3, m, INSIDE), {"norm": True, "diff_n": 1}) for m in (-2, 1, 4)),
    *(("assoc_legendre_p", (3, m, NUMBERS + 1.0), {"branch_cut": 3}) for m in (-2, -1, 0, 3)),
    *(("assoc_legendre_p_all", (2, 1, INSIDE), {"norm": norm}) for norm in (False, True)),
    *(("sph_legendre_p", (2, m, ANGLES), {"diff_n": 2}) for m in range(-2, 4)),
    ("sph_legendre_p_all", (2, 2, ANGLES), {"diff_n": 1}),
    *(("lqn", (n, INSIDE), {}) for n in (0, 1, 3)),
    ("lqn", (3, NUMBERS + 1.0), {}),
    *(("lqmn", (m, 2, INSIDE), {}) for m in (0, 1, 2)),
    *((name, (n, ONE), {}) for name in ("riccati_jn", "riccati_yn") for n in (0, 1, 4)),
    *((name, (v, ONE), {}) for name in ("lmbda", "pbdv_seq", "pbvv_seq") for v in (0, 0.5, 3)),
    *((f"mathieu_{kind}_coef", (m, ONE), {}) for kind in ("even", "odd") for m in (1, 2, 5)),
    *((f"{kind}_cv_seq", (1, 4, ONE), {}) for kind in ("pro", "obl")),
    *((f"{kind}_cv", (1, np.array([1, 2, 5]), NUMBERS), {}) for kind in ("pro", "obl")),
    *((f"{kind}_ang1", (m, 3, 1.5, INSIDE), {}) for kind in ("pro", "obl") for m in (0, 2)),
    *((f"{kind}_rad1", (m, 3, 1.5, NUMBERS + 1.0), {}) for kind in ("pro", "obl") for m in (0, 2)),
]


def name_of(case: tuple[str, tuple[Any, ...], dict[str, Any]]) -> str:
    name, args, kwargs = case
    shown = [str(x) for x in args if not isinstance(x, np.ndarray)]
    shown += [f"{k}={np.shape(v) if isinstance(v, np.ndarray) else v}" for k, v in kwargs.items()]
    return " ".join([name, *shown])


def first(out: Any) -> Any:
    return out[0] if isinstance(out, tuple | list) else out


def moving(f: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> tuple[Any, Any]:
    """Return f as a function of its array of floats, and the array."""
    k = next(k for k, x in enumerate(args) if isinstance(x, np.ndarray) and x.dtype.kind == "f")
    return lambda x: first(f(*args[:k], x, *args[k + 1 :], **kwargs)), args[k]


def scipys(case: tuple[str, tuple[Any, ...], dict[str, Any]]) -> Any:
    """Return SciPy's own answer, which to some functions a 0-d array is no number."""
    name, args, kwargs = case
    ins = (x[()] if isinstance(x, np.ndarray) else x for x in args)
    return first(getattr(sc, name)(*ins, **kwargs))


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_values_are_scipys_and_slopes_are_slopes(case: Any):
    name, args, kwargs = case
    f, x = moving(getattr(special, name), args, kwargs)
    plain, want = f(x), scipys(case)
    np.testing.assert_allclose(plain, want, rtol=1e-12, atol=1e-14)
    assert np.shape(plain) == np.shape(want)
    y, pull = co.vjp(f, x)
    np.testing.assert_allclose(y, want, rtol=1e-12, atol=1e-14)
    g, t = RNG.normal(size=np.shape(y)), RNG.normal(size=x.shape)
    slope = (f(x + STEP * t) - f(x - STEP * t)) / (2 * STEP)
    np.testing.assert_allclose(np.sum(pull(g)[0] * t), np.sum(g * slope), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(co.jvp(f, (x,), (t,))[1], slope, rtol=1e-6, atol=1e-8)
    wave = lambda x: np.sum(np.sin(f(x)))
    bend = lambda x: np.sum(co.grad(wave)(x) * t)
    np.testing.assert_allclose(
        np.sum(co.grad(bend)(x) * t),
        (bend(x + STEP * t) - bend(x - STEP * t)) / (2 * STEP),
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_single_precision_stays(case: Any):
    name, args, kwargs = case
    narrow = lambda x: x.astype(np.float32) if getattr(x, "dtype", None) == np.float64 else x
    args, kwargs = tuple(map(narrow, args)), {k: narrow(v) for k, v in kwargs.items()}
    f, x = moving(getattr(special, name), args, kwargs)
    y, pull = co.vjp(f, x)
    # where SciPy itself goes over to double precision, so may we
    assert y.dtype == np.float32 or y.dtype == scipys((name, args, kwargs)).dtype
    assert pull(np.ones_like(y))[0].dtype == np.float32


def test_logsumexp_is_exact_where_exponentials_overflow():
    x = np.array([1000.0, 1000.0, -1000.0])
    out, slope = co.value_and_grad(lambda x: special.logsumexp(x, b=np.array([3.0, 1.0, 5.0])))(x)
    np.testing.assert_allclose(out, 1000.0 + np.log(4.0))
    np.testing.assert_allclose(slope, [0.75, 0.25, 0.0])


def test_logsumexp_of_nothing_is_minus_infinity():
    x = np.full(2, -np.inf)
    assert special.logsumexp(x, b=np.ones(2)) == -np.inf
    assert special.logsumexp(x, return_sign=True) == (-np.inf, 0.0)
    assert special.logsumexp(np.array([np.inf, 0.0]), b=np.ones(2)) == np.inf


def test_weights_of_logsumexp_have_gradients_and_zero_weighs_nothing():
    b = np.array([0.5, 2.0])
    slope = co.grad(lambda b: special.logsumexp(np.zeros(2), b=b))(b)
    np.testing.assert_allclose(slope, [0.4, 0.4])
    x = np.array([np.inf, 1.0])
    out, slope = co.value_and_grad(lambda x: special.logsumexp(x, b=np.array([0.0, 1.0])))(x)
    assert out == 1.0
    np.testing.assert_array_equal(slope, [0.0, 1.0])


def test_whole_numbers_are_scipys():
    assert special.factorial(20, exact=True) == sc.factorial(20, exact=True)
    assert special.comb(30, 15, exact=True) == sc.comb(30, 15, exact=True)
    assert special.perm(20, 10, exact=True) == sc.perm(20, 10, exact=True)
    np.testing.assert_array_equal(special.comb(np.array([2, 2]), np.array([3, -1])), [0.0, 0.0])


@pytest.mark.parametrize(("a", "d"), [(2.0, 0), (2.0, 1.5), (0.5, 2)])
def test_multigammaln_outside_its_domain(a: float, d: Any):
    with pytest.raises(BadValue, match="multigammaln"):
        special.multigammaln(a, d)


def test_the_order_is_refused_by_name():
    for f in (special.polygamma, special.spherical_jn):
        with pytest.raises(NotSupported, match=rf"special\.{f.__name__} in its argument n"):
            co.grad(lambda n, x, f=f: f(co.stop_gradient(n) + 0 * n, x))(1.0, 0.5)


@pytest.mark.parametrize("name", ["softmax", "logsumexp", "log_softmax", "polygamma", "factorial"])
def test_scipys_own_names_the_way(name: str):
    def f(x: Any) -> Any:
        given = (1, x) if name == "polygamma" else (x,)
        return np.sum(getattr(sc, name)(*given))

    with pytest.raises(Leak, match=r"corrente\.special") as refused:
        co.grad(f)(NUMBERS)
    assert "corrente.special" in refused.value.render("pt")
    assert "test_special.py" in refused.value.render()
    with pytest.raises(Leak) as refused:
        co.grad(lambda x: np.sum(np.asarray(x)))(NUMBERS)
    assert "corrente.special" not in refused.value.render()


def test_whatever_else_is_scipys():
    assert special.erf is sc.erf
    assert special.roots_legendre is sc.roots_legendre
    with pytest.raises(AttributeError):
        special.nothing_of_the_kind  # noqa: B018


def test_circuits_print_with_its_name_and_travel():
    t = co.trace(lambda x: np.sum(special.polygamma(1, sc.erf(x))))(NUMBERS)
    assert "special.polygamma(1, " in str(t.run.circuit)
    assert "special.erf(x)" in str(t.run.circuit)
    special_ = co.trace(lambda x: (special := np.exp(x)) + sc.erf(special))(1.0)
    assert "special = " not in str(special_.run.circuit)
    for f in (special.softmax, special.polygamma, special.spherical_jn):
        assert pickle.loads(pickle.dumps(f)) is f
