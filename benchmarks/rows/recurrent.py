"""ADBench's LSTM: an ordinary Python loop over a text's characters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.contestants import Contestant, Program, Row
from benchmarks.limits import limit

LAYERS, WIDTH = 2, 14


def rows(tiny: bool) -> Iterator[Row]:
    """Go through the gradient and the objective; tiny sequences keep every kind of step."""
    steps = 8 if tiny else 1023
    yield Row(f"LSTM, {steps} steps", lambda: contestants(steps), tolerance=1e-8)
    yield Row(
        f"LSTM, {steps} steps, objective",
        lambda: peers.objectives(lstm(steps)),
        "value",
        tolerance=1e-8,
    )


def lstm(steps: int) -> Program:
    """Return the program: weights and biases of each layer in `main`, of the ends in `ends`."""
    rng = np.random.default_rng(5)
    main = rng.normal(size=(2 * LAYERS, 4 * WIDTH))
    ends = rng.normal(size=(3, WIDTH))
    state = rng.normal(size=(2 * LAYERS, WIDTH))
    text = np.eye(WIDTH)[rng.integers(0, WIDTH, steps + 1)]
    return Program(looped, (main, ends, state, text), (0, 1), torch=lstm_torch, jax=scanned)


def step(np_: Any, main: Any, ends: Any, state: tuple[Any, ...], x: Any) -> tuple[Any, Any]:
    """Return the state after one character and the log probabilities of the next."""

    def sigmoid(x: Any) -> Any:
        return 1.0 / (1.0 + np_.exp(-x))

    x = x * ends[0]
    after = []
    for layer in range(LAYERS):
        hidden, cell = state[2 * layer], state[2 * layer + 1]
        gates = np_.concatenate([x, hidden, x, hidden]) * main[2 * layer] + main[2 * layer + 1]
        forget, enter = sigmoid(gates[:WIDTH]), sigmoid(gates[WIDTH : 2 * WIDTH])
        leave, change = sigmoid(gates[2 * WIDTH : 3 * WIDTH]), np_.tanh(gates[3 * WIDTH :])
        cell = cell * forget + enter * change
        x = leave * np_.tanh(cell)
        after += [x, cell]
    scores = x * ends[1] + ends[2]
    return tuple(after), scores - np_.log(np_.sum(np_.exp(scores)) + 2.0)


def looped(np_: Any) -> Callable[..., Any]:
    def run(main: Any, ends: Any, start: Any, text: Any) -> Any:
        state, total = tuple(start[k] for k in range(2 * LAYERS)), 0.0
        for t in range(len(text) - 1):
            state, logs = step(np_, main, ends, state, text[t])
            total = total + np_.sum(text[t + 1] * logs)
        return -total / ((len(text) - 1) * WIDTH)

    return run


def scanned(jnp: Any) -> Callable[..., Any]:
    """Return the loop as JAX wants it: unrolled, it would compile for hours."""
    scan = import_module("jax.lax").scan

    def run(main: Any, ends: Any, start: Any, text: Any) -> Any:
        def body(state: Any, pair: Any) -> Any:
            state, logs = step(jnp, main, ends, state, pair[0])
            return state, jnp.sum(pair[1] * logs)

        state = tuple(start[k] for k in range(2 * LAYERS))
        _, terms = scan(body, state, (text[:-1], text[1:]))
        return -jnp.sum(terms) / ((len(text) - 1) * WIDTH)

    return run


def lstm_torch(main: Any, ends: Any, start: Any, text: Any) -> Any:
    torch = import_module("torch")
    states, total = list(start), 0.0
    for now, following in pairwise(text):
        x = now * ends[0]
        for layer in range(LAYERS):
            hidden, cell = states[2 * layer : 2 * layer + 2]
            gates = torch.cat([x, hidden, x, hidden]) * main[2 * layer] + main[2 * layer + 1]
            forget, enter, leave = gates[: 3 * WIDTH].sigmoid().chunk(3)
            cell = cell * forget + enter * gates[3 * WIDTH :].tanh()
            x = leave * cell.tanh()
            states[2 * layer : 2 * layer + 2] = x, cell
        scores = x * ends[1] + ends[2]
        total = total + (following * (scores - torch.log(scores.exp().sum() + 2.0))).sum()
    return -total / ((len(text) - 1) * WIDTH)


def contestants(steps: int) -> Iterator[Contestant]:
    program = lstm(steps)
    unrolled = "unrolls the loop: minutes for 64 steps"
    yield from peers.gradients(program, torch_compiled=unrolled)
    yield limit("C", "lstm.c", program, STEPS=steps)
    yield limit("C fast-math", "lstm.c", program, ["-ffast-math"], STEPS=steps)
