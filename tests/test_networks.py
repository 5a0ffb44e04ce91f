"""Plain networks: first parameters keep the size of what flows, losses are the textbook's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import networks
from corrente.networks import ACTIVATIONS, cross_entropy, half_squares, loss_of, scores, start

X = np.random.default_rng(0).normal(size=(2000, 50))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_flows_keeps_its_size(activation: str, dtype: Any):
    layers = start(np.random.default_rng(1), (50, 60, 60, 3), activation, dtype)
    assert [(W.shape, b.shape) for W, b in layers] == [
        ((50, 60), (60,)),
        ((60, 60), (60,)),
        ((60, 3), (3,)),
    ]
    assert {part.dtype for layer in layers for part in layer} == {np.dtype(dtype)}
    out = scores(layers, X.astype(dtype), activation)
    assert out.dtype == dtype
    assert 0.1 < np.std(out) < 3.0


def test_scores_by_hand():
    W, b = np.array([[1.0, -1.0]]), np.array([0.5, 0.0])
    V, c = np.array([[2.0], [3.0]]), np.array([1.0])
    found = scores([(W, b), (V, c)], np.array([[1.0], [-2.0]]), "relu")
    assert found.tolist() == [[2 * 1.5 + 1], [3 * 2.0 + 1]]


def test_losses_by_row():
    found = cross_entropy(np.log(np.array([[0.2, 0.8], [0.5, 0.5]])), np.array([1, 0]))
    np.testing.assert_allclose(found, [-np.log(0.8), -np.log(0.5)])
    assert half_squares(np.array([[1.0, 2.0]]), np.array([[0.0, 0.0]])).tolist() == [2.5]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("by_row", [cross_entropy, half_squares])
def test_the_loss_is_weighed_penalised_and_right_in_its_gradient(activation: str, by_row: Any):
    rng = np.random.default_rng(2)
    layers = start(rng, (4, 5, 2), activation, float)
    x, weight = X[:6, :4], rng.uniform(0.5, 2.0, size=6)
    y = np.array([0, 1, 1, 0, 1, 0]) if by_row is cross_entropy else rng.normal(size=(6, 2))
    loss = loss_of(by_row, activation, 0.1)
    assert loss_of(by_row, activation, 0.1) is loss
    rows = by_row(scores(layers, x, activation), y)
    squares = sum(np.sum(W**2) for W, _ in layers)
    assert loss(layers, x, y, weight) == pytest.approx(np.mean(weight * rows) + 0.05 * squares)
    assert co.check_grads(lambda p: loss(p, x, y, weight), (layers,), order=1).worst < 1e-5


def test_no_penalty_is_no_step():
    assert networks.loss_of(half_squares, "tanh", 0.0) is not loss_of(half_squares, "tanh", 0.1)
