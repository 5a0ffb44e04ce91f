"""SciPy's minimisers on nested parameters, with exact derivatives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from corrente.errors import BadValue
from corrente.minimising import WITH_PRODUCTS, WITHOUT_SLOPES, minimize

SMOOTH = ["CG", "BFGS", "L-BFGS-B", "TNC", "SLSQP", "Newton-CG", "trust-ncg", "trust-krylov"]
METHODS = [*SMOOTH, "trust-constr", "Nelder-Mead", "Powell", "COBYLA", "COBYQA"]


def rosenbrock(p: Any) -> Any:
    x, y = p["x"], p["rest"][0]
    return (1.0 - x) ** 2 + 10.0 * np.sum((y - x**2) ** 2)


def start() -> dict[str, Any]:
    return {"x": -1.0, "rest": [np.array([2.0])]}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_the_valley(method: str):
    options = {"maxfun" if method == "TNC" else "maxiter": 5000}
    result = minimize(rosenbrock, start(), method=method, options=options)
    assert result.x["x"] == pytest.approx(1.0, abs=0.02)
    assert result.x["rest"][0] == pytest.approx(np.array([1.0]), abs=0.03)
    assert type(result.x["x"]) is float
    assert {*map(str.lower, METHODS)} >= WITH_PRODUCTS | WITHOUT_SLOPES


def test_exact_slopes_are_handed_over():
    asked: list[float] = []

    def counted(p: Any) -> Any:
        asked.append(1.0)
        return rosenbrock(p)

    result = minimize(counted, start(), compiled=False, tol=1e-12)
    assert len(asked) == result.nfev
    assert abs(result.jac["x"]) < 1e-4
    assert result.x["x"] == pytest.approx(1.0, abs=1e-5)


def test_products_with_the_hessian_make_newton_exact_on_a_quadratic():
    A = np.diag([1.0, 10.0, 100.0])
    result = minimize(lambda w: 0.5 * w @ A @ w - np.sum(w), np.zeros(3), method="Newton-CG")
    np.testing.assert_allclose(result.x, [1.0, 0.1, 0.01], rtol=1e-6)
    assert result.nit <= 4


def test_more_arguments_and_float32():
    X, y = np.eye(3, dtype=np.float32), np.array([1, 2, 3], np.float32)
    loss = lambda w, X, y: np.sum((X @ w - y) ** 2)
    result = minimize(loss, np.zeros(3, np.float32), (X, y))
    assert result.x.dtype == np.float32
    np.testing.assert_allclose(result.x, y, rtol=1e-5)


def test_bounds_have_the_structure_of_the_parameters():
    low = {"x": -np.inf, "rest": [np.array([2.0])]}
    result = minimize(rosenbrock, start(), bounds=(low, None))
    assert result.x["rest"][0][0] == 2.0
    both = minimize(rosenbrock, start(), bounds=(-0.5, 0.5))
    assert both.x["x"] == 0.5
    assert both.x["rest"][0][0] == pytest.approx(0.25, abs=1e-4)
    with pytest.raises(BadValue, match="leaves"):
        minimize(rosenbrock, start(), bounds=([1.0], None))


@pytest.mark.parametrize("method", [None, "trust-constr", "COBYLA"])
def test_constraints_are_differentiated(method: str | None):
    square = lambda p: p["a"] ** 2 + p["b"] ** 2
    on_line = {"type": "eq", "fun": lambda p: p["a"] + p["b"] + 2.0}
    right = {"type": "ineq", "fun": lambda p: p["a"] - 1.5}
    result = minimize(square, {"a": 5.0, "b": 5.0}, method=method, constraints=[on_line, right])
    assert result.x["a"] == pytest.approx(1.5, abs=1e-3)
    assert result.x["b"] == pytest.approx(-3.5, abs=1e-3)


@pytest.mark.parametrize("method", ["BFGS", "trust-constr"])
def test_the_callback_sees_parameters_and_may_stop(method: str):
    seen = []

    def watch(p: Any) -> None:
        seen.append(p["x"])
        if len(seen) == 3:
            raise StopIteration

    minimize(rosenbrock, start(), method=method, callback=watch)
    assert len(seen) == 3
    assert type(seen[0]) is float


def test_an_unknown_method_is_told():
    with pytest.raises(BadValue, match="no method 'gradient'"):
        minimize(rosenbrock, start(), method="gradient")


def test_an_error_of_the_function_is_not_hidden():
    def broken(p: Any) -> Any:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        minimize(broken, start())
