"""Selecting: order, places, choices, sets, and functions that write into their argument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from comparing import Same, same, smooth, spaced

import corrente as co
from corrente.errors import Leak, NotSupported

PLACES = np.array([[2, 0, 2, 1], [0, 0, 1, 2]])
MASK = np.array([True, False, True, True])


def ordered() -> list[Any]:
    x = spaced(1, 3, 4)
    return [
        *(same(f"sort {axis}", lambda x, k=axis: np.sort(x, axis=k), x) for axis in (0, -1, None)),
        same("sort stable", lambda x: np.sort(x, stable=True), x),
        same("sort complex", lambda x: np.sort(x), x + 1j * spaced(2, 3, 4)),
        same("sort_complex", lambda x: np.real(np.sort_complex(x)), spaced(3, 5)),
        same("partition", lambda x: np.partition(x, 2, axis=0), spaced(4, 4, 3)),
        same("partition many", lambda x: np.partition(x, (1, -2)), spaced(5, 2, 6)),
        same("partition flat", lambda x: np.partition(x, 3, axis=None), x),
        same("argpartition", lambda x: x[np.argpartition(x, 2)], spaced(6, 6)),
        same("lexsort", lambda x, y: x[np.lexsort((x, np.round(y)))], spaced(7, 6), spaced(8, 6)),
    ]


def placed() -> list[Any]:
    x = smooth(10, 3, 4)
    return [
        same("take flat", lambda x: np.take(x, PLACES), x),
        same("take axis", lambda x: np.take(x, PLACES[0], axis=0), x),
        same("take -1", lambda x: np.take(x, [0, -1], axis=-1), x),
        same("take one", lambda x: np.take(x, 1, axis=1), x),
        same("take wrap", lambda x: np.take(x, [5, -7, 2], mode="wrap"), smooth(11, 3)),
        same("take clip", lambda x: np.take(x, [5, -7, 1], mode="clip"), smooth(11, 3)),
        same("x.take", lambda x: x.take([1, 1, 0], axis=1), x),
        same("along 0", lambda x: np.take_along_axis(x, PLACES, 0), x),
        same("along 1", lambda x: np.take_along_axis(x, np.array([[3], [0], [1]]), 1), x),
        same("along None", lambda x: np.take_along_axis(x, np.array([5, 0]), None), x),
        same("along traced", lambda x: np.take_along_axis(x, np.argsort(x, 0), 0), x),
        same("a plain array at traced places", plain_at_traced, spaced(12, 4)),
        same("compress", lambda x: np.compress(MASK, x, axis=1), x),
        same("compress short", lambda x: np.compress([False, True], x, axis=0), x),
        same("compress flat", lambda x: np.compress(MASK, x), x),
        same("compress traced", lambda x: np.compress(x > 1, x * x), smooth(13, 6)),
        same("extract", lambda x: np.extract(x > 1, x), x),
    ]


def plain_at_traced(x: Any) -> Any:
    return x * np.take(np.array([1.0, 2.0, 3.0, 4.0]), np.argsort(x))


def chosen() -> list[Any]:
    x, y = spaced(20, 3), spaced(21, 2, 3)
    return [
        same("choose", lambda x, y: np.choose([1, 0, 2], [x, y, 0.5]), x, y),
        same("choose wrap", lambda x: np.choose([4, -1], [x, x * x], mode="wrap"), spaced(22, 2)),
        same("choose clip", lambda x: np.choose([4, -1], [x, x * x], mode="clip"), spaced(22, 2)),
        same("choose array", lambda y: np.choose([1, 0, 1], y), y),
        same("choose traced", lambda x: np.choose(np.argsort(x), [x, x**2, x**3]), x),
        same("select", lambda x: np.select([x > 0.5, x > -0.5], [x**2, 2 * x]), spaced(23, 6)),
        same("select default", lambda x: np.select([x > 0.2], [x * x], default=x), spaced(23, 6)),
        same("piecewise", piecewise, spaced(24, 7)),
        same("piecewise number", lambda x: np.piecewise(x, [x < 0], [-1.0, np.exp]), spaced(25, 6)),
        same("piecewise alone", lambda x: np.piecewise(x, x < 0, [np.sin, np.exp]), x),
        same("piecewise 0-d", lambda x: np.piecewise(x, [x < 0, x >= 0], [np.sin, np.exp]), x[0]),
        same(
            "piecewise extra", lambda x: np.piecewise(x, [x < 0], [1.0, scaled], 3.0), spaced(25, 6)
        ),
    ]


def scaled(x: Any, factor: float) -> Any:
    return x * factor


def piecewise(x: Any) -> Any:
    return np.piecewise(x, [x < 0, x > 0.5], [lambda x: x * x, np.exp, np.sin])


def joined() -> list[Any]:
    x = smooth(30, 3, 4)
    row = smooth(31, 5)
    return [
        same("delete", lambda x: np.delete(x, [0, 2], axis=1), x),
        same("delete slice", lambda x: np.delete(x, slice(1, 3)), row),
        same("delete one", lambda x: np.delete(x, -1, axis=0), x),
        same("delete mask", lambda x: np.delete(x, MASK, axis=1), x),
        same("delete flat", lambda x: np.delete(x, 5), x),
        same("insert", lambda x, y: np.insert(x, 2, y), row, smooth(32)),
        same("insert several", lambda x, y: np.insert(x, [1, 4, 1], y), row, smooth(33, 3)),
        same("insert row", lambda x, y: np.insert(x, 1, y, axis=0), x, smooth(34, 4)),
        same("insert column", lambda x, y: np.insert(x, 1, y, axis=1), x, smooth(34, 3)),
        same("insert [k]", lambda x, y: np.insert(x, [1], y, axis=1), x, smooth(35, 3, 2)),
        same("insert many", lambda x, y: np.insert(x, -1, y), row, smooth(36, 3)),
        same("insert slice", lambda x, y: np.insert(x, slice(0, 4, 2), y), row, smooth(36, 2)),
        same("insert a number", lambda x: np.insert(x, [0, 2], 7.0, axis=1), x),
        same("insert flat", lambda x, y: np.insert(x, [3, 3], y), x, smooth(37, 2)),
        same("resize", lambda x: np.resize(x, (2, 7)), row),
        same("resize smaller", lambda x: np.resize(x, 7), x),
        same("trim", lambda x: np.trim_zeros(np.pad(x, (2, 1))), row),
        same("trim f", lambda x: np.trim_zeros(np.pad(x, (2, 1)), "f"), row),
    ]


def sets() -> list[Any]:
    x, y = spaced(50, 6), spaced(51, 4) + 9.0
    return [
        same("unique", np.unique, x),
        same("unique all", lambda x: np.unique(x, True, True, True)[0], x.reshape(2, 3)),
        same("unique_values", lambda x: np.sort(np.unique_values(x)), x),
        same("unique_counts", lambda x: np.unique_counts(x).values, x),
        same("unique_inverse", lambda x: np.unique_inverse(x).values, x),
        same("unique_all", lambda x: np.unique_all(x).values, x),
        same("union1d", np.union1d, x, y),
        same("intersect1d", lambda x: np.intersect1d(x, x[::2]), x),
        same("setdiff1d", lambda x: np.setdiff1d(x, x[::2]), x),
        same("setxor1d", lambda x, y: np.setxor1d(x, np.append(x[:2], y)), x, y),
    ]


def writes() -> list[Any]:
    x, y = smooth(40, 3, 4), smooth(41, 4)
    square, tall, cube = smooth(42, 3, 3), smooth(44, 7, 2), smooth(45, 2, 2, 2)

    def writing(function: Any) -> Any:
        def copied(x: Any, *rest: Any) -> Any:
            x = x * 1.0
            function(x, *rest)
            return x * x

        return copied

    return [
        same("x.sort", writing(lambda x: x.sort()), x),
        same("x.sort 0", writing(lambda x: x.sort(axis=0)), x),
        same("a slice sorted", writing(lambda x: x[1].sort()), x),
        same("x.partition", writing(lambda x: x.partition(2)), x),
        same("x.put", writing(lambda x, y: x.put([0, -1, 5, 6], y)), x, y),
        same("x.compress", lambda x: x.compress(MASK, axis=1), x),
        same("x.choose", lambda x: np.array([0, 1, 1]).choose([1.0, 2.0]) * x, smooth(43, 3)),
        same("put", writing(lambda x, y: np.put(x, [1, 2, 9], y)), x, y),
        same("put wrap", writing(lambda x, y: np.put(x, [13, -14], y, mode="wrap")), x, y),
        same("put clip", writing(lambda x, y: np.put(x, [99], y, mode="clip")), x, y),
        same("put repeated", writing(lambda x, y: np.put(x, range(9), y)), x, y),
        same("copyto", writing(lambda x, y: np.copyto(x, y)), x, y),
        same("copyto where", writing(lambda x, y: np.copyto(x, y, where=MASK)), x, y),
        same("place", writing(lambda x, y: np.place(x, x > 1, y[:3])), x, y),
        same("putmask", writing(lambda x, y: np.putmask(x, x > 1, y)), x, y),
        same("put_along_axis", writing(lambda x, y: np.put_along_axis(x, PLACES, y, 0)), x, y),
        same("fill_diagonal", writing(lambda x, y: np.fill_diagonal(x, y[:3])), square, y),
        same("fill_diagonal number", writing(lambda x, y: np.fill_diagonal(x, y[0])), x, y),
        same("fill_diagonal wrap", writing(lambda x: np.fill_diagonal(x, 2.0, True)), tall),
        same("fill_diagonal cube", writing(lambda x: np.fill_diagonal(x, 2.0)), cube),
    ]  # fmt: skip


CASES = [*ordered(), *placed(), *chosen(), *joined(), *sets(), *writes()]


@pytest.mark.parametrize("case", CASES)
def test_it_gives_what_numpy_gives(case: Same):
    case.check_value()
    case.check_single()


@pytest.mark.parametrize("case", CASES)
def test_its_gradients_are_the_slopes(case: Same):
    case.check_slopes()


def test_equal_elements_keep_their_order():
    weights = np.array([1.0, 2.0, 3.0, 4.0])
    x = np.array([5.0, 1.0, 5.0, 1.0])
    expected = np.array([3.0, 1.0, 4.0, 2.0])
    for order in (np.sort, lambda x: np.partition(x, 1)):
        gradient = co.grad(lambda x, order=order: np.sum(order(x) * weights))(x)
        np.testing.assert_array_equal(gradient, expected)


def test_a_partition_that_is_not_in_order_is_followed():
    x, weights = spaced(9, 3000), smooth(9, 3000)
    out = np.partition(x, 1500)
    assert (out != np.sort(x)).any()
    gradient = co.grad(lambda x: np.sum(np.partition(x, 1500) * weights))(x)
    np.testing.assert_array_equal(gradient, weights[np.argmax(x[:, None] == out, axis=1)])


def test_sorting_carries_the_gradient_past_a_nan():
    x = np.array([2.0, np.nan, 1.0])
    gradient = co.grad(lambda x: np.sum(np.sort(x)[:2] ** 2))(x)
    np.testing.assert_array_equal(gradient, [4.0, 0.0, 2.0])


def test_repeated_elements_stand_for_the_first_of_them():
    x = np.array([0.5, -1.0, 0.5, np.nan, 2.0, -1.0, np.nan])
    weights = np.array([1.0, 10.0, 100.0, 1000.0])
    assert np.array_equal(co.trace(np.unique)(x).value, np.unique(x), equal_nan=True)
    gradient = co.grad(lambda x: np.sum(np.unique(x) * weights))(x)
    np.testing.assert_array_equal(gradient, [10.0, 1.0, 0.0, 1000.0, 100.0, 0.0, 0.0])


QUESTIONS = [
    (np.digitize, (np.array([0.2, 6.4, 1.0]), np.array([0.0, 1.0, 2.5]))),
    (lambda x, b: np.digitize(x, b, right=True), (np.array([0.2, 1.0]), np.array([0.0, 1.0]))),
    (np.digitize, (np.array([0.2, 6.4]), np.array([4.0, 1.0, 0.0]))),
    (np.isin, (np.array([0.5, 2.0]), np.array([2.0]))),
    (np.isclose, (np.array([1.0, np.inf, np.nan]), np.array([1.0 + 1e-9, np.inf, np.nan]))),
    (np.isclose, (np.array([np.inf, 1.0, 2.0]), np.array([1.0, np.inf, 1.0]))),
    (np.isposinf, (np.array([np.inf, 1.0]),)),
    (np.isneginf, (np.array([-np.inf, 1.0]),)),
    (lambda a: np.isclose(a, a, equal_nan=True), (np.array([1.0, np.nan]),)),
    (np.allclose, (np.ones(3), np.ones(3) + 1e-9)),
    (np.array_equal, (np.ones(3), np.ones(3))),
    (np.array_equal, (np.ones(3), np.ones(4))),
    (lambda a, b: np.array_equal(a, b, equal_nan=True), (np.array([np.nan]), np.array([np.nan]))),
    (np.array_equiv, (np.ones((2, 3)), np.ones(3))),
    (np.array_equiv, (np.ones((2, 3)), np.ones(2))),
    (lambda x: np.unique(x, True, True, True)[1:], (np.array([3.0, 1.0, 2.0, 3.0]),)),
    (lambda x: np.unique_inverse(x)[1], (np.array([[3.0, 1.0], [2.0, 0.5]]),)),
    (lambda x: np.unique_counts(x).counts, (np.array([3.0, 1.0, 3.0]),)),
]  # fmt: skip


@pytest.mark.parametrize(("function", "args"), QUESTIONS)
def test_questions_are_answered_as_numpy_does(function: Any, args: Any):
    seen = []

    def asked(*xs: Any) -> Any:
        seen.append(function(*xs))
        return sum(np.sum(x) for x in xs)

    co.trace(asked)(*args)
    found = seen[0] if isinstance(seen[0], tuple) else (seen[0],)
    wanted = function(*args)
    for a, b in zip(found, wanted if isinstance(wanted, tuple) else (wanted,), strict=True):
        np.testing.assert_array_equal(np.array(a.now() if hasattr(a, "now") else a), b)


def test_nothing_is_lost_in_silence():
    x = np.ones(3)
    with pytest.raises(Leak, match="plain"):
        co.grad(lambda x: np.put(np.zeros(3), [0], x[0]))(x)
    with pytest.raises(NotSupported, match="take"):
        co.grad(lambda x: np.sum(np.take(x, [0], out=np.zeros(1))))(x)
    with pytest.raises(NotSupported, match="unique"):
        co.grad(lambda x: np.sum(np.unique(x, axis=0)))(x)
    with pytest.raises(NotSupported, match="insert"):
        co.grad(lambda x: np.sum(np.insert(x, np.argsort(x), 1.0)))(x)


def test_mistakes_are_those_of_numpy():
    x = np.ones(4)
    with pytest.raises(ValueError, match="monoton"):
        co.grad(lambda x: np.sum(np.digitize(x, [1.0, 3.0, 2.0]) * x))(x)
    with pytest.raises(ValueError, match="choice"):
        co.grad(lambda x: np.sum(np.choose([3], [x])))(x)
    with pytest.raises(ValueError, match="conditions"):
        co.grad(lambda x: np.sum(np.select([x > 0], [x, x])))(x)
    with pytest.raises(IndexError):
        co.grad(lambda x: np.put(x * 1.0, [4], x))(x)
    with pytest.raises(IndexError):
        co.grad(lambda x: np.put(np.reshape(x, (2, 2)) * 1.0, [4], x))(x)
    with pytest.raises(ValueError, match="dimensions"):
        co.grad(lambda x: np.sum(np.take_along_axis(x, np.ones((2, 2), int), 0)))(x)
