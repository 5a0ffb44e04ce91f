"""Nesting: loops of loops compute the same, forwards and back, and keep fewer states."""

from __future__ import annotations

import numpy as np
import pytest
from passes.agreeing import assert_agree, recorded

from corrente.blocks import loop
from corrente.circuit import Circuit
from corrente.passes.nest import nest, stretch_of
from corrente.passes.roll import roll


def layers(count):
    def f(h, x):
        seen = []
        for k in range(count):
            h = np.tanh(h) + x[k]
            seen.append(h * 2.0)
        return h, np.stack(seen)

    return f


def loops(circuit: Circuit) -> list[int]:
    """Return the counts of all loops, those inside others too."""
    found = []
    for step in circuit.steps:
        if step.gate is loop:
            found += [step.params["count"], *loops(step.params["body"])]
    return found


@pytest.mark.parametrize("count", [9, 20, 23, 100])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_a_nested_loop_computes_the_same_bits(count, shape):
    x = np.random.default_rng(count).normal(size=(count, *shape))
    h = np.ones(shape)[()]
    rolled = roll(recorded(layers(count), h, x), 16)
    nested = nest(rolled).verify()
    assert loops(rolled) == [count]
    assert max(loops(nested)) < count
    assert_agree(rolled, nested, (h, x))


def test_few_iterations_stay_one_loop():
    rolled = roll(recorded(layers(8), 1.0, np.ones(8)), 16)
    assert loops(rolled) == [8]
    assert nest(rolled) is rolled


def test_a_stretch_is_near_the_root():
    for count in range(9, 400):
        length = stretch_of(count)
        assert count**0.5 / 2 <= length <= count**0.5 * 2
    assert 1000 % stretch_of(1000) == 0
