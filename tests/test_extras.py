"""Optional packages: there, or named with the cure."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from corrente.extras import MissingExtra, load
from corrente.words import Says

PURPOSE = Says("reading Parquet", "para ler Parquet")


def test_what_is_installed_is_loaded():
    assert load("json", "data", PURPOSE) is json


def test_what_is_missing_is_named_in_both_languages(monkeypatch: Any):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra) as caught:
        load("pyarrow.parquet", "data", PURPOSE)
    assert caught.value.render("en").startswith("reading Parquet needs pyarrow")
    assert 'pip install "corrente[data]"' in caught.value.render("en")
    assert "falta instalar pyarrow" in caught.value.render("pt")
    assert isinstance(caught.value, ImportError)


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("safetensors.numpy", "from corrente.training.checkpoints import save; save('x', 1.0, {})"),
        ("pyarrow.parquet", "from corrente.training.batches import source; source('x.parquet')"),
        ("pandas", "from corrente.training.history import History; History([]).frame()"),
        ("matplotlib.figure", "from corrente.training.history import History; History([]).plot()"),
        ("anywidget", "import corrente as co; co.trace(lambda x: x * x)(2.0).widget()"),
    ],
)
def test_every_user_of_an_extra_says_so(monkeypatch: Any, module: str, use: str):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match="pip install"):
        exec(use, {})
