"""The check of gradients: what passes, what is refused, what a kink does, what rounding does."""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import nn
from corrente.checker import BANDS, Checked, band, relative_error
from corrente.errors import BadArgument, BadValue, GradientError, NoGate, TieWarning
from corrente.gates.own import dispatched
from corrente.places import locate

RNG = np.random.default_rng(5)
X = RNG.normal(size=(5, 4))
W = RNG.normal(size=(4, 3))
LABELS = np.array([0, 1, 2, 0, 1])


def quietly(f: Any, *args: Any, **options: Any) -> Checked:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TieWarning)
        return co.check_grads(f, args, **options)


# --- relative error -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("analytic", "numeric", "expected"),
    [(1.0, 1.0, 0.0), (2.0, 1.0, 0.5), (1.0, -1.0, 2.0), (0.0, 3.0, 1.0), (0.0, 0.0, 0.0)],
)
def test_relative_error(analytic: float, numeric: float, expected: float):
    assert relative_error(analytic, numeric) == expected
    assert relative_error(numeric, analytic) == expected


@pytest.mark.parametrize(
    ("error", "en"),
    [
        (1e-8, "good"),
        (1e-5, "fine with kinks, too much without"),
        (1e-3, "suspect"),
        (0.02, "wrong"),
        (2.0, "wrong"),
        (float("inf"), "wrong"),
    ],
)
def test_bands(error: float, en: str):
    assert band(error).en == en
    assert band(error).pt != en


def test_bands_grow():
    bounds = [bound for bound, _ in BANDS]
    assert bounds == sorted(bounds)


# --- what passes --------------------------------------------------------------------------------


def network(params, x):
    hidden = np.tanh(x @ params["W"] + params["b"])
    return nn.cross_entropy(hidden, LABELS)


@dataclasses.dataclass(frozen=True)
class Pair:
    left: Any
    right: Any


PASSES = {
    "scalars": (lambda x, y, z: (x + y) * z, (-2.0, 5.0, -4.0)),
    "whole numbers for scalars": (lambda x, y, z: (x + y) * z, (-2, 5, -4)),
    "a network with nested parameters": (network, ({"W": W, "b": np.zeros(3)}, X)),
    "an array result": (lambda x: x * x, (np.array([1.0, 2.0]),)),
    "nested results": (lambda x: {"a": np.sin(x), "b": (x * 2.0, [x])}, (np.ones(2),)),
    "a dataclass": (lambda p: p.left * np.exp(p.right), (Pair(1.5, np.array([0.2, 0.3])),)),
    "numbers of many sizes": (
        lambda x: np.sum(np.log(x)),
        (np.array([1e-6, 1e-2, 1.0, 1e3]),),
    ),
    "a very small number": (lambda x: np.log(x), (1e-12,)),
    "a small slope on a large value": (lambda x: 1e6 + 1e-6 * np.abs(x), (0.5,)),
    "a result near zero": (lambda x: np.sin(x) ** 2 + np.cos(x) ** 2, (0.7,)),
    "a large argument": (lambda x: np.sin(x), (1e6,)),
    "a steep curve": (lambda x: np.tanh(1e3 * x), (1e-4,)),
    "a saturated gate": (lambda x: np.tanh(x), (18.0,)),
    "zero everywhere": (lambda x: 0.0 * x, (np.ones(3),)),
    "complex in, complex out": (lambda z: np.exp(z * z), (np.array([0.3 + 0.2j]),)),
    "an extra result of whole numbers": (lambda x: (x * x, np.argmax(x)), (np.array([1.0, 2.0]),)),
    "an unused argument": (lambda x, y: x * x, (2.0, 3.0)),
    "numbers in a list": (lambda x: np.array([x, x * x]), (2.0,)),
    "writes": (lambda x: written(x), (np.array([0.3, 0.7, -0.2]),)),
    "a loop": (lambda x: looped(x), (0.8,)),
}


def written(x):
    buffer = np.zeros(3, like=x)
    for k in range(3):
        buffer[k] = x[k] * (buffer[k - 1] + 1.0 if k else 2.0)
    return buffer


def looped(x):
    for _ in range(20):
        x = np.sin(x) + x
    return x


@pytest.mark.parametrize("name", PASSES)
def test_right_gradients_pass(name: str):
    f, args = PASSES[name]
    found = co.check_grads(f, args)
    assert found.comparisons >= 12
    assert found.kinks == ()
    assert found.worst < 1e-6


def test_where_all_is_analytic_the_numbers_lose_no_digits():
    f = lambda x: np.sum(np.exp(3.0 * x) * np.sin(5.0 * x))
    assert co.check_grads(f, (np.array([0.3, -0.2]),)).worst < 1e-13


def test_order_and_modes_say_how_much_is_compared():
    f = lambda x: np.sum(np.exp(x) * x)
    x = np.array([0.2, -0.4])
    counts = {
        (order, modes): co.check_grads(f, (x,), order=order, modes=modes).comparisons
        for order in (1, 2, 3)
        for modes in (("fwd",), ("rev",), ("fwd", "rev"))
    }
    assert counts[1, ("rev",)] == counts[1, ("fwd",)] == 2
    assert counts[1, ("fwd", "rev")] == 4
    assert counts[2, ("rev",)] == 4
    assert counts[2, ("fwd", "rev")] == 12
    assert counts[3, ("fwd", "rev")] == 28


def test_the_check_is_deterministic():
    f = lambda x: np.sum(np.tanh(x) ** 3)
    assert co.check_grads(f, (X,)) == co.check_grads(f, (X,))
    assert co.check_grads(f, (X,)).worst != co.check_grads(f, (X,), seed=1).worst


def test_argnums_and_kwargs_leave_data_alone():
    def f(w, rows, *, scale):
        return np.sum(scale * w[rows])

    found = co.check_grads(
        f, (np.array([1.0, 2.0]), np.array([0, 1, 1])), argnums=0, kwargs={"scale": 3.0}
    )
    assert found.comparisons == 12


def test_a_single_argument_needs_no_tuple():
    assert co.check_grads(lambda x: x * x, 3.0).comparisons == 12  # type: ignore[arg-type]


def test_arguments_are_left_as_they_were():
    x = X.copy()
    co.check_grads(lambda x: np.sum(x * x), (x,))
    np.testing.assert_array_equal(x, X)


def test_single_precision_is_checked_in_double_and_in_its_own():
    x = X.astype(np.float32)
    found = co.check_grads(lambda x: np.mean(np.tanh(x) ** 2), (x,))
    assert found.worst < 1e-7
    assert found.comparisons == 14


def test_a_function_that_insists_on_single_precision():
    def f(x):
        assert x.dtype == np.float32
        return np.sum(np.tanh(x) * x)

    found = co.check_grads(f, (X.astype(np.float32),))
    assert found.comparisons == 12


def test_the_result_says_what_it_saw():
    told = Checked(2e-9, 12, ()).says
    assert told.en == "12 comparisons, worst relative error 2.0e-09 (good), 0 kinks not crossed."
    assert told.pt.startswith("12 comparações, pior erro relativo 2.0e-09 (bom)")


# --- kinks --------------------------------------------------------------------------------------


def at_a_kink(x):
    t = np.sin(x)
    r = nn.relu(t)  # kink
    return np.sum(r * r + t)


def by_branch(x):
    if x > 1.0:  # kink
        return x * x
    return x * 3.0


def line_of(f: Any) -> int:
    lines, first = inspect.getsourcelines(f)
    return next(first + k for k, line in enumerate(lines) if "# kink" in line)


@pytest.mark.parametrize(
    ("f", "x", "gate"),
    [
        (at_a_kink, np.array([0.5, 0.0, -0.3]), "relu"),
        (by_branch, 1.0, "if"),
    ],
)
def test_a_kink_is_named_and_does_not_fail(f: Any, x: Any, gate: str):
    with pytest.warns(TieWarning, match=f"a kink of {gate} .*line {line_of(f)}"):
        found = co.check_grads(f, (x,), order=1)
    assert [(kink.gate, kink.line) for kink in found.kinks] == [(gate, line_of(f))]
    assert "quina" in found.kinks[0].says.pt


def test_what_does_not_cross_the_kink_is_compared():
    found = quietly(at_a_kink, np.array([0.5, 0.0, -0.3]), order=1)
    assert found.comparisons >= 4
    found = quietly(lambda x: np.maximum(x, 0.0), 0.0)
    assert found.comparisons == 0


def test_a_wrong_gradient_beside_a_kink_is_seen(monkeypatch: pytest.MonkeyPatch):
    wrong = co.gate(lambda x: np.sin(x)).defpull(lambda g, out, x: 1.01 * g * np.cos(x))
    with pytest.raises(GradientError, match="<lambda> with respect to"):
        quietly(lambda x: np.sum(np.abs(x) + wrong(x)), np.array([0.0, 1.0, 2.0]))


def test_a_step_too_large_is_made_smaller():
    found = co.check_grads(lambda x: np.sum(np.abs(x)), (np.array([1e-5, -1e-4, 1.0]),))
    assert found.kinks == ()
    assert found.worst < 1e-6


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.max(x),
        lambda x: np.sum(np.maximum(x, x[::-1])),
        lambda x: np.sum(np.where(x > 1.0, x, 2.0 * x)),
        lambda x: np.sum(x * np.sign(x - 1.0)),
        lambda x: np.sum(x * np.floor(x)),
        lambda x: np.sum(np.clip(x, 1.0, 3.0)),
    ],
)
def test_ties_and_jumps_of_many_gates_are_kinks(f: Any):
    found = quietly(f, np.array([1.0, 1.0, 1.0]), order=1)
    assert found.kinks


def test_the_edge_of_a_domain_is_a_kink():
    found = quietly(lambda x: np.sqrt(x), 0.0, order=1)
    assert [kink.gate for kink in found.kinks] == ["sqrt"]


# --- what is refused ----------------------------------------------------------------------------


def test_whole_number_arrays_are_refused():
    with pytest.raises(BadArgument, match="int64 array, which has no gradient"):
        co.check_grads(lambda x: np.sum(x), (np.arange(3),))


def test_whole_number_results_are_refused():
    with pytest.raises(BadArgument, match="returned no real number"):
        co.check_grads(lambda x: np.argmax(x), (X,))


def test_a_gate_without_gradient_is_named():
    def f(x):
        return np.floor(x)

    with pytest.raises(BadArgument, match="anything but floor") as caught:
        co.check_grads(f, (1.5,))
    assert isinstance(caught.value.where, tuple)
    assert locate(caught.value.where).text == "np.floor(x)"
    assert "senão por floor" in caught.value.render("pt")


def test_a_constant_is_refused():
    with pytest.raises(BadArgument, match="does not depend on the arguments"):
        co.check_grads(lambda x: 3.0, (1.0,))


def test_a_result_that_is_not_finite_is_refused():
    with np.errstate(divide="ignore"), pytest.raises(BadValue, match="not finite"):
        co.check_grads(lambda x: np.log(x), (np.array(0.0),))


def test_an_impure_function_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(BadValue, match="two results for the same arguments"):
        co.check_grads(lambda x: x * rng.normal(), (1.0,))


@pytest.mark.parametrize(
    "options", [{"order": 0}, {"modes": ()}, {"modes": ("reverse",)}, {"modes": ("fwd", "x")}]
)
def test_options_without_meaning_are_refused(options: dict[str, Any]):
    with pytest.raises(BadValue, match="leave nothing to check"):
        co.check_grads(lambda x: x * x, (1.0,), **options)


def test_errors_of_the_function_itself_pass_through():
    with pytest.raises(NoGate):
        co.check_grads(lambda x: np.sum(dispatched(np.sin)(x)), (X,))
    with pytest.raises(ZeroDivisionError):
        co.check_grads(lambda x: x * (1 / 0), (1.0,))
    with pytest.raises(BadArgument, match="argnums"):
        co.check_grads(lambda x: x, (1.0,), argnums=3)


# --- what is wrong by nature --------------------------------------------------------------------


def test_tolerances_are_the_callers():
    wrong = co.gate(lambda x: x * x).defpull(lambda g, out, x: g * 2.002 * x)
    f = lambda x: wrong(x)
    with pytest.raises(GradientError, match=r"relative error 1\.0e-03"):
        co.check_grads(f, (1.0,), order=1)
    assert co.check_grads(f, (1.0,), order=1, rtol=1e-2).worst == pytest.approx(1e-3, rel=1e-2)
    co.check_grads(f, (1.0,), order=1, atol=0.1)


def test_an_error_inside_a_rule_is_the_cause():
    broken = co.gate(lambda x: x * x).defpull(lambda g, out, x: g["no"])
    with pytest.raises(GradientError) as caught:
        co.check_grads(lambda x: broken(x), (1.0,))
    assert isinstance(caught.value.__cause__, Exception)
    assert type(caught.value.__cause__).__name__ in str(caught.value)
