"""Functions of neural networks: against SciPy, against differences, against the course notes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

import corrente as co
from corrente import nn
from corrente.circuit import Composed
from corrente.errors import BadArgument, BadValue, NotSupported, WriteError
from corrente.words import LANGUAGES

STEP = 1e-6
EXTREME = np.array([np.inf, 1e308, 1e4, 800.0, 30.0, 1e-300, 0.0, -1e-300, -30.0, -1e4, -1e308])
ACTIVATIONS = (nn.relu, nn.sigmoid, nn.softplus, nn.leaky_relu)
ROWS = (nn.softmax, nn.log_softmax)


def draw(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=shape) * 2.0


def each(f: Callable[..., Any], x: Any) -> Any:
    """Return the slope of an elementwise function at each element."""
    return co.vjp(f, x)[1](np.ones_like(x))[0]


def slope(f: Callable[..., Any], x: Any, direction: Any) -> Any:
    return (f(x + STEP * direction) - f(x - STEP * direction)) / (2 * STEP)


# --- values: SciPy is the authority -------------------------------------------------------------


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        (nn.sigmoid, special.expit),
        (nn.softplus, lambda x: -special.log_expit(-x)),
        (nn.relu, lambda x: np.where(x > 0, x, 0.0)),
        (nn.leaky_relu, lambda x: np.where(x > 0, x, 0.01 * x)),
    ],
    ids=["sigmoid", "softplus", "relu", "leaky_relu"],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_activations_agree_with_scipy(mine: Any, theirs: Any, dtype: Any):
    x = np.concatenate([np.linspace(-80, 80, 801), [np.inf, -np.inf, 0.0, -0.0]]).astype(dtype)
    out, eps = mine(x), np.finfo(dtype).eps
    assert out.dtype == dtype
    np.testing.assert_allclose(out, theirs(x.astype(np.float64)), rtol=4 * eps, atol=0)
    assert np.isnan(mine(np.array([np.nan], dtype)))[0]


@pytest.mark.parametrize("axis", [0, 1, -1, (0, 2), None])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_reductions_agree_with_scipy(axis: Any, dtype: Any):
    x = (draw(3, 4, 5) * 20).astype(dtype)
    x[0, 1, 2] = -np.inf
    wide, eps = x.astype(np.float64), np.finfo(dtype).eps
    for keepdims in (False, True):
        out = nn.logsumexp(x, axis=axis, keepdims=keepdims)
        want: Any = special.logsumexp(wide, axis=axis, keepdims=keepdims)
        assert out.dtype == dtype
        assert np.shape(out) == np.shape(want)
        np.testing.assert_allclose(out, want, rtol=4 * eps)
    # the logarithm of a probability near 1 is a small difference of large numbers
    for mine, theirs, near in (
        (nn.softmax, special.softmax, np.finfo(dtype).tiny),
        (nn.log_softmax, special.log_softmax, eps),
    ):
        out = mine(x, axis=axis)
        assert out.dtype == dtype
        np.testing.assert_allclose(out, theirs(wide, axis=axis), rtol=60 * eps, atol=near)


def test_log_softmax_keeps_its_digits_far_from_zero():
    x = np.array([1e6, 1e6 + 1.0], np.float32)
    want = special.log_softmax(np.array([0.0, 1.0]))
    np.testing.assert_allclose(nn.log_softmax(x), want, rtol=1e-6)


@pytest.mark.parametrize("f", ACTIVATIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_activations_never_warn_and_have_finite_slopes(f: Any, dtype: Any):
    with np.errstate(over="ignore"):
        x = EXTREME.astype(dtype)
    assert not np.isnan(f(x)).any()
    assert not np.isnan(f(-x)).any()
    for given in (x, -x):
        d = each(f, given)
        assert d.dtype == dtype
        assert ((d >= 0) & (d <= 1)).all()


def test_whole_numbers_and_python_numbers_are_taken():
    assert nn.relu(np.array([-1, 2])).dtype == np.int64
    np.testing.assert_array_equal(nn.sigmoid(np.array([0, 200], np.uint8)), [0.5, 1.0])
    np.testing.assert_allclose(nn.softplus(np.array([0, 200], np.uint8)), [np.log(2.0), 200.0])
    np.testing.assert_allclose(nn.softplus([0, True]), np.log1p(np.exp([0.0, 1.0])))
    assert isinstance(nn.logsumexp(np.ones(3)), float)
    assert all(isinstance(f(0.5), float) for f in (nn.relu, nn.sigmoid, nn.softplus, nn.logsumexp))


@pytest.mark.parametrize("f", [nn.relu, nn.sigmoid, nn.softplus, nn.logsumexp])
def test_complex_numbers_are_refused(f: Any):
    with pytest.raises(BadArgument, match=f"nn.{f.__name__} was given complex"):
        f(1j)


def test_logsumexp_of_the_extremes():
    low, high = -np.inf, np.inf
    cases = {
        (low, low): (low, [0.0, 0.0]),
        (high, 1e4): (high, [1.0, 0.0]),
        (1e308, -1e308): (1e308, [1.0, 0.0]),
        (-1e4, -1e4): (-1e4 + np.log(2.0), [0.5, 0.5]),
        (low, 3.0): (3.0, [0.0, 1.0]),
    }
    for x, (value, gradient) in cases.items():
        found = co.value_and_grad(nn.logsumexp)(np.array(x))
        np.testing.assert_array_equal(found[0], value)
        np.testing.assert_allclose(found[1], gradient, rtol=1e-12)
    assert nn.logsumexp(np.zeros((2, 0)), axis=1).tolist() == [low, low]
    assert np.isnan(nn.logsumexp(np.array([np.nan, 1e4])))


def test_rows_with_and_without_a_softmax():
    x = np.array([[0.0, -np.inf, 1e308], [-1e308, 1e308, 0.0]])
    np.testing.assert_array_equal(nn.softmax(x), [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    masked = np.array([0.0, -np.inf, 1.0])
    d = co.grad(lambda x: nn.softmax(x)[2])(masked)
    p = special.expit(1.0)
    np.testing.assert_allclose(d, [-p * (1 - p), 0.0, p * (1 - p)], rtol=1e-14)
    for row in ([-np.inf, -np.inf], [np.inf, 0.0], [np.nan, 0.0]):
        assert np.isnan(nn.softmax(np.array(row))).all()
        assert np.isnan(nn.log_softmax(np.array(row))).all()


# --- gradients ----------------------------------------------------------------------------------

LABELS = np.array([2, 0, 3])
SOFT = special.softmax(draw(3, 4, seed=9), axis=1)
MOVING = {
    "relu": lambda x: np.sum(nn.relu(x) ** 2),
    "leaky_relu": lambda x: np.sum(nn.leaky_relu(x, 0.2) ** 2),
    "slope": lambda x: np.sum(nn.leaky_relu(draw(3, 4, seed=8), x) ** 2),
    "sigmoid": lambda x: np.sum(nn.sigmoid(x) ** 2),
    "softplus": lambda x: np.sum(nn.softplus(x) ** 2),
    "logsumexp": lambda x: np.sum(nn.logsumexp(x, axis=1) ** 2) + nn.logsumexp(x),
    "softmax": lambda x: np.sum(nn.softmax(x, axis=0) ** 3),
    "log_softmax": lambda x: np.sum(nn.log_softmax(x) ** 2),
    "class numbers": lambda x: nn.cross_entropy(x, LABELS),
    "first axis": lambda x: nn.cross_entropy(x.T, LABELS, axis=0),
    "soft": lambda x: nn.cross_entropy(x, SOFT),
    "teacher": lambda x: nn.cross_entropy(draw(3, 4, seed=7), x * x),
    "dropout": lambda x: np.sum(nn.dropout(x, 0.4, np.random.default_rng(5)) ** 2),
    "written": lambda x: np.sum(nn.written(x, x[0] * 2, 1) ** 2),
    "added": lambda x: np.sum(nn.added(x, x[:2], np.array([1, 1])) ** 2),
}


@pytest.mark.parametrize("f", MOVING.values(), ids=MOVING.keys())
def test_the_gradient_is_the_slope_in_both_modes_and_orders(f: Any):
    x, direction, other = draw(3, 4), draw(3, 4, seed=1), draw(3, 4, seed=2)
    gradient = co.grad(f)
    along = np.sum(gradient(x) * direction)
    np.testing.assert_allclose(along, slope(f, x, direction), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(co.jvp(f, (x,), (direction,))[1], along, rtol=1e-10)

    def bent(x: Any) -> Any:
        return np.sum(gradient(x) * other)

    expected = slope(gradient, x, direction)
    np.testing.assert_allclose(co.hvp(f, (x,), (direction,)), expected, rtol=1e-5, atol=1e-6)
    twice = np.sum(co.grad(bent)(x) * direction)
    np.testing.assert_allclose(twice, np.sum(expected * other), rtol=1e-5, atol=1e-6)


def test_relu_has_no_gradient_at_zero_and_hides_no_nan():
    x = np.array([0.0, -0.0, np.nan, 1.0, -1.0])
    with co.ties("both") as met:
        d = each(nn.relu, x)
    np.testing.assert_array_equal(d, [0.0, 0.0, 1.0, 1.0, 0.0])
    assert met.hit == 0
    assert not np.signbit(nn.relu(x[:2])).any()
    _, pull = co.vjp(nn.relu, np.array([-1.0, 1.0]))
    np.testing.assert_array_equal(pull(np.array([np.inf, np.inf]))[0], [0.0, np.inf])


def two_layers(parameters: Any, x: Any, labels: Any) -> Any:
    w1, b1, w2, b2 = parameters
    hidden = np.maximum(0, x @ w1 + b1)
    return nn.cross_entropy(hidden @ w2 + b2, labels)


def by_hand(parameters: Any, x: Any, labels: Any) -> tuple[Any, ...]:
    """Compute the gradients of the two-layer network as the CS231n notes do, line by line."""
    w1, b1, w2, b2 = parameters
    count = len(labels)
    hidden = np.maximum(0, x @ w1 + b1)
    scores = hidden @ w2 + b2
    exponentials = np.exp(scores)
    dscores = exponentials / exponentials.sum(axis=1, keepdims=True)
    dscores[np.arange(count), labels] -= 1
    dscores /= count
    dhidden = dscores @ w2.T
    dhidden[hidden <= 0] = 0
    return x.T @ dhidden, dhidden.sum(axis=0), hidden.T @ dscores, dscores.sum(axis=0)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_classifier_has_the_gradients_of_the_course_notes(dtype: Any):
    shapes = ((5, 7), (7,), (7, 3), (3,))
    parameters = tuple(draw(*s, seed=k).astype(dtype) * 0.5 for k, s in enumerate(shapes))
    x, labels = draw(10, 5, seed=6).astype(dtype), np.arange(10) % 3
    found = co.grad(two_layers)(parameters, x, labels)
    for mine, theirs in zip(found, by_hand(parameters, x, labels), strict=True):
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, theirs, rtol=2e3 * np.finfo(dtype).eps, atol=1e-6)


# --- the loss -----------------------------------------------------------------------------------


def test_class_numbers_and_one_hot_rows_cost_the_same():
    scores, hot = draw(3, 4), np.eye(4)[LABELS]
    loss = -np.mean(special.log_softmax(scores, axis=1)[np.arange(3), LABELS])
    for labels in (LABELS, LABELS.astype(np.uint8), LABELS.tolist(), hot, hot.astype(int)):
        np.testing.assert_allclose(nn.cross_entropy(scores, labels), loss, rtol=1e-14)
    np.testing.assert_allclose(nn.cross_entropy(scores[0], 2), -nn.log_softmax(scores[0])[2])
    cube, classes = draw(2, 4, 3), np.array([[0, 1, 2], [3, 0, 1]])
    want = -np.mean(np.take_along_axis(special.log_softmax(cube, 1), classes[:, None], 1))
    np.testing.assert_allclose(nn.cross_entropy(cube, classes, axis=1), want, rtol=1e-14)


def test_a_class_of_no_probability_costs_nothing_when_unused():
    scores = np.array([[0.0, -np.inf, 0.0]])
    value, d = co.value_and_grad(nn.cross_entropy)(scores, np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(value, np.log(2.0))
    np.testing.assert_allclose(d, [[-0.5, 0.0, 0.5]])
    assert nn.cross_entropy(scores, np.array([1])) == np.inf
    by_label = co.grad(nn.cross_entropy, argnums=1)(np.zeros((1, 2)), np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(by_label, np.log([[2.0, 2.0]]))


@pytest.mark.parametrize(
    ("labels", "error", "what"),
    [
        (np.array([0, 1]), BadValue, "shape (3, 4) and labels of shape (2,)"),
        (np.zeros((3, 1), int), BadValue, "labels of shape (3, 1)"),
        (np.array([0.0, 1.0, 2.0]), BadArgument, "type float64"),
        (np.array([0, 1, 4]), BadValue, "outside 0 … 3"),
        (np.array([0, -1, 2]), BadValue, "outside 0 … 3"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: Any, error: Any, what: str):
    for act in (nn.cross_entropy, co.grad(nn.cross_entropy), co.trace(nn.cross_entropy)):
        with pytest.raises(error) as caught:
            act(draw(3, 4), labels)
        assert what in str(caught.value)
        assert caught.value.render("pt") != caught.value.render("en")


# --- dropout ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_dropout_keeps_the_rest_scaled_and_the_mean(dtype: Any):
    x = np.full((300, 100), 2.0, dtype)
    out = nn.dropout(x, 0.25, np.random.default_rng(0))
    assert out.dtype == dtype
    assert set(np.unique(out)) == {dtype(0.0), dtype(2.0) / dtype(0.75)}
    assert abs(np.mean(out == 0) - 0.25) < 0.01
    same = nn.dropout(x, 0.25, np.random.default_rng(0))
    np.testing.assert_array_equal(out, same)


def test_dropout_draws_anew_each_time_and_its_gradient_is_its_mask():
    x, rng = np.ones(200), np.random.default_rng(0)
    assert not np.array_equal(nn.dropout(x, 0.5, rng), nn.dropout(x, 0.5, rng))
    y, pull = co.vjp(lambda x: nn.dropout(x, 0.5, np.random.default_rng(1)), x)
    np.testing.assert_array_equal(pull(np.ones(200))[0], y)
    d = co.grad(lambda x: np.sum(nn.dropout(x, 0.5, np.random.default_rng(1))))(x * np.inf)
    np.testing.assert_array_equal(d, y)


def test_dropout_of_nothing_draws_nothing():
    rng = np.random.default_rng(0)
    before = rng.bit_generator.state
    x = draw(3)
    assert nn.dropout(x, 0, rng) is x
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("rate", [1.0, -0.1, 1.5, np.nan])
def test_dropout_refuses_other_rates(rate: float):
    with pytest.raises(BadValue, match="the rate") as caught:
        nn.dropout(np.ones(3), rate, np.random.default_rng(0))
    assert "a taxa" in caught.value.render("pt")


def test_dropout_refuses_other_generators():
    with pytest.raises(BadArgument, match="given a int"):
        nn.dropout(np.ones(3), 0.5, 3)  # type: ignore[arg-type]


# --- writes -------------------------------------------------------------------------------------


def test_writes_leave_the_original_alone():
    x = np.arange(6.0).reshape(2, 3)
    out = nn.written(x, [7.0, 8.0], np.s_[:, 1])
    np.testing.assert_array_equal(out, [[0, 7, 2], [3, 8, 5]])
    out = nn.added(x, 10.0, np.array([1, 1]))
    np.testing.assert_array_equal(out, [[0, 1, 2], [23, 24, 25]])
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(2, 3))


def test_a_traced_value_may_be_written_into_a_plain_array():
    for write in (nn.written, nn.added):
        value, d = co.value_and_grad(lambda v, f=write: np.sum(f(np.ones(3), v, 1) ** 2))(4.0)
        total = 4.0 + (write is nn.added)
        assert value == 2.0 + total**2
        assert d == 2.0 * total
        d = co.grad(lambda x, f=write: np.sum(f(x, 4.0, 1)))(np.ones(3))
        np.testing.assert_array_equal(d, [1.0, float(write is nn.added), 1.0])


def test_writing_a_copy_of_an_argument_is_allowed():
    def refused(x: Any) -> Any:
        x[0] = 1.0
        return np.sum(x)

    with pytest.raises(WriteError):
        co.grad(refused)(np.ones(2))
    d = co.grad(lambda x: np.sum(nn.written(x, 1.0, 0)))(np.ones(2))
    np.testing.assert_array_equal(d, [0.0, 1.0])


# --- on the tape --------------------------------------------------------------------------------


def test_one_gate_is_one_step_and_a_composition_is_marked():
    x = draw(3, 4)
    for f in (nn.relu, nn.sigmoid, nn.softplus, nn.logsumexp):
        (step,) = co.trace(lambda x, f=f: f(x))(x).circuit.steps
        assert step.gate.name == f.__name__
        assert not any(isinstance(frame, Composed) for frame in step.stack)
    for f in (nn.softmax, nn.log_softmax, nn.leaky_relu):
        steps = co.trace(lambda x, f=f: f(x))(x).circuit.steps
        marks = {frame for s in steps for frame in s.stack if isinstance(frame, Composed)}
        assert len(steps) > 1
        assert [mark.name for mark in marks] == [f"co.nn.{f.__name__}"]
    steps = co.trace(lambda x: nn.cross_entropy(x, LABELS))(x).circuit.steps
    names = [[f.name for f in s.stack if isinstance(f, Composed)] for s in steps]
    assert names[0] == ["co.nn.cross_entropy", "co.nn.log_softmax"]
    assert all(name[0] == "co.nn.cross_entropy" for name in names)


def test_any_argument_may_be_the_traced_one():
    labels = np.array([[0.3, 0.7]])
    logs = special.log_softmax(draw(1, 2), axis=1)
    np.testing.assert_allclose(co.grad(nn.cross_entropy, argnums=1)(draw(1, 2), labels), -logs)
    for f in (
        lambda a: nn.leaky_relu(np.array(-3.0), a),
        lambda a: nn.leaky_relu(np.array(-3.0), slope=a),
    ):
        assert co.grad(f)(0.1) == -3.0
        steps = co.trace(f)(0.1).circuit.steps
        assert all(isinstance(step.stack[-1], Composed) for step in steps)
    assert co.grad(lambda a: nn.logsumexp(axis=None, x=a))(2.0) == 1.0


def test_traced_numbers_may_stand_in_lists():
    p = special.softmax([1.0, 2.0])
    expected = p[0] * (1 - p[0])
    for pack in (list, tuple, np.array, lambda x: [x]):
        d = co.grad(lambda a, pack=pack: np.sum(nn.softmax(pack([a, 2.0]))[..., 0]))(1.0)
        np.testing.assert_allclose(d, expected, rtol=1e-14)
        d = co.grad(lambda a, pack=pack: nn.logsumexp(pack([a, 2.0])))(1.0)
        np.testing.assert_allclose(d, p[0], rtol=1e-14)


def test_labels_on_a_wire_are_data():
    t = co.trace(nn.cross_entropy, argnums=0)(draw(3, 4), LABELS)
    want = (special.softmax(draw(3, 4), axis=1) - np.eye(4)[LABELS]) / 3
    np.testing.assert_allclose(t.grads, want, atol=1e-15)


def test_a_protocol_that_declines_leaves_the_work_to_numpy():
    class Shy:
        asked = 0

        def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
            Shy.asked += 1
            return NotImplemented

        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            return np.array([-1.0, 1.0])

    np.testing.assert_array_equal(nn.relu(Shy()), [0.0, 1.0])
    assert Shy.asked == 1


def test_misfits_are_named():
    with pytest.raises(NotSupported, match="slop"):
        co.grad(lambda x: nn.leaky_relu(x, slop=1.0))(1.0)  # type: ignore[call-arg]
    with pytest.raises(NotSupported, match=r"co\.nn\.logsumexp: not supported here"):
        co.grad(lambda x: nn.logsumexp(x, where=True))(1.0)  # type: ignore[call-arg]
    with pytest.raises(np.exceptions.AxisError):
        co.grad(lambda x: nn.logsumexp(x, axis=2))(np.ones(3))


@pytest.mark.parametrize("name", nn.__all__)
def test_the_functions_are_public_under_their_own_names(name: str):
    f = getattr(nn, name)
    assert pickle.loads(pickle.dumps(f)) is f
    assert f.__doc__ is not None
    assert ">>>" in f.__doc__


def test_every_refusal_speaks_both_languages():
    said = []
    for f in (lambda: nn.relu(1j), lambda: nn.dropout(np.ones(2), 0.5, None)):  # type: ignore[arg-type]
        with pytest.raises(BadArgument) as caught:
            f()
        said.append([caught.value.render(lang) for lang in LANGUAGES])
    assert all(en.splitlines()[0] != pt.splitlines()[0] for en, pt in said)
