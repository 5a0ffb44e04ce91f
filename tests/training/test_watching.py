"""Progress: one line an epoch, in two languages, drawn only where somebody looks."""

from __future__ import annotations

from typing import Any

import pytest

from corrente.training.history import Record
from corrente.training.watching import sentence, watch

RECORD = Record(2, 20, 0.5, None, 0.25, 1e-3, 0.1, 1.0)


def test_the_line_tells_loss_gradient_and_ratio():
    assert sentence(RECORD).en == "loss 0.5  gradient 2.50e-01  update/weight 1.0e-03"
    held = RECORD._replace(validation=0.75)
    assert sentence(held).pt == (
        "perda 0.5  validação 0.75  gradiente 2.50e-01  passo/peso 1.0e-03"
    )


@pytest.mark.parametrize(("lang", "word"), [("en", "epoch 2/3"), ("pt", "época 2/3")])
def test_it_is_drawn_when_asked(capsys: Any, lang: str, word: str):
    with watch(3, True, lang) as tell:
        tell(RECORD)
    assert word in capsys.readouterr().err


@pytest.mark.parametrize("shown", [False, None])
def test_it_is_silent_where_nobody_looks(capsys: Any, shown: bool | None):
    with watch(3, shown, "en") as tell:
        tell(RECORD)
    assert capsys.readouterr() == ("", "")
