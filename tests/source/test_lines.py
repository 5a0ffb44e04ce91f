"""The generated code line by line: what each line makes, and the kept values that it reads."""

from __future__ import annotations

import numpy as np

import corrente as co
from corrente.source import python
from corrente.source.joining import join
from corrente.source.lines import trace_lines


def product(x, y, z):
    q = x + y
    f = q * z
    return f  # noqa: RET504 (the name is what is asked for)


def told(t, lang="en"):
    joined = join(t.run, t.backward, t.kept)
    names = t.circuit.names
    lines = trace_lines(joined, t.run.values, lang)
    assert "\n".join(line.text for line in lines) + "\n" == python.write(joined, t.run.values, lang)

    def named(wires):
        return [names.get(wire, "?") for wire in wires]

    return {
        line.text.strip(): (named(line.of), named(line.gradients), named(line.needs), line.backward)
        for line in lines
    }


def test_lines_of_both_passes():
    lines = told(co.trace(product)(-2.0, 5.0, -4.0))
    assert lines["q = x + y"] == (["q"], [], [], False)
    assert lines["cache = (z, q)"] == ([], [], ["z", "q"], False)
    assert lines["# f = q * z"] == (["f"], [], [], True)
    assert lines["dq = dout * z"] == (["f"], ["q"], ["z"], True)
    assert lines["dz = dout * q"] == (["f"], ["z"], ["q"], True)
    assert lines["dx = dq"] == (["q"], ["x"], [], True)
    assert lines["return dx, dy, dz"] == ([], [], [], False)


def test_a_line_stands_for_all_the_gates_in_it():
    def f(x, y):
        s = x * y + x
        return np.exp(s)

    t = co.trace(f)(1.0, 2.0)
    joined = join(t.run, t.backward, t.kept)
    (line,) = (
        line for line in trace_lines(joined, t.run.values) if line.text.strip() == "s = x * y + x"
    )
    makers = [t.circuit.steps[t.circuit.makers[wire]].gate.name for wire in line.of]
    assert makers == ["add", "multiply"]


def test_a_gradient_that_grows_and_one_written_in_places():
    def f(x, k):
        return np.sum(x[k] * x[0])

    lines = told(co.trace(f, argnums=0)(np.arange(4.0), np.array([1, 1, 2])))
    makers = [text for text, (_, gradients, _, back) in lines.items() if back and "x" in gradients]
    assert len(makers) >= 2
    assert any(text.startswith("np.add.at(dx") for text in makers)
