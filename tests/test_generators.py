"""Generators under jit: the draws of a compiled function are those of the plain one, in order."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import Impure, Leak
from corrente.generators import DRAWS, is_generator, lending
from corrente.training.stepping import named, prepare

X = np.array([0.5, -1.0, 2.0])
W = np.random.default_rng(9).normal(size=(3, 3))
TABLE = np.array([0.25, 4.0, 9.0])


def seeded(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def programs(f: Any) -> int:
    """Return how many programs were compiled; 0: the function runs plainly."""
    return sum(map(len, f.__self__._programs.values()))


def check(f: Callable[..., Any], *args: Any, calls: int = 3, rtol: float = 1e-12) -> Any:
    """Compare some compiled calls with plain ones, and the generators after each of them."""
    compiled = co.jit(f)
    one, other = seeded(), seeded()
    for _ in range(calls):
        found, wanted = compiled(*args, one), f(*args, other)
        assert type(found) is type(wanted)
        parts = (found, wanted) if isinstance(wanted, tuple) else ((found,), (wanted,))
        for a, b in zip(*parts, strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol)
        assert one.bit_generator.state == other.bit_generator.state
    return compiled


GIVEN: dict[str, tuple[Any, ...]] = {
    "binomial": (9, 0.4),
    "beta": (1.0, 2.0),
    "chisquare": (2.0,),
    "choice": (TABLE,),
    "dirichlet": ([1.0, 2.0, 3.0],),
    "f": (2.0, 3.0),
    "gamma": (2.0,),
    "geometric": (0.3,),
    "hypergeometric": (5, 4, 3),
    "integers": (1, 8),
    "logseries": (0.6,),
    "multinomial": (9, [0.2, 0.3, 0.5]),
    "multivariate_hypergeometric": ([3, 4, 5], 6),
    "multivariate_normal": ([0.0, 1.0, 2.0], np.eye(3)),
    "negative_binomial": (4, 0.5),
    "noncentral_chisquare": (2.0, 1.0),
    "noncentral_f": (2.0, 3.0, 1.0),
    "pareto": (3.0,),
    "permutation": (TABLE,),
    "permuted": (TABLE,),
    "power": (2.0,),
    "standard_gamma": (2.0,),
    "standard_t": (3.0,),
    "triangular": (0.0, 0.5, 1.0),
    "vonmises": (0.0, 1.0),
    "wald": (1.0, 1.0),
    "weibull": (2.0,),
    "zipf": (2.5,),
}


@pytest.mark.parametrize("method", DRAWS)
def test_every_method_draws_what_the_plain_function_draws(method: str):
    given = GIVEN.get(method, ())
    assert programs(check(lambda x, rng: x * getattr(rng, method)(*given), X)) == 1


KINDS: dict[str, Callable[..., Any]] = {
    "array": lambda x, rng: np.sum(x * rng.normal(size=3)),
    "float": lambda x, rng: rng.random(),
    "scalar": lambda x, rng: rng.integers(7),
    "int": lambda x, rng: rng.binomial(7, 0.5),
    "float32": lambda x, rng: rng.random(3, np.float32),
    "order": lambda x, rng: x * rng.normal(size=3) - rng.normal(size=3),
    "unused": lambda x, rng: (rng.normal(size=5), np.sum(x))[1],
    "undrawn": lambda x, rng: np.sum(x),
    "given what flows": lambda x, rng: rng.normal(x, np.abs(x) + 1.0),
    "given some of it": lambda x, rng: rng.normal([x[0], 1.0], scale=2.0),
    "closed over": lambda x, rng: x * rng.choice(TABLE, 3, p=[0.2, 0.3, 0.5]),
    "index": lambda x, rng: x[rng.permutation(3)],
    "permuted": lambda x, rng: rng.permutation(x),
    "written into": lambda x, rng: co.nn.written(rng.normal(size=3), 0.0, 1) * x,
    "by way of NumPy": lambda x, rng: x * np.random.default_rng(rng).normal(),
    "dropout": lambda x, rng: co.nn.dropout(x, 0.5, rng),
    "inner jit": lambda x, rng: co.jit(lambda y, r: y * r.normal(size=3))(x, rng) * x,
    "vmap": lambda x, rng: co.vmap(lambda y: y * rng.normal())(x),
}


@pytest.mark.parametrize("kind", KINDS)
def test_draws_are_steps_of_one_program(kind: str):
    assert programs(check(KINDS[kind], X)) == 1


def noisy(x: Any, rng: Any) -> Any:
    return np.sum(np.sin(x) * rng.normal(size=3))


ORDERS: dict[str, Callable[..., Any]] = {
    "grad": co.grad(noisy),
    "value_and_grad": co.value_and_grad(noisy),
    "hessian": co.hessian(noisy),
    "jacobian": co.jacobian(lambda x, rng: np.sin(x) * rng.normal(size=3)),
    "hvp": lambda x, rng: co.hvp(lambda y: noisy(y, rng), (x,), (np.ones(3),)),
    "jvp": lambda x, rng: co.jvp(lambda y: noisy(y, rng), (x,), (x,)),
    "twice": co.grad(lambda x, rng: np.sum(co.grad(noisy)(x, rng) ** 2)),
}


@pytest.mark.parametrize("order", ORDERS)
def test_gradients_take_what_was_drawn_as_constant(order: str):
    assert programs(check(ORDERS[order], X)) == 1


def test_two_calls_do_not_draw_the_same():
    f, rng = co.jit(co.grad(lambda x, rng: np.sum(co.nn.dropout(x, 0.5, rng)))), seeded()
    ones = np.ones(64)
    assert not np.array_equal(f(ones, rng), f(ones, rng))


def test_a_decision_on_a_draw_is_a_guard_and_a_failed_run_draws_nothing():
    def f(x: Any, rng: Any) -> Any:
        before = rng.normal(size=3)
        if rng.random() < 0.5:
            return np.sum(x * before)
        return np.sum(np.sin(x) * rng.normal(size=3)) + before[0]

    assert programs(check(f, X, calls=12)) == 2
    assert programs(check(co.grad(f), X, calls=12)) == 2


def test_a_drawn_number_may_choose_and_a_drawn_size_may_vary():
    assert programs(check(lambda x, rng: x * [1.0, 2.0, 3.0][rng.integers(3)], X, calls=12)) == 3
    sized = lambda x, rng: np.sum(x) * rng.normal(size=rng.integers(1, 4))
    assert programs(check(sized, X, calls=12)) == 3


@pytest.mark.filterwarnings("error")
def test_a_path_that_hangs_on_a_drawn_float_is_left_to_python():
    assert programs(check(lambda x, rng: x * float(rng.random()), X, calls=40)) == 0
    assert programs(check(lambda x, rng: x * np.asarray(rng.normal(size=3)), X, calls=40)) == 0


def test_a_loop_draws_each_turn():
    def f(w: Any, x: Any, rng: Any) -> Any:
        for _ in range(120):
            x = co.nn.dropout(np.tanh(w @ x + 0.1 * rng.normal(size=3)), 0.2, rng)
        return np.sum(x)

    assert programs(check(co.value_and_grad(f), W, X, calls=2, rtol=1e-9)) == 1


def test_a_long_loop_that_draws_is_left_to_python(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("corrente.translation.LENGTHY", 50)

    def f(x: Any, rng: Any) -> Any:
        for _ in range(30):
            x = np.sin(x) + rng.normal(size=3)
        return x

    assert programs(check(f, X)) == 0
    assert programs(check(lambda x, rng: x * rng.normal(size=3), X)) == 1


def shuffled(x: Any, rng: Any) -> Any:
    order = np.arange(3.0)
    rng.shuffle(order)
    return x * order


def filled(x: Any, rng: Any) -> Any:
    buffer = np.zeros(3)
    rng.random(out=buffer)
    return x * buffer


def in_a_gate(x: Any, rng: Any) -> Any:
    gate = co.gate(lambda x: x * rng.normal(size=3))
    gate.defpull(lambda g, out, x: g)
    return gate(x)


EXOTIC: dict[str, Callable[..., Any]] = {
    "shuffle": shuffled,
    "out": filled,
    "gate": in_a_gate,
    "bit generator": lambda x, rng: x * np.random.Generator(rng.bit_generator).normal(),
    "spawn": lambda x, rng: x * rng.spawn(1)[0].normal(),
    "deepcopy": lambda x, rng: x * copy.deepcopy(rng).normal(),
    "pickle": lambda x, rng: x * pickle.loads(pickle.dumps(rng)).normal(),
    "words": lambda x, rng: x * len(rng.choice(["a", "bc"])),
    "bytes": lambda x, rng: x * len(rng.bytes(3)),
    "text": lambda x, rng: (str(rng), x * rng.normal())[1],
}


@pytest.mark.parametrize("kind", EXOTIC)
def test_what_is_no_draw_of_numbers_stays_plain(kind: str):
    assert programs(check(EXOTIC[kind], X)) == 0


def test_a_draw_that_would_cut_a_gradient_raises_as_it_does_plainly():
    f = co.grad(lambda mean, rng: rng.normal(mean))
    for run in (f, co.jit(f)):
        with pytest.raises(Leak):
            run(1.0, seeded())


def test_an_argument_that_numpy_refuses_is_refused_by_numpy():
    f = co.jit(lambda scale, rng: rng.normal(0.0, scale, 3))
    assert f(1.0, seeded()).shape == (3,)
    for _ in range(2):
        with pytest.raises(ValueError, match="scale < 0"):
            f(-1.0, seeded())


def test_other_chance_is_refused_as_ever():
    with pytest.raises(Impure, match="draws random"):
        co.jit(lambda x, rng: x * rng.normal() * np.random.normal())(X, seeded())


def test_generators_may_be_one_and_the_same():
    f = lambda x, one, other: x * one.normal() - other.normal()
    compiled = co.jit(f)
    for alike in (True, False, True, False):
        pairs = [(first, first if alike else seeded(1)) for first in (seeded(), seeded())]
        np.testing.assert_allclose(compiled(X, *pairs[0]), f(X, *pairs[1]))
        assert pairs[0][0].bit_generator.state == pairs[1][0].bit_generator.state
    assert programs(compiled) == 2
    shared, alone = seeded(), seeded()
    twins = compiled(X, shared, np.random.Generator(shared.bit_generator))
    np.testing.assert_allclose(twins, f(X, alone, alone))
    assert programs(compiled) == 2


@pytest.mark.parametrize("kind", ["MT19937", "Philox", "SFC64", "PCG64DXSM"])
def test_any_bit_generator_will_do(kind: str):
    one, other = (np.random.Generator(getattr(np.random, kind)(1)) for _ in range(2))
    f = lambda x, rng: x * rng.normal(size=3)
    compiled = co.jit(f)
    for rng in (one, seeded()):
        again = other if rng is one else seeded()
        for _ in range(2):
            np.testing.assert_allclose(compiled(X, rng), f(X, again))
    assert programs(compiled) == 2


def test_they_may_be_nested_and_named():
    f = lambda given, *, rng: given["x"] * given["rng"].normal() - rng.normal()
    found = co.jit(f)({"x": X, "rng": seeded(1)}, rng=seeded(2))
    np.testing.assert_allclose(found, f({"x": X, "rng": seeded(1)}, rng=seeded(2)))


def deep(w: Any, x: Any, rng: Any) -> Any:
    for _ in range(8):
        x = co.nn.dropout(np.tanh(x @ w), 0.3, rng)
    return np.sum(x * x)


def test_a_budget_of_memory_makes_values_again_but_draws_once():
    w = seeded(1).normal(size=(40, 40)) * 0.1
    x = seeded(2).normal(size=(200, 40))
    f = co.value_and_grad(deep)
    free = co.jit(f, memory="1GB")
    free(w, x, seeded())
    natural = co.memory_report(free).natural
    tight = co.jit(f, memory=int(0.8 * natural))
    one, other = seeded(), seeded()
    for _ in range(2):
        found, wanted = tight(w, x, one), f(w, x, other)
        np.testing.assert_allclose(found[1], wanted[1], rtol=1e-8, atol=1e-10)
        assert one.bit_generator.state == other.bit_generator.state
    report = co.memory_report(tight)
    assert report.peak < natural
    assert any(use.again for use in report.uses)
    assert not [use for use in report.uses if use.gate == "draw" and use.again]


def test_threads_have_generators_of_their_own():
    f = lambda x, rng: np.tanh(x @ x) * rng.normal(size=x.shape)
    compiled, x = co.jit(f), seeded().normal(size=(60, 60))
    fine: list[bool] = []

    def work(seed: int) -> None:
        one, other = seeded(seed), seeded(seed)
        for _ in range(10):
            fine.append(np.allclose(compiled(x, one), f(x, other)))

    _in_threads([lambda seed=seed: work(seed) for seed in range(4)])
    assert fine == [True] * 40


def test_threads_that_share_a_generator_lose_no_draw_and_repeat_none():
    f = lambda x, rng: x * rng.normal() if rng.random() < 0.5 else x + rng.normal()
    compiled, shared, alone = co.jit(f), seeded(), seeded()
    found: list[float] = []
    _in_threads([lambda: found.extend(compiled(1.0, shared) for _ in range(60))] * 4)
    np.testing.assert_allclose(sorted(found), sorted(f(1.0, alone) for _ in range(240)))
    assert shared.bit_generator.state == alone.bit_generator.state


def _in_threads(works: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_calls_that_share_a_generator_take_turns():
    rng, began, go_on = seeded(), threading.Event(), threading.Event()
    order: list[str] = []

    def slow(token: Any) -> None:
        began.set()
        assert go_on.wait(10)
        order.append("slow")

    def quick() -> None:
        lending(lambda token: order.append("quick"), [np.random.Generator(rng.bit_generator)])

    threads = [threading.Thread(target=work) for work in (lambda: lending(slow, [rng]), quick)]
    threads[0].start()
    assert began.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    lending(lambda token: order.append("other"), [seeded()])
    go_on.set()
    for thread in threads:
        thread.join()
    assert order == ["other", "slow", "quick"]


def test_a_run_that_fails_gives_the_generator_back():
    rng = seeded()
    before = rng.bit_generator.state

    def run(token: Any) -> Any:
        rng.random()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lending(run, [rng])
    assert rng.bit_generator.state == before
    assert lending(lambda token: (rng.random(), NotImplemented)[1], [rng]) is NotImplemented
    assert rng.bit_generator.state == before
    assert lending(lambda token: is_generator(token), [rng]) is False


def loss(params: Any, x: Any, y: Any, rng: Any) -> Any:
    hidden = co.nn.dropout(co.nn.relu(x @ params["W"] + params["b"]), 0.3, rng)
    return np.mean((hidden @ params["v"] - y) ** 2)


def start(dtype: Any) -> dict[str, Any]:
    rng = seeded(3)
    made = {"W": rng.normal(size=(3, 8)), "b": np.zeros(8), "v": rng.normal(size=8)}
    return {name: value.astype(dtype) for name, value in made.items()}


def test_a_compiled_function_is_pickled_with_its_draws_to_come():
    again = pickle.loads(pickle.dumps(co.jit(loss)))
    x, y = np.ones((4, 3)), np.zeros(4)
    wanted = loss(start(float), x, y, seeded())
    np.testing.assert_allclose(again(start(float), x, y, seeded()), wanted)
    assert programs(again) == 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_training_with_dropout_is_the_plain_one_to_rounding(dtype: Any):
    x = seeded(4).normal(size=(96, 3)).astype(dtype)
    y = x @ np.array([1.0, -2.0, 0.5], dtype)
    options: dict[str, Any] = {"rate": 0.01, "epochs": 5, "batch_size": 32, "seed": 7}
    one, other = (
        co.train(loss, start(dtype), (x, y), compiled=c, **options) for c in (True, False)
    )
    tolerance = 1e-4 if dtype is np.float32 else 1e-9
    for name, value in one.params.items():
        assert value.dtype == dtype
        np.testing.assert_allclose(value, other.params[name], rtol=tolerance, atol=tolerance)


def test_a_step_of_training_that_draws_runs_no_python_of_the_loss():
    runs: list[None] = []

    def watched(params: Any, x: Any, y: Any, rng: Any) -> Any:
        runs.append(None)
        return loss(params, x, y, rng)

    stepper = prepare(watched, named("sgd"), start(float))
    batch = np.ones((4, 3)), np.zeros(4)
    leaves = stepper.advance(stepper.start, 0.1, batch, seeded(0)).leaves
    before = len(runs)
    stepper.advance(leaves, 0.1, batch, seeded(1))
    assert len(runs) == before
