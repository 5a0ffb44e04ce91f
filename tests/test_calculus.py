"""Sampled functions, polynomials, grids, blocks and functions along axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparing import Same, same, smooth, spaced

import corrente as co
from corrente.errors import NotSupported

AT = np.array([-0.7, 0.2, 0.4, 1.1, 2.0, 2.9, 4.2])
KNOTS = np.array([0.0, 0.5, 1.5, 2.5, 3.5])


def slopes() -> list[Any]:
    f, g = smooth(1, 5), smooth(2, 4, 3)
    x = np.array([0.0, 0.4, 1.0, 1.3, 2.2])
    found = [
        same(f"gradient {o} {k}", lambda g, o=o, k=k: np.gradient(g, axis=k, edge_order=o), g)
        for o in (1, 2)
        for k in (0, 1, (0, 1), (1, 0))
    ]
    return [
        *found,
        same("gradient step", np.gradient, f, smooth(3)),
        same("gradient one step", lambda g: np.gradient(g, 0.5), g),
        same("gradient at", np.gradient, f, x),
        same("gradient at, 2", lambda f, x: np.gradient(f, x, edge_order=2), f, x),
        same("gradient mixed", lambda g, x: np.gradient(g, 2.0, x), g, x[:3]),
        same("gradient whole places", lambda f: np.gradient(f, np.array([0, 1, 3, 4, 6])), f),
        same("ediff1d", np.ediff1d, g),
        same("ediff1d ends", lambda f, a, b: np.ediff1d(f, a, b), f, smooth(4, 2), smooth(5)),
        same("trapezoid", np.trapezoid, f),
        same("trapezoid dx", lambda g, d: np.trapezoid(g, dx=d, axis=0), g, smooth(6)),
        same("trapezoid x", np.trapezoid, f, x),
        same("trapezoid axis", lambda g, x: np.trapezoid(g, x, axis=0), g, x[:4]),
        same("trapezoid table", lambda g, x: np.trapezoid(g, x, axis=-1), g, smooth(7, 4, 3)),
    ]


def between() -> list[Any]:
    f = smooth(10, 5)
    z = f + 1j * smooth(11, 5)
    steps = np.array([0.1, 2.0, 4.5, 6.2, 8.0, 6.4, 3.0])
    return [
        same("interp", np.interp, AT, KNOTS, f),
        same("interp values", lambda f: np.interp(AT, KNOTS, f), f),
        same("interp knots", lambda x: np.interp(0.4, x, np.arange(5.0)), KNOTS),
        same("interp sides", lambda x, f: np.interp(x, KNOTS, f, left=-1, right=f[0]), AT, f),
        same("interp around", lambda x, p, f: np.interp(x, p, f, period=3.1), AT, KNOTS + 0.15, f),
        same("interp table", lambda x: np.interp(x, KNOTS, [1, 2, 0, 1, 5]), AT[:6].reshape(2, 3)),
        same("interp one knot", lambda f: np.interp(AT, [1.0], f), f[:1]),
        same("interp complex", lambda z: np.interp(AT, KNOTS, z), z),
        same("unwrap", np.unwrap, steps),
        same("unwrap axis", lambda p: np.unwrap(p, axis=0), steps[:6].reshape(3, 2)),
        same("unwrap period", lambda p, t: np.unwrap(p, period=t), steps, smooth(12) + 3.0),
        same("unwrap discont", lambda p: np.unwrap(p, 5.0), steps),
    ]


def convolutions() -> list[Any]:
    found = []
    for function in (np.convolve, np.correlate):
        for mode in ("full", "same", "valid"):
            for m, n in ((5, 3), (4, 4), (5, 2), (2, 6), (3, 6), (1, 4)):
                name = f"{function.__name__} {mode} {m} {n}"
                rule = lambda a, v, f=function, w=mode: f(a, v, w)
                found.append(same(name, rule, smooth(20 + m, m), smooth(30 + n, n)))
    a, v = smooth(40, 4) + 1j * smooth(41, 4), smooth(42, 2) - 1j * smooth(43, 2)
    return [
        *found,
        same("convolve complex", np.convolve, a, v),
        same("correlate complex", lambda a, v: np.correlate(a, v, "full"), a, v),
        same("convolve number", lambda a, v: np.convolve(a, v), smooth(44, 3), smooth(45)),
    ]


def polynomials() -> list[Any]:
    p, q, x = smooth(50, 4), smooth(51, 3), spaced(52, 2, 3)
    z = smooth(53, 3) + 1j * smooth(54, 3)
    points, values = spaced(55, 7), smooth(56, 7)
    real = np.array([1.0, -6.0, 10.5, -5.2])
    paired = lambda a, b: np.poly(np.stack([a + 1j * b, a - 1j * b]))
    weighed = lambda x, y, w: np.polyfit(x, y, 1, w=w)
    return [
        same("polyval", np.polyval, p, x),
        same("polyval number", lambda p: np.polyval(p, 0.7), p),
        same("polyval list", lambda x: np.polyval([1.0, 2.0, x[0, 0]], x), x),
        same("polyadd", np.polyadd, p, q),
        same("polysub", np.polysub, q, p),
        same("polymul", np.polymul, p, q),
        same("polydiv", np.polydiv, p, q),
        same("polydiv deep", np.polydiv, smooth(57, 6), q[:2]),
        same("polydiv shallow", lambda p, q: np.polydiv(q, p)[1], p, q),
        same("polyder", np.polyder, p),
        same("polyder 2", lambda p: np.polyder(p, 2), p),
        same("polyint", np.polyint, p),
        same("polyint 2", lambda p, k: np.polyint(p, 2, k), p, q[:2]),
        same("poly", np.poly, q),
        same("poly complex", lambda z: np.abs(np.poly(z)), z),
        same("poly pairs", paired, *smooth(58, 2)),
        same("vander", np.vander, q),
        same("vander up", lambda q: np.vander(q, 4, increasing=True), q),
        same("roots", lambda p: np.sort(np.roots(p)), real),
        same("roots apart", lambda p: np.abs(np.roots(p)), smooth(59, 5)),
        same("roots 0", lambda p: np.roots(np.concatenate([[0.0], p, [0.0]])), real),
        same("polyfit", lambda x, y: np.polyfit(x, y, 2), points, values),
        same("polyfit weights", weighed, points, values, smooth(60, 7)),
        same("polyfit table", lambda y: np.polyfit(points, y, 2), smooth(61, 7, 2)),
    ]  # fmt: skip


def ranges() -> list[Any]:
    a, b = np.array(0.7), np.array(2.3)
    low, high = smooth(70, 3), smooth(71, 3) + 3.0
    return [
        same("linspace", np.linspace, a, b),
        same("linspace 5", lambda a, b: np.linspace(a, b, 5), low, high),
        same("linspace open", lambda a: np.linspace(a, 3, 4, endpoint=False), a),
        same("linspace axis", lambda a, b: np.linspace(a, b, 4, axis=-1), low, high),
        same("linspace step", lambda a, b: np.linspace(a, b, 4, retstep=True), a, b),
        same("linspace 1", lambda a: np.linspace(a, 3.0, 1), a),
        same("logspace", lambda a, b: np.logspace(a, b, 4), a, b),
        same("logspace base", lambda a, b: np.logspace(0, a, 4, base=b), a, b),
        same("logspace bases", lambda b: np.logspace(0.5, 1.0, 4, base=b, axis=1), high),
        same("geomspace", lambda a, b: np.geomspace(a, b, 6), a, b),
        same("geomspace negative", lambda a: np.geomspace(-a, -5.0, 4, axis=-1), low),
    ]


def grids() -> list[Any]:
    x, y, m = smooth(80, 3), smooth(81, 2), smooth(82, 2, 3, 4)
    between_knots = lambda x: np.apply_along_axis(np.interp, 0, x, KNOTS, fp=KNOTS**2)
    at_places = lambda x: np.ravel_multi_index((np.argsort(x), [1, 2, 0]), (3, 4))
    return [
        same("meshgrid", np.meshgrid, x, y),
        same("meshgrid ij", lambda x, y: np.meshgrid(x, y, x[:1], indexing="ij"), x, y),
        same("meshgrid xyz", lambda x, y: np.meshgrid(x, y, x, sparse=True), x, y),
        same("meshgrid views", lambda x, y: np.meshgrid(x, y, copy=False), x, y),
        same("meshgrid one", lambda x: np.meshgrid(x), x),
        same("ix_", np.ix_, x, y),
        same("ix_ read", lambda m: m[np.ix_([1, 0], np.array([True, False, True]))], m),
        same("block", lambda x, y: np.block([x, y, 1.0]), x, y),
        same("block table", lambda m: np.block([[m[0], m[1]], [m[1] * 2, np.zeros((3, 4))]]), m),
        same("block rows", lambda x, y: np.block([[x, y], [y, x]]), x, y),
        same("block deep", lambda m: np.block([[[m[0]], [m[1]]]]), m),
        same("rollaxis", lambda m: np.rollaxis(m, 2), m),
        same("rollaxis start", lambda m: np.rollaxis(m, 0, 3), m),
        same("rollaxis negative", lambda m: np.rollaxis(m, -1, -2), m),
        same("diagflat", lambda m: np.diagflat(m[0], 1), m),
        same("along rows", lambda m: np.apply_along_axis(lambda r: r[0] * r, 1, m), m),
        same("along to number", lambda m: np.apply_along_axis(np.sum, 0, m), m),
        same("along to table", lambda m: np.apply_along_axis(np.diag, 1, m[0]), m),
        same("along with more", between_knots, x),
        same("over axes", lambda m: np.apply_over_axes(np.sum, m, [0, 2]), m),
        same("over axes means", lambda m: np.apply_over_axes(np.mean, m, -1), m),
        same("triangle", lambda m: m[0][:, :3][np.tril_indices_from(m[0][:, :3])], m),
        same("diagonal", lambda m: m[0][:3, :3][np.diag_indices_from(m[0][:3, :3])], m),
        same("unravelled", lambda x: m[0][np.unravel_index(np.argsort(x), (3, 4))] * x, x),
        same("ravelled", lambda x: m.ravel()[at_places(x)] * x, x),
    ]  # fmt: skip


CASES = [
    *slopes(),
    *between(),
    *convolutions(),
    *polynomials(),
    *ranges(),
    *grids(),
]


@pytest.mark.parametrize("case", CASES)
def test_it_gives_what_numpy_gives(case: Same):
    case.check_value()
    case.check_single()


@pytest.mark.parametrize("case", CASES)
def test_its_gradients_are_the_slopes(case: Same):
    case.check_slopes(rtol=1e-5)


def test_interpolation_outside_is_flat_and_finite():
    x = np.array([-np.inf, -1.0, 1.0, 9.0, np.inf])
    knots, values = np.array([0.0, 0.0, 2.0]), np.array([1.0, 1.0, 5.0])
    assert np.array_equal(co.trace(np.interp)(x, knots, values).value, np.interp(x, knots, values))
    gradient = co.grad(lambda x, y: np.sum(np.interp(x, knots, y)), argnums=(0, 1))(x, values)
    np.testing.assert_array_equal(gradient[0], [0.0, 0.0, 2.0, 0.0, 0.0])
    np.testing.assert_array_equal(gradient[1], [2.0, 0.5, 2.5])


def test_unwrapping_a_phase_passes_the_gradient_on():
    steps = np.array([0.0, np.pi, 4.0, -2.0, 9.0])
    np.testing.assert_array_equal(co.trace(np.unwrap)(steps).value, np.unwrap(steps))
    np.testing.assert_allclose(co.jacobian(np.unwrap)(steps), np.eye(5), atol=1e-15)


def test_ranges_end_exactly():
    for start, stop in smooth(73, 60, 2):
        ranges = co.trace(lambda a, b: (np.linspace(a, b, 7), np.geomspace(a, b, 7)))
        for found in ranges(start, stop).value:
            assert (found[0], found[-1]) == (start, stop)


def test_a_convolution_is_mapped_over_a_batch():
    x, kernel = smooth(90, 3, 6), smooth(91, 2)
    found = co.vmap(lambda row: np.convolve(row, kernel, "same"))(x)
    np.testing.assert_allclose(found, [np.convolve(row, kernel, "same") for row in x])


def test_integers_and_types_are_asked_of_traced_values():
    seen = []

    def ask(x: Any) -> Any:
        seen.extend([np.common_type(x), np.triu_indices_from(x)])
        return np.sum(x)

    x = np.ones((3, 3), np.float32)
    co.grad(ask)(x)
    assert seen[0] is np.float32
    np.testing.assert_array_equal(seen[1], np.triu_indices_from(x))


def test_mistakes_are_told():
    x = np.ones(3)
    with pytest.raises(ValueError, match="too small"):
        co.grad(lambda x: np.sum(np.gradient(x, edge_order=2)))(x[:2])
    with pytest.raises(ValueError, match="include zero"):
        co.grad(lambda x: np.sum(np.geomspace(x[0], 0.0)))(x)
    with pytest.raises(ValueError, match="same length"):
        co.grad(lambda x: np.sum(np.interp(x, [0.0, 1.0], [1.0])))(x)
    with pytest.raises(NotSupported, match="polyfit"):
        co.grad(lambda x: np.sum(np.polyfit(x, x, 1, full=True)[0]))(x)
    with pytest.raises(ValueError, match="mode"):
        co.grad(lambda x: np.sum(np.convolve(x, x, "wide")))(x)
