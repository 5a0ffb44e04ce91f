"""A healthy loss has no finding: a false alarm is a defect."""

from __future__ import annotations

import numpy as np
import pytest
from doctor.healthy import CASES, EXAMPLES, Healthy

from corrente.doctor import diagnose


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_nothing_is_found(case: Healthy):
    loss, args = case.call()
    diagnosis = diagnose(loss, *args, **case.options)
    assert diagnosis.ok, str(diagnosis)
    assert np.isfinite(diagnosis.value)


def test_there_are_enough_and_the_examples_are_among_them():
    names = {case.name for case in CASES}
    assert len(names) == len(CASES) >= 40
    assert len(names & {path.stem for path in EXAMPLES.glob("*.py")}) >= 13


def test_other_seeds_are_healthy_as_well():
    for case in CASES[26::3]:
        loss, *args = case.build(np.random.default_rng(5))
        diagnosis = diagnose(loss, *args, **case.options)
        assert diagnosis.ok, f"{case.name}: {diagnosis}"
