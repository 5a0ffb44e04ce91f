"""Boxes that open: calls, loops and their turns, and long stretches cut in pieces."""

from __future__ import annotations

import numpy as np
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
    assert [(fold.name, fold.number) for fold in loops] == [("for j in range(3)", 3)] * 4
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
