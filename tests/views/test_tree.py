"""The tree of a large run: what is merged, how it is sorted, and what the numbers say."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pytest
from runs import chain, xyz

import corrente as co
from corrente import nn
from corrente.scene.picture import columns
from corrente.views import tree

STEPS = 30


def cell(h, x, W):
    a = W @ h
    return np.tanh(a + x)


def unroll(W, X):
    h = np.full(3, 0.1)
    for x in X:
        h = cell(h, x, W)
    return h


def loss(W, X):
    p = nn.softmax(unroll(W, X))
    return -np.log(p[0])


@pytest.fixture(scope="module")
def recurrent():
    W = np.array([[0.5, 0.1, 0.0], [0.0, 0.4, 0.2], [0.1, 0.0, 0.3]])
    return co.trace(loss, argnums=0)(W, np.full((STEPS, 3), 0.5)).run


def branch(root, *labels):
    for label in labels:
        (root,) = [child for child in root.children.values() if child.label == label]
    return root


def test_calls_hold_lines_and_repeated_ones_are_one(recurrent):
    root, quiet = tree.grow(recurrent)
    inside = branch(root, "unroll()", "cell()")
    assert set(child.label for child in inside.children.values()) == {
        "a = W @ h", "a + x", "np.tanh(a + x)",
    }  # fmt: skip
    assert [len(child.passages) for child in inside.children.values()] == [STEPS] * 3
    assert inside.place == f"test_tree.py:{unroll.__code__.co_firstlineno + 3}"
    assert branch(root, "softmax").children
    assert len(root.passages) + quiet == len(recurrent.circuit.steps)


def test_the_greatest_loss_comes_first(recurrent):
    root, _ = tree.grow(recurrent)
    lines = tree.draw(recurrent).split("\n")
    order = [line.strip("│├└─ ").split("  ")[0] for line in lines if "─ " in line]
    assert order[:3] == ["unroll()", "cell()", "np.tanh(a + x)"]
    losses = [child.loss for child in tree._sorted(root)]
    assert losses == sorted(losses)
    assert losses[0] < -10 < losses[-1]
    assert "Most is lost at np.tanh(a + x)" in lines[-2]


def test_the_factor_is_what_the_gates_do(recurrent):
    """The factor of tanh is 1 − out², weighted by what arrives: between its extremes."""
    found = branch(tree.grow(recurrent)[0], "unroll()", "cell()", "np.tanh(a + x)")
    outs = [
        recurrent.values[step.outs[0]]
        for step in recurrent.circuit.steps
        if step.gate.name == "tanh"
    ]
    local = 1.0 - np.square(outs)
    assert local.min() < found.factor < local.max()
    assert math.prod(p.sent / p.arrived for p in found.passages) == pytest.approx(
        math.exp(found.loss)
    )


def test_norms_are_those_of_the_gradients():
    (add, times) = tree.passages(xyz())
    assert (add.arrived, add.sent) == (4.0, 4.0)
    assert (times.arrived, times.sent) == (1.0, 4.0)


def test_what_dies_is_said():
    def dying(x):
        h = np.maximum(x, 0.0)
        return np.sum(np.maximum(h * x, 0.0) * 2.0)

    run = co.trace(dying)(np.array([-1.0, -2.0, -3.0, 4.0])).run
    text = tree.draw(run)
    assert "75 % zeros" in text
    run = co.trace(lambda x: np.sum(np.maximum(x, 0.0)))(np.array([-1.0, -2.0])).run
    root, _ = tree.grow(run)
    assert min(child.factor for child in root.children.values()) == 0.0
    assert "Most is lost at np.maximum(x, 0.0)" in tree.draw(run)


def test_what_is_not_finite_comes_first():
    with np.errstate(divide="ignore"):
        run = co.trace(lambda x: 3.0 * np.sqrt(x))(np.float64(0.0)).run
    assert tree._sorted(tree.grow(run)[0])[0].label == "np.sqrt(x)"
    assert "stops being finite at np.sqrt(x)" in tree.draw(run)
    assert "deixa de ser finito em np.sqrt(x)" in tree.draw(run, "pt")


def test_nothing_lost_is_said():
    assert "lost nowhere" in tree.draw(chain(60))
    assert "… 48 more" in tree.draw(chain(60))
    assert "… mais 48" in tree.draw(chain(60), "pt")


@pytest.mark.parametrize("width", [70, 80, 120])
def test_it_fits_the_terminal(recurrent, width):
    lines = tree.draw(recurrent, width=width).split("\n")[:-3]
    table = [line for line in lines if "∂ " in line and " → " in line]
    assert len(table) > 8
    assert max(map(columns, lines)) <= width
    assert any("▁" in line for line in table) == (width > 100), "the notes give way first"
    assert len({line.index("∂ ") for line in table}) == 1, "columns are aligned"


@pytest.mark.parametrize("lang", ["en", "pt"])
def test_ascii_keeps_the_columns(recurrent, lang):
    text = tree.draw(recurrent, lang, width=100)
    plain = tree.draw(recurrent, lang, width=100, unicode=False)
    assert plain.isascii()
    assert list(map(len, plain.split("\n"))) == list(map(len, text.split("\n")))


def test_colour_only_repeats(recurrent):
    coloured = tree.draw(recurrent, colour=True)
    bare = re.sub(r"\x1b\[\d+m", "", coloured)
    assert coloured != bare
    strip = [line.rstrip() for line in bare.split("\n")]
    assert strip == tree.draw(recurrent).split("\n")


def test_it_shows_as_the_file_can(recurrent):
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    tree.show(recurrent, file=file)
    file.seek(0)
    assert "Most is lost" in file.read()


def test_small_and_folded_circuits_are_drawn(recurrent):
    assert not tree.suits(xyz())
    assert tree.suits(recurrent)
    assert tree.suits(chain(400))
    assert not tree.suits(recurrent, fold="none")
    many = co.trace(lambda x: nn.softmax(nn.softmax(x) + x)[0])(np.ones(3)).run
    assert not tree.suits(many)


def test_a_long_run_takes_little_time():
    run = chain(4000)
    text = tree.draw(run)
    assert len(text.split("\n")) < tree.ROWS + 10
