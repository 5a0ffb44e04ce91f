"""Functions of neural networks on plain NumPy arrays: activations, layers, losses, writes.

Each takes arrays, numbers or traced values; those made of several steps are drawn as one box.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corrente.errors import BadArgument, BadValue
from corrente.gates.choices import stop_gradient
from corrente.gates.layers import overlap_add, windows
from corrente.gates.networks import Axis, logsumexp, relu, sigmoid, softplus
from corrente.gates.own import composition, speaker
from corrente.layers import (
    attention,
    avg_pool,
    batch_norm,
    conv,
    embedding,
    in_one,
    layer_norm,
    max_pool,
)
from corrente.words import Says

__all__ = [
    "added",
    "attention",
    "avg_pool",
    "batch_norm",
    "conv",
    "cross_entropy",
    "dropout",
    "embedding",
    "layer_norm",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "max_pool",
    "overlap_add",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "stop_gradient",
    "windows",
    "written",
]


@composition
def leaky_relu(x: Any, slope: Any = 0.01) -> Any:
    """Return x where it is positive and slope·x elsewhere, elementwise.

    `x` is real, of any shape; `slope` is a number or broadcasts against x, and may itself be
    differentiated. At 0 the gradient is the slope. Formula: Maas, Hannun, Ng (2013), "Rectifier
    nonlinearities improve neural network acoustic models".

    >>> import numpy as np, corrente as co
    >>> co.nn.leaky_relu(np.array([-1.0, 2.0]))
    array([-0.01,  2.  ])
    """
    x = in_one(x)
    return np.where(np.greater(x, 0), x, np.multiply(slope, x))


# --- softmax and its loss -----------------------------------------------------------------------


def _shifted(x: Any, axis: Axis) -> Any:
    """Take the greatest element away: the result is the same, and nothing overflows."""
    x = in_one(x)
    # the shift cancels out, so no gradient is to flow through it
    top = stop_gradient(np.max(x, axis=axis, keepdims=True))
    with np.errstate(invalid="ignore", over="ignore"):
        return np.subtract(x, top)


@composition
def softmax(x: Any, axis: Axis = -1) -> Any:
    """Return exp(x) / sum(exp(x)) along an axis: scores become probabilities that add up to 1.

    `x` is real, of any shape; shape and float dtype are kept. Scores of −∞ get probability 0.
    Scores of nothing but −∞, or any of +∞, have no softmax: NaN, as in SciPy. Formula: CS231n
    notes, "Linear Classification".

    >>> import numpy as np, corrente as co
    >>> co.nn.softmax(np.array([1000.0, 1000.0, -np.inf]))
    array([0.5, 0.5, 0. ])
    """
    exponentials = np.exp(_shifted(x, axis))
    return exponentials / np.sum(exponentials, axis=axis, keepdims=True)


@composition
def log_softmax(x: Any, axis: Axis = -1) -> Any:
    """Return the logarithm of softmax along an axis, exact also where softmax is nearly 0.

    `x` is real, of any shape; shape and float dtype are kept. −∞ stays −∞; rows without a
    softmax give NaN. Formula as for `softmax`, with the logarithm taken before the division.

    >>> import numpy as np, corrente as co
    >>> co.nn.log_softmax(np.array([0.0, 1e4]))
    array([-10000.,      0.])
    """
    shifted = _shifted(x, axis)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


@composition
def cross_entropy(scores: Any, labels: Any, axis: int = -1) -> Any:
    """Return the mean of −log softmax(scores) at the right class: the loss of a classifier.

    `scores` are real and unnormalised, their classes along `axis`. `labels` are either whole
    numbers from 0 to the number of classes − 1, in the shape of the scores without that axis; or
    probabilities (one-hot rows are) in the shape of the scores. Returns one number, the mean over
    everything but the classes, in nats. Probability 0 costs nothing, even where the score is −∞.
    Raises BadValue for shapes or labels that do not fit, BadArgument for labels that are not
    whole numbers. Formula: CS231n notes, "Linear Classification", softmax classifier.

    >>> import numpy as np, corrente as co
    >>> scores = np.array([[1.0, 1.0], [1.0, 1.0]])
    >>> round(float(co.nn.cross_entropy(scores, np.array([0, 1]))), 4)
    0.6931
    >>> co.grad(co.nn.cross_entropy)(scores, np.array([0, 1]))
    array([[-0.25,  0.25],
           [ 0.25, -0.25]])
    """
    scores, labels = in_one(scores), in_one(labels)
    logs = log_softmax(scores, axis)
    if labels.shape == scores.shape:
        unused = np.logical_and(np.equal(labels, 0), np.equal(logs, -np.inf))
        return -np.mean(np.sum(labels * np.where(unused, 0.0, logs), axis=axis))
    return -np.mean(logs[_right_class(scores.shape, labels, axis)])


def _right_class(shape: tuple[int, ...], labels: Any, axis: int) -> tuple[Any, ...]:
    """Return the index that reads each example's score at its label."""
    axis = range(len(shape))[axis]
    rest = shape[:axis] + shape[axis + 1 :]
    if labels.shape != rest:
        raise BadValue(
            Says(
                "cross_entropy was given scores of shape {0} and labels of shape {1}.",
                "cross_entropy recebeu pontuações de forma {0} e rótulos de forma {1}.",
            ).fill(shape, labels.shape),
            Says(
                "give whole numbers of shape {0}, or probabilities of shape {1}.",
                "dê números inteiros de forma {0}, ou probabilidades de forma {1}.",
            ).fill(rest, shape),
        )
    if labels.dtype.kind not in "iu":
        raise BadArgument(
            Says(
                "cross_entropy was given labels of type {0}, which are not class numbers.",
                "cross_entropy recebeu rótulos do tipo {0}, que não são números de classe.",
            ).fill(labels.dtype),
            Says("make them whole: labels.astype(int).", "torne-os inteiros: labels.astype(int)."),
        )
    outside = np.logical_or(np.less(labels, 0), np.greater_equal(labels, shape[axis]))
    if np.any(outside):
        raise BadValue(
            Says(
                "cross_entropy was given a label outside 0 … {0}.",
                "cross_entropy recebeu um rótulo fora de 0 … {0}.",
            ).fill(shape[axis] - 1),
            Says(
                "number the classes from 0; leave out examples without a class.",
                "numere as classes a partir de 0; deixe fora os exemplos sem classe.",
            ),
        )
    grid = np.ogrid[tuple(slice(n) for n in rest)]
    return (*grid[:axis], labels, *grid[axis:])


# --- dropout ------------------------------------------------------------------------------------


@composition
def dropout(x: Any, rate: float, rng: np.random.Generator) -> Any:
    """Set each element to 0 with probability `rate` and divide the others by 1 − rate.

    `x` is real, of any shape; shape and float dtype are kept, and so is the expected value
    (inverted dropout). `rate` lies in [0, 1); at 0, x is returned as it is and nothing is drawn.
    `rng` is advanced by one number an element; what it drew is a constant to the gradient. Raises
    BadValue for another rate, BadArgument for another kind of generator. Source: Srivastava et
    al. (2014), "Dropout"; CS231n notes, "Neural Networks Part 2".

    >>> import numpy as np, corrente as co
    >>> co.nn.dropout(np.ones(4), 0.5, np.random.default_rng(0))
    array([2., 0., 0., 0.])
    """
    if not 0 <= rate < 1:
        raise BadValue(
            Says(
                "dropout was given the rate {0}.",
                "dropout recebeu a taxa {0}.",
            ).fill(rate),
            Says(
                "give the part to drop, from 0 up to but not including 1.",
                "dê a parte a descartar, de 0 até 1, sem incluir o 1.",
            ),
        )
    if not isinstance(rng, np.random.Generator):
        raise BadArgument(
            Says(
                "dropout was given a {0} to draw from.",
                "dropout recebeu um {0} para sortear.",
            ).fill(type(rng).__name__),
            Says(
                "make one generator, rng = np.random.default_rng(seed), and pass it each time.",
                "crie um gerador, rng = np.random.default_rng(seed), e passe-o a cada vez.",
            ),
        )
    if rate == 0:
        return x
    x = in_one(x)
    kept = rng.random(np.shape(x)) >= rate
    return np.where(kept, np.divide(x, 1.0 - rate), 0.0)


# --- writes, as printed circuits have them ------------------------------------------------------


def _copy(x: Any, value: Any) -> Any:
    """Copy x into an array that can be written with the value: traced if either is."""
    if speaker((x,)) is None and (traced := speaker((value,))) is not None:
        return np.array(x, like=traced)
    return np.copy(in_one(x))


def written(x: Any, value: Any, index: Any) -> Any:
    """Return a copy of x in which `x[index] = value` was done.

    `x` is an array, `value` broadcasts against `x[index]`, and the index is anything NumPy
    takes. Raises what NumPy raises for a write that does not fit.

    >>> import numpy as np
    >>> written(np.zeros(3), 5.0, 1)
    array([0., 5., 0.])
    """
    out = _copy(x, value)
    out[index] = value
    return out


def added(x: Any, value: Any, index: Any) -> Any:
    """Return a copy of x to which `value` was added at `index`, as `np.add.at` does.

    `x` is an array, `value` broadcasts against `x[index]`; an element named twice is added to
    twice. Raises what NumPy raises for a write that does not fit.

    >>> import numpy as np
    >>> added(np.zeros(3), np.array([1.0, 2.0]), np.array([1, 1]))
    array([0., 3., 0.])
    """
    out = _copy(x, value)
    np.add.at(out, index, value)
    return out


# a function reached through a protocol is a wrapper, and doctest passes wrappers over
__test__ = {name: globals()[name] for name in __all__ if name not in ("added", "written")}


def loop(
    body: Any,
    count: int,
    carries: Any = (),
    constants: Any = (),
    slices: Any = (),
    kept: Any = (),
    reverse: bool = False,
) -> tuple[Any, ...]:
    """Run a loop as a printed circuit writes it: `corrente.blocks.Layout` says what is what."""
    state, befores, results = tuple(carries), [()] * count, [()] * count
    for k in reversed(range(count)) if reverse else range(count):
        befores[k] = state
        found = body(*state, *constants, *(x[k] for x in slices))
        state, results[k] = found[: len(state)], found[len(state) :]
    stacked = [np.stack([before[c] for before in befores]) for c in kept]
    return (*state, *stacked, *(np.stack(rows) for rows in zip(*results, strict=True)))
