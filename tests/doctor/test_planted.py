"""Every planted illness is found, at its line, and no other illness with it but a known few."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from doctor.planted import CASES, Planted

from corrente.doctor import CODES, Diagnosis

# one illness may bring another: all units of a layer that saturates on raw data, and so on
FOLLOWS = {"a_network_on_raw_columns": {"saturated"}}


@pytest.fixture(scope="module")
def found() -> dict[str, Diagnosis]:
    return {}


def examined(case: Planted, found: dict[str, Diagnosis]) -> Diagnosis:
    if case.name not in found:
        found[case.name] = case.examined()
    return found[case.name]


def planted(test):
    return pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)(test)


def test_there_are_cases_of_every_code():
    count = Counter(case.code for case in CASES)
    assert set(count) == set(CODES)
    assert len(CASES) >= 40
    assert min(count.values()) >= 3


@planted
def test_it_is_found_at_its_line(case, found):
    diagnosis = examined(case, found)
    assert not diagnosis.ok
    same = [finding for finding in diagnosis.findings if finding.code == case.code]
    assert same
    if case.line is not None:
        assert case.line in [finding.line for finding in same]
        assert all(finding.where.file.endswith("planted.py") for finding in same)


@planted
def test_nothing_else_is_claimed(case, found):
    codes = {finding.code for finding in examined(case, found).findings}
    assert codes - {case.code} <= FOLLOWS.get(case.name, set())


@planted
def test_the_number_is_one_and_the_cure_helps(case, found):
    for finding in examined(case, found).findings:
        assert not math.isnan(finding.number)
        for effect in finding.effects:
            assert effect.says.en != effect.says.pt or not effect.what.en
            assert not math.isnan(effect.after)


@planted
def test_it_speaks_both_languages(case, found):
    for finding in examined(case, found).findings:
        assert finding.says.en != finding.says.pt
        assert finding.advice.en != finding.advice.pt
        for said in (*finding.says, *finding.advice):
            assert "{" not in said.replace("{'", "").replace("['", "")
            assert "None" not in said


@pytest.mark.parametrize("code", ["nan", "inf", "where-trap"])
def test_a_mended_number_is_finite(code, found):
    for case in CASES:
        unmended = case.name == "correlation_of_constants" or "sharded" in case.options
        if case.code == code and not unmended:
            (finding,) = examined(case, found).findings
            value, slope = finding.effects[:2]
            assert math.isfinite(value.after), case.name
            assert math.isfinite(slope.after), case.name
            assert not math.isfinite(value.before + slope.before), case.name


@pytest.mark.parametrize(
    "code", ["saturated", "vanishing", "exploding", "scale-mismatch", "tie", "dead-relu"]
)
def test_what_was_measured_got_better(code, found):
    for case in CASES:
        if case.code == code:
            finding = next(f for f in examined(case, found).findings if f.code == code)
            assert finding.effects or case.name in ("a_growing_recurrence", "logistic_map")
            for effect in finding.effects[:1]:
                moved = effect.after - effect.before
                better = {
                    "saturated": moved > 0,
                    "vanishing": moved > 1,
                    "exploding": moved < -1,
                }.get(code, moved < 0)
                if "stable" in effect.what.en:  # a rate of the order of one is what is wanted
                    better = abs(math.log10(effect.after)) < abs(math.log10(effect.before))
                assert better, case.name


def test_other_seeds_find_the_same(found):
    for case in CASES[::4]:
        codes = {f.code for f in case.examined(seed=11).findings}
        assert case.code in codes, case.name
