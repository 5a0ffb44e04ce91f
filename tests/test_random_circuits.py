"""Random NumPy programs: plain, traced, interpreted, printed and differentiated, all agree."""

from __future__ import annotations

import itertools
import linecache
import re
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import corrente as co
from corrente import nn
from corrente.circuit import Circuit
from corrente.interpreter import interpret, run

SETTINGS = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
FEWER = settings(SETTINGS, max_examples=80)
SHAPES = [(3,), (2, 3), (3, 2), (1, 3), (3, 1), (3, 3), (2, 1, 3), (1,)]
LARGEST = 50.0
_SERIAL = itertools.count()


class Written(NamedTuple):
    """A program as source, as a function of one result and as one of several, and arguments."""

    source: str
    scalar: Callable[..., Any]
    several: Callable[..., Any]
    args: tuple[Any, ...]

    def __repr__(self) -> str:
        given = "\n".join(f"# {x!r} {getattr(x, 'dtype', '')} {np.shape(x)}" for x in self.args)
        return f"\n{self.source}{given}\n"


# --- lines, each a template over variables {a} and {b}; _ is the variable that is assigned -------

UNARY = """
np.sin({a}) | np.cos({a}) | np.tanh({a}) | np.arctan({a}) | -{a} | +{a} | np.exp(np.tanh({a}))
np.square(np.tanh({a})) | abs({a}) | np.absolute({a}) | nn.softplus({a}) | nn.relu({a})
nn.sigmoid({a}) | np.sqrt({a} * {a} + 1.0) | np.log(np.abs({a}) + 0.5) | {a} ** 2 | {a} ** 3
1.0 / (1.0 + {a} ** 2) | np.maximum({a}, 0.1) | np.minimum(0.7, {a}) | np.clip({a}, -1.0, 1.0)
np.where({a} > 0.3, {a}, 0.5 * {a}) | 2.0 - {a} | {a} - 1 | 3 * {a} | {a} / 4.0 | {a} % 1.0
np.sinh(np.tanh({a})) | np.cosh(np.sin({a})) | np.arcsinh({a}) | np.log1p({a} ** 2)
np.expm1(np.sin({a})) | np.cbrt({a} * {a} + 1.0) | np.reciprocal({a} * {a} + 2.0)
np.sign({a}) * {a} | np.floor({a}) * {a} | nn.leaky_relu({a}) | np.exp2(np.sin({a}))
np.arcsin(0.9 * np.sin({a})) | np.arctanh(0.5 * np.tanh({a})) | np.copy({a})
"""
BINARY = """
{a} + {b} | {a} - {b} | {a} * {b} | {a} / (1.0 + {b} * {b}) | np.maximum({a}, {b})
np.minimum({a}, {b}) | np.hypot({a}, {b} * {b} + 1.0) | np.arctan2({a}, {b} * {b} + 1.0)
np.where({a} > {b}, {a}, 2.0 * {b}) | np.logaddexp({a}, {b}) | ({a} ** 2 + 0.5) ** np.tanh({b})
np.multiply({a}, {b}) | np.subtract({a}, {b}) | np.add({a}, {b}) | np.fmax({a}, {b})
np.clip({a}, -1.0, np.abs({b})) | np.where({a} < 0.0, {b}, {a} * {b})
"""
ARRAY = """
np.sum({a}) | {a}.sum(axis=0) | np.sum({a}, axis=-1, keepdims=True) | np.mean({a}) | {a}.mean(0)
np.max({a}) | {a}.max(axis=-1) | np.min({a}, axis=0) | np.var({a}) | np.std({a} * {a} + {a})
np.prod(np.tanh({a})) | np.cumsum({a}) | np.cumsum({a}, axis=0) | nn.logsumexp({a})
nn.logsumexp({a}, axis=0) | nn.softmax({a}) | np.ptp({a}) | {a}.ravel()
{a}.T | np.transpose({a}) | {a}.reshape(-1) | np.ravel({a}) | {a}[None] | np.expand_dims({a}, -1)
np.flip({a}, 0) | np.roll({a}, 1) | np.roll({a}, 1, axis=0) | np.tile({a}, 2) | {a}[:, :1]
np.repeat({a}, 2, axis=0) | np.concatenate([{a}, {a}]) | np.stack([{a}, 2.0 * {a}])
np.squeeze({a}) | {a}[0] | {a}[-1] | {a}[..., ::2] | {a}[::-1]
{a}[[0, 0, -1]] | {a}[..., None] | {a}[...] | {a}[{a} > 0.1] | {a}[np.array([-1, 0])] | {a}[1:]
{a}[:1] | np.atleast_2d({a}) | {a}.copy() | np.outer({a}, {a}) | {a} @ {a}.T | {a}[0, -1]
np.dot({a}.reshape(-1), {a}.reshape(-1)) | np.diff({a}, axis=-1) | np.einsum('...i->...', {a})
np.einsum('...i,...i->...', {a}, {a}) | np.average({a})
np.broadcast_to({a}, (2, *{a}.shape)) | np.swapaxes(np.atleast_2d({a}), 0, 1) | np.pad({a}, 1)
{a} * FIXED | {a} @ np.ones(({a}.shape[-1], 2)) | {a} + np.arange({a}.shape[-1])
np.trace({a} @ {a}.T) | {a}[:, [0, 0]] | {a}[[0, -1], [0, 0]] | {a}.flatten() | {a}.clip(-1, 1)
"""
PAIRS = """
{a} @ {b} | {a}.T @ {b} | {a} @ {b}.T | np.matmul({a}, {b}) | np.dot({a}, {b}) | np.outer({a}, {b})
np.einsum('ij,jk->ik', {a}, {b}) | np.einsum('ij,kj->ik', {a}, {b}) | np.einsum('ij,ij', {a}, {b})
np.concatenate([{a}, {b}]) | np.concatenate([{a}, {b}], axis=-1) | np.stack([{a}, {b}], axis=-1)
np.hstack([{a}, {b}]) | np.vstack([{a}, {b}]) | np.tensordot({a}, {b}, 1) | np.inner({a}, {b})
np.array([np.sum({a}), np.sum({b})], like={a}) | np.append({a}, {b})
np.array([np.sum({a}), np.max({b})]) * np.sum({a}) | np.where({a} > 0, {b}, FIXED)
"""
WRITES = """
_ = np.zeros({a}.shape, like={a}); _[0] = np.sin({a}[0]); _[-1] += {a}[0]
_ = {a}.copy(); _[0] = 2.0 * {a}[-1]
_ = {a} * 1.0; _ *= {a}
_ = {a} + 0.0; _ += 1.0; _ -= {a} * {a}
_ = np.copy({a}); w = _[::-1]; w[0] = 3.0 * {a}[0]
_ = np.copy({a}); w = _[:1]; w += {a}[:1]; _[-1] = w[0] * 0.5
_ = np.copy({a}); w = _[:1]; w[[0, 0]] = 2.0 * {a}[-1]; _[-1] += w[0]
_ = {a}.copy(); np.add.at(_, [0, 0, -1], {a}[0])
_ = np.zeros_like({a}); _[...] = np.cos({a})
_ = np.zeros((2, *{a}.shape), like={a}); _[0] = {a}; _[1] = _[0] * {a}
_ = {a}.copy(); _[{a} > 0] = 0.5
_ = {a}.copy(); _[[0, 0]] = {a}[-1] * 2.0; _[0] *= _[0]
_ = {a} * 2.0; w = np.sum(_ * _); _[0] = 1.0; _ = _ * np.tanh(w)
_ = {a}.copy(); w = _ * _; _[0] = 0.0; _ = _ + w
_ = np.zeros(3, like={a}); cumulate(_, {a})
"""
BRANCHES = """
_ = {a} * 2.0 if np.sum({a}) > 0.1 else {a} - 1.0
_ = np.sin({a}) if np.max({a}) > 0.5 else np.cos({a})
"""


def cumulate(buffer: Any, a: Any) -> None:
    """Write element after element, each made from the one before it."""
    for k in range(len(buffer)):
        buffer[k] = np.sum(a) * 0.1 + (np.sin(buffer[k - 1]) if k else 0.0)


def expressions(text: str) -> list[str]:
    return [f"_ = {part.strip()}" for line in text.splitlines() if line for part in line.split("|")]


FAMILIES = (
    [(t, False) for t in expressions(UNARY)],
    [(t, False) for t in expressions(BINARY)],
    [(t, True) for t in expressions(ARRAY)],
    [(t, True) for t in expressions(PAIRS)],
    [(t, True) for t in WRITES.strip().splitlines()],
    [(t, False) for t in BRANCHES.strip().splitlines()],
)
FIXED = np.array([0.5, -1.0, 2.0])
NAMES = {"np": np, "nn": nn, "FIXED": FIXED, "cumulate": cumulate}


def usable(value: Any) -> bool:
    array = np.asarray(value)
    return (
        array.dtype.kind == "f"
        and 0 < array.size <= 60
        and array.ndim <= 4
        and bool(np.isfinite(array).all())
        and float(np.abs(array).max()) <= LARGEST
    )


def defined(source: str) -> Callable[..., Any]:
    """Run a definition, known to `linecache` so that places and names can be found."""
    name = f"<random {next(_SERIAL)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space: dict[str, Any] = dict(NAMES)
    exec(compile(source, name, "exec"), space)
    return space["f"]


def drawn_line(draw: Any, known: dict[str, Any], number: int) -> str | None:
    """Draw one line and run it on the known values; None if it does not suit them."""
    template, arrays = draw(st.sampled_from(draw(st.sampled_from(FAMILIES))))
    names = [n for n, v in known.items() if not arrays or np.ndim(v)]
    if not names:
        return None
    # later names are chosen more often, so that programs grow deep
    a, b = (names[-1 - draw(st.integers(0, len(names) - 1)) // 2] for _ in range(2))
    locals_ = [n for n in known if n.startswith("v")]
    again = bool(locals_) and draw(st.integers(0, 5)) == 0
    target = draw(st.sampled_from(locals_)) if again else f"v{number}"
    line = re.sub(r"\b_\b", target, template).replace("{a}", a).replace("{b}", b)
    trial = {**NAMES, **{n: np.copy(v)[()] if np.ndim(v) else v for n, v in known.items()}}
    try:
        exec(line, trial)
    except (ValueError, TypeError, IndexError, np.exceptions.AxisError):
        return None
    if not usable(trial[target]):
        return None
    known[target] = trial[target]
    return line


@st.composite
def programs(draw: Any) -> Written:
    """Draw arguments, then lines that suit them, then what is returned."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from([np.float64, np.float64, np.float32]))
    args: list[Any] = []
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(st.sampled_from(SHAPES))
        args.append(rng.normal(size=shape).astype(dtype))
    if draw(st.booleans()):
        one = float(rng.normal())
        args.append(draw(st.sampled_from([one, dtype(one), np.array(one, dtype)])))
    known = {f"x{k}": value for k, value in enumerate(args)}
    lines = []
    for number in range(draw(st.integers(3, 9))):
        line = drawn_line(draw, known, number)
        if line is not None:
            lines.append(line)
    if not lines:
        reject()
    head = f"def f({', '.join(f'x{k}' for k in range(len(args)))}):\n"
    body = head + "".join(f"    {part.strip()}\n" for line in lines for part in line.split(";"))
    ends = dict.fromkeys([*(f"x{k}" for k in range(len(args))), *list(known)[-3:]])
    total = " + ".join(f"np.sum({name})" for name in ends)
    scalar = f"{body}    return {total}\n"
    several = f"{body}    return {', '.join(ends)},\n"
    return Written(scalar, defined(scalar), defined(several), tuple(args))


# --- what must agree ----------------------------------------------------------------------------


def near(program: Written) -> float:
    single = any(getattr(x, "dtype", None) == np.float32 for x in program.args)
    return 1e-4 if single else 1e-9


def assert_close(program: Written, found: Any, expected: Any) -> None:
    """Compare two results of the same computation done in another order."""
    assert np.shape(found) == np.shape(expected)
    tolerance = near(program)
    scale = float(np.max(np.abs(expected), initial=0.0))
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * max(1.0, scale))


def assert_same(program: Written, found: Any, expected: Any) -> None:
    """Compare two results of the very same operations, to the last bit, their types as well."""
    assert getattr(found, "dtype", float) == getattr(expected, "dtype", float)
    if "**" in program.source:
        # NumPy's power of an array, of a scalar and Python's own differ in the last bit
        assert_close(program, found, expected)
    else:
        np.testing.assert_array_equal(found, expected)


def printed(circuit: Circuit, *ins: Any) -> Any:
    """Run what a circuit prints as."""
    space = {"np": np, "nn": nn}
    exec(str(circuit), space)
    held = {circuit.identifiers[w]: v for w, v in circuit.held.items() if w in circuit.identifiers}
    return space["circuit"](*ins, **held)


def traced(program: Written) -> co.Program:
    t = co.trace(program.scalar)(*program.args)
    t.circuit.verify()
    return t


def copies(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(np.copy(x) if isinstance(x, np.ndarray) else x for x in args)


@SETTINGS
@given(programs())
def test_a_traced_program_gives_what_the_plain_one_gives(program: Written):
    args = copies(program.args)
    plain = program.scalar(*program.args)
    t = traced(program)
    assert_same(program, t.value, plain)
    assert_same(program, interpret(t.circuit, *program.args)[0], plain)
    assert_same(program, printed(t.circuit, *program.args), plain)
    kept = run(t.circuit, *program.args, keep=True)
    for wire in t.circuit.wires:
        assert_same(program, kept[wire.id], t.run.values[wire.id])
    for before, after in zip(args, program.args, strict=True):
        np.testing.assert_array_equal(before, after)


@SETTINGS
@given(programs())
def test_all_ways_to_the_gradient_agree(program: Written):
    args = program.args
    t = traced(program)
    value, eager = co.value_and_grad(program.scalar, argnums=tuple(range(len(args))))(*args)
    assert_same(program, value, t.value)
    for x, one, other in zip(args, eager, t.grads, strict=True):
        assert type(one) is type(x) or isinstance(one, np.generic)
        assert getattr(one, "dtype", float) == getattr(x, "dtype", float)
        assert np.shape(one) == np.shape(x)
        assert_same(program, one, other)
    back = t.backward.circuit.verify()
    given_back = [t.backward.values[wire] for wire in back.ins]
    reached = [wire for wire in sorted(t.run.parameters) if wire in t.run.gradients]
    for found in (interpret(back, *given_back), printed(back, *given_back)):
        found = found if isinstance(found, list | tuple) else (found,)
        for wire, gradient in zip(reached, found, strict=True):
            assert_same(program, gradient, t.run.gradients[wire])


@SETTINGS
@given(programs())
def test_forward_mode_is_the_transpose_of_reverse_mode(program: Written):
    args = program.args
    rng = np.random.default_rng(0)
    u = tuple(like(x, rng) for x in args)
    y, dy = co.jvp(program.several, args, u)
    v = tuple(like(part, rng) for part in y)
    _, pull = co.vjp(program.several, *args)
    du = pull(v)
    forward = [np.sum(np.multiply(a, b, dtype=float)) for a, b in zip(v, dy, strict=True)]
    backward = [np.sum(np.multiply(a, b, dtype=float)) for a, b in zip(u, du, strict=True)]
    for part, moved in zip(y, dy, strict=True):
        assert np.shape(moved) == np.shape(part)
        assert getattr(moved, "dtype", float) == getattr(part, "dtype", float)
    size = sum(float(np.sum(np.abs(np.multiply(a, b)))) for a, b in zip(v, dy, strict=True))
    size += sum(float(np.sum(np.abs(np.multiply(a, b)))) for a, b in zip(u, du, strict=True))
    assert abs(sum(forward) - sum(backward)) <= near(program) * (1.0 + size)


def like(x: Any, rng: np.random.Generator) -> Any:
    drawn = rng.normal(size=np.shape(x))
    return float(drawn) if type(x) is float else drawn.astype(x.dtype)[()]


@FEWER
@given(programs())
def test_the_numbers_agree_with_the_gradient_of_any_order(program: Written):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", co.TieWarning)
        found = co.check_grads(program.several, program.args)
    assert found.comparisons or found.kinks


@FEWER
@given(programs())
def test_every_program_is_drawn_and_told(program: Written):
    t = traced(program)
    assert str(t)
    assert t.explain("en")
    assert t.explain("pt")
    assert t.listing()
    assert t._repr_svg_().startswith("<svg")
