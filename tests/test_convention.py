"""At a tie the gradient follows the rule in force, and ties are counted."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import convention

X, Y = np.array([1.0, 2.0, 3.0]), np.array([1.0, 5.0, 3.0])
SHARES = {"split": (0.5, 0.5), "first": (1.0, 0.0), "both": (1.0, 1.0)}
TIED = [np.maximum, np.minimum, np.fmax, np.fmin]


@pytest.mark.parametrize("gate", TIED, ids=lambda gate: gate.__name__)
@pytest.mark.parametrize("rule", convention.RULES)
def test_two_operands_share_by_the_rule(rule: str, gate: Any):
    with co.ties(rule):
        assert co.grad(gate, argnums=(0, 1))(3.0, 3.0) == SHARES[rule]
        first, second = co.grad(lambda x, y: gate(x, y).sum(), (0, 1))(X, Y)
    np.testing.assert_array_equal(first[[0, 2]], [SHARES[rule][0]] * 2)
    np.testing.assert_array_equal(second[[0, 2]], [SHARES[rule][1]] * 2)
    assert {first[1], second[1]} == {0.0, 1.0}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [("split", [0.0, 0.5, 0.0, 0.5]), ("first", [0, 1, 0, 0]), ("both", [0, 1, 0, 1])],
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_reduction_shares_by_the_rule(rule: str, expected: list[float], sign: float):
    x = sign * np.array([1.0, 4.0, 2.0, 4.0])
    with co.ties(rule) as met:
        found = co.grad(np.max if sign > 0 else np.min)(x)
    np.testing.assert_array_equal(found, expected)
    assert met.hit == 1


def test_shared_equally_when_no_rule_is_chosen():
    assert convention.rule() == "split"
    assert co.grad(np.maximum, argnums=(0, 1))(3.0, 3.0) == (0.5, 0.5)


@pytest.mark.parametrize("argnums", [0, 1, (0, 1)])
def test_each_tied_element_is_counted_once(argnums: Any):
    with co.ties("split") as met:
        co.grad(lambda x, y: np.maximum(x, y).sum(), argnums)(X, Y)
    assert met.hit == 2


def test_ties_of_several_gates_add_up():
    with co.ties("both") as met:
        co.grad(lambda x: np.max(x) + np.max(x) + np.maximum(x, 2.0).sum())(np.array([2.0, 2.0]))
    assert met.hit == 1 + 1 + 2


def test_nothing_is_counted_without_a_tie():
    with co.ties("split") as met:
        co.grad(np.maximum)(1.0, 2.0)
    assert met.hit == 0


def test_ties_met_by_trace_are_counted():
    with co.ties("first") as met:
        t = co.trace(lambda x, y: np.maximum(x, y).sum())(X, Y)
    np.testing.assert_array_equal(t.grads[1], [0.0, 1.0, 0.0])
    assert met.hit == 2


def test_ties_met_by_an_inner_derivative_are_counted():
    inner = co.grad(lambda y, x: np.maximum(x * y, 3.0))
    with co.ties("both") as met:
        assert co.grad(lambda x: inner(1.0, x))(3.0) == 1.0
    assert met.hit == 1


def test_rules_nest_and_end_with_their_block():
    with co.ties("both") as outer:
        with co.ties("first") as inner:
            assert convention.rule() == "first"
            co.grad(np.maximum)(1.0, 1.0)
        assert convention.rule() == "both"
        co.grad(np.maximum)(1.0, 1.0)
    assert convention.rule() == "split"
    assert (inner.hit, outer.hit) == (1, 1)


def test_a_rule_ends_when_its_block_raises():
    with pytest.raises(ZeroDivisionError), co.ties("both"):
        1 // 0  # noqa: B018
    assert convention.rule() == "split"


def test_the_rule_is_the_one_in_force_on_the_way_back():
    _, pull = co.vjp(np.maximum, 1.0, 1.0)
    with co.ties("both"):
        assert pull(1.0) == (1.0, 1.0)
    assert pull(1.0) == (0.5, 0.5)


def test_a_rule_stays_in_its_thread():
    seen = []
    with co.ties("both"):
        thread = threading.Thread(target=lambda: seen.append(convention.rule()))
        thread.start()
        thread.join()
    assert seen == ["split"]


@pytest.mark.parametrize("rule", ["last", "", None, "SPLIT"])
def test_an_unknown_rule_is_refused_and_the_known_ones_named(rule: Any):
    with pytest.raises(ValueError, match="split, first, both"), co.ties(rule):
        pass
