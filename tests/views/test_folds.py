"""Boxes that open: calls, loops and their turns, and long stretches cut in pieces."""

from __future__ import annotations

import numpy as np
import pytest
from runs import chain

import corrente as co
from corrente.views.folds import MOST, Nest, nest


def cell(h, x):
    return np.tanh(h * 0.9 + x)


def layers(x):
    for _ in range(3):
        x = cell(x, 0.1)
        x = x * 1.5
    return x + 1.0


def nested(x):
    total = 0.0
    for i in range(4):
        for j in range(3):
            total = total + x * (i - j)
        total = total * 2.0
    return total


def once(x):
    for _ in range(1):
        x = x * 2.0
        x = x + 1.0
    return x * x


def told(found: Nest) -> list[tuple[int, str, str, int]]:
    return [(fold.parent, fold.kind, fold.name, len(fold.steps)) for fold in found.folds]


def holds_together(found: Nest) -> None:
    """Every fold is inside its parent, behind the one before, and of a size one can look at."""
    inside: dict[int, list[range]] = {}
    for k, fold in enumerate(found.folds):
        if k:
            parent = found.folds[fold.parent]
            assert fold.parent < k
            assert parent.steps.start <= fold.steps.start < fold.steps.stop <= parent.steps.stop
            inside.setdefault(fold.parent, []).append(fold.steps)
    for k, home in enumerate(found.homes):
        assert k in found.folds[home].steps
        inside.setdefault(home, []).append(range(k, k + 1))
    for k in range(len(found.folds)):
        parts = sorted(inside[k], key=lambda steps: steps.start)
        assert [step for part in parts for step in part] == list(found.folds[k].steps)
        assert len(parts) <= MOST
        assert k == 0 or len(parts) >= 2


def test_a_loop_has_turns_and_these_have_calls():
    found = nest(co.trace(layers)(0.5).circuit)
    assert told(found) == [
        (-1, "whole", "", 13),
        (0, "loop", "for _ in range(3)", 12),
        (1, "turn", "", 4),
        (2, "function", "cell", 3),
        (1, "turn", "", 4),
        (4, "function", "cell", 3),
        (1, "turn", "", 4),
        (6, "function", "cell", 3),
    ]
    assert found.folds[1].number == 3
    assert [fold.number for fold in found.folds if fold.kind == "turn"] == [0, 1, 2]
    holds_together(found)


def test_a_loop_in_a_loop_begins_anew_each_turn():
    found = nest(co.trace(nested)(2.0).circuit)
    loops = [fold for fold in found.folds if fold.kind == "loop"]
    outer, *inner = loops
    assert (outer.name, outer.number, outer.steps) == ("for i in range(4)", 4, found.folds[0].steps)
    assert [(fold.name, fold.number) for fold in inner] == [("for j in range(3)", 3)] * 4
    assert {found.folds[fold.parent].kind for fold in inner} == {"turn"}
    holds_together(found)


def nothing_between(x, w):
    for _ in range(5):
        for _ in range(4):
            x = np.tanh(x * w)
    return x


def three_deep(x):
    for _ in (1, 2, 3):
        for _ in range(6, 0, -3):
            for _ in range(4):
                x = x * 1.01
    return x


def in_a_call(x, w):
    for _ in range(5):
        x = turns_four_times(x, w)
    return x


def turns_four_times(x, w):
    for _ in range(4):
        x = np.tanh(x * w)
    return x


def over_rows(X):
    total = 0.0
    for row in X:
        for v in row:
            total = total + v * 0.5
    return total


@pytest.mark.parametrize(
    ("f", "args", "counts"),
    [
        (nothing_between, (0.3, 0.7), [[5], [4] * 5]),
        (three_deep, (0.3,), [[3], [2] * 3, [4] * 6]),
        (in_a_call, (0.3, 0.7), [[5], [4] * 5]),
        (over_rows, (np.ones((3, 4)),), [[3], [4] * 3]),
    ],
)
def test_loops_in_one_another_are_told_apart(f, args, counts):
    """Where the outer loop does nothing of its own, or goes over an array, or calls the inner."""
    found = nest(co.trace(f)(*args).circuit)
    levels: dict[int, list[int]] = {}
    for fold in found.folds:
        if fold.kind == "loop":
            above, level = fold.parent, 0
            while above > 0:
                level += found.folds[above].kind == "loop"
                above = found.folds[above].parent
            levels.setdefault(level, []).append(fold.number)
    assert [levels[level] for level in sorted(levels)] == counts
    holds_together(found)


def left_early(x):
    for _ in range(5):
        for k in range(4):
            if k == 2:
                break
            x = x * 1.01
    return x


def longer_each_time(x):
    for i in range(4):
        for _ in range(i + 1):
            x = x * 1.01
    return x


@pytest.mark.parametrize(("f", "count"), [(left_early, 10), (longer_each_time, 10)])
def test_where_nobody_can_tell_loops_apart_the_inner_one_has_all_turns(f, count):
    found = nest(co.trace(f)(0.3).circuit)
    (loop,) = (fold for fold in found.folds if fold.kind == "loop")
    assert loop.number == count
    holds_together(found)


def test_what_a_loop_goes_over_is_made_before_it():
    def f(x):
        for v in np.sqrt(x) * 2.0:
            x = x + v * v
        return np.sum(x)

    t = co.trace(f)(np.arange(1.0, 4.0))
    found = nest(t.circuit)
    names = [step.gate.name for step in t.circuit.steps]
    (loop,) = (fold for fold in found.folds if fold.kind == "loop")
    assert loop.number == 3
    assert names[: loop.steps.start] == ["sqrt", "multiply"]
    assert names[loop.steps.start] == "getitem"
    holds_together(found)


def test_a_loop_of_one_turn_is_no_box():
    found = nest(co.trace(once)(2.0).circuit)
    assert [fold.kind for fold in found.folds] == ["whole"]


def test_functions_of_numpy_made_of_several_gates_are_boxes():
    t = co.trace(lambda x: np.sum(np.concatenate(np.split(x, 2)) * x))(np.arange(4.0))
    found = nest(t.circuit)
    assert ("composed", "split") in {(fold.kind, fold.name) for fold in found.folds}
    holds_together(found)


def test_a_long_stretch_is_cut_in_pieces():
    for length in (MOST, MOST + 1, 1000, 5000):
        found = nest(chain(length).circuit)
        assert {fold.kind for fold in found.folds} <= {"whole", "piece"}
        assert (len(found.folds) > 1) == (len(found.homes) > MOST)
        holds_together(found)


def test_turns_of_one_gate_are_counted_and_not_boxed():
    def f(x):
        y = x
        for _ in range(100):
            y = y * 1.01
        return y + x

    found = nest(co.trace(f)(0.5).circuit)
    (loop,) = (fold for fold in found.folds if fold.kind == "loop")
    assert loop.number == 100
    assert "turn" not in {fold.kind for fold in found.folds}
    holds_together(found)


def test_many_turns_are_cut_in_pieces_too():
    def f(x):
        for _ in range(200):
            x = cell(x, 0.1)
        return x

    found = nest(co.trace(f)(0.5).circuit)
    turns = [fold for fold in found.folds if fold.kind == "turn"]
    assert [(fold.number, fold.name) for fold in turns] == [(k, "cell") for k in range(200)]
    assert any(fold.kind == "piece" for fold in found.folds)
    holds_together(found)
