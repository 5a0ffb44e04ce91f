"""The tape: versions of written buffers, held arrays, stacks, and linear time."""

from __future__ import annotations

import numpy as np
import pytest

import corrente as co
from corrente import backprop, derivatives, recording, tape
from corrente.gates import indexing
from corrente.tape import Log, Tape, wire_of
from corrente.tracer import box, writing


def test_the_log_moves_to_any_version():
    buffer = np.zeros(3)
    log = Log(buffer)
    for k in range(3):
        replaced = buffer[k : k + 1].copy()
        buffer[k] = k + 1.0
        log.add(slice(k, k + 1), replaced)
    for version, expected in [(1, [1, 0, 0]), (3, [1, 2, 3]), (0, [0, 0, 0]), (2, [1, 2, 0])]:
        log.move(version)
        np.testing.assert_array_equal(buffer, expected)


def test_the_same_array_keeps_its_wire_until_it_changes():
    used, array = Tape(), np.ones(3)
    first = used.hold(array)
    assert used.hold(array) == first
    array[0] = 5.0
    assert used.hold(array) != first
    np.testing.assert_array_equal(used.values[first], np.ones(3))


def test_large_arrays_are_held_by_reference():
    used, array = Tape(), np.ones(10_000)
    assert used.values[used.hold(array)] is array


def test_wires_describe_values():
    assert wire_of(3, 2.0)._asdict() == {
        "shape": (), "dtype": np.dtype(float), "id": 3, "weak": True,
    }  # fmt: skip
    assert not wire_of(0, np.float64(2.0)).weak
    assert wire_of(0, np.ones((2, 3), np.float32))[:2] == ((2, 3), np.dtype(np.float32))


def test_steps_know_their_line_and_callers():
    def inner(x):
        return x * 2.0

    def outer(x):
        y = inner(x)
        return inner(y)

    t = co.trace(outer)(1.0)
    assert [len(step.stack) for step in t.circuit.steps] == [1, 1]
    assert t.circuit.steps[0].stack[0] != t.circuit.steps[1].stack[0]
    assert all(step.where[0] is inner.__code__ for step in t.circuit.steps)


def test_composed_functions_are_marked():
    t = co.trace(lambda x: np.ptp(x) * 2.0)(np.array([1.0, 3.0]))
    marks = [
        [frame.name for frame in step.stack if hasattr(frame, "name")] for step in t.circuit.steps
    ]
    assert marks[:-1] == [["np.ptp"]] * (len(marks) - 1)
    assert marks[-1] == []


@pytest.mark.parametrize(
    "program",
    [
        lambda x, n: sum(x[k] * x[k] for k in range(n)),
        lambda x, n: _filled(x, n).sum(),
        lambda x, n: _chained(x, n),
    ],
    ids=["reads", "writes", "chain"],
)
def test_loops_over_elements_make_no_copy_per_element(program, monkeypatch):
    made = 0

    class Counting:
        """NumPy, counting the elements of the arrays that it makes for the house."""

        def __getattr__(self, name):
            found = getattr(np, name)
            if name not in ("copy", "zeros", "array", "zeros_like", "broadcast_to"):
                return found

            def counted(*args, **kwargs):
                nonlocal made
                result = found(*args, **kwargs)
                made += np.size(result)
                return result

            return counted

    for room in (backprop, box, indexing, recording, tape, writing, derivatives):
        monkeypatch.setattr(room, "np", Counting())

    def elements(n: int) -> int:
        nonlocal made
        made = 0
        co.grad(lambda x: program(x, n))(np.linspace(0.0, 1.0, n))
        return made

    assert elements(400) <= 10 * 400
    assert elements(400) > 400
    assert elements(800) <= 2.5 * elements(400)


def _filled(x, n):
    y = np.zeros(n, like=x)
    for k in range(n):
        y[k] = x[k] * 2.0
    return y


def _chained(x, n):
    y = np.zeros(n, like=x)
    y[0] = x[0]
    for k in range(1, n):
        y[k] = y[k - 1] * 0.5 + x[k]
    return y[n - 1]
