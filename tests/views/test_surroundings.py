"""A wire and what lies around it: a part of the run with the numbers of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from runs import chain, fork, network, square, xyz

import corrente as co
from corrente.errors import BadValue
from corrente.scene import CELLS, lay_out
from corrente.views import svg, text
from corrente.views.surroundings import surround


def names(run):
    return {run.circuit.operand(out) for step in run.circuit.steps for out in step.outs}


@pytest.mark.parametrize("run", [xyz, fork, square, network, lambda: chain(200)])
@pytest.mark.parametrize("radius", [1, 2, 5])
def test_every_part_is_whole(run, radius):
    whole = run()
    every = list(whole.circuit.identifiers.values())
    for wire in every[:: max(1, len(every) // 12)]:
        near = surround(whole, wire, radius)
        near.circuit.verify()
        assert near.circuit.steps
        for part in (near.values, near.gradients):
            assert part is whole.values or all(part[w] is whole.gradients[w] for w in part)
        for each, parts in near.contributions.items():
            sent = {(part.step, part.position) for part in parts}
            assert all(near.circuit.steps[k].ins[position] == each for k, position in sent)
        text.draw(lay_out(near, metric=CELLS))
        svg.draw(lay_out(near))


def test_the_radius_counts_gates():
    whole = chain(50)
    middle = whole.circuit.operand(whole.circuit.steps[24].outs[0])
    for radius in (1, 2, 3):
        assert len(surround(whole, middle, radius).circuit.steps) == 2 * radius


def test_an_input_that_all_share_brings_nothing_near():
    # w is read by every other step of the chain
    whole = chain(60)
    middle = whole.circuit.operand(whole.circuit.steps[31].outs[0])
    assert len(surround(whole, middle, 3).circuit.steps) == 6
    assert len(surround(whole, "w", 1).circuit.steps) == 30


def test_sums_stay_whole():
    """Of three things that come back to x one is near: the rest stands in the sum."""
    near = surround(square(), "s", 1)
    drawn = text.draw(lay_out(near, metric=CELLS))
    assert "3 + 3 + 0.5 = 6.5" in drawn
    assert "x" in {near.circuit.operand(out) for out in near.circuit.outs}


def test_a_name_given_twice_is_the_last():
    def f(x):
        y = x * 2.0
        y = np.sin(y)
        y = y * 3.0
        return np.exp(y)

    near = surround(co.trace(f)(1.0).run, "y", 1)
    assert [step.gate.name for step in near.circuit.steps] == ["multiply", "exp"]
    assert surround(co.trace(f)(1.0).run, "x", 1).circuit.steps[0].gate.name == "multiply"


def test_what_there_is_not_is_refused():
    with pytest.raises(BadValue, match="no wire is called 'hiden'") as caught:
        surround(network(), "hiden")
    assert "hidden" in caught.value.render("pt")
    with pytest.raises(BadValue, match="radius of 0"):
        surround(xyz(), "q", 0)
