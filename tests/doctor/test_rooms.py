"""The rooms' small instruments, and the diagnosis as it is shown, saved and read."""

from __future__ import annotations

import io
import json
import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

import corrente as co
from corrente import nn
from corrente.doctor import Diagnosis, diagnose
from corrente.doctor.again import Change, model, rerun, slope_at
from corrente.doctor.budget import length
from corrente.doctor.findings import Plot, decades, listed, rms
from corrente.doctor.page import plot
from corrente.doctor.preprocessing import measure
from corrente.errors import BadArgument, BadValue, NotScalar
from corrente.program import trace
from corrente.words import Says


def trapped(x):
    return np.sum(np.where(x > 0, np.sqrt(x), 0.0))


def columns(p, X, y):
    W, b = p
    return nn.cross_entropy(X @ W + b, y)


@pytest.fixture(scope="module")
def raw() -> Diagnosis:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 3)) * [1.0, 1000.0, 0.1]
    y = (X[:, 0] > 0).astype(int)
    names = ("<b>loud</b>", "b", "c")
    return diagnose(columns, (np.zeros((3, 2)), np.zeros(2)), X, y, columns=names, rate=1.0)


def test_sizes_do_not_overflow():
    assert rms(np.array([1e200, 1e200])) == 1e200
    assert rms(np.zeros(0)) == 0.0
    assert length(np.array([3e-200, 4e-200])) == pytest.approx(5e-200)
    assert length(np.full(4, 1e30, np.float32)) == pytest.approx(2e30)
    assert length(None) == 0.0
    assert length(3 - 4j) == 5.0


def test_decades_know_nought():
    assert decades(1e-3, 1.0) == pytest.approx(-3)
    assert decades(0.0, 0.0) == 0
    assert decades(0.0, 1.0) == -math.inf
    assert decades(1.0, 0.0) == math.inf


def test_long_lists_are_cut():
    assert listed(list("abcdef"), 2) == Says("a, b and 4 more", "a, b e mais 4")


def test_columns_are_measured():
    found = measure(np.array([[1.0, 5.0], [3.0, 5.0]]))
    assert found.mean.tolist() == [2, 5]
    assert found.varying.tolist() == [True, False]
    assert found.offset.tolist() == [2, 0]
    assert found.uneven == pytest.approx(5 / 3)


def test_a_circuit_runs_again_with_a_change():
    t = trace(lambda x, y: np.tanh(x * y) + x)(2.0, 3.0)
    x, y = t.circuit.ins
    ins = {x: 2.0, y: 3.0}
    out = t.circuit.outs[0]
    assert rerun(t.circuit, ins)[out] == t.value
    swapped = Change(swap={(0, 1): lambda value, values: values[x]})
    assert rerun(t.circuit, ins, swapped)[out] == np.tanh(4.0) + 2.0
    other = Change(instead={1: lambda z: z + 1.0})
    assert rerun(t.circuit, ins, other)[out] == 9.0
    assert rerun(t.circuit, ins, Change(given={y: 0.0}))[out] == 2.0
    found = model(t.circuit, t.run.values, frozenset({x}), other)
    assert found.gradient([2.0]) == (9.0, [4.0])
    product = t.circuit.steps[0].outs[0]
    assert slope_at(t.circuit, t.run.values, product, Change()) == pytest.approx(
        t.run.gradients[product]
    )


def test_healthy_and_ill_say_so():
    healthy = diagnose(trapped, np.array([4.0, 1.0]))
    assert healthy.ok
    assert str(healthy) == "trapped is healthy: loss 3."
    assert "saudável" in healthy.render("pt")
    ill = diagnose(trapped, np.array([4.0, 0.0]))
    assert "1 finding(s): where-trap" in str(ill)
    assert f"line {trapped.__code__.co_firstlineno + 1}" in str(ill)
    assert "achado" in ill.render("pt")


def test_the_budget_adds_up():
    def loss(w, x):
        return np.sum(np.tanh(3.0 * (w * x)))

    found = diagnose(loss, np.full(3, 0.1), np.ones(3))
    (budget,) = found.budget
    local = 3.0 / np.cosh(0.3) ** 2
    assert budget.parameter == "w"
    assert budget.decades == pytest.approx(math.log10(local))
    assert [gate for gate, _ in budget.gates] == ["sum", "tanh", "multiply"]
    assert budget.gates[2][1] == pytest.approx(math.log10(3))


def test_json_is_plain_and_whole(raw):
    told = json.loads(json.dumps(raw.json(), allow_nan=False))
    assert told["ok"] is False
    assert [finding["code"] for finding in told["findings"]] == ["preprocessing", "rate"]
    first = told["findings"][0]
    assert first["line"] == columns.__code__.co_firstlineno + 2
    assert first["effects"][0]["before"] > first["effects"][0]["after"]
    assert set(first["says"]) == {"en", "pt"}


def test_the_page_needs_nothing_and_says_everything(raw, tmp_path):
    for lang in ("en", "pt"):
        path = tmp_path / f"{lang}.html"
        raw.save(path, lang)
        page = path.read_text("utf-8")
        assert not re.search(r"(src|href)=|https?://|<script", page)
        assert "<b>loud" not in page
        drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
        assert len(drawings) == 5  # columns, descents, the rate given; rows, rates
        for drawing in drawings:
            ElementTree.fromstring(drawing)
        assert not re.search(r"\bnan\b|None", re.sub(r"<[^>]*>", " ", page))
    assert 'lang="pt-BR"' in page
    assert "O que tentar" in page
    assert "<html" not in raw._repr_html_()


def test_the_other_files(raw, tmp_path):
    raw.save(tmp_path / "d.txt")
    assert (tmp_path / "d.txt").read_text("utf-8") == raw.render() + "\n"
    raw.save(tmp_path / "d.json")
    assert json.loads((tmp_path / "d.json").read_text("utf-8")) == raw.json()
    with pytest.raises(BadValue, match="cannot save"):
        raw.save(tmp_path / "d.pdf")


def test_the_terminal_shows_all_of_it(raw):
    for lang in ("en", "pt"):
        file = io.StringIO()
        raw.show(lang, file=file)
        shown = re.sub(r"[\s│╭╮╰╯─]+", "", file.getvalue())
        for finding in raw.findings:
            assert re.sub(r"[\s─]+", "", finding.says.into(lang)) in shown
            assert finding.code.replace(" ", "") in shown


def test_a_plot_of_nothing_is_nothing():
    assert plot(Plot(Says("a", "b"), ((Says("c", "d"), ()),))) == ""
    flat = Plot(Says("a", "b"), ((Says("c", "d"), ((0.0, 1.0), (1.0, 1.0))),))
    assert "polyline" in plot(flat)


def test_what_is_no_loss_is_refused():
    with pytest.raises(NotScalar):
        diagnose(lambda x: x * 2.0, np.ones(2))
    with pytest.raises(BadArgument):
        diagnose(lambda x: np.sum(x), np.array([1, 2]))


def test_a_constant_reaches_nothing():
    found = diagnose(lambda x: 3.0, np.ones(2), rate=0.1)
    assert found.value == 3
    assert [(f.code, f.wire) for f in found.findings] == [("unreached", "x")]


def test_steps_of_several_outputs_run_again():
    def loss(x):
        left, right = np.split(co.checkpoint(lambda v: np.tanh(v) ** 2)(x), 2)
        return np.sum(left * right) + np.sum(np.linalg.svd(x[:, None] * x, compute_uv=False))

    assert diagnose(loss, np.array([0.3, -0.2, 0.5, 0.1]), rate=0.3).ok


def test_complex_parameters_are_examined_where_they_can_be():
    z = np.array([1.0 + 2.0j, 0.5j])
    assert diagnose(lambda z: np.sum(np.abs(z) ** 2), z, rate=0.1).ok
    found = diagnose(lambda z: np.sum(np.abs(z) ** 0.5), 0.0 * z)
    assert [f.code for f in found.findings] == ["nan"]


def test_a_loss_that_does_not_bend_has_no_wrong_rate():
    assert diagnose(lambda w: np.sum(3.0 * w) + 1e-12 * np.sum(w**2), np.ones(2), rate=0.1).ok


def test_several_arguments_may_be_parameters():
    found = diagnose(lambda w, x, b: np.sum(w * x), np.ones(2), np.ones(2), 1.0, argnums=(0, 2))
    assert [(f.code, f.wire) for f in found.findings] == [("unreached", "b")]
