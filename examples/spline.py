"""A cubic spline with free knots: heights by least squares, places of the knots by gradient."""

import numpy as np

import corrente as co


def basis(x, inner):
    """Return the columns 1, x, x², x³ and (x − knot)³ to the right of each knot."""
    powers = np.stack([x**k for k in range(4)], axis=1)
    right = np.maximum(x[:, None] - inner[None, :], 0.0) ** 3
    return np.concatenate([powers, right], axis=1)


def heights(inner, x, y, stiffness=1e-6):
    B = basis(x, inner)
    return np.linalg.solve(B.T @ B + stiffness * np.eye(B.shape[1]), B.T @ y)


def misfit(inner, x, y):
    """Return the mean squared misfit of the best spline with these knots."""
    return np.mean((basis(x, inner) @ heights(inner, x, y) - y) ** 2)


def main():
    rng = np.random.default_rng(8)
    x = np.linspace(-1, 1, 120)
    true = np.array([-0.35, 0.45])
    clean = basis(x, true) @ np.array([0.2, 1.0, -1.0, 1.0, -6.0, 9.0])
    y = clean + 0.005 * rng.normal(size=120)
    inner = np.array([-0.1, 0.7])
    print(co.check_grads(lambda k: misfit(k, x, y), (inner,), rtol=1e-5).says.en)
    first = misfit(inner, x, y)
    for _ in range(20):
        slope = co.grad(misfit)(inner, x, y)
        size = 0.2 / np.linalg.norm(slope)
        while misfit(inner - size * slope, x, y) > misfit(inner, x, y) and size > 1e-12:
            size = size / 2
        inner = inner - size * slope
    print(f"mean square misfit {first:.2e} -> {misfit(inner, x, y):.2e}")
    print(f"knots: true {true}, found {inner.round(3)}")
    assert np.allclose(inner, true, atol=0.1)
    # a slope of the curve itself: at its knots a cubic spline has no kink
    curve = lambda t: np.sum(basis(t, inner) @ heights(inner, x, y))
    left, right = (co.grad(curve)(inner + side) for side in (-1e-9, 1e-9))
    assert np.allclose(left, right, atol=1e-6)


if __name__ == "__main__":
    main()
