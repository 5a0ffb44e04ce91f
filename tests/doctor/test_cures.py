"""What the doctor predicts, happens: the advice is followed by hand and measured again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_wine

import corrente as co
from corrente import nn
from corrente.doctor import Finding, diagnose
from corrente.doctor.again import Change, Model
from corrente.doctor.exam import Exam
from corrente.doctor.traps import agreement
from corrente.doctor.trials import bend, best_descent, compare, descend, gained


def linear(p, X, y):
    W, b = p
    return nn.cross_entropy(X @ W + b, y)


def start(X, y):
    return np.zeros((X.shape[1], y.max() + 1)), np.zeros(y.max() + 1)


def only(diagnosis) -> Finding:
    (finding,) = diagnosis.findings
    return finding


def effect(finding: Finding, word: str):
    return next(each for each in finding.effects if word in each.what.en)


def by_hand(X, y, rate, steps):
    """Go downhill by hand; return the least loss."""
    both, p = co.value_and_grad(linear), start(X, y)
    losses = []
    for _ in range(steps + 1):
        value, (dW, db) = both(p, X, y)
        losses.append(value)
        p = p[0] - rate * dW, p[1] - rate * db
    return min(losses)


@pytest.mark.parametrize(
    ("load", "guilty"),
    [(load_wine, ["proline"]), (load_breast_cancer, ["worst area", "mean area"])],
)
def test_raw_columns_are_named_and_the_gain_happens(load, guilty):
    data = load()
    X, y = data.data, data.target
    finding = only(diagnose(linear, start(X, y), X, y, columns=data.feature_names))
    assert finding.code == "preprocessing"
    assert [name for name in data.feature_names if f"{name} (" in finding.says.en] == [
        name for name in data.feature_names if name in guilty
    ]
    told, allowed = effect(finding, "loss after 50"), effect(finding, "stable")
    assert told.before > 3 * told.after
    assert allowed.after > 1000 * allowed.before
    assert effect(finding, "condition number of").before > 1e6
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    rates = [part * allowed.after for part in (0.1, 0.3, 0.9, 2.0)]
    reached = min(by_hand(standard, y, rate, 50) for rate in rates)
    assert math.isclose(reached, told.after, rel_tol=1e-6)
    assert diagnose(linear, start(X, y), standard, y).ok


def test_columns_far_from_nought_are_named_by_their_distance():
    rng = np.random.default_rng(0)
    X = rng.normal([8.0, 9.0, 2.0], 1.0, size=(60, 3))
    y = (X[:, 0] + X[:, 1] > 17).astype(int)
    finding = only(diagnose(linear, start(X, y), X, y, columns=("near", "far", "here")))
    assert finding.code == "preprocessing"
    assert "far (" in finding.says.en
    assert "near (" in finding.says.en
    assert "here (" not in finding.says.en
    assert math.isclose(finding.number, np.max(X.mean(axis=0) / X.std(axis=0)))
    assert diagnose(linear, start(X, y), X - X.mean(axis=0), y).ok


def test_digits_are_left_as_they_are():
    X, y = load_digits(return_X_y=True)
    assert diagnose(linear, start(X, y), X[:500], y[:500]).ok
    assert diagnose(linear, start(X, y), X[:500] / 16.0, y[:500]).ok


def test_columns_without_names_are_numbered():
    X, y = load_wine(return_X_y=True)
    assert "X[:, 12]" in only(diagnose(linear, start(X, y), X, y)).says.en


def test_data_that_are_closed_over_are_seen():
    X, y = load_wine(return_X_y=True)
    found = only(diagnose(lambda p: linear(p, X, y), start(X, y)))
    assert found.code == "preprocessing"


def test_the_safe_rewrite_is_right_where_it_is_printed():
    def trap(x):
        return np.sum(np.where(x > 0, np.sqrt(x), 0.0))

    x = np.array([4.0, 0.0, 9.0])
    finding = only(diagnose(trap, x))
    assert finding.code == "where-trap"
    assert "safe = np.where(x > 0, x, 1), and write safe in place of x in np.sqrt(x)" in (
        finding.advice.en
    )
    assert "the same to the last bit" in finding.advice.en

    def mended(x):
        safe = np.where(x > 0, x, 1)
        return np.sum(np.where(x > 0, np.sqrt(safe), 0.0))

    assert mended(x) == trap(x)
    slope = co.grad(mended)(x)
    assert math.isclose(effect(finding, "gradient").after, float(np.linalg.norm(slope)))
    assert diagnose(mended, x).ok


def test_a_branch_that_differs_elsewhere_is_not_promised():
    def trap(x):
        # the condition leaves out more than what fails: the guard of the condition still agrees
        return np.sum(np.where(x > 2, np.sqrt(x), x))

    finding = only(diagnose(trap, np.array([0.0, 1.0, 4.0])))
    slope = co.grad(lambda x: np.sum(np.where(x > 2, np.sqrt(np.where(x > 2, x, 1.0)), x)))
    expected = np.linalg.norm(slope(np.array([0.0, 1.0, 4.0])))
    assert math.isclose(effect(finding, "gradient").after, float(expected))


def test_only_a_rewrite_that_agrees_is_promised():
    def loss(x):
        return np.sum(np.where(x > 0, np.sqrt(x), 0.0))

    x = np.array([4.0, 0.0, 9.0])
    with np.errstate(all="ignore"):
        exam = Exam(loss, (x,), 0, co.trace(loss, argnums=0)(x), (), 10)
        k = next(k for k, step in enumerate(exam.circuit.steps) if step.gate.name == "sqrt")
        safe = lambda value: np.where(value > 0, value, 1.0)
        halved = lambda value: 0.5 * value + 0.5 * co.stop_gradient(value)
        right = Change(swap={(k, 0): lambda value, values: safe(value)})
        moved = Change(swap={(k, 0): lambda value, values: safe(value) + 1e-9})
        cut = Change(swap={(k, 0): lambda value, values: halved(safe(value))})
        assert "to the last bit" in agreement(exam, right).en
        assert agreement(exam, moved) is None
        assert agreement(exam, cut) is None


def test_a_rewrite_is_compared_with_differences_where_every_gradient_was_nan():
    def loss(x):
        squares = (x[:, None] - x[None, :]) ** 2
        return np.sum(np.where(np.eye(3) > 0, 0.0, np.sqrt(squares)))

    x = np.array([1.0, 2.5, 7.0])
    with np.errstate(all="ignore"):
        exam = Exam(loss, (x,), 0, co.trace(loss, argnums=0)(x), (), 10)
        k = next(k for k, step in enumerate(exam.circuit.steps) if step.gate.name == "sqrt")
        safe = lambda value, values: np.where(value > 0, value, 1.0)
        halved = lambda value, values: (
            0.5 * safe(value, values) + 0.5 * co.stop_gradient(safe(value, values))
        )
        assert agreement(exam, Change(swap={(k, 0): safe})) is not None
        assert agreement(exam, Change(swap={(k, 0): halved})) is None


def test_two_roots_at_nought_are_mended_together():
    loss = lambda a, b: np.sum(np.sqrt(a)) + np.sum(b**0.3)
    points = np.array([0.0, 1.0]), np.array([0.0, 1.0])
    found = diagnose(loss, *points, argnums=(0, 1)).findings
    assert {finding.where.text for finding in found} == {"np.sqrt(a)", "b**0.3"}
    for finding in found:
        assert finding.code == "inf"
        assert math.isfinite(effect(finding, "gradient").after)


def test_two_traps_are_two_findings_each_with_its_cure():
    def loss(x, y):
        first = np.where(x > 0, np.sqrt(x), 0.0)
        second = np.where(y > 0, np.log(y), 0.0)
        return np.sum(first) + np.sum(second)

    points = np.array([0.0, 4.0]), np.array([1.0, 0.0])
    found = diagnose(loss, *points, argnums=(0, 1)).findings
    assert [finding.code for finding in found] == ["where-trap"] * 2
    assert sorted(finding.where.text for finding in found) == ["np.log(y)", "np.sqrt(x)"]
    for finding in found:
        assert math.isclose(effect(finding, "gradient").after, math.hypot(0.25, 1.0))
        assert "to the last bit" in finding.advice.en


def test_the_blame_is_on_the_step_where_it_began():
    def loss(x):
        root = np.sqrt(x)
        return np.sum(np.exp(-root) * x)  # on the way back NaN passes through sqrt only

    finding = only(diagnose(loss, np.array([0.0, 1.0]) ** 2 * np.array([0.0, 1.0])))
    assert finding.where.text == "np.sqrt(x)"


def test_the_element_and_its_operands_are_named():
    def loss(x, y):
        return np.sum(np.log(x) * y)

    finding = only(diagnose(loss, np.array([[1.0, 2.0], [3.0, -4.0]]), np.ones(2)))
    assert finding.code == "nan"
    assert "[1, 1]" in finding.says.en
    assert "x = -4" in finding.says.en
    assert finding.number == 1


def test_an_infinity_that_leads_to_a_nan_is_blamed_first():
    def loss(w):
        big = np.exp(w)
        return np.sum(big / big)

    finding = only(diagnose(loss, np.array([1.0, 1000.0])))
    assert finding.code == "inf"
    assert finding.where.text == "np.exp(w)"


def test_the_step_that_cuts_is_named_and_what_would_arrive():
    def loss(params, x):
        w, b = params
        hidden = np.exp(w) * x
        hard = np.sign(hidden)
        return np.mean((hard * x + b) ** 2)

    x = np.array([1.0, -2.0, 0.5])
    finding = only(diagnose(loss, (np.array([0.1, 0.2, 0.3]), 0.5), x))
    assert (finding.code, finding.wire, finding.number) == ("unreached", "w", 3)
    assert finding.where.text == "np.sign(hidden)"
    passed = lambda w: np.mean(
        ((np.exp(w) * x + np.sign(x) - co.stop_gradient(np.exp(w) * x)) * x + 0.5) ** 2
    )
    arrives = np.linalg.norm(co.grad(passed)(np.array([0.1, 0.2, 0.3])))
    assert math.isclose(effect(finding, "arrives").after, float(arrives))


def test_a_loop_of_layers_is_one_line_and_the_worst_is_told():
    rng = np.random.default_rng(0)
    dead = [np.zeros(8), np.zeros(8), np.zeros(8)]
    dead[0][:3] = dead[1][:5] = dead[2][:1] = -50.0
    layers = [(rng.normal(size=(8, 8)) / 2, b) for b in dead]

    def loss(layers, x):
        for W, b in layers:
            h = nn.relu(x @ W + b)
            x = h
        return np.mean((x @ layers[0][0]) ** 2)

    finding = only(diagnose(loss, layers, rng.normal(size=(30, 8))))
    assert (finding.code, finding.wire, finding.number) == ("dead-relu", "h", 5)


def test_what_saturation_takes_is_not_told_twice():
    rng = np.random.default_rng(0)
    layers = [(rng.normal(size=(8, 8)) / 3, np.full(8, 10.0)) for _ in range(5)]

    def loss(layers, x):
        for W, b in layers:
            x = np.tanh(x @ W + b)
        return np.mean(x @ layers[0][0])

    found = diagnose(loss, layers, rng.normal(size=(20, 8))).findings
    assert [finding.code for finding in found] == ["saturated"]


def test_a_rate_is_judged_by_what_it_does():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = X @ [1.0, -2.0, 3.0]
    loss = lambda w, X, y: np.mean((X @ w - y) ** 2)
    assert diagnose(loss, np.zeros(3), X, y, rate=0.2).ok
    slow = only(diagnose(loss, np.zeros(3), X, y, rate=1e-5))
    w = np.zeros(3)
    for _ in range(50):
        w = w - 1e-5 * co.grad(loss)(w, X, y)
    assert math.isclose(effect(slow, "loss after").before, loss(w, X, y), rel_tol=1e-9)
    assert slow.code == "rate"
    assert "too low" in slow.says.en
    high = only(diagnose(loss, np.zeros(3), X, y, rate=10.0))
    assert "too high" in high.says.en
    assert effect(high, "2/λ").before > 1 > effect(high, "2/λ").after


def test_the_bend_of_a_parabola_is_known():
    sizes = np.array([4.0, 1.0, 0.25])
    found = bend(Model(lambda p: 0.5 * np.sum(sizes * p[0] ** 2), [np.ones(3)], [0]))
    assert math.isclose(found.largest, 4.0)
    assert math.isclose(found.condition, 16.0)
    assert math.isclose(found.stable, 0.5)
    many = bend(Model(lambda p: 1.5 * np.sum(p[0] ** 2), [np.ones(500)], [0]))
    assert math.isclose(many.largest, 3.0, rel_tol=1e-6)
    assert math.isnan(many.condition)
    assert bend(Model(lambda p: -np.sum(p[0] ** 2), [np.ones(2)], [0])) is None


def test_descents_are_compared_by_what_the_cure_alone_brings():
    steep = Model(lambda p: 50.0 * p[0] ** 2 + 0.01 * (p[1] - 9.0) ** 2, [1.0, 0.0], [0, 1])
    even = steep.scaled([0.1, 7.0])
    assert even.loss(even.start) == steep.loss(steep.start)
    found = compare(steep, even, 30)
    assert found.gain > 0.01
    assert found.descents[1].last < found.descents[0].last
    assert gained(found.descents[0], found.descents[0]) == 0
    assert len(descend(steep, 1.0, 30)) < 31  # it swings up and is stopped
    assert best_descent(steep, 1e9, 5) is None


def test_the_number_beside_a_cure_is_that_of_the_cure_as_advised():
    x = np.random.default_rng(0).normal(size=(20, 3))
    w = np.zeros(3)
    root = lambda w, x: np.mean(np.sqrt((x @ w) ** 2))
    logs = lambda w, x: np.mean(np.log(x[:, 0] * w[0]))
    part = lambda w, x: np.mean((x[:, 1] + 1.0) / (x @ w))
    cured = {
        root: lambda w, x: np.mean(np.sqrt(np.maximum((x @ w) ** 2, 1e-12))),
        logs: lambda w, x: np.mean(np.log(np.maximum(x[:, 0] * w[0], 1e-12))),
        part: lambda w, x: np.mean((x[:, 1] + 1.0) / np.where(x @ w == 0, 1.0, x @ w)),
    }
    for loss, mended in cured.items():
        point = np.array([1.0, 0.0, 0.0]) if loss is logs else w
        finding = only(diagnose(loss, point, x))
        assert math.isclose(finding.effects[0].after, mended(point, x), rel_tol=1e-9)
        slope = np.linalg.norm(co.grad(mended)(point, x))
        assert math.isclose(finding.effects[1].after, float(slope), rel_tol=1e-9)


def test_the_number_beside_exp_is_that_without_the_greatest():
    z = np.array([[1000.0, 1001.0], [3.0, 2000.0]])
    less = lambda z: z - np.max(z, axis=-1, keepdims=True)

    def share(z):
        e = np.exp(z)
        return np.mean(e / np.sum(e, axis=1, keepdims=True) * [1.0, 3.0])

    (loss, slope) = only(diagnose(share, z)).effects
    assert loss.what.en == "loss"
    assert math.isclose(loss.after, share(less(z)))
    assert math.isclose(slope.after, float(np.linalg.norm(co.grad(share)(less(z)))))
    sums = lambda z: np.sum(np.log(np.sum(np.exp(z), axis=1)))
    loss = only(diagnose(sums, z)).effects[0]
    assert math.isclose(loss.after, sums(less(z)))
    assert "nothing added again" in loss.what.en
    assert only(diagnose(np.exp, 1000.0)).effects[0].after == 1.0


def test_a_gate_without_a_cure_of_its_own_tells_what_was_put_there():
    finding = only(diagnose(lambda x: np.sum(np.arcsin(x)), np.array([1.0, 0.5])))
    assert "measured with 0 put there" in finding.advice.en
    assert "medido com 0 no lugar" in finding.advice.pt
    assert math.isclose(finding.effects[0].after, math.asin(0.5))


def test_where_one_cure_is_not_enough_the_second_is_named_and_measured():
    x = np.array([[1000.0, 3.0], [0.0, 2000.0]])

    def loss(x):
        e = np.exp(x)
        p = e / np.sum(e, axis=1, keepdims=True)
        return -np.mean(np.log(p[:, 0]))

    def mended(x):
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        p = e / np.sum(e, axis=1, keepdims=True)
        return -np.mean(np.log(np.maximum(p[:, 0], 1e-12)))

    finding = only(diagnose(loss, x))
    assert "not enough here; at np.log(p[:, 0]) as well: keep" in finding.advice.en
    assert "Aqui isso não basta; também em np.log(p[:, 0])" in finding.advice.pt
    assert math.isclose(finding.effects[0].after, mended(x))
    assert math.isclose(finding.effects[1].after, float(np.linalg.norm(co.grad(mended)(x))))
