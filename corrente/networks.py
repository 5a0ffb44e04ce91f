"""Plain networks of fully connected layers in NumPy: first parameters, scores, losses by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from corrente import nn

Layers = list[tuple[Any, Any]]

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "relu": nn.relu,
    "tanh": np.tanh,
    "sigmoid": nn.sigmoid,
    "softplus": nn.softplus,
    "identity": lambda x: x,
}


def start(rng: np.random.Generator, sizes: Sequence[int], activation: str, dtype: Any) -> Layers:
    """Draw first parameters: a list of (weights, biases), one pair a layer.

    The weights' spread keeps the size of what flows through. Source: He et al. (2015) for relu
    and softplus, Glorot and Bengio (2010) for the others.
    """
    layers: Layers = []
    for ins, outs in pairwise(sizes):
        inner = activation in ("relu", "softplus") and len(layers) < len(sizes) - 2
        spread = np.sqrt(2.0 / ins if inner else 2.0 / (ins + outs))
        weights = (spread * rng.normal(size=(ins, outs))).astype(dtype)
        layers.append((weights, np.zeros(outs, dtype)))
    return layers


def scores(layers: Layers, x: Any, activation: str) -> Any:
    """Send rows through a network; what comes out has passed no activation."""
    return _forward(layers, x, ACTIVATIONS[activation])


def _forward(layers: Layers, x: Any, bend: Callable[[Any], Any]) -> Any:
    for weights, biases in layers[:-1]:
        x = bend(x @ weights + biases)
    weights, biases = layers[-1]
    return x @ weights + biases


def cross_entropy(found: Any, labels: Any) -> Any:
    """Return −log softmax at each row's label (whole numbers)."""
    rows = np.arange(len(labels))
    return -nn.log_softmax(found, axis=1)[rows, labels]


def half_squares(found: Any, y: Any) -> Any:
    """Return half the squared distance in each row."""
    return 0.5 * np.sum((found - y) ** 2, axis=1)


@lru_cache(maxsize=64)
def loss_of(
    by_row: Callable[[Any, Any], Any], activation: str, penalty: float
) -> Callable[..., Any]:
    """Return the loss `(layers, x, y, weight)` of a network, the same function each time.

    The mean of weight · (loss of the row), and ½·penalty·‖W‖² over all weights but the biases.
    """

    bend = ACTIVATIONS[activation]  # looked up here: a compiled loss must watch a dict it reads

    def loss(layers: Layers, x: Any, y: Any, weight: Any) -> Any:
        value = np.mean(weight * by_row(_forward(layers, x, bend), y))
        if not penalty:
            return value
        return value + (0.5 * penalty) * sum(np.sum(weights * weights) for weights, _ in layers)

    loss.shared = True  # type: ignore[attr-defined]  # it holds no data: its program may be kept
    return loss
