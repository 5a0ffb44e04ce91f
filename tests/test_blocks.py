"""Structural gates: a loop means what its unrolled iterations mean, back, along and twice."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import corrente as co
from corrente.blocks import Layout, fused, loop, looped, sketching, together
from corrente.blocks import deriving as way
from corrente.circuit import Circuit
from corrente.errors import CircuitError
from corrente.interpreter import interpret

COUNT, WIDTH = 5, 3


def body_of(f: Any, *samples: Any) -> Circuit:
    return co.trace(f)(*samples).circuit


def cell(h: Any, c: Any, w: Any, b: Any, x: Any) -> Any:
    """Two states, a matrix and a number that stay, one slice; one result beside the states."""
    gate = 1.0 / (1.0 + np.exp(-(w @ h + b * x)))
    c = c * gate + x
    h = np.tanh(c) * gate
    return h, c, np.sum(h * x)


def numbers(dtype: Any = np.float64) -> list[Any]:
    rng = np.random.default_rng(3)
    shapes = [(WIDTH,), (WIDTH,), (WIDTH, WIDTH), (), (COUNT, WIDTH)]
    return [rng.normal(size=shape).astype(dtype)[()] for shape in shapes]


def cell_loop(reverse: bool = False, dtype: Any = np.float64) -> dict[str, Any]:
    h, c, w, b, x = numbers(dtype)
    body = body_of(cell, h, c, w, b, x[0])
    return {"body": body, "count": COUNT, "carries": 2, "constants": 2, "reverse": reverse}


def by_hand(h: Any, c: Any, w: Any, b: Any, x: Any, reverse: bool = False) -> list[Any]:
    """Run the same loop as Python: final states, states before each iteration, results."""
    before: list[Any] = [None] * COUNT
    results: list[Any] = [None] * COUNT
    for k in reversed(range(COUNT)) if reverse else range(COUNT):
        before[k] = h
        h, c, results[k] = cell(h, c, w, b, x[k])
    return [h, c, np.stack(before), np.stack(results)]


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_is_its_iterations_one_after_another(reverse: bool):
    given = numbers()
    found = looped(*given, **cell_loop(reverse), kept=(0,))
    for got, want in zip(found, by_hand(*given, reverse=reverse), strict=True):
        assert_array_equal(got, want, strict=True)


def scalars(run: Any) -> list[Any]:
    """Make losses of a loop's outputs: of all of them, and of each kind alone."""
    weights = np.linspace(-1.0, 2.0, COUNT * WIDTH).reshape(COUNT, WIDTH)

    def of_all(*given: Any) -> Any:
        h, c, before, results = run(*given)
        return np.sum(h * c) + np.sum(np.sin(before * weights)) + results @ weights[:, 0]

    return [
        of_all,
        lambda *given: np.sum(run(*given)[0]),
        lambda *given: np.sum(run(*given)[2] * weights),
        lambda *given: np.sum(run(*given)[3] * weights[:, 1]),
    ]


def pairs(reverse: bool, kept: tuple[int, ...] = (0,)) -> list[tuple[Any, Any]]:
    params = cell_loop(reverse)
    rolled = scalars(lambda *given: looped(*given, **params, kept=kept))
    unrolled = scalars(lambda *given: by_hand(*given, reverse=reverse))
    return list(zip(rolled, unrolled, strict=True))


EVERY = (0, 1, 2, 3, 4)


def assert_all_close(found: Any, wanted: Any) -> None:
    for got, want in zip(found, wanted, strict=True):
        assert got.dtype == want.dtype
        assert_allclose(got, want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("case", range(4))
@pytest.mark.filterwarnings("ignore::corrente.errors.UnreachedWarning")
def test_gradients_are_those_of_the_iterations(case: int, reverse: bool):
    rolled, unrolled = pairs(reverse)[case]
    given = numbers()
    assert_all_close(co.grad(rolled, EVERY)(*given), co.grad(unrolled, EVERY)(*given))


@pytest.mark.parametrize("argnum", EVERY)
def test_one_input_alone_is_differentiated(argnum: int):
    rolled, unrolled = pairs(False)[0]
    given = numbers()
    assert_allclose(co.grad(rolled, argnum)(*given), co.grad(unrolled, argnum)(*given), rtol=1e-10)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("case", [0, 3])
def test_tangents_are_those_of_the_iterations(case: int, reverse: bool):
    rolled, unrolled = pairs(reverse)[case]
    given = numbers()
    tangents = [np.cos(x + 1.0) for x in given]
    found, wanted = (co.jvp(f, given, tangents)[1] for f in (rolled, unrolled))
    assert_allclose(found, wanted, rtol=1e-10)


@pytest.mark.parametrize("argnum", EVERY)
def test_the_tangent_of_one_input_alone(argnum: int):
    params = cell_loop() | {"kept": (0,)}
    given = numbers()

    def moved(run: Any) -> Any:
        def f(x: Any) -> Any:
            return tuple(run(*given[:argnum], x, *given[argnum + 1 :]))

        return co.jvp(f, (given[argnum],), (np.ones_like(given[argnum]),))[1]

    rolled = moved(lambda *given: looped(*given, **params))
    for got, want in zip(rolled, moved(by_hand), strict=True):
        assert_allclose(got, want, rtol=1e-10)


@pytest.mark.parametrize("case", [0, 1, 3])
@pytest.mark.filterwarnings("ignore::corrente.errors.UnreachedWarning")
def test_second_derivatives_in_every_order_of_the_modes(case: int):
    rolled, unrolled = pairs(case == 1)[case]
    given = numbers()
    tangents = [np.cos(x + 1.0) for x in given]

    def along_back(f: Any) -> Any:
        return co.hvp(f, given, tangents)

    def back_back(f: Any) -> Any:
        def slope(*x: Any) -> Any:
            return sum(np.sum(g * t) for g, t in zip(co.grad(f, EVERY)(*x), tangents, strict=True))

        return co.grad(slope, EVERY)(*given)

    def back_along(f: Any) -> Any:
        return co.grad(lambda *x: co.jvp(f, x, tangents)[1], EVERY)(*given)

    for second in (along_back, back_back, back_along):
        assert_all_close(second(rolled), second(unrolled))


def test_the_numbers_agree_with_differences_to_third_order():
    rolled, _ = pairs(False)[0]
    co.check_grads(rolled, tuple(numbers()), order=3)


def test_float32_stays_float32():
    given = numbers(np.float32)
    params = cell_loop(dtype=np.float32)
    found = co.grad(lambda *x: np.sum(looped(*x, **params)[2]), EVERY)(*given)
    assert {g.dtype for g in found} == {np.dtype(np.float32)}
    assert looped(*given, **params)[2].dtype == np.float32


def test_python_numbers_are_carried_as_python_numbers():
    body = body_of(lambda total, k, x: (total + x * k, x), 0.0, 2.0, 1.0)
    total, seen = looped(
        0.0, 2.0, np.array([1.0, 2.0, 3.0]), body=body, count=3, carries=1, constants=1
    )
    assert type(total) is float
    assert (total, list(seen)) == (12.0, [1.0, 2.0, 3.0])


def test_integers_count_and_have_no_gradient():
    body = body_of(lambda n, h, x: (n + 1, h * x / n), np.int64(1), 1.0, 2.0)
    params = {"body": body, "count": 4, "carries": 2, "constants": 0}

    def f(h: Any, x: Any) -> Any:
        return looped(np.int64(1), h, x, **params)[1]

    x = np.array([1.0, 2.0, 3.0, 4.0])
    assert f(1.0, x) == 1.0
    assert_allclose(co.grad(f, 1)(2.0, x), 2.0 / x)


def test_integers_made_of_a_differentiated_number_have_no_gradient():
    body = body_of(lambda n, h, x: (n + 1, h * x * n), np.int64(1), 1.0, 2.0)

    def f(h: Any, x: Any) -> Any:
        n = np.floor(h).astype(np.int64)
        return looped(n, h, x, body=body, count=3, carries=2, constants=0)[1]

    x = np.array([2.0, 0.5, 3.0])
    assert f(1.5, x) == 27.0
    assert co.grad(f)(1.5, x) == 18.0
    assert co.jvp(f, (1.5, x), (1.0, 0.0 * x))[1] == 18.0


def test_a_python_number_takes_the_dtype_of_the_carry():
    body = body_of(lambda h, x: (h, h + x), np.float32(1.0), np.float32(1.0))
    x = np.ones(2, np.float32)
    h, seen = looped(2, x, body=body, count=2, carries=1, constants=0)
    assert type(h) is np.float32
    assert_array_equal(seen, np.float32([3.0, 3.0]), strict=True)


def test_a_carry_that_nothing_differentiates_is_left_alone():
    body = body_of(lambda a, b, x: (a * 2.0, b + a * x), 1.0, 0.0, 1.0)

    def f(x: Any) -> Any:
        return looped(1.0, 0.0, x, body=body, count=3, carries=2, constants=0)[1]

    assert_allclose(co.grad(f)(np.ones(3)), [1.0, 2.0, 4.0])


def test_the_way_back_is_one_loop():
    params = cell_loop() | {"kept": (0, 1)}
    traced = co.trace(co.grad(lambda *x: np.sum(looped(*x, **params)[0]), EVERY))(*numbers())
    loops = [step for step in traced.circuit.steps if step.gate is loop]
    assert [step.params["reverse"] for step in loops] == [False, True]
    assert len(traced.circuit.steps) < 12
    # gradients of two states and two sums, what stays, what was kept, and the slices: no zeros
    assert len(loops[1].ins) == 2 + 2 + 2 + 2 + 1
    traced.circuit.verify()
    for step in loops:
        step.params["body"].verify()


def test_what_was_kept_is_not_computed_again():
    def steps(kept: tuple[int, ...]) -> int:
        params = cell_loop() | {"kept": kept}
        f = co.grad(lambda *x: np.sum(looped(*x, **params)[0]), EVERY)
        return sum(step.gate is loop for step in co.trace(f)(*numbers()).circuit.steps)

    assert (steps((0, 1)), steps(())) == (2, 3)


def test_a_second_derivative_runs_nothing_again():
    params = cell_loop() | {"kept": (0, 1)}

    def slope(*x: Any) -> Any:
        found = co.grad(lambda *x: np.sum(looped(*x, **params)[0]), EVERY)(*x)
        return sum(np.sum(g * g) for g in found)

    steps = co.trace(co.grad(slope, EVERY))(*numbers()).circuit.steps
    assert sum(step.gate is loop for step in steps) == 4


def test_a_gradient_that_happens_to_be_zero_is_not_forgotten():
    params = cell_loop()

    def f(scale: Any, *x: Any) -> Any:
        return np.sum(looped(*x, **params)[2] * scale)

    given = numbers()
    circuit = co.trace(co.grad(f, 1))(0.0, *given).circuit
    assert_allclose(interpret(circuit, 1.0, *given)[0], co.grad(f, 1)(1.0, *given), rtol=1e-12)


def test_a_body_is_derived_once(monkeypatch: pytest.MonkeyPatch):
    params = cell_loop()
    given = numbers()
    f = co.grad(lambda *x: np.sum(looped(*x, **params)[0]), EVERY)
    first = f(*given)
    monkeypatch.setattr(way, "_Draft", None)
    for one, other in zip(first, f(*given), strict=True):
        assert_array_equal(one, other)


def test_a_body_is_forgotten_with_its_last_user():
    params = cell_loop()
    co.grad(lambda *x: np.sum(looped(*x, **params)[0]), EVERY)(*numbers())
    body = weakref.ref(params.pop("body"))
    gc.collect()
    assert body() is None


def test_a_rule_that_looks_at_its_numbers_opens_the_loop():
    @co.gate
    def bent(x: Any) -> Any:
        return abs(x)

    bent.defpull(lambda g, out, x: g if x > 0 else -g)
    body = body_of(lambda h, x: (bent(h) - x, h * x), 1.0, 2.0)
    params = {"body": body, "count": 3, "carries": 1, "constants": 0, "kept": (0,)}

    def rolled(h: Any, x: Any) -> Any:
        last, before, results = looped(h, x, **params)
        return last + np.sum(before * before) + np.sum(results)

    def unrolled(h: Any, x: Any) -> Any:
        total = 0.0
        for k in range(3):
            total = total + h * h + h * x[k]
            h = bent(h) - x[k]
        return h + total

    given = (1.0, np.array([2.0, 0.5, 3.0]))
    assert_all_close(
        map(np.asarray, co.grad(rolled, (0, 1))(*given)),
        map(np.asarray, co.grad(unrolled, (0, 1))(*given)),
    )
    tangents = (1.0, np.array([0.3, -0.2, 0.1]))
    assert_allclose(co.jvp(rolled, given, tangents)[1], co.jvp(unrolled, given, tangents)[1])


def test_the_convention_for_ties_is_asked_each_time():
    body = body_of(lambda h, x: (np.maximum(h, x), h), 1.0, 1.0)

    def f(h: Any, x: Any) -> Any:
        return looped(h, x, body=body, count=2, carries=1, constants=0)[0]

    given = (1.0, np.array([1.0, 0.0]))
    assert co.grad(f)(*given) == 0.5
    with co.ties("both"):
        assert co.grad(f)(*given) == 1.0
    assert co.grad(f)(*given) == 0.5


def test_results_share_no_memory_with_the_inputs():
    body = body_of(lambda h, x: (x, h), np.zeros(2), np.zeros(2))
    x = np.ones((3, 2))
    last, seen = looped(np.zeros(2), x, body=body, count=3, carries=1, constants=0)
    assert not np.shares_memory(last, x)
    assert not np.shares_memory(seen, x)


def test_a_sketch_has_the_shapes_and_dtypes_alone():
    given = numbers()
    params = cell_loop() | {"kept": (1,)}
    real = looped(*given, **params)
    with sketching():
        sketch = looped(*given, **params)
    assert [(y.shape, y.dtype) for y in sketch] == [(y.shape, y.dtype) for y in real]
    assert not np.array_equal(sketch[0], real[0])
    assert_array_equal(looped(*given, **params)[0], real[0])


def test_misfits_are_found_when_the_circuit_is_verified():
    h, c, w, b, x = numbers()
    params = cell_loop()
    circuit = body_of(lambda *given: tuple(looped(*given, **params)), h, c, w, b, x)
    circuit.verify()
    (step,) = circuit.steps
    wrong = step._replace(params={**step.params, "count": COUNT + 1})
    with pytest.raises(CircuitError, match="shape"):
        Circuit(circuit.wires, circuit.ins, {}, (wrong,), circuit.outs).verify()
    swapped = step._replace(ins=(*step.ins[2:3], *step.ins[1:2], *step.ins[:1], *step.ins[3:]))
    with pytest.raises(CircuitError, match="input 0 of the loop has shape"):
        Circuit(circuit.wires, circuit.ins, {}, (swapped,), circuit.outs).verify()
    body = params["body"]
    turned = Circuit(body.wires, body.ins, body.held, body.steps, body.outs[::-1])
    wrong = step._replace(params={**step.params, "body": turned})
    with pytest.raises(CircuitError, match="the loop carries shapes"):
        Circuit(circuit.wires, circuit.ins, {}, (wrong,), circuit.outs).verify()
    with pytest.raises(ValueError, match="4 inputs of a loop that has 5"):
        looped(h, c, w, b, **params)


def test_layout_says_where_everything_is():
    layout = Layout(**cell_loop(reverse=True))
    assert list(layout.order) == [4, 3, 2, 1, 0]
    assert layout.sliced == 4
    assert layout.entering(2).shape == (WIDTH, WIDTH)
    assert layout.leaving(2).shape == ()
    assert Layout(**layout.params) == layout


def test_a_loop_is_written_as_a_call():
    params = Layout(**cell_loop(reverse=True), kept=(1,)).params
    assert loop.code is not None
    names = ["h", "c", "w", "b", "x"]
    text = (
        "nn.loop(body, 5, carries=(h, c,), constants=(w, b,), slices=(x,), kept=(1,), reverse=True)"
    )
    assert loop.code(names, params) == text
    assert loop.code(["body_2", *names], params) == text.replace("body", "body_2")


# --- groups ---------------------------------------------------------------------------------------


def group(x: Any, y: Any) -> Any:
    z = np.exp(-x) * y
    return z, np.sum(z * z)


def test_a_group_is_its_steps():
    x, y = np.array([0.1, 0.2]), np.array([1.0, -2.0])
    body = body_of(group, x, y)
    found = together(x, y, body=body)
    for got, want in zip(found, group(x, y), strict=True):
        assert_array_equal(got, want, strict=True)

    def f(g: Any) -> Any:
        def scalar(x: Any, y: Any) -> Any:
            z, total = g(x, y)
            return np.sum(np.sin(z)) * total

        return scalar

    grouped, plain = f(lambda x, y: together(x, y, body=body)), f(group)
    assert_all_close(co.grad(grouped, (0, 1))(x, y), co.grad(plain, (0, 1))(x, y))
    assert_all_close(co.hvp(grouped, (x, y), (y, x)), co.hvp(plain, (x, y), (y, x)))
    co.check_grads(grouped, (x, y), order=2)


def test_a_group_is_one_step_with_the_shapes_of_its_results():
    x = np.array([0.1, 0.2])
    body = body_of(group, x, x)
    circuit = body_of(lambda x, y: tuple(together(x, y, body=body)), x, x).verify()
    assert [step.gate for step in circuit.steps] == [fused]
    assert fused.code is not None
    assert fused.code(["x", "y"], {"body": body}) == "body(x, y)"
    assert fused.code(["body_1", "x", "y"], {"body": body}) == "body_1(x, y)"
