"""Writes, views and in-place operators behave as in NumPy, and carry gradients."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadArgument, Leak, ShapeError, WriteError
from corrente.tracer.writing import compose


def zeros(n: Any, like: Any) -> Any:
    """Make zeros that follow their example: plain for arrays, traced for traced ones."""
    return np.zeros(n, like=like)


def element_writes(x: Any) -> Any:
    y = zeros(4, x)
    y[0] = x[0]
    for k in range(1, 4):
        y[k] = y[k - 1] * x[k % 3]
    return y[3] * y[1]


def write_through_slice(x: Any) -> Any:
    y = x * 2.0
    view = y[1:]
    view[0] = x[0] * x[0]
    y[2] = 3.0 * x[2]
    return (view * y[1:]).sum()


def write_through_slice_of_slice(x: Any) -> Any:
    y = zeros((4, 3), x)
    row = y[1:][::2]
    row[0][1] = x[0] * x[1]
    row[1] = x
    return (y * y).sum()


def read_before_write(x: Any) -> Any:
    y = x * 1.0
    early = y * y
    y[0] = 5.0 * x[1]
    late = y * y
    y[1] = x[2]
    return early.sum() + (late * y).sum()


def in_place_operators(x: Any) -> Any:
    y = x * 1.0
    same = y
    y += x
    y *= x
    same -= 1.0
    return (same * y).sum()


def in_place_on_view(x: Any) -> Any:
    y = np.stack([x, x])
    part = y[:, 1:]
    part *= 3.0
    part += x[0]
    return (y * y).sum()


def advanced_writes(x: Any) -> Any:
    y = zeros(5, x)
    y[np.array([0, 2, 2])] = x
    y[np.array([True, False, False, False, True])] = x[:2] * 2.0
    return (y * y * np.arange(5.0)).sum()


def add_at(x: Any) -> Any:
    y = x * 1.0
    np.add.at(y, np.array([0, 0, 2]), x * x)
    return (y * y).sum()


def numbers_in_a_list(x: Any) -> Any:
    a, b = x[0] * 2.0, x[1] * x[2]
    return np.dot(np.array([a, b, a * b]), x)


def copies_do_not_alias(x: Any) -> Any:
    y = x * 1.0
    z = y.copy()
    z[0] = 100.0 * x[1]
    return (y * z).sum()


def conditional(x: Any) -> Any:
    total = 0.0
    for value in x:
        if value > 1.5:
            total = total + value * value
        else:
            total += value
    return total


def ravel_of_a_strided_view(x: Any) -> Any:
    y = np.concatenate([x, x * 2.0])
    copied, seen = y[::2].ravel(), y[1:3].ravel()
    y[0] = 9.0 * x[1]
    y[2] = x[0]
    return (copied * x).sum() + (seen * x[:2]).sum()


def copy_to_rows(x: Any) -> Any:
    table = np.stack([x, x * x]).T.copy()
    seen = table.ravel()
    table[0, 0] = x[2]
    return (seen * seen).sum()


def reversed_in_place(x: Any) -> Any:
    y = x * 1.0
    y[1:] = y.sum()
    y[:] = y[::-1] * y[0]
    return (y * y).sum()


def gathered_views(x: Any) -> Any:
    y = x * 1.0
    y[np.array([0, 2])] *= x[1]
    part = y[np.array([1, 1])]
    y[1] = 4.0 * x[0]
    return (part * y[:2]).sum()


PROGRAMS: list[Callable[[Any], Any]] = [
    ravel_of_a_strided_view,
    copy_to_rows,
    reversed_in_place,
    gathered_views,
    element_writes,
    write_through_slice,
    write_through_slice_of_slice,
    read_before_write,
    in_place_operators,
    in_place_on_view,
    advanced_writes,
    add_at,
    numbers_in_a_list,
    copies_do_not_alias,
    conditional,
]
POINT = np.array([1.25, -0.5, 2.0])


def slope(f: Callable[[Any], Any], x: np.ndarray, h: float = 1e-6) -> np.ndarray:
    return np.array([(f(x + h * e) - f(x - h * e)) / (2 * h) for e in np.eye(x.size)])


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
class TestPrograms:
    def test_value_is_numpys(self, f: Callable[[Any], Any]):
        value, _ = co.value_and_grad(f)(POINT)
        np.testing.assert_array_equal(value, f(POINT))

    def test_gradient(self, f: Callable[[Any], Any]):
        np.testing.assert_allclose(co.grad(f)(POINT), slope(f, POINT), rtol=1e-6, atol=1e-7)

    def test_second_order(self, f: Callable[[Any], Any]):
        first = lambda x: co.grad(f)(x)[0]
        with_warnings_off = slope(first, POINT)
        found = co.hvp(f, (POINT,), (np.array([1.0, 0.0, 0.0]),))
        np.testing.assert_allclose(found, with_warnings_off, rtol=1e-5, atol=1e-5)

    def test_traced_gradient_is_the_same(self, f: Callable[[Any], Any]):
        t = co.trace(f)(POINT)
        np.testing.assert_allclose(t.grads[0], co.grad(f)(POINT), rtol=1e-14)
        t.circuit.verify()

    def test_a_batch_gives_what_its_examples_give(self, f: Callable[[Any], Any]):
        batch = np.stack([POINT, POINT * 0.9, -POINT])
        one_by_one = [co.grad(f)(x) for x in batch]
        np.testing.assert_allclose(co.vmap(co.grad(f))(batch), one_by_one, rtol=1e-12)

    def test_the_argument_is_left_alone(self, f: Callable[[Any], Any]):
        x = POINT.copy()
        co.grad(f)(x)
        np.testing.assert_array_equal(x, POINT)


def test_copies_of_a_traced_value_stay_on_its_tape():
    assert co.grad(lambda x: copy.deepcopy(x) * copy.copy(x))(2.0) == 4.0
    with pytest.raises(Leak, match="pickled"):
        co.grad(lambda x: pickle.dumps(x) and x)(2.0)


def test_every_version_keeps_its_value():
    def f(x):
        y = np.zeros(3, like=x)
        y[0] = x
        y[1] = x * 2.0
        y[0] = x * 3.0
        return y.sum()

    t = co.trace(f)(1.0)
    versions = [t.run.values[s.outs[0]] for s in t.circuit.steps if s.gate.name == "setitem"]
    np.testing.assert_array_equal(versions, [[1, 0, 0], [1, 2, 0], [3, 2, 0]])
    gradients = [t.run.gradients[s.outs[0]] for s in t.circuit.steps if s.gate.name == "setitem"]
    np.testing.assert_array_equal(gradients, [[0, 0, 1], [0, 1, 1], [1, 1, 1]])


def write_into_argument(x: Any) -> Any:
    x[0] = 1.0
    return x.sum()


def in_place_on_argument(x: Any) -> Any:
    x += 1.0
    return x.sum()


def write_through_view_of_argument(x: Any) -> Any:
    part = x[1:]
    part[0] = 2.0
    return x.sum()


def write_through_reshape(x: Any) -> Any:
    y = x * 2.0
    y.reshape(3, 1)[0, 0] = 1.0
    return y.sum()


def write_through_ravel(x: Any) -> Any:
    y = x * 2.0
    np.ravel(y)[0] = 1.0
    return y.sum()


@pytest.mark.parametrize(
    "f",
    [
        write_into_argument,
        in_place_on_argument,
        write_through_view_of_argument,
        write_through_reshape,
        write_through_ravel,
    ],
)
def test_writes_that_cannot_be_followed_are_refused(f: Callable[[Any], Any]):
    x = POINT.copy()
    with pytest.raises(WriteError, match=r"where: .*test_writing.py, line \d+"):
        co.grad(f)(x)
    np.testing.assert_array_equal(x, POINT)


def test_a_plain_buffer_refuses_traced_values():
    def f(x):
        buffer = np.zeros(3)
        buffer[0] = x[0]
        return buffer.sum()

    with pytest.raises(Leak, match="like=x"):
        co.grad(f)(POINT)


def test_a_plain_array_refuses_in_place_results():
    def f(x):
        total = np.zeros(3)
        total += x
        return total.sum()

    with pytest.raises(Leak, match="plain array"):
        co.grad(f)(POINT)


def test_whole_number_buffers_refuse_floats():
    def f(x):
        y = np.zeros(3, int, like=x)
        y[0] = x[0]
        return y.sum() * x[0]

    with pytest.raises(BadArgument, match="int64"):
        co.grad(f)(POINT)


def test_in_place_shapes_must_fit():
    def f(x):
        y = x * 1.0
        y += np.ones((2, 3))
        return y.sum()

    with pytest.raises(ShapeError, match=r"\(3,\).*\(2, 3\)"):
        co.grad(f)(POINT)


def test_in_place_keeps_float32():
    def f(x):
        y = x * 1.0
        y += np.ones(3)
        return y.sum()

    assert co.grad(f)(POINT.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        ((slice(1, 9, 2),), (1,)),
        ((slice(None, None, -1),), (slice(1, 5, 2),)),
        ((2,), (slice(3),)),
        ((Ellipsis, 1), (slice(None, None, -2),)),
        ((slice(5, 2),), (slice(None),)),
        ((slice(8, None, -3), 0), (Ellipsis,)),
        ((slice(1, -1),), (-1, -2)),
    ],
)
def test_compose_reads_the_same_elements(outer: Any, inner: Any):
    x = np.arange(90).reshape(10, 9)
    whole = compose(x.shape, outer, inner)
    assert whole is not None
    np.testing.assert_array_equal(x[whole], x[outer][inner])


def test_compose_leaves_new_axes_alone():
    assert compose((3,), (None,), (0,)) is None
