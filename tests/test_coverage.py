"""The coverage page names every public function, and cannot be made without one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import corrente.gates  # noqa: F401  (fills the tables)
from corrente.record import COMPOSED, REFUSED, TABLE
from corrente.words import LANGUAGES

ROOT = Path(__file__).parent.parent


def made(program: str) -> subprocess.CompletedProcess[str]:
    """Run a program beside the page's own, in a process without the gates of other tests."""
    opening = "import sys; sys.path.insert(0, 'docs'); import numpy as np, coverage_page as page\n"
    command = [sys.executable, "-c", opening + program]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, encoding="utf-8")


def test_every_public_function_has_a_state():
    found = made("print(len(page.states()['numpy']), 'einsum' in page.states()['numpy'])")
    assert found.returncode == 0, found.stderr
    count, known = found.stdout.split()
    assert int(count) > 350
    assert known == "True"


def test_a_function_without_a_state_stops_the_page():
    found = made("np.__all__.append('fresh'); np.fresh = lambda x: x; page.page()")
    assert found.returncode != 0
    assert "no state on the coverage page: numpy.fresh" in found.stderr


def test_a_function_with_two_states_stops_the_page():
    found = made("page.REFUSED[np.exp] = page.STEPS; page.page()")
    assert found.returncode != 0
    assert "several states on the coverage page: numpy.exp" in found.stderr


@pytest.mark.parametrize("home", ["numpy", "numpy.linalg", "numpy.fft"])
def test_nine_in_ten_functions_with_a_meaningful_gradient_have_one(home: str):
    found = made(
        f"kinds = [state.kind for state in page.states()[{home!r}].values()]\n"
        "print(*(kinds.count(kind) for kind in page.STATES))"
    )
    assert found.returncode == 0, found.stderr
    gates, composed, _, refused = map(int, found.stdout.split())
    assert gates + composed >= 0.9 * (gates + composed + refused)


def test_what_is_refused_is_refused_in_both_languages_and_nowhere_granted():
    assert len(REFUSED) > 15
    for function, says in REFUSED.items():
        assert function not in TABLE
        assert function not in COMPOSED
        assert len({says.into(lang) for lang in LANGUAGES}) == len(LANGUAGES)
