"""The page put together: when it moves, when it has code, and what it says when not."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente import pages
from corrente.pages import write_page


def told(program: Any, **options: Any) -> tuple[dict[str, Any], str]:
    text = write_page(program.run, program.backward, program.kept, **options)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return json.loads(found[1]), text


def test_a_small_circuit_moves_and_has_code_in_both_languages():
    data, text = told(co.trace(lambda x, y: x * y)(2.0, 3.0))
    assert "window.recompute" in text
    assert data["whyNotLiving"] == ["", ""]
    assert [kind for kind, *_ in data["living"]][:3] == ["value"] * 3
    english, portuguese = (
        " ".join(line[0] for line in data["code"][lang]) for lang in ("en", "pt")
    )
    assert "Return the value" in english
    assert "Devolve o valor" in portuguese


def test_a_large_one_says_why_it_does_not():
    def f(x):
        for _ in range(pages.CODE + 1):
            x = x * 1.001
        return x

    data, text = told(co.trace(f)(1.0))
    assert (
        "window.recompute"
        not in text.replace("typeof window.recompute", "")[: text.index('id="data"')]
    )
    assert data["living"] is None
    assert data["whyNotLiving"][0].startswith("This circuit is too large to move in the page (601 ")
    assert "601 portas" in data["whyNoCode"][1]


def test_arrays_may_be_too_large_as_well():
    data, _ = told(co.trace(lambda x: np.sum(x * x))(np.ones(pages.NUMBERS)))
    assert data["living"] is None
    assert data["code"], "its code is short all the same"


def test_without_a_number_at_the_end_there_is_no_way_back():
    data, _ = told(co.trace(lambda x: (x, x * 2.0))(1.0))
    assert data["living"] is None
    assert data["whyNotLiving"][1].startswith("Não há passagem para trás")


def test_a_gate_without_javascript_is_named():
    data, _ = told(co.trace(lambda A: np.linalg.det(A))(np.eye(3) * 2))
    assert data["living"] is None
    assert "det" in data["whyNotLiving"][0]


@pytest.mark.parametrize("fold", ["auto", "functions", "none"])
def test_it_opens_as_asked(fold):
    assert told(co.trace(lambda x: np.var(x))(np.arange(3.0)), fold=fold)[0]["fold"] == fold
