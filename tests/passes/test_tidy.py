"""All passes in order: what is left is small, right, and needs no further round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from passes.agreeing import SETTINGS, assert_agree, joined, numbers, recorded
from test_random_circuits import Written, programs

import corrente.passes
from corrente.circuit import Circuit
from corrente.errors import CircuitError
from corrente.passes import PASSES, absorb, fold, prune, share, simplify, tidy


def test_text_before_and_after():
    def loss(w, x, y):
        away = x @ w.T - y
        return np.mean(away**2)

    circuit = joined(loss, np.ones((3, 2)), np.ones((5, 2)), np.ones((5, 3)))
    text = str(tidy(circuit, check=True))
    assert text.splitlines() == [
        "def circuit(w, x, y):",
        "    v3 = np.tensordot(x, w, axes=((1,), (1,)))",
        "    away = v3 - y",
        "    v5 = np.square(away)",
        "    v6 = np.mean(v5, axis=(0, 1))",
        "    recording = 2.0 * away",
        "    recording_1 = np.float64(0.06666666666666667) * recording",
        "    recording_2 = -recording_1",
        "    recording_3 = recording_1 @ w",
        "    recording_4 = np.tensordot(recording_1, x, axes=((0,), (0,)))",
        "    return v6, recording_4, recording_3, recording_2,",
    ]


def test_the_order():
    assert (fold, simplify, share, absorb, prune) == PASSES


def test_a_second_round_for_what_the_first_one_opened():
    """Only when the two sines are one is the choice between them none."""
    circuit = recorded(lambda x: np.where(x > 0.0, np.sin(x), np.sin(x * 1.0)), np.ones(3))
    assert [step.gate.name for step in tidy(circuit).steps] == ["sin"]


@pytest.mark.parametrize(
    ("f", "rounds"),
    [
        (lambda x: np.sin(x) * 2.0 * 2.0, 1),
        (lambda x: np.sin(x) * 1.0, 2),
        (lambda x: np.sin(x) * np.sin(x), 2),
    ],
)
def test_how_many_rounds(f: Any, rounds: int, monkeypatch: pytest.MonkeyPatch):
    """Two literals that are one make no work for others; fewer steps, and other steps, may."""
    seen: list[Circuit] = []
    last = lambda circuit: (seen.append(circuit), circuit)[1]
    monkeypatch.setattr(corrente.passes, "PASSES", (*PASSES, last))
    tidy(recorded(f, 1.0))
    assert len(seen) == rounds


def test_the_check_names_the_pass(monkeypatch: pytest.MonkeyPatch):
    def spoil(circuit: Circuit) -> Circuit:
        return replace(circuit, steps=circuit.steps[::-1])

    circuit = recorded(lambda x: np.sin(np.cos(x)), 1.0)
    monkeypatch.setattr(corrente.passes, "PASSES", (spoil,))
    tidy(circuit)
    with pytest.raises(CircuitError) as caught:
        tidy(circuit, check=True)
    assert caught.value.__notes__ == ["pass: spoil"]


def test_what_is_tidy_stays():
    circuit = recorded(lambda x, y: np.sin(x) * y, 1.0, 2.0)
    assert tidy(circuit) is circuit


@SETTINGS
@given(programs())
def test_random_programs_agree(program: Written):
    circuit = joined(program.scalar, *program.args)
    after = tidy(circuit, check=True)
    if not any(step.gate.name in ("tensordot", "einsum") for step in after.steps):
        assert_agree(circuit, after, program.args)
    single = any(getattr(x, "dtype", None) == np.float32 for x in program.args)
    rtol = 1e-4 if single else 1e-9
    one, other = numbers(circuit, program.args), numbers(after, program.args)
    for a, b in zip(circuit.outs, after.outs, strict=True):
        assert np.result_type(one[a]) == np.result_type(other[b])
        scale = max(1.0, float(np.max(np.abs(one[a]))))
        np.testing.assert_allclose(one[a], other[b], rtol=rtol, atol=rtol * scale)
    assert len(after.steps) <= len(prune(circuit).steps)
