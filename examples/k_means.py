"""The k-means objective: gradient steps, Newton's step, and the means it must end at."""

import numpy as np

import corrente as co


def objective(centres, points):
    """Return the mean squared distance of each point to the nearest centre."""
    squares = np.sum((points[:, None, :] - centres[None, :, :]) ** 2, axis=-1)
    return np.mean(np.min(squares, axis=1))


def main():
    rng = np.random.default_rng(3)
    true = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    points = np.concatenate([centre + 0.5 * rng.normal(size=(50, 2)) for centre in true])
    centres = points[[0, 60, 120]] + 0.5
    print(co.check_grads(objective, (centres, points[::10]), argnums=0).says.en)
    first = objective(centres, points)
    for _ in range(40):
        centres = centres - 0.6 * co.grad(objective)(centres, points)
    last = objective(centres, points)
    print(f"objective {first:.4f} -> {last:.4f}")
    nearest = np.argmin(np.sum((points[:, None] - centres) ** 2, axis=-1), axis=1)
    means = np.array([points[nearest == k].mean(axis=0) for k in range(3)])
    print(f"centres\n{centres.round(3)}")
    assert np.allclose(centres, means, atol=1e-6)
    # the curvature of a centre is twice its share of the points: Newton's step is k-means' own
    curvature = co.hessian(objective)(centres, points).reshape(6, 6)
    shares = np.bincount(nearest) / len(points)
    assert np.allclose(curvature, np.diag(np.repeat(2 * shares, 2)))
    start = points[[0, 60, 120]] + 0.5
    slope, bent = co.grad(objective)(start, points), co.hessian(objective)(start, points)
    step = np.linalg.solve(bent.reshape(6, 6), slope.ravel()).reshape(3, 2)
    near = np.argmin(np.sum((points[:, None] - start) ** 2, axis=-1), axis=1)
    assert np.allclose(start - step, [points[near == k].mean(axis=0) for k in range(3)])


if __name__ == "__main__":
    main()
