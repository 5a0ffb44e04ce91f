"""Layers of networks: against slow loops, against differences, at every order and in batches."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import nn
from corrente.circuit import Composed
from corrente.errors import BadArgument, BadValue, NotSupported
from corrente.words import LANGUAGES

STEP = 1e-6


def draw(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


# --- the slow way: one loop for each sign in the formula ----------------------------------------


def looked_at(length: int, size: int, stride: int, dilation: int, before: int, after: int) -> Any:
    """Go through the positions on one axis: each is a list of (offset, place) inside the image."""
    span = (size - 1) * dilation + 1
    for start in range(-before, length + after - span + 1, stride):
        seen = [(k, start + k * dilation) for k in range(size)]
        yield [(k, place) for k, place in seen if 0 <= place < length]


def places(x: Any, size: Any, stride: Any, dilation: Any, margins: Any) -> Any:
    """Return the shape of the positions, and each position with the pairs it sees."""
    axes = [
        list(looked_at(n, k, s, d, *ends))
        for n, k, s, d, ends in zip(x.shape[2:], size, stride, dilation, margins, strict=True)
    ]
    shape = tuple(map(len, axes))
    chosen = [(at, [axes[k][i] for k, i in enumerate(at)]) for at in np.ndindex(shape)]
    return shape, [
        (at, [tuple(zip(*p, strict=True)) for p in itertools.product(*seen)]) for at, seen in chosen
    ]


def slow_conv(x: Any, kernel: Any, stride: Any, margins: Any, dilation: Any, groups: int) -> Any:
    shape, seen = places(x, kernel.shape[2:], stride, dilation, margins)
    out = np.zeros((x.shape[0], kernel.shape[0], *shape), x.dtype)
    share, inner = kernel.shape[0] // groups, kernel.shape[1]
    for b, o, c in np.ndindex(x.shape[0], kernel.shape[0], inner):
        channel = o // share * inner + c
        for at, pairs in seen:
            for offset, place in pairs:
                out[(b, o, *at)] += kernel[(o, c, *offset)] * x[(b, channel, *place)]
    return out


def slow_pool(x: Any, fold: Any, size: Any, stride: Any, margins: Any) -> Any:
    shape, seen = places(x, size, stride, (1,) * len(size), margins)
    out = np.zeros((*x.shape[:2], *shape), x.dtype)
    for b, c in np.ndindex(x.shape[:2]):
        for at, pairs in seen:
            out[(b, c, *at)] = fold([x[(b, c, *place)] for _, place in pairs])
    return out


CONVS: dict[str, tuple[Any, ...]] = {
    # image, kernel, arguments; then what they mean: stride, margins, dilation, groups
    "plain": ((2, 3, 5, 6), (4, 3, 2, 3), {}, ((1, 1), ((0, 0),) * 2, (1, 1), 1)),
    "line": ((2, 2, 9), (3, 2, 3), {"stride": 2, "padding": 1}, ((2,), ((1, 1),), (1,), 1)),
    "same": (
        (1, 2, 5, 4),
        (2, 2, 2, 3),
        {"padding": "same"},
        ((1, 1), ((0, 1), (1, 1)), (1, 1), 1),
    ),
    "same and stride": (
        (1, 2, 7, 6),
        (2, 2, 3, 3),
        {"padding": "same", "stride": (2, 3)},
        ((2, 3), ((1, 1), (0, 0)), (1, 1), 1),
    ),
    "same and stride beyond the kernel": (
        (1, 1, 7),
        (1, 1, 1),
        {"padding": "same", "stride": 3},
        ((3,), ((0, 0),), (1,), 1),
    ),
    "dilation": (
        (2, 1, 7, 6),
        (2, 1, 2, 2),
        {"dilation": (3, 2), "padding": ((1, 0), 2)},
        ((1, 1), ((1, 0), (2, 2)), (3, 2), 1),
    ),
    "groups": (
        (2, 6, 4, 4),
        (4, 3, 3, 2),
        {"groups": 2, "padding": (1, 0)},
        ((1, 1), ((1, 1), (0, 0)), (1, 1), 2),
    ),
    "each channel alone": (
        (2, 3, 4, 4),
        (6, 1, 2, 2),
        {"groups": 3},
        ((1, 1), ((0, 0),) * 2, (1, 1), 3),
    ),
    "volume": (
        (1, 2, 4, 3, 5),
        (2, 2, 2, 2, 2),
        {"stride": (1, 1, 2), "padding": [(0, 1), (1, 0), (1, 1)]},
        ((1, 1, 2), ((0, 1), (1, 0), (1, 1)), (1, 1, 1), 1),
    ),
}
POOLS: dict[str, tuple[Any, ...]] = {
    "plain": ((2, 3, 4, 6), (2, {}), ((2, 2), (2, 2), ((0, 0), (0, 0)))),
    "the rest is left out": ((1, 2, 5, 7), ((2, 3), {}), ((2, 3), (2, 3), ((0, 0), (0, 0)))),
    "overlap": ((2, 1, 7), (3, {"stride": 2}), ((3,), (2,), ((0, 0),))),
    "margins": (
        (1, 2, 5, 5),
        (3, {"stride": 2, "padding": (1, (0, 2))}),
        ((3, 3), (2, 2), ((1, 1), (0, 2))),
    ),
    "same": ((1, 1, 5, 4), (2, {"padding": "same"}), ((2, 2), (2, 2), ((0, 1), (0, 0)))),
    "volume": ((1, 1, 3, 4, 3), (2, {"stride": 1}), ((2,) * 3, (1,) * 3, ((0, 0),) * 3)),
}


@pytest.mark.parametrize("case", CONVS.values(), ids=CONVS.keys())
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_conv_is_what_the_loops_give(case: Any, dtype: Any):
    x, kernel = draw(*case[0]).astype(dtype), draw(*case[1]).astype(dtype)
    out = nn.conv(x, kernel, **case[2])
    assert out.dtype == dtype
    want = slow_conv(x.astype(float), kernel.astype(float), *case[3])
    assert out.shape == want.shape
    np.testing.assert_allclose(out, want, rtol=0, atol=100 * np.finfo(dtype).eps)


@pytest.mark.parametrize("case", POOLS.values(), ids=POOLS.keys())
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_pools_are_what_the_loops_give(case: Any, dtype: Any):
    x, (window, more) = draw(*case[0]).astype(dtype) - 3.0, case[1]
    for pool, fold in ((nn.max_pool, max), (nn.avg_pool, np.mean)):
        out = pool(x, window, **more)
        assert out.dtype == dtype
        want = slow_pool(x, fold, *case[2])
        assert out.shape == want.shape
        np.testing.assert_allclose(out, want, rtol=20 * np.finfo(dtype).eps)


def test_a_pool_of_whole_numbers_keeps_them():
    x = np.array([[[-5, -7, -9]]])
    out = nn.max_pool(x, 2, padding="same")
    assert out.dtype == x.dtype
    np.testing.assert_array_equal(out, [[[-5, -9]]])
    np.testing.assert_array_equal(nn.avg_pool(x, 2, padding="same"), [[[-6.0, -9.0]]])


def test_batch_norm_is_the_formula_and_uses_given_statistics():
    x, scale, shift = draw(4, 3, 2, 5) * 3 + 1, draw(3, seed=1), draw(3, seed=2)
    y, mean, variance = nn.batch_norm(x, scale, shift)
    for c in range(3):
        part = x[:, c]
        want = (part - part.mean()) / np.sqrt(part.var() + 1e-5) * scale[c] + shift[c]
        np.testing.assert_allclose(y[:, c], want, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose((mean[c], variance[c]), (part.mean(), part.var()))
    again = nn.batch_norm(x[:1], scale, shift, mean=mean, variance=variance)
    np.testing.assert_allclose(again[0], y[:1])
    np.testing.assert_array_equal(again[1:], (mean, variance))
    y, mean, variance = nn.batch_norm(x, axis=(0, 3), epsilon=0.0)
    assert mean.shape == variance.shape == (3, 2)
    np.testing.assert_allclose(y.mean((0, 3)), 0.0, atol=1e-14)
    np.testing.assert_allclose(y.var((0, 3)), 1.0)


def test_layer_norm_is_the_formula():
    x, scale, shift = draw(4, 3, 5) + 2, draw(3, 5, seed=1), draw(3, 5, seed=2)
    y = nn.layer_norm(x, scale, shift, axis=(1, 2), epsilon=1e-3)
    for mine, row in zip(y, x, strict=True):
        want = (row - row.mean()) / np.sqrt(row.var() + 1e-3) * scale + shift
        np.testing.assert_allclose(mine, want, rtol=1e-12, atol=1e-12)


def slow_attention(q: Any, k: Any, v: Any, mask: Any) -> Any:
    out = np.zeros((len(q), v.shape[1]))
    for i in range(len(q)):
        looked = [j for j in range(len(k)) if mask[i, j]]
        weights = [math.exp(float(q[i] @ k[j]) / math.sqrt(q.shape[1])) for j in looked]
        for weight, j in zip(weights, looked, strict=True):
            out[i] += weight / sum(weights) * v[j]
    return out


def test_attention_is_what_the_loops_give():
    q, k, v = draw(2, 3, 4), draw(2, 5, 4, seed=1), draw(2, 5, 6, seed=2)
    mask = draw(3, 5, seed=3) > 0
    mask[1] = False
    for given, meant in ((None, np.ones((3, 5), bool)), (mask, mask)):
        want = [slow_attention(*parts, meant) for parts in zip(q, k, v, strict=True)]
        np.testing.assert_allclose(nn.attention(q, k, v, given), want, rtol=1e-12, atol=1e-14)


def test_attention_overflows_nowhere_and_a_query_that_sees_nothing_gets_nothing():
    q, v = np.array([[1e4], [-1e4], [1.0]]), np.array([[1.0], [2.0], [4.0]])
    mask = np.array([[True, True, False], [False, True, True], [False, False, False]])
    out, pull = co.vjp(lambda q, k, v: nn.attention(q, k, v, mask), q, q, v)
    np.testing.assert_array_equal(out, [[1.0], [2.0], [0.0]])
    d = pull(np.ones((3, 1)))
    assert all(np.isfinite(part).all() for part in d)
    np.testing.assert_array_equal(d[2], [[1.0], [1.0], [0.0]])


def test_embedding_reads_rows_and_its_gradient_adds_up():
    table, indices = draw(4, 2), np.array([[1, 3], [1, 0]])
    np.testing.assert_array_equal(nn.embedding(table, indices), table[indices])
    d = co.grad(lambda t: np.sum(nn.embedding(t, indices)))(table)
    np.testing.assert_array_equal(d, np.array([1.0, 2.0, 0.0, 1.0])[:, None] * np.ones((4, 2)))


# --- windows ------------------------------------------------------------------------------------

SEEN = [
    ((7,), (3,), 1, 1),
    ((2, 8), (2,), 3, 2),
    ((6, 9), (2, 4), (2, 1), (3, 2)),
    ((4,), (4,), 2, 1),
]


@pytest.mark.parametrize(("shape", "size", "stride", "dilation"), SEEN)
def test_windows_and_overlap_add_are_transposes(shape: Any, size: Any, stride: Any, dilation: Any):
    x = draw(*shape)
    seen = nn.windows(x, size, stride, dilation)
    steps, gaps = np.broadcast_to(stride, len(size)), np.broadcast_to(dilation, len(size))
    lead, middle = x.ndim - len(size), seen.ndim - len(size)
    for at in np.ndindex(seen.shape):
        place = np.array(at[lead:middle]) * steps + np.array(at[middle:]) * gaps
        assert seen[at] == x[(*at[:lead], *place)]
    g = draw(*seen.shape, seed=1)
    back = nn.overlap_add(g, shape[lead:], stride, dilation)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.sum(back * x), np.sum(g * seen), rtol=1e-12)
    assert nn.overlap_add(g.astype(np.float32), shape[lead:], stride, dilation).dtype == np.float32


@pytest.mark.parametrize(
    ("size", "axis"), [(2, 0), ((2, 3), None), ((2, 2), (1, 0)), ((3,), (-1,))]
)
def test_sliding_windows_of_numpy_run_unchanged(size: Any, axis: Any):
    x, view = draw(3, 4), np.lib.stride_tricks.sliding_window_view
    want = view(x, size, axis)
    np.testing.assert_array_equal(co.trace(lambda x: view(x, size, axis))(x).value, want)
    g = draw(*want.shape, seed=1)
    direction = draw(3, 4, seed=2)
    d = co.grad(lambda x: np.sum(g * view(x, size, axis)))(x)
    np.testing.assert_allclose(np.sum(d * direction), np.sum(g * view(direction, size, axis)))
    with pytest.raises(NotSupported, match="writeable"):
        co.grad(lambda x: np.sum(view(x, size, axis, writeable=True)))(x)


def test_windows_follow_writes_to_what_they_look_at():
    def f(x: Any) -> Any:
        y = x * 1.0
        seen = nn.windows(y, 2)
        before = np.sum(seen**2)
        y[0] = 3.0 * x[1]
        return before + np.sum(seen)

    x = np.array([1.0, 2.0, 5.0])
    value, d = co.value_and_grad(f)(x)
    assert value == 1 + 4 + 4 + 25 + (6 + 2 + 2 + 5)
    np.testing.assert_array_equal(d, [2.0, 8.0 + 3.0 + 2.0, 10.0 + 1.0])


# --- gradients ----------------------------------------------------------------------------------

SMOOTH: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    **{
        f"conv, {name}": (
            lambda x, k, more=case[2]: np.sum(np.sin(nn.conv(x, k, **more))),
            (draw(*case[0]), draw(*case[1])),
        )
        for name, case in CONVS.items()
    },
    **{
        f"{pool.__name__}, {name}": (
            lambda x, pool=pool, given=case[1]: np.sum(pool(x, given[0], **given[1]) ** 3),
            (draw(*case[0], seed=4),),
        )
        for name, case in POOLS.items()
        for pool in (nn.max_pool, nn.avg_pool)
    },
    "batch_norm": (
        lambda x, a, b: np.sum(np.sin(nn.batch_norm(x, a, b)[0])),
        (draw(3, 2, 4), draw(2, seed=1), draw(2, seed=2)),
    ),
    "batch_norm, its statistics": (
        lambda x: np.sum(np.exp(nn.batch_norm(x)[1])) + np.sum(np.sin(nn.batch_norm(x)[2])),
        (draw(3, 2, 4),),
    ),
    "batch_norm, running": (
        lambda x, m, s: np.sum(np.sin(nn.batch_norm(x, mean=m, variance=s * s)[0])),
        (draw(3, 2), draw(2, seed=1), draw(2, seed=2) + 2.0),
    ),
    "layer_norm": (
        lambda x, a, b: np.sum(np.sin(nn.layer_norm(x, a, b))),
        (draw(3, 4), draw(4, seed=1), draw(4, seed=2)),
    ),
    "embedding": (
        lambda t: np.sum(np.sin(nn.embedding(t, np.array([0, 2, 2])) * np.arange(1.0, 3.0))),
        (draw(3, 2),),
    ),
    "attention": (
        lambda q, k, v: np.sum(np.sin(nn.attention(q, k, v))),
        (draw(2, 3, 4), draw(2, 5, 4, seed=1), draw(2, 5, 2, seed=2)),
    ),
    "attention, one sequence with a mask": (
        lambda x: np.sum(np.sin(nn.attention(x, x * 2, x, np.tri(4, k=-1, dtype=bool)))),
        (draw(4, 3),),
    ),
}


def moved(args: Any, directions: Any, step: float) -> Any:
    return [x + step * t for x, t in zip(args, directions, strict=True)]


def slope(f: Any, args: Any, directions: Any) -> Any:
    ahead, behind = (f(*moved(args, directions, step)) for step in (STEP, -STEP))
    return (ahead - behind) / (2 * STEP)


def dot(a: Any, b: Any) -> Any:
    return sum(np.sum(x * y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("case", SMOOTH.values(), ids=SMOOTH.keys())
def test_the_gradient_is_the_slope_in_both_modes_and_orders(case: Any):
    f, args = case
    directions, weights = (
        tuple(draw(*x.shape, seed=seed + k) for k, x in enumerate(args)) for seed in (20, 30)
    )
    gradient = co.grad(f, argnums=tuple(range(len(args))))
    along = dot(gradient(*args), directions)
    np.testing.assert_allclose(along, slope(f, args, directions), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(co.jvp(f, args, directions)[1], along, rtol=1e-10, atol=1e-12)

    def bent(*args: Any) -> Any:
        return dot(gradient(*args), weights)

    expected = slope(bent, args, directions)
    second = co.grad(bent, argnums=tuple(range(len(args))))(*args)
    np.testing.assert_allclose(dot(second, directions), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(co.jvp(bent, args, directions)[1], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("case", SMOOTH.values(), ids=SMOOTH.keys())
def test_float32_stays_float32_both_ways(case: Any):
    f, args = case
    narrow = [x.astype(np.float32) for x in args]
    value, d = co.value_and_grad(f, argnums=tuple(range(len(args))))(*narrow)
    wide = co.grad(f, argnums=tuple(range(len(args))))(*args)
    if f is not SMOOTH["embedding"][0]:  # its test multiplies by a float64 array
        assert np.result_type(value) == np.float32
    for mine, theirs in zip(d, wide, strict=True):
        assert mine.dtype == np.float32
        np.testing.assert_allclose(mine, theirs, rtol=2e-4, atol=2e-4 * np.abs(theirs).max())


@pytest.mark.parametrize("case", SMOOTH.values(), ids=SMOOTH.keys())
def test_a_batch_is_each_alone(case: Any):
    f, args = case
    gradient = co.grad(f, argnums=tuple(range(len(args))))
    many = [np.stack([x, x + 0.25 * draw(*x.shape, seed=9), -x]) for x in args]
    for run in (f, lambda *args: gradient(*args)[0]):
        together = co.vmap(run)(*many)
        alone = np.stack([run(*(x[k] for x in many)) for k in range(3)])
        np.testing.assert_allclose(together, alone, rtol=1e-10, atol=1e-12)


def test_tied_winners_share():
    d = co.grad(lambda x: np.sum(nn.max_pool(x, 2)))(np.array([[[2.0, 2.0, 1.0, 3.0]]]))
    np.testing.assert_array_equal(d, [[[0.5, 0.5, 0.0, 1.0]]])


# --- on the tape, and refusals ------------------------------------------------------------------


def test_layers_are_drawn_as_one_box_and_windows_as_one_step():
    x, kernel = draw(1, 2, 4, 4), draw(3, 2, 2, 2)
    (step,) = co.trace(lambda x: nn.windows(x, 2))(x).circuit.steps
    assert step.gate.name == "windows"
    for f, args in (
        (nn.conv, (x, kernel)),
        (lambda x: nn.max_pool(x, 2), (x,)),
        (lambda x: nn.batch_norm(x)[0], (x,)),
        (lambda x: nn.attention(x, x, x), (x,)),
    ):
        steps = co.trace(f)(*args).circuit.steps
        marks = {frame.name for s in steps for frame in s.stack if isinstance(frame, Composed)}
        assert len(steps) > 1
        assert any(name.startswith("co.nn.") for name in marks)
        assert all(any(isinstance(frame, Composed) for frame in s.stack) for s in steps)


def test_any_argument_may_be_the_traced_one():
    x, kernel = draw(1, 2, 4), draw(3, 2, 2)
    d = co.grad(lambda k: np.sum(nn.conv(x, k)))(kernel)
    np.testing.assert_allclose(d[0], [[x[0, c, k : k + 3].sum() for k in (0, 1)] for c in (0, 1)])
    d = co.grad(lambda v: np.sum(nn.attention(np.zeros((2, 3)), np.zeros((4, 3)), v)))(draw(4, 1))
    np.testing.assert_allclose(d, np.full((4, 1), 0.5))
    d = co.grad(lambda b: np.sum(nn.layer_norm(np.ones((2, 3)), shift=b)))(np.zeros(3))
    np.testing.assert_array_equal(d, [2.0, 2.0, 2.0])


image = draw(1, 4, 5, 5)
REFUSALS: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "channels": (lambda x: nn.conv(x, np.ones((2, 3, 2, 2))), BadValue),
    "dimensions": (lambda x: nn.conv(x, np.ones((2, 4, 2))), BadValue),
    "groups": (lambda x: nn.conv(x, np.ones((3, 2, 2, 2)), groups=2), BadValue),
    "too large": (lambda x: nn.conv(x, np.ones((2, 4, 6, 2))), BadValue),
    "dilated too far": (lambda x: nn.conv(x, np.ones((2, 4, 3, 2)), dilation=3), BadValue),
    "stride": (lambda x: nn.conv(x, np.ones((2, 4, 2, 2)), stride=0), BadValue),
    "strides": (lambda x: nn.conv(x, np.ones((2, 4, 2, 2)), stride=(1, 1, 1)), BadValue),
    "word": (lambda x: nn.conv(x, np.ones((2, 4, 2, 2)), padding="full"), BadValue),
    "negative": (lambda x: nn.conv(x, np.ones((2, 4, 2, 2)), padding=-1), BadValue),
    "pairs": (lambda x: nn.conv(x, np.ones((2, 4, 2, 2)), padding=[(1, 1)]), BadValue),
    "margin": (lambda x: nn.max_pool(x, 2, padding=2), BadValue),
    "no space": (lambda x: nn.avg_pool(x[0, :, :, 0], ()), BadValue),
    "one statistic": (lambda x: nn.batch_norm(x, mean=np.zeros(4))[0], BadArgument),
    "float rows": (lambda x: nn.embedding(x, np.zeros(2)), BadArgument),
    "row outside": (lambda x: nn.embedding(x, np.array([1])), BadValue),
    "row below": (lambda x: nn.embedding(x, np.array([-1])), BadValue),
    "mask": (lambda x: nn.attention(x, x, x, np.ones((5, 5))), BadArgument),
    "windows": (lambda x: nn.windows(x, (2, 6)), BadValue),
    "no such windows": (lambda x: nn.overlap_add(x, 12), BadValue),
    "too few axes": (lambda x: nn.overlap_add(x[0, 0, 0], (2, 2)), BadValue),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS.keys())
def test_what_does_not_fit_is_refused_in_both_languages(case: Any):
    f, error = case
    for act in (f, co.trace(f), co.grad(lambda x: np.sum(f(x)))):
        with pytest.raises(error) as caught:
            act(image)
        said = [caught.value.render(lang).splitlines() for lang in LANGUAGES]
        assert said[0][0] != said[1][0]
        assert said[0][-1] != said[1][-1]
        assert "{" not in said[0][0] + said[1][0]
