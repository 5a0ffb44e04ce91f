"""A Gaussian process whose length scale and noise climb the marginal likelihood."""

import numpy as np

import corrente as co


def kernel(a, b, log_size, log_length):
    distance = (a[:, None] - b[None, :]) / np.exp(log_length)
    return np.exp(2 * log_size - 0.5 * distance**2)


def log_likelihood(params, x, y):
    """Return log p(y | x): Rasmussen and Williams (2006), algorithm 2.1."""
    log_size, log_length, log_noise = params
    K = kernel(x, x, log_size, log_length) + np.exp(2 * log_noise) * np.eye(len(x))
    L = np.linalg.cholesky(K)
    weights = np.linalg.solve(L.T, np.linalg.solve(L, y))
    halves = -0.5 * y @ weights - np.sum(np.log(np.diagonal(L)))
    return halves - 0.5 * len(x) * np.log(2 * np.pi)


def predict(params, x, y, new):
    log_size, log_length, log_noise = params
    K = kernel(x, x, log_size, log_length) + np.exp(2 * log_noise) * np.eye(len(x))
    return kernel(new, x, log_size, log_length) @ np.linalg.solve(K, y)


def main():
    rng = np.random.default_rng(2)
    x = np.sort(rng.uniform(0, 6, 40))
    y = np.sin(2 * x) + 0.1 * rng.normal(size=40)
    params = np.zeros(3)
    print(co.check_grads(lambda p: log_likelihood(p, x[:12], y[:12]), (params,)).says.en)
    first, climb = log_likelihood(params, x, y), co.value_and_grad(log_likelihood)
    for _ in range(200):
        value, slope = climb(params, x, y)
        params = params + 0.1 * slope / (1.0 + np.linalg.norm(slope))
    print(f"log-likelihood {first:.2f} -> {value:.2f}")
    print(f"size, length and noise: {np.exp(params).round(3)}")
    assert value > first
    assert abs(np.exp(params[2]) - 0.1) < 0.05
    new = np.linspace(1, 5, 9)
    mean = predict(params, x, y, new)
    print(f"largest error between the data: {np.max(np.abs(mean - np.sin(2 * new))):.3f}")
    assert np.allclose(mean, np.sin(2 * new), atol=0.2)
    # what a prediction owes to each observation is its weight: the mean is linear in y
    owed = co.grad(lambda y: predict(params, x, y, new)[4])(y)
    assert np.isclose(owed @ y, mean[4])


if __name__ == "__main__":
    main()
