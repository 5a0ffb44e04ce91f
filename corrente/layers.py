"""Layers of neural networks: convolution, pooling, normalisation, embedding, attention.

Plain NumPy on gates; public as `corrente.nn`. Images and signals have shape
(batch, channels, *space), with any number of axes in space.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from corrente.errors import BadArgument, BadValue
from corrente.gates.calls import numbers
from corrente.gates.choices import stop_gradient
from corrente.gates.layers import Sizes, per_axis, reach, windows
from corrente.gates.own import composition, speaker
from corrente.record import Shape
from corrente.tracer import lift
from corrente.words import Says

Padding = str | int | Sequence[int | tuple[int, int]]
Margins = tuple[tuple[int, int], ...]


def in_one(x: Any) -> Any:
    """Bring an argument into one array; of traced numbers in a list, into one traced array."""
    if speaker((x,)) is None:
        return np.asarray(x)
    return lift(x) if isinstance(x, list | tuple | np.ndarray) else x


# --- margins ------------------------------------------------------------------------------------


def _margins(padding: Padding, lengths: Shape, spans: Shape, stride: Shape) -> Margins:
    """Return the margin before and after each axis of space."""
    if padding == "valid":
        return ((0, 0),) * len(lengths)
    if padding == "same":
        wanted = [
            max((math.ceil(n / s) - 1) * s + span - n, 0)
            for n, span, s in zip(lengths, spans, stride, strict=True)
        ]
        return tuple((total // 2, total - total // 2) for total in wanted)
    each: Any = () if isinstance(padding, str) else padding
    each = (padding,) * len(lengths) if isinstance(each, int | np.integer) else each
    pairs = [numbers(ends) * (2 if np.ndim(ends) == 0 else 1) for ends in each]
    if len(pairs) == len(lengths) and all(len(p) == 2 and min(p) >= 0 for p in pairs):
        return tuple((before, after) for before, after in pairs)
    raise BadValue(
        Says(
            "padding={0} does not fit {1} axes of space.",
            "padding={0} não serve para {1} eixos de espaço.",
        ).fill(repr(padding), len(lengths)),
        Says(
            'give "valid", "same", a whole number ≥ 0, or a number or a pair (before, after) '
            "for each axis.",
            'dê "valid", "same", um número inteiro ≥ 0, ou um número ou um par (antes, depois) '
            "para cada eixo.",
        ),
    )


def _padded(x: Any, margins: Margins, value: float = 0) -> Any:
    if not any(map(any, margins)):
        return x
    return np.pad(x, ((0, 0), (0, 0), *margins), constant_values=value)


# --- convolution --------------------------------------------------------------------------------


@composition
def conv(
    x: Any,
    kernel: Any,
    stride: Sizes = 1,
    padding: Padding = "valid",
    dilation: Sizes = 1,
    groups: int = 1,
) -> Any:
    """Slide a kernel over an image and return its product with what it sees at each position.

    `x` has shape (batch, channels, *space) and `kernel` (out, channels / groups, *size), both
    float; with one to any number of axes in space. `stride` is the step between positions,
    `dilation` the step between the elements the kernel sees: one number, or one for each axis.
    `padding` puts zeros around: "valid" none, "same" so many that the output has ceil(length /
    stride) positions (the odd one after), a number, or a number or pair for each axis. With
    `groups`, the channels are parted and each part has its own share of the kernel's outputs.
    Returns (batch, out, *positions); the kernel is not flipped, and there is no bias: add
    `b[:, None, None]`. Raises BadValue for shapes that do not fit. Formula: CS231n notes,
    "Convolutional Networks", as one matrix product over all windows.

    >>> import numpy as np, corrente as co
    >>> edges = np.array([[[-1.0, 1.0]]])
    >>> co.nn.conv(np.array([[[0.0, 0.0, 3.0, 3.0]]]), edges)
    array([[[0., 3., 0.]]])
    >>> co.nn.conv(np.ones((2, 6, 8, 8)), np.ones((4, 3, 3, 3)), padding="same", groups=2).shape
    (2, 4, 8, 8)
    """
    x, kernel = in_one(x), in_one(kernel)
    _check_kernel(x.shape, kernel.shape, groups)
    batch, out, size = x.shape[0], kernel.shape[0], kernel.shape[2:]
    n = len(size)
    steps, gaps = per_axis("stride", stride, n), per_axis("dilation", dilation, n)
    margins = _margins(padding, x.shape[2:], reach(size, gaps), steps)
    seen = windows(_padded(x, margins), size, steps, gaps)
    positions = seen.shape[2 : 2 + n]
    # the positions last: then the copy that the product needs reads whole rows of the image
    columns = np.transpose(seen, (1, *range(2 + n, 2 + 2 * n), 0, *range(2, 2 + n)))
    inner, total = math.prod(kernel.shape[1:]), batch * math.prod(positions)
    parts = (groups,) if groups > 1 else ()
    columns = np.reshape(columns, (*parts, inner, total))
    rows = np.reshape(kernel, (*parts, out // groups, inner))
    product = np.reshape(np.matmul(rows, columns), (out, batch, *positions))
    return np.swapaxes(product, 0, 1)


def _check_kernel(x: Shape, kernel: Shape, groups: int) -> None:
    fits = len(x) == len(kernel) > 2 and groups >= 1
    if not (fits and kernel[1] * groups == x[1] and kernel[0] % groups == 0):
        raise BadValue(
            Says(
                "conv was given an image of shape {0} and a kernel of shape {1} in groups of {2}.",
                "conv recebeu uma imagem de forma {0} e um núcleo de forma {1}, grupos: {2}.",
            ).fill(x, kernel, groups),
            Says(
                "the image is (batch, channels, *space) and the kernel "
                "(out, channels / groups, *size), with `out` a multiple of `groups`.",
                "a imagem é (lote, canais, *espaço) e o núcleo "
                "(saídas, canais / grupos, *tamanho), com `saídas` múltiplo de `grupos`.",
            ),
        )


# --- pooling ------------------------------------------------------------------------------------


def _pools(
    x: Any, window: Sizes, stride: Sizes | None, padding: Padding
) -> tuple[Shape, Shape, Margins]:
    """Return the window's size, its step and the margins for each axis of space."""
    lengths = x.shape[2:]
    size = per_axis("window", window, len(lengths))
    steps = size if stride is None else per_axis("stride", stride, len(lengths))
    margins = _margins(padding, lengths, size, steps)
    if not lengths or any(max(pair) >= k for pair, k in zip(margins, size, strict=True)):
        raise BadValue(
            Says(
                "pooling an array of shape {0} with window {1} and margins {2} would look at "
                "nothing.",
                "agrupar um array de forma {0} com janela {1} e margens {2} seria olhar para "
                "o vazio.",
            ).fill(x.shape, size, margins),
            Says(
                "give (batch, channels, *space), and margins smaller than the window.",
                "dê (lote, canais, *espaço), e margens menores que a janela.",
            ),
        )
    return size, steps, margins


def _last(count: int) -> tuple[int, ...]:
    return tuple(range(-count, 0))


@composition
def max_pool(x: Any, window: Sizes, stride: Sizes | None = None, padding: Padding = "valid") -> Any:
    """Return the greatest element of each window of an image.

    `x` is real, of shape (batch, channels, *space); `window` and `stride` (the window itself
    unless given: side by side) are one number, or one for each axis of space; `padding` as for
    `conv`, with margins that never win. Returns (batch, channels, *positions), dtype kept.
    Winners that are tied share the gradient, as for `np.max`. Raises BadValue for a window or
    margins that do not fit. Formula: CS231n notes, "Convolutional Networks".

    >>> import numpy as np, corrente as co
    >>> co.nn.max_pool(np.array([[[1.0, 4.0, 2.0, 3.0]]]), 2)
    array([[[4., 3.]]])
    """
    x = in_one(x)
    size, steps, margins = _pools(x, window, stride, padding)
    lowest = -math.inf if x.dtype.kind == "f" else int(np.iinfo(x.dtype).min)
    return np.max(windows(_padded(x, margins, lowest), size, steps), axis=_last(len(size)))


@composition
def avg_pool(x: Any, window: Sizes, stride: Sizes | None = None, padding: Padding = "valid") -> Any:
    """Return the mean of each window of an image; what lies in the margins does not count.

    `x` is float, of shape (batch, channels, *space); `window`, `stride` and `padding` as for
    `max_pool`. Returns (batch, channels, *positions), float dtype kept. Raises BadValue for a
    window or margins that do not fit.

    >>> import numpy as np, corrente as co
    >>> co.nn.avg_pool(np.array([[[1.0, 4.0, 2.0]]]), 2, padding="same")
    array([[[2.5, 2. ]]])
    """
    x = in_one(x)
    size, steps, margins = _pools(x, window, stride, padding)
    total = np.sum(windows(_padded(x, margins), size, steps), axis=_last(len(size)))
    if not any(map(any, margins)):
        return total / math.prod(size)
    there = windows(np.pad(np.ones(x.shape[2:]), margins), size, steps)
    # in the array's own type: float32 stays float32
    return total / np.sum(there, axis=_last(len(size))).astype(total.real.dtype)


# --- normalisation ------------------------------------------------------------------------------


def _scaled(x: Any, scale: Any, shift: Any, shape: Shape) -> Any:
    if scale is not None:
        x = x * np.reshape(in_one(scale), shape)
    return x if shift is None else x + np.reshape(in_one(shift), shape)


@composition
def batch_norm(
    x: Any,
    scale: Any = None,
    shift: Any = None,
    axis: int | Sequence[int] | None = None,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 1e-5,
) -> tuple[Any, Any, Any]:
    """Bring each channel of a batch to mean 0 and variance 1, then scale and shift it.

    `x` is real; the statistics are taken over `axis`, by default all axes but axis 1, the
    channels. `scale` and `shift` have the shape of the axes that are left, (channels,). Give
    `mean` and `variance` of that shape to use them instead of the batch's own: the running
    statistics, when predicting. Returns `(normalised, mean, variance)`: the statistics used, to
    be averaged by you, `running = 0.9 * running + 0.1 * mean`; the variance divides by the number
    of elements, not by one less. Float dtype kept. Raises BadArgument if only one of mean and
    variance is given. Formula: Ioffe and Szegedy (2015), "Batch Normalization", algorithm 1.

    >>> import numpy as np, corrente as co
    >>> y, mean, variance = co.nn.batch_norm(np.array([[1.0, 10.0], [3.0, 30.0]]))
    >>> y.round(3), mean, variance
    (array([[-1., -1.], [ 1.,  1.]]), array([ 2., 20.]), array([  1., 100.]))
    """
    x = in_one(x)
    over = tuple(k for k in range(x.ndim) if k != 1) if axis is None else axis
    over = normalize_axis_tuple(over, x.ndim)
    kept = tuple(1 if k in over else n for k, n in enumerate(x.shape))
    if (mean is None) != (variance is None):
        raise BadArgument(
            Says(
                "batch_norm was given only one of mean and variance.",
                "batch_norm recebeu só uma das duas: média ou variância.",
            ),
            Says(
                "give both, to use them, or none, to take them from the batch.",
                "dê as duas, para usá-las, ou nenhuma, para tirá-las do lote.",
            ),
        )
    if mean is None:
        centre = np.mean(x, axis=over, keepdims=True)
        away = x - centre
        spread = np.mean(away * away, axis=over, keepdims=True)
    else:
        centre, spread = np.reshape(in_one(mean), kept), np.reshape(in_one(variance), kept)
        away = x - centre
    normal = _scaled(away / np.sqrt(spread + epsilon), scale, shift, kept)
    own = tuple(n for k, n in enumerate(x.shape) if k not in over)
    return normal, np.reshape(centre, own), np.reshape(spread, own)


@composition
def layer_norm(
    x: Any,
    scale: Any = None,
    shift: Any = None,
    axis: int | Sequence[int] = -1,
    epsilon: float = 1e-5,
) -> Any:
    """Bring the features of each example to mean 0 and variance 1, then scale and shift them.

    `x` is real, its features along `axis`; `scale` and `shift` have the lengths of those axes.
    Shape and float dtype are kept. Formula: Ba, Kiros, Hinton (2016), "Layer Normalization".

    >>> import numpy as np, corrente as co
    >>> co.nn.layer_norm(np.array([[1.0, 3.0], [10.0, 30.0]]), shift=np.array([0.0, 5.0])).round(3)
    array([[-1.,  6.],
           [-1.,  6.]])
    """
    x = in_one(x)
    over = normalize_axis_tuple(axis, x.ndim)
    away = x - np.mean(x, axis=over, keepdims=True)
    spread = np.mean(away * away, axis=over, keepdims=True)
    features = tuple(n if k in over else 1 for k, n in enumerate(x.shape))
    return _scaled(away / np.sqrt(spread + epsilon), scale, shift, features)


# --- words and attention ------------------------------------------------------------------------


@composition
def embedding(table: Any, indices: Any) -> Any:
    """Look rows up in a table: each index becomes the vector that stands for it.

    `table` has shape (count, *features), any dtype, kept; `indices` are whole numbers from 0 to
    count − 1, of any shape. Returns (*indices.shape, *features). The gradient of a row adds up
    over all its uses. Raises BadArgument for indices that are not whole numbers, BadValue for
    those outside the table, negative ones included.

    >>> import numpy as np, corrente as co
    >>> co.nn.embedding(np.array([[1.0, 2.0], [3.0, 4.0]]), [1, 1, 0])
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    table, indices = in_one(table), in_one(indices)
    if indices.dtype.kind not in "iu":
        raise BadArgument(
            Says(
                "embedding was given indices of type {0}, which are not row numbers.",
                "embedding recebeu índices do tipo {0}, que não são números de linha.",
            ).fill(indices.dtype),
            Says(
                "make them whole: indices.astype(int).", "torne-os inteiros: indices.astype(int)."
            ),
        )
    if np.any(np.logical_or(np.less(indices, 0), np.greater_equal(indices, table.shape[0]))):
        raise BadValue(
            Says(
                "embedding was given an index outside 0 … {0}.",
                "embedding recebeu um índice fora de 0 … {0}.",
            ).fill(table.shape[0] - 1),
            Says(
                "number the rows from 0, or give the table more rows.",
                "numere as linhas a partir de 0, ou dê mais linhas à tabela.",
            ),
        )
    return table[indices]


@composition
def attention(q: Any, k: Any, v: Any, mask: Any = None) -> Any:
    """Return for each query the mean of the values, weighted by how well their keys match.

    `q` has shape (…, queries, depth), `k` (…, keys, depth), `v` (…, keys, features), real; the
    axes in front broadcast (batch, heads). `mask` is boolean and broadcasts against (…, queries,
    keys): True where a query may look; causal is `np.tri(queries, keys, dtype=bool)`. A query
    that may look at nothing gets 0. Returns (…, queries, features), float dtype kept. Raises
    BadArgument for a mask that is not boolean. Formula: softmax(q kᵀ / √depth) v, Vaswani et
    al. (2017), "Attention Is All You Need", equation 1.

    >>> import numpy as np, corrente as co
    >>> q, v = np.zeros((2, 4)), np.array([[2.0], [6.0]])
    >>> co.nn.attention(q, q, v)
    array([[4.],
           [4.]])
    >>> co.nn.attention(q, q, v, np.tri(2, dtype=bool))
    array([[2.],
           [4.]])
    """
    q, k, v = in_one(q), in_one(k), in_one(v)
    scores = np.matmul(q, np.swapaxes(k, -1, -2)) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(_checked(in_one(mask)), scores, -math.inf)
    # the shift cancels out, so no gradient is to flow through it
    top = stop_gradient(np.max(scores, axis=-1, keepdims=True))
    weights = np.exp(scores - np.where(np.equal(top, -math.inf), 0.0, top))
    total = np.sum(weights, axis=-1, keepdims=True)
    return np.matmul(weights / np.where(np.equal(total, 0), 1.0, total), v)


def _checked(mask: Any) -> Any:
    if mask.dtype != np.bool_:
        raise BadArgument(
            Says(
                "attention was given a mask of type {0}.",
                "attention recebeu uma máscara do tipo {0}.",
            ).fill(mask.dtype),
            Says(
                "make it boolean, True where a query may look: mask > 0.",
                "torne-a booleana, True onde uma consulta pode olhar: mask > 0.",
            ),
        )
    return mask
