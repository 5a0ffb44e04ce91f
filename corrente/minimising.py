"""SciPy's minimisers with our gradients and Hessian-vector products, on nested parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from corrente.compiler import jit
from corrente.derivatives import hvp, value_and_grad, vjp
from corrente.errors import BadValue
from corrente.trees import take_apart
from corrente.vectors import Flat, flatten
from corrente.words import Says

WITH_PRODUCTS = frozenset({"newton-cg", "trust-ncg", "trust-krylov", "trust-constr"})
WITHOUT_SLOPES = frozenset({"nelder-mead", "powell", "cobyla", "cobyqa"})


def minimize(
    f: Callable[..., Any],
    x0: Any,
    args: Sequence[Any] = (),
    method: str | None = None,
    *,
    bounds: tuple[Any, Any] | None = None,
    constraints: Sequence[Mapping[str, Any]] = (),
    tol: float | None = None,
    callback: Callable[[Any], Any] | None = None,
    options: Mapping[str, Any] | None = None,
    compiled: bool = True,
) -> Any:
    """Minimise `f(x, *args)` from `x0` with scipy.optimize, handing it exact derivatives.

    `x0` is nested as you like (arrays, floats, dicts, dataclasses); the result is SciPy's, its
    `x` and `jac` in the same structure. The default method is L-BFGS-B (SLSQP with constraints);
    Newton-CG, trust-ncg, trust-krylov and trust-constr are given Hessian-vector products.
    `bounds` is a pair (lowest, highest), each a number or of the structure of `x0`, None for no
    bound; `constraints` are dicts {"type": "eq" or "ineq", "fun": g}, where `g(x, *args)` is to
    be 0, or not below. `callback(x)` is told each iterate, and stops by StopIteration. Raises
    BadValue for a method that SciPy does not have, and as `value_and_grad`.

    >>> import numpy as np, corrente as co
    >>> loss = lambda p: (p["a"] - 1.0) ** 2 + np.sum(p["b"] ** 2)
    >>> r = minimize(loss, {"a": 0.0, "b": np.ones(2)})
    >>> round(r.x["a"], 6), r.x["b"].round(6)
    (1.0, array([0., 0.]))
    """
    flat = flatten(x0)
    chosen = method or ("SLSQP" if constraints else "L-BFGS-B")
    ready = jit if compiled else (lambda g: g)
    ways: dict[str, Any] = {}
    objective: Any = _value(ready(f), flat, args)
    if chosen.lower() not in WITHOUT_SLOPES:
        objective, ways["jac"] = _both(ready(value_and_grad(f)), flat, args), True
    if chosen.lower() in WITH_PRODUCTS:
        ways["hessp"] = _product(f, flat, args, ready)
    if bounds is not None:
        ways["bounds"] = _bounds(bounds, x0, flat)
    if constraints:
        make = _exact if chosen.lower() == "trust-constr" else _constraint
        ways["constraints"] = [make(rule, flat, args) for rule in constraints]
    if callback is not None:
        ways["callback"] = _told(callback, flat, chosen)
    try:
        result = _scipy().minimize(
            objective, flat.vector, method=chosen, tol=tol, options=dict(options or {}), **ways
        )
    except ValueError as error:
        if "Unknown solver" not in str(error):
            raise
        raise BadValue(
            Says("SciPy has no method {0}.", "o SciPy não tem o método {0}.").fill(repr(method)),
            Says('"L-BFGS-B", "trust-ncg", "SLSQP" …', '"L-BFGS-B", "trust-ncg", "SLSQP" …'),
        ) from error
    return _arranged(result, flat)


def _value(program: Any, flat: Flat, args: Sequence[Any]) -> Callable[[np.ndarray], float]:
    return lambda vector: float(program(flat.build(vector), *args))


def _both(program: Any, flat: Flat, args: Sequence[Any]) -> Callable[[np.ndarray], Any]:
    def objective(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = program(flat.build(vector), *args)
        return float(value), flatten(slope).vector

    return objective


def _product(f: Any, flat: Flat, args: Sequence[Any], ready: Any) -> Callable[..., np.ndarray]:
    def bend(point: Any, direction: Any, *args: Any) -> Any:
        return hvp(lambda x: f(x, *args), (point,), (direction,))

    program = ready(bend)
    return lambda vector, direction: (
        flatten(program(flat.build(vector), flat.build(direction), *args)).vector
    )


def _bounds(bounds: Any, x0: Any, flat: Flat) -> Any:
    low, high = (
        _side(side, x0, flat, edge) for side, edge in zip(bounds, (-np.inf, np.inf), strict=True)
    )
    return _scipy().Bounds(low, high)


def _side(side: Any, x0: Any, flat: Flat, edge: float) -> np.ndarray:
    if side is None or np.isscalar(side):
        return np.full(len(flat.vector), edge if side is None else side, float)
    given, like = take_apart(side), take_apart(x0)
    if len(given.leaves) != len(like.leaves):
        raise BadValue(
            Says(
                "a bound has {0} leaves, and x0 {1}.", "um limite tem {0} folhas, e x0 tem {1}."
            ).fill(len(given.leaves), len(like.leaves)),
            Says(
                "give a number, or the structure of x0 (±np.inf for no bound).",
                "dê um número, ou a estrutura de x0 (±np.inf para nenhum limite).",
            ),
        )
    pairs = zip(given.leaves, like.leaves, strict=True)
    return np.concatenate(
        [np.broadcast_to(np.asarray(b, float), np.shape(x)).ravel() for b, x in pairs]
    )


def _constraint(rule: Mapping[str, Any], flat: Flat, args: Sequence[Any]) -> dict[str, Any]:
    kept = lambda x: np.atleast_1d(rule["fun"](x, *args))

    def slopes(vector: np.ndarray) -> np.ndarray:
        value, pull = vjp(kept, flat.build(vector))
        rows = np.eye(len(value), dtype=value.dtype)
        return np.array([flatten(pull(row)[0]).vector for row in rows])

    return {"type": rule["type"], "fun": lambda vector: kept(flat.build(vector)), "jac": slopes}


def _exact(rule: Mapping[str, Any], flat: Flat, args: Sequence[Any]) -> Any:
    """Return a constraint that also tells how it bends, for trust-constr."""
    plain, scipy = _constraint(rule, flat, args), _scipy()
    size = len(flat.vector)

    def bent(vector: np.ndarray, weights: np.ndarray) -> Any:
        along = lambda x: np.sum(weights * np.atleast_1d(rule["fun"](x, *args)))
        product = lambda d: flatten(hvp(along, (flat.build(vector),), (flat.build(d),))).vector
        return np.array([product(row) for row in np.eye(size)])

    high = 0.0 if rule["type"] == "eq" else np.inf
    return scipy.NonlinearConstraint(plain["fun"], 0.0, high, jac=plain["jac"], hess=bent)


def _told(callback: Callable[[Any], Any], flat: Flat, method: str) -> Callable[..., Any]:
    if method.lower() == "trust-constr":
        return lambda vector, state: callback(flat.build(vector))
    return lambda vector: callback(flat.build(vector))


def _arranged(result: Any, flat: Flat) -> Any:
    """Give the minimiser's vectors the structure of the parameters."""
    result.x = flat.build(result.x)
    if isinstance(result.get("jac"), np.ndarray) and result.jac.shape == flat.vector.shape:
        result.jac = flat.build(result.jac)
    return result


def _scipy() -> Any:
    import scipy.optimize  # noqa: PLC0415  # costs 0.1 s, and only minimising needs it

    return scipy.optimize
