"""Reports: the same facts as lines, as data and as a page, in two languages."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from corrente.learning import reports
from corrente.learning.fitting import Fitted, fit

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def fits() -> dict[str, Fitted]:
    a, b = RNG.normal(size=(2, 150))
    table: dict[str, Any] = {"a<b>": a, "b": b, "number": a + b}
    table["label"] = np.where(a > 0, "<high>", "low").astype(object)
    return {name: fit(table, name, hidden=(8,), epochs=5) for name in ("number", "label")}


@pytest.mark.parametrize("target", ["number", "label"])
def test_the_lines_hold_every_measure(fits: Any, target: str):
    fitted = fits[target]
    lines = reports.told(fitted)
    for lang, words in (("en", "rows never seen"), ("pt", "linhas nunca vistas")):
        assert any(words in line.into(lang) for line in lines)
    text = "\n".join(line.en for line in lines)
    for name, value in fitted.worth.items():
        shown = f"{value:.1%}" if name == "accuracy" else f"{value:.4g}"
        assert shown in text


@pytest.mark.parametrize("target", ["number", "label"])
def test_the_data_are_json(fits: Any, target: str):
    data = json.loads(json.dumps(reports.data(fits[target]), allow_nan=False))
    assert data["worth"] == fits[target].worth
    assert data["columns"] == {
        name: "category" if name == "label" else "number"
        for name in ("a<b>", "b", "number", "label")
        if name != target
    }
    assert len(data["history"]) == len(fits[target].training.history)


@pytest.mark.parametrize("target", ["number", "label"])
@pytest.mark.parametrize("lang", ["en", "pt"])
def test_the_page_stands_alone_and_is_well_formed(fits: Any, target: str, lang: str):
    page = reports.page(fits[target], lang)
    assert f'lang="{"pt-BR" if lang == "pt" else "en"}"' in page
    assert "a&lt;b&gt;" in page
    assert "a<b>" not in page
    assert "http" not in page
    assert "script" not in page
    for picture in re.findall(r"<svg.*?</svg>", page):
        parsed = ElementTree.fromstring(picture)
        numbers = re.findall(
            r"-?\d+\.\d",
            parsed.find("polyline").get("points", "")
            if parsed.find("polyline") is not None
            else "",
        )
        assert all(0 <= float(n) <= 560 for n in numbers)
    main = page[page.index("<main>") : page.index("</main>") + 7]
    ElementTree.fromstring(main)


def test_the_confusions_are_counted(fits: Any):
    page = reports.page(fits["label"])
    found = [int(n) for n in re.findall(r"<td>(\d+)</td>", page)]
    assert sum(found) == len(fits["label"].truth)
    right = np.mean(fits["label"].found.argmax(axis=1) == fits["label"].truth)
    assert (found[0] + found[3]) / sum(found) == pytest.approx(right)
    assert page.count("<circle") == 0
    assert reports.page(fits["number"]).count("<circle") == len(fits["number"].truth)
