"""Programs made here leave room around their memory, to see that nothing is written there."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def canaries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORRENTE_CANARIES", "1")
