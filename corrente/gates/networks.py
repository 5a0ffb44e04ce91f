"""Gates of neural networks that NumPy has no function for: relu, sigmoid, softplus, logsumexp.

The functions are our own and public as `corrente.nn`; they never warn, however large the numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from corrente.errors import BadArgument
from corrente.gates.own import dispatched
from corrente.record import REALS, Call, Params, Reduce, call, elementwise, gate
from corrente.words import Says

Axis = int | tuple[int, ...] | None


def _printed(name: str) -> Callable[[Sequence[str], Params], str]:
    """Write a call as the user would: `nn.logsumexp(x, axis=(1,))`."""

    def code(names: Sequence[str], params: Params) -> str:
        words = [f"{key}={value!r}" for key, value in params.items()]
        return f"nn.{name}({', '.join([*names, *words])})"

    return code


def _real(name: str, x: Any) -> Any:
    """Bring a plain argument into an array; complex numbers have no order and are refused."""
    array = np.asarray(x)
    if array.dtype.kind == "c":
        raise BadArgument(
            Says(
                "{0} was given complex numbers, and needs real ones.",
                "{0} recebeu números complexos, e precisa de reais.",
            ).fill(f"nn.{name}"),
            Says(
                "give np.real(x) or np.abs(x), whichever is meant.",
                "dê np.real(x) ou np.abs(x), conforme o que se quer.",
            ),
        )
    return array


# --- one element at a time ----------------------------------------------------------------------


@dispatched
def relu(x: Any, /) -> Any:
    """Return x where it is positive and 0 elsewhere, elementwise: max(0, x).

    `x` is real, of any shape; shape and dtype are kept, NaN stays NaN. At 0 the gradient is 0,
    a convention that counts as no tie. Raises BadArgument for complex numbers. Formula:
    CS231n notes, "Neural Networks Part 1".

    >>> import numpy as np, corrente as co
    >>> co.nn.relu(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    >>> co.grad(lambda x: np.sum(co.nn.relu(x)))(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 1.])
    """
    # of −0 and +0 the processor keeps either one; adding 0 makes both +0
    return np.maximum(_real("relu", x), 0) + 0


relu_gate = elementwise(
    relu,
    symbol="relu",
    # what is not comparable (NaN) lets the gradient through: it must not look like a zero
    pulls=(lambda g, out, x: np.where(x <= 0, 0.0, g),),
    emit=lambda b, x: b.select(b.le(x, b.const(0.0, x)), b.const(0.0, x), x),
    side=lambda x: np.sign(x),
    code=_printed("relu"),
    does=Says(
        en="keeps {0} where it is positive and gives zero elsewhere",
        pt="mantém {0} onde é positivo e dá zero no resto",
    ),
    teaches=Says(
        en="passes the gradient on where its input is positive; elsewhere, and at zero, none",
        pt="entrega o gradiente onde a entrada é positiva; no resto, e em zero, nenhum",
    ),
    domain=(REALS,),
)


@dispatched
def sigmoid(x: Any, /) -> Any:
    """Return the logistic function 1 / (1 + exp(−x)), elementwise.

    `x` is real, of any shape; float dtypes are kept, integers become float64. Small outputs keep
    all their digits; where exp(−x) is beyond the dtype (x below −709 in float64, −88 in float32)
    the output is 0. Raises BadArgument for complex numbers. Formula: CS231n notes,
    "Backpropagation, Intuitions".

    >>> import corrente as co
    >>> float(co.nn.sigmoid(0.0)), float(co.nn.sigmoid(-1e4))
    (0.5, 0.0)
    >>> float(co.grad(co.nn.sigmoid)(0.0))
    0.25
    """
    with np.errstate(over="ignore"):  # one over infinity is the 0 that is meant
        return 1.0 / (1.0 + np.exp(-1.0 * _real("sigmoid", x)))


def _emit_sigmoid(b: Any, x: Any) -> Any:
    one = b.const(1.0, x)
    return b.div(one, b.add(one, b.exp(b.neg(x))))


sigmoid_gate = elementwise(
    sigmoid,
    symbol="σ",
    partials=(lambda x, out: out * (1.0 - out),),
    emit=_emit_sigmoid,
    code=_printed("sigmoid"),
    does=Says(en="squashes {0} between 0 and 1", pt="comprime {0} entre 0 e 1"),
    teaches=Says(
        en="scales the gradient by its output times one minus its output: a quarter at most",
        pt="multiplica o gradiente pela saída vezes um menos a saída: um quarto, no máximo",
    ),
    domain=(REALS,),
)


@dispatched
def softplus(x: Any, /) -> Any:
    """Return log(1 + exp(x)), elementwise: relu with its corner rounded off.

    `x` is real, of any shape; float dtypes are kept, integers become float64. Computed as
    max(x, 0) + log(1 + exp(−|x|)), so that no x overflows. Raises BadArgument for complex
    numbers. Formula: Dugas et al. (2000), "Incorporating second-order functional knowledge for
    better option pricing".

    >>> import corrente as co
    >>> float(co.nn.softplus(1e4)), round(float(co.nn.softplus(0.0)), 4)
    (10000.0, 0.6931)
    >>> float(co.grad(co.nn.softplus)(0.0))
    0.5
    """
    x = _real("softplus", x)
    return np.maximum(x, 0) + np.log1p(np.exp(-1.0 * np.abs(x)))


def _emit_softplus(b: Any, x: Any) -> Any:
    zero = b.const(0.0, x)
    return b.add(b.select(b.lt(zero, x), x, zero), b.log1p(b.exp(b.neg(b.abs(x)))))


softplus_gate = elementwise(
    softplus,
    symbol="log(1+eˣ)",
    partials=(lambda x, out: sigmoid(x),),
    emit=_emit_softplus,
    code=_printed("softplus"),
    does=Says(
        en="takes the logarithm of one plus e to the power {0}: a smooth relu",
        pt="tira o logaritmo de um mais e elevado a {0}: uma relu suave",
    ),
    teaches=Says(
        en="scales the gradient by the sigmoid of its input",
        pt="multiplica o gradiente pela sigmoide da entrada",
    ),
    domain=(REALS,),
)


# --- a sum in the world of exponentials ---------------------------------------------------------


@dispatched
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Return log(sum(exp(x))) over one axis, several, or all.

    `x` is real, of any shape; float dtypes are kept. The greatest element is taken out first, so
    that nothing overflows; nothing but −∞ (or no element at all) gives −∞, where the gradient is
    0 by convention. Raises BadArgument for complex numbers, NumPy's AxisError for an axis that
    x does not have. Formula: Blanchard, Higham, Higham (2021), "Accurately computing the
    log-sum-exp and softmax functions".

    >>> import numpy as np, corrente as co
    >>> round(float(co.nn.logsumexp(np.array([1000.0, 1000.0]))), 4)
    1000.6931
    >>> co.grad(co.nn.logsumexp)(np.array([1000.0, 1000.0]))
    array([0.5, 0.5])
    """
    x = _real("logsumexp", x)
    top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore", over="ignore"):  # log 0 and exp ∞ are what is meant
        total = np.sum(np.exp(x - shift), axis=axis, keepdims=True)
        out = shift + np.log(total)
    return (out if keepdims else np.squeeze(out, axis))[()]


def _take_logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Call:
    count = np.ndim(x)
    axes = range(count) if axis is None else normalize_axis_tuple(axis, count)
    return call(x, axis=tuple(sorted(axes)), keepdims=bool(keepdims))


def _reduced(x: tuple[int, ...], axis: tuple[int, ...], keepdims: bool) -> tuple[int, ...]:
    if keepdims:
        return tuple(1 if k in axis else n for k, n in enumerate(x))
    return tuple(n for k, n in enumerate(x) if k not in axis)


def _by_share(g: Any, out: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """Return the gradient times softmax: each element's part in the sum of exponentials."""
    if not keepdims:
        g, out = np.expand_dims(g, axis), np.expand_dims(out, axis)
    # ∞ − ∞ must not be met: an infinite element has the whole sum, of no sum there is no part
    above = np.equal(x, np.inf)
    empty = np.logical_or(above, np.equal(out, -np.inf))
    with np.errstate(over="ignore"):
        return g * np.exp(np.where(above, 0.0, x) - np.where(empty, 0.0, out))


logsumexp_gate = gate(
    logsumexp,
    kind=Reduce(),
    takes=_take_logsumexp,
    shape=_reduced,
    pulls=(_by_share,),
    symbol="log Σeˣ",
    code=_printed("logsumexp"),
    does=Says(
        en="adds the exponentials of {0} and takes the logarithm",
        pt="soma as exponenciais de {0} e tira o logaritmo",
    ),
    teaches=Says(
        en="shares the gradient out as softmax does, by each element's part in the sum",
        pt="reparte o gradiente como a softmax, conforme a parte de cada elemento na soma",
    ),
    example=lambda rng: call(rng.normal(size=(3, 4)), axis=(1,), keepdims=False),
)
