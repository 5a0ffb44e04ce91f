"""A recording labels its inputs as the source does, and nothing leaves it unnoticed."""

from __future__ import annotations

import copy
import functools
import linecache
import pickle
import warnings
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadArgument, CorrenteError, Escaped, Leak, UnreachedWarning, WriteError


def labels(f: Callable[..., Any], *args: Any, **kwargs: Any) -> list[str]:
    circuit = co.trace(f)(*args, **kwargs).circuit
    return [circuit.names[wire] for wire in circuit.ins]


class Model:
    def __call__(self, x, y):
        return x * x * y

    def loss(self, x, y):
        return x * x * y

    @staticmethod
    def still(x, y):
        return x * x * y


@functools.wraps(Model.still)
def decorated(*args, **kwargs):
    return Model.still(*args, **kwargs)


# --- labels -------------------------------------------------------------------------------------


def test_parameters():
    assert labels(lambda x, /, y, *, z: x * y * z, 1.0, 2.0, z=3.0) == ["x", "y", "z"]
    assert labels(lambda a, *rest: a * rest[0] * rest[1], 1.0, 2.0, 3.0) == [
        "a", "rest[0]", "rest[1]",
    ]  # fmt: skip
    assert labels(lambda a, **named: a * named["b"], 1.0, b=2.0) == ["a", "b"]


def test_paths():
    params = {"W": [1.0, {"z": 2.0}], "b": (3.0,)}
    f = lambda p: p["W"][0] * p["W"][1]["z"] * p["b"][0]
    assert labels(f, params) == ["p['W'][0]", "p['W'][1]['z']", "p['b'][0]"]


def test_unpacked_names():
    def f(params, X):
        W, b = params
        return np.sum(X @ W + b)

    assert labels(f, (np.ones((2, 1)), np.ones(1)), np.ones((3, 2))) == ["W", "b", "X"]


def test_unpacked_names_pass_over_what_is_no_wire():
    def f(params):
        W, count, b = params
        return W * count * b

    assert labels(f, (1.0, 3, 2.0)) == ["W", "b"]


def test_parts_that_are_nested_keep_their_paths():
    def f(params):
        W, b = params
        return W[0] * W[1] * b

    assert labels(f, ([1.0, 2.0], 3.0)) == ["params[0][0]", "params[0][1]", "params[1]"]


@pytest.mark.parametrize(
    "f",
    [Model(), Model().loss, Model.still, decorated],
    ids=["object", "method", "static", "wraps"],
)
def test_callables_of_every_kind(f: Callable[..., Any]):
    assert labels(f, 3.0, 2.0) == ["x", "y"]
    assert co.grad(f, argnames="x")(3.0, 2.0) == 12.0
    assert co.grad(f, argnames="y")(3.0, 2.0) == 9.0
    assert co.grad(f, argnames=["y", "x"])(3.0, y=2.0) == {"y": 9.0, "x": 12.0}


def test_a_partial_is_labelled_by_what_is_left():
    f = functools.partial(Model.still, 3.0)
    assert labels(f, 2.0) == ["y"]
    assert co.grad(f, argnames="y")(2.0) == 9.0


def test_a_function_without_signature():
    assert len(labels(np.exp, 0.0)) == 1
    assert co.grad(np.exp)(0.0) == 1.0


# --- has_aux ------------------------------------------------------------------------------------


def test_extras_are_plain():
    f = lambda x: (x * x, {"n": 3, "x": [x, None, "text"], "y": np.array([x, x * 2.0])})
    slope, extras = co.grad(f, has_aux=True)(3.0)
    assert slope == 6.0
    assert extras["n"] == 3
    assert extras["x"] == [3.0, None, "text"]
    np.testing.assert_array_equal(extras["y"], [3.0, 6.0])
    assert extras["y"].dtype == np.float64


def test_extras_that_are_no_wires_stay_as_they_are():
    names = np.array(["a", "b"], object)
    extra = (names, np.array([], object), deque([1.0]))
    _, found = co.grad(lambda x: (x * x, extra), has_aux=True)(3.0)
    assert [part.dtype for part in found[:2]] == [object, object]
    assert found[2] == deque([1.0])


def test_extras_of_an_inner_derivative_stay_traced_outside():
    inner = lambda y, x: (x * y * y, x * x * y)
    f = lambda x: co.grad(inner, has_aux=True)(2.0, x)[1]
    assert co.grad(f)(3.0) == 12.0


@pytest.mark.parametrize("result", [1.0, (1.0,), [1.0, 2.0], (1.0, 2.0, 3.0)])
def test_has_aux_needs_a_pair(result: Any):
    with pytest.raises(BadArgument, match="pair"):
        co.grad(lambda x: result, has_aux=True)(1.0)


# --- values that leave --------------------------------------------------------------------------


def escaped() -> Any:
    kept: list[Any] = []
    co.grad(lambda x: (kept.append(x * 1.0), x.sum())[1])(np.array([2.0, 3.0]))
    return kept[0]


@pytest.mark.parametrize(
    "use",
    [
        lambda box: box + 1.0,
        lambda box: 1.0 - box,
        lambda box: np.ones(2) * box,
        lambda box: np.sum(box),
        lambda box: box[0],
        lambda box: box.sum(),
        lambda box: list(box),
        lambda box: box.__setitem__(0, 1.0),
        lambda box: co.grad(lambda y: y * box[0])(3.0),
        lambda box: co.grad(lambda y: y * box.sum())(3.0),
        lambda box: co.grad(lambda y: np.sum(y * y))(box),
    ],
)
def test_escaped_values_name_the_mistake(use: Callable[..., Any]):
    with pytest.raises(Escaped):
        use(escaped())


def test_an_escaped_value_cannot_be_a_result():
    kept: list[Any] = []
    co.grad(lambda x: (kept.append(x), x * x)[1])(2.0)
    with pytest.raises(Escaped):
        co.value_and_grad(lambda y: kept[0])(3.0)


def test_a_generator_that_outlives_its_trace():
    kept: list[Any] = []
    co.grad(lambda x: (kept.append(x * k for k in (1.0, 2.0)), x * x)[1])(2.0)
    with pytest.raises(Escaped):
        list(kept[0])


def test_a_function_that_raises_closes_its_trace():
    kept: list[Any] = []

    def f(x):
        kept.append(x)
        raise KeyError("user's own")

    with pytest.raises(KeyError, match="user's own"):
        co.grad(f)(1.0)
    with pytest.raises(Escaped):
        kept[0] + 1.0


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_copies_stay_on_the_tape(copied: Callable[..., Any]):
    assert co.grad(lambda x: copied([x])[0] * x)(3.0) == 6.0
    assert co.grad(lambda x: copied(x) * x)(3.0) == 6.0

    def f(x):
        y = x * 1.0
        z = copied(y)
        z[0] = 10.0
        return np.sum(y * z)

    value, slope = co.value_and_grad(f)(np.array([2.0, 3.0]))
    assert value == 29.0
    np.testing.assert_array_equal(slope, [10.0, 6.0])


def test_a_traced_value_is_not_pickled():
    """What comes back would be on a tape of its own, and its gradient silently zero."""
    with pytest.raises((CorrenteError, TypeError)):
        co.grad(lambda x: pickle.loads(pickle.dumps(x)) * x)(3.0)


def test_what_does_not_depend_may_become_a_plain_array():
    f = lambda x: np.sum(x * np.asarray(co.stop_gradient(x)))
    np.testing.assert_array_equal(co.grad(f)(np.array([2.0, 3.0])), [2.0, 3.0])
    data = lambda w, X: w * np.sum(np.asarray(X))
    assert co.trace(data, argnums=0)(2.0, np.ones(3)).grads == 3.0
    with pytest.raises(Leak):
        co.grad(lambda x: np.sum(np.asarray(x)))(np.ones(3))


def test_numbers_of_data_leave_with_their_type():
    f = lambda x, n: x * len(range(n.item()))
    assert co.trace(f, argnums=0)(2.0, np.array(3)).value == 6.0
    flat = lambda x, A: x * A.item(4)
    assert co.trace(flat, argnums=0)(2.0, np.arange(6.0).reshape(2, 3)).value == 8.0
    with pytest.raises(Leak):
        co.grad(lambda x: x.item() * x)(np.array(3.0))


# --- what the function closes over --------------------------------------------------------------


def _negate(w):
    w *= -1.0


def _swap(w):
    w[[0, 2]] = w[[2, 0]]


def _reverse(w):
    w[:] = w[::-1].copy()


def _refill(w):
    w[:] = 5.0


@pytest.mark.parametrize("size", [4, 10_000])
@pytest.mark.parametrize("change", [_negate, _swap, _reverse, _refill])
@pytest.mark.parametrize("uniform", [True, False])
def test_a_closed_over_array_that_changes(change: Any, size: int, uniform: bool):
    """The gradient is that of the values which were used, or an error: never a wrong one."""
    work = np.ones(size) if uniform else np.arange(1.0, size + 1.0)
    before = work.copy()

    def f(x):
        y = np.sum(x * work)
        change(work)
        return y

    _right_or_refused(f, np.ones(size), before, work)


def _right_or_refused(f: Any, x: Any, expected: Any, work: Any) -> None:
    try:
        found = co.grad(f)(x)
    except WriteError:
        assert work.size > 1000, "small arrays are copied"
        return
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [4, 10_000])
def test_a_closed_over_array_that_changes_between_two_uses(size: int):
    work = np.arange(float(size))
    expected = 2.0 * work
    expected[3] += 100.0 - 3.0

    def f(x):
        y = np.sum(x * work)
        work[3] = 100.0
        return y + np.sum(x * work)

    _right_or_refused(f, np.ones(size), expected, work)


def test_a_read_only_view_of_an_array_that_changes():
    work = np.zeros(3)
    view = np.broadcast_to(work, (3,))

    def f(x):
        total = 0.0
        for k in range(3):
            work[:] = 0.0
            work[k] = k + 1.0
            total = total + np.sum(x * view)
        return total

    np.testing.assert_array_equal(co.grad(f)(np.ones(3)), [1.0, 2.0, 3.0])


def test_a_zero_dimensional_array_that_changes():
    work = np.array(2.0)

    def f(x):
        y = x * work
        work[...] = 9.0
        return y

    assert co.grad(f)(1.0) == 2.0


def test_data_that_changes_after_it_was_used():
    def f(x, data):
        y = np.sum(x * data)
        data[:] = 7.0
        return y

    np.testing.assert_array_equal(co.grad(f)(np.ones(3), np.arange(3.0)), [0.0, 1.0, 2.0])


@pytest.mark.parametrize("way", ["pull", "move", "trace"])
def test_an_argument_that_changes_before_the_gradient_is_asked_for(way: str):
    """`w -= rate * …` between the forward and the backward pass is how people train."""
    w = np.array([1.0, 2.0])
    f = lambda w: np.sum(w * w)
    if way == "pull":
        _, pull = co.vjp(f, w)
        w[:] = 9.0
        np.testing.assert_array_equal(pull(1.0)[0], [2.0, 4.0])
    elif way == "move":
        _, move = co.linearize(f, w)
        w[:] = 9.0
        assert move(np.ones(2)) == 6.0
    else:
        t = co.trace(f)(w)
        w[:] = 9.0
        np.testing.assert_array_equal(t["w"].value, [1.0, 2.0])
        np.testing.assert_array_equal(t.grads[0], [2.0, 4.0])


@pytest.mark.parametrize(
    "make",
    [lambda: np.ma.array([1.0, 2.0], mask=[0, 1]), lambda: np.matrix([[1.0, 2.0]])],
    ids=["masked", "matrix"],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_arrays_with_an_arithmetic_of_their_own_are_refused(make: Callable[[], Any]):
    """A mask that is forgotten, or a * that means @, would be a wrong gradient."""
    other = make()
    with pytest.raises(CorrenteError):
        co.grad(lambda x: np.sum(x * other))(np.ones(2))
    with pytest.raises(CorrenteError):
        co.grad(lambda x: np.sum(x * x))(other)


# --- warnings -----------------------------------------------------------------------------------


def _half(x, y):
    return x * 1.0


def _deep(f: Callable[..., Any]) -> Any:
    return (lambda: f(2.0, 3.0))()  # the user's line


@pytest.mark.parametrize(
    "ask",
    [
        lambda: co.grad(_half, (0, 1))(2.0, 3.0),  # the user's line
        lambda: co.value_and_grad(_half, (0, 1))(2.0, 3.0)[1],  # the user's line
        lambda: _deep(co.grad(_half, (0, 1))),
        lambda: next(map(co.grad(_half, (0, 1)), [2.0], [3.0])),  # the user's line
    ],
    ids=["grad", "value_and_grad", "deep", "map"],
)
def test_an_unreached_argument_is_warned_of_on_the_users_line(ask: Callable[..., Any]):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert ask() == (1.0, 0.0)
    (warning,) = caught
    assert warning.category is UnreachedWarning
    assert "the output of _half does not depend on y: its gradient is zero." in str(warning.message)
    assert warning.filename == __file__
    assert linecache.getline(__file__, warning.lineno).endswith("# the user's line\n")


@pytest.mark.parametrize(
    ("f", "gate"),
    [
        (lambda x: np.floor(x) * 2.0, "floor"),
        (lambda x: (x > 0.0) * 1.0, "greater"),
        (lambda x: co.stop_gradient(x * 2.0), "stop_gradient"),
    ],
)
def test_the_warning_says_where_the_path_was_cut(f: Callable[..., Any], gate: str):
    with pytest.warns(UnreachedWarning, match=rf"cut at {gate}, .*test_recording\.py, line"):
        assert co.grad(f)(2.5) == 0.0
