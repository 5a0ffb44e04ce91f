"""Logistic regression with SciPy's optimisers and our gradients and Hessian products."""

import numpy as np
from scipy.optimize import minimize
from sklearn.datasets import load_breast_cancer

import corrente as co


def loss(w, X, y):
    """Return the penalised negative log-likelihood; y is +1 or −1."""
    return np.mean(np.logaddexp(0.0, -y * (X @ w[1:] + w[0]))) + 0.5e-2 * np.sum(w[1:] ** 2)


def main():
    X, y = load_breast_cancer(return_X_y=True)
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    y = 2.0 * y - 1.0
    w = np.zeros(31)
    print(co.check_grads(lambda w: loss(w, X[:30], y[:30]), (w,)).says.en)
    with_slope = co.jit(co.value_and_grad(loss))
    first = minimize(with_slope, w, args=(X, y), jac=True, method="L-BFGS-B", tol=1e-12)
    own = lambda w: loss(w, X, y)
    bent = lambda w, v: co.hvp(own, (w,), (v,))
    second = minimize(own, w, jac=co.grad(own), hessp=bent, method="trust-ncg", tol=1e-10)
    right = np.mean(np.sign(X @ second.x[1:] + second.x[0]) == y)
    print(f"L-BFGS: loss {first.fun:.6f} after {first.nfev} values and gradients")
    print(f"Newton: loss {second.fun:.6f} after {second.nit} steps; right {right:.1%}")
    # where the loss is least, its gradient is the weighted misfit plus the penalty: by hand
    unsure = -y / (1 + np.exp(y * (X @ second.x[1:] + second.x[0]))) / len(y)
    assert np.allclose(X.T @ unsure + 1e-2 * second.x[1:], 0, atol=1e-8)
    assert np.allclose(first.x, second.x, atol=1e-3)
    assert right > 0.97
    # how sure we are of each weight: the inverse of the curvature
    spread = np.sqrt(np.diag(np.linalg.inv(len(y) * co.hessian(loss)(second.x, X, y))))
    strong = np.argmax(np.abs(second.x[1:]) / spread[1:])
    names = load_breast_cancer().feature_names
    print(f"clearest sign: {names[strong]}, {second.x[1 + strong]:.2f} ± {spread[1 + strong]:.2f}")


if __name__ == "__main__":
    main()
