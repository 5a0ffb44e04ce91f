"""Rolling changes no bit: loops found, loops refused, and the gradients through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import corrente as co
from corrente.blocks import loop
from corrente.circuit import Circuit
from corrente.interpreter import interpret, run
from corrente.passes.periods import Region, Table, find_regions
from corrente.passes.roll import roll
from corrente.passes.share import share
from corrente.passes.trim import trim

TIMES = 8


def traced(f: Callable[..., Any], *args: Any) -> Circuit:
    return co.trace(f)(*args).circuit


def rolled(f: Callable[..., Any], *args: Any, least: int = 8) -> Circuit:
    """Roll a function's circuit and hold the result against it, bit for bit."""
    circuit = traced(f, *args)
    found = roll(circuit, least).verify()
    assert_same_bits(interpret(found, *inputs(circuit, args)), circuit, args)
    assert_same_bits(interpret(trim(found).verify(), *inputs(circuit, args)), circuit, args)
    return found


def inputs(circuit: Circuit, args: Sequence[Any]) -> list[Any]:
    """Return the arguments that are inputs: numbers and arrays, in order, lists opened."""
    found = [part for x in args for part in (x if isinstance(x, list) else [x])]
    assert len(found) == len(circuit.ins)
    return found


def assert_same_bits(found: Sequence[Any], circuit: Circuit, args: Sequence[Any]) -> None:
    wanted = interpret(circuit, *inputs(circuit, args))
    for wire, got, want in zip(circuit.outs, found, wanted, strict=True):
        assert np.shape(got) == np.shape(want) == circuit.wires[wire].shape
        assert np.asarray(got).dtype == np.asarray(want).dtype
        assert np.asarray(got).tobytes() == np.asarray(want).tobytes()


def names(circuit: Circuit) -> list[str]:
    return [step.gate.name for step in circuit.steps]


def only_loop(circuit: Circuit) -> Any:
    (step,) = [step for step in circuit.steps if step.gate is loop]
    return step


def vector(n: int = TIMES, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n)


def matrix(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape)


# --- what a rolled loop looks like ----------------------------------------------------------------


def scan(h: Any, w: Any, x: Any) -> Any:
    for t in range(TIMES):
        gate = np.tanh(w * h)
        h = gate + x[t]
    return h


def test_a_loop_is_one_step_with_the_users_names_in_its_body():
    args = np.ones(3), np.ones(3), matrix(TIMES, 3)
    circuit = rolled(scan, *args)
    step = only_loop(circuit)
    assert str(circuit).replace("body_1", "body").splitlines()[-2:] == [
        "    h_1, v4 = nn.loop(body, 8, carries=(h,), constants=(w,), slices=(x,), kept=(0,))",
        "    return h_1",
    ]
    assert str(step.params["body"]) == (
        "def circuit(h, w, v4):\n"
        "    v2 = w * h\n"
        "    gate = np.tanh(v2)\n"
        "    h_1 = gate + v4\n"
        "    return h_1"
    )
    first = traced(scan, *args).steps[0]
    assert (step.where, step.stack) == (first.where, first.stack)


def test_what_nobody_reads_is_trimmed():
    circuit = rolled(scan, np.ones(3), np.ones(3), matrix(TIMES, 3))
    assert only_loop(circuit).params["kept"] == (0,)
    trimmed = trim(circuit)
    assert only_loop(trimmed).params["kept"] == ()
    assert len(only_loop(trimmed).outs) == 1
    assert trim(trimmed) is trimmed


def test_results_that_are_no_longer_read_leave_the_body():
    def f(h: Any) -> Any:
        seen = []
        for _ in range(TIMES):
            h = np.sin(h) * 0.5
            seen.append(np.exp(h))
        return h, np.stack(seen)

    circuit = rolled(f, 0.3 * np.ones(2))
    assert len(only_loop(circuit).params["body"].steps) == 3
    alone = Circuit(circuit.wires, circuit.ins, circuit.held, circuit.steps, circuit.outs[:1])
    assert len(only_loop(trim(alone).verify()).params["body"].steps) == 2


READS: dict[str, Callable[[Any, int], Any]] = {
    "x[t]": lambda x, t: x[t],
    "x[t+1]": lambda x, t: x[t + 1],
    "x[t-1]": lambda x, t: x[t - 1],
    "x[-1-t]": lambda x, t: x[-1 - t],
    "x[2t+1]": lambda x, t: x[2 * t + 1],
    "x[n-t]": lambda x, t: x[2 * TIMES + 1 - t],
    "x[T-1-t]": lambda x, t: x[TIMES - 1 - t],
    "x[t*t]": lambda x, t: x[t * t % 11],
    "x[t, 1]": lambda x, t: x[t, 1],
    "x[1, t]": lambda x, t: x[1, t],
    "x[:, t]": lambda x, t: np.sum(x[:, t]),
    "x[t, ::-1]": lambda x, t: x[t, ::-1],
    "x[..., t]": lambda x, t: np.sum(x[..., t]),
    "x[None, t]": lambda x, t: x[None, t],
    "x[2:, None, t*t]": lambda x, t: np.sum(x[2:, None, t * t % 7]),
    "x[t][1]": lambda x, t: x[t][1],
    "for row in x": lambda x, t: x[t] * x[t + 2],
}


@pytest.mark.parametrize("form", READS)
def test_indices_that_move_become_slices(form: str):
    def f(x: Any) -> Any:
        h = np.sin(x[0])
        for t in range(TIMES):
            h = np.sin(h) - READS[form](x, t)
        return h

    circuit = rolled(f, matrix(2 * TIMES + 2, 2 * TIMES + 2))
    assert names(circuit).count("loop") == 1
    assert len(circuit.steps) < 12
    if form in ("x[t]", "x[t-1]", "x[:, t]"):
        gathers = [step for step in circuit.steps if step.gate.name == "getitem"]
        assert len(gathers) <= 3


def test_the_whole_array_is_read_as_it_is():
    step = only_loop(rolled(scan, np.ones(3), np.ones(3), matrix(TIMES, 3)))
    assert step.ins[-1] == 2


def test_the_state_of_two_iterations_ago():
    def f(a: Any, b: Any) -> Any:
        for _ in range(TIMES):
            a, b = b, np.sin(a) - 0.5 * b
        return a, b

    circuit = rolled(f, np.float64(0.5), np.float64(0.25))
    assert "loop" in names(circuit)
    assert only_loop(circuit).params["carries"] == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_change_are_held_in_an_array(dtype: Any):
    def f(x: Any) -> Any:
        for t in range(TIMES):
            x = np.cos(x * (0.1 * t)) + t
        return x

    circuit = rolled(f, np.ones(2, dtype))
    assert names(circuit) == ["loop"]
    arrays = [value for value in circuit.held.values() if isinstance(value, np.ndarray)]
    assert sorted(array.dtype.kind for array in arrays) == ["f", "i"]
    assert not any(array.flags.writeable for array in arrays)


def test_minus_zero_and_zero_are_two_numbers():
    signs = [0.0, -0.0, 0.0, -0.0, -0.0]

    def f(x: Any) -> Any:
        for sign in signs:
            x = np.copysign(x, sign) * 1.5
        return x

    assert "loop" in names(rolled(f, np.ones(2)))


def test_a_layer_for_each_iteration():
    layers = [matrix(3, 3) * k for k in range(1, 7)]

    def f(x: Any, weights: Any) -> Any:
        for w in weights:
            x = np.tanh(w @ x)
        return x

    circuit = rolled(f, np.ones(3), layers)
    assert names(circuit) == ["stack", "loop"]


def test_every_state_gathered_in_a_list_comes_out_stacked():
    def f(h: Any) -> Any:
        states = []
        for _ in range(TIMES):
            h = np.sin(h) * 0.5
            states.append(h)
        return np.stack(states), np.stack(states, axis=1), states[2]

    assert names(rolled(f, np.ones(3))) == ["loop", "transpose", "getitem"]


def test_a_second_loop_reads_what_the_first_made():
    def f(h: Any, x: Any) -> Any:
        states = []
        for t in range(TIMES):
            h = np.sin(h) * x[t]
            states.append(h)
        total = 0.0
        for state in states:
            total = total + np.sum(np.exp(state))
        return total

    circuit = rolled(f, np.ones(3), vector())
    assert names(circuit) == ["loop", "loop"]


def test_a_list_of_rows_made_beforehand():
    def f(h: Any, x: Any) -> Any:
        rows = [x[t] for t in range(TIMES)]
        for row in rows:
            h = np.sin(h) * row
        return h

    assert names(rolled(f, np.ones(3), matrix(TIMES, 3))) == ["loop"]


@pytest.mark.parametrize("start", [0, 0.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_sum_may_begin_with_a_python_number(start: Any, dtype: Any):
    def f(x: Any) -> Any:
        total = start
        for t in range(TIMES):
            total = total + np.exp(x[t])
        return total

    circuit = rolled(f, vector().astype(dtype))
    assert names(circuit) == ["loop"]
    assert only_loop(circuit).params["count"] == TIMES


def test_python_floats_stay_python_floats():
    def f(x: Any, y: Any) -> Any:
        for _ in range(TIMES):
            x = x * y + 0.5
        return x

    circuit = rolled(f, 0.5, 0.25)
    assert names(circuit) == ["loop"]
    assert type(interpret(circuit, 0.5, 0.25)[0]) is float


def test_what_does_not_change_is_done_once_before():
    def f(h: Any, w: Any) -> Any:
        for _ in range(TIMES):
            h = np.tanh(np.exp(w[0]) * h)
        return h

    circuit = rolled(f, np.ones(2), matrix(3, 2))
    assert names(circuit) == ["getitem", "exp", "loop"]


def test_a_gate_of_the_users_own_is_asked_as_often_as_before():
    @co.gate
    def own(w: Any) -> Any:
        return w * 2.0

    own.defpull(lambda g, out, w: 2.0 * g)

    def f(h: Any, w: Any) -> Any:
        for _ in range(TIMES):
            h = np.tanh(own(w) * h)
        return h

    body = only_loop(rolled(f, np.ones(2), np.ones(2))).params["body"]
    assert [step.gate.name for step in body.steps] == ["own", "multiply", "tanh"]


def test_steps_that_were_shared_leave_the_first_iteration_outside():
    def f(h: Any, w: Any) -> Any:
        for _ in range(TIMES):
            h = np.sin(h * np.exp(w)) + np.exp(w)
        return h

    circuit = share(traced(f, np.ones(2), np.ones(2)))
    found = roll(circuit, 8).verify()
    assert "loop" in names(found)
    assert_same_bits(interpret(found, np.ones(2), np.ones(2)), circuit, (np.ones(2), np.ones(2)))


def test_arrays_closed_over_are_read_when_the_circuit_runs():
    w = np.ones(3)

    def f(h: Any) -> Any:
        for _ in range(TIMES):
            h = np.tanh(h * w) + 1.0
        return h

    circuit = rolled(f, np.ones(3))
    assert any(value is w for value in circuit.held.values())
    assert only_loop(circuit).params["body"].held.keys() == {
        wire for wire, value in only_loop(circuit).params["body"].held.items() if value == 1.0
    }
    w[:] = 0.0
    assert_array_equal(interpret(circuit, np.ones(3))[0], np.ones(3))


def test_loops_inside_loops():
    def f(h: Any, x: Any) -> Any:
        for t in range(6):
            for _ in range(12):
                h = np.sin(h) * 0.9
            h = np.exp(h) - x[t]
        return h

    circuit = rolled(f, np.ones(2), vector(6), least=16)
    inner = only_loop(circuit).params["body"]
    assert only_loop(circuit).params["count"] == 6
    assert only_loop(inner).params["count"] == 12


def test_equal_layers_are_not_taken_for_iterations():
    def f(a: Any, b: Any, w: Any) -> Any:
        for _ in range(TIMES):
            a = np.tanh(a * w)
            b = np.tanh(b * a)
        return a, b

    step = only_loop(rolled(f, np.ones(2), np.ones(2), 0.5 * np.ones(2)))
    assert (step.params["count"], step.params["carries"]) == (TIMES, 2)


def test_an_iteration_begins_where_least_is_carried():
    def f(n: Any, w: Any) -> Any:
        h = n
        for _ in range(TIMES):
            h = np.sin(np.sum(np.broadcast_to(h, (40,)) + w))
        return h

    step = only_loop(rolled(f, np.int64(1), matrix(40)))
    body = step.params["body"]
    assert [body.wires[w].shape for w in body.ins[: step.params["carries"]]] == [()]
    assert step.params["count"] == TIMES - 1


def test_an_iteration_that_reads_another_state_stays_unrolled():
    def f(a: Any) -> Any:
        states = [a, a]
        for t in range(TIMES):
            states.append(np.sin(states[-2 if t == 4 else -1]) * 0.5)
        return states[-1]

    assert "loop" not in names(rolled(f, np.ones(2)))


# --- decisions inside -----------------------------------------------------------------------------


def test_decisions_of_all_iterations_become_one_guard():
    def f(h: Any, x: Any) -> Any:
        for t in range(TIMES):
            h = np.sin(h) - x[t]
            if np.sum(h) > -100.0:
                h = h * 2.0
        return h

    circuit = rolled(f, np.ones(2), vector())
    (guard,) = circuit.guards
    assert_array_equal(guard.value, [True] * TIMES)
    values = run(circuit, np.ones(2), vector())
    assert_array_equal(values[guard.wire], guard.value)


def test_decisions_that_differ_without_consequence_are_kept_each():
    def f(h: Any, x: Any) -> Any:
        count = 0
        for t in range(TIMES):
            h = np.sin(h) - x[t]
            if x[t] > 0.0:
                count += 1
        return h * count

    x = vector()
    circuit = rolled(f, np.ones(2), x)
    (guard,) = circuit.guards
    assert_array_equal(guard.value, x > 0.0)


def test_decisions_that_are_no_booleans_stay_unrolled():
    def f(h: Any, n: Any) -> Any:
        for _ in range(TIMES):
            n = n + 1
            h = np.sin(h) * int(n)
        return h

    circuit = co.trace(f, argnums=0)(np.ones(2), np.int64(0)).circuit
    assert len(circuit.guards) == TIMES
    assert roll(circuit, 8) is circuit


# --- what stays as it is --------------------------------------------------------------------------


def test_few_steps_stay():
    circuit = traced(scan, np.ones(3), np.ones(3), matrix(TIMES, 3))
    assert roll(circuit) is circuit
    assert roll(circuit, 33) is circuit
    assert roll(circuit, 32) is not circuit


def three_times(h: Any) -> Any:
    for _ in range(3):
        h = np.sin(np.exp(h * 0.1))
    return h


def all_different(h: Any) -> Any:
    return np.log(np.cosh(np.sin(np.exp(np.tanh(np.cos(np.sqrt(np.arctan(np.exp2(h)))))))))


def written(h: Any) -> Any:
    out = np.zeros(TIMES, like=h)
    for t in range(TIMES):
        out[t] = h[t] * 2.0
    return out


def growing(h: Any) -> Any:
    for _ in range(6):
        h = np.concatenate([h, h * 2.0])
    return h


def windows(h: Any) -> Any:
    x = np.sin(h)
    total = 0.0
    for t in range(5):
        total = total + np.sum(np.exp(x[t : t + 3]))
    return total


def wide(h: Any) -> Any:
    return tuple(np.sin(part) for part in h)


@pytest.mark.parametrize("f", [three_times, all_different, written, growing, windows, wide])
def test_what_a_loop_cannot_say_stays(f: Callable[..., Any]):
    assert "loop" not in names(rolled(f, 0.5 + 0.1 * vector(), least=4))


def test_a_circuit_without_steps():
    circuit = traced(lambda x: x, 1.0)
    assert roll(circuit, 0) is circuit


@pytest.mark.parametrize("reads", [(0,), (1,), (0, 2), (2,)])
def test_trimming_leaves_the_right_outputs(reads: tuple[int, ...]):
    def f(a: Any, b: Any, c: Any) -> Any:
        rows: list[Any] = []
        for _ in range(TIMES):
            a, b, c = np.sin(b), np.cos(c), np.exp(-a)
            rows.append((a * 2.0, b * 3.0, c * 4.0))
        return tuple(np.stack(column) for column in zip(*rows, strict=True))

    args = 0.1 * np.ones(2), 0.2 * np.ones(2), 0.3 * np.ones(2)
    circuit = roll(traced(f, *args), 8)
    step = only_loop(circuit)
    before = step.outs[3:6]
    outs = (*(circuit.outs[k] for k in reads), *(before[k] for k in reads))
    asked = Circuit(circuit.wires, circuit.ins, circuit.held, circuit.steps, outs)
    trimmed = trim(asked).verify()
    assert len(only_loop(trimmed).outs) == 3 + 2 * len(reads)
    for got, want in zip(interpret(trimmed, *args), interpret(asked, *args), strict=True):
        assert_array_equal(got, want, strict=True)


# --- any loop -------------------------------------------------------------------------------------

OPERATIONS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: np.sin(a + b),
    lambda a, b: np.cos(a * b),
    lambda a, b: a - b,
    lambda a, b: np.maximum(a, b),
    lambda a, b: np.tanh(a) * 0.5,
    lambda a, b: np.sum(a) * np.cos(b),
    lambda a, b: np.where(np.greater(a, b), a, np.sin(b)),
]


class Spec(NamedTuple):
    """A random program with a loop: what each iteration does, hands on and leaves behind."""

    times: int
    operations: tuple[tuple[int, int, int], ...]
    nexts: tuple[int, ...]
    result: int
    rows: tuple[int, int]
    ending: str
    before: bool

    def __call__(self, w: Any, x: Any, *states: Any) -> Any:
        begin, step = self.rows
        results: list[Any] = []
        if self.before:
            states = tuple(np.exp(0.1 * state) for state in states)
        for t in range(self.times):
            pool = [*states, w, x[begin + step * t], x[3, t], w[1], 0.25, 0.1 * t]
            for which, i, j in self.operations:
                one, other = pool[i % len(pool)], pool[j % len(pool)]
                pool.append(OPERATIONS[which](one, other) if _any_array(one, other) else 0.5 * w)
            states = tuple(np.tanh(pool[k % len(pool)] * w) for k in self.nexts)
            results.append(pool[self.result % len(pool)] * 1.5)
        return (*states, *self.ended(results))

    def ended(self, results: list[Any]) -> tuple[Any, ...]:
        if self.ending == "stack":
            return (np.stack([r + np.zeros(2) for r in results]), np.stack(results))
        if self.ending == "sum":
            return (sum(results),)
        if self.ending == "last":
            return (results[-1],)
        return tuple(results[::3])


def _any_array(*values: Any) -> bool:
    return any(hasattr(value, "dtype") for value in values)


small = st.integers(0, 20)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    times = draw(st.integers(4, 9))
    step = draw(st.sampled_from([1, 2, -1, 0]))
    return Spec(
        times,
        tuple(
            draw(
                st.lists(
                    st.tuples(st.integers(0, len(OPERATIONS) - 1), small, small),
                    min_size=1,
                    max_size=5,
                )
            )
        ),
        tuple(draw(st.lists(small, min_size=2, max_size=2))),
        draw(small),
        (draw(st.integers(0, 2)) if step >= 0 else -1, step),
        draw(st.sampled_from(["stack", "sum", "last", "some"])),
        draw(st.booleans()),
    )


ARGS = (
    0.5 * matrix(2),
    0.5 * matrix(20, 20),
    np.array([0.25, -0.5]),
    np.array([-0.75, 0.125]),
)


def arguments(spec: Spec) -> tuple[Any, ...]:
    w, x, *states = ARGS
    return (w, x[:, :2] if spec.times <= 2 else x, *states)


def narrow(spec: Spec) -> Callable[..., Any]:
    """Let rows be as long as the states: two columns of a wider array."""

    def f(w: Any, x: Any, *states: Any) -> Any:
        return spec(w, _Narrow(x), *states)

    return f


class _Narrow:
    """An array whose rows are read two elements wide, and whose elements as they are."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __getitem__(self, index: Any) -> Any:
        return self.array[index] if isinstance(index, tuple) else self.array[index, 1:3]


@settings(max_examples=120, deadline=None)
@given(specs())
def test_any_loop_keeps_its_bits(spec: Spec):
    circuit = traced(narrow(spec), *ARGS)
    found = roll(circuit, 8).verify()
    event("rolled" if any(step.gate is loop for step in found.steps) else "not rolled")
    assert_same_bits(interpret(found, *ARGS), circuit, ARGS)
    assert_same_bits(interpret(trim(found).verify(), *ARGS), circuit, ARGS)


def test_the_random_loops_do_roll():
    spec = Spec(6, ((0, 0, 2), (1, 1, 3), (5, 0, 7)), (8, 9), 10, (1, 2), "last", True)
    circuit = roll(traced(narrow(spec), *ARGS), 8)
    assert "loop" in names(circuit)
    assert len(circuit.steps) < 12


def replayed(circuit: Circuit) -> Callable[..., Any]:
    """Return a loss of what a circuit gives, which can be differentiated."""

    def loss(*args: Any) -> Any:
        values = run(circuit, *args, keep=True)
        return sum(np.sum(np.sin(values[wire])) for wire in circuit.outs)

    return loss


def assert_close(found: Any, wanted: Any) -> None:
    for got, want in zip(found, wanted, strict=True):
        assert got.dtype == want.dtype
        assert_allclose(got, want, rtol=1e-9, atol=1e-11)


@settings(max_examples=25, deadline=None)
@given(specs())
@pytest.mark.filterwarnings("ignore::corrente.errors.UnreachedWarning")
def test_gradients_of_any_loop_are_those_of_its_steps(spec: Spec):
    circuit = traced(narrow(spec), *ARGS)
    one, other = replayed(roll(circuit, 8)), replayed(circuit)
    every = tuple(range(len(ARGS)))
    tangents = [np.cos(3.0 * x) for x in ARGS]
    assert_close(co.grad(one, every)(*ARGS), co.grad(other, every)(*ARGS))
    assert_close(co.jvp(one, ARGS, tangents)[1:], co.jvp(other, ARGS, tangents)[1:])
    assert_close(co.hvp(one, ARGS, tangents), co.hvp(other, ARGS, tangents))


# --- a recurrent network --------------------------------------------------------------------------


def lstm(w: Any, b: Any, ends: Any, start: Any, text: Any) -> Any:
    """Two layers with diagonal weights, as in ADBench; the loss of the next character."""
    width = text.shape[1]
    state = [start[k] for k in range(4)]
    total = 0.0
    for t in range(len(text) - 1):
        x = text[t] * ends[0]
        for layer in range(2):
            hidden, cell = state[2 * layer], state[2 * layer + 1]
            gates = np.concatenate([x, hidden, x, hidden]) * w[layer] + b[layer]
            forget = 1.0 / (1.0 + np.exp(-gates[:width]))
            enter = 1.0 / (1.0 + np.exp(-gates[width : 2 * width]))
            leave = 1.0 / (1.0 + np.exp(-gates[2 * width : 3 * width]))
            cell = cell * forget + enter * np.tanh(gates[3 * width :])
            x = leave * np.tanh(cell)
            state[2 * layer], state[2 * layer + 1] = x, cell
        scores = x * ends[1] + ends[2]
        total = total + np.sum(text[t + 1] * (scores - np.log(np.sum(np.exp(scores)) + 2.0)))
    return -total / ((len(text) - 1) * width)


def network(steps: int, width: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(5)
    shapes = [(2, 4 * width), (2, 4 * width), (3, width), (4, width)]
    text = np.eye(width)[rng.integers(0, width, steps + 1)]
    return (*(rng.normal(size=shape) for shape in shapes), text)


def test_a_recurrent_network_is_a_loop_and_so_is_its_way_back():
    args = network(12, 3)
    circuit = rolled(lstm, *args, least=100)
    step = only_loop(circuit)
    assert (step.params["count"], step.params["carries"]) == (12, 5)
    assert len(circuit.steps) < 20

    both = traced(co.grad(replayed(circuit), (0, 1, 2, 3)), *args)
    loops = [s for s in both.steps if s.gate is loop]
    assert [s.params["reverse"] for s in loops] == [False, True]
    assert len(both.steps) < 60
    wanted = co.grad(replayed(traced(lstm, *args)), (0, 1, 2, 3))(*args)
    assert_close(interpret(trim(both).verify(), *args), wanted)
    # the running total is read by nobody on the way back
    assert len(only_loop_of(trim(both), reverse=False).params["kept"]) == 4


def only_loop_of(circuit: Circuit, reverse: bool) -> Any:
    (step,) = [s for s in circuit.steps if s.gate is loop and s.params["reverse"] is reverse]
    return step


def test_the_period_is_found_and_turned_to_where_least_is_carried():
    args = network(12, 3)
    table = Table(traced(lstm, *args))
    region = next(find_regions(table, 100))
    assert isinstance(region, Region)
    assert region.times == 12
    assert region.stop == region.start + 12 * region.period
    assert table.circuit.steps[region.start].gate.name == "getitem"
