"""The chain rule in sentences: what is said, in both languages, with the right numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from corrente import convention
from corrente.circuit import Circuit, Contribution, Run, Step, Wire
from corrente.gates.arithmetic import add, multiply, reciprocal, sqrt
from corrente.narrator import LIMIT, explain, narrate
from corrente.numerals import number
from corrente.record import Gather, Opaque


class Bench:
    """A circuit put together by hand, and swept back by the gates' own rules."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.ins: list[int] = []
        self.held: dict[int, Any] = {}
        self.steps: list[Step] = []
        self.labels: dict[int, str] = {}

    def _wire(self, value: Any, name: str | None) -> int:
        self.values.append(value)
        if name is not None:
            self.labels[len(self.values) - 1] = name
        return len(self.values) - 1

    def given(self, value: Any, name: str) -> int:
        self.ins.append(self._wire(value, name))
        return self.ins[-1]

    def hold(self, value: Any, name: str | None = None) -> int:
        wire = self._wire(value, name)
        self.held[wire] = value
        return wire

    def put(
        self, gate: Any, *ins: int, name: str | None = None, where: Any = None, stack: Any = ()
    ) -> int:
        out = self._wire(gate.forward(*(self.values[wire] for wire in ins)), name)
        self.steps.append(Step(gate, ins, (out,), {}, where, stack))
        return out

    def circuit(self, *outs: int) -> Circuit:
        wires = tuple(
            Wire(np.shape(value), np.asarray(value).dtype, k, isinstance(value, float))
            for k, value in enumerate(self.values)
        )
        ins, steps = tuple(self.ins), tuple(self.steps)
        return Circuit(wires, ins, self.held, steps, outs, labels=self.labels).verify()

    def run(self, *outs: int, wanted: list[int], name: str = "f") -> Run:
        gradients: dict[int, Any] = {out: np.ones_like(self.values[out])[()] for out in outs}
        sent: dict[int, list[Contribution]] = {}
        active = set(wanted)
        for step in self.steps:
            active.update(step.outs if active & set(step.ins) else ())
        for k in reversed(range(len(self.steps))):
            gate, ins, (out,) = self.steps[k][:3]
            for position, wire in enumerate(ins):
                if wire in active and out in gradients:
                    x = [self.values[w] for w in ins]
                    part = gate.pulls[position](gradients[out], self.values[out], *x)
                    part = _fitted(part, np.shape(self.values[wire]))
                    sent.setdefault(wire, []).append(Contribution(k, position, part))
                    gradients[wire] = gradients.get(wire, 0.0) + part
        kept = frozenset(wanted)
        return Run(self.circuit(*outs), self.values, gradients, sent, kept, name)


def _fitted(part: Any, shape: tuple[int, ...]) -> Any:
    while np.ndim(part) > len(shape):
        part = np.sum(part, axis=0)
    axes = tuple(k for k, size in enumerate(shape) if size == 1 and np.shape(part)[k] != 1)
    return np.sum(part, axis=axes, keepdims=True) if axes else part


def notes_example() -> Run:
    bench = Bench()
    x, y, z = bench.given(-2.0, "x"), bench.given(5.0, "y"), bench.given(-4.0, "z")
    q = bench.put(add, x, y, name="q")
    return bench.run(bench.put(multiply, q, z), wanted=[x, y, z])


def arrays() -> Run:
    bench = Bench()
    w = bench.given(np.array([[0.5, -1.5]]), "w")
    x = bench.given(np.arange(6.0).reshape(3, 2), "x")
    a = bench.put(multiply, x, w, name="a")
    b = bench.hold(np.array([1.0, np.inf]), "b")
    return bench.run(bench.put(add, a, b, name="h"), wanted=[w])


def chain(length: int) -> Run:
    bench = Bench()
    x, w = bench.given(0.5, "x"), bench.given(1.01, "w")
    h = x
    for _ in range(length):
        h = bench.put(multiply, h, w)
    return bench.run(h, wanted=[w])


def body(text: str) -> str:
    """Leave out the opening line, which is long and the same for all."""
    return text.split("\n", 1)[1]


def test_the_notes_example_in_english():
    assert (
        body(explain(notes_example()))
        == """\
  x = −2: a parameter, ours to change.
  y = 5: a parameter, ours to change.
  z = −4: a parameter, ours to change.

Forward
  1. q = x + y: adds x and y: −2 + 5 = 3
  2. f = q * z: multiplies q by z: 3 × (−4) = −12

Backward
  The gradient of f with respect to itself is 1: ∂f/∂f = 1
  2. f = q * z. The × gate switches the inputs: each receives the gradient times the other's value.
     ∂f/∂q = ∂f/∂f · ∂f/∂q = 1 × (−4) = −4
     ∂f/∂z = ∂f/∂f · ∂f/∂z = 1 × 3 = 3
  1. q = x + y. The + gate passes the gradient on unchanged to both inputs.
     ∂f/∂x = ∂f/∂q · ∂q/∂x = −4 × 1 = −4
     ∂f/∂y = ∂f/∂q · ∂q/∂y = −4 × 1 = −4

What the gradients say
  ∂f/∂x = −4: if x grows a little, f falls 4 times as much; a small step against the gradient \
raises x.
  ∂f/∂y = −4: if y grows a little, f falls 4 times as much; a small step against the gradient \
raises y.
  ∂f/∂z = 3: if z grows a little, f grows 3 times as much; a small step against the gradient \
lowers z.
  A small step of rate r against all these gradients changes f by about −41 × r."""
    )


def test_the_notes_example_in_portuguese():
    text = explain(notes_example(), "pt")
    assert text.startswith("f: 2 portas. Para a frente, cada porta faz um valor")
    assert (
        body(text)
        == """\
  x = −2: um parâmetro, que podemos mudar.
  y = 5: um parâmetro, que podemos mudar.
  z = −4: um parâmetro, que podemos mudar.

Para a frente
  1. q = x + y: soma x e y: −2 + 5 = 3
  2. f = q * z: multiplica q por z: 3 × (−4) = −12

Para trás
  O gradiente de f em relação a si mesmo é 1: ∂f/∂f = 1
  2. f = q * z. A porta × troca as entradas: cada uma recebe o gradiente vezes o valor da outra.
     ∂f/∂q = ∂f/∂f · ∂f/∂q = 1 × (−4) = −4
     ∂f/∂z = ∂f/∂f · ∂f/∂z = 1 × 3 = 3
  1. q = x + y. A porta + entrega o gradiente, sem mudança, às duas entradas.
     ∂f/∂x = ∂f/∂q · ∂q/∂x = −4 × 1 = −4
     ∂f/∂y = ∂f/∂q · ∂q/∂y = −4 × 1 = −4

O que dizem os gradientes
  ∂f/∂x = −4: se x cresce um pouco, f cai 4 vezes isso; um pequeno passo contra o gradiente \
aumenta x.
  ∂f/∂y = −4: se y cresce um pouco, f cai 4 vezes isso; um pequeno passo contra o gradiente \
aumenta y.
  ∂f/∂z = 3: se z cresce um pouco, f cresce 3 vezes isso; um pequeno passo contra o gradiente \
diminui z.
  Um pequeno passo de taxa r contra todos esses gradientes muda f em cerca de −41 × r."""
    )


def test_sentences_point_at_their_step_and_wire():
    run = notes_example()
    points = [(s.phase, s.step, s.wire) for s in narrate(run)]
    q, f = 3, 4
    assert points == [
        ("intro", None, None), ("intro", None, 0), ("intro", None, 1), ("intro", None, 2),
        ("forward", 0, q), ("forward", 1, f),
        ("backward", None, f),
        ("backward", 1, None), ("backward", 1, q), ("backward", 1, 2),
        ("backward", 0, None), ("backward", 0, 0), ("backward", 0, 1),
        ("result", None, 0), ("result", None, 1), ("result", None, 2), ("result", None, None),
    ]  # fmt: skip


def test_a_fork_adds_up_its_parts():
    bench = Bench()
    a = bench.given(1.0, "a")
    b = bench.put(add, a, a, name="b")
    run = bench.run(bench.put(add, b, b, name="c"), wanted=[a])
    text = explain(run)
    assert "one part of ∂c/∂a (input 2) = ∂c/∂b · ∂b/∂a = 2 × 1 = 2" in text
    assert "a enters the same gate 2 times, so its gradients add up: ∂c/∂a = 2 + 2 = 4" in text
    assert "os seus gradientes se somam: ∂c/∂a = 2 + 2 = 4" in explain(run, "pt")
    assert [s.wire for s in narrate(run) if s.phase == "fork"] == [b, a]


def test_a_fork_into_several_gates_is_told_after_the_last_of_them():
    bench = Bench()
    x = bench.given(4.0, "x")
    root, part = bench.put(sqrt, x, name="root"), bench.put(reciprocal, x, name="part")
    run = bench.run(bench.put(multiply, root, part, name="y"), wanted=[x])
    sentences = narrate(run)
    fork = next(k for k, s in enumerate(sentences) if s.phase == "fork")
    assert sentences[fork - 1].step == sentences[fork].step == 0
    assert sentences[fork].says.en == (
        "x feeds 2 gates, so its gradients add up: ∂y/∂x = −0.125 + 0.0625 = −0.0625"
    )
    assert "sqrt(4) = 2" in explain(run)


def test_an_output_that_is_used_inside_keeps_its_own_seed():
    bench = Bench()
    x = bench.given(2.0, "x")
    y = bench.put(multiply, x, x, name="y")
    z = bench.put(multiply, y, bench.hold(-3.0), name="z")
    text = explain(bench.run(y, z, wanted=[x]))
    assert "The backward pass starts at y, with the gradient 1." in text
    assert "so its gradients add up: ∂f/∂y = −3 + 1 = −2" in text


def test_data_has_no_gradient_and_is_said_to_be_given():
    bench = Bench()
    w, x = bench.given(3.0, "w"), bench.given(2.0, "x")
    run = bench.run(bench.put(multiply, w, x), wanted=[w])
    for lang, given in (("en", "x = 2: data, given"), ("pt", "x = 2: dado, fixo")):
        text = explain(run, lang)
        assert given in text
        assert "∂f/∂w = ∂f/∂f · ∂f/∂w = 1 × 2 = 2" in text
        assert "∂f/∂x" not in text


def test_data_that_a_run_swept_all_the_same_is_left_out():
    run = replace(notes_example(), parameters=frozenset({0, 2}))
    assert "∂f/∂x" in explain(run)
    assert "∂f/∂y" not in explain(run)


def test_arrays_are_told_by_shape_and_norm():
    run = arrays()
    text = explain(run)
    assert "w: shape (1, 2), min −1.5, mean −0.5, max 0.5: a parameter" in text
    assert "b: shape (2,), min 1, mean 1, max 1, non-finite: 1: a constant from outside" in text
    assert "multiplies x by w: shape (3, 2), min −7.5, mean −1.75, max 2" in text
    assert "as if they were all summed" in text
    assert (
        "∂h/∂w = ∂h/∂a · ∂a/∂w, element by element: upstream shape (3, 2), norm 2.449; local "
        "gradient from 0 to 5; summed where the value had been repeated; gives shape (1, 2), "
        "norm 10.82"
    ) in text
    assert "a small step against it raises 0 and lowers 2 of the 2 elements of w." in text
    assert "changes the sum of h by about −117 × r" in text
    assert "muda a soma de h em cerca de −117 × r" in explain(run, "pt")


def test_a_long_circuit_says_what_it_leaves_out():
    run = chain(LIMIT + 1)
    told = [s.step for s in narrate(run) if s.phase == "forward" and s.step is not None]
    assert told == [*range(LIMIT // 2), *range(LIMIT // 2 + 1, LIMIT + 1)]
    back = [s.step for s in narrate(run) if s.phase == "backward" and s.wire is None and s.step]
    assert back == sorted(set(told) - {0}, reverse=True)
    assert explain(run).count("… leaving out 1 gate\n") == 2
    assert explain(chain(LIMIT + 40), "pt").count("… omitindo 40 portas\n") == 2
    assert "leaving out" not in explain(chain(LIMIT))
    part = number(0.5 * 1.01**9)
    many = (
        f"w feeds 10 gates, so its gradients add up: ∂f/∂w = {' + '.join([part] * 4)} + … + {part}"
    )
    assert many in explain(chain(10))


def test_one_parameter_has_one_gradient():
    assert "A small step of rate r against this gradient changes f by" in explain(chain(1))
    assert "taxa r contra esse gradiente muda f em" in explain(chain(1), "pt")


def test_many_inputs_are_cut_too():
    bench = Bench()
    wires = [bench.given(float(k), f"x{k}") for k in range(LIMIT + 5)]
    total = wires[0]
    for wire in wires[1:]:
        total = bench.put(add, total, wire)
    text = explain(bench.run(total, wanted=wires))
    assert text.count("… leaving out 5 inputs\n") == 2
    assert f"x{LIMIT + 4} = {LIMIT + 4}" in text
    assert "x32 = " not in text


def test_a_run_without_gradients_has_no_backward_pass():
    run = replace(notes_example(), gradients={}, contributions={}, parameters=frozenset())
    text = explain(run)
    assert "This run has no gradients" in text
    assert "∂" not in text
    assert "Esta execução não tem gradientes" in explain(run, "pt")


def test_steps_and_parameters_that_no_gradient_reaches():
    bench = Bench()
    x, y = bench.given(3.0, "x"), bench.given(2.0, "y")
    bench.put(sqrt, y)
    run = bench.run(bench.put(sqrt, x, name="z"), wanted=[x, y])
    run = replace(run, gradients={k: v for k, v in run.gradients.items() if k != y})
    text = explain(run)
    assert "Nothing comes back through 1 gate: z does not depend on what is made there" in text
    assert "∂z/∂y = 0: no gradient finds a way from z back to y." in text


def test_a_local_gradient_that_does_not_give_what_was_sent_is_not_shown():
    run = notes_example()
    sent = {**run.contributions, 3: [Contribution(1, 0, -2.0)]}
    text = explain(replace(run, contributions=sent))
    assert "∂f/∂q = −2, carried back from ∂f/∂f (1)" in text
    assert "1 × (−4)" not in text


def test_telling_counts_no_tie():
    def pull(g: Any, out: Any, x: Any, y: Any) -> Any:
        convention.note(True, out)
        return g * y

    bench = Bench()
    x, y = bench.given(2.0, "x"), bench.given(3.0, "y")
    run = bench.run(bench.put(replace(multiply, pulls=(pull, pull)), x, y), wanted=[x])
    with convention.ties("both") as met:
        assert "1 × 3 = 3" in explain(run)
    assert met.hit == 0


def test_gates_of_other_kinds_carry_the_gradient_back():
    for kind, words in ((Opaque(), "carried back from"), (Gather(), "put where the elements")):
        bench = Bench()
        x = bench.given(4.0, "x")
        other = replace(sqrt, kind=kind)
        run = bench.run(bench.put(other, x, name="y"), wanted=[x])
        assert words in explain(run)
        assert "takes the square root of x: y = 2" in explain(run)


def test_extreme_gradients():
    bench = Bench()
    x, y = bench.given(1.0, "x"), bench.given(0.0, "y")
    run = bench.run(bench.put(multiply, x, y), wanted=[x, y])
    assert "∂f/∂x = 0: at this point, moving x a little does not change f." in explain(run)
    assert "∂f/∂y = 1: if y grows a little, f grows just as much;" in explain(run)
    run = replace(run, gradients={**run.gradients, y: np.nan})
    assert "∂f/∂y = nan: not finite, no step can follow it." in explain(run)
    assert "of rate r" not in explain(run)


@pytest.mark.parametrize(
    "make", [notes_example, arrays, lambda: chain(3), lambda: chain(LIMIT + 2)]
)
def test_every_sentence_is_whole_in_both_languages(make: Any):
    sentences = narrate(make())
    for sentence in sentences:
        for text in sentence.says:
            assert "{" not in text
            assert not re.search(r"\d\.\d{5}|\d-|-\d|e[+-]", text), text
    different = [s.says.en != s.says.pt for s in sentences if "local" not in s.says.en]
    assert sum(different) > len(different) / 2


def test_the_name_of_a_reassigned_output_is_the_function_s():
    bench = Bench()
    x = bench.given(4.0, "h")
    run = bench.run(bench.put(sqrt, x, name="h"), wanted=[x], name="loss")
    assert "∂loss/∂h = ∂loss/∂loss · ∂loss/∂h = 1 × 0.25 = 0.25" in explain(run)


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="lang must be one of"):
        explain(notes_example(), "fr")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-2.0, "−2"),
        (0.1 + 0.2, "0.3"),
        (-0.0, "0"),
        (12345.0, "12345"),
        (123456.7, "1.235e5"),
        (3e20, "3e20"),
        (-1.5e-7, "−1.5e−7"),
        (1e-10, "1e−10"),
        (np.float32(0.1), "0.1"),
        (np.array(2.5), "2.5"),
        (7, "7"),
        (True, "True"),
        (np.inf, "inf"),
        (-np.inf, "−inf"),
        (np.nan, "nan"),
        (1.5 - 2j, "1.5 − 2j"),
    ],
)
def test_numbers_are_short(value: Any, text: str):
    assert number(value) == text
