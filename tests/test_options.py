"""A misread option is named in both languages, whatever was wrong with it."""

from __future__ import annotations

import click
import pytest

from corrente.options import misread

COMMAND = click.Command(
    "go",
    params=[
        click.Option(["--count"], type=int),
        click.Option(["--fast"], is_flag=True),
    ],
)


@pytest.mark.parametrize(
    ("words", "en", "pt"),
    [
        (["--slow"], "there is no option --slow", "não há opção --slow"),
        (["--count"], "--count needs a value", "--count precisa de um valor"),
        (["--fast=2"], "--fast needs a value, or takes none", "--fast precisa de um valor, ou não"),
        (["--count", "x"], "--count takes another kind", "--count leva outro tipo"),
        (["more"], "unexpected extra argument", "unexpected extra argument"),
    ],
)
def test_a_misread_option_is_named(words, en, pt):
    with pytest.raises(click.UsageError) as caught:
        COMMAND.make_context("go", words)
    says = misread(click, caught.value)
    assert en in says.en
    assert pt in says.pt
