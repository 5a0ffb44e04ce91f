"""Memory: a plan under a budget, the program that comes of it, and what its report tells."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_random_circuits import SETTINGS, assert_close, programs

import corrente as co
from corrente import translation
from corrente.compiler import jit, memory_report
from corrente.errors import BadArgument, BadValue, PathWarning
from corrente.memory import TooLittleMemory, as_text, least, parse, plan
from corrente.memory.survey import natural_peak, survey
from corrente.native.layouts import may_look
from corrente.passes import tidy
from corrente.recording import freeze, result_wires, run
from corrente.translation import gathered
from corrente.trees import take_apart

RNG = np.random.default_rng(0)
BATCH, WIDTH = 64, 8


def weights(depth: int) -> np.ndarray:
    return RNG.normal(size=(depth, WIDTH, WIDTH)) / np.sqrt(WIDTH)


def chain(weights, x):
    h = x
    for k in range(len(weights)):
        h = np.tanh(h @ weights[k])
    return np.mean(h * h)


X = RNG.normal(size=(BATCH, WIDTH))
both = co.value_and_grad(chain)


def circuit_of(f, *args):
    recording = run(f, args, {}, (), all_inputs=True)
    wires = [wire for wire in result_wires(recording)[1] if wire is not None]
    return gathered(tidy(freeze(recording, wires)))


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "count"),
    [
        *((1, 1), (4096, 4096), ("17", 17), ("2kB", 2000), ("2 KiB", 2048), ("200MB", 200 * 10**6)),
        *(("1.5GB", 1_500_000_000), ("64MiB", 64 * 2**20), ("1gb", 10**9), (" 3 TiB ", 3 * 2**40)),
    ],
)
def test_a_size_is_read(size, count):
    assert parse(size) == count


@pytest.mark.parametrize("size", ["", "MB", "-3MB", "3 lots", 0, -1, "0MB", "1e9x"])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(BadValue, match="size of memory"):
        jit(chain, memory=size)


@pytest.mark.parametrize("size", [1.5, True, [3]])
def test_another_type_is_refused(size):
    with pytest.raises(BadArgument, match="neither a number"):
        jit(chain, memory=size)


@given(st.integers(1, 10**15))
def test_a_size_is_written_with_three_digits(count):
    number, unit = as_text(count).split()
    assert parse(f"{float(number):.3f}{unit}") == pytest.approx(count, rel=6e-3)


# --- the plan -----------------------------------------------------------------------------------


def test_everything_is_kept_where_there_is_room():
    circuit = circuit_of(both, list(weights(6)), X)
    natural = natural_peak(survey(circuit, may_look))[0]
    found = plan(circuit, may_look, natural)
    assert found is not None
    assert found.peak == found.natural == natural
    assert found.extra == 0
    assert [turn.step for turn in found.order] == list(range(len(circuit.steps)))
    assert {use.reason for use in found.uses} == {"fits"}


@pytest.mark.parametrize("depth", [64, 144])
def test_two_square_roots_of_a_chain_cost_one_more_run_forward(depth):
    circuit = circuit_of(both, list(weights(depth)), X)
    state = X.nbytes
    found = plan(circuit, may_look, 2 * int(depth**0.5) * state)
    assert found is not None
    assert found.natural > depth * state
    assert sum(use.again for use in found.uses) <= 1.05 * depth


def test_a_smaller_budget_costs_more():
    circuit = circuit_of(both, list(weights(100)), X)
    extra = []
    for states in (80, 40, 20, 12):
        found = plan(circuit, may_look, states * X.nbytes)
        assert found is not None
        assert found.peak <= states * X.nbytes
        extra.append(found.extra)
    assert extra == sorted(extra)
    assert extra[0] > 0


def test_what_calls_back_to_python_is_never_run_twice():
    cube = co.gate(lambda x: x**3).defpull(lambda g, out, x: g * 3.0 * x * x)

    def f(x):
        for _ in range(12):
            x = np.tanh(np.sin(cube(x) @ np.ones((WIDTH, WIDTH))) @ np.eye(WIDTH))
        return np.sum(x)

    circuit = circuit_of(co.grad(f), X)
    natural = natural_peak(survey(circuit, may_look))[0]
    found = plan(circuit, may_look, natural * 9 // 10)
    assert found is not None
    assert found.extra > 0
    runs = [circuit.steps[turn.step].gate.name for turn in found.order]
    once = [step.gate.name for step in circuit.steps]
    assert runs.count("<lambda>") == once.count("<lambda>") == 12
    assert len(runs) > len(once)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_where_only_calls_back_could_be_run_twice_there_is_no_plan(share):
    cube = co.gate(lambda x: x**3).defpull(lambda g, out, x: g * 3.0 * x * x)

    def f(x):
        for _ in range(12):
            x = np.tanh(cube(x) @ np.ones((WIDTH, WIDTH)))
        return np.sum(x)

    circuit = circuit_of(co.grad(f), X)
    natural = natural_peak(survey(circuit, may_look))[0]
    found = plan(circuit, may_look, int(natural * share))
    runs = [] if found is None else [circuit.steps[turn.step].gate.name for turn in found.order]
    assert runs.count("<lambda>") in (0, 12)


def test_what_called_back_stays_while_others_are_made_from_it():
    cube = co.gate(lambda x: x**3).defpull(lambda g, out, x: g * 3.0 * x * x)
    turned = [RNG.normal(size=(WIDTH, WIDTH)) for _ in range(12)]

    def f(x):
        called = cube(x)
        return sum(np.sum(np.tanh(np.tanh(called @ w) @ w)) for w in turned)

    circuit = circuit_of(co.grad(f), X)
    natural = natural_peak(survey(circuit, may_look))[0]
    found = plan(circuit, may_look, natural // 2)
    assert found is not None
    assert found.extra > 0
    runs = [circuit.steps[turn.step].gate.name for turn in found.order]
    assert runs.count("<lambda>") == 1


def test_no_plan_is_made_of_too_little():
    circuit = circuit_of(both, list(weights(20)), X)
    assert plan(circuit, may_look, X.nbytes) is None
    best = least(circuit, may_look)
    assert X.nbytes < best.peak < best.natural / 2
    assert plan(circuit, may_look, best.peak) is not None


# --- the program --------------------------------------------------------------------------------


def same(one, other):
    np.testing.assert_array_equal(one[0], other[0])
    for a, b in zip(one[1], other[1], strict=True):
        np.testing.assert_array_equal(a, b)


def near(one, other):
    for a, b in zip(leaves(one), leaves(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-15)


def leaves(value):
    return take_apart(value).leaves


@pytest.mark.parametrize(("form", "depth"), [(np.asarray, 1000), (list, 250)])
def test_a_deep_chain_fits_into_a_tenth(form, depth):
    given = form(weights(depth))
    wanted = both(given, X)
    tenth = jit(both, memory=depth * X.nbytes // 10)
    near(tenth(given, X), wanted)
    report = memory_report(tenth)
    assert report.peak <= depth * X.nbytes // 10 <= report.natural // 10
    assert report.extra < 1.0


def test_a_plan_of_a_thousand_layers_takes_a_tenth():
    circuit = circuit_of(both, list(weights(1000)), X)
    found = plan(circuit, may_look, 100 * X.nbytes)
    assert found is not None
    assert found.natural > 1000 * X.nbytes
    assert found.peak <= 100 * X.nbytes
    assert sum(use.again for use in found.uses) <= 1000


@settings(SETTINGS, max_examples=25)
@given(programs(), st.sampled_from([0.4, 0.7]))
def test_random_programs_agree_under_tiny_budgets(program, share):
    f = co.value_and_grad(program.scalar, argnums=tuple(range(len(program.args))))
    full = jit(f)
    wanted = full(*program.args)
    report = full.__self__.report
    if report is None:
        return  # it runs as plain Python
    try:
        small = jit(f, memory=max(int(report.peak * share), 1))
        found = small(*program.args)
    except TooLittleMemory:
        return
    for one, other in zip(leaves(found), leaves(wanted), strict=True):
        assert_close(program, one, other)
    assert memory_report(small).peak <= max(report.peak * share, 1)


def test_a_step_that_trains_fits_too():
    def step(weights, x):
        return [w - 0.1 * g for w, g in zip(weights, co.grad(chain)(weights, x), strict=True)]

    given = list(weights(60))
    full, small = jit(step), jit(step, memory=25 * X.nbytes)
    for a, b in zip(full(given, X), small(given, X), strict=True):
        np.testing.assert_array_equal(a, b)
    assert memory_report(small).peak <= 25 * X.nbytes < memory_report(full).peak


def test_the_gradient_of_a_compiled_function_has_its_budget():
    given = list(weights(60))
    small = co.grad(jit(chain, memory=25 * X.nbytes))
    same((0.0, small(given, X)), (0.0, co.jit(co.grad(chain))(given, X)))
    assert memory_report(small).budget == 25 * X.nbytes
    assert memory_report(small).peak <= 25 * X.nbytes


def test_guards_and_other_paths_have_their_own_plan():
    def f(w, x):
        h = x
        for k in range(30):
            h = np.tanh(h @ w) if np.sum(x) > 0 else np.sin(h @ w) * (k + 1.0)
        return np.sum(h)

    w = weights(1)[0]
    small = jit(co.grad(f), memory=16 * X.nbytes)
    for x in (np.abs(X), -np.abs(X)):
        np.testing.assert_array_equal(small(w, x), jit(co.grad(f))(w, x))
        assert memory_report(small).peak <= 16 * X.nbytes


def test_float32_stays_and_takes_half():
    given, x = [w.astype(np.float32) for w in weights(60)], X.astype(np.float32)
    small = jit(both, memory=25 * x.nbytes)
    same(small(given, x), jit(both)(given, x))
    assert small(given, x)[1][0].dtype == np.float32


def test_the_peak_is_really_in_use_and_no_more(monkeypatch):
    sizes = []

    class Watched(translation.native.Native):
        def __init__(self, lowered, ways):
            super().__init__(lowered, ways)
            sizes.append(self._size)

    monkeypatch.setenv("CORRENTE_CANARIES", "1")
    monkeypatch.setattr(translation.native, "Native", Watched)
    small = jit(both, memory=20 * X.nbytes)
    given = list(weights(50))
    small(given, X)
    assert sizes == [memory_report(small).peak]


def test_a_process_stays_under_its_budget():
    """The first call too: what is traced is not kept."""
    code = """
    import resource
    import numpy as np
    from corrente import value_and_grad
    from corrente.compiler import jit, memory_report

    def chain(weights, x):
        h = x
        for w in weights:
            h = np.tanh(h @ w)
        return np.mean(h * h)

    rng = np.random.default_rng(0)
    x, given = rng.normal(size=(16384, 16)), list(rng.normal(size=(80, 16, 16)) / 4)
    jit(value_and_grad(chain), memory="1GB")(given, x[:8])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    small = jit(value_and_grad(chain), memory="40MB")
    small(given, x)
    report = memory_report(small)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    print(report.natural, report.peak, grown)
    """
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    natural, peak, grown = map(int, ran.stdout.split())
    assert natural > 160e6
    assert peak <= 40e6
    assert grown < 40e6 + 40e6  # the compiler's own, and a layer while it is traced


def test_huge_circuits_of_numbers_have_a_size_too():
    def f(x):
        for k in range(4000):
            x = np.sin(x) + float(k) * np.tanh(x) * x / (k + 1.0)
        return x

    with pytest.raises(TooLittleMemory):
        jit(co.grad(f), memory="1kB")(0.5)
    enough = jit(co.grad(f), memory="10MB")
    assert enough(0.5) == pytest.approx(co.grad(f)(0.5), rel=1e-9)
    assert memory_report(enough).peak <= 10**7


# --- what cannot be -----------------------------------------------------------------------------


def test_too_little_names_the_least_and_the_line():
    with pytest.raises(TooLittleMemory, match="does not fit into 1 kB") as caught:
        jit(both, memory="1kB")(list(weights(20)), X)
    said = str(caught.value)
    assert f"line {chain.__code__.co_firstlineno + 3}" in said
    assert isinstance(caught.value, ValueError)
    needed = int(said.split("memory=")[1].split(",")[0])
    small = jit(both, memory=needed)
    small(list(weights(20)), X)  # what it said is true
    assert memory_report(small).peak <= needed
    assert "não cabe em 1 kB" in caught.value.render("pt")
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), TooLittleMemory)


def test_a_function_that_runs_as_python_says_that_nothing_bounds_it():
    def f(x, rng):
        return np.sum(np.sin(x) * rng.spawn(1)[0].normal(size=x.shape))

    small = jit(co.grad(f), memory="1MB")
    with pytest.warns(PathWarning, match="does not bound"):
        small(X, np.random.default_rng(0))
    small(X, np.random.default_rng(0))  # once is enough


# --- the report ---------------------------------------------------------------------------------


def test_the_report_tells_what_is_kept_and_why():
    small = jit(both, memory=20 * X.nbytes)
    small(list(weights(60)), X)
    report = memory_report(small)
    assert report.budget == 20 * X.nbytes
    assert {use.reason for use in report.kept} == {"start", "fits"}
    assert {use.reason for use in report.recomputed} == {"again"}
    assert sum(use.nbytes for use in report.kept) <= report.peak
    assert len(report.kept) + len(report.recomputed) >= 60
    line = f"line {chain.__code__.co_firstlineno + 3}"
    for lang, words in {
        "en": ("memory of chain", "budget", "made again", "others are made again from here"),
        "pt": ("memória de chain", "orçamento", "refeitos", "outros são refeitos a partir daqui"),
    }.items():
        text = report.render(lang)
        assert all(word in text for word in words)
        assert line in text
    assert str(report) == report.render("en")


def test_without_a_budget_the_report_gives_the_bytes():
    full = jit(both)
    full(list(weights(20)), X)
    report = memory_report(full)
    assert report.budget is None
    assert report.peak == report.natural > 20 * X.nbytes


def test_there_is_no_report_of_what_was_not_compiled():
    with pytest.raises(BadArgument, match="no compiled function"):
        memory_report(chain)
    with pytest.raises(BadValue, match="no program yet"):
        memory_report(jit(chain))


def test_a_plan_is_a_value():
    circuit = circuit_of(both, list(weights(6)), X)
    found = plan(circuit, may_look, 10**9)
    assert found is not None
    assert replace(found, budget=1).budget == 1


# --- checkpoints --------------------------------------------------------------------------------


def block(h, *weights):
    for w in weights:
        h = np.tanh(h @ w)
    return h


def blocks(wrap, weights, x, size=8):
    h = x
    for k in range(0, len(weights), size):
        h = wrap(block)(h, *weights[k : k + size])
    return np.mean(h * h)


def with_checkpoints(weights, x):
    return blocks(co.checkpoint, weights, x)


@settings(max_examples=5, deadline=None, derandomize=True)
@given(st.sampled_from([8, 24, 40]))
def test_a_checkpoint_is_compiled_and_its_inside_made_again(depth):
    given_weights = list(weights(depth))
    plain, small = jit(both), jit(co.value_and_grad(with_checkpoints))
    wanted, found = plain(given_weights, X), small(given_weights, X)
    same(found, wanted)
    near(found, co.value_and_grad(with_checkpoints)(given_weights, X))
    assert not small.__self__._programs[next(iter(small.__self__._programs))][0].native._callbacks
    if depth > 16:
        assert memory_report(small).peak <= (8 + depth // 8 + 5) * X.nbytes
        assert memory_report(plain).peak >= depth * X.nbytes


def test_a_checkpoint_inside_a_step_that_trains():
    def step(weights, x, loss):
        return [w - g for w, g in zip(weights, co.grad(loss)(weights, x), strict=True)]

    given = list(weights(40))
    full = jit(lambda ws, x: step(ws, x, chain))
    small = jit(lambda ws, x: step(ws, x, with_checkpoints))
    same((0.0, small(given, X)), (0.0, full(given, X)))
    assert memory_report(small).peak < memory_report(full).peak / 2


def test_a_checkpoint_and_a_budget_go_together():
    given = list(weights(40))
    small = jit(co.value_and_grad(with_checkpoints), memory=11 * X.nbytes)
    same(small(given, X), jit(both)(given, X))
    assert memory_report(small).peak <= 11 * X.nbytes


def test_a_compiled_checkpoint_has_a_second_derivative():
    given = list(weights(8))
    loss = lambda x: with_checkpoints(given, x)
    bend = jit(lambda x: co.hvp(loss, (x,), (x,)))
    wanted = co.hvp(lambda x: chain(given, x), (X,), (X,))
    np.testing.assert_allclose(bend(X), wanted, rtol=1e-9, atol=1e-15)


def test_a_checkpoint_without_a_gradient_is_its_function():
    given = list(weights(16))
    np.testing.assert_allclose(jit(with_checkpoints)(given, X), chain(given, X), rtol=1e-12)


def test_a_long_chain_over_elements_is_cut_where_it_must():
    def deep(x):
        for _ in range(50):
            x = np.tanh(x) * 1.1
        return np.sum(x)

    x = np.linspace(-1.0, 1.0, 20_000)
    whole = co.jit(co.grad(deep))
    expected = whole(x)
    natural = memory_report(whole).natural
    for part in (2, 5):
        tight = co.jit(co.grad(deep), memory=natural // part)
        np.testing.assert_array_equal(tight(x), expected)
        assert memory_report(tight).peak <= natural // part
    with pytest.raises(TooLittleMemory) as caught:
        co.jit(co.grad(deep), memory="10B")(x)
    asked = int(re.search(r"memory=(\d+)", str(caught.value))[1])
    assert asked <= natural
    np.testing.assert_array_equal(co.jit(co.grad(deep), memory=asked)(x), expected)
