"""A Program reads wires by the user's names, saves whole files, and has its pass as a circuit."""

from __future__ import annotations

import json

import numpy as np
import pytest

import corrente as co
from corrente.errors import BadValue, NotScalar, NotWritten
from corrente.interpreter import interpret


def neuron(w, x):
    total = np.dot(w[:2], x) + w[2]
    return 1.0 / (1.0 + np.exp(-total))


def test_data_and_parameters_are_apart():
    t = co.trace(neuron, argnums=0)(np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0]))
    names = t.circuit.names
    assert {names[wire] for wire in t.run.parameters} == {"w"}
    assert [names[wire] for wire in t.circuit.ins] == ["w", "x"]
    assert t["x"].grad is None
    np.testing.assert_allclose(t.grads, [-0.19661193, -0.39322387, 0.19661193], atol=1e-8)


def test_reassigned_names():
    def f(x):
        y = x * 2.0
        y = y * y
        return y + 1.0

    t = co.trace(f)(3.0)
    assert (t["y"].value, t["y", 0].value, t["y", 1].value) == (36.0, 6.0, 36.0)
    assert (t["y", 0].grad, t["y", 1].grad) == (12.0, 1.0)
    with pytest.raises(BadValue, match="2 of that name"):
        t["y", 2]
    with pytest.raises(BadValue, match="the names are: x, y"):
        t["z"]


def test_unpacked_parameters_have_the_users_names():
    def f(params, X):
        W, b = params
        return ((X @ W + b) ** 2).sum()

    t = co.trace(f, argnums=0)((np.ones((3, 2)), np.ones(2)), np.ones((4, 3)))
    assert [t.circuit.names[w] for w in t.circuit.ins] == ["W", "b", "X"]
    assert t["W"].grad.shape == (3, 2)
    assert t.grads[0].shape == (3, 2)


def test_the_backward_pass_is_a_circuit():
    x, w = np.array([1.0, 2.0]), np.array([0.5, -0.25])
    t = co.trace(lambda w, x: np.tanh(w * x).sum(), argnums=0)(w, x)
    circuit = t.backward.circuit.verify()
    again = interpret(circuit, *(t.backward.values[wire] for wire in circuit.ins))
    np.testing.assert_array_equal(again[0], t.grads)
    assert {step.origin for step in circuit.steps} <= set(range(len(t.circuit.steps)))
    assert set(t.kept) <= {wire.id for wire in t.circuit.wires}


def test_only_what_was_asked_for_is_computed():
    f = lambda W, X: (X @ W).sum()
    t = co.trace(f, argnums=0)(np.ones((3, 2)), np.ones((4, 3)))
    products = [s for s in t.backward.circuit.steps if s.gate.name == "matmul"]
    assert len(products) == 1


def test_non_scalar_results_are_drawn_without_gradients():
    t = co.trace(lambda x: x * 2.0)(np.ones(3))
    np.testing.assert_array_equal(t.value, [2.0, 2.0, 2.0])
    with pytest.raises(NotScalar):
        _ = t.grads
    assert "multiplies" in t.explain() or "×" in t.explain()


def test_save_is_whole_or_not_at_all(tmp_path, monkeypatch):
    t = co.trace(lambda x: x * x)(3.0)
    target = tmp_path / "c.json"
    t.save(target)
    before = target.read_text()
    assert json.loads(before)["wires"][0]["gradient"] == 6.0
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        t.save(target)
    assert target.read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["c.json"]
    with pytest.raises(BadValue, match=r"\.svg, \.tex, \.txt, \.json"):
        t.save(tmp_path / "c.docx")


def test_json_has_no_numbers_json_lacks(tmp_path):
    with np.errstate(all="ignore"):
        t = co.trace(lambda x: 1.0 / x)(0.0)
    t.save(tmp_path / "c.json")
    kept = json.loads((tmp_path / "c.json").read_text())
    assert "inf" in [wire["value"] for wire in kept["wires"]]


def test_it_shows_itself_in_a_notebook():
    t = co.trace(lambda x: x * x)(3.0)
    assert t._repr_svg_().lstrip().startswith(("<svg", "<?xml"))
    assert "3 steps" in repr(co.trace(neuron, 0)(np.ones(3), np.ones(2))) or "steps" in repr(t)


def test_code_runs_alone():
    t = co.trace(neuron, argnums=0)(np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0]))
    space: dict = {"__name__": "printed"}
    exec(t.code("python"), space)
    ins = [t.run.values[w] for w in t.circuit.ins]
    value, cache = space["forward"](*ins)
    np.testing.assert_array_equal(value, t.value)
    np.testing.assert_array_equal(space["backward"](cache), t.grads)
    assert "void neuron(" in t.code("c")
    assert "function neuron(" in t.code("javascript", lang="pt")
    with pytest.raises(BadValue, match="cobol"):
        t.code("cobol")


def test_a_million_steps_neither_recurse_nor_blow_up():
    def chain(x):
        for _ in range(100_000):
            x = x * 0.999
        return x

    t = co.trace(chain)(1.0)
    assert len(t.circuit.steps) == 100_000
    assert t.grads[0] == pytest.approx(0.999**100_000, rel=1e-9)
    t.circuit.verify()
    assert len(str(t)) > 100


def test_a_large_program_prints_as_the_tree_that_it_shows(capsys):
    def long(x):
        for k in range(60):
            x = np.sin(x) * (k + 1.0)
        return x

    program = co.trace(long)(1.0)
    program.show()
    shown = capsys.readouterr().out
    assert str(program).splitlines()[0] == shown.splitlines()[0]
    assert max(map(len, str(program).splitlines())) <= 120


def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path, monkeypatch):
    program = co.trace(np.sin)(1.0)
    with pytest.raises(NotWritten, match="there is no folder") as caught:
        program.save(tmp_path / "none" / "c.txt")
    assert isinstance(caught.value, OSError)
    assert "não existe a pasta" in caught.value.render("pt")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(NotWritten, match="No space left"):
        program.save(tmp_path / "c.txt")
    assert not list(tmp_path.iterdir())
